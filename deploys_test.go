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

var deployTests = []operationTest{
	{
		op: "GET /deploy/environments",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Deploys.ListEnvironments(id1, nil))
		},
		path: "/deploy/environments", query: "org-id=11111111-1111-4111-8111-111111111111&page-size=20",
		fixture: "deploys/listEnvironments",
	},
	{
		op: "GET /deploy/environments/{environment_id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Deploys.GetEnvironment(ctx, id1))
		},
		path: "/deploy/environments/11111111-1111-4111-8111-111111111111", fixture: "deploys/getEnvironment",
		check: func(t *testing.T, got any) {
			assert.Equal(t, circleci.DeployLabel{Key: "team", Value: "web"}, as[*circleci.DeployEnvironment](t, got).Labels[0])
		},
	},
	{
		op: "GET /deploy/components",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Deploys.ListComponents(id1, &circleci.ListComponentsOptions{ProjectID: id2, PageSize: 50}))
		},
		path: "/deploy/components",
		query: "org-id=11111111-1111-4111-8111-111111111111&page-size=50" +
			"&project-id=22222222-2222-4222-8222-222222222222",
		fixture: "deploys/listComponents",
	},
	{
		op: "GET /deploy/components/{component_id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Deploys.GetComponent(ctx, id1))
		},
		path: "/deploy/components/11111111-1111-4111-8111-111111111111", fixture: "deploys/getComponent",
	},
	{
		op: "GET /deploy/components/{component_id}/versions",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Deploys.ListComponentVersions(id1, &circleci.ListComponentVersionsOptions{EnvironmentID: id2}))
		},
		path:    "/deploy/components/11111111-1111-4111-8111-111111111111/versions",
		query:   "environment-id=22222222-2222-4222-8222-222222222222",
		fixture: "deploys/listComponentVersions",
	},
	{
		op: "POST /projects/{project_id}/rollback",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Deploys.Rollback(ctx, id1, circleci.RollbackRequest{
				ComponentName: "web", EnvironmentName: "production", CurrentVersion: "v2", TargetVersion: "v1",
				Namespace: "default", Reason: "it is slow", Parameters: map[string]any{"dry": false, "hosts": []string{"a"}},
			}))
		},
		path: "/projects/11111111-1111-4111-8111-111111111111/rollback",
		body: `{"component_name":"web","environment_name":"production","current_version":"v2","target_version":"v1",` +
			`"namespace":"default","reason":"it is slow","parameters":{"dry":false,"hosts":["a"]}}`,
		fixture: "deploys/rollbackProject", status: 202,
	},
	{
		op: "GET /deploy/projects/{project_id}/settings",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Deploys.GetSettings(ctx, id1))
		},
		path: "/deploy/projects/11111111-1111-4111-8111-111111111111/settings", fixture: "deploys/getDeploySettings",
	},
}

// A version that was deployed by hand has zero UUIDs for the run that deployed
// it: they stand for none.
func TestAZeroUUIDStandsForNone(t *testing.T) {
	srv := circlecitest.New(t)
	const zero = `"00000000-0000-0000-0000-000000000000"`
	srv.Fail("GET /deploy/components/{component_id}/versions", circlecitest.Response{
		Body: `{"items":[{"name":"v1","pipeline_id":` + zero + `,"workflow_id":` + zero + `,"job_id":` + zero + `}]}`,
	})
	all, err := srv.Client().Deploys.ListComponentVersions(id1, nil).Collect(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []circleci.ComponentVersion{{Name: "v1"}}, all)
}

// One version in two environments is two items of a walk, not one that comes
// again.
func TestAVersionInTwoEnvironmentsIsListedTwice(t *testing.T) {
	srv := circlecitest.New(t)
	srv.Fail("GET /deploy/components/{component_id}/versions",
		circlecitest.Response{Body: `{"items":[{"name":"v1","environment_id":"` + id1.String() + `"}],"next_page_token":"a"}`},
		circlecitest.Response{Body: `{"items":[{"name":"v1","environment_id":"` + id2.String() + `"}],"next_page_token":""}`})
	all, err := srv.Client().Deploys.ListComponentVersions(id3, nil).Collect(t.Context())
	require.NoError(t, err)
	assert.Len(t, all, 2)
}

func TestBadDeployInputIsNotSent(t *testing.T) {
	srv := circlecitest.New(t)
	deploys := srv.Client().Deploys
	rollback := func(change func(*circleci.RollbackRequest)) error {
		in := circleci.RollbackRequest{ComponentName: "web", EnvironmentName: "production", CurrentVersion: "v2", TargetVersion: "v1"}
		change(&in)
		return second(deploys.Rollback(t.Context(), id1, in))
	}
	for what, err := range map[string]error{
		"no component":                     rollback(func(in *circleci.RollbackRequest) { in.ComponentName = "" }),
		"no environment":                   rollback(func(in *circleci.RollbackRequest) { in.EnvironmentName = "" }),
		"no current version":               rollback(func(in *circleci.RollbackRequest) { in.CurrentVersion = "" }),
		"no target version":                rollback(func(in *circleci.RollbackRequest) { in.TargetVersion = "" }),
		"no project":                       second(deploys.Rollback(t.Context(), uuid.Nil, circleci.RollbackRequest{})),
		"no organization for environments": second(deploys.ListEnvironments(uuid.Nil, nil).Collect(t.Context())),
		"no organization for components":   second(deploys.ListComponents(uuid.Nil, nil).Collect(t.Context())),
		"pages of less than nothing":       second(deploys.ListComponents(id1, &circleci.ListComponentsOptions{PageSize: -1}).Collect(t.Context())),
		"and the same for environments":    second(deploys.ListEnvironments(id1, &circleci.ListEnvironmentsOptions{PageSize: -1}).Collect(t.Context())),
	} {
		assert.ErrorIs(t, err, circleci.ErrInvalidArgument, what)
	}
	assert.Empty(t, srv.Requests())
}
