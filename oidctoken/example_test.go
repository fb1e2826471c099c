package oidctoken_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/oidctoken"
	"github.com/circleci-go/circleci/oidctoken/oidctokentest"
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
		fmt.Fprintf(w, "deploying what job %s built", claims.JobID)
	})
	handler := verifier.Middleware(deploy, func(c *oidctoken.Claims) error {
		if c.ProjectID != projectID || c.VCSRef != "refs/heads/main" || c.SSHRerun {
			return fmt.Errorf("project %s may not deploy %s", c.ProjectID, c.VCSRef)
		}
		return nil
	})

	// A request without a token is refused.
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/deploy", http.NoBody))
	fmt.Println(answer.Code, answer.Header().Get("WWW-Authenticate"))
	// Output: 401 Bearer
}

// A service checks that a caller's token is genuine and from the right project.
func ExampleVerifier_Verify() {
	orgID := uuid.MustParse("11111111-1111-4111-8111-111111111111")
	projectID := uuid.MustParse("22222222-2222-4222-8222-222222222222")
	issuer := oidctokentest.Start() // a stand-in for CircleCI's
	defer issuer.Close()

	verifier, err := oidctoken.New(orgID, oidctoken.WithAudience("deploy.example.com"),
		issuer.Option()) // leave this out for CircleCI's cloud
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, audience := range []string{"deploy.example.com", "somebody.else"} {
		token := issuer.Sign(oidctoken.Claims{ // a job reads its token from CIRCLE_OIDC_TOKEN_V2
			OrgID: orgID, ProjectID: projectID, Audience: []string{audience}, VCSRef: "refs/heads/main",
		})
		claims, err := verifier.Verify(context.Background(), token)
		switch {
		case errors.Is(err, oidctoken.ErrInvalid):
			fmt.Println("401") // err is for the log
		case err != nil:
			fmt.Println("503", err) // the keys cannot be fetched
		default:
			fmt.Println("200", claims.ProjectID == projectID, claims.VCSRef)
		}
	}
	// Output:
	// 200 true refs/heads/main
	// 401
}
