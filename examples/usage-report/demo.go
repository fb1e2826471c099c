package main

import (
	"context"
	"fmt"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

// runDemo reports on a fake CircleCI server with a month of past runs.
func runDemo(ctx context.Context, con *cli.Console, format string) error {
	const speed = 60
	fmt.Fprintf(con.Err, "No CIRCLE_TOKEN is set: this is a fake CircleCI server on this machine, whose clock runs %d times faster.\n", speed)
	srv := circlecitest.NewServer(
		circlecitest.WithSpeed(speed),
		circlecitest.WithTime(time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)),
	)
	defer srv.Close()
	orgID := srv.AddOrg("gh/acme")
	for project, minutes := range map[circleci.ProjectSlug]int{"gh/acme/web": 4, "gh/acme/api": 7, "gh/acme/docs": 1} {
		srv.Script(project, circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
			circlecitest.Workflow("build", circlecitest.Job("test").Takes(time.Duration(minutes)*time.Minute)),
		}})
	}
	for day := range 28 {
		srv.StartPipeline("gh/acme/web", "main")
		srv.StartPipeline("gh/acme/api", "main")
		if day%7 == 0 {
			srv.StartPipeline("gh/acme/docs", "main")
		}
		srv.Advance(24 * time.Hour)
	}
	window, err := month("2026-02", srv.Now())
	if err != nil {
		return err
	}
	return report(ctx, con, srv.Client(), orgID, window, &circleci.ExportUsageOptions{MinInterval: 15 * time.Second / speed}, format)
}
