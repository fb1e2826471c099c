package circleci_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// failedRun is a server on which a pipeline has failed, and the results of
// waiting for it.
func failedRun() (srv *circlecitest.Server, run *circleci.PipelineResult, err error) {
	srv = circlecitest.NewServer(circlecitest.WithSpeed(10_000))
	srv.Script("gh/acme/web", circlecitest.Pipeline(circlecitest.Workflow("build",
		circlecitest.Job("test").Fails().
			WithTests(circlecitest.PassingTest("TestCart", 500*time.Millisecond), circlecitest.FailingTest("TestPayment", "want 200, got 402")).
			WithArtifacts(circlecitest.Artifact{Path: "logs/payment.txt", Content: "402 Payment Required\n"}),
	)))
	run, err = srv.Client().Pipelines.Wait(context.Background(), srv.StartPipeline("gh/acme/web", "main"), fastWait)
	return srv, run, err
}

// fastWait polls a fake server; nil is right for the real API.
var fastWait = &circleci.WaitOptions{MinInterval: time.Millisecond}

// The failed tests of one workflow.
func ExampleWorkflowsService_GetTestReport() {
	srv, run, err := failedRun()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	report, err := srv.Client().Workflows.GetTestReport(context.Background(), run.Workflows[0].ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range report.Failed() {
		fmt.Println(t.JobName, t.Name, t.Message)
	}
	// Output: test TestPayment want 200, got 402
}

// The failed tests of one job.
func ExampleJobsService_GetTestReport() {
	srv, run, err := failedRun()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	report, err := srv.Client().Jobs.GetTestReport(context.Background(), "gh/acme/web", run.FailedJobs[0].Number)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range report.Failed() {
		fmt.Println(t.Name, t.Message)
	}
	// Output: TestPayment want 200, got 402
}

// All artifacts of a pipeline, with the jobs that stored them.
func ExamplePipelinesService_ListArtifacts() {
	srv, run, err := failedRun()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	artifacts, err := srv.Client().Pipelines.ListArtifacts(context.Background(), run.Pipeline.ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, a := range artifacts {
		fmt.Println(a.WorkflowName, a.JobName, a.Path)
	}
	// Output: build test logs/payment.txt
}

// The text files that the jobs of a workflow stored.
func ExampleWorkflowsService_DownloadArtifacts() {
	srv, run, err := failedRun()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	dir, err := os.MkdirTemp("", "artifacts")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	files, err := srv.Client().Workflows.DownloadArtifacts(context.Background(), run.Workflows[0].ID, dir, &circleci.DownloadOptions{Glob: "*.txt"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range files {
		text, err := os.ReadFile(f.Path)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Print(string(text))
	}
	// Output: 402 Payment Required
}

// Waiting for one workflow of a pipeline.
func ExampleWorkflowsService_Wait() {
	srv, run, err := failedRun()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	result, err := srv.Client().Workflows.Wait(context.Background(), run.Workflows[0].ID, fastWait)
	if err != nil {
		fmt.Println(err) // it is not known how the workflow ended
		return
	}
	fmt.Println(result.Err()) // nil if it succeeded
	// Output: circleci: failed: job test failed
}

// Watching a workflow: an element for each change.
func ExampleWorkflowsService_Watch() {
	srv, run, err := failedRun()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	for result, err := range srv.Client().Workflows.Watch(context.Background(), run.Workflows[0].ID, fastWait) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(result.Workflow.Name, result.Outcome)
	}
	// Output: build failed
}

// Watching a job: an element for each change.
func ExampleJobsService_Watch() {
	srv, run, err := failedRun()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	for result, err := range srv.Client().Jobs.Watch(context.Background(), "gh/acme/web", run.FailedJobs[0].Number, fastWait) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(result.Job.Name, result.Outcome)
	}
	// Output: test failed
}

// A context is found by its name; ErrNotFound tells that there is none.
func ExampleContextsService_GetByName() {
	srv := circlecitest.NewServer()
	defer srv.Close()
	srv.AddContext("gh/acme", "deploy", map[string]string{"REGION": "eu"})
	client, ctx := srv.Client(), context.Background()
	deploy, err := client.Contexts.GetByName(ctx, circleci.OwnerBySlug("gh/acme"), "deploy")
	if err != nil {
		fmt.Println(err)
		return
	}
	variables, err := client.Contexts.ListEnvVars(deploy.ID).Collect(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(deploy.Name, variables[0].Variable)
	// Output: deploy REGION
}

// A group is found by its name.
func ExampleGroupsService_GetByName() {
	srv := circlecitest.NewServer()
	defer srv.Close()
	client, ctx, org := srv.Client(), context.Background(), srv.AddOrg(srv.AddStandaloneOrg("acme"))
	if _, err := client.Groups.Create(ctx, org, circleci.CreateGroupRequest{Name: "deployers", Description: "may deploy"}); err != nil {
		fmt.Println(err)
		return
	}
	group, err := client.Groups.GetByName(ctx, org, "deployers")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(group.Description)
	// Output: may deploy
}

// A pipeline definition is found by its name, to be run.
func ExamplePipelineDefinitionsService_GetByName() {
	srv := circlecitest.NewServer()
	defer srv.Close()
	client, ctx, project := srv.Client(), context.Background(), srv.AddProject("gh/acme/web")
	id := srv.AddPipelineDefinition("gh/acme/web", "nightly")
	definition, err := client.PipelineDefinitions.GetByName(ctx, project, "nightly")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(definition.ID == id)
	// Output: true
}
