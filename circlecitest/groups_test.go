package circlecitest_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func TestGroupsComeAndGo(t *testing.T) {
	srv := circlecitest.New(t)
	org := srv.AddOrg(srv.AddStandaloneOrg("acme"))
	s := srv.Client().Groups
	made, err := s.Create(t.Context(), org, circleci.CreateGroupRequest{Name: "deployers", Description: "may deploy"})
	require.NoError(t, err)
	got, err := s.Get(t.Context(), org, made.ID)
	require.NoError(t, err)
	assert.Equal(t, made, got)
	require.NoError(t, s.Delete(t.Context(), org, made.ID))
	refusal(t, second(s.Get(t.Context(), org, made.ID)), 403, "Permission denied.")
	refusal(t, s.Delete(t.Context(), org, made.ID), 403, "Permission denied.")
	refusal(t, second(s.Create(t.Context(), uuid.New(), circleci.CreateGroupRequest{Name: "x"})), 403, "Permission denied.")
}

func TestAnOrganizationHas100Groups(t *testing.T) {
	srv := circlecitest.New(t)
	org := srv.AddOrg(srv.AddStandaloneOrg("acme"))
	s := srv.Client().Groups
	for range 100 {
		_, err := s.Create(t.Context(), org, circleci.CreateGroupRequest{Name: "a"})
		require.NoError(t, err)
	}
	_, err := s.Create(t.Context(), org, circleci.CreateGroupRequest{Name: "a"})
	require.ErrorIs(t, err, circleci.ErrConflict)
	refusal(t, err, 409, "Exceeded max number of groups in org: 100.")
	page, err := s.List(org, &circleci.ListGroupsOptions{Limit: 2}).Page(t.Context(), "")
	require.NoError(t, err)
	assert.Len(t, page.Items, 100, "the limit is ignored, as the live API does")
	assert.Equal(t, 100, page.TotalCount)
	assert.Empty(t, page.NextPageToken)
}

func TestAClassicOrganizationHasNoGroups(t *testing.T) {
	srv := circlecitest.New(t)
	org, project := srv.AddOrg("gh/acme"), srv.AddProject("gh/acme/web")
	s := srv.Client().Groups
	groups, err := s.List(org, nil).Collect(t.Context())
	require.NoError(t, err)
	assert.Empty(t, groups)
	refusal(t, second(s.Create(t.Context(), org, circleci.CreateGroupRequest{Name: "x"})), 403, "Permission denied.")
	refusal(t, second(s.ListForProject(org, project).Collect(t.Context())), 400, "Endpoint is not supported for this organization.")
}

func TestGroupsHaveRolesInProjects(t *testing.T) {
	srv := circlecitest.New(t)
	slug := standaloneWeb(srv)
	org, project := srv.AddOrg(slug.Org()), srv.AddProject(slug)
	other := srv.AddOrg(srv.AddStandaloneOrg("other"))
	s := srv.Client().Groups
	var ids []uuid.UUID
	for _, name := range []string{"deployers", "readers", "others"} {
		g, err := s.Create(t.Context(), org, circleci.CreateGroupRequest{Name: name})
		require.NoError(t, err)
		ids = append(ids, g.ID)
	}
	add := func(role circleci.ProjectRole, groups ...uuid.UUID) error {
		return s.AddToProject(t.Context(), org, project, circleci.AddGroupsToProjectRequest{Role: role, GroupIDs: groups})
	}
	roles := func() map[string]circleci.ProjectRole {
		all, err := s.ListForProject(org, project).Collect(t.Context())
		require.NoError(t, err)
		byName := map[string]circleci.ProjectRole{}
		for _, g := range all {
			byName[g.Name] = g.Role
		}
		return byName
	}
	require.NoError(t, add(circleci.ProjectRoleViewer, ids[:2]...))
	require.NoError(t, add(circleci.ProjectRoleAdmin, ids[0]), "it takes the place of the role there was")
	assert.Equal(t, map[string]circleci.ProjectRole{"deployers": "project-admin", "readers": "project-viewer"}, roles())

	update := circleci.UpdateProjectRoleRequest{Role: circleci.ProjectRoleContributor}
	require.NoError(t, s.UpdateProjectRole(t.Context(), org, project, ids[1], update))
	refusal(t, s.UpdateProjectRole(t.Context(), org, project, ids[2], update), 403, "Permission denied.")
	require.NoError(t, s.Delete(t.Context(), org, ids[0]))
	assert.Equal(t, map[string]circleci.ProjectRole{"readers": "project-contributor"}, roles(), "a group's role goes with it")

	refusal(t, add("org-admin", ids[1]), 400, "Unexpected request body provided.")
	refusal(t, add(circleci.ProjectRoleAdmin, uuid.New()), 403, "Permission denied.")
	refusal(t, second(s.ListForProject(other, project).Collect(t.Context())), 403, "Permission denied.")
	refusal(t, second(s.ListForProject(org, uuid.New()).Collect(t.Context())), 403, "Permission denied.")

	_, body := callRaw(t, srv, "GET", "/organizations/"+org.String()+"/projects/"+project.String()+"/groups", "")
	assert.NotContains(t, body, "next_page_token", "the live answer has items alone")
	status, _ := callRaw(t, srv, "POST", "/organizations/"+org.String()+"/projects/"+project.String()+"/groups", `{"role":"project-admin","group_ids":[]}`)
	assert.Equal(t, 400, status)
}
