package circleci

import (
	"context"

	"github.com/google/uuid"
)

// OrganizationsService works with organizations and their lists of allowed URL
// orbs.
type OrganizationsService service

// VCSType is the kind of an organization: where its members and its
// repositories come from.
type VCSType string

// The kinds of organizations.
const (
	VCSTypeGitHub    VCSType = "github"    // GitHub (OAuth)
	VCSTypeBitbucket VCSType = "bitbucket" // Bitbucket Cloud
	VCSTypeCircleCI  VCSType = "circleci"  // standalone: of CircleCI's own, for GitHub App, GitLab and others
)

// Organization is an organization.
type Organization struct {
	ID      uuid.UUID `json:"id"`
	Name    string    `json:"name"`
	Slug    OrgSlug   `json:"slug"`
	VCSType VCSType   `json:"vcs_type"`
}

// Get returns an organization, or an error matching [ErrNotFound], also if the
// token may not see it.
//
// The operation is in live use, but not in CircleCI's document of the API; the
// answer is known to have the four fields of [Organization].
//
//circleci:operation GET /organization/{org-slug-or-id}
func (s *OrganizationsService) Get(ctx context.Context, org OrgRef, opts ...RequestOption) (*Organization, error) {
	return do[Organization](ctx, s.client, get("/organization/{org-slug-or-id}", org).with(opts))
}

// CreateOrganizationRequest is a new organization.
type CreateOrganizationRequest struct {
	Name string `json:"name"`
	// VCSType is in full: the API refuses gh and bb.
	VCSType VCSType `json:"vcs_type"`
}

func (r CreateOrganizationRequest) check() error {
	if err := required("name", r.Name); err != nil {
		return err
	}
	return required("vcs_type", string(r.VCSType))
}

// Create creates an organization of the kind circleci. For the other kinds the
// organization has to exist at GitHub or Bitbucket: it is made known to
// CircleCI, if it is not yet, and returned.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Organization/operation/createOrganization
//
//circleci:operation POST /organization
func (s *OrganizationsService) Create(ctx context.Context, in CreateOrganizationRequest, opts ...RequestOption) (*Organization, error) {
	return do[Organization](ctx, s.client, post("/organization").body(in).with(opts))
}

// Delete deletes an organization with ALL its projects and all that CircleCI
// has stored of them. The API answers before it is done. An organization with
// a paid plan is refused, with an error matching [ErrForbidden].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Organization/operation/deleteOrganization
//
//circleci:operation DELETE /organization/{org-slug-or-id}
func (s *OrganizationsService) Delete(ctx context.Context, org OrgRef, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/organization/{org-slug-or-id}", org).with(opts))
}

// URLOrbAuth is how CircleCI proves itself to the server of a URL orb.
type URLOrbAuth string

// The ways to authenticate.
const (
	URLOrbAuthNone           URLOrbAuth = "none"
	URLOrbAuthGitHubOAuth    URLOrbAuth = "github-oauth"
	URLOrbAuthGitHubApp      URLOrbAuth = "github-app"
	URLOrbAuthBitbucketOAuth URLOrbAuth = "bitbucket-oauth"
)

// URLOrbAllowListEntry allows the orbs whose URLs begin with its prefix.
type URLOrbAllowListEntry struct {
	ID     uuid.UUID  `json:"id"`
	Name   string     `json:"name"`
	Prefix string     `json:"prefix"`
	Auth   URLOrbAuth `json:"auth"`
}

func (e *URLOrbAllowListEntry) key() itemKey { return itemKey{id: e.ID} }

// ListURLOrbAllowList lists the URL orbs that an organization allows. There
// are 5 entries at most, on one page.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Organization/operation/listURLOrbAllowListEntries
//
//circleci:operation GET /organization/{org-slug-or-id}/url-orb-allow-list
func (s *OrganizationsService) ListURLOrbAllowList(org OrgRef, opts ...RequestOption) *Pager[URLOrbAllowListEntry] {
	return list[URLOrbAllowListEntry](s.client, get("/organization/{org-slug-or-id}/url-orb-allow-list", org).with(opts))
}

// CreateURLOrbAllowListEntryRequest is a new entry.
type CreateURLOrbAllowListEntryRequest struct {
	Name string `json:"name"`
	// Prefix is the start of the URLs to allow, with https and a slash at the
	// end: https://orbs.example.com/. The API takes one that is there already,
	// for another Auth.
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

// URLOrbAllowListChange is what the API says of a change to the list.
type URLOrbAllowListChange struct {
	ID      uuid.UUID `json:"id"` // of the entry
	Message string    `json:"message"`
}

// CreateURLOrbAllowListEntry allows more URL orbs. An organization has 5
// entries at most; one more is refused with a 400.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Organization/operation/createURLOrbAllowListEntry
//
//circleci:operation POST /organization/{org-slug-or-id}/url-orb-allow-list
func (s *OrganizationsService) CreateURLOrbAllowListEntry(ctx context.Context, org OrgRef, in CreateURLOrbAllowListEntryRequest, opts ...RequestOption) (*URLOrbAllowListChange, error) {
	return do[URLOrbAllowListChange](ctx, s.client, post("/organization/{org-slug-or-id}/url-orb-allow-list", org).body(in).with(opts))
}

// DeleteURLOrbAllowListEntry takes an entry off the list. It goes well for an
// entry that is not there, too; a 404 means the organization.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Organization/operation/removeURLOrbAllowListEntry
//
//circleci:operation DELETE /organization/{org-slug-or-id}/url-orb-allow-list/{allow-list-entry-id}
func (s *OrganizationsService) DeleteURLOrbAllowListEntry(ctx context.Context, org OrgRef, id uuid.UUID, opts ...RequestOption) (*URLOrbAllowListChange, error) {
	return do[URLOrbAllowListChange](ctx, s.client, remove("/organization/{org-slug-or-id}/url-orb-allow-list/{allow-list-entry-id}", org, id).with(opts))
}
