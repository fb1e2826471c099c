package engine

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// Past describes past runs of a project. Zero fields select the defaults of
// circlecitest.Past.
type Past struct {
	Days, PerDay        int
	Branches            []string
	Workflows           []*world.WorkflowScript
	FailureRate, Spread float64
}

// mostPastRuns is the maximum number of pipelines of a history.
const mostPastRuns = 100_000

// Relive gives a project past runs: see circlecitest.Server.History.
func (s *Engine) Relive(p *world.Project, past Past) {
	past = past.withDefaults(p)
	if past.PerDay > mostPastRuns/past.Days {
		panic(fmt.Sprintf("circlecitest: a history has at most %d pipelines", mostPastRuns))
	}
	runs := past.Days * past.PerDay
	variants := make([]historyWorkflow, len(past.Workflows))
	longest := time.Duration(0)
	for i, w := range past.Workflows {
		variants[i] = newHistoryWorkflow(w, past, runs, s.Chance)
		longest = max(longest, longestRun(w, past.Spread))
	}
	now, all := s.Now(), time.Duration(past.Days)*24*time.Hour
	from, span := now.Add(-all), all-longest-processingTime-appearingTime
	if span <= 0 {
		panic("circlecitest: the workflows take longer than the history; set more Past.Days")
	}
	s.relive(from, now, func() {
		step := float64(span) / float64(runs)
		var start func(i int)
		start = func(i int) {
			if i == runs {
				return
			}
			s.At(from.Add(time.Duration((float64(i)+s.Chance.Float64())*step)), func() {
				var today world.Script
				for _, w := range variants {
					today.Workflows = append(today.Workflows, w.run(i, s.Chance))
				}
				branch := past.Branches[i%len(past.Branches)]
				run := &world.Pipeline{Project: p, Branch: branch, Trigger: circleci.TriggerTypeWebhook}
				s.number(run)
				s.run(run, today)
				start(i + 1)
			})
		}
		start(0)
	})
	slices.SortStableFunc(s.Runs.Pipelines, func(a, b *world.Pipeline) int { return a.Created.Compare(b.Created) })
	s.Runs.Trim()
}

func (past Past) withDefaults(p *world.Project) Past {
	if past.Days <= 0 {
		past.Days = 30
	}
	if past.PerDay <= 0 {
		past.PerDay = 20
	}
	if len(past.Branches) == 0 {
		past.Branches = []string{p.DefaultBranch}
	}
	if past.Workflows == nil {
		past.Workflows = p.PeekScript().Workflows
	}
	return past
}

// relive runs what begin schedules on a separate clock, from a past time until
// now. What is unfinished then continues.
func (s *Engine) relive(from, now time.Time, begin func()) {
	present, keep := s.Clock, s.Runs.Keep
	s.Clock, s.Past = world.Clock{Base: from}, true
	s.Runs.Keep = 0 // pipelines are trimmed at the end
	begin()
	s.Clock.Base = now
	s.CatchUp()
	left := s.Clock.Events
	s.Clock, s.Past = present, false
	s.Runs.Keep = keep
	for len(left) > 0 {
		e := heap.Pop(&left).(world.Event)
		s.At(e.At, e.Do)
	}
}

// historyWorkflow is a workflow of the past: one variant that succeeds, and one
// for each job that fails.
type historyWorkflow struct {
	good   *world.WorkflowScript
	bad    []*world.WorkflowScript
	failed []bool // by run
}

func newHistoryWorkflow(script *world.WorkflowScript, past Past, runs int, chance *rand.Rand) historyWorkflow {
	w := historyWorkflow{good: variant(script, past.Spread, -1), failed: make([]bool, runs)}
	for i, j := range script.Jobs {
		if j.Kind != circleci.JobTypeApproval {
			w.bad = append(w.bad, variant(script, past.Spread, i))
		}
	}
	failures := int(math.Round(past.FailureRate * float64(runs)))
	for _, run := range chance.Perm(runs)[:min(max(failures, 0), runs)] {
		w.failed[run] = true
	}
	return w
}

func (w historyWorkflow) run(i int, chance *rand.Rand) *world.WorkflowScript {
	if w.failed[i] && len(w.bad) > 0 {
		return w.bad[chance.IntN(len(w.bad))]
	}
	return w.good
}

// variant returns a copy of the workflow with varied durations and automatic
// approvals, in which one job fails; -1 for none.
func variant(w *world.WorkflowScript, spread float64, failing int) *world.WorkflowScript {
	out := *w
	out.Jobs = nil
	for i, j := range w.Jobs {
		j := *j
		if j.Varies == 0 {
			j.Varies = spread
		}
		if j.Kind == circleci.JobTypeApproval && !j.Approved {
			j.Approved = true
		}
		if i == failing {
			j.Outcomes = []circleci.JobStatus{circleci.JobStatusFailed, circleci.JobStatusSuccess}
		}
		out.Jobs = append(out.Jobs, &j)
	}
	return &out
}

// longestRun returns the longest duration of the workflow, including reruns.
func longestRun(w *world.WorkflowScript, spread float64) time.Duration {
	ends := map[string]time.Duration{}
	var end func(j *world.JobScript) time.Duration
	end = func(j *world.JobScript) time.Duration {
		if at, known := ends[j.Name]; known {
			return at
		}
		begin := time.Duration(0)
		for _, required := range w.Jobs {
			if slices.Contains(j.Requires, required.Name) {
				begin = max(begin, end(required))
			}
		}
		vary := j.Varies
		if vary == 0 {
			vary = spread
		}
		ends[j.Name] = begin + queueingTime + time.Duration(float64(j.Duration)*(1+vary))
		return ends[j.Name]
	}
	longest := time.Duration(0)
	for _, j := range w.Jobs {
		longest = max(longest, end(j))
	}
	return time.Duration(w.AutoReruns+1)*(longest+autoRerunTime) + time.Second
}
