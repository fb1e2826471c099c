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

const (
	groupsPath        = "/organizations/11111111-1111-4111-8111-111111111111/groups"
	projectGroupsPath = "/organizations/11111111-1111-4111-8111-111111111111/projects/22222222-2222-4222-8222-222222222222/groups"
)

var groupTests = []operationTest{
	{
		op: "GET /organizations/{org_id}/groups",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Groups.List(id1, &circleci.ListGroupsOptions{Limit: 50}))
		},
		path: groupsPath, query: "limit=50", fixture: "groups/getOrganizationGroups",
	},
	{
		op: "POST /organizations/{org_id}/groups",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Groups.Create(ctx, id1, circleci.CreateGroupRequest{Name: "deployers", Description: "may deploy"}))
		},
		path: groupsPath, body: `{"name":"deployers","description":"may deploy"}`, fixture: "groups/createOrganizationGroup", status: 201,
	},
	{
		op:   "GET /organizations/{org_id}/groups/{group_id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) { return some(c.Groups.Get(ctx, id1, id2)) },
		path: groupsPath + "/22222222-2222-4222-8222-222222222222", fixture: "groups/getGroup",
	},
	{
		op: "DELETE /organizations/{org_id}/groups/{group_id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return none(c.Groups.Delete(ctx, id1, id2))
		},
		path: groupsPath + "/22222222-2222-4222-8222-222222222222", fixture: "groups/deleteGroup",
	},
	{
		op: "GET /organizations/{org_id}/projects/{project_id}/groups",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Groups.ListForProject(id1, id2))
		},
		path: projectGroupsPath, fixture: "groups/listProjectGroups",
	},
	{
		op: "POST /organizations/{org_id}/projects/{project_id}/groups",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return none(c.Groups.AddToProject(ctx, id1, id2, circleci.AddGroupsToProjectRequest{
				Role: circleci.ProjectRoleViewer, GroupIDs: []uuid.UUID{id3},
			}))
		},
		path: projectGroupsPath, body: `{"role":"project-viewer","group_ids":["33333333-3333-4333-8333-333333333333"]}`,
		fixture: "groups/addProjectGroups",
	},
	{
		op: "POST /organizations/{org_id}/projects/{project_id}/groups/{group_id}/update-role",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return none(c.Groups.UpdateProjectRole(ctx, id1, id2, id3, circleci.UpdateProjectRoleRequest{Role: circleci.ProjectRoleAdmin}))
		},
		path: projectGroupsPath + "/33333333-3333-4333-8333-333333333333/update-role", body: `{"role":"project-admin"}`,
		fixture: "groups/updateProjectGroupRole",
	},
}

func TestThePageOfGroupsTellsTheTotal(t *testing.T) {
	srv := circlecitest.New(t)
	srv.Fail("GET /organizations/{org_id}/groups", circlecitest.Response{Body: `{"items":[],"total_count":42}`})
	page, err := srv.Client().Groups.List(id1, nil).Page(t.Context(), "")
	require.NoError(t, err)
	assert.Equal(t, 42, page.TotalCount)
	assert.Empty(t, srv.Requests()[0].Query, "without options nothing is asked for")
}

func TestBadGroupInputIsNotSent(t *testing.T) {
	srv := circlecitest.New(t)
	s := srv.Client().Groups
	add := func(role circleci.ProjectRole, ids ...uuid.UUID) error {
		return s.AddToProject(t.Context(), id1, id2, circleci.AddGroupsToProjectRequest{Role: role, GroupIDs: ids})
	}
	for what, err := range map[string]error{
		"a group without a name": second(s.Create(t.Context(), id1, circleci.CreateGroupRequest{Description: "x"})),
		"no groups":              add(circleci.ProjectRoleAdmin),
		"a zero group":           add(circleci.ProjectRoleAdmin, id3, uuid.Nil),
		"no role":                add("", id3),
		"no new role":            s.UpdateProjectRole(t.Context(), id1, id2, id3, circleci.UpdateProjectRoleRequest{}),
		"no organization":        second(s.Get(t.Context(), uuid.Nil, id2)),
	} {
		assert.ErrorIs(t, err, circleci.ErrInvalidArgument, what)
	}
	assert.Empty(t, srv.Requests())
}
