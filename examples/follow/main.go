// Command follow shows the output of a job while it runs, step by step.
//
//	CIRCLE_TOKEN=… go run ./follow <job ID>
//
// The job's ID is in the last part of its page's address, or in the list of a
// workflow's jobs. Of a job with several parallel executions, the first is
// shown. The exit status is 1 if the job fails. Without a token it talks to the
// fake server of package circlecitest, in this process:
//
//	go run ./follow
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/apiv3"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

func main() { cli.Main(run) }

func run(ctx context.Context, con *cli.Console, args []string) error {
	flags := con.Flags("follow <job ID>")
	if err := cli.Parse(flags, args, 1); err != nil {
		return err
	}
	if os.Getenv("CIRCLE_TOKEN") == "" {
		return runDemo(ctx, con)
	}
	jobID, err := uuid.Parse(flags.Arg(0))
	if err != nil {
		return cli.Usage("pass the job's ID as the argument: %w", err)
	}
	client, err := circleci.NewClientFromEnv()
	if err != nil {
		return err
	}
	return follow(ctx, con, apiv3.New(client), jobID, 2*time.Second)
}

// runDemo follows a job of a fake CircleCI that prints for a minute of its own
// time.
func runDemo(ctx context.Context, con *cli.Console) error {
	const speed = 30
	fmt.Fprintf(con.Err, "CIRCLE_TOKEN is not set: this is a fake CircleCI, whose time passes %d times faster.\n", speed)
	srv := circlecitest.NewServer(circlecitest.WithSpeed(speed))
	defer srv.Close()
	var output strings.Builder
	for i := range 12 {
		fmt.Fprintf(&output, "\x1b[32m✓\x1b[0m package %d of 12\r\n", i+1)
	}
	srv.Script("gh/acme/web", circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("build", circlecitest.Job("test").Takes(time.Minute).WithOutput(output.String())),
	}})
	v3 := apiv3.New(srv.Client())
	runID := srv.StartPipeline("gh/acme/web", "main")
	jobID, err := firstJob(ctx, v3, runID)
	if err != nil {
		return err
	}
	return follow(ctx, con, v3, jobID, 2*time.Second/speed)
}

// firstJob waits for the first job of a run.
func firstJob(ctx context.Context, v3 *apiv3.Client, runID uuid.UUID) (uuid.UUID, error) {
	for {
		for workflow, err := range v3.Workflows.ListForRun(runID).All(ctx) {
			if err != nil {
				return uuid.Nil, err
			}
			job, err := v3.Jobs.ListForWorkflow(workflow.ID).First(ctx)
			if err != nil {
				return uuid.Nil, err
			}
			return job.ID, nil
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return uuid.Nil, err
		}
	}
}

// follow shows each step's output, until the job has ended.
func follow(ctx context.Context, con *cli.Console, v3 *apiv3.Client, jobID uuid.UUID, interval time.Duration) error {
	shown := map[int]bool{}
	for {
		job, err := v3.Jobs.Get(ctx, jobID)
		if err != nil {
			return err
		}
		for _, step := range stepsOf(job) {
			if shown[step.Num] {
				continue
			}
			shown[step.Num] = true
			fmt.Fprintf(con.Out, "== %s\n", cli.Plain(step.Name))
			ref := apiv3.StepRef{JobID: jobID, Num: step.Num}
			if err := v3.Jobs.FollowOutput(ctx, ref, con.Out, &apiv3.FollowOptions{Interval: interval}); err != nil {
				return err
			}
		}
		if job.Phase.Ended() {
			fmt.Fprintf(con.Out, "== %s: %s\n", cli.Plain(job.Name), job.State())
			if job.State().Failed() {
				return &cli.StatusError{Status: 1}
			}
			return nil
		}
		if err := pause(ctx, interval); err != nil {
			return err
		}
	}
}

func stepsOf(job *apiv3.Job) []apiv3.Step {
	if len(job.Executions) == 0 {
		return nil
	}
	return job.Executions[0].Steps
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
