package circleci

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// WaitForOthers waits until all other jobs of a workflow have ended. Use it in
// a job that reports on its own workflow, which cannot end before that job
// does:
//
//	id, err := uuid.Parse(os.Getenv("CIRCLE_WORKFLOW_ID"))
//	number, err := strconv.ParseInt(os.Getenv("CIRCLE_BUILD_NUM"), 10, 64)
//	result, err := client.Workflows.WaitForOthers(ctx, id, number, nil)
//
// The result's Outcome and Jobs are those of the other jobs. Jobs that depend
// on this one are excluded, because they cannot start before it ends. A job
// that cannot start because a job that it requires failed counts as ended. If
// there are no other jobs, the outcome is success.
//
// With [WaitOptions.StopOnHold], the wait ends when all remaining jobs are
// waiting for approval. [Timeout] limits the whole wait.
func (s *WorkflowsService) WaitForOthers(ctx context.Context, id uuid.UUID, jobNumber int64, o *WaitOptions, opts ...RequestOption) (*WorkflowResult, error) {
	if jobNumber <= 0 {
		return nil, &ArgumentError{Name: "job number", Reason: "must be positive"}
	}
	return last(nil, watch(ctx, o, opts, func(o WaitOptions) target[*WorkflowResult] {
		return &othersWatch{service: s, id: id, number: jobNumber, options: o}
	}))
}

// othersWatch holds the state between two polls of the other jobs.
type othersWatch struct {
	service  *WorkflowsService
	id       uuid.UUID
	number   int64
	options  WaitOptions
	workflow *Workflow // nil: never seen
}

func (w *othersWatch) String() string {
	return fmt.Sprintf("the other jobs of workflow %s", w.id)
}

func (w *othersWatch) poll(ctx context.Context, opts []RequestOption) (*WorkflowResult, error) {
	if w.workflow == nil {
		wf, err := w.service.Get(ctx, w.id, opts...)
		if err != nil {
			return nil, orUnknown(err, false)
		}
		w.workflow = wf
	}
	jobs, err := w.service.ListJobs(w.id, opts...).Collect(ctx)
	if err != nil {
		return nil, err
	}
	own := slices.IndexFunc(jobs, func(j WorkflowJob) bool { return j.Number == w.number })
	if own < 0 { // the job has just started
		return nil, fmt.Errorf("circleci: workflow %s has no job with number %d: %w", w.id, w.number, ErrNotFound)
	}
	graph := newJobGraph(jobs)
	r := &WorkflowResult{Workflow: *w.workflow}
	for _, j := range jobs {
		if j.ID != jobs[own].ID && !graph.dependsOn(j.ID, jobs[own].ID) {
			r.Jobs = append(r.Jobs, j)
		}
	}
	r.Outcome = w.judge(r.Jobs, graph)
	if r.Outcome != OutcomePending {
		r.FailedJobs = failedJobs(r.Jobs)
	}
	return r, nil
}

func (w *othersWatch) judge(jobs []WorkflowJob, graph *jobGraph) Outcome {
	outcomes, held := []Outcome{OutcomeSuccess}, false
	for _, j := range jobs {
		outcome := jobOutcome(j.Status)
		switch {
		case outcome != OutcomePending:
			outcomes = append(outcomes, outcome)
		case graph.fate(j.ID) == never:
		case w.options.StopOnHold && graph.fate(j.ID) == waits:
			held = true
		default:
			return OutcomePending
		}
	}
	if held {
		return OutcomeOnHold
	}
	return worst(outcomes)
}

// jobGraph is the jobs of a workflow and their requirements.
type jobGraph struct {
	jobs  map[uuid.UUID]WorkflowJob
	fates map[uuid.UUID]fate
}

func newJobGraph(jobs []WorkflowJob) *jobGraph {
	g := &jobGraph{map[uuid.UUID]WorkflowJob{}, map[uuid.UUID]fate{}}
	for _, j := range jobs {
		g.jobs[j.ID] = j
	}
	return g
}

// dependsOn reports whether a job requires another, directly or not.
func (g *jobGraph) dependsOn(id, other uuid.UUID) bool {
	return g.reaches(id, other, map[uuid.UUID]bool{})
}

func (g *jobGraph) reaches(id, other uuid.UUID, seen map[uuid.UUID]bool) bool {
	if seen[id] {
		return false
	}
	seen[id] = true
	return slices.ContainsFunc(g.jobs[id].Dependencies, func(d uuid.UUID) bool { return d == other || g.reaches(d, other, seen) })
}

// fate is what will happen to a job.
type fate int

const (
	runs  fate = iota // it is running or will run
	waits             // it waits for a person, directly or not
	never             // it cannot start
	ended
)

func (g *jobGraph) fate(id uuid.UUID) fate {
	j, ok := g.jobs[id]
	f, known := g.fates[id]
	switch {
	case known:
		return f
	case !ok, j.Status.Done():
		return ended
	case j.Status == JobStatusOnHold:
		return waits
	case j.Status != JobStatusBlocked:
		return runs
	}
	g.fates[id] = runs // in case the jobs require each other
	f = runs
	for _, d := range j.Dependencies {
		switch g.fate(d) {
		case ended:
			if dep, ok := g.jobs[d]; ok && !permits(j.Requires[d.String()], dep.Status) {
				f = never
			}
		case never:
			if !permits(j.Requires[d.String()], JobStatusNotRun) {
				f = never
			}
		case waits:
			f = max(f, waits)
		case runs:
		}
	}
	g.fates[id] = f
	return f
}

// permits reports whether a job may start after a required job has ended with
// the given status. By default, only success permits it.
func permits(required []JobStatus, status JobStatus) bool {
	if len(required) == 0 {
		required = []JobStatus{JobStatusSuccess}
	}
	return slices.Contains(required, status) || slices.Contains(required, "terminal") ||
		status.Failed() && slices.Contains(required, JobStatusFailed)
}
