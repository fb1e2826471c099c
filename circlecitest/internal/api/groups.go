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

// maxGroups is the maximum number of groups of an organization.
const maxGroups = 100

var projectRoles = []string{"project-admin", "project-contributor", "project-viewer"}

func groupView(g *world.Group) form.Object {
	return form.Object{"id": g.ID, "name": g.Name, "description": g.Description}
}

// errDenied is the API's response about groups, also for what does not exist.
const errDenied = "Permission denied."

// withGroups returns a handler for a route with an organization's ID.
func withGroups(do func(s *engine.Engine, r *exchange.Request, o *world.Org) *exchange.Answer) exchange.Handler {
	return func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		if id := r.ID("org_id"); id != uuid.Nil {
			if o := s.OrgBy(id.String()); o != nil {
				return do(s, r, o)
			}
		}
		return exchange.Message(http.StatusForbidden, errDenied)
	}
}

// withGroup returns a handler for a route that also has a group's ID.
func withGroup(do func(s *engine.Engine, r *exchange.Request, o *world.Org, g *world.Group) *exchange.Answer) exchange.Handler {
	return withGroups(func(s *engine.Engine, r *exchange.Request, o *world.Org) *exchange.Answer {
		if g := o.GroupBy(r.ID("group_id")); g != nil {
			return do(s, r, o, g)
		}
		return exchange.Message(http.StatusForbidden, errDenied)
	})
}

// withProjectGroups returns a handler for a route that also has a project's ID.
func withProjectGroups(do func(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer) exchange.Handler {
	return withGroups(func(s *engine.Engine, r *exchange.Request, o *world.Org) *exchange.Answer {
		p := s.ProjectBy(r.ID("project_id").String())
		switch {
		case p == nil || p.Org != o:
			return exchange.Message(http.StatusForbidden, errDenied)
		case o.VCSType != "circleci":
			return exchange.Message(http.StatusBadRequest, "Endpoint is not supported for this organization.")
		}
		return do(s, r, p)
	})
}

var groupHandlers = map[string]exchange.Handler{
	// All groups are on one page: like the API, it ignores limit.
	"GET /organizations/{org_id}/groups": withGroups(func(_ *engine.Engine, _ *exchange.Request, o *world.Org) *exchange.Answer {
		items := make([]any, 0, len(o.Groups))
		for _, g := range o.Groups {
			items = append(items, groupView(g))
		}
		return exchange.OK(form.Object{"items": items, "next_page_token": nil, "total_count": len(items)})
	}),
	"POST /organizations/{org_id}/groups": withGroups(createGroup),
	"GET /organizations/{org_id}/groups/{group_id}": withGroup(func(_ *engine.Engine, _ *exchange.Request, _ *world.Org, g *world.Group) *exchange.Answer {
		return exchange.OK(groupView(g))
	}),
	"DELETE /organizations/{org_id}/groups/{group_id}": withGroup(func(s *engine.Engine, _ *exchange.Request, o *world.Org, g *world.Group) *exchange.Answer {
		o.Groups = slices.DeleteFunc(o.Groups, func(other *world.Group) bool { return other == g })
		for _, p := range s.Projects {
			p.Groups = slices.DeleteFunc(p.Groups, func(x *world.ProjectGroup) bool { return x.Group == g })
		}
		return exchange.Message(http.StatusOK, "Group deleted.")
	}),

	"GET /organizations/{org_id}/projects/{project_id}/groups": withProjectGroups(func(_ *engine.Engine, _ *exchange.Request, p *world.Project) *exchange.Answer {
		items := make([]any, 0, len(p.Groups))
		for _, x := range p.Groups {
			items = append(items, form.Object{"id": x.Group.ID, "name": x.Group.Name, "role": x.Role})
		}
		return exchange.OK(form.Object{"items": items})
	}),
	"POST /organizations/{org_id}/projects/{project_id}/groups": withProjectGroups(func(_ *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		var in struct {
			Role     string      `json:"role"`
			GroupIDs []uuid.UUID `json:"group_ids"`
		}
		if a := r.Bind(&in); a != nil {
			return a
		}
		if !slices.Contains(projectRoles, in.Role) || len(in.GroupIDs) == 0 {
			return exchange.Message(http.StatusBadRequest, "Unexpected request body provided.")
		}
		if slices.ContainsFunc(in.GroupIDs, func(id uuid.UUID) bool { return p.Org.GroupBy(id) == nil }) {
			return exchange.Message(http.StatusForbidden, errDenied)
		}
		for _, id := range in.GroupIDs {
			if !p.SetRole(id, in.Role) {
				p.Groups = append(p.Groups, &world.ProjectGroup{Group: p.Org.GroupBy(id), Role: in.Role})
			}
		}
		return exchange.Message(http.StatusOK, "Groups added.")
	}),
	"POST /organizations/{org_id}/projects/{project_id}/groups/{group_id}/update-role": withProjectGroups(func(_ *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		var in struct {
			Role string `json:"role"`
		}
		if a := r.Bind(&in); a != nil {
			return a
		}
		if !slices.Contains(projectRoles, in.Role) {
			return exchange.Message(http.StatusBadRequest, "Unexpected request body provided.")
		}
		if !p.SetRole(r.ID("group_id"), in.Role) {
			return exchange.Message(http.StatusForbidden, errDenied)
		}
		return exchange.Message(http.StatusOK, "Role updated.")
	}),
}

func createGroup(s *engine.Engine, r *exchange.Request, o *world.Org) *exchange.Answer {
	var in struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	switch {
	case o.VCSType != "circleci":
		return exchange.Message(http.StatusForbidden, errDenied)
	case strings.TrimSpace(in.Name) == "":
		return exchange.Message(http.StatusBadRequest, "Unexpected request body provided.")
	case len(o.Groups) >= maxGroups:
		return exchange.Message(http.StatusConflict, "Exceeded max number of groups in org: 100.")
	}
	g := &world.Group{ID: s.NewID(), Name: in.Name, Description: in.Description}
	o.Groups = append(o.Groups, g)
	return exchange.Created(groupView(g))
}
