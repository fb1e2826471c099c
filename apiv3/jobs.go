package apiv3

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// JobsService reads jobs, with their steps, output, tests, artifacts and
// resource usage. The API v3 cannot cancel a job: use
// [circleci.JobsService.CancelByID].
type JobsService service

// JobType is the type of a job.
type JobType string

// The known types of jobs.
const (
	JobTypeBuild    JobType = "build"
	JobTypeApproval JobType = "approval"
)

// Job is a job of a workflow.
type Job struct {
	ID         uuid.UUID `json:"id"`
	WorkflowID uuid.UUID `json:"workflow_id,omitzero"`
	ProjectID  uuid.UUID `json:"project_id,omitzero"`
	PipelineID uuid.UUID `json:"pipeline_id,omitzero"`
	// Number is the job's number in its project. Only lists have it.
	Number int64   `json:"number,omitzero"`
	Name   string  `json:"name"`
	Type   JobType `json:"type"`
	// Phase can be ahead of the actual state in lists: see [Job.State].
	Phase Phase `json:"phase"`
	// Outcome is empty until the job ends.
	Outcome        Outcome   `json:"outcome,omitzero"`
	CurrentOutcome Outcome   `json:"current_outcome,omitzero"`
	StartedAt      time.Time `json:"started_at,omitzero"`
	EndedAt        time.Time `json:"ended_at,omitzero"`
	// User is the user who approved or canceled the job, if any. Only
	// [JobsService.Get] returns it.
	User UserRef `json:"user,omitzero"`
	// Executions are the parallel executions, at least one once the job has
	// started. Only [JobsService.Get] returns them.
	Executions []Execution `json:"parallel_executions,omitzero"`
}

// State returns the state of the job. A build job that the API reports as
// started but that has no start time yet is queued.
func (j *Job) State() State {
	state := StateOf(j.Type, j.Phase, j.Outcome, j.CurrentOutcome)
	if state == StateRunning && j.StartedAt.IsZero() {
		return StateQueued
	}
	return state
}

// Execution is one of a job's parallel executions.
type Execution struct {
	Steps []Step `json:"steps"`
}

// Step is a step of a job.
type Step struct {
	// Num identifies the step's output: see [StepRef].
	Num       int       `json:"num"`
	Name      string    `json:"name"`
	Type      string    `json:"type"`
	Phase     Phase     `json:"phase"`
	Outcome   Outcome   `json:"outcome,omitzero"`
	Command   string    `json:"command,omitzero"`
	StartedAt time.Time `json:"started_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	// ExitCode is nil if the step has not ended or ran no command.
	ExitCode    *int  `json:"exit_code,omitzero"`
	StdoutBytes int64 `json:"stdout_bytes,omitzero"`
	StderrBytes int64 `json:"stderr_bytes,omitzero"`
}

// State returns the state of the step.
func (s *Step) State() State { return StateOf("", s.Phase, s.Outcome, "") }

// ListForWorkflow lists the jobs of a workflow, without their steps.
//
//circleci:operation GET /api/v3/jobs
func (s *JobsService) ListForWorkflow(workflowID uuid.UUID, opts ...circleci.RequestOption) *circleci.Pager[Job] {
	return list[Job](s.client, get("/api/v3/jobs").require("filter[workflow_id]", workflowID), opts)
}

// Get returns the job with the given ID, with its steps, or an error matching
// [circleci.ErrNotFound].
//
//circleci:operation GET /api/v3/jobs/{id}
func (s *JobsService) Get(ctx context.Context, id uuid.UUID, opts ...circleci.RequestOption) (*Job, error) {
	return one[Job](ctx, s.client, get("/api/v3/jobs/{id}", id), opts)
}

// Artifact is a file that a job stored.
type Artifact struct {
	ID   uuid.UUID `json:"id,omitzero"`
	Path string    `json:"path"`
	// URL is the download URL. It requires the token, and redirects to a
	// storage host, which must not receive the token:
	// [circleci.JobsService.DownloadArtifact] handles both.
	URL string `json:"url"`
	// Execution is the index of the parallel execution that stored the file.
	Execution int `json:"execution"`
}

// ListArtifacts lists the artifacts of a job.
//
//circleci:operation GET /api/v3/jobs/{id}/artifacts
func (s *JobsService) ListArtifacts(id uuid.UUID, opts ...circleci.RequestOption) *circleci.Pager[Artifact] {
	return list[Artifact](s.client, get("/api/v3/jobs/{id}/artifacts", id), opts)
}

// ResourceUsage says how much of its resource class a job used.
type ResourceUsage struct {
	ResourceClass struct {
		Name             string  `json:"name"`
		CPUCount         float64 `json:"cpu_count"`
		MemoryLimitBytes int64   `json:"memory_limit_bytes"`
	} `json:"resource_class"`
	Executions []ExecutionUsage `json:"parallel_executions"`
}

// ExecutionUsage is the usage of one parallel execution. Each series has one
// value per interval. The series can differ in length.
type ExecutionUsage struct {
	// Execution is the index of the parallel execution.
	Execution int `json:"execution"`
	// Interval is the time between two measurements.
	Interval circleci.Milliseconds `json:"interval_ms"`
	// CPUCores are the numbers of cores in use.
	CPUCores []float64 `json:"cpu_cores"`
	// MemoryBytes are the numbers of bytes of memory in use.
	MemoryBytes []float64 `json:"memory_bytes"`
	// NetworkRxBytes and NetworkTxBytes are the numbers of bytes received and
	// sent.
	NetworkRxBytes float64 `json:"network_rx_bytes,omitzero"`
	NetworkTxBytes float64 `json:"network_tx_bytes,omitzero"`
}

// GetResourceUsage returns how much of its resource class a job used. If the
// job never ran, the error matches [circleci.ErrNotFound].
//
//circleci:operation GET /api/v3/jobs/{id}/resource-usage
func (s *JobsService) GetResourceUsage(ctx context.Context, id uuid.UUID, opts ...circleci.RequestOption) (*ResourceUsage, error) {
	return one[ResourceUsage](ctx, s.client, get("/api/v3/jobs/{id}/resource-usage", id), opts)
}
