package circleci_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

const (
	triggersPath = "/projects/11111111-1111-4111-8111-111111111111/pipeline-definitions/22222222-2222-4222-8222-222222222222/triggers"
	triggerPath  = "/projects/11111111-1111-4111-8111-111111111111/triggers/33333333-3333-4333-8333-333333333333"
)

var triggerTests = []operationTest{
	{
		op: "GET /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}/triggers",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Triggers.List(id1, id2))
		},
		path: triggersPath, fixture: "triggers/listPipelineDefinitionTriggers",
	},
	{
		op: "POST /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}/triggers",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Triggers.Create(ctx, id1, id2, circleci.CreateTriggerRequest{
				EventSource: circleci.CustomWebhookEvents("datadog"), EventName: "alert", CheckoutRef: "main", ConfigRef: "v1.0.0", Disabled: true,
			}))
		},
		path: triggersPath,
		body: `{"event_source":{"provider":"webhook","webhook":{"sender":"datadog"}},` +
			`"checkout_ref":"main","config_ref":"v1.0.0","event_name":"alert","disabled":true}`,
		fixture: "triggers/createTrigger",
		check: func(t *testing.T, got any) {
			trigger := as[*circleci.Trigger](t, got)
			assert.Contains(t, trigger.EventSource.Webhook.URL.Reveal(), "?secret=hunter2")
			assert.NotContains(t, fmt.Sprintf("%+v", trigger), "hunter2", "the URL is a secret")
			assert.True(t, trigger.CreatedAt.IsZero(), "the answer to a creation has no time")
		},
	},
	{
		op:   "GET /projects/{project_id}/triggers/{trigger_id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) { return some(c.Triggers.Get(ctx, id1, id3)) },
		path: triggerPath, fixture: "triggers/getTrigger",
		check: func(t *testing.T, got any) {
			trigger := as[*circleci.Trigger](t, got)
			assert.Equal(t, id1.String(), trigger.EventSource.Schedule.AttributionActor.ID, "an object in the answer")
			assert.Equal(t, int64(9007199254740993), trigger.Parameters["replicas"], "a number keeps all its digits")
			assert.False(t, trigger.Disabled, "what is not said to be disabled is enabled")
		},
	},
	{
		op: "PATCH /projects/{project_id}/triggers/{trigger_id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Triggers.Update(ctx, id1, id3, circleci.UpdateTriggerRequest{
				EventSource: circleci.Some(circleci.CustomWebhookEventsUpdate("pagerduty")),
				EventPreset: circleci.Some(circleci.TriggerEventPresetOnlyTags), CheckoutRef: circleci.Some("dev"),
				ConfigRef: circleci.Some("dev"), EventName: circleci.Some("page"), Disabled: circleci.Some(false),
				Parameters: circleci.Some(circleci.Parameters{"env": "prod"}),
			}))
		},
		path: triggerPath,
		body: `{"event_source":{"webhook":{"sender":"pagerduty"}},"event_preset":"only-tags","checkout_ref":"dev",` +
			`"config_ref":"dev","event_name":"page","disabled":false,"parameters":{"env":"prod"}}`,
		fixture: "triggers/updateTrigger",
	},
	{
		op: "DELETE /projects/{project_id}/triggers/{trigger_id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return none(c.Triggers.Delete(ctx, id1, id3))
		},
		path: triggerPath, fixture: "triggers/deleteTrigger",
	},
}

func TestTheSourcesOfATriggerOnTheWire(t *testing.T) {
	srv := circlecitest.New(t)
	for want, source := range map[string]circleci.EventSourceRequest{
		`{"provider":"github_app","repo":{"external_id":"7"}}`:    circleci.GitHubAppEvents("7"),
		`{"provider":"github_server","repo":{"external_id":"7"}}`: circleci.GitHubServerEvents("7"),
		`{"provider":"github_oauth","repo":{"external_id":"7"}}`:  circleci.GitHubOAuthEvents("7"),
		`{"provider":"webhook","webhook":{"sender":"datadog"}}`:   circleci.CustomWebhookEvents("datadog"),
		`{"provider":"schedule","schedule":{"cron_expression":"0 3 * * *","attribution_actor":"system"}}`: circleci.ScheduledEvents(
			"0 3 * * *", circleci.AttributionActorSystem),
	} {
		n := len(srv.Requests())
		srv.Fail("POST /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}/triggers", circlecitest.Response{Body: `{"id":"00000001-1111-4111-8111-111111111111"}`})
		_, err := srv.Client().Triggers.Create(t.Context(), id1, id2, circleci.CreateTriggerRequest{
			EventSource: source, CheckoutRef: "main", ConfigRef: "main",
		})
		require.NoError(t, err)
		assert.Equal(t, `{"event_source":`+want+`,"checkout_ref":"main","config_ref":"main"}`, string(srv.Requests()[n].Body))
	}
}

func TestAnUpdateOfATriggerHasThreeStates(t *testing.T) {
	srv := circlecitest.New(t)
	for want, in := range map[string]circleci.UpdateTriggerRequest{
		`{"disabled":false}`:    {Disabled: circleci.Some(false)},
		`{"event_preset":null}`: {EventPreset: circleci.Null[circleci.TriggerEventPreset]()},
		`{"config_ref":""}`:     {ConfigRef: circleci.Some("")},
		`{"parameters":null}`:   {Parameters: circleci.Null[circleci.Parameters]()},
		`{"event_source":{"provider":"schedule","schedule":{"cron_expression":"0 4 * * *","attribution_actor":"current"}}}`: {
			EventSource: circleci.Some(circleci.ScheduledEventsUpdate("0 4 * * *", circleci.AttributionActorCurrent)),
		},
	} {
		n := len(srv.Requests())
		srv.Fail("PATCH /projects/{project_id}/triggers/{trigger_id}", circlecitest.Response{Body: `{}`})
		_, err := srv.Client().Triggers.Update(t.Context(), id1, id3, in)
		require.NoError(t, err)
		assert.Equal(t, want, string(srv.Requests()[n].Body))
	}
}

func TestABadTriggerIsNotSent(t *testing.T) {
	srv := circlecitest.New(t)
	s := srv.Client().Triggers
	create := func(source circleci.EventSourceRequest, checkout, config string) error {
		return second(s.Create(t.Context(), id1, id2, circleci.CreateTriggerRequest{EventSource: source, CheckoutRef: checkout, ConfigRef: config}))
	}
	cron := circleci.ScheduledEvents("0 3 * * *", circleci.AttributionActorSystem)
	for what, err := range map[string]error{
		"no source":                create(circleci.EventSourceRequest{}, "main", "main"),
		"no repository":            create(circleci.GitHubAppEvents(""), "", ""),
		"no sender":                create(circleci.CustomWebhookEvents(""), "main", "main"),
		"no times":                 create(circleci.ScheduledEvents("", circleci.AttributionActorSystem), "main", "main"),
		"no actor":                 create(circleci.ScheduledEvents("0 3 * * *", ""), "main", "main"),
		"a webhook's checkout ref": create(circleci.CustomWebhookEvents("datadog"), "", "main"),
		"a schedule's config ref":  create(cron, "main", ""),
		"a nameless parameter": second(s.Create(t.Context(), id1, id2, circleci.CreateTriggerRequest{
			EventSource: cron, CheckoutRef: "main", ConfigRef: "main", Parameters: circleci.Parameters{"": 1},
		})),
		"a change of nothing": second(s.Update(t.Context(), id1, id3, circleci.UpdateTriggerRequest{
			EventSource: circleci.Some(circleci.UpdateEventSourceRequest{}),
		})),
		"a nameless new parameter": second(s.Update(t.Context(), id1, id3, circleci.UpdateTriggerRequest{
			Parameters: circleci.Some(circleci.Parameters{"": 1}),
		})),
	} {
		assert.ErrorIs(t, err, circleci.ErrInvalidArgument, what)
	}
	assert.Empty(t, srv.Requests())
}
