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
	"errors"
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
// nine tenths of its previous share, paces itself with a [circleci.Pacer], and
// retries Redis every 500 ms.
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
	away     bool      // Redis has not worked since
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
	if l.retries() { // without the turn: others go on while Redis does not answer
		if pause, err = l.shared(ctx, lane, op); !errors.Is(err, errUnavailable) {
			return pause, err
		}
	}
	select {
	case lane.turn <- struct{}{}:
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	release := sync.OnceFunc(func() { <-lane.turn })
	defer release()
	if l.available() {
		if pause, err = l.shared(ctx, lane, op); !errors.Is(err, errUnavailable) {
			return pause, err
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

// errUnavailable is the error of shared if Redis cannot be used.
var errUnavailable = errors.New("redis is unavailable")

// shared takes a slot in Redis and waits for it.
func (l *Limiter) shared(ctx context.Context, lane *lane, op *circleci.Operation) (pause time.Duration, err error) {
	for {
		l.mu.Lock()
		known, joining := lane.rate, 0.0
		if lane.away {
			joining = lane.localRate()
		}
		l.mu.Unlock()
		reply, err := l.run(ctx, reserveScript, l.keys(lane, op), l.budget, l.burst, known, joining)
		if err != nil && ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		if err != nil || len(reply) != 3 {
			return 0, errUnavailable
		}
		wait := time.Duration(integer(reply[1])) * time.Microsecond
		if integer(reply[0]) == 1 {
			return wait, nil
		}
		if text, ok := reply[2].(string); ok {
			rate, _ := strconv.ParseFloat(text, 64) // zero: unknown
			l.mu.Lock()
			lane.rate, lane.away = rate, false
			lane.count(time.Now())
			l.mu.Unlock()
		}
		if err := sleep(ctx, wait); err != nil {
			return 0, err
		}
		if wait < recheck || !l.paused(ctx, lane, op) {
			return 0, nil
		}
	}
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
	if !l.retry.IsZero() {
		lane.served, lane.reported = 0, now // would be taken for those of the next report's time
	} else if !r.RateLimited && r.StatusCode != 0 {
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
