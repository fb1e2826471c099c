package circlecitest

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/circleci-go/circleci"
)

// Past is what has run in a project until now, for [Server.History]. Fields
// that are zero have the defaults.
type Past struct {
	// Days is how long it goes back; default 30.
	Days int
	// RunsPerDay is how many pipelines ran on each day; default 20.
	RunsPerDay int
	// Branches had the pipelines in turn; default the default branch alone.
	Branches []string
	// Workflows ran in each pipeline; default those of the project's next
	// script.
	Workflows []*WorkflowScript
	// FailureRate is the share of the runs of each workflow in which a job
	// failed, in addition to what fails by the script. It is met exactly, and
	// a rerun succeeds.
	FailureRate float64
	// Spread is by which share the durations vary: see [JobScript.Varies].
	Spread float64
}

// History gives a project a past, so that Insights, lists and usage exports
// have something to tell: pipelines that have run and ended, spread evenly over
// the days, a little by chance. The server's seed decides. Nobody is called for
// what happened then. The project is added if there is none.
//
//	srv.History("gh/acme/web", circlecitest.Past{RunsPerDay: 100, FailureRate: 0.1, Spread: 0.3})
//
// Call it before pipelines of the project run, for their numbers go on from the
// last one.
func (s *Server) History(slug circleci.ProjectSlug, past Past) {
	Pipeline(past.Workflows...).check()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.addProject(string(slug))
	past = past.withDefaults(p)
	runs := past.Days * past.RunsPerDay
	variants := make([]historyWorkflow, len(past.Workflows))
	longest := time.Duration(0)
	for i, w := range past.Workflows {
		variants[i] = newHistoryWorkflow(w, past, runs, s.chance)
		longest = max(longest, w.longest(past.Spread))
	}
	now, all := s.now(), time.Duration(past.Days)*24*time.Hour
	from, span := now.Add(-all), all-longest-processingTime-appearingTime
	if span <= 0 {
		panic("circlecitest: the workflows take longer than the history is")
	}
	s.relive(from, now, func() {
		step := float64(span) / float64(runs)
		var start func(i int)
		start = func(i int) {
			if i == runs {
				return
			}
			s.at(from.Add(time.Duration((float64(i)+s.chance.Float64())*step)), func() {
				script := Script{}
				for _, w := range variants {
					script.Workflows = append(script.Workflows, w.run(i, s.chance))
				}
				branch := past.Branches[i%len(past.Branches)]
				s.startScript(&pipeline{project: p, branch: branch, trigger: circleci.TriggerTypeWebhook}, script)
				start(i + 1)
			})
		}
		start(0)
	})
	slices.SortStableFunc(s.world.runs.pipelines, func(a, b *pipeline) int { return a.created.Compare(b.created) })
	s.world.runs.trim()
}

func (past Past) withDefaults(p *project) Past {
	if past.Days <= 0 {
		past.Days = 30
	}
	if past.RunsPerDay <= 0 {
		past.RunsPerDay = 20
	}
	if len(past.Branches) == 0 {
		past.Branches = []string{p.defaultBranch}
	}
	if past.Workflows == nil {
		past.Workflows = p.peekScript().Workflows
	}
	return past
}

// relive has happen what begin plans, by a clock of its own, from a time in the
// past until now. What is not over then goes on.
func (s *Server) relive(from, now time.Time, begin func()) {
	present, keep := s.clock, s.world.runs.keep
	s.clock, s.past = clock{base: from}, true
	s.world.runs.keep = 0 // which go is known at the end
	begin()
	s.clock.base = now
	s.catchUp()
	left := s.clock.events
	s.clock, s.past = present, false
	s.world.runs.keep = keep
	for len(left) > 0 {
		e := heap.Pop(&left).(event)
		s.at(e.at, e.do)
	}
}

// historyWorkflow is a workflow of the past: as it succeeds, and as each of its
// jobs fails.
type historyWorkflow struct {
	good   *WorkflowScript
	bad    []*WorkflowScript
	failed []bool // by run
}

func newHistoryWorkflow(script *WorkflowScript, past Past, runs int, chance *rand.Rand) historyWorkflow {
	w := historyWorkflow{good: script.past(past.Spread, -1), failed: make([]bool, runs)}
	for i, j := range script.jobs {
		if j.kind != circleci.JobTypeApproval {
			w.bad = append(w.bad, script.past(past.Spread, i))
		}
	}
	failures := int(math.Round(past.FailureRate * float64(runs)))
	for _, run := range chance.Perm(runs)[:min(max(failures, 0), runs)] {
		w.failed[run] = true
	}
	return w
}

func (w historyWorkflow) run(i int, chance *rand.Rand) *WorkflowScript {
	if w.failed[i] && len(w.bad) > 0 {
		return w.bad[chance.IntN(len(w.bad))]
	}
	return w.good
}

// past is a copy of the workflow whose durations vary and whose approvals are
// given, and of which one job fails; -1: none.
func (w *WorkflowScript) past(spread float64, failing int) *WorkflowScript {
	out := *w
	out.jobs = nil
	for i, j := range w.jobs {
		j := *j
		if j.varies == 0 {
			j.varies = spread
		}
		if j.kind == circleci.JobTypeApproval && !j.approved {
			j.approved = true
		}
		if i == failing {
			j.outcomes = []circleci.JobStatus{circleci.JobStatusFailed, circleci.JobStatusSuccess}
		}
		out.jobs = append(out.jobs, &j)
	}
	return &out
}

// longest is how long the workflow takes at most, reruns included.
func (w *WorkflowScript) longest(spread float64) time.Duration {
	ends := map[string]time.Duration{}
	var end func(j *JobScript) time.Duration
	end = func(j *JobScript) time.Duration {
		if at, known := ends[j.name]; known {
			return at
		}
		begin := time.Duration(0)
		for _, required := range w.jobs {
			if slices.Contains(j.requires, required.name) {
				begin = max(begin, end(required))
			}
		}
		vary := j.varies
		if vary == 0 {
			vary = spread
		}
		ends[j.name] = begin + queueingTime + time.Duration(float64(j.duration)*(1+vary))
		return ends[j.name]
	}
	longest := time.Duration(0)
	for _, j := range w.jobs {
		longest = max(longest, end(j))
	}
	return time.Duration(w.autoReruns+1)*(longest+autoRerunTime) + time.Second
}
