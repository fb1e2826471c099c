package world

import (
	"slices"
	"time"

	"github.com/circleci-go/circleci"
)

// Script says what a pipeline does: circlecitest.Script says more.
type Script struct {
	Setup      *WorkflowScript // nil: a plain configuration
	Workflows  []*WorkflowScript
	Errors     []circleci.PipelineError
	Parameters []string // nil: any
	Config     string
	// NeverContinues: the setup workflow continues nothing.
	NeverContinues bool
}

// IsEmpty reports whether nothing comes of the script.
func (x Script) IsEmpty() bool {
	return len(x.Workflows) == 0 && x.Setup == nil && len(x.Errors) == 0
}

// Behavior is what the script says about a job of a workflow: by its name, in
// that workflow or else in another, or by the key of its definition. A job that
// the script does not have succeeds.
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

// AutoReruns is how often the script has a workflow rerun automatically.
func (x Script) AutoReruns(workflow string) int {
	for _, w := range x.Workflows {
		if w.Name == workflow {
			return w.AutoReruns
		}
	}
	return 0
}

// Check panics for a script that cannot run.
func (x Script) Check() {
	for _, w := range x.Workflows {
		w.check()
	}
	if x.Setup != nil {
		x.Setup.check()
	}
}

// WorkflowScript says what a workflow does.
type WorkflowScript struct {
	Name       string
	Jobs       []*JobScript
	AutoReruns int
}

// check panics if a job has the name of another, or requires what there is not,
// or itself.
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

// JobScript says what a job does.
type JobScript struct {
	Name     string
	Requires []string
	// Statuses are those of a required job, by its name, with which this one
	// begins; just success for one that is not here.
	Statuses    map[string][]circleci.JobStatus
	Parallelism int // 0: 1
	Kind        circleci.JobType
	Duration    time.Duration
	Varies      float64              // by which share of it the duration does
	Approved    bool                 // after the duration
	Outcomes    []circleci.JobStatus // of its runs in turn; the last goes on
	Fails       float64              // the share of its runs that do, for no other reason
	Tests       []circleci.Test
	Flaky       []FlakyTest
	Artifacts   []Artifact
	Contexts    []string
	Output      string
}

// FlakyTest is a test that fails in this share of the job's runs.
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

// defaultDuration is what a job takes if nothing else is said.
const defaultDuration = 30 * time.Second

// Accepts are the statuses of a required job with which this one begins.
func (j *JobScript) Accepts(required string) []circleci.JobStatus {
	if statuses := j.Statuses[required]; statuses != nil {
		return statuses
	}
	return []circleci.JobStatus{circleci.JobStatusSuccess}
}

// NewJobScript is a job that takes 30 seconds and succeeds.
func NewJobScript(name string) JobScript {
	return JobScript{
		Name: name, Kind: circleci.JobTypeBuild, Duration: defaultDuration,
		Outcomes: []circleci.JobStatus{circleci.JobStatusSuccess},
	}
}

// PassingTest is the result of a test that passes.
func PassingTest(name string, seconds float64) circleci.Test {
	return circleci.Test{Name: name, Classname: "suite", File: "suite_test.go", Source: "junit", Result: circleci.TestResultSuccess, RunTime: circleci.Seconds(seconds * float64(time.Second))}
}

// FlakyResult is the result of a test that goes by its job's.
const FlakyResult circleci.TestResult = "flaky"

// defaultScript is what pipelines do if nothing else is said.
func defaultScript() Script {
	build, test := NewJobScript("build"), NewJobScript("test")
	test.Requires = []string{"build"}
	test.Tests = []circleci.Test{PassingTest("TestAll", 1)}
	return Script{Workflows: []*WorkflowScript{{Name: "build-and-test", Jobs: []*JobScript{&build, &test}}}}
}
