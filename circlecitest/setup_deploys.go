package circlecitest

import (
	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// AddDeployEnvironment adds a deploy environment to an organization and returns
// its ID. The API cannot create one. The organization is added if it does not
// exist.
func (s *Server) AddDeployEnvironment(owner circleci.OrgSlug, name string, labels ...circleci.DeployLabel) uuid.UUID {
	s.engine.Lock()
	defer s.engine.Unlock()
	e := &world.DeployEnvironment{Org: s.engine.AddOrg(string(owner))}
	e.ID, e.Name, e.Labels, e.CreatedAt, e.UpdatedAt = s.engine.NewID(), name, labels, s.engine.Now(), s.engine.Now()
	s.engine.Deploys.Environments = append(s.engine.Deploys.Environments, e)
	return e.ID
}

// AddDeployComponent adds a deploy component to a project and returns its ID.
// The API cannot create one. The project is added if it does not exist.
func (s *Server) AddDeployComponent(slug circleci.ProjectSlug, name string, labels ...circleci.DeployLabel) uuid.UUID {
	s.engine.Lock()
	defer s.engine.Unlock()
	c := &world.DeployComponent{Project: s.engine.AddProject(string(slug))}
	c.ID, c.ProjectID, c.Name, c.Labels, c.CreatedAt, c.UpdatedAt = s.engine.NewID(), c.Project.ID, name, labels, s.engine.Now(), s.engine.Now()
	s.engine.Deploys.Components = append(s.engine.Deploys.Components, c)
	return c.ID
}

// Deploy deploys a version of a component to an environment and replaces the
// version that was live there. If the project has run a job, the deployment
// belongs to the last one. Deploy panics if the component does not exist.
func (s *Server) Deploy(componentID, environmentID uuid.UUID, version string) {
	s.engine.Lock()
	defer s.engine.Unlock()
	c := s.engine.ComponentBy(func(c *world.DeployComponent) bool { return c.ID == componentID })
	if c == nil {
		panic("circlecitest: there is no component " + componentID.String())
	}
	v := circleci.ComponentVersion{Name: version, EnvironmentID: environmentID, Namespace: "default"}
	if j := s.engine.LastJob(c.Project); j != nil {
		v.PipelineID, v.WorkflowID, v.JobID, v.JobNumber = j.Workflow.Pipeline.ID, j.Workflow.ID, j.ID, j.Number
	}
	s.engine.Deploy(c, v)
}

// SetDeploySettings sets the deploy settings of a project, which is added if it
// does not exist.
func (s *Server) SetDeploySettings(slug circleci.ProjectSlug, settings circleci.DeploySettings) {
	s.engine.Lock()
	defer s.engine.Unlock()
	if s.engine.Deploys.Settings == nil {
		s.engine.Deploys.Settings = map[uuid.UUID]circleci.DeploySettings{}
	}
	s.engine.Deploys.Settings[s.engine.AddProject(string(slug)).ID] = settings
}
