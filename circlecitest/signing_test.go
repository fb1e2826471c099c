package circlecitest_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func TestSigning(t *testing.T) {
	srv := circlecitest.New(t)
	signing, ctx, orgID := srv.Client().Signing, t.Context(), srv.AddOrg("gh/acme")
	certificate := got(signing.CreateCertificate(ctx, circleci.CreateCertificateRequest{OrgID: orgID, FileName: "a.p12", Blob: "AAAA"}))(t)
	in := circleci.CreateSigningConfigRequest{
		Name: "app", OrgID: orgID, CertificateID: certificate,
		ProvisioningProfiles: []circleci.ProvisioningProfileRequest{{FileName: "a.mobileprovision", Blob: "BBBB"}},
	}
	config := got(signing.CreateConfig(ctx, in))(t)
	_, err := signing.CreateConfig(ctx, in)
	require.ErrorIs(t, err, circleci.ErrConflict, "the name is in use")
	assert.Equal(t, "a.p12", collected(t, signing.ListCertificates(orgID))[0].FileName)
	listed := collected(t, signing.ListConfigs(orgID))[0]
	assert.Equal(t, certificate, listed.Certificate.ID)
	assert.Equal(t, "a.mobileprovision", listed.ProvisioningProfiles[0].FileName)
	require.ErrorIs(t, signing.DeleteCertificate(ctx, certificate), circleci.ErrConflict, "a config uses it")
	require.NoError(t, signing.DeleteConfig(ctx, config))
	require.NoError(t, signing.DeleteCertificate(ctx, certificate))
	require.ErrorIs(t, signing.DeleteCertificate(ctx, certificate), circleci.ErrNotFound)
	require.ErrorIs(t, signing.DeleteConfig(ctx, config), circleci.ErrNotFound)
	in.CertificateID = certificate
	_, err = signing.CreateConfig(ctx, in)
	require.ErrorIs(t, err, circleci.ErrNotFound)
	_, err = signing.ListCertificates(uuid.New()).Collect(ctx)
	require.ErrorIs(t, err, circleci.ErrNotFound)
}

func TestAuditLogConfigs(t *testing.T) {
	srv := circlecitest.New(t)
	audit, ctx, orgID := srv.Client().AuditLog, t.Context(), srv.AddOrg("gh/acme")
	assert.True(t, got(audit.HasAccess(ctx, orgID))(t))
	in := circleci.AuditLogConfigRequest{
		TargetType: circleci.AuditLogTargetS3, Config: circleci.AuditLogBucket{ARN: "arn:a", Region: "us-east-1", BucketName: "logs"},
	}
	require.NoError(t, audit.CheckConnection(ctx, in))
	config := got(audit.CreateConfig(ctx, orgID, in))(t)
	assert.Equal(t, circleci.AuditLogConnectionStatusConnected, config.ConnectionStatus)
	_, err := audit.CreateConfig(ctx, orgID, in)
	require.ErrorIs(t, err, circleci.ErrConflict, "one for each kind of storage")
	changed := got(audit.UpdateConfig(ctx, circleci.UpdateAuditLogConfigRequest{
		ID: config.ID, OrgID: orgID, TargetType: in.TargetType, Disabled: true, Config: in.Config,
	}))(t)
	assert.Equal(t, circleci.AuditLogConnectionStatusDisabled, changed.ConnectionStatus)
	assert.Equal(t, changed, got(audit.GetConfig(ctx, config.ID))(t))
	assert.Len(t, collected(t, audit.ListConfigs(orgID)), 1)
	require.NoError(t, audit.DeleteConfig(ctx, config.ID))
	require.ErrorIs(t, audit.DeleteConfig(ctx, config.ID), circleci.ErrNotFound)
	in.Config.Region = ""
	require.Error(t, audit.CheckConnection(ctx, in))
	_, err = audit.HasAccess(ctx, uuid.New())
	require.ErrorIs(t, err, circleci.ErrNotFound)
}

func TestRepositoriesOfTheGitHubApp(t *testing.T) {
	srv := circlecitest.New(t)
	app, ctx := srv.Client().GitHubApp, t.Context()
	orgID := srv.AddOrg("gh/acme")
	_, err := app.GetInstallation(ctx, orgID)
	require.ErrorIs(t, err, circleci.ErrNotFound, "the organization has no repository")
	for i := range 250 {
		srv.AddProject(circleci.ProjectSlug("gh/acme/r" + string(rune('a'+i%26)) + string(rune('a'+i/26))))
	}
	assert.Len(t, collected(t, app.ListRepositories(orgID)), 250)
	assert.Equal(t, "all", got(app.GetInstallation(ctx, orgID))(t).RepositorySelection)
}
