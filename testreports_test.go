package circleci_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
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
			many[i] = circlecitest.PassingTest("TestMany", time.Duration(i)*time.Second)
		}
		srv.Script(webSlug, plain(
			circlecitest.Workflow("a",
				circlecitest.Job("x").FailsOnce().WithTests(circlecitest.FailingTest("TestX", "no"), circlecitest.PassingTest("TestSlow", 99*time.Second)),
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

// One job without tests does not cost those of the others.
func TestATestReportContainsWhatCanBeRead(t *testing.T) {
	const tests = "GET /project/{project-slug}/{job-number}/tests"
	for name, c := range map[string]struct {
		status int
		want   error
	}{
		"not there": {http.StatusNotFound, nil},
		"forbidden": {http.StatusForbidden, circleci.ErrForbidden},
		"removed":   {http.StatusGone, circleci.ErrGone},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := circlecitest.New(t)
				var jobs []*circlecitest.JobScript
				for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
					jobs = append(jobs, circlecitest.Job(name).WithTests(circlecitest.PassingTest("Test", time.Second)))
				}
				srv.Script(webSlug, plain(circlecitest.Workflow("a", jobs...)))
				id := srv.StartPipeline(webSlug, "main")
				time.Sleep(time.Minute)
				client := srv.Client()
				workflows, err := client.Pipelines.ListWorkflows(id).Collect(t.Context())
				require.NoError(t, err)
				for _, read := range []func() (*circleci.TestReport, error){
					func() (*circleci.TestReport, error) { return client.Pipelines.GetTestReport(t.Context(), id) },
					func() (*circleci.TestReport, error) {
						return client.Workflows.GetTestReport(t.Context(), workflows[0].ID)
					},
				} {
					srv.Fail(tests, circlecitest.Response{Status: c.status})
					r, err := read()
					require.NotNil(t, r)
					assert.Len(t, r.Tests, 7)
					require.Len(t, r.Missing, 1)
					assert.NotEmpty(t, r.Missing[0].JobName)
					assert.Regexp(t, "^circleci: tests of job [1-8] of gh/acme/web: ", r.Missing[0].Err.Error())
					if c.want == nil {
						require.NoError(t, err)
					} else {
						require.ErrorIs(t, err, c.want)
					}
				}
				srv.Fail(tests, circlecitest.Response{Status: c.status})
				r, err := client.Jobs.GetTestReport(t.Context(), webSlug, 1)
				assert.Nil(t, r)
				require.Error(t, err, "it is what the call was made for")
			})
		})
	}
}

// A rerun of chosen jobs does not hide the tests of the others.
func TestATestReportOfASparseRerun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Script(webSlug, plain(circlecitest.Workflow("a",
			circlecitest.Job("x").FailsOnce().WithTests(circlecitest.PassingTest("TestX", time.Second)),
			circlecitest.Job("y").Fails().WithTests(circlecitest.FailingTest("TestY", "no")))))
		id := srv.StartPipeline(webSlug, "main")
		c := srv.Client()
		r, err := c.Pipelines.Wait(t.Context(), id, nil)
		require.NoError(t, err)
		x := slices.IndexFunc(r.FailedJobs, func(j circleci.WorkflowJob) bool { return j.Name == "x" })
		in := circleci.RerunWorkflowRequest{Jobs: []uuid.UUID{r.FailedJobs[x].ID}, SparseTree: true}
		_, err = c.Workflows.RerunAndWait(t.Context(), r.Workflows[0].ID, in, nil)
		require.NoError(t, err)
		report, err := c.Pipelines.GetTestReport(t.Context(), id)
		require.NoError(t, err)
		assert.Len(t, report.Tests, 2)
		assert.Len(t, report.Failed(), 1)
	})
}

// A workflow without an ID, and jobs that are gone, are listed as missing.
func TestATestReportWithoutTheJobsOfAWorkflow(t *testing.T) {
	net := looks([]look{{state: "created", workflows: []string{`{"id":null,"name":"old","status":"failed","project_slug":"gh/acme/web"}`}}})
	r, err := net.client(t).Pipelines.GetTestReport(t.Context(), id1)
	require.NoError(t, err)
	require.Len(t, r.Missing, 1)
	assert.EqualError(t, r.Missing[0].Err, "circleci: jobs of workflow old: the API reports the workflow without an ID")
}

func TestOptionsOfATestReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		id := srv.StartPipeline(webSlug, "main")
		time.Sleep(time.Hour)
		c := srv.Client()
		_, err := c.Pipelines.GetTestReport(t.Context(), id, circleci.CaptureResponse(new(circleci.Response)))
		require.ErrorIs(t, err, circleci.ErrInvalidArgument)
		assert.Empty(t, srv.Requests())
		slow := circlecitest.Response{Executed: true, Latency: 40 * time.Second}
		srv.Fail("*", slow, slow, slow)
		start := time.Now()
		_, err = c.Pipelines.GetTestReport(t.Context(), id, circleci.Timeout(time.Minute))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Minute, time.Since(start), "the timeout limits the report as a whole")
	})
}
