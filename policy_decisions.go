package circleci

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// DecisionStatus is the status of a decision.
type DecisionStatus string

// The decision statuses. A configuration runs if the status is PASS or
// SOFT_FAIL.
const (
	DecisionStatusPass     DecisionStatus = "PASS"
	DecisionStatusSoftFail DecisionStatus = "SOFT_FAIL"
	DecisionStatusHardFail DecisionStatus = "HARD_FAIL"
	DecisionStatusError    DecisionStatus = "ERROR" // the policies could not be evaluated
)

// Decision is the result of evaluating policies on a configuration.
type Decision struct {
	Status DecisionStatus `json:"status"`
	// Reason explains why the status is ERROR.
	Reason string `json:"reason,omitzero"`
	// Cause is the same as Reason, under the name that CircleCI's own evaluator
	// uses.
	Cause        string      `json:"cause,omitzero"`
	EnabledRules []string    `json:"enabled_rules,omitzero"`
	HardFailures []Violation `json:"hard_failures,omitzero"`
	SoftFailures []Violation `json:"soft_failures,omitzero"`
}

// Violation is a rule that a configuration violates.
type Violation struct {
	Rule   string `json:"rule"`
	Reason string `json:"reason"`
}

// DecideRequest holds the input of a decision.
type DecideRequest struct {
	// Input is the configuration, as YAML. Policies read it as input.
	Input string `json:"input"`
	// Metadata may hold any JSON values. Policies read it as data.meta.
	// CircleCI sets build_number, project_id, ssh_rerun, vcs and parameters, as
	// in [DecisionMetadata].
	Metadata map[string]any `json:"metadata,omitzero"`
}

func (r DecideRequest) check() error { return required("input", r.Input) }

// Decide evaluates an organization's policies on a configuration, without
// running it. A configuration that violates policies does not return an error:
// check [Decision.Status].
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
	// Policies are the hashes of the policy documents, by name.
	Policies map[string]string `json:"policies,omitzero"`
	// TimeTaken is how long the evaluation took.
	TimeTaken Milliseconds `json:"time_taken_ms,omitzero"`
}

func (l *DecisionLog) key() itemKey { return itemKey{id: l.ID} }

// DecisionMetadata describes what a decision was made for. All fields can be
// zero.
type DecisionMetadata struct {
	BuildNumber int64       `json:"build_number,omitzero"`
	ProjectID   uuid.UUID   `json:"project_id,omitzero"`
	SSHRerun    bool        `json:"ssh_rerun,omitzero"`
	VCS         DecisionVCS `json:"vcs,omitzero"`
	// Parameters are the pipeline parameters. They may hold any JSON values;
	// whole numbers are int64.
	Parameters map[string]any `json:"parameters,omitzero"`
}

// DecisionVCS describes the repository state that a decision was made for.
type DecisionVCS struct {
	Branch              string `json:"branch,omitzero"`
	ReleaseTag          string `json:"release_tag,omitzero"`
	OriginRepositoryURL string `json:"origin_repository_url,omitzero"`
	TargetRepositoryURL string `json:"target_repository_url,omitzero"`
}

// ListDecisionsOptions are the options of [PolicyService.ListDecisions]. Zero
// fields do not filter.
type ListDecisionsOptions struct {
	Status DecisionStatus
	// After and Before limit the list to decisions made between these times.
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
// API uses offsets for paging: a page token is the offset of the next page, and
// the last page is empty.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Policy-Management/operation/GetDecisionLogs
//
//circleci:operation GET /owner/{ownerID}/context/{context}/decision
func (s *PolicyService) ListDecisions(ownerID uuid.UUID, o *ListDecisionsOptions, opts ...RequestOption) *Pager[DecisionLog] {
	return offsetArray[DecisionLog](s.client, get("/owner/{ownerID}/context/{context}/decision", ownerID, policyContext).query(o).with(opts))
}

// GetDecision returns the record of a decision. If there is none, the error
// matches [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Policy-Management/operation/GetDecisionLog
//
//circleci:operation GET /owner/{ownerID}/context/{context}/decision/{decisionID}
func (s *PolicyService) GetDecision(ctx context.Context, ownerID, id uuid.UUID, opts ...RequestOption) (*DecisionLog, error) {
	return do[DecisionLog](ctx, s.client, get("/owner/{ownerID}/context/{context}/decision/{decisionID}", ownerID, policyContext, id).with(opts))
}

// GetDecisionBundle returns the policies that a decision was based on, in the
// form of [PolicyService.GetBundle].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Policy-Management/operation/GetDecisionLogPolicyBundle
//
//circleci:operation GET /owner/{ownerID}/context/{context}/decision/{decisionID}/policy-bundle
func (s *PolicyService) GetDecisionBundle(ctx context.Context, ownerID, id uuid.UUID, opts ...RequestOption) (map[string][]Policy, error) {
	out, err := do[policyBundle](ctx, s.client, get("/owner/{ownerID}/context/{context}/decision/{decisionID}/policy-bundle", ownerID, policyContext, id).with(opts))
	return out.policies(err)
}
