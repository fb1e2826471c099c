package transport_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/internal/transport"
)

// limits are those of a server: a bucket that is refilled all the time, or a
// window that begins anew.
type limits struct {
	rate, burst float64
	window      time.Duration // with burst requests in each; 0: a bucket
	announce    convention
	on          int                                     // the status whose answers bear the headers; 0: all
	retryAfter  func(exact time.Duration) time.Duration // of a 429; nil: in whole seconds
	latency     func(request int) (there, back time.Duration)
}

type limitedServer struct {
	limits
	mu              sync.Mutex
	tokens          float64
	stamp           time.Time
	served, refused int
}

// convention is what a server's headers mean.
type convention func(s *limitedServer, now time.Time) (limit, remaining, reset float64)

func untilFull(s *limitedServer, _ time.Time) (limit, remaining, reset float64) {
	return s.burst, s.tokens, (s.burst - s.tokens) / s.rate
}

func perSecond(s *limitedServer, _ time.Time) (limit, remaining, reset float64) {
	return s.rate, s.tokens, 1
}

func untilNextWindow(s *limitedServer, now time.Time) (limit, remaining, reset float64) {
	return s.burst, s.tokens, (s.window - now.Sub(s.stamp)).Seconds()
}

func (s *limitedServer) Do(context.Context, *transport.Call) *transport.Result {
	s.mu.Lock()
	there, back := s.latency(s.served + s.refused)
	s.mu.Unlock()
	time.Sleep(there)
	r := s.serve()
	time.Sleep(back)
	return r
}

func (s *limitedServer) serve() *transport.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.refill(now)
	r := &transport.Result{StatusCode: http.StatusOK, RetryAfter: -1}
	if s.tokens >= 1 {
		s.tokens--
		s.served++
	} else {
		s.refused++
		r.StatusCode = http.StatusTooManyRequests
		r.RetryAfter = s.nextToken(now)
	}
	if s.announce != nil && (s.on == 0 || s.on == r.StatusCode) {
		limit, remaining, reset := s.announce(s, now)
		r.Limit = transport.ParseRateLimit(headerOf(
			"RateLimit-Limit", strconv.Itoa(int(limit)), "RateLimit-Remaining", strconv.Itoa(int(remaining)),
			"RateLimit-Reset", strconv.Itoa(int(math.Ceil(reset))),
		))
	}
	return r
}

func (s *limitedServer) refill(now time.Time) {
	passed := now.Sub(s.stamp)
	switch {
	case s.stamp.IsZero():
		s.tokens, s.stamp = s.burst, now
	case s.window == 0:
		s.tokens, s.stamp = min(s.burst, s.tokens+passed.Seconds()*s.rate), now
	case passed >= s.window:
		s.tokens, s.stamp = s.burst, s.stamp.Add(passed.Truncate(s.window))
	}
}

func (s *limitedServer) nextToken(now time.Time) time.Duration {
	wait := time.Duration((1 - s.tokens) / s.rate * float64(time.Second))
	if s.window > 0 {
		wait = s.window - now.Sub(s.stamp)
	}
	if s.retryAfter != nil {
		return s.retryAfter(wait)
	}
	return time.Duration(math.Ceil(wait.Seconds())) * time.Second
}

// always is the same latency for each request.
func always(d time.Duration) func(int) (there, back time.Duration) {
	return func(int) (there, back time.Duration) { return d / 2, d / 2 }
}

// uneven latencies let answers overtake each other.
func uneven(request int) (there, back time.Duration) {
	return time.Duration(1+request*7919%40) * time.Millisecond, time.Duration(1+request*104729%200) * time.Millisecond
}

// crowd has workers make 1000 calls, and returns how long it took and how many
// calls have failed for good.
func crowd(t *testing.T, workers int, next transport.Handler) (took time.Duration, lost int) {
	t.Helper()
	return crowdOf(t, workers, pacer(next).Do)
}

func crowdOf(t *testing.T, workers int, next transport.Handler) (took time.Duration, lost int) {
	t.Helper()
	const calls = 1000
	rt := retry(next)
	rt.MaxElapsed = time.Hour
	start, todo, failures := time.Now(), atomic.Int32{}, atomic.Int32{}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for todo.Add(1) <= calls {
				if !rt.Do(t.Context(), newCall(t, "GET")).OK() {
					failures.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start), int(failures.Load())
}

// TestPacerAgainstServers is about the two things that a user wants of a
// pacer: that no call is lost, and that the limit is used. How the goroutines
// of one moment are ordered is not determined, and the jitter neither, so that
// the time is the best of three.
func TestPacerAgainstServers(t *testing.T) {
	const short, usual, long = 200 * time.Microsecond, 5 * time.Millisecond, 60 * time.Millisecond
	never := func(time.Duration) time.Duration { return -1 }
	zero := func(time.Duration) time.Duration { return 0 }
	for _, row := range []struct {
		name    string
		server  limits
		latency time.Duration // 0: all three
		most    float64       // seconds; 0: 6 % and 0.3 s above the theory
		refused int           // 429s at most
		workers int           // 0: 16
	}{
		// The server tells its account.
		{name: "bucket", server: limits{rate: 200, burst: 50, announce: untilFull}},
		{name: "bucket, limit per second", server: limits{rate: 200, burst: 50, announce: perSecond}},
		{name: "small bucket", server: limits{rate: 50, burst: 10, announce: untilFull}, refused: 10},
		{name: "small bucket, limit per second", server: limits{rate: 50, burst: 10, announce: perSecond}, refused: 15, most: 22},
		{name: "fast bucket", server: limits{rate: 1000, burst: 100, announce: untilFull}},
		{name: "slow bucket", server: limits{rate: 20, burst: 100, announce: untilFull}, refused: 20},
		{name: "long window", server: limits{burst: 300, window: time.Minute, announce: untilNextWindow}, refused: 20},
		{name: "window", server: limits{burst: 300, window: 10 * time.Second, announce: untilNextWindow}, refused: 20},
		// A reset in whole seconds says little of a window of one.
		{name: "short window", server: limits{burst: 300, window: time.Second, announce: untilNextWindow}, refused: 20, most: 5},
		{name: "no limit to speak of", server: limits{rate: 1e9, burst: 1e9, announce: untilFull}},
		{name: "bucket, answers overtake", server: limits{rate: 100, burst: 50, announce: untilFull, latency: uneven}, refused: 2},
		{name: "window, answers overtake", server: limits{burst: 300, window: 10 * time.Second, announce: untilNextWindow, latency: uneven}, refused: 20, most: 34},
		{
			name: "bucket, 429 without headers", server: limits{rate: 100, burst: 10, announce: untilFull, on: 200},
			latency: usual, refused: 10, most: 11.2,
		},
		{
			name: "window, 429 without Retry-After", latency: usual, refused: 20,
			server: limits{burst: 300, window: time.Minute, announce: untilNextWindow, retryAfter: never},
		},
		{
			name: "bucket, Retry-After of zero", server: limits{rate: 100, burst: 10, announce: untilFull, retryAfter: zero},
			latency: usual, refused: 10, most: 11.2,
		},

		// The server says nothing before it refuses.
		{name: "silent bucket", server: limits{rate: 200, burst: 50}, refused: 24, most: 6},
		{name: "silent bucket, 100 workers", server: limits{rate: 200, burst: 50}, workers: 100, refused: 150, most: 6.2},
		{name: "silent small bucket", server: limits{rate: 50, burst: 10}, refused: 20, most: 26},
		{name: "silent fast bucket", server: limits{rate: 1000, burst: 100}, refused: 20, most: 4.2},
		{name: "silent slow bucket", server: limits{rate: 20, burst: 100}, refused: 50},
		{name: "silent tiny bucket", server: limits{rate: 5, burst: 1}, latency: usual, refused: 50, most: 255},
		{name: "silent window", server: limits{burst: 300, window: 10 * time.Second}, refused: 60, most: 32.5},
		{name: "silent long window", server: limits{burst: 300, window: time.Minute}, refused: 60, most: 184},
		{name: "silent, no limit", server: limits{rate: 1e9, burst: 1e9}, most: 3.8},
		{name: "silent bucket, answers overtake", server: limits{rate: 50, burst: 20, latency: uneven}, refused: 50, most: 30},
		{
			name: "silent bucket, 429 with headers", server: limits{rate: 100, burst: 10, announce: untilFull, on: 429},
			refused: 24, most: 18,
		},
		{name: "silent bucket, Retry-After of zero", server: limits{rate: 100, burst: 10, retryAfter: zero}, latency: usual, refused: 24, most: 18},
		{name: "silent bucket, no Retry-After", server: limits{rate: 100, burst: 10, retryAfter: never}, latency: usual, refused: 24, most: 18},
	} {
		latencies := []time.Duration{short, usual, long}
		switch {
		case row.server.latency != nil:
			latencies = []time.Duration{120 * time.Millisecond} // in the mean
		case row.latency != 0:
			latencies = []time.Duration{row.latency}
		}
		for _, latency := range latencies {
			t.Run(fmt.Sprintf("%s, %v", row.name, latency), func(t *testing.T) {
				workers := cmp.Or(row.workers, 16)
				theory := max((1000-row.server.burst)/row.server.rate, 1000./float64(workers)*latency.Seconds())
				if row.server.window > 0 {
					theory = (math.Ceil(1000/row.server.burst) - 1) * row.server.window.Seconds()
				}
				most := cmp.Or(row.most, 1.06*theory+0.3)
				var times []float64
				for range 3 {
					synctest.Test(t, func(t *testing.T) {
						s := &limitedServer{limits: row.server}
						if s.latency == nil {
							s.latency = always(latency)
						}
						took, lost := crowd(t, workers, s.Do)
						t.Logf("%.2f s, in theory %.2f; %d refused, %d lost", took.Seconds(), theory, s.refused, lost)
						assert.Zero(t, lost, "calls fail that had only to wait")
						assert.LessOrEqual(t, s.refused, row.refused, "the limit is hit, not kept")
						times = append(times, took.Seconds())
					})
				}
				assert.LessOrEqual(t, slices.Min(times), most, "the server would have granted more")
			})
		}
	}
}

// TestACrowdAfterACalmTime: a server that was hardly used grants its whole rate
// to those who come then.
func TestACrowdAfterACalmTime(t *testing.T) {
	for name, announce := range map[string]convention{"announced": untilFull, "silent": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &limitedServer{limits: limits{rate: 200, burst: 50, announce: announce, latency: always(5 * time.Millisecond)}}
				p := pacer(s.Do)
				for range 60 {
					require.True(t, p.Do(t.Context(), newCall(t, "GET")).OK())
					time.Sleep(time.Second)
				}
				took, lost := crowdOf(t, 16, p.Do)
				assert.Zero(t, lost)
				assert.LessOrEqual(t, took.Seconds(), 6.)
				assert.LessOrEqual(t, s.refused, 24)
			})
		})
	}
}

// pacer is one with the client's default.
func pacer(next transport.Handler) *transport.Limit {
	p := &transport.Pacer{MaxWait: 2 * time.Minute}
	return &transport.Limit{Wait: p.Wait, Observe: p.Observe, Next: next}
}

func routed(t *testing.T, route string) *transport.Call {
	t.Helper()
	c := newCall(t, "GET")
	c.Route = route
	return c
}

// pausedPacer is a pacer whose family of newCall has been refused for a time
// just now. It passes all further calls on to next.
func pausedPacer(t *testing.T, pause time.Duration, next transport.Handler) *transport.Limit {
	t.Helper()
	first := true
	p := pacer(func(ctx context.Context, c *transport.Call) *transport.Result {
		if first {
			first = false
			r := limited(pause)
			r.Body = []byte("Rate limited.")
			return &r
		}
		return next(ctx, c)
	})
	require.Equal(t, 429, p.Do(t.Context(), newCall(t, "GET")).StatusCode)
	return p
}

func fine(context.Context, *transport.Call) *transport.Result {
	r := status(200)
	return &r
}

// TestALoneCallerIsFree: a program that makes one call after the other is not
// held back by guesses.
func TestALoneCallerIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, start := pacer(fine), time.Now()
		for range 10_000 {
			require.True(t, p.Do(t.Context(), newCall(t, "GET")).OK())
		}
		assert.Zero(t, time.Since(start))
	})
}

func TestAPanicFreesItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := true
		p := pacer(func(ctx context.Context, c *transport.Call) *transport.Result {
			if broken {
				panic("a middleware")
			}
			return fine(ctx, c)
		})
		for range 100 {
			assert.PanicsWithValue(t, "a middleware", func() { p.Do(t.Context(), newCall(t, "GET")) })
		}
		broken = false
		start := time.Now()
		for range 1000 {
			require.True(t, p.Do(t.Context(), newCall(t, "GET")).OK())
		}
		assert.Zero(t, time.Since(start), "a lone caller is taken for a crowd")
	})
}

// TestOneRefusalPausesAll: what one goroutine has learnt spares the others
// their 429.
func TestOneRefusalPausesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, start := pausedPacer(t, 10*time.Second, fine), time.Now()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				assert.True(t, p.Do(t.Context(), newCall(t, "GET")).OK())
				assert.GreaterOrEqual(t, time.Since(start), 10*time.Second)
			})
		}
		wg.Wait()
	})
}

// TestARefusalBindsWhatWasRefused, and neither other arguments, nor other
// methods, nor other routes.
func TestARefusalBindsWhatWasRefused(t *testing.T) {
	for name, limit := range map[string]transport.RateLimit{
		"without headers": {}, "with headers": {Known: true, Limit: 10, Reset: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first, start := true, time.Now()
				p := pacer(func(ctx context.Context, c *transport.Call) *transport.Result {
					if first {
						first = false
						r := limited(time.Minute)
						r.Limit = limit
						return &r
					}
					return fine(ctx, c)
				})
				refused := newCall(t, "POST")
				require.Equal(t, 429, p.Do(t.Context(), refused).StatusCode)
				other := newCall(t, "POST")
				other.URL = parseURL(t, "https://circleci.com/api/v2/context/43")
				for _, c := range []*transport.Call{other, newCall(t, "GET"), routed(t, "/me"), routed(t, "/context")} {
					assert.True(t, p.Do(t.Context(), c).OK())
				}
				assert.Zero(t, time.Since(start), "a refusal of one holds back another")
				assert.True(t, p.Do(t.Context(), newCall(t, "POST")).OK())
				assert.Equal(t, time.Minute, time.Since(start))
			})
		})
	}
}

// TestAPauseIsForgotten: nothing is kept of a path whose pause has ended.
func TestAPauseIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pacer := &transport.Pacer{MaxWait: 2 * time.Minute}
		refuse := func(ctx context.Context, c *transport.Call) *transport.Result {
			r := limited(time.Minute)
			return &r
		}
		for i := range 100 {
			c := newCall(t, "GET")
			c.URL = parseURL(t, fmt.Sprintf("https://circleci.com/api/v2/context/%d", i))
			(&transport.Limit{Wait: pacer.Wait, Observe: pacer.Observe, Next: refuse}).Do(t.Context(), c)
		}
		assert.Equal(t, 100, pacer.Paused())
		time.Sleep(time.Minute)
		assert.True(t, (&transport.Limit{Wait: pacer.Wait, Observe: pacer.Observe, Next: fine}).Do(t.Context(), newCall(t, "GET")).OK())
		assert.Zero(t, pacer.Paused())
	})
}

// TestAFarTimeIsNotBelieved: what asks for more than the longest wait is asked
// again once in each such time, by one caller.
func TestAFarTimeIsNotBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []time.Duration
		start, open := time.Now(), false
		p := pacer(func(ctx context.Context, c *transport.Call) *transport.Result {
			sent = append(sent, time.Since(start))
			if open {
				return fine(ctx, c)
			}
			r := limited(31 * 24 * time.Hour)
			return &r
		})
		call := func() int { return p.Do(t.Context(), newCall(t, "GET")).StatusCode }
		for range 70 {
			assert.Equal(t, 429, call())
			time.Sleep(5 * time.Second)
		}
		assert.Equal(t, []time.Duration{0, 2 * time.Minute, 4 * time.Minute}, sent)
		open = true
		time.Sleep(10 * time.Second)
		assert.Equal(t, 200, call(), "a probe that is answered ends the pause")
		assert.Equal(t, 200, call())
		assert.Len(t, sent, 5)
	})
}

// onePerSecond is what a server announces that grants a request each second.
func onePerSecond(r *transport.Result) *transport.Result {
	r.Limit = transport.RateLimit{Known: true, Limit: 1, Reset: time.Second}
	return r
}

func TestWaitersLeaveInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var left []int
		p := pacer(func(ctx context.Context, c *transport.Call) *transport.Result {
			left = append(left, c.Attempt)
			return onePerSecond(fine(ctx, c))
		})
		var wg sync.WaitGroup
		var want []int
		for i := range 50 {
			c := newCall(t, "GET")
			c.Attempt = i
			want = append(want, i)
			wg.Go(func() { p.Do(t.Context(), c) })
			synctest.Wait()
		}
		wg.Wait()
		assert.Equal(t, want, left, "a caller can be overtaken for ever")
	})
}

// TestACanceledWaiterPassesItsTurnOn, whether it keeps the time for all or
// stands in the middle.
func TestACanceledWaiterPassesItsTurnOn(t *testing.T) {
	cause := errors.New("enough")
	for name, gone := range map[string][]int{
		"the first": {0}, "one in the middle": {2}, "the last": {4}, "the first two": {0, 1}, "all but the last": {3, 2, 1, 0},
		"all": {0, 1, 2, 3, 4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var (
					mu   sync.Mutex
					left []int
				)
				p := pausedPacer(t, 10*time.Second, func(ctx context.Context, c *transport.Call) *transport.Result {
					mu.Lock()
					left = append(left, c.Attempt)
					mu.Unlock()
					return onePerSecond(fine(ctx, c))
				})
				results, cancels := make([]*transport.Result, 5), make([]context.CancelCauseFunc, 5)
				var wg sync.WaitGroup
				start := time.Now()
				for i := range results {
					ctx, cancel := context.WithCancelCause(t.Context())
					c := newCall(t, "GET")
					c.Attempt, cancels[i] = i, cancel
					wg.Go(func() { results[i] = p.Do(ctx, c) })
					synctest.Wait()
				}
				time.Sleep(time.Second)
				for _, i := range gone {
					cancels[i](cause)
					synctest.Wait()
					require.NotNil(t, results[i], "a caller that gives up waits on")
					assert.Equal(t, transport.Canceled, results[i].Failure)
					assert.ErrorIs(t, results[i].Err, context.Canceled)
					assert.ErrorIs(t, results[i].Err, cause)
					assert.True(t, results[i].Held, "a request is counted that was not sent")
					assert.Zero(t, results[i].StatusCode)
				}
				wg.Wait()
				var want []int
				for i, r := range results {
					if r.OK() {
						want = append(want, i)
					}
				}
				assert.Len(t, want, 5-len(gone))
				assert.ElementsMatch(t, want, left)
				assert.Less(t, time.Since(start), 20*time.Second, "those who stay wait for the one who left")
				assert.True(t, p.Do(t.Context(), newCall(t, "GET")).OK(), "the queue is stuck")
			})
		})
	}
}

func TestAnEndedContextTakesNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pacer(func(context.Context, *transport.Call) *transport.Result { panic("a request for nobody") })
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r := p.Do(ctx, newCall(t, "GET"))
		assert.Equal(t, transport.Canceled, r.Failure)
		assert.ErrorIs(t, r.Err, context.Canceled)
	})
}

// TestAPauseTooLong: who cannot wait for its end gets the refusal at once.
func TestAPauseTooLong(t *testing.T) {
	unwanted := func(context.Context, *transport.Call) *transport.Result { panic("a request that will be refused") }
	assertRefused := func(t *testing.T, r *transport.Result, after time.Duration) {
		t.Helper()
		require.NotNil(t, r, "the caller waits for what will not come in time")
		assert.Equal(t, 429, r.StatusCode)
		assert.Equal(t, transport.None, r.Failure)
		assert.Equal(t, after, r.RetryAfter, "the caller learns when to come back")
		assert.True(t, r.Held, "a request is counted that was not sent")
	}
	t.Run("for the client", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := pausedPacer(t, time.Hour, unwanted)
			time.Sleep(time.Minute)
			start := time.Now()
			assertRefused(t, p.Do(t.Context(), newCall(t, "GET")), 59*time.Minute)
			assert.Zero(t, time.Since(start))
		})
	})
	t.Run("for the caller", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := pausedPacer(t, time.Minute, unwanted)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute-1)
			defer cancel()
			start := time.Now()
			assertRefused(t, p.Do(ctx, newCall(t, "GET")), time.Minute)
			assert.Zero(t, time.Since(start))
		})
	})
	t.Run("for one of those in the queue", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := pausedPacer(t, time.Minute, fine)
			var wg sync.WaitGroup
			wg.Go(func() { assert.True(t, p.Do(t.Context(), newCall(t, "GET")).OK()) })
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			start := time.Now()
			assertRefused(t, p.Do(ctx, newCall(t, "GET")), time.Minute)
			assert.Zero(t, time.Since(start), "behind one who can wait, the refusal comes as late as the deadline")
			wg.Wait()
		})
	})
	t.Run("that begins while they wait", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			p := pacer(func(ctx context.Context, c *transport.Call) *transport.Result {
				switch n++; n {
				case 1: // refused at last
					time.Sleep(10 * time.Second)
					r := limited(90 * time.Second)
					r.Body = []byte("Rate limited.")
					return &r
				case 2: // tells that nothing is left in this minute
					r := status(200)
					r.Limit = transport.RateLimit{Known: true, Limit: 1, Reset: time.Minute}
					return &r
				}
				return fine(ctx, c)
			})
			start := time.Now()
			var wg sync.WaitGroup
			send := func(timeout time.Duration, check func(*transport.Result)) {
				wg.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), timeout)
					defer cancel()
					check(p.Do(ctx, newCall(t, "GET")))
				})
				synctest.Wait()
			}
			send(time.Hour, func(r *transport.Result) { assert.Equal(t, 429, r.StatusCode) })
			send(time.Hour, func(r *transport.Result) { assert.True(t, r.OK()) })
			send(time.Hour, func(r *transport.Result) {
				assert.True(t, r.OK())
				assert.Equal(t, 100*time.Second, time.Since(start))
			})
			for range 3 {
				send(80*time.Second, func(r *transport.Result) {
					assertRefused(t, r, 90*time.Second)
					assert.Equal(t, 10*time.Second, time.Since(start))
				})
			}
			wg.Wait()
		})
	})
	t.Run("and behind a retry, costs no attempt and no time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := pausedPacer(t, time.Hour, unwanted)
			start := time.Now()
			r := retry(p.Do).Do(t.Context(), newCall(t, "GET"))
			assertRefused(t, r, time.Hour)
			assert.Zero(t, r.Attempts)
			assert.Zero(t, time.Since(start))
		})
	})
}

// TestOnePauseForTheRefusalsOfOneMoment: a crowd that runs into the limit
// learns once from it, not once each, and waits for the longest.
func TestOnePauseForTheRefusalsOfOneMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all atomic.Int64
		p := pacer(func(ctx context.Context, c *transport.Call) *transport.Result {
			n := all.Add(1)
			if n > 15 {
				return fine(ctx, c)
			}
			pause := time.Duration(n) * time.Second // the shorter ones come first, and last past their end
			time.Sleep(2 * pause)
			r := limited(pause)
			return &r
		})
		var wg sync.WaitGroup
		for range 15 {
			wg.Go(func() { assert.Equal(t, 429, p.Do(t.Context(), newCall(t, "GET")).StatusCode) })
		}
		wg.Wait()
		start := time.Now()
		for range 100 {
			wg.Go(func() { assert.True(t, p.Do(t.Context(), newCall(t, "GET")).OK()) })
		}
		wg.Wait()
		took := time.Since(start)
		assert.GreaterOrEqual(t, took, 15*time.Second)
		assert.Less(t, took, 30*time.Second, "of fifteen refusals of one burst each has lowered the rate")
	})
}

// TestThePaceRecovers: a bad hour must not slow a program down for its life.
func TestThePaceRecovers(t *testing.T) {
	for name, limit := range map[string]transport.RateLimit{
		"without headers":    {},
		"with headers on it": {Known: true, Limit: 100, Reset: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				p := pacer(func(ctx context.Context, c *transport.Call) *transport.Result {
					if n++; n > 60 {
						return fine(ctx, c)
					}
					r := limited(time.Minute)
					r.Limit = limit
					return &r
				})
				for range 60 {
					p.Do(t.Context(), newCall(t, "GET"))
				}
				start := time.Now()
				for range 2000 {
					require.True(t, p.Do(t.Context(), newCall(t, "GET")).OK())
				}
				assert.Less(t, time.Since(start), 10*time.Minute)
			})
		})
	}
}

// TestGoodNewsArriveAtOnce: an answer that tells of more than was thought lets
// those go who wait.
func TestGoodNewsArriveAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all atomic.Int64
		p := pacer(func(ctx context.Context, c *transport.Call) *transport.Result {
			r := fine(ctx, c)
			switch all.Add(1) {
			case 1: // on its way for longer than the next
				time.Sleep(10 * time.Second)
				r.Limit = transport.RateLimit{Known: true, Limit: 100, Remaining: 100, Reset: time.Minute}
			case 2:
				r.Limit = transport.RateLimit{Known: true, Limit: 1, Reset: time.Minute}
			}
			return r
		})
		start := time.Now()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { assert.True(t, p.Do(t.Context(), newCall(t, "GET")).OK()) })
			synctest.Wait()
		}
		wg.Wait()
		assert.Equal(t, 10*time.Second, time.Since(start))
	})
}

// TestNothingIsSavedUpInAPause: a pause must not end in a burst.
func TestNothingIsSavedUpInAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all, atOnce atomic.Int64
		var start time.Time
		p := pacer(func(ctx context.Context, c *transport.Call) *transport.Result {
			r := fine(ctx, c)
			switch all.Add(1) {
			case 1:
				r.Limit = transport.RateLimit{Known: true, Limit: 1000, Reset: time.Second}
			case 2:
				start = time.Now()
				*r = limited(20 * time.Second)
			default:
				if time.Since(start) == 20*time.Second {
					atOnce.Add(1)
				}
				time.Sleep(time.Second)
			}
			return r
		})
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { p.Do(t.Context(), newCall(t, "GET")) })
			synctest.Wait()
		}
		wg.Wait()
		assert.Equal(t, int64(1), atOnce.Load())
	})
}

// TestOneCallerProbes: when a pause beyond the longest wait is tested, only one
// of those who come at that moment is sent.
func TestOneCallerProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent atomic.Int64
		p := pacer(func(context.Context, *transport.Call) *transport.Result {
			sent.Add(1)
			time.Sleep(time.Second)
			r := limited(31 * 24 * time.Hour)
			return &r
		})
		p.Do(t.Context(), newCall(t, "GET"))
		time.Sleep(2 * time.Minute)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { assert.Equal(t, 429, p.Do(t.Context(), newCall(t, "GET")).StatusCode) })
		}
		wg.Wait()
		assert.Equal(t, int64(2), sent.Load())
	})
}

// TestAFailureEndsNoPause: it does not tell whether the server would have
// accepted the call.
func TestAFailureEndsNoPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{results: []transport.Result{limited(time.Hour), failed(transport.Broken, io.EOF), status(200)}}
		p := pacer(s.Do)
		p.Do(t.Context(), newCall(t, "GET"))
		time.Sleep(3 * time.Minute)
		assert.Equal(t, transport.Broken, p.Do(t.Context(), newCall(t, "GET")).Failure, "one call looks whether the pause is over")
		r := p.Do(t.Context(), newCall(t, "GET"))
		assert.Equal(t, 429, r.StatusCode)
		assert.True(t, r.Held)
		assert.Len(t, s.at, 2)
	})
}

// TestALongPauseOfOneIsNotAllsPace: what is refused for an hour does not keep
// the other calls of its route at the pace of that moment.
func TestALongPauseOfOneIsNotAllsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &limitedServer{limits: limits{rate: 20, burst: 20, latency: always(5 * time.Millisecond)}}
		s.retryAfter = func(time.Duration) time.Duration { return time.Hour }
		p := pacer(s.Do)
		for i := range 25 { // one of them is refused
			c := newCall(t, "GET")
			c.URL = parseURL(t, fmt.Sprintf("https://circleci.com/api/v2/context/%d", i))
			p.Do(t.Context(), c)
		}
		require.Positive(t, s.refused)
		s.limits = limits{rate: 1e9, burst: 1e9, latency: always(5 * time.Millisecond)}
		time.Sleep(5 * time.Minute)
		start := time.Now()
		for i := range 1000 {
			c := newCall(t, "GET")
			c.URL = parseURL(t, fmt.Sprintf("https://circleci.com/api/v2/context/%d", 100+i))
			require.True(t, p.Do(t.Context(), c).OK())
		}
		assert.Less(t, time.Since(start), 10*time.Second)
	})
}

// TestARefusalInQuietTimesLeavesThePaceAlone: when calls are rare, a refusal is
// not a matter of their pace, and does not bring back a rate of long ago.
func TestARefusalInQuietTimesLeavesThePaceAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &limitedServer{limits: limits{rate: 20, burst: 20, latency: always(5 * time.Millisecond)}}
		s.retryAfter = func(time.Duration) time.Duration { return time.Hour }
		p := pacer(s.Do)
		n := 0
		call := func() *transport.Result {
			c := newCall(t, "GET")
			c.URL = parseURL(t, fmt.Sprintf("https://circleci.com/api/v2/context/%d", n))
			n++
			return p.Do(t.Context(), c)
		}
		for range 25 {
			call()
		}
		require.Positive(t, s.refused)
		s.limits = limits{rate: 1e9, burst: 1e9, latency: always(5 * time.Millisecond)}
		for range 3 {
			time.Sleep(time.Hour)
			require.True(t, call().OK())
		}
		s.burst, s.rate = 0, 0
		time.Sleep(time.Hour)
		require.Equal(t, http.StatusTooManyRequests, call().StatusCode)
		s.limits = limits{rate: 1e9, burst: 1e9, latency: always(5 * time.Millisecond)}
		start := time.Now()
		for range 1000 {
			require.True(t, call().OK())
		}
		assert.Less(t, time.Since(start), 10*time.Second)
	})
}

// TestManyRoutesAreForgotten: a program that makes up routes does not fill the
// memory.
func TestManyRoutesAreForgotten(t *testing.T) {
	p := &transport.Pacer{MaxWait: time.Minute}
	limit := &transport.Limit{Wait: p.Wait, Observe: p.Observe, Next: fine}
	for i := range 5000 {
		require.True(t, limit.Do(t.Context(), routed(t, strconv.Itoa(i))).OK())
	}
	assert.LessOrEqual(t, p.Lanes(), 1000)
}

// TestTheFirstBurstIsBounded: while nothing is known, a crowd does not go all at
// once. It is let go with the answers, or slowly if none come.
func TestTheFirstBurstIsBounded(t *testing.T) {
	for name, row := range map[string]struct {
		before  int // calls, one after the other
		latency time.Duration
		at      time.Duration
		most    int // requests sent until then
		all     time.Duration
	}{
		"at once":        {0, 5 * time.Millisecond, 0, 32, 40 * time.Millisecond},
		"after others":   {1000, 5 * time.Millisecond, 0, 32, 40 * time.Millisecond},
		"as it answers":  {0, 5 * time.Millisecond, 5 * time.Millisecond, 98, 40 * time.Millisecond},
		"without answer": {0, time.Hour, 100 * time.Millisecond, 64, 3100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var at []time.Duration
				var mu sync.Mutex
				var start time.Time
				p := pacer(func(ctx context.Context, c *transport.Call) *transport.Result {
					mu.Lock()
					at = append(at, time.Since(start))
					mu.Unlock()
					time.Sleep(row.latency)
					return fine(ctx, c)
				})
				for range row.before {
					p.Do(t.Context(), newCall(t, "GET"))
				}
				at, start = nil, time.Now()
				var wg sync.WaitGroup
				for range 1000 {
					wg.Go(func() { p.Do(t.Context(), newCall(t, "GET")) })
				}
				wg.Wait()
				early, last := 0, time.Duration(0)
				for _, one := range at {
					last = max(last, one)
					if one <= row.at {
						early++
					}
				}
				assert.LessOrEqual(t, early, row.most)
				assert.GreaterOrEqual(t, early, 32)
				assert.LessOrEqual(t, last, row.all, "a crowd is held back by a limit that nobody has set")
			})
		})
	}
}

// TestACrowdIsFree: where no limit shows, a crowd takes hardly longer than
// without a pacer.
func TestACrowdIsFree(t *testing.T) {
	for _, row := range []struct {
		goroutines, calls int
		latency           time.Duration
	}{
		{16, 4000, 5 * time.Millisecond},
		{100, 4000, 5 * time.Millisecond},
		{100, 2000, 100 * time.Millisecond},
		{1000, 40_000, 5 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("%d goroutines, %d calls of %v", row.goroutines, row.calls, row.latency), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := pacer(func(ctx context.Context, c *transport.Call) *transport.Result {
					time.Sleep(row.latency)
					return fine(ctx, c)
				})
				start := time.Now()
				var wg sync.WaitGroup
				var begun atomic.Int64
				for range row.goroutines {
					wg.Go(func() {
						for begun.Add(1) <= int64(row.calls) {
							assert.True(t, p.Do(t.Context(), newCall(t, "GET")).OK())
						}
					})
				}
				wg.Wait()
				plain := time.Duration(row.calls/row.goroutines) * row.latency
				assert.LessOrEqual(t, time.Since(start).Seconds(), 1.15*plain.Seconds())
			})
		})
	}
}

// TestAShortDeadlineAsksTheServer: a caller whose turn would come too late
// takes its chance. Only what the server has said keeps it back.
func TestAShortDeadlineAsksTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		empty := true
		p := pacer(func(ctx context.Context, c *transport.Call) *transport.Result {
			r := fine(ctx, c)
			if empty {
				r.Limit = transport.RateLimit{Known: true, Limit: 10, Reset: time.Hour}
			}
			return r
		})
		p.Do(t.Context(), newCall(t, "GET"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		assert.True(t, p.Do(ctx, newCall(t, "GET")).OK())
		assert.True(t, p.Do(t.Context(), newCall(t, "GET")).OK(), "an hour is past the client's longest wait")
		assert.Zero(t, time.Since(start))
	})
}

// TestTheServersAccountIsKept: the rest of a window is used at once, and then
// its end awaited.
func TestTheServersAccountIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &limitedServer{limits: limits{burst: 10, window: time.Minute, announce: untilNextWindow, latency: always(0)}}
		rt, start := retry(pacer(s.Do).Do), time.Now()
		for i := range 95 {
			require.True(t, rt.Do(t.Context(), newCall(t, "GET")).OK())
			assert.Equal(t, i/10, int(time.Since(start)/time.Minute), "call %d", i)
		}
		assert.LessOrEqual(t, s.refused, 9, "one look a window whether it is refilled early is enough")
	})
}

type limiter func(context.Context) error

func limit(l limiter, next transport.Handler) transport.Handler {
	return (&transport.Limit{Next: next, Wait: func(ctx context.Context, _ *transport.Call, _ time.Time) (time.Time, error) {
		err := l(ctx)
		return time.Now(), err
	}}).Do
}

func TestLimit(t *testing.T) {
	says := errors.New("would exceed the deadline")
	t.Run("lets pass", func(t *testing.T) {
		waited := false
		send := limit(limiter(func(context.Context) error { waited = true; return nil }), fine)
		assert.True(t, send(t.Context(), newCall(t, "GET")).OK())
		assert.True(t, waited)
	})
	unwanted := func(context.Context, *transport.Call) *transport.Result { panic("the limiter said no") }
	t.Run("the time in it counts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			waits := limiter(func(context.Context) error { time.Sleep(3 * time.Second); return nil })
			send := limit(waits, func(context.Context, *transport.Call) *transport.Result {
				time.Sleep(time.Second)
				return new(status(503))
			})
			c := newCall(t, "GET")
			send(t.Context(), c)
			assert.Equal(t, 3*time.Second, c.Waited)
			send(t.Context(), c)
			assert.Equal(t, 6*time.Second, c.Waited, "for all attempts together")
		})
	})
	t.Run("says no", func(t *testing.T) {
		r := limit(limiter(func(context.Context) error { return says }), unwanted)(t.Context(), newCall(t, "GET"))
		assert.Equal(t, transport.Refused, r.Failure)
		assert.Equal(t, says, r.Err)
		assert.True(t, r.Held)
		assert.Equal(t, time.Duration(-1), r.RetryAfter)
	})
	t.Run("says no as the context ends", func(t *testing.T) {
		for _, err := range []error{says, context.Canceled} {
			ctx, cancel := context.WithCancelCause(t.Context())
			r := limit(limiter(func(context.Context) error { cancel(io.EOF); return err }), unwanted)(ctx, newCall(t, "GET"))
			assert.Equal(t, transport.Canceled, r.Failure)
			assert.ErrorIs(t, r.Err, context.Canceled, "a limiter's own words hide the caller's end")
			assert.ErrorIs(t, r.Err, io.EOF)
			assert.True(t, r.Held)
		}
	})
	t.Run("is not asked again by a retry", func(t *testing.T) {
		n := 0
		send := limit(limiter(func(context.Context) error { n++; return says }), unwanted)
		r := retry(send).Do(t.Context(), newCall(t, "GET"))
		assert.Equal(t, transport.Refused, r.Failure)
		assert.Zero(t, r.Attempts)
		assert.Equal(t, 1, n)
	})
}

// TestPacerUnderRaces has many goroutines meet in every way; the race detector
// and the counts judge.
func TestPacerUnderRaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent, canceled, answered, inside atomic.Int64
		p := pacer(func(ctx context.Context, c *transport.Call) *transport.Result {
			inside.Add(1)
			defer inside.Add(-1)
			r := fine(ctx, c)
			switch n := sent.Add(1); n % 50 {
			case 0:
				*r = limited(time.Millisecond)
			case 1, 2, 3:
				r.Limit = transport.RateLimit{Known: true, Limit: 1000, Remaining: int(900 + n%100), Reset: time.Second}
			case 4:
				*r = failed(transport.Broken, io.EOF)
			}
			return r
		})
		const goroutines, calls = 64, 100
		routes := []string{"/a", "/b/{id}", "/c"}
		var wg sync.WaitGroup
		for g := range goroutines {
			wg.Go(func() {
				for i := range calls {
					ctx, cancel := context.WithCancel(t.Context())
					if (g+i)%4 == 0 {
						go cancel() // somewhere between before and after
					}
					r := p.Do(ctx, &transport.Call{Method: "GET", Route: routes[(g+i)%3]})
					switch {
					case !r.Held:
						answered.Add(1)
					case r.Failure == transport.Canceled:
						canceled.Add(1)
					default:
						t.Errorf("neither sent nor canceled: %+v", r)
					}
					cancel()
				}
			})
		}
		wg.Wait()
		assert.Equal(t, answered.Load(), sent.Load())
		assert.Equal(t, int64(goroutines*calls), sent.Load()+canceled.Load())
		assert.Zero(t, inside.Load())
		for _, route := range routes {
			assert.False(t, p.Do(t.Context(), &transport.Call{Method: "GET", Route: route}).Held, "a queue is stuck")
		}
	})
}
