package circleci

import (
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// WorkflowMetrics are the metrics of a workflow in a reporting window.
type WorkflowMetrics struct {
	Name      string          `json:"name"`
	ProjectID uuid.UUID       `json:"project_id"`
	Metrics   WorkflowNumbers `json:"metrics"`
	// WindowStart and WindowEnd are the times of the first and the last run
	// that count.
	WindowStart time.Time `json:"window_start"`
	WindowEnd   time.Time `json:"window_end"`
}

func (m *WorkflowMetrics) key() itemKey { return itemKey{id: m.ProjectID, name: m.Name} }

// WorkflowNumbers are the numbers of [WorkflowMetrics].
type WorkflowNumbers struct {
	// TotalRuns counts runs that have not ended too.
	TotalRuns      int64 `json:"total_runs"`
	SuccessfulRuns int64 `json:"successful_runs"`
	FailedRuns     int64 `json:"failed_runs"`
	// SuccessRate is a part of 1, of the runs that were not canceled.
	SuccessRate float64 `json:"success_rate"`
	// Throughput is the number of runs a day.
	Throughput float64         `json:"throughput"`
	Durations  DurationMetrics `json:"duration_metrics"`
	// MTTR is the mean time to recovery, from a failure to the next success.
	// It is nil if nothing failed.
	MTTR *Seconds `json:"mttr"`
	// TotalRecoveries is the number of runs that recovered, a day; nil if the
	// API does not tell.
	TotalRecoveries *int64 `json:"total_recoveries"`
	// TotalCreditsUsed is nil if the API does not tell.
	TotalCreditsUsed *int64 `json:"total_credits_used"`
}

// ListWorkflowMetricsOptions says which metrics to list. By default they are
// those of the default branch in 90 days. Branch and AllBranches exclude each
// other.
type ListWorkflowMetricsOptions struct {
	Branch          string
	AllBranches     bool
	ReportingWindow ReportingWindow
}

func (o *ListWorkflowMetricsOptions) query(q *encode.Query) {
	if o != nil {
		branchesOf(q, o.Branch, o.AllBranches)
		q.String("reporting-window", string(o.ReportingWindow))
	}
}

func (o *ListWorkflowMetricsOptions) check() error {
	if o == nil {
		return nil
	}
	return checkBranches(o.Branch, o.AllBranches)
}

// ListWorkflowMetrics lists the metrics of a project's workflows.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Insights/operation/getProjectWorkflowMetrics
//
//circleci:operation GET /insights/{project-slug}/workflows
func (s *InsightsService) ListWorkflowMetrics(slug ProjectSlug, o *ListWorkflowMetricsOptions, opts ...RequestOption) *Pager[WorkflowMetrics] {
	return list[WorkflowMetrics](s.client, get("/insights/{project-slug}/workflows", slug).query(o).with(opts))
}

// WorkflowRun is a run of a workflow as Insights has it.
type WorkflowRun struct {
	ID     uuid.UUID `json:"id"` // of the workflow
	Branch string    `json:"branch"`
	// Status is empty if the API does not tell.
	Status WorkflowStatus `json:"status"`
	// Duration is nil for a run that has not ended.
	Duration    *Seconds  `json:"duration"`
	CreatedAt   time.Time `json:"created_at"`
	StoppedAt   time.Time `json:"stopped_at,omitzero"` // zero for a run that has not ended
	CreditsUsed int64     `json:"credits_used"`
	IsApproval  bool      `json:"is_approval"`
}

func (r *WorkflowRun) key() itemKey { return itemKey{id: r.ID} }

// ListWorkflowRunsOptions says which runs to list. By default they are those of
// the default branch in 90 days. Branch and AllBranches exclude each other.
type ListWorkflowRunsOptions struct {
	Branch      string
	AllBranches bool
	// Only runs count that began at the StartDate or later, and before the
	// EndDate, which needs a StartDate, at most 90 days earlier.
	StartDate, EndDate time.Time
}

func (o *ListWorkflowRunsOptions) query(q *encode.Query) {
	if o != nil {
		branchesOf(q, o.Branch, o.AllBranches)
		q.Time("start-date", o.StartDate)
		q.Time("end-date", o.EndDate)
	}
}

func (o *ListWorkflowRunsOptions) check() error {
	if o == nil {
		return nil
	}
	if err := checkBranches(o.Branch, o.AllBranches); err != nil {
		return err
	}
	return checkDates(o.StartDate, o.EndDate)
}

// ListWorkflowRuns lists the recent runs of a workflow.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Insights/operation/getProjectWorkflowRuns
//
//circleci:operation GET /insights/{project-slug}/workflows/{workflow-name}
func (s *InsightsService) ListWorkflowRuns(slug ProjectSlug, workflow string, o *ListWorkflowRunsOptions, opts ...RequestOption) *Pager[WorkflowRun] {
	return list[WorkflowRun](s.client, get("/insights/{project-slug}/workflows/{workflow-name}", slug, workflow).query(o).with(opts))
}

// JobMetrics are the metrics of a job of a workflow in a reporting window.
type JobMetrics struct {
	Name    string     `json:"name"`
	Metrics JobNumbers `json:"metrics"`
	// WindowStart and WindowEnd are the times of the first and the last run
	// that count.
	WindowStart time.Time `json:"window_start"`
	WindowEnd   time.Time `json:"window_end"`
}

func (m *JobMetrics) key() itemKey { return itemKey{name: m.Name} }

// JobNumbers are the numbers of [JobMetrics].
type JobNumbers struct {
	// TotalRuns counts runs that have not ended too.
	TotalRuns      int64 `json:"total_runs"`
	SuccessfulRuns int64 `json:"successful_runs"`
	FailedRuns     int64 `json:"failed_runs"`
	// SuccessRate is a part of 1, of the runs that were not canceled.
	SuccessRate float64 `json:"success_rate"`
	// Throughput is the number of runs a day.
	Throughput       float64         `json:"throughput"`
	Durations        DurationMetrics `json:"duration_metrics"`
	TotalCreditsUsed int64           `json:"total_credits_used"`
}

// ListJobMetricsOptions says which metrics to list. By default they are those
// of the default branch in 90 days. Branch and AllBranches exclude each other.
type ListJobMetricsOptions struct {
	Branch          string
	AllBranches     bool
	ReportingWindow ReportingWindow
	// JobName lists only the jobs whose name is or contains it.
	JobName string
}

func (o *ListJobMetricsOptions) query(q *encode.Query) {
	if o != nil {
		branchesOf(q, o.Branch, o.AllBranches)
		q.String("reporting-window", string(o.ReportingWindow))
		q.String("job-name", o.JobName)
	}
}

func (o *ListJobMetricsOptions) check() error {
	if o == nil {
		return nil
	}
	return checkBranches(o.Branch, o.AllBranches)
}

// ListJobMetrics lists the metrics of a workflow's jobs.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Insights/operation/getProjectWorkflowJobMetrics
//
//circleci:operation GET /insights/{project-slug}/workflows/{workflow-name}/jobs
func (s *InsightsService) ListJobMetrics(slug ProjectSlug, workflow string, o *ListJobMetricsOptions, opts ...RequestOption) *Pager[JobMetrics] {
	return list[JobMetrics](s.client, get("/insights/{project-slug}/workflows/{workflow-name}/jobs", slug, workflow).query(o).with(opts))
}

// JobTimeSeriesPoint holds the metrics of a job in one interval of a time
// series.
type JobTimeSeriesPoint struct {
	Name string `json:"name"` // of the job
	// Timestamp is the start of the interval.
	Timestamp time.Time `json:"timestamp"`
	// MinStartedAt is the start of the first run that counts, MaxEndedAt the
	// end of the last.
	MinStartedAt time.Time         `json:"min_started_at"`
	MaxEndedAt   time.Time         `json:"max_ended_at"`
	Metrics      TimeSeriesNumbers `json:"metrics"`
}

func (p *JobTimeSeriesPoint) key() itemKey {
	return itemKey{name: p.Name + "\x00" + p.Timestamp.UTC().Format(time.RFC3339Nano)}
}

// TimeSeriesNumbers are the numbers of a [JobTimeSeriesPoint].
type TimeSeriesNumbers struct {
	// TotalRuns counts runs that have not ended too.
	TotalRuns      int64 `json:"total_runs"`
	SuccessfulRuns int64 `json:"successful_runs"`
	FailedRuns     int64 `json:"failed_runs"`
	// Throughput is the number of runs a day.
	Throughput        float64             `json:"throughput"`
	MedianCreditsUsed int64               `json:"median_credits_used"`
	TotalCreditsUsed  int64               `json:"total_credits_used"`
	Durations         TimeSeriesDurations `json:"duration_metrics"`
}

// TimeSeriesDurations are statistics of the durations of runs in an interval. A
// field is nil where no run gives a value.
type TimeSeriesDurations struct {
	Min    *Seconds `json:"min"`
	Median *Seconds `json:"median"`
	Max    *Seconds `json:"max"`
	P95    *Seconds `json:"p95"` // the 95th percentile
	Total  *Seconds `json:"total"`
}

// ListJobTimeSeriesOptions says what to list. By default it is the default
// branch.
type ListJobTimeSeriesOptions struct {
	Branch      string
	Granularity Granularity
	// Only runs count that began at the StartDate or later, and before the
	// EndDate, which needs a StartDate, at most 90 days earlier.
	StartDate, EndDate time.Time
}

func (o *ListJobTimeSeriesOptions) query(q *encode.Query) {
	if o != nil {
		q.String("branch", o.Branch)
		q.String("granularity", string(o.Granularity))
		q.Time("start-date", o.StartDate)
		q.Time("end-date", o.EndDate)
	}
}

func (o *ListJobTimeSeriesOptions) check() error {
	if o == nil {
		return nil
	}
	return checkDates(o.StartDate, o.EndDate)
}

// ListJobTimeSeries lists the metrics of a workflow's jobs hour by hour or day
// by day.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Insights/operation/getJobTimeseries
//
//circleci:operation GET /insights/time-series/{project-slug}/workflows/{workflow-name}/jobs
func (s *InsightsService) ListJobTimeSeries(slug ProjectSlug, workflow string, o *ListJobTimeSeriesOptions, opts ...RequestOption) *Pager[JobTimeSeriesPoint] {
	return list[JobTimeSeriesPoint](s.client, get("/insights/time-series/{project-slug}/workflows/{workflow-name}/jobs", slug, workflow).query(o).with(opts))
}
