package circleci_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func TestTestReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		many := make([]circleci.Test, 45) // three pages
		for i := range many {
			many[i] = circlecitest.PassingTest("TestMany", float64(i))
		}
		srv.Script(webSlug, plain(
			circlecitest.Workflow("a",
				circlecitest.Job("x").FailsOnce().WithTests(circlecitest.FailingTest("TestX", "no"), circlecitest.PassingTest("TestSlow", 99)),
				circlecitest.Job("never").Requires("x"), circlecitest.Approval("hold").Requires("never")),
			circlecitest.Workflow("b", circlecitest.Job("y").WithTests(many...)),
		))
		id := srv.StartPipeline(webSlug, "main")
		c := srv.Client()
		result, err := c.Pipelines.Wait(t.Context(), id, nil)
		require.NoError(t, err)

		for name, read := range map[string]func() (*circleci.TestReport, error){
			"pipeline": func() (*circleci.TestReport, error) { return c.Pipelines.GetTestReport(t.Context(), id) },
			"workflow": func() (*circleci.TestReport, error) {
				i := slices.IndexFunc(result.Workflows, func(w circleci.Workflow) bool { return w.Name == "a" })
				return c.Workflows.GetTestReport(t.Context(), result.Workflows[i].ID)
			},
			"job": func() (*circleci.TestReport, error) {
				return c.Jobs.GetTestReport(t.Context(), webSlug, result.FailedJobs[0].Number)
			},
		} {
			r, err := read()
			require.NoError(t, err, name)
			failed := r.Failed()
			require.Len(t, failed, 1, name)
			assert.Equal(t, "TestX", failed[0].Name, name)
			assert.Equal(t, result.FailedJobs[0].Number, failed[0].JobNumber, name)
			slow := r.Slowest(2)
			require.Len(t, slow, 2, name)
			assert.Equal(t, "TestSlow", slow[0].Name, name)
			if name == "pipeline" {
				assert.Len(t, r.Tests, 47)
				assert.Equal(t, "y", slow[1].JobName)
				assert.Equal(t, circleci.Seconds(44*time.Second), slow[1].RunTime)
				assert.Len(t, r.Slowest(1000), 47)
				assert.Empty(t, r.Slowest(-1))
			}
		}
	})
}

func TestATestReportThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		var jobs []*circlecitest.JobScript
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			jobs = append(jobs, circlecitest.Job(name))
		}
		srv.Script(webSlug, plain(circlecitest.Workflow("a", jobs...)))
		id := srv.StartPipeline(webSlug, "main")
		time.Sleep(time.Minute)
		const tests = "GET /project/{project-slug}/{job-number}/tests"
		srv.Fail(tests, circlecitest.Response{Status: http.StatusForbidden})
		r, err := srv.Client().Pipelines.GetTestReport(t.Context(), id)
		assert.NotNil(t, r, "what was read is handed over")
		require.ErrorIs(t, err, circleci.ErrForbidden, "the error that came first, and not that others were given up")
		assert.Regexp(t, "^circleci: tests of job [1-8] of gh/acme/web: ", err.Error(), "the error says of which job")

		srv.Fail(tests, circlecitest.Response{Latency: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = srv.Client().Pipelines.GetTestReport(ctx, id)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
	})
}
