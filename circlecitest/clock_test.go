package circlecitest_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// stateOf is the status of the first workflow of the newest pipeline.
func stateOf(t *testing.T, srv *circlecitest.Server) circleci.WorkflowStatus {
	t.Helper()
	c := srv.Client()
	for p, err := range c.Pipelines.ListForProject(webSlug, nil).All(t.Context()) {
		require.NoError(t, err)
		for w, err := range c.Pipelines.ListWorkflows(p.ID).All(t.Context()) {
			require.NoError(t, err)
			return w.Status
		}
	}
	return ""
}

// A job of a minute is over 64 seconds after its pipeline began: a second each
// for the configuration and the workflow, two for a machine.
const minuteJob = 64 * time.Second

func TestTime(t *testing.T) {
	for name, c := range map[string]struct {
		options []circlecitest.Option
		pass    func(srv *circlecitest.Server, d time.Duration) // of the server's time
	}{
		"of the bubble": {nil, func(_ *circlecitest.Server, d time.Duration) { time.Sleep(d) }},
		"faster": {
			[]circlecitest.Option{circlecitest.WithSpeed(60)},
			func(_ *circlecitest.Server, d time.Duration) { time.Sleep(d / 60) },
		},
		"slower": {
			[]circlecitest.Option{circlecitest.WithSpeed(0.5)},
			func(_ *circlecitest.Server, d time.Duration) { time.Sleep(2 * d) },
		},
		"by hand": {
			[]circlecitest.Option{circlecitest.WithManualTime()},
			func(srv *circlecitest.Server, d time.Duration) {
				time.Sleep(time.Hour) // which is nothing to the server
				srv.Advance(d)
			},
		},
		"by itself, and by hand": {nil, func(srv *circlecitest.Server, d time.Duration) {
			time.Sleep(d / 2)
			srv.Advance(d / 2)
		}},
		"faster, and by hand": {
			[]circlecitest.Option{circlecitest.WithSpeed(1e5)},
			func(srv *circlecitest.Server, d time.Duration) {
				srv.Advance(d / 2)
				time.Sleep(d / 2 / 1e5)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
				srv := circlecitest.New(t, append(c.options, circlecitest.WithTime(begin))...)
				srv.Script(webSlug, oneJob("build", circlecitest.Job("test").Takes(time.Minute)))
				srv.StartPipeline(webSlug, "main")
				c.pass(srv, minuteJob-time.Millisecond)
				assert.Equal(t, circleci.WorkflowStatusRunning, stateOf(t, srv))
				c.pass(srv, 2*time.Millisecond)
				assert.Equal(t, circleci.WorkflowStatusSuccess, stateOf(t, srv))
				assert.WithinDuration(t, begin.Add(minuteJob), srv.Now(), 2*time.Millisecond)
			})
		})
	}
}

// What the server does of its own has to happen though nobody asks for it.
func TestTimePassesWithoutRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		srv := circlecitest.New(t, circlecitest.WithSpeed(60), circlecitest.WithDeliveryTransport(carrier(func(*http.Request) (*http.Response, error) {
			calls.Add(1)
			return answer(200), nil
		})))
		addHook(t, srv, webSlug, "https://hooks.example/")
		srv.StartPipeline(webSlug, "main")
		time.Sleep(2 * time.Minute / 60)
		synctest.Wait()
		assert.Equal(t, int32(3), calls.Load(), "two jobs and a workflow")
	})
}

// Who follows what goes on over days by webhooks has to be told each event in
// its time: with what the server then knows.
func TestAdvanceGoesFromEventToEvent(t *testing.T) {
	var srv *circlecitest.Server
	var late time.Duration
	calls, begin := 0, time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	srv = circlecitest.New(t, circlecitest.WithManualTime(), circlecitest.WithTime(begin), circlecitest.WithDeliveryTransport(carrier(func(*http.Request) (*http.Response, error) {
		calls++
		state := stateOf(t, srv)
		assert.Equal(t, circleci.WorkflowStatusSuccess, state)
		late = max(late, srv.Now().Sub(begin.Add(time.Duration(calls)*time.Hour)))
		return answer(200), nil
	})))
	srv.Script(webSlug, oneJob("build", circlecitest.Job("test").Takes(time.Minute)))
	c := srv.Client()
	_, err := c.Webhooks.Create(t.Context(), circleci.CreateWebhookRequest{
		Name: "chat", URL: "https://hooks.example/", Scope: circleci.ProjectScope(srv.AddProject(webSlug)),
		Events: []circleci.WebhookEvent{circleci.WebhookEventWorkflowCompleted},
	})
	require.NoError(t, err)
	_, err = c.Schedules.Create(t.Context(), webSlug, circleci.CreateScheduleRequest{
		Name: "hourly", AttributionActor: circleci.AttributionActorCurrent, Parameters: onMain, Timetable: hourly(),
	})
	require.NoError(t, err)
	srv.Advance(7*24*time.Hour + 90*time.Second)
	assert.Equal(t, 7*24, calls)
	assert.Equal(t, minuteJob, late)
	assert.Equal(t, begin.Add(7*24*time.Hour+90*time.Second), srv.Now())
}

func hourly() circleci.Timetable {
	hours := make([]int, 24)
	for i := range hours {
		hours[i] = i
	}
	return circleci.Weekly(1, hours, circleci.DayOfWeekMonday, circleci.DayOfWeekTuesday, circleci.DayOfWeekWednesday,
		circleci.DayOfWeekThursday, circleci.DayOfWeekFriday, circleci.DayOfWeekSaturday, circleci.DayOfWeekSunday)
}

func TestAServerThatIsClosedStandsStill(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.StartPipeline(webSlug, "main")
	srv.Close()
	srv.Advance(time.Hour)
	assert.Empty(t, stateOf(t, srv))
}

func BenchmarkAdvanceAMonth(b *testing.B) {
	for b.Loop() {
		srv := circlecitest.NewServer(circlecitest.WithManualTime(), circlecitest.WithDeliveryTransport(carrier(func(*http.Request) (*http.Response, error) {
			return answer(200), nil
		})))
		c := srv.Client()
		_, err := c.Webhooks.Create(b.Context(), circleci.CreateWebhookRequest{
			Name: "chat", URL: "https://hooks.example/", Scope: circleci.ProjectScope(srv.AddProject(webSlug)),
			Events: []circleci.WebhookEvent{circleci.WebhookEventWorkflowCompleted, circleci.WebhookEventJobCompleted},
		})
		require.NoError(b, err)
		_, err = c.Schedules.Create(b.Context(), webSlug, circleci.CreateScheduleRequest{
			Name: "hourly", AttributionActor: circleci.AttributionActorCurrent, Parameters: onMain, Timetable: hourly(),
		})
		require.NoError(b, err)
		srv.Advance(30 * 24 * time.Hour)
		srv.Close()
	}
}
