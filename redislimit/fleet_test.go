package redislimit_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/redislimit"
)

func TestMain(m *testing.M) {
	redis.SetLogger(silent{}) // it logs each failure to connect
	os.Exit(m.Run())
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// fakeRedis is an in-process Redis without sockets, for testing/synctest.
type fakeRedis struct {
	*miniredis.Miniredis

	down    atomic.Bool
	hanging atomic.Bool
}

func newFakeRedis(t *testing.T) *fakeRedis {
	r := &fakeRedis{Miniredis: miniredis.NewMiniRedis()}
	r.ClockTTL(true)
	t.Cleanup(r.Close)
	conn, err := r.Dial()
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	r.Server().SetPreHook(func(*server.Peer, string, ...string) bool {
		for r.hanging.Load() {
			time.Sleep(10 * time.Millisecond)
		}
		return false
	})
	return r
}

// kill closes all connections and loses the data.
func (r *fakeRedis) kill() {
	r.down.Store(true)
	r.Close()
	r.FlushAll()
}

func (r *fakeRedis) start() {
	r.down.Store(false)
	r.hanging.Store(false)
}

func (r *fakeRedis) client(t *testing.T) *redis.Client {
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379", ContextTimeoutEnabled: true, Dialer: func(ctx context.Context, _, _ string) (net.Conn, error) {
		for r.hanging.Load() {
			time.Sleep(10 * time.Millisecond)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
		if r.down.Load() {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
		}
		return r.Dial()
	}})
	t.Cleanup(func() {
		r.start()
		_ = rdb.Close()
		time.Sleep(10 * time.Second) // go-redis goes on to connect
	})
	return rdb
}

// fleet is eight processes of 16 goroutines that call a server which allows 200
// requests a second with bursts of 50.
type fleet struct {
	redis           *fakeRedis
	silent          bool // the server does not announce its limit
	clients         [8]*circleci.Client
	calls           [8]atomic.Int64
	failed          atomic.Int64
	served, refused atomic.Int64
	group           sync.WaitGroup
}

const (
	callers = 16
	rate    = 200
	burst   = 50
)

func newFleet(t *testing.T, opts ...redislimit.Option) *fleet {
	f := &fleet{redis: newFakeRedis(t)}
	srv := circlecitest.New(t)
	srv.Weather(circlecitest.RateLimit(burst, burst*time.Second/rate), circlecitest.Latency(5*time.Millisecond))
	count := roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := srv.Transport().RoundTrip(r)
		if err == nil && resp.StatusCode == http.StatusTooManyRequests {
			f.refused.Add(1)
		} else {
			f.served.Add(1)
		}
		if err == nil && f.silent {
			for name := range resp.Header {
				if strings.Contains(name, "Ratelimit") {
					resp.Header.Del(name)
				}
			}
		}
		return resp, err
	})
	for i := range f.clients {
		f.clients[i] = srv.Client(circleci.WithHTTPClient(&http.Client{Transport: count}),
			circleci.WithLimiter(redislimit.New(f.redis.client(t), srv.Token(), opts...)))
	}
	return f
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// start has all goroutines call the server until the time is over.
func (f *fleet) start(ctx context.Context, d time.Duration) {
	end := time.Now().Add(d)
	for i, client := range f.clients {
		for range callers {
			f.group.Go(func() {
				for time.Now().Before(end) {
					if _, err := client.Users.Me(ctx); err != nil {
						f.failed.Add(1)
					} else {
						f.calls[i].Add(1)
					}
				}
			})
		}
	}
}

// byProcess returns the calls of each process, fewest first.
func (f *fleet) byProcess() []int64 {
	var all []int64
	for i := range f.calls {
		all = append(all, f.calls[i].Load())
	}
	slices.Sort(all)
	return all
}

func TestAFleetUsesTheLimit(t *testing.T) {
	for name, opts := range map[string][]redislimit.Option{
		"learned": nil,
		"given":   {redislimit.WithBudget(rate, burst/5)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, opts...)
				const d = 10 * time.Second
				f.start(t.Context(), d)
				f.group.Wait()
				calls := f.byProcess()
				t.Logf("%v; served %d, refused %d", calls, f.served.Load(), f.refused.Load())
				assert.Zero(t, f.failed.Load())
				assert.GreaterOrEqual(t, f.served.Load(), int64(0.95*(rate*d.Seconds()+burst)), "of the limit")
				assert.Less(t, 100*f.refused.Load(), f.served.Load(), "answered 429")
				assert.GreaterOrEqual(t, calls[0]*2*8, f.served.Load(), "the slowest process has at least half the mean: %v", calls)
			})
		})
	}
}

// While Redis is away, each process keeps to its share, and the caller that
// tries Redis again holds up no other. When Redis is back, the processes return
// to it one by one, and keep the limit all the same.
func TestRedisIsKilledAndComesBack(t *testing.T) {
	for name, away := range map[string]func(r *fakeRedis){
		"refuses connections": (*fakeRedis).kill,
		"does not answer":     func(r *fakeRedis) { r.hanging.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t)
				f.start(t.Context(), 26*time.Second)
				during := func(what string, d time.Duration, least float64) {
					t.Helper()
					served, refused := f.served.Load(), f.refused.Load()
					time.Sleep(d)
					served, refused = f.served.Load()-served, f.refused.Load()-refused
					t.Logf("%s: %d, refused %d", what, served, refused)
					assert.GreaterOrEqual(t, float64(served), least*rate*d.Seconds(), what)
					assert.LessOrEqual(t, 100*refused, served, "answered 429: %s", what)
				}
				during("at first", 5*time.Second, 0.8)
				away(f.redis)
				during("the first 2 s without Redis", 2*time.Second, 0.45) // the commands under way may take a second
				during("without Redis", 12*time.Second, 0.9)
				f.redis.start()
				during("the first 2 s with Redis again", 2*time.Second, 0.85)
				during("with Redis again", 5*time.Second, 0.97)
				f.group.Wait()
				assert.Zero(t, f.failed.Load())
				assert.NotEmpty(t, f.redis.Keys())
			})
		})
	}
}

// A short deadline is enough for a call while Redis does not answer.
func TestARedisThatHangsFailsNoCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		f.redis.hanging.Store(true)
		for range 20 {
			_, err := f.clients[0].Users.Me(t.Context(), circleci.Timeout(400*time.Millisecond), circleci.NoRetry())
			require.NoError(t, err)
			time.Sleep(300 * time.Millisecond)
		}
	})
}

// A fleet that has made few requests may use the limit at once.
func TestAnIdleFleetBecomesBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		for range 60 {
			_, err := f.clients[0].Users.Me(t.Context())
			require.NoError(t, err)
			time.Sleep(300 * time.Millisecond)
		}
		f.start(t.Context(), 5*time.Second)
		f.group.Wait()
		t.Logf("served %d, refused %d", f.served.Load(), f.refused.Load())
		assert.Zero(t, f.refused.Load())
		assert.GreaterOrEqual(t, f.served.Load(), int64(60+0.85*rate*5))
	})
}

// Requests that need not wait do not show that the server allows more.
func TestTheRateGrowsOnlyWhileRequestsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := redislimit.New(newFakeRedis(t).client(t), token(t))
		for range 20 {
			require.NoError(t, l.WaitFor(t.Context(), me))
			time.Sleep(time.Second)
		}
		start := time.Now()
		for range 60 { // 10 at once, and 50 at 50 a second, a rate that begins to grow
			require.NoError(t, l.WaitFor(t.Context(), me))
		}
		assert.Greater(t, time.Since(start), 500*time.Millisecond, "it has not doubled before")
		assert.Less(t, time.Since(start), time.Second, "it grows now")
	})
}
