package circleci

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// OIDCService works with the custom claims of the OpenID Connect tokens that
// jobs get, for all of an organization or for one project.
type OIDCService service

// OIDCClaims are the custom claims of an organization or a project. Where none
// are set the API answers with the IDs alone, and not with an error.
type OIDCClaims struct {
	OrgID uuid.UUID `json:"org_id"`
	// ProjectID is zero for the claims of an organization.
	ProjectID uuid.UUID `json:"project_id,omitzero"`
	// Audience is the claim aud; empty if none is set. The API does not keep
	// its order.
	Audience []string `json:"audience,omitzero"`
	// TTL is how long a token is valid; zero if none is set.
	TTL Duration `json:"ttl,omitzero"`
	// AudienceUpdatedAt and TTLUpdatedAt are when the claims were last set or
	// deleted: they stay after a deletion.
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

// UpdateOIDCClaimsRequest holds the claims to set; unset ones stay as they
// are. To take a claim away see [OIDCService.DeleteOrgClaims].
type UpdateOIDCClaimsRequest struct {
	Audience Optional[[]string] `json:"audience,omitzero"`
	// TTL is sent in hours, minutes, seconds and milliseconds, as the live API
	// refuses days and weeks.
	TTL Optional[Duration] `json:"ttl,omitzero"`
}

func (r UpdateOIDCClaimsRequest) check() error {
	if ttl, _ := r.TTL.Get(); ttl < 0 || time.Duration(ttl)%time.Millisecond != 0 {
		return &ArgumentError{Name: "ttl", Reason: fmt.Sprintf("is %v; the API takes whole milliseconds, and none below zero", ttl)}
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
	q.String("claims", strings.Join(names, ",")) // one parameter, unlike other lists
}

func (l oidcClaimList) check() error {
	for _, claim := range l {
		if claim == "" {
			return &ArgumentError{Name: "claims", Reason: "has one without a name"}
		}
	}
	if len(l) == 0 {
		return &ArgumentError{Name: "claims", Reason: "is empty; the API wants the names of the claims to delete"}
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

// UpdateOrgClaims sets custom claims of an organization, and returns all of
// them.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/OIDC-Token-Management/operation/PatchOrgClaims
//
//circleci:operation PATCH /org/{orgID}/oidc-custom-claims
func (s *OIDCService) UpdateOrgClaims(ctx context.Context, orgID uuid.UUID, in UpdateOIDCClaimsRequest, opts ...RequestOption) (*OIDCClaims, error) {
	return do[OIDCClaims](ctx, s.client, patch("/org/{orgID}/oidc-custom-claims", orgID).body(in).with(opts))
}

// DeleteOrgClaims takes custom claims of an organization away, at least one,
// and returns those that are left.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/OIDC-Token-Management/operation/DeleteOrgClaims
//
//circleci:operation DELETE /org/{orgID}/oidc-custom-claims
func (s *OIDCService) DeleteOrgClaims(ctx context.Context, orgID uuid.UUID, claims []OIDCClaim, opts ...RequestOption) (*OIDCClaims, error) {
	return do[OIDCClaims](ctx, s.client, remove("/org/{orgID}/oidc-custom-claims", orgID).query(oidcClaimList(claims)).with(opts))
}

// GetProjectClaims returns the custom claims of a project. Those of its
// organization are not among them.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/OIDC-Token-Management/operation/GetProjectClaims
//
//circleci:operation GET /org/{orgID}/project/{projectID}/oidc-custom-claims
func (s *OIDCService) GetProjectClaims(ctx context.Context, orgID, projectID uuid.UUID, opts ...RequestOption) (*OIDCClaims, error) {
	return do[OIDCClaims](ctx, s.client, get("/org/{orgID}/project/{projectID}/oidc-custom-claims", orgID, projectID).with(opts))
}

// UpdateProjectClaims sets custom claims of a project, and returns all of
// them.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/OIDC-Token-Management/operation/PatchProjectClaims
//
//circleci:operation PATCH /org/{orgID}/project/{projectID}/oidc-custom-claims
func (s *OIDCService) UpdateProjectClaims(ctx context.Context, orgID, projectID uuid.UUID, in UpdateOIDCClaimsRequest, opts ...RequestOption) (*OIDCClaims, error) {
	return do[OIDCClaims](ctx, s.client, patch("/org/{orgID}/project/{projectID}/oidc-custom-claims", orgID, projectID).body(in).with(opts))
}

// DeleteProjectClaims takes custom claims of a project away, at least one, and
// returns those that are left.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/OIDC-Token-Management/operation/DeleteProjectClaims
//
//circleci:operation DELETE /org/{orgID}/project/{projectID}/oidc-custom-claims
func (s *OIDCService) DeleteProjectClaims(ctx context.Context, orgID, projectID uuid.UUID, claims []OIDCClaim, opts ...RequestOption) (*OIDCClaims, error) {
	return do[OIDCClaims](ctx, s.client, remove("/org/{orgID}/project/{projectID}/oidc-custom-claims", orgID, projectID).query(oidcClaimList(claims)).with(opts))
}
