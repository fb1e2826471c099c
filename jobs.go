package circleci

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// JobsService reads jobs, their tests and their artifacts, and cancels jobs.
type JobsService service

// JobStatus is the status of a job.
type JobStatus string

// The statuses of a job.
const (
	JobStatusSuccess            JobStatus = "success"
	JobStatusFailed             JobStatus = "failed"
	JobStatusCanceled           JobStatus = "canceled"
	JobStatusUnauthorized       JobStatus = "unauthorized"
	JobStatusNotRun             JobStatus = "not_run"
	JobStatusInfrastructureFail JobStatus = "infrastructure_fail"
	JobStatusTimedOut           JobStatus = "timedout"
	JobStatusTerminatedUnknown  JobStatus = "terminated-unknown"
	JobStatusRetried            JobStatus = "retried"
	JobStatusQueued             JobStatus = "queued"
	JobStatusNotRunning         JobStatus = "not_running"
	JobStatusRunning            JobStatus = "running"
	JobStatusOnHold             JobStatus = "on_hold"
	JobStatusBlocked            JobStatus = "blocked"
)

// Done reports whether the job has ended. It returns false for a status that
// this package does not know.
func (s JobStatus) Done() bool {
	switch s {
	case JobStatusSuccess, JobStatusCanceled, JobStatusNotRun, JobStatusRetried:
		return true
	case JobStatusQueued, JobStatusNotRunning, JobStatusRunning, JobStatusOnHold, JobStatusBlocked:
		return false
	default:
		return s.Failed()
	}
}

// Failed reports whether the job ended with a status that makes its workflow
// fail. A canceled job has not failed.
func (s JobStatus) Failed() bool {
	switch s {
	case JobStatusFailed, JobStatusInfrastructureFail, JobStatusTimedOut, JobStatusTerminatedUnknown, JobStatusUnauthorized:
		return true
	default:
		return false
	}
}

// Job is a job with its details.
type Job struct {
	Number         int64             `json:"number"`
	Name           string            `json:"name"`
	Status         JobStatus         `json:"status"`
	WebURL         string            `json:"web_url"`
	Project        JobProject        `json:"project"`
	Organization   JobOrganization   `json:"organization"`
	Pipeline       JobPipeline       `json:"pipeline"`
	LatestWorkflow JobLatestWorkflow `json:"latest_workflow"`
	Executor       JobExecutor       `json:"executor"`
	Parallelism    int64             `json:"parallelism"`
	ParallelRuns   []ParallelRun     `json:"parallel_runs"`
	Contexts       []JobContext      `json:"contexts"`
	Messages       []JobMessage      `json:"messages"`
	CreatedAt      time.Time         `json:"created_at"`
	QueuedAt       time.Time         `json:"queued_at,omitzero"`
	StartedAt      time.Time         `json:"started_at,omitzero"` // zero before it starts
	StoppedAt      time.Time         `json:"stopped_at,omitzero"` // zero while it runs
	// Duration is 0 while the job runs.
	Duration Milliseconds `json:"duration,omitzero"`
}

// JobProject is the project of a job.
type JobProject struct {
	ID   uuid.UUID   `json:"id"`
	Slug ProjectSlug `json:"slug"`
	Name string      `json:"name"`
	// ExternalURL is the URL of the repository.
	ExternalURL string `json:"external_url"`
}

// JobOrganization is the organization of a job.
type JobOrganization struct {
	Name string `json:"name"`
}

// JobPipeline is the pipeline of a job.
type JobPipeline struct {
	ID uuid.UUID `json:"id"`
}

// JobLatestWorkflow is the last workflow that a job was part of.
type JobLatestWorkflow struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"`
}

// JobExecutor is the executor that a job runs on.
type JobExecutor struct {
	ResourceClass string `json:"resource_class"`
	Type          string `json:"type,omitzero"`
}

// ParallelRun is one of the containers that a job runs in.
type ParallelRun struct {
	Index  int64     `json:"index"`
	Status JobStatus `json:"status"`
}

// JobContext is a context that a job uses.
type JobContext struct {
	Name string `json:"name"`
}

// JobMessage is a message from CircleCI about a job.
type JobMessage struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Reason  string `json:"reason,omitzero"`
}

// Get returns the job of a project with the given number. If there is none, or
// the job has not run, the error matches [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Job/operation/getJobDetails
//
//circleci:operation GET /project/{project-slug}/job/{job-number}
func (s *JobsService) Get(ctx context.Context, slug ProjectSlug, number int64, opts ...RequestOption) (*Job, error) {
	return do[Job](ctx, s.client, get("/project/{project-slug}/job/{job-number}", slug, number).with(opts))
}

// GetByID returns the job with the given ID. If there is none, the error
// matches [ErrNotFound].
//
// This operation is not in CircleCI's API specification. It is known from
// CircleCI's own clients. Fields of [Job] that its response does not contain
// stay zero.
//
// Not available on CircleCI server.
//
//circleci:operation GET /jobs/{job-id}
func (s *JobsService) GetByID(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*Job, error) {
	return do[Job](ctx, s.client, get("/jobs/{job-id}", id).with(opts))
}

// Cancel cancels the job of a project with the given number.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Job/operation/cancelJobByJobNumber
//
//circleci:operation POST /project/{project-slug}/job/{job-number}/cancel
func (s *JobsService) Cancel(ctx context.Context, slug ProjectSlug, number int64, opts ...RequestOption) error {
	return exec(ctx, s.client, post("/project/{project-slug}/job/{job-number}/cancel", slug, number).with(opts))
}

// CancelByID cancels the job with the given ID.
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Job/operation/cancelJobByJobID
//
//circleci:operation POST /jobs/{job-id}/cancel
func (s *JobsService) CancelByID(ctx context.Context, id uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, post("/jobs/{job-id}/cancel", id).with(opts))
}

// Artifact is a file that a job stored.
type Artifact struct {
	Path string `json:"path"`
	// NodeIndex is the index of the parallel run that stored it, from 0.
	NodeIndex int64 `json:"node_index"`
	// URL is the download URL. It redirects to a storage host, which must not
	// receive the token.
	URL string `json:"url"`
}

// ListArtifacts lists the artifacts of a job.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Job/operation/getJobArtifacts
//
//circleci:operation GET /project/{project-slug}/{job-number}/artifacts
func (s *JobsService) ListArtifacts(slug ProjectSlug, number int64, opts ...RequestOption) *Pager[Artifact] {
	return list[Artifact](s.client, get("/project/{project-slug}/{job-number}/artifacts", slug, number).with(opts))
}

// TestResult is the result of a test.
type TestResult string

// The results of a test.
const (
	TestResultSuccess TestResult = "success"
	TestResultFailure TestResult = "failure"
	TestResultError   TestResult = "error"
	TestResultSkipped TestResult = "skipped"
)

// Failed reports whether the test failed or ended with an error.
func (r TestResult) Failed() bool { return r == TestResultFailure || r == TestResultError }

// Test is one test of a job, with its result.
type Test struct {
	Name      string     `json:"name"`
	Classname string     `json:"classname"`
	File      string     `json:"file,omitzero"`
	Source    string     `json:"source"`
	Result    TestResult `json:"result"`
	Message   string     `json:"message,omitzero"`
	RunTime   Seconds    `json:"run_time"`
}

// ListTests lists the test results that a job stored.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Job/operation/getTests
//
//circleci:operation GET /project/{project-slug}/{job-number}/tests
func (s *JobsService) ListTests(slug ProjectSlug, number int64, opts ...RequestOption) *Pager[Test] {
	return list[Test](s.client, get("/project/{project-slug}/{job-number}/tests", slug, number).with(opts))
}
