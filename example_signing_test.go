package circleci_test

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// Delete the certificates of an organization that are used for development.
func ExampleSigningService() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	srv.Fail("GET /certificates", circlecitest.Response{Body: `{"items":[` +
		`{"id":"11111111-1111-4111-8111-111111111111","file_name":"release.p12","cert_type":"distribution"},` +
		`{"id":"22222222-2222-4222-8222-222222222222","file_name":"dev.p12","cert_type":"development"}]}`})
	srv.Fail("DELETE /certificates/{id}", circlecitest.Response{Status: 204})

	client := srv.Client()
	orgID := uuid.MustParse("33333333-3333-4333-8333-333333333333")
	for certificate, err := range client.Signing.ListCertificates(orgID).All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if certificate.Type != "development" {
			continue
		}
		if err := client.Signing.DeleteCertificate(ctx, certificate.ID); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("deleted", certificate.FileName)
	}
	// Output: deleted dev.p12
}

// Stream the audit log of an organization to a bucket, if its plan allows it.
func ExampleAuditLogService() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	srv.Fail("GET /organizations/{org_id}/audit-log/access", circlecitest.Response{Body: `{"has_access":true}`})
	srv.Fail("POST /organizations/{org_id}/audit-log/configs", circlecitest.Response{Body: `{` +
		`"id":"11111111-1111-4111-8111-111111111111","target_type":"S3","connection_status":"CONNECTED"}`})

	client := srv.Client()
	orgID := uuid.MustParse("33333333-3333-4333-8333-333333333333")
	if ok, err := client.AuditLog.HasAccess(ctx, orgID); err != nil || !ok {
		fmt.Println(ok, err)
		return
	}
	config, err := client.AuditLog.CreateConfig(ctx, orgID, circleci.AuditLogConfigRequest{
		TargetType: circleci.AuditLogTargetS3,
		Config: circleci.AuditLogBucket{
			ARN: "arn:aws:iam::123456789012:role/audit", Region: "us-east-1", BucketName: "acme-audit",
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(config.ConnectionStatus)
	// Output: CONNECTED
}

// Read which account on GitHub an organization's GitHub App is installed for.
func ExampleGitHubAppService() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	srv.Fail("GET /github-app/organization/{org_id}/installation", circlecitest.Response{Body: `{` +
		`"id":12345678,"target_type":"Organization","login":"acme","repository_selection":"all"}`})

	orgID := uuid.MustParse("33333333-3333-4333-8333-333333333333")
	installation, err := srv.Client().GitHubApp.GetInstallation(ctx, orgID)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(installation.Login, installation.RepositorySelection)
	// Output: acme all
}

// Find the ID of a repository, which pipeline definitions and triggers need.
func ExampleGitHubAppService_ResolveRepository() {
	srv := circlecitest.NewServer()
	defer srv.Close()
	srv.Fail("GET /github-app/organization/{org_id}/repositories", circlecitest.Response{Body: `{` +
		`"items":[{"id":705400001,"repo_full_name":"acme/web","owner":"acme","repo_name":"web"}],"total_count":1}`})

	orgID := uuid.MustParse("33333333-3333-4333-8333-333333333333")
	repository, err := srv.Client().GitHubApp.ResolveRepository(context.Background(), orgID, "acme/web")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(repository.ExternalID())
	// Output: 705400001
}
