package circlecitest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

type trigger struct {
	id                             uuid.UUID
	source                         source
	sender, secret                 string // of a custom webhook
	cron                           string // of a schedule
	actor                          *user
	preset, checkoutRef, configRef string
	eventName                      string
	disabled                       bool
	parameters                     map[string]any
	created                        time.Time
	winding                        int // counts the changes, as of a schedule
}

// The providers of events that can be created; bitbucket_dc can only be read.
var eventProviders = []string{"github_app", "github_server", "github_oauth", "webhook", "schedule"}

// needsRefs reports whether events of a provider bring no branch or tag.
func needsRefs(provider string) bool { return provider == "webhook" || provider == "schedule" }

// eventPresets are those that the API knows: only-branch-delete is documented,
// and not among them.
var eventPresets = []string{
	"all-pushes", "only-tags", "default-branch-pushes", "only-build-prs", "only-open-prs", "only-labeled-prs", "only-merged-prs",
	"only-ready-for-review-prs", "only-build-pushes-to-non-draft-prs", "only-merged-or-closed-prs", "pr-comment-equals-run-ci",
	"non-draft-pr-opened", "pushes-to-merge-queues", "pr-comment-starts-with-at-chunk-ai",
}

// view shows the trigger, with the secret of its webhook redacted.
func (t *trigger) view(p *project) object {
	return t.show(p, "**REDACTED**").put("created_at", micros(t.created))
}

func (t *trigger) show(p *project, secret string) object {
	events := t.source.view(p)
	name := ""
	switch t.source.provider {
	case "webhook":
		name = t.sender
		events["webhook"] = object{"sender": t.sender, "url": "https://internal.circleci.com/private/soc/e/" + t.id.String() + "?secret=" + secret}
	case "schedule":
		events["schedule"] = object{"cron_expression": t.cron, "attribution_actor": object{"id": t.actor.id}}
	}
	view := object{
		"id": t.id, "name": name, "event_name": t.eventName, "description": t.eventName, "event_source": events,
	}.put("event_preset", t.preset).put("checkout_ref", t.checkoutRef).put("config_ref", t.configRef)
	if t.disabled {
		view["disabled"] = true
	}
	if t.parameters != nil {
		view["parameters"] = t.parameters
	}
	return view
}

// withTrigger is a handler for a route with a trigger's ID.
func withTrigger(do func(s *Server, r *request, p *project, d *definition, t *trigger) *answer) handler {
	return withDefinitions(errNoProject, func(s *Server, r *request, p *project) *answer {
		for _, d := range p.definitions {
			for _, t := range d.triggers {
				if t.id == r.id("trigger_id") {
					return do(s, r, p, d, t)
				}
			}
		}
		return notFound("Trigger")
	})
}

// withTriggers is a handler for a route with the ID of the triggers'
// definition.
func withTriggers(do func(s *Server, r *request, p *project, d *definition) *answer) handler {
	return withDefinitions(errNoProject, func(s *Server, r *request, p *project) *answer {
		if d := p.definitionBy(r.id("pipeline_definition_id")); d != nil {
			return do(s, r, p, d)
		}
		return message(http.StatusNotFound, errNoDefinition)
	})
}

// FireTrigger has a trigger fire, as the event does that it waits for, such as a
// call of its URL, and returns the ID of the pipeline that starts; the zero UUID
// if the trigger is disabled. One with a schedule fires by itself, too.
func (s *Server) FireTrigger(id uuid.UUID) uuid.UUID {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.world.projects {
		for _, d := range p.definitions {
			for _, t := range d.triggers {
				if t.id == id {
					return s.fire(p, t)
				}
			}
		}
	}
	panic("circlecitest: there is no trigger " + id.String())
}

// fire starts the pipeline of a trigger.
func (s *Server) fire(p *project, t *trigger) uuid.UUID {
	if t.disabled {
		return uuid.Nil
	}
	x := &pipeline{project: p, trigger: circleci.TriggerTypeWebhook, parameters: t.parameters}
	if tag, isTag := strings.CutPrefix(t.checkoutRef, "refs/tags/"); isTag {
		x.tag = tag
	} else {
		x.branch = strings.TrimPrefix(t.checkoutRef, "refs/heads/")
	}
	if t.actor != nil {
		x.trigger = circleci.TriggerTypeScheduledPipeline
	}
	s.start(x)
	if t.actor != nil {
		x.actor = t.actor
	}
	return x.id
}

// windTrigger sets up the next time of a trigger with a schedule.
func (s *Server) windTrigger(p *project, d *definition, t *trigger) {
	t.winding++
	if t.cron == "" {
		return
	}
	winding := t.winding
	schedule, _ := parseCron(t.cron) // it has been checked
	at, found := schedule.next(s.now())
	if !found {
		return
	}
	s.at(at, func() {
		if winding != t.winding || !slices.Contains(d.triggers, t) || !slices.Contains(p.definitions, d) || !slices.Contains(s.world.projects, p) {
			return // changed or deleted meanwhile
		}
		s.fire(p, t)
		s.windTrigger(p, d, t)
	})
}

var triggerHandlers = map[string]handler{
	"GET /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}/triggers": withTriggers(
		func(_ *Server, _ *request, p *project, d *definition) *answer {
			items := make([]any, 0, len(d.triggers))
			for _, t := range d.triggers {
				items = append(items, t.view(p))
			}
			return ok(object{"items": items})
		}),
	"POST /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}/triggers": withTriggers(createTrigger),
	"GET /projects/{project_id}/triggers/{trigger_id}": withTrigger(func(_ *Server, _ *request, p *project, _ *definition, t *trigger) *answer {
		return ok(t.view(p))
	}),
	"PATCH /projects/{project_id}/triggers/{trigger_id}": withTrigger(patchTrigger),
	"DELETE /projects/{project_id}/triggers/{trigger_id}": withDefinitions(errNoProject, func(_ *Server, r *request, p *project) *answer {
		for _, d := range p.definitions {
			d.triggers = slices.DeleteFunc(d.triggers, func(t *trigger) bool { return t.id == r.id("trigger_id") })
		}
		return message(http.StatusOK, "Trigger deleted.") // whether or not it was there
	}),
}

type webhookSourceIn struct {
	Sender string `json:"sender"`
}

type scheduleSourceIn struct {
	CronExpression   string `json:"cron_expression"`
	AttributionActor string `json:"attribution_actor"`
}

// apply gives the trigger other times; the actor of a request is a word, and
// that of an answer a user.
func (in *scheduleSourceIn) apply(s *Server, t *trigger) *answer {
	actor := s.scheduleActor(in.AttributionActor)
	_, err := parseCron(in.CronExpression)
	switch {
	case actor == nil:
		return refused("/event_source/schedule/attribution_actor", "is current or system")
	case in.CronExpression == "":
		return refused("/event_source/schedule/cron_expression", "is missing")
	case err != nil:
		return refused("/event_source/schedule/cron_expression", err.Error())
	}
	t.cron, t.actor = in.CronExpression, actor
	return nil
}

func createTrigger(s *Server, r *request, p *project, d *definition) *answer {
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
	if a := r.bind(&in); a != nil {
		return a
	}
	events, provider := in.EventSource, in.EventSource.Provider
	t := &trigger{
		id: s.newID(), source: source{provider: provider}, preset: in.EventPreset, checkoutRef: in.CheckoutRef, configRef: in.ConfigRef,
		eventName: in.EventName, parameters: in.Parameters, created: s.now(),
	}
	set(&t.disabled, in.Disabled)
	switch {
	case !slices.Contains(eventProviders, provider):
		return refused("/event_source/provider", "is not one of the API's")
	case (events.Webhook != nil) != (provider == "webhook") || (events.Schedule != nil) != (provider == "schedule") ||
		(events.Repo != nil) == needsRefs(provider):
		return refused("/event_source", "has to have what goes with its provider, and nothing else")
	case needsRefs(provider) && (in.CheckoutRef == "" || in.ConfigRef == ""):
		return refused("/checkout_ref", "and config_ref are needed for "+provider)
	case in.EventPreset != "" && !slices.Contains(eventPresets, in.EventPreset):
		return message(http.StatusBadRequest, "invalid event key provided")
	case provider == "github_oauth" && in.EventPreset != "all-pushes" && in.EventPreset != "only-build-prs":
		return refused("/event_preset", "is all-pushes or only-build-prs for github_oauth")
	case provider == "github_oauth" && in.Disabled != nil:
		return refused("/disabled", "does not go with github_oauth")
	case in.Parameters != nil && provider != "schedule":
		return refused("/parameters", "go with schedules alone")
	}
	if events.Repo != nil {
		if _, err := strconv.ParseInt(events.Repo.ExternalID, 10, 64); err != nil {
			return message(http.StatusBadRequest, "bad request") // the API says no more
		}
		t.source.externalID = events.Repo.ExternalID
	}
	if events.Webhook != nil {
		t.sender, t.secret = events.Webhook.Sender, hexID(s.newID())
	}
	if events.Schedule != nil {
		if a := events.Schedule.apply(s, t); a != nil {
			return a
		}
	}
	d.triggers = append(d.triggers, t)
	s.windTrigger(p, d, t)
	return ok(t.show(p, t.secret))
}

func patchTrigger(s *Server, r *request, p *project, d *definition, t *trigger) *answer {
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
	if a := r.bind(&in); a != nil {
		return a
	}
	next, provider := *t, t.source.provider
	set(&next.preset, in.EventPreset)
	set(&next.checkoutRef, in.CheckoutRef)
	set(&next.configRef, in.ConfigRef)
	set(&next.eventName, in.EventName)
	set(&next.disabled, in.Disabled)
	set(&next.parameters, in.Parameters)
	switch {
	case in.EventSource.Provider != "" && in.EventSource.Provider != provider:
		return refused("/event_source/provider", "cannot be changed")
	case in.EventSource.Webhook != nil && provider != "webhook" || in.EventName != nil && provider != "webhook" && provider != "schedule":
		return refused("/event_source/webhook", "or event_name goes with webhooks alone")
	case in.EventSource.Schedule != nil && provider != "schedule" || in.Parameters != nil && provider != "schedule":
		return refused("/event_source/schedule", "or parameters go with schedules alone")
	case next.preset != "" && !slices.Contains(eventPresets, next.preset):
		return message(http.StatusBadRequest, "invalid event key provided")
	case in.Disabled != nil && provider == "github_oauth":
		return refused("/disabled", "does not go with github_oauth")
	case needsRefs(provider) && (next.checkoutRef == "" || next.configRef == ""):
		return refused("/checkout_ref", "and config_ref are needed for "+provider)
	}
	if in.EventSource.Webhook != nil {
		next.sender = in.EventSource.Webhook.Sender
	}
	if in.EventSource.Schedule != nil {
		if a := in.EventSource.Schedule.apply(s, &next); a != nil {
			return a
		}
	}
	*t = next
	s.windTrigger(p, d, t)
	return ok(t.view(p))
}
