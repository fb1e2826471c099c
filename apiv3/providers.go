package apiv3

import (
	"context"
	"net/url"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// ProvidersService reads an organization's connections to repository providers,
// and lists the repositories that CircleCI can see there.
type ProvidersService service

// Connection is the connection of an organization to a provider.
type Connection struct {
	ID         uuid.UUID `json:"id,omitzero"`
	Provider   Provider  `json:"provider"`
	ExternalID string    `json:"external_id"`
	Login      string    `json:"login,omitzero"`
	// RepositorySelection is "all" or "selected".
	RepositorySelection string `json:"repository_selection,omitzero"`
	AuthorizedUsername  string `json:"authorized_username,omitzero"`
	// Error says why the connection does not work. It is empty if it works.
	Error string `json:"connection_error,omitzero"`
}

// ListConnections lists the connections of an organization.
//
//circleci:operation GET /api/v3/provider/connections
func (s *ProvidersService) ListConnections(orgID uuid.UUID, opts ...circleci.RequestOption) *circleci.Pager[Connection] {
	return list[Connection](s.client, get("/api/v3/provider/connections").require("filter[org_id]", orgID), opts)
}

// SetupConnectionRequest names the provider to connect an organization to.
type SetupConnectionRequest struct {
	OrgID uuid.UUID `json:"-"`
	// Provider is the provider, such as [ProviderGitHubApp].
	Provider Provider `json:"-"`
	// ReturnURL is the page to which the browser returns afterwards.
	ReturnURL string `json:"-"`
}

// setupBody is the request as it is sent.
type setupBody struct {
	Type      string     `json:"type"`
	VCS       HostedFile `json:"vcs"`
	ReturnURL string     `json:"return_url"`
}

func (b setupBody) check() (name, reason string) {
	switch {
	case b.VCS.Provider == "":
		return "vcs.provider", missing
	case b.ReturnURL == "":
		return "return_url", missing
	}
	return "", ""
}

// ConnectionSetup is the next step of the setup of a connection.
type ConnectionSetup struct {
	// NextStep is "redirect" or "register".
	NextStep string `json:"next_step"`
	// URL is the page to open in a browser.
	URL string `json:"url,omitzero"`
	// StateToken identifies the setup to CircleCI, and is valid for an hour.
	StateToken circleci.Secret `json:"state_token,omitzero"`
}

// SetupConnection starts to connect an organization to a provider; a person
// must finish the setup in a browser. Each call creates another state token.
//
//circleci:operation POST /api/v3/provider/connections/setup
func (s *ProvidersService) SetupConnection(ctx context.Context, in SetupConnectionRequest, opts ...circleci.RequestOption) (*ConnectionSetup, error) {
	r := post("/api/v3/provider/connections/setup").require("filter[org_id]", in.OrgID).
		body(setupBody{Type: "vcs", VCS: HostedFile{in.Provider}, ReturnURL: in.ReturnURL})
	return one[ConnectionSetup](ctx, s.client, r, opts)
}

// ProviderRepository is a repository that CircleCI can see.
type ProviderRepository struct {
	Provider Provider `json:"provider"`
	// RepoID is the provider's ID of the repository, which pipelines and
	// triggers require.
	RepoID        string `json:"repo_id"`
	Owner         string `json:"owner"`
	RepoName      string `json:"repo_name"`
	RepoFullName  string `json:"repo_full_name"`
	DefaultBranch string `json:"default_branch,omitzero"`
	IsPrivate     bool   `json:"is_private,omitzero"`
}

// ListRepositoriesOptions are the options of
// [ProvidersService.ListRepositories].
type ListRepositoriesOptions struct {
	// Limit is the number of items on a page, at most 100. If it is 0, the API
	// chooses.
	Limit int
}

// ListRepositories lists the repositories at a provider that CircleCI can see
// for an organization.
//
//circleci:operation GET /api/v3/provider/repositories
func (s *ProvidersService) ListRepositories(orgID uuid.UUID, provider Provider, o *ListRepositoriesOptions, opts ...circleci.RequestOption) *circleci.Pager[ProviderRepository] {
	r := get("/api/v3/provider/repositories").require("filter[org_id]", orgID).filter("filter[provider]", string(provider))
	if o != nil {
		r = r.limit(o.Limit)
	}
	if provider == "" {
		r = r.refuse("filter[provider]", missing)
	}
	return pages[ProviderRepository](s.client, r, opts, repositoriesPage)
}

// repositoriesPage omits the limit, because the API refuses one together with a
// cursor.
func repositoriesPage(r *request, cursor string) {
	r.Query = url.Values{
		"filter[org_id]": r.Query["filter[org_id]"], "filter[provider]": r.Query["filter[provider]"], "page[cursor]": {cursor},
	}
}
