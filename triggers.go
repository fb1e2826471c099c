package circleci

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// TriggersService manages triggers: the events that start a pipeline
// definition. See [PipelineDefinitionsService].
type TriggersService service

// TriggerEventPreset selects the repository events that start a pipeline.
type TriggerEventPreset string

// The presets. For GitHub (OAuth) the API accepts only all-pushes and
// only-build-prs.
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

	// Not in CircleCI's API specification, but the API accepts it.
	TriggerEventPresetPRCommentEqualsRunCI TriggerEventPreset = "pr-comment-equals-run-ci"
	TriggerEventPresetNonDraftPROpened     TriggerEventPreset = "non-draft-pr-opened"
	TriggerEventPresetPushesToMergeQueues  TriggerEventPreset = "pushes-to-merge-queues"
)

// Trigger starts a pipeline definition.
type Trigger struct {
	ID uuid.UUID `json:"id"`
	// EventName is the name of a custom webhook's event.
	EventName string `json:"event_name,omitzero"`
	// Name and Description are undocumented and obsolete: use the webhook's
	// Sender and EventName instead.
	Name        string `json:"name,omitzero"`
	Description string `json:"description,omitzero"`
	// CreatedAt is zero in the response to Create.
	CreatedAt   time.Time          `json:"created_at,omitzero"`
	EventSource TriggerEventSource `json:"event_source"`
	// EventPreset is empty if the trigger's events do not match a preset.
	EventPreset TriggerEventPreset `json:"event_preset,omitzero"`
	// CheckoutRef is the branch or tag to check out, and ConfigRef the one to
	// read the configuration from. If one is empty, the branch or tag of the
	// event is used.
	CheckoutRef string `json:"checkout_ref,omitzero"`
	ConfigRef   string `json:"config_ref,omitzero"`
	Disabled    bool   `json:"disabled,omitzero"`
	// Parameters are the pipeline parameters. They may hold any JSON values;
	// whole numbers are int64.
	Parameters map[string]any `json:"parameters,omitzero"`
}

func (t *Trigger) key() itemKey { return itemKey{id: t.ID} }

// TriggerEventSource is the source of a trigger's events. Besides the provider,
// one of the other fields is set.
type TriggerEventSource struct {
	Provider SourceProvider  `json:"provider"`
	Repo     SourceRepo      `json:"repo,omitzero"`
	Webhook  TriggerWebhook  `json:"webhook,omitzero"`
	Schedule TriggerSchedule `json:"schedule,omitzero"`
}

// TriggerWebhook is a custom webhook: a URL that others call to start a
// pipeline.
type TriggerWebhook struct {
	// URL contains the webhook's secret only in the response to Create: store
	// that one. Other responses contain **REDACTED** instead of the secret.
	URL    Secret `json:"url,omitzero"`
	Sender string `json:"sender,omitzero"`
}

// TriggerSchedule is the schedule of a trigger.
type TriggerSchedule struct {
	CronExpression   string       `json:"cron_expression,omitzero"`
	AttributionActor TriggerActor `json:"attribution_actor,omitzero"`
}

// TriggerActor is the user that a schedule's pipelines are attributed to.
type TriggerActor struct {
	ID string `json:"id,omitzero"`
}

// List lists the triggers of a pipeline definition, all on one page.
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Trigger/operation/listPipelineDefinitionTriggers
//
//circleci:operation GET /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}/triggers
func (s *TriggersService) List(projectID, definitionID uuid.UUID, opts ...RequestOption) *Pager[Trigger] {
	return list[Trigger](s.client, get("/projects/{project_id}/pipeline-definitions/{pipeline_definition_id}/triggers", projectID, definitionID).with(opts))
}

// Get returns the trigger with the given ID. If there is none, the error
// matches [ErrNotFound].
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Trigger/operation/getTrigger
//
//circleci:operation GET /projects/{project_id}/triggers/{trigger_id}
func (s *TriggersService) Get(ctx context.Context, projectID, id uuid.UUID, opts ...RequestOption) (*Trigger, error) {
	return do[Trigger](ctx, s.client, get("/projects/{project_id}/triggers/{trigger_id}", projectID, id).with(opts))
}

// CreateTriggerRequest describes a new trigger.
type CreateTriggerRequest struct {
	EventSource EventSourceRequest `json:"event_source"`
	// EventPreset applies to repository events only.
	EventPreset TriggerEventPreset `json:"event_preset,omitzero"`
	// CheckoutRef is the branch or tag to check out, and ConfigRef the one to
	// read the configuration from. Webhooks and schedules require both.
	// For repository events, CheckoutRef is required if the definition checks
	// out a repository other than the event's, and must be empty otherwise. The
	// same applies to ConfigRef and the repository of the configuration.
	CheckoutRef string `json:"checkout_ref,omitzero"`
	ConfigRef   string `json:"config_ref,omitzero"`
	// EventName applies to custom webhooks only.
	EventName string `json:"event_name,omitzero"`
	Disabled  bool   `json:"disabled,omitzero"`
	// Parameters apply to schedules only. They are not in CircleCI's API
	// specification.
	Parameters Parameters `json:"parameters,omitzero"`
}

func (r CreateTriggerRequest) check() error {
	if err := r.EventSource.check(); err != nil {
		return err
	}
	if r.EventSource.needsRefs() && (r.CheckoutRef == "" || r.ConfigRef == "") {
		return &ArgumentError{Name: "checkout_ref", Reason: "or config_ref is missing: webhooks and schedules require both"}
	}
	return r.Parameters.check()
}

// Create creates a trigger of a pipeline definition. The response has no
// creation time. For a custom webhook, it is the only response that contains
// the URL with its secret.
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Trigger/operation/createTrigger
//
//circleci:operation POST /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}/triggers
func (s *TriggersService) Create(ctx context.Context, projectID, definitionID uuid.UUID, in CreateTriggerRequest, opts ...RequestOption) (*Trigger, error) {
	return create[Trigger](ctx, s.client, post("/projects/{project_id}/pipeline-definitions/{pipeline_definition_id}/triggers", projectID, definitionID).body(in).with(opts))
}

// UpdateTriggerRequest holds the fields to change. Unset fields stay unchanged.
type UpdateTriggerRequest struct {
	EventSource Optional[UpdateEventSourceRequest] `json:"event_source,omitzero"`
	EventPreset Optional[TriggerEventPreset]       `json:"event_preset,omitzero"`
	CheckoutRef Optional[string]                   `json:"checkout_ref,omitzero"`
	ConfigRef   Optional[string]                   `json:"config_ref,omitzero"`
	EventName   Optional[string]                   `json:"event_name,omitzero"`
	// Disabled does not apply to GitHub (OAuth) triggers.
	Disabled   Optional[bool]       `json:"disabled,omitzero"`
	Parameters Optional[Parameters] `json:"parameters,omitzero"`
}

func (r UpdateTriggerRequest) check() error {
	if source, ok := r.EventSource.Get(); ok && isUnset(source.body) {
		return &ArgumentError{Name: "event_source", Reason: "changes nothing: see CustomWebhookEventsUpdate"}
	}
	parameters, _ := r.Parameters.Get()
	return parameters.check()
}

// Update changes a trigger.
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Trigger/operation/updateTrigger
//
//circleci:operation PATCH /projects/{project_id}/triggers/{trigger_id}
func (s *TriggersService) Update(ctx context.Context, projectID, id uuid.UUID, in UpdateTriggerRequest, opts ...RequestOption) (*Trigger, error) {
	return do[Trigger](ctx, s.client, patch("/projects/{project_id}/triggers/{trigger_id}", projectID, id).body(in).with(opts))
}

// Delete deletes a trigger. Deleting one that does not exist succeeds.
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Trigger/operation/deleteTrigger
//
//circleci:operation DELETE /projects/{project_id}/triggers/{trigger_id}
func (s *TriggersService) Delete(ctx context.Context, projectID, id uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/projects/{project_id}/triggers/{trigger_id}", projectID, id).with(opts))
}
