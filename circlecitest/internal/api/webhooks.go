package api

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/deliver"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// maxWebhooks is the maximum number of webhooks of a project.
const maxWebhooks = 5

func webhookView(h *world.Webhook) form.Object {
	view := form.Object{
		"id": h.ID, "name": h.Name, "url": h.URL, "events": h.Events, "verify_tls": h.VerifyTLS,
		"scope":      form.Object{"id": h.Project.ID, "type": circleci.WebhookScopeTypeProject},
		"created_at": form.Time(h.Created), "updated_at": form.Time(h.Updated),
	}
	if h.Secret != "" {
		view["signing_secret"] = "****"
	}
	return view
}

// withWebhook returns a handler for a route with a webhook's ID.
func withWebhook(do func(s *engine.Engine, r *exchange.Request, h *world.Webhook) *exchange.Answer) exchange.Handler {
	return func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		if r.ID("webhook-id") == uuid.Nil {
			return exchange.Message(http.StatusBadRequest, "Invalid webhook ID")
		}
		for _, h := range s.Webhooks {
			if h.ID == r.ID("webhook-id") {
				return do(s, r, h)
			}
		}
		return exchange.NotFound("Webhook")
	}
}

var webhookHandlers = map[string]exchange.Handler{
	"POST /webhook": createWebhook,
	"GET /webhook": func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		id, err := uuid.Parse(r.Query.Get("scope-id"))
		if err != nil || r.Query.Get("scope-type") != string(circleci.WebhookScopeTypeProject) {
			return exchange.Message(http.StatusBadRequest, "Invalid scope parameters")
		}
		return exchange.Page(r, s.WebhooksOf(id), exchange.DefaultPageSize, webhookView)
	},
	"GET /webhook/{webhook-id}": withWebhook(func(_ *engine.Engine, _ *exchange.Request, h *world.Webhook) *exchange.Answer {
		return exchange.OK(webhookView(h))
	}),
	"PUT /webhook/{webhook-id}": withWebhook(replaceWebhook),
	"DELETE /webhook/{webhook-id}": withWebhook(func(s *engine.Engine, _ *exchange.Request, h *world.Webhook) *exchange.Answer {
		s.Webhooks = slices.DeleteFunc(s.Webhooks, func(other *world.Webhook) bool { return other == h })
		return exchange.Message(http.StatusOK, "Webhook deleted.")
	}),
}

// webhookIn is a webhook as sent, with dashes in its keys.
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

// check refuses invalid values.
func (in *webhookIn) check() *exchange.Answer {
	switch {
	case in.Name != nil && *in.Name == "":
		return exchange.Missing("name")
	case in.URL != nil && !isHookURL(*in.URL):
		return exchange.Message(http.StatusBadRequest, "circlecitest: the url has to begin with https://, unless it is on this machine")
	case in.Events == nil:
		return nil
	case len(*in.Events) == 0:
		return exchange.Missing("events")
	}
	for _, e := range *in.Events {
		if e != circleci.WebhookEventWorkflowCompleted && e != circleci.WebhookEventJobCompleted {
			return exchange.Message(http.StatusBadRequest, "circlecitest: there is no event "+string(e))
		}
	}
	return nil
}

func isHookURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && deliver.IsLocal(u.Hostname()))
}

func createWebhook(s *engine.Engine, r *exchange.Request) *exchange.Answer {
	var in webhookIn
	if a := r.Bind(&in); a != nil {
		return a
	}
	if in.Name == nil || in.URL == nil || in.Events == nil {
		return exchange.Missing("name, url or events")
	}
	if a := in.check(); a != nil {
		return a
	}
	p := s.ProjectBy(in.Scope.ID)
	if p == nil || in.Scope.ID != p.ID.String() || in.Scope.Type != string(circleci.WebhookScopeTypeProject) {
		return exchange.Message(http.StatusBadRequest, "Invalid scope parameters")
	}
	if len(s.WebhooksOf(p.ID)) >= maxWebhooks {
		return exchange.Message(http.StatusBadRequest, "circlecitest: a project takes 5 webhooks")
	}
	h := &world.Webhook{
		ID: s.NewID(), Project: p, Name: *in.Name, URL: *in.URL, VerifyTLS: in.VerifyTLS, Secret: in.SigningSecret,
		Created: s.Now(), Updated: s.Now(),
	}
	h.Events = slices.Clone(*in.Events)
	s.Webhooks = append(s.Webhooks, h)
	return exchange.Created(webhookView(h))
}

// replaceWebhook replaces the whole webhook: an absent secret removes the
// secret, and an absent verify-tls means false. The scope is ignored.
func replaceWebhook(s *engine.Engine, r *exchange.Request, h *world.Webhook) *exchange.Answer {
	var in webhookIn
	if a := r.Bind(&in); a != nil {
		return a
	}
	if a := in.check(); a != nil {
		return a
	}
	if in.Name != nil {
		h.Name = *in.Name
	}
	if in.URL != nil {
		h.URL = *in.URL
	}
	if in.Events != nil {
		h.Events = slices.Clone(*in.Events)
	}
	h.VerifyTLS, h.Secret, h.Updated = in.VerifyTLS, in.SigningSecret, s.Now()
	return exchange.OK(webhookView(h))
}
