// Package transport carries calls to the API: small links, each with one
// duty, in a fixed order.
//
//	Retry     replays what may be replayed, waits between attempts
//	Limit     holds a call until the limiter, such as the pacer, lets it pass
//	Log       writes a line for each attempt
//	Exchange  sends one request and reads its answer, under a time limit
//
// Below the exchange stands an [http.Client], and in it, called again on each
// redirect, [Auth]: the only place where the token is put on a request.
package transport

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Call is one call of the API on its way through the links.
type Call struct {
	Method string
	Route  string // the template: the label of logs, errors and traces
	URL    *url.URL
	// Header is what this request has beyond what all have. Only what describes
	// the content goes to other hosts than the API's.
	Header http.Header
	Body   []byte // JSON; nil for none

	// Answer decodes the body of a 2xx answer. With nil the body is thrown away.
	Answer Decoder
	// Nullable says that null is an answer; else it is taken for none.
	Nullable bool
	// Blank says that an empty body counts as an answer.
	Blank bool
	// Stream leaves a 2xx answer's body open, in Result.Stream.
	Stream bool
	// Replayable says that doing this twice does it once.
	Replayable bool
	// Once turns retries off.
	Once bool

	// Bearer sends the token as "Authorization: Bearer", whatever Auth does else.
	Bearer bool

	Attempt int    // the running attempt, from 1
	Ticket  Ticket // the pacer's, of this attempt

	// Waited is the time spent before attempts, waiting for leave to send them.
	Waited time.Duration

	// Secrets are the texts in Body that no error and no log may show; nil: none.
	Secrets func() []string

	mu     sync.Mutex
	tokens []string // that were sent

	// KeyText is the result of Key, once it is known.
	KeyText string

	result Result
}

// Key names what a refusal of the call applies to: its method, and its path
// with the arguments.
func (c *Call) Key() string {
	if c.KeyText == "" {
		path := c.Route
		if c.URL != nil {
			path = c.URL.Host + cmp.Or(c.URL.RawPath, c.URL.Path)
		}
		c.KeyText = c.Method + " " + path
	}
	return c.KeyText
}

// Decoder takes an answer's body. After an attempt that broke off it is called
// again.
type Decoder interface {
	Decode(body io.Reader) error
}

// Failure says at what an attempt failed.
type Failure int

// The failures. All but the first two leave open whether the server acted.
const (
	None     Failure = iota
	NotSent          // no connection: the server has not seen the request
	Broken           // the connection broke, or went silent, before the answer was whole
	Cut              // the connection was fine, but the JSON stops in the middle
	Empty            // a 2xx answer without the result that is due
	BadJSON          // not JSON, or not of the expected types
	TooLarge         // the answer is larger than the limit
	Refused          // the request cannot be sent at all: certificate, redirect, token source
	Canceled         // the caller's context has ended
)

// Result is what the last attempt came to.
type Result struct {
	StatusCode int // 0: no answer
	Header     http.Header
	Limit      RateLimit
	RetryAfter time.Duration // -1: not announced
	Attempts   int           // how many requests were sent
	Held       bool          // this attempt was: it ended in a queue, and sent none
	Edge       bool          // an HTML 403, with which CircleCI's edge refuses; it was not executed

	// Body holds the start of the answer, 64 KiB at most, unless all was well.
	Body   []byte
	Stream io.ReadCloser
	// Length is the length of a stream in bytes; -1 if it is not known.
	Length int64

	Failure Failure
	Err     error // why it failed; nil if Failure is None

	// Gone marks the 404 to a DELETE that an earlier attempt had carried out.
	Gone bool
	// Last is the last real answer, when the last attempt had none.
	Last *Result
}

// OK reports whether the call succeeded.
func (r *Result) OK() bool {
	return r.Failure == None && (r.StatusCode/100 == 2 || r.Gone)
}

// Limited reports whether the server refused because of a rate limit, without
// having acted.
func (r *Result) Limited() bool { return r.StatusCode == http.StatusTooManyRequests || r.Edge }

// A Handler takes a call to its result. The result belongs to the call, and
// is overwritten by its next attempt.
type Handler func(ctx context.Context, c *Call) *Result

// IsHTML reports whether an answer is a page for people.
func IsHTML(h http.Header, body []byte) bool {
	if kind := h.Get("Content-Type"); kind != "" {
		return strings.Contains(strings.ToLower(kind), "html")
	}
	start := strings.ToLower(strings.TrimSpace(string(body[:min(len(body), 64)])))
	return strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html")
}

type (
	callKey    struct{}
	attemptKey struct{}
)

// FromContext returns the call that a request's context belongs to.
func FromContext(ctx context.Context) (*Call, bool) {
	c, ok := ctx.Value(callKey{}).(*Call)
	return c, ok
}
