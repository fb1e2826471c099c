package circleci

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/circleci-go/circleci/internal/transport"
)

// Limiter decides when a request may be sent. By default, each client uses a
// [Pacer]; [WithLimiter] replaces it. [*rate.Limiter] of golang.org/x/time/rate
// also implements Limiter.
//
// Wait is called before each attempt, from any goroutine. It returns nil when
// the request may be sent. If it returns an error, the call fails with it. If
// the error wraps a [PausedError], the call's error matches [ErrRateLimited].
//
// A limiter can also implement [OperationLimiter] and [ResponseObserver].
//
// [*rate.Limiter]: https://pkg.go.dev/golang.org/x/time/rate#Limiter
type Limiter interface {
	Wait(ctx context.Context) error
}

// OperationLimiter is a [Limiter] that treats operations differently. WaitFor
// is called instead of Wait, with [Operation.Key] set.
type OperationLimiter interface {
	WaitFor(ctx context.Context, op Operation) error
}

// ResponseObserver is a [Limiter] that learns from responses. Observe is called
// once for each Wait or WaitFor that returned nil, with the same operation.
// Response.StatusCode is 0 if there was no response; Response.RateLimited says
// whether the server refused because of its rate limit.
type ResponseObserver interface {
	Observe(ctx context.Context, op Operation, r Response)
}

// PausedError is the error of a [Limiter] that refuses a request because the
// wait that the server requested is too long for the caller. The call then
// returns an [*Error] with the status 429, its RetryAfter, and 0 attempts.
type PausedError struct {
	// RetryAfter is the remaining wait.
	RetryAfter time.Duration
}

// Error returns a line with the remaining wait.
func (e *PausedError) Error() string {
	return fmt.Sprintf("circleci: the server requested a wait: try again in %v", e.RetryAfter)
}

// Is reports whether target is [ErrRateLimited].
func (e *PausedError) Is(target error) bool { return target == ErrRateLimited }

// WithLimiter replaces the client's [Pacer]. Nil disables pacing: each call
// then waits only after its own 429.
func WithLimiter(l Limiter) Option {
	return func(c *config) { c.limiter, c.limiterSet = l, true }
}

// Pacer is the limiter that each client uses unless [WithLimiter] replaces it.
// Several clients with the same token can share one.
//
// A rate limit response (429, or an HTML 403 from CircleCI's edge) pauses all
// calls with the same method and path for its Retry-After, or for one second if
// it has none. Other paths are not paused. If the server reports its limit in
// RateLimit headers, the calls of a route are spread so that they use the limit
// without exceeding it. Without these headers, a route is limited only after
// its first rate limit response, to the rate that the server accepted before;
// from there the rate rises again.
type Pacer struct{ pacer transport.Pacer }

// NewPacer returns a Pacer. maxWait is the longest time that a request waits.
// If it would have to wait longer, it fails with a [PausedError], except for
// one request per maxWait, which checks whether the pause is over. Zero or less
// selects the default of 2 minutes.
func NewPacer(maxWait time.Duration) *Pacer {
	if maxWait <= 0 {
		maxWait = defaultMaxWait
	}
	return &Pacer{transport.Pacer{MaxWait: maxWait}}
}

// Wait is like WaitFor with the zero Operation.
func (p *Pacer) Wait(ctx context.Context) error { return p.WaitFor(ctx, Operation{}) }

// WaitFor blocks until a request of the operation may be sent. Calls of one
// route are served first in, first out.
func (p *Pacer) WaitFor(ctx context.Context, op Operation) error {
	_, err := p.pacer.Wait(ctx, op.asCall(), time.Now())
	if paused, ok := errors.AsType[*transport.PausedError](err); ok {
		return &PausedError{paused.After}
	}
	return err
}

// Observe updates the pacer with the rate limit of a response.
func (p *Pacer) Observe(ctx context.Context, op Operation, r Response) {
	p.pacer.Observe(ctx, op.asCall(), &transport.Result{
		StatusCode: r.StatusCode, Edge: r.RateLimited, RetryAfter: r.RetryAfter, Limit: transport.RateLimit(r.RateLimit),
	})
}

// asCall returns the call that the operation belongs to, or an equivalent one.
func (op Operation) asCall() *transport.Call {
	if op.call != nil {
		return op.call
	}
	return &transport.Call{Method: op.Method, Route: op.Route, KeyText: op.Key}
}

// limitLink returns a handler that applies a limiter.
func limitLink(l Limiter, next transport.Handler) transport.Handler {
	if p, ok := l.(*Pacer); ok {
		return (&transport.Limit{Wait: p.pacer.Wait, Observe: p.pacer.Observe, Next: next}).Do
	}
	wait := func(ctx context.Context, _ *transport.Call) error { return l.Wait(ctx) }
	if l, ok := l.(OperationLimiter); ok {
		wait = func(ctx context.Context, c *transport.Call) error { return l.WaitFor(ctx, operationOf(c)) }
	}
	link := &transport.Limit{Next: next, Wait: func(ctx context.Context, c *transport.Call, _ time.Time) (time.Time, error) {
		err := wait(ctx, c)
		if paused, ok := errors.AsType[*PausedError](err); ok {
			err = &transport.PausedError{After: max(paused.RetryAfter, 0)}
		}
		return time.Now(), err
	}}
	if l, ok := l.(ResponseObserver); ok {
		link.Observe = func(ctx context.Context, c *transport.Call, r *transport.Result) {
			var response Response // none, if the attempt ended in a panic
			if r != nil {
				response = responseOf(r)
			}
			l.Observe(ctx, operationOf(c), response)
		}
	}
	return link.Do
}

func operationOf(c *transport.Call) Operation {
	return Operation{Method: c.Method, Route: c.Route, Attempt: c.Attempt, Key: c.Key(), call: c}
}
