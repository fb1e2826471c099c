package circleci_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func TestFailureReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		var log strings.Builder
		for i := range 1000 {
			fmt.Fprintf(&log, "line %d of the log\n", i)
		}
		srv.Script(webSlug, plain(
			circlecitest.Workflow("build",
				circlecitest.Job("unit").Fails().WithOutput(log.String()+"\x1b[31mFAIL\x1b[0m: TestPayment\n").
					WithTests(circlecitest.PassingTest("TestLogin", time.Second), circlecitest.FailingTest("TestPayment", "want 200,\ngot 402\x1b]0;x\a")),
				circlecitest.Job("lint"), circlecitest.Job("ship").Requires("unit")),
			circlecitest.Workflow("docs", circlecitest.Job("links"))))
		id := srv.StartPipeline(webSlug, "main")
		time.Sleep(time.Hour)
		c := srv.Client()
		r, err := c.Pipelines.GetFailureReport(t.Context(), id, &circleci.FailureReportOptions{MaxOutput: 100})
		require.NoError(t, err)
		assert.Empty(t, r.Missing)
		require.Len(t, r.Jobs, 1)
		assert.Equal(t, "build", r.Jobs[0].WorkflowName)
		assert.Equal(t, `pipeline 1 of gh/acme/web: failed

job unit of workflow build, number `+strconv.FormatInt(r.Jobs[0].Number, 10)+`: failed
  step unit: failed, exit code 1
    line 999 of the log
    FAIL: TestPayment
    …
    line 997 of the log
    line 998 of the log
    line 999 of the log
    FAIL: TestPayment
  test suite.TestPayment: failure
    want 200,
    got 402
`, r.String())

		assert.Equal(t, "line 999 of the log\nFAIL: TestPayment\n", r.Jobs[0].Steps[0].Condensed)
		srv.Fail("GET /api/v3/jobs/{id}/stdout/condensed", circlecitest.Response{Status: http.StatusNotFound})
		r, err = c.Pipelines.GetFailureReport(t.Context(), id, &circleci.FailureReportOptions{MaxOutput: 100})
		require.NoError(t, err)
		assert.Empty(t, r.Missing)
		assert.Empty(t, r.Jobs[0].Steps[0].Condensed)

		r, err = c.Pipelines.GetFailureReport(t.Context(), id, nil)
		require.NoError(t, err)
		assert.Less(t, len(r.Jobs[0].Steps[0].Output), 4097)
		assert.Greater(t, len(r.Jobs[0].Steps[0].Output), 4000)
	})
}

// What cannot be read is listed, and costs nothing else.
func TestAFailureReportContainsWhatCanBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Script(webSlug, plain(circlecitest.Workflow("build",
			circlecitest.Job("unit").Fails().WithOutput("oh").WithTests(circlecitest.FailingTest("TestPayment", "no")))))
		id := srv.StartPipeline(webSlug, "main")
		time.Sleep(time.Hour)
		c := srv.Client(circleci.WithRetry(circleci.RetryPolicy{MaxAttempts: 1}))
		gone := circlecitest.Response{Status: http.StatusNotFound}
		for op, want := range map[string]string{
			"GET /api/v1.1/project/{project-slug}/{build-number}": "not available: the steps of job unit, number 1: ",
			"GET /project/{project-slug}/{job-number}/tests":      "not available: the tests of job unit, number 1: ",
			"storage": "not available: the output of step unit of job unit, number 1: ",
			jobsOp:    "not available: the failed jobs of workflow build: ",
			"":        "",
		} {
			if op == "storage" {
				srv.Fail("GET /api/v3/jobs/{job-id}/{stream}", gone)
			}
			if op != "" {
				srv.Fail(op, gone)
			}
			r, err := c.Pipelines.GetFailureReport(t.Context(), id, nil)
			require.NoError(t, err)
			assert.Equal(t, circleci.OutcomeFailed, r.Result.Outcome)
			assert.Contains(t, r.String(), want)
			assert.Equal(t, op != "", len(r.Missing) == 1, op)
			assert.Equal(t, op == jobsOp, len(r.Jobs) == 0, op)
		}

		srv.Fail("GET /api/v3/jobs/{job-id}/{stream}", times(20, circlecitest.Response{Body: "oh no", CutAfter: 2})...)
		r, err := c.Pipelines.GetFailureReport(t.Context(), id, nil)
		require.NoError(t, err)
		assert.Contains(t, r.String(), "not available: the output of step unit of job unit, number 1: ", "it breaks off")

		srv.Fail(workflowOp, circlecitest.Response{Status: http.StatusForbidden})
		_, err = c.Pipelines.GetFailureReport(t.Context(), id, nil)
		require.ErrorIs(t, err, circleci.ErrForbidden)
		_, err = c.Pipelines.GetFailureReport(t.Context(), id1, nil)
		require.ErrorIs(t, err, circleci.ErrNotFound)
		srv.Fail("GET /project/{project-slug}/{job-number}/tests", circlecitest.Response{Latency: time.Hour})
		r, err = c.Pipelines.GetFailureReport(t.Context(), id, nil, circleci.Timeout(30*time.Second))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Len(t, r.Jobs, 1, "what was read comes with the error")
	})
}

// A report is bounded in jobs, steps, output and tests, and says what it left out.
func TestAFailureReportIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		var jobs []*circlecitest.JobScript
		for i := range 30 {
			job := circlecitest.Job(fmt.Sprintf("job-%d", i)).Fails()
			for n := range 50 {
				job.WithTests(circlecitest.FailingTest(fmt.Sprintf("Test%d", n), strings.Repeat("x", 5000)))
			}
			jobs = append(jobs, job)
		}
		srv.Script(webSlug, plain(circlecitest.Workflow("build", jobs...)))
		id := srv.StartPipeline(webSlug, "main")
		time.Sleep(time.Hour)
		r, err := srv.Client().Pipelines.GetFailureReport(t.Context(), id, nil)
		require.NoError(t, err)
		assert.Len(t, r.Jobs, 10)
		assert.Equal(t, 20, r.MoreJobs)
		assert.Len(t, r.Jobs[0].Tests, 20)
		assert.Equal(t, 30, r.Jobs[0].MoreTests)
		assert.Contains(t, r.String(), "and 20 more failed jobs")
		assert.Contains(t, r.String(), "  and 30 more failed tests")
		assert.Less(t, len(r.Jobs[0].Tests[0].Message), 4100)
	})
}

func TestAFailureReportOfAPipelineWithoutAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Script(webSlug, plain(circlecitest.Workflow("a", circlecitest.Job("x").Fails(), circlecitest.Job("y").Takes(time.Hour))),
			plain(circlecitest.Workflow("a", circlecitest.Job("x"))),
			circlecitest.Script{Errors: []circleci.PipelineError{{Message: "\x1b[31mbad\x1b[0m\nconfig"}}})
		c := srv.Client()
		for _, want := range []string{
			"pipeline 1 of gh/acme/web: not finished\n\njob x of workflow a, number 1: failed\n  step x: failed, exit code 1\n",
			"pipeline 2 of gh/acme/web: success\n",
			"pipeline 3 of gh/acme/web: errored\nerror: bad\n  config\n",
		} {
			id := srv.StartPipeline(webSlug, "main")
			time.Sleep(40 * time.Second)
			r, err := c.Pipelines.GetFailureReport(t.Context(), id, nil)
			require.NoError(t, err)
			assert.Equal(t, want, r.String())
		}
	})
}
