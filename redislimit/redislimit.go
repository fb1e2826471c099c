// Package redislimit shares one rate limit among many processes through Redis.
// CircleCI limits the rate of a token, not of a process, so processes that use
// the same token must share their pace.
//
//	rdb := redis.NewClient(&redis.Options{Addr: "redis.internal:6379", ContextTimeoutEnabled: true})
//	client, err := circleci.NewClient(token, circleci.WithLimiter(redislimit.New(rdb, token)))
//
// For Redis Cluster and TLS, set the options of the Redis client. The package
// is a separate module, so that programs that do not use it do not depend on
// Redis.
package redislimit

import (
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed" // for the scripts
	"encoding/hex"
	"log/slog"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/circleci-go/circleci"
)

const (
	defaultMaxWait = 2 * time.Minute
	startRate      = 50.0                   // requests a second, until the limit is known
	reportEvery    = 50 * time.Millisecond  // of what was learned from responses
	retryRedis     = 500 * time.Millisecond // after a failure
	redisTimeout   = time.Second            // of one command
	recheck        = 100 * time.Millisecond // after a longer wait there can be a new pause
)

//go:embed reserve.lua
var reserveSource string

//go:embed observe.lua
var observeSource string

var (
	reserveScript = redis.NewScript(reserveSource)
	observeScript = redis.NewScript(observeSource)
)

// Option configures a [Limiter]. Nil options are ignored.
type Option func(*Limiter)

// WithBudget sets the limit of all requests together: perSecond requests a
// second, and bursts of up to burst requests after a pause. Without it, the
// limiter learns the limit of each route from the RateLimit headers of
// responses and from 429 responses. If perSecond is zero or less, the limit is
// learned; a burst below 1 is 1.
func WithBudget(perSecond float64, burst int) Option {
	return func(l *Limiter) { l.budget, l.burst = max(perSecond, 0), max(burst, 1) }
}

// WithLogger sets a logger, which gets one message when Redis becomes
// unavailable and one when it is available again.
func WithLogger(logger *slog.Logger) Option { return func(l *Limiter) { l.log = logger } }

// WithPrefix sets the prefix of the keys in Redis. The default is circleci.
func WithPrefix(prefix string) Option { return func(l *Limiter) { l.prefix = prefix } }

// WithMaxWait sets the longest pause after a 429 response. The default is 2
// minutes. After that time a request is sent even if the server asked for a
// longer pause.
func WithMaxWait(d time.Duration) Option { return func(l *Limiter) { l.maxWait = d } }

// Limiter is a [circleci.Limiter] that shares its budget and its pauses with
// all limiters that use the same Redis, token and prefix. It is safe for
// concurrent use and starts no goroutines.
//
// Each process reserves one slot at a time, first in, first out, so a process
// with many callers does not starve others. A 429 response pauses its method
// and path in all processes. While Redis is unavailable, each process keeps to
// its previous share, paces itself with a [circleci.Pacer], and retries Redis
// every 500 ms.
type Limiter struct {
	redis         redis.UniversalClient
	prefix        string
	token         string // a hash
	budget        float64
	burst         int
	maxWait       time.Duration
	log           *slog.Logger
	local         *circleci.Pacer
	mu            sync.Mutex
	lanes         map[string]*lane
	localRequests map[string]int // that the local pacer let go, by operation
	retry         time.Time      // when Redis is tried again; zero while it works
}

// lane is what this process knows about a route.
type lane struct {
	turn chan struct{} // held by the caller that has reserved a slot
	key  string

	rate     float64 // that Redis had last
	granted  int     // slots of this process in the window that began at since
	since    time.Time
	share    float64   // slots a second of this process, while Redis worked
	next     time.Time // the next slot, while Redis does not work
	served   int       // not yet reported
	reported time.Time
}

var (
	_ circleci.OperationLimiter = (*Limiter)(nil)
	_ circleci.ResponseObserver = (*Limiter)(nil)
)

// New returns a limiter for a token. Redis stores a hash of the token, never
// the token itself. New does no I/O. Set ContextTimeoutEnabled in the options
// of rdb, so that an unresponsive Redis does not delay calls by more than a
// second.
func New(rdb redis.UniversalClient, token string, opts ...Option) *Limiter {
	sum := sha256.Sum256([]byte("circleci token\x00" + token))
	l := &Limiter{redis: rdb, prefix: "circleci", token: hex.EncodeToString(sum[:16]), lanes: map[string]*lane{}, localRequests: map[string]int{}}
	for _, opt := range opts {
		if opt != nil {
			opt(l)
		}
	}
	if l.maxWait <= 0 {
		l.maxWait = defaultMaxWait
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	l.local = circleci.NewPacer(l.maxWait)
	return l
}

// Wait is like [Limiter.WaitFor] for an unnamed operation.
func (l *Limiter) Wait(ctx context.Context) error { return l.WaitFor(ctx, circleci.Operation{}) }

// WaitFor returns when a request of the operation may be sent. It returns a
// [circleci.PausedError] at once if the operation is paused beyond the
// context's deadline.
func (l *Limiter) WaitFor(ctx context.Context, op circleci.Operation) error {
	lane := l.lane(&op)
	for {
		wait, err := l.reserve(ctx, lane, &op)
		if err != nil {
			return err
		}
		if wait == 0 {
			return nil
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
			return &circleci.PausedError{RetryAfter: wait}
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// reserve takes a slot and waits for it. If the operation is paused, it returns
// the pause and takes no slot.
func (l *Limiter) reserve(ctx context.Context, lane *lane, op *circleci.Operation) (pause time.Duration, err error) {
	select {
	case lane.turn <- struct{}{}:
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	held := true
	release := func() {
		if held {
			<-lane.turn
			held = false
		}
	}
	defer release()
	for l.usable() {
		l.mu.Lock()
		hint := cmp.Or(lane.rate, startRate)
		l.mu.Unlock()
		reply, err := l.run(ctx, reserveScript, l.keys(lane, op), l.budget, l.burst, hint)
		if err == nil && len(reply) != 3 {
			break
		}
		if err != nil {
			if ctx.Err() != nil {
				return 0, context.Cause(ctx)
			}
			break
		}
		wait := time.Duration(integer(reply[1])) * time.Microsecond
		if integer(reply[0]) == 1 {
			return wait, nil
		}
		if text, ok := reply[2].(string); ok {
			rate, _ := strconv.ParseFloat(text, 64) // zero selects startRate
			l.mu.Lock()
			lane.rate = rate
			lane.count(time.Now())
			l.mu.Unlock()
		}
		if err := sleep(ctx, wait); err != nil {
			return 0, err
		}
		if wait < recheck {
			return 0, nil
		}
		left, err := l.paused(ctx, lane, op)
		if err != nil || left <= 0 {
			return 0, nil
		}
	}
	if err := sleep(ctx, l.localSlot(lane)); err != nil {
		return 0, err
	}
	release() // the pacer has a queue of its own
	if err := l.local.WaitFor(ctx, *op); err != nil {
		return 0, err
	}
	l.mu.Lock()
	l.localRequests[op.Key]++
	l.mu.Unlock()
	return 0, nil
}

// count measures this process's share of the common pace.
func (l *lane) count(now time.Time) {
	l.granted++
	if elapsed := now.Sub(l.since); elapsed >= time.Second {
		if elapsed < 2*time.Second {
			l.share = float64(l.granted) / elapsed.Seconds()
		}
		l.granted, l.since = 0, now
	}
}

// localSlot returns how long to wait for the next slot while Redis is
// unavailable. The process keeps to its previous share, or to a sixteenth of
// the common pace if that is more.
func (l *Limiter) localSlot(lane *lane) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	rate := max(lane.share, lane.rate/16)
	if rate == 0 {
		return 0
	}
	now := time.Now()
	if lane.next.Before(now) {
		lane.next = now
	}
	wait := lane.next.Sub(now)
	lane.next = lane.next.Add(time.Duration(1.05 / rate * float64(time.Second)))
	return wait
}

// Observe updates the pace from a response.
func (l *Limiter) Observe(ctx context.Context, op circleci.Operation, r circleci.Response) {
	now := time.Now()
	lane := l.lane(&op)
	pause := time.Duration(0)
	if r.RateLimited {
		pause = min(max(cmp.Or(r.RetryAfter, time.Second), time.Millisecond), l.maxWait)
	}
	l.mu.Lock()
	local := l.localRequests[op.Key] > 0
	if local {
		l.localRequests[op.Key]--
		if l.localRequests[op.Key] == 0 {
			delete(l.localRequests, op.Key)
		}
	}
	if !r.RateLimited && r.StatusCode != 0 {
		lane.served++
	}
	due := l.retry.IsZero() && (pause > 0 || now.Sub(lane.reported) >= reportEvery)
	served := lane.served
	if due {
		lane.served, lane.reported = 0, now
	}
	l.mu.Unlock()
	if local {
		l.local.Observe(ctx, op, r)
	}
	if !due {
		return
	}
	remaining := -1
	if r.RateLimit.Known {
		remaining = r.RateLimit.Remaining
	}
	// The response has arrived: it counts even if the caller has given up.
	_, _ = l.run(context.WithoutCancel(ctx), observeScript, l.keys(lane, &op), l.budget, served, remaining,
		r.RateLimit.Limit, r.RateLimit.Reset.Microseconds(), pause.Milliseconds()) // a failure is noted by run
}

// lane returns the lane of an operation: one for each route, or a common one if
// there is a budget.
func (l *Limiter) lane(op *circleci.Operation) *lane {
	name := "all"
	if l.budget == 0 {
		name = op.Method + " " + op.Route
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	found := l.lanes[name]
	if found == nil {
		found = &lane{turn: make(chan struct{}, 1), key: l.prefix + ":{" + l.token + "}:" + name}
		l.lanes[name] = found
	}
	return found
}

// keys returns the keys of an operation. The part in braces keeps them in one
// slot of a cluster.
func (l *Limiter) keys(lane *lane, op *circleci.Operation) []string {
	sum := sha256.Sum256([]byte(op.Key))
	return []string{lane.key, l.prefix + ":{" + l.token + "}:pause:" + hex.EncodeToString(sum[:16])}
}

// usable reports whether to use Redis. While Redis is unavailable, one caller
// at a time retries it.
func (l *Limiter) usable() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.retry.IsZero() {
		return true
	}
	now := time.Now()
	if now.Before(l.retry) {
		return false
	}
	l.retry = now.Add(retryRedis)
	return true
}

// run runs a script, and records whether Redis is available.
func (l *Limiter) run(ctx context.Context, script *redis.Script, keys []string, args ...any) ([]any, error) {
	limited, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	result, err := script.Run(limited, l.redis, keys, args...).Result()
	l.note(ctx, err)
	reply, _ := result.([]any) // observe.lua returns a number
	return reply, err
}

func (l *Limiter) note(ctx context.Context, err error) {
	if err != nil && ctx.Err() != nil {
		return // the caller gave up, which says nothing of Redis
	}
	l.mu.Lock()
	was := l.retry.IsZero()
	l.retry = time.Time{}
	if err != nil {
		l.retry = time.Now().Add(retryRedis)
	}
	l.mu.Unlock()
	switch {
	case err != nil && was:
		l.log.WarnContext(ctx, "redis cannot be used; this process paces itself until it can", "error", err)
	case err == nil && !was:
		l.log.InfoContext(ctx, "redis can be used again; the processes share one pace")
	}
}

// paused returns the rest of an operation's pause.
func (l *Limiter) paused(ctx context.Context, lane *lane, op *circleci.Operation) (time.Duration, error) {
	limited, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	left, err := l.redis.PTTL(limited, l.keys(lane, op)[1]).Result()
	l.note(ctx, err)
	return left, err
}

func integer(v any) int64 {
	n, _ := v.(int64) // the scripts return integers
	return min(n, math.MaxInt64/1000)
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
