// Command quickstart runs a pipeline and tells how it went.
//
// Without a token it talks to a fake CircleCI server in this process:
//
//	go run ./quickstart          # a run that succeeds
//	go run ./quickstart -fail    # a run that fails; the exit status is 1
//
// With a token it talks to CircleCI, and asks before it triggers anything:
//
//	CIRCLE_TOKEN=… go run ./quickstart gh/your-org/your-project
//
// The flags:
//
//	-branch name  the branch to run; the default branch without it
//	-yes          triggers without asking
//	-fail         without a token: has the run fail
package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

func main() { cli.Main(run) }

type app struct {
	*cli.Console
	client *circleci.Client
}

func run(ctx context.Context, con *cli.Console, args []string) error {
	flags := con.Flags("quickstart [flags] <project slug>")
	branch := flags.String("branch", "", "the branch to run; the default branch if empty")
	yes := flags.Bool("yes", false, "trigger without asking")
	fail := flags.Bool("fail", false, "without a token: have the run fail")
	if err := cli.Parse(flags, args, 1); err != nil {
		return err
	}
	a := &app{Console: con}
	project, wait, closeDemo, err := a.connect(flags.Arg(0), *fail)
	if err != nil {
		return err
	}
	defer closeDemo()
	demo := wait != nil

	me, err := a.client.Users.Me(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.Out, "You are %s (%s).\n", me.Name, me.Login)
	if err := a.showPipelines(ctx, project); err != nil {
		return err
	}
	fmt.Fprintln(a.Out)
	if err := a.Confirm(ctx, *yes || demo, "Trigger a pipeline of "+string(project)+"?"); err != nil {
		return err
	}
	pipeline, err := a.client.Pipelines.Trigger(ctx, project, circleci.TriggerPipelineRequest{
		Branch:     *branch,
		Parameters: a.parameters(demo),
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(a.Out, "Triggered pipeline %d.\n", pipeline.Number)

	if wait == nil {
		wait = &circleci.WaitOptions{}
	}
	wait.WithJobs, wait.OnProgress = true, a.showProgress
	result, err := a.client.Pipelines.Wait(ctx, pipeline.ID, wait)
	if err != nil {
		return err
	}
	if err := a.showJobs(ctx, project, result); err != nil {
		return err
	}
	return result.Err()
}

// parameters are what the demonstration's configuration declares.
func (a *app) parameters(demo bool) circleci.Parameters {
	if !demo {
		return nil
	}
	return circleci.Parameters{"environment": "staging", "replicas": 2}
}

// connect makes the client: of CircleCI if there is a token, else of a
// fake CircleCI server.
func (a *app) connect(slug string, fail bool) (circleci.ProjectSlug, *circleci.WaitOptions, func(), error) {
	if os.Getenv("CIRCLE_TOKEN") == "" {
		fmt.Fprintln(a.Out, "No CIRCLE_TOKEN is set: this is a fake CircleCI server on this machine, whose clock runs 60 times faster.")
		d := newDemo(fail)
		a.client = d.client
		return d.project, d.wait, d.close, nil
	}
	if slug == "" {
		return "", nil, nil, cli.Usage("which project? Give its slug, such as gh/your-org/your-project.\n" +
			"It is in the project's settings in CircleCI, and in the address of its pipelines: app.circleci.com/pipelines/github/your-org/your-project.\n" +
			"To see a demonstration instead, unset CIRCLE_TOKEN.")
	}
	project, err := circleci.ParseProjectSlug(slug)
	if err != nil {
		return "", nil, nil, cli.Usage("give the project's slug as the argument: %w", err)
	}
	a.client, err = circleci.NewClientFromEnv()
	return project, nil, func() {}, err
}

func (a *app) showPipelines(ctx context.Context, project circleci.ProjectSlug) error {
	fmt.Fprintf(a.Out, "\nThe last pipelines of %s:\n", project)
	table := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for p, err := range a.client.Pipelines.ListForProject(project, nil).Take(5).All(ctx) {
		if err != nil {
			return err
		}
		result, err := a.client.Pipelines.Check(ctx, p.ID) // the State of a pipeline does not tell how it ended
		if err != nil {
			return err
		}
		fmt.Fprintf(table, "  %d\t%s\t%s\t%s\n", p.Number, cmp.Or(result.Outcome, "running"), cmp.Or(p.Branch(), p.Tag()), p.CreatedAt.Local().Format(time.DateTime))
	}
	return table.Flush()
}

func (a *app) showProgress(p circleci.Progress) { a.Line(p.Elapsed, p.Text, p.Changed, p.Next == 0) }

func (a *app) showJobs(ctx context.Context, project circleci.ProjectSlug, result *circleci.PipelineResult) error {
	fmt.Fprintln(a.Out)
	table := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "WORKFLOW\tJOB\tSTATUS\tTIME")
	for _, w := range result.Workflows {
		for _, j := range result.Jobs[w.ID] {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", w.Name, j.Name, j.Status, duration(j))
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, w := range result.Workflows {
		for _, j := range result.Jobs[w.ID] {
			if j.Number == 0 {
				continue // it has not run
			}
			if err := a.showJob(ctx, project, j); err != nil {
				return err
			}
		}
	}
	return nil
}

func duration(j circleci.WorkflowJob) string {
	if j.StartedAt.IsZero() || j.StoppedAt.IsZero() {
		return "-"
	}
	return j.StoppedAt.Sub(j.StartedAt).Round(time.Second).String()
}

func (a *app) showJob(ctx context.Context, project circleci.ProjectSlug, j circleci.WorkflowJob) error {
	for test, err := range a.client.Jobs.ListTests(project, j.Number).All(ctx) {
		if err != nil {
			return err
		}
		if test.Result.Failed() {
			fmt.Fprintf(a.Out, "\nFAILED %s %s (%s)\n  %s\n", j.Name, test.Name, test.File, cli.Plain(test.Message))
		}
	}
	for artifact, err := range a.client.Jobs.ListArtifacts(project, j.Number).All(ctx) {
		if err != nil {
			return err
		}
		fmt.Fprintf(a.Out, "\nARTIFACT %s %s\n  %s\n", j.Name, artifact.Path, artifact.URL)
	}
	return nil
}
