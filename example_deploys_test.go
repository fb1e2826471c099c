package circleci_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// What runs in production is brought back to the version before.
func ExampleDeploysService_Rollback() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	projectID := srv.AddProject("gh/acme/web")
	production := srv.AddDeployEnvironment("gh/acme", "production")
	web := srv.AddDeployComponent("gh/acme/web", "web")
	srv.Deploy(web, production, "v1.0")
	srv.Deploy(web, production, "v1.1")

	client := srv.Client()
	versions, err := client.Deploys.ListComponentVersions(web,
		&circleci.ListComponentVersionsOptions{EnvironmentID: production}).Collect(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	rollback, err := client.Deploys.Rollback(ctx, projectID, circleci.RollbackRequest{
		ComponentName: "web", EnvironmentName: "production",
		CurrentVersion: versions[0].Name, TargetVersion: versions[1].Name, Reason: "the page is blank",
	})
	switch {
	case errors.Is(err, circleci.ErrConflict):
		fmt.Println("somebody else has deployed meanwhile")
	case err != nil:
		fmt.Println(err)
	default:
		fmt.Println("from", versions[0].Name, "to", versions[1].Name, "by a", rollback.Type)
	}
	// Output: from v1.1 to v1.0 by a pipeline
}
