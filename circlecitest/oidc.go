package circlecitest

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// oidcClaims are the custom claims of an organization or a project. The times
// of the last change outlive the claims.
type oidcClaims struct {
	audience     []string // nil: not set
	ttl          string   // empty: not set
	audienceTime time.Time
	ttlTime      time.Time
}

func (c *oidcClaims) view(o *org, p *project) object {
	view := object{"org_id": o.id}.put("ttl", c.ttl).put("audience_updated_at", c.audienceTime).put("ttl_updated_at", c.ttlTime)
	if p != nil {
		view["project_id"] = p.id
	}
	if c.audience != nil {
		audience := slices.Clone(c.audience)
		slices.Reverse(audience) // the API does not keep the order
		view["audience"] = audience
	}
	return view
}

// withClaims is a handler for a route with an organization's ID, and maybe a
// project's.
func withClaims(do func(s *Server, r *request, c *oidcClaims) *answer) handler {
	return func(s *Server, r *request) *answer {
		for _, param := range []string{"orgID", "projectID"} {
			if id, has := r.params[param]; has && uuid.Validate(id) != nil {
				return failure(http.StatusBadRequest, strings.ToUpper(param[:1])+param[1:]+": must be a valid UUID.")
			}
		}
		o := s.orgBy(r.id("orgID").String())
		if o == nil {
			return failure(http.StatusForbidden, "Forbidden")
		}
		if _, has := r.params["projectID"]; !has {
			return claimsAnswer(do(s, r, &o.claims), &o.claims, o, nil)
		}
		p := s.projectBy(r.id("projectID").String())
		if p == nil || p.org != o {
			return failure(http.StatusForbidden, "Forbidden")
		}
		return claimsAnswer(do(s, r, &p.claims), &p.claims, o, p)
	}
}

// claimsAnswer is the refusal, or the claims that there are.
func claimsAnswer(refusal *answer, c *oidcClaims, o *org, p *project) *answer {
	if refusal != nil {
		return refusal
	}
	return ok(c.view(o, p))
}

var (
	getClaims = withClaims(func(*Server, *request, *oidcClaims) *answer { return nil })

	patchClaims = withClaims(func(s *Server, r *request, c *oidcClaims) *answer {
		var in struct {
			Audience *[]string `json:"audience"`
			TTL      *string   `json:"ttl"`
		}
		if a := r.bind(&in); a != nil {
			return a
		}
		if in.TTL != nil {
			ttl, err := time.ParseDuration(*in.TTL) // Go's units alone
			if err != nil || ttl < 0 {
				return failure(http.StatusBadRequest, "circlecitest: ttl: is not a duration in the units that the API takes")
			}
			c.ttl, c.ttlTime = ttl.String(), s.now()
		}
		if in.Audience != nil {
			c.audience, c.audienceTime = slices.Clone(*in.Audience), s.now()
		}
		return nil
	})

	deleteClaims = withClaims(func(s *Server, r *request, c *oidcClaims) *answer {
		names := strings.Split(r.query.Get("claims"), ",")
		for _, name := range names {
			if name != "audience" && name != "ttl" {
				return failure(http.StatusBadRequest, "circlecitest: claims: are audience and ttl")
			}
		}
		if slices.Contains(names, "audience") {
			c.audience, c.audienceTime = nil, s.now()
		}
		if slices.Contains(names, "ttl") {
			c.ttl, c.ttlTime = "", s.now()
		}
		return nil
	})
)

var oidcHandlers = map[string]handler{
	"GET /org/{orgID}/oidc-custom-claims":                        getClaims,
	"PATCH /org/{orgID}/oidc-custom-claims":                      patchClaims,
	"DELETE /org/{orgID}/oidc-custom-claims":                     deleteClaims,
	"GET /org/{orgID}/project/{projectID}/oidc-custom-claims":    getClaims,
	"PATCH /org/{orgID}/project/{projectID}/oidc-custom-claims":  patchClaims,
	"DELETE /org/{orgID}/project/{projectID}/oidc-custom-claims": deleteClaims,
}
