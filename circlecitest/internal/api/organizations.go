package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// maxOrbURLs is the maximum number of entries in the list.
const maxOrbURLs = 5

func orgView(o *world.Org) form.Object {
	return form.Object{"id": o.ID, "name": o.Name, "slug": o.Slug, "vcs_type": o.VCSType}
}

func orbURLView(e *world.OrbURL) form.Object {
	return form.Object{"id": e.ID, "name": e.Name, "prefix": e.Prefix, "auth": e.Auth}
}

// withOrg returns a handler for a route with an organization's slug or ID.
func withOrg(do func(s *engine.Engine, r *exchange.Request, o *world.Org) *exchange.Answer) exchange.Handler {
	return func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		if o := s.OrgBy(r.Params["org-slug-or-id"]); o != nil {
			return do(s, r, o)
		}
		return exchange.Message(http.StatusNotFound, "Org not found.")
	}
}

var organizationHandlers = map[string]exchange.Handler{
	"POST /organization": createOrg,
	"GET /organization/{org-slug-or-id}": withOrg(func(_ *engine.Engine, _ *exchange.Request, o *world.Org) *exchange.Answer {
		return exchange.OK(orgView(o))
	}),
	"DELETE /organization/{org-slug-or-id}": withOrg(func(s *engine.Engine, _ *exchange.Request, o *world.Org) *exchange.Answer {
		if o.Paid {
			return exchange.Message(http.StatusForbidden, "Cannot delete a paid organization. Please downgrade your plan to a Free plan in order to delete this organization.")
		}
		s.RemoveOrg(o)
		return exchange.Message(http.StatusAccepted, "Accepted.")
	}),

	"GET /organization/{org-slug-or-id}/url-orb-allow-list": withOrg(func(_ *engine.Engine, _ *exchange.Request, o *world.Org) *exchange.Answer {
		items := make([]any, 0, len(o.OrbURLs))
		for _, e := range o.OrbURLs {
			items = append(items, orbURLView(e))
		}
		return exchange.OK(form.Object{"items": items})
	}),
	"POST /organization/{org-slug-or-id}/url-orb-allow-list": withOrg(allowOrbURL),
	"DELETE /organization/{org-slug-or-id}/url-orb-allow-list/{allow-list-entry-id}": withOrg(func(_ *engine.Engine, r *exchange.Request, o *world.Org) *exchange.Answer {
		id := r.ID("allow-list-entry-id")
		o.OrbURLs = slices.DeleteFunc(o.OrbURLs, func(e *world.OrbURL) bool { return e.ID == id })
		return exchange.OK(form.Object{"id": id, "message": "URL orb allow-list entry removed."}) // whether or not it existed
	}),
}

// createOrg creates an organization of type circleci. Organizations of the
// other types exist at their provider, and are added if they are unknown.
func createOrg(s *engine.Engine, r *exchange.Request) *exchange.Answer {
	var in struct {
		Name    string `json:"name"`
		VCSType string `json:"vcs_type"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	if strings.TrimSpace(in.Name) == "" {
		return exchange.Missing("name")
	}
	switch in.VCSType {
	case "circleci":
		return exchange.Created(orgView(s.AddStandaloneOrg(in.Name)))
	case "github", "bitbucket":
		slug, err := circleci.ParseOrgSlug(world.ShortSlug(in.VCSType + "/" + in.Name))
		if err != nil {
			return exchange.Message(http.StatusBadRequest, "Invalid organization name "+in.Name)
		}
		return exchange.Created(orgView(s.AddOrg(string(slug))))
	}
	return exchange.Message(http.StatusBadRequest, "Invalid VCS type "+in.VCSType+". Must be one of: github, bitbucket, circleci")
}

func allowOrbURL(s *engine.Engine, r *exchange.Request, o *world.Org) *exchange.Answer {
	var in struct {
		Name   string `json:"name"`
		Prefix string `json:"prefix"`
		Auth   string `json:"auth"`
	}
	if a := r.Bind(&in); a != nil {
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
	case len(o.OrbURLs) >= maxOrbURLs:
		problem = "an organization has at most 5 entries"
	}
	if problem != "" {
		return exchange.Message(http.StatusBadRequest, "circlecitest: "+problem)
	}
	e := &world.OrbURL{ID: s.NewID(), Name: in.Name, Prefix: in.Prefix, Auth: in.Auth}
	o.OrbURLs = append(o.OrbURLs, e)
	return exchange.Created(form.Object{"id": e.ID, "message": "URL orb allow-list entry created."})
}
