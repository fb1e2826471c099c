// Command org-projects lists the projects of an organization, each with its
// last run.
//
//	CIRCLE_TOKEN=… go run ./org-projects gh/your-org
//
// The API v2 has no list of an organization's projects: this uses package
// apiv3. Without a token it talks to the fake server of package circlecitest,
// in this process:
//
//	go run ./org-projects
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/apiv3"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

func main() { cli.Main(run) }

func run(ctx context.Context, con *cli.Console, args []string) error {
	flags := con.Flags("org-projects <organization slug>")
	if err := cli.Parse(flags, args, 1); err != nil {
		return err
	}
	if os.Getenv("CIRCLE_TOKEN") == "" {
		fmt.Fprintln(con.Err, "CIRCLE_TOKEN is not set: this is a fake CircleCI.")
		srv := demo()
		defer srv.Close()
		return list(ctx, con, srv.Client(), "gh/acme")
	}
	slug, err := circleci.ParseOrgSlug(flags.Arg(0))
	if err != nil {
		return cli.Usage("pass the organization's slug as the argument: %w", err)
	}
	client, err := circleci.NewClientFromEnv()
	if err != nil {
		return err
	}
	return list(ctx, con, client, slug)
}

// demo is an organization with three projects: one succeeds, one fails, and one
// has never run.
func demo() *circlecitest.Server {
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	srv.Script("gh/acme/api", circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("build", circlecitest.Job("test").Fails()),
	}})
	srv.AddProject("gh/acme/web")
	srv.AddProject("gh/acme/attic")
	srv.StartPipeline("gh/acme/web", "main")
	srv.StartPipeline("gh/acme/api", "topic/limits")
	srv.Advance(time.Hour)
	return srv
}

func list(ctx context.Context, con *cli.Console, client *circleci.Client, slug circleci.OrgSlug) error {
	v3 := apiv3.New(client)
	org, err := v3.Orgs.Resolve(ctx, slug)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(con.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PROJECT\tRUN\tSTATE\tBRANCH\tSTARTED")
	for project, err := range v3.Projects.ListForOrg(org.ID, &apiv3.ListProjectsOptions{OrderByName: true}).All(ctx) {
		if err != nil {
			return err
		}
		last, err := v3.Runs.ListForProject(project.ID, &apiv3.ListRunsOptions{Limit: 1}).First(ctx)
		switch {
		case errors.Is(err, circleci.ErrNotFound):
			fmt.Fprintf(table, "%s\t-\t-\t-\t-\n", project.Name)
		case err != nil:
			return err
		default:
			fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\n", project.Name, last.Number, last.State(),
				cli.Plain(last.Event.VCS.Branch), last.CreatedAt.UTC().Format(time.DateTime))
		}
	}
	return table.Flush()
}
