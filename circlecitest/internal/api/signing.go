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

func certificateView(c *world.Certificate) form.Object {
	return form.Object{"id": c.ID, "file_name": c.FileName, "cert_type": "distribution"}
}

func signingConfigView(c *world.SigningConfig) form.Object {
	profiles := []any{}
	for _, p := range c.Profiles {
		profiles = append(profiles, form.Object{"id": p.ID, "file_name": p.FileName})
	}
	return form.Object{"id": c.ID, "name": c.Name, "certificate": certificateView(c.Certificate), "provisioning_profiles": profiles}
}

func createCertificate(s *engine.Engine, r *exchange.Request) *exchange.Answer {
	var in struct {
		OrgID    string `json:"org_id"`
		FileName string `json:"cert_file_name"`
		Blob     string `json:"cert_blob"`
		Password string `json:"cert_password"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	o := s.OrgByID(in.OrgID)
	switch {
	case o == nil:
		return exchange.NotFound("Organization")
	case in.FileName == "" || in.Blob == "":
		return exchange.Missing("cert_file_name or cert_blob")
	}
	c := &world.Certificate{ID: s.NewID(), Org: o, FileName: in.FileName, Blob: in.Blob}
	s.Signing.Certificates = append(s.Signing.Certificates, c)
	return exchange.Created(form.Object{"id": c.ID})
}

func createSigningConfig(s *engine.Engine, r *exchange.Request) *exchange.Answer {
	var in struct {
		Name          string    `json:"name"`
		OrgID         string    `json:"org_id"`
		CertificateID uuid.UUID `json:"cert_id"`
		Profiles      []struct {
			FileName string `json:"file_name"`
			Blob     string `json:"blob"`
		} `json:"provisioning_profiles"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	o, c := s.OrgByID(in.OrgID), s.CertificateBy(in.CertificateID)
	switch {
	case o == nil:
		return exchange.NotFound("Organization")
	case c == nil || c.Org != o:
		return exchange.NotFound("Certificate")
	case in.Name == "" || len(in.Profiles) == 0:
		return exchange.Missing("name or provisioning_profiles")
	case slices.ContainsFunc(s.Signing.Configs, func(x *world.SigningConfig) bool { return x.Certificate.Org == o && x.Name == in.Name }):
		return exchange.Message(http.StatusConflict, "A signing config with this name exists.")
	}
	x := &world.SigningConfig{ID: s.NewID(), Name: in.Name, Certificate: c}
	for _, p := range in.Profiles {
		x.Profiles = append(x.Profiles, world.SigningProfile{ID: s.NewID(), FileName: p.FileName})
	}
	s.Signing.Configs = append(s.Signing.Configs, x)
	return exchange.Created(form.Object{"id": x.ID})
}

var signingHandlers = map[string]exchange.Handler{
	"GET /certificates": withQueryOrg(func(s *engine.Engine, _ *exchange.Request, o *world.Org) *exchange.Answer {
		items := []any{}
		for _, c := range s.Signing.Certificates {
			if c.Org == o {
				items = append(items, certificateView(c))
			}
		}
		return exchange.OK(form.Object{"items": items})
	}),
	"POST /certificates": createCertificate,
	"DELETE /certificates/{id}": func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		c := s.CertificateBy(r.ID("id"))
		switch {
		case c == nil:
			return exchange.NotFound("Certificate")
		case slices.ContainsFunc(s.Signing.Configs, func(x *world.SigningConfig) bool { return x.Certificate == c }):
			return exchange.Message(http.StatusConflict, "The certificate is in use.")
		}
		s.Signing.Certificates = slices.DeleteFunc(s.Signing.Certificates, func(other *world.Certificate) bool { return other == c })
		return &exchange.Answer{Status: http.StatusNoContent}
	},
	"GET /signing-configs": withQueryOrg(func(s *engine.Engine, _ *exchange.Request, o *world.Org) *exchange.Answer {
		items := []any{}
		for _, c := range s.Signing.Configs {
			if c.Certificate.Org == o {
				items = append(items, signingConfigView(c))
			}
		}
		return exchange.OK(form.Object{"items": items})
	}),
	"POST /signing-configs": createSigningConfig,
	"DELETE /signing-configs/{id}": func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		n := len(s.Signing.Configs)
		s.Signing.Configs = slices.DeleteFunc(s.Signing.Configs, func(c *world.SigningConfig) bool { return c.ID == r.ID("id") })
		if len(s.Signing.Configs) == n {
			return exchange.NotFound("Signing config")
		}
		return &exchange.Answer{Status: http.StatusNoContent}
	},
}
