package circleci

import (
	"context"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// WorkflowResult is the state of a workflow, or its result once it has ended.
type WorkflowResult struct {
	Outcome  Outcome
	Workflow Workflow
	// Jobs are the jobs of the workflow. It is set once the workflow has ended
	// or is on hold, or always if [WaitOptions.WithJobs] is true.
	Jobs []WorkflowJob
	// FailedJobs are the jobs that made the workflow fail. It is set once the
	// workflow has ended.
	FailedJobs []WorkflowJob
	// JobsErr says why Jobs and FailedJobs could not be listed. The Outcome is
	// still known. It is nil if they are complete.
	JobsErr error
}

// Err returns nil if the outcome is success or pending, and an
// [*UnsuccessfulError] otherwise.
func (r *WorkflowResult) Err() error {
	return outcomeError(r.Outcome, culprits(r.FailedJobs, []Workflow{r.Workflow}))
}

// String describes the state of the workflow in one line.
func (r *WorkflowResult) String() string { return workflowLine(&r.Workflow, r.Jobs) }

func workflowLine(w *Workflow, jobs []WorkflowJob) string {
	text := oneLine(w.Name) + " " + oneLine(string(w.Status))
	var running []string
	done := 0
	for _, j := range jobs {
		if j.Status.Done() {
			done++
		} else if j.Status == JobStatusRunning {
			running = append(running, oneLine(j.Name))
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

// Watch polls a workflow until it has ended. It yields the state first seen and
// each change; the last result has its Outcome set. If the wait fails, the
// error is yielded last. Watch does not follow reruns, which are separate
// workflows: to follow them, use [PipelinesService.Watch].
//
// [Timeout] limits the whole wait. With [NoRetry], each request is sent once.
func (s *WorkflowsService) Watch(ctx context.Context, id uuid.UUID, o *WaitOptions, opts ...RequestOption) iter.Seq2[*WorkflowResult, error] {
	return s.watch(ctx, o, opts, workflowWatch{id: id})
}

func (s *WorkflowsService) watch(ctx context.Context, o *WaitOptions, opts []RequestOption, w workflowWatch) iter.Seq2[*WorkflowResult, error] {
	return watch(ctx, o, opts, func(o WaitOptions) target[*WorkflowResult] {
		w := w // iterations do not share state
		w.service, w.options = s, o
		return &w
	})
}

// Wait waits until a workflow has ended. A failed workflow is not an error:
// check the result's Outcome or Err. On an error, the result is the last one
// seen, or nil.
func (s *WorkflowsService) Wait(ctx context.Context, id uuid.UUID, o *WaitOptions, opts ...RequestOption) (*WorkflowResult, error) {
	return last(nil, s.Watch(ctx, id, o, opts...))
}

// RerunAndWait reruns a workflow with [WorkflowsService.Rerun] and waits until
// the new workflow has ended, like [WorkflowsService.Wait]. The outcome is that
// of the jobs of the new workflow. Once the new workflow is created, the result
// contains its ID even if an error is returned.
func (s *WorkflowsService) RerunAndWait(ctx context.Context, id uuid.UUID, in RerunWorkflowRequest, o *WaitOptions, opts ...RequestOption) (*WorkflowResult, error) {
	ctx, cancel, opts, err := composite(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer cancel()
	rerun, err := s.Rerun(ctx, id, in, opts...)
	if err != nil {
		return nil, err
	}
	created := &WorkflowResult{Workflow: Workflow{ID: rerun.ID}}
	return last(created, s.watch(ctx, o, opts, workflowWatch{id: rerun.ID, known: true}))
}

// ApproveAndWait approves a job with [WorkflowsService.Approve] and waits until
// its workflow has ended, like [WorkflowsService.Wait]. With
// [WaitOptions.StopOnHold], it also returns when another job is waiting for
// approval.
func (s *WorkflowsService) ApproveAndWait(ctx context.Context, id, approvalRequestID uuid.UUID, o *WaitOptions, opts ...RequestOption) (*WorkflowResult, error) {
	ctx, cancel, opts, err := composite(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer cancel()
	if err := refuseOwn(id); err != nil {
		return nil, err
	}
	if err := s.Approve(ctx, id, approvalRequestID, opts...); err != nil {
		return nil, err
	}
	return last(nil, s.watch(ctx, o, opts, workflowWatch{id: id, known: true, approved: approvalRequestID}))
}

// workflowWatch holds the state between two polls of a workflow.
type workflowWatch struct {
	service  *WorkflowsService
	id       uuid.UUID
	options  WaitOptions
	known    bool      // the workflow exists: a 404 is temporary
	approved uuid.UUID // the approval request that was just approved
}

func (w *workflowWatch) String() string { return "workflow " + w.id.String() }

func (w *workflowWatch) poll(ctx context.Context, opts []RequestOption) (*WorkflowResult, error) {
	if err := refuseOwn(w.id); err != nil {
		return nil, err
	}
	wf, err := w.service.Get(ctx, w.id, opts...)
	if err != nil {
		return nil, orUnknown(err, w.known)
	}
	w.known = true
	r := &WorkflowResult{Workflow: *wf, Outcome: outcomeOf(wf.Status)}
	held := wf.Status == WorkflowStatusOnHold && w.options.StopOnHold
	if r.Outcome == OutcomePending && !held && !w.options.WithJobs {
		return r, nil
	}
	r.Jobs, r.JobsErr = w.service.ListJobs(w.id, opts...).Collect(ctx)
	switch {
	case held && r.JobsErr != nil && w.approved != uuid.Nil:
		return nil, r.JobsErr // it may be on hold for the job that was just approved
	case held && (r.JobsErr != nil || slices.ContainsFunc(r.Jobs, w.isHeld)):
		r.Outcome = OutcomeOnHold
	}
	if r.Outcome != OutcomePending {
		r.FailedJobs = failedJobs(r.Jobs)
	}
	return r, nil
}

// isHeld reports whether a job is waiting for approval. For a while after the
// approval, the API can still report the job as on hold.
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

// refuseOwn returns an error if this program runs in the workflow: it would
// wait for itself.
func refuseOwn(workflow uuid.UUID) error {
	const variable = "CIRCLE_WORKFLOW_ID"
	if own, err := uuid.Parse(os.Getenv(variable)); err == nil && own == workflow && workflow != uuid.Nil {
		return &ArgumentError{
			Name: "workflow", Reason: variable + " says that this program runs in this workflow, so it would wait for itself: use Workflows.WaitForOthers to wait for the other jobs",
		}
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
