package api

import (
	"net/http"
	"slices"

	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// maxContextVars is the maximum number of variables of a context.
const maxContextVars = 100

func envContextView(c *world.Context) form.Object {
	return form.Object{"id": c.ID, "name": c.Name, "created_at": form.Time(c.Created)}
}

func contextVarView(v *world.ContextVar, c *world.Context) form.Object {
	return form.Object{
		"variable": v.Name, "context_id": c.ID, "created_at": form.Time(v.Created), "updated_at": form.Time(v.Updated),
	}
}

func restrictionView(x *world.Restriction, c *world.Context) form.Object {
	o := form.Object{"id": x.ID, "context_id": c.ID, "restriction_type": x.Kind, "restriction_value": x.Value}
	if x.Kind == "project" {
		o["project_id"] = x.Value
	}
	return o
}

// withContext returns a handler for a route with a context's ID. For a missing
// context the API responds as if access were forbidden.
func withContext(do func(s *engine.Engine, r *exchange.Request, c *world.Context) *exchange.Answer) exchange.Handler {
	return func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		for _, c := range s.Contexts {
			if c.ID == r.ID("context_id") {
				return do(s, r, c)
			}
		}
		return exchange.Message(http.StatusForbidden, "Permission denied.")
	}
}

// listContextVars is the list that CircleCI does not end.
const listContextVars = "GET /context/{context_id}/environment-variable"

var contextHandlers = map[string]exchange.Handler{
	"GET /context": func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		ref := r.Query.Get("owner-id") + r.Query.Get("owner-slug")
		if ref == "" {
			return exchange.Missing("owner-id or owner-slug")
		}
		o := s.OrgBy(ref)
		if o == nil {
			return exchange.NotFound("Organization")
		}
		var mine []*world.Context
		for _, c := range s.Contexts {
			if c.Org == o {
				mine = append(mine, c)
			}
		}
		return exchange.Page(r, mine, exchange.DefaultPageSize, func(c *world.Context) form.Object {
			view := envContextView(c)
			if r.Query.Get("include-env-vars") == "true" {
				vars := []any{}
				for _, v := range c.Vars {
					vars = append(vars, contextVarView(v, c))
				}
				view["environment_variables"] = vars
			}
			return view
		})
	},
	"POST /context": createContext,
	"GET /context/{context_id}": withContext(func(_ *engine.Engine, _ *exchange.Request, c *world.Context) *exchange.Answer {
		vars, restrictions := []any{}, []any{}
		for _, v := range c.Vars {
			vars = append(vars, contextVarView(v, c))
		}
		for _, x := range c.Restrictions {
			restrictions = append(restrictions, restrictionView(x, c))
		}
		view := envContextView(c)
		view["org_id"], view["environment_variables"], view["restrictions"] = c.Org.ID, vars, restrictions
		return exchange.OK(view)
	}),
	"DELETE /context/{context_id}": withContext(func(s *engine.Engine, _ *exchange.Request, c *world.Context) *exchange.Answer {
		s.Contexts = slices.DeleteFunc(s.Contexts, func(other *world.Context) bool { return other == c })
		return exchange.Message(http.StatusOK, "Context deleted.")
	}),

	listContextVars: withContext(func(_ *engine.Engine, _ *exchange.Request, c *world.Context) *exchange.Answer {
		// The API returns the same page, with a token, for any page token.
		items, token := []any{}, any(nil)
		for _, v := range c.Vars {
			view := contextVarView(v, c)
			view["truncated_value"] = v.Value[max(0, len(v.Value)-4):]
			items, token = append(items, view), exchange.TokenOf("0."+v.Name)
		}
		return exchange.OK(form.Object{"items": items, "next_page_token": token})
	}),
	"PUT /context/{context_id}/environment-variable/{env_var_name}": withContext(putContextVar),
	"DELETE /context/{context_id}/environment-variable/{env_var_name}": withContext(func(_ *engine.Engine, r *exchange.Request, c *world.Context) *exchange.Answer {
		n := len(c.Vars)
		c.Vars = slices.DeleteFunc(c.Vars, func(v *world.ContextVar) bool { return v.Name == r.Params["env_var_name"] })
		if len(c.Vars) == n {
			return exchange.NotFound("Environment variable")
		}
		return exchange.Message(http.StatusOK, "Environment variable deleted.")
	}),

	"GET /context/{context_id}/restrictions": withContext(func(_ *engine.Engine, r *exchange.Request, c *world.Context) *exchange.Answer {
		return exchange.Page(r, c.Restrictions, exchange.DefaultPageSize, func(x *world.Restriction) form.Object {
			return restrictionView(x, c).Put("name", x.Name)
		})
	}),
	"POST /context/{context_id}/restrictions": withContext(createRestriction),
	"DELETE /context/{context_id}/restrictions/{restriction_id}": withContext(func(_ *engine.Engine, r *exchange.Request, c *world.Context) *exchange.Answer {
		n := len(c.Restrictions)
		c.Restrictions = slices.DeleteFunc(c.Restrictions, func(x *world.Restriction) bool { return x.ID == r.ID("restriction_id") })
		if len(c.Restrictions) == n {
			return exchange.NotFound("Context restriction")
		}
		return exchange.Message(http.StatusOK, "Context restriction deleted.")
	}),
}

func createContext(s *engine.Engine, r *exchange.Request) *exchange.Answer {
	var in struct {
		Name  string `json:"name"`
		Owner struct {
			ID   string `json:"id"`
			Slug string `json:"slug"`
			Type string `json:"type"`
		} `json:"owner"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	switch {
	case in.Name == "":
		return exchange.Missing("name")
	case (in.Owner.ID == "") == (in.Owner.Slug == ""):
		return exchange.Message(http.StatusBadRequest, "circlecitest: the owner has either an id or a slug")
	case in.Owner.Type != "" && in.Owner.Type != "organization" && (in.Owner.Type != "account" || in.Owner.Slug != ""):
		return exchange.Message(http.StatusBadRequest, "circlecitest: the owner's type is not right")
	}
	o := s.OrgBy(in.Owner.ID + in.Owner.Slug)
	if o == nil {
		return exchange.NotFound("Organization")
	}
	for _, c := range s.Contexts {
		if c.Org == o && c.Name == in.Name {
			return exchange.Message(http.StatusConflict, "A context with this name exists.")
		}
	}
	return exchange.OK(envContextView(s.AddContext(o, in.Name)))
}

func putContextVar(s *engine.Engine, r *exchange.Request, c *world.Context) *exchange.Answer {
	var in struct {
		Value *string `json:"value"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	if in.Value == nil {
		return exchange.Missing("value")
	}
	for _, v := range c.Vars {
		if v.Name == r.Params["env_var_name"] {
			v.Value, v.Updated = *in.Value, s.Now()
			return exchange.OK(contextVarView(v, c))
		}
	}
	if len(c.Vars) >= maxContextVars {
		return exchange.Message(http.StatusBadRequest, "Cannot create more than 100 environment variables per context")
	}
	v := &world.ContextVar{Name: r.Params["env_var_name"], Value: *in.Value, Created: s.Now(), Updated: s.Now()}
	c.Vars = append(c.Vars, v)
	return exchange.OK(contextVarView(v, c))
}

func createRestriction(s *engine.Engine, r *exchange.Request, c *world.Context) *exchange.Answer {
	var in struct {
		Type  string `json:"restriction_type"`
		Value string `json:"restriction_value"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	if in.Value == "" {
		return exchange.Missing("restriction_value")
	}
	x := &world.Restriction{ID: s.NewID(), Kind: in.Type, Value: in.Value}
	switch in.Type {
	case "project":
		p := s.ProjectBy(in.Value)
		if p == nil {
			return exchange.NotFound("Project")
		}
		x.Name = p.Name
	case "group", "expression":
	default:
		return exchange.Message(http.StatusBadRequest, "restriction_type is invalid.")
	}
	for _, other := range c.Restrictions {
		if other.Kind == x.Kind && other.Value == x.Value {
			return exchange.Message(http.StatusConflict, "The restriction exists.")
		}
	}
	c.Restrictions = append(c.Restrictions, x)
	return exchange.Created(restrictionView(x, c))
}
