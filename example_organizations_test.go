package circleci_test

import (
	"context"
	"fmt"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func ExampleOrganizationsService_ListURLOrbAllowList() {
	srv := circlecitest.NewServer()
	defer srv.Close()
	client, ctx := srv.Client(), context.Background()
	srv.AddOrg("gh/acme")
	org := circleci.OrgBySlug("gh/acme")

	_, err := client.Organizations.CreateURLOrbAllowListEntry(ctx, org, circleci.CreateURLOrbAllowListEntryRequest{
		Name: "ours", Prefix: "https://orbs.example.com/", Auth: circleci.URLOrbAuthNone,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for entry, err := range client.Organizations.ListURLOrbAllowList(org).All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(entry.Name, entry.Prefix, entry.Auth)
	}
	// Output: ours https://orbs.example.com/ none
}
