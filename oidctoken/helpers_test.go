package oidctoken_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/oidctoken"
	"github.com/circleci-go/circleci/oidctoken/oidctokentest"
)

var (
	org     = uuid.MustParse("11111111-1111-4111-8111-111111111111")
	project = uuid.MustParse("22222222-2222-4222-8222-222222222222")
	user    = uuid.MustParse("33333333-3333-4333-8333-333333333333")
	job     = uuid.MustParse("44444444-4444-4444-8444-444444444444")
)

// issuer is the public test issuer with what the tests of this package add.
type issuer struct {
	*oidctokentest.Issuer
	t *testing.T
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	return &issuer{oidctokentest.NewIssuer(t), t}
}

// sign returns a valid token with changes.
func (i *issuer) sign(changes map[string]any) string {
	return i.Sign(oidctoken.Claims{
		Subject: fmt.Sprintf("org/%s/project/%s/user/%s/vcs-origin/github.com/acme/web/vcs-ref/refs/heads/main", org, project, user),
		OrgID:   org, ProjectID: project, JobID: job, WorkflowID: job, PipelineID: job, PipelineDefinitionID: job,
		ContextIDs: []uuid.UUID{user}, SSHRerun: true, VCSOrigin: "github.com/acme/web", VCSRef: "refs/heads/main", VCSSHA: "f00d",
		All: changes,
	})
}

func (i *issuer) verifier(opts ...oidctoken.Option) *oidctoken.Verifier {
	v, err := oidctoken.New(org, append([]oidctoken.Option{oidctoken.WithIssuerHost(i.URL + "/")}, opts...)...)
	require.NoError(i.t, err)
	return v
}

// publish makes the issuer serve these keys.
func (i *issuer) publish(keys ...any) {
	var set jose.JSONWebKeySet
	for n, key := range keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key, KeyID: strconv.Itoa(n)})
	}
	body, err := json.Marshal(set)
	require.NoError(i.t, err)
	i.Respond(200, string(body))
}

// signWith returns a token, valid but for how it is signed.
func (i *issuer) signWith(key any, keyID string, alg jose.SignatureAlgorithm) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: keyID}}, nil)
	require.NoError(i.t, err)
	payload, err := json.Marshal(map[string]any{
		"iss": i.URL + "/org/" + org.String(), "aud": org, "sub": fmt.Sprintf("org/%s/project/%s", org, project),
		"exp": time.Now().Add(time.Hour).Unix(), "oidc.circleci.com/org-id": org, "oidc.circleci.com/project-id": project,
	})
	require.NoError(i.t, err)
	signed, err := signer.Sign(payload)
	require.NoError(i.t, err)
	token, err := signed.CompactSerialize()
	require.NoError(i.t, err)
	return token
}

// withHeader replaces the header of a token, as a forger can.
func withHeader(header, token string) string {
	_, rest, _ := strings.Cut(token, ".")
	return base64URL(header) + "." + rest
}
