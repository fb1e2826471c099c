package redislimit_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/redislimit"
	"github.com/circleci-go/circleci/webhook"
)

var me = circleci.Operation{Method: "GET", Route: "/me", Attempt: 1, Key: "GET /me"}

// backends are an in-process Redis, and the real one if there is one.
func backends(t *testing.T, test func(t *testing.T, rdb *redis.Client)) {
	t.Run("miniredis", func(t *testing.T) {
		m := miniredis.RunT(t)
		stop := make(chan struct{})
		var group sync.WaitGroup
		t.Cleanup(func() { close(stop); group.Wait() })
		group.Go(func() { // its keys expire only when it is told that time has passed
			for {
				select {
				case <-stop:
					return
				case <-time.After(10 * time.Millisecond):
					m.FastForward(10 * time.Millisecond)
				}
			}
		})
		test(t, connect(t, m.Addr()))
	})
	t.Run("redis-server", func(t *testing.T) {
		if url := os.Getenv("REDIS_URL"); url != "" {
			opts, err := redis.ParseURL(url)
			require.NoError(t, err)
			rdb := redis.NewClient(opts)
			t.Cleanup(func() { _ = rdb.Close() })
			test(t, rdb)
			return
		}
		start, rdb := realRedis(t)
		start()
		test(t, rdb)
	})
}

// realRedis returns a client of a redis-server, and a function that starts it
// and returns one that kills it.
func realRedis(t *testing.T) (start func() (kill func()), rdb *redis.Client) {
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not in the PATH")
	}
	socket := t.TempDir() + "/redis.sock"
	rdb = redis.NewClient(&redis.Options{Network: "unix", Addr: socket, ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = rdb.Close() })
	return func() func() {
		server := exec.Command(binary, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", t.TempDir())
		require.NoError(t, server.Start())
		kill := sync.OnceFunc(func() {
			_ = server.Process.Kill() // by its ID
			_ = server.Wait()
		})
		t.Cleanup(kill)
		require.Eventually(t, func() bool { return rdb.Ping(t.Context()).Err() == nil }, 10*time.Second, 10*time.Millisecond)
		return kill
	}, rdb
}

func connect(t *testing.T, addr string) *redis.Client {
	rdb := redis.NewClient(&redis.Options{
		Addr: addr, ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1, DialTimeout: time.Second,
	})
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// token is a new one for each test, as a real Redis keeps what others wrote.
func token(t *testing.T) string { return "token of " + t.Name() + time.Now().String() }

func TestTwoProcessesShareOneBudget(t *testing.T) {
	backends(t, func(t *testing.T, rdb *redis.Client) {
		secret := token(t)
		one := redislimit.New(rdb, secret, redislimit.WithBudget(50, 5))
		two := redislimit.New(rdb, secret, redislimit.WithBudget(50, 5))
		start := time.Now()
		for range 10 {
			require.NoError(t, one.WaitFor(t.Context(), me))
			require.NoError(t, two.WaitFor(t.Context(), circleci.Operation{Method: "GET", Route: "/pipeline"}))
		}
		took := time.Since(start)
		assert.GreaterOrEqual(t, took, 290*time.Millisecond, "20 requests, of which 5 at once, need 15 intervals of 20 ms")
	})
}

func TestAnotherTokenHasItsOwnBudget(t *testing.T) {
	backends(t, func(t *testing.T, rdb *redis.Client) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		secret := token(t)
		for _, token := range []string{secret, secret + "x"} {
			require.NoError(t, redislimit.New(rdb, token, redislimit.WithBudget(0.001, 1)).WaitFor(ctx, me))
		}
	})
}

func TestARefusalPausesTheOperationInAllProcesses(t *testing.T) {
	backends(t, func(t *testing.T, rdb *redis.Client) {
		secret := token(t)
		one, two := redislimit.New(rdb, secret), redislimit.New(rdb, secret)
		require.NoError(t, one.WaitFor(t.Context(), me))
		one.Observe(t.Context(), me, circleci.Response{StatusCode: 429, RateLimited: true, RetryAfter: 300 * time.Millisecond})

		short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		err := two.WaitFor(short, me)
		var paused *circleci.PausedError
		require.ErrorAs(t, err, &paused)
		assert.InDelta(t, 300, paused.RetryAfter.Milliseconds(), 100)
		require.NoError(t, two.WaitFor(short, circleci.Operation{Method: "GET", Route: "/me", Key: "GET /me?other"}), "another operation is not paused")
		start := time.Now()
		require.NoError(t, two.WaitFor(t.Context(), me))
		assert.Greater(t, time.Since(start), 150*time.Millisecond)
	})
}

func TestAPauseIsBelievedForMaxWait(t *testing.T) {
	backends(t, func(t *testing.T, rdb *redis.Client) {
		l := redislimit.New(rdb, token(t), redislimit.WithMaxWait(50*time.Millisecond))
		l.Observe(t.Context(), me, circleci.Response{StatusCode: 429, RateLimited: true, RetryAfter: 31 * 24 * time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		require.NoError(t, l.WaitFor(ctx, me))
	})
}

func TestTheTokenIsNotInRedis(t *testing.T) {
	m := miniredis.RunT(t)
	l := redislimit.New(connect(t, m.Addr()), "CANARY", redislimit.WithPrefix("mine"))
	require.NoError(t, l.WaitFor(t.Context(), me))
	l.Observe(t.Context(), me, circleci.Response{StatusCode: 429, RateLimited: true, RateLimit: circleci.RateLimit{Known: true, Limit: 10}})
	require.NotEmpty(t, m.Keys())
	for _, key := range m.Keys() {
		assert.True(t, strings.HasPrefix(key, "mine:{"), key)
		assert.Greater(t, m.TTL(key), time.Duration(0), "nothing is kept forever")
	}
	assert.NotContains(t, m.Dump(), "CANARY")
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
	m := miniredis.RunT(t)
	srv := circlecitest.New(t)
	log := &syncBuffer{}
	client, err := circleci.NewClient(srv.Token(), circleci.WithBaseURL(srv.URL()), circleci.WithLimiter(
		redislimit.New(connect(t, m.Addr()), token(t), nil, redislimit.WithLogger(slog.New(slog.NewTextHandler(log, nil))))))
	require.NoError(t, err)
	call := func() {
		_, err := client.Users.Me(t.Context())
		require.NoError(t, err)
	}
	call()
	assert.Empty(t, log.String())
	m.Close()
	for range 10 {
		call()
	}
	assert.Equal(t, 1, strings.Count(log.String(), "redis cannot be used"), "it is said once")
	require.NoError(t, m.Restart())
	require.Eventually(t, func() bool {
		call()
		return strings.Contains(log.String(), "redis can be used again")
	}, 10*time.Second, 10*time.Millisecond)
	assert.Equal(t, 1, strings.Count(log.String(), "level=WARN"))
}

func TestARealRedisIsKilledAndStartedAgain(t *testing.T) {
	start, rdb := realRedis(t)
	kill := start()
	srv := circlecitest.New(t)
	log := &syncBuffer{}
	client := srv.Client(circleci.WithLimiter(redislimit.New(rdb, srv.Token(), redislimit.WithBudget(200, 5),
		redislimit.WithLogger(slog.New(slog.NewTextHandler(log, nil))))))
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var group sync.WaitGroup
	var ended atomic.Bool
	for range 4 {
		group.Go(func() {
			for !ended.Load() {
				_, err := client.Users.Me(ctx)
				assert.NoError(t, err)
			}
		})
	}
	said := func(text string) {
		t.Helper()
		assert.Eventually(t, func() bool { return strings.Contains(log.String(), text) }, 20*time.Second, 10*time.Millisecond, text)
	}
	time.Sleep(100 * time.Millisecond)
	kill()
	said("redis cannot be used")
	start()
	said("redis can be used again")
	ended.Store(true)
	group.Wait()
	keys, err := rdb.Keys(ctx, "*").Result()
	require.NoError(t, err)
	assert.NotEmpty(t, keys, "the limit is shared again")
}

func TestACallerCanGiveUp(t *testing.T) {
	m := miniredis.RunT(t)
	l := redislimit.New(connect(t, m.Addr()), token(t), redislimit.WithBudget(0.1, 1))
	require.NoError(t, l.Wait(t.Context()))
	ctx, cancel := context.WithCancelCause(t.Context())
	gaveUp := errors.New("the user pressed a key")
	time.AfterFunc(50*time.Millisecond, func() { cancel(gaveUp) })
	var group sync.WaitGroup
	for range 3 { // one waits for its slot, the others for their turn
		group.Go(func() { assert.ErrorIs(t, l.Wait(ctx), gaveUp) })
	}
	group.Wait()
}

func TestSeveralReceiversHandleAnEventOnce(t *testing.T) {
	backends(t, func(t *testing.T, rdb *redis.Client) {
		prefix := token(t)
		one := redislimit.NewDeduplicator(rdb, &redislimit.DeduplicatorOptions{Prefix: prefix, Busy: 200 * time.Millisecond})
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
	d := redislimit.NewDeduplicator(connect(t, "127.0.0.1:1"), nil)
	_, err := d.Begin(t.Context(), "event")
	require.Error(t, err)
	require.Error(t, d.End(t.Context(), "event", true))
	require.Error(t, d.End(t.Context(), "event", false))
}

func TestAKilledReceiverBlocksAnEventForAWhileOnly(t *testing.T) {
	m := miniredis.RunT(t)
	d := redislimit.NewDeduplicator(connect(t, m.Addr()), nil)
	for range 2 {
		state, err := d.Begin(t.Context(), "event")
		require.NoError(t, err)
		assert.Equal(t, webhook.New, state)
		m.FastForward(10 * time.Minute)
	}
}
