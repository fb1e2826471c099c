package circleci_test

import (
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

func TestWaitForAWorkflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Script(webSlug, plain(circlecitest.Workflow("a", circlecitest.Job("x").Fails(), circlecitest.Approval("hold"))))
		id := srv.StartPipeline(webSlug, "main")
		c := srv.Client()
		time.Sleep(5 * time.Second)
		all, err := c.Pipelines.ListWorkflows(id).Collect(t.Context())
		require.NoError(t, err)
		r, err := c.Workflows.Wait(t.Context(), all[0].ID, &circleci.WaitOptions{StopOnHold: true})
		require.NoError(t, err)
		assert.Equal(t, circleci.OutcomeOnHold, r.Outcome)
		require.Len(t, r.Jobs, 2)

		require.NoError(t, c.Workflows.Approve(t.Context(), all[0].ID, r.Jobs[1].ApprovalRequestID))
		var lines []string
		for r, err := range c.Workflows.Watch(t.Context(), all[0].ID, &circleci.WaitOptions{WithJobs: true}) {
			require.NoError(t, err)
			lines = append(lines, r.String())
			if r.Outcome != circleci.OutcomePending {
				assert.Equal(t, circleci.OutcomeFailed, r.Outcome)
				assert.Equal(t, "x", r.FailedJobs[0].Name)
				assert.ErrorContains(t, r.Err(), "job x failed")
			}
		}
		assert.Equal(t, []string{"a failed (2 of 2 jobs)"}, lines)
	})
}

// startedWorkflow starts a pipeline and returns the ID of its first workflow.
func startedWorkflow(t *testing.T, srv *circlecitest.Server, script circlecitest.Script) uuid.UUID {
	t.Helper()
	srv.Script(webSlug, script)
	id := srv.StartPipeline(webSlug, "main")
	time.Sleep(5 * time.Second)
	all, err := srv.Client().Pipelines.ListWorkflows(id).Collect(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all[0].ID
}

func TestRerunAndWait(t *testing.T) {
	script := plain(circlecitest.Workflow("a", circlecitest.Job("x").FailsOnce(), circlecitest.Job("y")))
	for name, choose := range map[string]func(jobs []circleci.WorkflowJob) circleci.RerunWorkflowRequest{
		"from failed": func([]circleci.WorkflowJob) circleci.RerunWorkflowRequest {
			return circleci.RerunWorkflowRequest{FromFailed: true}
		},
		"chosen jobs": func(jobs []circleci.WorkflowJob) circleci.RerunWorkflowRequest {
			return circleci.RerunWorkflowRequest{Jobs: []uuid.UUID{jobs[0].ID}}
		},
		"with SSH": func(jobs []circleci.WorkflowJob) circleci.RerunWorkflowRequest {
			return circleci.RerunWorkflowRequest{Jobs: []uuid.UUID{jobs[0].ID}, EnableSSH: true}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := circlecitest.New(t)
				id := startedWorkflow(t, srv, script)
				c := srv.Client()
				_, err := c.Workflows.RerunAndWait(t.Context(), id, circleci.RerunWorkflowRequest{}, nil)
				require.ErrorContains(t, err, "terminal state", "what runs cannot be rerun")
				r, err := c.Workflows.Wait(t.Context(), id, nil)
				require.NoError(t, err)
				require.Equal(t, circleci.OutcomeFailed, r.Outcome)
				srv.Fail("GET /workflow/{id}", circlecitest.Response{Status: http.StatusNotFound}) // it is not everywhere yet
				r, err = c.Workflows.RerunAndWait(t.Context(), id, choose(r.Jobs), nil)
				require.NoError(t, err)
				assert.Equal(t, circleci.OutcomeSuccess, r.Outcome)
				assert.NotEqual(t, id, r.Workflow.ID)
			})
		})
	}
}

func TestApproveAndWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		id := startedWorkflow(t, srv, plain(circlecitest.Workflow("a",
			circlecitest.Approval("first"), circlecitest.Approval("second").Requires("first"))))
		c := srv.Client()
		stop := &circleci.WaitOptions{StopOnHold: true}
		r, err := c.Workflows.Wait(t.Context(), id, stop)
		require.NoError(t, err)
		first := r.Jobs[0].ApprovalRequestID
		// The API has not taken note yet when it is asked for the first time.
		srv.Fail("GET /workflow/{id}/job", circlecitest.Response{Body: `{"items":[{"name":"first","status":"on_hold","approval_request_id":"` +
			first.String() + `"}]}`})
		r, err = c.Workflows.ApproveAndWait(t.Context(), id, first, stop)
		require.NoError(t, err)
		require.Equal(t, circleci.OutcomeOnHold, r.Outcome)
		assert.Equal(t, circleci.JobStatusSuccess, r.Jobs[0].Status)
		assert.Equal(t, circleci.JobStatusOnHold, r.Jobs[1].Status)
		r, err = c.Workflows.ApproveAndWait(t.Context(), id, r.Jobs[1].ApprovalRequestID, stop)
		require.NoError(t, err)
		assert.Equal(t, circleci.OutcomeSuccess, r.Outcome)
		_, err = c.Workflows.ApproveAndWait(t.Context(), id, id1, stop)
		assert.ErrorIs(t, err, circleci.ErrNotFound)
	})
}

func TestWaitForAJob(t *testing.T) {
	for status, want := range map[circleci.JobStatus]circleci.Outcome{
		circleci.JobStatusSuccess: circleci.OutcomeSuccess, circleci.JobStatusFailed: circleci.OutcomeFailed,
		circleci.JobStatusTimedOut: circleci.OutcomeFailed, circleci.JobStatusCanceled: circleci.OutcomeCanceled,
		circleci.JobStatusNotRun: circleci.OutcomeNotRun,
	} {
		synctest.Test(t, func(t *testing.T) {
			srv := circlecitest.New(t)
			startedWorkflow(t, srv, plain(circlecitest.Workflow("a", circlecitest.Job("x").Ends(status))))
			c := srv.Client()
			_, err := c.Jobs.Wait(t.Context(), webSlug, 99, nil)
			require.ErrorIs(t, err, circleci.ErrNotFound)
			var lines []string
			r, err := c.Jobs.Wait(t.Context(), webSlug, 1, &circleci.WaitOptions{OnProgress: func(p circleci.Progress) {
				if p.Changed {
					lines = append(lines, p.Text)
				}
			}})
			require.NoError(t, err)
			assert.Equal(t, want, r.Outcome)
			assert.Equal(t, []string{"x running", "x " + string(status)}, lines)
			assert.Equal(t, want == circleci.OutcomeSuccess, r.Err() == nil)
		})
	}
}
