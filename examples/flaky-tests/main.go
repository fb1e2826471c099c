// Command flaky-tests lists the flaky tests of a project, with the time that
// they cost and the jobs in which they flake.
//
//	CIRCLE_TOKEN=… go run ./flaky-tests gh/your-org/your-project
//
// Without a token it talks to a fake CircleCI server in this process:
//
//	go run ./flaky-tests
//
// The flags:
//
//	-most 20   how many tests to list, those that flake most often first
//	-json      print them as JSON
//	-q         print no progress
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

func main() { cli.Main(run) }

type options struct {
	most     int
	json     bool
	progress io.Writer
}

func run(ctx context.Context, con *cli.Console, args []string) error {
	var o options
	flags := con.Flags("flaky-tests [flags] <project slug>")
	flags.IntVar(&o.most, "most", 20, "how many tests to list")
	flags.BoolVar(&o.json, "json", false, "print them as JSON")
	quiet := flags.Bool("q", false, "print no progress")
	if err := cli.Parse(flags, args, 1); err != nil {
		return err
	}
	if o.most < 1 {
		return cli.Usage("-most is a number from 1")
	}
	o.progress = con.Progress(*quiet)
	if os.Getenv("CIRCLE_TOKEN") == "" {
		return runDemo(ctx, con, o)
	}
	slug, err := circleci.ParseProjectSlug(flags.Arg(0))
	if err != nil {
		return cli.Usage("name a project by its slug, such as gh/acme/web: %w", err)
	}
	client, err := circleci.NewClientFromEnv()
	if err != nil {
		return err
	}
	return list(ctx, con, client, slug, o)
}

// flaky is a test for a script.
type flaky struct {
	Test   string           `json:"test"`
	Class  string           `json:"class,omitempty"`
	File   string           `json:"file,omitempty"`
	Flakes int64            `json:"flakes"`
	Wasted circleci.Seconds `json:"wasted_seconds"`
	Jobs   []string         `json:"jobs"`
}

func list(ctx context.Context, con *cli.Console, client *circleci.Client, slug circleci.ProjectSlug, o options) error {
	fmt.Fprintf(o.progress, "reading the flaky tests of %s\n", slug)
	found, err := client.Insights.GetFlakyTests(ctx, slug)
	if err != nil {
		return err
	}
	all := found.ByTest()
	tests := []flaky{}
	for _, t := range all[:min(len(all), o.most)] {
		tests = append(tests, flaky{t.TestName, t.Classname, t.File, t.TimesFlaked, t.TimeWasted, t.JobNames})
	}
	if o.json {
		return con.JSON(tests)
	}
	if len(tests) == 0 {
		fmt.Fprintf(con.Out, "%s has no flaky tests\n", slug)
		return nil
	}
	table := tabwriter.NewWriter(con.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FLAKES\tWASTED\tTEST\tFILE\tJOBS")
	for _, t := range tests {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", t.Flakes, time.Duration(t.Wasted).Round(time.Second),
			cli.Plain(t.Test), cli.Plain(t.File), cli.Plain(strings.Join(t.Jobs, ", ")))
	}
	if more := len(all) - len(tests); more > 0 {
		fmt.Fprintf(o.progress, "and %d more; see -most\n", more)
	}
	return table.Flush()
}
