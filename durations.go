package circleci

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Seconds is a duration that the API sends as a number of seconds, which may
// have a fraction. It prints like a [time.Duration]; convert it with
// time.Duration(s). A duration of more than 292 years decodes as the longest
// [time.Duration].
type Seconds time.Duration

// String formats the duration like a [time.Duration], such as 1m30s.
func (s Seconds) String() string { return time.Duration(s).String() }

// MarshalJSON returns the number of seconds.
func (s Seconds) MarshalJSON() ([]byte, error) {
	return appendUnits(nil, time.Duration(s), time.Second), nil
}

// UnmarshalJSON parses a number of seconds. Null and the empty string are zero.
func (s *Seconds) UnmarshalJSON(data []byte) error {
	return parseUnits(data, (*time.Duration)(s), time.Second)
}

// Milliseconds is a duration that the API sends as a number of milliseconds,
// which may have a fraction. It prints like a [time.Duration]; convert it with
// time.Duration(m).
type Milliseconds time.Duration

// String formats the duration like a [time.Duration], such as 1m30s.
func (m Milliseconds) String() string { return time.Duration(m).String() }

// MarshalJSON returns the number of milliseconds.
func (m Milliseconds) MarshalJSON() ([]byte, error) {
	return appendUnits(nil, time.Duration(m), time.Millisecond), nil
}

// UnmarshalJSON parses a number of milliseconds. Null and the empty string are
// zero.
func (m *Milliseconds) UnmarshalJSON(data []byte) error {
	return parseUnits(data, (*time.Duration)(m), time.Millisecond)
}

// appendUnits appends d as a decimal number of units, without rounding.
func appendUnits(b []byte, d, unit time.Duration) []byte {
	b = strconv.AppendInt(b, int64(d/unit), 10)
	rest := int64(d % unit)
	if rest == 0 {
		return b
	}
	if rest < 0 {
		rest = -rest
		if d > -unit { // the whole part is 0 and has no sign
			b = append(b[:len(b)-1], "-0"...)
		}
	}
	// The fraction has as many digits as the unit has zeros.
	digits := strconv.FormatInt(int64(unit)+rest, 10)[1:]
	return append(append(b, '.'), strings.TrimRight(digits, "0")...)
}

// parseUnits parses a number of units, quoted or not.
func parseUnits(data []byte, d *time.Duration, unit time.Duration) error {
	text := strings.Trim(string(data), `"`)
	*d = 0
	if text == "" || text == "null" {
		return nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > -int64(math.MaxInt64/unit) && n < int64(math.MaxInt64/unit) {
		*d = time.Duration(n) * unit // exact
		return nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Errorf("a duration must be a number, not %.40q", text)
	}
	switch f = math.Round(f * float64(unit)); {
	case f >= math.MaxInt64:
		*d = math.MaxInt64
	case f <= math.MinInt64:
		*d = math.MinInt64
	default:
		*d = time.Duration(f)
	}
	return nil
}

// Duration is a duration that the API sends as a string, such as 1h30m0s:
//
//	circleci.Duration(90 * time.Minute)
type Duration time.Duration

// String formats the duration like a [time.Duration], such as 1h30m0s.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText uses whole units only, as both the live API and its specification
// accept them: 1s500ms, not 1.5s or 1d.
func (d Duration) MarshalText() ([]byte, error) {
	whole := time.Duration(d).Truncate(time.Second)
	rest := time.Duration(d) - whole
	if rest <= 0 || whole == 0 {
		return []byte(d.String()), nil
	}
	return []byte(whole.String() + rest.String()), nil
}

// UnmarshalText parses Go's format, and also days (d) and weeks (w), which the
// API specification allows. The empty string is zero.
func (d *Duration) UnmarshalText(text []byte) error {
	*d = 0
	if len(text) == 0 {
		return nil
	}
	plain, err := withoutDays(string(text))
	if err != nil {
		return err
	}
	parsed, err := time.ParseDuration(plain)
	*d = Duration(parsed)
	return err
}

// withoutDays converts the days and weeks of a duration to hours.
func withoutDays(text string) (string, error) {
	if !strings.ContainsAny(text, "dw") {
		return text, nil
	}
	var b strings.Builder
	for rest := text; rest != ""; {
		number := leading(rest, '0', '9')
		unit := leading(rest[len(number):], 'a', 'z')
		rest = rest[len(number)+len(unit):]
		if number == "" || unit == "" {
			return text, nil // for time.ParseDuration to refuse
		}
		if hours := hoursIn[unit]; hours > 0 {
			n, err := strconv.ParseInt(number, 10, 32)
			if err != nil {
				return "", fmt.Errorf("the duration %.40q is out of range", text)
			}
			number, unit = strconv.FormatInt(n*hours, 10), "h"
		}
		b.WriteString(number + unit)
	}
	return b.String(), nil
}

// leading returns the longest prefix of s that consists of bytes from lo to hi.
func leading(s string, lo, hi byte) string {
	i := 0
	for i < len(s) && lo <= s[i] && s[i] <= hi {
		i++
	}
	return s[:i]
}

var hoursIn = map[string]int64{"d": 24, "w": 7 * 24}
