package circleci_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/circleci-go/circleci"
)

var jobTests = []operationTest{
	{
		op: "GET /project/{project-slug}/job/{job-number}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Jobs.Get(ctx, webSlug, 101))
		},
		path: "/project/gh/acme/web/job/101", fixture: "jobs/getJobDetails",
		check: func(t *testing.T, got any) {
			j := as[*circleci.Job](t, got)
			assert.Equal(t, time.Minute, time.Duration(j.Duration), "the API counts in milliseconds")
			assert.Len(t, j.ParallelRuns, 2)
		},
	},
	{
		op: "POST /project/{project-slug}/job/{job-number}/cancel",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return none(c.Jobs.Cancel(ctx, webSlug, 101))
		},
		path: "/project/gh/acme/web/job/101/cancel", fixture: "jobs/cancelJobByJobNumber",
	},
	{
		op:   "GET /jobs/{job-id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) { return some(c.Jobs.GetByID(ctx, id1)) },
		path: "/jobs/11111111-1111-4111-8111-111111111111", fixture: "jobs/getJobByID",
	},
	{
		op:   "POST /jobs/{job-id}/cancel",
		call: func(ctx context.Context, c *circleci.Client) (any, error) { return none(c.Jobs.CancelByID(ctx, id1)) },
		path: "/jobs/11111111-1111-4111-8111-111111111111/cancel", fixture: "jobs/cancelJobByJobID",
	},
	{
		op: "GET /project/{project-slug}/{job-number}/artifacts",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Jobs.ListArtifacts(webSlug, 101))
		},
		path: "/project/gh/acme/web/101/artifacts", fixture: "jobs/getJobArtifacts",
	},
	{
		op: "GET /project/{project-slug}/{job-number}/tests",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Jobs.ListTests(webSlug, 101))
		},
		path: "/project/gh/acme/web/101/tests", fixture: "jobs/getTests",
		check: func(t *testing.T, got any) {
			tests := as[[]circleci.Test](t, got)
			assert.Equal(t, circleci.Seconds(1500*time.Millisecond), tests[1].RunTime, "a number between quotes")
			assert.True(t, tests[0].Result.Failed())
			assert.False(t, tests[1].Result.Failed())
		},
	},
}
