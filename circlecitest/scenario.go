package circlecitest

import (
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// Script describes what a pipeline does: the workflows it runs, or why it runs
// none. The zero Script is a pipeline without workflows.
type Script struct {
	// Setup is a setup workflow. After it the pipeline continues with
	// Workflows, or ends with Errors. Nil means a configuration without a setup
	// workflow.
	Setup *WorkflowScript
	// Workflows run concurrently.
	Workflows []*WorkflowScript
	// Errors end the pipeline instead of running Workflows.
	Errors []circleci.PipelineError
	// Parameters are the names of the pipeline parameters that the
	// configuration declares. Nil accepts any.
	Parameters []string
	// NeverContinues keeps the setup workflow from continuing the pipeline: it
	// stays in the state setup until a request continues it.
	NeverContinues bool
	// Config is the text of the configuration that
	// [circleci.PipelinesService.GetConfig] returns.
	Config string
}

// Pipeline returns the script of a pipeline with these workflows.
func Pipeline(workflows ...*WorkflowScript) Script { return Script{Workflows: workflows} }

// script returns a copy for the server, so that later changes to x have no
// effect.
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

// WorkflowScript describes what a workflow does. It is created by [Workflow].
type WorkflowScript struct {
	name       string
	jobs       []*JobScript
	autoReruns int
}

// Workflow returns the script of a workflow with these jobs.
//
//	circlecitest.Workflow("build",
//		circlecitest.Job("test").Takes(2*time.Minute).Fails(),
//		circlecitest.Approval("hold").Requires("test"),
//	)
func Workflow(name string, jobs ...*JobScript) *WorkflowScript {
	return &WorkflowScript{name: name, jobs: jobs}
}

// RerunsAutomatically makes a failed workflow rerun from its failed jobs, at
// most the given number of times.
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

// JobScript describes what a job does. It is created by [Job] or [Approval].
// Its methods modify it and return it.
type JobScript struct{ job world.JobScript }

// Artifact is a file that a job stores.
type Artifact struct {
	Path    string
	Content string
	// NodeIndex is the index of the parallel run that stores the file.
	NodeIndex int64
	// Size is the size in bytes. If it is larger than Content, Content is
	// repeated up to that size. Zero means the size of Content.
	Size int64
}

// Job returns the script of a job that takes 30 seconds and succeeds.
func Job(name string) *JobScript { return &JobScript{world.NewJobScript(name)} }

// Approval returns the script of a job that waits for a person's approval: see
// [circleci.WorkflowsService.Approve] and [JobScript.ApprovedAfter].
func Approval(name string) *JobScript {
	j := Job(name)
	j.job.Kind = circleci.JobTypeApproval
	return j
}

// Requires makes the job wait until the named jobs have succeeded.
func (j *JobScript) Requires(names ...string) *JobScript {
	j.job.Requires = append(j.job.Requires, names...)
	return j
}

// Takes sets the job's duration on the server's clock.
func (j *JobScript) Takes(d time.Duration) *JobScript {
	j.job.Duration = d
	return j
}

// Varies makes the job's duration vary at random, up to this fraction in both
// directions: with 0.2, a ten-minute job takes 8 to 12 minutes. The server's
// seed decides.
func (j *JobScript) Varies(share float64) *JobScript {
	j.job.Varies = share
	return j
}

// ApprovedAfter approves an [Approval] after it has been on hold for this long.
func (j *JobScript) ApprovedAfter(d time.Duration) *JobScript {
	j.job.Approved, j.job.Duration = true, d
	return j
}

// Ends sets the statuses with which the job ends: the first is for the first
// run, the second for the first rerun, and so on; the last is repeated.
func (j *JobScript) Ends(statuses ...circleci.JobStatus) *JobScript {
	j.job.Outcomes = statuses
	return j
}

// Fails makes the job fail.
func (j *JobScript) Fails() *JobScript { return j.Ends(circleci.JobStatusFailed) }

// FailsOnce makes the job fail the first time, and succeed when it is rerun.
func (j *JobScript) FailsOnce() *JobScript {
	return j.Ends(circleci.JobStatusFailed, circleci.JobStatusSuccess)
}

// FailsSometimes makes the job fail in this fraction of its runs, at random:
// 0.1 is one in ten. The server's seed decides.
func (j *JobScript) FailsSometimes(share float64) *JobScript {
	j.job.Fails = share
	return j
}

// WithFlakyTests makes the job store the results of flaky tests. Each of them
// fails in this fraction of the job's runs, at random, and makes the job fail;
// otherwise it passes, whatever its Result. The server's seed decides.
//
// Insights reports a test as flaky if it has failed and passed with the same
// commit, as happens with [WorkflowScript.RerunsAutomatically].
func (j *JobScript) WithFlakyTests(share float64, tests ...circleci.Test) *JobScript {
	for _, t := range tests {
		j.job.Flaky = append(j.job.Flaky, world.FlakyTest{Test: t, Share: share})
	}
	return j
}

// WithTests makes the job store test results.
func (j *JobScript) WithTests(tests ...circleci.Test) *JobScript {
	j.job.Tests = append(j.job.Tests, tests...)
	return j
}

// WithArtifacts makes the job store files.
func (j *JobScript) WithArtifacts(artifacts ...Artifact) *JobScript {
	for _, a := range artifacts {
		j.job.Artifacts = append(j.job.Artifacts, world.Artifact(a))
	}
	return j
}

// WithContexts makes the job use contexts.
func (j *JobScript) WithContexts(names ...string) *JobScript {
	j.job.Contexts = append(j.job.Contexts, names...)
	return j
}

// WithOutput sets what the job's command prints.
func (j *JobScript) WithOutput(text string) *JobScript {
	j.job.Output = text
	return j
}

// PassingTest returns the result of a test that passes after running for took.
func PassingTest(name string, took time.Duration) circleci.Test { return world.PassingTest(name, took) }

// FailingTest returns the result of a test that fails after half a second, with
// the given message.
func FailingTest(name, message string) circleci.Test {
	return circleci.Test{Name: name, Classname: "suite", File: "suite_test.go", Source: "junit", Result: circleci.TestResultFailure, Message: message, RunTime: circleci.Seconds(time.Second / 2)}
}

// FlakyTest returns the result of a test that fails when its job fails and
// passes when its job succeeds. With [JobScript.FailsOnce] and a rerun,
// Insights reports it as flaky.
func FlakyTest(name, message string) circleci.Test {
	t := FailingTest(name, message)
	t.Result = world.FlakyResult
	return t
}
