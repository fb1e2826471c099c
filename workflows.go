package circleci

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// WorkflowsService reads, cancels and reruns workflows, and approves their
// jobs.
type WorkflowsService service

// WorkflowStatus is the status of a workflow.
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
	WorkflowStatusFailing      WorkflowStatus = "failing" // a job has failed, others are still running
	WorkflowStatusOnHold       WorkflowStatus = "on_hold" // a job waits for approval
)

// Done reports whether the workflow has ended. It returns false for a status
// that this package does not know.
func (s WorkflowStatus) Done() bool {
	switch s {
	case WorkflowStatusSuccess, WorkflowStatusFailed, WorkflowStatusError, WorkflowStatusCanceled,
		WorkflowStatusUnauthorized, WorkflowStatusNotRun:
		return true
	case WorkflowStatusRunning, WorkflowStatusFailing, WorkflowStatusOnHold:
	}
	return false
}

// WorkflowTag marks special workflows.
type WorkflowTag string

// WorkflowTagSetup is the tag of a setup workflow.
const WorkflowTagSetup WorkflowTag = "setup"

// Workflow is a workflow of a pipeline: a set of jobs and their order.
type Workflow struct {
	ID             uuid.UUID      `json:"id"`
	Name           string         `json:"name"`
	Status         WorkflowStatus `json:"status"`
	PipelineID     uuid.UUID      `json:"pipeline_id"`
	PipelineNumber int64          `json:"pipeline_number"`
	ProjectSlug    ProjectSlug    `json:"project_slug"`
	// Tag is [WorkflowTagSetup] for a setup workflow, and empty otherwise.
	Tag        WorkflowTag `json:"tag,omitzero"`
	StartedBy  uuid.UUID   `json:"started_by"`
	CanceledBy uuid.UUID   `json:"canceled_by,omitzero"`
	ErroredBy  uuid.UUID   `json:"errored_by,omitzero"`
	// AutoRerunNumber is the number of this automatic rerun, from 1 to
	// MaxAutoReruns. Both are 0 if there are no automatic reruns.
	AutoRerunNumber int64     `json:"auto_rerun_number,omitzero"`
	MaxAutoReruns   int64     `json:"max_auto_reruns,omitzero"`
	CreatedAt       time.Time `json:"created_at"`
	StoppedAt       time.Time `json:"stopped_at,omitzero"` // zero while it runs
}

func (w *Workflow) key() itemKey { return itemKey{id: w.ID} }

// JobType is the type of a job in a workflow.
type JobType string

// The types of jobs.
const (
	JobTypeBuild    JobType = "build"
	JobTypeApproval JobType = "approval"

	// Not in CircleCI's API specification, but the API returns it.
	JobTypeNoOp    JobType = "no-op"
	JobTypeLock    JobType = "lock"
	JobTypeUnlock  JobType = "unlock"
	JobTypeRelease JobType = "release"
)

// WorkflowJob is a job of a workflow. For details, call [JobsService.Get] with
// its Number.
type WorkflowJob struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"`
	// Number is 0 for a job that has not started, and for an approval job.
	Number      int64       `json:"job_number,omitzero"`
	Type        JobType     `json:"type"`
	Status      JobStatus   `json:"status"`
	ProjectSlug ProjectSlug `json:"project_slug"`
	// Dependencies are the IDs of the jobs that must end before this job
	// starts.
	Dependencies []uuid.UUID `json:"dependencies"`
	// Requires maps the ID of a required job to the statuses that allow this
	// job to start.
	Requires map[string][]JobStatus `json:"requires,omitzero"`
	// ApprovalRequestID is the ID to pass to [WorkflowsService.Approve].
	ApprovalRequestID uuid.UUID `json:"approval_request_id,omitzero"`
	ApprovedBy        uuid.UUID `json:"approved_by,omitzero"`
	CanceledBy        uuid.UUID `json:"canceled_by,omitzero"`
	StartedAt         time.Time `json:"started_at,omitzero"` // zero before it starts
	StoppedAt         time.Time `json:"stopped_at,omitzero"` // zero while it runs
}

func (j *WorkflowJob) key() itemKey { return itemKey{id: j.ID} }

// Get returns the workflow with the given ID. If there is none, the error
// matches [ErrNotFound].
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

// Approve approves a job that is waiting for approval. The second ID is the
// job's [WorkflowJob.ApprovalRequestID].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Workflow/operation/approvePendingApprovalJobById
//
//circleci:operation POST /workflow/{id}/approve/{approval_request_id}
func (s *WorkflowsService) Approve(ctx context.Context, id, approvalRequestID uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, post("/workflow/{id}/approve/{approval_request_id}", id, approvalRequestID).with(opts))
}

// Cancel cancels a running workflow. It returns when the API has accepted the
// request, before the jobs have stopped.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Workflow/operation/cancelWorkflow
//
//circleci:operation POST /workflow/{id}/cancel
func (s *WorkflowsService) Cancel(ctx context.Context, id uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, post("/workflow/{id}/cancel", id).with(opts))
}

// RerunWorkflowRequest selects the jobs to rerun. The zero value reruns the
// whole workflow.
type RerunWorkflowRequest struct {
	// FromFailed reruns the failed jobs and the jobs that depend on them. It
	// cannot be combined with the other fields.
	FromFailed bool `json:"from_failed,omitzero"`
	// Jobs are the IDs of the jobs to rerun.
	Jobs []uuid.UUID `json:"jobs,omitzero"`
	// EnableSSH gives the token's owner SSH access to the jobs. It requires
	// Jobs.
	EnableSSH bool `json:"enable_ssh,omitzero"`
	// SparseTree omits the jobs that do not depend on Jobs. It requires Jobs.
	SparseTree bool `json:"sparse_tree,omitzero"`
}

func (r RerunWorkflowRequest) check() error {
	switch {
	case r.FromFailed && (len(r.Jobs) > 0 || r.EnableSSH || r.SparseTree):
		return &ArgumentError{Name: "from_failed", Reason: "cannot be combined with jobs, enable_ssh or sparse_tree"}
	case (r.EnableSSH || r.SparseTree) && len(r.Jobs) == 0:
		return &ArgumentError{Name: "jobs", Reason: "are required for enable_ssh and sparse_tree"}
	}
	return nil
}

// Rerun reruns a workflow that has ended. The rerun is a new workflow of the
// same pipeline; its ID is returned.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Workflow/operation/rerunWorkflow
//
//circleci:operation POST /workflow/{id}/rerun
func (s *WorkflowsService) Rerun(ctx context.Context, id uuid.UUID, in RerunWorkflowRequest, opts ...RequestOption) (*CreatedWorkflow, error) {
	return create[CreatedWorkflow](ctx, s.client, post("/workflow/{id}/rerun", id).body(in).with(opts))
}

// CreatedWorkflow identifies a workflow that was just started.
type CreatedWorkflow struct {
	ID uuid.UUID `json:"workflow_id"`
}
