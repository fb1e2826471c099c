package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

// speed is how many times faster the clock of the fake server runs.
const speed = 60

// runDemo guards a deployment of a fake CircleCI server, and shows that it runs.
func (g *gate) runDemo(ctx context.Context, outcome string) error {
	if outcome != "pass" && outcome != "fail" {
		return cli.Usage("-demo takes pass or fail")
	}
	fmt.Fprintln(g.progress, "No CIRCLE_TOKEN is set: this is a fake CircleCI server on this machine, whose clock runs 60 times faster.")
	srv := circlecitest.NewServer(circlecitest.WithSpeed(speed))
	defer srv.Close()
	const project = circleci.ProjectSlug("gh/acme/web")
	srv.Script(project, circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("release",
			circlecitest.Job("build").Takes(time.Minute),
			circlecitest.Approval("hold").Requires("build"),
			circlecitest.Job("deploy").Requires("hold").Takes(30*time.Second),
		),
	}})
	g.client = srv.Client()
	g.wait.MinInterval, g.wait.MaxInterval = 5*time.Second/speed, 30*time.Second/speed
	g.check = func(context.Context) error {
		if outcome == "fail" {
			return errors.New("7.3 % of the requests to staging fail")
		}
		fmt.Fprintln(g.progress, "0.1 % of the requests to staging fail: that is few enough")
		return nil
	}
	pipeline := srv.StartPipeline(project, "main")
	srv.Advance(5 * time.Second) // until it has a workflow
	workflow, err := g.client.Pipelines.ListWorkflows(pipeline).First(ctx)
	if err != nil {
		return err
	}
	if err := g.run(ctx, workflow.ID, "hold"); err != nil {
		return err
	}
	deploy, err := g.client.Workflows.WaitForJob(ctx, workflow.ID, "deploy", &g.wait)
	if err != nil {
		return err
	}
	fmt.Fprintf(g.Out, "deploy: %s\n", deploy.Status)
	return nil
}
