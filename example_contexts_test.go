package circleci_test

import (
	"context"
	"fmt"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// A context with a secret, for the jobs of one project.
func ExampleContextsService_Create() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	projectID := srv.AddProject("gh/acme/web")

	client := srv.Client()
	c, err := client.Contexts.Create(ctx, circleci.CreateContextRequest{
		Name: "production", Owner: circleci.OwnerBySlug("gh/acme"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := client.Contexts.CreateRestriction(ctx, c.ID, circleci.ProjectRestriction(projectID)); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := client.Contexts.SetEnvVar(ctx, c.ID, "API_KEY", circleci.SetEnvVarRequest{Value: "hunter2"}); err != nil {
		fmt.Println(err)
		return
	}
	for v, err := range client.Contexts.ListEnvVars(c.ID).All(ctx) {
		fmt.Println(v.Variable, v.TruncatedValue, err)
	}
	// Output: API_KEY ter2 <nil>
}

// First look at what a sync would change, then have it changed.
func ExampleContextsService_SyncEnvVars() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	id := srv.AddContext("gh/acme", "production", map[string]string{"API_KEY": "old", "LEGACY": "1"})

	client := srv.Client()
	vars := map[string]circleci.Secret{"API_KEY": "new", "API_URL": "https://api.example.com"}
	diff, err := client.Contexts.SyncEnvVars(ctx, id, vars, &circleci.SyncEnvVarsOptions{Delete: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(diff)

	_, err = client.Contexts.SyncEnvVars(ctx, id, vars, &circleci.SyncEnvVarsOptions{Delete: true, Apply: true})
	fmt.Println(srv.ContextEnvVars(id), err)
	// Output:
	// + API_URL
	// ~ API_KEY
	// - LEGACY
	// map[API_KEY:new API_URL:https://api.example.com] <nil>
}
