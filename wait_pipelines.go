package circleci

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// PipelineResult is where a pipeline stands, or how it has ended.
type PipelineResult struct {
	Outcome  Outcome
	Pipeline Pipeline
	// Workflows are the newest of each name: a rerun takes the place of what
	// it repeats.
	Workflows []Workflow
	// Jobs are the jobs by their workflow's ID, if [WaitOptions.WithJobs] is
	// set.
	Jobs map[uuid.UUID][]WorkflowJob
	// FailedJobs are the jobs that made it fail, once it has ended.
	FailedJobs []WorkflowJob
}

// Err is nil if the outcome is success or pending, and else an
// [UnsuccessfulError].
func (r *PipelineResult) Err() error {
	detail := make([]string, 0, len(r.Pipeline.Errors))
	for _, e := range r.Pipeline.Errors {
		detail = append(detail, e.Message)
	}
	return outcomeError(r.Outcome, append(detail, culprits(r.FailedJobs, r.Workflows)...))
}

// String says in a line where the pipeline stands.
func (r *PipelineResult) String() string {
	var parts []string
	for _, w := range r.Workflows {
		parts = append(parts, workflowLine(&w, r.Jobs[w.ID]))
	}
	text := fmt.Sprintf("pipeline %d: %s", r.Pipeline.Number, r.Pipeline.State)
	if len(parts) > 0 {
		text = fmt.Sprintf("pipeline %d: %s", r.Pipeline.Number, strings.Join(parts, ", "))
	}
	if r.Outcome != OutcomePending {
		text += ": " + string(r.Outcome)
	}
	return text
}

// culprits names the jobs that failed, or, where none did, the workflows that
// have not succeeded: canceled ones, those on hold, those that may not run.
func culprits(jobs []WorkflowJob, workflows []Workflow) (names []string) {
	for _, j := range jobs {
		names = append(names, fmt.Sprintf("job %s %s", j.Name, j.Status))
	}
	for _, w := range workflows {
		if len(jobs) == 0 && w.Status != WorkflowStatusSuccess {
			names = append(names, fmt.Sprintf("workflow %s %s", w.Name, w.Status))
		}
	}
	return names
}

// Watch polls a pipeline until it has ended, and yields where it stands at
// first and after each change; the last result has its Outcome. An error is
// yielded last.
//
// What counts is the status of the pipeline's workflows, of those with one
// name the newest: reruns, also automatic ones, and those that somebody else
// starts, are followed, and so is the continuation of a setup workflow. A
// status that this package does not know is waited on. Between polls 5 to 30
// seconds pass, see [WaitOptions]. Breaking off the loop ends it.
func (s *PipelinesService) Watch(ctx context.Context, id uuid.UUID, o *WaitOptions, opts ...RequestOption) iter.Seq2[*PipelineResult, error] {
	w := pipelineWatch{service: s, id: id, options: o.withDefaults(), requests: opts}
	return watch(ctx, w.options, w.poll)
}

// Wait waits until a pipeline has ended, as [PipelinesService.Watch] does. That
// it failed is no error of the wait: see the result's Outcome, or its Err. On
// an error the result is the last one that is known, or nil.
func (s *PipelinesService) Wait(ctx context.Context, id uuid.UUID, o *WaitOptions, opts ...RequestOption) (*PipelineResult, error) {
	return last(s.Watch(ctx, id, o, opts...))
}

// RunAndWait runs a pipeline and waits until it has ended: see
// [PipelinesService.Run] and [PipelinesService.Wait].
func (s *PipelinesService) RunAndWait(ctx context.Context, slug ProjectSlug, in RunPipelineRequest, o *WaitOptions, opts ...RequestOption) (*PipelineResult, error) {
	return s.waitFor(ctx, o, opts)(s.Run(ctx, slug, in, opts...))
}

// TriggerAndWait triggers a pipeline and waits until it has ended: see
// [PipelinesService.Trigger] and [PipelinesService.Wait].
func (s *PipelinesService) TriggerAndWait(ctx context.Context, slug ProjectSlug, in TriggerPipelineRequest, o *WaitOptions, opts ...RequestOption) (*PipelineResult, error) {
	return s.waitFor(ctx, o, opts)(s.Trigger(ctx, slug, in, opts...))
}

func (s *PipelinesService) waitFor(ctx context.Context, o *WaitOptions, opts []RequestOption) func(*CreatedPipeline, error) (*PipelineResult, error) {
	return func(p *CreatedPipeline, err error) (*PipelineResult, error) {
		if err != nil {
			return nil, err
		}
		w := pipelineWatch{service: s, id: p.ID, options: o.withDefaults(), requests: opts, known: true}
		return last(watch(ctx, w.options, w.poll))
	}
}

// pipelineWatch is what is known between two polls of a pipeline.
type pipelineWatch struct {
	service  *PipelinesService
	id       uuid.UUID
	options  WaitOptions
	requests []RequestOption
	known    bool      // the pipeline is there: a 404 will pass
	waiting  time.Time // since when only the grace period is waited for
}

func (w *pipelineWatch) poll(ctx context.Context) (*PipelineResult, error) {
	p, err := w.service.Get(ctx, w.id, w.requests...)
	if err != nil {
		return nil, lasting(err, w.known)
	}
	w.known = true
	all, err := w.service.ListWorkflows(w.id, w.requests...).Collect(ctx)
	if err != nil {
		return nil, err
	}
	r := &PipelineResult{Pipeline: *p, Workflows: newest(all)}
	for _, wf := range r.Workflows {
		if err := refuseOwn(wf.ID); err != nil && !wf.Status.Done() {
			return nil, err
		}
	}
	r.Outcome = w.outcome(r)
	return r, w.addJobs(ctx, r)
}

// outcome judges a pipeline by the statuses of its workflows.
func (w *pipelineWatch) outcome(r *PipelineResult) Outcome {
	var outcomes []Outcome
	moving, held, onlySetup, rerunDue := false, false, true, false
	for _, wf := range r.Workflows {
		outcomes = append(outcomes, outcomeOf(wf.Status))
		held = held || wf.Status == WorkflowStatusOnHold
		moving = moving || !wf.Status.Done() && wf.Status != WorkflowStatusOnHold
		onlySetup = onlySetup && wf.Tag == WorkflowTagSetup
		rerunDue = rerunDue || wf.Status == WorkflowStatusFailed && wf.AutoRerunNumber < wf.MaxAutoReruns
	}
	settled := worst(outcomes)
	switch {
	case moving:
		w.waiting = time.Time{}
		return OutcomePending
	case len(r.Pipeline.Errors) > 0 || r.Pipeline.State == PipelineStateErrored:
		return OutcomeErrored
	case held && w.options.StopOnHold:
		return OutcomeOnHold
	case held:
		return OutcomePending
	case rerunDue && !w.graceOver():
		return OutcomePending
	case onlySetup && len(r.Workflows) > 0 && settled != OutcomeSuccess:
		return settled // nothing comes after a setup workflow that failed
	case !r.Pipeline.State.Done():
		return OutcomePending
	case onlySetup && !w.graceOver():
		return OutcomePending
	case onlySetup:
		return OutcomeNoWorkflows
	}
	return settled
}

// graceOver begins the grace period, or reports whether it is over.
func (w *pipelineWatch) graceOver() bool {
	if w.waiting.IsZero() {
		w.waiting = time.Now()
	}
	return time.Since(w.waiting) >= w.options.Grace
}

func (w *pipelineWatch) addJobs(ctx context.Context, r *PipelineResult) error {
	workflows := w.service.client.Workflows
	for _, wf := range r.Workflows {
		failed := r.Outcome != OutcomePending && wf.Status.Done() && wf.Status != WorkflowStatusSuccess
		if !failed && !w.options.WithJobs {
			continue
		}
		jobs, err := workflows.ListJobs(wf.ID, w.requests...).Collect(ctx)
		if err != nil {
			return err
		}
		if w.options.WithJobs {
			if r.Jobs == nil {
				r.Jobs = map[uuid.UUID][]WorkflowJob{}
			}
			r.Jobs[wf.ID] = jobs
		}
		if failed {
			r.FailedJobs = append(r.FailedJobs, failedJobs(jobs)...)
		}
	}
	return nil
}

// newest leaves the newest workflow of each name, in the order of their names'
// first appearance in time.
func newest(all []Workflow) []Workflow {
	slices.SortStableFunc(all, func(a, b Workflow) int { return a.CreatedAt.Compare(b.CreatedAt) })
	var out []Workflow
	for _, w := range all {
		i := slices.IndexFunc(out, func(o Workflow) bool { return o.Name == w.Name && o.Tag == w.Tag })
		if i < 0 {
			out = append(out, w)
		} else {
			out[i] = w
		}
	}
	return out
}

func (r *PipelineResult) outcome() Outcome { return r.Outcome }

func (r *PipelineResult) state() string {
	var text strings.Builder
	fmt.Fprint(&text, r.Outcome, r.Pipeline.State, len(r.Pipeline.Errors))
	for _, w := range r.Workflows {
		fmt.Fprint(&text, w.ID, w.Status, jobStates(r.Jobs[w.ID]))
	}
	return text.String()
}
