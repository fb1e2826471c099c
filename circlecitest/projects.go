package circlecitest

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

type project struct {
	id            uuid.UUID
	slug, name    string
	org           *org
	defaultBranch string
	settings      object
	envVars       []*envVar
	keys          []*checkoutKey
	definitions   []*definition
	groups        []*projectGroup
	claims        oidcClaims
	scripts       []Script // of its pipelines in turn; the last goes on
	lastPipeline  int64
	lastJob       int64
	lastStop      time.Time // of a job
}

type envVar struct {
	name, value string
	created     time.Time
}

type checkoutKey struct {
	kind, public string
	created      time.Time
}

// AddProject adds a project, and its organization, if there are none with this
// slug, and returns its ID.
func (s *Server) AddProject(slug circleci.ProjectSlug) uuid.UUID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addProject(string(slug)).id
}

// Script sets what the pipelines of a project do: the next one the first
// script, and so on; the last goes on. The project is added if there is none.
// It panics for a script that cannot run, such as one whose job requires
// another that there is not.
func (s *Server) Script(slug circleci.ProjectSlug, scripts ...Script) {
	for _, script := range scripts {
		script.check()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addProject(string(slug)).scripts = scripts
}

func (s *Server) addProject(slug string) *project {
	slug = shortSlug(slug)
	if p := s.projectBy(slug); p != nil {
		return p
	}
	parts := strings.Split(slug, "/")
	if len(parts) != 3 {
		panic("circlecitest: " + slug + " is no project slug")
	}
	p := &project{
		id: s.newID(), slug: slug, name: parts[2], org: s.addOrg(parts[0] + "/" + parts[1]), defaultBranch: "main",
		settings: object{
			"autocancel_builds": false, "build_fork_prs": false, "build_prs_only": false, "disable_ssh": false,
			"forks_receive_secret_env_vars": false, "oss": false, "set_github_status": true, "setup_workflows": false,
			"write_settings_requires_admin": false, "pr_only_branch_overrides": []any{"main"},
		},
	}
	s.world.projects = append(s.world.projects, p)
	return p
}

// projectBy finds a project by its slug or ID; nil if there is none.
func (s *Server) projectBy(ref string) *project {
	for _, p := range s.world.projects {
		if p.slug == ref || p.id.String() == ref {
			return p
		}
	}
	return nil
}

// removeProject removes a project with all that is in it. What runs there comes
// to nobody's notice any more.
func (s *Server) removeProject(p *project) {
	w := &s.world
	w.projects = slices.DeleteFunc(w.projects, func(other *project) bool { return other == p })
	w.webhooks.all = slices.DeleteFunc(w.webhooks.all, func(h *webhook) bool { return h.project == p })
	w.schedules.all = slices.DeleteFunc(w.schedules.all, func(x *schedule) bool { return x.project == p })
	w.deploys.components = slices.DeleteFunc(w.deploys.components, func(c *deployComponent) bool { return c.project == p })
	w.runs.pipelines = slices.DeleteFunc(w.runs.pipelines, func(x *pipeline) bool {
		if x.project == p {
			w.runs.forget(x)
		}
		return x.project == p
	})
}

func (p *project) view() object {
	provider := map[string]string{"github": "GitHub", "bitbucket": "Bitbucket", "circleci": "CircleCI"}[p.org.vcsType]
	return object{
		"id": p.id, "slug": p.slug, "name": p.name, "organization_id": p.org.id, "organization_slug": p.org.slug,
		"organization_name": p.org.name,
		"vcs_info":          object{"vcs_url": p.repository(), "provider": provider, "default_branch": p.defaultBranch},
	}
}

func (p *project) repository() string {
	switch p.org.vcsType {
	case "github":
		return "https://github.com/" + p.org.name + "/" + p.name
	case "bitbucket":
		return "https://bitbucket.org/" + p.org.name + "/" + p.name
	}
	return "//circleci.com/" + p.org.name + "/" + p.name
}

// withProject is a handler for a route with a project's slug.
func withProject(do func(s *Server, r *request, p *project) *answer) handler {
	return func(s *Server, r *request) *answer {
		p := s.projectBy(r.slug())
		if p == nil {
			return message(http.StatusNotFound, "Project not found")
		}
		return do(s, r, p)
	}
}

var projectHandlers = map[string]handler{
	"GET /project/{project-slug}": withProject(func(_ *Server, _ *request, p *project) *answer { return ok(p.view()) }),
	"DELETE /project/{project-slug}": withProject(func(s *Server, _ *request, p *project) *answer {
		s.removeProject(p)
		return message(http.StatusOK, "Project deleted.")
	}),
	"POST /organization/{org-slug-or-id}/project": func(s *Server, r *request) *answer {
		var in struct {
			Name string `json:"name"`
		}
		if a := r.bind(&in); a != nil {
			return a
		}
		o := s.orgBy(r.params["org-slug-or-id"])
		switch {
		case o == nil:
			return notFound("Organization")
		case in.Name == "":
			return missing("name")
		case s.projectBy(o.slug+"/"+in.Name) != nil:
			return message(http.StatusConflict, "Project already exists.")
		}
		return ok(s.addProject(o.slug + "/" + in.Name).view())
	},
	"POST /project/{provider}/{organization}/{project}": func(s *Server, r *request) *answer {
		if len(r.body) > 0 {
			return message(http.StatusBadRequest, "Unexpected request body provided.")
		}
		if strings.HasPrefix(r.slug(), "circleci/") {
			return message(http.StatusMethodNotAllowed, "Create projects using the API is currently supported for classic GitHub OAuth and Bitbucket projects.")
		}
		return created(object{"advanced": s.addProject(r.slug()).settings})
	},
	"GET /project/{provider}/{organization}/{project}/settings": withProject(func(_ *Server, _ *request, p *project) *answer {
		return ok(object{"advanced": p.settings})
	}),
	"PATCH /project/{provider}/{organization}/{project}/settings": withProject(patchSettings),

	"GET /project/{project-slug}/envvar": withProject(func(_ *Server, r *request, p *project) *answer {
		return page(r, p.envVars, envVarPageSize, (*envVar).view)
	}),
	"POST /project/{project-slug}/envvar": withProject(func(s *Server, r *request, p *project) *answer {
		var in struct {
			Name  string  `json:"name"`
			Value *string `json:"value"`
		}
		if a := r.bind(&in); a != nil {
			return a
		}
		if in.Name == "" || in.Value == nil {
			return missing("name or value")
		}
		v := &envVar{in.Name, *in.Value, s.now()}
		p.envVars = append(slices.DeleteFunc(p.envVars, func(old *envVar) bool { return old.name == v.name }), v)
		return created(v.view())
	}),
	"GET /project/{project-slug}/envvar/{name}": withProject(func(_ *Server, r *request, p *project) *answer {
		for _, v := range p.envVars {
			if v.name == r.params["name"] {
				return ok(v.view())
			}
		}
		return notFound("Environment variable")
	}),
	"DELETE /project/{project-slug}/envvar/{name}": withProject(func(_ *Server, r *request, p *project) *answer {
		n := len(p.envVars)
		p.envVars = slices.DeleteFunc(p.envVars, func(v *envVar) bool { return v.name == r.params["name"] })
		if len(p.envVars) == n {
			return notFound("Environment variable")
		}
		return message(http.StatusOK, "Environment variable deleted.")
	}),

	"GET /project/{project-slug}/checkout-key": withProject(func(_ *Server, r *request, p *project) *answer {
		digest := r.query.Get("digest")
		if digest != "" && digest != "md5" && digest != "sha256" {
			return message(http.StatusBadRequest, "digest is md5 or sha256")
		}
		return page(r, p.keys, defaultPageSize, func(k *checkoutKey) object { return k.view(digest) })
	}),
	"POST /project/{project-slug}/checkout-key": withProject(func(s *Server, r *request, p *project) *answer {
		var in struct {
			Type string `json:"type"`
		}
		if a := r.bind(&in); a != nil {
			return a
		}
		kind := in.Type
		switch {
		case kind == "user-key" && p.org.vcsType == "bitbucket":
			kind = "bitbucket-user-key"
		case kind == "user-key":
			kind = "github-user-key"
		case kind != "deploy-key":
			return message(http.StatusBadRequest, "type is deploy-key or user-key")
		}
		id := s.newID()
		k := &checkoutKey{kind, "ssh-ed25519 " + base64.StdEncoding.EncodeToString(id[:]) + "\n", s.now()}
		p.keys = append(p.keys, k)
		return created(k.view(""))
	}),
	"GET /project/{project-slug}/checkout-key/{fingerprint}": withProject(func(_ *Server, r *request, p *project) *answer {
		if i := p.keyIndex(r.params["fingerprint"]); i >= 0 {
			return ok(p.keys[i].view(""))
		}
		return notFound("Checkout key")
	}),
	"DELETE /project/{project-slug}/checkout-key/{fingerprint}": withProject(func(_ *Server, r *request, p *project) *answer {
		i := p.keyIndex(r.params["fingerprint"])
		if i < 0 {
			return notFound("Checkout key")
		}
		p.keys = slices.Delete(p.keys, i, i+1)
		return message(http.StatusOK, "Checkout key deleted.")
	}),
}

func patchSettings(_ *Server, r *request, p *project) *answer {
	var in struct {
		Advanced map[string]any `json:"advanced"`
	}
	if a := r.bind(&in); a != nil {
		return a
	}
	if len(in.Advanced) == 0 {
		return message(http.StatusBadRequest, "There is nothing to change.")
	}
	for name, value := range in.Advanced {
		old, known := p.settings[name]
		_, isBool := value.(bool)
		_, wasBool := old.(bool)
		if !known || name == "oss" || isBool != wasBool {
			return message(http.StatusBadRequest, "circlecitest: advanced."+name+" cannot be set so")
		}
	}
	for name, value := range in.Advanced {
		if list, isList := value.([]any); isList && len(list) == 0 {
			continue // ignored by the API
		}
		p.settings[name] = value
	}
	return ok(object{"advanced": p.settings})
}

// view shows the variable with its value masked.
func (v *envVar) view() object {
	tail := v.value
	if len(tail) > 4 {
		tail = tail[len(tail)-4:]
	} else {
		tail = ""
	}
	return object{"name": v.name, "value": "xxxx" + tail, "created_at": timestamp(v.created)}
}

func (p *project) keyIndex(fingerprint string) int {
	return slices.IndexFunc(p.keys, func(k *checkoutKey) bool {
		return k.fingerprint("md5") == fingerprint || k.fingerprint("sha256") == fingerprint
	})
}

func (k *checkoutKey) fingerprint(digest string) string {
	if digest == "sha256" {
		sum := sha256.Sum256([]byte(k.public))
		return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
	}
	sum := md5.Sum([]byte(k.public))
	pairs := make([]string, len(sum))
	for i, b := range sum {
		pairs[i] = hex.EncodeToString([]byte{b})
	}
	return strings.Join(pairs, ":")
}

func (k *checkoutKey) view(digest string) object {
	return object{
		"type": k.kind, "public_key": k.public, "fingerprint": k.fingerprint(digest), "preferred": true,
		"created_at": timestamp(k.created),
	}
}
