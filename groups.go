package circleci

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// GroupsService works with the groups of a standalone organization, and with
// what they may do in its projects. An organization of GitHub (OAuth) or
// Bitbucket has none, and the API has no operation to change a group or its
// members.
//
// For a group or an organization that does not exist or that the token may not
// see the API answers 403, an error that matches [ErrForbidden].
type GroupsService service

// Group is a set of an organization's members.
type Group struct {
	ID          uuid.UUID `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description,omitzero"`
}

func (g *Group) key() itemKey { return itemKey{id: g.ID} }

// ListGroupsOptions says how to list groups.
type ListGroupsOptions struct {
	// Limit is the number of groups on a page. The live API ignores it, and
	// answers with all there are.
	Limit int
}

func (o *ListGroupsOptions) query(q *encode.Query) {
	if o != nil {
		q.Int("limit", o.Limit)
	}
}

// List lists the groups of an organization. [Page.TotalCount] is the number of
// all of them, where the API tells it.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Groups/operation/getOrganizationGroups
//
//circleci:operation GET /organizations/{org_id}/groups
func (s *GroupsService) List(orgID uuid.UUID, o *ListGroupsOptions, opts ...RequestOption) *Pager[Group] {
	return list[Group](s.client, get("/organizations/{org_id}/groups", orgID).query(o).with(opts))
}

// Get returns the group with the given ID, or an error matching
// [ErrForbidden] if there is none.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Groups/operation/getGroup
//
//circleci:operation GET /organizations/{org_id}/groups/{group_id}
func (s *GroupsService) Get(ctx context.Context, orgID, id uuid.UUID, opts ...RequestOption) (*Group, error) {
	return do[Group](ctx, s.client, get("/organizations/{org_id}/groups/{group_id}", orgID, id).with(opts))
}

// CreateGroupRequest is a new group.
type CreateGroupRequest struct {
	Name        string `json:"name"`
	Description string `json:"description,omitzero"`
}

func (r CreateGroupRequest) check() error { return required("name", r.Name) }

// Create creates a group. An organization has 100 at most; for one more the
// error matches [ErrConflict].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Groups/operation/createOrganizationGroup
//
//circleci:operation POST /organizations/{org_id}/groups
func (s *GroupsService) Create(ctx context.Context, orgID uuid.UUID, in CreateGroupRequest, opts ...RequestOption) (*Group, error) {
	return do[Group](ctx, s.client, post("/organizations/{org_id}/groups", orgID).body(in).with(opts))
}

// Delete deletes a group. For one that is gone the error matches
// [ErrForbidden].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Groups/operation/deleteGroup
//
//circleci:operation DELETE /organizations/{org_id}/groups/{group_id}
func (s *GroupsService) Delete(ctx context.Context, orgID, id uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/organizations/{org_id}/groups/{group_id}", orgID, id).with(opts))
}

// ProjectRole is what the members of a group may do in a project.
type ProjectRole string

// The roles.
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
// The operation is in live use, but not in CircleCI's document of the API. It
// is known to answer 400 for projects of GitHub (OAuth) and Bitbucket, and 403
// for what does not exist; self-hosted servers lack it. Its answers have had
// neither a page token nor a total.
//
//circleci:operation GET /organizations/{org_id}/projects/{project_id}/groups
func (s *GroupsService) ListForProject(orgID, projectID uuid.UUID, opts ...RequestOption) *Pager[ProjectGroup] {
	return list[ProjectGroup](s.client, get("/organizations/{org_id}/projects/{project_id}/groups", orgID, projectID).with(opts))
}

// AddGroupsToProjectRequest is a role for groups in a project.
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

// AddToProject gives groups a role in a project, in place of the role that
// they may have. The API has no operation to take it away again.
//
// The operation is in live use, but not in CircleCI's document of the API; see
// [GroupsService.ListForProject].
//
//circleci:operation POST /organizations/{org_id}/projects/{project_id}/groups
func (s *GroupsService) AddToProject(ctx context.Context, orgID, projectID uuid.UUID, in AddGroupsToProjectRequest, opts ...RequestOption) error {
	return exec(ctx, s.client, post("/organizations/{org_id}/projects/{project_id}/groups", orgID, projectID).body(in).with(opts))
}

// UpdateProjectRoleRequest is another role.
type UpdateProjectRoleRequest struct {
	Role ProjectRole `json:"role"`
}

func (r UpdateProjectRoleRequest) check() error { return required("role", string(r.Role)) }

// UpdateProjectRole changes the role that a group has in a project.
//
// The operation is in live use, but not in CircleCI's document of the API; see
// [GroupsService.ListForProject]. What it answers for a group without a role
// in the project is not known.
//
//circleci:operation POST /organizations/{org_id}/projects/{project_id}/groups/{group_id}/update-role
func (s *GroupsService) UpdateProjectRole(ctx context.Context, orgID, projectID, id uuid.UUID, in UpdateProjectRoleRequest, opts ...RequestOption) error {
	return exec(ctx, s.client, post("/organizations/{org_id}/projects/{project_id}/groups/{group_id}/update-role", orgID, projectID, id).body(in).with(opts))
}
