package circleci

import "github.com/circleci-go/circleci/internal/env"

// NewClientFromEnv returns a client with the token and the host from
// environment variables. The first variable in each row that is not empty is
// used:
//
//	CIRCLE_TOKEN  CIRCLECI_TOKEN  CIRCLECI_CLI_TOKEN  CIRCLE_CLI_TOKEN
//	CIRCLE_HOST   CIRCLECI_HOST   CIRCLECI_BASE_URL   CIRCLECI_CLI_HOST  CIRCLE_CLI_HOST
//
// If there is no token, the client sends none: see [NewClient]. Options take
// precedence over the environment. An error matches [ErrInvalidArgument] and
// names the variable. To also read the files of CircleCI's command line tool,
// use package cliconfig.
func NewClientFromEnv(opts ...Option) (*Client, error) {
	token, name := env.Token()
	if env.Quoted(token) {
		return nil, &ArgumentError{Name: name, Reason: "is quoted: remove the quotes"}
	}
	own := []Option{WithTokenFrom(name)}
	if host, name := env.Host(); host != "" {
		own = append(own, func(c *config) { c.baseURL, c.baseURLFrom = host, name })
	}
	return NewClient(token, append(own, opts...)...)
}
