package circleci_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

const schedulePath = "/schedule/11111111-1111-4111-8111-111111111111"

var onMain = circleci.Parameters{"branch": "main"}

var scheduleTests = []operationTest{
	{
		op: "GET /project/{project-slug}/schedule",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Schedules.List(webSlug))
		},
		path: "/project/gh/acme/web/schedule", fixture: "schedules/listSchedulesForProject",
		check: func(t *testing.T, got any) {
			all := as[[]circleci.Schedule](t, got)
			assert.Equal(t, []circleci.Month{circleci.MonthMarch, circleci.MonthDecember}, all[0].Timetable.Months)
			assert.Equal(t, true, all[0].Parameters["deploy"])
			assert.Equal(t, []int{1, 31}, all[1].Timetable.DaysOfMonth)
		},
	},
	{
		op: "POST /project/{project-slug}/schedule",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Schedules.Create(ctx, webSlug, circleci.CreateScheduleRequest{
				Name: "nightly", Timetable: circleci.Weekly(2, []int{0, 4}, circleci.DayOfWeekMonday, circleci.DayOfWeekSaturday),
				AttributionActor: circleci.AttributionActorSystem,
				Parameters:       circleci.Parameters{"branch": "main", "deploy": true},
			}))
		},
		path: "/project/gh/acme/web/schedule",
		body: `{"name":"nightly","timetable":{"per-hour":2,"hours-of-day":[0,4],"days-of-week":["MON","SAT"]},` +
			`"attribution-actor":"system","parameters":{"branch":"main","deploy":true}}`,
		fixture: "schedules/createSchedule", status: 201,
	},
	{
		op:   "GET /schedule/{schedule-id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) { return some(c.Schedules.Get(ctx, id1)) },
		path: schedulePath, fixture: "schedules/getScheduleById",
	},
	{
		op: "PATCH /schedule/{schedule-id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			monthly := circleci.Monthly(1, []int{3}, 1, 31)
			monthly.Months = []circleci.Month{circleci.MonthMarch}
			return some(c.Schedules.Update(ctx, id1, circleci.UpdateScheduleRequest{
				Name: circleci.Some("monthly"), Description: circleci.Null[string](), Timetable: circleci.Some(monthly),
				AttributionActor: circleci.Some(circleci.AttributionActorCurrent),
				Parameters:       circleci.Some(circleci.Parameters{"tag": "v1"}),
			}))
		},
		path: schedulePath,
		body: `{"name":"monthly","description":null,"timetable":{"per-hour":1,"hours-of-day":[3],"days-of-month":[1,31],"months":["MAR"]},` +
			`"attribution-actor":"current","parameters":{"tag":"v1"}}`,
		fixture: "schedules/updateSchedule",
	},
	{
		op:   "DELETE /schedule/{schedule-id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) { return none(c.Schedules.Delete(ctx, id1)) },
		path: schedulePath, fixture: "schedules/deleteScheduleById",
	},
}

func TestAScheduleUpdateSendsWhatIsSet(t *testing.T) {
	for want, in := range map[string]circleci.UpdateScheduleRequest{
		`{"description":""}`:              {Description: circleci.Some("")},
		`{"description":null}`:            {Description: circleci.Null[string]()},
		`{"timetable":{"per-hour":3}}`:    {Timetable: circleci.Some(circleci.Timetable{PerHour: 3})},
		`{"parameters":{"branch":"dev"}}`: {Parameters: circleci.Some(circleci.Parameters{"branch": "dev"})},
	} {
		srv := circlecitest.New(t)
		srv.Fail("PATCH /schedule/{schedule-id}", circlecitest.Response{Body: `{}`})
		_, err := srv.Client().Schedules.Update(t.Context(), id1, in)
		require.NoError(t, err)
		assert.JSONEq(t, want, string(srv.Requests()[0].Body))
	}
}

// A timetable that was read can be sent back: the list of days that it does not
// have is not sent along as an empty one.
func TestATimetableCanBeSentBack(t *testing.T) {
	srv := circlecitest.New(t)
	srv.Fail("GET /schedule/{schedule-id}", circlecitest.Response{
		Body: `{"timetable":{"per-hour":1,"hours-of-day":[0],"days-of-week":["MON"],"days-of-month":[],"months":[]}}`,
	})
	srv.Fail("PATCH /schedule/{schedule-id}", circlecitest.Response{Body: `{}`})
	c := srv.Client()
	s, err := c.Schedules.Get(t.Context(), id1)
	require.NoError(t, err)
	s.Timetable.HoursOfDay = []int{6}
	_, err = c.Schedules.Update(t.Context(), id1, circleci.UpdateScheduleRequest{Timetable: circleci.Some(s.Timetable)})
	require.NoError(t, err)
	assert.JSONEq(t, `{"timetable":{"per-hour":1,"hours-of-day":[6],"days-of-week":["MON"]}}`, string(srv.Requests()[1].Body))
}

func TestBadScheduleInputIsNotSent(t *testing.T) {
	srv := circlecitest.New(t)
	schedules := srv.Client().Schedules
	create := func(change func(*circleci.CreateScheduleRequest)) error {
		in := circleci.CreateScheduleRequest{
			Name: "nightly", Timetable: circleci.Weekly(1, []int{2}, circleci.DayOfWeekMonday),
			AttributionActor: circleci.AttributionActorCurrent, Parameters: onMain,
		}
		change(&in)
		return second(schedules.Create(t.Context(), webSlug, in))
	}
	timetable := func(tt circleci.Timetable) error {
		return create(func(in *circleci.CreateScheduleRequest) { in.Timetable = tt })
	}
	update := func(in circleci.UpdateScheduleRequest) error { return second(schedules.Update(t.Context(), id1, in)) }
	both := circleci.Weekly(1, []int{2}, circleci.DayOfWeekMonday)
	both.DaysOfMonth = []int{1}
	for what, err := range map[string]error{
		"no name":  create(func(in *circleci.CreateScheduleRequest) { in.Name = "" }),
		"no actor": create(func(in *circleci.CreateScheduleRequest) { in.AttributionActor = "" }),
		"neither branch nor tag": create(func(in *circleci.CreateScheduleRequest) {
			in.Parameters = circleci.Parameters{"a": 1}
		}),
		"an empty branch":           create(func(in *circleci.CreateScheduleRequest) { in.Parameters = circleci.Parameters{"branch": ""} }),
		"no timetable":              timetable(circleci.Timetable{}),
		"both kinds of days":        timetable(both),
		"no days of the week":       timetable(circleci.Weekly(1, []int{2})),
		"no days of the month":      timetable(circleci.Monthly(1, []int{2})),
		"no hours":                  timetable(circleci.Weekly(1, nil, circleci.DayOfWeekMonday)),
		"61 runs an hour":           timetable(circleci.Weekly(61, []int{2}, circleci.DayOfWeekMonday)),
		"0 runs an hour":            timetable(circleci.Weekly(0, []int{2}, circleci.DayOfWeekMonday)),
		"hour 25":                   timetable(circleci.Weekly(1, []int{25}, circleci.DayOfWeekMonday)),
		"hour -1":                   timetable(circleci.Weekly(1, []int{-1}, circleci.DayOfWeekMonday)),
		"day 0":                     timetable(circleci.Monthly(1, []int{2}, 0)),
		"day 32":                    timetable(circleci.Monthly(1, []int{2}, 32)),
		"an update of nothing":      update(circleci.UpdateScheduleRequest{}),
		"an update with both kinds": update(circleci.UpdateScheduleRequest{Timetable: circleci.Some(both)}),
		"an update without branch":  update(circleci.UpdateScheduleRequest{Parameters: circleci.Some(circleci.Parameters{})}),
	} {
		assert.ErrorIs(t, err, circleci.ErrInvalidArgument, what)
	}
	assert.Empty(t, srv.Requests())
}
