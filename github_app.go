package circleci

import (
	"context"

	"github.com/google/uuid"
)

// GitHubAppService reads what CircleCI's GitHub App may see of an
// organization's repositories.
//
// Its operations are not in CircleCI's document of the API, and carry no
// promise of compatibility: CircleCI's own clients use them, and are where
// request and response are known from. Only CircleCI's cloud has them.
type GitHubAppService service

// GitHubAppInstallation is the installation of the GitHub App for an
// organization.
type GitHubAppInstallation struct {
	// ID is GitHub's ID of the installation.
	ID int64 `json:"id"`
	// TargetType is what it is installed for, "Organization" or "User".
	TargetType string `json:"target_type"`
	// Login is the name of the organization or user on GitHub.
	Login string `json:"login"`
	// RepositorySelection is "all" or "selected".
	RepositorySelection string `json:"repository_selection"`
}

// GetInstallation returns the installation of the GitHub App for an
// organization, or an error matching [ErrNotFound] if it is not installed.
//
// This operation is not in CircleCI's document: see [GitHubAppService].
//
//circleci:operation GET /github-app/organization/{org_id}/installation
func (s *GitHubAppService) GetInstallation(ctx context.Context, orgID uuid.UUID, opts ...RequestOption) (*GitHubAppInstallation, error) {
	return do[GitHubAppInstallation](ctx, s.client, get("/github-app/organization/{org_id}/installation", orgID).with(opts))
}
