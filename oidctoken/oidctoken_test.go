package oidctoken_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/oidctoken"
)

var (
	org     = uuid.MustParse("11111111-1111-4111-8111-111111111111")
	project = uuid.MustParse("22222222-2222-4222-8222-222222222222")
	user    = uuid.MustParse("33333333-3333-4333-8333-333333333333")
	job     = uuid.MustParse("44444444-4444-4444-8444-444444444444")
)

// issuer is an issuer on this machine, as CircleCI's is.
type issuer struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex
	keys    []jose.JSONWebKey
	fetches int
	down    bool
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{t: t}
	i.Server = httptest.NewServer(http.HandlerFunc(i.serve))
	t.Cleanup(i.Close)
	i.rotate()
	return i
}

func (i *issuer) serve(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.fetches++
	switch {
	case i.down:
		w.WriteHeader(http.StatusBadGateway)
	case !strings.HasSuffix(r.URL.Path, "/.well-known/jwks-pub.json"):
		w.WriteHeader(http.StatusNotFound)
	default:
		var set jose.JSONWebKeySet
		for _, k := range i.keys {
			set.Keys = append(set.Keys, k.Public())
		}
		_ = json.NewEncoder(w).Encode(set)
	}
}

// rotate replaces the key.
func (i *issuer) rotate() {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(i.t, err)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = []jose.JSONWebKey{{Key: key, KeyID: uuid.NewString(), Algorithm: string(jose.RS256)}}
}

// claims are those of a token that is all right.
func (i *issuer) claims() map[string]any {
	const own = "oidc.circleci.com/"
	return map[string]any{
		"iss": i.URL + "/org/" + org.String(), "aud": []string{org.String()},
		"sub": fmt.Sprintf("org/%s/project/%s/user/%s/vcs-origin/github.com/acme/web/vcs-ref/refs/heads/main", org, project, user),
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
		own + "org-id": org, own + "project-id": project, own + "job-id": job, own + "workflow-id": job, own + "pipeline-id": job,
		own + "pipeline-definition-id": job, own + "context-ids": []uuid.UUID{user}, own + "ssh-rerun": true,
		own + "vcs-origin": "github.com/acme/web", own + "vcs-ref": "refs/heads/main",
	}
}

// sign makes a token of claims, with changes.
func (i *issuer) sign(changes map[string]any) string {
	claims := i.claims()
	for name, value := range changes {
		claims[name] = value
	}
	return i.signWith(i.keys[0], jose.RS256, claims)
}

func (i *issuer) signWith(key any, alg jose.SignatureAlgorithm, claims map[string]any) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, nil)
	require.NoError(i.t, err)
	payload, err := json.Marshal(claims)
	require.NoError(i.t, err)
	signed, err := signer.Sign(payload)
	require.NoError(i.t, err)
	token, err := signed.CompactSerialize()
	require.NoError(i.t, err)
	return token
}

func (i *issuer) verifier(opts ...oidctoken.Option) *oidctoken.Verifier {
	v, err := oidctoken.New(org, append([]oidctoken.Option{oidctoken.WithIssuerHost(i.URL + "/")}, opts...)...)
	require.NoError(i.t, err)
	return v
}

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
	assert.Equal(t, []string{org.String()}, c.Audience)
	assert.WithinDuration(t, time.Now().Add(time.Hour), c.ExpiresAt, time.Minute)
	assert.Equal(t, c.Subject, c.All["sub"])
}

func TestTokensThatAreNotAccepted(t *testing.T) {
	i := newIssuer(t)
	other := newIssuer(t)
	foreign := uuid.NewString()
	for name, token := range map[string]string{
		"another issuer":            i.sign(map[string]any{"iss": "https://oidc.circleci.com/org/" + org.String()}),
		"another organization":      i.sign(map[string]any{"iss": i.URL + "/org/" + foreign}),
		"the claim of another":      i.sign(map[string]any{"oidc.circleci.com/org-id": foreign}),
		"the subject of another":    i.sign(map[string]any{"sub": "org/" + foreign + "/project/" + project.String() + "/user/x"}),
		"another project's subject": i.sign(map[string]any{"sub": "org/" + org.String() + "/project/" + foreign}),
		"another audience":          i.sign(map[string]any{"aud": "sts.amazonaws.com"}),
		"no audience":               i.sign(map[string]any{"aud": []string{}}),
		"expired":                   i.sign(map[string]any{"exp": time.Now().Add(-2 * time.Minute).Unix()}),
		"not yet valid":             i.sign(map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}),
		"signed by somebody else":   i.signWith(other.keys[0], jose.RS256, i.claims()),
		"signed with a password":    i.signWith([]byte(strings.Repeat("x", 32)), jose.HS256, i.claims()),
		"IDs that are none":         i.sign(map[string]any{"oidc.circleci.com/job-id": "x"}),
		"no token":                  "",
		"rubbish":                   "a.b.c",
		"a token with its end cut":  i.sign(nil)[:300],
		"very long":                 strings.Repeat("x", 20_000),
		"no signature":              "eyJhbGciOiJub25lIn0." + strings.Split(i.sign(nil), ".")[1] + ".",
	} {
		c, err := i.verifier().Verify(t.Context(), token)
		assert.ErrorIs(t, err, oidctoken.ErrInvalid, name)
		assert.Nil(t, c, name)
	}
}

func TestClockSkew(t *testing.T) {
	i := newIssuer(t)
	late := i.sign(map[string]any{"exp": time.Now().Add(-30 * time.Second).Unix()})
	_, err := i.verifier().Verify(t.Context(), late)
	require.NoError(t, err, "half a minute is within the minute")
	_, err = i.verifier(oidctoken.WithClockSkew(time.Second)).Verify(t.Context(), late)
	assert.ErrorIs(t, err, oidctoken.ErrInvalid)
}

func TestAudiences(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(oidctoken.WithAudience("deploy", "release"))
	_, err := v.Verify(t.Context(), i.sign(map[string]any{"aud": []string{"x", "release"}}))
	require.NoError(t, err)
	_, err = v.Verify(t.Context(), i.sign(nil))
	assert.ErrorIs(t, err, oidctoken.ErrInvalid, "the default is not one of them")
	for _, audiences := range [][]string{{}, {""}} {
		_, err = oidctoken.New(org, oidctoken.WithAudience(audiences...))
		assert.Error(t, err)
	}
	_, err = oidctoken.New(uuid.Nil)
	assert.Error(t, err)
}

func TestRootIssuer(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(oidctoken.WithRootIssuer())
	_, err := v.Verify(t.Context(), i.sign(map[string]any{"iss": i.URL}))
	require.NoError(t, err)
	foreign := uuid.New()
	_, err = v.Verify(t.Context(), i.sign(map[string]any{"iss": i.URL, "oidc.circleci.com/org-id": foreign, "sub": fmt.Sprintf("org/%s/project/%s", foreign, project)}))
	assert.ErrorIs(t, err, oidctoken.ErrInvalid, "the root issuer issues for everybody")
}

func TestKeysAreRotated(t *testing.T) {
	i := newIssuer(t)
	now := time.Now()
	v := i.verifier(oidctoken.WithClock(func() time.Time { return now }))
	for range 5 {
		_, err := v.Verify(t.Context(), i.sign(nil))
		require.NoError(t, err)
	}
	assert.Equal(t, 1, i.fetches, "the keys are kept")
	i.rotate()
	for range 5 {
		_, err := v.Verify(t.Context(), i.sign(nil))
		assert.ErrorIs(t, err, oidctoken.ErrInvalid, "unknown keys fetch them once a minute at most")
	}
	assert.Equal(t, 1, i.fetches)
	now = now.Add(61 * time.Second)
	_, err := v.Verify(t.Context(), i.sign(nil))
	require.NoError(t, err)
	assert.Equal(t, 2, i.fetches)
}

// That the keys cannot be had is nothing against the token.
func TestKeysThatCannotBeHad(t *testing.T) {
	i := newIssuer(t)
	i.down = true
	_, err := i.verifier().Verify(t.Context(), i.sign(nil))
	require.Error(t, err)
	assert.NotErrorIs(t, err, oidctoken.ErrInvalid)
	token := i.sign(nil)
	i.Close()
	_, err = i.verifier().Verify(t.Context(), token)
	require.Error(t, err)
	assert.NotErrorIs(t, err, oidctoken.ErrInvalid)
}

func TestMiddleware(t *testing.T) {
	i := newIssuer(t)
	handler := i.verifier().Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, ok := oidctoken.FromContext(r.Context())
		assert.True(t, ok)
		fmt.Fprint(w, c.VCSRef)
	}), func(c *oidctoken.Claims) error {
		if c.VCSRef != "refs/heads/main" {
			return errors.New("only main deploys")
		}
		return nil
	})
	get := func(authorization string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	w := get("Bearer " + i.sign(nil))
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "refs/heads/main", w.Body.String())
	assert.Equal(t, http.StatusOK, get("bearer "+i.sign(nil)).Code)
	assert.Equal(t, http.StatusForbidden, get("Bearer "+i.sign(map[string]any{"oidc.circleci.com/vcs-ref": "refs/heads/evil"})).Code)
	for _, header := range []string{"", "Bearer", "Bearer x", "Basic " + i.sign(nil), i.sign(nil)} {
		w := get(header)
		assert.Equal(t, http.StatusUnauthorized, w.Code)
		assert.NotEmpty(t, w.Header().Get("WWW-Authenticate"))
		assert.Equal(t, "Unauthorized\n", w.Body.String(), "the caller is not told why")
	}
	_, ok := oidctoken.FromContext(context.Background())
	assert.False(t, ok)

	i.down = true
	down := i.verifier().Middleware(http.NotFoundHandler())
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+i.sign(nil))
	w = httptest.NewRecorder()
	down.ServeHTTP(w, r)
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
}
