package circleci

import (
	"context"
	"time"

	"github.com/circleci-go/circleci/internal/transport"
)

// CallHook observes calls: it is called once before each call of the API, and
// the function that it returns once after it. The call includes its retries,
// the backoff between them, and the time that it waits for the [Limiter]. The
// call continues with the returned context, so that spans nest. To observe each
// attempt, use [WithMiddleware]. The returned function may be nil.
//
// A [Pager] makes a call for each page. A download counts as a call until its
// first byte.
type CallHook func(ctx context.Context, op Operation) (context.Context, func(CallInfo))

// CallInfo is the result of a call.
type CallInfo struct {
	Operation Operation
	// Response is the metadata of the response. Its StatusCode is 0 if there
	// was no response.
	Response Response
	// Err is the error that the call returns, or nil if it succeeds.
	Err error
	// Duration is the duration of the call. Waited is the part of it spent
	// waiting before attempts: for backoff, Retry-After and the [Limiter].
	Duration, Waited time.Duration
}

// WithCallHook adds a hook that observes all calls of the client. The first
// hook is the outermost.
func WithCallHook(h CallHook) Option {
	return func(c *config) {
		if h != nil {
			c.callHooks = append(c.callHooks, h)
		}
	}
}

// carryOut makes a call and runs the hooks.
func (c *Client) carryOut(ctx context.Context, call *transport.Call, o *callOptions) (*transport.Result, error) {
	op := Operation{Method: call.Method, Route: call.Route}
	var (
		after []func(CallInfo)
		start time.Time
	)
	for _, hook := range c.callHooks {
		hooked, done := hook(ctx, op)
		if hooked != nil {
			ctx = hooked
		}
		if done != nil {
			after = append(after, done)
		}
	}
	if len(after) > 0 {
		start = time.Now()
	}
	keep := o.keepBody(call)
	result := c.send(ctx, call)
	o.store(result, keep.of(result))
	err := c.errorOf(call, result)
	if len(after) > 0 {
		info := CallInfo{Operation: op, Response: responseOf(result), Err: err, Duration: time.Since(start), Waited: call.Waited}
		for i := len(after) - 1; i >= 0; i-- {
			after[i](info)
		}
	}
	return result, err
}
