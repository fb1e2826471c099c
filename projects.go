package circleci

import (
	"context"

	"github.com/google/uuid"
)

// ProjectsService manages projects, their settings, environment variables and
// checkout keys.
type ProjectsService service

// Project is a CircleCI project: a repository, or a standalone project.
type Project struct {
	ID               uuid.UUID   `json:"id"`
	Slug             ProjectSlug `json:"slug"`
	Name             string      `json:"name"`
	OrganizationID   uuid.UUID   `json:"organization_id"`
	OrganizationSlug OrgSlug     `json:"organization_slug"`
	OrganizationName string      `json:"organization_name"`
	VCSInfo          VCSInfo     `json:"vcs_info"`
}

// VCSProvider is the provider that hosts a project's code.
type VCSProvider string

// The providers. GitHub App and GitLab projects have VCSProviderCircleCI.
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

// Get returns the project with the given slug. If there is none, the error
// matches [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Project/operation/getProjectBySlug
//
//circleci:operation GET /project/{project-slug}
func (s *ProjectsService) Get(ctx context.Context, slug ProjectSlug, opts ...RequestOption) (*Project, error) {
	return do[Project](ctx, s.client, get("/project/{project-slug}", slug).with(opts))
}

// GetByID returns the project with the given ID. If there is none, the error
// matches [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Project/operation/getProjectBySlug
//
//circleci:operation GET /project/{project-slug}
func (s *ProjectsService) GetByID(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*Project, error) {
	return do[Project](ctx, s.client, get("/project/{project-slug}", id).with(opts))
}

// CreateProjectRequest describes a new project.
type CreateProjectRequest struct {
	Name string `json:"name"`
}

func (r CreateProjectRequest) check() error { return required("name", r.Name) }

// Create creates a project in a standalone organization, one of the type
// circleci. For a GitHub (OAuth) or Bitbucket repository, use
// [ProjectsService.CreateFromRepo].
//
// CircleCI server has this operation from version 4.8 on.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Project/operation/createProject
//
//circleci:operation POST /organization/{org-slug-or-id}/project
func (s *ProjectsService) Create(ctx context.Context, org OrgRef, in CreateProjectRequest, opts ...RequestOption) (*Project, error) {
	return create[Project](ctx, s.client, post("/organization/{org-slug-or-id}/project", org).body(in).with(opts))
}

// CreateFromRepo creates a project for a GitHub (OAuth) or Bitbucket
// repository, and returns the project's settings. For other slugs the API
// responds with 405 Method Not Allowed.
//
// CircleCI server has this operation from version 4.8 on.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Project/operation/createProject1
//
//circleci:operation POST /project/{provider}/{organization}/{project}
func (s *ProjectsService) CreateFromRepo(ctx context.Context, slug ProjectSlug, opts ...RequestOption) (*ProjectSettings, error) {
	return do[ProjectSettings](ctx, s.client, post("/project/{provider}/{organization}/{project}", slug).with(opts))
}

// Delete deletes a project with all data that CircleCI stored for it. This
// cannot be undone.
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
	// PROnlyBranchOverrides are the branches that are built even without a pull
	// request if BuildPRsOnly is true.
	PROnlyBranchOverrides []string `json:"pr_only_branch_overrides"`
}

// GetSettings returns the settings of a project. If there is no such project,
// the error matches [ErrNotFound].
//
// CircleCI server has this operation from version 4.8 on.
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

// UpdateAdvancedSettings holds the advanced settings to change. Unset fields
// stay unchanged. The API refuses changes of the oss setting, so it can only be
// read.
type UpdateAdvancedSettings struct {
	AutocancelBuilds           Optional[bool] `json:"autocancel_builds,omitzero"`
	BuildForkPRs               Optional[bool] `json:"build_fork_prs,omitzero"`
	BuildPRsOnly               Optional[bool] `json:"build_prs_only,omitzero"`
	DisableSSH                 Optional[bool] `json:"disable_ssh,omitzero"`
	ForksReceiveSecretEnvVars  Optional[bool] `json:"forks_receive_secret_env_vars,omitzero"`
	SetGitHubStatus            Optional[bool] `json:"set_github_status,omitzero"`
	SetupWorkflows             Optional[bool] `json:"setup_workflows,omitzero"`
	WriteSettingsRequiresAdmin Optional[bool] `json:"write_settings_requires_admin,omitzero"`
	// PROnlyBranchOverrides replaces the whole list. The API ignores an empty
	// list.
	PROnlyBranchOverrides Optional[[]string] `json:"pr_only_branch_overrides,omitzero"`
}

func (r UpdateSettingsRequest) check() error {
	if isUnset(r.Advanced) {
		return &ArgumentError{Name: "advanced", Reason: "has no fields to change"}
	}
	return nil
}

// UpdateSettings changes settings of a project and returns all of them. If the
// API responds with 403 because the token may not change one setting, other
// settings may already have changed.
//
// CircleCI server has this operation from version 4.8 on.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Project/operation/patchProjectSettings
//
//circleci:operation PATCH /project/{provider}/{organization}/{project}/settings
func (s *ProjectsService) UpdateSettings(ctx context.Context, slug ProjectSlug, in UpdateSettingsRequest, opts ...RequestOption) (*ProjectSettings, error) {
	return do[ProjectSettings](ctx, s.client, patch("/project/{provider}/{organization}/{project}/settings", slug).body(in).with(opts))
}
