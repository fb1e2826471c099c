package circlecitest

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// AddUser adds a user and returns the user's ID. The owner of the token always
// exists.
func (s *Server) AddUser(login, name string) uuid.UUID {
	s.engine.Lock()
	defer s.engine.Unlock()
	return s.engine.AddUser(login, name).ID
}

// AddOrg adds an organization unless the slug exists, and returns its ID.
//
// The slug of a standalone organization is circleci/<id>, where the ID is a
// UUID or its base58 form. The organization gets this ID. To choose its name
// instead, use [Server.AddStandaloneOrg]. AddOrg panics if the slug has a name
// in place of the ID.
func (s *Server) AddOrg(slug circleci.OrgSlug) uuid.UUID {
	s.engine.Lock()
	defer s.engine.Unlock()
	return s.engine.AddOrg(string(slug)).ID
}

// SetPaidPlan gives an organization a paid plan. An organization with a paid
// plan cannot be deleted. The organization is added if it does not exist.
func (s *Server) SetPaidPlan(slug circleci.OrgSlug) {
	s.engine.Lock()
	defer s.engine.Unlock()
	s.engine.AddOrg(string(slug)).Paid = true
}

// AddStandaloneOrg adds a standalone organization with the given name, and
// returns its slug. The slug contains the organization's ID, not its name.
// Standalone organizations have the type circleci; projects of GitHub Apps and
// of GitLab belong to them.
func (s *Server) AddStandaloneOrg(name string) circleci.OrgSlug {
	s.engine.Lock()
	defer s.engine.Unlock()
	return circleci.OrgSlug(s.engine.AddStandaloneOrg(name).Slug)
}

// AddStandaloneProject adds a project with the given name to a standalone
// organization, and returns its slug. The slug contains the project's ID, not
// its name:
//
//	slug := srv.AddStandaloneProject(srv.AddStandaloneOrg("acme"), "web")
//	id := srv.AddProject(slug) // the ID of the same project
//
// It panics if the slug is not that of a standalone organization.
func (s *Server) AddStandaloneProject(org circleci.OrgSlug, name string) circleci.ProjectSlug {
	s.engine.Lock()
	defer s.engine.Unlock()
	o := s.engine.AddOrg(string(org))
	if !o.Standalone() {
		panic("circlecitest: " + string(org) + " is not a standalone organization, such as AddStandaloneOrg returns")
	}
	return circleci.ProjectSlug(s.engine.AddStandaloneProject(o, name).Slug)
}

// AddProject adds a project and its organization unless they exist, and returns
// the project's ID.
//
// The slug of a standalone project is circleci/<org id>/<project id>, where the
// IDs are UUIDs or their base58 forms. The organization and the project get
// these IDs. To choose a name instead, use [Server.AddStandaloneProject].
// AddProject panics if the slug is invalid.
func (s *Server) AddProject(slug circleci.ProjectSlug) uuid.UUID {
	s.engine.Lock()
	defer s.engine.Unlock()
	return s.engine.AddProject(string(slug)).ID
}

// Script sets what the pipelines of a project do: the next pipeline runs the
// first script, and so on; the last script is repeated. The project is added if
// it does not exist. Script panics if a script cannot run, for example because
// a job requires one that does not exist.
func (s *Server) Script(slug circleci.ProjectSlug, scripts ...Script) {
	var all []world.Script
	for _, x := range scripts {
		all = append(all, x.script())
		all[len(all)-1].Check()
	}
	s.engine.Lock()
	defer s.engine.Unlock()
	s.engine.AddProject(string(slug)).Scripts = all
}

// AddContext adds a context with the given variables and returns its ID. The
// organization is added if it does not exist.
func (s *Server) AddContext(owner circleci.OrgSlug, name string, vars map[string]string) uuid.UUID {
	s.engine.Lock()
	defer s.engine.Unlock()
	c := s.engine.AddContext(s.engine.AddOrg(string(owner)), name)
	for name, value := range vars {
		c.Vars = append(c.Vars, &world.ContextVar{Name: name, Value: value, Created: s.engine.Now(), Updated: s.engine.Now()})
	}
	slices.SortFunc(c.Vars, func(a, b *world.ContextVar) int { return strings.Compare(a.Name, b.Name) })
	return c.ID
}

// ContextEnvVars returns the variables of a context with their values, which
// the API never reveals.
func (s *Server) ContextEnvVars(id uuid.UUID) map[string]string {
	s.engine.Lock()
	defer s.engine.Unlock()
	vars := map[string]string{}
	for _, c := range s.engine.Contexts {
		if c.ID == id {
			for _, v := range c.Vars {
				vars[v.Name] = v.Value
			}
		}
	}
	return vars
}

// StartPipeline starts a pipeline as a push to a branch does, and returns its
// ID. The project is added if it does not exist.
func (s *Server) StartPipeline(slug circleci.ProjectSlug, branch string) uuid.UUID {
	s.engine.Lock()
	defer s.engine.Unlock()
	p := s.engine.AddProject(string(slug))
	return s.engine.Start(&world.Pipeline{Project: p, Branch: branch, Trigger: circleci.TriggerTypeWebhook}).ID
}

// StartPipelineBy is like [Server.StartPipeline], on behalf of a user added
// with [Server.AddUser]. It panics if the user does not exist.
func (s *Server) StartPipelineBy(userID uuid.UUID, slug circleci.ProjectSlug, branch string) uuid.UUID {
	s.engine.Lock()
	defer s.engine.Unlock()
	u := s.engine.Users[userID]
	if u == nil {
		panic("circlecitest: there is no user " + userID.String())
	}
	p := s.engine.Start(&world.Pipeline{Project: s.engine.AddProject(string(slug)), Branch: branch, Trigger: circleci.TriggerTypeWebhook})
	p.Actor = u
	return p.ID
}

// ContinuationKey returns the key with which a setup job continues its
// pipeline. It is empty if the pipeline has none.
func (s *Server) ContinuationKey(pipelineID uuid.UUID) circleci.Secret {
	s.engine.Lock()
	defer s.engine.Unlock()
	if p := s.engine.Runs.ByID[pipelineID]; p != nil {
		return circleci.Secret(p.Continuation)
	}
	return ""
}

// AddPipelineDefinition adds a pipeline definition to a project and returns its
// ID. Like the definitions that CircleCI creates itself for projects of GitHub
// (OAuth) and Bitbucket, it has no creation time. The project is added if it
// does not exist.
//
// A project with definitions runs only those. In a project without any,
// [circleci.PipelinesService.Run] accepts any ID.
func (s *Server) AddPipelineDefinition(slug circleci.ProjectSlug, name string) uuid.UUID {
	s.engine.Lock()
	defer s.engine.Unlock()
	p := s.engine.AddProject(string(slug))
	d := &world.Definition{ID: s.engine.NewID(), Name: name, Config: world.Source{Provider: "circleci", FilePath: ".circleci/config.yml"}}
	if p.Org.VCSType != "circleci" {
		provider := map[string]string{"github": "github_oauth", "bitbucket": "bitbucket_oauth"}[p.Org.VCSType]
		d.Config.Provider, d.Config.ExternalID = provider, "705400000"
		d.Checkout = world.Source{Provider: provider, ExternalID: "705400000"}
	}
	p.Definitions = append(p.Definitions, d)
	return d.ID
}

// FireTrigger fires a trigger, as the event it waits for would, such as a call
// of its URL. It returns the ID of the pipeline that starts, or the zero UUID
// if the trigger is disabled. It panics if the trigger does not exist. Triggers
// with a schedule also fire by themselves.
func (s *Server) FireTrigger(id uuid.UUID) uuid.UUID {
	s.engine.Lock()
	defer s.engine.Unlock()
	for _, p := range s.engine.Projects {
		for _, d := range p.Definitions {
			for _, t := range d.Triggers {
				if t.ID == id {
					return s.engine.Fire(p, t)
				}
			}
		}
	}
	panic("circlecitest: there is no trigger " + id.String())
}
