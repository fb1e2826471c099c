package circleci

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// GroupsService manages the groups of a standalone organization and their roles
// in its projects. GitHub (OAuth) and Bitbucket organizations have no groups.
// The API has no operation to change a group or its members.
//
// If a group or organization does not exist, or the token may not read it, the
// API responds with 403 Forbidden and the error matches [ErrForbidden].
type GroupsService service

// Group is a group of members of an organization.
type Group struct {
	ID          uuid.UUID `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description,omitzero"`
}

func (g *Group) key() itemKey { return itemKey{id: g.ID} }

// ListGroupsOptions are the options of [GroupsService.List].
type ListGroupsOptions struct {
	// Limit is the number of groups on a page. The live API ignores it and
	// returns all groups.
	Limit int
}

func (o *ListGroupsOptions) query(q *encode.Query) {
	if o != nil {
		q.Int("limit", o.Limit)
	}
}

// List lists the groups of an organization. [Page.TotalCount] is the total
// number of groups, if the API returns it.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Groups/operation/getOrganizationGroups
//
//circleci:operation GET /organizations/{org_id}/groups
func (s *GroupsService) List(orgID uuid.UUID, o *ListGroupsOptions, opts ...RequestOption) *Pager[Group] {
	return list[Group](s.client, get("/organizations/{org_id}/groups", orgID).query(o).with(opts))
}

// Get returns the group with the given ID. If there is none, the error matches
// [ErrForbidden].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Groups/operation/getGroup
//
//circleci:operation GET /organizations/{org_id}/groups/{group_id}
func (s *GroupsService) Get(ctx context.Context, orgID, id uuid.UUID, opts ...RequestOption) (*Group, error) {
	return do[Group](ctx, s.client, get("/organizations/{org_id}/groups/{group_id}", orgID, id).with(opts))
}

// CreateGroupRequest describes a new group.
type CreateGroupRequest struct {
	Name        string `json:"name"`
	Description string `json:"description,omitzero"`
}

func (r CreateGroupRequest) check() error { return required("name", r.Name) }

// Create creates a group. An organization can have at most 100 groups; beyond
// that, the error matches [ErrConflict].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Groups/operation/createOrganizationGroup
//
//circleci:operation POST /organizations/{org_id}/groups
func (s *GroupsService) Create(ctx context.Context, orgID uuid.UUID, in CreateGroupRequest, opts ...RequestOption) (*Group, error) {
	return create[Group](ctx, s.client, post("/organizations/{org_id}/groups", orgID).body(in).with(opts))
}

// Delete deletes a group. If the group does not exist, the error matches
// [ErrForbidden].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Groups/operation/deleteGroup
//
//circleci:operation DELETE /organizations/{org_id}/groups/{group_id}
func (s *GroupsService) Delete(ctx context.Context, orgID, id uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/organizations/{org_id}/groups/{group_id}", orgID, id).with(opts))
}

// ProjectRole is the role of a group's members in a project.
type ProjectRole string

// The project roles.
const (
	ProjectRoleAdmin       ProjectRole = "project-admin"
	ProjectRoleContributor ProjectRole = "project-contributor"
	ProjectRoleViewer      ProjectRole = "project-viewer"
)

// ProjectGroup is a group with a role in a project.
type ProjectGroup struct {
	ID   uuid.UUID   `json:"id"` // of the group
	Name string      `json:"name"`
	Role ProjectRole `json:"role"`
}

func (g *ProjectGroup) key() itemKey { return itemKey{id: g.ID} }

// ListForProject lists the groups that have a role in a project.
//
// This operation works, but is not in CircleCI's API specification. It is known
// to respond with 400 for GitHub (OAuth) and Bitbucket projects, and with 403
// if the organization or project does not exist. No page token or total count
// has been seen in its responses.
//
// Not available on CircleCI server.
//
//circleci:operation GET /organizations/{org_id}/projects/{project_id}/groups
func (s *GroupsService) ListForProject(orgID, projectID uuid.UUID, opts ...RequestOption) *Pager[ProjectGroup] {
	return list[ProjectGroup](s.client, get("/organizations/{org_id}/projects/{project_id}/groups", orgID, projectID).with(opts))
}

// AddGroupsToProjectRequest holds the groups to add to a project, and their
// role.
type AddGroupsToProjectRequest struct {
	Role     ProjectRole `json:"role"`
	GroupIDs []uuid.UUID `json:"group_ids"` // at least one
}

func (r AddGroupsToProjectRequest) check() error {
	if len(r.GroupIDs) == 0 || slices.Contains(r.GroupIDs, uuid.Nil) {
		return &ArgumentError{Name: "group_ids", Reason: "is empty, or has a zero UUID"}
	}
	return required("role", string(r.Role))
}

// AddToProject gives groups a role in a project. It replaces any role they
// already have. The API has no operation to remove a role.
//
// This operation works, but is not in CircleCI's API specification; see
// [GroupsService.ListForProject].
//
// Not available on CircleCI server.
//
//circleci:operation POST /organizations/{org_id}/projects/{project_id}/groups
func (s *GroupsService) AddToProject(ctx context.Context, orgID, projectID uuid.UUID, in AddGroupsToProjectRequest, opts ...RequestOption) error {
	return exec(ctx, s.client, post("/organizations/{org_id}/projects/{project_id}/groups", orgID, projectID).body(in).with(opts))
}

// UpdateProjectRoleRequest holds the new role.
type UpdateProjectRoleRequest struct {
	Role ProjectRole `json:"role"`
}

func (r UpdateProjectRoleRequest) check() error { return required("role", string(r.Role)) }

// UpdateProjectRole changes the role that a group has in a project.
//
// This operation works, but is not in CircleCI's API specification; see
// [GroupsService.ListForProject]. Its response for a group that has no role in
// the project is not known.
//
// Not available on CircleCI server.
//
//circleci:operation POST /organizations/{org_id}/projects/{project_id}/groups/{group_id}/update-role
func (s *GroupsService) UpdateProjectRole(ctx context.Context, orgID, projectID, id uuid.UUID, in UpdateProjectRoleRequest, opts ...RequestOption) error {
	return exec(ctx, s.client, post("/organizations/{org_id}/projects/{project_id}/groups/{group_id}/update-role", orgID, projectID, id).body(in).with(opts))
}
