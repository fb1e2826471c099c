package circlecitest

import (
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// Script says what the pipelines of a project do: their workflows, or why
// there are none. The zero Script is a pipeline without workflows.
type Script struct {
	// Setup is a setup workflow, after which the Workflows come, or the
	// Errors; nil for a plain configuration.
	Setup *WorkflowScript
	// Workflows run at once.
	Workflows []*WorkflowScript
	// Errors end the pipeline in place of the Workflows.
	Errors []circleci.PipelineError
	// Parameters are the names of the parameters that the configuration
	// declares; nil takes any.
	Parameters []string
	// NeverContinues is a setup workflow that continues nothing by itself: the
	// pipeline stays in the state setup, unless it is continued by the API.
	NeverContinues bool
	// Config is the configuration's text, for [circleci.PipelinesService.GetConfig].
	Config string
}

// Pipeline is the script of a pipeline with these workflows.
func Pipeline(workflows ...*WorkflowScript) Script { return Script{Workflows: workflows} }

// script is the script as the server keeps it: what is changed afterwards
// changes nothing.
func (x Script) script() world.Script {
	out := world.Script{Errors: x.Errors, Parameters: x.Parameters, Config: x.Config, NeverContinues: x.NeverContinues, Workflows: workflowScripts(x.Workflows)}
	if x.Setup != nil {
		out.Setup = x.Setup.script()
	}
	return out
}

func workflowScripts(all []*WorkflowScript) []*world.WorkflowScript {
	var out []*world.WorkflowScript
	for _, w := range all {
		out = append(out, w.script())
	}
	return out
}

// WorkflowScript says what a workflow does: see [Workflow].
type WorkflowScript struct {
	name       string
	jobs       []*JobScript
	autoReruns int
}

// Workflow is a workflow of jobs.
//
//	circlecitest.Workflow("build",
//		circlecitest.Job("test").Takes(2*time.Minute).Fails(),
//		circlecitest.Approval("hold").Requires("test"),
//	)
func Workflow(name string, jobs ...*JobScript) *WorkflowScript {
	return &WorkflowScript{name: name, jobs: jobs}
}

// RerunsAutomatically has the workflow run again from its failed jobs, so many
// times at most.
func (w *WorkflowScript) RerunsAutomatically(most int) *WorkflowScript {
	w.autoReruns = most
	return w
}

func (w *WorkflowScript) script() *world.WorkflowScript {
	out := &world.WorkflowScript{Name: w.name, AutoReruns: w.autoReruns}
	for _, j := range w.jobs {
		job := j.job
		out.Jobs = append(out.Jobs, &job)
	}
	return out
}

// JobScript says what a job does: see [Job] and [Approval]. Its methods change
// it and return it.
type JobScript struct{ job world.JobScript }

// Artifact is a file that a job stores.
type Artifact struct {
	Path    string
	Content string
	// NodeIndex is the index of the parallel run that stores it.
	NodeIndex int64
	// Size is the size of the content; where it is larger than the Content,
	// that is repeated. 0: just the Content.
	Size int64
}

// Job is a job that takes 30 seconds and succeeds.
func Job(name string) *JobScript { return &JobScript{world.NewJobScript(name)} }

// Approval is a job that waits for a person's approval: see
// [circleci.WorkflowsService.Approve] and [JobScript.ApprovedAfter].
func Approval(name string) *JobScript {
	j := Job(name)
	j.job.Kind = circleci.JobTypeApproval
	return j
}

// Requires has the job wait for the success of others.
func (j *JobScript) Requires(names ...string) *JobScript {
	j.job.Requires = append(j.job.Requires, names...)
	return j
}

// Takes sets how long the job runs, by the server's clock.
func (j *JobScript) Takes(d time.Duration) *JobScript {
	j.job.Duration = d
	return j
}

// Varies has the job take up to this share longer or shorter, by chance: with
// 0.2, a job of ten minutes takes 8 to 12. The server's seed decides.
func (j *JobScript) Varies(share float64) *JobScript {
	j.job.Varies = share
	return j
}

// ApprovedAfter has an [Approval] given when it has been waited for so long.
func (j *JobScript) ApprovedAfter(d time.Duration) *JobScript {
	j.job.Approved, j.job.Duration = true, d
	return j
}

// Ends sets the statuses with which the job ends: the first time, when it is
// rerun, and so on; the last goes on.
func (j *JobScript) Ends(statuses ...circleci.JobStatus) *JobScript {
	j.job.Outcomes = statuses
	return j
}

// Fails has the job fail.
func (j *JobScript) Fails() *JobScript { return j.Ends(circleci.JobStatusFailed) }

// FailsOnce has the job fail, and succeed when it is rerun.
func (j *JobScript) FailsOnce() *JobScript {
	return j.Ends(circleci.JobStatusFailed, circleci.JobStatusSuccess)
}

// FailsSometimes has the job fail in this share of its runs, by chance: 0.1 is
// one in ten. The server's seed decides.
func (j *JobScript) FailsSometimes(share float64) *JobScript {
	j.job.Fails = share
	return j
}

// WithFlakyTests has the job store the results of tests each of which fails in
// this share of the job's runs, by chance, and the job with it. Else they pass,
// whatever result they have here. The server's seed decides.
//
// Insights calls a test flaky that has failed and passed with one commit, as
// with [WorkflowScript.RerunsAutomatically].
func (j *JobScript) WithFlakyTests(share float64, tests ...circleci.Test) *JobScript {
	for _, t := range tests {
		j.job.Flaky = append(j.job.Flaky, world.FlakyTest{Test: t, Share: share})
	}
	return j
}

// WithTests has the job store test results.
func (j *JobScript) WithTests(tests ...circleci.Test) *JobScript {
	j.job.Tests = append(j.job.Tests, tests...)
	return j
}

// WithArtifacts has the job store files.
func (j *JobScript) WithArtifacts(artifacts ...Artifact) *JobScript {
	for _, a := range artifacts {
		j.job.Artifacts = append(j.job.Artifacts, world.Artifact(a))
	}
	return j
}

// WithContexts has the job use contexts.
func (j *JobScript) WithContexts(names ...string) *JobScript {
	j.job.Contexts = append(j.job.Contexts, names...)
	return j
}

// WithOutput sets what the job's command prints.
func (j *JobScript) WithOutput(text string) *JobScript {
	j.job.Output = text
	return j
}

// PassingTest is the result of a test that passes.
func PassingTest(name string, seconds float64) circleci.Test { return world.PassingTest(name, seconds) }

// FailingTest is the result of a test that fails.
func FailingTest(name, message string) circleci.Test {
	return circleci.Test{Name: name, Classname: "suite", File: "suite_test.go", Source: "junit", Result: circleci.TestResultFailure, Message: message, RunTime: circleci.Seconds(time.Second / 2)}
}

// FlakyTest is the result of a test that fails when its job fails, and passes
// when it succeeds: with [JobScript.FailsOnce], and a rerun, it is flaky.
func FlakyTest(name, message string) circleci.Test {
	t := FailingTest(name, message)
	t.Result = world.FlakyResult
	return t
}
