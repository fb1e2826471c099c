package circlecitest_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// triggerBench is a project with a definition.
type triggerBench struct {
	srv                 *circlecitest.Server
	client              *circleci.Client
	project, definition uuid.UUID
}

func newTriggerBench(t *testing.T) *triggerBench {
	srv := circlecitest.New(t)
	b := &triggerBench{srv: srv, client: srv.Client(), project: srv.AddProject("circleci/acme/web")}
	b.definition = newDefinition(t, b.client, b.project).ID
	return b
}

func (b *triggerBench) create(t *testing.T, in circleci.CreateTriggerRequest) (*circleci.Trigger, error) {
	return b.client.Triggers.Create(t.Context(), b.project, b.definition, in)
}

func TestTheSecretOfAWebhookIsToldOnce(t *testing.T) {
	b := newTriggerBench(t)
	made, err := b.create(t, circleci.CreateTriggerRequest{
		EventSource: circleci.CustomWebhookEvents("datadog"), EventName: "alert", CheckoutRef: "main", ConfigRef: "main",
	})
	require.NoError(t, err)
	assert.True(t, made.CreatedAt.IsZero(), "the answer to a creation has no time")
	assert.Regexp(t, `\?secret=[0-9a-f]{32}$`, made.EventSource.Webhook.URL.Reveal())

	got, err := b.client.Triggers.Get(t.Context(), b.project, made.ID)
	require.NoError(t, err)
	assert.False(t, got.CreatedAt.IsZero())
	assert.Regexp(t, `\?secret=\*\*REDACTED\*\*$`, got.EventSource.Webhook.URL.Reveal())
	assert.Equal(t, "alert", got.Description, "it mirrors the event's name")
	listed, err := circleci.Collect(b.client.Triggers.List(b.project, b.definition).All(t.Context()))
	require.NoError(t, err)
	assert.Equal(t, []circleci.Trigger{*got}, listed)

	changed, err := b.client.Triggers.Update(t.Context(), b.project, made.ID, circleci.UpdateTriggerRequest{
		EventSource: circleci.Some(circleci.CustomWebhookSender("pagerduty")), Disabled: circleci.Some(true),
	})
	require.NoError(t, err)
	want := *got
	want.Name, want.EventSource.Webhook.Sender, want.Disabled = "pagerduty", "pagerduty", true
	assert.Equal(t, &want, changed, "what is unset stays as it is")
}

func TestAnEnabledTriggerDoesNotSaySo(t *testing.T) {
	b := newTriggerBench(t)
	made, err := b.create(t, circleci.CreateTriggerRequest{EventSource: circleci.GitHubAppEvents("7"), EventPreset: circleci.TriggerEventPresetOnlyTags})
	require.NoError(t, err)
	assert.Equal(t, circleci.SourceRepo{FullName: "acme/repo-7", ExternalID: "7"}, made.EventSource.Repo)
	_, body := callRaw(t, b.srv, http.MethodGet, "/projects/"+b.project.String()+"/triggers/"+made.ID.String(), "")
	assert.NotContains(t, body, "disabled")
}

func TestAScheduleNamesItsActor(t *testing.T) {
	b := newTriggerBench(t)
	me, err := b.client.Users.Me(t.Context())
	require.NoError(t, err)
	made, err := b.create(t, circleci.CreateTriggerRequest{
		EventSource: circleci.ScheduledEvents("0 3 * * *", circleci.AttributionActorCurrent), CheckoutRef: "main", ConfigRef: "main",
		Parameters: circleci.Parameters{"env": circleci.StringValue("prod"), "n": circleci.IntValue(3)},
	})
	require.NoError(t, err)
	assert.Equal(t, me.ID.String(), made.EventSource.Schedule.AttributionActor.ID, "a word in the request, a user in the answer")
	assert.Equal(t, map[string]any{"env": "prod", "n": int64(3)}, made.Parameters)
	changed, err := b.client.Triggers.Update(t.Context(), b.project, made.ID, circleci.UpdateTriggerRequest{
		EventSource: circleci.Some(circleci.ScheduledAnew("0 4 * * *", circleci.AttributionActorSystem)),
		Parameters:  circleci.Some(circleci.Parameters{}),
	})
	require.NoError(t, err)
	assert.Equal(t, "0 4 * * *", changed.EventSource.Schedule.CronExpression)
	assert.NotEqual(t, made.EventSource.Schedule.AttributionActor, changed.EventSource.Schedule.AttributionActor)
	assert.Empty(t, changed.Parameters)
}

func TestTriggersGo(t *testing.T) {
	b := newTriggerBench(t)
	made, err := b.create(t, circleci.CreateTriggerRequest{EventSource: circleci.GitHubAppEvents("7")})
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, b.client.Triggers.Delete(t.Context(), b.project, made.ID), "one that is gone is deleted as well")
	}
	assert.ErrorIs(t, second(b.client.Triggers.Get(t.Context(), b.project, made.ID)), circleci.ErrNotFound)
	made, err = b.create(t, circleci.CreateTriggerRequest{EventSource: circleci.GitHubAppEvents("7")})
	require.NoError(t, err)
	require.NoError(t, b.client.PipelineDefinitions.Delete(t.Context(), b.project, b.definition))
	assert.ErrorIs(t, second(b.client.Triggers.Get(t.Context(), b.project, made.ID)), circleci.ErrNotFound, "it goes with its definition")
	refusal(t, second(b.create(t, circleci.CreateTriggerRequest{EventSource: circleci.GitHubAppEvents("7")})), 404, "Pipeline definition not found.")
}

func TestWhatATriggerCannotBe(t *testing.T) {
	b := newTriggerBench(t)
	path := "/projects/" + b.project.String() + "/pipeline-definitions/" + b.definition.String() + "/triggers"
	for body, words := range map[string]string{
		`{"event_source":{"provider":"bitbucket_dc","repo":{"external_id":"7"}}}`:                                                                                    "/event_source/provider",
		`{"event_source":{"provider":"github_app"}}`:                                                                                                                 "/event_source",
		`{"event_source":{"provider":"github_app","repo":{"external_id":"7"},"webhook":{"sender":"x"}}}`:                                                             "/event_source",
		`{"event_source":{"provider":"github_app","repo":{"external_id":"acme/web"}}}`:                                                                               "bad request",
		`{"event_source":{"provider":"github_app","repo":{"external_id":"7"}},"event_preset":"only-branch-delete"}`:                                                  "invalid event key provided",
		`{"event_source":{"provider":"github_app","repo":{"external_id":"7"}},"parameters":{"a":"b"}}`:                                                               "/parameters",
		`{"event_source":{"provider":"github_oauth","repo":{"external_id":"7"}}}`:                                                                                    "/event_preset",
		`{"event_source":{"provider":"github_oauth","repo":{"external_id":"7"}},"event_preset":"only-tags"}`:                                                         "/event_preset",
		`{"event_source":{"provider":"github_oauth","repo":{"external_id":"7"}},"event_preset":"all-pushes","disabled":false}`:                                       "/disabled",
		`{"event_source":{"provider":"webhook","webhook":{"sender":"x"}},"checkout_ref":"main"}`:                                                                     "/checkout_ref",
		`{"event_source":{"provider":"schedule","schedule":{"cron_expression":"0 3 * * *","attribution_actor":"me"}},"checkout_ref":"main","config_ref":"main"}`:     "attribution_actor",
		`{"event_source":{"provider":"schedule","schedule":{"attribution_actor":"system"}},"checkout_ref":"main","config_ref":"main"}`:                               "cron_expression",
		`{"event_source":{"provider":"schedule","schedule":{"cron-expression":"0 3 * * *","attribution-actor":"system"}},"checkout_ref":"main","config_ref":"main"}`: "cron-expression",
	} {
		status, answer := callRaw(t, b.srv, http.MethodPost, path, body)
		assert.Equal(t, 400, status, body)
		assert.Contains(t, answer, words, body)
	}
	listed, err := circleci.Collect(b.client.Triggers.List(b.project, b.definition).All(t.Context()))
	require.NoError(t, err)
	assert.Empty(t, listed, "what is refused leaves nothing behind")
}

func TestWhatATriggerCannotBecome(t *testing.T) {
	b := newTriggerBench(t)
	hook, err := b.create(t, circleci.CreateTriggerRequest{EventSource: circleci.CustomWebhookEvents("datadog"), CheckoutRef: "main", ConfigRef: "main"})
	require.NoError(t, err)
	oauth, err := b.create(t, circleci.CreateTriggerRequest{EventSource: circleci.GitHubOAuthEvents("7"), EventPreset: circleci.TriggerEventPresetAllPushes})
	require.NoError(t, err)
	for _, row := range []struct {
		trigger     *circleci.Trigger
		body, words string
	}{
		{hook, `{"event_source":{"provider":"github_app"}}`, "/event_source/provider"},
		{hook, `{"event_source":{"repo":{"external_id":"8"}}}`, "repo"},
		{hook, `{"event_source":{"schedule":{"cron_expression":"0 3 * * *","attribution_actor":"system"}}}`, "/event_source/schedule"},
		{hook, `{"checkout_ref":""}`, "/checkout_ref"},
		{hook, `{"event_preset":"only-branch-delete"}`, "invalid event key provided"},
		{hook, `{"parameters":{"a":"b"}}`, "parameters"},
		{oauth, `{"event_source":{"webhook":{"sender":"x"}}}`, "/event_source/webhook"},
		{oauth, `{"event_name":"x"}`, "event_name"},
		{oauth, `{"disabled":true}`, "/disabled"},
	} {
		path := "/projects/" + b.project.String() + "/triggers/" + row.trigger.ID.String()
		status, answer := callRaw(t, b.srv, http.MethodPatch, path, row.body)
		assert.Equal(t, 400, status, row.body)
		assert.Contains(t, answer, row.words, row.body)
	}
	got, err := b.client.Triggers.Get(t.Context(), b.project, hook.ID)
	require.NoError(t, err)
	assert.Equal(t, "main", got.CheckoutRef, "what is refused changes nothing")
}
