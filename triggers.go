package circleci

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// TriggersService works with triggers: the events that start a pipeline
// definition, see [PipelineDefinitionsService].
//
// Self-hosted servers lack these operations.
type TriggersService service

// TriggerEventPreset chooses the events of a repository that count.
type TriggerEventPreset string

// The presets. For GitHub (OAuth) the API takes all-pushes and only-build-prs.
const (
	TriggerEventPresetAllPushes                    TriggerEventPreset = "all-pushes"
	TriggerEventPresetOnlyTags                     TriggerEventPreset = "only-tags"
	TriggerEventPresetDefaultBranchPushes          TriggerEventPreset = "default-branch-pushes"
	TriggerEventPresetOnlyBuildPRs                 TriggerEventPreset = "only-build-prs"
	TriggerEventPresetOnlyOpenPRs                  TriggerEventPreset = "only-open-prs"
	TriggerEventPresetOnlyLabeledPRs               TriggerEventPreset = "only-labeled-prs"
	TriggerEventPresetOnlyMergedPRs                TriggerEventPreset = "only-merged-prs"
	TriggerEventPresetOnlyReadyForReviewPRs        TriggerEventPreset = "only-ready-for-review-prs"
	TriggerEventPresetOnlyBranchDelete             TriggerEventPreset = "only-branch-delete" // documented; the live API refuses it
	TriggerEventPresetOnlyBuildPushesToNonDraftPRs TriggerEventPreset = "only-build-pushes-to-non-draft-prs"
	TriggerEventPresetOnlyMergedOrClosedPRs        TriggerEventPreset = "only-merged-or-closed-prs"

	// Not in CircleCI's API specification, and taken by it.
	TriggerEventPresetPRCommentEqualsRunCI TriggerEventPreset = "pr-comment-equals-run-ci"
	TriggerEventPresetNonDraftPROpened     TriggerEventPreset = "non-draft-pr-opened"
	TriggerEventPresetPushesToMergeQueues  TriggerEventPreset = "pushes-to-merge-queues"
)

// Trigger starts a pipeline definition.
type Trigger struct {
	ID uuid.UUID `json:"id"`
	// EventName is the name of a custom webhook's event.
	EventName string `json:"event_name,omitzero"`
	// Name and Description are undocumented, and out of date: the same stands
	// in the webhook's Sender and in EventName.
	Name        string `json:"name,omitzero"`
	Description string `json:"description,omitzero"`
	// CreatedAt is missing in the answer to a creation.
	CreatedAt   time.Time          `json:"created_at,omitzero"`
	EventSource TriggerEventSource `json:"event_source"`
	// EventPreset is empty if the trigger's events are none of the presets.
	EventPreset TriggerEventPreset `json:"event_preset,omitzero"`
	// CheckoutRef and ConfigRef are what is checked out, and where the
	// configuration is taken from; if empty, the event's.
	CheckoutRef string `json:"checkout_ref,omitzero"`
	ConfigRef   string `json:"config_ref,omitzero"`
	Disabled    bool   `json:"disabled,omitzero"`
	// Parameters are those of the pipelines, of open form; whole numbers are
	// int64.
	Parameters map[string]any `json:"parameters,omitzero"`
}

func (t *Trigger) key() itemKey { return itemKey{id: t.ID} }

// TriggerEventSource is where a trigger's events come from. Beside the
// provider it has one of the others.
type TriggerEventSource struct {
	Provider SourceProvider  `json:"provider"`
	Repo     SourceRepo      `json:"repo,omitzero"`
	Webhook  TriggerWebhook  `json:"webhook,omitzero"`
	Schedule TriggerSchedule `json:"schedule,omitzero"`
}

// TriggerWebhook is a custom webhook: a URL for others to call.
type TriggerWebhook struct {
	// URL holds the webhook's secret in the answer to the trigger's creation,
	// and in no other: keep that one. In others **REDACTED** stands for it.
	URL    Secret `json:"url,omitzero"`
	Sender string `json:"sender,omitzero"`
}

// TriggerSchedule is a schedule.
type TriggerSchedule struct {
	CronExpression   string       `json:"cron_expression,omitzero"`
	AttributionActor TriggerActor `json:"attribution_actor,omitzero"`
}

// TriggerActor is the user in whose name a schedule runs pipelines.
type TriggerActor struct {
	ID string `json:"id,omitzero"`
}

// List lists the triggers of a pipeline definition, all on one page.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Trigger/operation/listPipelineDefinitionTriggers
//
//circleci:operation GET /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}/triggers
func (s *TriggersService) List(projectID, definitionID uuid.UUID, opts ...RequestOption) *Pager[Trigger] {
	return list[Trigger](s.client, get("/projects/{project_id}/pipeline-definitions/{pipeline_definition_id}/triggers", projectID, definitionID).with(opts))
}

// Get returns the trigger with the given ID, or an error matching
// [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Trigger/operation/getTrigger
//
//circleci:operation GET /projects/{project_id}/triggers/{trigger_id}
func (s *TriggersService) Get(ctx context.Context, projectID, id uuid.UUID, opts ...RequestOption) (*Trigger, error) {
	return do[Trigger](ctx, s.client, get("/projects/{project_id}/triggers/{trigger_id}", projectID, id).with(opts))
}

// CreateTriggerRequest is a new trigger.
type CreateTriggerRequest struct {
	EventSource EventSourceRequest `json:"event_source"`
	// EventPreset is for events of a repository.
	EventPreset TriggerEventPreset `json:"event_preset,omitzero"`
	// CheckoutRef and ConfigRef are the branch or tag to check out, and that
	// to take the configuration from. Webhooks and schedules need them; events
	// of a repository need them where it is not the definition's, and must not
	// have them where it is.
	CheckoutRef string `json:"checkout_ref,omitzero"`
	ConfigRef   string `json:"config_ref,omitzero"`
	// EventName is for custom webhooks.
	EventName string `json:"event_name,omitzero"`
	Disabled  bool   `json:"disabled,omitzero"`
	// Parameters are for schedules. They are not in CircleCI's API
	// specification.
	Parameters Parameters `json:"parameters,omitzero"`
}

func (r CreateTriggerRequest) check() error {
	if err := r.EventSource.check(); err != nil {
		return err
	}
	if r.EventSource.needsRefs() && (r.CheckoutRef == "" || r.ConfigRef == "") {
		return &ArgumentError{Name: "checkout_ref", Reason: "or config_ref is missing: webhooks and schedules bring none of their own"}
	}
	return r.Parameters.check()
}

// Create creates a trigger of a pipeline definition. The answer lacks the time
// of creation; for a custom webhook it is the only one that tells the URL with
// its secret.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Trigger/operation/createTrigger
//
//circleci:operation POST /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}/triggers
func (s *TriggersService) Create(ctx context.Context, projectID, definitionID uuid.UUID, in CreateTriggerRequest, opts ...RequestOption) (*Trigger, error) {
	return do[Trigger](ctx, s.client, post("/projects/{project_id}/pipeline-definitions/{pipeline_definition_id}/triggers", projectID, definitionID).body(in).with(opts))
}

// UpdateTriggerRequest holds what to change; what is unset stays as it is.
type UpdateTriggerRequest struct {
	EventSource Optional[UpdateEventSourceRequest] `json:"event_source,omitzero"`
	EventPreset Optional[TriggerEventPreset]       `json:"event_preset,omitzero"`
	CheckoutRef Optional[string]                   `json:"checkout_ref,omitzero"`
	ConfigRef   Optional[string]                   `json:"config_ref,omitzero"`
	EventName   Optional[string]                   `json:"event_name,omitzero"`
	// Disabled is not for triggers of GitHub (OAuth).
	Disabled   Optional[bool]       `json:"disabled,omitzero"`
	Parameters Optional[Parameters] `json:"parameters,omitzero"`
}

func (r UpdateTriggerRequest) check() error {
	if source, ok := r.EventSource.Get(); ok && isUnset(source.body) {
		return &ArgumentError{Name: "event_source", Reason: "changes nothing: see CustomWebhookSender"}
	}
	parameters, _ := r.Parameters.Get()
	return parameters.check()
}

// Update changes a trigger.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Trigger/operation/updateTrigger
//
//circleci:operation PATCH /projects/{project_id}/triggers/{trigger_id}
func (s *TriggersService) Update(ctx context.Context, projectID, id uuid.UUID, in UpdateTriggerRequest, opts ...RequestOption) (*Trigger, error) {
	return do[Trigger](ctx, s.client, patch("/projects/{project_id}/triggers/{trigger_id}", projectID, id).body(in).with(opts))
}

// Delete deletes a trigger. It goes well for one that is gone, too.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Trigger/operation/deleteTrigger
//
//circleci:operation DELETE /projects/{project_id}/triggers/{trigger_id}
func (s *TriggersService) Delete(ctx context.Context, projectID, id uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/projects/{project_id}/triggers/{trigger_id}", projectID, id).with(opts))
}
