package api

import (
	"slices"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

func environmentV3(s *engine.Engine, id uuid.UUID) *world.DeployEnvironment {
	return s.EnvironmentBy(func(e *world.DeployEnvironment) bool { return e.ID == id })
}

func componentV3(s *engine.Engine, id uuid.UUID) *world.DeployComponent {
	return s.ComponentBy(func(c *world.DeployComponent) bool { return c.ID == id })
}

func environmentViewV3(e *world.DeployEnvironment) form.Object {
	return resource(e.ID, form.Object{"name": e.Name}, form.Object{"org": ref(e.Org.ID)})
}

func componentViewV3(c *world.DeployComponent) form.Object {
	return resource(c.ID, form.Object{"name": c.Name}, form.Object{"project": ref(c.Project.ID)})
}

// deployment is a version that was deployed.
type deployment struct {
	Component *world.DeployComponent
	Version   *circleci.ComponentVersion
}

func (d deployment) viewV3() form.Object {
	v := d.Version
	// A deployment has no ID in this world: its component's and its name stand for it.
	id := uuid.NewSHA1(d.Component.ID, []byte(v.Name+v.EnvironmentID.String()+v.Namespace))
	references := form.Object{
		"deploy_component": named(d.Component.ID, d.Component.Name), "deploy_environment": ref(v.EnvironmentID),
	}
	if v.PipelineID != uuid.Nil {
		references["pipeline"] = ref(v.PipelineID)
	}
	if v.WorkflowID != uuid.Nil {
		references["workflow"] = ref(v.WorkflowID)
	}
	return resource(id, form.Object{
		"type": "deploy", "status": "SUCCESS", "target_version": form.Object{"name": v.Name}, "is_rollback": false,
		"created_at": form.Time(v.LastDeployedAt), "ended_at": form.Time(v.LastDeployedAt),
	}, references)
}

// componentsV3 are those of an organization, or of the project that the query
// names.
func componentsV3(s *engine.Engine, r *exchange.Request, o *world.Org) (all []*world.DeployComponent) {
	project := r.Query.Get("filter[project_id]")
	for _, c := range s.Deploys.Components {
		if c.Project.Org == o && (project == "" || c.Project.ID.String() == project) {
			all = append(all, c)
		}
	}
	return all
}

func listDeploymentsV3(s *engine.Engine, r *exchange.Request, o *world.Org) *exchange.Answer {
	var all []deployment
	for _, c := range componentsV3(s, r, o) {
		for _, v := range c.Versions {
			all = append(all, deployment{c, v})
		}
	}
	slices.SortStableFunc(all, func(a, b deployment) int { return b.Version.LastDeployedAt.Compare(a.Version.LastDeployedAt) })
	return pageV3(r, all, mostOthers, deployment.viewV3)
}

func rollbackV3(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
	var in struct {
		ComponentID   uuid.UUID `json:"component_id"`
		EnvironmentID uuid.UUID `json:"environment_id"`
		CheckoutRef   string    `json:"checkout_ref"`
		ConfigRef     string    `json:"config_ref"`
		rollbackTo
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	c, e := componentV3(s, in.ComponentID), environmentV3(s, in.EnvironmentID)
	switch {
	case in.Current == "" || in.Target == "":
		return invalidV3("/current_version", "and /target_version are required")
	case c == nil || c.Project != p || e == nil || e.Org != p.Org:
		return notFoundV3("Component or environment")
	}
	run, status := rollBack(s, c, e, in.rollbackTo)
	if run == nil {
		return exchange.FailureV3(status, "conflict", "The current version does not run, or there is no such target.", "")
	}
	return okV3(resource(run.ID, form.Object{"rollback_type": "pipeline"}, form.Object{
		"project": ref(p.ID), "deploy_component": ref(c.ID), "deploy_environment": ref(e.ID),
	}))
}

var deployHandlersV3 = map[string]exchange.Handler{
	"GET /api/v3/deploy/deployments": withFilter("filter[org_id]", "Organization", orgV3, listDeploymentsV3),
	"GET /api/v3/deploy/environments": withFilter("filter[org_id]", "Organization", orgV3, func(s *engine.Engine, r *exchange.Request, o *world.Org) *exchange.Answer {
		var all []*world.DeployEnvironment
		for _, e := range s.Deploys.Environments {
			if e.Org == o {
				all = append(all, e)
			}
		}
		return pageV3(r, all, mostOthers, environmentViewV3)
	}),
	"GET /api/v3/deploy/environments/{id}": withIDV3("Environment", environmentV3, func(_ *engine.Engine, _ *exchange.Request, e *world.DeployEnvironment) *exchange.Answer {
		return okV3(environmentViewV3(e))
	}),
	"GET /api/v3/deploy/components": withFilter("filter[org_id]", "Organization", orgV3, func(s *engine.Engine, r *exchange.Request, o *world.Org) *exchange.Answer {
		return pageV3(r, componentsV3(s, r, o), mostOthers, componentViewV3)
	}),
	"GET /api/v3/deploy/components/{id}": withIDV3("Component", componentV3, func(_ *engine.Engine, _ *exchange.Request, c *world.DeployComponent) *exchange.Answer {
		return okV3(componentViewV3(c))
	}),
	"GET /api/v3/deploy/components/{id}/versions": withIDV3("Component", componentV3, func(_ *engine.Engine, r *exchange.Request, c *world.DeployComponent) *exchange.Answer {
		environment := r.Query.Get("filter[environment_id]")
		var all []*circleci.ComponentVersion
		for _, v := range slices.Backward(c.Versions) {
			if environment == "" || v.EnvironmentID.String() == environment {
				all = append(all, v)
			}
		}
		return pageV3(r, all, mostOthers, func(v *circleci.ComponentVersion) form.Object {
			return form.Object{
				"attributes": form.Object{"name": v.Name, "created_at": form.Time(v.LastDeployedAt)}, "references": form.Object{"component": ref(c.ID)},
			}
		})
	}),
	"GET /api/v3/deploy/settings": withFilter("filter[project_id]", "Project", projectV3, func(s *engine.Engine, _ *exchange.Request, p *world.Project) *exchange.Answer {
		settings := s.Deploys.Settings[p.ID]
		return okV3(form.Object{"attributes": form.Object{}.Put("rollback_pipeline_id", settings.RollbackPipelineDefinitionID).
			Put("deploy_pipeline_id", settings.DeployPipelineDefinitionID)})
	}),
	"POST /api/v3/projects/{id}/rollback": withIDV3("Project", projectV3, rollbackV3),
}
