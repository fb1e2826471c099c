package apiv3

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// DeploysService reads deployments, environments and components, and rolls
// components back.
type DeploysService service

// Deployment is a deployment of a component.
type Deployment struct {
	ID            uuid.UUID     `json:"id"`
	Type          string        `json:"type"`
	Status        string        `json:"status"`
	TargetVersion TargetVersion `json:"target_version,omitzero"`
	IsRollback    bool          `json:"is_rollback,omitzero"`
	CreatedAt     time.Time     `json:"created_at"`
	EndedAt       time.Time     `json:"ended_at,omitzero"`
	FailureReason string        `json:"failure_reason,omitzero"`
	// Component includes the component's name.
	Component     NamedRef  `json:"deploy_component,omitzero"`
	EnvironmentID uuid.UUID `json:"deploy_environment_id,omitzero"`
	PipelineID    uuid.UUID `json:"pipeline_id,omitzero"`
	WorkflowID    uuid.UUID `json:"workflow_id,omitzero"`
}

// TargetVersion is the version that a deployment deploys.
type TargetVersion struct {
	Name string `json:"name"`
}

// ListDeploysOptions are the options of [DeploysService.ListDeployments] and
// [DeploysService.ListComponents].
type ListDeploysOptions struct {
	ProjectID uuid.UUID
	// Limit is the number of items on a page. If it is 0, the API chooses.
	Limit int
}

func (o *ListDeploysOptions) add(r request) request {
	if o == nil {
		return r
	}
	return r.filterID("filter[project_id]", o.ProjectID).limit(o.Limit)
}

// ListDeployments lists the deployments of an organization, newest first.
//
//circleci:operation GET /api/v3/deploy/deployments
func (s *DeploysService) ListDeployments(orgID uuid.UUID, o *ListDeploysOptions, opts ...circleci.RequestOption) *circleci.Pager[Deployment] {
	return list[Deployment](s.client, o.add(get("/api/v3/deploy/deployments").require("filter[org_id]", orgID)), opts)
}

// Environment is an environment that components are deployed to.
type Environment struct {
	ID    uuid.UUID `json:"id"`
	Name  string    `json:"name"`
	OrgID uuid.UUID `json:"org_id,omitzero"`
}

// ListEnvironmentsOptions are the options of [DeploysService.ListEnvironments].
type ListEnvironmentsOptions struct {
	// Limit is the number of items on a page. If it is 0, the API chooses.
	Limit int
}

// ListEnvironments lists the environments of an organization.
//
// This operation is experimental and may change.
//
//circleci:operation GET /api/v3/deploy/environments
func (s *DeploysService) ListEnvironments(orgID uuid.UUID, o *ListEnvironmentsOptions, opts ...circleci.RequestOption) *circleci.Pager[Environment] {
	r := get("/api/v3/deploy/environments").require("filter[org_id]", orgID)
	if o != nil {
		r = r.limit(o.Limit)
	}
	return list[Environment](s.client, r, opts)
}

// GetEnvironment returns the environment with the given ID, or an error
// matching [circleci.ErrNotFound].
//
//circleci:operation GET /api/v3/deploy/environments/{id}
func (s *DeploysService) GetEnvironment(ctx context.Context, id uuid.UUID, opts ...circleci.RequestOption) (*Environment, error) {
	return one[Environment](ctx, s.client, get("/api/v3/deploy/environments/{id}", id), opts)
}

// Component is a component that is deployed.
type Component struct {
	ID        uuid.UUID `json:"id"`
	Name      string    `json:"name"`
	ProjectID uuid.UUID `json:"project_id,omitzero"`
}

// ListComponents lists the components of an organization.
//
// This operation is experimental and may change.
//
//circleci:operation GET /api/v3/deploy/components
func (s *DeploysService) ListComponents(orgID uuid.UUID, o *ListDeploysOptions, opts ...circleci.RequestOption) *circleci.Pager[Component] {
	return list[Component](s.client, o.add(get("/api/v3/deploy/components").require("filter[org_id]", orgID)), opts)
}

// GetComponent returns the component with the given ID, or an error matching
// [circleci.ErrNotFound].
//
//circleci:operation GET /api/v3/deploy/components/{id}
func (s *DeploysService) GetComponent(ctx context.Context, id uuid.UUID, opts ...circleci.RequestOption) (*Component, error) {
	return one[Component](ctx, s.client, get("/api/v3/deploy/components/{id}", id), opts)
}

// ComponentVersion is a version of a component.
type ComponentVersion struct {
	Name        string    `json:"name"`
	CreatedAt   time.Time `json:"created_at,omitzero"`
	ComponentID uuid.UUID `json:"component_id,omitzero"`
}

// ListComponentVersionsOptions are the options of
// [DeploysService.ListComponentVersions].
type ListComponentVersionsOptions struct {
	EnvironmentID uuid.UUID
	// Limit is the number of items on a page. If it is 0, the API chooses.
	Limit int
}

// ListComponentVersions lists the versions of a component.
//
//circleci:operation GET /api/v3/deploy/components/{id}/versions
func (s *DeploysService) ListComponentVersions(id uuid.UUID, o *ListComponentVersionsOptions, opts ...circleci.RequestOption) *circleci.Pager[ComponentVersion] {
	r := get("/api/v3/deploy/components/{id}/versions", id)
	if o != nil {
		r = r.filterID("filter[environment_id]", o.EnvironmentID).limit(o.Limit)
	}
	return list[ComponentVersion](s.client, r, opts)
}

// GetSettings returns the deploy settings of a project. Their names are not
// known from public material.
//
//circleci:operation GET /api/v3/deploy/settings
func (s *DeploysService) GetSettings(ctx context.Context, projectID uuid.UUID, opts ...circleci.RequestOption) (map[string]any, error) {
	out, err := one[map[string]any](ctx, s.client, get("/api/v3/deploy/settings").require("filter[project_id]", projectID), opts)
	if err != nil {
		return nil, err
	}
	return *out, nil
}

// RollbackRequest describes a rollback: the component, its environment, and the
// current and target versions.
type RollbackRequest struct {
	ComponentID   uuid.UUID `json:"component_id"`
	EnvironmentID uuid.UUID `json:"environment_id"`
	// CurrentVersion must be the version that is running now.
	CurrentVersion string              `json:"current_version"`
	TargetVersion  string              `json:"target_version"`
	Namespace      string              `json:"namespace,omitzero"`
	Reason         string              `json:"reason,omitzero"`
	Parameters     circleci.Parameters `json:"parameters,omitzero"`
	CheckoutRef    string              `json:"checkout_ref,omitzero"`
	ConfigRef      string              `json:"config_ref,omitzero"`
}

func (r RollbackRequest) check() (name, reason string) {
	switch {
	case r.ComponentID == uuid.Nil:
		return "component_id", missing
	case r.EnvironmentID == uuid.Nil:
		return "environment_id", missing
	case r.CurrentVersion == "":
		return "current_version", missing
	case r.TargetVersion == "":
		return "target_version", missing
	}
	return "", ""
}

// Rollback is a rollback that was requested.
type Rollback struct {
	// ID is the ID of a run, or of a command for an agent: see Type.
	ID uuid.UUID `json:"id"`
	// Type is "pipeline" or "agent".
	Type          string    `json:"rollback_type"`
	ProjectID     uuid.UUID `json:"project_id,omitzero"`
	ComponentID   uuid.UUID `json:"deploy_component_id,omitzero"`
	EnvironmentID uuid.UUID `json:"deploy_environment_id,omitzero"`
}

// Rollback begins to roll a component of a project back. It is not retried
// after a failure that leaves it unknown whether it took effect.
//
//circleci:operation POST /api/v3/projects/{id}/rollback
func (s *DeploysService) Rollback(ctx context.Context, projectID uuid.UUID, in RollbackRequest, opts ...circleci.RequestOption) (*Rollback, error) {
	return one[Rollback](ctx, s.client, post("/api/v3/projects/{id}/rollback", projectID).body(in), opts)
}
