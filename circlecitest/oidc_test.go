package circlecitest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func TestClaimsAreKeptNormalisedAndMissed(t *testing.T) {
	begin := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	srv := circlecitest.New(t, circlecitest.WithManualTime(), circlecitest.WithTime(begin))
	org := srv.AddOrg("gh/acme")
	s := srv.Client().OIDC
	unset, err := s.GetOrgClaims(t.Context(), org)
	require.NoError(t, err, "claims that are not set are no error")
	assert.Equal(t, &circleci.OIDCClaims{OrgID: org}, unset)

	set, err := s.UpdateOrgClaims(t.Context(), org, circleci.UpdateOIDCClaimsRequest{
		Audience: circleci.Some([]string{"a", "b", "c"}), TTL: circleci.Some(circleci.Duration(90 * time.Minute)),
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"c", "b", "a"}, set.Audience, "the order is not kept")
	srv.Advance(time.Hour)
	left, err := s.DeleteOrgClaims(t.Context(), org, []circleci.OIDCClaim{circleci.OIDCClaimAudience})
	require.NoError(t, err)
	assert.Equal(t, &circleci.OIDCClaims{
		OrgID: org, TTL: circleci.Duration(90 * time.Minute), AudienceUpdatedAt: begin.Add(time.Hour), TTLUpdatedAt: begin,
	}, left, "the time of a claim outlives it")

	status, body := callRaw(t, srv, http.MethodPatch, "/org/"+org.String()+"/oidc-custom-claims", `{"ttl":"90m"}`)
	assert.Equal(t, 200, status)
	assert.Contains(t, body, `"ttl":"1h30m0s"`)
}

func TestAProjectHasClaimsOfItsOwn(t *testing.T) {
	srv := circlecitest.New(t)
	org, project := srv.AddOrg("gh/acme"), srv.AddProject("gh/acme/web")
	s := srv.Client().OIDC
	_, err := s.UpdateOrgClaims(t.Context(), org, circleci.UpdateOIDCClaimsRequest{Audience: circleci.Some([]string{"org"})})
	require.NoError(t, err)
	set, err := s.UpdateProjectClaims(t.Context(), org, project, circleci.UpdateOIDCClaimsRequest{TTL: circleci.Some(circleci.Duration(time.Hour))})
	require.NoError(t, err)
	assert.Equal(t, project, set.ProjectID)
	assert.Empty(t, set.Audience)
	got, err := s.GetProjectClaims(t.Context(), org, project)
	require.NoError(t, err)
	assert.Equal(t, set, got)
	left, err := s.DeleteProjectClaims(t.Context(), org, project, []circleci.OIDCClaim{circleci.OIDCClaimAudience, circleci.OIDCClaimTTL})
	require.NoError(t, err)
	assert.Zero(t, left.TTL)
	ofOrg, err := s.GetOrgClaims(t.Context(), org)
	require.NoError(t, err)
	assert.Equal(t, []string{"org"}, ofOrg.Audience, "the organization's are left")
}

func TestWhatClaimsCannotBe(t *testing.T) {
	srv := circlecitest.New(t)
	org, other, project := srv.AddOrg("gh/acme"), srv.AddOrg("gh/other"), srv.AddProject("gh/acme/web")
	claims := "/org/" + org.String() + "/oidc-custom-claims"
	for _, row := range []struct {
		method, path, body string
		status             int
		answer             string
	}{
		{"PATCH", claims, `{"ttl":"7d"}`, 400, "ttl"}, // the document has days, the live API none
		{"PATCH", claims, `{"ttl":"1w"}`, 400, "ttl"},
		{"PATCH", claims, `{"ttl":"-1h"}`, 400, "ttl"},
		{"PATCH", claims, `{"aud":["x"]}`, 400, "aud"},
		{"DELETE", claims, "", 400, "Claims: cannot be blank."},
		{"DELETE", claims + "?claims=sub", "", 400, "claims"},
		{"GET", "/org/acme/oidc-custom-claims", "", 400, "OrgID: must be a valid UUID."},
		{"GET", "/org/" + org.String() + "/project/web/oidc-custom-claims", "", 400, "ProjectID: must be a valid UUID."},
		{"GET", "/org/" + uuid.NewString() + "/oidc-custom-claims", "", 403, "Forbidden"},
		{"GET", "/org/" + other.String() + "/project/" + project.String() + "/oidc-custom-claims", "", 403, "Forbidden"},
	} {
		status, answer := callRaw(t, srv, row.method, row.path, row.body)
		assert.Equal(t, row.status, status, "%s %s %s", row.method, row.path, row.body)
		assert.Contains(t, answer, row.answer)
		assert.Contains(t, answer, `"error"`, "this family of errors has no message")
	}
}
