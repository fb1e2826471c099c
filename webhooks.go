package circleci

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// WebhooksService works with outbound webhooks: URLs that CircleCI calls when a
// workflow or a job of a project ends.
type WebhooksService service

// WebhookEvent is what a webhook is called for.
type WebhookEvent string

// The events.
const (
	WebhookEventWorkflowCompleted WebhookEvent = "workflow-completed"
	WebhookEventJobCompleted      WebhookEvent = "job-completed"
)

// WebhookScopeType is the kind of what a webhook is for.
type WebhookScopeType string

// WebhookScopeTypeProject is the only kind that the API takes.
const WebhookScopeTypeProject WebhookScopeType = "project"

// WebhookScope is what a webhook is for: see [ProjectScope].
type WebhookScope struct {
	ID   uuid.UUID        `json:"id"`
	Type WebhookScopeType `json:"type"`
}

// ProjectScope is the project with this ID, which [ProjectsService.Get] tells.
func ProjectScope(projectID uuid.UUID) WebhookScope {
	return WebhookScope{projectID, WebhookScopeTypeProject}
}

func (s WebhookScope) query(q *encode.Query) {
	q.UUID("scope-id", s.ID)
	q.String("scope-type", string(s.Type))
}

func (s WebhookScope) check() error {
	if s.ID == uuid.Nil || s.Type == "" {
		return &ArgumentError{Name: "scope", Reason: "lacks its ID or its type: see ProjectScope"}
	}
	return nil
}

// Webhook is an outbound webhook.
type Webhook struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"`
	URL  string    `json:"url"`
	// Events are in an order of the API's own.
	Events []WebhookEvent `json:"events"`
	// VerifyTLS tells whether the certificate of the URL's host is verified.
	VerifyTLS bool `json:"verify_tls"`
	// SigningSecret is masked; empty if there is none. It must not be sent
	// back: the mask would become the secret.
	SigningSecret string       `json:"signing_secret,omitzero"`
	Scope         WebhookScope `json:"scope"`
	CreatedAt     time.Time    `json:"created_at"`
	UpdatedAt     time.Time    `json:"updated_at"`
}

func (w *Webhook) key() itemKey { return itemKey{id: w.ID} }

// CreateWebhookRequest is a new webhook. A project takes five.
type CreateWebhookRequest struct {
	Name string `json:"name"`
	// URL has to begin with https.
	URL    string         `json:"url"`
	Events []WebhookEvent `json:"events"`
	// VerifyTLS should be true: else anybody on the way can pose as the
	// receiver. It is always sent, as the API takes an absent one for false.
	VerifyTLS bool `json:"verify-tls"`
	// SigningSecret signs what is delivered; without one, the receiver cannot
	// tell it from a forgery.
	SigningSecret Secret `json:"signing-secret"`
	// Scope is the project: see [ProjectScope].
	Scope WebhookScope `json:"scope"`
}

func (r CreateWebhookRequest) check() error {
	if err := required("name", r.Name); err != nil {
		return err
	}
	if err := required("url", r.URL); err != nil {
		return err
	}
	if len(r.Events) == 0 {
		return &ArgumentError{Name: "events", Reason: "are missing"}
	}
	return r.Scope.check()
}

// Create creates a webhook.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Webhook/operation/createWebhook
//
//circleci:operation POST /webhook
func (s *WebhooksService) Create(ctx context.Context, in CreateWebhookRequest, opts ...RequestOption) (*Webhook, error) {
	return do[Webhook](ctx, s.client, post("/webhook").body(in).with(opts))
}

// List lists the webhooks of a project: see [ProjectScope].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Webhook/operation/getWebhooks
//
//circleci:operation GET /webhook
func (s *WebhooksService) List(scope WebhookScope, opts ...RequestOption) *Pager[Webhook] {
	return list[Webhook](s.client, get("/webhook").query(scope).with(opts))
}

// Get returns the webhook with the given ID, or an error matching
// [ErrNotFound]; for a webhook that the token may not see it matches
// [ErrForbidden].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Webhook/operation/getWebhookById
//
//circleci:operation GET /webhook/{webhook-id}
func (s *WebhooksService) Get(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*Webhook, error) {
	return do[Webhook](ctx, s.client, get("/webhook/{webhook-id}", id).with(opts))
}

// UpdateWebhookRequest takes the place of what the webhook was. It is no partial
// update: with SigningSecret unset the API can delete the secret, after which
// deliveries are not signed any more, and with VerifyTLS unset it can turn the
// verification off. Set both each time, the secret to the one in use; the API
// does not tell it. The scope cannot be changed.
type UpdateWebhookRequest struct {
	Name   Optional[string]         `json:"name,omitzero"`
	URL    Optional[string]         `json:"url,omitzero"`
	Events Optional[[]WebhookEvent] `json:"events,omitzero"`
	// VerifyTLS can be set to false.
	VerifyTLS Optional[bool] `json:"verify-tls,omitzero"`
	// SigningSecret set to the empty text deletes the secret.
	SigningSecret Optional[Secret] `json:"signing-secret,omitzero"`
}

func (r UpdateWebhookRequest) check() error {
	if isUnset(r) {
		return &ArgumentError{Name: "webhook", Reason: "holds nothing to change"}
	}
	return nil
}

// Update replaces a webhook: read what [UpdateWebhookRequest] says of fields
// that are not set.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Webhook/operation/updateWebhook
//
//circleci:operation PUT /webhook/{webhook-id}
func (s *WebhooksService) Update(ctx context.Context, id uuid.UUID, in UpdateWebhookRequest, opts ...RequestOption) (*Webhook, error) {
	return do[Webhook](ctx, s.client, put("/webhook/{webhook-id}", id).body(in).with(opts))
}

// Delete deletes a webhook.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Webhook/operation/deleteWebhook
//
//circleci:operation DELETE /webhook/{webhook-id}
func (s *WebhooksService) Delete(ctx context.Context, id uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/webhook/{webhook-id}", id).with(opts))
}
