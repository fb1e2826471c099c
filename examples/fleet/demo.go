package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

const demoOrg = circleci.OrgSlug("gh/acme")

// runDemo lists the failed tests of a fake organization, whose server limits
// the workers.
func runDemo(ctx context.Context, con *cli.Console, o options) error {
	fmt.Fprintln(con.Progress(o.quiet), "CIRCLE_TOKEN is not set: this is a fake CircleCI.")
	ctx, stop := context.WithTimeout(ctx, 5*time.Minute)
	defer stop()
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	defer srv.Close()
	addProjects(srv, 12)
	srv.Weather(circlecitest.RateLimit(20, 250*time.Millisecond))
	return lead(ctx, con, o, demoOrg, append(os.Environ(), "CIRCLE_TOKEN="+srv.Token(), "CIRCLE_HOST="+srv.URL()))
}

// addProjects adds projects with three pipelines each. In every third project,
// a test fails.
func addProjects(srv *circlecitest.Server, n int) {
	for i := range n {
		slug := circleci.ProjectSlug(fmt.Sprintf("%s/service-%02d", demoOrg, i+1))
		test := circlecitest.Job("test").WithTests(circlecitest.PassingTest("TestLogin", 400*time.Millisecond))
		if i%3 == 0 {
			test.Fails().WithTests(circlecitest.FailingTest("TestPayment", "want 200 OK, got 402 Payment Required"))
		}
		srv.Script(slug, circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow("build", test)}})
		for range 3 {
			srv.StartPipeline(slug, "main")
			srv.Advance(time.Hour)
		}
	}
}
