package circleci_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

var auditBucket = circleci.AuditLogBucket{
	ARN: "arn:aws:iam::123456789012:role/audit", Region: "us-east-1", BucketName: "acme-audit", BucketPrefix: "circleci",
}

const auditBucketBody = `"is_disabled":true,"config":{"arn":"arn:aws:iam::123456789012:role/audit","region":"us-east-1",` +
	`"bucket_name":"acme-audit","bucket_prefix":"circleci"},"purpose":"audit-logs"}`

var auditLogTests = []operationTest{
	{
		op: "GET /organizations/{org_id}/audit-log/configs",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.AuditLog.ListConfigs(id2))
		},
		path:    "/organizations/22222222-2222-4222-8222-222222222222/audit-log/configs",
		fixture: "auditlog/listAuditLogConfigs",
	},
	{
		op: "POST /organizations/{org_id}/audit-log/configs",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.AuditLog.CreateConfig(ctx, id2, circleci.AuditLogConfigRequest{
				TargetType: circleci.AuditLogTargetS3, Disabled: true, Config: auditBucket,
			}))
		},
		path:    "/organizations/22222222-2222-4222-8222-222222222222/audit-log/configs",
		body:    `{"target_type":"S3",` + auditBucketBody,
		fixture: "auditlog/createAuditLogConfig",
	},
	{
		op: "PUT /audit-log/configs",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.AuditLog.UpdateConfig(ctx, circleci.UpdateAuditLogConfigRequest{
				ID: id1, OrgID: id2, TargetType: circleci.AuditLogTargetS3, Disabled: true, Config: auditBucket,
			}))
		},
		path: "/audit-log/configs",
		body: `{"id":"11111111-1111-4111-8111-111111111111","org_id":"22222222-2222-4222-8222-222222222222",` +
			`"target_type":"S3",` + auditBucketBody,
		fixture: "auditlog/updateAuditLogConfig",
	},
	{
		op: "GET /audit-log/configs/{id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.AuditLog.GetConfig(ctx, id1))
		},
		path: "/audit-log/configs/11111111-1111-4111-8111-111111111111", fixture: "auditlog/getAuditLogConfig",
	},
	{
		op: "DELETE /audit-log/configs/{id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return none(c.AuditLog.DeleteConfig(ctx, id1))
		},
		path: "/audit-log/configs/11111111-1111-4111-8111-111111111111", fixture: "auditlog/deleteAuditLogConfig",
	},
	{
		op: "POST /audit-log/configs/connection/check",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return none(c.AuditLog.CheckConnection(ctx, circleci.AuditLogConfigRequest{
				TargetType: circleci.AuditLogTargetS3, Disabled: true, Config: auditBucket,
			}))
		},
		path: "/audit-log/configs/connection/check", body: `{"target_type":"S3",` + auditBucketBody,
		fixture: "auditlog/checkAuditLogConnection",
	},
	{
		op: "GET /organizations/{org_id}/audit-log/access",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			has, err := c.AuditLog.HasAccess(ctx, id2)
			return map[string]any{"has_access": has}, err
		},
		path:    "/organizations/22222222-2222-4222-8222-222222222222/audit-log/access",
		fixture: "auditlog/getAuditLogAccess",
	},
}

func TestABadAuditLogConfigIsNotSent(t *testing.T) {
	srv := circlecitest.New(t)
	audit := srv.Client().AuditLog
	good := circleci.AuditLogConfigRequest{TargetType: circleci.AuditLogTargetS3, Config: auditBucket}
	for what, change := range map[string]func(*circleci.AuditLogConfigRequest){
		"no type":   func(r *circleci.AuditLogConfigRequest) { r.TargetType = "" },
		"no role":   func(r *circleci.AuditLogConfigRequest) { r.Config.ARN = "" },
		"no bucket": func(r *circleci.AuditLogConfigRequest) { r.Config.BucketName = "" },
	} {
		bad := good
		change(&bad)
		assert.ErrorIs(t, second(audit.CreateConfig(t.Context(), id1, bad)), circleci.ErrInvalidArgument, what)
		assert.ErrorIs(t, audit.CheckConnection(t.Context(), bad), circleci.ErrInvalidArgument, what)
		assert.ErrorIs(t, second(audit.UpdateConfig(t.Context(), circleci.UpdateAuditLogConfigRequest{
			ID: id1, OrgID: id2, TargetType: bad.TargetType, Config: bad.Config})), circleci.ErrInvalidArgument, what)
	}
	assert.ErrorIs(t, second(audit.UpdateConfig(t.Context(), circleci.UpdateAuditLogConfigRequest{
		OrgID: id2, TargetType: good.TargetType, Config: good.Config})), circleci.ErrInvalidArgument, "no ID")
	assert.Empty(t, srv.Requests())
}
