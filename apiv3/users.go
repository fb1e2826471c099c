package apiv3

import (
	"context"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// UsersService returns the token's owner. The API v3 cannot look up other
// users: use [circleci.UsersService.Get].
type UsersService service

// User is a user.
type User struct {
	ID        uuid.UUID `json:"id"`
	Name      string    `json:"name"`
	Login     string    `json:"login"`
	AvatarURL string    `json:"avatar_url,omitzero"`
}

// Me returns the owner of the token.
//
//circleci:operation GET /api/v3/users
func (s *UsersService) Me(ctx context.Context, opts ...circleci.RequestOption) (*User, error) {
	return resolved[User](ctx, s.client, get("/api/v3/users").filter("filter[user_id]", "me"), "me", opts)
}

// GroupsService lists groups. To change them, use [circleci.GroupsService].
type GroupsService service

// Group is a group of an organization: a team of GitHub or Bitbucket, or a
// group of a standalone organization.
type Group struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"`
}

// ListForOrg lists the groups of an organization, all on one page.
//
//circleci:operation GET /api/v3/groups
func (s *GroupsService) ListForOrg(orgID uuid.UUID, opts ...circleci.RequestOption) *circleci.Pager[Group] {
	return list[Group](s.client, get("/api/v3/groups").require("filter[org_id]", orgID), opts)
}
