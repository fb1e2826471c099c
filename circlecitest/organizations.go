package circlecitest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

type org struct {
	id                  uuid.UUID
	slug, name, vcsType string
	paid                bool
	orbURLs             []*orbURL
	groups              []*group
	claims              oidcClaims
	policies            policyState
}

// orbURL is an entry of the list of allowed URL orbs.
type orbURL struct {
	id                 uuid.UUID
	name, prefix, auth string
}

// maxOrbURLs is how many entries the list takes.
const maxOrbURLs = 5

var vcsTypes = map[string]string{"gh": "github", "bb": "bitbucket"}

// AddOrg adds an organization, if there is none with this slug, and returns
// its ID.
func (s *Server) AddOrg(slug circleci.OrgSlug) uuid.UUID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addOrg(string(slug)).id
}

// SetPaidPlan gives an organization a paid plan, with which it cannot be
// deleted. The organization is added if there is none.
func (s *Server) SetPaidPlan(slug circleci.OrgSlug) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addOrg(string(slug)).paid = true
}

func (s *Server) addOrg(slug string) *org {
	slug = shortSlug(slug)
	for _, o := range s.world.orgs {
		if o.slug == slug {
			return o
		}
	}
	provider, name, _ := strings.Cut(slug, "/")
	o := &org{id: s.newID(), slug: slug, name: name, vcsType: vcsTypes[provider]}
	if o.vcsType == "" {
		o.vcsType = "circleci"
	}
	s.world.orgs = append(s.world.orgs, o)
	return o
}

// orgBy finds an organization by its ID or slug; nil if there is none.
func (s *Server) orgBy(ref string) *org {
	for _, o := range s.world.orgs {
		if o.slug == shortSlug(ref) || o.id.String() == ref {
			return o
		}
	}
	return nil
}

// removeOrg removes an organization with all that is in it.
func (s *Server) removeOrg(o *org) {
	w := &s.world
	w.orgs = slices.DeleteFunc(w.orgs, func(other *org) bool { return other == o })
	for _, p := range slices.Clone(w.projects) {
		if p.org == o {
			s.removeProject(p)
		}
	}
	w.contexts = slices.DeleteFunc(w.contexts, func(c *envContext) bool { return c.org == o })
	w.deploys.environments = slices.DeleteFunc(w.deploys.environments, func(e *deployEnvironment) bool { return e.org == o })
	w.exporters = slices.DeleteFunc(w.exporters, func(e *otelExporter) bool { return e.org == o })
}

func (o *org) view() object {
	return object{"id": o.id, "name": o.name, "slug": o.slug, "vcs_type": o.vcsType}
}

func (e *orbURL) view() object {
	return object{"id": e.id, "name": e.name, "prefix": e.prefix, "auth": e.auth}
}

// withOrg is a handler for a route with an organization's slug or ID.
func withOrg(do func(s *Server, r *request, o *org) *answer) handler {
	return func(s *Server, r *request) *answer {
		if o := s.orgBy(r.params["org-slug-or-id"]); o != nil {
			return do(s, r, o)
		}
		return message(http.StatusNotFound, "Org not found.")
	}
}

var organizationHandlers = map[string]handler{
	"POST /organization": createOrg,
	"GET /organization/{org-slug-or-id}": withOrg(func(_ *Server, _ *request, o *org) *answer {
		return ok(o.view())
	}),
	"DELETE /organization/{org-slug-or-id}": withOrg(func(s *Server, _ *request, o *org) *answer {
		if o.paid {
			return message(http.StatusForbidden, "Cannot delete a paid organization. Please downgrade your plan to a Free plan in order to delete this organization.")
		}
		s.removeOrg(o)
		return message(http.StatusAccepted, "Accepted.")
	}),

	"GET /organization/{org-slug-or-id}/url-orb-allow-list": withOrg(func(_ *Server, _ *request, o *org) *answer {
		items := make([]any, 0, len(o.orbURLs))
		for _, e := range o.orbURLs {
			items = append(items, e.view())
		}
		return ok(object{"items": items})
	}),
	"POST /organization/{org-slug-or-id}/url-orb-allow-list": withOrg(allowOrbURL),
	"DELETE /organization/{org-slug-or-id}/url-orb-allow-list/{allow-list-entry-id}": withOrg(func(_ *Server, r *request, o *org) *answer {
		id := r.id("allow-list-entry-id")
		o.orbURLs = slices.DeleteFunc(o.orbURLs, func(e *orbURL) bool { return e.id == id })
		return ok(object{"id": id, "message": "URL orb allow-list entry removed."}) // whether or not it was there
	}),
}

// createOrg creates an organization of the kind circleci. Those of the other
// kinds are found, or made known.
func createOrg(s *Server, r *request) *answer {
	var in struct {
		Name    string `json:"name"`
		VCSType string `json:"vcs_type"`
	}
	if a := r.bind(&in); a != nil {
		return a
	}
	if strings.TrimSpace(in.Name) == "" {
		return missing("name")
	}
	switch in.VCSType {
	case "github":
		return created(s.addOrg("gh/" + in.Name).view())
	case "bitbucket":
		return created(s.addOrg("bb/" + in.Name).view())
	case "circleci":
		o := &org{id: s.newID(), name: in.Name, vcsType: in.VCSType}
		o.slug = "circleci/" + o.id.String()
		s.world.orgs = append(s.world.orgs, o)
		return created(o.view())
	}
	return message(http.StatusBadRequest, "Invalid VCS type "+in.VCSType+". Must be one of: github, bitbucket, circleci")
}

func allowOrbURL(s *Server, r *request, o *org) *answer {
	var in struct {
		Name   string `json:"name"`
		Prefix string `json:"prefix"`
		Auth   string `json:"auth"`
	}
	if a := r.bind(&in); a != nil {
		return a
	}
	u, err := url.Parse(in.Prefix)
	problem := ""
	switch {
	case strings.TrimSpace(in.Name) == "":
		problem = "name must not be blank"
	case err != nil || u.Scheme != "https" || u.Host == "" || !strings.HasSuffix(u.Path, "/"):
		problem = "prefix must be a URL with https that ends in a slash"
	case !slices.Contains([]string{"none", "github-oauth", "github-app", "bitbucket-oauth"}, in.Auth):
		problem = "auth is not one of none, github-oauth, github-app and bitbucket-oauth"
	case len(o.orbURLs) >= maxOrbURLs:
		problem = "an organization has at most 5 entries"
	}
	if problem != "" {
		return message(http.StatusBadRequest, "circlecitest: "+problem)
	}
	e := &orbURL{s.newID(), in.Name, in.Prefix, in.Auth}
	o.orbURLs = append(o.orbURLs, e)
	return created(object{"id": e.id, "message": "URL orb allow-list entry created."})
}
