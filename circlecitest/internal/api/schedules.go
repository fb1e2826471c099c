package api

import (
	"net/http"
	"slices"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

func timetableView(t *world.Timetable) form.Object {
	view := form.Object{"per-hour": *t.PerHour, "hours-of-day": t.HoursOfDay}
	if len(t.DaysOfWeek) > 0 {
		view["days-of-week"] = t.DaysOfWeek
	}
	if len(t.DaysOfMonth) > 0 {
		view["days-of-month"] = t.DaysOfMonth
	}
	if len(t.Months) > 0 {
		view["months"] = t.Months
	}
	return view
}

func scheduleView(x *world.Schedule) form.Object {
	return form.Object{
		"id": x.ID, "name": x.Name, "description": form.Nullable(x.Description), "timetable": timetableView(&x.Timetable),
		"parameters": x.Parameters, "project-slug": x.Project.Slug, "actor": userView(x.Actor),
		"created-at": form.Time(x.Created), "updated-at": form.Time(x.Updated),
	}
}

func withSchedule(do func(s *engine.Engine, r *exchange.Request, x *world.Schedule) *exchange.Answer) exchange.Handler {
	return func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		for _, x := range s.Schedules {
			if x.ID == r.ID("schedule-id") {
				return do(s, r, x)
			}
		}
		return exchange.NotFound("Schedule")
	}
}

var scheduleHandlers = map[string]exchange.Handler{
	"GET /project/{project-slug}/schedule": exchange.WithProject(func(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		var all []*world.Schedule
		for _, x := range s.Schedules {
			if x.Project == p {
				all = append(all, x)
			}
		}
		return exchange.Page(r, all, exchange.DefaultPageSize, scheduleView)
	}),
	"POST /project/{project-slug}/schedule": exchange.WithProject(createSchedule),
	"GET /schedule/{schedule-id}": withSchedule(func(_ *engine.Engine, _ *exchange.Request, x *world.Schedule) *exchange.Answer {
		return exchange.OK(scheduleView(x))
	}),
	"PATCH /schedule/{schedule-id}": withSchedule(patchSchedule),
	"DELETE /schedule/{schedule-id}": withSchedule(func(s *engine.Engine, _ *exchange.Request, x *world.Schedule) *exchange.Answer {
		s.Schedules = slices.DeleteFunc(s.Schedules, func(other *world.Schedule) bool { return other == x })
		return exchange.Message(http.StatusOK, "Schedule deleted.")
	}),
}

type scheduleIn struct {
	Name             *string                   `json:"name"`
	Description      circleci.Optional[string] `json:"description"`
	Timetable        *world.Timetable          `json:"timetable"`
	AttributionActor *string                   `json:"attribution-actor"`
	Parameters       map[string]any            `json:"parameters"`
}

// apply applies the request to a copy of the schedule.
func (in *scheduleIn) apply(s *engine.Engine, x world.Schedule) (world.Schedule, *exchange.Answer) {
	if in.Name != nil {
		x.Name = *in.Name
	}
	if !in.Description.IsZero() {
		x.Description, _ = in.Description.Get() // null is the empty text
	}
	if in.Timetable != nil {
		x.Timetable.Merge(in.Timetable)
	}
	if in.AttributionActor != nil {
		if x.Actor = s.ScheduleActor(*in.AttributionActor); x.Actor == nil {
			return x, exchange.Message(http.StatusBadRequest, "circlecitest: attribution-actor is current or system")
		}
	}
	if in.Parameters != nil {
		x.Parameters = in.Parameters
	}
	branch, _ := x.Parameters["branch"].(string)
	tag, _ := x.Parameters["tag"].(string)
	problem := x.Timetable.Problem()
	switch {
	case x.Name == "":
		return x, exchange.Missing("name")
	case problem != "":
		return x, exchange.Message(http.StatusBadRequest, "circlecitest: timetable: "+problem)
	case branch == "" && tag == "":
		return x, exchange.Message(http.StatusBadRequest, "circlecitest: parameters have to hold branch or tag")
	}
	return x, checkParameters(x.Parameters)
}

func createSchedule(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
	var in scheduleIn
	if a := r.Bind(&in); a != nil {
		return a
	}
	if in.AttributionActor == nil {
		return exchange.Missing("attribution-actor")
	}
	x, a := in.apply(s, world.Schedule{ID: s.NewID(), Project: p, Created: s.Now(), Updated: s.Now()})
	if a != nil {
		return a
	}
	s.Schedules = append(s.Schedules, &x)
	s.WindSchedule(&x)
	return exchange.Created(scheduleView(&x))
}

func patchSchedule(s *engine.Engine, r *exchange.Request, x *world.Schedule) *exchange.Answer {
	var in scheduleIn
	if a := r.Bind(&in); a != nil {
		return a
	}
	changed, a := in.apply(s, *x)
	if a != nil {
		return a
	}
	*x = changed
	x.Updated = s.Now()
	s.WindSchedule(x)
	return exchange.OK(scheduleView(x))
}
