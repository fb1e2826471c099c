package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

func contextViewV3(c *world.Context) form.Object {
	return resource(c.ID, form.Object{"name": c.Name, "created_at": form.Time(c.Created)}, form.Object{"org": ref(c.Org.ID)})
}

func restrictionViewV3(x *world.Restriction, c *world.Context) form.Object {
	return resource(x.ID, form.Object{"restriction_type": x.Kind, "match_pattern": x.Value, "name": x.Name}, form.Object{"context": ref(c.ID)})
}

func createContextV3(s *engine.Engine, r *exchange.Request) *exchange.Answer {
	var in envelopeIn[struct {
		Name string `json:"name"`
	}]
	if a := r.Bind(&in); a != nil {
		return a
	}
	o := orgV3(s, in.Data.References["org"].ID)
	name := in.Data.Attributes.Name
	switch {
	case o == nil:
		return notFoundV3("Organization")
	case name == "":
		return invalidV3("/data/attributes/name", "is required")
	case slices.ContainsFunc(s.Contexts, func(c *world.Context) bool { return c.Org == o && c.Name == name }):
		return exchange.FailureV3(http.StatusConflict, "conflict", "A context with this name exists.", "")
	}
	return createdV3(contextViewV3(s.AddContext(o, name)))
}

func setEnvVarV3(s *engine.Engine, r *exchange.Request, c *world.Context) *exchange.Answer {
	var in struct {
		Name  string  `json:"name"`
		Value *string `json:"value"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	if in.Name == "" || in.Value == nil {
		return invalidV3("/name", "and /value are required")
	}
	for _, v := range c.Vars {
		if v.Name == in.Name {
			v.Value, v.Updated = *in.Value, s.Now()
			return deleted() // 204
		}
	}
	if len(c.Vars) >= maxContextVars {
		return exchange.FailureV3(http.StatusBadRequest, "validation_error", "Cannot create more than 100 environment variables per context", "")
	}
	c.Vars = append(c.Vars, &world.ContextVar{Name: in.Name, Value: *in.Value, Created: s.Now(), Updated: s.Now()})
	return deleted() // 204
}

func createRestrictionV3(s *engine.Engine, r *exchange.Request) *exchange.Answer {
	var in envelopeIn[struct {
		Type    string `json:"restriction_type"`
		Pattern string `json:"match_pattern"`
	}]
	if a := r.Bind(&in); a != nil {
		return a
	}
	c := contextV3(s, in.Data.References["context"].ID)
	if c == nil {
		return notFoundV3("Context")
	}
	x := &world.Restriction{ID: s.NewID(), Kind: in.Data.Attributes.Type, Value: in.Data.Attributes.Pattern}
	switch {
	case x.Value == "":
		return invalidV3("/data/attributes/match_pattern", "is required")
	case x.Kind == "project":
		id, _ := uuid.Parse(x.Value) // the zero UUID is nobody's
		p := projectV3(s, id)
		if p == nil {
			return notFoundV3("Project")
		}
		x.Name = p.Name
	case x.Kind != "group" && x.Kind != "expression":
		return invalidV3("/data/attributes/restriction_type", "is not one of project, group and expression")
	}
	c.Restrictions = append(c.Restrictions, x)
	return createdV3(restrictionViewV3(x, c))
}

var contextHandlersV3 = map[string]exchange.Handler{
	"GET /api/v3/contexts": withFilter("filter[org_id]", "Organization", orgV3, func(s *engine.Engine, r *exchange.Request, o *world.Org) *exchange.Answer {
		name := strings.ToLower(r.Query.Get("filter[name]"))
		var mine []*world.Context
		for _, c := range s.Contexts {
			if c.Org == o && strings.Contains(strings.ToLower(c.Name), name) {
				mine = append(mine, c)
			}
		}
		return pageV3(r, mine, mostContexts, func(c *world.Context) form.Object {
			view := contextViewV3(c)
			delete(view, "references") // lists have none
			return view
		})
	}),
	"POST /api/v3/contexts": createContextV3,
	"GET /api/v3/contexts/{id}": withIDV3("Context", contextV3, func(_ *engine.Engine, _ *exchange.Request, c *world.Context) *exchange.Answer {
		return okV3(contextViewV3(c))
	}),
	"DELETE /api/v3/contexts/{id}": withIDV3("Context", contextV3, func(s *engine.Engine, _ *exchange.Request, c *world.Context) *exchange.Answer {
		s.Contexts = slices.DeleteFunc(s.Contexts, func(other *world.Context) bool { return other == c })
		return deleted()
	}),
	"GET /api/v3/contexts/{id}/env-vars": withIDV3("Context", contextV3, func(_ *engine.Engine, r *exchange.Request, c *world.Context) *exchange.Answer {
		return pageV3(r, c.Vars, mostOthers, func(v *world.ContextVar) form.Object {
			return form.Object{
				"attributes": form.Object{
					"name": v.Name, "truncated_value": "xxxx" + v.Value[max(0, len(v.Value)-4):],
					"created_at": form.Time(v.Created), "updated_at": form.Time(v.Updated),
				},
				"references": form.Object{"context": ref(c.ID)},
			}
		})
	}),
	"POST /api/v3/contexts/{id}/env-vars/set": withIDV3("Context", contextV3, setEnvVarV3),
	"DELETE /api/v3/contexts/{id}/env-vars": withIDV3("Context", contextV3, func(_ *engine.Engine, r *exchange.Request, c *world.Context) *exchange.Answer {
		n, name := len(c.Vars), r.Query.Get("filter[name]")
		if name == "" {
			return invalidV3("/filter/name", "is required")
		}
		c.Vars = slices.DeleteFunc(c.Vars, func(v *world.ContextVar) bool { return v.Name == name })
		if len(c.Vars) == n {
			return notFoundV3("Environment variable")
		}
		return deleted()
	}),
	"GET /api/v3/context-restrictions": withFilter("filter[context_id]", "Context", contextV3, func(_ *engine.Engine, _ *exchange.Request, c *world.Context) *exchange.Answer {
		return allV3(c.Restrictions, func(x *world.Restriction) form.Object { return restrictionViewV3(x, c) })
	}),
	"POST /api/v3/context-restrictions": createRestrictionV3,
	"DELETE /api/v3/context-restrictions/{id}": withFilter("filter[context_id]", "Context", contextV3, func(_ *engine.Engine, r *exchange.Request, c *world.Context) *exchange.Answer {
		n := len(c.Restrictions)
		c.Restrictions = slices.DeleteFunc(c.Restrictions, func(x *world.Restriction) bool { return x.ID == r.ID("id") })
		if len(c.Restrictions) == n {
			return notFoundV3("Context restriction")
		}
		return deleted()
	}),
}
