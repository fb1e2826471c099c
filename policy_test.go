package circleci_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

const ownerPath = "/owner/11111111-1111-4111-8111-111111111111/context/config"

var policyTests = []operationTest{
	{
		op: "GET /owner/{ownerID}/context/{context}/policy-bundle",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Policy.GetBundle(ctx, id1))
		},
		path: ownerPath + "/policy-bundle", fixture: "policy/GetPolicyBundle",
	},
	{
		op: "POST /owner/{ownerID}/context/{context}/policy-bundle",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Policy.CreateBundle(ctx, id1, circleci.CreatePolicyBundleRequest{
				Policies: map[string]string{"a.rego": "package org\n", "b.rego": ""}, DryRun: true,
			}))
		},
		path: ownerPath + "/policy-bundle", query: "dry=true", body: `{"policies":{"a.rego":"package org\n","b.rego":""}}`,
		fixture: "policy/CreatePolicyBundle",
	},
	{
		op: "GET /owner/{ownerID}/context/{context}/policy-bundle/{policyName}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Policy.GetPolicy(ctx, id1, "a/b"))
		},
		path: ownerPath + "/policy-bundle/a%2Fb", fixture: "policy/GetPolicyDocument",
	},
	{
		op: "GET /owner/{ownerID}/context/{context}/decision",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			page, err := c.Policy.ListDecisions(id1, &circleci.ListDecisionsOptions{
				Status: circleci.DecisionStatusHardFail,
				After:  time.Date(2026, 3, 1, 1, 0, 0, 0, time.FixedZone("", 3600)), Before: time.Date(2026, 3, 2, 0, 0, 0, 500e6, time.UTC),
				Branch: "fix/a b", ProjectID: id2, BuildNumber: 4711,
			}).Page(ctx, "")
			if err != nil {
				return nil, err
			}
			return page.Items, nil // a walk would ask for the next page
		},
		path: ownerPath + "/decision",
		query: "after=2026-03-01T00%3A00%3A00Z&before=2026-03-02T00%3A00%3A00.5Z&branch=fix%2Fa+b&build_number=4711" +
			"&project_id=22222222-2222-4222-8222-222222222222&status=HARD_FAIL",
		fixture: "policy/GetDecisionLogs",
		check: func(t *testing.T, got any) {
			logs := as[[]circleci.DecisionLog](t, got)
			assert.Equal(t, 12*time.Millisecond, time.Duration(logs[0].TimeTaken), "the API counts in milliseconds")
			assert.Equal(t, int64(9007199254740993), logs[0].Metadata.Parameters["replicas"], "a number keeps all its digits")
		},
	},
	{
		op: "POST /owner/{ownerID}/context/{context}/decision",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Policy.Decide(ctx, id1, circleci.DecideRequest{
				Input: "version: 2.1\n", Metadata: map[string]any{"project_id": id2, "vcs": map[string]any{"branch": "main"}},
			}))
		},
		path:    ownerPath + "/decision",
		body:    `{"input":"version: 2.1\n","metadata":{"project_id":"22222222-2222-4222-8222-222222222222","vcs":{"branch":"main"}}}`,
		fixture: "policy/MakeDecision",
	},
	{
		op: "GET /owner/{ownerID}/context/{context}/decision/settings",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Policy.GetSettings(ctx, id1))
		},
		path: ownerPath + "/decision/settings", fixture: "policy/GetDecisionSettings",
	},
	{
		op: "PATCH /owner/{ownerID}/context/{context}/decision/settings",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Policy.UpdateSettings(ctx, id1, circleci.UpdatePolicySettingsRequest{Enabled: false}))
		},
		path: ownerPath + "/decision/settings", body: `{"enabled":false}`, fixture: "policy/SetDecisionSettings",
	},
	{
		op: "GET /owner/{ownerID}/context/{context}/decision/{decisionID}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Policy.GetDecision(ctx, id1, id2))
		},
		path: ownerPath + "/decision/22222222-2222-4222-8222-222222222222", fixture: "policy/GetDecisionLog",
	},
	{
		op: "GET /owner/{ownerID}/context/{context}/decision/{decisionID}/policy-bundle",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Policy.GetDecisionBundle(ctx, id1, id2))
		},
		path: ownerPath + "/decision/22222222-2222-4222-8222-222222222222/policy-bundle", fixture: "policy/GetDecisionLogPolicyBundle",
	},
}

func TestABundleIsReadInEachOfItsForms(t *testing.T) {
	want := map[string][]circleci.Policy{"p": {{Name: "p", Content: "package org"}}}
	for form, body := range map[string]string{
		"an object, as the live API has it":   `{"p":{"content":"package org","name":"p"}}`,
		"an array, as the document has it":    `{"p":[{"content":"package org","name":"p"}]}`,
		"a text, as a tool of CircleCI's has": `{"p":"package org"}`,
		"an object without its name":          `{"p":{"content":"package org"}}`,
	} {
		t.Run(form, func(t *testing.T) {
			srv := circlecitest.New(t)
			srv.Fail("GET /owner/{ownerID}/context/{context}/policy-bundle", circlecitest.Response{Body: body})
			got, err := srv.Client().Policy.GetBundle(t.Context(), id1)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
	t.Run("null is none", func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Fail("GET /owner/{ownerID}/context/{context}/policy-bundle", circlecitest.Response{Body: `{"p":null}`})
		got, err := srv.Client().Policy.GetBundle(t.Context(), id1)
		require.NoError(t, err)
		assert.Empty(t, got["p"])
	})
	t.Run("anything else is an error", func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Fail("GET /owner/{ownerID}/context/{context}/policy-bundle", circlecitest.Response{Body: `{"p":7}`})
		_, err := srv.Client().Policy.GetBundle(t.Context(), id1)
		var bad *circleci.DecodeError
		assert.ErrorAs(t, err, &bad)
	})
}

func TestPoliciesAreNotClearedByAccident(t *testing.T) {
	srv := circlecitest.New(t)
	c, owner := srv.Client(), srv.AddOrg("gh/acme")
	_, err := c.Policy.CreateBundle(t.Context(), owner, circleci.CreatePolicyBundleRequest{})
	require.ErrorIs(t, err, circleci.ErrInvalidArgument, "nil would delete all policies")
	assert.Empty(t, srv.Requests())
	_, err = c.Policy.CreateBundle(t.Context(), owner, circleci.CreatePolicyBundleRequest{Policies: map[string]string{}})
	require.NoError(t, err, "an empty map says so on purpose")
	assert.JSONEq(t, `{"policies":{}}`, string(srv.Requests()[0].Body))
	assert.Empty(t, srv.Requests()[0].Query, "no dry run: it is for real")
}

func TestADecisionNeedsInput(t *testing.T) {
	srv := circlecitest.New(t)
	_, err := srv.Client().Policy.Decide(t.Context(), id1, circleci.DecideRequest{})
	assert.ErrorIs(t, err, circleci.ErrInvalidArgument)
	assert.Empty(t, srv.Requests())
}

func TestDecisionsArePagedByOffset(t *testing.T) {
	srv := circlecitest.New(t)
	const op = "GET /owner/{ownerID}/context/{context}/decision"
	srv.Fail(op,
		circlecitest.Response{Body: `[{"id":"` + id1.String() + `"},{"id":"` + id2.String() + `"}]`},
		// A new decision has shifted the pages by one.
		circlecitest.Response{Body: `[{"id":"` + id2.String() + `"},{"id":"` + id3.String() + `"}]`},
		circlecitest.Response{Body: `null`},
	)
	c := srv.Client()
	logs, err := c.Policy.ListDecisions(id1, &circleci.ListDecisionsOptions{Branch: "main"}).Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, logs, 3, "none twice, none lost")
	var offsets []string
	for _, r := range srv.Requests() {
		assert.Equal(t, "main", r.Query.Get("branch"))
		offsets = append(offsets, r.Query.Get("offset"))
	}
	assert.Equal(t, []string{"", "2", "4"}, offsets)

	srv.Fail(op, circlecitest.Response{Body: `[{"id":"` + id3.String() + `"}]`})
	page, err := c.Policy.ListDecisions(id1, nil).Page(t.Context(), "40")
	require.NoError(t, err)
	assert.Equal(t, "41", page.NextPageToken, "a caller can go on from there")
}
