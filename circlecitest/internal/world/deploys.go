package world

import (
	"slices"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// deploys are the deployed versions.
type deploys struct {
	Environments []*DeployEnvironment
	Components   []*DeployComponent
	Settings     map[uuid.UUID]circleci.DeploySettings // by project
}

// DeployEnvironment is an environment of an organization.
type DeployEnvironment struct {
	circleci.DeployEnvironment
	Org *Org
}

// DeployComponent is a component of a project.
type DeployComponent struct {
	circleci.DeployComponent
	Project  *Project
	Versions []*circleci.ComponentVersion // the newest last
}

// Deploy makes a version live in its environment.
func (s *World) Deploy(c *DeployComponent, v circleci.ComponentVersion) {
	v.IsLive, v.LastDeployedAt = true, s.Now()
	c.ReleaseCount++
	c.UpdatedAt = s.Now()
	for _, old := range c.Versions {
		if old.EnvironmentID == v.EnvironmentID && old.Namespace == v.Namespace {
			old.IsLive = false
		}
	}
	c.Versions = slices.DeleteFunc(c.Versions, func(old *circleci.ComponentVersion) bool { return SameVersion(old, &v) })
	c.Versions = append(c.Versions, &v)
}

// SameVersion reports whether two versions have the same name and place.
func SameVersion(a, b *circleci.ComponentVersion) bool {
	return a.Name == b.Name && a.EnvironmentID == b.EnvironmentID && a.Namespace == b.Namespace
}

// ComponentBy returns the first matching component, or nil.
func (s *World) ComponentBy(is func(*DeployComponent) bool) *DeployComponent {
	if i := slices.IndexFunc(s.Deploys.Components, is); i >= 0 {
		return s.Deploys.Components[i]
	}
	return nil
}

// EnvironmentBy returns the first matching environment, or nil.
func (s *World) EnvironmentBy(is func(*DeployEnvironment) bool) *DeployEnvironment {
	if i := slices.IndexFunc(s.Deploys.Environments, is); i >= 0 {
		return s.Deploys.Environments[i]
	}
	return nil
}
