package circleci

import (
	"context"

	"github.com/google/uuid"
)

// UsersService reads the token's owner, other users and the organizations of
// the token's owner.
type UsersService service

// User is a user of CircleCI.
type User struct {
	ID        uuid.UUID `json:"id"`
	Login     string    `json:"login"`
	Name      string    `json:"name"`
	AvatarURL string    `json:"avatar_url,omitzero"`
}

// Me returns the owner of the token.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/User/operation/getCurrentUser
//
//circleci:operation GET /me
func (s *UsersService) Me(ctx context.Context, opts ...RequestOption) (*User, error) {
	return do[User](ctx, s.client, get("/me").with(opts))
}

// Get returns the user with the given ID. If there is none, the error matches
// [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/User/operation/getUser
//
//circleci:operation GET /user/{id}
func (s *UsersService) Get(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*User, error) {
	return do[User](ctx, s.client, get("/user/{id}", id).with(opts))
}

// Collaboration is an organization that the token's owner belongs to or
// collaborates with.
type Collaboration struct {
	// ID is the organization's ID. It is zero for an organization that CircleCI
	// does not know yet.
	ID        uuid.UUID `json:"id,omitzero"`
	VCSType   string    `json:"vcs_type"`
	Name      string    `json:"name"`
	AvatarURL string    `json:"avatar_url,omitzero"`
	Slug      OrgSlug   `json:"slug"`
}

func (c *Collaboration) key() itemKey { return itemKey{c.ID, string(c.Slug)} }

// ListCollaborations lists the organizations of the token's owner.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/User/operation/getCollaborations
//
//circleci:operation GET /me/collaborations
func (s *UsersService) ListCollaborations(opts ...RequestOption) *Pager[Collaboration] {
	return array[Collaboration](s.client, get("/me/collaborations").with(opts))
}
