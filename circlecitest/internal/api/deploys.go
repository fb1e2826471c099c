package api

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

func labelsView(labels []circleci.DeployLabel) []any {
	all := []any{}
	for _, l := range labels {
		all = append(all, form.Object{"key": l.Key, "value": l.Value})
	}
	return all
}

func deployEnvironmentView(e *world.DeployEnvironment) form.Object {
	return form.Object{
		"id": e.ID, "name": e.Name, "labels": labelsView(e.Labels),
		"created_at": form.Time(e.CreatedAt), "updated_at": form.Time(e.UpdatedAt),
	}.Put("description", e.Description)
}

func deployComponentView(c *world.DeployComponent) form.Object {
	return form.Object{
		"id": c.ID, "project_id": c.ProjectID, "name": c.Name, "labels": labelsView(c.Labels), "release_count": c.ReleaseCount,
		"created_at": form.Time(c.CreatedAt), "updated_at": form.Time(c.UpdatedAt),
	}
}

func versionView(v *circleci.ComponentVersion) form.Object {
	return form.Object{
		"name": v.Name, "environment_id": v.EnvironmentID, "namespace": v.Namespace, "is_live": v.IsLive,
		"pipeline_id": v.PipelineID, "workflow_id": v.WorkflowID, "job_id": v.JobID, // zero UUIDs if there are none
		"last_deployed_at": form.Time(v.LastDeployedAt),
	}.Put("job_number", v.JobNumber)
}

// deployPage is like exchange.Page, with the requested size. The last page has
// an empty token.
func deployPage[T any](r *exchange.Request, all []T, view func(T) form.Object) *exchange.Answer {
	size := exchange.DefaultPageSize
	if text := r.Query.Get("page-size"); text != "" {
		var err error
		if size, err = strconv.Atoi(text); err != nil || size < 1 {
			return exchange.Message(http.StatusBadRequest, "circlecitest: page-size is not a positive number")
		}
	}
	a := exchange.Page(r, all, size, view)
	if body, isPage := a.Body.(form.Object); isPage && a.Status == http.StatusOK && body["next_page_token"] == nil {
		body["next_page_token"] = ""
	}
	return a
}

const errNoEntity = "Entity not found."

// withQueryOrg returns a handler for a route with an organization's ID in its
// query.
func withQueryOrg(do func(s *engine.Engine, r *exchange.Request, o *world.Org) *exchange.Answer) exchange.Handler {
	return func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		if o := s.OrgByID(r.Query.Get("org-id")); o != nil {
			return do(s, r, o)
		}
		return exchange.Message(http.StatusNotFound, errNoEntity)
	}
}

func withComponent(do func(s *engine.Engine, r *exchange.Request, c *world.DeployComponent) *exchange.Answer) exchange.Handler {
	return func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		c := s.ComponentBy(func(c *world.DeployComponent) bool { return c.ID == r.ID("component_id") })
		if c == nil {
			return exchange.Message(http.StatusNotFound, errNoEntity)
		}
		return do(s, r, c)
	}
}

// withProjectID returns a handler for a route with a project's ID.
func withProjectID(do func(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer) exchange.Handler {
	return func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		for _, p := range s.Projects {
			if p.ID == r.ID("project_id") {
				return do(s, r, p)
			}
		}
		return exchange.Message(http.StatusNotFound, errNoEntity)
	}
}

var deployHandlers = map[string]exchange.Handler{
	"GET /deploy/environments": withQueryOrg(func(s *engine.Engine, r *exchange.Request, o *world.Org) *exchange.Answer {
		var all []*world.DeployEnvironment
		for _, e := range s.Deploys.Environments {
			if e.Org == o {
				all = append(all, e)
			}
		}
		return deployPage(r, all, deployEnvironmentView)
	}),
	"GET /deploy/environments/{environment_id}": func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		e := s.EnvironmentBy(func(e *world.DeployEnvironment) bool { return e.ID == r.ID("environment_id") })
		if e == nil {
			return exchange.Message(http.StatusNotFound, errNoEntity)
		}
		return exchange.OK(deployEnvironmentView(e))
	},
	"GET /deploy/components": withQueryOrg(func(s *engine.Engine, r *exchange.Request, o *world.Org) *exchange.Answer {
		project := r.Query.Get("project-id")
		var all []*world.DeployComponent
		for _, c := range s.Deploys.Components {
			if c.Project.Org == o && (project == "" || c.Project.ID.String() == project) {
				all = append(all, c)
			}
		}
		return deployPage(r, all, func(c *world.DeployComponent) form.Object {
			view := deployComponentView(c)
			view["release_count"] = 0 // not returned in lists
			return view
		})
	}),
	"GET /deploy/components/{component_id}": withComponent(func(_ *engine.Engine, _ *exchange.Request, c *world.DeployComponent) *exchange.Answer {
		return exchange.OK(deployComponentView(c))
	}),
	"GET /deploy/components/{component_id}/versions": withComponent(func(_ *engine.Engine, r *exchange.Request, c *world.DeployComponent) *exchange.Answer {
		environment := r.Query.Get("environment-id")
		var all []*circleci.ComponentVersion
		for _, v := range slices.Backward(c.Versions) {
			if environment == "" || v.EnvironmentID.String() == environment {
				all = append(all, v)
			}
		}
		return deployPage(r, all, versionView)
	}),
	"GET /deploy/projects/{project_id}/settings": withProjectID(func(s *engine.Engine, _ *exchange.Request, p *world.Project) *exchange.Answer {
		settings := s.Deploys.Settings[p.ID]
		view := form.Object{}.Put("rollback_pipeline_definition_id", settings.RollbackPipelineDefinitionID).
			Put("deploy_pipeline_definition_id", settings.DeployPipelineDefinitionID)
		if settings.CreateAutogeneratedReleases {
			view["create_autogenerated_releases"] = true
		}
		return exchange.OK(view)
	}),
	"POST /projects/{project_id}/rollback": withProjectID(rollback),
}

// rollback starts a pipeline, and makes the target version live at once.
func rollback(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
	var in struct {
		Component   string `json:"component_name"`
		Environment string `json:"environment_name"`
		rollbackTo
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	if in.Component == "" || in.Environment == "" || in.Current == "" || in.Target == "" {
		return exchange.Missing("component_name, environment_name, current_version or target_version")
	}
	c := s.ComponentBy(func(c *world.DeployComponent) bool { return c.Project == p && c.Name == in.Component })
	e := s.EnvironmentBy(func(e *world.DeployEnvironment) bool { return e.Org == p.Org && e.Name == in.Environment })
	if c == nil || e == nil {
		return exchange.Message(http.StatusNotFound, errNoEntity)
	}
	run, status := rollBack(s, c, e, in.rollbackTo)
	switch status {
	case http.StatusNotFound:
		return exchange.Message(status, errNoEntity)
	case http.StatusConflict:
		return exchange.Message(status, "Conflict creating entity.")
	}
	return &exchange.Answer{Status: http.StatusAccepted, Body: form.Object{"id": run.ID, "rollback_type": "pipeline"}}
}

// rollbackTo is what a rollback is asked for, in both versions of the API.
type rollbackTo struct {
	Current    string         `json:"current_version"`
	Target     string         `json:"target_version"`
	Namespace  string         `json:"namespace"`
	Reason     string         `json:"reason"`
	Parameters map[string]any `json:"parameters"`
}

// rollBack starts the pipeline of a rollback. It returns nil, and the status
// that says why, if there is no such version, or if another is live.
func rollBack(s *engine.Engine, c *world.DeployComponent, e *world.DeployEnvironment, in rollbackTo) (*world.Pipeline, int) {
	if in.Namespace == "" {
		in.Namespace = "default"
	}
	version := func(name string) *circleci.ComponentVersion {
		want := circleci.ComponentVersion{Name: name, EnvironmentID: e.ID, Namespace: in.Namespace}
		if i := slices.IndexFunc(c.Versions, func(v *circleci.ComponentVersion) bool { return world.SameVersion(v, &want) }); i >= 0 {
			return c.Versions[i]
		}
		return nil
	}
	current, target := version(in.Current), version(in.Target)
	switch {
	case target == nil:
		return nil, http.StatusNotFound
	case current == nil || !current.IsLive || current == target:
		return nil, http.StatusConflict
	}
	run := s.Start(&world.Pipeline{Project: c.Project, Trigger: circleci.TriggerTypeAPI, Parameters: in.Parameters})
	next := *target
	next.PipelineID, next.WorkflowID, next.JobID, next.JobNumber = run.ID, uuid.Nil, uuid.Nil, 0
	s.Deploy(c, next)
	return run, 0
}
