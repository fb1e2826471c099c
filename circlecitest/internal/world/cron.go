package world

import (
	"errors"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Cron is a cron expression, in UTC: sets of bits.
type Cron struct {
	minutes, hours, days, months, weekdays uint64
	// Of days and weekdays one is enough, unless one of them is any.
	anyDay, anyWeekday bool
}

// ParseCron reads the five fields of an expression.
func ParseCron(text string) (c Cron, err error) {
	fields := strings.Fields(text)
	if len(fields) != 5 {
		return c, errors.New("has not five fields")
	}
	weekdayNames, monthNames := []string{}, []string{""} // months begin with 1
	for _, d := range weekdays {
		weekdayNames = append(weekdayNames, dayName(d))
	}
	for _, m := range calendar {
		monthNames = append(monthNames, monthName(m))
	}
	for i, part := range []struct {
		set         *uint64
		first, last int
		names       []string
	}{
		{&c.minutes, 0, 59, nil},
		{&c.hours, 0, 23, nil},
		{&c.days, 1, 31, nil},
		{&c.months, 1, 12, monthNames},
		{&c.weekdays, 0, 7, weekdayNames}, // 7 is Sunday as well
	} {
		for item := range strings.SplitSeq(fields[i], ",") {
			values, err := cronItem(item, part.first, part.last, part.names)
			if err != nil {
				return c, err
			}
			*part.set |= values
		}
	}
	c.weekdays |= c.weekdays >> 7
	c.anyDay, c.anyWeekday = strings.HasPrefix(fields[2], "*"), strings.HasPrefix(fields[4], "*")
	return c, nil
}

// cronItem reads a value, a range, or all, with a step or without.
func cronItem(item string, first, last int, names []string) (set uint64, err error) {
	span, stepText, hasStep := strings.Cut(item, "/")
	step := 1
	if hasStep {
		if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
			return 0, errors.New("has a step that is no positive number: " + item)
		}
	}
	from, to := first, last
	if span != "*" {
		begin, end, isRange := strings.Cut(span, "-")
		if from, err = cronValue(begin, names); err != nil {
			return 0, err
		}
		switch {
		case isRange:
			if to, err = cronValue(end, names); err != nil {
				return 0, err
			}
		case !hasStep:
			to = from
		}
	}
	if from < first || to > last || from > to {
		return 0, errors.New("has a value out of its range: " + item)
	}
	for value := from; value <= to; value += step {
		set |= 1 << value
	}
	return set, nil
}

func cronValue(text string, names []string) (int, error) {
	if i := slices.Index(names, strings.ToUpper(text)); i >= 0 && text != "" {
		return i, nil
	}
	value, err := strconv.Atoi(text)
	if err != nil {
		return 0, errors.New("has what is no number: " + text)
	}
	return value, nil
}

// Next is the first time after now; false if there is none, as for a February
// 30.
func (c *Cron) Next(now time.Time) (time.Time, bool) {
	now = now.UTC()
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	for range mostDaysAhead {
		if c.has(midnight) {
			for hours := c.hours; hours != 0; hours &= hours - 1 {
				for minutes := c.minutes; minutes != 0; minutes &= minutes - 1 {
					at := midnight.Add(time.Duration(bits.TrailingZeros64(hours))*time.Hour + time.Duration(bits.TrailingZeros64(minutes))*time.Minute)
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

// has reports whether a day is one of the expression's.
func (c *Cron) has(day time.Time) bool {
	isDay, isWeekday := c.days>>day.Day()&1 == 1, c.weekdays>>day.Weekday()&1 == 1
	if c.months>>day.Month()&1 == 0 {
		return false
	}
	if c.anyDay || c.anyWeekday {
		return isDay && isWeekday
	}
	return isDay || isWeekday
}
