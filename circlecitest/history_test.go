package circlecitest_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// What Insights tells of a past, lists and exports have to tell as well.
func TestAHistoryIsOneStory(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime(), circlecitest.WithTime(time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)))
	srv.History(webSlug, circlecitest.Past{
		RunsPerDay: 10, FailureRate: 0.1, Spread: 0.5, Branches: []string{"main", "main", "dev"},
		Workflows: []*circlecitest.WorkflowScript{
			circlecitest.Workflow("build", circlecitest.Job("compile").Takes(2*time.Minute), circlecitest.Job("test").Requires("compile").Takes(8*time.Minute)),
			circlecitest.Workflow("deploy", circlecitest.Approval("hold"), circlecitest.Job("ship").Requires("hold").Takes(time.Minute)),
		},
	})
	c := srv.Client()
	all, err := c.Insights.ListWorkflowMetrics(webSlug,
		&circleci.ListWorkflowMetricsOptions{AllBranches: true, ReportingWindow: circleci.ReportingWindowLast30Days}).Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 2)
	for _, w := range all {
		assert.Equal(t, int64(300), w.Metrics.TotalRuns, w.Name)
		assert.Equal(t, int64(30), w.Metrics.FailedRuns, w.Name)
		assert.InDelta(t, 0.9, w.Metrics.SuccessRate, 1e-9, w.Name)
		assert.InDelta(t, 10, w.Metrics.Throughput, 1e-9, w.Name)
	}
	build := all[0].Metrics.Durations
	assert.Less(t, *build.Min, circleci.Seconds(400*time.Second), "some are much faster")
	assert.Greater(t, *build.Max, circleci.Seconds(700*time.Second), "some are much slower")
	assert.LessOrEqual(t, *build.Max, circleci.Seconds(904*time.Second))
	main, err := c.Insights.ListWorkflowMetrics(webSlug, nil).Collect(t.Context())
	require.NoError(t, err)
	assert.Equal(t, int64(200), main[0].Metrics.TotalRuns)

	pipelines, err := c.Pipelines.ListForProject(webSlug, nil).Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, pipelines, 300)
	assert.Equal(t, int64(300), pipelines[0].Number, "the newest is the last")
	assert.True(t, pipelines[299].CreatedAt.After(srv.Now().AddDate(0, 0, -30)))
	for i, p := range pipelines[1:] {
		assert.False(t, p.CreatedAt.After(pipelines[i].CreatedAt), "newest first")
	}
	var jobs, failed int
	for _, p := range pipelines {
		workflows, err := c.Pipelines.ListWorkflows(p.ID).Collect(t.Context())
		require.NoError(t, err)
		require.Len(t, workflows, 2)
		for _, w := range workflows {
			require.True(t, w.Status.Done())
			assert.True(t, w.StoppedAt.Before(srv.Now()), "all of it is past")
			if w.Status == circleci.WorkflowStatusFailed {
				failed++
			}
			list, err := c.Workflows.ListJobs(w.ID).Collect(t.Context())
			require.NoError(t, err)
			for _, j := range list {
				if j.Number != 0 {
					jobs++
				}
			}
		}
	}
	assert.Equal(t, 60, failed)

	org, err := c.Projects.Get(t.Context(), webSlug)
	require.NoError(t, err)
	export, err := c.Usage.CreateExport(t.Context(), org.OrganizationID, circleci.CreateUsageExportRequest{
		Start: srv.Now().AddDate(0, 0, -30), End: srv.Now(),
	})
	require.NoError(t, err)
	srv.Advance(time.Minute)
	export, err = c.Usage.GetExport(t.Context(), org.OrganizationID, export.ID)
	require.NoError(t, err)
	assert.LessOrEqual(t, len(export.DownloadURLs), 20)
	total := 0
	for _, url := range export.DownloadURLs {
		_, data := fetch(t, srv, url, "")
		total += len(csvOf(t, data)) - 1
	}
	assert.Equal(t, jobs, total, "a row for each job that ran")
}

func TestTwoHistoriesOfOneSeedAreTheSame(t *testing.T) {
	run := func(seed uint64) []circleci.WorkflowRun {
		srv := circlecitest.New(t, circlecitest.WithManualTime(), circlecitest.WithSeed(seed), circlecitest.WithTime(time.Unix(1.8e9, 0)))
		srv.History(webSlug, circlecitest.Past{Days: 3, FailureRate: 0.3, Spread: 0.2})
		all, err := srv.Client().Insights.ListWorkflowRuns(webSlug, "build-and-test", nil).Collect(t.Context())
		require.NoError(t, err)
		require.Len(t, all, 60, "20 a day")
		return all
	}
	first := run(1)
	assert.Equal(t, first, run(1))
	assert.NotEqual(t, first, run(2))
}

func TestWhatRunsAfterAHistoryGoesOnFromIt(t *testing.T) {
	calls := 0
	srv := circlecitest.New(t, circlecitest.WithManualTime(), circlecitest.WithDeliveryTransport(carrier(func(*http.Request) (*http.Response, error) {
		calls++
		return answer(200), nil
	})))
	addHook(t, srv, webSlug, "https://hooks.example/")
	before := srv.Now()
	srv.History("gh/acme/api", circlecitest.Past{Days: 2})
	srv.History(webSlug, circlecitest.Past{Days: 1, RunsPerDay: 5})
	assert.Equal(t, before, srv.Now())
	srv.Advance(time.Hour)
	assert.Zero(t, calls, "what is past has been told")
	id := srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Hour)
	p, err := srv.Client().Pipelines.Get(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, int64(6), p.Number)
	assert.Equal(t, 3, calls, "two jobs and a workflow")
	all, err := srv.Client().Pipelines.List(&circleci.ListPipelinesOptions{OrgSlug: "gh/acme"}).Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 46)
	for i, p := range all[1:] {
		assert.False(t, p.CreatedAt.After(all[i].CreatedAt), "those of several projects are in order of time")
	}
}

func TestAHistoryOfFlakyTests(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.History(webSlug, circlecitest.Past{
		Days: 10, Workflows: []*circlecitest.WorkflowScript{
			circlecitest.Workflow("build", circlecitest.Job("test").
				WithTests(circlecitest.PassingTest("TestGood", time.Second)).
				WithFlakyTests(0.2, circlecitest.FailingTest("TestFlaky", "timed out"))).RerunsAutomatically(2),
		},
	})
	flaky, err := srv.Client().Insights.GetFlakyTests(t.Context(), webSlug)
	require.NoError(t, err)
	require.Len(t, flaky.Tests, 1)
	assert.Equal(t, "TestFlaky", flaky.Tests[0].TestName)
	assert.InDelta(t, 40, flaky.Tests[0].TimesFlaked, 25)
}

func TestAHistoryThatCannotBe(t *testing.T) {
	srv := circlecitest.New(t)
	assert.Panics(t, func() {
		srv.History(webSlug, circlecitest.Past{Days: 1, Workflows: []*circlecitest.WorkflowScript{
			circlecitest.Workflow("w", circlecitest.Job("x").Takes(25*time.Hour)),
		}})
	}, "it would not be over")
	assert.Panics(t, func() {
		srv.History(webSlug, circlecitest.Past{Workflows: []*circlecitest.WorkflowScript{
			circlecitest.Workflow("w", circlecitest.Job("x").Requires("y")),
		}})
	})
}

func TestAHistoryIsBounded(t *testing.T) {
	r := newRemote(t)
	for _, history := range []string{`{days: 1000000, runs_per_day: 1000000}`, `{days: 100001, runs_per_day: 1}`, `{runs_per_day: 9223372036854775807}`} {
		status, text := r.send(http.MethodPost, "/_fake/scenario", "projects: {gh/acme/web: {history: "+history+"}}", nil)
		assert.Equal(t, 400, status)
		assert.Contains(t, text, "at most 100000 pipelines")
	}
}

func TestAHistoryInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.History(webSlug, circlecitest.Past{Days: 1})
		c := srv.Client()
		r, err := c.Pipelines.TriggerAndWait(t.Context(), webSlug, circleci.TriggerPipelineRequest{}, nil)
		require.NoError(t, err)
		assert.Equal(t, int64(21), r.Pipeline.Number)
	})
}

func BenchmarkHistory(b *testing.B) {
	for b.Loop() {
		srv := circlecitest.NewServer(circlecitest.WithManualTime())
		srv.History(webSlug, circlecitest.Past{RunsPerDay: 100, FailureRate: 0.1, Spread: 0.3})
		srv.Close()
	}
}
