package circlecitest

import (
	"slices"
	"time"

	"github.com/circleci-go/circleci"
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
	// Config is the configuration's text, for [circleci.PipelinesService.GetConfig].
	Config string
}

// Pipeline is the script of a pipeline with these workflows.
func Pipeline(workflows ...*WorkflowScript) Script { return Script{Workflows: workflows} }

// check panics for a script that cannot run.
func (x Script) check() {
	for _, w := range x.Workflows {
		w.check()
	}
	if x.Setup != nil {
		x.Setup.check()
	}
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

// check panics if a job has the name of another, or requires what there is not,
// or itself.
func (w *WorkflowScript) check() {
	begun, done := map[string]bool{}, map[string]bool{}
	var visit func(j *JobScript)
	visit = func(j *JobScript) {
		if done[j.name] {
			return
		}
		if begun[j.name] {
			panic("circlecitest: the job " + j.name + " of the workflow " + w.name + " requires itself")
		}
		begun[j.name] = true
		for _, name := range j.requires {
			i := slices.IndexFunc(w.jobs, func(other *JobScript) bool { return other.name == name })
			if i < 0 {
				panic("circlecitest: the job " + j.name + " requires " + name + ", which is not in the workflow " + w.name)
			}
			visit(w.jobs[i])
		}
		done[j.name] = true
	}
	names := map[string]bool{}
	for _, j := range w.jobs {
		if names[j.name] {
			panic("circlecitest: the workflow " + w.name + " has two jobs of the name " + j.name)
		}
		names[j.name] = true
		visit(j)
	}
}

// JobScript says what a job does: see [Job] and [Approval]. Its methods change
// it and return it.
type JobScript struct {
	name      string
	requires  []string
	kind      circleci.JobType
	duration  time.Duration
	varies    float64              // by which share of it the duration does
	approved  bool                 // after the duration
	outcomes  []circleci.JobStatus // of its runs in turn; the last goes on
	fails     float64              // the share of its runs that do, for no other reason
	tests     []circleci.Test
	flaky     []flakyTest
	artifacts []Artifact
	contexts  []string
	output    string
}

// flakyTest is a test that fails in this share of the job's runs.
type flakyTest struct {
	test  circleci.Test
	share float64
}

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

// defaultDuration is what a job takes if nothing else is said.
const defaultDuration = 30 * time.Second

// Job is a job that takes 30 seconds and succeeds.
func Job(name string) *JobScript {
	return &JobScript{
		name: name, kind: circleci.JobTypeBuild, duration: defaultDuration,
		outcomes: []circleci.JobStatus{circleci.JobStatusSuccess},
	}
}

// Approval is a job that waits for a person's approval: see
// [circleci.WorkflowsService.Approve] and [JobScript.ApprovedAfter].
func Approval(name string) *JobScript {
	j := Job(name)
	j.kind = circleci.JobTypeApproval
	return j
}

// Requires has the job wait for the success of others.
func (j *JobScript) Requires(names ...string) *JobScript {
	j.requires = append(j.requires, names...)
	return j
}

// Takes sets how long the job runs, by the server's clock.
func (j *JobScript) Takes(d time.Duration) *JobScript {
	j.duration = d
	return j
}

// Varies has the job take up to this share longer or shorter, by chance: with
// 0.2, a job of ten minutes takes 8 to 12. The server's seed decides.
func (j *JobScript) Varies(share float64) *JobScript {
	j.varies = share
	return j
}

// ApprovedAfter has an [Approval] given when it has been waited for so long.
func (j *JobScript) ApprovedAfter(d time.Duration) *JobScript {
	j.approved, j.duration = true, d
	return j
}

// Ends sets the statuses with which the job ends: the first time, when it is
// rerun, and so on; the last goes on.
func (j *JobScript) Ends(statuses ...circleci.JobStatus) *JobScript {
	j.outcomes = statuses
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
	j.fails = share
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
		j.flaky = append(j.flaky, flakyTest{t, share})
	}
	return j
}

// WithTests has the job store test results.
func (j *JobScript) WithTests(tests ...circleci.Test) *JobScript {
	j.tests = append(j.tests, tests...)
	return j
}

// WithArtifacts has the job store files.
func (j *JobScript) WithArtifacts(artifacts ...Artifact) *JobScript {
	j.artifacts = append(j.artifacts, artifacts...)
	return j
}

// WithContexts has the job use contexts.
func (j *JobScript) WithContexts(names ...string) *JobScript {
	j.contexts = append(j.contexts, names...)
	return j
}

// WithOutput sets what the job's command prints.
func (j *JobScript) WithOutput(text string) *JobScript {
	j.output = text
	return j
}

// PassingTest is the result of a test that passes.
func PassingTest(name string, seconds float64) circleci.Test {
	return circleci.Test{Name: name, Classname: "suite", File: "suite_test.go", Source: "junit", Result: circleci.TestResultSuccess, RunTime: circleci.Seconds(seconds * float64(time.Second))}
}

// FailingTest is the result of a test that fails.
func FailingTest(name, message string) circleci.Test {
	return circleci.Test{Name: name, Classname: "suite", File: "suite_test.go", Source: "junit", Result: circleci.TestResultFailure, Message: message, RunTime: circleci.Seconds(time.Second / 2)}
}

// defaultScript is what pipelines do if nothing else is said.
func defaultScript() Script {
	return Script{Workflows: []*WorkflowScript{
		Workflow("build-and-test", Job("build"), Job("test").Requires("build").WithTests(PassingTest("TestAll", 1))),
	}}
}
