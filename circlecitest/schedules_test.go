package circlecitest_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

var onMain = circleci.Parameters{"branch": "main"}

// startsOf lists when the pipelines of a project began, the oldest first.
func startsOf(t *testing.T, c *circleci.Client) []string {
	t.Helper()
	all, err := c.Pipelines.ListForProject(webSlug, nil).Collect(t.Context())
	require.NoError(t, err)
	starts := make([]string, len(all))
	for i, p := range all {
		assert.Equal(t, circleci.TriggerTypeScheduledPipeline, p.Trigger.Type)
		starts[len(all)-1-i] = p.CreatedAt.UTC().Format("Mon 2006-01-02 15:04")
	}
	return starts
}

func TestSchedulesStartPipelinesAtTheirTimes(t *testing.T) {
	inMarch := circleci.Monthly(1, []int{23}, 31)
	inMarch.Months = []circleci.Month{circleci.MonthMarch, circleci.MonthApril}
	leap := circleci.Monthly(1, []int{0}, 29)
	leap.Months = []circleci.Month{circleci.MonthFebruary}
	never := circleci.Monthly(1, []int{0}, 30)
	never.Months = []circleci.Month{circleci.MonthFebruary}
	for what, c := range map[string]struct {
		timetable circleci.Timetable
		after     time.Duration
		want      []string
	}{
		"days of the week, several hours": {
			timetable: circleci.Weekly(1, []int{14, 2}, circleci.DayOfWeekMonday, circleci.DayOfWeekThursday), after: 8 * 24 * time.Hour,
			want: []string{
				"Mon 2026-03-02 14:00", "Thu 2026-03-05 02:00", "Thu 2026-03-05 14:00", "Mon 2026-03-09 02:00", "Mon 2026-03-09 14:00",
			},
		},
		"several times an hour": {
			timetable: circleci.Weekly(3, []int{12}, circleci.DayOfWeekMonday), after: 24 * time.Hour,
			want: []string{"Mon 2026-03-02 12:20", "Mon 2026-03-02 12:40"}, // 12:00 is now, and not after it
		},
		"hour 24 is midnight": {
			timetable: circleci.Weekly(1, []int{24}, circleci.DayOfWeekTuesday), after: 3 * 24 * time.Hour,
			want: []string{"Tue 2026-03-03 00:00"},
		},
		"days of the month, some months": {
			timetable: inMarch, after: 365 * 24 * time.Hour, want: []string{"Tue 2026-03-31 23:00"},
		},
		"a leap day":                {timetable: leap, after: 3 * 366 * 24 * time.Hour, want: []string{"Tue 2028-02-29 00:00"}},
		"a day that there never is": {timetable: never, after: 24 * time.Hour, want: []string{}},
	} {
		t.Run(what, func(t *testing.T) {
			srv := circlecitest.New(t, circlecitest.WithManualTime(), circlecitest.WithTime(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)))
			srv.Script(webSlug, circlecitest.Script{})
			client := srv.Client()
			_, err := client.Schedules.Create(t.Context(), webSlug, circleci.CreateScheduleRequest{
				Name: "x", Timetable: c.timetable, AttributionActor: circleci.AttributionActorCurrent, Parameters: onMain,
			})
			require.NoError(t, err)
			srv.Advance(c.after)
			assert.Equal(t, c.want, startsOf(t, client))
		})
	}
}

func TestAScheduledPipelineRunsWhatTheScheduleSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.AddProject(webSlug)
		c := srv.Client()
		s, err := c.Schedules.Create(t.Context(), webSlug, circleci.CreateScheduleRequest{
			Name: "nightly", Description: "slow tests", AttributionActor: circleci.AttributionActorSystem,
			Timetable:  circleci.Weekly(1, []int{2}, "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"),
			Parameters: circleci.Parameters{"tag": "v1", "deep": true},
		})
		require.NoError(t, err)
		assert.Equal(t, webSlug, s.ProjectSlug)
		assert.Equal(t, "slow tests", s.Description)
		time.Sleep(24 * time.Hour)
		all, err := c.Pipelines.ListForProject(webSlug, nil).Collect(t.Context())
		require.NoError(t, err)
		require.Len(t, all, 1, "a day has one two o'clock, and nobody had to ask")
		assert.Equal(t, "v1", all[0].VCS.Tag)
		assert.Empty(t, all[0].VCS.Branch)
		assert.Equal(t, s.Actor.Login, all[0].Trigger.Actor.Login)
		assert.NotEqual(t, "ada", s.Actor.Login, "it runs in nobody's name")
		values, err := c.Pipelines.GetValues(t.Context(), all[0].ID)
		require.NoError(t, err)
		assert.Equal(t, true, values["pipeline.parameters.deep"])
		assert.NotContains(t, values, "pipeline.parameters.tag", "that is what to run, and no parameter of the pipeline")
	})
}

func TestAScheduleThatIsChangedOrDeletedKeepsToThat(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime(), circlecitest.WithTime(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)))
	srv.Script(webSlug, circlecitest.Script{})
	c := srv.Client()
	s, err := c.Schedules.Create(t.Context(), webSlug, circleci.CreateScheduleRequest{
		Name: "x", Description: "old", Timetable: circleci.Weekly(1, []int{13}, circleci.DayOfWeekMonday),
		AttributionActor: circleci.AttributionActorCurrent, Parameters: onMain,
	})
	require.NoError(t, err)
	srv.Advance(time.Minute)
	s, err = c.Schedules.Update(t.Context(), s.ID, circleci.UpdateScheduleRequest{
		Description: circleci.Null[string](), Timetable: circleci.Some(circleci.Timetable{DaysOfMonth: []int{3, 4}}),
	})
	require.NoError(t, err)
	assert.Empty(t, s.Description)
	assert.Equal(t, circleci.Monthly(1, []int{13}, 3, 4), s.Timetable, "one kind of days takes the place of the other")
	assert.Equal(t, time.Minute, s.UpdatedAt.Sub(s.CreatedAt))
	got, err := c.Schedules.Get(t.Context(), s.ID)
	require.NoError(t, err)
	assert.Equal(t, s, got)
	srv.Advance(26 * time.Hour)
	assert.Equal(t, []string{"Tue 2026-03-03 13:00"}, startsOf(t, c), "the old time has passed without a run")
	require.NoError(t, c.Schedules.Delete(t.Context(), s.ID))
	srv.Advance(48 * time.Hour)
	assert.Len(t, startsOf(t, c), 1)
	_, err = c.Schedules.Get(t.Context(), s.ID)
	assert.ErrorIs(t, err, circleci.ErrNotFound)
	left, err := c.Schedules.List(webSlug).Collect(t.Context())
	require.NoError(t, err)
	assert.Empty(t, left)
}

// The client refuses most of these by itself; another one is told the same.
func TestAScheduleThatTheAPIRefuses(t *testing.T) {
	srv := circlecitest.New(t)
	srv.AddProject(webSlug)
	weekly := func() map[string]any {
		return map[string]any{"per-hour": 1, "hours-of-day": []int{1}, "days-of-week": []string{"MON"}}
	}
	for what, change := range map[string]func(in, timetable map[string]any){
		"no actor":               func(in, _ map[string]any) { delete(in, "attribution-actor") },
		"an actor there is not":  func(in, _ map[string]any) { in["attribution-actor"] = "ada" },
		"no name":                func(in, _ map[string]any) { delete(in, "name") },
		"no branch":              func(in, _ map[string]any) { in["parameters"] = map[string]any{"a": 1} },
		"a list as a parameter":  func(in, _ map[string]any) { in["parameters"] = map[string]any{"branch": "a", "b": []int{1}} },
		"a key with underscores": func(in, _ map[string]any) { in["attribution_actor"] = "current" },
		"both kinds of days":     func(_, t map[string]any) { t["days-of-month"] = []int{1} },
		"no days":                func(_, t map[string]any) { delete(t, "days-of-week") },
		"no such day":            func(_, t map[string]any) { t["days-of-week"] = []string{"Monday"} },
		"no such month":          func(_, t map[string]any) { t["months"] = []string{"jan"} },
		"no hours":               func(_, t map[string]any) { delete(t, "hours-of-day") },
		"hour 25":                func(_, t map[string]any) { t["hours-of-day"] = []int{25} },
		"61 runs an hour":        func(_, t map[string]any) { t["per-hour"] = 61 },
	} {
		timetable := weekly()
		in := map[string]any{
			"name": "x", "timetable": timetable, "attribution-actor": "current", "parameters": map[string]any{"branch": "main"},
		}
		change(in, timetable)
		err := srv.Client().Do(t.Context(), circleci.Request{Method: http.MethodPost, Route: "/project/gh/acme/web/schedule", Body: in}, nil)
		var bad *circleci.Error
		if assert.ErrorAs(t, err, &bad, what) {
			assert.Equal(t, http.StatusBadRequest, bad.StatusCode, what)
		}
	}
}
