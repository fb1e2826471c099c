package api

import (
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

type auditConfigIn struct {
	TargetType string         `json:"target_type"`
	IsDisabled bool           `json:"is_disabled"`
	Config     map[string]any `json:"config"`
	Purpose    string         `json:"purpose"`
}

func (in auditConfigIn) check() *exchange.Answer {
	switch {
	case in.TargetType != "S3" && in.TargetType != "S3_COMPATIBLE":
		return exchange.Message(http.StatusBadRequest, "circlecitest: target_type is S3 or S3_COMPATIBLE")
	case in.Config["arn"] == nil || in.Config["bucket_name"] == nil:
		return exchange.Missing("config.arn or config.bucket_name")
	case in.TargetType == "S3" && in.Config["region"] == nil, in.TargetType == "S3_COMPATIBLE" && in.Config["endpoint"] == nil:
		return exchange.Missing("config.region or config.endpoint")
	case in.Purpose != "audit-logs":
		return exchange.Missing("purpose")
	}
	return nil
}

// apply puts what was sent into a configuration.
func (in auditConfigIn) apply(s *engine.Engine, c *world.AuditConfig) {
	c.TargetType, c.Disabled, c.Config, c.Purpose, c.Updated = in.TargetType, in.IsDisabled, in.Config, in.Purpose, s.Now()
}

func auditConfigView(c *world.AuditConfig) form.Object {
	status := "CONNECTED"
	if c.Disabled {
		status = "DISABLED"
	}
	return form.Object{
		"id": c.ID, "org_id": c.Org.ID, "target_type": c.TargetType, "is_disabled": c.Disabled, "config": c.Config,
		"purpose": c.Purpose, "created_by": c.By.ID, "created_at": form.Time(c.Created), "updated_at": form.Time(c.Updated),
		"connection_status": status,
	}
}

const errNoAuditConfig = "Resource does not exist or unauthorized"

// withAuditOrg is a handler for a route with an organization's ID.
func withAuditOrg(do func(s *engine.Engine, r *exchange.Request, o *world.Org) *exchange.Answer) exchange.Handler {
	return func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		if o := s.OrgByID(r.Params["org_id"]); o != nil {
			return do(s, r, o)
		}
		return exchange.Message(http.StatusNotFound, errNoAuditConfig)
	}
}

func createAuditConfig(s *engine.Engine, r *exchange.Request, o *world.Org) *exchange.Answer {
	var in auditConfigIn
	if a := r.Bind(&in); a != nil {
		return a
	}
	if a := in.check(); a != nil {
		return a
	}
	if slices.ContainsFunc(s.AuditConfigs, func(c *world.AuditConfig) bool { return c.Org == o && c.TargetType == in.TargetType }) {
		return exchange.Message(http.StatusConflict, "A config of this type exists.")
	}
	c := &world.AuditConfig{ID: s.NewID(), Org: o, By: s.Me, Created: s.Now()}
	in.apply(s, c)
	s.AuditConfigs = append(s.AuditConfigs, c)
	return exchange.OK(auditConfigView(c))
}

func updateAuditConfig(s *engine.Engine, r *exchange.Request) *exchange.Answer {
	var in struct {
		ID         uuid.UUID      `json:"id"`
		OrgID      string         `json:"org_id"`
		TargetType string         `json:"target_type"`
		IsDisabled bool           `json:"is_disabled"`
		Config     map[string]any `json:"config"`
		Purpose    string         `json:"purpose"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	body := auditConfigIn{in.TargetType, in.IsDisabled, in.Config, in.Purpose}
	if a := body.check(); a != nil {
		return a
	}
	c := s.AuditConfigBy(in.ID)
	if c == nil {
		return exchange.Message(http.StatusNotFound, errNoAuditConfig)
	}
	body.apply(s, c)
	return exchange.OK(auditConfigView(c))
}

var auditLogHandlers = map[string]exchange.Handler{
	"GET /organizations/{org_id}/audit-log/configs": withAuditOrg(func(s *engine.Engine, _ *exchange.Request, o *world.Org) *exchange.Answer {
		items := []any{}
		for _, c := range s.AuditConfigs {
			if c.Org == o {
				items = append(items, auditConfigView(c))
			}
		}
		return exchange.OK(form.Object{"items": items})
	}),
	"POST /organizations/{org_id}/audit-log/configs": withAuditOrg(createAuditConfig),
	"GET /organizations/{org_id}/audit-log/access": withAuditOrg(func(*engine.Engine, *exchange.Request, *world.Org) *exchange.Answer {
		return exchange.OK(form.Object{"has_access": true})
	}),
	"PUT /audit-log/configs": updateAuditConfig,
	"GET /audit-log/configs/{id}": func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		if c := s.AuditConfigBy(r.ID("id")); c != nil {
			return exchange.OK(auditConfigView(c))
		}
		return exchange.Message(http.StatusNotFound, errNoAuditConfig)
	},
	"DELETE /audit-log/configs/{id}": func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		c := s.AuditConfigBy(r.ID("id"))
		if c == nil {
			return exchange.Message(http.StatusNotFound, errNoAuditConfig)
		}
		s.AuditConfigs = slices.DeleteFunc(s.AuditConfigs, func(other *world.AuditConfig) bool { return other == c })
		return exchange.Message(http.StatusOK, "Config deleted.")
	},
	"POST /audit-log/configs/connection/check": func(_ *engine.Engine, r *exchange.Request) *exchange.Answer {
		var in auditConfigIn
		if a := r.Bind(&in); a != nil {
			return a
		}
		if a := in.check(); a != nil {
			return a
		}
		return exchange.Message(http.StatusOK, "The connection works.")
	},
}
