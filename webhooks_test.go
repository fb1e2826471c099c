package circleci_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

const hookPath = "/webhook/11111111-1111-4111-8111-111111111111"

var webhookTests = []operationTest{
	{
		op: "POST /webhook",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Webhooks.Create(ctx, circleci.CreateWebhookRequest{
				Name: "chat", URL: "https://hooks.example/circleci", Events: []circleci.WebhookEvent{circleci.WebhookEventJobCompleted},
				VerifyTLS: true, SigningSecret: "hunter123", Scope: circleci.ProjectScope(id2),
			}))
		},
		path: "/webhook",
		body: `{"name":"chat","url":"https://hooks.example/circleci","events":["job-completed"],"verify-tls":true,` +
			`"signing-secret":"hunter123","scope":{"id":"22222222-2222-4222-8222-222222222222","type":"project"}}`,
		fixture: "webhooks/createWebhook", status: 201,
	},
	{
		op: "GET /webhook",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Webhooks.List(circleci.ProjectScope(id2)))
		},
		path: "/webhook", query: "scope-id=22222222-2222-4222-8222-222222222222&scope-type=project", fixture: "webhooks/getWebhooks",
		check: func(t *testing.T, got any) {
			hooks := as[[]circleci.Webhook](t, got)
			assert.True(t, hooks[0].VerifyTLS, "the live spelling")
			assert.True(t, hooks[1].VerifyTLS, "the document's spelling")
			assert.Equal(t, "****", hooks[1].SigningSecret)
			assert.False(t, hooks[1].CreatedAt.IsZero())
		},
	},
	{
		op:   "GET /webhook/{webhook-id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) { return some(c.Webhooks.Get(ctx, id1)) },
		path: hookPath, fixture: "webhooks/getWebhookById",
	},
	{
		op: "PUT /webhook/{webhook-id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Webhooks.Update(ctx, id1, circleci.UpdateWebhookRequest{
				Name: circleci.Some("mail"), URL: circleci.Some("https://hooks.example/mail"),
				Events:    circleci.Some([]circleci.WebhookEvent{circleci.WebhookEventWorkflowCompleted}),
				VerifyTLS: circleci.Some(true), SigningSecret: circleci.Some[circleci.Secret]("hunter123"),
			}))
		},
		path: hookPath,
		body: `{"name":"mail","url":"https://hooks.example/mail","events":["workflow-completed"],"verify-tls":true,` +
			`"signing-secret":"hunter123"}`,
		fixture: "webhooks/updateWebhook",
	},
	{
		op:   "DELETE /webhook/{webhook-id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) { return none(c.Webhooks.Delete(ctx, id1)) },
		path: hookPath, fixture: "webhooks/deleteWebhook",
	},
}

// The API takes an absent verify-tls for false, and ignores keys with
// underscores without a word.
func TestAWebhookIsCreatedWithAllItsKeys(t *testing.T) {
	srv := circlecitest.New(t)
	id := srv.AddProject(webSlug)
	hook, err := srv.Client().Webhooks.Create(t.Context(), circleci.CreateWebhookRequest{
		Name: "chat", URL: "https://hooks.example/", Events: []circleci.WebhookEvent{"job-completed"}, Scope: circleci.ProjectScope(id),
	})
	require.NoError(t, err)
	assert.False(t, hook.VerifyTLS)
	assert.Empty(t, hook.SigningSecret)
	assert.JSONEq(t, `{"name":"chat","url":"https://hooks.example/","events":["job-completed"],"verify-tls":false,
		"signing-secret":"","scope":{"id":"`+id.String()+`","type":"project"}}`, string(srv.Requests()[0].Body))
}

func TestAWebhookUpdateTellsFalseEmptyAndUnsetApart(t *testing.T) {
	for want, in := range map[string]circleci.UpdateWebhookRequest{
		`{"verify-tls":false}`:   {VerifyTLS: circleci.Some(false)},
		`{"signing-secret":""}`:  {SigningSecret: circleci.Some[circleci.Secret]("")},
		`{"events":[],"url":""}`: {URL: circleci.Some(""), Events: circleci.Some([]circleci.WebhookEvent{})},
		`{"name":"chat","signing-secret":null}`: {
			Name: circleci.Some("chat"), SigningSecret: circleci.Null[circleci.Secret](),
		},
	} {
		srv := circlecitest.New(t)
		srv.Fail("PUT /webhook/{webhook-id}", circlecitest.Response{Body: `{}`})
		_, err := srv.Client().Webhooks.Update(t.Context(), id1, in)
		require.NoError(t, err)
		assert.JSONEq(t, want, string(srv.Requests()[0].Body))
	}
}

func TestBadWebhookInputIsNotSent(t *testing.T) {
	srv := circlecitest.New(t)
	hooks := srv.Client().Webhooks
	create := func(change func(*circleci.CreateWebhookRequest)) error {
		in := circleci.CreateWebhookRequest{
			Name: "chat", URL: "https://hooks.example/", Events: []circleci.WebhookEvent{"job-completed"}, Scope: circleci.ProjectScope(id1),
		}
		change(&in)
		return second(hooks.Create(t.Context(), in))
	}
	for what, err := range map[string]error{
		"no name":               create(func(in *circleci.CreateWebhookRequest) { in.Name = "" }),
		"no URL":                create(func(in *circleci.CreateWebhookRequest) { in.URL = "" }),
		"no events":             create(func(in *circleci.CreateWebhookRequest) { in.Events = nil }),
		"no scope":              create(func(in *circleci.CreateWebhookRequest) { in.Scope = circleci.WebhookScope{} }),
		"no project":            create(func(in *circleci.CreateWebhookRequest) { in.Scope.ID = uuid.Nil }),
		"no type of scope":      create(func(in *circleci.CreateWebhookRequest) { in.Scope.Type = "" }),
		"an update of nothing":  second(hooks.Update(t.Context(), id1, circleci.UpdateWebhookRequest{})),
		"a list without scope":  second(hooks.List(circleci.WebhookScope{}).Collect(t.Context())),
		"the zero UUID":         second(hooks.Get(t.Context(), uuid.Nil)),
		"the zero UUID, delete": hooks.Delete(t.Context(), uuid.Nil),
	} {
		assert.ErrorIs(t, err, circleci.ErrInvalidArgument, what)
	}
	assert.Empty(t, srv.Requests())
}
