package world

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
)

// OrgByID returns the organization with an ID, or nil.
func (s *World) OrgByID(text string) *Org {
	if uuid.Validate(text) != nil {
		return nil
	}
	return s.OrgBy(text)
}

// Group is a group of users.
type Group struct {
	ID                uuid.UUID
	Name, Description string
}

// ProjectGroup is a group's role in a project.
type ProjectGroup struct {
	Group *Group
	Role  string
}

// GroupBy returns the group with an ID, or nil.
func (o *Org) GroupBy(id uuid.UUID) *Group {
	if i := slices.IndexFunc(o.Groups, func(g *Group) bool { return g.ID == id }); i >= 0 {
		return o.Groups[i]
	}
	return nil
}

// SetRole changes the role of a group that has one.
func (p *Project) SetRole(id uuid.UUID, role string) bool {
	for _, x := range p.Groups {
		if x.Group.ID == id {
			x.Role = role
			return true
		}
	}
	return false
}

// OidcClaims are the custom claims of an organization or project. The times of
// the last change are kept when the claims are deleted.
type OidcClaims struct {
	Audience     []string // nil: not set
	TTL          string   // empty: not set
	AudienceTime time.Time
	TTLTime      time.Time
}

// Org is an organization.
type Org struct {
	ID                  uuid.UUID
	Slug, Name, VCSType string
	Paid                bool
	SettingsV3          form.Object // of the API v3
	OrbURLs             []*OrbURL
	Groups              []*Group
	Claims              OidcClaims
	Policies            PolicyState
}

// OrbURL is an entry in the list of allowed URL orbs.
type OrbURL struct {
	ID                 uuid.UUID
	Name, Prefix, Auth string
}

// AddOrg adds an organization unless the slug exists. A standalone organization
// has the ID of its slug.
func (s *World) AddOrg(slug string) *Org {
	slug = ShortSlug(slug)
	if o := s.OrgBy(slug); o != nil {
		return o
	}
	provider, name, _ := strings.Cut(slug, "/")
	if provider == standalone {
		id, ok := parseID(name)
		if !ok {
			panic("circlecitest: " + slug + " is not an organization slug: circleci/ is followed by an ID")
		}
		return s.addStandaloneOrg(id, "org-"+id.String()[:8])
	}
	o := &Org{ID: s.NewID(), Slug: slug, Name: name, VCSType: vcsTypes[provider]}
	if o.VCSType == "" {
		o.VCSType = provider
	}
	s.Orgs = append(s.Orgs, o)
	return o
}

// AddStandaloneOrg adds an organization that no provider has.
func (s *World) AddStandaloneOrg(name string) *Org { return s.addStandaloneOrg(s.NewID(), name) }

func (s *World) addStandaloneOrg(id uuid.UUID, name string) *Org {
	o := &Org{ID: id, Slug: standalone + "/" + base58(id), Name: name, VCSType: standalone}
	s.Orgs = append(s.Orgs, o)
	return o
}

// Standalone reports whether the organization is CircleCI's own: its projects
// have IDs in their slugs, and names of their own.
func (o *Org) Standalone() bool { return o.VCSType == standalone }

// OrgBy returns the organization with an ID or slug, or nil.
func (s *World) OrgBy(ref string) *Org {
	id, err := uuid.Parse(ref)
	slug := ShortSlug(ref)
	for _, o := range s.Orgs {
		if o.Slug == slug || err == nil && o.ID == id {
			return o
		}
	}
	return nil
}

// RemoveOrg removes an organization with everything in it.
func (s *World) RemoveOrg(o *Org) {
	w := s
	w.Orgs = slices.DeleteFunc(w.Orgs, func(other *Org) bool { return other == o })
	for _, p := range slices.Clone(w.Projects) {
		if p.Org == o {
			s.RemoveProject(p)
		}
	}
	w.Contexts = slices.DeleteFunc(w.Contexts, func(c *Context) bool { return c.Org == o })
	w.Deploys.Environments = slices.DeleteFunc(w.Deploys.Environments, func(e *DeployEnvironment) bool { return e.Org == o })
	w.Exporters = slices.DeleteFunc(w.Exporters, func(e *OtelExporter) bool { return e.Org == o })
	w.Signing.Certificates = slices.DeleteFunc(w.Signing.Certificates, func(c *Certificate) bool { return c.Org == o })
	w.Signing.Configs = slices.DeleteFunc(w.Signing.Configs, func(c *SigningConfig) bool { return c.Certificate.Org == o })
	w.AuditConfigs = slices.DeleteFunc(w.AuditConfigs, func(c *AuditConfig) bool { return c.Org == o })
}

// OtelExporter is an exporter of OpenTelemetry data.
type OtelExporter struct {
	ID                 uuid.UUID
	Org                *Org
	Endpoint, Protocol string
	Insecure           bool
	Headers            map[string]string
}

// ExportersOf returns the exporters of an organization.
func (s *World) ExportersOf(o *Org) (all []*OtelExporter) {
	for _, e := range s.Exporters {
		if e.Org == o {
			all = append(all, e)
		}
	}
	return all
}

// ScheduleActor returns the user of an attribution actor, or nil.
func (s *World) ScheduleActor(name string) *User {
	switch circleci.AttributionActor(name) {
	case circleci.AttributionActorCurrent:
		return s.Me
	case circleci.AttributionActorSystem:
		if s.system == nil {
			s.system = s.AddUser("system-actor", "Scheduled")
		}
		return s.system
	}
	return nil
}

// UsageExport is an export of usage data.
type UsageExport struct {
	ID         uuid.UUID
	Orgs       []*Org // the first one is the owner
	Start, End time.Time
	State      circleci.UsageExportState
	Parts      []string // gzip
}

// User is a user.
type User struct {
	ID          uuid.UUID
	Login, Name string
}

// AddUser adds a user.
func (s *World) AddUser(login, name string) *User {
	u := &User{ID: s.NewID(), Login: login, Name: name}
	s.Users[u.ID] = u
	return u
}
