package circleci_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func TestCheckAPipeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Script(webSlug,
			plain(circlecitest.Workflow("a", circlecitest.Job("x").Fails(), circlecitest.Approval("hold"))), plain())
		c := srv.Client()
		id := srv.StartPipeline(webSlug, "main")
		check := func(want circleci.Outcome) *circleci.PipelineResult {
			t.Helper()
			start := time.Now()
			r, err := c.Pipelines.Check(t.Context(), id)
			require.NoError(t, err)
			assert.Equal(t, want, r.Outcome)
			assert.Zero(t, time.Since(start))
			return r
		}
		assert.Empty(t, check(circleci.OutcomePending).Workflows)
		time.Sleep(10 * time.Second)
		assert.Len(t, check(circleci.OutcomePending).Workflows, 1)
		time.Sleep(time.Minute)
		r := check(circleci.OutcomeOnHold)
		jobs, err := c.Workflows.ListJobs(r.Workflows[0].ID).Collect(t.Context())
		require.NoError(t, err)
		require.NoError(t, c.Workflows.Approve(t.Context(), r.Workflows[0].ID, jobs[1].ApprovalRequestID))
		r = check(circleci.OutcomeFailed)
		assert.Equal(t, "x", r.FailedJobs[0].Name)

		id = srv.StartPipeline(webSlug, "main")
		time.Sleep(30 * time.Second)
		check(circleci.OutcomePending)
		time.Sleep(time.Minute)
		check(circleci.OutcomeNoWorkflows)

		_, err = c.Pipelines.Check(t.Context(), id1)
		require.ErrorIs(t, err, circleci.ErrNotFound)
		_, err = c.Pipelines.Check(t.Context(), id, circleci.CaptureBody(new([]byte)))
		require.ErrorIs(t, err, circleci.ErrInvalidArgument)
	})
}

func TestGetLatest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		ok, bad := circlecitest.Workflow("test", circlecitest.Job("x")), circlecitest.Workflow("test", circlecitest.Job("x").Fails())
		deploy := circlecitest.Workflow("deploy", circlecitest.Job("ship"))
		srv.Script(webSlug, plain(ok, deploy), plain(ok), plain(bad, deploy), plain(bad), plain(ok))
		var ids []uuid.UUID
		for _, branch := range []string{"main", "main", "main", "main", "dev"} {
			ids = append(ids, srv.StartPipeline(webSlug, branch))
			time.Sleep(time.Minute)
		}
		srv.Script(webSlug, plain(circlecitest.Workflow("test", circlecitest.Job("x").Takes(time.Hour))))
		srv.StartPipeline(webSlug, "main") // it still runs
		time.Sleep(10 * time.Second)
		c := srv.Client()
		for name, q := range map[string]struct {
			options *circleci.GetLatestOptions
			want    int // the pipeline's number; 0: none
		}{
			"any that has ended":                           {nil, 5},
			"of a branch":                                  {&circleci.GetLatestOptions{Branch: "main"}, 4},
			"that succeeded on a branch":                   {&circleci.GetLatestOptions{Branch: "main", Outcome: circleci.OutcomeSuccess}, 2},
			"with a workflow that succeeded":               {&circleci.GetLatestOptions{Outcome: circleci.OutcomeSuccess, Workflow: "deploy"}, 3},
			"with a workflow":                              {&circleci.GetLatestOptions{Branch: "main", Workflow: "deploy"}, 3},
			"too far back":                                 {&circleci.GetLatestOptions{Branch: "main", Outcome: circleci.OutcomeSuccess, MaxPipelines: 3}, 0},
			"with a workflow that has not ended like this": {&circleci.GetLatestOptions{Outcome: circleci.OutcomeFailed, Workflow: "deploy"}, 0},
		} {
			r, err := c.Pipelines.GetLatest(t.Context(), webSlug, q.options)
			if q.want == 0 {
				require.ErrorIs(t, err, circleci.ErrNotFound, name)
				continue
			}
			require.NoError(t, err, name)
			assert.Equal(t, ids[q.want-1], r.Pipeline.ID, name)
			if q.options != nil && q.options.Workflow != "" {
				assert.Len(t, r.Workflows, 1, name)
			}
		}
		_, err := c.Pipelines.GetLatest(t.Context(), webSlug, &circleci.GetLatestOptions{Branch: "main", Outcome: circleci.OutcomeCanceled, Workflow: "deploy"})
		assert.Regexp(t, `^circleci: no workflow deploy of gh/acme/web on branch main has ended with the outcome canceled: looked at the newest 5 pipelines, back to \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: not found$`, err.Error())

		srv.Fail("GET /pipeline/{pipeline-id}/workflow", circlecitest.Response{Status: http.StatusNotFound}, circlecitest.Response{Status: http.StatusNotFound})
		r, err := c.Pipelines.GetLatest(t.Context(), webSlug, nil)
		require.NoError(t, err)
		assert.EqualValues(t, 4, r.Pipeline.Number, "pipelines without workflows are skipped")
		srv.Fail("GET /pipeline/{pipeline-id}/workflow", circlecitest.Response{Status: http.StatusForbidden})
		_, err = c.Pipelines.GetLatest(t.Context(), webSlug, nil)
		require.ErrorIs(t, err, circleci.ErrForbidden)
		assert.ErrorContains(t, err, "pipeline 6 of gh/acme/web")
	})
}

// The search is bounded: by default 100 pipelines, in five pages.
func TestGetLatestIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		for range 150 {
			srv.StartPipeline(webSlug, "main")
		}
		time.Sleep(time.Hour)
		_, err := srv.Client().Pipelines.GetLatest(t.Context(), webSlug, &circleci.GetLatestOptions{Outcome: circleci.OutcomeFailed})
		require.ErrorIs(t, err, circleci.ErrNotFound)
		assert.ErrorContains(t, err, "looked at the newest 100 pipelines")
		assert.Len(t, srv.Requests(), 5+100)
		start := time.Now()
		srv.Fail("*", circlecitest.Response{Latency: time.Hour})
		_, err = srv.Client().Pipelines.GetLatest(t.Context(), webSlug, nil, circleci.Timeout(30*time.Second))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 30*time.Second, time.Since(start))
	})
}

// A rerun of chosen jobs does not make the latest success.
func TestGetLatestForgetsNoFailedJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Script(webSlug, plain(circlecitest.Workflow("a", circlecitest.Job("x").FailsOnce(), circlecitest.Job("y").Fails())))
		c := srv.Client()
		id := srv.StartPipeline(webSlug, "main")
		r, err := c.Pipelines.Wait(t.Context(), id, nil)
		require.NoError(t, err)
		jobs := r.FailedJobs
		if jobs[0].Name != "x" {
			jobs[0], jobs[1] = jobs[1], jobs[0]
		}
		_, err = c.Workflows.RerunAndWait(t.Context(), r.Workflows[0].ID, circleci.RerunWorkflowRequest{Jobs: []uuid.UUID{jobs[0].ID}, SparseTree: true}, nil)
		require.NoError(t, err)
		_, err = c.Pipelines.GetLatest(t.Context(), webSlug, &circleci.GetLatestOptions{Outcome: circleci.OutcomeSuccess})
		require.ErrorIs(t, err, circleci.ErrNotFound)
		r, err = c.Pipelines.GetLatest(t.Context(), webSlug, &circleci.GetLatestOptions{Outcome: circleci.OutcomeFailed})
		require.NoError(t, err)
		assert.Equal(t, "y", r.FailedJobs[0].Name)
	})
}
