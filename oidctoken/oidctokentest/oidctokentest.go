// Package oidctokentest issues identity tokens like those of CircleCI jobs, for
// tests of services that verify them with package oidctoken.
//
//	issuer := oidctokentest.NewIssuer(t)
//	verifier, err := oidctoken.New(orgID, issuer.Option())
//	…
//	token := issuer.Sign(oidctoken.Claims{OrgID: orgID, ProjectID: projectID, VCSRef: "refs/heads/main"})
//
// The issuer listens on this machine. Its tokens are accepted only by verifiers
// that were given its [Issuer.Option].
package oidctokentest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/circleci-go/circleci/oidctoken"
)

// keysPath is the end of the path at which an issuer serves its keys.
const keysPath = "/.well-known/jwks-pub.json"

// Issuer issues tokens for any organization, and serves the keys to verify
// them. It is safe for concurrent use.
type Issuer struct {
	// URL is the issuer's base URL, for oidctoken.WithIssuerHost.
	URL string

	server *httptest.Server

	mu       sync.Mutex
	key      jose.JSONWebKey
	status   int
	body     []byte
	requests int
}

// NewIssuer starts an issuer, and stops it at the end of the test.
func NewIssuer(tb testing.TB) *Issuer {
	tb.Helper()
	i := Start()
	tb.Cleanup(i.Close)
	return i
}

// Start starts an issuer outside a test, such as in an example. Stop it with
// Close. Start panics if it cannot listen on this machine.
func Start() *Issuer {
	i := &Issuer{}
	i.Rotate()
	i.server = httptest.NewServer(http.HandlerFunc(i.serve))
	i.URL = i.server.URL
	return i
}

// Close stops the issuer. Requests for its keys then fail to connect.
func (i *Issuer) Close() { i.server.Close() }

// Option makes a verifier accept this issuer's tokens.
func (i *Issuer) Option() oidctoken.Option { return oidctoken.WithIssuerHost(i.URL) }

// Sign returns a signed token with the given claims. Zero claims get defaults:
// the issuer is that of the organization, the audience is the organization's
// ID, the subject has the IDs of organization, project and user, and the token
// is valid for an hour from now. Other zero claims are omitted.
//
// Claims in c.All replace those of the fields, under the names that they have
// in a token, such as "oidc.circleci.com/vcs-ref"; nil removes a claim. With
// them a test can create tokens that CircleCI would never issue.
func (i *Issuer) Sign(c oidctoken.Claims) string {
	i.mu.Lock()
	key := i.key
	i.mu.Unlock()
	payload, err := json.Marshal(i.claims(&c))
	if err != nil {
		panic(fmt.Errorf("oidctokentest: the claims have no JSON form: %w", err))
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, nil)
	if err != nil {
		panic(fmt.Errorf("oidctokentest: %w", err))
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		panic(fmt.Errorf("oidctokentest: %w", err))
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		panic(fmt.Errorf("oidctokentest: %w", err))
	}
	return token
}

// claims returns the claims of a token under their names.
func (i *Issuer) claims(c *oidctoken.Claims) map[string]any {
	const own = "oidc.circleci.com/"
	now := time.Now()
	claims := map[string]any{
		"iss": i.URL + "/org/" + c.OrgID.String(),
		"aud": []string{c.OrgID.String()},
		"sub": fmt.Sprintf("org/%s/project/%s/user/%s", c.OrgID, c.ProjectID, c.UserID),
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		own + "context-ids": c.ContextIDs, own + "ssh-rerun": c.SSHRerun,
	}
	for name, id := range map[string]uuid.UUID{
		"org-id": c.OrgID, "project-id": c.ProjectID, "pipeline-id": c.PipelineID, "pipeline-definition-id": c.PipelineDefinitionID,
		"workflow-id": c.WorkflowID, "job-id": c.JobID,
	} {
		if id != uuid.Nil {
			claims[own+name] = id
		}
	}
	for name, text := range map[string]string{
		"sub": c.Subject, "iss": c.Issuer, own + "vcs-origin": c.VCSOrigin, own + "vcs-ref": c.VCSRef, own + "vcs-sha": c.VCSSHA,
	} {
		if text != "" {
			claims[name] = text
		}
	}
	if c.Audience != nil {
		claims["aud"] = c.Audience
	}
	for name, at := range map[string]time.Time{"iat": c.IssuedAt, "exp": c.ExpiresAt} {
		if !at.IsZero() {
			claims[name] = at.Unix()
		}
	}
	for name, value := range c.All {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	return claims
}

// Rotate replaces the key. Tokens that were signed before are no longer valid
// for a verifier that fetches the keys again.
func (i *Issuer) Rotate() {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(fmt.Errorf("oidctokentest: generate a key: %w", err))
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.key = jose.JSONWebKey{Key: key, KeyID: uuid.NewString(), Algorithm: string(jose.RS256)}
}

// Respond makes the issuer respond to requests for its keys with this status and
// body, such as 503 and an HTML page. Status 0 makes it serve its keys again.
func (i *Issuer) Respond(status int, body string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.status, i.body = status, []byte(body)
}

// Requests returns how many requests for keys have been received.
func (i *Issuer) Requests() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.requests
}

func (i *Issuer) serve(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !strings.HasSuffix(r.URL.Path, keysPath) {
		http.NotFound(w, r)
		return
	}
	i.requests++
	if i.status != 0 {
		w.WriteHeader(i.status)
		_, _ = w.Write(i.body) // the client may have disconnected
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{i.key.Public()}}) // as above
}
