package circleci

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// InsightsService reads metrics of workflows, jobs and tests.
//
// The metrics go back 90 days at most, and are computed once a day: what has
// run in the last 24 hours can be missing. The credits are no billing data.
type InsightsService service

// ReportingWindow is the time, up to now, that metrics are computed for.
type ReportingWindow string

// The reporting windows. Without one the API takes 90 days; it refuses others
// with a 400.
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

// DurationMetrics are statistics of the durations of runs. A field is nil where
// no run gives a value.
type DurationMetrics struct {
	Min    *Seconds `json:"min"`
	Mean   *Seconds `json:"mean"`
	Median *Seconds `json:"median"`
	P95    *Seconds `json:"p95"` // the 95th percentile
	Max    *Seconds `json:"max"`

	StandardDeviation *Seconds `json:"standard_deviation"`
}

// maxInsightsWindow is how far the dates of a query may be apart.
const maxInsightsWindow = 90 * 24 * time.Hour

func checkDates(start, end time.Time) error {
	switch {
	case end.IsZero():
		return nil
	case start.IsZero():
		return &ArgumentError{Name: "start-date", Reason: "is missing: an end-date needs one"}
	case end.Before(start):
		return &ArgumentError{Name: "end-date", Reason: "is before start-date"}
	case end.Sub(start) > maxInsightsWindow:
		return &ArgumentError{Name: "end-date", Reason: "is more than 90 days after start-date"}
	}
	return nil
}

// branchesOf adds which branches to look at: one, all, or by default the
// project's default branch.
func branchesOf(q *encode.Query, branch string, all bool) {
	q.String("branch", branch)
	q.Bool("all-branches", all)
}

func checkBranches(branch string, all bool) error {
	if branch != "" && all {
		return &ArgumentError{Name: "branch", Reason: "is given beside all-branches: the API would ignore it"}
	}
	return nil
}

// InsightsBranches are the branches of a project that Insights has metrics of.
type InsightsBranches struct {
	OrgID     uuid.UUID `json:"org_id"`
	ProjectID uuid.UUID `json:"project_id"`
	Branches  []string  `json:"branches"`
}

// GetBranchesOptions says which branches to return.
type GetBranchesOptions struct {
	// WorkflowName returns only those on which the workflow has run.
	WorkflowName string
}

func (o *GetBranchesOptions) query(q *encode.Query) {
	if o != nil {
		q.String("workflow-name", o.WorkflowName)
	}
}

// GetBranches returns the branches of a project, 5000 at most, that Insights has
// metrics of.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Insights/operation/getAllInsightsBranches
//
//circleci:operation GET /insights/{project-slug}/branches
func (s *InsightsService) GetBranches(ctx context.Context, slug ProjectSlug, o *GetBranchesOptions, opts ...RequestOption) (*InsightsBranches, error) {
	return do[InsightsBranches](ctx, s.client, get("/insights/{project-slug}/branches", slug).query(o).with(opts))
}
