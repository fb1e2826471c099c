package apiv3

import (
	"context"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// OrgsService lists organizations, finds them by their slugs, and reads and
// changes their settings.
type OrgsService service

// Org is an organization. The API v3 has no slugs: [OrgsService.Resolve] finds
// the ID of one.
type Org struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"`
}

// ListOrgsOptions are the options of [OrgsService.List].
type ListOrgsOptions struct {
	// Limit is the number of items on a page. If it is 0, the API chooses.
	Limit int
}

// List lists the organizations on CircleCI that the token's owner is a member
// of. [circleci.UsersService.ListCollaborations] reads the list from GitHub or
// Bitbucket, so the two can differ.
//
//circleci:operation GET /api/v3/orgs
func (s *OrgsService) List(o *ListOrgsOptions, opts ...circleci.RequestOption) *circleci.Pager[Org] {
	r := get("/api/v3/orgs")
	if o != nil {
		r = r.limit(o.Limit)
	}
	return list[Org](s.client, r, opts)
}

// Resolve returns the organization with the given slug, or an error matching
// [circleci.ErrNotFound]. Each call sends a request, so keep the ID.
//
//circleci:operation GET /api/v3/orgs
func (s *OrgsService) Resolve(ctx context.Context, slug circleci.OrgSlug, opts ...circleci.RequestOption) (*Org, error) {
	r := get("/api/v3/orgs").filter("filter[slug]", string(slug))
	if _, err := circleci.ParseOrgSlug(string(slug)); err != nil {
		return nil, blame(err, r)
	}
	return resolved[Org](ctx, s.client, r, string(slug), opts)
}

// Get returns the organization with the given ID, or an error matching
// [circleci.ErrNotFound].
//
//circleci:operation GET /api/v3/orgs/{id}
func (s *OrgsService) Get(ctx context.Context, id uuid.UUID, opts ...circleci.RequestOption) (*Org, error) {
	return one[Org](ctx, s.client, get("/api/v3/orgs/{id}", id), opts)
}

// OrgSettings are the settings of an organization.
type OrgSettings struct {
	EnableAIAgents                      bool `json:"enable_ai_agents"`
	EnableAIErrorSummarization          bool `json:"enable_ai_error_summarization"`
	EnableCertifiedPublicOrbs           bool `json:"enable_certified_public_orbs"`
	EnableChunkIPRanges                 bool `json:"enable_chunk_ip_ranges"`
	EnableImageBrownouts                bool `json:"enable_image_brownouts"`
	EnableMinorAIFeatures               bool `json:"enable_minor_ai_features"`
	EnablePrivateOrbs                   bool `json:"enable_private_orbs"`
	EnableResourceClassBrownouts        bool `json:"enable_resource_class_brownouts"`
	EnableUncertifiedPublicOrbs         bool `json:"enable_uncertified_public_orbs"`
	EnableUnversionedConfig             bool `json:"enable_unversioned_config"`
	IsBitbucketWorkspaceMemberOrgMember bool `json:"is_bitbucket_workspace_member_org_member"`
	IsContextGroupRestrictionRequired   bool `json:"is_context_group_restriction_required"`
	IsRunnerTermsOfServiceAccepted      bool `json:"is_runner_terms_of_service_accepted"`
	IsRunningDisabled                   bool `json:"is_running_disabled"`
	IsUserCheckoutKeysDisabled          bool `json:"is_user_checkout_keys_disabled"`
}

// GetSettings returns the settings of an organization.
//
//circleci:operation GET /api/v3/orgs/{id}/settings
func (s *OrgsService) GetSettings(ctx context.Context, id uuid.UUID, opts ...circleci.RequestOption) (*OrgSettings, error) {
	return one[OrgSettings](ctx, s.client, get("/api/v3/orgs/{id}/settings", id), opts)
}

// UpdateOrgSettingsRequest holds the settings to change. Unset fields stay
// unchanged.
type UpdateOrgSettingsRequest struct {
	EnableAIAgents                      circleci.Optional[bool] `json:"enable_ai_agents,omitzero"`
	EnableAIErrorSummarization          circleci.Optional[bool] `json:"enable_ai_error_summarization,omitzero"`
	EnableCertifiedPublicOrbs           circleci.Optional[bool] `json:"enable_certified_public_orbs,omitzero"`
	EnableChunkIPRanges                 circleci.Optional[bool] `json:"enable_chunk_ip_ranges,omitzero"`
	EnableImageBrownouts                circleci.Optional[bool] `json:"enable_image_brownouts,omitzero"`
	EnableMinorAIFeatures               circleci.Optional[bool] `json:"enable_minor_ai_features,omitzero"`
	EnablePrivateOrbs                   circleci.Optional[bool] `json:"enable_private_orbs,omitzero"`
	EnableResourceClassBrownouts        circleci.Optional[bool] `json:"enable_resource_class_brownouts,omitzero"`
	EnableUncertifiedPublicOrbs         circleci.Optional[bool] `json:"enable_uncertified_public_orbs,omitzero"`
	EnableUnversionedConfig             circleci.Optional[bool] `json:"enable_unversioned_config,omitzero"`
	IsBitbucketWorkspaceMemberOrgMember circleci.Optional[bool] `json:"is_bitbucket_workspace_member_org_member,omitzero"`
	IsContextGroupRestrictionRequired   circleci.Optional[bool] `json:"is_context_group_restriction_required,omitzero"`
	IsRunnerTermsOfServiceAccepted      circleci.Optional[bool] `json:"is_runner_terms_of_service_accepted,omitzero"`
	IsRunningDisabled                   circleci.Optional[bool] `json:"is_running_disabled,omitzero"`
	IsUserCheckoutKeysDisabled          circleci.Optional[bool] `json:"is_user_checkout_keys_disabled,omitzero"`
}

// UpdateSettings changes settings of an organization, and returns all of them.
//
//circleci:operation POST /api/v3/orgs/{id}/update-settings
func (s *OrgsService) UpdateSettings(ctx context.Context, id uuid.UUID, in UpdateOrgSettingsRequest, opts ...circleci.RequestOption) (*OrgSettings, error) {
	return one[OrgSettings](ctx, s.client, post("/api/v3/orgs/{id}/update-settings", id).body(in).idempotent(), opts)
}
