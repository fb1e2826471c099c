package apiv3

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// WorkflowsService reads, reruns and cancels workflows. The API v3 cannot
// approve a job: use [circleci.WorkflowsService.Approve].
type WorkflowsService service

// Workflow is a workflow of a run.
type Workflow struct {
	ID        uuid.UUID `json:"id"`
	RunID     uuid.UUID `json:"run_id,omitzero"`
	ProjectID uuid.UUID `json:"project_id,omitzero"`
	Name      string    `json:"name"`
	Phase     Phase     `json:"phase"`
	// Outcome is empty until the workflow ends.
	Outcome        Outcome   `json:"outcome,omitzero"`
	CurrentOutcome Outcome   `json:"current_outcome,omitzero"`
	CreatedAt      time.Time `json:"created_at"`
	EndedAt        time.Time `json:"ended_at,omitzero"`
	// User is the user who started the workflow or, if it was canceled, who
	// canceled it.
	User UserRef `json:"user,omitzero"`
}

// State returns the state of the workflow. It is never [StateOnHold]: only the
// jobs show whether a workflow is waiting for approval.
func (w *Workflow) State() State { return StateOf("", w.Phase, w.Outcome, w.CurrentOutcome) }

// ListForRun lists the workflows of a run. The list is empty, or the error
// matches [circleci.ErrNotFound], until they have been created.
//
//circleci:operation GET /api/v3/workflows
func (s *WorkflowsService) ListForRun(runID uuid.UUID, opts ...circleci.RequestOption) *circleci.Pager[Workflow] {
	return list[Workflow](s.client, get("/api/v3/workflows").require("filter[run_id]", runID), opts)
}

// Get returns the workflow with the given ID, or an error matching
// [circleci.ErrNotFound].
//
//circleci:operation GET /api/v3/workflows/{id}
func (s *WorkflowsService) Get(ctx context.Context, id uuid.UUID, opts ...circleci.RequestOption) (*Workflow, error) {
	return one[Workflow](ctx, s.client, get("/api/v3/workflows/{id}", id), opts)
}

// RerunWorkflowRequest selects the jobs to rerun. The zero value reruns the
// whole workflow.
type RerunWorkflowRequest struct {
	// FromFailed reruns the failed jobs and the jobs that depend on them.
	FromFailed bool `json:"is_from_failed,omitzero"`
	// EnableSSH gives the token's owner SSH access to the jobs.
	EnableSSH bool `json:"is_ssh_enabled,omitzero"`
	// JobIDs are the IDs of the jobs to rerun.
	JobIDs []uuid.UUID `json:"jobs,omitzero"`
}

// Rerun reruns a workflow as a new workflow, and returns the new workflow's ID.
// It is not retried after a failure that leaves it unknown whether it took
// effect.
//
//circleci:operation POST /api/v3/workflows/{id}/rerun
func (s *WorkflowsService) Rerun(ctx context.Context, id uuid.UUID, in RerunWorkflowRequest, opts ...circleci.RequestOption) (uuid.UUID, error) {
	return idOf(ctx, s.client, post("/api/v3/workflows/{id}/rerun", id).body(in), opts)
}

// Cancel cancels a workflow. It returns when the API has accepted the request,
// before the workflow has ended.
//
//circleci:operation POST /api/v3/workflows/{id}/cancel
func (s *WorkflowsService) Cancel(ctx context.Context, id uuid.UUID, opts ...circleci.RequestOption) error {
	return exec(ctx, s.client, post("/api/v3/workflows/{id}/cancel", id).idempotent(), opts)
}
