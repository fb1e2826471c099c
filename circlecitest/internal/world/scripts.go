package world

import (
	"slices"
	"time"

	"github.com/circleci-go/circleci"
)

// Script describes what a pipeline does: see circlecitest.Script.
type Script struct {
	Setup      *WorkflowScript // nil: a plain configuration
	Workflows  []*WorkflowScript
	Errors     []circleci.PipelineError
	Parameters []string // nil: any
	Config     string
	// NeverContinues keeps the setup workflow from continuing the pipeline.
	NeverContinues bool
}

// IsEmpty reports whether the script runs nothing and has no errors.
func (x Script) IsEmpty() bool {
	return len(x.Workflows) == 0 && x.Setup == nil && len(x.Errors) == 0
}

// Behavior returns the script of a job: by its name in that workflow or else in
// another, or by the key of its definition. A job that is not in the script
// succeeds.
func (x Script) Behavior(workflow, name, definition string) JobScript {
	workflows := x.Workflows
	if x.Setup != nil {
		workflows = append([]*WorkflowScript{x.Setup}, workflows...)
	}
	for _, called := range []string{name, definition} {
		for _, elsewhere := range []bool{false, true} {
			for _, w := range workflows {
				if !elsewhere && w.Name != workflow {
					continue
				}
				for _, j := range w.Jobs {
					if j.Name == called {
						return *j
					}
				}
			}
		}
	}
	return NewJobScript(name)
}

// AutoReruns returns how often a workflow is rerun automatically.
func (x Script) AutoReruns(workflow string) int {
	for _, w := range x.Workflows {
		if w.Name == workflow {
			return w.AutoReruns
		}
	}
	return 0
}

// Check panics if the script cannot run.
func (x Script) Check() {
	for _, w := range x.Workflows {
		w.check()
	}
	if x.Setup != nil {
		x.Setup.check()
	}
}

// WorkflowScript describes what a workflow does.
type WorkflowScript struct {
	Name       string
	Jobs       []*JobScript
	AutoReruns int
}

// check panics if two jobs have the same name, or if a job requires itself or a
// missing job.
func (w *WorkflowScript) check() {
	begun, done := map[string]bool{}, map[string]bool{}
	var visit func(j *JobScript)
	visit = func(j *JobScript) {
		if done[j.Name] {
			return
		}
		if begun[j.Name] {
			panic("circlecitest: the job " + j.Name + " of the workflow " + w.Name + " requires itself")
		}
		begun[j.Name] = true
		for _, name := range j.Requires {
			i := slices.IndexFunc(w.Jobs, func(other *JobScript) bool { return other.Name == name })
			if i < 0 {
				panic("circlecitest: the job " + j.Name + " requires " + name + ", which is not in the workflow " + w.Name)
			}
			visit(w.Jobs[i])
		}
		done[j.Name] = true
	}
	names := map[string]bool{}
	for _, j := range w.Jobs {
		if names[j.Name] {
			panic("circlecitest: the workflow " + w.Name + " has two jobs of the name " + j.Name)
		}
		names[j.Name] = true
		visit(j)
	}
}

// JobScript describes what a job does.
type JobScript struct {
	Name     string
	Requires []string
	// Statuses are the accepted statuses of required jobs, by name; only
	// success for jobs that are not listed.
	Statuses    map[string][]circleci.JobStatus
	Parallelism int // 0: 1
	Kind        circleci.JobType
	Duration    time.Duration
	Varies      float64              // the fraction by which the duration varies
	Approved    bool                 // after the duration
	Outcomes    []circleci.JobStatus // of its runs, in order; the last is repeated
	Fails       float64              // the fraction of its runs that fail at random
	Tests       []circleci.Test
	Flaky       []FlakyTest
	Artifacts   []Artifact
	Contexts    []string
	Output      string
}

// FlakyTest is a test that fails in this fraction of the job's runs.
type FlakyTest struct {
	Test  circleci.Test
	Share float64
}

// Artifact is a file that a job stores.
type Artifact struct {
	Path      string
	Content   string
	NodeIndex int64
	Size      int64
}

// defaultDuration is the duration of a job by default.
const defaultDuration = 30 * time.Second

// Accepts returns the statuses of a required job after which this job starts.
func (j *JobScript) Accepts(required string) []circleci.JobStatus {
	if statuses := j.Statuses[required]; statuses != nil {
		return statuses
	}
	return []circleci.JobStatus{circleci.JobStatusSuccess}
}

// NewJobScript returns the script of a job that takes 30 seconds and succeeds.
func NewJobScript(name string) JobScript {
	return JobScript{
		Name: name, Kind: circleci.JobTypeBuild, Duration: defaultDuration,
		Outcomes: []circleci.JobStatus{circleci.JobStatusSuccess},
	}
}

// PassingTest returns the result of a test that passes.
func PassingTest(name string, took time.Duration) circleci.Test {
	return circleci.Test{Name: name, Classname: "suite", File: "suite_test.go", Source: "junit", Result: circleci.TestResultSuccess, RunTime: circleci.Seconds(took)}
}

// FlakyResult is the result of a test that passes or fails with its job.
const FlakyResult circleci.TestResult = "flaky"

// defaultScript returns the script of pipelines by default.
func defaultScript() Script {
	build, test := NewJobScript("build"), NewJobScript("test")
	test.Requires = []string{"build"}
	test.Tests = []circleci.Test{PassingTest("TestAll", time.Second)}
	return Script{Workflows: []*WorkflowScript{{Name: "build-and-test", Jobs: []*JobScript{&build, &test}}}}
}
