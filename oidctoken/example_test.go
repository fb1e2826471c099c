package oidctoken_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

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
