package transport

import (
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// RateLimit is the rate limit in a response's headers.
type RateLimit struct {
	Known     bool // whether the server has announced one
	Limit     int  // requests in a window; 0 if not announced
	Remaining int
	Reset     time.Duration
}

// maxHeaderWait is the longest wait that is accepted from a header. Longer ones
// are mistakes, such as a point in time instead of a duration.
const maxHeaderWait = 31 * 24 * time.Hour

// limitHeaders are the two families of headers, the second with its windows.
var limitHeaders = [...]struct{ limit, remaining, reset string }{
	{"Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset"},
	{"X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset"},
	{"X-Ratelimit-Limit-Second", "X-Ratelimit-Remaining-Second", "X-Ratelimit-Reset-Second"},
	{"X-Ratelimit-Limit-Minute", "X-Ratelimit-Remaining-Minute", "X-Ratelimit-Reset-Minute"},
	{"X-Ratelimit-Limit-Hour", "X-Ratelimit-Remaining-Hour", "X-Ratelimit-Reset-Hour"},
	{"X-Ratelimit-Limit-Day", "X-Ratelimit-Remaining-Day", "X-Ratelimit-Reset-Day"},
}

// ParseRateLimit returns the rate limit of a response. If there are several, it
// returns the tighter one: fewer requests left, or as many for a longer time.
func ParseRateLimit(h http.Header) (tightest RateLimit) {
	for _, names := range limitHeaders {
		remaining, ok := leadingNumber(first(h, names.remaining))
		if !ok {
			continue
		}
		limit, _ := leadingNumber(first(h, names.limit))
		found := RateLimit{Known: true, Limit: limit, Remaining: remaining}
		if reset, ok := seconds(first(h, names.reset)); ok && reset <= maxHeaderWait {
			found.Reset = reset
		}
		tightest = tighter(tightest, found)
	}
	for name, r := range draftItems(h["Ratelimit"]) {
		remaining, ok := leadingNumber(r["r"])
		if !ok {
			continue
		}
		found := RateLimit{Known: true, Remaining: remaining}
		if reset, ok := seconds(r["t"]); ok && reset <= maxHeaderWait {
			found.Reset = reset
		}
		for policy, q := range draftItems(h["Ratelimit-Policy"]) {
			if policy == name {
				found.Limit, _ = leadingNumber(q["q"])
			}
		}
		tightest = tighter(tightest, found)
	}
	return tightest
}

func tighter(a, b RateLimit) RateLimit {
	if !a.Known || b.Remaining < a.Remaining || b.Remaining == a.Remaining && b.Reset > a.Reset {
		return b
	}
	return a
}

// draftItems yields the items of RateLimit and RateLimit-Policy in the form of
// the IETF draft: "name";r=50;t=30, "other";r=5.
func draftItems(values []string) iter.Seq2[string, map[string]string] {
	return func(yield func(string, map[string]string) bool) {
		for _, value := range values {
			for item := range strings.SplitSeq(value, ",") {
				name, rest, _ := strings.Cut(item, ";")
				params := map[string]string{}
				for param := range strings.SplitSeq(rest, ";") {
					key, value, _ := strings.Cut(param, "=")
					params[strings.TrimSpace(key)] = strings.TrimSpace(value)
				}
				if !yield(strings.Trim(strings.TrimSpace(name), `"`), params) {
					return
				}
			}
		}
	}
}

// ParseRetryAfter returns the value of Retry-After, given in seconds or as a
// date; -1 if there is no valid one.
func ParseRetryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(first(h, "Retry-After"))
	if value == "" {
		return -1
	}
	wait, ok := seconds(value)
	if !ok {
		at, err := http.ParseTime(value)
		if err != nil {
			return -1
		}
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxHeaderWait)
}

// requestIDs are the headers known to contain a request ID, the most useful
// first.
var requestIDs = [...]string{"X-Request-Id", "Request-Id", "Cf-Ray", "X-Amz-Cf-Id"}

// RequestID returns the ID with which CircleCI's support can find a request.
func RequestID(h http.Header) string {
	for _, name := range requestIDs {
		if id := first(h, name); id != "" {
			return id
		}
	}
	return ""
}

// first is like Get, for a name in canonical form.
func first(h http.Header, name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// leadingNumber parses "100" and "100, 100;w=60". A number that overflows is
// very large.
func leadingNumber(s string) (int, bool) {
	s = strings.TrimSpace(s)
	end := 0
	for end < len(s) && '0' <= s[end] && s[end] <= '9' {
		end++
	}
	if end == 0 {
		return 0, false
	}
	n, _ := strconv.Atoi(s[:end]) // the largest int, if it overflows
	return n, true
}

func seconds(s string) (time.Duration, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || n != n {
		return 0, false
	}
	n = min(max(n, 0), (100 * 365 * 24 * time.Hour).Seconds())
	return time.Duration(n * float64(time.Second)), true
}
