package circleci

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// WorkflowsService reads workflows, approves, cancels and reruns them.
type WorkflowsService service

// WorkflowStatus tells how far a workflow has come.
type WorkflowStatus string

// The statuses of a workflow.
const (
	WorkflowStatusSuccess      WorkflowStatus = "success"
	WorkflowStatusFailed       WorkflowStatus = "failed"
	WorkflowStatusError        WorkflowStatus = "error"
	WorkflowStatusCanceled     WorkflowStatus = "canceled"
	WorkflowStatusUnauthorized WorkflowStatus = "unauthorized"
	WorkflowStatusNotRun       WorkflowStatus = "not_run"
	WorkflowStatusRunning      WorkflowStatus = "running"
	WorkflowStatusFailing      WorkflowStatus = "failing" // a job has failed, others still run
	WorkflowStatusOnHold       WorkflowStatus = "on_hold" // a job waits for approval
)

// Done reports whether the workflow has ended. It is false for a status that
// this package does not know.
func (s WorkflowStatus) Done() bool {
	switch s {
	case WorkflowStatusSuccess, WorkflowStatusFailed, WorkflowStatusError, WorkflowStatusCanceled,
		WorkflowStatusUnauthorized, WorkflowStatusNotRun:
		return true
	case WorkflowStatusRunning, WorkflowStatusFailing, WorkflowStatusOnHold:
	}
	return false
}

// WorkflowTag marks a workflow as one of a kind.
type WorkflowTag string

// WorkflowTagSetup is the tag of a setup workflow.
const WorkflowTagSetup WorkflowTag = "setup"

// Workflow is a set of jobs of a pipeline, with their order.
type Workflow struct {
	ID             uuid.UUID      `json:"id"`
	Name           string         `json:"name"`
	Status         WorkflowStatus `json:"status"`
	PipelineID     uuid.UUID      `json:"pipeline_id"`
	PipelineNumber int64          `json:"pipeline_number"`
	ProjectSlug    ProjectSlug    `json:"project_slug"`
	// Tag is [WorkflowTagSetup] for a setup workflow, and empty for others.
	Tag        WorkflowTag `json:"tag,omitzero"`
	StartedBy  uuid.UUID   `json:"started_by"`
	CanceledBy uuid.UUID   `json:"canceled_by,omitzero"`
	ErroredBy  uuid.UUID   `json:"errored_by,omitzero"`
	// AutoRerunNumber is the number of this automatic rerun, from 1, of at
	// most MaxAutoReruns; both are 0 if there are none.
	AutoRerunNumber int64     `json:"auto_rerun_number,omitzero"`
	MaxAutoReruns   int64     `json:"max_auto_reruns,omitzero"`
	CreatedAt       time.Time `json:"created_at"`
	StoppedAt       time.Time `json:"stopped_at,omitzero"` // zero while it runs
}

func (w *Workflow) key() itemKey { return itemKey{id: w.ID} }

// JobType is the kind of a job in a workflow.
type JobType string

// The kinds of jobs.
const (
	JobTypeBuild    JobType = "build"
	JobTypeApproval JobType = "approval"

	// Not in CircleCI's API specification, and sent by it.
	JobTypeNoOp    JobType = "no-op"
	JobTypeLock    JobType = "lock"
	JobTypeUnlock  JobType = "unlock"
	JobTypeRelease JobType = "release"
)

// WorkflowJob is a job as its workflow sees it. For more see
// [JobsService.Get], with its Number.
type WorkflowJob struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"`
	// Number is 0 for a job that has not started, and for an approval.
	Number      int64       `json:"job_number,omitzero"`
	Type        JobType     `json:"type"`
	Status      JobStatus   `json:"status"`
	ProjectSlug ProjectSlug `json:"project_slug"`
	// Dependencies are the IDs of the jobs that have to end before.
	Dependencies []uuid.UUID `json:"dependencies"`
	// Requires holds, by the ID of a job, the statuses with which that job
	// lets this one begin.
	Requires map[string][]JobStatus `json:"requires,omitzero"`
	// ApprovalRequestID is what [WorkflowsService.Approve] takes.
	ApprovalRequestID uuid.UUID `json:"approval_request_id,omitzero"`
	ApprovedBy        uuid.UUID `json:"approved_by,omitzero"`
	CanceledBy        uuid.UUID `json:"canceled_by,omitzero"`
	StartedAt         time.Time `json:"started_at,omitzero"` // zero before it starts
	StoppedAt         time.Time `json:"stopped_at,omitzero"` // zero while it runs
}

func (j *WorkflowJob) key() itemKey { return itemKey{id: j.ID} }

// Get returns the workflow with the given ID, or an error matching
// [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Workflow/operation/getWorkflowById
//
//circleci:operation GET /workflow/{id}
func (s *WorkflowsService) Get(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*Workflow, error) {
	return do[Workflow](ctx, s.client, get("/workflow/{id}", id).with(opts))
}

// ListJobs lists the jobs of a workflow.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Workflow/operation/listWorkflowJobs
//
//circleci:operation GET /workflow/{id}/job
func (s *WorkflowsService) ListJobs(id uuid.UUID, opts ...RequestOption) *Pager[WorkflowJob] {
	return list[WorkflowJob](s.client, get("/workflow/{id}/job", id).with(opts))
}

// Approve approves a job that waits for it; the second ID is the job's
// ApprovalRequestID.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Workflow/operation/approvePendingApprovalJobById
//
//circleci:operation POST /workflow/{id}/approve/{approval_request_id}
func (s *WorkflowsService) Approve(ctx context.Context, id, approvalRequestID uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, post("/workflow/{id}/approve/{approval_request_id}", id, approvalRequestID).with(opts))
}

// Cancel cancels a workflow that runs. It returns when the API has taken the
// request, before the jobs have stopped.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Workflow/operation/cancelWorkflow
//
//circleci:operation POST /workflow/{id}/cancel
func (s *WorkflowsService) Cancel(ctx context.Context, id uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, post("/workflow/{id}/cancel", id).with(opts))
}

// RerunWorkflowRequest says what of a workflow to run again: all of it, if
// nothing is set.
type RerunWorkflowRequest struct {
	// FromFailed runs what has failed and what comes after it. It does not go
	// with the others.
	FromFailed bool `json:"from_failed,omitzero"`
	// Jobs are the IDs of the jobs to run.
	Jobs []uuid.UUID `json:"jobs,omitzero"`
	// EnableSSH lets the token's owner into the jobs by SSH; it needs Jobs.
	EnableSSH bool `json:"enable_ssh,omitzero"`
	// SparseTree leaves out what does not depend on the Jobs, which it needs.
	SparseTree bool `json:"sparse_tree,omitzero"`
}

func (r RerunWorkflowRequest) check() error {
	switch {
	case r.FromFailed && (len(r.Jobs) > 0 || r.EnableSSH || r.SparseTree):
		return &ArgumentError{Name: "from_failed", Reason: "does not go with jobs, enable_ssh or sparse_tree"}
	case (r.EnableSSH || r.SparseTree) && len(r.Jobs) == 0:
		return &ArgumentError{Name: "jobs", Reason: "are needed for enable_ssh and sparse_tree"}
	}
	return nil
}

// Rerun runs a workflow again, as a new workflow of the same pipeline, whose
// ID is returned. The workflow has to have ended.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Workflow/operation/rerunWorkflow
//
//circleci:operation POST /workflow/{id}/rerun
func (s *WorkflowsService) Rerun(ctx context.Context, id uuid.UUID, in RerunWorkflowRequest, opts ...RequestOption) (*RerunWorkflow, error) {
	return do[RerunWorkflow](ctx, s.client, post("/workflow/{id}/rerun", id).body(in).with(opts))
}

// RerunWorkflow is the answer to a rerun.
type RerunWorkflow struct {
	// WorkflowID is the new workflow's.
	WorkflowID uuid.UUID `json:"workflow_id"`
}
