package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Limit is the link that waits until a limiter permits a call, and reports the
// result to the limiter.
type Limit struct {
	// Wait waits until the call is permitted, and returns the time then, also
	// with an error. A limiter that does not wait can return now.
	Wait func(ctx context.Context, c *Call, now time.Time) (time.Time, error)
	// Observe, if set, is called once for each Wait that returned no error: with
	// nil if the attempt ended in a panic.
	Observe func(ctx context.Context, c *Call, r *Result)
	Next    Handler
}

// Do is the link's handler.
func (l *Limit) Do(ctx context.Context, c *Call) (r *Result) {
	now := time.Now()
	permitted, err := l.Wait(ctx, c, now)
	c.Permitted, c.Waited = permitted, c.Waited+permitted.Sub(now)
	if err != nil {
		return held(ctx, c, err)
	}
	if l.Observe != nil {
		defer func() { l.Observe(ctx, c, r) }()
	}
	return l.Next(ctx, c)
}

// PausedError means that the server has asked for a pause beyond the caller's
// deadline.
type PausedError struct{ After time.Duration }

func (e *PausedError) Error() string {
	return fmt.Sprintf("the server asked for a pause; try again in %v", e.After)
}

// held returns the result of an attempt that was not sent.
func held(ctx context.Context, c *Call, err error) *Result {
	r := c.result.renew()
	r.Held = true
	var paused *PausedError
	switch {
	case errors.As(err, &paused):
		r.StatusCode, r.RetryAfter = http.StatusTooManyRequests, paused.After
		return r
	case ctx.Err() == nil: // the limiter has refused the call
		return r.fail(Refused, err)
	}
	return r.fail(Canceled, causeOf(ctx))
}
