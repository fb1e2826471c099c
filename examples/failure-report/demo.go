package main

import (
	"context"
	"fmt"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

// runDemo reports on a fake CircleCI server, in which a pipeline failed.
func runDemo(ctx context.Context, con *cli.Console, o options) error {
	fmt.Fprintln(o.progress, "No CIRCLE_TOKEN is set: this is a fake CircleCI server on this machine.")
	srv := circlecitest.NewServer()
	defer srv.Close()
	const project = circleci.ProjectSlug("gh/acme/web")
	addFailure(srv, project)
	id, err := findFailed(ctx, srv.Client(), project, o)
	if err != nil {
		return err
	}
	return report(ctx, con, srv.Client(), id, o)
}

func addFailure(srv *circlecitest.Server, project circleci.ProjectSlug) {
	srv.Script(project, circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("build-and-test",
			circlecitest.Job("build").Takes(time.Minute),
			circlecitest.Job("test").Requires("build").Takes(90*time.Second).Fails().
				WithOutput("=== RUN TestPayment\n    payment_test.go:41: want 200 OK, got 402 Payment Required\n--- FAIL: TestPayment\n").
				WithTests(circlecitest.PassingTest("TestLogin", 400*time.Millisecond), circlecitest.FailingTest("TestPayment", "want 200 OK, got 402 Payment Required")),
			circlecitest.Job("deploy").Requires("test"),
		),
	}})
	srv.StartPipeline(project, "main")
	srv.Advance(time.Hour)
}
