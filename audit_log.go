package circleci

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// AuditLogService works with the streaming of audit logs: where CircleCI
// writes the audit log of an organization to.
//
// Its operations are not in CircleCI's API specification of October 2025.
// Request and response are known from public clients, which report both answers
// and a 404 for every organization: a 404 can mean that the server does not
// have the operations at all. Streaming needs a Scale plan; self-hosted servers
// do not have it.
type AuditLogService service

// AuditLogTarget is the kind of storage that audit logs are written to.
type AuditLogTarget string

// The kinds of storage.
const (
	AuditLogTargetS3           AuditLogTarget = "S3"
	AuditLogTargetS3Compatible AuditLogTarget = "S3_COMPATIBLE"
)

// AuditLogConnectionStatus tells how recent deliveries have ended.
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
	// ARN is the IAM role that CircleCI assumes to write.
	ARN string `json:"arn"`
	// Region is required for [AuditLogTargetS3].
	Region       string `json:"region,omitzero"`
	BucketName   string `json:"bucket_name"`
	BucketPrefix string `json:"bucket_prefix,omitzero"`
	// Endpoint is required for [AuditLogTargetS3Compatible], and refused for
	// the other.
	Endpoint string `json:"endpoint,omitzero"`
}

// AuditLogConfig says where the audit log of an organization is written to. An
// organization has one at most for each kind of storage.
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

// auditLogPurpose is the one value that the API is known to be sent.
const auditLogPurpose = "audit-logs"

// AuditLogConfigRequest is a configuration to create or to check.
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

// auditLogBody is what is sent: the request, and what does not vary.
type auditLogBody struct {
	AuditLogConfigRequest
	Purpose string `json:"purpose"`
}

// ListConfigs lists the configurations of an organization.
//
// This operation is not in CircleCI's API specification: see [AuditLogService].
//
//circleci:operation GET /organizations/{org_id}/audit-log/configs
func (s *AuditLogService) ListConfigs(orgID uuid.UUID, opts ...RequestOption) *Pager[AuditLogConfig] {
	return list[AuditLogConfig](s.client, get("/organizations/{org_id}/audit-log/configs", orgID).with(opts))
}

// CreateConfig creates a configuration. The API checks the connection first,
// also for a disabled one. A second configuration of one kind of storage fails
// with an error matching [ErrConflict], an organization without the plan with
// one matching [ErrForbidden].
//
// This operation is not in CircleCI's API specification: see [AuditLogService].
//
//circleci:operation POST /organizations/{org_id}/audit-log/configs
func (s *AuditLogService) CreateConfig(ctx context.Context, orgID uuid.UUID, in AuditLogConfigRequest, opts ...RequestOption) (*AuditLogConfig, error) {
	return do[AuditLogConfig](ctx, s.client, post("/organizations/{org_id}/audit-log/configs", orgID).body(auditLogBody{in, auditLogPurpose}).with(opts))
}

// GetConfig returns a configuration, or an error matching [ErrNotFound].
//
// This operation is not in CircleCI's API specification: see [AuditLogService].
//
//circleci:operation GET /audit-log/configs/{id}
func (s *AuditLogService) GetConfig(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*AuditLogConfig, error) {
	return do[AuditLogConfig](ctx, s.client, get("/audit-log/configs/{id}", id).with(opts))
}

// UpdateAuditLogConfigRequest replaces a configuration as a whole.
type UpdateAuditLogConfigRequest struct {
	ID uuid.UUID `json:"id"`
	// OrgID is the organization of the configuration. It cannot be changed.
	OrgID      uuid.UUID      `json:"org_id"`
	TargetType AuditLogTarget `json:"target_type"`
	Disabled   bool           `json:"is_disabled"`
	Config     AuditLogBucket `json:"config"`
}

// updateAuditLogBody is what is sent of it.
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

// UpdateConfig replaces a configuration, and returns it. The API checks the
// connection first, unless the configuration is disabled.
//
// This operation is not in CircleCI's API specification: see [AuditLogService].
//
//circleci:operation PUT /audit-log/configs
func (s *AuditLogService) UpdateConfig(ctx context.Context, in UpdateAuditLogConfigRequest, opts ...RequestOption) (*AuditLogConfig, error) {
	return do[AuditLogConfig](ctx, s.client, put("/audit-log/configs").body(updateAuditLogBody{in, auditLogPurpose}).with(opts))
}

// DeleteConfig deletes a configuration.
//
// This operation is not in CircleCI's API specification: see [AuditLogService].
//
//circleci:operation DELETE /audit-log/configs/{id}
func (s *AuditLogService) DeleteConfig(ctx context.Context, id uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/audit-log/configs/{id}", id).with(opts))
}

// CheckConnection checks whether CircleCI can write to a bucket, and stores
// nothing. It returns an error if it cannot.
//
// This operation is not in CircleCI's API specification: see [AuditLogService].
// Its response is not known.
//
//circleci:operation POST /audit-log/configs/connection/check
func (s *AuditLogService) CheckConnection(ctx context.Context, in AuditLogConfigRequest, opts ...RequestOption) error {
	return exec(ctx, s.client, post("/audit-log/configs/connection/check").body(auditLogBody{in, auditLogPurpose}).with(opts))
}

// auditLogAccess says whether an organization may stream.
type auditLogAccess struct {
	HasAccess bool `json:"has_access"`
}

// HasAccess reports whether the plan of an organization includes the streaming
// of audit logs.
//
// This operation is not in CircleCI's API specification: see [AuditLogService].
//
//circleci:operation GET /organizations/{org_id}/audit-log/access
func (s *AuditLogService) HasAccess(ctx context.Context, orgID uuid.UUID, opts ...RequestOption) (bool, error) {
	access, err := do[auditLogAccess](ctx, s.client, get("/organizations/{org_id}/audit-log/access", orgID).with(opts))
	return err == nil && access.HasAccess, err
}
