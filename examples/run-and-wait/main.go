// Command run-and-wait runs a pipeline, shows its progress, and exits with a
// status that tells how it ended.
//
//	CIRCLE_TOKEN=… go run ./run-and-wait -branch main -param environment=staging gh/your-org/your-project
//
// Without a token it uses a fake CircleCI server in this process:
//
//	go run ./run-and-wait                # a run that succeeds
//	go run ./run-and-wait -demo fail     # or: cancel, error, none, hold
//
// The flags:
//
//	-branch name       the branch to run; by default the default branch
//	-tag name          a tag instead of a branch
//	-param name=value  a parameter; can be repeated. 3 and true are a number and
//	                   a boolean, "3" and "true" in quotes are strings
//	-definition id     runs this pipeline definition; required for projects of the
//	                   GitHub App
//	-stop-on-hold      exits when the run waits for an approval
//	-cancel            cancels the run if Ctrl-C or -timeout ends the wait
//	-timeout duration  the longest time to wait
//	-interval duration the pause between two requests; 5s grows to 30s by default
//	-yes               runs without asking
//	-demo outcome      without a token: how the run ends
//
// The exit statuses:
//
//	0  it has succeeded
//	1  it has failed
//	2  the arguments are invalid
//	3  it was canceled
//	4  it has run nothing
//	5  its configuration is invalid
//	6  it waits for an approval, and -stop-on-hold is set
//	7  its outcome could not be determined, or not in time
//	130  Ctrl-C
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

func main() { cli.Main(run) }

// The exit status of each outcome.
var statuses = map[circleci.Outcome]int{
	circleci.OutcomeFailed:      1,
	circleci.OutcomeCanceled:    3,
	circleci.OutcomeNoWorkflows: 4,
	circleci.OutcomeNotRun:      4,
	circleci.OutcomeErrored:     5,
	circleci.OutcomeOnHold:      6,
}

const statusUnknown = 7

type options struct {
	branch, tag string
	parameters  circleci.Parameters
	definition  uuid.UUID
	cancel, yes bool
	timeout     time.Duration
	wait        circleci.WaitOptions
}

type app struct {
	*cli.Console
	options
	client  *circleci.Client
	project circleci.ProjectSlug
}

func run(ctx context.Context, con *cli.Console, args []string) error {
	a := &app{Console: con}
	flags := con.Flags("run-and-wait [flags] <project slug>")
	flags.StringVar(&a.branch, "branch", "", "the branch to run")
	flags.StringVar(&a.tag, "tag", "", "the tag to run")
	flags.Func("param", "a parameter, as `name=value`; can be repeated", a.addParameter)
	flags.Func("definition", "the `ID` of the pipeline definition to run", func(text string) (err error) {
		a.definition, err = uuid.Parse(text)
		return err
	})
	flags.BoolVar(&a.wait.StopOnHold, "stop-on-hold", false, "end when nothing goes on without an approval")
	flags.BoolVar(&a.cancel, "cancel", false, "cancel the run if Ctrl-C or -timeout ends the wait")
	flags.DurationVar(&a.timeout, "timeout", 0, "how long to wait at most")
	flags.DurationVar(&a.wait.MinInterval, "interval", 0, "the pause between two looks (default 5s, growing to 30s)")
	flags.BoolVar(&a.yes, "yes", false, "run without asking")
	outcome := flags.String("demo", "success", "without a token: how the run ends: "+strings.Join(outcomes(), ", "))
	usage := flags.Usage
	flags.Usage = func() {
		usage()
		fmt.Fprintln(con.Err, "exit statuses: 0 success, 1 failed, 2 wrong call, 3 canceled, 4 nothing to run, 5 wrong configuration, 6 on hold, 7 not known, 130 Ctrl-C")
	}
	if err := cli.Parse(flags, args, 1); err != nil {
		return err
	}
	if os.Getenv("CIRCLE_TOKEN") == "" {
		demo, err := newDemo(*outcome)
		if err != nil {
			return err
		}
		defer demo.Close()
		fmt.Fprintf(con.Out, "No CIRCLE_TOKEN is set: this is a fake CircleCI server on this machine, whose clock runs %d times faster.\n", speed)
		a.client, a.project, a.yes = demo.Client(), demoProject, true
		a.wait.MinInterval, a.wait.MaxInterval, a.wait.Grace = 5*time.Second/speed, 30*time.Second/speed, time.Minute/speed
		return a.run(ctx)
	}
	var err error
	if a.project, err = circleci.ParseProjectSlug(flags.Arg(0)); err != nil {
		return cli.Usage("the argument is the project's slug, such as gh/acme/web: %w", err)
	}
	if a.client, err = circleci.NewClientFromEnv(); err != nil {
		return err
	}
	return a.run(ctx)
}

// addParameter parses a parameter as in a configuration: quoted values are
// strings.
func (a *app) addParameter(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return errors.New("it has to be name=value")
	}
	if a.parameters == nil {
		a.parameters = circleci.Parameters{}
	}
	a.parameters[name] = value
	if unquoted, err := strconv.Unquote(value); err == nil {
		a.parameters[name] = unquoted
	} else if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		a.parameters[name] = n
	} else if value == "true" || value == "false" {
		a.parameters[name] = value == "true"
	}
	return nil
}

func (a *app) run(ctx context.Context) error {
	if err := a.Confirm(ctx, a.yes, fmt.Sprintf("Run a pipeline of %s?", a.project)); err != nil {
		return err
	}
	pipeline, err := a.start(ctx)
	switch {
	case errors.Is(err, circleci.ErrNotTriggered):
		return &cli.StatusError{Status: statuses[circleci.OutcomeNoWorkflows], Err: err}
	case err != nil:
		return unknown(err)
	}
	fmt.Fprintf(a.Out, "Pipeline %d of %s has begun.\n", pipeline.Number, a.project)

	waitCtx := ctx
	if a.timeout > 0 {
		var stop context.CancelFunc
		waitCtx, stop = context.WithTimeout(ctx, a.timeout)
		defer stop()
	}
	a.wait.WithJobs = true
	a.wait.OnProgress = func(p circleci.Progress) {
		a.Line(p.Elapsed, p.Text, p.Changed, p.Next == 0)
	}
	result, err := a.client.Pipelines.Wait(waitCtx, pipeline.ID, &a.wait)
	if err != nil {
		if waitCtx.Err() != nil {
			a.leave(ctx, pipeline)
		}
		return unknown(err)
	}
	if err := a.report(ctx, result); err != nil {
		return unknown(err)
	}
	if err := result.Err(); err != nil {
		return &cli.StatusError{Status: statuses[result.Outcome], Err: err}
	}
	return nil
}

func unknown(err error) error { return &cli.StatusError{Status: statusUnknown, Err: err} }

// start runs the pipeline in the way that the project's kind asks for.
func (a *app) start(ctx context.Context) (*circleci.CreatedPipeline, error) {
	if a.definition == uuid.Nil {
		return a.client.Pipelines.Trigger(ctx, a.project, circleci.TriggerPipelineRequest{
			Branch: a.branch, Tag: a.tag, Parameters: a.parameters,
		})
	}
	in := circleci.RunPipelineRequest{DefinitionID: a.definition, Parameters: a.parameters}
	switch {
	case a.branch != "":
		in.Checkout, in.Config = circleci.Branch(a.branch), circleci.ConfigFrom(circleci.Branch(a.branch))
	case a.tag != "":
		in.Checkout, in.Config = circleci.Tag(a.tag), circleci.ConfigFrom(circleci.Tag(a.tag))
	}
	return a.client.Pipelines.Run(ctx, a.project, in)
}

// leave reports what happens to a run when the program stops waiting for it.
func (a *app) leave(ctx context.Context, p *circleci.CreatedPipeline) {
	if a.OutTerminal {
		fmt.Fprintln(a.Out) // below the line of progress
	}
	if !a.cancel {
		fmt.Fprintf(a.Err, "Pipeline %d goes on.\n", p.Number)
		return
	}
	// The context has ended; for this there is a little more time.
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer stop()
	if err := a.cancelAll(ctx, p.ID); err != nil {
		fmt.Fprintf(a.Err, "Pipeline %d could not be canceled: %v\n", p.Number, err)
		return
	}
	fmt.Fprintf(a.Err, "Pipeline %d is canceled.\n", p.Number)
}

// cancelAll cancels the workflows of a pipeline, including those that start
// later.
func (a *app) cancelAll(ctx context.Context, pipelineID uuid.UUID) error {
	wait := a.wait
	wait.OnProgress = nil
	canceled := map[uuid.UUID]bool{}
	for result, err := range a.client.Pipelines.Watch(ctx, pipelineID, &wait) {
		if err != nil {
			return err
		}
		for _, w := range result.Workflows {
			if w.Status.Done() || canceled[w.ID] {
				continue
			}
			if err := a.client.Workflows.Cancel(ctx, w.ID); err != nil {
				return err
			}
			canceled[w.ID] = true
		}
	}
	return nil
}

// report shows the jobs, and the tests that failed.
func (a *app) report(ctx context.Context, result *circleci.PipelineResult) error {
	table := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, w := range result.Workflows {
		for _, j := range result.Jobs[w.ID] {
			took := "-"
			if !j.StartedAt.IsZero() && !j.StoppedAt.IsZero() {
				took = j.StoppedAt.Sub(j.StartedAt).Round(time.Second).String()
			}
			fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", w.Name, j.Name, j.Status, took)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if result.Outcome != circleci.OutcomeFailed {
		return nil
	}
	tests, err := a.client.Pipelines.GetTestReport(ctx, result.Pipeline.ID)
	if err != nil {
		return err
	}
	for _, t := range tests.Failed() {
		fmt.Fprintf(a.Out, "FAILED %s: %s\n  %s\n", t.JobName, t.Name, strings.ReplaceAll(cli.Plain(t.Message), "\n", "\n  "))
	}
	return nil
}
