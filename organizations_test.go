package circleci_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

var organizationTests = []operationTest{
	{
		op: "GET /organization/{org-slug-or-id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Organizations.Get(ctx, circleci.OrgBySlug("gh/acme")))
		},
		path: "/organization/gh%2Facme", fixture: "organizations/getOrganization",
	},
	{
		op: "POST /organization",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Organizations.Create(ctx, circleci.CreateOrganizationRequest{Name: "acme", VCSType: circleci.VCSTypeCircleCI}))
		},
		path: "/organization", body: `{"name":"acme","vcs_type":"circleci"}`, fixture: "organizations/createOrganization", status: 201,
	},
	{
		op: "DELETE /organization/{org-slug-or-id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return none(c.Organizations.Delete(ctx, circleci.OrgByID(id1)))
		},
		path: "/organization/11111111-1111-4111-8111-111111111111", fixture: "organizations/deleteOrganization", status: 202,
	},
	{
		op: "GET /organization/{org-slug-or-id}/url-orb-allow-list",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Organizations.ListURLOrbAllowList(circleci.OrgBySlug("gh/acme")))
		},
		path: "/organization/gh%2Facme/url-orb-allow-list", fixture: "organizations/listURLOrbAllowListEntries",
	},
	{
		op: "POST /organization/{org-slug-or-id}/url-orb-allow-list",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Organizations.CreateURLOrbAllowListEntry(ctx, circleci.OrgBySlug("gh/acme"), circleci.CreateURLOrbAllowListEntryRequest{
				Name: "ours", Prefix: "https://orbs.example.com/", Auth: circleci.URLOrbAuthGitHubApp,
			}))
		},
		path: "/organization/gh%2Facme/url-orb-allow-list", body: `{"name":"ours","prefix":"https://orbs.example.com/","auth":"github-app"}`,
		fixture: "organizations/createURLOrbAllowListEntry", status: 201,
	},
	{
		op: "DELETE /organization/{org-slug-or-id}/url-orb-allow-list/{allow-list-entry-id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Organizations.DeleteURLOrbAllowListEntry(ctx, circleci.OrgByID(id1), id2))
		},
		path:    "/organization/11111111-1111-4111-8111-111111111111/url-orb-allow-list/22222222-2222-4222-8222-222222222222",
		fixture: "organizations/removeURLOrbAllowListEntry",
	},
}

func TestBadOrganizationInputIsNotSent(t *testing.T) {
	srv := circlecitest.New(t)
	s, org := srv.Client().Organizations, circleci.OrgBySlug("gh/acme")
	entry := circleci.CreateURLOrbAllowListEntryRequest{Name: "a", Prefix: "https://a.example/", Auth: circleci.URLOrbAuthNone}
	without := func(change func(*circleci.CreateURLOrbAllowListEntryRequest)) circleci.CreateURLOrbAllowListEntryRequest {
		in := entry
		change(&in)
		return in
	}
	for what, err := range map[string]error{
		"no organization":   second(s.Get(t.Context(), circleci.OrgRef{})),
		"a slug of three":   s.Delete(t.Context(), circleci.OrgBySlug("gh/acme/web")),
		"no name":           second(s.Create(t.Context(), circleci.CreateOrganizationRequest{VCSType: circleci.VCSTypeGitHub})),
		"no kind":           second(s.Create(t.Context(), circleci.CreateOrganizationRequest{Name: "acme"})),
		"an entry, no name": second(s.CreateURLOrbAllowListEntry(t.Context(), org, without(func(e *circleci.CreateURLOrbAllowListEntryRequest) { e.Name = "" }))),
		"an entry, no URL":  second(s.CreateURLOrbAllowListEntry(t.Context(), org, without(func(e *circleci.CreateURLOrbAllowListEntryRequest) { e.Prefix = "" }))),
		"an entry, no auth": second(s.CreateURLOrbAllowListEntry(t.Context(), org, without(func(e *circleci.CreateURLOrbAllowListEntryRequest) { e.Auth = "" }))),
	} {
		assert.ErrorIs(t, err, circleci.ErrInvalidArgument, what)
	}
	assert.Empty(t, srv.Requests())
}
