package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/internal/transport"
)

// retry has the client's defaults.
func retry(next transport.Handler) *transport.Retry {
	return &transport.Retry{
		Attempts: 4, MinBackoff: 500 * time.Millisecond, MaxBackoff: 30 * time.Second,
		MaxWait: 2 * time.Minute, MaxElapsed: 5 * time.Minute, Next: next,
	}
}

// html is an answer of the edge in front of the API.
func html(code int) transport.Result {
	r := status(code)
	r.Header.Set("Content-Type", "text/html")
	r.Edge = code == http.StatusForbidden
	return r
}

// spoiled is a 2xx answer that cannot be used.
func spoiled(f transport.Failure) transport.Result {
	r := status(200)
	r.Failure, r.Err = f, io.ErrUnexpectedEOF
	return r
}

// TestWhatIsReplayed: nothing may be done twice, and nothing given up that
// could be had.
func TestWhatIsReplayed(t *testing.T) {
	// Attempts of methods that can be replayed, and of POST and PATCH.
	for name, row := range map[string]struct {
		result          transport.Result
		replayed, other int
	}{
		"200": {status(200), 1, 1},
		"204": {status(204), 1, 1},
		"304": {status(304), 1, 1},
		"400": {status(400), 1, 1},
		"401": {status(401), 1, 1},
		"403": {status(403), 1, 1},
		"404": {status(404), 1, 1},
		"409": {status(409), 1, 1},
		"413": {status(413), 1, 1},
		"501": {status(501), 1, 1},
		"505": {status(505), 1, 1},

		"429":                     {limited(time.Second), 4, 4},
		"429 without Retry-After": {limited(-1), 4, 4},
		"403 of the edge":         {html(403), 4, 4},
		"no connection":           {failed(transport.NotSent, errors.New("refused")), 4, 4},

		"408":                 {status(408), 4, 1},
		"500":                 {status(500), 4, 1},
		"502":                 {status(502), 4, 1},
		"503":                 {status(503), 4, 1},
		"504":                 {status(504), 4, 1},
		"520":                 {status(520), 4, 1},
		"502 of the edge":     {html(502), 4, 1},
		"a broken connection": {failed(transport.Broken, io.ErrUnexpectedEOF), 4, 1},
		"broken in the body":  {spoiled(transport.Broken), 4, 1},
		"cut JSON":            {spoiled(transport.Cut), 4, 1},

		"an empty answer":  {spoiled(transport.Empty), 1, 1},
		"bad JSON":         {spoiled(transport.BadJSON), 1, 1},
		"a too large one":  {spoiled(transport.TooLarge), 1, 1},
		"a bad redirect":   {failed(transport.Refused, errors.New("redirect")), 1, 1},
		"the caller's end": {failed(transport.Canceled, context.Canceled), 1, 1},
	} {
		for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "POST", "PATCH", "POST, with the caller's leave"} {
			t.Run(name+" to "+method, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					want := row.replayed
					c := newCall(t, method)
					switch method {
					case "POST", "PATCH":
						want = row.other
					case "POST, with the caller's leave":
						c.Method, c.Replayable = "POST", true
					}
					s := &script{results: []transport.Result{row.result}}
					r := retry(s.Do).Do(t.Context(), c)
					assert.Len(t, s.at, want)
					assert.Equal(t, want, r.Attempts)
					assert.Equal(t, want, c.Attempt)
					assert.Equal(t, row.result.StatusCode, r.StatusCode)
					assert.Equal(t, row.result.Failure, r.Failure)
				})
			})
		}
	}
}

func TestRetriesEndWithSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{results: []transport.Result{status(503), failed(transport.Broken, io.EOF), status(200)}}
		r := retry(s.Do).Do(t.Context(), newCall(t, "GET"))
		assert.True(t, r.OK())
		assert.Equal(t, 3, r.Attempts)
		assert.Nil(t, r.Last)
	})
}

func TestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, result := range []transport.Result{limited(time.Second), status(503), failed(transport.NotSent, io.EOF)} {
			s, c := &script{results: []transport.Result{result}}, newCall(t, "GET")
			c.Once = true
			start := time.Now()
			r := retry(s.Do).Do(t.Context(), c)
			assert.Len(t, s.at, 1)
			assert.Equal(t, 1, r.Attempts)
			assert.Zero(t, time.Since(start))
		}
	})
}

func TestRetryAfter(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		for _, after := range []time.Duration{time.Millisecond, time.Second, 7 * time.Second, 100 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				s := &script{results: []transport.Result{limited(after), status(200)}}
				assert.True(t, retry(s.Do).Do(t.Context(), newCall(t, method)).OK())
				require.Len(t, s.gaps(), 1)
				assert.GreaterOrEqual(t, s.gaps()[0], after, "the server has asked for more")
				assert.LessOrEqual(t, s.gaps()[0], after+max(time.Millisecond, min(after/20, 100*time.Millisecond)), "%v", after)
			})
		}
	}
	t.Run("is honoured on a 503 too", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			busy := limited(20 * time.Second)
			busy.StatusCode = 503
			s := &script{results: []transport.Result{busy, status(200)}}
			assert.True(t, retry(s.Do).Do(t.Context(), newCall(t, "GET")).OK())
			assert.GreaterOrEqual(t, s.gaps()[0], 20*time.Second)
		})
	})
	t.Run("of zero does not waste the attempts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &script{results: []transport.Result{limited(0)}}
			retry(s.Do).Do(t.Context(), newCall(t, "GET"))
			require.Len(t, s.gaps(), 3)
			for _, gap := range s.gaps() {
				assert.GreaterOrEqual(t, gap, 250*time.Millisecond, "a clock that is fast makes each date a zero")
			}
		})
	})
	t.Run("past the ceiling ends the call at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			for after, attempts := range map[time.Duration]int{2 * time.Minute: 2, 2*time.Minute + 1: 1, time.Hour: 1} {
				s := &script{results: []transport.Result{limited(after), status(200)}}
				start := time.Now()
				r := retry(s.Do).Do(t.Context(), newCall(t, "GET"))
				assert.Len(t, s.at, attempts, "%v", after)
				if attempts == 1 {
					assert.Equal(t, 429, r.StatusCode)
					assert.Equal(t, after, r.RetryAfter, "the caller learns when to come back")
					assert.Zero(t, time.Since(start))
				}
			}
		})
	})
	t.Run("past the caller's deadline ends the call at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			for after, attempts := range map[time.Duration]int{9 * time.Second: 2, 10 * time.Second: 1, 11 * time.Second: 1} {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				s := &script{results: []transport.Result{limited(after), status(200)}}
				start := time.Now()
				r := retry(s.Do).Do(ctx, newCall(t, "GET"))
				assert.Len(t, s.at, attempts, "%v", after)
				if attempts == 1 {
					assert.Equal(t, transport.None, r.Failure, "the refusal says more than a deadline would")
					assert.Equal(t, 429, r.StatusCode)
					assert.Zero(t, time.Since(start))
				}
				cancel()
			}
		})
	})
}

func TestBackoff(t *testing.T) {
	gapsOf := func(t *testing.T, rt *transport.Retry) []time.Duration {
		s := &script{results: []transport.Result{status(503)}}
		rt.Next = s.Do
		rt.Do(t.Context(), newCall(t, "GET"))
		require.Len(t, s.gaps(), rt.Attempts-1)
		return s.gaps()
	}
	t.Run("doubles up to its bound, with jitter", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			seen := map[time.Duration]bool{}
			for range 50 {
				rt := retry(nil)
				rt.Attempts, rt.MaxBackoff = 6, 4*time.Second
				for i, gap := range gapsOf(t, rt) {
					full := []time.Duration{500, 1000, 2000, 4000, 4000}[i] * time.Millisecond
					assert.GreaterOrEqual(t, gap, full/2, "wait %d", i)
					assert.LessOrEqual(t, gap, full, "wait %d", i)
					seen[gap] = true
				}
			}
			assert.Greater(t, len(seen), 100, "clients that fail together come back together")
		})
	})
	t.Run("does not overflow", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			rt := retry(nil)
			rt.Attempts, rt.MinBackoff, rt.MaxBackoff, rt.MaxElapsed = 100, 30*time.Second, time.Minute, 1000*time.Hour
			for i, gap := range gapsOf(t, rt) {
				assert.GreaterOrEqual(t, gap, 15*time.Second, "wait %d", i)
				assert.LessOrEqual(t, gap, time.Minute, "wait %d", i)
			}
		})
	})
	t.Run("is never above its bound, nor below zero", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			for _, bound := range []time.Duration{0, 1, time.Second} {
				rt := retry(nil)
				rt.MinBackoff, rt.MaxBackoff = time.Minute, bound
				for _, gap := range gapsOf(t, rt) {
					assert.LessOrEqual(t, gap, bound)
				}
			}
		})
	})
}

func TestMaxElapsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := retry(nil)
		rt.Attempts, rt.MaxElapsed = 100, 7*time.Second
		s := &script{results: []transport.Result{limited(2 * time.Second)}}
		rt.Next = s.Do
		start := time.Now()
		r := rt.Do(t.Context(), newCall(t, "GET"))
		assert.Equal(t, 429, r.StatusCode)
		assert.Len(t, s.at, 4, "after 0, 2, 4 and 6 seconds, and a little")
		assert.Less(t, time.Since(start), 7*time.Second, "the last wait would have been for nothing")
	})
	synctest.Test(t, func(t *testing.T) {
		rt := retry(func(context.Context, *transport.Call) *transport.Result {
			time.Sleep(4 * time.Minute) // the time of the attempts counts as well
			r := status(503)
			return &r
		})
		assert.Equal(t, 2, rt.Do(t.Context(), newCall(t, "GET")).Attempts)
	})
}

func TestCancellationDuringTheWait(t *testing.T) {
	cause := errors.New("shutdown")
	for name, row := range map[string]struct {
		results []transport.Result
		last    int // the status of the last real answer; 0 for none
	}{
		"after a 429":               {[]transport.Result{limited(time.Minute)}, 429},
		"after a broken connection": {[]transport.Result{failed(transport.Broken, io.EOF)}, 0},
		"after a broken connection that a 503 preceded": {[]transport.Result{status(503), failed(transport.Broken, io.EOF)}, 503},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				s := &script{results: row.results}
				rt := retry(s.Do)
				var canceled time.Time
				rt.OnWait = func(context.Context, *transport.Call, *transport.Result, time.Duration) {
					if len(s.at) == len(row.results) {
						time.AfterFunc(100*time.Millisecond, func() { canceled = time.Now(); cancel(cause) })
					}
				}
				c := newCall(t, "GET")
				r := rt.Do(ctx, c)
				assert.Equal(t, canceled, time.Now(), "the caller waits for what it has given up")
				assert.Equal(t, transport.Canceled, r.Failure)
				assert.ErrorIs(t, r.Err, context.Canceled)
				assert.ErrorIs(t, r.Err, cause)
				assert.Zero(t, r.StatusCode)
				assert.Equal(t, len(row.results), r.Attempts)
				if row.last == 0 {
					assert.Nil(t, r.Last)
				} else if assert.NotNil(t, r.Last, "why the call was still waiting is lost") {
					assert.Equal(t, row.last, r.Last.StatusCode)
				}
			})
		})
	}
}

func TestTheLastRealAnswerIsKept(t *testing.T) {
	broken := failed(transport.Broken, io.EOF)
	named := func(code int, body string) transport.Result {
		r := status(code)
		r.Body = []byte(body)
		return r
	}
	for name, row := range map[string]struct {
		results []transport.Result
		last    string
	}{
		"an answer, then none":          {[]transport.Result{named(503, "first"), broken, broken, broken}, "first"},
		"two answers, then none":        {[]transport.Result{named(503, "first"), named(502, "second"), broken, broken}, "second"},
		"none, an answer, none":         {[]transport.Result{broken, named(503, "first"), broken, broken}, "first"},
		"never an answer":               {[]transport.Result{broken}, ""},
		"answers only":                  {[]transport.Result{named(503, "first"), named(503, "last")}, ""},
		"none, then an answer":          {[]transport.Result{broken, broken, broken, named(503, "last")}, ""},
		"a spoiled 200 is no answer":    {[]transport.Result{spoiled(transport.Broken), broken}, ""},
		"an answer, then a spoiled 200": {[]transport.Result{named(503, "first"), spoiled(transport.Broken)}, "first"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				// All attempts share the call's one result, as they do in the exchange.
				s, shared := &script{results: row.results}, transport.Result{}
				r := retry(func(ctx context.Context, c *transport.Call) *transport.Result {
					shared = *s.Do(ctx, c)
					return &shared
				}).Do(t.Context(), newCall(t, "GET"))
				assert.Equal(t, 4, r.Attempts)
				if row.last == "" {
					assert.Nil(t, r.Last)
				} else if assert.NotNil(t, r.Last) {
					assert.Equal(t, row.last, string(r.Last.Body))
					assert.Nil(t, r.Last.Last)
				}
			})
		})
	}
}

// TestGone: a DELETE whose replay finds nothing has succeeded, if the server
// may have carried out an attempt before.
func TestGone(t *testing.T) {
	none := failed(transport.NotSent, errors.New("refused"))
	for name, row := range map[string]struct {
		method  string
		results []transport.Result
		want    bool
	}{
		"404 after a 503":                     {"DELETE", []transport.Result{status(503), status(404)}, true},
		"404 after a broken connection":       {"DELETE", []transport.Result{failed(transport.Broken, io.EOF), status(404)}, true},
		"404 after a broken body":             {"DELETE", []transport.Result{spoiled(transport.Broken), status(404)}, true},
		"404 after a 503 and a 429":           {"DELETE", []transport.Result{status(503), limited(time.Second), status(404)}, true},
		"404 at first":                        {"DELETE", []transport.Result{status(404)}, false},
		"404 after a 429":                     {"DELETE", []transport.Result{limited(time.Second), status(404)}, false},
		"404 after the edge's 403":            {"DELETE", []transport.Result{html(403), status(404)}, false},
		"404 after no connection":             {"DELETE", []transport.Result{none, status(404)}, false},
		"403 after a 503":                     {"DELETE", []transport.Result{status(503), status(403)}, false},
		"410 after a 503":                     {"DELETE", []transport.Result{status(503), status(410)}, false},
		"404 after a 503, of a GET":           {"GET", []transport.Result{status(503), status(404)}, false},
		"404 after a 503, of a PUT":           {"PUT", []transport.Result{status(503), status(404)}, false},
		"200 after a 503 is a success anyway": {"DELETE", []transport.Result{status(503), status(200)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{results: row.results}
				r := retry(s.Do).Do(t.Context(), newCall(t, row.method))
				assert.Equal(t, row.want, r.Gone)
				assert.Equal(t, row.want || r.StatusCode == http.StatusOK, r.OK())
			})
		})
	}
}

// TestAttemptsAreRequests: an attempt that was held back has sent nothing.
func TestAttemptsAreRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := limited(time.Second)
		held.Held = true
		for attempts, results := range map[int][]transport.Result{
			0: {held}, 1: {held, held, held, status(200)}, 2: {status(503), held, status(503), held}, 4: {status(503)},
		} {
			s := &script{results: results}
			assert.Equal(t, attempts, retry(s.Do).Do(t.Context(), newCall(t, "GET")).Attempts)
		}
		ctx, cancel := context.WithCancel(t.Context())
		rt := retry((&script{results: []transport.Result{held}}).Do)
		rt.OnWait = func(context.Context, *transport.Call, *transport.Result, time.Duration) { cancel() }
		r := rt.Do(ctx, newCall(t, "GET"))
		assert.Equal(t, transport.Canceled, r.Failure)
		assert.Zero(t, r.Attempts)
	})
}

func TestOnWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type heard struct {
			attempt, status int
			wait            time.Duration
		}
		var all []heard
		s := &script{results: []transport.Result{status(503), limited(time.Second), status(200)}}
		rt := retry(s.Do)
		rt.OnWait = func(_ context.Context, c *transport.Call, r *transport.Result, wait time.Duration) {
			all = append(all, heard{c.Attempt, r.StatusCode, wait})
		}
		rt.Do(t.Context(), newCall(t, "GET"))
		gaps := s.gaps()
		assert.Equal(t, []heard{{1, 503, gaps[0]}, {2, 429, gaps[1]}}, all)
	})
}

func TestOneAttemptIsTheLeast(t *testing.T) {
	for _, attempts := range []int{-1, 0, 1} {
		s := &script{results: []transport.Result{status(http.StatusServiceUnavailable)}}
		rt := retry(s.Do)
		rt.Attempts = attempts
		assert.Equal(t, 1, rt.Do(t.Context(), newCall(t, "GET")).Attempts)
	}
}
