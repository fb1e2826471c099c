package circleci_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

var projectTests = []operationTest{
	{
		op: "GET /api/v3/projects",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return none(second(items(ctx, c.Projects.ListForOrg(id2)))) // TestListForOrg looks at the result
		},
		path: "/api/v3/projects", query: "filter%5Borg_id%5D=22222222-2222-4222-8222-222222222222", fixture: "projects/listOrgProjects",
	},
	{
		op:   "GET /project/{project-slug}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) { return some(c.Projects.Get(ctx, webSlug)) },
		path: "/project/gh/acme/web", fixture: "projects/getProjectBySlug",
	},
	{
		op: "POST /organization/{org-slug-or-id}/project",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Projects.Create(ctx, circleci.OrgBySlug("circleci/Fxr5ZKJ7TnE3QmPBbeRj2L"), circleci.CreateProjectRequest{Name: "web"}))
		},
		path: "/organization/circleci%2FFxr5ZKJ7TnE3QmPBbeRj2L/project", body: `{"name":"web"}`, fixture: "projects/createProject",
	},
	{
		op: "POST /project/{provider}/{organization}/{project}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Projects.CreateFromRepo(ctx, webSlug))
		},
		path: "/project/gh/acme/web", fixture: "projects/createProject1", status: 201,
	},
	{
		op: "DELETE /project/{project-slug}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return none(c.Projects.Delete(ctx, webSlug))
		},
		path: "/project/gh/acme/web", fixture: "projects/deleteProjectBySlug",
	},
	{
		op: "GET /project/{provider}/{organization}/{project}/settings",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Projects.GetSettings(ctx, webSlug))
		},
		path: "/project/gh/acme/web/settings", fixture: "projects/getProjectSettings",
	},
	{
		op: "PATCH /project/{provider}/{organization}/{project}/settings",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Projects.UpdateSettings(ctx, webSlug, circleci.UpdateSettingsRequest{Advanced: circleci.UpdateAdvancedSettings{
				AutocancelBuilds: circleci.Some(true), DisableSSH: circleci.Some(false),
				PROnlyBranchOverrides: circleci.Some([]string{"main"}),
			}}))
		},
		path:    "/project/gh/acme/web/settings",
		body:    `{"advanced":{"autocancel_builds":true,"disable_ssh":false,"pr_only_branch_overrides":["main"]}}`,
		fixture: "projects/patchProjectSettings",
	},
	{
		op: "GET /project/{project-slug}/envvar",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Projects.ListEnvVars(webSlug))
		},
		path: "/project/gh/acme/web/envvar", fixture: "projects/listEnvVars",
	},
	{
		op: "POST /project/{project-slug}/envvar",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Projects.SetEnvVar(ctx, webSlug, "TOKEN", circleci.SetEnvVarRequest{Value: "hunter2"}))
		},
		path: "/project/gh/acme/web/envvar", body: `{"name":"TOKEN","value":"hunter2"}`, fixture: "projects/createEnvVar", status: 201,
	},
	{
		op: "GET /project/{project-slug}/envvar/{name}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Projects.GetEnvVar(ctx, webSlug, "TOKEN"))
		},
		path: "/project/gh/acme/web/envvar/TOKEN", fixture: "projects/getEnvVar",
	},
	{
		op: "DELETE /project/{project-slug}/envvar/{name}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return none(c.Projects.DeleteEnvVar(ctx, webSlug, "a/b"))
		},
		path: "/project/gh/acme/web/envvar/a%2Fb", fixture: "projects/deleteEnvVar",
	},
	{
		op: "GET /project/{project-slug}/checkout-key",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Projects.ListCheckoutKeys(webSlug, &circleci.ListCheckoutKeysOptions{Digest: circleci.FingerprintDigestSHA256}))
		},
		path: "/project/gh/acme/web/checkout-key", query: "digest=sha256", fixture: "projects/listCheckoutKeys",
		check: func(t *testing.T, got any) {
			keys := as[[]circleci.CheckoutKey](t, got)
			assert.Equal(t, "ssh-rsa BBBB\n", keys[1].PublicKey, "the document's spelling")
			assert.False(t, keys[1].CreatedAt.IsZero())
		},
	},
	{
		op: "POST /project/{project-slug}/checkout-key",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Projects.CreateCheckoutKey(ctx, webSlug, circleci.CreateCheckoutKeyRequest{Type: circleci.CheckoutKeyTypeUserKey}))
		},
		path: "/project/gh/acme/web/checkout-key", body: `{"type":"user-key"}`, fixture: "projects/createCheckoutKey", status: 201,
	},
	{
		op: "GET /project/{project-slug}/checkout-key/{fingerprint}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Projects.GetCheckoutKey(ctx, webSlug, "SHA256:a/b+c="))
		},
		path: "/project/gh/acme/web/checkout-key/SHA256:a%2Fb+c=", fixture: "projects/getCheckoutKey",
	},
	{
		op: "DELETE /project/{project-slug}/checkout-key/{fingerprint}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return none(c.Projects.DeleteCheckoutKey(ctx, webSlug, "c9:0b"))
		},
		path: "/project/gh/acme/web/checkout-key/c9:0b", fixture: "projects/deleteCheckoutKey",
	},
}

func TestAProjectIsFoundByItsID(t *testing.T) {
	srv := circlecitest.New(t)
	id := srv.AddProject(webSlug)
	p, err := srv.Client().Projects.GetByID(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, webSlug, p.Slug)
	assert.Equal(t, "/api/v2/project/"+id.String(), srv.Requests()[0].Path)
}

func TestAnEmptyUpdateOfSettingsIsNotSent(t *testing.T) {
	srv := circlecitest.New(t)
	_, err := srv.Client().Projects.UpdateSettings(t.Context(), webSlug, circleci.UpdateSettingsRequest{})
	assert.ErrorIs(t, err, circleci.ErrInvalidArgument)
	assert.Empty(t, srv.Requests())
}

func TestListForOrg(t *testing.T) {
	srv := circlecitest.New(t)
	srv.Fail("GET /api/v3/projects",
		circlecitest.Response{Body: `{"data":[{"id":"` + id1.String() + `","attributes":{"name":"web"}}],"page":{"next":"c"}}`},
		circlecitest.Response{Body: `{"data":[{"id":"` + id3.String() + `","attributes":{"name":"api"}},{"id":"` + id1.String() + `","attributes":{"name":"web"}}],"page":{"next":null}}`})
	projects, err := srv.Client().Projects.ListForOrg(id2).Collect(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []circleci.OrgProject{{ID: id1, Name: "web", OrganizationID: id2}, {ID: id3, Name: "api", OrganizationID: id2}}, projects)
	requests := srv.Requests()
	require.Len(t, requests, 2)
	assert.Equal(t, "c", requests[1].Query.Get("page[cursor]"))
	assert.NotEmpty(t, requests[0].Header.Get("Authorization"), "the API v3 wants a bearer token")
	assert.Empty(t, requests[0].Header.Get("Circle-Token"))

	_, err = srv.Client().Projects.ListForOrg(uuid.Nil).Collect(t.Context())
	require.ErrorIs(t, err, circleci.ErrInvalidArgument)
}
