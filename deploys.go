package circleci

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// DeploysService reads what has been deployed where, and rolls it back.
//
// Environments and components come to be when a job tells of a deployment, with
// "circleci run release"; there is no operation to create or delete them.
// Self-hosted servers have none of this.
type DeploysService service

// DeployLabel is a label of an environment or a component.
type DeployLabel struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// DeployEnvironment is where components are deployed to.
type DeployEnvironment struct {
	ID          uuid.UUID     `json:"id"`
	Name        string        `json:"name"`
	Description string        `json:"description,omitzero"`
	Labels      []DeployLabel `json:"labels"`
	CreatedAt   time.Time     `json:"created_at"`
	UpdatedAt   time.Time     `json:"updated_at"`
}

func (e *DeployEnvironment) key() itemKey { return itemKey{id: e.ID} }

// DeployComponent is what is deployed.
type DeployComponent struct {
	ID uuid.UUID `json:"id"`
	// ProjectID is the zero UUID for a component without a project.
	ProjectID uuid.UUID     `json:"project_id,omitzero"`
	Name      string        `json:"name"`
	Labels    []DeployLabel `json:"labels"`
	// ReleaseCount is 0 in lists, whatever it is.
	ReleaseCount int64     `json:"release_count"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
	// ArchivedAt is undocumented, and zero for a component in use.
	ArchivedAt time.Time `json:"archived_at,omitzero"`
}

func (c *DeployComponent) key() itemKey { return itemKey{id: c.ID} }

// ComponentVersion is a version of a component as it was deployed to an
// environment. Where the API does not know the pipeline, the workflow or the
// job that did it, the ID is the zero UUID.
type ComponentVersion struct {
	Name          string    `json:"name"`
	EnvironmentID uuid.UUID `json:"environment_id"`
	Namespace     string    `json:"namespace"`
	// IsLive tells whether it is what runs now.
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

// deployPageSize is the size of pages where the caller gives none: the API
// requires one.
const deployPageSize = 20

// deployPage is the size of a page; 0 is the default.
type deployPage int

func (p deployPage) query(q *encode.Query) { q.Int("page-size", cmp.Or(int(p), deployPageSize)) }

func (p deployPage) check() error {
	if p < 0 {
		return &ArgumentError{Name: "page-size", Reason: "is negative"}
	}
	return nil
}

// ListEnvironmentsOptions says how to list environments.
type ListEnvironmentsOptions struct {
	// PageSize is the number of items of a page; 20 if it is 0.
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

// ListEnvironments lists the environments of an organization. There are none as
// well where deploys are not in use.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Deploy/operation/listEnvironments
//
//circleci:operation GET /deploy/environments
func (s *DeploysService) ListEnvironments(orgID uuid.UUID, o *ListEnvironmentsOptions, opts ...RequestOption) *Pager[DeployEnvironment] {
	return list[DeployEnvironment](s.client, get("/deploy/environments").query(orgFilter(orgID)).query(o).with(opts))
}

// GetEnvironment returns the environment with the given ID, or an error
// matching [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Deploy/operation/getEnvironment
//
//circleci:operation GET /deploy/environments/{environment_id}
func (s *DeploysService) GetEnvironment(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*DeployEnvironment, error) {
	return do[DeployEnvironment](ctx, s.client, get("/deploy/environments/{environment_id}", id).with(opts))
}

// ListComponentsOptions says which components to list.
type ListComponentsOptions struct {
	// ProjectID lists only the components of a project.
	ProjectID uuid.UUID
	// PageSize is the number of items of a page; 20 if it is 0.
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

// ListComponents lists the components of an organization. There are none as
// well where deploys are not in use.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Deploy/operation/listComponents
//
//circleci:operation GET /deploy/components
func (s *DeploysService) ListComponents(orgID uuid.UUID, o *ListComponentsOptions, opts ...RequestOption) *Pager[DeployComponent] {
	return list[DeployComponent](s.client, get("/deploy/components").query(orgFilter(orgID)).query(o).with(opts))
}

// GetComponent returns the component with the given ID, or an error matching
// [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Deploy/operation/getComponent
//
//circleci:operation GET /deploy/components/{component_id}
func (s *DeploysService) GetComponent(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*DeployComponent, error) {
	return do[DeployComponent](ctx, s.client, get("/deploy/components/{component_id}", id).with(opts))
}

// ListComponentVersionsOptions says which versions to list.
type ListComponentVersionsOptions struct {
	// EnvironmentID lists only the versions in an environment.
	EnvironmentID uuid.UUID
}

func (o *ListComponentVersionsOptions) query(q *encode.Query) {
	if o != nil {
		q.UUID("environment-id", o.EnvironmentID)
	}
}

// ListComponentVersions lists the versions of a component.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Deploy/operation/listComponentVersions
//
//circleci:operation GET /deploy/components/{component_id}/versions
func (s *DeploysService) ListComponentVersions(componentID uuid.UUID, o *ListComponentVersionsOptions, opts ...RequestOption) *Pager[ComponentVersion] {
	return list[ComponentVersion](s.client, get("/deploy/components/{component_id}/versions", componentID).query(o).with(opts))
}

// RollbackRequest says what to roll back, from which version to which.
type RollbackRequest struct {
	ComponentName   string `json:"component_name"`
	EnvironmentName string `json:"environment_name"`
	// CurrentVersion has to be what runs now.
	CurrentVersion string `json:"current_version"`
	TargetVersion  string `json:"target_version"`
	Namespace      string `json:"namespace,omitzero"`
	Reason         string `json:"reason,omitzero"`
	// Parameters are handed to the pipeline that rolls back; their form is
	// open.
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

// Rollback is a rollback that has been asked for.
type Rollback struct {
	// ID is that of the pipeline that rolls back, or of the command to a
	// release agent; Type says which.
	ID   uuid.UUID `json:"id"`
	Type string    `json:"rollback_type"`
}

// Rollback begins to bring a component back to an earlier version, and does not
// wait for it. If it is in another state than the request says, the error
// matches [ErrConflict].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Rollback/operation/rollbackProject
//
//circleci:operation POST /projects/{project_id}/rollback
func (s *DeploysService) Rollback(ctx context.Context, projectID uuid.UUID, in RollbackRequest, opts ...RequestOption) (*Rollback, error) {
	return do[Rollback](ctx, s.client, post("/projects/{project_id}/rollback", projectID).body(in).with(opts))
}

// DeploySettings are the pipelines that a project is deployed with. An ID is
// the zero UUID where none is set.
type DeploySettings struct {
	RollbackPipelineDefinitionID uuid.UUID `json:"rollback_pipeline_definition_id,omitzero"`
	DeployPipelineDefinitionID   uuid.UUID `json:"deploy_pipeline_definition_id,omitzero"`
	CreateAutogeneratedReleases  bool      `json:"create_autogenerated_releases,omitzero"`
}

// GetSettings returns the deploy settings of a project; all of them are zero if
// nothing is set, and where deploys are not in use.
//
// This operation is not in CircleCI's document. CircleCI's own clients use it;
// the three settings are known, there may be more, and no public route changes
// them.
//
//circleci:operation GET /deploy/projects/{project_id}/settings
func (s *DeploysService) GetSettings(ctx context.Context, projectID uuid.UUID, opts ...RequestOption) (*DeploySettings, error) {
	return do[DeploySettings](ctx, s.client, get("/deploy/projects/{project_id}/settings", projectID).with(opts))
}
