package redislimit_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/redislimit"
	"github.com/circleci-go/circleci/webhook"
)

var me = circleci.Operation{Method: "GET", Route: "/me", Attempt: 1, Key: "GET /me"}

// backends are an in-process Redis in virtual time, and the real one if there
// is one, in real time. A test of both measures time with takes, and gives no
// call a deadline that a machine at a standstill could miss.
func backends(t *testing.T, test func(t *testing.T, rdb *redis.Client, takes takes)) {
	t.Run("miniredis", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			test(t, newFakeRedis(t).client(t), func(d time.Duration, do func()) {
				t.Helper()
				start := time.Now()
				do()
				assert.Equal(t, d, time.Since(start))
			})
		})
	})
	t.Run("redis-server", func(t *testing.T) {
		var rdb *redis.Client
		if url := os.Getenv("REDIS_URL"); url != "" {
			opts, err := redis.ParseURL(url)
			require.NoError(t, err)
			rdb = patient(t, opts)
			require.NoError(t, rdb.Ping(t.Context()).Err())
		} else {
			var start func() func()
			start, rdb = realRedis(t)
			start()
		}
		test(t, rdb, func(d time.Duration, do func()) {
			t.Helper()
			start := time.Now()
			do()
			assert.Greater(t, time.Since(start), d*9/10, "the clock of Redis can be a little ahead")
		})
	})
}

// takes checks how long do takes: d in virtual time, at least about d in real
// time.
type takes func(d time.Duration, do func())

// patient returns a client for a Redis on a slow machine: it does not give up a
// command because of the context's deadline.
func patient(t *testing.T, opts *redis.Options) *redis.Client {
	opts.ContextTimeoutEnabled = false
	opts.DialTimeout, opts.ReadTimeout, opts.WriteTimeout = time.Minute, time.Minute, time.Minute
	rdb := redis.NewClient(opts)
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// realRedis returns a client of a redis-server, and a function that starts it
// and returns one that kills it.
func realRedis(t *testing.T) (start func() (kill func()), rdb *redis.Client) {
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not in the PATH")
	}
	socket := t.TempDir() + "/redis.sock"
	rdb = patient(t, &redis.Options{Network: "unix", Addr: socket})
	return func() func() {
		server := exec.Command(binary, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", t.TempDir())
		require.NoError(t, server.Start())
		kill := sync.OnceFunc(func() {
			_ = server.Process.Kill() // by its ID
			_ = server.Wait()
		})
		t.Cleanup(kill)
		require.Eventually(t, func() bool { return rdb.Ping(t.Context()).Err() == nil }, time.Minute, 10*time.Millisecond)
		return kill
	}, rdb
}

// token is a new one for each test, as a real Redis keeps what others wrote.
func token(t *testing.T) string { return "token of " + t.Name() + time.Now().String() }

func TestTwoProcessesShareOneBudget(t *testing.T) {
	backends(t, func(t *testing.T, rdb *redis.Client, takes takes) {
		secret := token(t)
		one := redislimit.New(rdb, secret, redislimit.WithBudget(50, 5))
		two := redislimit.New(rdb, secret, redislimit.WithBudget(50, 5))
		takes(300*time.Millisecond, func() { // 20 requests, of which 5 at once, need 15 intervals of 20 ms
			for range 10 {
				require.NoError(t, one.WaitFor(t.Context(), me))
				require.NoError(t, two.WaitFor(t.Context(), circleci.Operation{Method: "GET", Route: "/pipeline"}))
			}
		})
	})
}

func TestAnotherTokenHasItsOwnBudget(t *testing.T) {
	backends(t, func(t *testing.T, rdb *redis.Client, _ takes) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		secret := token(t)
		for _, token := range []string{secret, secret + "x"} {
			require.NoError(t, redislimit.New(rdb, token, redislimit.WithBudget(0.001, 1)).WaitFor(ctx, me))
		}
	})
}

func TestARefusalPausesTheOperationInAllProcesses(t *testing.T) {
	backends(t, func(t *testing.T, rdb *redis.Client, takes takes) {
		secret := token(t)
		one, two := redislimit.New(rdb, secret), redislimit.New(rdb, secret)
		require.NoError(t, one.WaitFor(t.Context(), me))
		pause := func(d time.Duration) {
			one.Observe(t.Context(), me, circleci.Response{StatusCode: 429, RateLimited: true, RetryAfter: d})
		}
		takes(300*time.Millisecond, func() {
			pause(300 * time.Millisecond)
			require.NoError(t, two.WaitFor(t.Context(), me))
		})

		pause(2 * time.Minute)
		takes(0, func() {
			short, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := two.WaitFor(short, me)
			var paused *circleci.PausedError
			require.ErrorAs(t, err, &paused)
			assert.InDelta(t, 2*time.Minute, paused.RetryAfter, float64(time.Minute))
			require.NoError(t, two.WaitFor(short, circleci.Operation{Method: "GET", Route: "/me", Key: "GET /me?other"}), "another operation is not paused")
		})
	})
}

// Two clients, as in two processes.
func TestClientsShareAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newFakeRedis(t)
		srv := circlecitest.New(t)
		client := func() *circleci.Client {
			return srv.Client(circleci.WithLimiter(redislimit.New(r.client(t), srv.Token())))
		}
		srv.Fail("GET /me", circlecitest.Response{Status: 429, Header: http.Header{"Retry-After": {"60"}}})
		_, err := client().Users.Me(t.Context(), circleci.NoRetry())
		require.ErrorIs(t, err, circleci.ErrRateLimited)
		_, err = client().Users.Me(t.Context(), circleci.Timeout(time.Second))
		var refused *circleci.Error
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, 429, refused.StatusCode)
		assert.Zero(t, refused.Attempts)
	})
}

func TestAPauseIsBelievedForMaxWait(t *testing.T) {
	backends(t, func(t *testing.T, rdb *redis.Client, takes takes) {
		l := redislimit.New(rdb, token(t), redislimit.WithMaxWait(50*time.Millisecond))
		takes(50*time.Millisecond, func() {
			l.Observe(t.Context(), me, circleci.Response{StatusCode: 429, RateLimited: true, RetryAfter: 31 * 24 * time.Hour})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			require.NoError(t, l.WaitFor(ctx, me))
		})
	})
}

func TestTheTokenIsNotInRedis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newFakeRedis(t)
		l := redislimit.New(r.client(t), "CANARY", redislimit.WithPrefix("mine"))
		require.NoError(t, l.WaitFor(t.Context(), me))
		l.Observe(t.Context(), me, circleci.Response{StatusCode: 429, RateLimited: true, RateLimit: circleci.RateLimit{Known: true, Limit: 10}})
		require.NotEmpty(t, r.Keys())
		for _, key := range r.Keys() {
			assert.True(t, strings.HasPrefix(key, "mine:{"), key)
			assert.Greater(t, r.TTL(key), time.Duration(0), "nothing is kept forever")
		}
		assert.NotContains(t, r.Dump(), "CANARY")
	})
}

// syncBuffer is a log.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestWithoutRedisEachProcessPacesItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newFakeRedis(t)
		srv := circlecitest.New(t)
		log := &syncBuffer{}
		client := srv.Client(circleci.WithLimiter(
			redislimit.New(r.client(t), srv.Token(), nil, redislimit.WithLogger(slog.New(slog.NewTextHandler(log, nil))))))
		call := func() {
			_, err := client.Users.Me(t.Context())
			require.NoError(t, err)
		}
		call()
		assert.Empty(t, log.String())
		r.kill()
		for range 10 {
			call()
		}
		assert.Equal(t, 1, strings.Count(log.String(), "redis cannot be used"), "it is said once")
		r.start()
		time.Sleep(500 * time.Millisecond)
		call()
		assert.Equal(t, 1, strings.Count(log.String(), "redis can be used again"))
		assert.Equal(t, 1, strings.Count(log.String(), "level=WARN"))
	})
}

func TestARealRedisIsKilledAndStartedAgain(t *testing.T) {
	start, rdb := realRedis(t)
	kill := start()
	srv := circlecitest.New(t)
	log := &syncBuffer{}
	client := srv.Client(circleci.WithLimiter(redislimit.New(rdb, srv.Token(), redislimit.WithBudget(200, 5),
		redislimit.WithLogger(slog.New(slog.NewTextHandler(log, nil))))))
	var group sync.WaitGroup
	var calls atomic.Int64
	var ended atomic.Bool
	defer group.Wait()
	defer ended.Store(true)
	for range 4 {
		group.Go(func() {
			for !ended.Load() {
				_, err := client.Users.Me(t.Context())
				assert.NoError(t, err)
				calls.Add(1)
			}
		})
	}
	said := func(text string) {
		t.Helper()
		assert.Eventually(t, func() bool { return strings.Contains(log.String(), text) }, time.Minute, 10*time.Millisecond, text)
	}
	require.Eventually(t, func() bool { return calls.Load() > 20 }, time.Minute, 10*time.Millisecond)
	kill()
	said("redis cannot be used")
	start()
	said("redis can be used again")
	ended.Store(true)
	group.Wait()
	keys, err := rdb.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	assert.NotEmpty(t, keys, "the limit is shared again")
}

func TestACallerCanGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := redislimit.New(newFakeRedis(t).client(t), token(t), redislimit.WithBudget(0.1, 1))
		require.NoError(t, l.Wait(t.Context()))
		ctx, cancel := context.WithCancelCause(t.Context())
		gaveUp := errors.New("the user pressed a key")
		start := time.Now()
		time.AfterFunc(50*time.Millisecond, func() { cancel(gaveUp) })
		var group sync.WaitGroup
		for range 3 { // one waits for its slot, the others for their turn
			group.Go(func() { assert.ErrorIs(t, l.Wait(ctx), gaveUp) })
		}
		group.Wait()
		assert.Equal(t, 50*time.Millisecond, time.Since(start))
	})
}

func TestSeveralReceiversHandleAnEventOnce(t *testing.T) {
	backends(t, func(t *testing.T, rdb *redis.Client, _ takes) {
		prefix := token(t)
		one := redislimit.NewDeduplicator(rdb, &redislimit.DeduplicatorOptions{Prefix: prefix})
		two := redislimit.NewDeduplicator(rdb, &redislimit.DeduplicatorOptions{Prefix: prefix})
		begin := func(d webhook.Deduplicator, want webhook.State) {
			t.Helper()
			state, err := d.Begin(t.Context(), "event")
			require.NoError(t, err)
			assert.Equal(t, want, state)
		}
		begin(one, webhook.New)
		begin(two, webhook.Busy)
		require.NoError(t, one.End(t.Context(), "event", false))
		begin(two, webhook.New)
		require.NoError(t, two.End(t.Context(), "event", true))
		begin(one, webhook.Done)
		ttl, err := rdb.TTL(t.Context(), prefix+":event").Result()
		require.NoError(t, err)
		assert.InDelta(t, 24*time.Hour, ttl, float64(time.Minute))
	})
}

func TestADeduplicatorWithoutRedisFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newFakeRedis(t)
		r.kill()
		d := redislimit.NewDeduplicator(r.client(t), nil)
		_, err := d.Begin(t.Context(), "event")
		require.Error(t, err)
		require.Error(t, d.End(t.Context(), "event", true))
		require.Error(t, d.End(t.Context(), "event", false))
	})
}

func TestAKilledReceiverBlocksAnEventForAWhileOnly(t *testing.T) {
	for _, row := range []struct {
		opts *redislimit.DeduplicatorOptions
		busy time.Duration
	}{
		{nil, 10 * time.Minute},
		{&redislimit.DeduplicatorOptions{Busy: 200 * time.Millisecond}, 200 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := redislimit.NewDeduplicator(newFakeRedis(t).client(t), row.opts)
			for _, want := range []webhook.State{webhook.New, webhook.Busy, webhook.New} {
				state, err := d.Begin(t.Context(), "event")
				require.NoError(t, err)
				assert.Equal(t, want, state)
				time.Sleep(row.busy / 2)
			}
		})
	}
}
