package circleci

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/google/uuid"
)

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
	r.Jobs, err = w.service.ListJobs(w.id, w.requests...).Collect(ctx)
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

func failedJobs(jobs []WorkflowJob) []WorkflowJob {
	return slices.DeleteFunc(slices.Clone(jobs), func(j WorkflowJob) bool { return !j.Status.Failed() })
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
