package circleci

import (
	"context"

	"github.com/google/uuid"
)

// OrganizationsService manages organizations and their URL orb allow lists.
type OrganizationsService service

// VCSType is the type of an organization: where its members and repositories
// come from.
type VCSType string

// The types of organizations.
const (
	VCSTypeGitHub    VCSType = "github"    // GitHub (OAuth)
	VCSTypeBitbucket VCSType = "bitbucket" // Bitbucket Cloud
	VCSTypeCircleCI  VCSType = "circleci"  // standalone: for GitHub App, GitLab and others
)

// Organization is a CircleCI organization.
type Organization struct {
	ID      uuid.UUID `json:"id"`
	Name    string    `json:"name"`
	Slug    OrgSlug   `json:"slug"`
	VCSType VCSType   `json:"vcs_type"`
}

// Get returns an organization. If it does not exist, or the token may not read
// it, the error matches [ErrNotFound].
//
// This operation works, but is not in CircleCI's API specification. Its
// response is known to have the four fields of [Organization].
//
//circleci:operation GET /organization/{org-slug-or-id}
func (s *OrganizationsService) Get(ctx context.Context, org OrgRef, opts ...RequestOption) (*Organization, error) {
	return do[Organization](ctx, s.client, get("/organization/{org-slug-or-id}", org).with(opts))
}

// CreateOrganizationRequest describes a new organization.
type CreateOrganizationRequest struct {
	Name string `json:"name"`
	// VCSType must be the full name: the API refuses gh and bb.
	VCSType VCSType `json:"vcs_type"`
}

func (r CreateOrganizationRequest) check() error {
	if err := required("name", r.Name); err != nil {
		return err
	}
	return required("vcs_type", string(r.VCSType))
}

// Create creates an organization of the type circleci. For the other types, the
// organization must already exist on GitHub or Bitbucket: Create registers it
// with CircleCI, if it is not registered yet, and returns it.
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Organization/operation/createOrganization
//
//circleci:operation POST /organization
func (s *OrganizationsService) Create(ctx context.Context, in CreateOrganizationRequest, opts ...RequestOption) (*Organization, error) {
	return create[Organization](ctx, s.client, post("/organization").body(in).with(opts))
}

// Delete deletes an organization with ALL its projects and all data that
// CircleCI stored for them. The API responds before the deletion is complete.
// If the organization has a paid plan, the API refuses and the error matches
// [ErrForbidden].
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Organization/operation/deleteOrganization
//
//circleci:operation DELETE /organization/{org-slug-or-id}
func (s *OrganizationsService) Delete(ctx context.Context, org OrgRef, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/organization/{org-slug-or-id}", org).with(opts))
}

// URLOrbAuth is how CircleCI authenticates with the server of a URL orb.
type URLOrbAuth string

// The authentication methods.
const (
	URLOrbAuthNone           URLOrbAuth = "none"
	URLOrbAuthGitHubOAuth    URLOrbAuth = "github-oauth"
	URLOrbAuthGitHubApp      URLOrbAuth = "github-app"
	URLOrbAuthBitbucketOAuth URLOrbAuth = "bitbucket-oauth"
)

// URLOrbAllowListEntry allows the orbs whose URLs start with its prefix.
type URLOrbAllowListEntry struct {
	ID     uuid.UUID  `json:"id"`
	Name   string     `json:"name"`
	Prefix string     `json:"prefix"`
	Auth   URLOrbAuth `json:"auth"`
}

func (e *URLOrbAllowListEntry) key() itemKey { return itemKey{id: e.ID} }

// ListURLOrbAllowList lists the URL orb allow list of an organization. It has
// at most 5 entries, on one page.
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Organization/operation/listURLOrbAllowListEntries
//
//circleci:operation GET /organization/{org-slug-or-id}/url-orb-allow-list
func (s *OrganizationsService) ListURLOrbAllowList(org OrgRef, opts ...RequestOption) *Pager[URLOrbAllowListEntry] {
	return list[URLOrbAllowListEntry](s.client, get("/organization/{org-slug-or-id}/url-orb-allow-list", org).with(opts))
}

// CreateURLOrbAllowListEntryRequest describes a new entry.
type CreateURLOrbAllowListEntryRequest struct {
	Name string `json:"name"`
	// Prefix is the start of the URLs to allow. It must start with https and
	// end with a slash: https://orbs.example.com/. The API accepts an existing
	// prefix with a different Auth.
	Prefix string     `json:"prefix"`
	Auth   URLOrbAuth `json:"auth"`
}

func (r CreateURLOrbAllowListEntryRequest) check() error {
	for _, field := range [][2]string{{"name", r.Name}, {"prefix", r.Prefix}, {"auth", string(r.Auth)}} {
		if err := required(field[0], field[1]); err != nil {
			return err
		}
	}
	return nil
}

// URLOrbAllowListChange is the response to a change to the allow list.
type URLOrbAllowListChange struct {
	ID      uuid.UUID `json:"id"` // of the entry
	Message string    `json:"message"`
}

// CreateURLOrbAllowListEntry adds an entry to the URL orb allow list of an
// organization. A list has at most 5 entries; the API refuses another one with
// 400 Bad Request.
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Organization/operation/createURLOrbAllowListEntry
//
//circleci:operation POST /organization/{org-slug-or-id}/url-orb-allow-list
func (s *OrganizationsService) CreateURLOrbAllowListEntry(ctx context.Context, org OrgRef, in CreateURLOrbAllowListEntryRequest, opts ...RequestOption) (*URLOrbAllowListChange, error) {
	return do[URLOrbAllowListChange](ctx, s.client, post("/organization/{org-slug-or-id}/url-orb-allow-list", org).body(in).with(opts))
}

// DeleteURLOrbAllowListEntry deletes an entry of the allow list. Deleting one
// that does not exist succeeds. If the organization does not exist, the error
// matches [ErrNotFound].
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Organization/operation/removeURLOrbAllowListEntry
//
//circleci:operation DELETE /organization/{org-slug-or-id}/url-orb-allow-list/{allow-list-entry-id}
func (s *OrganizationsService) DeleteURLOrbAllowListEntry(ctx context.Context, org OrgRef, id uuid.UUID, opts ...RequestOption) (*URLOrbAllowListChange, error) {
	return do[URLOrbAllowListChange](ctx, s.client, remove("/organization/{org-slug-or-id}/url-orb-allow-list/{allow-list-entry-id}", org, id).with(opts))
}
