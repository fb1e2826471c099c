package circlecitest

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

type envContext struct {
	id           uuid.UUID
	name         string
	org          *org
	created      time.Time
	vars         []*contextVar
	restrictions []*restriction
}

type contextVar struct {
	name, value      string
	created, updated time.Time
}

type restriction struct {
	id                uuid.UUID
	kind, value, name string
}

// maxContextVars is how many variables a context takes.
const maxContextVars = 100

// AddContext adds a context with these variables, and its organization if
// there is none, and returns its ID.
func (s *Server) AddContext(owner circleci.OrgSlug, name string, vars map[string]string) uuid.UUID {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.addContext(s.addOrg(string(owner)), name)
	for name, value := range vars {
		c.vars = append(c.vars, &contextVar{name, value, s.now(), s.now()})
	}
	slices.SortFunc(c.vars, func(a, b *contextVar) int { return strings.Compare(a.name, b.name) })
	return c.id
}

func (s *Server) addContext(o *org, name string) *envContext {
	c := &envContext{id: s.newID(), name: name, org: o, created: s.now()}
	s.world.contexts = append(s.world.contexts, c)
	return c
}

// ContextEnvVars returns the variables of a context with their values, which
// the API never tells.
func (s *Server) ContextEnvVars(id uuid.UUID) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	vars := map[string]string{}
	for _, c := range s.world.contexts {
		if c.id == id {
			for _, v := range c.vars {
				vars[v.name] = v.value
			}
		}
	}
	return vars
}

func (c *envContext) view() object {
	return object{"id": c.id, "name": c.name, "created_at": timestamp(c.created)}
}

func (v *contextVar) view(c *envContext) object {
	return object{
		"variable": v.name, "context_id": c.id, "created_at": timestamp(v.created), "updated_at": timestamp(v.updated),
	}
}

func (x *restriction) view(c *envContext) object {
	o := object{"id": x.id, "context_id": c.id, "restriction_type": x.kind, "restriction_value": x.value}
	if x.kind == "project" {
		o["project_id"] = x.value
	}
	return o
}

// withContext is a handler for a route with a context's ID. For one that is
// not there the API answers as if it were forbidden.
func withContext(do func(s *Server, r *request, c *envContext) *answer) handler {
	return func(s *Server, r *request) *answer {
		for _, c := range s.world.contexts {
			if c.id == r.id("context_id") {
				return do(s, r, c)
			}
		}
		return message(http.StatusForbidden, "Permission denied.")
	}
}

var contextHandlers = map[string]handler{
	"GET /context": func(s *Server, r *request) *answer {
		ref := r.query.Get("owner-id") + r.query.Get("owner-slug")
		if ref == "" {
			return missing("owner-id or owner-slug")
		}
		o := s.orgBy(ref)
		if o == nil {
			return notFound("Organization")
		}
		var mine []*envContext
		for _, c := range s.world.contexts {
			if c.org == o {
				mine = append(mine, c)
			}
		}
		return page(r, mine, defaultPageSize, (*envContext).view)
	},
	"POST /context": createContext,
	"GET /context/{context_id}": withContext(func(_ *Server, _ *request, c *envContext) *answer {
		vars, restrictions := []any{}, []any{}
		for _, v := range c.vars {
			vars = append(vars, v.view(c))
		}
		for _, x := range c.restrictions {
			restrictions = append(restrictions, x.view(c))
		}
		view := c.view()
		view["org_id"], view["environment_variables"], view["restrictions"] = c.org.id, vars, restrictions
		return ok(view)
	}),
	"DELETE /context/{context_id}": withContext(func(s *Server, _ *request, c *envContext) *answer {
		s.world.contexts = slices.DeleteFunc(s.world.contexts, func(other *envContext) bool { return other == c })
		return message(http.StatusOK, "Context deleted.")
	}),

	"GET /context/{context_id}/environment-variable": withContext(func(_ *Server, r *request, c *envContext) *answer {
		return page(r, c.vars, envVarPageSize, func(v *contextVar) object {
			view := v.view(c)
			view["truncated_value"] = v.value[max(0, len(v.value)-4):]
			return view
		})
	}),
	"PUT /context/{context_id}/environment-variable/{env_var_name}": withContext(putContextVar),
	"DELETE /context/{context_id}/environment-variable/{env_var_name}": withContext(func(_ *Server, r *request, c *envContext) *answer {
		n := len(c.vars)
		c.vars = slices.DeleteFunc(c.vars, func(v *contextVar) bool { return v.name == r.params["env_var_name"] })
		if len(c.vars) == n {
			return notFound("Environment variable")
		}
		return message(http.StatusOK, "Environment variable deleted.")
	}),

	"GET /context/{context_id}/restrictions": withContext(func(_ *Server, r *request, c *envContext) *answer {
		return page(r, c.restrictions, defaultPageSize, func(x *restriction) object {
			return x.view(c).put("name", x.name)
		})
	}),
	"POST /context/{context_id}/restrictions": withContext(createRestriction),
	"DELETE /context/{context_id}/restrictions/{restriction_id}": withContext(func(_ *Server, r *request, c *envContext) *answer {
		n := len(c.restrictions)
		c.restrictions = slices.DeleteFunc(c.restrictions, func(x *restriction) bool { return x.id == r.id("restriction_id") })
		if len(c.restrictions) == n {
			return notFound("Context restriction")
		}
		return message(http.StatusOK, "Context restriction deleted.")
	}),
}

func createContext(s *Server, r *request) *answer {
	var in struct {
		Name  string `json:"name"`
		Owner struct {
			ID   string `json:"id"`
			Slug string `json:"slug"`
			Type string `json:"type"`
		} `json:"owner"`
	}
	if a := r.bind(&in); a != nil {
		return a
	}
	switch {
	case in.Name == "":
		return missing("name")
	case (in.Owner.ID == "") == (in.Owner.Slug == ""):
		return message(http.StatusBadRequest, "circlecitest: the owner has either an id or a slug")
	case in.Owner.Type != "" && in.Owner.Type != "organization" && (in.Owner.Type != "account" || in.Owner.Slug != ""):
		return message(http.StatusBadRequest, "circlecitest: the owner's type is not right")
	}
	o := s.orgBy(in.Owner.ID + in.Owner.Slug)
	if o == nil {
		return notFound("Organization")
	}
	for _, c := range s.world.contexts {
		if c.org == o && c.name == in.Name {
			return message(http.StatusConflict, "A context with this name exists.")
		}
	}
	return ok(s.addContext(o, in.Name).view())
}

func putContextVar(s *Server, r *request, c *envContext) *answer {
	var in struct {
		Value *string `json:"value"`
	}
	if a := r.bind(&in); a != nil {
		return a
	}
	if in.Value == nil {
		return missing("value")
	}
	for _, v := range c.vars {
		if v.name == r.params["env_var_name"] {
			v.value, v.updated = *in.Value, s.now()
			return ok(v.view(c))
		}
	}
	if len(c.vars) >= maxContextVars {
		return message(http.StatusBadRequest, "Cannot create more than 100 environment variables per context")
	}
	v := &contextVar{r.params["env_var_name"], *in.Value, s.now(), s.now()}
	c.vars = append(c.vars, v)
	return ok(v.view(c))
}

func createRestriction(s *Server, r *request, c *envContext) *answer {
	var in struct {
		Type  string `json:"restriction_type"`
		Value string `json:"restriction_value"`
	}
	if a := r.bind(&in); a != nil {
		return a
	}
	if in.Value == "" {
		return missing("restriction_value")
	}
	x := &restriction{id: s.newID(), kind: in.Type, value: in.Value}
	switch in.Type {
	case "project":
		p := s.projectBy(in.Value)
		if p == nil {
			return notFound("Project")
		}
		x.name = p.name
	case "group", "expression":
	default:
		return message(http.StatusBadRequest, "restriction_type is invalid.")
	}
	for _, other := range c.restrictions {
		if other.kind == x.kind && other.value == x.value {
			return message(http.StatusConflict, "The restriction exists.")
		}
	}
	c.restrictions = append(c.restrictions, x)
	return created(x.view(c))
}
