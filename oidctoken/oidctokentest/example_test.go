package oidctokentest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/oidctoken"
	"github.com/circleci-go/circleci/oidctoken/oidctokentest"
)

// A service accepts deployments only from the main branch, and is tested with
// tokens of a job on main and of a job on another branch.
func Example() {
	issuer := oidctokentest.Start() // in a test: oidctokentest.NewIssuer(t)
	defer issuer.Close()
	orgID, projectID := uuid.New(), uuid.New()
	verifier, err := oidctoken.New(orgID, issuer.Option())
	if err != nil {
		fmt.Println(err)
		return
	}
	service := verifier.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "deployed")
	}), func(c *oidctoken.Claims) error {
		if c.VCSRef != "refs/heads/main" {
			return fmt.Errorf("%s may not deploy", c.VCSRef)
		}
		return nil
	})

	for _, ref := range []string{"refs/heads/main", "refs/heads/wip"} {
		r := httptest.NewRequest(http.MethodPost, "/deploy", http.NoBody)
		r.Header.Set("Authorization", "Bearer "+issuer.Sign(oidctoken.Claims{OrgID: orgID, ProjectID: projectID, VCSRef: ref}))
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		fmt.Println(ref, w.Code)
	}
	// Output:
	// refs/heads/main 200
	// refs/heads/wip 403
}
