package circleci

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// AuditLogService manages audit log streaming: the storage that CircleCI writes
// an organization's audit log to.
//
// These operations are not in CircleCI's API specification of October 2025.
// Their requests and responses are known from public clients. Some of them
// report a 404 for every organization, so a 404 can mean that the server does
// not have these operations at all. Streaming requires a Scale plan.
type AuditLogService service

// AuditLogTarget is the type of storage that audit logs are written to.
type AuditLogTarget string

// The types of storage.
const (
	AuditLogTargetS3           AuditLogTarget = "S3"
	AuditLogTargetS3Compatible AuditLogTarget = "S3_COMPATIBLE"
)

// AuditLogConnectionStatus is the status of recent deliveries.
type AuditLogConnectionStatus string

// The connection statuses.
const (
	AuditLogConnectionStatusConnected    AuditLogConnectionStatus = "CONNECTED"
	AuditLogConnectionStatusDisconnected AuditLogConnectionStatus = "DISCONNECTED"
	AuditLogConnectionStatusUnknown      AuditLogConnectionStatus = "UNKNOWN"
	AuditLogConnectionStatusDisabled     AuditLogConnectionStatus = "DISABLED"
)

// AuditLogBucket is a bucket that audit logs are written to.
type AuditLogBucket struct {
	// ARN is the ARN of the IAM role that CircleCI assumes to write to the
	// bucket.
	ARN string `json:"arn"`
	// Region is required for [AuditLogTargetS3].
	Region       string `json:"region,omitzero"`
	BucketName   string `json:"bucket_name"`
	BucketPrefix string `json:"bucket_prefix,omitzero"`
	// Endpoint is required for [AuditLogTargetS3Compatible], and refused for
	// [AuditLogTargetS3].
	Endpoint string `json:"endpoint,omitzero"`
}

// AuditLogConfig is the streaming configuration of an organization's audit log.
// An organization has at most one for each type of storage.
type AuditLogConfig struct {
	ID               uuid.UUID                `json:"id"`
	OrgID            uuid.UUID                `json:"org_id"`
	TargetType       AuditLogTarget           `json:"target_type"`
	Disabled         bool                     `json:"is_disabled"`
	Config           AuditLogBucket           `json:"config"`
	Purpose          string                   `json:"purpose,omitzero"`
	CreatedBy        string                   `json:"created_by,omitzero"`
	CreatedAt        time.Time                `json:"created_at,omitzero"`
	UpdatedAt        time.Time                `json:"updated_at,omitzero"`
	ConnectionStatus AuditLogConnectionStatus `json:"connection_status,omitzero"`
}

func (c *AuditLogConfig) key() itemKey { return itemKey{id: c.ID} }

// auditLogPurpose is the only value that known clients send.
const auditLogPurpose = "audit-logs"

// AuditLogConfigRequest describes a configuration to create or check.
type AuditLogConfigRequest struct {
	TargetType AuditLogTarget `json:"target_type"`
	Disabled   bool           `json:"is_disabled"`
	Config     AuditLogBucket `json:"config"`
}

func (r AuditLogConfigRequest) check() error {
	if err := required("target_type", string(r.TargetType)); err != nil {
		return err
	}
	if err := required("config.arn", r.Config.ARN); err != nil {
		return err
	}
	return required("config.bucket_name", r.Config.BucketName)
}

// auditLogBody is the request body: the request and the fields that never vary.
type auditLogBody struct {
	AuditLogConfigRequest
	Purpose string `json:"purpose"`
}

// ListConfigs lists the configurations of an organization.
//
// This operation is not in CircleCI's API specification: see [AuditLogService].
//
// Not available on CircleCI server.
//
//circleci:operation GET /organizations/{org_id}/audit-log/configs
func (s *AuditLogService) ListConfigs(orgID uuid.UUID, opts ...RequestOption) *Pager[AuditLogConfig] {
	return list[AuditLogConfig](s.client, get("/organizations/{org_id}/audit-log/configs", orgID).with(opts))
}

// CreateConfig creates a configuration. The API checks the connection first,
// even if the configuration is disabled. If the organization already has a
// configuration for this type of storage, the error matches [ErrConflict]. If
// its plan does not include streaming, the error matches [ErrForbidden].
//
// This operation is not in CircleCI's API specification: see [AuditLogService].
//
// Not available on CircleCI server.
//
//circleci:operation POST /organizations/{org_id}/audit-log/configs
func (s *AuditLogService) CreateConfig(ctx context.Context, orgID uuid.UUID, in AuditLogConfigRequest, opts ...RequestOption) (*AuditLogConfig, error) {
	return create[AuditLogConfig](ctx, s.client, post("/organizations/{org_id}/audit-log/configs", orgID).body(auditLogBody{in, auditLogPurpose}).with(opts))
}

// GetConfig returns the configuration with the given ID. If there is none, the
// error matches [ErrNotFound].
//
// This operation is not in CircleCI's API specification: see [AuditLogService].
//
// Not available on CircleCI server.
//
//circleci:operation GET /audit-log/configs/{id}
func (s *AuditLogService) GetConfig(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*AuditLogConfig, error) {
	return do[AuditLogConfig](ctx, s.client, get("/audit-log/configs/{id}", id).with(opts))
}

// UpdateAuditLogConfigRequest holds the complete new state of a configuration.
type UpdateAuditLogConfigRequest struct {
	ID uuid.UUID `json:"id"`
	// OrgID is the organization of the configuration. It cannot be changed.
	OrgID      uuid.UUID      `json:"org_id"`
	TargetType AuditLogTarget `json:"target_type"`
	Disabled   bool           `json:"is_disabled"`
	Config     AuditLogBucket `json:"config"`
}

// updateAuditLogBody is the request body of UpdateConfig.
type updateAuditLogBody struct {
	UpdateAuditLogConfigRequest
	Purpose string `json:"purpose"`
}

func (b updateAuditLogBody) check() error {
	if b.ID == uuid.Nil {
		return &ArgumentError{Name: "id", Reason: "is missing"}
	}
	return AuditLogConfigRequest{b.TargetType, b.Disabled, b.Config}.check()
}

// UpdateConfig replaces a configuration and returns it. The API checks the
// connection first, unless the configuration is disabled.
//
// This operation is not in CircleCI's API specification: see [AuditLogService].
//
// Not available on CircleCI server.
//
//circleci:operation PUT /audit-log/configs
func (s *AuditLogService) UpdateConfig(ctx context.Context, in UpdateAuditLogConfigRequest, opts ...RequestOption) (*AuditLogConfig, error) {
	return do[AuditLogConfig](ctx, s.client, put("/audit-log/configs").body(updateAuditLogBody{in, auditLogPurpose}).with(opts))
}

// DeleteConfig deletes a configuration.
//
// This operation is not in CircleCI's API specification: see [AuditLogService].
//
// Not available on CircleCI server.
//
//circleci:operation DELETE /audit-log/configs/{id}
func (s *AuditLogService) DeleteConfig(ctx context.Context, id uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/audit-log/configs/{id}", id).with(opts))
}

// CheckConnection checks whether CircleCI can write to a bucket, without
// storing the configuration. It returns an error if CircleCI cannot.
//
// This operation is not in CircleCI's API specification: see [AuditLogService].
// Its response is not known.
//
// Not available on CircleCI server.
//
//circleci:operation POST /audit-log/configs/connection/check
func (s *AuditLogService) CheckConnection(ctx context.Context, in AuditLogConfigRequest, opts ...RequestOption) error {
	return exec(ctx, s.client, post("/audit-log/configs/connection/check").body(auditLogBody{in, auditLogPurpose}).with(opts))
}

// auditLogAccess is the response of HasAccess.
type auditLogAccess struct {
	HasAccess bool `json:"has_access"`
}

// HasAccess reports whether an organization's plan includes audit log
// streaming.
//
// This operation is not in CircleCI's API specification: see [AuditLogService].
//
// Not available on CircleCI server.
//
//circleci:operation GET /organizations/{org_id}/audit-log/access
func (s *AuditLogService) HasAccess(ctx context.Context, orgID uuid.UUID, opts ...RequestOption) (bool, error) {
	access, err := do[auditLogAccess](ctx, s.client, get("/organizations/{org_id}/audit-log/access", orgID).with(opts))
	return err == nil && access.HasAccess, err
}
