package circleci

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/transport"
)

// WaitOptions says how to wait for something to end. Nil, and fields that are
// zero, have the defaults.
type WaitOptions struct {
	// MinInterval is the pause between two polls at first, and after a change;
	// it grows up to MaxInterval while nothing changes. Defaults 5 and 30
	// seconds. CircleCI asks not to poll more often.
	MinInterval, MaxInterval time.Duration
	// Grace is how long a pipeline whose configuration has been processed may
	// have no workflow, and a failed workflow no automatic rerun, until there
	// will be none. Default one minute.
	Grace time.Duration
	// StopOnHold ends the wait when nothing goes on without a person's
	// approval; set WithJobs as well to see which job it is that waits.
	// Without StopOnHold the wait goes on until somebody approves.
	StopOnHold bool
	// MaxFailedPolls is how many polls in a row may fail, each with its own
	// retries, until the wait gives up. Default 10. That the token is refused
	// ends it at once.
	MaxFailedPolls int
	// WithJobs lists the jobs of unfinished workflows at each poll, for
	// progress; it costs a request for each.
	WithJobs bool
	// OnProgress is called after each poll.
	OnProgress func(Progress)
}

// Progress is how a wait goes, after a poll.
type Progress struct {
	// Text says in a line where it stands, or that and why the poll failed: a
	// terminal can show it each time, over the last one.
	Text string
	// Changed tells whether there is news: of several polls in a row that fail
	// the first is, and the one that succeeds again. A log can leave out the
	// rest.
	Changed bool
	// Elapsed is the time since the wait began.
	Elapsed time.Duration
	// Next is the pause until the next poll; 0 if there is none.
	Next time.Duration
	// Err is why the poll failed; the wait goes on if Next is not 0.
	Err error
}

func (o *WaitOptions) withDefaults() WaitOptions {
	var out WaitOptions
	if o != nil {
		out = *o
	}
	if out.MinInterval <= 0 {
		out.MinInterval = 5 * time.Second
	}
	if out.MaxInterval <= 0 {
		out.MaxInterval = 30 * time.Second
	}
	out.MaxInterval = max(out.MaxInterval, out.MinInterval)
	if out.Grace <= 0 {
		out.Grace = time.Minute
	}
	if out.MaxFailedPolls <= 0 {
		out.MaxFailedPolls = 10
	}
	return out
}

// Outcome is how something that was waited for has ended.
type Outcome string

// The outcomes.
const (
	// OutcomePending: it has not ended.
	OutcomePending Outcome = ""
	// OutcomeSuccess: all of it succeeded.
	OutcomeSuccess Outcome = "success"
	// OutcomeFailed: a workflow or job failed.
	OutcomeFailed Outcome = "failed"
	// OutcomeCanceled: a workflow or job was canceled, and none failed.
	OutcomeCanceled Outcome = "canceled"
	// OutcomeErrored: the pipeline's configuration, or its continuation, could
	// not be processed; see [Pipeline.Errors].
	OutcomeErrored Outcome = "errored"
	// OutcomeNoWorkflows: the pipeline has no workflow to run: no filter of
	// its configuration matched.
	OutcomeNoWorkflows Outcome = "no workflows"
	// OutcomeOnHold: nothing goes on without an approval, and
	// [WaitOptions.StopOnHold] is set.
	OutcomeOnHold Outcome = "on hold"
	// OutcomeNotRun: it ended without having run.
	OutcomeNotRun Outcome = "not run"
)

// UnsuccessfulError is an outcome other than success, as an error.
type UnsuccessfulError struct {
	Outcome Outcome
	// Detail says what failed, or was canceled, or waits.
	Detail string
}

// Error tells the outcome and what failed.
func (e *UnsuccessfulError) Error() string {
	if e.Detail == "" {
		return "circleci: " + string(e.Outcome)
	}
	return "circleci: " + string(e.Outcome) + ": " + e.Detail
}

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

// WorkflowResult is where a workflow stands, or how it has ended.
type WorkflowResult struct {
	Outcome  Outcome
	Workflow Workflow
	// Jobs are its jobs: at the end, and before if [WaitOptions.WithJobs] is
	// set.
	Jobs []WorkflowJob
	// FailedJobs are the jobs that made it fail, once it has ended.
	FailedJobs []WorkflowJob
}

// Err is nil if the outcome is success or pending, and else an
// [UnsuccessfulError].
func (r *WorkflowResult) Err() error {
	return outcomeError(r.Outcome, culprits(r.FailedJobs, []Workflow{r.Workflow}))
}

// String says in a line where the workflow stands.
func (r *WorkflowResult) String() string { return workflowLine(&r.Workflow, r.Jobs) }

func workflowLine(w *Workflow, jobs []WorkflowJob) string {
	text := fmt.Sprintf("%s %s", w.Name, w.Status)
	var running []string
	done := 0
	for _, j := range jobs {
		if j.Status.Done() {
			done++
		} else if j.Status == JobStatusRunning {
			running = append(running, j.Name)
		}
	}
	if len(jobs) > 0 {
		text += fmt.Sprintf(" (%d of %d jobs", done, len(jobs))
		if len(running) > 0 {
			text += ", running " + strings.Join(running, " ")
		}
		text += ")"
	}
	return text
}

func outcomeError(o Outcome, detail []string) error {
	if o == OutcomeSuccess || o == OutcomePending {
		return nil
	}
	return &UnsuccessfulError{Outcome: o, Detail: strings.Join(detail, "; ")}
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

// Watch polls a workflow until it has ended, and yields where it stands at
// first and after each change; the last result has its Outcome. An error is
// yielded last. Reruns are other workflows and not followed: see
// [PipelinesService.Watch].
func (s *WorkflowsService) Watch(ctx context.Context, id uuid.UUID, o *WaitOptions, opts ...RequestOption) iter.Seq2[*WorkflowResult, error] {
	w := workflowWatch{service: s, id: id, options: o.withDefaults(), requests: opts}
	return watch(ctx, w.options, w.poll)
}

// Wait waits until a workflow has ended. That it failed is no error of the
// wait: see the result's Outcome, or its Err. On an error the result is the
// last one that is known, or nil.
func (s *WorkflowsService) Wait(ctx context.Context, id uuid.UUID, o *WaitOptions, opts ...RequestOption) (*WorkflowResult, error) {
	return last(s.Watch(ctx, id, o, opts...))
}

// RerunAndWait runs a workflow again, all of it, from its failed jobs, or chosen
// jobs, and waits until the new workflow has ended: see
// [WorkflowsService.Rerun] and [WorkflowsService.Wait].
func (s *WorkflowsService) RerunAndWait(ctx context.Context, id uuid.UUID, in RerunWorkflowRequest, o *WaitOptions, opts ...RequestOption) (*WorkflowResult, error) {
	rerun, err := s.Rerun(ctx, id, in, opts...)
	if err != nil {
		return nil, err
	}
	w := workflowWatch{service: s, id: rerun.WorkflowID, options: o.withDefaults(), requests: opts, known: true}
	return last(watch(ctx, w.options, w.poll))
}

// ApproveAndWait approves a job and waits until its workflow has ended: see
// [WorkflowsService.Approve] and [WorkflowsService.Wait]. With
// [WaitOptions.StopOnHold] it ends as well when another job waits for approval.
func (s *WorkflowsService) ApproveAndWait(ctx context.Context, id, approvalRequestID uuid.UUID, o *WaitOptions, opts ...RequestOption) (*WorkflowResult, error) {
	if err := refuseOwn(id); err != nil {
		return nil, errors.Unwrap(err)
	}
	if err := s.Approve(ctx, id, approvalRequestID, opts...); err != nil {
		return nil, err
	}
	w := workflowWatch{service: s, id: id, options: o.withDefaults(), requests: opts, known: true, approved: approvalRequestID}
	return last(watch(ctx, w.options, w.poll))
}

// JobResult is where a job stands, or how it has ended.
type JobResult struct {
	Outcome Outcome
	Job     Job
}

// Err is nil if the outcome is success or pending, and else an
// [UnsuccessfulError].
func (r *JobResult) Err() error {
	return outcomeError(r.Outcome, []string{fmt.Sprintf("job %s %s", r.Job.Name, r.Job.Status)})
}

// String says in a line where the job stands.
func (r *JobResult) String() string { return fmt.Sprintf("%s %s", r.Job.Name, r.Job.Status) }

func (r *JobResult) outcome() Outcome { return r.Outcome }
func (r *JobResult) state() string    { return string(r.Job.Status) }

// Watch polls a job until it has ended, and yields where it stands at first and
// after each change; the last result has its Outcome. An error is yielded last.
func (s *JobsService) Watch(ctx context.Context, slug ProjectSlug, number int64, o *WaitOptions, opts ...RequestOption) iter.Seq2[*JobResult, error] {
	known := false
	return watch(ctx, o.withDefaults(), func(ctx context.Context) (*JobResult, error) {
		job, err := s.Get(ctx, slug, number, opts...)
		if err != nil {
			return nil, lasting(err, known)
		}
		known = true
		return &JobResult{Outcome: jobOutcome(job.Status), Job: *job}, nil
	})
}

// Wait waits until a job has ended. That it failed is no error of the wait: see
// the result's Outcome, or its Err. On an error the result is the last one that
// is known, or nil. A workflow can still go on then: to know how a run ends,
// wait for its workflow or pipeline.
func (s *JobsService) Wait(ctx context.Context, slug ProjectSlug, number int64, o *WaitOptions, opts ...RequestOption) (*JobResult, error) {
	return last(s.Watch(ctx, slug, number, o, opts...))
}

func jobOutcome(s JobStatus) Outcome {
	switch {
	case s == JobStatusSuccess:
		return OutcomeSuccess
	case s == JobStatusCanceled:
		return OutcomeCanceled
	case s == JobStatusNotRun, s == JobStatusRetried:
		return OutcomeNotRun
	case s.Failed():
		return OutcomeFailed
	}
	return OutcomePending
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
	all, err := whole(Collect(w.service.ListWorkflows(w.id, w.requests...).All(ctx)))
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
		jobs, err := whole(Collect(workflows.ListJobs(wf.ID, w.requests...).All(ctx)))
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

type workflowWatch struct {
	service  *WorkflowsService
	id       uuid.UUID
	options  WaitOptions
	requests []RequestOption
	known    bool
	approved uuid.UUID // the request that has been approved just now
}

func (w *workflowWatch) poll(ctx context.Context) (*WorkflowResult, error) {
	if err := refuseOwn(w.id); err != nil {
		return nil, err
	}
	wf, err := w.service.Get(ctx, w.id, w.requests...)
	if err != nil {
		return nil, lasting(err, w.known)
	}
	w.known = true
	r := &WorkflowResult{Workflow: *wf, Outcome: outcomeOf(wf.Status)}
	held := wf.Status == WorkflowStatusOnHold && w.options.StopOnHold
	if r.Outcome == OutcomePending && !held && !w.options.WithJobs {
		return r, nil
	}
	r.Jobs, err = whole(Collect(w.service.ListJobs(w.id, w.requests...).All(ctx)))
	if err != nil {
		return nil, err
	}
	if held && slices.ContainsFunc(r.Jobs, w.isHeld) {
		r.Outcome = OutcomeOnHold
	}
	if r.Outcome != OutcomePending {
		r.FailedJobs = failedJobs(r.Jobs)
	}
	return r, nil
}

// isHeld reports whether a job waits for approval. One that has been approved
// just now can look so for a while.
func (w *workflowWatch) isHeld(j WorkflowJob) bool {
	return j.Status == JobStatusOnHold && j.ApprovalRequestID != w.approved
}

func outcomeOf(s WorkflowStatus) Outcome {
	switch s {
	case WorkflowStatusSuccess:
		return OutcomeSuccess
	case WorkflowStatusCanceled:
		return OutcomeCanceled
	case WorkflowStatusNotRun:
		return OutcomeNotRun
	case WorkflowStatusFailed, WorkflowStatusError, WorkflowStatusUnauthorized:
		return OutcomeFailed
	case WorkflowStatusRunning, WorkflowStatusFailing, WorkflowStatusOnHold:
	}
	return OutcomePending
}

// worst is the outcome of a whole: a failure counts before anything else, and
// what has not run counts only if there is nothing else.
func worst(outcomes []Outcome) Outcome {
	for _, o := range []Outcome{OutcomeFailed, OutcomeCanceled, OutcomeSuccess} {
		if slices.Contains(outcomes, o) {
			return o
		}
	}
	return OutcomeNotRun
}

func failedJobs(jobs []WorkflowJob) []WorkflowJob {
	return slices.DeleteFunc(slices.Clone(jobs), func(j WorkflowJob) bool { return !j.Status.Failed() })
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

// refuseOwn refuses to wait for the workflow that the caller runs in, which
// would wait for the caller.
func refuseOwn(workflow uuid.UUID) error {
	const variable = "CIRCLE_WORKFLOW_ID"
	if own, err := uuid.Parse(os.Getenv(variable)); err == nil && own == workflow {
		return &lastingError{&ArgumentError{
			Name: "workflow", Reason: "this program runs in it, as " + variable + " says: it would wait for itself",
		}}
	}
	return nil
}

// lastingError is an error of a poll that no further poll will mend.
type lastingError struct{ error }

func (e *lastingError) Unwrap() error { return e.error }

func lasting(err error, known bool) error {
	if errors.Is(err, ErrUnauthorized) || errors.Is(err, ErrForbidden) || errors.Is(err, ErrInvalidArgument) ||
		errors.Is(err, ErrNotFound) && !known {
		return &lastingError{err}
	}
	return err
}

// waited is what is waited for.
type waited interface {
	comparable
	String() string
	outcome() Outcome
	// state is the same as long as there is no news.
	state() string
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

func (r *WorkflowResult) outcome() Outcome { return r.Outcome }

func (r *WorkflowResult) state() string {
	return fmt.Sprint(r.Outcome, r.Workflow.Status) + jobStates(r.Jobs)
}

func jobStates(jobs []WorkflowJob) string {
	var text strings.Builder
	for _, j := range jobs {
		fmt.Fprint(&text, j.ID, j.Status)
	}
	return text.String()
}

// watch polls until there is an outcome, and yields what changes.
func watch[T waited](ctx context.Context, o WaitOptions, poll func(context.Context) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var (
			none     T
			shown    T // what was yielded last
			start    = time.Now()
			interval = o.MinInterval
			failures int
		)
		for {
			r, err := poll(ctx)
			progress := Progress{Elapsed: time.Since(start), Err: err}
			news, done := false, false
			if err != nil {
				failures++
				progress.Text, progress.Changed = "a poll failed: "+err.Error(), failures == 1
				if final := o.final(ctx, err, failures); final != nil {
					progress.Err, progress.Changed = final, true
					o.report(progress)
					yield(none, final)
					return
				}
			} else {
				news, done = shown == none || shown.state() != r.state(), r.outcome() != OutcomePending
				progress.Text, progress.Changed = r.String(), news || failures > 0
				failures = 0
			}
			if news {
				interval = o.MinInterval
			}
			if !done {
				progress.Next = interval*4/5 + rand.N(interval*2/5+1)
				interval = min(interval*3/2, o.MaxInterval)
			}
			o.report(progress)
			if news {
				shown = r
				if !yield(r, nil) {
					return
				}
			}
			if done {
				return
			}
			if err := transport.Sleep(ctx, progress.Next); err != nil {
				yield(none, fmt.Errorf("circleci: waiting: %w", err))
				return
			}
		}
	}
}

func (o *WaitOptions) report(p Progress) {
	if o.OnProgress != nil {
		o.OnProgress(p)
	}
}

// final is the error with which a failed poll ends the wait; nil if it goes
// on.
func (o *WaitOptions) final(ctx context.Context, err error, failures int) error {
	var lasting *lastingError
	switch {
	case errors.As(err, &lasting):
		return lasting.error
	case ctx.Err() != nil:
		return err
	case failures >= o.MaxFailedPolls:
		return fmt.Errorf("circleci: waiting: %d polls in a row failed, the last with: %w", failures, err)
	}
	return nil
}

// last takes a watch to its end. On an error it returns the last result before.
func last[T any](seq iter.Seq2[*T, error]) (*T, error) {
	var out *T
	for r, err := range seq {
		if err != nil {
			return out, err
		}
		out = r
	}
	return out, nil
}
