package circlecitest

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// schedules are what starts pipelines at set times.
type schedules struct {
	all    []*schedule
	system *user // in whose name they run if it is nobody's
}

type schedule struct {
	id                uuid.UUID
	project           *project
	name, description string
	timetable         timetable
	parameters        map[string]any
	actor             *user
	created, updated  time.Time
	winding           int // counts the changes: what was set up before is void
}

// timetable is what comes and goes, with dashes in its keys.
type timetable struct {
	PerHour     *int     `json:"per-hour"`
	HoursOfDay  []int    `json:"hours-of-day"`
	DaysOfWeek  []string `json:"days-of-week"`
	DaysOfMonth []int    `json:"days-of-month"`
	Months      []string `json:"months"`
}

func (t *timetable) view() object {
	view := object{"per-hour": *t.PerHour, "hours-of-day": t.HoursOfDay}
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

func dayName(d time.Weekday) string { return strings.ToUpper(d.String()[:3]) }
func monthName(m time.Month) string { return strings.ToUpper(m.String()[:3]) }

// problem says what is wrong with a timetable; empty if nothing is.
func (t *timetable) problem() string {
	switch {
	case t.PerHour == nil || *t.PerHour < 1 || *t.PerHour > 60:
		return "per-hour is from 1 to 60"
	case len(t.HoursOfDay) == 0:
		return "hours-of-day are missing"
	case len(t.DaysOfWeek) > 0 == (len(t.DaysOfMonth) > 0):
		return "it is either days-of-week or days-of-month"
	case slices.ContainsFunc(t.HoursOfDay, func(h int) bool { return h < 0 || h > 24 }):
		return "hours-of-day are from 0 to 24"
	case slices.ContainsFunc(t.DaysOfMonth, func(d int) bool { return d < 1 || d > 31 }):
		return "days-of-month are from 1 to 31"
	}
	for _, day := range t.DaysOfWeek {
		if !slices.ContainsFunc(weekdays, func(d time.Weekday) bool { return dayName(d) == day }) {
			return "days-of-week have no " + day
		}
	}
	for _, month := range t.Months {
		if !slices.ContainsFunc(calendar, func(m time.Month) bool { return monthName(m) == month }) {
			return "months have no " + month
		}
	}
	return ""
}

var (
	weekdays = []time.Weekday{
		time.Sunday, time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday,
	}
	calendar = []time.Month{
		time.January, time.February, time.March, time.April, time.May, time.June, time.July, time.August,
		time.September, time.October, time.November, time.December,
	}
)

// merge takes over what came; one kind of days takes the place of the other.
func (t *timetable) merge(in *timetable) {
	if in.PerHour != nil {
		t.PerHour = in.PerHour
	}
	if in.HoursOfDay != nil {
		t.HoursOfDay = in.HoursOfDay
	}
	if in.Months != nil {
		t.Months = in.Months
	}
	if in.DaysOfWeek != nil || in.DaysOfMonth != nil {
		t.DaysOfWeek, t.DaysOfMonth = in.DaysOfWeek, in.DaysOfMonth
	}
}

// most days to look ahead: no day of the calendar is rarer than February 29.
const mostDaysAhead = 8*366 + 1

// next is the first time after now; false if there is none, as for a February
// 30. The runs of an hour are spread over it.
func (t *timetable) next(now time.Time) (time.Time, bool) {
	now = now.UTC()
	hours := slices.Clone(t.HoursOfDay)
	for i := range hours {
		hours[i] %= 24
	}
	slices.Sort(hours)
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	for range mostDaysAhead {
		if t.has(midnight) {
			for _, hour := range hours {
				for i := range *t.PerHour {
					at := midnight.Add(time.Duration(hour)*time.Hour + time.Duration(i)*time.Hour/time.Duration(*t.PerHour))
					if at.After(now) {
						return at, true
					}
				}
			}
		}
		midnight = midnight.AddDate(0, 0, 1)
	}
	return time.Time{}, false
}

// has reports whether there are runs on a day.
func (t *timetable) has(day time.Time) bool {
	if len(t.Months) > 0 && !slices.Contains(t.Months, monthName(day.Month())) {
		return false
	}
	return slices.Contains(t.DaysOfWeek, dayName(day.Weekday())) || slices.Contains(t.DaysOfMonth, day.Day())
}

func (x *schedule) view() object {
	return object{
		"id": x.id, "name": x.name, "description": nullable(x.description), "timetable": x.timetable.view(),
		"parameters": x.parameters, "project-slug": x.project.slug, "actor": x.actor.view(),
		"created-at": timestamp(x.created), "updated-at": timestamp(x.updated),
	}
}

// windSchedule sets up the schedule's next run.
func (s *Server) windSchedule(x *schedule) {
	x.winding++
	winding := x.winding
	at, found := x.timetable.next(s.now())
	if !found {
		return
	}
	s.at(at, func() {
		if winding != x.winding || !slices.Contains(s.world.schedules.all, x) || !slices.Contains(s.world.projects, x.project) {
			return // changed or deleted meanwhile
		}
		s.startScheduled(x)
		s.windSchedule(x)
	})
}

func (s *Server) startScheduled(x *schedule) {
	p := &pipeline{project: x.project, trigger: circleci.TriggerTypeScheduledPipeline, parameters: map[string]any{}}
	for name, value := range x.parameters {
		switch name {
		case "branch":
			p.branch, _ = value.(string)
		case "tag":
			p.tag, _ = value.(string)
		default:
			p.parameters[name] = value
		}
	}
	s.start(p).actor = x.actor
}

func withSchedule(do func(s *Server, r *request, x *schedule) *answer) handler {
	return func(s *Server, r *request) *answer {
		for _, x := range s.world.schedules.all {
			if x.id == r.id("schedule-id") {
				return do(s, r, x)
			}
		}
		return notFound("Schedule")
	}
}

var scheduleHandlers = map[string]handler{
	"GET /project/{project-slug}/schedule": withProject(func(s *Server, r *request, p *project) *answer {
		var all []*schedule
		for _, x := range s.world.schedules.all {
			if x.project == p {
				all = append(all, x)
			}
		}
		return page(r, all, defaultPageSize, (*schedule).view)
	}),
	"POST /project/{project-slug}/schedule": withProject(createSchedule),
	"GET /schedule/{schedule-id}":           withSchedule(func(_ *Server, _ *request, x *schedule) *answer { return ok(x.view()) }),
	"PATCH /schedule/{schedule-id}":         withSchedule(patchSchedule),
	"DELETE /schedule/{schedule-id}": withSchedule(func(s *Server, _ *request, x *schedule) *answer {
		s.world.schedules.all = slices.DeleteFunc(s.world.schedules.all, func(other *schedule) bool { return other == x })
		return message(http.StatusOK, "Schedule deleted.")
	}),
}

type scheduleIn struct {
	Name             *string                   `json:"name"`
	Description      circleci.Optional[string] `json:"description"`
	Timetable        *timetable                `json:"timetable"`
	AttributionActor *string                   `json:"attribution-actor"`
	Parameters       map[string]any            `json:"parameters"`
}

// apply brings what came into a copy of the schedule.
func (in *scheduleIn) apply(s *Server, x schedule) (schedule, *answer) {
	if in.Name != nil {
		x.name = *in.Name
	}
	if !in.Description.IsZero() {
		x.description, _ = in.Description.Get() // null is the empty text
	}
	if in.Timetable != nil {
		x.timetable.merge(in.Timetable)
	}
	if in.AttributionActor != nil {
		if x.actor = s.scheduleActor(*in.AttributionActor); x.actor == nil {
			return x, message(http.StatusBadRequest, "circlecitest: attribution-actor is current or system")
		}
	}
	if in.Parameters != nil {
		x.parameters = in.Parameters
	}
	branch, _ := x.parameters["branch"].(string)
	tag, _ := x.parameters["tag"].(string)
	problem := x.timetable.problem()
	switch {
	case x.name == "":
		return x, missing("name")
	case problem != "":
		return x, message(http.StatusBadRequest, "circlecitest: timetable: "+problem)
	case branch == "" && tag == "":
		return x, message(http.StatusBadRequest, "circlecitest: parameters have to hold branch or tag")
	}
	return x, checkParameters(x.parameters)
}

func (s *Server) scheduleActor(name string) *user {
	switch circleci.AttributionActor(name) {
	case circleci.AttributionActorCurrent:
		return s.world.me
	case circleci.AttributionActorSystem:
		if s.world.schedules.system == nil {
			s.world.schedules.system = s.addUser("system-actor", "Scheduled")
		}
		return s.world.schedules.system
	}
	return nil
}

func createSchedule(s *Server, r *request, p *project) *answer {
	var in scheduleIn
	if a := r.bind(&in); a != nil {
		return a
	}
	if in.AttributionActor == nil {
		return missing("attribution-actor")
	}
	x, a := in.apply(s, schedule{id: s.newID(), project: p, created: s.now(), updated: s.now()})
	if a != nil {
		return a
	}
	s.world.schedules.all = append(s.world.schedules.all, &x)
	s.windSchedule(&x)
	return created(x.view())
}

func patchSchedule(s *Server, r *request, x *schedule) *answer {
	var in scheduleIn
	if a := r.bind(&in); a != nil {
		return a
	}
	changed, a := in.apply(s, *x)
	if a != nil {
		return a
	}
	*x = changed
	x.updated = s.now()
	s.windSchedule(x)
	return ok(x.view())
}
