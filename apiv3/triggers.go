package apiv3

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// TriggersService manages the triggers of pipelines. To change or delete one,
// use [circleci.TriggersService].
type TriggersService service

// Trigger starts runs of a pipeline.
type Trigger struct {
	ID         uuid.UUID    `json:"id"`
	ProjectID  uuid.UUID    `json:"project_id,omitzero"`
	PipelineID uuid.UUID    `json:"pipeline_id,omitzero"`
	IsDisabled bool         `json:"is_disabled"`
	CreatedAt  time.Time    `json:"created_at,omitzero"`
	Event      TriggerEvent `json:"event,omitzero"`
	Config     TriggerRef   `json:"config,omitzero"`
	Checkout   TriggerRef   `json:"checkout,omitzero"`
}

// EventType is the type of event that a trigger waits for.
type EventType string

// The types of events.
const (
	EventTypeVCS      EventType = "vcs"
	EventTypeWebhook  EventType = "webhook"
	EventTypeSchedule EventType = "schedule"
)

// TriggerEvent is the event that a trigger waits for. Besides Type, one of VCS,
// Webhook and Schedule is set.
type TriggerEvent struct {
	Type     EventType      `json:"type"`
	VCS      *Repository    `json:"vcs,omitzero"`
	Webhook  *EventWebhook  `json:"webhook,omitzero"`
	Schedule *EventSchedule `json:"schedule,omitzero"`
	Filter   EventFilter    `json:"filter,omitzero"`
}

// EventWebhook is a webhook that CircleCI receives.
type EventWebhook struct {
	Name   string `json:"name,omitzero"`
	Source string `json:"source,omitzero"`
}

// EventSchedule is a schedule. Public sources disagree about its form. Anything
// but an object is decoded as an empty schedule.
type EventSchedule struct {
	Name           string `json:"name,omitzero"`
	CronExpression string `json:"cron_expression,omitzero"`
}

// UnmarshalJSON decodes a schedule.
func (s *EventSchedule) UnmarshalJSON(data []byte) error {
	type plain EventSchedule
	var out plain
	if json.Unmarshal(data, &out) != nil {
		out = plain{}
	}
	*s = EventSchedule(out)
	return nil
}

// EventFilter limits the repository events that start a run.
type EventFilter struct {
	// Preset is the name of a set of events, such as "all-pushes", "only-tags"
	// or "only-open-prs".
	Preset string `json:"preset,omitzero"`
}

// TriggerRef is the branch or tag to read a configuration from, or to check
// out.
type TriggerRef struct {
	Ref string `json:"ref,omitzero"`
}

// ListTriggersOptions are the options of [TriggersService.List]. One of the
// fields is required.
type ListTriggersOptions struct {
	ProjectID  uuid.UUID
	PipelineID uuid.UUID
}

// List lists the triggers of a project or of a pipeline, all on one page.
//
//circleci:operation GET /api/v3/triggers
func (s *TriggersService) List(o ListTriggersOptions, opts ...circleci.RequestOption) *circleci.Pager[Trigger] {
	r := get("/api/v3/triggers").filterID("filter[project_id]", o.ProjectID).filterID("filter[pipeline_id]", o.PipelineID)
	if len(r.Query) == 0 {
		r = r.refuse("filter[project_id]", missing+", and so is filter[pipeline_id]")
	}
	return list[Trigger](s.client, r, opts)
}

// CreateTriggerRequest describes a new trigger.
type CreateTriggerRequest struct {
	PipelineID uuid.UUID `json:"-"`
	// ProjectID is required for the pipeline that CircleCI creates itself for a
	// GitHub OAuth project.
	ProjectID  uuid.UUID    `json:"-"`
	IsDisabled bool         `json:"is_disabled,omitzero"`
	Event      TriggerEvent `json:"event"`
	Config     TriggerRef   `json:"config,omitzero"`
	Checkout   TriggerRef   `json:"checkout,omitzero"`
}

func (r CreateTriggerRequest) check() (name, reason string) {
	if r.Event.Type == "" {
		return "event.type", missing
	}
	return "", ""
}

// Create creates a trigger for a pipeline.
//
//circleci:operation POST /api/v3/triggers
func (s *TriggersService) Create(ctx context.Context, in CreateTriggerRequest, opts ...circleci.RequestOption) (*Trigger, error) {
	r := post("/api/v3/triggers").filterID("filter[project_id]", in.ProjectID)
	return one[Trigger](ctx, s.client, r.create(in, references{"pipeline": in.PipelineID}), opts)
}

// Get returns the trigger with the given ID, or an error matching
// [circleci.ErrNotFound].
//
//circleci:operation GET /api/v3/triggers/{id}
func (s *TriggersService) Get(ctx context.Context, id uuid.UUID, opts ...circleci.RequestOption) (*Trigger, error) {
	return one[Trigger](ctx, s.client, get("/api/v3/triggers/{id}", id), opts)
}

// Fire sends an event to a trigger, which starts a run.
//
// This operation is experimental and may change. The form of the body is not
// known: in is encoded as JSON, and the response is not read. Nil sends no
// body.
//
//circleci:operation POST /api/v3/triggers/{trigger_id}/events
func (s *TriggersService) Fire(ctx context.Context, id uuid.UUID, in any, opts ...circleci.RequestOption) error {
	r := post("/api/v3/triggers/{trigger_id}/events", id)
	r.Body = in
	return exec(ctx, s.client, r, opts)
}
