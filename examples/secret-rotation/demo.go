package main

import (
	"context"
	"fmt"

	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

// runDemo rotates a key of a fake CircleCI server.
func runDemo(ctx context.Context, con *cli.Console, o options) error {
	fmt.Fprintln(o.progress, "No CIRCLE_TOKEN is set: this is a fake CircleCI server on this machine.")
	srv := circlecitest.NewServer()
	defer srv.Close()
	srv.AddContext("gh/acme", "production", map[string]string{"API_KEY": "old", "REGION": "eu"})
	srv.AddContext("gh/acme", "staging", map[string]string{"API_KEY": "old"})
	srv.AddContext("gh/acme", "docs", map[string]string{"SITE": "docs"})
	return rotate(ctx, con, srv.Client(), "gh/acme", "API_KEY", "new-value", o)
}
