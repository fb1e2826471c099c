package circlecitest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
)

type group struct {
	id                uuid.UUID
	name, description string
}

// projectGroup is a group's role in a project.
type projectGroup struct {
	group *group
	role  string
}

// maxGroups is how many groups an organization takes.
const maxGroups = 100

var projectRoles = []string{"project-admin", "project-contributor", "project-viewer"}

func (g *group) view() object {
	return object{"id": g.id, "name": g.name, "description": g.description}
}

// errDenied is the API's answer about groups to what it does not find, too.
const errDenied = "Permission denied."

// withGroups is a handler for a route with an organization's ID.
func withGroups(do func(s *Server, r *request, o *org) *answer) handler {
	return func(s *Server, r *request) *answer {
		if id := r.id("org_id"); id != uuid.Nil {
			if o := s.orgBy(id.String()); o != nil {
				return do(s, r, o)
			}
		}
		return message(http.StatusForbidden, errDenied)
	}
}

// withGroup is a handler for a route with a group's ID, too.
func withGroup(do func(s *Server, r *request, o *org, g *group) *answer) handler {
	return withGroups(func(s *Server, r *request, o *org) *answer {
		if g := o.groupBy(r.id("group_id")); g != nil {
			return do(s, r, o, g)
		}
		return message(http.StatusForbidden, errDenied)
	})
}

// withProjectGroups is a handler for a route with a project's ID, too.
func withProjectGroups(do func(s *Server, r *request, p *project) *answer) handler {
	return withGroups(func(s *Server, r *request, o *org) *answer {
		p := s.projectBy(r.id("project_id").String())
		switch {
		case p == nil || p.org != o:
			return message(http.StatusForbidden, errDenied)
		case o.vcsType != "circleci":
			return message(http.StatusBadRequest, "Endpoint is not supported for this organization.")
		}
		return do(s, r, p)
	})
}

func (o *org) groupBy(id uuid.UUID) *group {
	if i := slices.IndexFunc(o.groups, func(g *group) bool { return g.id == id }); i >= 0 {
		return o.groups[i]
	}
	return nil
}

var groupHandlers = map[string]handler{
	// All groups come at once: limit is ignored, as the API does.
	"GET /organizations/{org_id}/groups": withGroups(func(_ *Server, _ *request, o *org) *answer {
		items := make([]any, 0, len(o.groups))
		for _, g := range o.groups {
			items = append(items, g.view())
		}
		return ok(object{"items": items, "next_page_token": nil, "total_count": len(items)})
	}),
	"POST /organizations/{org_id}/groups": withGroups(createGroup),
	"GET /organizations/{org_id}/groups/{group_id}": withGroup(func(_ *Server, _ *request, _ *org, g *group) *answer {
		return ok(g.view())
	}),
	"DELETE /organizations/{org_id}/groups/{group_id}": withGroup(func(s *Server, _ *request, o *org, g *group) *answer {
		o.groups = slices.DeleteFunc(o.groups, func(other *group) bool { return other == g })
		for _, p := range s.world.projects {
			p.groups = slices.DeleteFunc(p.groups, func(x *projectGroup) bool { return x.group == g })
		}
		return message(http.StatusOK, "Group deleted.")
	}),

	"GET /organizations/{org_id}/projects/{project_id}/groups": withProjectGroups(func(_ *Server, _ *request, p *project) *answer {
		items := make([]any, 0, len(p.groups))
		for _, x := range p.groups {
			items = append(items, object{"id": x.group.id, "name": x.group.name, "role": x.role})
		}
		return ok(object{"items": items})
	}),
	"POST /organizations/{org_id}/projects/{project_id}/groups": withProjectGroups(func(_ *Server, r *request, p *project) *answer {
		var in struct {
			Role     string      `json:"role"`
			GroupIDs []uuid.UUID `json:"group_ids"`
		}
		if a := r.bind(&in); a != nil {
			return a
		}
		if !slices.Contains(projectRoles, in.Role) || len(in.GroupIDs) == 0 {
			return message(http.StatusBadRequest, "Unexpected request body provided.")
		}
		if slices.ContainsFunc(in.GroupIDs, func(id uuid.UUID) bool { return p.org.groupBy(id) == nil }) {
			return message(http.StatusForbidden, errDenied)
		}
		for _, id := range in.GroupIDs {
			if !p.setRole(id, in.Role) {
				p.groups = append(p.groups, &projectGroup{p.org.groupBy(id), in.Role})
			}
		}
		return message(http.StatusOK, "Groups added.")
	}),
	"POST /organizations/{org_id}/projects/{project_id}/groups/{group_id}/update-role": withProjectGroups(func(_ *Server, r *request, p *project) *answer {
		var in struct {
			Role string `json:"role"`
		}
		if a := r.bind(&in); a != nil {
			return a
		}
		if !slices.Contains(projectRoles, in.Role) {
			return message(http.StatusBadRequest, "Unexpected request body provided.")
		}
		if !p.setRole(r.id("group_id"), in.Role) {
			return message(http.StatusForbidden, errDenied)
		}
		return message(http.StatusOK, "Role updated.")
	}),
}

// setRole changes the role of a group that has one.
func (p *project) setRole(id uuid.UUID, role string) bool {
	for _, x := range p.groups {
		if x.group.id == id {
			x.role = role
			return true
		}
	}
	return false
}

func createGroup(s *Server, r *request, o *org) *answer {
	var in struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	}
	if a := r.bind(&in); a != nil {
		return a
	}
	switch {
	case o.vcsType != "circleci":
		return message(http.StatusForbidden, errDenied)
	case strings.TrimSpace(in.Name) == "":
		return message(http.StatusBadRequest, "Unexpected request body provided.")
	case len(o.groups) >= maxGroups:
		return message(http.StatusConflict, "Exceeded max number of groups in org: 100.")
	}
	g := &group{s.newID(), in.Name, in.Description}
	o.groups = append(o.groups, g)
	return created(g.view())
}
