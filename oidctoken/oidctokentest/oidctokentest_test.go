package oidctokentest_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/oidctoken"
	"github.com/circleci-go/circleci/oidctoken/oidctokentest"
)

func TestClaimsRoundTrip(t *testing.T) {
	issuer := oidctokentest.NewIssuer(t)
	want := oidctoken.Claims{
		OrgID: uuid.New(), ProjectID: uuid.New(), PipelineID: uuid.New(), PipelineDefinitionID: uuid.New(), WorkflowID: uuid.New(),
		JobID: uuid.New(), UserID: uuid.New(), ContextIDs: []uuid.UUID{uuid.New()}, SSHRerun: true, VCSOrigin: "github.com/acme/web",
		VCSRef: "refs/tags/v1", VCSSHA: "f00d", Audience: []string{"deploy"},
		IssuedAt: time.Now().Truncate(time.Second), ExpiresAt: time.Now().Add(time.Minute).Truncate(time.Second),
		All: map[string]any{"custom": "x"},
	}
	verifier, err := oidctoken.New(want.OrgID, issuer.Option(), oidctoken.WithAudience("deploy"))
	require.NoError(t, err)
	got, err := verifier.Verify(t.Context(), issuer.Sign(want))
	require.NoError(t, err)
	assert.Equal(t, "x", got.All["custom"])
	want.Issuer, want.Subject, want.All = got.Issuer, got.Subject, got.All
	assert.Equal(t, &want, got)

	want.All = map[string]any{"exp": nil}
	_, err = verifier.Verify(t.Context(), issuer.Sign(want))
	require.ErrorIs(t, err, oidctoken.ErrInvalid, "All removes a claim")
	want.All, want.Subject, want.Issuer = nil, "org/x", issuer.URL
	_, err = verifier.Verify(t.Context(), issuer.Sign(want))
	require.ErrorIs(t, err, oidctoken.ErrInvalid)

	for path, status := range map[string]int{"/org/x/.well-known/jwks-pub.json": 200, "/.well-known/openid-configuration": 404} {
		resp, err := http.Get(issuer.URL + path)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, status, resp.StatusCode, path)
	}
}

func TestAClaimThatIsNilIsNotInTheToken(t *testing.T) {
	issuer := oidctokentest.NewIssuer(t)
	token := issuer.Sign(oidctoken.Claims{OrgID: uuid.New(), All: map[string]any{"exp": nil, "custom": nil}})
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	require.NoError(t, err)
	assert.NotContains(t, string(payload), "custom")
	assert.NotContains(t, string(payload), "exp")
}

func TestAnIssuerEndsWithItsTest(t *testing.T) {
	var url string
	t.Run("inner", func(t *testing.T) {
		url = oidctokentest.NewIssuer(t).URL
		resp, err := http.Get(url) //nolint:noctx // it is the only request
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	})
	_, err := http.Get(url) //nolint:noctx // there is no response
	require.Error(t, err)
}
