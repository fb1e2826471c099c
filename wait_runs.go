package circleci

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// runsByName groups the workflows of a pipeline by name, in the order in which
// the names first appeared. The newest run of each group comes last. A setup
// workflow and its continuation can have the same name.
func runsByName(all []Workflow) (groups [][]Workflow) {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b Workflow) int { return a.CreatedAt.Compare(b.CreatedAt) })
	isSetup := func(w Workflow) bool { return w.Tag == WorkflowTagSetup }
	for _, w := range all {
		i := slices.IndexFunc(groups, func(g []Workflow) bool { return g[0].Name == w.Name && isSetup(g[0]) == isSetup(w) })
		if i < 0 {
			groups = append(groups, []Workflow{w})
		} else {
			groups[i] = append(groups[i], w)
		}
	}
	return groups
}

// newest returns the newest run of each workflow.
func newest(groups [][]Workflow) (out []Workflow) {
	for _, runs := range groups {
		out = append(out, runs[len(runs)-1])
	}
	return out
}

// unsuccessful reports whether a workflow has ended without success.
func unsuccessful(w Workflow) bool { return w.Status.Done() && w.Status != WorkflowStatusSuccess }

// errNoWorkflowID says why the jobs of a workflow cannot be listed: old
// workflows can have no ID.
var errNoWorkflowID = errors.New("the API reports the workflow without an ID")

// jobLists lists the jobs of workflows. It lists the jobs of a finished
// workflow once.
type jobLists struct {
	service *WorkflowsService
	opts    []RequestOption
	known   map[uuid.UUID]jobList
}

type jobList struct {
	jobs []WorkflowJob
	err  error // the jobs are not available and never will be
}

func (s *PipelinesService) jobLists(opts []RequestOption) *jobLists {
	return &jobLists{service: s.client.Workflows, opts: opts, known: map[uuid.UUID]jobList{}}
}

// missing reports whether an error means that something does not exist, so that
// retrying is useless.
func missing(err error) bool {
	return errors.Is(err, ErrNotFound) || errors.Is(err, ErrGone) || errors.Is(err, errNoWorkflowID)
}

func (l *jobLists) of(ctx context.Context, w Workflow) ([]WorkflowJob, error) {
	if list, ok := l.known[w.ID]; ok {
		return list.jobs, list.err
	}
	var jobs []WorkflowJob
	err := errNoWorkflowID
	if w.ID != uuid.Nil {
		jobs, err = l.service.ListJobs(w.ID, l.opts...).Collect(ctx)
	}
	if err != nil {
		err = fmt.Errorf("circleci: jobs of workflow %s: %w", oneLine(w.Name), err)
	}
	if w.ID != uuid.Nil && w.Status.Done() && (err == nil || missing(err)) {
		l.known[w.ID] = jobList{jobs, err}
	}
	return jobs, err
}

// latest returns the newest run of each job of a workflow: a rerun of selected
// jobs does not contain the others. If one run has several jobs with the same
// name, it returns all of them. It returns what could be listed, with the first
// error.
func (l *jobLists) latest(ctx context.Context, runs []Workflow) ([]WorkflowJob, error) {
	var (
		out   []WorkflowJob
		first error
		seen  = map[string]bool{}
	)
	for _, w := range slices.Backward(runs) {
		jobs, err := l.of(ctx, w)
		first = cmp.Or(first, err)
		jobs = slices.DeleteFunc(slices.Clone(jobs), func(j WorkflowJob) bool { return seen[j.Name] })
		for _, j := range jobs {
			seen[j.Name] = true
		}
		out = append(out, jobs...)
	}
	return out, first
}

// add adds jobs to a result: if all is set, the jobs of the newest workflows;
// and once the pipeline has ended, the failed jobs. It also corrects the
// outcome for failed jobs that a rerun did not repeat. An error means that the
// outcome is uncertain.
func (l *jobLists) add(ctx context.Context, r *PipelineResult, groups [][]Workflow, all bool) error {
	var outcomes []Outcome
	for _, runs := range groups {
		w, ended := runs[len(runs)-1], r.Outcome != OutcomePending
		if ended {
			outcomes = append(outcomes, outcomeOf(w.Status))
		}
		if all || ended && unsuccessful(w) {
			l.addNewest(ctx, r, w, all)
		}
		if !ended || !slices.ContainsFunc(runs[:len(runs)-1], unsuccessful) {
			continue
		}
		left, err := l.leftOut(ctx, runs)
		r.JobsErr = cmp.Or(r.JobsErr, err)
		if err != nil && !missing(err) && r.Outcome == OutcomeSuccess {
			return err
		}
		for _, j := range left {
			outcomes = append(outcomes, jobOutcome(j.Status))
		}
		r.FailedJobs = append(r.FailedJobs, left...)
	}
	if r.Outcome == OutcomeSuccess || r.Outcome == OutcomeCanceled || r.Outcome == OutcomeNotRun {
		r.Outcome = worst(outcomes)
	}
	return nil
}

func (l *jobLists) addNewest(ctx context.Context, r *PipelineResult, w Workflow, all bool) {
	jobs, err := l.of(ctx, w)
	r.JobsErr = cmp.Or(r.JobsErr, err)
	if all && err == nil {
		if r.Jobs == nil {
			r.Jobs = map[uuid.UUID][]WorkflowJob{}
		}
		r.Jobs[w.ID] = jobs
	}
	if r.Outcome != OutcomePending && unsuccessful(w) {
		r.FailedJobs = append(r.FailedJobs, failedJobs(jobs)...)
	}
}

// leftOut returns the jobs that failed or were canceled in an earlier run, and
// that no later run contains.
func (l *jobLists) leftOut(ctx context.Context, runs []Workflow) ([]WorkflowJob, error) {
	jobs, err := l.latest(ctx, runs)
	if err != nil {
		return nil, err
	}
	own, err := l.of(ctx, runs[len(runs)-1])
	return slices.DeleteFunc(jobs, func(j WorkflowJob) bool {
		return !j.Status.Failed() && j.Status != JobStatusCanceled || slices.ContainsFunc(own, func(o WorkflowJob) bool { return o.Name == j.Name })
	}), err
}
