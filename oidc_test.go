package circleci_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

const (
	orgClaimsPath     = "/org/11111111-1111-4111-8111-111111111111/oidc-custom-claims"
	projectClaimsPath = "/org/11111111-1111-4111-8111-111111111111/project/22222222-2222-4222-8222-222222222222/oidc-custom-claims"
)

var oidcTests = []operationTest{
	{
		op:   "GET /org/{orgID}/oidc-custom-claims",
		call: func(ctx context.Context, c *circleci.Client) (any, error) { return some(c.OIDC.GetOrgClaims(ctx, id1)) },
		path: orgClaimsPath, fixture: "oidc/GetOrgClaims",
		check: func(t *testing.T, got any) {
			claims := as[*circleci.OIDCClaims](t, got)
			assert.Equal(t, 90*time.Minute, time.Duration(claims.TTL))
		},
	},
	{
		op: "PATCH /org/{orgID}/oidc-custom-claims",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.OIDC.UpdateOrgClaims(ctx, id1, circleci.UpdateOIDCClaimsRequest{
				Audience: circleci.Some([]string{"https://sts.amazonaws.com", "vault"}),
				TTL:      circleci.Some(circleci.Duration(90 * time.Minute)),
			}))
		},
		path: orgClaimsPath, body: `{"audience":["https://sts.amazonaws.com","vault"],"ttl":"1h30m0s"}`, fixture: "oidc/PatchOrgClaims",
	},
	{
		op: "DELETE /org/{orgID}/oidc-custom-claims",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.OIDC.DeleteOrgClaims(ctx, id1, []circleci.OIDCClaim{circleci.OIDCClaimAudience, circleci.OIDCClaimTTL}))
		},
		path: orgClaimsPath, query: "claims=audience%2Cttl", fixture: "oidc/DeleteOrgClaims",
	},
	{
		op: "GET /org/{orgID}/project/{projectID}/oidc-custom-claims",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.OIDC.GetProjectClaims(ctx, id1, id2))
		},
		path: projectClaimsPath, fixture: "oidc/GetProjectClaims",
	},
	{
		op: "PATCH /org/{orgID}/project/{projectID}/oidc-custom-claims",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.OIDC.UpdateProjectClaims(ctx, id1, id2, circleci.UpdateOIDCClaimsRequest{Audience: circleci.Some([]string{})}))
		},
		path: projectClaimsPath, body: `{"audience":[]}`, fixture: "oidc/PatchProjectClaims",
	},
	{
		op: "DELETE /org/{orgID}/project/{projectID}/oidc-custom-claims",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.OIDC.DeleteProjectClaims(ctx, id1, id2, []circleci.OIDCClaim{circleci.OIDCClaimTTL}))
		},
		path: projectClaimsPath, query: "claims=ttl", fixture: "oidc/DeleteProjectClaims",
	},
}

func TestDurationsAreReadInBothForms(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"":             0,
		"1h30m0s":      90 * time.Minute,
		"90m":          90 * time.Minute,
		"1.5h":         90 * time.Minute,
		"500ms":        500 * time.Millisecond,
		"7d":           7 * day,
		"1w":           7 * day,
		"2w3d4h5m6s":   17*day + 4*time.Hour + 5*time.Minute + 6*time.Second,
		"1d2d":         3 * day,
		"1d500ms":      day + 500*time.Millisecond,
		"0d":           0,
		"15250w3d":     -1, // out of range
		"2147483648d":  -1,
		"d":            -1,
		"1dd":          -1,
		"1.5d":         -1,
		"-1d":          -1,
		"1d ":          -1,
		"week":         -1,
		"1y":           -1,
		"106752d":      -1,
		"2562048h":     -1,
		"5d3":          -1,
		"9999999w1ms1": -1,
	} {
		var d circleci.Duration
		err := d.UnmarshalText([]byte(text))
		if want < 0 {
			assert.Error(t, err, text)
			continue
		}
		assert.NoError(t, err, text)
		assert.Equal(t, want, time.Duration(d), text)
	}
}

func TestDurationsAreWrittenInWholeUnits(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s":            0,
		"1h30m0s":       90 * time.Minute,
		"168h0m0s":      7 * 24 * time.Hour, // the live API refuses 7d
		"500ms":         500 * time.Millisecond,
		"1s500ms":       1500 * time.Millisecond,
		"1h0m0s1ms":     time.Hour + time.Millisecond,
		"-1.5s":         -1500 * time.Millisecond,
		"2562047h47m0s": 2562047*time.Hour + 47*time.Minute,
	} {
		data, err := json.Marshal(circleci.Duration(d)) // a user's own encoder writes it alike
		require.NoError(t, err)
		assert.Equal(t, `"`+want+`"`, string(data))
		var back circleci.Duration
		require.NoError(t, json.Unmarshal(data, &back))
		assert.Equal(t, d, time.Duration(back), "%s has lost something", data)
	}
	assert.Equal(t, "1h30m0s", circleci.Duration(90*time.Minute).String())
}

func FuzzDuration(f *testing.F) {
	for _, text := range []string{"", "1h30m0s", "7d", "1w2d", "1.5d", "-1h", "99999999999999999999d"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 100 {
			return // a long one finds nothing more, and takes minutes to minimize
		}
		var d, back circleci.Duration
		if d.UnmarshalText([]byte(text)) != nil {
			return
		}
		written, err := d.MarshalText()
		require.NoError(t, err)
		require.NoError(t, back.UnmarshalText(written))
		assert.Equal(t, d, back, "%q is written as %q", text, written)
	})
}

func TestAnUpdateOfClaimsTellsUnsetFromEmpty(t *testing.T) {
	srv := circlecitest.New(t)
	c, org := srv.Client(), srv.AddOrg("gh/acme")
	for want, in := range map[string]circleci.UpdateOIDCClaimsRequest{
		`{}`:                {},
		`{"ttl":"5m0s"}`:    {TTL: circleci.Some(circleci.Duration(5 * time.Minute))},
		`{"audience":[]}`:   {Audience: circleci.Some([]string(nil))},
		`{"audience":null}`: {Audience: circleci.Null[[]string]()},
	} {
		n := len(srv.Requests())
		srv.Fail("PATCH /org/{orgID}/oidc-custom-claims", circlecitest.Response{Body: `{}`})
		_, err := c.OIDC.UpdateOrgClaims(t.Context(), org, in)
		require.NoError(t, err)
		assert.Equal(t, want, string(srv.Requests()[n].Body))
	}
}

func TestBadClaimsAreNotSent(t *testing.T) {
	srv := circlecitest.New(t)
	c := srv.Client()
	ttl := func(d time.Duration) circleci.UpdateOIDCClaimsRequest {
		return circleci.UpdateOIDCClaimsRequest{TTL: circleci.Some(circleci.Duration(d))}
	}
	for what, err := range map[string]error{
		"no claims to delete":      second(c.OIDC.DeleteOrgClaims(t.Context(), id1, nil)),
		"a claim without a name":   second(c.OIDC.DeleteProjectClaims(t.Context(), id1, id2, []circleci.OIDCClaim{""})),
		"a lifetime below zero":    second(c.OIDC.UpdateOrgClaims(t.Context(), id1, ttl(-time.Second))),
		"a lifetime with fraction": second(c.OIDC.UpdateProjectClaims(t.Context(), id1, id2, ttl(time.Microsecond))),
	} {
		assert.ErrorIs(t, err, circleci.ErrInvalidArgument, what)
	}
	assert.Empty(t, srv.Requests())
}
