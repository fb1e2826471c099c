package oidctoken_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/oidctoken"
)

func base64URL(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func TestVerify(t *testing.T) {
	i := newIssuer(t)
	c, err := i.verifier().Verify(t.Context(), i.sign(nil))
	require.NoError(t, err)
	assert.Equal(t, org, c.OrgID)
	assert.Equal(t, project, c.ProjectID)
	assert.Equal(t, user, c.UserID)
	assert.Equal(t, job, c.JobID)
	assert.Equal(t, job, c.WorkflowID)
	assert.Equal(t, job, c.PipelineID)
	assert.Equal(t, job, c.PipelineDefinitionID)
	assert.Equal(t, []uuid.UUID{user}, c.ContextIDs)
	assert.True(t, c.SSHRerun)
	assert.Equal(t, "github.com/acme/web", c.VCSOrigin)
	assert.Equal(t, "refs/heads/main", c.VCSRef)
	assert.Equal(t, "f00d", c.VCSSHA)
	assert.Equal(t, []string{org.String()}, c.Audience)
	assert.WithinDuration(t, time.Now().Add(time.Hour), c.ExpiresAt, time.Minute)
	assert.Equal(t, c.Subject, c.All["sub"])
	assert.Equal(t, "f00d", c.All["oidc.circleci.com/vcs-sha"])
}

func TestOldTokensHaveTheirIDsInTheSubject(t *testing.T) {
	i := newIssuer(t)
	c, err := i.verifier().Verify(t.Context(), i.sign(map[string]any{"oidc.circleci.com/org-id": nil, "oidc.circleci.com/project-id": nil}))
	require.NoError(t, err)
	assert.Equal(t, org, c.OrgID)
	assert.Equal(t, project, c.ProjectID)
}

func TestTokensThatAreNotAccepted(t *testing.T) {
	i := newIssuer(t)
	other := newIssuer(t)
	foreign := uuid.NewString()
	valid := i.sign(nil)
	v := i.verifier()
	_, err := v.Verify(t.Context(), valid)
	require.NoError(t, err)
	for name, token := range map[string]string{
		"another issuer":             i.sign(map[string]any{"iss": "https://oidc.circleci.com/org/" + org.String()}),
		"another organization":       i.sign(map[string]any{"iss": i.URL + "/org/" + foreign}),
		"the claim of another":       i.sign(map[string]any{"oidc.circleci.com/org-id": foreign}),
		"the subject of another":     i.sign(map[string]any{"sub": "org/" + foreign + "/project/" + project.String() + "/user/x"}),
		"another project's subject":  i.sign(map[string]any{"sub": "org/" + org.String() + "/project/" + foreign}),
		"another audience":           i.sign(map[string]any{"aud": "sts.amazonaws.com"}),
		"no audience":                i.sign(map[string]any{"aud": []string{}}),
		"expired":                    i.sign(map[string]any{"exp": time.Now().Add(-2 * time.Minute).Unix()}),
		"without expiry":             i.sign(map[string]any{"exp": nil}),
		"not yet valid":              i.sign(map[string]any{"nbf": time.Now().Add(2 * time.Minute).Unix()}),
		"signed by somebody else":    other.sign(map[string]any{"iss": i.URL + "/org/" + org.String()}),
		"invalid IDs":                i.sign(map[string]any{"oidc.circleci.com/job-id": "x"}),
		"empty":                      "",
		"not a token":                "a.b.c",
		"cut off":                    valid[:300],
		"with another payload":       strings.Join([]string{strings.Split(valid, ".")[0], base64URL("{}"), strings.Split(valid, ".")[2]}, "."),
		"without a signature":        withHeader(`{"alg":"none"}`, valid[:strings.LastIndex(valid, ".")+1]),
		"an algorithm with our text": withHeader(`{"alg":"the issuer's keys cannot be had: the token cannot be checked now"}`, valid),
	} {
		c, err := v.Verify(t.Context(), token)
		assert.ErrorIs(t, err, oidctoken.ErrInvalid, name)
		assert.Nil(t, c, name)
	}
}

func TestTheSizeOfATokenIsBounded(t *testing.T) {
	i := newIssuer(t)
	padded := func(size int) string { // a claim of n bytes takes 4/3 n of the token
		base := len(i.sign(map[string]any{"pad": ""}))
		return i.sign(map[string]any{"pad": strings.Repeat("x", (size-base)*3/4-6)})
	}
	token := padded(16 << 10)
	assert.InDelta(t, 16<<10, len(token), 20)
	require.LessOrEqual(t, len(token), 16<<10)
	_, err := i.verifier().Verify(t.Context(), token)
	require.NoError(t, err)
	_, err = i.verifier().Verify(t.Context(), padded(16<<10+100))
	require.ErrorIs(t, err, oidctoken.ErrInvalid)
	assert.ErrorContains(t, err, "longer than 16384 bytes")
}

func TestClockSkew(t *testing.T) {
	i := newIssuer(t)
	late := i.sign(map[string]any{"exp": time.Now().Add(-30 * time.Second).Unix()})
	early := i.sign(map[string]any{"nbf": time.Now().Add(30 * time.Second).Unix()})
	strict, generous := i.verifier(oidctoken.WithClockSkew(time.Second)), i.verifier(oidctoken.WithClockSkew(time.Hour))
	for _, token := range []string{late, early} {
		_, err := i.verifier().Verify(t.Context(), token)
		require.NoError(t, err, "30 seconds are within the default minute")
		_, err = generous.Verify(t.Context(), token)
		require.NoError(t, err, "a larger skew never refuses what a smaller one accepts")
		_, err = strict.Verify(t.Context(), token)
		assert.ErrorIs(t, err, oidctoken.ErrInvalid)
	}
	now := generous
	_, err := now.Verify(t.Context(), i.sign(map[string]any{"nbf": time.Now().Unix()}))
	require.NoError(t, err)
}

func TestAudiences(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(oidctoken.WithAudience("deploy", "release"))
	lenient := i.verifier(oidctoken.WithAudience("deploy", "release"), oidctoken.AllowOtherAudiences())
	for _, c := range []struct {
		audience          any
		strict, withOther bool
	}{
		{"release", true, true},
		{[]string{"release", "deploy"}, true, true},
		{[]string{"release", "x"}, false, true},
		{[]string{"x", "release"}, false, true},
		{"x", false, false},
		{org, false, false}, // the default is replaced
		{[]string{}, false, false},
	} {
		_, err := v.Verify(t.Context(), i.sign(map[string]any{"aud": c.audience}))
		assert.Equal(t, c.strict, err == nil, "%v: %v", c.audience, err)
		_, err = lenient.Verify(t.Context(), i.sign(map[string]any{"aud": c.audience}))
		assert.Equal(t, c.withOther, err == nil, "%v: %v", c.audience, err)
	}
	_, err := v.Verify(t.Context(), i.sign(map[string]any{"aud": []string{"deploy", "x"}}))
	assert.ErrorContains(t, err, "AllowOtherAudiences")

	list := []string{"deploy"}
	v = i.verifier(oidctoken.WithAudience(list...))
	list[0] = "changed"
	_, err = v.Verify(t.Context(), i.sign(map[string]any{"aud": "deploy"}))
	require.NoError(t, err, "the caller's slice is copied")
}

func TestRootIssuer(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(oidctoken.WithRootIssuer())
	_, err := v.Verify(t.Context(), i.sign(map[string]any{"iss": i.URL}))
	require.NoError(t, err)
	foreign := uuid.New()
	_, err = v.Verify(t.Context(), i.sign(map[string]any{"iss": i.URL, "oidc.circleci.com/org-id": foreign, "sub": fmt.Sprintf("org/%s/project/%s", foreign, project)}))
	assert.ErrorIs(t, err, oidctoken.ErrInvalid, "the root issuer issues for all organizations")
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	for name, opts := range map[string][]oidctoken.Option{
		"needs at least one audience": {oidctoken.WithAudience()},
		"an empty audience":           {oidctoken.WithAudience("a", "")},
		"does not use https":          {oidctoken.WithIssuerHost("http://oidc.example.com")},
		"the issuer \"ftp://x\" does": {oidctoken.WithIssuerHost("ftp://x")},
		"http://localhost.evil.com":   {oidctoken.WithIssuerHost("http://localhost.evil.com")},
		"REDACTED@ci.example.com":     {oidctoken.WithIssuerHost("https://user:CANARY@ci.example.com")},
		"without user, query":         {oidctoken.WithIssuerHost("https://ci.example.com/?x=1")},
		"is not valid":                {oidctoken.WithIssuerHost("")},
		"negative":                    {oidctoken.WithClockSkew(-1)},
	} {
		_, err := oidctoken.New(org, opts...)
		assert.ErrorContains(t, err, name)
		if err != nil {
			assert.NotContains(t, err.Error(), "CANARY")
		}
	}
	_, err := oidctoken.New(uuid.Nil)
	require.ErrorContains(t, err, "organization's ID is missing")
	for _, opts := range [][]oidctoken.Option{
		{nil, oidctoken.WithHTTPClient(nil), oidctoken.WithClock(nil)},
		{oidctoken.WithIssuerHost("ci.example.com")}, {oidctoken.WithIssuerHost("https://ci.example.com:8443/oidc/")},
		{oidctoken.WithIssuerHost("http://127.0.0.1:1")}, {oidctoken.WithIssuerHost("http://[::1]:1")}, {oidctoken.WithIssuerHost("http://localhost")},
	} {
		v, err := oidctoken.New(org, opts...)
		require.NoError(t, err)
		_, err = v.Verify(t.Context(), "")
		require.ErrorIs(t, err, oidctoken.ErrInvalid)
	}
}
