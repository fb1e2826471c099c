// Package env reads the environment variables that CircleCI's own tools use.
package env

import "os"

// The first variable that is not empty is used.
var (
	tokens = []string{"CIRCLE_TOKEN", "CIRCLECI_TOKEN", "CIRCLECI_CLI_TOKEN", "CIRCLE_CLI_TOKEN"}
	hosts  = []string{"CIRCLE_HOST", "CIRCLECI_HOST", "CIRCLECI_BASE_URL", "CIRCLECI_CLI_HOST", "CIRCLE_CLI_HOST"}
)

// Token returns the token and the name of its variable; both are empty if none
// is set.
func Token() (value, name string) { return first(tokens) }

// Host returns the host and the name of its variable; both are empty if none is
// set.
func Host() (value, name string) { return first(hosts) }

func first(names []string) (value, name string) {
	for _, name := range names {
		if value := os.Getenv(name); value != "" {
			return value, name
		}
	}
	return "", ""
}

// Quoted reports whether a value is within quotes. Some programs that load .env
// files, such as docker run, keep them.
func Quoted(value string) bool {
	return len(value) >= 2 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0]
}
