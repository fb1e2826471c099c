package circleci

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/circleci-go/circleci/internal/transport"
)

// Limiter decides when a request may be sent. [*rate.Limiter] of
// golang.org/x/time/rate is one, and so is [Pacer], which each client uses
// unless [WithLimiter] says otherwise.
//
// Wait is called before each attempt, from any goroutine. It returns nil when
// the request may be sent, or an error, with which the call fails: if the error
// wraps a [PausedError], the call's error matches [ErrRateLimited].
//
// A limiter can also implement [OperationLimiter] and [ResponseObserver].
//
// [*rate.Limiter]: https://pkg.go.dev/golang.org/x/time/rate#Limiter
type Limiter interface {
	Wait(ctx context.Context) error
}

// OperationLimiter is a [Limiter] that treats operations differently. WaitFor is
// called in place of Wait, with [Operation.Key] set.
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

// PausedError is the error of a [Limiter] that does not hold a request, because
// the pause that the server asked for is longer than the caller can wait. The
// call then returns an [Error] with status 429, RetryAfter and no attempts.
type PausedError struct {
	// RetryAfter is what is left of the pause.
	RetryAfter time.Duration
}

// Error says how long the pause is.
func (e *PausedError) Error() string {
	return fmt.Sprintf("circleci: the server asked for a pause; try again in %v", e.RetryAfter)
}

// Is matches [ErrRateLimited].
func (e *PausedError) Is(target error) bool { return target == ErrRateLimited }

// WithLimiter replaces the client's own [Pacer]. Nil turns pacing off; each call
// then waits for its own 429 alone.
func WithLimiter(l Limiter) Option {
	return func(c *config) { c.limiter, c.limiterSet = l, true }
}

// Pacer is the limiter that each client uses unless [WithLimiter] replaces it.
// Several clients with the same token can share one.
//
// A refusal (429, or the HTML page with which CircleCI's edge refuses) pauses
// all callers of the same method and path until the time that it gives, one
// second if it gives none. Other paths are not paused. Where the server
// announces its limit by RateLimit headers, the calls of a route are spread so
// that the limit is used and not exceeded. Without headers a route is limited
// after its first refusal only, to the rate that the server has granted before;
// from there the rate rises again.
type Pacer struct{ pacer transport.Pacer }

// NewPacer returns a pacer. MaxWait is the longest pause that it holds a request
// for; beyond it the request fails with a [PausedError], but for one request in
// each maxWait, which finds out whether the pause is over. Zero or less selects
// the default of 2 minutes.
func NewPacer(maxWait time.Duration) *Pacer {
	if maxWait <= 0 {
		maxWait = defaultMaxWait
	}
	return &Pacer{transport.Pacer{MaxWait: maxWait}}
}

// Wait waits as for an operation of its own.
func (p *Pacer) Wait(ctx context.Context) error { return p.WaitFor(ctx, Operation{}) }

// WaitFor returns when a request of the operation may be sent. Calls of one
// route are served first in, first out.
func (p *Pacer) WaitFor(ctx context.Context, op Operation) error {
	err := p.pacer.Wait(ctx, op.asCall())
	var paused *transport.PausedError
	if errors.As(err, &paused) {
		return &PausedError{paused.After}
	}
	return err
}

// Observe learns from a response.
func (p *Pacer) Observe(ctx context.Context, op Operation, r Response) {
	p.pacer.Observe(ctx, op.asCall(), &transport.Result{
		StatusCode: r.StatusCode, Edge: r.RateLimited, RetryAfter: r.RetryAfter, Limit: transport.RateLimit(r.RateLimit),
	})
}

// asCall is the call that the operation belongs to, or one like it.
func (op *Operation) asCall() *transport.Call {
	if op.call != nil {
		return op.call
	}
	return &transport.Call{Method: op.Method, Route: op.Route, KeyText: op.Key}
}

// limitLink makes a link of a limiter.
func limitLink(l Limiter, next transport.Handler) transport.Handler {
	link := &transport.Limit{Next: next, Wait: func(ctx context.Context, _ *transport.Call) error { return l.Wait(ctx) }}
	if l, ok := l.(OperationLimiter); ok {
		link.Wait = func(ctx context.Context, c *transport.Call) error { return l.WaitFor(ctx, operationOf(c)) }
	}
	if l, ok := l.(ResponseObserver); ok {
		link.Observe = func(ctx context.Context, c *transport.Call, r *transport.Result) {
			var response Response // none, if the attempt ended in a panic
			if r != nil {
				response = responseOf(r)
			}
			l.Observe(ctx, operationOf(c), response)
		}
	}
	wait := link.Wait
	link.Wait = func(ctx context.Context, c *transport.Call) error {
		err := wait(ctx, c)
		var paused *PausedError
		if errors.As(err, &paused) {
			return &transport.PausedError{After: max(paused.RetryAfter, 0)}
		}
		return err
	}
	return link.Do
}

func operationOf(c *transport.Call) Operation {
	return Operation{Method: c.Method, Route: c.Route, Attempt: c.Attempt, Key: c.Key(), call: c}
}
