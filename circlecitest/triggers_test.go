package circlecitest_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// triggerBench is a project with a definition.
type triggerBench struct {
	srv                 *circlecitest.Server
	slug                circleci.ProjectSlug
	client              *circleci.Client
	project, definition uuid.UUID
}

func newTriggerBench(t *testing.T, opts ...circlecitest.Option) *triggerBench {
	srv := circlecitest.New(t, opts...)
	b := &triggerBench{srv: srv, client: srv.Client(), slug: standaloneWeb(srv)}
	b.project = srv.AddProject(b.slug)
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
	listed, err := b.client.Triggers.List(b.project, b.definition).Collect(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []circleci.Trigger{*got}, listed)

	changed, err := b.client.Triggers.Update(t.Context(), b.project, made.ID, circleci.UpdateTriggerRequest{
		EventSource: circleci.Some(circleci.CustomWebhookEventsUpdate("pagerduty")), Disabled: circleci.Some(true),
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
		Parameters: circleci.Parameters{"env": "prod", "n": 3},
	})
	require.NoError(t, err)
	assert.Equal(t, me.ID.String(), made.EventSource.Schedule.AttributionActor.ID, "a word in the request, a user in the answer")
	assert.Equal(t, map[string]any{"env": "prod", "n": int64(3)}, made.Parameters)
	changed, err := b.client.Triggers.Update(t.Context(), b.project, made.ID, circleci.UpdateTriggerRequest{
		EventSource: circleci.Some(circleci.ScheduledEventsUpdate("0 4 * * *", circleci.AttributionActorSystem)),
		Parameters:  circleci.Some(circleci.Parameters{}),
	})
	require.NoError(t, err)
	assert.Equal(t, "0 4 * * *", changed.EventSource.Schedule.CronExpression)
	assert.NotEqual(t, made.EventSource.Schedule.AttributionActor, changed.EventSource.Schedule.AttributionActor)
	assert.Empty(t, changed.Parameters)
}

// starts are the times at which the pipelines of the project have started, the
// oldest first.
func (b *triggerBench) starts(t *testing.T) (all []string) {
	t.Helper()
	for p, err := range b.client.Pipelines.ListForProject(b.slug, nil).All(t.Context()) {
		require.NoError(t, err)
		all = append(all, p.CreatedAt.Format("Mon 01-02 15:04"))
	}
	slices.Reverse(all)
	return all
}

func TestATriggerWithAScheduleFiresAtItsTimes(t *testing.T) {
	for cron, want := range map[string][]string{
		"0 3 * * *":           {"Tue 03-03 03:00", "Wed 03-04 03:00", "Thu 03-05 03:00"},
		"*/25 0-1 4 * *":      {"Wed 03-04 00:00", "Wed 03-04 00:25", "Wed 03-04 00:50", "Wed 03-04 01:00", "Wed 03-04 01:25", "Wed 03-04 01:50"},
		"30 8/6 * * tue":      {"Tue 03-03 08:30", "Tue 03-03 14:30", "Tue 03-03 20:30"},
		"0 12 * MAR MON-WED":  {"Tue 03-03 12:00", "Wed 03-04 12:00"},
		"15,45 6 4 * 2":       {"Tue 03-03 06:15", "Tue 03-03 06:45", "Wed 03-04 06:15", "Wed 03-04 06:45"}, // of the days one is enough
		"0 0 * * 7":           nil,
		"0 0 30 2 *":          nil,
		"0 12 2-3/1 1-3/2 *":  {"Tue 03-03 12:00"},
		"59 23 */2 * MON,TUE": {"Tue 03-03 23:59"}, // both, as the days begin with a star
	} {
		b := newTriggerBench(t, circlecitest.WithManualTime(), circlecitest.WithTime(time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)))
		_, err := b.create(t, circleci.CreateTriggerRequest{
			EventSource: circleci.ScheduledEvents(cron, circleci.AttributionActorSystem), CheckoutRef: "main", ConfigRef: "main",
		})
		require.NoError(t, err, cron)
		b.srv.Advance(3 * 24 * time.Hour)
		assert.Equal(t, want, b.starts(t), cron)
	}
}

func TestSundayIsADayOfTheWeekWithTwoNumbers(t *testing.T) {
	for cron, want := range map[string][]string{
		"0 6 * * 0": {"Sun 03-08 06:00"}, "0 6 * * 7": {"Sun 03-08 06:00"}, "0 6 * * SUN": {"Sun 03-08 06:00"},
		"0 6 * * 6-7": {"Sat 03-07 06:00", "Sun 03-08 06:00"}, "0 6 * * 6": {"Sat 03-07 06:00"}, "0 6 * * 1": {"Mon 03-09 06:00"},
	} {
		b := newTriggerBench(t, circlecitest.WithManualTime(), circlecitest.WithTime(time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)))
		_, err := b.create(t, circleci.CreateTriggerRequest{
			EventSource: circleci.ScheduledEvents(cron, circleci.AttributionActorSystem), CheckoutRef: "main", ConfigRef: "main",
		})
		require.NoError(t, err, cron)
		b.srv.Advance(7 * 24 * time.Hour)
		assert.Equal(t, want, b.starts(t), cron)
	}
}

func TestAScheduleThatIsNoCronExpression(t *testing.T) {
	b := newTriggerBench(t)
	for cron, words := range map[string]string{
		"0 3 * *": "five fields", "@daily": "five fields", "60 3 * * *": "60", "0 24 * * *": "24", "0 3 0 * *": "0", "0 3 * 13 *": "13",
		"0 3 * * 8": "8", "0 3 * * FRI-MON": "FRI-MON", "x 3 * * *": "x", "0 1-x * * *": "x", "*/0 3 * * *": "*/0", "*/x 3 * * *": "*/x", "1, 3 * * *": "number",
	} {
		_, err := b.create(t, circleci.CreateTriggerRequest{
			EventSource: circleci.ScheduledEvents(cron, circleci.AttributionActorSystem), CheckoutRef: "main", ConfigRef: "main",
		})
		refusal(t, err, 400, "cron_expression")
		assert.ErrorContains(t, err, words)
	}
}

func TestAScheduleThatChangesOrGoes(t *testing.T) {
	create := func(t *testing.T) (*triggerBench, uuid.UUID) {
		b := newTriggerBench(t, circlecitest.WithManualTime(), circlecitest.WithTime(time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)))
		made, err := b.create(t, circleci.CreateTriggerRequest{
			EventSource: circleci.ScheduledEvents("0 3 * * *", circleci.AttributionActorSystem), CheckoutRef: "refs/tags/v1", ConfigRef: "main",
			Parameters: circleci.Parameters{"env": "prod"},
		})
		require.NoError(t, err)
		b.srv.Advance(24 * time.Hour)
		require.Len(t, b.starts(t), 1)
		return b, made.ID
	}
	b, id := create(t)
	for p, err := range b.client.Pipelines.ListForProject(b.slug, nil).All(t.Context()) {
		require.NoError(t, err)
		assert.Equal(t, circleci.TriggerTypeScheduledPipeline, p.Trigger.Type)
		assert.Equal(t, "system-actor", p.Trigger.Actor.Login)
		values, err := b.client.Pipelines.GetValues(t.Context(), p.ID)
		require.NoError(t, err)
		assert.Equal(t, "v1", values["pipeline.git.tag"])
		assert.Equal(t, "prod", values["pipeline.parameters.env"])
	}
	update := func(in circleci.UpdateTriggerRequest) {
		_, err := b.client.Triggers.Update(t.Context(), b.project, id, in)
		require.NoError(t, err)
	}
	update(circleci.UpdateTriggerRequest{EventSource: circleci.Some(circleci.ScheduledEventsUpdate("0 4 * * *", circleci.AttributionActorSystem))})
	b.srv.Advance(24 * time.Hour)
	assert.Equal(t, []string{"Tue 03-03 03:00", "Wed 03-04 04:00"}, b.starts(t))
	update(circleci.UpdateTriggerRequest{Disabled: circleci.Some(true)})
	b.srv.Advance(24 * time.Hour)
	assert.Len(t, b.starts(t), 2, "a disabled trigger does not fire")
	update(circleci.UpdateTriggerRequest{Disabled: circleci.Some(false)})
	b.srv.Advance(24 * time.Hour)
	assert.Len(t, b.starts(t), 3, "and does again")

	for name, remove := range map[string]func(b *triggerBench, id uuid.UUID) error{
		"the trigger": func(b *triggerBench, id uuid.UUID) error { return b.client.Triggers.Delete(t.Context(), b.project, id) },
		"its definition": func(b *triggerBench, _ uuid.UUID) error {
			return b.client.PipelineDefinitions.Delete(t.Context(), b.project, b.definition)
		},
	} {
		b, id := create(t)
		require.NoError(t, remove(b, id))
		b.srv.Advance(48 * time.Hour)
		assert.Len(t, b.starts(t), 1, "%s is gone", name)
		assert.Panics(t, func() { b.srv.FireTrigger(id) })
	}
}

func TestATriggerFiresByHand(t *testing.T) {
	b := newTriggerBench(t)
	hook, err := b.create(t, circleci.CreateTriggerRequest{EventSource: circleci.CustomWebhookEvents("datadog"), CheckoutRef: "refs/heads/release", ConfigRef: "main"})
	require.NoError(t, err)
	p, err := b.client.Pipelines.Get(t.Context(), b.srv.FireTrigger(hook.ID))
	require.NoError(t, err)
	assert.Equal(t, circleci.TriggerTypeWebhook, p.Trigger.Type)
	listed, err := b.client.Pipelines.ListForProject(b.slug, &circleci.ListProjectPipelinesOptions{Branch: "release"}).Collect(t.Context())
	require.NoError(t, err)
	assert.Len(t, listed, 1)
	_, err = b.client.Triggers.Update(t.Context(), b.project, hook.ID, circleci.UpdateTriggerRequest{Disabled: circleci.Some(true)})
	require.NoError(t, err)
	assert.Equal(t, uuid.Nil, b.srv.FireTrigger(hook.ID))
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
	listed, err := b.client.Triggers.List(b.project, b.definition).Collect(t.Context())
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
