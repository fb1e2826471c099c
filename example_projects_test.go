package circleci_test

import (
	"context"
	"fmt"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// A project's own environment variables: what is read back is masked.
func ExampleProjectsService_SetEnvVar() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	srv.AddProject("gh/acme/web")

	client := srv.Client()
	_, err := client.Projects.SetEnvVar(ctx, "gh/acme/web", "NPM_TOKEN", circleci.SetEnvVarRequest{Value: "npm_0123456789"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for v, err := range client.Projects.ListEnvVars("gh/acme/web").All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(v.Name, v.Value)
	}
	// Output: NPM_TOKEN xxxx6789
}
