// Command failure-report tells why a pipeline failed: the failed jobs, the end of
// the output of their failed steps, and their failed tests.
//
//	CIRCLE_TOKEN=… go run ./failure-report <pipeline id>
//	CIRCLE_TOKEN=… go run ./failure-report -branch main gh/your-org/your-project
//
// With a project's slug it reports on the newest pipeline that failed. Without a
// token it talks to a fake CircleCI server in this process:
//
//	go run ./failure-report
//
// The flags:
//
//	-branch name   with a slug: only pipelines of this branch
//	-output 4096   how many bytes of the end of each step's output to show
//	-json          print the report as JSON
//	-q             print no progress
//
// The exit status is 0 if there is a report, even if parts of it are missing.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

func main() { cli.Main(run) }

type options struct {
	branch   string
	json     bool
	progress io.Writer
	report   circleci.FailureReportOptions
}

func run(ctx context.Context, con *cli.Console, args []string) error {
	var o options
	flags := con.Flags("failure-report [flags] <pipeline id or project slug>")
	flags.StringVar(&o.branch, "branch", "", "with a slug: only pipelines of this branch")
	flags.IntVar(&o.report.MaxOutput, "output", 4096, "how many bytes of the end of each step's output to show")
	flags.BoolVar(&o.json, "json", false, "print the report as JSON")
	quiet := flags.Bool("q", false, "print no progress")
	if err := cli.Parse(flags, args, 1); err != nil {
		return err
	}
	o.progress = con.Progress(*quiet)
	if os.Getenv("CIRCLE_TOKEN") == "" {
		return runDemo(ctx, con, o)
	}
	id, err := uuid.Parse(flags.Arg(0))
	var slug circleci.ProjectSlug
	if err != nil {
		if slug, err = circleci.ParseProjectSlug(flags.Arg(0)); err != nil {
			return cli.Usage("give a pipeline's ID, or a project's slug such as gh/acme/web")
		}
	}
	client, err := circleci.NewClientFromEnv()
	if err != nil {
		return err
	}
	if slug != "" {
		if id, err = findFailed(ctx, client, slug, o); err != nil {
			return err
		}
	}
	return report(ctx, con, client, id, o)
}

// findFailed returns the newest pipeline of a project that failed.
func findFailed(ctx context.Context, client *circleci.Client, slug circleci.ProjectSlug, o options) (uuid.UUID, error) {
	fmt.Fprintf(o.progress, "looking for the newest pipeline of %s that failed\n", slug)
	result, err := client.Pipelines.GetLatest(ctx, slug, &circleci.GetLatestOptions{Branch: o.branch, Outcome: circleci.OutcomeFailed})
	if err != nil {
		return uuid.Nil, err
	}
	return result.Pipeline.ID, nil
}

func report(ctx context.Context, con *cli.Console, client *circleci.Client, id uuid.UUID, o options) error {
	fmt.Fprintf(o.progress, "reading pipeline %s\n", id)
	r, err := client.Pipelines.GetFailureReport(ctx, id, &o.report)
	if err != nil {
		return err
	}
	if o.json {
		return con.JSON(asJSON(r))
	}
	_, err = fmt.Fprint(con.Out, r)
	return err
}
