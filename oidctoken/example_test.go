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
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"github.com/circleci-go/circleci/oidctoken"
)

func ExampleVerifier_Middleware() {
	orgID := uuid.MustParse("11111111-1111-4111-8111-111111111111")
	projectID := uuid.MustParse("22222222-2222-4222-8222-222222222222")
	verifier, err := oidctoken.New(orgID, oidctoken.WithAudience("deploy.example.com"))
	if err != nil {
		fmt.Println(err)
		return
	}
	deploy := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, _ := oidctoken.FromContext(r.Context())
		fmt.Fprintf(w, "deploying what job %s has built", claims.JobID)
	})
	handler := verifier.Middleware(deploy, func(c *oidctoken.Claims) error {
		if c.ProjectID != projectID || c.VCSRef != "refs/heads/main" || c.SSHRerun {
			return fmt.Errorf("project %s may not deploy %s", c.ProjectID, c.VCSRef)
		}
		return nil
	})

	// Who has no token gets nowhere.
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/deploy", http.NoBody))
	fmt.Println(answer.Code, answer.Header().Get("WWW-Authenticate"))
	// Output: 401 Bearer
}

// A service that knows who calls: the token is genuine, and the job is of the
// right project.
func ExampleVerifier_Verify() {
	orgID := uuid.MustParse("11111111-1111-4111-8111-111111111111")
	projectID := uuid.MustParse("22222222-2222-4222-8222-222222222222")
	issuer, sign := newDemoIssuer() // in place of CircleCI's
	defer issuer.Close()

	verifier, err := oidctoken.New(orgID, oidctoken.WithAudience("deploy.example.com"),
		oidctoken.WithIssuerHost(issuer.URL)) // leave that out for CircleCI's cloud
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, audience := range []string{"deploy.example.com", "somebody.else"} {
		token := sign(map[string]any{ // what the job finds in CIRCLE_OIDC_TOKEN_V2
			"iss": issuer.URL + "/org/" + orgID.String(), "aud": audience, "exp": time.Now().Add(time.Hour).Unix(),
			"sub":                            fmt.Sprintf("org/%s/project/%s/user/%s", orgID, projectID, uuid.New()),
			"oidc.circleci.com/project-id":   projectID,
			"oidc.circleci.com/vcs-ref":      "refs/heads/main",
			"oidc.circleci.com/context-ids":  []uuid.UUID{},
			"oidc.circleci.com/ssh-rerun":    false,
			"oidc.circleci.com/some-new-one": 1,
		})
		claims, err := verifier.Verify(context.Background(), token)
		switch {
		case errors.Is(err, oidctoken.ErrInvalid):
			fmt.Println("401") // err is for the log
		case err != nil:
			fmt.Println("503", err) // the keys cannot be had
		default:
			fmt.Println("200", claims.ProjectID == projectID, claims.VCSRef)
		}
	}
	// Output:
	// 200 true refs/heads/main
	// 401
}

// newDemoIssuer serves a key, and signs with it.
func newDemoIssuer() (*httptest.Server, func(claims map[string]any) string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	keys := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: string(jose.RS256)}}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(keys) // to ourselves
	}))
	return server, func(claims map[string]any) string {
		payload, _ := json.Marshal(claims) // strings and numbers
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil)
		if err != nil {
			panic(err)
		}
		signed, err := signer.Sign(payload)
		if err != nil {
			panic(err)
		}
		token, _ := signed.CompactSerialize() // it is signed
		return token
	}
}
