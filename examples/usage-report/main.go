// Command usage-report shows what an organization has used in a month: job
// runs, minutes and credits, by project and resource class.
//
//	CIRCLE_TOKEN=… go run ./usage-report -month 2026-02 gh/your-org
//
// The argument is the organization's slug or its ID. Without a token it uses a
// fake CircleCI server in this process:
//
//	go run ./usage-report
//
// The flags:
//
//	-month 2026-02   the month, in UTC; default: the last complete one
//	-format name     table (the default), csv or markdown
//
// CircleCI takes some minutes for an export, and allows ten an hour. Rows are
// added up while they are read, so the size of the month does not affect memory
// use. Progress is written to standard error, and only the table to standard
// output.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

func main() { cli.Main(run) }

func run(ctx context.Context, con *cli.Console, args []string) error {
	flags := con.Flags("usage-report [flags] <organization slug or ID>")
	monthName := flags.String("month", "", "the month, such as 2026-02 (default the last that is over)")
	format := flags.String("format", "table", "table, csv or markdown")
	if err := cli.Parse(flags, args, 1); err != nil {
		return err
	}
	if !knownFormat(*format) {
		return cli.Usage("-format takes table, csv or markdown")
	}
	if os.Getenv("CIRCLE_TOKEN") == "" {
		return runDemo(ctx, con, *format)
	}
	window, err := month(*monthName, time.Now())
	if err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return cli.Usage("the argument is the organization's slug, such as gh/acme, or its ID")
	}
	client, err := circleci.NewClientFromEnv()
	if err != nil {
		return err
	}
	orgID, err := findOrg(ctx, client, flags.Arg(0))
	if err != nil {
		return err
	}
	return report(ctx, con, client, orgID, window, nil, *format)
}

// month returns the month with a name such as 2026-02, or by default the last
// complete one. The current month ends now, because the API refuses future
// times.
func month(name string, now time.Time) (circleci.UsageWindow, error) {
	now = now.UTC()
	start := time.Date(now.Year(), now.Month()-1, 1, 0, 0, 0, 0, time.UTC)
	if name != "" {
		var err error
		if start, err = time.Parse("2006-01", name); err != nil {
			return circleci.UsageWindow{}, cli.Usage("-month is given as 2026-02")
		}
	}
	if !start.Before(now) {
		return circleci.UsageWindow{}, cli.Usage("the month %s has not begun", name)
	}
	end := start.AddDate(0, 1, 0)
	if end.After(now) {
		end = now
	}
	return circleci.UsageWindow{Start: start, End: end}, nil
}

// findOrg finds an organization of the token's owner.
func findOrg(ctx context.Context, client *circleci.Client, ref string) (uuid.UUID, error) {
	if id, err := uuid.Parse(ref); err == nil {
		return id, nil
	}
	slug, err := circleci.ParseOrgSlug(ref)
	if err != nil {
		return uuid.Nil, cli.Usage("the argument is the organization's slug, such as gh/acme, or its ID: %w", err)
	}
	var others []string
	for org, err := range client.Users.ListCollaborations().All(ctx) {
		if err != nil {
			return uuid.Nil, err
		}
		if org.Slug.Equal(slug) && org.ID != uuid.Nil {
			return org.ID, nil
		}
		others = append(others, string(org.Slug))
	}
	return uuid.Nil, fmt.Errorf("the token's owner has no organization %s; there are: %s", slug, strings.Join(others, ", "))
}

// report sums up an export and shows it.
func report(ctx context.Context, con *cli.Console, client *circleci.Client, orgID uuid.UUID, w circleci.UsageWindow, o *circleci.ExportUsageOptions, format string) error {
	if o == nil {
		o = &circleci.ExportUsageOptions{}
	}
	o.OnProgress = func(p circleci.UsageProgress) {
		switch {
		case p.File > 0:
			fmt.Fprintf(con.Err, "reading file %d of %d\n", p.File, len(p.Export.DownloadURLs))
		case p.Export.State == "": // there is none yet
			fmt.Fprintf(con.Err, "CircleCI permits no more exports for now; trying again in %s\n", p.Next.Round(time.Second))
		default:
			fmt.Fprintf(con.Err, "the export is %s\n", strings.ToLower(string(p.Export.State)))
		}
	}
	sums := sums{}
	for row, err := range client.Usage.Export(ctx, orgID, w, o) {
		if err != nil {
			return err
		}
		sums.add(row)
	}
	fmt.Fprintf(con.Err, "from %s to %s, UTC\n", w.Start.UTC().Format(time.DateOnly), w.End.UTC().Add(-time.Second).Format(time.DateOnly))
	sums.render(con.Out, format)
	return nil
}
