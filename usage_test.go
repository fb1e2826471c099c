package circleci_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

var usageTests = []operationTest{
	{
		op: "POST /organizations/{org_id}/usage_export_job",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Usage.CreateExport(ctx, id1, circleci.CreateUsageExportRequest{
				Start: march1, End: march8.Add(-time.Millisecond), SharedOrgIDs: []uuid.UUID{id2},
			}))
		},
		path: "/organizations/11111111-1111-4111-8111-111111111111/usage_export_job",
		body: `{"start":"2026-03-01T00:00:00Z","end":"2026-03-07T23:59:59.999Z",` +
			`"shared_org_ids":["22222222-2222-4222-8222-222222222222"]}`,
		fixture: "usage/createUsageExport", status: 201,
	},
	{
		op: "GET /organizations/{org_id}/usage_export_job/{usage_export_job_id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Usage.GetExport(ctx, id1, id2))
		},
		path:    "/organizations/11111111-1111-4111-8111-111111111111/usage_export_job/22222222-2222-4222-8222-222222222222",
		fixture: "usage/getUsageExport",
		check: func(t *testing.T, got any) {
			export := as[*circleci.UsageExport](t, got)
			assert.True(t, export.State.Done())
			assert.Equal(t, "https://storage.example/1.csv.gz?X-Amz-Signature=a%2Bb", export.DownloadURLs[0], "a signed URL is kept to the letter")
		},
	},
}

func TestTheStateOfAnExportIsReadInAnyCase(t *testing.T) {
	for state, want := range map[circleci.UsageExportState]struct{ done, failed bool }{
		"created": {}, "processing": {}, circleci.UsageExportStatePending: {}, "": {}, "something-new": {}, "PROCESSING": {},
		"completed": {done: true}, "COMPLETED": {done: true},
		"failed": {done: true, failed: true}, "Failed": {done: true, failed: true},
	} {
		assert.Equal(t, want.done, state.Done(), state)
		assert.Equal(t, want.failed, state.Failed(), state)
	}
}

func TestBadUsageInputIsNotSent(t *testing.T) {
	srv := circlecitest.New(t)
	create := func(start, end time.Time) error {
		return second(srv.Client().Usage.CreateExport(t.Context(), id1, circleci.CreateUsageExportRequest{Start: start, End: end}))
	}
	for what, err := range map[string]error{
		"an end before the start": create(march8, march1),
		"more than 32 days":       create(march1, march1.AddDate(0, 0, 32).Add(1)),
		"no start":                create(time.Time{}, march1),
		"no end":                  create(march1, time.Time{}),
		"no organization":         second(srv.Client().Usage.GetExport(t.Context(), uuid.Nil, id1)),
	} {
		assert.ErrorIs(t, err, circleci.ErrInvalidArgument, what)
	}
	assert.Empty(t, srv.Requests())
	srv.Fail("POST /organizations/{org_id}/usage_export_job", circlecitest.Response{Status: 201, Body: `{"usage_export_job_id":"00000001-1111-4111-8111-111111111111","state":"created"}`})
	require.NoError(t, create(march1, march1.AddDate(0, 0, 32)), "32 days are for the API to judge")
}
