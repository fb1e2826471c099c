package circleci

import (
	"context"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// SigningService manages the code signing of iOS builds: certificates, and
// signing configurations, which combine a certificate with provisioning
// profiles.
//
// These operations have been available since July 2026, and are not in
// CircleCI's API specification of October 2025. Their requests and responses
// are known from CircleCI's own clients. Certificates and configurations can
// only be listed, not read one by one. The API never returns the content of a
// certificate.
type SigningService service

// orgIDFilter is the required filter of lists that belong to an organization.
type orgIDFilter uuid.UUID

func (f orgIDFilter) query(q *encode.Query) { q.UUID("org-id", uuid.UUID(f)) }

func (f orgIDFilter) check() error {
	if uuid.UUID(f) == uuid.Nil {
		return &ArgumentError{Name: "org-id", Reason: "is missing"}
	}
	return nil
}

// Certificate is a code signing certificate.
type Certificate struct {
	ID       uuid.UUID `json:"id"`
	FileName string    `json:"file_name"`
	// Type is the type of the certificate, such as "distribution".
	Type string `json:"cert_type"`
}

func (c *Certificate) key() itemKey { return itemKey{id: c.ID} }

// ListCertificates lists the certificates of an organization.
//
// This operation is not in CircleCI's API specification: see [SigningService].
//
//circleci:operation GET /certificates
func (s *SigningService) ListCertificates(orgID uuid.UUID, opts ...RequestOption) *Pager[Certificate] {
	return list[Certificate](s.client, get("/certificates").query(orgIDFilter(orgID)).with(opts))
}

// CreateCertificateRequest describes a new certificate.
type CreateCertificateRequest struct {
	OrgID    uuid.UUID `json:"org_id"`
	FileName string    `json:"cert_file_name"`
	// Blob is the content of the .p12 file, in base64.
	Blob Secret `json:"cert_blob"`
	// Password opens the file. It can be empty.
	Password Secret `json:"cert_password"`
}

func (r CreateCertificateRequest) check() error {
	if r.OrgID == uuid.Nil {
		return &ArgumentError{Name: "org_id", Reason: "is missing"}
	}
	if err := required("cert_file_name", r.FileName); err != nil {
		return err
	}
	return required("cert_blob", r.Blob.Reveal())
}

// createdID is the response to a creation that contains only the ID.
type createdID struct {
	ID uuid.UUID `json:"id"`
}

// idOf returns the ID of the created object.
func idOf(out *createdID, err error) (uuid.UUID, error) {
	if err != nil {
		return uuid.Nil, err
	}
	return out.ID, nil
}

// CreateCertificate stores a certificate and returns its ID.
//
// This operation is not in CircleCI's API specification: see [SigningService].
//
//circleci:operation POST /certificates
func (s *SigningService) CreateCertificate(ctx context.Context, in CreateCertificateRequest, opts ...RequestOption) (uuid.UUID, error) {
	return idOf(create[createdID](ctx, s.client, post("/certificates").body(in).with(opts)))
}

// DeleteCertificate deletes a certificate. If a signing configuration still
// uses it, the error matches [ErrConflict].
//
// This operation is not in CircleCI's API specification: see [SigningService].
//
//circleci:operation DELETE /certificates/{id}
func (s *SigningService) DeleteCertificate(ctx context.Context, id uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/certificates/{id}", id).with(opts))
}

// SigningConfig combines a certificate with provisioning profiles.
type SigningConfig struct {
	ID                   uuid.UUID             `json:"id"`
	Name                 string                `json:"name"`
	Certificate          Certificate           `json:"certificate"`
	ProvisioningProfiles []ProvisioningProfile `json:"provisioning_profiles,omitzero"`
}

func (c *SigningConfig) key() itemKey { return itemKey{id: c.ID} }

// ProvisioningProfile is a provisioning profile of a signing configuration.
type ProvisioningProfile struct {
	ID       uuid.UUID `json:"id"`
	FileName string    `json:"file_name"`
}

// ListConfigs lists the signing configurations of an organization.
//
// This operation is not in CircleCI's API specification: see [SigningService].
//
//circleci:operation GET /signing-configs
func (s *SigningService) ListConfigs(orgID uuid.UUID, opts ...RequestOption) *Pager[SigningConfig] {
	return list[SigningConfig](s.client, get("/signing-configs").query(orgIDFilter(orgID)).with(opts))
}

// CreateSigningConfigRequest describes a new signing configuration.
type CreateSigningConfigRequest struct {
	Name                 string                       `json:"name"`
	OrgID                uuid.UUID                    `json:"org_id"`
	CertificateID        uuid.UUID                    `json:"cert_id"`
	ProvisioningProfiles []ProvisioningProfileRequest `json:"provisioning_profiles"`
}

// ProvisioningProfileRequest describes a provisioning profile to store.
type ProvisioningProfileRequest struct {
	FileName string `json:"file_name"`
	// Blob is the content of the file, in base64.
	Blob Secret `json:"blob"`
}

func (r CreateSigningConfigRequest) check() error {
	switch {
	case r.OrgID == uuid.Nil:
		return &ArgumentError{Name: "org_id", Reason: "is missing"}
	case r.CertificateID == uuid.Nil:
		return &ArgumentError{Name: "cert_id", Reason: "is missing"}
	case len(r.ProvisioningProfiles) == 0:
		return &ArgumentError{Name: "provisioning_profiles", Reason: "is empty"}
	}
	return required("name", r.Name)
}

// CreateConfig creates a signing configuration and returns its ID.
//
// This operation is not in CircleCI's API specification: see [SigningService].
//
//circleci:operation POST /signing-configs
func (s *SigningService) CreateConfig(ctx context.Context, in CreateSigningConfigRequest, opts ...RequestOption) (uuid.UUID, error) {
	return idOf(create[createdID](ctx, s.client, post("/signing-configs").body(in).with(opts)))
}

// DeleteConfig deletes a signing configuration. Its certificate is not deleted.
//
// This operation is not in CircleCI's API specification: see [SigningService].
//
//circleci:operation DELETE /signing-configs/{id}
func (s *SigningService) DeleteConfig(ctx context.Context, id uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/signing-configs/{id}", id).with(opts))
}
