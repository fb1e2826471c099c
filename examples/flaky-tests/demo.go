package main

import (
	"context"
	"fmt"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

// runDemo lists the flaky tests of a fake CircleCI server.
func runDemo(ctx context.Context, con *cli.Console, o options) error {
	fmt.Fprintln(o.progress, "No CIRCLE_TOKEN is set: this is a fake CircleCI server on this machine.")
	srv := circlecitest.NewServer()
	defer srv.Close()
	const project = circleci.ProjectSlug("gh/acme/web")
	addFlakyTests(srv, project)
	return list(ctx, con, srv.Client(), project, o)
}

func addFlakyTests(srv *circlecitest.Server, project circleci.ProjectSlug) {
	checkout := circlecitest.FailingTest("TestCheckout", "the cart is empty")
	srv.History(project, circlecitest.Past{Days: 10, Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("build",
			circlecitest.Job("test").Takes(5*time.Minute).WithFlakyTests(0.2, checkout),
			circlecitest.Job("race").Takes(9*time.Minute).WithFlakyTests(0.1, checkout, circlecitest.FailingTest("TestSearch", "timed out")),
		).RerunsAutomatically(2),
	}})
}
