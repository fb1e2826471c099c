package circleci_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

var workflowTests = []operationTest{
	{
		op:   "GET /workflow/{id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) { return some(c.Workflows.Get(ctx, id1)) },
		path: "/workflow/11111111-1111-4111-8111-111111111111", fixture: "workflows/getWorkflowById",
		check: func(t *testing.T, got any) {
			w := as[*circleci.Workflow](t, got)
			assert.Equal(t, circleci.WorkflowTagSetup, w.Tag)
			assert.EqualValues(t, 3, w.MaxAutoReruns)
		},
	},
	{
		op: "GET /workflow/{id}/job",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Workflows.ListJobs(id1))
		},
		path: "/workflow/11111111-1111-4111-8111-111111111111/job", fixture: "workflows/listWorkflowJobs",
		check: func(t *testing.T, got any) {
			jobs := as[[]circleci.WorkflowJob](t, got)
			assert.Equal(t, []circleci.JobStatus{"success", "failed"}, jobs[0].Requires[id2.String()])
			assert.Zero(t, jobs[1].Number, "an approval has no number")
			assert.True(t, jobs[1].StartedAt.IsZero())
		},
	},
	{
		op: "POST /workflow/{id}/approve/{approval_request_id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return none(c.Workflows.Approve(ctx, id1, id2))
		},
		path:    "/workflow/11111111-1111-4111-8111-111111111111/approve/22222222-2222-4222-8222-222222222222",
		fixture: "workflows/approvePendingApprovalJobById", status: 202,
	},
	{
		op:   "POST /workflow/{id}/cancel",
		call: func(ctx context.Context, c *circleci.Client) (any, error) { return none(c.Workflows.Cancel(ctx, id1)) },
		path: "/workflow/11111111-1111-4111-8111-111111111111/cancel", fixture: "workflows/cancelWorkflow", status: 202,
	},
	{
		op: "POST /workflow/{id}/rerun",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Workflows.Rerun(ctx, id1, circleci.RerunWorkflowRequest{Jobs: []uuid.UUID{id2}, EnableSSH: true, SparseTree: true}))
		},
		path:    "/workflow/11111111-1111-4111-8111-111111111111/rerun",
		body:    `{"jobs":["22222222-2222-4222-8222-222222222222"],"enable_ssh":true,"sparse_tree":true}`,
		fixture: "workflows/rerunWorkflow", status: 202,
	},
}

func TestRerunForms(t *testing.T) {
	srv := circlecitest.New(t)
	c := srv.Client(circleci.WithRetry(circleci.RetryPolicy{MaxAttempts: 1}))
	for _, r := range []circleci.RerunWorkflowRequest{
		{FromFailed: true, Jobs: []uuid.UUID{id1}},
		{FromFailed: true, EnableSSH: true},
		{EnableSSH: true},
		{SparseTree: true},
	} {
		_, err := c.Workflows.Rerun(t.Context(), id1, r)
		assert.ErrorIs(t, err, circleci.ErrInvalidArgument, "%+v", r)
	}
	require.Empty(t, srv.Requests(), "what the API refuses is not sent")

	_, err := c.Workflows.Rerun(t.Context(), id1, circleci.RerunWorkflowRequest{})
	assert.ErrorIs(t, err, circleci.ErrNotFound)
	assert.JSONEq(t, `{}`, string(srv.Requests()[0].Body))
}

func TestStatusesThatEnd(t *testing.T) {
	for status, done := range map[circleci.WorkflowStatus]bool{
		"success": true, "failed": true, "error": true, "canceled": true, "unauthorized": true, "not_run": true,
		"running": false, "failing": false, "on_hold": false, "": false, "new-one": false,
	} {
		assert.Equal(t, done, status.Done(), "workflow %q", status)
	}
	for status, done := range map[circleci.JobStatus]bool{
		"success": true, "failed": true, "canceled": true, "unauthorized": true, "not_run": true, "infrastructure_fail": true,
		"timedout": true, "terminated-unknown": true, "retried": true,
		"queued": false, "not_running": false, "running": false, "on_hold": false, "blocked": false, "": false, "new-one": false,
	} {
		assert.Equal(t, done, status.Done(), "job %q", status)
	}
	for state, done := range map[circleci.PipelineState]bool{
		"created": true, "errored": true, "setup-pending": false, "setup": false, "pending": false, "": false, "new-one": false,
	} {
		assert.Equal(t, done, state.Done(), "pipeline %q", state)
	}
}
