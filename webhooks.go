package circleci

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// WebhooksService manages outbound webhooks: URLs that CircleCI calls when a
// workflow or a job of a project ends. To receive their calls, use the package
// webhook.
type WebhooksService service

// WebhookEvent is an event that a webhook is called for.
type WebhookEvent string

// The events.
const (
	WebhookEventWorkflowCompleted WebhookEvent = "workflow-completed"
	WebhookEventJobCompleted      WebhookEvent = "job-completed"
)

// WebhookScopeType is the type of a webhook's scope.
type WebhookScopeType string

// WebhookScopeTypeProject is the only type that the API accepts.
const WebhookScopeTypeProject WebhookScopeType = "project"

// WebhookScope identifies the project of a webhook. Create one with
// [ProjectScope].
type WebhookScope struct {
	ID   uuid.UUID        `json:"id"`
	Type WebhookScopeType `json:"type"`
}

// ProjectScope returns the scope for the project with the given ID.
// [ProjectsService.Get] returns the ID.
func ProjectScope(projectID uuid.UUID) WebhookScope {
	return WebhookScope{projectID, WebhookScopeTypeProject}
}

func (s WebhookScope) query(q *encode.Query) {
	q.UUID("scope-id", s.ID)
	q.String("scope-type", string(s.Type))
}

func (s WebhookScope) check() error {
	if s.ID == uuid.Nil || s.Type == "" {
		return &ArgumentError{Name: "scope", Reason: "has no ID or no type: see ProjectScope"}
	}
	return nil
}

// Webhook is an outbound webhook.
type Webhook struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"`
	URL  string    `json:"url"`
	// Events are in no particular order.
	Events []WebhookEvent `json:"events"`
	// VerifyTLS reports whether CircleCI verifies the TLS certificate of the
	// URL's host.
	VerifyTLS bool `json:"verify_tls"`
	// SigningSecret is masked, or empty if there is none. Do not send it back:
	// the mask would become the secret.
	SigningSecret string       `json:"signing_secret,omitzero"`
	Scope         WebhookScope `json:"scope"`
	CreatedAt     time.Time    `json:"created_at"`
	UpdatedAt     time.Time    `json:"updated_at"`
}

func (w *Webhook) key() itemKey { return itemKey{id: w.ID} }

// CreateWebhookRequest describes a new webhook. A project can have at most
// five.
type CreateWebhookRequest struct {
	Name string `json:"name"`
	// URL must start with https.
	URL    string         `json:"url"`
	Events []WebhookEvent `json:"events"`
	// VerifyTLS should be true. If it is false, anyone between CircleCI and the
	// receiver can impersonate the receiver. It is always sent, because the API
	// treats a missing value as false.
	VerifyTLS bool `json:"verify-tls"`
	// SigningSecret signs the deliveries. Without one, the receiver cannot
	// detect forged deliveries.
	SigningSecret Secret `json:"signing-secret"`
	// Scope identifies the project: see [ProjectScope].
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
	return create[Webhook](ctx, s.client, post("/webhook").body(in).with(opts))
}

// List lists the webhooks of a project: see [ProjectScope].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Webhook/operation/getWebhooks
//
//circleci:operation GET /webhook
func (s *WebhooksService) List(scope WebhookScope, opts ...RequestOption) *Pager[Webhook] {
	return list[Webhook](s.client, get("/webhook").query(scope).with(opts))
}

// Get returns the webhook with the given ID. If there is none, the error
// matches [ErrNotFound]; if the token may not read it, the error matches
// [ErrForbidden].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Webhook/operation/getWebhookById
//
//circleci:operation GET /webhook/{webhook-id}
func (s *WebhooksService) Get(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*Webhook, error) {
	return do[Webhook](ctx, s.client, get("/webhook/{webhook-id}", id).with(opts))
}

// UpdateWebhookRequest holds the new state of a webhook. An update is not
// partial: if SigningSecret is unset, the API can delete the secret, and
// deliveries are no longer signed; if VerifyTLS is unset, the API can disable
// the verification. Set both every time. Set SigningSecret to the secret in
// use, which the API does not return. The scope cannot be changed.
type UpdateWebhookRequest struct {
	Name   Optional[string]         `json:"name,omitzero"`
	URL    Optional[string]         `json:"url,omitzero"`
	Events Optional[[]WebhookEvent] `json:"events,omitzero"`
	// VerifyTLS should be set to true; see [CreateWebhookRequest].
	VerifyTLS Optional[bool] `json:"verify-tls,omitzero"`
	// SigningSecret deletes the secret if it is set to the empty string.
	SigningSecret Optional[Secret] `json:"signing-secret,omitzero"`
}

func (r UpdateWebhookRequest) check() error {
	if isUnset(r) {
		return &ArgumentError{Name: "webhook", Reason: "has no fields to change"}
	}
	return nil
}

// Update replaces a webhook. Unset fields are not preserved: see
// [UpdateWebhookRequest].
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
