package circleci_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

var (
	march1 = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	march8 = march1.AddDate(0, 0, 7)
)

var insightsTests = []operationTest{
	{
		op: "GET /insights/{project-slug}/branches",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Insights.GetBranches(ctx, webSlug, &circleci.GetBranchesOptions{WorkflowName: "build & test"}))
		},
		path: "/insights/gh/acme/web/branches", query: "workflow-name=build+%26+test", fixture: "insights/getAllInsightsBranches",
	},
	{
		op: "GET /insights/{project-slug}/workflows",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Insights.ListWorkflowMetrics(webSlug, &circleci.ListWorkflowMetricsOptions{
				Branch: "fix/a+b", ReportingWindow: circleci.ReportingWindowLast7Days,
			}))
		},
		path: "/insights/gh/acme/web/workflows", query: "branch=fix%2Fa%2Bb&reporting-window=last-7-days",
		fixture: "insights/getProjectWorkflowMetrics",
		check: func(t *testing.T, got any) {
			m := as[[]circleci.WorkflowMetrics](t, got)[0].Metrics
			assert.Equal(t, time.Hour, time.Duration(*m.MTTR), "Insights counts in seconds")
			assert.Equal(t, 2*time.Minute, time.Duration(*m.Durations.Max))
		},
	},
	{
		op: "GET /insights/{project-slug}/workflows/{workflow-name}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Insights.ListWorkflowRuns(webSlug, "build/test", &circleci.ListWorkflowRunsOptions{
				AllBranches: true, StartDate: march1.In(time.FixedZone("", 3600)), EndDate: march8,
			}))
		},
		path:    "/insights/gh/acme/web/workflows/build%2Ftest",
		query:   "all-branches=true&end-date=2026-03-08T00%3A00%3A00Z&start-date=2026-03-01T00%3A00%3A00Z",
		fixture: "insights/getProjectWorkflowRuns",
		check: func(t *testing.T, got any) {
			runs := as[[]circleci.WorkflowRun](t, got)
			assert.Equal(t, 61*time.Second, time.Duration(*runs[0].Duration))
			assert.False(t, runs[1].Status.Done(), "an unknown status is no end")
		},
	},
	{
		op: "GET /insights/{project-slug}/workflows/{workflow-name}/jobs",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Insights.ListJobMetrics(webSlug, "build", &circleci.ListJobMetricsOptions{
				Branch: "main", ReportingWindow: circleci.ReportingWindowLast24Hours, JobName: "test",
			}))
		},
		path: "/insights/gh/acme/web/workflows/build/jobs", query: "branch=main&job-name=test&reporting-window=last-24-hours",
		fixture: "insights/getProjectWorkflowJobMetrics",
	},
	{
		op: "GET /insights/time-series/{project-slug}/workflows/{workflow-name}/jobs",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Insights.ListJobTimeSeries(webSlug, "build", &circleci.ListJobTimeSeriesOptions{
				Branch: "main", Granularity: circleci.GranularityDaily, StartDate: march1, EndDate: march8,
			}))
		},
		path:    "/insights/time-series/gh/acme/web/workflows/build/jobs",
		query:   "branch=main&end-date=2026-03-08T00%3A00%3A00Z&granularity=daily&start-date=2026-03-01T00%3A00%3A00Z",
		fixture: "insights/getJobTimeseries",
		check: func(t *testing.T, got any) {
			assert.Len(t, as[[]circleci.JobTimeSeriesPoint](t, got), 2, "one job on two days is two points")
		},
	},
	{
		op: "GET /insights/pages/{project-slug}/summary",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Insights.GetProjectSummary(ctx, webSlug, &circleci.GetProjectSummaryOptions{
				ReportingWindow: circleci.ReportingWindowLast30Days, Branches: []string{"main", "fix/b,c"}, WorkflowNames: []string{"a", "b"},
			}))
		},
		path:    "/insights/pages/gh/acme/web/summary",
		query:   "branches=main&branches=fix%2Fb%2Cc&reporting-window=last-30-days&workflow-names=a&workflow-names=b",
		fixture: "insights/getProjectWorkflowsPageData",
	},
	{
		op: "GET /insights/{org-slug}/summary",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Insights.GetOrgSummary(ctx, "gh/acme", &circleci.GetOrgSummaryOptions{
				ReportingWindow: circleci.ReportingWindowLast90Days, ProjectNames: []string{"web", "api"},
			}))
		},
		path: "/insights/gh/acme/summary", query: "project-names=web&project-names=api&reporting-window=last-90-days",
		fixture: "insights/getOrgSummaryData",
	},
	{
		op: "GET /insights/{project-slug}/workflows/{workflow-name}/summary",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Insights.GetWorkflowSummary(ctx, webSlug, "build", &circleci.GetWorkflowSummaryOptions{AllBranches: true}))
		},
		path: "/insights/gh/acme/web/workflows/build/summary", query: "all-branches=true", fixture: "insights/getWorkflowSummary",
	},
	{
		op: "GET /insights/{project-slug}/workflows/{workflow-name}/test-metrics",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Insights.GetTestMetrics(ctx, webSlug, "build", &circleci.GetTestMetricsOptions{Branch: "main"}))
		},
		path: "/insights/gh/acme/web/workflows/build/test-metrics", query: "branch=main",
		fixture: "insights/getProjectWorkflowTestMetrics",
	},
	{
		op: "GET /insights/{project-slug}/flaky-tests",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Insights.GetFlakyTests(ctx, webSlug))
		},
		path: "/insights/gh/acme/web/flaky-tests", fixture: "insights/getFlakyTests",
		check: func(t *testing.T, got any) {
			tests := as[*circleci.FlakyTests](t, got).Tests
			assert.Equal(t, 90*time.Second, time.Duration(*tests[0].TimeWasted))
			assert.Equal(t, "TestB", tests[1].TestName, "the document's spelling")
			assert.Equal(t, id2, tests[1].WorkflowID)
		},
	},
}

// A workflow that has not failed has no time to recovery; that is not a
// recovery in no time.
func TestMetricsTellNothingFromZero(t *testing.T) {
	srv := circlecitest.New(t)
	answer := func(mttr string) {
		srv.Fail("GET /insights/{project-slug}/workflows/{workflow-name}/summary", circlecitest.Response{
			Body: `{"metrics":{"mttr":` + mttr + `,"completed_runs":` + mttr + `,"duration_metrics":{"min":` + mttr + `}}}`,
		})
	}
	answer("null")
	none, err := srv.Client().Insights.GetWorkflowSummary(t.Context(), webSlug, "build", nil)
	require.NoError(t, err)
	assert.Nil(t, none.Metrics.MTTR)
	assert.Nil(t, none.Metrics.CompletedRuns)
	assert.Nil(t, none.Metrics.Durations.Min)
	answer("0")
	zero, err := srv.Client().Insights.GetWorkflowSummary(t.Context(), webSlug, "build", nil)
	require.NoError(t, err)
	require.NotNil(t, zero.Metrics.MTTR)
	assert.Zero(t, *zero.Metrics.MTTR)
	assert.NotNil(t, zero.Metrics.CompletedRuns)
	assert.NotNil(t, zero.Metrics.Durations.Min)
}

func TestAMissingThroughputIsNotZero(t *testing.T) {
	srv := circlecitest.New(t)
	srv.Fail("GET /insights/{org-slug}/summary", circlecitest.Response{
		Body: `{"org_data":{"metrics":{"throughput":0}},"org_project_data":[{"project_name":"web","metrics":{}}],"all_projects":null}`,
	})
	s, err := srv.Client().Insights.GetOrgSummary(t.Context(), "gh/acme", nil)
	require.NoError(t, err)
	require.NotNil(t, s.Org.Metrics.Throughput)
	assert.Zero(t, *s.Org.Metrics.Throughput)
	assert.Nil(t, s.Projects[0].Metrics.Throughput)
}

func TestBadInsightsInputIsNotSent(t *testing.T) {
	srv := circlecitest.New(t)
	in := srv.Client().Insights
	runs := func(branch string, all bool, start, end time.Time) error {
		return second(in.ListWorkflowRuns(webSlug, "build", &circleci.ListWorkflowRunsOptions{
			Branch: branch, AllBranches: all, StartDate: start, EndDate: end,
		}).Collect(t.Context()))
	}
	series := func(start, end time.Time) error {
		return second(in.ListJobTimeSeries(webSlug, "build", &circleci.ListJobTimeSeriesOptions{
			StartDate: start, EndDate: end,
		}).Collect(t.Context()))
	}
	for what, err := range map[string]error{
		"an end before the start":           runs("", false, march8, march1),
		"more than 90 days":                 runs("", false, march1, march1.AddDate(0, 0, 90).Add(1)),
		"an end without a start":            runs("", false, time.Time{}, march1),
		"a branch and all branches":         runs("main", true, time.Time{}, time.Time{}),
		"a series with an end before start": series(march8, march1),
		"a series of more than 90 days":     series(march1, march1.AddDate(0, 0, 91)),
		"metrics of one and all branches": second(in.ListWorkflowMetrics(webSlug,
			&circleci.ListWorkflowMetricsOptions{Branch: "main", AllBranches: true}).Collect(t.Context())),
		"jobs of one and all branches": second(in.ListJobMetrics(webSlug, "build",
			&circleci.ListJobMetricsOptions{Branch: "main", AllBranches: true}).Collect(t.Context())),
		"a summary of one and all branches": second(in.GetWorkflowSummary(t.Context(), webSlug, "build",
			&circleci.GetWorkflowSummaryOptions{Branch: "main", AllBranches: true})),
		"tests of one and all branches": second(in.GetTestMetrics(t.Context(), webSlug, "build",
			&circleci.GetTestMetricsOptions{Branch: "main", AllBranches: true})),
		"no workflow":                      second(in.GetWorkflowSummary(t.Context(), webSlug, "", nil)),
		"a project for an organization":    second(in.GetOrgSummary(t.Context(), "gh/acme/web", nil)),
		"an organization for a project":    second(in.GetProjectSummary(t.Context(), "gh/acme", nil)),
		"a workflow that leads out of it":  second(in.GetTestMetrics(t.Context(), webSlug, "..", nil)),
		"branches of something else again": second(in.GetBranches(t.Context(), "gh", nil)),
	} {
		assert.ErrorIs(t, err, circleci.ErrInvalidArgument, what)
	}
	assert.Empty(t, srv.Requests())
}

// What the API takes is not refused: 90 days to the instant, a start alone, and
// no options at all.
func TestInsightsWindowsUpTo90DaysAreSent(t *testing.T) {
	srv := circlecitest.New(t)
	srv.AddProject(webSlug)
	in := srv.Client().Insights
	for what, f := range map[string]*circleci.ListWorkflowRunsOptions{
		"90 days":       {StartDate: march1, EndDate: march1.AddDate(0, 0, 90)},
		"a start alone": {StartDate: march1},
		"an instant":    {StartDate: march1, EndDate: march1},
		"no options":    nil,
	} {
		_, err := in.ListWorkflowRuns(webSlug, "build", f).Collect(t.Context())
		assert.NoError(t, err, what)
	}
	_, err := in.ListJobTimeSeries(webSlug, "build", nil).Collect(t.Context())
	assert.NoError(t, err, "no options")
}
