package circleci

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// DecisionStatus is the outcome of a decision.
type DecisionStatus string

// The outcomes. A configuration is run after PASS and SOFT_FAIL.
const (
	DecisionStatusPass     DecisionStatus = "PASS"
	DecisionStatusSoftFail DecisionStatus = "SOFT_FAIL"
	DecisionStatusHardFail DecisionStatus = "HARD_FAIL"
	DecisionStatusError    DecisionStatus = "ERROR" // the policies could not be evaluated
)

// Decision is what the policies say of a configuration.
type Decision struct {
	Status DecisionStatus `json:"status"`
	// Reason says why the status is ERROR.
	Reason string `json:"reason,omitzero"`
	// Cause is the same, by the name that CircleCI's own evaluator gives it.
	Cause        string      `json:"cause,omitzero"`
	EnabledRules []string    `json:"enabled_rules,omitzero"`
	HardFailures []Violation `json:"hard_failures,omitzero"`
	SoftFailures []Violation `json:"soft_failures,omitzero"`
}

// Violation is a rule that a configuration breaks.
type Violation struct {
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
}

// DecideRequest is what to decide on.
type DecideRequest struct {
	// Input is the configuration, as YAML: input in the policies.
	Input string `json:"input"`
	// Metadata is data.meta in the policies, of open form. CircleCI gives
	// build_number, project_id, ssh_rerun, vcs and parameters, as in
	// [DecisionMetadata].
	Metadata map[string]any `json:"metadata,omitzero"`
}

func (r DecideRequest) check() error { return required("input", r.Input) }

// Decide evaluates an organization's policies on a configuration. It runs
// nothing. A configuration that breaks policies is no error: look at the
// status.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Policy-Management/operation/MakeDecision
//
//circleci:operation POST /owner/{ownerID}/context/{context}/decision
func (s *PolicyService) Decide(ctx context.Context, ownerID uuid.UUID, in DecideRequest, opts ...RequestOption) (*Decision, error) {
	return do[Decision](ctx, s.client, post("/owner/{ownerID}/context/{context}/decision", ownerID, policyContext).body(in).with(opts))
}

// DecisionLog is the record of a decision.
type DecisionLog struct {
	ID        uuid.UUID        `json:"id"`
	CreatedAt time.Time        `json:"created_at"`
	Decision  Decision         `json:"decision"`
	Metadata  DecisionMetadata `json:"metadata,omitzero"`
	// Policies are the hashes of the policies' documents, by name.
	Policies map[string]string `json:"policies,omitzero"`
	// TimeTaken is how long the evaluation took.
	TimeTaken Milliseconds `json:"time_taken_ms,omitzero"`
}

func (l *DecisionLog) key() itemKey { return itemKey{id: l.ID} }

// DecisionMetadata tells what a decision was made for. All of it can be
// missing.
type DecisionMetadata struct {
	BuildNumber int64       `json:"build_number,omitzero"`
	ProjectID   uuid.UUID   `json:"project_id,omitzero"`
	SSHRerun    bool        `json:"ssh_rerun,omitzero"`
	VCS         DecisionVCS `json:"vcs,omitzero"`
	// Parameters are the pipeline's, of open form; whole numbers are int64.
	Parameters map[string]any `json:"parameters,omitzero"`
}

// DecisionVCS tells what of a repository a decision was made for.
type DecisionVCS struct {
	Branch              string `json:"branch,omitzero"`
	ReleaseTag          string `json:"release_tag,omitzero"`
	OriginRepositoryURL string `json:"origin_repository_url,omitzero"`
	TargetRepositoryURL string `json:"target_repository_url,omitzero"`
}

// ListDecisionsOptions says which decisions to list. A field that is zero
// filters nothing.
type ListDecisionsOptions struct {
	Status DecisionStatus
	// After and Before bound the time of the decision.
	After, Before time.Time
	Branch        string
	ProjectID     uuid.UUID
	BuildNumber   int64
}

func (o *ListDecisionsOptions) query(q *encode.Query) {
	if o == nil {
		return
	}
	q.String("status", string(o.Status))
	q.Time("after", o.After)
	q.Time("before", o.Before)
	q.String("branch", o.Branch)
	q.UUID("project_id", o.ProjectID)
	if o.BuildNumber != 0 {
		q.String("build_number", strconv.FormatInt(o.BuildNumber, 10))
	}
}

// ListDecisions lists the decisions on an organization's configurations. The
// API pages them by offset: a page's token is the offset of the next, and the
// last page is the empty one.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Policy-Management/operation/GetDecisionLogs
//
//circleci:operation GET /owner/{ownerID}/context/{context}/decision
func (s *PolicyService) ListDecisions(ownerID uuid.UUID, o *ListDecisionsOptions, opts ...RequestOption) *Pager[DecisionLog] {
	return offsetArray[DecisionLog](s.client, get("/owner/{ownerID}/context/{context}/decision", ownerID, policyContext).query(o).with(opts))
}

// GetDecision returns the record of a decision, or an error matching
// [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Policy-Management/operation/GetDecisionLog
//
//circleci:operation GET /owner/{ownerID}/context/{context}/decision/{decisionID}
func (s *PolicyService) GetDecision(ctx context.Context, ownerID, id uuid.UUID, opts ...RequestOption) (*DecisionLog, error) {
	return do[DecisionLog](ctx, s.client, get("/owner/{ownerID}/context/{context}/decision/{decisionID}", ownerID, policyContext, id).with(opts))
}

// GetDecisionBundle returns the policies by which a decision was made, as
// [PolicyService.GetBundle] does.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Policy-Management/operation/GetDecisionLogPolicyBundle
//
//circleci:operation GET /owner/{ownerID}/context/{context}/decision/{decisionID}/policy-bundle
func (s *PolicyService) GetDecisionBundle(ctx context.Context, ownerID, id uuid.UUID, opts ...RequestOption) (map[string][]Policy, error) {
	out, err := do[policyBundle](ctx, s.client, get("/owner/{ownerID}/context/{context}/decision/{decisionID}/policy-bundle", ownerID, policyContext, id).with(opts))
	return out.policies(err)
}
