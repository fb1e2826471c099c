package circlecitest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// oneJob is a workflow of one job.
func oneJob(name string, job *circlecitest.JobScript) circlecitest.Script {
	return circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow(name, job)}}
}

// history is a server on which these have run, an hour apart, the first at
// midnight. A workflow takes its job's time and 2 seconds of queueing.
//
//	main  build  failed   60 s
//	main  build  success  120 s
//	dev   build  success  30 s
//	main  build  canceled
//	main  other  success  10 s
//	main  build  runs
func history(t *testing.T) (*circlecitest.Server, *circleci.Client) {
	t.Helper()
	srv := circlecitest.New(t, circlecitest.WithManualTime(), circlecitest.WithTime(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)))
	c := srv.Client()
	run := func(branch string, script circlecitest.Script) uuid.UUID {
		srv.Script(webSlug, script)
		id := srv.StartPipeline(webSlug, branch)
		srv.Advance(time.Hour)
		return id
	}
	test := func() *circlecitest.JobScript { return circlecitest.Job("test") }
	run("main", oneJob("build", test().Takes(time.Minute).Fails()))
	run("main", oneJob("build", test().Takes(2*time.Minute)))
	run("dev", oneJob("build", test().Takes(30*time.Second)))
	canceled := run("main", oneJob("build", test().Takes(24*time.Hour)))
	workflows, err := c.Pipelines.ListWorkflows(canceled).Collect(t.Context())
	require.NoError(t, err)
	require.NoError(t, c.Workflows.Cancel(t.Context(), workflows[0].ID))
	run("main", oneJob("other", test().Takes(10*time.Second)))
	run("main", oneJob("build", test().Takes(24*time.Hour)))
	return srv, c
}

func seconds(n int64) *circleci.Seconds { return new(circleci.Seconds(time.Duration(n) * time.Second)) }

func TestWorkflowMetricsAreThoseOfTheRuns(t *testing.T) {
	_, c := history(t)
	list := func(f *circleci.ListWorkflowMetricsOptions) []circleci.WorkflowMetrics {
		all, err := c.Insights.ListWorkflowMetrics(webSlug, f).Collect(t.Context())
		require.NoError(t, err)
		return all
	}
	all := list(&circleci.ListWorkflowMetricsOptions{ReportingWindow: circleci.ReportingWindowLast24Hours})
	require.Len(t, all, 2, "by default the default branch")
	build := all[0].Metrics
	assert.Equal(t, "build", all[0].Name)
	assert.Equal(t, int64(4), build.TotalRuns, "what has not ended counts")
	assert.Equal(t, int64(1), build.SuccessfulRuns)
	assert.Equal(t, int64(1), build.FailedRuns)
	assert.InDelta(t, 1.0/3, build.SuccessRate, 1e-9, "of the runs that were not canceled")
	assert.InDelta(t, 4, build.Throughput, 1e-9, "runs a day")
	assert.Equal(t, seconds(62), build.Durations.Min)
	assert.Equal(t, seconds(122), build.Durations.Max)
	assert.Equal(t, seconds(92), build.Durations.Mean)
	assert.Equal(t, seconds(3600+60), build.MTTR, "from the end of the failure to the end of the success")
	assert.Equal(t, int64(1), *build.TotalRecoveries)
	assert.Equal(t, int64(10+20+599), *build.TotalCreditsUsed, "10 credits a minute")
	assert.Equal(t, "2026-03-02T00:00:02Z", all[0].WindowStart.Format(time.RFC3339))
	other := all[1].Metrics
	assert.InDelta(t, 1, other.SuccessRate, 0)
	assert.Nil(t, other.MTTR, "nothing has failed")
	assert.Equal(t, int64(5), list(&circleci.ListWorkflowMetricsOptions{AllBranches: true})[0].Metrics.TotalRuns)
	dev := list(&circleci.ListWorkflowMetricsOptions{Branch: "dev"})
	require.Len(t, dev, 1)
	assert.Equal(t, int64(1), dev[0].Metrics.TotalRuns)
	assert.Empty(t, list(&circleci.ListWorkflowMetricsOptions{Branch: "nothing"}))
}

func TestMetricsAreForgottenWithTime(t *testing.T) {
	srv, c := history(t)
	count := func(w circleci.ReportingWindow) (n int64) {
		all, err := c.Insights.ListWorkflowMetrics(webSlug,
			&circleci.ListWorkflowMetricsOptions{AllBranches: true, ReportingWindow: w}).Collect(t.Context())
		require.NoError(t, err)
		for _, m := range all {
			n += m.Metrics.TotalRuns
		}
		return n
	}
	assert.Equal(t, int64(6), count(circleci.ReportingWindowLast24Hours))
	srv.Advance(21 * time.Hour)
	assert.Equal(t, int64(3), count(circleci.ReportingWindowLast24Hours))
	assert.Equal(t, int64(6), count(circleci.ReportingWindowLast7Days))
	srv.Advance(30 * 24 * time.Hour)
	assert.Zero(t, count(circleci.ReportingWindowLast30Days))
	assert.Equal(t, int64(6), count(circleci.ReportingWindowLast60Days))
	srv.Advance(60 * 24 * time.Hour)
	assert.Zero(t, count(""), "90 days, if nothing else is said")
	_, err := c.Insights.ListWorkflowMetrics(webSlug,
		&circleci.ListWorkflowMetricsOptions{ReportingWindow: "last-5-days"}).Collect(t.Context())
	var bad *circleci.Error
	require.ErrorAs(t, err, &bad)
	assert.Equal(t, http.StatusBadRequest, bad.StatusCode)
}

func TestWorkflowRunsAreListedNewestFirst(t *testing.T) {
	srv, c := history(t)
	list := func(f *circleci.ListWorkflowRunsOptions) []circleci.WorkflowRun {
		all, err := c.Insights.ListWorkflowRuns(webSlug, "build", f).Collect(t.Context())
		require.NoError(t, err)
		return all
	}
	all := list(nil)
	require.Len(t, all, 4)
	assert.Nil(t, all[0].Duration, "it runs")
	assert.True(t, all[0].StoppedAt.IsZero())
	assert.Equal(t, circleci.WorkflowStatusCanceled, all[1].Status)
	assert.Equal(t, seconds(122), all[2].Duration)
	assert.Equal(t, int64(20), all[2].CreditsUsed)
	assert.Equal(t, circleci.WorkflowStatusFailed, all[3].Status)
	w, err := c.Workflows.Get(t.Context(), all[2].ID)
	require.NoError(t, err, "the ID is the workflow's")
	assert.True(t, w.CreatedAt.Equal(all[2].CreatedAt))
	start := srv.Now().Add(-6 * time.Hour)
	assert.Len(t, list(&circleci.ListWorkflowRunsOptions{AllBranches: true, StartDate: start, EndDate: start.Add(3 * time.Hour)}), 3)
	assert.Len(t, list(&circleci.ListWorkflowRunsOptions{AllBranches: true, StartDate: all[2].CreatedAt, EndDate: all[1].CreatedAt}), 2,
		"the start counts, the end does not")
	assert.Len(t, list(&circleci.ListWorkflowRunsOptions{StartDate: all[2].CreatedAt}), 3)
}

func TestDatesThatTheAPIRefuses(t *testing.T) {
	srv := circlecitest.New(t)
	srv.AddProject(webSlug)
	for what, query := range map[string][2]string{
		"an end before the start": {"2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z"},
		"more than 90 days":       {"2026-03-02T00:00:00Z", "2026-06-02T00:00:00Z"},
		"an end alone":            {"", "2026-03-01T00:00:00Z"},
		"a day":                   {"2026-03-02", ""},
	} {
		err := srv.Client().Do(t.Context(), circleci.Request{Route: "/insights/gh/acme/web/workflows/build"}, nil, circleci.Query("start-date", query[0]), circleci.Query("end-date", query[1]))
		var bad *circleci.Error
		if assert.ErrorAs(t, err, &bad, what) {
			assert.Equal(t, http.StatusBadRequest, bad.StatusCode, what)
		}
	}
}

func TestJobMetricsAreThoseOfTheJobs(t *testing.T) {
	_, c := history(t)
	list := func(f *circleci.ListJobMetricsOptions) []circleci.JobMetrics {
		all, err := c.Insights.ListJobMetrics(webSlug, "build", f).Collect(t.Context())
		require.NoError(t, err)
		return all
	}
	all := list(nil)
	require.Len(t, all, 1)
	m := all[0].Metrics
	assert.Equal(t, "test", all[0].Name)
	assert.Equal(t, int64(4), m.TotalRuns)
	assert.Equal(t, int64(1), m.FailedRuns)
	assert.Equal(t, seconds(120), m.Durations.Max, "queueing does not count")
	assert.Equal(t, int64(629), m.TotalCreditsUsed)
	assert.Len(t, list(&circleci.ListJobMetricsOptions{JobName: "es"}), 1, "a part of the name will do")
	assert.Empty(t, list(&circleci.ListJobMetricsOptions{JobName: "deploy"}))
}

// A job that comes over to a rerun has run once, not twice.
func TestAJobThatComesOverToARerunCountsOnce(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	c := srv.Client()
	srv.Script(webSlug, circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("build", circlecitest.Job("lint"), circlecitest.Job("test").FailsOnce()),
	}})
	rerunFailed(t, srv, c, srv.StartPipeline(webSlug, "main"))
	all, err := c.Insights.ListJobMetrics(webSlug, "build", nil).Collect(t.Context())
	require.NoError(t, err)
	runs := map[string]int64{}
	for _, m := range all {
		runs[m.Name] = m.Metrics.TotalRuns
	}
	assert.Equal(t, map[string]int64{"lint": 1, "test": 2}, runs)
}

// rerunFailed lets a pipeline end, and its workflow run again from what failed.
func rerunFailed(t *testing.T, srv *circlecitest.Server, c *circleci.Client, id uuid.UUID) {
	t.Helper()
	srv.Advance(time.Hour)
	workflows, err := c.Pipelines.ListWorkflows(id).Collect(t.Context())
	require.NoError(t, err)
	_, err = c.Workflows.Rerun(t.Context(), workflows[0].ID, circleci.RerunWorkflowRequest{FromFailed: true})
	require.NoError(t, err)
	srv.Advance(time.Hour)
}

func TestATimeSeriesHasAPointForEachInterval(t *testing.T) {
	srv, c := history(t)
	list := func(f *circleci.ListJobTimeSeriesOptions) []circleci.JobTimeSeriesPoint {
		all, err := c.Insights.ListJobTimeSeries(webSlug, "build", f).Collect(t.Context())
		require.NoError(t, err)
		return all
	}
	hours := list(&circleci.ListJobTimeSeriesOptions{Granularity: circleci.GranularityHourly})
	require.Len(t, hours, 4)
	assert.Equal(t, "2026-03-02T00:00:00Z", hours[0].Timestamp.Format(time.RFC3339))
	assert.Equal(t, "2026-03-02T01:00:00Z", hours[1].Timestamp.Format(time.RFC3339))
	assert.Equal(t, int64(1), hours[0].Metrics.FailedRuns)
	assert.Equal(t, seconds(60), hours[0].Metrics.Durations.Total)
	assert.Equal(t, int64(10), hours[0].Metrics.MedianCreditsUsed)
	assert.Equal(t, time.Minute, hours[0].MaxEndedAt.Sub(hours[0].MinStartedAt))
	assert.Nil(t, hours[3].Metrics.Durations.Total, "it runs")
	days := list(nil)
	require.Len(t, days, 1)
	assert.Equal(t, int64(4), days[0].Metrics.TotalRuns)
	assert.Equal(t, seconds(180), days[0].Metrics.Durations.Total)
	assert.Len(t, list(&circleci.ListJobTimeSeriesOptions{Branch: "dev"}), 1)
	srv.Advance(3 * 24 * time.Hour)
	assert.Empty(t, list(&circleci.ListJobTimeSeriesOptions{Granularity: circleci.GranularityHourly}), "hours are kept for two days")
	assert.NotEmpty(t, list(nil))
}

func TestSummariesCompareWithTheWindowBefore(t *testing.T) {
	srv, c := history(t)
	srv.AddProject("gh/acme/api")
	day := circleci.ReportingWindowLast24Hours
	p, err := c.Insights.GetProjectSummary(t.Context(), webSlug, &circleci.GetProjectSummaryOptions{ReportingWindow: day, Branches: []string{"dev"}})
	require.NoError(t, err)
	assert.Equal(t, int64(6), p.Project.Metrics.TotalRuns)
	assert.Equal(t, circleci.Seconds((62+122+32+12)*time.Second), p.Project.Metrics.TotalDuration)
	assert.InDelta(t, 6, *p.Project.Metrics.Throughput, 1e-9)
	assert.InDelta(t, -1, p.Project.Trends.TotalRuns, 0, "there was nothing before")
	assert.Equal(t, []string{"main", "dev"}, p.AllBranches)
	assert.Equal(t, []string{"build", "other"}, p.AllWorkflows)
	require.Len(t, p.Workflows, 2)
	assert.Equal(t, *seconds(122), p.Workflows[0].Metrics.P95Duration)
	require.Len(t, p.WorkflowBranches, 1, "of the branch that was named")
	assert.Equal(t, "dev", p.WorkflowBranches[0].Branch)
	srv.Advance(24 * time.Hour)
	srv.Script(webSlug, oneJob("build", circlecitest.Job("test")))
	for range 3 {
		srv.StartPipeline(webSlug, "main")
	}
	srv.Advance(time.Minute)
	p, err = c.Insights.GetProjectSummary(t.Context(), webSlug, &circleci.GetProjectSummaryOptions{ReportingWindow: day, WorkflowNames: []string{"other"}})
	require.NoError(t, err)
	assert.InDelta(t, 0.5, p.Project.Trends.TotalRuns, 1e-9, "3 runs after 6")
	assert.Len(t, p.Workflows, 1)

	o, err := c.Insights.GetOrgSummary(t.Context(), "gh/acme", &circleci.GetOrgSummaryOptions{ProjectNames: []string{"web"}})
	require.NoError(t, err)
	assert.Equal(t, int64(9), o.Org.Metrics.TotalRuns)
	assert.Zero(t, o.Org.Trends.TotalRuns, "there are no trends for 90 days")
	assert.Equal(t, []string{"web", "api"}, o.AllProjects)
	require.Len(t, o.Projects, 1, "of the project that was named")
	assert.Nil(t, o.Projects[0].Metrics.Throughput)
	o, err = c.Insights.GetOrgSummary(t.Context(), "gh/acme", nil)
	require.NoError(t, err)
	assert.Empty(t, o.Projects)
	_, err = c.Insights.GetOrgSummary(t.Context(), "gh/nobody", nil)
	assert.ErrorIs(t, err, circleci.ErrNotFound)

	w, err := c.Insights.GetWorkflowSummary(t.Context(), webSlug, "build", &circleci.GetWorkflowSummaryOptions{AllBranches: true})
	require.NoError(t, err)
	assert.Equal(t, int64(8), w.Metrics.TotalRuns)
	assert.Equal(t, []string{"build", "other"}, w.WorkflowNames)
	w, err = c.Insights.GetWorkflowSummary(t.Context(), webSlug, "nothing", nil)
	require.NoError(t, err)
	assert.Nil(t, w.Metrics.CompletedRuns)
	assert.Nil(t, w.Metrics.Durations.Median)
	assert.Nil(t, w.Metrics.TotalCreditsUsed)
	assert.Equal(t, 90*24*time.Hour, w.Metrics.WindowEnd.Sub(w.Metrics.WindowStart), "without runs, the window is the whole period")

	b, err := c.Insights.GetBranches(t.Context(), webSlug, &circleci.GetBranchesOptions{WorkflowName: "other"})
	require.NoError(t, err)
	assert.Equal(t, []string{"main"}, b.Branches)
	assert.Equal(t, srv.AddOrg("gh/acme"), b.OrgID)
}

func TestATestThatFailsAndPassesWithOneCommitIsFlaky(t *testing.T) {
	for _, opts := range [][]circlecitest.Option{nil, {circlecitest.WithDocumentSpelling()}} {
		srv := circlecitest.New(t, append(opts, circlecitest.WithManualTime())...)
		c := srv.Client()
		srv.Script(webSlug, oneJob("build", circlecitest.Job("test").FailsOnce().WithTests(
			circlecitest.FlakyTest("TestLogin", "timed out"), circlecitest.PassingTest("TestMath", 500*time.Millisecond), circlecitest.FailingTest("TestNever", "no"),
		)))
		id := srv.StartPipeline(webSlug, "main")
		srv.Advance(time.Hour)
		none, err := c.Insights.GetFlakyTests(t.Context(), webSlug)
		require.NoError(t, err)
		assert.Empty(t, none.Tests, "so far it has failed alone")
		workflows, err := c.Pipelines.ListWorkflows(id).Collect(t.Context())
		require.NoError(t, err)
		_, err = c.Workflows.Rerun(t.Context(), workflows[0].ID, circleci.RerunWorkflowRequest{FromFailed: true})
		require.NoError(t, err)
		srv.Advance(time.Hour)
		flaky, err := c.Insights.GetFlakyTests(t.Context(), webSlug)
		require.NoError(t, err)
		require.Len(t, flaky.Tests, 1)
		assert.InDelta(t, 1, flaky.Total, 0)
		f := flaky.Tests[0]
		assert.Equal(t, "TestLogin", f.TestName)
		assert.Equal(t, int64(1), f.TimesFlaked)
		assert.Equal(t, seconds(30), f.TimeWasted)
		assert.Equal(t, int64(1), f.JobNumber, "the run that has failed")
		assert.Equal(t, workflows[0].ID, f.WorkflowID)
		assert.False(t, f.WorkflowCreatedAt.IsZero())
		srv.Advance(15 * 24 * time.Hour)
		flaky, err = c.Insights.GetFlakyTests(t.Context(), webSlug)
		require.NoError(t, err)
		assert.Empty(t, flaky.Tests, "two weeks without a flake")
	}
}

// What fails with one commit and passes with the next has been mended.
func TestATestThatIsMendedIsNotFlaky(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.Script(webSlug, oneJob("build", circlecitest.Job("test").Fails().WithTests(circlecitest.FailingTest("TestLogin", "no"))),
		oneJob("build", circlecitest.Job("test").WithTests(circlecitest.PassingTest("TestLogin", time.Second))))
	srv.StartPipeline(webSlug, "main")
	srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Hour)
	flaky, err := srv.Client().Insights.GetFlakyTests(t.Context(), webSlug)
	require.NoError(t, err)
	assert.Empty(t, flaky.Tests)
}

func TestTestMetricsAreThoseOfTheLastRuns(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	c := srv.Client()
	srv.Script(webSlug, oneJob("build", circlecitest.Job("test").FailsOnce().WithTests(
		circlecitest.FlakyTest("TestLogin", "timed out"), circlecitest.PassingTest("TestSlow", 60*time.Second), circlecitest.FailingTest("TestNever", "no"),
	)))
	rerunFailed(t, srv, c, srv.StartPipeline(webSlug, "main"))
	m, err := c.Insights.GetTestMetrics(t.Context(), webSlug, "build", nil)
	require.NoError(t, err)
	assert.Equal(t, int64(3), m.AverageTestCount)
	assert.Equal(t, int64(6), m.TotalTestRuns)
	require.Len(t, m.MostFailedTests, 2)
	assert.Equal(t, "TestNever", m.MostFailedTests[0].TestName)
	assert.Equal(t, int64(2), m.MostFailedTests[0].FailedRuns)
	assert.False(t, m.MostFailedTests[0].Flaky)
	assert.True(t, m.MostFailedTests[1].Flaky)
	assert.Equal(t, "TestSlow", m.SlowestTests[0].TestName)
	assert.Equal(t, seconds(60), m.SlowestTests[0].P95Duration)
	require.Len(t, m.Runs, 2)
	assert.Equal(t, circleci.TestCounts{Success: 2, Failure: 1, Total: 3}, m.Runs[0].Counts, "the newest first")
	assert.Equal(t, circleci.TestCounts{Success: 1, Failure: 2, Total: 3}, m.Runs[1].Counts)
	for range 12 {
		srv.StartPipeline(webSlug, "main")
		srv.Advance(time.Hour)
	}
	m, err = c.Insights.GetTestMetrics(t.Context(), webSlug, "build", &circleci.GetTestMetricsOptions{AllBranches: true})
	require.NoError(t, err)
	assert.Len(t, m.Runs, 10)
}

func TestInsightsOfAProjectThatThereIsNot(t *testing.T) {
	_, err := circlecitest.New(t).Client().Insights.GetFlakyTests(t.Context(), webSlug)
	assert.ErrorIs(t, err, circleci.ErrNotFound)
}
