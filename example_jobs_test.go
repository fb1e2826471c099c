package circleci_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// Wait for one job by its number; its workflow may go on.
func ExampleJobsService_Wait() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	defer srv.Close()
	srv.StartPipeline("gh/acme/web", "main")
	srv.Advance(5 * time.Second) // the job runs

	client := srv.Client()
	result, err := client.Jobs.Wait(ctx, "gh/acme/web", 1, &circleci.WaitOptions{
		MinInterval: time.Millisecond, // the real API is asked less often: leave it out
		OnProgress: func(p circleci.Progress) {
			fmt.Println(p.Text)
			srv.Advance(time.Minute) // at CircleCI time passes by itself
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Outcome, result.Job.Duration)
	// Output:
	// build running
	// build success
	// success 30s
}

// One artifact goes wherever a program writes.
func ExampleJobsService_DownloadArtifact() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	defer srv.Close()
	srv.Script("gh/acme/web", circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("build", circlecitest.Job("test").WithArtifacts(
			circlecitest.Artifact{Path: "coverage.txt", Content: "87 %"},
		)),
	}})
	srv.StartPipeline("gh/acme/web", "main")
	srv.Advance(time.Hour)

	client := srv.Client()
	for a, err := range client.Jobs.ListArtifacts("gh/acme/web", 1).All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		var content bytes.Buffer
		n, err := client.Jobs.DownloadArtifact(ctx, a, &content)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(a.Path, n, "bytes:", content.String())
	}
	// Output: coverage.txt 4 bytes: 87 %
}

// All artifacts of a job that match go into a directory.
func ExampleJobsService_DownloadArtifacts() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	defer srv.Close()
	srv.Script("gh/acme/web", circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("build", circlecitest.Job("test").WithArtifacts(
			circlecitest.Artifact{Path: "reports/unit.xml", Content: "<testsuite/>"},
			circlecitest.Artifact{Path: "core.dump", Size: 1 << 30},
		)),
	}})
	srv.StartPipeline("gh/acme/web", "main")
	srv.Advance(time.Hour)
	dir, err := os.MkdirTemp("", "artifacts")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	client := srv.Client()
	files, err := client.Jobs.DownloadArtifacts(ctx, "gh/acme/web", 1, dir, &circleci.DownloadOptions{Glob: "reports/*.xml"})
	for _, f := range files { // those that are whole, also if there was an error
		name, _ := filepath.Rel(dir, f.Path)
		fmt.Println(filepath.ToSlash(name), f.Size)
	}
	fmt.Println(err)
	// Output:
	// reports/unit.xml 12
	// <nil>
}

// All archives that a pipeline's jobs have stored go into a directory, each
// job's into its own.
func ExamplePipelinesService_DownloadArtifacts() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	defer srv.Close()
	srv.Script("gh/acme/web", circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("build",
			circlecitest.Job("linux").WithArtifacts(circlecitest.Artifact{Path: "dist/web.tar.gz", Size: 2000}),
			circlecitest.Job("windows").WithArtifacts(circlecitest.Artifact{Path: "dist/web.zip", Size: 3000}),
		),
	}})
	pipelineID := srv.StartPipeline("gh/acme/web", "main")
	srv.Advance(time.Hour)
	dir, err := os.MkdirTemp("", "artifacts")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	client := srv.Client()
	files, err := client.Pipelines.DownloadArtifacts(ctx, pipelineID, dir, &circleci.DownloadOptions{Glob: "*.tar.gz"})
	for _, f := range files { // the complete ones, also if there was an error
		name, _ := filepath.Rel(dir, f.Path)
		fmt.Println(filepath.ToSlash(name), f.Size)
	}
	fmt.Println(err)
	// Output:
	// build/linux/dist/web.tar.gz 2000
	// <nil>
}

// The artifacts of all jobs of a workflow.
func ExampleWorkflowsService_ListArtifacts() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	defer srv.Close()
	srv.Script("gh/acme/web", circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("build",
			circlecitest.Job("test").WithArtifacts(circlecitest.Artifact{Path: "coverage.txt", Content: "87 %"}),
		),
	}})
	pipelineID := srv.StartPipeline("gh/acme/web", "main")
	srv.Advance(time.Hour)

	client := srv.Client()
	workflow, err := client.Pipelines.ListWorkflows(pipelineID).First(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	artifacts, err := client.Workflows.ListArtifacts(ctx, workflow.ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, a := range artifacts {
		fmt.Println(a.JobName, a.Path)
	}
	// Output: test coverage.txt
}

// The output of the steps of a job that have failed.
func ExampleJobsService_OpenStepOutput() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	defer srv.Close()
	srv.Script("gh/acme/web", circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("build", circlecitest.Job("test").Fails().WithOutput("FAIL: TestPayment\n")),
	}})
	srv.StartPipeline("gh/acme/web", "main")
	srv.Advance(time.Hour)

	client := srv.Client()
	steps, err := client.Jobs.ListSteps(ctx, "gh/acme/web", 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, step := range steps {
		for _, action := range step.Actions { // one for each parallel run
			fmt.Println("#", step.Name, action.Status)
			if action.Status != circleci.StepStatusFailed {
				continue
			}
			output, err := client.Jobs.OpenStepOutput(ctx, action)
			if err != nil {
				fmt.Println(err)
				return
			}
			_, err = io.Copy(os.Stdout, output)
			if err = errors.Join(err, output.Close()); err != nil {
				fmt.Println(err)
				return
			}
		}
	}
	// Output:
	// # Spin up environment success
	// # test failed
	// FAIL: TestPayment
}
