package circleci

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// SchedulesService manages schedules, which start pipelines of GitHub (OAuth)
// and Bitbucket projects at set times. For other projects, use
// [TriggersService] and [ScheduledEvents].
type SchedulesService service

// AttributionActor is the user that a schedule's pipelines are attributed to.
type AttributionActor string

// The actors.
const (
	AttributionActorCurrent AttributionActor = "current" // the owner of the token
	AttributionActorSystem  AttributionActor = "system"  // CircleCI itself
)

// DayOfWeek is a day of the week.
type DayOfWeek string

// The days of the week.
const (
	DayOfWeekMonday    DayOfWeek = "MON"
	DayOfWeekTuesday   DayOfWeek = "TUE"
	DayOfWeekWednesday DayOfWeek = "WED"
	DayOfWeekThursday  DayOfWeek = "THU"
	DayOfWeekFriday    DayOfWeek = "FRI"
	DayOfWeekSaturday  DayOfWeek = "SAT"
	DayOfWeekSunday    DayOfWeek = "SUN"
)

// Month is a month of the year.
type Month string

// The months.
const (
	MonthJanuary   Month = "JAN"
	MonthFebruary  Month = "FEB"
	MonthMarch     Month = "MAR"
	MonthApril     Month = "APR"
	MonthMay       Month = "MAY"
	MonthJune      Month = "JUN"
	MonthJuly      Month = "JUL"
	MonthAugust    Month = "AUG"
	MonthSeptember Month = "SEP"
	MonthOctober   Month = "OCT"
	MonthNovember  Month = "NOV"
	MonthDecember  Month = "DEC"
)

// Timetable says when a schedule starts pipelines, in UTC: how often in each of
// the given hours, and either on days of the week or on days of the month.
// Create one with [Weekly] or [Monthly].
type Timetable struct {
	// PerHour is the number of runs per hour, from 1 to 60. CircleCI spreads
	// them over the hour.
	PerHour int `json:"per-hour,omitzero"`
	// HoursOfDay are hours from 0 to 24.
	HoursOfDay []int       `json:"hours-of-day,omitempty,omitzero"`
	DaysOfWeek []DayOfWeek `json:"days-of-week,omitempty,omitzero"`
	// DaysOfMonth are days from 1 to 31.
	DaysOfMonth []int `json:"days-of-month,omitempty,omitzero"`
	// Months are the months in which the schedule runs. If empty, it runs in
	// all months.
	Months []Month `json:"months,omitempty,omitzero"`
}

// Weekly returns a timetable for days of the week. This one runs once on
// Mondays and Thursdays, between 2:00 and 3:00 UTC:
//
//	circleci.Weekly(1, []int{2}, circleci.DayOfWeekMonday, circleci.DayOfWeekThursday)
func Weekly(perHour int, hoursOfDay []int, daysOfWeek ...DayOfWeek) Timetable {
	return Timetable{PerHour: perHour, HoursOfDay: hoursOfDay, DaysOfWeek: daysOfWeek}
}

// Monthly returns a timetable for days of the month. This one runs once on the
// 1st and the 15th, between 2:00 and 3:00 UTC:
//
//	circleci.Monthly(1, []int{2}, 1, 15)
func Monthly(perHour int, hoursOfDay []int, daysOfMonth ...int) Timetable {
	return Timetable{PerHour: perHour, HoursOfDay: hoursOfDay, DaysOfMonth: daysOfMonth}
}

// check validates a timetable. A whole timetable must have all required fields;
// an update may leave some out.
func (t Timetable) check(whole bool) error {
	refuse := func(reason string) error { return &ArgumentError{Name: "timetable", Reason: reason} }
	switch {
	case t.PerHour < 0 || t.PerHour > 60 || whole && t.PerHour == 0:
		return refuse(fmt.Sprintf("per-hour is %d: it must be from 1 to 60", t.PerHour))
	case whole && len(t.HoursOfDay) == 0:
		return refuse("hours-of-day are missing")
	case len(t.DaysOfWeek) > 0 && len(t.DaysOfMonth) > 0:
		return refuse("days-of-week cannot be combined with days-of-month: set only one of them")
	case whole && len(t.DaysOfWeek)+len(t.DaysOfMonth) == 0:
		return refuse("has neither days-of-week nor days-of-month")
	}
	for _, hour := range t.HoursOfDay {
		if hour < 0 || hour > 24 {
			return refuse(fmt.Sprintf("hours-of-day contains %d: hours must be from 0 to 24", hour))
		}
	}
	for _, day := range t.DaysOfMonth {
		if day < 1 || day > 31 {
			return refuse(fmt.Sprintf("days-of-month contains %d: days must be from 1 to 31", day))
		}
	}
	return nil
}

// Schedule starts pipelines of a project at set times.
type Schedule struct {
	ID          uuid.UUID   `json:"id"`
	Name        string      `json:"name"`
	Description string      `json:"description,omitzero"`
	ProjectSlug ProjectSlug `json:"project-slug"`
	Timetable   Timetable   `json:"timetable"`
	// Parameters are the pipeline parameters. "branch" or "tag" selects what
	// the pipelines run on.
	Parameters Parameters `json:"parameters"`
	// Actor is the user that the pipelines are attributed to.
	Actor     User      `json:"actor"`
	CreatedAt time.Time `json:"created-at"`
	UpdatedAt time.Time `json:"updated-at"`
}

func (s *Schedule) key() itemKey { return itemKey{id: s.ID} }

// List lists the schedules of a project.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Schedule/operation/listSchedulesForProject
//
//circleci:operation GET /project/{project-slug}/schedule
func (s *SchedulesService) List(slug ProjectSlug, opts ...RequestOption) *Pager[Schedule] {
	return list[Schedule](s.client, get("/project/{project-slug}/schedule", slug).with(opts))
}

// Get returns the schedule with the given ID. If there is none, the error
// matches [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Schedule/operation/getScheduleById
//
//circleci:operation GET /schedule/{schedule-id}
func (s *SchedulesService) Get(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*Schedule, error) {
	return do[Schedule](ctx, s.client, get("/schedule/{schedule-id}", id).with(opts))
}

// CreateScheduleRequest describes a new schedule.
type CreateScheduleRequest struct {
	Name        string `json:"name"`
	Description string `json:"description,omitzero"`
	// Timetable is the result of [Weekly] or [Monthly].
	Timetable        Timetable        `json:"timetable"`
	AttributionActor AttributionActor `json:"attribution-actor"`
	// Parameters must contain "branch" or "tag", which selects what to run on.
	// The others are passed to the pipelines.
	Parameters Parameters `json:"parameters"`
}

func (r CreateScheduleRequest) check() error {
	if err := required("name", r.Name); err != nil {
		return err
	}
	if err := r.Timetable.check(true); err != nil {
		return err
	}
	if err := required("attribution-actor", string(r.AttributionActor)); err != nil {
		return err
	}
	return checkScheduled(r.Parameters)
}

func checkScheduled(p Parameters) error {
	if (p["branch"] == nil || p["branch"] == "") && (p["tag"] == nil || p["tag"] == "") {
		return &ArgumentError{Name: "parameters", Reason: "must contain branch or tag"}
	}
	return p.check()
}

// Create creates a schedule.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Schedule/operation/createSchedule
//
//circleci:operation POST /project/{project-slug}/schedule
func (s *SchedulesService) Create(ctx context.Context, slug ProjectSlug, in CreateScheduleRequest, opts ...RequestOption) (*Schedule, error) {
	return create[Schedule](ctx, s.client, post("/project/{project-slug}/schedule", slug).body(in).with(opts))
}

// UpdateScheduleRequest holds the fields to change. Unset fields stay
// unchanged.
type UpdateScheduleRequest struct {
	Name Optional[string] `json:"name,omitzero"`
	// Description can be cleared with [Null].
	Description Optional[string] `json:"description,omitzero"`
	// Timetable can be partial: only its non-zero fields are sent.
	Timetable        Optional[Timetable]        `json:"timetable,omitzero"`
	AttributionActor Optional[AttributionActor] `json:"attribution-actor,omitzero"`
	// Parameters must contain "branch" or "tag".
	Parameters Optional[Parameters] `json:"parameters,omitzero"`
}

func (r UpdateScheduleRequest) check() error {
	if isUnset(r) {
		return &ArgumentError{Name: "schedule", Reason: "has no fields to change"}
	}
	if t, ok := r.Timetable.Get(); ok {
		if err := t.check(false); err != nil {
			return err
		}
	}
	if p, ok := r.Parameters.Get(); ok {
		return checkScheduled(p)
	}
	return nil
}

// Update changes a schedule and returns the changed schedule.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Schedule/operation/updateSchedule
//
//circleci:operation PATCH /schedule/{schedule-id}
func (s *SchedulesService) Update(ctx context.Context, id uuid.UUID, in UpdateScheduleRequest, opts ...RequestOption) (*Schedule, error) {
	return do[Schedule](ctx, s.client, patch("/schedule/{schedule-id}", id).body(in).with(opts))
}

// Delete deletes a schedule.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Schedule/operation/deleteScheduleById
//
//circleci:operation DELETE /schedule/{schedule-id}
func (s *SchedulesService) Delete(ctx context.Context, id uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/schedule/{schedule-id}", id).with(opts))
}
