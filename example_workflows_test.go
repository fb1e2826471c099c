package circleci_test

import (
	"context"
	"fmt"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// The workflows of a pipeline, and their jobs.
func ExampleWorkflowsService_ListJobs() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	defer srv.Close()
	pipelineID := srv.StartPipeline("gh/acme/web", "main")
	srv.Advance(time.Hour)

	client := srv.Client()
	for w, err := range client.Pipelines.ListWorkflows(pipelineID).All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		jobs, err := client.Workflows.ListJobs(w.ID).Collect(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, j := range jobs {
			fmt.Println(w.Name, j.Name, j.Status, j.StoppedAt.Sub(j.StartedAt))
		}
	}
	// Output:
	// build-and-test build success 30s
	// build-and-test test success 30s
}

// A workflow that has failed is run again from what failed.
func ExampleWorkflowsService_RerunAndWait() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithSpeed(10_000))
	defer srv.Close()
	srv.Script("gh/acme/web", circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("build", circlecitest.Job("test").FailsOnce()),
	}})
	wait := &circleci.WaitOptions{MinInterval: time.Millisecond} // nil for the real API

	client := srv.Client()
	run, err := client.Pipelines.Wait(ctx, srv.StartPipeline("gh/acme/web", "main"), wait)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(run.Outcome)
	for _, w := range run.Workflows {
		rerun, err := client.Workflows.RerunAndWait(ctx, w.ID, circleci.RerunWorkflowRequest{FromFailed: true}, wait)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(rerun.Workflow.Name, "again:", rerun.Outcome)
	}
	// Output:
	// failed
	// build again: success
}

// A run that waits for a person's approval, and goes on with it.
func ExampleWorkflowsService_ApproveAndWait() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithSpeed(10_000))
	defer srv.Close()
	srv.Script("gh/acme/web", circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("deploy", circlecitest.Approval("hold"), circlecitest.Job("release").Requires("hold")),
	}})
	wait := &circleci.WaitOptions{MinInterval: time.Millisecond, WithJobs: true, StopOnHold: true}

	client := srv.Client()
	run, err := client.Pipelines.Wait(ctx, srv.StartPipeline("gh/acme/web", "main"), wait)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(run.Outcome)
	for _, w := range run.Workflows {
		for _, j := range run.Jobs[w.ID] {
			if j.Status != circleci.JobStatusOnHold {
				continue
			}
			approved, err := client.Workflows.ApproveAndWait(ctx, w.ID, j.ApprovalRequestID, wait)
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println(approved.Outcome)
		}
	}
	// Output:
	// on hold
	// success
}
