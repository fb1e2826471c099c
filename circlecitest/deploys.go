package circlecitest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// deploys are what has been deployed where.
type deploys struct {
	environments []*deployEnvironment
	components   []*deployComponent
	settings     map[uuid.UUID]circleci.DeploySettings // by project
}

type deployEnvironment struct {
	circleci.DeployEnvironment
	org *org
}

type deployComponent struct {
	circleci.DeployComponent
	project  *project
	versions []*circleci.ComponentVersion // the newest last
}

// AddDeployEnvironment adds an environment to an organization, which is added
// too if there is none, and returns its ID. The API cannot create one.
func (s *Server) AddDeployEnvironment(owner circleci.OrgSlug, name string, labels ...circleci.DeployLabel) uuid.UUID {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := &deployEnvironment{org: s.addOrg(string(owner))}
	e.ID, e.Name, e.Labels, e.CreatedAt, e.UpdatedAt = s.newID(), name, labels, s.now(), s.now()
	s.world.deploys.environments = append(s.world.deploys.environments, e)
	return e.ID
}

// AddDeployComponent adds a component to a project, which is added too if there
// is none, and returns its ID. The API cannot create one.
func (s *Server) AddDeployComponent(slug circleci.ProjectSlug, name string, labels ...circleci.DeployLabel) uuid.UUID {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &deployComponent{project: s.addProject(string(slug))}
	c.ID, c.ProjectID, c.Name, c.Labels, c.CreatedAt, c.UpdatedAt = s.newID(), c.project.id, name, labels, s.now(), s.now()
	s.world.deploys.components = append(s.world.deploys.components, c)
	return c.ID
}

// Deploy deploys a version of a component to an environment, as a job does that
// tells of it; the version that was live there is live no more.
func (s *Server) Deploy(componentID, environmentID uuid.UUID, version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.componentBy(func(c *deployComponent) bool { return c.ID == componentID })
	if c == nil {
		panic("circlecitest: there is no component " + componentID.String())
	}
	s.deploy(c, circleci.ComponentVersion{Name: version, EnvironmentID: environmentID, Namespace: "default"})
}

// SetDeploySettings sets the deploy settings of a project.
func (s *Server) SetDeploySettings(slug circleci.ProjectSlug, settings circleci.DeploySettings) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.world.deploys.settings == nil {
		s.world.deploys.settings = map[uuid.UUID]circleci.DeploySettings{}
	}
	s.world.deploys.settings[s.addProject(string(slug)).id] = settings
}

func (s *Server) deploy(c *deployComponent, v circleci.ComponentVersion) {
	v.IsLive, v.LastDeployedAt = true, s.now()
	c.ReleaseCount++
	c.UpdatedAt = s.now()
	for _, old := range c.versions {
		if old.EnvironmentID == v.EnvironmentID && old.Namespace == v.Namespace {
			old.IsLive = false
		}
	}
	c.versions = slices.DeleteFunc(c.versions, func(old *circleci.ComponentVersion) bool { return sameVersion(old, &v) })
	c.versions = append(c.versions, &v)
}

func sameVersion(a, b *circleci.ComponentVersion) bool {
	return a.Name == b.Name && a.EnvironmentID == b.EnvironmentID && a.Namespace == b.Namespace
}

func (s *Server) componentBy(is func(*deployComponent) bool) *deployComponent {
	if i := slices.IndexFunc(s.world.deploys.components, is); i >= 0 {
		return s.world.deploys.components[i]
	}
	return nil
}

func (s *Server) environmentBy(is func(*deployEnvironment) bool) *deployEnvironment {
	if i := slices.IndexFunc(s.world.deploys.environments, is); i >= 0 {
		return s.world.deploys.environments[i]
	}
	return nil
}

func labelsView(labels []circleci.DeployLabel) []any {
	all := []any{}
	for _, l := range labels {
		all = append(all, object{"key": l.Key, "value": l.Value})
	}
	return all
}

func (e *deployEnvironment) view() object {
	return object{
		"id": e.ID, "name": e.Name, "labels": labelsView(e.Labels),
		"created_at": timestamp(e.CreatedAt), "updated_at": timestamp(e.UpdatedAt),
	}.put("description", e.Description)
}

func (c *deployComponent) view() object {
	return object{
		"id": c.ID, "project_id": c.ProjectID, "name": c.Name, "labels": labelsView(c.Labels), "release_count": c.ReleaseCount,
		"created_at": timestamp(c.CreatedAt), "updated_at": timestamp(c.UpdatedAt),
	}
}

func versionView(v *circleci.ComponentVersion) object {
	return object{
		"name": v.Name, "environment_id": v.EnvironmentID, "namespace": v.Namespace, "is_live": v.IsLive,
		"pipeline_id": v.PipelineID, "workflow_id": v.WorkflowID, "job_id": v.JobID, // zero UUIDs if there are none
		"last_deployed_at": timestamp(v.LastDeployedAt),
	}.put("job_number", v.JobNumber)
}

// deployPage is page, with the size that the request asks for. The last page
// has an empty token.
func deployPage[T any](r *request, all []T, view func(T) object) *answer {
	size := defaultPageSize
	if text := r.query.Get("page-size"); text != "" {
		var err error
		if size, err = strconv.Atoi(text); err != nil || size < 1 {
			return message(http.StatusBadRequest, "circlecitest: page-size is no positive number")
		}
	}
	a := page(r, all, size, view)
	if body, isPage := a.body.(object); isPage && a.status == http.StatusOK && body["next_page_token"] == nil {
		body["next_page_token"] = ""
	}
	return a
}

const errNoEntity = "Entity not found."

// orgByID finds an organization by its ID alone; nil if there is none.
func (s *Server) orgByID(text string) *org {
	if uuid.Validate(text) != nil {
		return nil
	}
	return s.orgBy(strings.ToLower(text))
}

// withQueryOrg is a handler for a route with an organization's ID in its query.
func withQueryOrg(do func(s *Server, r *request, o *org) *answer) handler {
	return func(s *Server, r *request) *answer {
		if o := s.orgByID(r.query.Get("org-id")); o != nil {
			return do(s, r, o)
		}
		return message(http.StatusNotFound, errNoEntity)
	}
}

func withComponent(do func(s *Server, r *request, c *deployComponent) *answer) handler {
	return func(s *Server, r *request) *answer {
		c := s.componentBy(func(c *deployComponent) bool { return c.ID == r.id("component_id") })
		if c == nil {
			return message(http.StatusNotFound, errNoEntity)
		}
		return do(s, r, c)
	}
}

// withProjectID is a handler for a route with a project's ID.
func withProjectID(do func(s *Server, r *request, p *project) *answer) handler {
	return func(s *Server, r *request) *answer {
		for _, p := range s.world.projects {
			if p.id == r.id("project_id") {
				return do(s, r, p)
			}
		}
		return message(http.StatusNotFound, errNoEntity)
	}
}

var deployHandlers = map[string]handler{
	"GET /deploy/environments": withQueryOrg(func(s *Server, r *request, o *org) *answer {
		var all []*deployEnvironment
		for _, e := range s.world.deploys.environments {
			if e.org == o {
				all = append(all, e)
			}
		}
		return deployPage(r, all, (*deployEnvironment).view)
	}),
	"GET /deploy/environments/{environment_id}": func(s *Server, r *request) *answer {
		e := s.environmentBy(func(e *deployEnvironment) bool { return e.ID == r.id("environment_id") })
		if e == nil {
			return message(http.StatusNotFound, errNoEntity)
		}
		return ok(e.view())
	},
	"GET /deploy/components": withQueryOrg(func(s *Server, r *request, o *org) *answer {
		project := r.query.Get("project-id")
		var all []*deployComponent
		for _, c := range s.world.deploys.components {
			if c.project.org == o && (project == "" || c.project.id.String() == project) {
				all = append(all, c)
			}
		}
		return deployPage(r, all, func(c *deployComponent) object {
			view := c.view()
			view["release_count"] = 0 // lists do not tell
			return view
		})
	}),
	"GET /deploy/components/{component_id}": withComponent(func(_ *Server, _ *request, c *deployComponent) *answer { return ok(c.view()) }),
	"GET /deploy/components/{component_id}/versions": withComponent(func(_ *Server, r *request, c *deployComponent) *answer {
		environment := r.query.Get("environment-id")
		var all []*circleci.ComponentVersion
		for _, v := range slices.Backward(c.versions) {
			if environment == "" || v.EnvironmentID.String() == environment {
				all = append(all, v)
			}
		}
		return deployPage(r, all, versionView)
	}),
	"GET /deploy/projects/{project_id}/settings": withProjectID(func(s *Server, _ *request, p *project) *answer {
		settings := s.world.deploys.settings[p.id]
		view := object{}.put("rollback_pipeline_definition_id", settings.RollbackPipelineDefinitionID).
			put("deploy_pipeline_definition_id", settings.DeployPipelineDefinitionID)
		if settings.CreateAutogeneratedReleases {
			view["create_autogenerated_releases"] = true
		}
		return ok(view)
	}),
	"POST /projects/{project_id}/rollback": withProjectID(rollback),
}

// rollback starts a pipeline, and has the target version live at once.
func rollback(s *Server, r *request, p *project) *answer {
	var in struct {
		Component   string         `json:"component_name"`
		Environment string         `json:"environment_name"`
		Current     string         `json:"current_version"`
		Target      string         `json:"target_version"`
		Namespace   string         `json:"namespace"`
		Reason      string         `json:"reason"`
		Parameters  map[string]any `json:"parameters"`
	}
	if a := r.bind(&in); a != nil {
		return a
	}
	if in.Component == "" || in.Environment == "" || in.Current == "" || in.Target == "" {
		return missing("component_name, environment_name, current_version or target_version")
	}
	c := s.componentBy(func(c *deployComponent) bool { return c.project == p && c.Name == in.Component })
	e := s.environmentBy(func(e *deployEnvironment) bool { return e.org == p.org && e.Name == in.Environment })
	if c == nil || e == nil {
		return message(http.StatusNotFound, errNoEntity)
	}
	if in.Namespace == "" {
		in.Namespace = "default"
	}
	version := func(name string) *circleci.ComponentVersion {
		want := circleci.ComponentVersion{Name: name, EnvironmentID: e.ID, Namespace: in.Namespace}
		if i := slices.IndexFunc(c.versions, func(v *circleci.ComponentVersion) bool { return sameVersion(v, &want) }); i >= 0 {
			return c.versions[i]
		}
		return nil
	}
	current, target := version(in.Current), version(in.Target)
	switch {
	case target == nil:
		return message(http.StatusNotFound, errNoEntity)
	case current == nil || !current.IsLive || current == target:
		return message(http.StatusConflict, "Conflict creating entity.")
	}
	run := s.start(&pipeline{project: p, trigger: circleci.TriggerTypeAPI, parameters: in.Parameters})
	next := *target
	next.PipelineID, next.WorkflowID, next.JobID, next.JobNumber = run.id, uuid.Nil, uuid.Nil, 0
	s.deploy(c, next)
	return &answer{status: http.StatusAccepted, body: object{"id": run.id, "rollback_type": "pipeline"}}
}
