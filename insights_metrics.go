package circleci

import (
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// WorkflowMetrics are the metrics of a workflow in a reporting window.
type WorkflowMetrics struct {
	Name      string               `json:"name"`
	ProjectID uuid.UUID            `json:"project_id"`
	Metrics   WorkflowMetricValues `json:"metrics"`
	// WindowStart and WindowEnd are the times of the first and last runs
	// included.
	WindowStart time.Time `json:"window_start"`
	WindowEnd   time.Time `json:"window_end"`
}

func (m *WorkflowMetrics) key() itemKey { return itemKey{id: m.ProjectID, name: m.Name} }

// WorkflowMetricValues holds the values of [WorkflowMetrics].
type WorkflowMetricValues struct {
	// TotalRuns includes unfinished runs.
	TotalRuns      int64 `json:"total_runs"`
	SuccessfulRuns int64 `json:"successful_runs"`
	FailedRuns     int64 `json:"failed_runs"`
	// SuccessRate is a fraction from 0 to 1 of the runs that were not canceled.
	SuccessRate float64 `json:"success_rate"`
	// Throughput is the number of runs per day.
	Throughput float64         `json:"throughput"`
	Durations  DurationMetrics `json:"duration_metrics"`
	// MTTR is the mean time to recovery, from a failure to the next success. It
	// is nil if no run failed.
	MTTR *Seconds `json:"mttr"`
	// TotalRecoveries is the number of recoveries per day. It is nil if the API
	// does not return it.
	TotalRecoveries *int64 `json:"total_recoveries"`
	// TotalCreditsUsed is nil if the API does not return it.
	TotalCreditsUsed *int64 `json:"total_credits_used"`
}

// ListWorkflowMetricsOptions are the options of
// [InsightsService.ListWorkflowMetrics]. The default is 90 days of the default
// branch. Branch and AllBranches are mutually exclusive.
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

// WorkflowRun is a run of a workflow, as reported by Insights.
type WorkflowRun struct {
	ID     uuid.UUID `json:"id"` // of the workflow
	Branch string    `json:"branch"`
	// Status is empty if the API does not return it.
	Status WorkflowStatus `json:"status"`
	// Duration is nil for an unfinished run.
	Duration    *Seconds  `json:"duration"`
	CreatedAt   time.Time `json:"created_at"`
	StoppedAt   time.Time `json:"stopped_at,omitzero"` // zero for an unfinished run
	CreditsUsed int64     `json:"credits_used"`
	IsApproval  bool      `json:"is_approval"`
}

func (r *WorkflowRun) key() itemKey { return itemKey{id: r.ID} }

// ListWorkflowRunsOptions are the options of
// [InsightsService.ListWorkflowRuns]. The default is 90 days of the default
// branch. Branch and AllBranches are mutually exclusive.
type ListWorkflowRunsOptions struct {
	Branch      string
	AllBranches bool
	// StartDate and EndDate select the runs that started at or after StartDate
	// and before EndDate. EndDate requires StartDate, at most 90 days earlier.
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
	Name    string          `json:"name"`
	Metrics JobMetricValues `json:"metrics"`
	// WindowStart and WindowEnd are the times of the first and last runs
	// included.
	WindowStart time.Time `json:"window_start"`
	WindowEnd   time.Time `json:"window_end"`
}

func (m *JobMetrics) key() itemKey { return itemKey{name: m.Name} }

// JobMetricValues holds the values of [JobMetrics].
type JobMetricValues struct {
	// TotalRuns includes unfinished runs.
	TotalRuns      int64 `json:"total_runs"`
	SuccessfulRuns int64 `json:"successful_runs"`
	FailedRuns     int64 `json:"failed_runs"`
	// SuccessRate is a fraction from 0 to 1 of the runs that were not canceled.
	SuccessRate float64 `json:"success_rate"`
	// Throughput is the number of runs per day.
	Throughput       float64         `json:"throughput"`
	Durations        DurationMetrics `json:"duration_metrics"`
	TotalCreditsUsed int64           `json:"total_credits_used"`
}

// ListJobMetricsOptions are the options of [InsightsService.ListJobMetrics].
// The default is 90 days of the default branch. Branch and AllBranches are
// mutually exclusive.
type ListJobMetricsOptions struct {
	Branch          string
	AllBranches     bool
	ReportingWindow ReportingWindow
	// JobName limits the list to jobs whose name contains it, unless it is
	// empty.
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
	// MinStartedAt is the start of the first run included; MaxEndedAt is the
	// end of the last.
	MinStartedAt time.Time        `json:"min_started_at"`
	MaxEndedAt   time.Time        `json:"max_ended_at"`
	Metrics      TimeSeriesValues `json:"metrics"`
}

func (p *JobTimeSeriesPoint) key() itemKey {
	return itemKey{name: p.Name + "\x00" + p.Timestamp.UTC().Format(time.RFC3339Nano)}
}

// TimeSeriesValues holds the values of a [JobTimeSeriesPoint].
type TimeSeriesValues struct {
	// TotalRuns includes unfinished runs.
	TotalRuns      int64 `json:"total_runs"`
	SuccessfulRuns int64 `json:"successful_runs"`
	FailedRuns     int64 `json:"failed_runs"`
	// Throughput is the number of runs per day.
	Throughput        float64             `json:"throughput"`
	MedianCreditsUsed int64               `json:"median_credits_used"`
	TotalCreditsUsed  int64               `json:"total_credits_used"`
	Durations         TimeSeriesDurations `json:"duration_metrics"`
}

// TimeSeriesDurations are statistics of run durations in an interval. A field
// is nil if no run has a value for it.
type TimeSeriesDurations struct {
	Min    *Seconds `json:"min"`
	Median *Seconds `json:"median"`
	Max    *Seconds `json:"max"`
	P95    *Seconds `json:"p95"` // the 95th percentile
	Total  *Seconds `json:"total"`
}

// ListJobTimeSeriesOptions are the options of
// [InsightsService.ListJobTimeSeries]. The default is the default branch.
type ListJobTimeSeriesOptions struct {
	Branch      string
	Granularity Granularity
	// StartDate and EndDate select the runs that started at or after StartDate
	// and before EndDate. EndDate requires StartDate, at most 90 days earlier.
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

// ListJobTimeSeries lists the hourly or daily metrics of a workflow's jobs.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Insights/operation/getJobTimeseries
//
//circleci:operation GET /insights/time-series/{project-slug}/workflows/{workflow-name}/jobs
func (s *InsightsService) ListJobTimeSeries(slug ProjectSlug, workflow string, o *ListJobTimeSeriesOptions, opts ...RequestOption) *Pager[JobTimeSeriesPoint] {
	return list[JobTimeSeriesPoint](s.client, get("/insights/time-series/{project-slug}/workflows/{workflow-name}/jobs", slug, workflow).query(o).with(opts))
}
