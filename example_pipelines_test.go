package circleci_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// A pipeline is triggered with parameters, and waited for. That it fails is no
// error of the wait.
func ExamplePipelinesService_TriggerAndWait() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithSpeed(10_000))
	defer srv.Close()
	srv.Script("gh/acme/web", circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("deploy", circlecitest.Job("test"), circlecitest.Job("release").Requires("test").Fails()),
	}})

	client := srv.Client()
	result, err := client.Pipelines.TriggerAndWait(ctx, "gh/acme/web", circleci.TriggerPipelineRequest{
		Branch: "main",
		Parameters: circleci.Parameters{
			"environment": "staging",
			"replicas":    3,
		},
	}, &circleci.WaitOptions{MinInterval: time.Millisecond}) // the real API is asked less often: nil
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result)
	fmt.Println(result.Err())
	// Output:
	// pipeline 1: deploy failed: failed
	// circleci: failed: job release failed
}

// A project of the GitHub App is run by its pipeline definition. That no filter
// of the configuration matches is told apart from a failure.
func ExamplePipelinesService_RunAndWait() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithSpeed(10_000))
	defer srv.Close()
	web := srv.AddStandaloneProject(srv.AddStandaloneOrg("acme"), "web")
	definition := srv.AddPipelineDefinition(web, "build")
	srv.Script(web,
		circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow("build", circlecitest.Job("test"))}},
		circlecitest.Script{}, // the second run has nothing to do
	)

	client := srv.Client()
	for range 2 {
		result, err := client.Pipelines.RunAndWait(ctx, web, circleci.RunPipelineRequest{
			DefinitionID: definition,
			Config:       circleci.ConfigFrom(circleci.Branch("main")),
			Checkout:     circleci.Branch("main"),
		}, &circleci.WaitOptions{MinInterval: time.Millisecond}) // the real API is asked less often: nil
		switch {
		case errors.Is(err, circleci.ErrNotTriggered):
			fmt.Println("nothing to run")
		case err != nil:
			fmt.Println(err)
		default:
			fmt.Println(result, result.Err())
		}
	}
	// Output:
	// pipeline 1: build success: success <nil>
	// nothing to run
}

// Who has started a pipeline elsewhere waits for it by its ID. The context
// limits the wait.
func ExamplePipelinesService_Wait() {
	srv := circlecitest.NewServer(circlecitest.WithSpeed(10_000))
	defer srv.Close()
	pipelineID := srv.StartPipeline("gh/acme/web", "main")

	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	client := srv.Client()
	result, err := client.Pipelines.Wait(ctx, pipelineID, &circleci.WaitOptions{
		MinInterval: time.Millisecond, // the real API is asked less often: leave it out
		WithJobs:    true,
	})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		fmt.Println("not done after an hour")
		return
	case err != nil:
		fmt.Println(err)
		return
	}
	fmt.Println(result.Outcome)
	for _, w := range result.Workflows {
		for _, j := range result.Jobs[w.ID] {
			fmt.Println(w.Name, j.Name, j.Status)
		}
	}
	// Output:
	// success
	// build-and-test build success
	// build-and-test test success
}

// Watch yields each change, for a program that does something meanwhile.
func ExamplePipelinesService_Watch() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	defer srv.Close()
	pipelineID := srv.StartPipeline("gh/acme/web", "main")

	client := srv.Client()
	for result, err := range client.Pipelines.Watch(ctx, pipelineID, &circleci.WaitOptions{MinInterval: time.Millisecond}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(result)
		srv.Advance(40 * time.Second) // at CircleCI time passes by itself
	}
	// Output:
	// pipeline 1: pending
	// pipeline 1: build-and-test running
	// pipeline 1: build-and-test success: success
}

// After a failed run: which tests failed?
func ExamplePipelinesService_GetTestReport() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	defer srv.Close()
	srv.Script("gh/acme/web", circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("build", circlecitest.Job("unit").Fails().WithTests(
			circlecitest.PassingTest("TestLogin", 1500*time.Millisecond),
			circlecitest.FailingTest("TestPayment", "want 200, got 402"),
		)),
	}})
	pipelineID := srv.StartPipeline("gh/acme/web", "main")
	srv.Advance(time.Hour)

	client := srv.Client()
	report, err := client.Pipelines.GetTestReport(ctx, pipelineID)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range report.Failed() {
		fmt.Printf("%s: %s: %s\n", t.JobName, t.Name, t.Message)
	}
	fmt.Println("the slowest of", len(report.Tests), "is", report.Slowest(1)[0].Name)
	// Output:
	// unit: TestPayment: want 200, got 402
	// the slowest of 2 is TestLogin
}
