package main

import (
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// pipelines runs a workflow that waits for an approval, with all that a job can
// have, and one for a tag.
func (t *tour) pipelines() {
	p := t.c.Pipelines
	t.srv.Script(acmeWeb, circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow("build",
		circlecitest.Job("test").WithContexts("publish").
			WithTests(circlecitest.PassingTest("TestA", 1500*time.Millisecond), circlecitest.FlakyTest("TestB", "want 1, got 2")).
			WithArtifacts(circlecitest.Artifact{Path: "out/log.txt", Content: "hello"}).FailsOnce(),
		circlecitest.Job("lint"), circlecitest.Approval("hold"), circlecitest.Job("deploy").Requires("hold").Takes(time.Hour),
	)}})
	created := got(p.Trigger(t.ctx, acmeWeb, circleci.TriggerPipelineRequest{
		Branch: "main", Parameters: circleci.Parameters{"deep": true, "n": 2, "env": "prod"},
	}))
	t.pipeline = created.ID
	definition := t.srv.AddPipelineDefinition(acmeWeb, "build")
	got(p.Run(t.ctx, acmeWeb, circleci.RunPipelineRequest{
		DefinitionID: definition, Config: circleci.ConfigFrom(circleci.Branch("main")), Checkout: circleci.Tag("v1"),
		Parameters: circleci.Parameters{"deep": false},
	}))
	t.srv.Advance(5 * time.Minute)
	first(t, p.List(&circleci.ListPipelinesOptions{OrgSlug: acme, Mine: true}))
	first(t, p.ListForProject(acmeWeb, &circleci.ListProjectPipelinesOptions{Branch: "main"}))
	first(t, p.ListMine(acmeWeb))
	got(p.Get(t.ctx, t.pipeline))
	got(p.GetByNumber(t.ctx, acmeWeb, created.Number))
	got(p.GetConfig(t.ctx, t.pipeline))
	got(p.GetValues(t.ctx, t.pipeline))
	t.workflow = first(t, p.ListWorkflows(t.pipeline)).ID
}

func (t *tour) workflows() {
	w := t.c.Workflows
	got(w.Get(t.ctx, t.workflow))
	for _, job := range all(t, w.ListJobs(t.workflow)) {
		switch job.Name {
		case "hold":
			t.do(w.Approve(t.ctx, t.workflow, job.ApprovalRequestID))
		case "test":
			t.testJob, t.buildNumber = job.ID, job.Number
		}
	}
	t.srv.Advance(time.Minute)
	for _, job := range all(t, w.ListJobs(t.workflow)) {
		if job.Status == circleci.JobStatusRunning {
			t.running = job.Number
		}
	}
}

func (t *tour) jobs() {
	j := t.c.Jobs
	got(j.Get(t.ctx, acmeWeb, t.buildNumber))
	got(j.Get(t.ctx, acmeWeb, t.running))
	first(t, j.ListTests(acmeWeb, t.buildNumber))
	first(t, j.ListArtifacts(acmeWeb, t.buildNumber))
	t.do(j.Cancel(t.ctx, acmeWeb, t.running))
	t.srv.Advance(time.Minute)
	got(t.c.Workflows.Rerun(t.ctx, t.workflow, circleci.RerunWorkflowRequest{FromFailed: true}))
	again := got(t.c.Workflows.Rerun(t.ctx, t.workflow, circleci.RerunWorkflowRequest{
		Jobs: []uuid.UUID{t.testJob}, EnableSSH: true, SparseTree: true,
	})).ID
	t.srv.Advance(5 * time.Second)
	t.do(j.CancelByID(t.ctx, first(t, t.c.Workflows.ListJobs(again)).ID))
	t.srv.Advance(time.Minute)
	all(t, t.c.Pipelines.ListWorkflows(t.pipeline))
	third := got(t.c.Workflows.Rerun(t.ctx, t.workflow, circleci.RerunWorkflowRequest{})).ID
	t.do(t.c.Workflows.Cancel(t.ctx, third))
	all(t, t.c.Workflows.ListJobs(third))
}

// setup runs a pipeline of two phases, and one that has errors.
func (t *tour) setup() {
	t.srv.Script("gh/acme/api", circlecitest.Script{
		Setup:     circlecitest.Workflow("setup", circlecitest.Job("generate")),
		Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow("build", circlecitest.Job("test"))},
	}, circlecitest.Script{
		Errors: []circleci.PipelineError{{Type: circleci.PipelineErrorTypeConfig, Message: "no such job"}},
	})
	id := t.srv.StartPipeline("gh/acme/api", "main")
	t.srv.Advance(10 * time.Second)
	t.do(t.c.Pipelines.Continue(t.ctx, circleci.ContinuePipelineRequest{
		ContinuationKey: t.srv.ContinuationKey(id), Configuration: "version: 2.1", Parameters: circleci.Parameters{"deep": true},
	}))
	t.srv.Advance(time.Hour)
	got(t.c.Pipelines.GetConfig(t.ctx, id))
	all(t, t.c.Pipelines.ListWorkflows(id))
	id = t.srv.StartPipeline("gh/acme/api", "main")
	t.srv.Advance(time.Minute)
	errored := got(t.c.Pipelines.Get(t.ctx, id))
	got(t.c.Pipelines.GetByNumber(t.ctx, "gh/acme/api", errored.Number))
	all(t, t.c.Pipelines.List(nil))
	all(t, t.c.Pipelines.ListMine("gh/acme/api"))
	all(t, t.c.Pipelines.ListForProject("gh/acme/api", nil))
}

func (t *tour) insights() {
	in := t.c.Insights
	got(in.GetBranches(t.ctx, acmeWeb, &circleci.GetBranchesOptions{WorkflowName: "build"}))
	got(in.GetFlakyTests(t.ctx, acmeWeb))
	first(t, in.ListWorkflowMetrics(acmeWeb, &circleci.ListWorkflowMetricsOptions{ReportingWindow: circleci.ReportingWindowLast7Days}))
	first(t, in.ListWorkflowRuns(acmeWeb, "build", &circleci.ListWorkflowRunsOptions{
		AllBranches: true, StartDate: t.srv.Now().AddDate(0, 0, -7), EndDate: t.srv.Now(),
	}))
	first(t, in.ListJobMetrics(acmeWeb, "build", &circleci.ListJobMetricsOptions{Branch: "main", JobName: "test"}))
	first(t, in.ListJobTimeSeries(acmeWeb, "build", &circleci.ListJobTimeSeriesOptions{Granularity: circleci.GranularityHourly}))
	got(in.GetWorkflowSummary(t.ctx, acmeWeb, "build", nil))
	got(in.GetTestMetrics(t.ctx, acmeWeb, "build", nil))
	got(in.GetProjectSummary(t.ctx, acmeWeb, &circleci.GetProjectSummaryOptions{Branches: []string{"main"}, WorkflowNames: []string{"build"}}))
	got(in.GetOrgSummary(t.ctx, acme, &circleci.GetOrgSummaryOptions{ProjectNames: []string{"web"}}))
}
