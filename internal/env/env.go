// Package env reads the environment variables that CircleCI's own tools go by.
package env

import "os"

// Of these the first that is not empty counts.
var (
	tokens = []string{"CIRCLE_TOKEN", "CIRCLECI_TOKEN", "CIRCLECI_CLI_TOKEN", "CIRCLE_CLI_TOKEN"}
	hosts  = []string{"CIRCLE_HOST", "CIRCLECI_HOST", "CIRCLECI_BASE_URL", "CIRCLECI_CLI_HOST", "CIRCLE_CLI_HOST"}
)

// Token returns the token; empty if none is set.
func Token() string { return first(tokens) }

// Host returns the host; empty if none is set.
func Host() string { return first(hosts) }

func first(names []string) string {
	for _, name := range names {
		if value := os.Getenv(name); value != "" {
			return value
		}
	}
	return ""
}
