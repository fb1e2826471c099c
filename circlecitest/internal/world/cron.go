package world

import (
	"errors"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Cron is a cron expression in UTC, as sets of bits.
type Cron struct {
	minutes, hours, days, months, weekdays uint64
	// Either the day or the weekday must match, unless one of them is *.
	anyDay, anyWeekday bool
}

// ParseCron parses an expression with five fields.
func ParseCron(text string) (c Cron, err error) {
	fields := strings.Fields(text)
	if len(fields) != 5 {
		return c, errors.New("must have five fields")
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

// cronItem parses a value, a range or *, with an optional step.
func cronItem(item string, first, last int, names []string) (set uint64, err error) {
	span, stepText, hasStep := strings.Cut(item, "/")
	step := 1
	if hasStep {
		if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
			return 0, errors.New("has a step that is not a positive number: " + item)
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
		return 0, errors.New("has an invalid number: " + text)
	}
	return value, nil
}

// Next returns the first time after now. It returns false if there is none, as
// for February 30.
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

// has reports whether the expression includes a day.
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
