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
	// Jobs are its jobs, once it has ended or is on hold. If
	// [WaitOptions.WithJobs] is set they are listed before as well.
	Jobs []WorkflowJob
	// FailedJobs are the jobs that made it fail, once it has ended.
	FailedJobs []WorkflowJob
	// JobsErr is why Jobs and FailedJobs could not be listed. The Outcome is
	// known all the same. It is nil if nothing is missing.
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
// each change; the last result has an Outcome. An error is yielded last. Reruns
// are other workflows and are not followed: see [PipelinesService.Watch].
//
// Timeout limits the wait as a whole. NoRetry sends each request of a poll once.
func (s *WorkflowsService) Watch(ctx context.Context, id uuid.UUID, o *WaitOptions, opts ...RequestOption) iter.Seq2[*WorkflowResult, error] {
	return s.watch(ctx, o, opts, workflowWatch{id: id})
}

func (s *WorkflowsService) watch(ctx context.Context, o *WaitOptions, opts []RequestOption, w workflowWatch) iter.Seq2[*WorkflowResult, error] {
	return watch(ctx, o, opts, func(o WaitOptions) target[*WorkflowResult] {
		w := w // what one iteration learns is not for the next
		w.service, w.options = s, o
		return &w
	})
}

// Wait waits until a workflow has ended. A failed workflow is not an error of
// the wait: check the result's Outcome or Err. On an error the result is the
// last one seen, or nil.
func (s *WorkflowsService) Wait(ctx context.Context, id uuid.UUID, o *WaitOptions, opts ...RequestOption) (*WorkflowResult, error) {
	return last(nil, s.Watch(ctx, id, o, opts...))
}

// RerunAndWait reruns a workflow, from its start, from its failed jobs, or with
// chosen jobs, and waits until the new workflow has ended: see
// [WorkflowsService.Rerun] and [WorkflowsService.Wait]. Only the jobs of the new
// workflow count. If it was created, the result contains its ID even on an
// error.
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
	created := &WorkflowResult{Workflow: Workflow{ID: rerun.WorkflowID}}
	return last(created, s.watch(ctx, o, opts, workflowWatch{id: rerun.WorkflowID, known: true}))
}

// ApproveAndWait approves a job and waits until its workflow has ended: see
// [WorkflowsService.Approve] and [WorkflowsService.Wait]. With
// [WaitOptions.StopOnHold] it also ends when another job waits for approval.
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

// workflowWatch is what is known between two polls of a workflow.
type workflowWatch struct {
	service  *WorkflowsService
	id       uuid.UUID
	options  WaitOptions
	known    bool      // the workflow exists: a 404 is temporary
	approved uuid.UUID // the request that was just approved
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

// isHeld reports whether a job waits for approval. The API can still report one
// so for a while after its approval.
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

// refuseOwn refuses to wait for the workflow that this program runs in: it would
// wait for itself.
func refuseOwn(workflow uuid.UUID) error {
	const variable = "CIRCLE_WORKFLOW_ID"
	if own, err := uuid.Parse(os.Getenv(variable)); err == nil && own == workflow && workflow != uuid.Nil {
		return &ArgumentError{
			Name: "workflow", Reason: "this program runs in it, as " + variable + " says, and would wait for itself; to wait for its other jobs use Workflows.WaitForOthers",
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
