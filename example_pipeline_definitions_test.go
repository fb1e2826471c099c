package circleci_test

import (
	"context"
	"fmt"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func ExamplePipelineDefinitionsService_Create() {
	srv := circlecitest.NewServer()
	defer srv.Close()
	client, ctx := srv.Client(), context.Background()
	slug := srv.AddStandaloneProject(srv.AddStandaloneOrg("acme"), "web")
	project := srv.AddProject(slug)

	// The configuration comes from one repository, the code from another.
	release, err := client.PipelineDefinitions.Create(ctx, project, circleci.CreatePipelineDefinitionRequest{
		Name:           "release",
		ConfigSource:   circleci.GitHubAppConfig("705400001", ".circleci/release.yml"),
		CheckoutSource: circleci.GitHubAppCheckout("705400002"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	run, err := client.Pipelines.Run(ctx, slug, circleci.RunPipelineRequest{
		DefinitionID: release.ID, Checkout: circleci.Tag("v1.0.0"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(release.Name, release.ConfigSource.FilePath, run.Number)
	// Output: release .circleci/release.yml 1
}
