// Package snippets compiles the Go code that the repository's documents show.
package snippets

import (
	_ "github.com/redis/go-redis/v9" // what the documents use of other modules

	_ "github.com/circleci-go/circleci/oidctoken"
	_ "github.com/circleci-go/circleci/otelcircleci"
	_ "github.com/circleci-go/circleci/redislimit"
)
