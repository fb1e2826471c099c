package circleci

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// InsightsService returns metrics of workflows, jobs and tests.
//
// The metrics cover at most the last 90 days. They are computed once a day, so
// runs of the last 24 hours can be missing. Do not use the credits for billing:
// see [UsageService].
type InsightsService service

// ReportingWindow is the period, up to now, that metrics cover.
type ReportingWindow string

// The reporting windows. The API's default is 90 days. It refuses other values
// with 400 Bad Request.
const (
	ReportingWindowLast24Hours ReportingWindow = "last-24-hours"
	ReportingWindowLast7Days   ReportingWindow = "last-7-days"
	ReportingWindowLast30Days  ReportingWindow = "last-30-days"
	ReportingWindowLast60Days  ReportingWindow = "last-60-days"
	ReportingWindowLast90Days  ReportingWindow = "last-90-days"
)

// Granularity is the length of the intervals of a time series.
type Granularity string

// The granularities. Hourly data is kept for 48 hours, daily data for 90 days.
const (
	GranularityDaily  Granularity = "daily"
	GranularityHourly Granularity = "hourly"
)

// DurationMetrics are statistics of run durations. A field is nil if no run has
// a value for it.
type DurationMetrics struct {
	Min    *Seconds `json:"min"`
	Mean   *Seconds `json:"mean"`
	Median *Seconds `json:"median"`
	P95    *Seconds `json:"p95"` // the 95th percentile
	Max    *Seconds `json:"max"`

	StandardDeviation *Seconds `json:"standard_deviation"`
}

// maxInsightsWindow is the longest time between the dates of a query.
const maxInsightsWindow = 90 * 24 * time.Hour

func checkDates(start, end time.Time) error {
	switch {
	case end.IsZero():
		return nil
	case start.IsZero():
		return &ArgumentError{Name: "start-date", Reason: "is missing: end-date requires it"}
	case end.Before(start):
		return &ArgumentError{Name: "end-date", Reason: "is before start-date"}
	case end.Sub(start) > maxInsightsWindow:
		return &ArgumentError{Name: "end-date", Reason: "is more than 90 days after start-date"}
	}
	return nil
}

// branchesOf adds the branch parameters: one branch, all, or by default the
// project's default branch.
func branchesOf(q *encode.Query, branch string, all bool) {
	q.String("branch", branch)
	q.Bool("all-branches", all)
}

func checkBranches(branch string, all bool) error {
	if branch != "" && all {
		return &ArgumentError{Name: "branch", Reason: "cannot be combined with all-branches: the API would ignore it"}
	}
	return nil
}

// InsightsBranches are the branches of a project that have metrics.
type InsightsBranches struct {
	OrgID     uuid.UUID `json:"org_id"`
	ProjectID uuid.UUID `json:"project_id"`
	Branches  []string  `json:"branches"`
}

// GetBranchesOptions are the options of [InsightsService.GetBranches].
type GetBranchesOptions struct {
	// WorkflowName limits the result to branches on which this workflow has
	// run, unless it is empty.
	WorkflowName string
}

func (o *GetBranchesOptions) query(q *encode.Query) {
	if o != nil {
		q.String("workflow-name", o.WorkflowName)
	}
}

// GetBranches returns the branches of a project that have metrics, at most
// 5000.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Insights/operation/getAllInsightsBranches
//
//circleci:operation GET /insights/{project-slug}/branches
func (s *InsightsService) GetBranches(ctx context.Context, slug ProjectSlug, o *GetBranchesOptions, opts ...RequestOption) (*InsightsBranches, error) {
	return do[InsightsBranches](ctx, s.client, get("/insights/{project-slug}/branches", slug).query(o).with(opts))
}
