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

// PipelineResult is the state of a pipeline, or its result once it has ended.
type PipelineResult struct {
	Outcome  Outcome
	Pipeline Pipeline
	// Workflows contains the newest workflow of each name: a rerun replaces the
	// workflow that it repeats.
	Workflows []Workflow
	// Jobs maps workflow IDs to jobs. It is set if [WaitOptions.WithJobs] is
	// true.
	Jobs map[uuid.UUID][]WorkflowJob
	// FailedJobs are the jobs that made the pipeline fail, including failed and
	// canceled jobs that a rerun did not repeat. It is set once the pipeline
	// has ended.
	FailedJobs []WorkflowJob
	// JobsErr says why Jobs or FailedJobs are incomplete, for example because
	// CircleCI no longer has the jobs of an old workflow. The Outcome is still
	// known. It is nil if they are complete.
	JobsErr error
}

// Err returns nil if the outcome is success or pending, and an
// [*UnsuccessfulError] otherwise.
func (r *PipelineResult) Err() error {
	detail := make([]string, 0, len(r.Pipeline.Errors))
	for _, e := range r.Pipeline.Errors {
		detail = append(detail, oneLine(e.Message))
	}
	return outcomeError(r.Outcome, append(detail, culprits(r.FailedJobs, r.Workflows)...))
}

// String describes the state of the pipeline in one line: the status of each
// workflow and, once there is one, the outcome.
func (r *PipelineResult) String() string {
	var parts []string
	for _, w := range r.Workflows {
		parts = append(parts, workflowLine(&w, r.Jobs[w.ID]))
	}
	text := fmt.Sprintf("pipeline %d: %s", r.Pipeline.Number, oneLine(string(r.Pipeline.State)))
	if len(parts) > 0 {
		text = fmt.Sprintf("pipeline %d: %s", r.Pipeline.Number, strings.Join(parts, ", "))
	}
	if r.Outcome != OutcomePending {
		text += ": " + string(r.Outcome)
	}
	return text
}

// culprits names the failed jobs. If there are none, it names the workflows
// that did not succeed.
func culprits(jobs []WorkflowJob, workflows []Workflow) (names []string) {
	for _, j := range jobs {
		names = append(names, "job "+oneLine(j.Name)+" "+oneLine(string(j.Status)))
	}
	for _, w := range workflows {
		if len(jobs) == 0 && w.Status != WorkflowStatusSuccess {
			names = append(names, "workflow "+oneLine(w.Name)+" "+oneLine(string(w.Status)))
		}
	}
	return names
}

// Watch polls a pipeline until it has ended. It yields the state first seen and
// each change; the last result has its Outcome set. If the wait fails, the
// error is yielded last. Breaking out of the loop ends the wait.
//
// The outcome depends on the statuses of the pipeline's workflows. Of workflows
// with the same name, only the newest counts. Watch therefore follows reruns,
// including automatic reruns and those that somebody else starts, and the
// continuation of a setup workflow. A rerun of selected jobs (see
// [RerunWorkflowRequest.SparseTree]) does not repeat the other jobs of its
// workflow: a job that failed or was canceled before still counts, unless a
// later run of the workflow contains it. If the jobs of earlier runs are no
// longer available, the newest run decides.
//
// If a pipeline stays in the state "setup" after its setup workflow has
// succeeded, the outcome is [OutcomeNotContinued] after the grace period. A
// status that this package does not know counts as unfinished.
//
// [Timeout] limits the whole wait. With [NoRetry], each request is sent once.
func (s *PipelinesService) Watch(ctx context.Context, id uuid.UUID, o *WaitOptions, opts ...RequestOption) iter.Seq2[*PipelineResult, error] {
	return s.watch(ctx, id, o, opts, false)
}

func (s *PipelinesService) watch(ctx context.Context, id uuid.UUID, o *WaitOptions, opts []RequestOption, known bool) iter.Seq2[*PipelineResult, error] {
	return watch(ctx, o, opts, func(o WaitOptions) target[*PipelineResult] {
		return &pipelineWatch{service: s, id: id, options: o, known: known}
	})
}

// Wait waits until a pipeline has ended, and returns its result. A failed
// pipeline is not an error: check the result's Outcome or Err. For how the
// outcome is determined, see [PipelinesService.Watch]. On an error, the result
// is the last one seen, or nil.
func (s *PipelinesService) Wait(ctx context.Context, id uuid.UUID, o *WaitOptions, opts ...RequestOption) (*PipelineResult, error) {
	return last(nil, s.Watch(ctx, id, o, opts...))
}

// RunAndWait starts a pipeline with [PipelinesService.Run] and waits until it
// has ended, like [PipelinesService.Wait]. Once the pipeline is created, the
// result contains its ID even if an error is returned.
func (s *PipelinesService) RunAndWait(ctx context.Context, slug ProjectSlug, in RunPipelineRequest, o *WaitOptions, opts ...RequestOption) (*PipelineResult, error) {
	ctx, cancel, opts, err := composite(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer cancel()
	return s.waitFor(ctx, o, opts)(s.Run(ctx, slug, in, opts...))
}

// TriggerAndWait starts a pipeline with [PipelinesService.Trigger] and waits
// until it has ended, like [PipelinesService.Wait]. Once the pipeline is
// created, the result contains its ID even if an error is returned.
func (s *PipelinesService) TriggerAndWait(ctx context.Context, slug ProjectSlug, in TriggerPipelineRequest, o *WaitOptions, opts ...RequestOption) (*PipelineResult, error) {
	ctx, cancel, opts, err := composite(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer cancel()
	return s.waitFor(ctx, o, opts)(s.Trigger(ctx, slug, in, opts...))
}

func (s *PipelinesService) waitFor(ctx context.Context, o *WaitOptions, opts []RequestOption) func(*CreatedPipeline, error) (*PipelineResult, error) {
	return func(p *CreatedPipeline, err error) (*PipelineResult, error) {
		if err != nil {
			return nil, err
		}
		known := &PipelineResult{Pipeline: Pipeline{ID: p.ID, Number: p.Number, State: p.State, CreatedAt: p.CreatedAt}}
		return last(known, s.watch(ctx, p.ID, o, opts, true))
	}
}

// Check returns the current state of a pipeline without waiting. If there is no
// such pipeline, the error matches [ErrNotFound]. The outcome is determined as
// in [PipelinesService.Watch]; if the pipeline is waiting for approval, it is
// [OutcomeOnHold]. If something may still follow, such as a rerun, the outcome
// is pending until one minute after the last event of the pipeline, by the
// local clock.
func (s *PipelinesService) Check(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*PipelineResult, error) {
	ctx, cancel, opts, err := composite(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer cancel()
	p, err := s.Get(ctx, id, opts...)
	if err != nil {
		return nil, err
	}
	r, runs, err := s.check(ctx, p, opts)
	if err != nil {
		return nil, err
	}
	return r, s.jobLists(opts).add(ctx, r, runs, false)
}

// check determines the outcome of a pipeline without its jobs.
func (s *PipelinesService) check(ctx context.Context, p *Pipeline, opts []RequestOption) (*PipelineResult, [][]Workflow, error) {
	all, err := s.ListWorkflows(p.ID, opts...).Collect(ctx)
	if err != nil {
		return nil, nil, err
	}
	runs := runsByName(all)
	r := &PipelineResult{Pipeline: *p, Workflows: newest(runs)}
	r.settle(r.judge())
	return r, runs, nil
}

// settle sets the outcome, unless it is provisional and something may still
// follow.
func (r *PipelineResult) settle(o Outcome, provisional bool) {
	if r.Outcome = o; provisional && time.Since(r.lastEvent()) < (*WaitOptions)(nil).withDefaults().Grace {
		r.Outcome = OutcomePending
	}
}

func (r *PipelineResult) lastEvent() time.Time {
	event := r.Pipeline.CreatedAt
	times := []time.Time{r.Pipeline.UpdatedAt}
	for _, w := range r.Workflows {
		times = append(times, w.CreatedAt, w.StoppedAt)
	}
	for _, t := range times {
		if t.After(event) {
			event = t
		}
	}
	return event
}

// pipelineWatch holds the state between two polls of a pipeline.
type pipelineWatch struct {
	service *PipelinesService
	id      uuid.UUID
	options WaitOptions
	known   bool // the pipeline exists: a 404 is temporary
	jobs    *jobLists
	grace   grace
}

func (w *pipelineWatch) String() string { return "pipeline " + w.id.String() }

func (w *pipelineWatch) poll(ctx context.Context, opts []RequestOption) (*PipelineResult, error) {
	r, runs, err := w.look(ctx, opts)
	if err != nil {
		return nil, err
	}
	for _, wf := range r.Workflows {
		if err := refuseOwn(wf.ID); err != nil && !wf.Status.Done() {
			return nil, err
		}
	}
	outcome, provisional := r.judge()
	if outcome != OutcomeOnHold || w.options.StopOnHold {
		r.Outcome = w.grace.settle(outcome, provisional, r.state(), w.options.Grace)
	}
	if w.jobs == nil {
		w.jobs = w.service.jobLists(opts)
	}
	if err := w.jobs.add(ctx, r, runs, w.options.WithJobs); err != nil {
		return nil, err
	}
	return r, nil
}

// look fetches the pipeline and its workflows.
func (w *pipelineWatch) look(ctx context.Context, opts []RequestOption) (*PipelineResult, [][]Workflow, error) {
	p, err := w.service.Get(ctx, w.id, opts...)
	if err != nil {
		return nil, nil, orUnknown(err, w.known)
	}
	w.known = true
	all, err := w.service.ListWorkflows(w.id, opts...).Collect(ctx)
	if err != nil {
		return nil, nil, err
	}
	runs := runsByName(all)
	return &PipelineResult{Pipeline: *p, Workflows: newest(runs)}, runs, nil
}

// judge determines the outcome from the statuses of the newest workflows. A
// provisional outcome is final only if nothing follows within the grace period.
func (r *PipelineResult) judge() (o Outcome, provisional bool) {
	var outcomes []Outcome
	moving, held, onlySetup, rerunDue := false, false, true, false
	for _, wf := range r.Workflows {
		outcomes = append(outcomes, outcomeOf(wf.Status))
		held = held || wf.Status == WorkflowStatusOnHold
		moving = moving || !wf.Status.Done() && wf.Status != WorkflowStatusOnHold
		onlySetup = onlySetup && wf.Tag == WorkflowTagSetup
		rerunDue = rerunDue || wf.Status == WorkflowStatusFailed && wf.AutoRerunNumber < wf.MaxAutoReruns
	}
	settled, state, any := worst(outcomes), r.Pipeline.State, len(r.Workflows) > 0
	if state == PipelineStateSetupPending && any {
		state = PipelineStateSetup // the setup workflow exists
	}
	switch {
	case moving:
		return OutcomePending, false
	case len(r.Pipeline.Errors) > 0 || state == PipelineStateErrored:
		return OutcomeErrored, false
	case held:
		return OutcomeOnHold, false
	case rerunDue:
		return settled, true
	case onlySetup && any && settled != OutcomeSuccess:
		return settled, false // nothing follows a setup workflow that failed
	case state == PipelineStateSetup && onlySetup && any:
		return OutcomeNotContinued, true
	case state == PipelineStateSetup && any:
		return settled, true
	case state != PipelineStateSetup && !state.Done():
		return OutcomePending, false
	case onlySetup:
		return OutcomeNoWorkflows, true
	}
	return settled, false
}

// judgeWorkflows determines the outcome of workflows, regardless of the state
// of their pipeline.
func judgeWorkflows(workflows []Workflow) (o Outcome, provisional bool) {
	alone := PipelineResult{Pipeline: Pipeline{State: PipelineStateCreated}, Workflows: slices.Clone(workflows)}
	for i := range alone.Workflows {
		alone.Workflows[i].Tag = "" // whether something follows a setup workflow does not matter
	}
	return alone.judge()
}

// grace tracks how long a provisional outcome has lasted.
type grace struct {
	of    string // the provisional state
	since time.Time
}

func (g *grace) settle(o Outcome, provisional bool, state string, period time.Duration) Outcome {
	if !provisional {
		*g = grace{}
		return o
	}
	if state += string(o); g.of != state {
		*g = grace{of: state, since: time.Now()}
	}
	if time.Since(g.since) < period {
		return OutcomePending
	}
	return o
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
