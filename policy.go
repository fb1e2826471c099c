package circleci

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
	"github.com/circleci-go/circleci/internal/wire"
)

// PolicyService manages config policies: rules, written in Rego, that decide
// which configurations an organization runs. The owner of policies is an
// organization, identified by its ID; slugs are not accepted.
//
// The routes contain a policy context, which is unrelated to [ContextsService].
// The API accepts only one, "config", so the methods have no parameter for it.
type PolicyService service

const policyContext = "config"

// Policy is one document of a policy bundle.
type Policy struct {
	// Name is the name that the document declares with its first rule,
	// policy_name["…"], regardless of the file name it was uploaded with.
	Name      string    `json:"name"`
	Content   string    `json:"content"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	CreatedBy string    `json:"created_by,omitzero"`
}

// policyBundle is a bundle as the API returns it.
type policyBundle map[string]policyDocuments

// policyDocuments are the policies with one name. The live API sends an object,
// the API specification has an array, and CircleCI's tools read a string.
type policyDocuments []Policy

// UnmarshalJSON accepts all three forms; null is an empty list.
func (d *policyDocuments) UnmarshalJSON(data []byte) (err error) {
	var one Policy
	switch data[0] {
	case 'n': // null
		*d = nil
		return nil
	case '[':
		return wire.Unmarshal(data, (*[]Policy)(d))
	case '"':
		err = wire.Unmarshal(data, &one.Content)
	default:
		err = wire.Unmarshal(data, &one)
	}
	*d = policyDocuments{one}
	return err
}

func (b *policyBundle) policies(err error) (map[string][]Policy, error) {
	if err != nil {
		return nil, err
	}
	out := make(map[string][]Policy, len(*b))
	for name, documents := range *b {
		for i := range documents {
			if documents[i].Name == "" {
				documents[i].Name = name
			}
		}
		out[name] = documents
	}
	return out, nil
}

// GetBundle returns the policies of an organization by name. The map is empty
// if it has none. The live API returns one document for each name, the first.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Policy-Management/operation/GetPolicyBundle
//
//circleci:operation GET /owner/{ownerID}/context/{context}/policy-bundle
func (s *PolicyService) GetBundle(ctx context.Context, ownerID uuid.UUID, opts ...RequestOption) (map[string][]Policy, error) {
	out, err := do[policyBundle](ctx, s.client, get("/owner/{ownerID}/context/{context}/policy-bundle", ownerID, policyContext).with(opts))
	return out.policies(err)
}

// CreatePolicyBundleRequest holds the complete set of an organization's
// policies.
type CreatePolicyBundleRequest struct {
	// Policies are the documents, by file name. An empty map deletes all
	// policies. A nil map is refused, so that this does not happen by accident.
	Policies map[string]string `json:"policies"`
	// DryRun returns what would change, without changing anything.
	DryRun bool `json:"-"`
}

func (r CreatePolicyBundleRequest) query(q *encode.Query) { q.Bool("dry", r.DryRun) }

func (r CreatePolicyBundleRequest) check() error {
	if r.Policies == nil {
		return &ArgumentError{Name: "policies", Reason: "is nil: to delete all policies, pass an empty map"}
	}
	return nil
}

// PolicyBundleDiff lists the policies that an upload changed, by the names that
// the documents declare. All three lists are empty if nothing changed.
type PolicyBundleDiff struct {
	Created  []string `json:"created,omitzero"`
	Modified []string `json:"modified,omitzero"`
	Deleted  []string `json:"deleted,omitzero"`
}

// CreateBundle replaces ALL policies of an organization: policies that are not
// in the request are deleted.
//
// Each document must belong to the package org, and its first rule must be
// policy_name["…"]. The API responds with 400 if not, and for other errors in
// the Rego code. It refuses a bundle larger than about 2.5 MiB with 413.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Policy-Management/operation/CreatePolicyBundle
//
//circleci:operation POST /owner/{ownerID}/context/{context}/policy-bundle
func (s *PolicyService) CreateBundle(ctx context.Context, ownerID uuid.UUID, in CreatePolicyBundleRequest, opts ...RequestOption) (*PolicyBundleDiff, error) {
	return do[PolicyBundleDiff](ctx, s.client, post("/owner/{ownerID}/context/{context}/policy-bundle", ownerID, policyContext).query(in).body(in).with(opts))
}

// GetPolicy returns the policy that declares the given name. If there is none,
// the error matches [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Policy-Management/operation/GetPolicyDocument
//
//circleci:operation GET /owner/{ownerID}/context/{context}/policy-bundle/{policyName}
func (s *PolicyService) GetPolicy(ctx context.Context, ownerID uuid.UUID, name string, opts ...RequestOption) (*Policy, error) {
	return do[Policy](ctx, s.client, get("/owner/{ownerID}/context/{context}/policy-bundle/{policyName}", ownerID, policyContext, name).with(opts))
}

// PolicySettings are the policy settings of an organization.
type PolicySettings struct {
	// Enabled reports whether the policies are evaluated when a pipeline is
	// triggered.
	Enabled bool `json:"enabled"`
}

// GetSettings returns the policy settings of an organization. The API requires
// permission to edit policies for this; reading a bundle requires less.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Policy-Management/operation/GetDecisionSettings
//
//circleci:operation GET /owner/{ownerID}/context/{context}/decision/settings
func (s *PolicyService) GetSettings(ctx context.Context, ownerID uuid.UUID, opts ...RequestOption) (*PolicySettings, error) {
	return do[PolicySettings](ctx, s.client, get("/owner/{ownerID}/context/{context}/decision/settings", ownerID, policyContext).with(opts))
}

// UpdatePolicySettingsRequest holds the settings to replace. All fields are
// sent.
type UpdatePolicySettingsRequest struct {
	Enabled bool `json:"enabled"`
}

// UpdateSettings enables or disables the evaluation of policies.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Policy-Management/operation/SetDecisionSettings
//
//circleci:operation PATCH /owner/{ownerID}/context/{context}/decision/settings
func (s *PolicyService) UpdateSettings(ctx context.Context, ownerID uuid.UUID, in UpdatePolicySettingsRequest, opts ...RequestOption) (*PolicySettings, error) {
	return do[PolicySettings](ctx, s.client, patch("/owner/{ownerID}/context/{context}/decision/settings", ownerID, policyContext).body(in).with(opts))
}
