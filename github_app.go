package circleci

import (
	"context"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
	"github.com/circleci-go/circleci/internal/wire"
)

// GitHubAppService reads the installation of CircleCI's GitHub App for an
// organization.
//
// These operations are not in CircleCI's API specification and have no
// compatibility guarantee. Their requests and responses are known from
// CircleCI's own clients.
type GitHubAppService service

// GitHubAppInstallation is the installation of the GitHub App for an
// organization.
type GitHubAppInstallation struct {
	// ID is GitHub's ID of the installation.
	ID int64 `json:"id"`
	// TargetType is the type of the account it is installed for: "Organization"
	// or "User".
	TargetType string `json:"target_type"`
	// Login is the name of the organization or user on GitHub.
	Login string `json:"login"`
	// RepositorySelection is "all" or "selected".
	RepositorySelection string `json:"repository_selection"`
}

// GetInstallation returns the installation of the GitHub App for an
// organization. If the app is not installed, the error matches [ErrNotFound].
//
// This operation is not in CircleCI's API specification: see
// [GitHubAppService].
//
// Not available on CircleCI server.
//
//circleci:operation GET /github-app/organization/{org_id}/installation
func (s *GitHubAppService) GetInstallation(ctx context.Context, orgID uuid.UUID, opts ...RequestOption) (*GitHubAppInstallation, error) {
	return do[GitHubAppInstallation](ctx, s.client, get("/github-app/organization/{org_id}/installation", orgID).with(opts))
}

// GitHubAppRepository is a repository that the GitHub App may see.
type GitHubAppRepository struct {
	// ID is GitHub's ID of the repository, which pipeline definitions and
	// triggers need: see [GitHubAppRepository.ExternalID].
	ID            int64  `json:"id"`
	FullName      string `json:"repo_full_name"`
	Name          string `json:"repo_name"`
	Owner         string `json:"owner"`
	DefaultBranch string `json:"default_branch,omitzero"`
	Private       bool   `json:"private,omitzero"`
}

// ExternalID returns the ID in the form that requests take.
func (r *GitHubAppRepository) ExternalID() string { return strconv.FormatInt(r.ID, 10) }

func (r *GitHubAppRepository) key() itemKey { return itemKey{name: r.ExternalID()} }

// repositoriesPage is a page of repositories.
type repositoriesPage struct {
	Items      wire.Items[GitHubAppRepository] `json:"items"`
	TotalCount int                             `json:"total_count"`
}

func (p *repositoriesPage) complete() error { return listed(p.Items.Found, "items") }

// mostRepositories is how many a page can have, and has by default.
const mostRepositories = 100

// pageNumber addresses a page of a list that counts its pages from 1; the
// token is the number.
type pageNumber string

func (n pageNumber) query(q *encode.Query) { q.String("page", string(n)) }

// next is the token of the page behind this one, if there is one. Where the API
// does not return the total, a full page is followed by another.
func (n pageNumber) next(page *repositoriesPage) string {
	number, err := strconv.Atoi(string(n))
	if err != nil {
		number = 1 // the first page is asked for without a number
	}
	more := len(page.Items.List) >= mostRepositories
	if page.TotalCount > 0 {
		more = len(page.Items.List) > 0 && number*mostRepositories < page.TotalCount
	}
	if !more {
		return ""
	}
	return strconv.Itoa(number + 1)
}

// ListRepositories lists the repositories that the GitHub App may see for an
// organization. The list is empty if the app is not installed.
//
// This operation is not in CircleCI's API specification: see [GitHubAppService].
//
// Not available on CircleCI server.
//
//circleci:operation GET /github-app/organization/{org_id}/repositories
func (s *GitHubAppService) ListRepositories(orgID uuid.UUID, opts ...RequestOption) *Pager[GitHubAppRepository] {
	return NewPager(func(ctx context.Context, token string) (*Page[GitHubAppRepository], error) {
		r := get("/github-app/organization/{org_id}/repositories", orgID).query(pageNumber(token))
		return s.repositories(ctx, r.with(opts), pageNumber(token))
	})
}

func (s *GitHubAppService) repositories(ctx context.Context, r request, n pageNumber) (*Page[GitHubAppRepository], error) {
	var page Page[GitHubAppRepository]
	out, err := do[repositoriesPage](ctx, s.client, r.with([]RequestOption{CaptureResponse(&page.Response)}))
	if err != nil {
		return nil, err
	}
	page.Items, page.TotalCount, page.NextPageToken = out.Items.List, out.TotalCount, n.next(out)
	return &page, nil
}

// GetRepositoryByName returns the repository with the given full name, such as
// acme/web. It ignores case. If there is none, the error matches [ErrNotFound].
// It reads the list of repositories until it finds the name.
func (s *GitHubAppService) GetRepositoryByName(ctx context.Context, orgID uuid.UUID, fullName string, opts ...RequestOption) (*GitHubAppRepository, error) {
	ctx, cancel, opts, err := composite(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer cancel()
	for repository, err := range s.ListRepositories(orgID, opts...).All(ctx) {
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(repository.FullName, fullName) {
			return &repository, nil
		}
	}
	return nil, &missingRepositoryError{fullName}
}

// missingRepositoryError is the error for a repository that is not in the list.
type missingRepositoryError struct{ fullName string }

// Error names the repository, and what to check.
func (e *missingRepositoryError) Error() string {
	return "circleci: the GitHub App does not see the repository " + strconv.Quote(e.fullName) +
		": check the name and which repositories the App may use"
}

// Is matches [ErrNotFound].
func (e *missingRepositoryError) Is(target error) bool { return target == ErrNotFound }
