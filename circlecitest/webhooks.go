package circlecitest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// webhooks are the outbound webhooks, and the calls of them.
type webhooks struct {
	all []*webhook
	courier
}

type webhook struct {
	id               uuid.UUID
	project          *project
	name, url        string
	events           []circleci.WebhookEvent
	verifyTLS        bool
	secret           string
	created, updated time.Time
}

// maxWebhooks is how many webhooks a project takes.
const maxWebhooks = 5

func (h *webhook) view() object {
	view := object{
		"id": h.id, "name": h.name, "url": h.url, "events": h.events, "verify_tls": h.verifyTLS,
		"scope":      object{"id": h.project.id, "type": circleci.WebhookScopeTypeProject},
		"created_at": timestamp(h.created), "updated_at": timestamp(h.updated),
	}
	if h.secret != "" {
		view["signing_secret"] = "****"
	}
	return view
}

// setEvents keeps the events in an order of the server's own, as the API does.
func (h *webhook) setEvents(events []circleci.WebhookEvent) {
	h.events = slices.Sorted(slices.Values(events))
}

// withWebhook is a handler for a route with a webhook's ID.
func withWebhook(do func(s *Server, r *request, h *webhook) *answer) handler {
	return func(s *Server, r *request) *answer {
		if r.id("webhook-id") == uuid.Nil {
			return message(http.StatusBadRequest, "Invalid webhook ID")
		}
		for _, h := range s.world.webhooks.all {
			if h.id == r.id("webhook-id") {
				return do(s, r, h)
			}
		}
		return notFound("Webhook")
	}
}

var webhookHandlers = map[string]handler{
	"POST /webhook": createWebhook,
	"GET /webhook": func(s *Server, r *request) *answer {
		id, err := uuid.Parse(r.query.Get("scope-id"))
		if err != nil || r.query.Get("scope-type") != string(circleci.WebhookScopeTypeProject) {
			return message(http.StatusBadRequest, "Invalid scope parameters")
		}
		return page(r, s.webhooksOf(id), defaultPageSize, (*webhook).view)
	},
	"GET /webhook/{webhook-id}": withWebhook(func(_ *Server, _ *request, h *webhook) *answer { return ok(h.view()) }),
	"PUT /webhook/{webhook-id}": withWebhook(replaceWebhook),
	"DELETE /webhook/{webhook-id}": withWebhook(func(s *Server, _ *request, h *webhook) *answer {
		s.world.webhooks.all = slices.DeleteFunc(s.world.webhooks.all, func(other *webhook) bool { return other == h })
		return message(http.StatusOK, "Webhook deleted.")
	}),
}

func (s *Server) webhooksOf(projectID uuid.UUID) (all []*webhook) {
	for _, h := range s.world.webhooks.all {
		if h.project.id == projectID {
			all = append(all, h)
		}
	}
	return all
}

// webhookIn is a webhook as it is sent: with dashes in its keys.
type webhookIn struct {
	Name          *string                  `json:"name"`
	URL           *string                  `json:"url"`
	Events        *[]circleci.WebhookEvent `json:"events"`
	VerifyTLS     bool                     `json:"verify-tls"`     // absent: false
	SigningSecret string                   `json:"signing-secret"` // absent: none
	Scope         struct {
		ID   string `json:"id"`
		Type string `json:"type"`
	} `json:"scope"`
}

// check refuses what is there and wrong.
func (in *webhookIn) check() *answer {
	switch {
	case in.Name != nil && *in.Name == "":
		return missing("name")
	case in.URL != nil && !isHookURL(*in.URL):
		return message(http.StatusBadRequest, "circlecitest: the url has to begin with https://, unless it is on this machine")
	case in.Events == nil:
		return nil
	case len(*in.Events) == 0:
		return missing("events")
	}
	for _, e := range *in.Events {
		if e != circleci.WebhookEventWorkflowCompleted && e != circleci.WebhookEventJobCompleted {
			return message(http.StatusBadRequest, "circlecitest: there is no event "+string(e))
		}
	}
	return nil
}

func isHookURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && isLocal(u.Hostname()))
}

func createWebhook(s *Server, r *request) *answer {
	var in webhookIn
	if a := r.bind(&in); a != nil {
		return a
	}
	if in.Name == nil || in.URL == nil || in.Events == nil {
		return missing("name, url or events")
	}
	if a := in.check(); a != nil {
		return a
	}
	p := s.projectBy(in.Scope.ID)
	if p == nil || in.Scope.ID != p.id.String() || in.Scope.Type != string(circleci.WebhookScopeTypeProject) {
		return message(http.StatusBadRequest, "Invalid scope parameters")
	}
	if len(s.webhooksOf(p.id)) >= maxWebhooks {
		return message(http.StatusBadRequest, "circlecitest: a project takes 5 webhooks")
	}
	h := &webhook{
		id: s.newID(), project: p, name: *in.Name, url: *in.URL, verifyTLS: in.VerifyTLS, secret: in.SigningSecret,
		created: s.now(), updated: s.now(),
	}
	h.setEvents(*in.Events)
	s.world.webhooks.all = append(s.world.webhooks.all, h)
	return created(h.view())
}

// replaceWebhook puts what came in the place of what was: an absent secret is
// none, an absent verify-tls is false. The scope is ignored.
func replaceWebhook(s *Server, r *request, h *webhook) *answer {
	var in webhookIn
	if a := r.bind(&in); a != nil {
		return a
	}
	if a := in.check(); a != nil {
		return a
	}
	if in.Name != nil {
		h.name = *in.Name
	}
	if in.URL != nil {
		h.url = *in.URL
	}
	if in.Events != nil {
		h.setEvents(*in.Events)
	}
	h.verifyTLS, h.secret, h.updated = in.VerifyTLS, in.SigningSecret, s.now()
	return ok(h.view())
}

// announceJob calls the webhooks for a job that has ended. One that has never
// run is not announced, nor is an approval.
func (s *Server) announceJob(j *job) {
	if j.number == 0 || !s.tells() {
		return
	}
	s.callWebhooks(j.workflow.pipeline, circleci.WebhookEventJobCompleted, j.id, object{
		"workflow": j.workflow.payload(),
		"job": object{
			"id": j.id, "name": j.script.name, "number": j.number, "status": j.status,
			"started_at": timestamp(j.started), "stopped_at": timestamp(j.stopped),
		},
	})
}

// announceWorkflow calls the webhooks for a workflow that has ended.
func (s *Server) announceWorkflow(w *workflow) {
	if !s.tells() {
		return
	}
	payload := w.payload()
	payload["status"] = w.status
	s.callWebhooks(w.pipeline, circleci.WebhookEventWorkflowCompleted, w.id, object{"workflow": payload})
}

// tells reports whether there is anybody to tell. What is in the past was told
// then.
func (s *Server) tells() bool { return !s.past && len(s.world.webhooks.all) > 0 }

// payload is the workflow as webhooks tell it.
func (w *workflow) payload() object {
	p := w.pipeline
	view := object{
		"id": w.id, "name": w.name, "created_at": timestamp(w.created),
		"url": "https://app.circleci.com/pipelines/" + longSlug(p.project.slug) + "/" + strconv.FormatInt(p.number, 10) + "/workflows/" + w.id.String(),
	}
	return view.put("stopped_at", w.stopped)
}

// payload is the pipeline as webhooks tell it.
func (p *pipeline) payload() object {
	view := object{
		"id": p.id, "number": p.number, "created_at": timestamp(p.created), "trigger": object{"type": p.trigger},
	}
	seen := p.view()
	vcs, isClassic := seen["vcs"].(object)
	if !isClassic {
		view["trigger_parameters"] = seen["trigger_parameters"]
		return view
	}
	person := object{"name": p.actor.name, "email": p.actor.login + "@example.com"}
	at := p.created.Add(-time.Minute).UTC().Format(time.RFC3339)
	vcs["provider_name"] = p.project.org.vcsType
	vcs["commit"] = object{
		"subject": "A change", "body": "", "author": person, "authored_at": at, "committer": person, "committed_at": at,
	}
	view["vcs"] = vcs
	return view
}

// longSlug is the form of a slug that webhooks have.
func longSlug(slug string) string {
	provider, rest, _ := strings.Cut(slug, "/")
	if long := vcsTypes[provider]; long != "" {
		return long + "/" + rest
	}
	return slug
}

// callWebhooks calls those that want to know of an event.
func (s *Server) callWebhooks(p *pipeline, event circleci.WebhookEvent, subject uuid.UUID, details object) {
	for _, h := range s.webhooksOf(p.project.id) {
		if !slices.Contains(h.events, event) {
			continue
		}
		// The same for each attempt, and each time that this is told again.
		id := uuid.NewMD5(h.id, []byte(string(event)+" "+subject.String()))
		payload := object{
			"id": id, "type": event, "happened_at": s.now().UTC().Format("2006-01-02T15:04:05.000000Z"),
			"webhook":      object{"id": h.id, "name": h.name},
			"project":      object{"id": p.project.id, "name": p.project.name, "slug": longSlug(p.project.slug)},
			"organization": object{"id": p.project.org.id, "name": p.project.org.name},
			"pipeline":     p.payload(),
		}
		for name, value := range details {
			payload[name] = value
		}
		s.deliver(h, Delivery{WebhookID: h.id, ID: id, Event: event}, payload)
	}
}
