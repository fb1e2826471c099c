package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

// runDemo reports on a fake CircleCI server, in which two projects have past
// runs.
func runDemo(ctx context.Context, con *cli.Console, progress io.Writer, output string, days int) error {
	fmt.Fprintln(progress, "No CIRCLE_TOKEN is set: this report is about a fake CircleCI server on this machine.")
	srv := circlecitest.NewServer(circlecitest.WithTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)))
	defer srv.Close()
	test := circlecitest.Job("test").Takes(6*time.Minute).
		WithTests(circlecitest.PassingTest("TestRefund", 41*time.Second), circlecitest.PassingTest("TestSearch", 12500*time.Millisecond), circlecitest.PassingTest("TestLogin", 3*time.Second)).
		WithFlakyTests(0.1, circlecitest.FailingTest("TestCheckout", "the cart is empty"))
	srv.History("gh/acme/web", circlecitest.Past{
		Days: days, RunsPerDay: 12, FailureRate: 0.12, Spread: 0.4, Branches: []string{"main", "feature"},
		Workflows: []*circlecitest.WorkflowScript{
			circlecitest.Workflow("build", circlecitest.Job("lint").Takes(time.Minute), test).RerunsAutomatically(2),
			circlecitest.Workflow("deploy", circlecitest.Job("ship").Takes(3*time.Minute)),
		},
	})
	srv.History("gh/acme/api", circlecitest.Past{
		Days: days, RunsPerDay: 5, FailureRate: 0.3, Spread: 0.6,
		Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow("build", circlecitest.Job("test").Takes(14*time.Minute))},
	})
	return report(ctx, con, progress, srv.Client(), []circleci.ProjectSlug{"gh/acme/web", "gh/acme/api"}, output, days, srv.Now())
}
