package circleci

import "github.com/circleci-go/circleci/internal/env"

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
	if host := env.Host(); host != "" {
		opts = append([]Option{WithBaseURL(host)}, opts...)
	}
	return NewClient(env.Token(), opts...)
}
