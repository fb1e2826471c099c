package transport_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/circleci-go/circleci/internal/transport"
)

// longest is the longest wait that a header is believed.
const longest = 31 * 24 * time.Hour

func headerOf(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func TestParseRateLimit(t *testing.T) {
	known := func(limit, remaining int, reset time.Duration) transport.RateLimit {
		return transport.RateLimit{Known: true, Limit: limit, Remaining: remaining, Reset: reset}
	}
	none := transport.RateLimit{}
	const most = int(^uint(0) >> 1)
	for name, row := range map[string]struct {
		header http.Header
		want   transport.RateLimit
	}{
		"no headers": {headerOf(), none},
		"the standard's family": {
			headerOf("RateLimit-Limit", "100", "RateLimit-Remaining", "42", "RateLimit-Reset", "7"),
			known(100, 42, 7*time.Second),
		},
		"the draft's form, of which the tighter counts": {
			headerOf("RateLimit-Policy", `"hour";q=1000;w=3600, "default";q=100;w=60`, "RateLimit", `"hour";r=900;t=3000, "default"; r=5; t=30`),
			known(100, 5, 30*time.Second),
		},
		"the draft's form without a policy": {headerOf("RateLimit", `default;r=5;t=30`), known(0, 5, 30*time.Second)},
		"the draft's form without numbers":  {headerOf("RateLimit", `"default"`, "RateLimit-Policy", `x`), none},
		"the X family": {
			headerOf("X-RateLimit-Limit", "100", "X-RateLimit-Remaining", "42", "X-RateLimit-Reset", "7"),
			known(100, 42, 7*time.Second),
		},
		"any spelling": {
			headerOf("x-ratelimit-limit", "3", "X-RATELIMIT-REMAINING", "2", "x-RateLimit-reset", "1"),
			known(3, 2, time.Second),
		},
		"a window of a second": {
			headerOf("X-RateLimit-Limit-Second", "10", "X-RateLimit-Remaining-Second", "9", "X-RateLimit-Reset-Second", "1"),
			known(10, 9, time.Second),
		},
		"a window of a minute": {
			headerOf("X-RateLimit-Limit-Minute", "10", "X-RateLimit-Remaining-Minute", "9", "X-RateLimit-Reset-Minute", "60"),
			known(10, 9, time.Minute),
		},
		"a window of an hour": {
			headerOf("X-RateLimit-Limit-Hour", "10", "X-RateLimit-Remaining-Hour", "9", "X-RateLimit-Reset-Hour", "3600"),
			known(10, 9, time.Hour),
		},
		"a window of a day": {
			headerOf("X-RateLimit-Limit-Day", "10", "X-RateLimit-Remaining-Day", "9", "X-RateLimit-Reset-Day", "86400"),
			known(10, 9, 24*time.Hour),
		},
		"of both families the lower is enforced": {
			headerOf("RateLimit-Limit", "100", "RateLimit-Remaining", "42", "RateLimit-Reset", "7",
				"X-RateLimit-Limit", "10", "X-RateLimit-Remaining", "5", "X-RateLimit-Reset", "3"),
			known(10, 5, 3*time.Second),
		},
		"of several windows the one with fewest left": {
			headerOf("X-RateLimit-Remaining-Second", "8", "X-RateLimit-Reset-Second", "1",
				"X-RateLimit-Remaining-Minute", "3", "X-RateLimit-Reset-Minute", "20",
				"X-RateLimit-Remaining-Hour", "900", "X-RateLimit-Reset-Hour", "2000"),
			known(0, 3, 20*time.Second),
		},
		"of two empty windows the one that stays so for longer": {
			headerOf("X-RateLimit-Remaining-Minute", "0", "X-RateLimit-Reset-Minute", "20",
				"X-RateLimit-Remaining-Hour", "0", "X-RateLimit-Reset-Hour", "2000"),
			known(0, 0, 2000*time.Second),
		},
		"what is left is enough to go by":     {headerOf("RateLimit-Remaining", "5"), known(0, 5, 0)},
		"a limit alone says nothing":          {headerOf("RateLimit-Limit", "5", "RateLimit-Reset", "1"), none},
		"a policy after the number":           {headerOf("RateLimit-Limit", "100, 100;w=60", "RateLimit-Remaining", "5"), known(100, 5, 0)},
		"spaces":                              {headerOf("RateLimit-Limit", " 9 ", "RateLimit-Remaining", " 5 ", "RateLimit-Reset", " 2 "), known(9, 5, 2*time.Second)},
		"fractions":                           {headerOf("RateLimit-Remaining", "5.9", "RateLimit-Reset", "0.25"), known(0, 5, 250*time.Millisecond)},
		"a negative rest is none":             {headerOf("RateLimit-Remaining", "-1"), none},
		"a negative limit is not announced":   {headerOf("RateLimit-Limit", "-1", "RateLimit-Remaining", "5"), known(0, 5, 0)},
		"a negative reset is now":             {headerOf("RateLimit-Remaining", "5", "RateLimit-Reset", "-3"), known(0, 5, 0)},
		"a point in time is no span":          {headerOf("RateLimit-Remaining", "0", "RateLimit-Reset", "1790000000"), known(0, 0, 0)},
		"a point in time in milliseconds too": {headerOf("RateLimit-Remaining", "0", "RateLimit-Reset", "1790000000000"), known(0, 0, 0)},
		"the longest reset":                   {headerOf("RateLimit-Remaining", "0", "RateLimit-Reset", "2678400"), known(0, 0, longest)},
		"a second past the longest":           {headerOf("RateLimit-Remaining", "0", "RateLimit-Reset", "2678401"), known(0, 0, 0)},
		"too large for a number":              {headerOf("RateLimit-Limit", "99999999999999999999", "RateLimit-Remaining", "99999999999999999999"), known(most, most, 0)},
		"an infinite reset":                   {headerOf("RateLimit-Remaining", "0", "RateLimit-Reset", "Inf"), known(0, 0, 0)},
		"no number for a reset":               {headerOf("RateLimit-Remaining", "0", "RateLimit-Reset", "NaN"), known(0, 0, 0)},
		"words":                               {headerOf("RateLimit-Limit", "many", "RateLimit-Remaining", "few", "RateLimit-Reset", "soon"), none},
		"empty values":                        {headerOf("RateLimit-Limit", "", "RateLimit-Remaining", "", "RateLimit-Reset", ""), none},
		"an empty family beside a full one":   {headerOf("RateLimit-Remaining", "", "X-RateLimit-Remaining", "4"), known(0, 4, 0)},
		"the first of two lines":              {headerOf("RateLimit-Remaining", "4", "RateLimit-Remaining", "2"), known(0, 4, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, row.want, transport.ParseRateLimit(row.header))
		})
	}
}

func TestParseRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"0":                              0,
		"1":                              time.Second,
		"120":                            2 * time.Minute,
		" 5 ":                            5 * time.Second,
		"0.5":                            500 * time.Millisecond,
		"-5":                             0,
		"2678400":                        longest,
		"1790000000":                     longest,
		"99999999999999999999":           longest,
		"Inf":                            longest,
		"-Inf":                           0,
		"Sun, 01 Mar 2026 12:00:30 GMT":  30 * time.Second,
		"Sunday, 01-Mar-26 12:00:30 GMT": 30 * time.Second,
		"Sun Mar  1 12:00:30 2026":       30 * time.Second,
		"Sun, 01 Mar 2026 11:59:00 GMT":  0,
		"Mon, 01 Jan 0001 00:00:00 GMT":  0,
		"Fri, 31 Dec 9999 23:59:59 GMT":  longest,
		"":                               -1,
		" ":                              -1,
		"NaN":                            -1,
		"1e999":                          -1,
		"soon":                           -1,
		"5 seconds":                      -1,
		"1, 2":                           -1,
		"\x00":                           -1,
	} {
		got := transport.ParseRetryAfter(headerOf("Retry-After", value), now)
		assert.Equal(t, want, got, "Retry-After: %q", value)
	}
	assert.Equal(t, time.Duration(-1), transport.ParseRetryAfter(headerOf(), now), "without the header")
}

func TestRequestID(t *testing.T) {
	for want, h := range map[string]http.Header{
		"":       headerOf("X-Other", "x"),
		"first":  headerOf("X-Amz-Cf-Id", "x", "cf-ray", "x", "request-id", "x", "x-request-id", "first"),
		"second": headerOf("X-Amz-Cf-Id", "x", "cf-ray", "x", "request-id", "second", "x-request-id", ""),
		"third":  headerOf("X-Amz-Cf-Id", "x", "cf-ray", "third"),
		"fourth": headerOf("X-Amz-Cf-Id", "fourth"),
	} {
		assert.Equal(t, want, transport.RequestID(h))
	}
	assert.Empty(t, transport.RequestID(nil), "without an answer")
}

func FuzzParseRateLimit(f *testing.F) {
	for _, seed := range [][3]string{
		{"100", "42", "7"}, {"100, 100;w=60", "99", "1.5"}, {"-1", "-1", "-1"}, {"", "", ""},
		{"0", "0", "1790000000"}, {"99999999999999999999", "99999999999999999999", "1e300"},
		{"NaN", "0", "NaN"}, {"Inf", "1", "-Inf"}, {" 1 ", "\t2", "0x1p-2"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, limit, remaining, reset string) {
		if len(limit)+len(remaining)+len(reset) > 200 {
			return // a long one finds nothing more, and takes minutes to minimize
		}
		for _, suffix := range []string{"", "-Minute"} {
			h := headerOf("X-RateLimit-Limit"+suffix, limit, "X-RateLimit-Remaining"+suffix, remaining,
				"X-RateLimit-Reset"+suffix, reset)
			got := transport.ParseRateLimit(h)
			if !got.Known && got != (transport.RateLimit{}) {
				t.Errorf("not known, and yet %+v", got)
			}
			if got.Limit < 0 || got.Remaining < 0 || got.Reset < 0 || got.Reset > longest {
				t.Errorf("out of bounds: %+v", got)
			}
			h.Add("RateLimit-Remaining", "3")
			if both := transport.ParseRateLimit(h); !both.Known || both.Remaining > 3 || got.Known && both.Remaining > got.Remaining {
				t.Errorf("of %+v and 3 the looser was taken: %+v", got, both)
			}
		}
	})
}

func FuzzParseRetryAfter(f *testing.F) {
	for _, seed := range []string{
		"0", "1", "120", "-5", "0.5", "1790000000", "99999999999999999999", "1e999", "NaN", "Inf", "-Inf", "", " ",
		"Sun, 01 Mar 2026 12:00:30 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "soon",
	} {
		f.Add(seed, int64(1772366400))
	}
	f.Fuzz(func(t *testing.T, value string, now int64) {
		if len(value) > 100 {
			return // a long one finds nothing more, and takes minutes to minimize
		}
		got := transport.ParseRetryAfter(headerOf("Retry-After", value), time.Unix(now, 0))
		if got != -1 && (got < 0 || got > longest) {
			t.Errorf("Retry-After %q gives %v", value, got)
		}
	})
}
