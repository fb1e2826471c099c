package circleci_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

var signingTests = []operationTest{
	{
		op: "GET /certificates",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Signing.ListCertificates(id2))
		},
		path: "/certificates", query: "org-id=22222222-2222-4222-8222-222222222222", fixture: "signing/listCertificates",
	},
	{
		op: "POST /certificates",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return createdAs(c.Signing.CreateCertificate(ctx, circleci.CreateCertificateRequest{
				OrgID: id2, FileName: "release.p12", Blob: "AAAA", Password: "hunter2",
			}))
		},
		path: "/certificates",
		body: `{"org_id":"22222222-2222-4222-8222-222222222222","cert_file_name":"release.p12","cert_blob":"AAAA",` +
			`"cert_password":"hunter2"}`,
		fixture: "signing/createCertificate", status: 201,
	},
	{
		op: "DELETE /certificates/{id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return none(c.Signing.DeleteCertificate(ctx, id1))
		},
		path: "/certificates/11111111-1111-4111-8111-111111111111", fixture: "signing/deleteCertificate",
	},
	{
		op: "GET /signing-configs",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Signing.ListConfigs(id2))
		},
		path: "/signing-configs", query: "org-id=22222222-2222-4222-8222-222222222222", fixture: "signing/listSigningConfigs",
	},
	{
		op: "POST /signing-configs",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return createdAs(c.Signing.CreateConfig(ctx, circleci.CreateSigningConfigRequest{
				Name: "app-store", OrgID: id2, CertificateID: id1,
				ProvisioningProfiles: []circleci.ProvisioningProfileRequest{{FileName: "app.mobileprovision", Blob: "BBBB"}},
			}))
		},
		path: "/signing-configs",
		body: `{"name":"app-store","org_id":"22222222-2222-4222-8222-222222222222",` +
			`"cert_id":"11111111-1111-4111-8111-111111111111",` +
			`"provisioning_profiles":[{"file_name":"app.mobileprovision","blob":"BBBB"}]}`,
		fixture: "signing/createSigningConfig", status: 201,
	},
	{
		op: "DELETE /signing-configs/{id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return none(c.Signing.DeleteConfig(ctx, id1))
		},
		path: "/signing-configs/11111111-1111-4111-8111-111111111111", fixture: "signing/deleteSigningConfig",
	},
}

// createdAs is the result of a method that returns an ID alone.
func createdAs(id uuid.UUID, err error) (any, error) { return map[string]any{"id": id}, err }

func TestBadSigningInputIsNotSent(t *testing.T) {
	srv := circlecitest.New(t)
	signing := srv.Client().Signing
	profiles := []circleci.ProvisioningProfileRequest{{FileName: "a", Blob: "AAAA"}}
	certificate := func(in circleci.CreateCertificateRequest) error {
		return second(signing.CreateCertificate(t.Context(), in))
	}
	config := func(in circleci.CreateSigningConfigRequest) error {
		return second(signing.CreateConfig(t.Context(), in))
	}
	for what, err := range map[string]error{
		"a certificate of nobody":   certificate(circleci.CreateCertificateRequest{FileName: "a", Blob: "AAAA"}),
		"a certificate, no name":    certificate(circleci.CreateCertificateRequest{OrgID: id1, Blob: "AAAA"}),
		"a certificate, no content": certificate(circleci.CreateCertificateRequest{OrgID: id1, FileName: "a"}),
		"a config of nobody": config(circleci.CreateSigningConfigRequest{
			Name: "a", CertificateID: id1, ProvisioningProfiles: profiles}),
		"a config, no certificate": config(circleci.CreateSigningConfigRequest{
			Name: "a", OrgID: id1, ProvisioningProfiles: profiles}),
		"a config, no profiles": config(circleci.CreateSigningConfigRequest{Name: "a", OrgID: id1, CertificateID: id1}),
		"a config, no name": config(circleci.CreateSigningConfigRequest{
			OrgID: id1, CertificateID: id1, ProvisioningProfiles: profiles}),
		"the zero UUID": second(signing.ListCertificates(uuid.Nil).Collect(t.Context())),
	} {
		assert.ErrorIs(t, err, circleci.ErrInvalidArgument, what)
	}
	assert.Empty(t, srv.Requests())
}

// A certificate and its password are printed nowhere.
func TestACertificateIsNotPrinted(t *testing.T) {
	in := circleci.CreateCertificateRequest{Blob: "c2VjcmV0", Password: "hunter2"}
	text := fmt.Sprintf("%v %+v %#v", in, in, in)
	assert.NotContains(t, text, "hunter2")
	assert.NotContains(t, text, "c2VjcmV0")
	config := circleci.CreateSigningConfigRequest{
		ProvisioningProfiles: []circleci.ProvisioningProfileRequest{{Blob: "c2VjcmV0"}},
	}
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", config, config, config), "c2VjcmV0")
}
