package api

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

func projectView(p *world.Project) form.Object {
	provider := map[string]string{"github": "GitHub", "bitbucket": "Bitbucket", "circleci": "CircleCI"}[p.Org.VCSType]
	return form.Object{
		"id": p.ID, "slug": p.Slug, "name": p.Name, "organization_id": p.Org.ID, "organization_slug": p.Org.Slug,
		"organization_name": p.Org.Name,
		"vcs_info":          form.Object{"vcs_url": p.Repository(), "provider": provider, "default_branch": p.DefaultBranch},
	}
}

var projectHandlers = map[string]exchange.Handler{
	"GET /project/{project-slug}": exchange.WithProject(func(_ *engine.Engine, _ *exchange.Request, p *world.Project) *exchange.Answer {
		return exchange.OK(projectView(p))
	}),
	"DELETE /project/{project-slug}": exchange.WithProject(func(s *engine.Engine, _ *exchange.Request, p *world.Project) *exchange.Answer {
		s.RemoveProject(p)
		return exchange.Message(http.StatusOK, "Project deleted.")
	}),
	"POST /organization/{org-slug-or-id}/project": func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		var in struct {
			Name string `json:"name"`
		}
		if a := r.Bind(&in); a != nil {
			return a
		}
		o := s.OrgBy(r.Params["org-slug-or-id"])
		switch {
		case o == nil:
			return exchange.NotFound("Organization")
		case in.Name == "":
			return exchange.Missing("name")
		case s.ProjectNamed(o, in.Name) != nil:
			return exchange.Message(http.StatusConflict, "Project already exists.")
		case o.Standalone():
			return exchange.OK(projectView(s.AddStandaloneProject(o, in.Name)))
		}
		if slug := o.Slug + "/" + in.Name; isProjectSlug(slug) {
			return exchange.OK(projectView(s.AddProject(slug)))
		}
		return exchange.Message(http.StatusBadRequest, "Invalid project name "+in.Name)
	},
	"POST /project/{provider}/{organization}/{project}": func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		if len(r.Body) > 0 {
			return exchange.Message(http.StatusBadRequest, "Unexpected request body provided.")
		}
		if strings.HasPrefix(r.Slug(), "circleci/") {
			return exchange.Message(http.StatusMethodNotAllowed, "Create projects using the API is currently supported for classic GitHub OAuth and Bitbucket projects.")
		}
		if !isProjectSlug(r.Slug()) {
			return invalidSlug(r)
		}
		return exchange.Created(form.Object{"advanced": s.AddProject(r.Slug()).Settings})
	},
	"GET /project/{provider}/{organization}/{project}/settings": exchange.WithProject(func(_ *engine.Engine, _ *exchange.Request, p *world.Project) *exchange.Answer {
		return exchange.OK(form.Object{"advanced": p.Settings})
	}),
	"PATCH /project/{provider}/{organization}/{project}/settings": exchange.WithProject(patchSettings),

	"GET /project/{project-slug}/envvar": exchange.WithProject(func(_ *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		return exchange.Page(r, p.EnvVars, exchange.EnvVarPageSize, envVarView)
	}),
	"POST /project/{project-slug}/envvar": exchange.WithProject(func(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		var in struct {
			Name  string  `json:"name"`
			Value *string `json:"value"`
		}
		if a := r.Bind(&in); a != nil {
			return a
		}
		if in.Name == "" || in.Value == nil {
			return exchange.Missing("name or value")
		}
		v := &world.EnvVar{Name: in.Name, Value: *in.Value, Created: s.Now()}
		p.EnvVars = append(slices.DeleteFunc(p.EnvVars, func(old *world.EnvVar) bool { return old.Name == v.Name }), v)
		return exchange.Created(envVarView(v))
	}),
	"GET /project/{project-slug}/envvar/{name}": exchange.WithProject(func(_ *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		for _, v := range p.EnvVars {
			if v.Name == r.Params["name"] {
				return exchange.OK(envVarView(v))
			}
		}
		return exchange.NotFound("Environment variable")
	}),
	"DELETE /project/{project-slug}/envvar/{name}": exchange.WithProject(func(_ *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		n := len(p.EnvVars)
		p.EnvVars = slices.DeleteFunc(p.EnvVars, func(v *world.EnvVar) bool { return v.Name == r.Params["name"] })
		if len(p.EnvVars) == n {
			return exchange.NotFound("Environment variable")
		}
		return exchange.Message(http.StatusOK, "Environment variable deleted.")
	}),

	"GET /project/{project-slug}/checkout-key": exchange.WithProject(func(_ *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		digest := r.Query.Get("digest")
		if digest != "" && digest != "md5" && digest != "sha256" {
			return exchange.Message(http.StatusBadRequest, "digest is md5 or sha256")
		}
		return exchange.Page(r, p.Keys, exchange.DefaultPageSize, func(k *world.CheckoutKey) form.Object { return checkoutKeyView(k, digest) })
	}),
	"POST /project/{project-slug}/checkout-key": exchange.WithProject(func(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		var in struct {
			Type string `json:"type"`
		}
		if a := r.Bind(&in); a != nil {
			return a
		}
		kind := in.Type
		switch {
		case kind == "user-key" && p.Org.VCSType == "bitbucket":
			kind = "bitbucket-user-key"
		case kind == "user-key":
			kind = "github-user-key"
		case kind != "deploy-key":
			return exchange.Message(http.StatusBadRequest, "type is deploy-key or user-key")
		}
		id := s.NewID()
		k := &world.CheckoutKey{Kind: kind, Public: "ssh-ed25519 " + base64.StdEncoding.EncodeToString(id[:]) + "\n", Created: s.Now()}
		p.Keys = append(p.Keys, k)
		return exchange.Created(checkoutKeyView(k, ""))
	}),
	"GET /project/{project-slug}/checkout-key/{fingerprint}": exchange.WithProject(func(_ *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		if i := p.KeyIndex(r.Params["fingerprint"]); i >= 0 {
			return exchange.OK(checkoutKeyView(p.Keys[i], ""))
		}
		return exchange.NotFound("Checkout key")
	}),
	"DELETE /project/{project-slug}/checkout-key/{fingerprint}": exchange.WithProject(func(_ *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		i := p.KeyIndex(r.Params["fingerprint"])
		if i < 0 {
			return exchange.NotFound("Checkout key")
		}
		p.Keys = slices.Delete(p.Keys, i, i+1)
		return exchange.Message(http.StatusOK, "Checkout key deleted.")
	}),
}

func patchSettings(_ *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
	var in struct {
		Advanced map[string]any `json:"advanced"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	if len(in.Advanced) == 0 {
		return exchange.Message(http.StatusBadRequest, "There is nothing to change.")
	}
	for name, value := range in.Advanced {
		old, known := p.Settings[name]
		_, isBool := value.(bool)
		_, wasBool := old.(bool)
		if !known || name == "oss" || isBool != wasBool {
			return exchange.Message(http.StatusBadRequest, "circlecitest: advanced."+name+" cannot be set so")
		}
	}
	for name, value := range in.Advanced {
		if list, isList := value.([]any); isList && len(list) == 0 {
			continue // ignored by the API
		}
		p.Settings[name] = value
	}
	return exchange.OK(form.Object{"advanced": p.Settings})
}

// isProjectSlug reports whether a text is the slug of a project that can exist.
func isProjectSlug(text string) bool {
	_, err := circleci.ParseProjectSlug(text)
	provider, _, _ := strings.Cut(text, "/")
	return err == nil && isProvider(provider)
}

func invalidSlug(r *exchange.Request) *exchange.Answer {
	return exchange.Message(http.StatusBadRequest, "Invalid project slug "+r.Slug())
}

// envVarView returns the variable with its value masked.
func envVarView(v *world.EnvVar) form.Object {
	tail := v.Value
	if len(tail) > 4 {
		tail = tail[len(tail)-4:]
	} else {
		tail = ""
	}
	return form.Object{"name": v.Name, "value": "xxxx" + tail, "created_at": form.Time(v.Created)}
}

func checkoutKeyView(k *world.CheckoutKey, digest string) form.Object {
	return form.Object{
		"type": k.Kind, "public_key": k.Public, "fingerprint": k.Fingerprint(digest), "preferred": true,
		"created_at": form.Time(k.Created),
	}
}
