package circleci

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
	"github.com/circleci-go/circleci/internal/wire"
)

// PolicyService works with config policies: rules, written in Rego, that
// decide which configurations an organization runs. The owner of policies is
// an organization, named by its ID; its slug is not taken.
//
// The routes name a policy context, which has nothing to do with
// [ContextsService]. The API takes one alone, config, and so it is no
// parameter here.
type PolicyService service

const policyContext = "config"

// Policy is one document of a policy bundle.
type Policy struct {
	// Name is what the document declares by its first rule,
	// policy_name["…"], whatever name it was uploaded under.
	Name      string    `json:"name"`
	Content   string    `json:"content"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	CreatedBy string    `json:"created_by,omitzero"`
}

// policyBundle is a bundle as it comes.
type policyBundle map[string]policyDocuments

// policyDocuments are the policies of one name: the live API sends an object,
// the document of the API has an array, and tools of CircleCI's read a text.
type policyDocuments []Policy

// UnmarshalJSON reads any of the three, and null as none.
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

// GetBundle returns the policies of an organization by name; an empty map if
// it has none. The live API has one document for each name, the first.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Policy-Management/operation/GetPolicyBundle
//
//circleci:operation GET /owner/{ownerID}/context/{context}/policy-bundle
func (s *PolicyService) GetBundle(ctx context.Context, ownerID uuid.UUID, opts ...RequestOption) (map[string][]Policy, error) {
	out, err := do[policyBundle](ctx, s.client, get("/owner/{ownerID}/context/{context}/policy-bundle", ownerID, policyContext).with(opts))
	return out.policies(err)
}

// CreatePolicyBundleRequest is all policies that an organization shall have.
type CreatePolicyBundleRequest struct {
	// Policies are the documents, by file name. An empty map deletes all that
	// there are; nil is refused, so that this does not happen by accident.
	Policies map[string]string `json:"policies"`
	// DryRun changes nothing, and returns what would have changed.
	DryRun bool `json:"-"`
}

func (r CreatePolicyBundleRequest) query(q *encode.Query) { q.Bool("dry", r.DryRun) }

func (r CreatePolicyBundleRequest) check() error {
	if r.Policies == nil {
		return &ArgumentError{Name: "policies", Reason: "is nil; to delete all policies give an empty map"}
	}
	return nil
}

// PolicyBundleDiff is what an upload has changed, by the names that the
// documents declare. All three are empty if it has changed nothing.
type PolicyBundleDiff struct {
	Created  []string `json:"created,omitzero"`
	Modified []string `json:"modified,omitzero"`
	Deleted  []string `json:"deleted,omitzero"`
}

// CreateBundle replaces ALL policies of an organization: what is not in the
// request is deleted.
//
// Each document has to be of the package org, and its first rule has to be
// policy_name["…"]; else, and for other mistakes in the Rego, the answer is a
// 400. A bundle of more than about 2.5 MiB is refused with 413.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Policy-Management/operation/CreatePolicyBundle
//
//circleci:operation POST /owner/{ownerID}/context/{context}/policy-bundle
func (s *PolicyService) CreateBundle(ctx context.Context, ownerID uuid.UUID, in CreatePolicyBundleRequest, opts ...RequestOption) (*PolicyBundleDiff, error) {
	return do[PolicyBundleDiff](ctx, s.client, post("/owner/{ownerID}/context/{context}/policy-bundle", ownerID, policyContext).query(in).body(in).with(opts))
}

// GetPolicy returns the policy that declares the given name, or an error
// matching [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Policy-Management/operation/GetPolicyDocument
//
//circleci:operation GET /owner/{ownerID}/context/{context}/policy-bundle/{policyName}
func (s *PolicyService) GetPolicy(ctx context.Context, ownerID uuid.UUID, name string, opts ...RequestOption) (*Policy, error) {
	return do[Policy](ctx, s.client, get("/owner/{ownerID}/context/{context}/policy-bundle/{policyName}", ownerID, policyContext, name).with(opts))
}

// PolicySettings are the settings of an organization's policies.
type PolicySettings struct {
	// Enabled tells whether configurations are held against the policies when
	// a pipeline is triggered.
	Enabled bool `json:"enabled"`
}

// GetSettings returns the settings of an organization's policies. The API wants
// the right to edit policies for it; reading a bundle needs less.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Policy-Management/operation/GetDecisionSettings
//
//circleci:operation GET /owner/{ownerID}/context/{context}/decision/settings
func (s *PolicyService) GetSettings(ctx context.Context, ownerID uuid.UUID, opts ...RequestOption) (*PolicySettings, error) {
	return do[PolicySettings](ctx, s.client, get("/owner/{ownerID}/context/{context}/decision/settings", ownerID, policyContext).with(opts))
}

// UpdatePolicySettingsRequest holds the settings, all of which are sent.
type UpdatePolicySettingsRequest struct {
	Enabled bool `json:"enabled"`
}

// UpdateSettings turns the evaluation of policies on or off.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Policy-Management/operation/SetDecisionSettings
//
//circleci:operation PATCH /owner/{ownerID}/context/{context}/decision/settings
func (s *PolicyService) UpdateSettings(ctx context.Context, ownerID uuid.UUID, in UpdatePolicySettingsRequest, opts ...RequestOption) (*PolicySettings, error) {
	return do[PolicySettings](ctx, s.client, patch("/owner/{ownerID}/context/{context}/decision/settings", ownerID, policyContext).body(in).with(opts))
}
