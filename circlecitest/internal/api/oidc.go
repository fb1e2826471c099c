package api

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

func oidcClaimsView(c *world.OidcClaims, o *world.Org, p *world.Project) form.Object {
	view := form.Object{"org_id": o.ID}.Put("ttl", c.TTL).Put("audience_updated_at", c.AudienceTime).Put("ttl_updated_at", c.TTLTime)
	if p != nil {
		view["project_id"] = p.ID
	}
	if c.Audience != nil {
		audience := slices.Clone(c.Audience)
		slices.Reverse(audience) // the API does not keep the order
		view["audience"] = audience
	}
	return view
}

// withClaims returns a handler for a route with an organization's ID and, in
// some routes, a project's.
func withClaims(do func(s *engine.Engine, r *exchange.Request, c *world.OidcClaims) *exchange.Answer) exchange.Handler {
	return func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		for _, param := range []string{"orgID", "projectID"} {
			if id, has := r.Params[param]; has && uuid.Validate(id) != nil {
				return exchange.Failure(http.StatusBadRequest, strings.ToUpper(param[:1])+param[1:]+": must be a valid UUID.")
			}
		}
		o := s.OrgBy(r.ID("orgID").String())
		if o == nil {
			return exchange.Failure(http.StatusForbidden, "Forbidden")
		}
		if _, has := r.Params["projectID"]; !has {
			return claimsAnswer(do(s, r, &o.Claims), &o.Claims, o, nil)
		}
		p := s.ProjectBy(r.ID("projectID").String())
		if p == nil || p.Org != o {
			return exchange.Failure(http.StatusForbidden, "Forbidden")
		}
		return claimsAnswer(do(s, r, &p.Claims), &p.Claims, o, p)
	}
}

// claimsAnswer returns the refusal, or the claims.
func claimsAnswer(refusal *exchange.Answer, c *world.OidcClaims, o *world.Org, p *world.Project) *exchange.Answer {
	if refusal != nil {
		return refusal
	}
	return exchange.OK(oidcClaimsView(c, o, p))
}

var (
	getClaims = withClaims(func(*engine.Engine, *exchange.Request, *world.OidcClaims) *exchange.Answer { return nil })

	patchClaims = withClaims(func(s *engine.Engine, r *exchange.Request, c *world.OidcClaims) *exchange.Answer {
		var in struct {
			Audience *[]string `json:"audience"`
			TTL      *string   `json:"ttl"`
		}
		if a := r.Bind(&in); a != nil {
			return a
		}
		if in.TTL != nil {
			ttl, err := time.ParseDuration(*in.TTL) // only Go's units
			if err != nil || ttl < 0 {
				return exchange.Failure(http.StatusBadRequest, "circlecitest: ttl: is not a duration in the units that the API takes")
			}
			c.TTL, c.TTLTime = ttl.String(), s.Now()
		}
		if in.Audience != nil {
			c.Audience, c.AudienceTime = slices.Clone(*in.Audience), s.Now()
		}
		return nil
	})

	deleteClaims = withClaims(func(s *engine.Engine, r *exchange.Request, c *world.OidcClaims) *exchange.Answer {
		names := strings.Split(r.Query.Get("claims"), ",")
		for _, name := range names {
			if name != "audience" && name != "ttl" {
				return exchange.Failure(http.StatusBadRequest, "circlecitest: claims: are audience and ttl")
			}
		}
		if slices.Contains(names, "audience") {
			c.Audience, c.AudienceTime = nil, s.Now()
		}
		if slices.Contains(names, "ttl") {
			c.TTL, c.TTLTime = "", s.Now()
		}
		return nil
	})
)

var oidcHandlers = map[string]exchange.Handler{
	"GET /org/{orgID}/oidc-custom-claims":                        getClaims,
	"PATCH /org/{orgID}/oidc-custom-claims":                      patchClaims,
	"DELETE /org/{orgID}/oidc-custom-claims":                     deleteClaims,
	"GET /org/{orgID}/project/{projectID}/oidc-custom-claims":    getClaims,
	"PATCH /org/{orgID}/project/{projectID}/oidc-custom-claims":  patchClaims,
	"DELETE /org/{orgID}/project/{projectID}/oidc-custom-claims": deleteClaims,
}
