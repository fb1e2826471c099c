package world

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Schedule starts pipelines of a project at set times.
type Schedule struct {
	ID                uuid.UUID
	Project           *Project
	Name, Description string
	Timetable         Timetable
	Parameters        map[string]any
	Actor             *User
	Created, Updated  time.Time
	Winding           int // counts changes; events of earlier values are ignored
}

// Timetable is the timetable of requests and responses, with dashes in its
// keys.
type Timetable struct {
	PerHour     *int     `json:"per-hour"`
	HoursOfDay  []int    `json:"hours-of-day"`
	DaysOfWeek  []string `json:"days-of-week"`
	DaysOfMonth []int    `json:"days-of-month"`
	Months      []string `json:"months"`
}

func dayName(d time.Weekday) string { return strings.ToUpper(d.String()[:3]) }

func monthName(m time.Month) string { return strings.ToUpper(m.String()[:3]) }

// Problem returns what is wrong with a timetable, or "".
func (t *Timetable) Problem() string {
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

// Merge applies a partial timetable. One kind of days replaces the other.
func (t *Timetable) Merge(in *Timetable) {
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

// mostDaysAhead is how many days to search: February 29 is the rarest date.
const mostDaysAhead = 8*366 + 1

// Next returns the first time after now. It returns false if there is none, as
// for February 30. The runs of an hour are spread over it.
func (t *Timetable) Next(now time.Time) (time.Time, bool) {
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
func (t *Timetable) has(day time.Time) bool {
	if len(t.Months) > 0 && !slices.Contains(t.Months, monthName(day.Month())) {
		return false
	}
	return slices.Contains(t.DaysOfWeek, dayName(day.Weekday())) || slices.Contains(t.DaysOfMonth, day.Day())
}
