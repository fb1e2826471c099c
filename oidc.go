package circleci

import (
	"context"
	"fmt"
	"strconv"
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

// Duration is a duration that the API writes as text, such as 1h30m0s.
//
//	circleci.Duration(90 * time.Minute)
type Duration time.Duration

// String returns the duration as the API writes it.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes whole units alone, as the live API and its document both
// take them: 1s500ms, and neither 1.5s nor 1d.
func (d Duration) MarshalText() ([]byte, error) {
	whole := time.Duration(d).Truncate(time.Second)
	rest := time.Duration(d) - whole
	if rest <= 0 || whole == 0 {
		return []byte(d.String()), nil
	}
	return []byte(whole.String() + rest.String()), nil
}

// UnmarshalText reads Go's form, and days (d) and weeks (w), which the
// document of the API has beside it. An empty text is zero.
func (d *Duration) UnmarshalText(text []byte) error {
	*d = 0
	if len(text) == 0 {
		return nil
	}
	plain, err := withoutDays(string(text))
	if err != nil {
		return err
	}
	parsed, err := time.ParseDuration(plain)
	*d = Duration(parsed)
	return err
}

// withoutDays writes the days and weeks of a duration as hours.
func withoutDays(text string) (string, error) {
	if !strings.ContainsAny(text, "dw") {
		return text, nil
	}
	var b strings.Builder
	for rest := text; rest != ""; {
		number := leading(rest, '0', '9')
		unit := leading(rest[len(number):], 'a', 'z')
		rest = rest[len(number)+len(unit):]
		if number == "" || unit == "" {
			return text, nil // for time.ParseDuration to refuse
		}
		if hours := hoursIn[unit]; hours > 0 {
			n, err := strconv.ParseInt(number, 10, 32)
			if err != nil {
				return "", fmt.Errorf("the duration %.40q is out of range", text)
			}
			number, unit = strconv.FormatInt(n*hours, 10), "h"
		}
		b.WriteString(number + unit)
	}
	return b.String(), nil
}

// leading returns the start of s that is made of the bytes from lo to hi.
func leading(s string, lo, hi byte) string {
	i := 0
	for i < len(s) && lo <= s[i] && s[i] <= hi {
		i++
	}
	return s[:i]
}

var hoursIn = map[string]int64{"d": 24, "w": 7 * 24}

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
