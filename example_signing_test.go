package circleci_test

import (
	"context"
	"fmt"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// Store a certificate, and delete all of an organization's.
func ExampleSigningService() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	orgID := srv.AddOrg("gh/acme")

	client := srv.Client()
	_, err := client.Signing.CreateCertificate(ctx, circleci.CreateCertificateRequest{
		OrgID: orgID, FileName: "old.p12", Blob: "AAAA", Password: "hunter2",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for certificate, err := range client.Signing.ListCertificates(orgID).All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if err := client.Signing.DeleteCertificate(ctx, certificate.ID); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("deleted", certificate.FileName)
	}
	// Output: deleted old.p12
}

// Stream the audit log of an organization to a bucket, if its plan allows it.
func ExampleAuditLogService() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	orgID := srv.AddOrg("gh/acme")

	client := srv.Client()
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
	orgID := srv.AddOrg("gh/acme")
	srv.AddProject("gh/acme/web")

	installation, err := srv.Client().GitHubApp.GetInstallation(ctx, orgID)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(installation.Login, installation.RepositorySelection)
	// Output: acme all
}

// Find the ID of a repository, which pipeline definitions and triggers need.
func ExampleGitHubAppService_GetRepositoryByName() {
	srv := circlecitest.NewServer()
	defer srv.Close()
	orgID := srv.AddOrg("gh/acme")
	srv.AddProject("gh/acme/web")

	repository, err := srv.Client().GitHubApp.GetRepositoryByName(context.Background(), orgID, "acme/web")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(repository.ExternalID())
	// Output: 705400000
}
