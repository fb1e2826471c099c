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

// runDemo downloads from a fake CircleCI server, by default to a temporary
// directory.
func runDemo(ctx context.Context, con *cli.Console, dir string, o circleci.DownloadOptions) (err error) {
	fmt.Fprintln(con.Out, "No CIRCLE_TOKEN is set: this is a fake CircleCI server on this machine.")
	if dir == "" {
		if dir, err = os.MkdirTemp("", "artifacts-"); err != nil {
			return err
		}
		defer func() {
			if removed := os.RemoveAll(dir); removed == nil {
				fmt.Fprintln(con.Out, "It was temporary, and is gone; -dir keeps the files.")
			}
		}()
	}
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	defer srv.Close()
	project := circleci.ProjectSlug("gh/acme/web")
	srv.Script(project, circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("build", circlecitest.Job("test").WithArtifacts(
			circlecitest.Artifact{Path: "coverage/index.html", Content: "<h1>87 %</h1>\n"},
			circlecitest.Artifact{Path: "coverage/style.css", Content: "h1 { color: green }\n"},
			circlecitest.Artifact{Path: "reports/unit.xml", Content: "<testsuite tests=\"212\"/>\n"},
			circlecitest.Artifact{Path: "web.tar", Content: "0123456789abcdef", Size: 64 << 20},
			circlecitest.Artifact{Path: "logs/server.log", Content: "GET / 200\n", Size: 16 << 20},
		)),
	}})
	srv.StartPipeline(project, "main")
	srv.Advance(time.Hour)
	return download(ctx, con, srv.Client(), project, 1, dir, o)
}
