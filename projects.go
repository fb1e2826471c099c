package circleci

import (
	"context"

	"github.com/google/uuid"
)

// ProjectsService works with projects: their settings, environment variables
// and checkout keys.
type ProjectsService service

// Project is what CircleCI builds: a repository, or a standalone project.
type Project struct {
	ID               uuid.UUID   `json:"id"`
	Slug             ProjectSlug `json:"slug"`
	Name             string      `json:"name"`
	OrganizationID   uuid.UUID   `json:"organization_id"`
	OrganizationSlug OrgSlug     `json:"organization_slug"`
	OrganizationName string      `json:"organization_name"`
	VCSInfo          VCSInfo     `json:"vcs_info"`
}

// VCSProvider is where a project's code is.
type VCSProvider string

// The providers. For GitHub App and GitLab projects it is CircleCI.
const (
	VCSProviderGitHub    VCSProvider = "GitHub"
	VCSProviderBitbucket VCSProvider = "Bitbucket"
	VCSProviderCircleCI  VCSProvider = "CircleCI"
)

// VCSInfo is the repository of a project.
type VCSInfo struct {
	VCSURL        string      `json:"vcs_url"`
	Provider      VCSProvider `json:"provider"`
	DefaultBranch string      `json:"default_branch"`
}

// Get returns the project with the given slug, or an error matching
// [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Project/operation/getProjectBySlug
//
//circleci:operation GET /project/{project-slug}
func (s *ProjectsService) Get(ctx context.Context, slug ProjectSlug, opts ...RequestOption) (*Project, error) {
	return do[Project](ctx, s.client, get("/project/{project-slug}", slug).with(opts))
}

// GetByID returns the project with the given ID, or an error matching
// [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Project/operation/getProjectBySlug
//
//circleci:operation GET /project/{project-slug}
func (s *ProjectsService) GetByID(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*Project, error) {
	return do[Project](ctx, s.client, get("/project/{project-slug}", id).with(opts))
}

// CreateProjectRequest is a new project.
type CreateProjectRequest struct {
	Name string `json:"name"`
}

func (r CreateProjectRequest) check() error { return required("name", r.Name) }

// Create creates a project in an organization of the kind circleci, which has
// projects of its own; for repositories see
// [ProjectsService.CreateFromRepo].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Project/operation/createProject
//
//circleci:operation POST /organization/{org-slug-or-id}/project
func (s *ProjectsService) Create(ctx context.Context, org OrgRef, in CreateProjectRequest, opts ...RequestOption) (*Project, error) {
	return do[Project](ctx, s.client, post("/organization/{org-slug-or-id}/project", org).body(in).with(opts))
}

// CreateFromRepo begins to build a repository of GitHub (OAuth) or Bitbucket,
// and returns the new project's settings. For other slugs it fails with 405.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Project/operation/createProject1
//
//circleci:operation POST /project/{provider}/{organization}/{project}
func (s *ProjectsService) CreateFromRepo(ctx context.Context, slug ProjectSlug, opts ...RequestOption) (*ProjectSettings, error) {
	return do[ProjectSettings](ctx, s.client, post("/project/{provider}/{organization}/{project}", slug).with(opts))
}

// Delete deletes a project, with all that CircleCI has stored of it. It cannot
// be undone.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Project/operation/deleteProjectBySlug
//
//circleci:operation DELETE /project/{project-slug}
func (s *ProjectsService) Delete(ctx context.Context, slug ProjectSlug, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/project/{project-slug}", slug).with(opts))
}

// ProjectSettings are the settings of a project.
type ProjectSettings struct {
	Advanced AdvancedSettings `json:"advanced"`
}

// AdvancedSettings are the advanced settings of a project.
type AdvancedSettings struct {
	AutocancelBuilds           bool `json:"autocancel_builds"`
	BuildForkPRs               bool `json:"build_fork_prs"`
	BuildPRsOnly               bool `json:"build_prs_only"`
	DisableSSH                 bool `json:"disable_ssh"`
	ForksReceiveSecretEnvVars  bool `json:"forks_receive_secret_env_vars"`
	OSS                        bool `json:"oss"`
	SetGitHubStatus            bool `json:"set_github_status"`
	SetupWorkflows             bool `json:"setup_workflows"`
	WriteSettingsRequiresAdmin bool `json:"write_settings_requires_admin"`
	// PROnlyBranchOverrides are the branches that are built without a pull
	// request, if BuildPRsOnly is set.
	PROnlyBranchOverrides []string `json:"pr_only_branch_overrides"`
}

// GetSettings returns the settings of a project, or an error matching
// [ErrNotFound] if there is none.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Project/operation/getProjectSettings
//
//circleci:operation GET /project/{provider}/{organization}/{project}/settings
func (s *ProjectsService) GetSettings(ctx context.Context, slug ProjectSlug, opts ...RequestOption) (*ProjectSettings, error) {
	return do[ProjectSettings](ctx, s.client, get("/project/{provider}/{organization}/{project}/settings", slug).with(opts))
}

// UpdateSettingsRequest holds the settings to change.
type UpdateSettingsRequest struct {
	Advanced UpdateAdvancedSettings `json:"advanced"`
}

// UpdateAdvancedSettings holds the advanced settings to change; unset ones
// stay as they are. The setting oss can be read, but the API refuses to change
// it.
type UpdateAdvancedSettings struct {
	AutocancelBuilds           Optional[bool] `json:"autocancel_builds,omitzero"`
	BuildForkPRs               Optional[bool] `json:"build_fork_prs,omitzero"`
	BuildPRsOnly               Optional[bool] `json:"build_prs_only,omitzero"`
	DisableSSH                 Optional[bool] `json:"disable_ssh,omitzero"`
	ForksReceiveSecretEnvVars  Optional[bool] `json:"forks_receive_secret_env_vars,omitzero"`
	SetGitHubStatus            Optional[bool] `json:"set_github_status,omitzero"`
	SetupWorkflows             Optional[bool] `json:"setup_workflows,omitzero"`
	WriteSettingsRequiresAdmin Optional[bool] `json:"write_settings_requires_admin,omitzero"`
	// PROnlyBranchOverrides takes the place of the whole list. The API ignores
	// an empty one.
	PROnlyBranchOverrides Optional[[]string] `json:"pr_only_branch_overrides,omitzero"`
}

func (r UpdateSettingsRequest) check() error {
	if isUnset(r.Advanced) {
		return &ArgumentError{Name: "advanced", Reason: "holds nothing to change"}
	}
	return nil
}

// UpdateSettings changes settings of a project and returns all of them. If the
// API answers 403 because the token may not change one of them, others may
// have been changed by then.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Project/operation/patchProjectSettings
//
//circleci:operation PATCH /project/{provider}/{organization}/{project}/settings
func (s *ProjectsService) UpdateSettings(ctx context.Context, slug ProjectSlug, in UpdateSettingsRequest, opts ...RequestOption) (*ProjectSettings, error) {
	return do[ProjectSettings](ctx, s.client, patch("/project/{provider}/{organization}/{project}/settings", slug).body(in).with(opts))
}
