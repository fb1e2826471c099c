package world

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/circlecitest/internal/config"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
)

// Project is a project.
type Project struct {
	ID            uuid.UUID
	Slug, Name    string
	Org           *Org
	DefaultBranch string
	Unfollowed    bool
	Settings      form.Object
	SettingsV3    form.Object // that the API v2 does not have
	EnvVars       []*EnvVar
	Keys          []*CheckoutKey
	Definitions   []*Definition
	Groups        []*ProjectGroup
	Claims        OidcClaims
	Scripts       []Script       // of its pipelines, in order; the last is repeated
	Configuration *config.Config // nil: the scripts decide what runs
	LastPipeline  int64
	LastJob       int64
	LastStop      time.Time // of a job
}

// EnvVar is a variable of a project.
type EnvVar struct {
	Name, Value string
	Created     time.Time
}

// CheckoutKey is a key of a project.
type CheckoutKey struct {
	Kind, Public string
	Created      time.Time
}

// AddProject adds a project and its organization unless they exist. A
// standalone project has the ID of its slug.
func (s *World) AddProject(slug string) *Project {
	slug = ShortSlug(slug)
	if p := s.ProjectBy(slug); p != nil {
		return p
	}
	parts := strings.Split(slug, "/")
	if len(parts) != 3 {
		panic("circlecitest: " + slug + " is not a project slug")
	}
	if parts[0] == standalone {
		id, ok := parseID(parts[2])
		if !ok || HasNames(slug) {
			panic("circlecitest: " + slug + " is not a project slug: circleci/ is followed by two IDs")
		}
		return s.addProject(s.AddOrg(parts[0]+"/"+parts[1]), id, slug, "project-"+id.String()[:8])
	}
	return s.addProject(s.AddOrg(parts[0]+"/"+parts[1]), s.NewID(), slug, parts[2])
}

// AddStandaloneProject adds a project to a standalone organization.
func (s *World) AddStandaloneProject(o *Org, name string) *Project {
	id := s.NewID()
	return s.addProject(o, id, o.Slug+"/"+base58(id), name)
}

func (s *World) addProject(o *Org, id uuid.UUID, slug, name string) *Project {
	p := &Project{
		ID: id, Slug: slug, Name: name, Org: o, DefaultBranch: "main",
		Settings: form.Object{
			"autocancel_builds": false, "build_fork_prs": false, "build_prs_only": false, "disable_ssh": false,
			"forks_receive_secret_env_vars": false, "oss": false, "set_github_status": true, "setup_workflows": false,
			"write_settings_requires_admin": false, "pr_only_branch_overrides": []any{"main"},
		},
	}
	s.Projects = append(s.Projects, p)
	return p
}

// ProjectBy returns the project with a slug or ID, or nil. A slug of IDs also
// finds a project whose own slug has names: CircleCI's CLI runs pipelines so.
func (s *World) ProjectBy(ref string) *Project {
	id, err := uuid.Parse(ref)
	slug := ShortSlug(ref)
	ofIDs := strings.HasPrefix(slug, standalone+"/")
	for _, p := range s.Projects {
		switch {
		case p.Slug == slug, err == nil && p.ID == id:
			return p
		case ofIDs && standalone+"/"+base58(p.Org.ID)+"/"+base58(p.ID) == slug:
			return p
		}
	}
	return nil
}

// ProjectNamed returns the project of an organization with a name, or nil.
func (s *World) ProjectNamed(o *Org, name string) *Project {
	if i := slices.IndexFunc(s.Projects, func(p *Project) bool { return p.Org == o && p.Name == name }); i >= 0 {
		return s.Projects[i]
	}
	return nil
}

// RemoveProject removes a project with everything in it. Its unfinished runs
// are no longer reported.
func (s *World) RemoveProject(p *Project) {
	w := s
	w.Projects = slices.DeleteFunc(w.Projects, func(other *Project) bool { return other == p })
	w.Webhooks = slices.DeleteFunc(w.Webhooks, func(h *Webhook) bool { return h.Project == p })
	w.Schedules = slices.DeleteFunc(w.Schedules, func(x *Schedule) bool { return x.Project == p })
	w.Deploys.Components = slices.DeleteFunc(w.Deploys.Components, func(c *DeployComponent) bool { return c.Project == p })
	w.Runs.Pipelines = slices.DeleteFunc(w.Runs.Pipelines, func(x *Pipeline) bool {
		if x.Project == p {
			w.Runs.forget(x)
		}
		return x.Project == p
	})
}

// Repository returns the URL of the project's repository.
func (p *Project) Repository() string {
	switch p.Org.VCSType {
	case "github":
		return "https://github.com/" + p.Org.Name + "/" + p.Name
	case "bitbucket":
		return "https://bitbucket.org/" + p.Org.Name + "/" + p.Name
	}
	return "//circleci.com/" + p.Org.ID.String() + "/" + p.ID.String()
}

// NextScript returns and consumes the script of the next pipeline.
func (p *Project) NextScript() Script {
	next := p.PeekScript()
	if len(p.Scripts) > 1 {
		p.Scripts = p.Scripts[1:]
	}
	return next
}

// PeekScript returns the script of the next pipeline without consuming it.
func (p *Project) PeekScript() Script {
	switch {
	case len(p.Scripts) > 0:
		return p.Scripts[0]
	case p.Configuration != nil:
		return Script{}
	}
	return defaultScript()
}

// KeyIndex returns the index of the key with this fingerprint, or -1.
func (p *Project) KeyIndex(fingerprint string) int {
	return slices.IndexFunc(p.Keys, func(k *CheckoutKey) bool {
		return k.Fingerprint("md5") == fingerprint || k.Fingerprint("sha256") == fingerprint
	})
}

// Fingerprint returns the key's fingerprint by a digest: md5 or sha256.
func (k *CheckoutKey) Fingerprint(digest string) string {
	if digest == "sha256" {
		sum := sha256.Sum256([]byte(k.Public))
		return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
	}
	sum := md5.Sum([]byte(k.Public))
	pairs := make([]string, len(sum))
	for i, b := range sum {
		pairs[i] = hex.EncodeToString([]byte{b})
	}
	return strings.Join(pairs, ":")
}
