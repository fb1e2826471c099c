// Command release-gate waits until a job of a workflow is on hold, runs a check,
// and approves the job if the check passes.
//
//	CIRCLE_TOKEN=… go run ./release-gate <workflow id> <job name> ./check-errors.sh production
//
// The check is a command: exit status 0 means that it passes. Without a token
// the program talks to a fake CircleCI server in this process:
//
//	go run ./release-gate
//	go run ./release-gate -demo fail
//
// The flags:
//
//	-timeout 1h     how long to wait for the job
//	-cancel         cancel the workflow if the check fails
//	-q              print no progress
//	-demo outcome   without a token: pass or fail
//
// The exit status is 0 if the job was approved, by this program or by somebody
// before, 1 if the check failed, and 4 if the job ended without being on hold.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

func main() { cli.Main(run) }

// statusNotHeld is the exit status if there was nothing to approve.
const statusNotHeld = 4

type gate struct {
	*cli.Console
	client   *circleci.Client
	progress io.Writer
	check    func(context.Context) error
	cancel   bool
	wait     circleci.WaitOptions
}

func run(ctx context.Context, con *cli.Console, args []string) error {
	g := &gate{Console: con}
	flags := con.Flags("release-gate [flags] <workflow id> <job name> <command> [argument ...]")
	timeout := flags.Duration("timeout", time.Hour, "how long to wait for the job")
	flags.BoolVar(&g.cancel, "cancel", false, "cancel the workflow if the check fails")
	quiet := flags.Bool("q", false, "print no progress")
	demo := flags.String("demo", "pass", "without a token: whether the check is to pass or to fail")
	if err := cli.Parse(flags, args, 100); err != nil {
		return err
	}
	g.progress = con.Progress(*quiet)
	if !*quiet {
		g.wait.OnProgress = func(p circleci.Progress) { con.Line(p.Elapsed, p.Text, p.Changed, p.Next == 0) }
	}
	ctx, stop := context.WithTimeout(ctx, *timeout)
	defer stop()
	if os.Getenv("CIRCLE_TOKEN") == "" {
		return g.runDemo(ctx, *demo)
	}
	id, err := uuid.Parse(flags.Arg(0))
	if err != nil {
		return cli.Usage("the first argument is the workflow's ID")
	}
	if flags.NArg() < 3 {
		return cli.Usage("give the job's name, and the command that checks")
	}
	g.check = func(ctx context.Context) error {
		cmd := exec.CommandContext(ctx, flags.Arg(2), flags.Args()[3:]...) //nolint:gosec // the caller's command
		cmd.Stdout, cmd.Stderr = con.Err, con.Err
		return cmd.Run()
	}
	if g.client, err = circleci.NewClientFromEnv(); err != nil {
		return err
	}
	return g.run(ctx, id, flags.Arg(1))
}

func (g *gate) run(ctx context.Context, id uuid.UUID, name string) error {
	job, err := g.client.Workflows.WaitForJob(ctx, id, name, &g.wait)
	switch {
	case err != nil:
		return err
	case job.Status == circleci.JobStatusSuccess && job.Type == circleci.JobTypeApproval:
		fmt.Fprintln(g.Out, "approved before")
		return nil
	case job.Status != circleci.JobStatusOnHold:
		return &cli.StatusError{Status: statusNotHeld, Err: fmt.Errorf("job %s is not on hold: it is %s", name, cli.Plain(string(job.Status)))}
	}
	fmt.Fprintln(g.progress, "on hold; checking")
	if err := g.check(ctx); err != nil {
		err = fmt.Errorf("the check failed, and the job was not approved: %w", err)
		if g.cancel && ctx.Err() == nil {
			err = errors.Join(err, g.client.Workflows.Cancel(ctx, id))
		}
		return err
	}
	if err := g.client.Workflows.Approve(ctx, id, job.ApprovalRequestID); err != nil {
		return err
	}
	fmt.Fprintln(g.Out, "approved")
	return nil
}
