package api

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// The providers of events that can be created; bitbucket_dc can only be read.
var eventProviders = []string{"github_app", "github_server", "github_oauth", "webhook", "schedule"}

// needsRefs reports whether events of a provider have no branch or tag of their
// own.
func needsRefs(provider string) bool { return provider == "webhook" || provider == "schedule" }

// eventPresets are the presets that the API accepts. The documented
// only-branch-delete is not among them.
var eventPresets = []string{
	"all-pushes", "only-tags", "default-branch-pushes", "only-build-prs", "only-open-prs", "only-labeled-prs", "only-merged-prs",
	"only-ready-for-review-prs", "only-build-pushes-to-non-draft-prs", "only-merged-or-closed-prs", "pr-comment-equals-run-ci",
	"non-draft-pr-opened", "pushes-to-merge-queues", "pr-comment-starts-with-at-chunk-ai",
}

// triggerView returns the trigger with the secret of its webhook redacted.
func triggerView(t *world.Trigger, p *world.Project) form.Object {
	return triggerShow(t, p, "**REDACTED**").Put("created_at", form.Micros(t.Created))
}

func triggerShow(t *world.Trigger, p *world.Project, secret string) form.Object {
	events := sourceView(t.Source, p)
	name := ""
	switch t.Source.Provider {
	case "webhook":
		name = t.Sender
		events["webhook"] = form.Object{"sender": t.Sender, "url": "https://internal.circleci.com/private/soc/e/" + t.ID.String() + "?secret=" + secret}
	case "schedule":
		events["schedule"] = form.Object{"cron_expression": t.Cron, "attribution_actor": form.Object{"id": t.Actor.ID}}
	}
	view := form.Object{
		"id": t.ID, "name": name, "event_name": t.EventName, "description": t.EventName, "event_source": events,
	}.Put("event_preset", t.Preset).Put("checkout_ref", t.CheckoutRef).Put("config_ref", t.ConfigRef)
	if t.Disabled != nil {
		view["disabled"] = *t.Disabled // also false
	}
	if t.Parameters != nil {
		view["parameters"] = t.Parameters
	}
	return view
}

// withTrigger returns a handler for a route with a trigger's ID.
func withTrigger(do func(s *engine.Engine, r *exchange.Request, p *world.Project, d *world.Definition, t *world.Trigger) *exchange.Answer) exchange.Handler {
	return withDefinitions(errNoProject, func(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		for _, d := range p.Definitions {
			for _, t := range d.Triggers {
				if t.ID == r.ID("trigger_id") {
					return do(s, r, p, d, t)
				}
			}
		}
		return exchange.NotFound("Trigger")
	})
}

// withTriggers returns a handler for a route with a pipeline definition's ID.
func withTriggers(do func(s *engine.Engine, r *exchange.Request, p *world.Project, d *world.Definition) *exchange.Answer) exchange.Handler {
	return withDefinitions(errNoProject, func(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		if d := p.DefinitionBy(r.ID("pipeline_definition_id")); d != nil {
			return do(s, r, p, d)
		}
		return exchange.Message(http.StatusNotFound, errNoDefinition)
	})
}

var triggerHandlers = map[string]exchange.Handler{
	"GET /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}/triggers": withTriggers(
		func(_ *engine.Engine, _ *exchange.Request, p *world.Project, d *world.Definition) *exchange.Answer {
			items := make([]any, 0, len(d.Triggers))
			for _, t := range d.Triggers {
				items = append(items, triggerView(t, p))
			}
			return exchange.OK(form.Object{"items": items})
		}),
	"POST /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}/triggers": withTriggers(createTrigger),
	"GET /projects/{project_id}/triggers/{trigger_id}": withTrigger(func(_ *engine.Engine, _ *exchange.Request, p *world.Project, _ *world.Definition, t *world.Trigger) *exchange.Answer {
		return exchange.OK(triggerView(t, p))
	}),
	"PATCH /projects/{project_id}/triggers/{trigger_id}": withTrigger(patchTrigger),
	"DELETE /projects/{project_id}/triggers/{trigger_id}": withDefinitions(errNoProject, func(_ *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		for _, d := range p.Definitions {
			d.Triggers = slices.DeleteFunc(d.Triggers, func(t *world.Trigger) bool { return t.ID == r.ID("trigger_id") })
		}
		return exchange.Message(http.StatusOK, "Trigger deleted.") // whether or not it existed
	}),
}

type webhookSourceIn struct {
	Sender string `json:"sender"`
}

type scheduleSourceIn struct {
	CronExpression   string `json:"cron_expression"`
	AttributionActor string `json:"attribution_actor"`
}

// apply replaces the trigger's schedule. The actor is a keyword in requests and
// a user in responses.
func (in *scheduleSourceIn) apply(s *engine.Engine, t *world.Trigger) *exchange.Answer {
	actor := s.ScheduleActor(in.AttributionActor)
	_, err := world.ParseCron(in.CronExpression)
	switch {
	case actor == nil:
		return refused("/event_source/schedule/attribution_actor", "is current or system")
	case in.CronExpression == "":
		return refused("/event_source/schedule/cron_expression", "is missing")
	case err != nil:
		return refused("/event_source/schedule/cron_expression", err.Error())
	}
	t.Cron, t.Actor = in.CronExpression, actor
	return nil
}

func createTrigger(s *engine.Engine, r *exchange.Request, p *world.Project, d *world.Definition) *exchange.Answer {
	var in struct {
		EventSource struct {
			Provider string            `json:"provider"`
			Repo     *repoIn           `json:"repo"`
			Webhook  *webhookSourceIn  `json:"webhook"`
			Schedule *scheduleSourceIn `json:"schedule"`
		} `json:"event_source"`
		EventPreset string         `json:"event_preset"`
		CheckoutRef string         `json:"checkout_ref"`
		ConfigRef   string         `json:"config_ref"`
		EventName   string         `json:"event_name"`
		Disabled    *bool          `json:"disabled"`
		Parameters  map[string]any `json:"parameters"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	events, provider := in.EventSource, in.EventSource.Provider
	t := &world.Trigger{
		ID: s.NewID(), Source: world.Source{Provider: provider}, Preset: in.EventPreset, CheckoutRef: in.CheckoutRef, ConfigRef: in.ConfigRef,
		EventName: in.EventName, Parameters: in.Parameters, Created: s.Now(),
	}
	t.Disabled = in.Disabled
	switch {
	case !slices.Contains(eventProviders, provider):
		return refused("/event_source/provider", "is not one of the API's")
	case (events.Webhook != nil) != (provider == "webhook") || (events.Schedule != nil) != (provider == "schedule") ||
		(events.Repo != nil) == needsRefs(provider):
		return refused("/event_source", "has to have what goes with its provider, and nothing else")
	case needsRefs(provider) && (in.CheckoutRef == "" || in.ConfigRef == ""):
		return refused("/checkout_ref", "and config_ref are needed for "+provider)
	case in.EventPreset != "" && !slices.Contains(eventPresets, in.EventPreset):
		return exchange.Message(http.StatusBadRequest, "invalid event key provided")
	case provider == "github_oauth" && in.EventPreset != "all-pushes" && in.EventPreset != "only-build-prs":
		return refused("/event_preset", "is all-pushes or only-build-prs for github_oauth")
	case provider == "github_oauth" && in.Disabled != nil:
		return refused("/disabled", "does not go with github_oauth")
	case in.Parameters != nil && provider != "schedule":
		return refused("/parameters", "go with schedules alone")
	}
	if events.Repo != nil {
		if _, err := strconv.ParseInt(events.Repo.ExternalID, 10, 64); err != nil {
			return exchange.Message(http.StatusBadRequest, "bad request") // the API gives no reason
		}
		t.Source.ExternalID = events.Repo.ExternalID
	}
	if events.Webhook != nil {
		t.Sender, t.Secret = events.Webhook.Sender, world.HexID(s.NewID())
	}
	if events.Schedule != nil {
		if a := events.Schedule.apply(s, t); a != nil {
			return a
		}
	}
	d.Triggers = append(d.Triggers, t)
	s.WindTrigger(p, d, t)
	return exchange.OK(triggerShow(t, p, t.Secret))
}

func patchTrigger(s *engine.Engine, r *exchange.Request, p *world.Project, d *world.Definition, t *world.Trigger) *exchange.Answer {
	var in struct {
		EventSource struct {
			Provider string            `json:"provider"`
			Webhook  *webhookSourceIn  `json:"webhook"`
			Schedule *scheduleSourceIn `json:"schedule"`
		} `json:"event_source"`
		EventPreset *string         `json:"event_preset"`
		CheckoutRef *string         `json:"checkout_ref"`
		ConfigRef   *string         `json:"config_ref"`
		EventName   *string         `json:"event_name"`
		Disabled    *bool           `json:"disabled"`
		Parameters  *map[string]any `json:"parameters"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	next, provider := *t, t.Source.Provider
	set(&next.Preset, in.EventPreset)
	set(&next.CheckoutRef, in.CheckoutRef)
	set(&next.ConfigRef, in.ConfigRef)
	set(&next.EventName, in.EventName)
	if in.Disabled != nil {
		next.Disabled = in.Disabled
	}
	set(&next.Parameters, in.Parameters)
	switch {
	case in.EventSource.Provider != "" && in.EventSource.Provider != provider:
		return refused("/event_source/provider", "cannot be changed")
	case in.EventSource.Webhook != nil && provider != "webhook" || in.EventName != nil && provider != "webhook" && provider != "schedule":
		return refused("/event_source/webhook", "or event_name goes with webhooks alone")
	case in.EventSource.Schedule != nil && provider != "schedule" || in.Parameters != nil && provider != "schedule":
		return refused("/event_source/schedule", "or parameters go with schedules alone")
	case next.Preset != "" && !slices.Contains(eventPresets, next.Preset):
		return exchange.Message(http.StatusBadRequest, "invalid event key provided")
	case in.Disabled != nil && provider == "github_oauth":
		return refused("/disabled", "does not go with github_oauth")
	case needsRefs(provider) && (next.CheckoutRef == "" || next.ConfigRef == ""):
		return refused("/checkout_ref", "and config_ref are needed for "+provider)
	}
	if in.EventSource.Webhook != nil {
		next.Sender = in.EventSource.Webhook.Sender
	}
	if in.EventSource.Schedule != nil {
		if a := in.EventSource.Schedule.apply(s, &next); a != nil {
			return a
		}
	}
	*t = next
	s.WindTrigger(p, d, t)
	return exchange.OK(triggerView(t, p))
}
