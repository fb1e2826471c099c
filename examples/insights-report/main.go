// Command insights-report writes one self-contained HTML page about a project,
// or about several: success rate, duration percentiles and credits by day, the
// workflows, and the flaky and slowest tests.
//
//	CIRCLE_TOKEN=… go run ./insights-report -o report.html gh/your-org/your-project
//
// The page loads nothing from elsewhere: it can be mailed, or kept as an
// artifact of a job. Without a token the program reports on a fake
// CircleCI server in this process:
//
//	go run ./insights-report
//
// The flags:
//
//	-o file      where to write the page; "-" is standard output. The default is
//	             insights-report.html in the directory for temporary files
//	-days 30     how many days to cover, 90 at most
//	-q           print no progress
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

func main() { cli.Main(run) }

func run(ctx context.Context, con *cli.Console, args []string) error {
	flags := con.Flags("insights-report [flags] <project slug> ...")
	output := flags.String("o", filepath.Join(os.TempDir(), "insights-report.html"), "where to write the page; - is standard output")
	days := flags.Int("days", 30, "how many days to cover, 90 at most")
	quiet := flags.Bool("q", false, "print no progress")
	if err := cli.Parse(flags, args, 50); err != nil {
		return err
	}
	if *days < 1 || *days > 90 {
		return cli.Usage("-days is a number from 1 to 90")
	}
	progress := con.Err
	if *quiet {
		progress = io.Discard
	}
	if os.Getenv("CIRCLE_TOKEN") == "" {
		return runDemo(ctx, con, progress, *output, *days)
	}
	if flags.NArg() == 0 {
		return cli.Usage("name a project by its slug, such as gh/acme/web")
	}
	var slugs []circleci.ProjectSlug
	for _, arg := range flags.Args() {
		slug, err := circleci.ParseProjectSlug(arg)
		if err != nil {
			return cli.Usage("name a project by its slug, such as gh/acme/web: %w", err)
		}
		slugs = append(slugs, slug)
	}
	client, err := circleci.NewClientFromEnv()
	if err != nil {
		return err
	}
	return report(ctx, con, progress, client, slugs, *output, *days, time.Now())
}

// report writes the page, or, if it cannot be written whole, none.
func report(ctx context.Context, con *cli.Console, progress io.Writer, client *circleci.Client, slugs []circleci.ProjectSlug, output string, days int, now time.Time) (err error) {
	w := windowOf(days, now)
	p := &page{
		Title: "CircleCI insights", Days: days, Written: now.UTC().Format("2006-01-02 15:04 UTC"),
		From: w.from.Format(time.DateOnly), To: w.to.Format(time.DateOnly),
	}
	for _, slug := range slugs {
		fmt.Fprintf(progress, "reading %s\n", slug)
		section, notes, err := collect(ctx, client, slug, w)
		if err != nil {
			return err
		}
		p.Projects, p.Notes = append(p.Projects, section), append(p.Notes, notes...)
	}
	if output == "-" {
		return p.write(con.Out)
	}
	var text strings.Builder
	if err := p.write(&text); err != nil {
		return err
	}
	if err := os.WriteFile(output, []byte(text.String()), 0o600); err != nil {
		return errors.Unwrap(err)
	}
	fmt.Fprintf(progress, "the page is in %s\n", output)
	return nil
}
