package circleci

import "os"

// The environment variables that CircleCI's own tools go by, in the order in
// which they are looked at.
var (
	tokenVars = []string{"CIRCLE_TOKEN", "CIRCLECI_TOKEN", "CIRCLECI_CLI_TOKEN", "CIRCLE_CLI_TOKEN"}
	hostVars  = []string{"CIRCLE_HOST", "CIRCLECI_HOST", "CIRCLECI_BASE_URL", "CIRCLECI_CLI_HOST", "CIRCLE_CLI_HOST"}
)

// NewClientFromEnv returns a client with the token and the host of the
// environment. The first of these that is not empty counts:
//
//	CIRCLE_TOKEN  CIRCLECI_TOKEN  CIRCLECI_CLI_TOKEN  CIRCLE_CLI_TOKEN
//	CIRCLE_HOST   CIRCLECI_HOST   CIRCLECI_BASE_URL   CIRCLECI_CLI_HOST  CIRCLE_CLI_HOST
//
// Without a token the client is anonymous, see [NewClient]. Options given here
// win over the environment. For the files of CircleCI's command line tool see
// package cliconfig.
func NewClientFromEnv(opts ...Option) (*Client, error) {
	if host := firstEnv(hostVars); host != "" {
		opts = append([]Option{WithBaseURL(host)}, opts...)
	}
	return NewClient(firstEnv(tokenVars), opts...)
}

func firstEnv(names []string) string {
	for _, name := range names {
		if value := os.Getenv(name); value != "" {
			return value
		}
	}
	return ""
}
