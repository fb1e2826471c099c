package circleci_test

import (
	"context"
	"fmt"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// Approve a deployment when its job is on hold.
func ExampleWorkflowsService_WaitForJob() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithSpeed(10_000))
	defer srv.Close()
	srv.Script("gh/acme/web", circlecitest.Pipeline(
		circlecitest.Workflow("deploy", circlecitest.Job("test"), circlecitest.Approval("hold").Requires("test")),
	))
	pipelineID := srv.StartPipeline("gh/acme/web", "main")
	wait := &circleci.WaitOptions{MinInterval: time.Millisecond} // nil for the real API

	client := srv.Client()
	deploy, err := client.Pipelines.WaitForWorkflow(ctx, pipelineID, "deploy", wait)
	if err != nil {
		fmt.Println(err)
		return
	}
	job, err := client.Workflows.WaitForJob(ctx, deploy.Workflow.ID, "hold", wait)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(job.Name, job.Status)
	approved, err := client.Workflows.ApproveAndWait(ctx, deploy.Workflow.ID, job.ApprovalRequestID, wait)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(approved.Outcome)
	// Output:
	// hold on_hold
	// success
}

// Wait for one workflow of a pipeline; others may still run.
func ExamplePipelinesService_WaitForWorkflow() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithSpeed(10_000))
	defer srv.Close()
	srv.Script("gh/acme/web", circlecitest.Pipeline(
		circlecitest.Workflow("test", circlecitest.Job("unit").Fails()),
		circlecitest.Workflow("nightly", circlecitest.Job("soak").Takes(24*time.Hour)),
	))
	pipelineID := srv.StartPipeline("gh/acme/web", "main")

	client := srv.Client()
	result, err := client.Pipelines.WaitForWorkflow(ctx, pipelineID, "test",
		&circleci.WaitOptions{MinInterval: time.Millisecond}) // nil for the real API
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Workflow.Name, result.Outcome)
	fmt.Println(result.Err())
	// Output:
	// test failed
	// circleci: failed: job unit failed
}

// A job at the end of a workflow reports how the other jobs ended. In a job the
// workflow's ID is in CIRCLE_WORKFLOW_ID, and the job's number in
// CIRCLE_BUILD_NUM.
func ExampleWorkflowsService_WaitForOthers() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	defer srv.Close()
	srv.Script("gh/acme/web", circlecitest.Pipeline(
		circlecitest.Workflow("build", circlecitest.Job("notify").Takes(time.Hour), circlecitest.Job("test").Fails()),
	))
	pipelineID := srv.StartPipeline("gh/acme/web", "main")
	srv.Advance(time.Minute)

	client := srv.Client()
	build, err := client.Pipelines.ListWorkflows(pipelineID).First(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	jobs, err := client.Workflows.ListJobs(build.ID).Collect(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := client.Workflows.WaitForOthers(ctx, build.ID, jobs[0].Number, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the others:", result.Outcome)
	for _, j := range result.FailedJobs {
		fmt.Println(j.Name, j.Status)
	}
	// Output:
	// the others: failed
	// test failed
}

// Where does a pipeline stand? Check does not wait.
func ExamplePipelinesService_Check() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	defer srv.Close()
	srv.Script("gh/acme/web", circlecitest.Pipeline(
		circlecitest.Workflow("build", circlecitest.Job("test").Fails()),
	))
	pipelineID := srv.StartPipeline("gh/acme/web", "main")

	client := srv.Client()
	for range 2 {
		srv.Advance(10 * time.Second)
		result, err := client.Pipelines.Check(ctx, pipelineID)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(result)
		srv.Advance(time.Minute)
	}
	// Output:
	// pipeline 1: build running
	// pipeline 1: build failed: failed
}

// The newest pipeline of a branch that succeeded.
func ExamplePipelinesService_GetLatest() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	defer srv.Close()
	srv.Script("gh/acme/web",
		circlecitest.Pipeline(circlecitest.Workflow("build", circlecitest.Job("test"))),
		circlecitest.Pipeline(circlecitest.Workflow("build", circlecitest.Job("test").Fails())),
	)
	for range 2 {
		srv.StartPipeline("gh/acme/web", "main")
		srv.Advance(time.Hour)
	}

	client := srv.Client()
	latest, err := client.Pipelines.GetLatest(ctx, "gh/acme/web", &circleci.GetLatestOptions{
		Branch:  "main",
		Outcome: circleci.OutcomeSuccess,
	})
	if err != nil { // matching ErrNotFound if none of the newest 100 pipelines succeeded
		fmt.Println(err)
		return
	}
	fmt.Println(latest)
	// Output: pipeline 1: build success: success
}

// Why did a pipeline fail?
func ExamplePipelinesService_GetFailureReport() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	defer srv.Close()
	srv.Script("gh/acme/web", circlecitest.Pipeline(
		circlecitest.Workflow("build", circlecitest.Job("unit").Fails().
			WithOutput("=== RUN TestPayment\n--- FAIL: TestPayment\n").
			WithTests(circlecitest.FailingTest("TestPayment", "want 200, got 402"))),
	))
	pipelineID := srv.StartPipeline("gh/acme/web", "main")
	srv.Advance(time.Hour)

	client := srv.Client()
	report, err := client.Pipelines.GetFailureReport(ctx, pipelineID, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(report)
	// Output:
	// pipeline 1 of gh/acme/web: failed
	//
	// job unit of workflow build, number 1: failed
	//   step unit: failed, exit code 1
	//     === RUN TestPayment
	//     --- FAIL: TestPayment
	//   test suite.TestPayment: failure
	//     want 200, got 402
}
