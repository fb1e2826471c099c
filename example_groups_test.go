package circleci_test

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func ExampleGroupsService_AddToProject() {
	srv := circlecitest.NewServer()
	defer srv.Close()
	client, ctx := srv.Client(), context.Background()
	slug := srv.AddStandaloneProject(srv.AddStandaloneOrg("acme"), "web")
	org, project := srv.AddOrg(slug.Org()), srv.AddProject(slug)

	deployers, err := client.Groups.Create(ctx, org, circleci.CreateGroupRequest{Name: "deployers"})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = client.Groups.AddToProject(ctx, org, project, circleci.AddGroupsToProjectRequest{
		Role: circleci.ProjectRoleContributor, GroupIDs: []uuid.UUID{deployers.ID},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for g, err := range client.Groups.ListForProject(org, project).All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(g.Name, g.Role)
	}
	// Output: deployers project-contributor
}
