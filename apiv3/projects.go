package apiv3

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// ProjectsService lists projects, finds them by their slugs, and reads and
// changes their settings. The API v3 has no environment variables of projects:
// see [circleci.ProjectsService.ListEnvVars].
type ProjectsService service

// Project is a project. The API v3 has no slugs: [ProjectsService.Resolve]
// finds the ID of one.
type Project struct {
	ID    uuid.UUID `json:"id"`
	Name  string    `json:"name"`
	OrgID uuid.UUID `json:"org_id,omitzero"`
	// Org is the organization with its name, if the API returns it.
	Org NamedRef `json:"org,omitzero"`
	// IsFollowed reports whether the token's owner follows the project.
	IsFollowed bool `json:"is_followed,omitzero"`
}

// ListProjectsOptions are the options of [ProjectsService.ListForOrg] and
// [ProjectsService.ListFollowed].
type ListProjectsOptions struct {
	// Name limits the list to projects whose names contain it. Only
	// [ProjectsService.ListForOrg] supports it.
	Name string
	// OrderByName sorts the projects by name.
	OrderByName bool
	// Limit is the number of items on a page, at most 50. If it is 0, the API
	// chooses.
	Limit int
}

func (o *ListProjectsOptions) add(r request) request {
	if o == nil {
		return r
	}
	if o.OrderByName {
		r = r.filter("order_by", "name")
	}
	return r.filter("filter[name]", o.Name).limit(o.Limit)
}

// ListForOrg lists the projects of an organization.
//
//circleci:operation GET /api/v3/projects
func (s *ProjectsService) ListForOrg(orgID uuid.UUID, o *ListProjectsOptions, opts ...circleci.RequestOption) *circleci.Pager[Project] {
	return list[Project](s.client, o.add(get("/api/v3/projects").require("filter[org_id]", orgID)), opts)
}

// ListFollowed lists the projects that the token's owner follows.
//
//circleci:operation GET /api/v3/projects
func (s *ProjectsService) ListFollowed(o *ListProjectsOptions, opts ...circleci.RequestOption) *circleci.Pager[Project] {
	return list[Project](s.client, o.add(get("/api/v3/projects").filter("filter[following]", "true")), opts)
}

// Resolve returns the project with the given slug, or an error matching
// [circleci.ErrNotFound]. Each call sends a request, so keep the ID.
//
//circleci:operation GET /api/v3/projects
func (s *ProjectsService) Resolve(ctx context.Context, slug circleci.ProjectSlug, opts ...circleci.RequestOption) (*Project, error) {
	r := get("/api/v3/projects").filter("filter[slug]", string(slug))
	if _, err := circleci.ParseProjectSlug(string(slug)); err != nil {
		return nil, blame(err, r)
	}
	return resolved[Project](ctx, s.client, r, string(slug), opts)
}

// resolved returns the one resource that has a slug. The API answers with an
// empty list if there is none.
func resolved[T any](ctx context.Context, c *Client, r request, slug string, opts []circleci.RequestOption) (*T, error) {
	page, err := list[T](c, r, opts).Page(ctx, "")
	if err != nil {
		return nil, err
	}
	if len(page.Items) == 0 {
		return nil, fmt.Errorf("circleci: %s %s: no resource has the slug %q, or this token may not read it: %w",
			r.Method, r.Route, slug, circleci.ErrNotFound)
	}
	return &page.Items[0], nil
}

// blame names the operation in an argument's error.
func blame(err error, r request) error {
	if bad, ok := err.(*circleci.ArgumentError); ok { //nolint:errorlint // it is one that was just made
		named := *bad
		named.Method, named.Route = r.Method, r.Route
		return &named
	}
	return err
}

// Get returns the project with the given ID, or an error matching
// [circleci.ErrNotFound].
//
//circleci:operation GET /api/v3/projects/{id}
func (s *ProjectsService) Get(ctx context.Context, id uuid.UUID, opts ...circleci.RequestOption) (*Project, error) {
	return one[Project](ctx, s.client, get("/api/v3/projects/{id}", id), opts)
}

// ProjectSettings are the settings of a project.
type ProjectSettings struct {
	EnableAIErrorSummarization         bool `json:"enable_ai_error_summarization"`
	EnableAutoCancelRedundantWorkflows bool `json:"enable_auto_cancel_redundant_workflows"`
	EnableBuildingForkPRs              bool `json:"enable_building_fork_prs"`
	EnableDynamicConfig                bool `json:"enable_dynamic_config"`
	EnableUnversionedConfig            bool `json:"enable_unversioned_config"`
	IsBuildPRsOnly                     bool `json:"is_build_prs_only"`
	IsRunningDisabled                  bool `json:"is_running_disabled"`
	IsSSHDisabled                      bool `json:"is_ssh_disabled"`
	IsOSS                              bool `json:"is_oss"`
	IsAdminRequiredForWritingSettings  bool `json:"is_admin_required_for_writing_settings"`
	CanPassSecretsToForkPRJobs         bool `json:"can_pass_secrets_to_fork_pr_jobs"`
	CanSetGitHubStatus                 bool `json:"can_set_github_status"`
	// PROnlyBranchOverrides are the branches that are built even without a pull
	// request if IsBuildPRsOnly is true.
	PROnlyBranchOverrides []string `json:"pr_only_branch_overrides"`
}

// GetSettings returns the settings of a project.
//
//circleci:operation GET /api/v3/projects/{id}/settings
func (s *ProjectsService) GetSettings(ctx context.Context, id uuid.UUID, opts ...circleci.RequestOption) (*ProjectSettings, error) {
	return one[ProjectSettings](ctx, s.client, get("/api/v3/projects/{id}/settings", id), opts)
}

// UpdateProjectSettingsRequest holds the settings to change. Unset fields stay
// unchanged.
type UpdateProjectSettingsRequest struct {
	EnableAIErrorSummarization         circleci.Optional[bool]     `json:"enable_ai_error_summarization,omitzero"`
	EnableAutoCancelRedundantWorkflows circleci.Optional[bool]     `json:"enable_auto_cancel_redundant_workflows,omitzero"`
	EnableBuildingForkPRs              circleci.Optional[bool]     `json:"enable_building_fork_prs,omitzero"`
	EnableDynamicConfig                circleci.Optional[bool]     `json:"enable_dynamic_config,omitzero"`
	EnableUnversionedConfig            circleci.Optional[bool]     `json:"enable_unversioned_config,omitzero"`
	IsBuildPRsOnly                     circleci.Optional[bool]     `json:"is_build_prs_only,omitzero"`
	IsRunningDisabled                  circleci.Optional[bool]     `json:"is_running_disabled,omitzero"`
	IsSSHDisabled                      circleci.Optional[bool]     `json:"is_ssh_disabled,omitzero"`
	IsOSS                              circleci.Optional[bool]     `json:"is_oss,omitzero"`
	IsAdminRequiredForWritingSettings  circleci.Optional[bool]     `json:"is_admin_required_for_writing_settings,omitzero"`
	CanPassSecretsToForkPRJobs         circleci.Optional[bool]     `json:"can_pass_secrets_to_fork_pr_jobs,omitzero"`
	CanSetGitHubStatus                 circleci.Optional[bool]     `json:"can_set_github_status,omitzero"`
	PROnlyBranchOverrides              circleci.Optional[[]string] `json:"pr_only_branch_overrides,omitzero"`
}

// UpdateSettings changes settings of a project, and returns all of them.
//
//circleci:operation POST /api/v3/projects/{id}/update-settings
func (s *ProjectsService) UpdateSettings(ctx context.Context, id uuid.UUID, in UpdateProjectSettingsRequest, opts ...circleci.RequestOption) (*ProjectSettings, error) {
	return one[ProjectSettings](ctx, s.client, post("/api/v3/projects/{id}/update-settings", id).body(in).idempotent(), opts)
}

// PurgeDockerLayerCache deletes the Docker layer cache of a project.
//
//circleci:operation DELETE /api/v3/projects/{id}/dlc
func (s *ProjectsService) PurgeDockerLayerCache(ctx context.Context, id uuid.UUID, opts ...circleci.RequestOption) error {
	return exec(ctx, s.client, remove("/api/v3/projects/{id}/dlc", id), opts)
}
