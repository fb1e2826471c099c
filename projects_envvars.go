package circleci

import (
	"context"
	"time"
)

// ProjectEnvVar is an environment variable of a project.
type ProjectEnvVar struct {
	Name string `json:"name"`
	// Value is masked: it shows at most the last characters.
	Value string `json:"value"`
	// CreatedAt is zero for old variables.
	CreatedAt time.Time `json:"created_at,omitzero"`
}

func (v *ProjectEnvVar) key() itemKey { return itemKey{name: v.Name} }

// ListEnvVars lists the environment variables of a project, with masked
// values.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Project/operation/listEnvVars
//
//circleci:operation GET /project/{project-slug}/envvar
func (s *ProjectsService) ListEnvVars(slug ProjectSlug, opts ...RequestOption) *Pager[ProjectEnvVar] {
	return repeatingList[ProjectEnvVar](s.client, get("/project/{project-slug}/envvar", slug).with(opts))
}

// namedEnvVar is the request body of the project's route.
type namedEnvVar struct {
	Name string `json:"name"`
	SetEnvVarRequest
}

func (r namedEnvVar) check() error { return required("name", r.Name) }

// SetEnvVar creates or updates an environment variable of a project.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Project/operation/createEnvVar
//
//circleci:operation POST /project/{project-slug}/envvar
func (s *ProjectsService) SetEnvVar(ctx context.Context, slug ProjectSlug, name string, in SetEnvVarRequest, opts ...RequestOption) (*ProjectEnvVar, error) {
	return do[ProjectEnvVar](ctx, s.client, post("/project/{project-slug}/envvar", slug).body(namedEnvVar{name, in}).with(opts))
}

// GetEnvVar returns an environment variable of a project, with a masked value.
// If there is none, the error matches [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Project/operation/getEnvVar
//
//circleci:operation GET /project/{project-slug}/envvar/{name}
func (s *ProjectsService) GetEnvVar(ctx context.Context, slug ProjectSlug, name string, opts ...RequestOption) (*ProjectEnvVar, error) {
	return do[ProjectEnvVar](ctx, s.client, get("/project/{project-slug}/envvar/{name}", slug, name).with(opts))
}

// DeleteEnvVar deletes an environment variable of a project.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Project/operation/deleteEnvVar
//
//circleci:operation DELETE /project/{project-slug}/envvar/{name}
func (s *ProjectsService) DeleteEnvVar(ctx context.Context, slug ProjectSlug, name string, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/project/{project-slug}/envvar/{name}", slug, name).with(opts))
}
