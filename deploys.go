package circleci

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// DeploysService reads deployed components and their environments, and starts
// rollbacks.
//
// CircleCI creates environments and components when a job reports a deployment
// with "circleci run release". The API has no operation to create or delete
// them.
type DeploysService service

// DeployLabel is a label of an environment or a component.
type DeployLabel struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// DeployEnvironment is an environment that components are deployed to.
type DeployEnvironment struct {
	ID          uuid.UUID     `json:"id"`
	Name        string        `json:"name"`
	Description string        `json:"description,omitzero"`
	Labels      []DeployLabel `json:"labels"`
	CreatedAt   time.Time     `json:"created_at"`
	UpdatedAt   time.Time     `json:"updated_at"`
}

func (e *DeployEnvironment) key() itemKey { return itemKey{id: e.ID} }

// DeployComponent is a component that is deployed.
type DeployComponent struct {
	ID uuid.UUID `json:"id"`
	// ProjectID is the zero UUID for a component without a project.
	ProjectID uuid.UUID     `json:"project_id,omitzero"`
	Name      string        `json:"name"`
	Labels    []DeployLabel `json:"labels"`
	// ReleaseCount is the number of releases. It is always 0 in lists.
	ReleaseCount int64     `json:"release_count"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
	// ArchivedAt is undocumented. It is zero for a component that is not
	// archived.
	ArchivedAt time.Time `json:"archived_at,omitzero"`
}

func (c *DeployComponent) key() itemKey { return itemKey{id: c.ID} }

// ComponentVersion is a version of a component that was deployed to an
// environment. If the API does not know the pipeline, workflow or job that
// deployed it, that ID is the zero UUID.
type ComponentVersion struct {
	Name          string    `json:"name"`
	EnvironmentID uuid.UUID `json:"environment_id"`
	Namespace     string    `json:"namespace"`
	// IsLive reports whether this version is running now.
	IsLive         bool      `json:"is_live"`
	PipelineID     uuid.UUID `json:"pipeline_id"`
	WorkflowID     uuid.UUID `json:"workflow_id"`
	JobID          uuid.UUID `json:"job_id"`
	JobNumber      int64     `json:"job_number,omitzero"`
	LastDeployedAt time.Time `json:"last_deployed_at"`
}

func (v *ComponentVersion) key() itemKey {
	return itemKey{v.EnvironmentID, v.Namespace + "\x00" + v.Name}
}

// deployPageSize is the default page size: the API requires one.
const deployPageSize = 20

// deployPage is a page size; 0 selects the default.
type deployPage int

func (p deployPage) query(q *encode.Query) { q.Int("page-size", cmp.Or(int(p), deployPageSize)) }

func (p deployPage) check() error {
	if p < 0 {
		return &ArgumentError{Name: "page-size", Reason: "is negative"}
	}
	return nil
}

// ListEnvironmentsOptions are the options of [DeploysService.ListEnvironments].
type ListEnvironmentsOptions struct {
	// PageSize is the number of items on a page. The default is 20.
	PageSize int
}

func (o *ListEnvironmentsOptions) query(q *encode.Query) {
	o.page().query(q)
}

func (o *ListEnvironmentsOptions) check() error { return o.page().check() }

func (o *ListEnvironmentsOptions) page() deployPage {
	if o == nil {
		return 0
	}
	return deployPage(o.PageSize)
}

// ListEnvironments lists the environments of an organization. The list is also
// empty if the organization does not use deploys.
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Deploy/operation/listEnvironments
//
//circleci:operation GET /deploy/environments
func (s *DeploysService) ListEnvironments(orgID uuid.UUID, o *ListEnvironmentsOptions, opts ...RequestOption) *Pager[DeployEnvironment] {
	return list[DeployEnvironment](s.client, get("/deploy/environments").query(orgFilter(orgID)).query(o).with(opts))
}

// GetEnvironment returns the environment with the given ID. If there is none,
// the error matches [ErrNotFound].
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Deploy/operation/getEnvironment
//
//circleci:operation GET /deploy/environments/{environment_id}
func (s *DeploysService) GetEnvironment(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*DeployEnvironment, error) {
	return do[DeployEnvironment](ctx, s.client, get("/deploy/environments/{environment_id}", id).with(opts))
}

// ListComponentsOptions are the options of [DeploysService.ListComponents].
type ListComponentsOptions struct {
	// ProjectID limits the list to the components of one project, unless it is
	// zero.
	ProjectID uuid.UUID
	// PageSize is the number of items on a page. The default is 20.
	PageSize int
}

func (o *ListComponentsOptions) query(q *encode.Query) {
	if o != nil {
		q.UUID("project-id", o.ProjectID)
	}
	o.page().query(q)
}

func (o *ListComponentsOptions) check() error { return o.page().check() }

func (o *ListComponentsOptions) page() deployPage {
	if o == nil {
		return 0
	}
	return deployPage(o.PageSize)
}

// ListComponents lists the components of an organization. The list is also
// empty if the organization does not use deploys.
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Deploy/operation/listComponents
//
//circleci:operation GET /deploy/components
func (s *DeploysService) ListComponents(orgID uuid.UUID, o *ListComponentsOptions, opts ...RequestOption) *Pager[DeployComponent] {
	return list[DeployComponent](s.client, get("/deploy/components").query(orgFilter(orgID)).query(o).with(opts))
}

// GetComponent returns the component with the given ID. If there is none, the
// error matches [ErrNotFound].
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Deploy/operation/getComponent
//
//circleci:operation GET /deploy/components/{component_id}
func (s *DeploysService) GetComponent(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*DeployComponent, error) {
	return do[DeployComponent](ctx, s.client, get("/deploy/components/{component_id}", id).with(opts))
}

// ListComponentVersionsOptions are the options of
// [DeploysService.ListComponentVersions].
type ListComponentVersionsOptions struct {
	// EnvironmentID limits the list to the versions in one environment, unless
	// it is zero.
	EnvironmentID uuid.UUID
}

func (o *ListComponentVersionsOptions) query(q *encode.Query) {
	if o != nil {
		q.UUID("environment-id", o.EnvironmentID)
	}
}

// ListComponentVersions lists the versions of a component.
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Deploy/operation/listComponentVersions
//
//circleci:operation GET /deploy/components/{component_id}/versions
func (s *DeploysService) ListComponentVersions(componentID uuid.UUID, o *ListComponentVersionsOptions, opts ...RequestOption) *Pager[ComponentVersion] {
	return list[ComponentVersion](s.client, get("/deploy/components/{component_id}/versions", componentID).query(o).with(opts))
}

// RollbackRequest describes a rollback: the component, its environment, and the
// current and target versions.
type RollbackRequest struct {
	ComponentName   string `json:"component_name"`
	EnvironmentName string `json:"environment_name"`
	// CurrentVersion must be the version that is running now.
	CurrentVersion string `json:"current_version"`
	TargetVersion  string `json:"target_version"`
	Namespace      string `json:"namespace,omitzero"`
	Reason         string `json:"reason,omitzero"`
	// Parameters are passed to the rollback pipeline. They may hold any JSON
	// values.
	Parameters map[string]any `json:"parameters,omitzero"`
}

func (r RollbackRequest) check() error {
	for _, field := range [][2]string{
		{"component_name", r.ComponentName}, {"environment_name", r.EnvironmentName},
		{"current_version", r.CurrentVersion}, {"target_version", r.TargetVersion},
	} {
		if err := required(field[0], field[1]); err != nil {
			return err
		}
	}
	return nil
}

// Rollback is a rollback that was requested.
type Rollback struct {
	// ID is the ID of the rollback pipeline, or of the command to a release
	// agent. Type says which.
	ID   uuid.UUID `json:"id"`
	Type string    `json:"rollback_type"`
}

// Rollback starts to roll a component back to an earlier version, and does not
// wait for the rollback to finish. If the current version is not the one in the
// request, the error matches [ErrConflict].
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Rollback/operation/rollbackProject
//
//circleci:operation POST /projects/{project_id}/rollback
func (s *DeploysService) Rollback(ctx context.Context, projectID uuid.UUID, in RollbackRequest, opts ...RequestOption) (*Rollback, error) {
	return do[Rollback](ctx, s.client, post("/projects/{project_id}/rollback", projectID).body(in).with(opts))
}

// DeploySettings identify the pipelines that deploy a project. An ID that is
// not set is the zero UUID.
type DeploySettings struct {
	RollbackPipelineDefinitionID uuid.UUID `json:"rollback_pipeline_definition_id,omitzero"`
	DeployPipelineDefinitionID   uuid.UUID `json:"deploy_pipeline_definition_id,omitzero"`
	CreateAutogeneratedReleases  bool      `json:"create_autogenerated_releases,omitzero"`
}

// GetSettings returns the deploy settings of a project. All fields are zero if
// nothing is set or the project does not use deploys.
//
// This operation is not in CircleCI's API specification. CircleCI's own clients
// use it. Three settings are known, but there may be more. No public operation
// changes them.
//
// Not available on CircleCI server.
//
//circleci:operation GET /deploy/projects/{project_id}/settings
func (s *DeploysService) GetSettings(ctx context.Context, projectID uuid.UUID, opts ...RequestOption) (*DeploySettings, error) {
	return do[DeploySettings](ctx, s.client, get("/deploy/projects/{project_id}/settings", projectID).with(opts))
}
