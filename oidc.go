package circleci

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// OIDCService manages the custom claims of the OpenID Connect tokens that jobs
// receive, for an organization or for one project.
type OIDCService service

// OIDCClaims are the custom claims of an organization or a project. If no
// claims are set, only the IDs are set; this is not an error.
type OIDCClaims struct {
	OrgID uuid.UUID `json:"org_id"`
	// ProjectID is zero for the claims of an organization.
	ProjectID uuid.UUID `json:"project_id,omitzero"`
	// Audience is the aud claim; empty if not set. The API does not preserve
	// its order.
	Audience []string `json:"audience,omitzero"`
	// TTL is the lifetime of a token; zero if not set.
	TTL Duration `json:"ttl,omitzero"`
	// AudienceUpdatedAt and TTLUpdatedAt are the times when the claims were
	// last set or deleted.
	AudienceUpdatedAt time.Time `json:"audience_updated_at,omitzero"`
	TTLUpdatedAt      time.Time `json:"ttl_updated_at,omitzero"`
}

// OIDCClaim names a custom claim.
type OIDCClaim string

// The custom claims.
const (
	OIDCClaimAudience OIDCClaim = "audience"
	OIDCClaimTTL      OIDCClaim = "ttl"
)

// UpdateOIDCClaimsRequest holds the claims to set. Claims that are not set stay
// unchanged. To delete a claim, see [OIDCService.DeleteOrgClaims].
type UpdateOIDCClaimsRequest struct {
	Audience Optional[[]string] `json:"audience,omitzero"`
	// TTL is sent in hours, minutes, seconds and milliseconds, because the live
	// API refuses days and weeks.
	TTL Optional[Duration] `json:"ttl,omitzero"`
}

func (r UpdateOIDCClaimsRequest) check() error {
	if ttl, _ := r.TTL.Get(); ttl < 0 || time.Duration(ttl)%time.Millisecond != 0 {
		return &ArgumentError{Name: "ttl", Reason: fmt.Sprintf("is %v: it must be a whole number of milliseconds, and not negative", ttl)}
	}
	return nil
}

// oidcClaimList is the claims to delete.
type oidcClaimList []OIDCClaim

func (l oidcClaimList) query(q *encode.Query) {
	names := make([]string, len(l))
	for i, claim := range l {
		names[i] = string(claim)
	}
	q.String("claims", strings.Join(names, ",")) // the API expects one parameter here, not one for each claim
}

func (l oidcClaimList) check() error {
	for _, claim := range l {
		if claim == "" {
			return &ArgumentError{Name: "claims", Reason: "contains an empty name"}
		}
	}
	if len(l) == 0 {
		return &ArgumentError{Name: "claims", Reason: "is empty: name the claims to delete"}
	}
	return nil
}

// GetOrgClaims returns the custom claims of an organization.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/OIDC-Token-Management/operation/GetOrgClaims
//
//circleci:operation GET /org/{orgID}/oidc-custom-claims
func (s *OIDCService) GetOrgClaims(ctx context.Context, orgID uuid.UUID, opts ...RequestOption) (*OIDCClaims, error) {
	return do[OIDCClaims](ctx, s.client, get("/org/{orgID}/oidc-custom-claims", orgID).with(opts))
}

// UpdateOrgClaims sets custom claims of an organization and returns all its
// claims.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/OIDC-Token-Management/operation/PatchOrgClaims
//
//circleci:operation PATCH /org/{orgID}/oidc-custom-claims
func (s *OIDCService) UpdateOrgClaims(ctx context.Context, orgID uuid.UUID, in UpdateOIDCClaimsRequest, opts ...RequestOption) (*OIDCClaims, error) {
	return do[OIDCClaims](ctx, s.client, patch("/org/{orgID}/oidc-custom-claims", orgID).body(in).with(opts))
}

// DeleteOrgClaims deletes custom claims of an organization and returns the
// remaining ones. At least one claim must be named.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/OIDC-Token-Management/operation/DeleteOrgClaims
//
//circleci:operation DELETE /org/{orgID}/oidc-custom-claims
func (s *OIDCService) DeleteOrgClaims(ctx context.Context, orgID uuid.UUID, claims []OIDCClaim, opts ...RequestOption) (*OIDCClaims, error) {
	return do[OIDCClaims](ctx, s.client, remove("/org/{orgID}/oidc-custom-claims", orgID).query(oidcClaimList(claims)).with(opts))
}

// GetProjectClaims returns the custom claims of a project. The claims of its
// organization are not included.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/OIDC-Token-Management/operation/GetProjectClaims
//
//circleci:operation GET /org/{orgID}/project/{projectID}/oidc-custom-claims
func (s *OIDCService) GetProjectClaims(ctx context.Context, orgID, projectID uuid.UUID, opts ...RequestOption) (*OIDCClaims, error) {
	return do[OIDCClaims](ctx, s.client, get("/org/{orgID}/project/{projectID}/oidc-custom-claims", orgID, projectID).with(opts))
}

// UpdateProjectClaims sets custom claims of a project and returns all its
// claims.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/OIDC-Token-Management/operation/PatchProjectClaims
//
//circleci:operation PATCH /org/{orgID}/project/{projectID}/oidc-custom-claims
func (s *OIDCService) UpdateProjectClaims(ctx context.Context, orgID, projectID uuid.UUID, in UpdateOIDCClaimsRequest, opts ...RequestOption) (*OIDCClaims, error) {
	return do[OIDCClaims](ctx, s.client, patch("/org/{orgID}/project/{projectID}/oidc-custom-claims", orgID, projectID).body(in).with(opts))
}

// DeleteProjectClaims deletes custom claims of a project and returns the
// remaining ones. At least one claim must be named.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/OIDC-Token-Management/operation/DeleteProjectClaims
//
//circleci:operation DELETE /org/{orgID}/project/{projectID}/oidc-custom-claims
func (s *OIDCService) DeleteProjectClaims(ctx context.Context, orgID, projectID uuid.UUID, claims []OIDCClaim, opts ...RequestOption) (*OIDCClaims, error) {
	return do[OIDCClaims](ctx, s.client, remove("/org/{orgID}/project/{projectID}/oidc-custom-claims", orgID, projectID).query(oidcClaimList(claims)).with(opts))
}
