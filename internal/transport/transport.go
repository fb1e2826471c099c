// Package transport sends calls to the API through a chain of small links, each
// with one task:
//
//	Retry     retries what is safe to repeat, waits between attempts
//	Limit     holds a call until the limiter, such as the pacer, permits it
//	Log       writes a line for each attempt
//	Exchange  sends one request and reads its response, with a time limit
//
// Below the exchange is an [http.Client], and in it [Auth], which runs again
// for each redirect. It is the only place where the token is added to a
// request.
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

// Call is a call of the API.
type Call struct {
	Method string
	Route  string // the template: the label of logs, errors and traces
	URL    *url.URL
	// Header has the headers that only this request has. Only those that
	// describe the content are sent to hosts other than the API's.
	Header http.Header
	Body   []byte // JSON; nil for none

	// Answer decodes the body of a 2xx response. Nil discards the body.
	Answer Decoder
	// Nullable accepts null as a result. Otherwise null counts as no result.
	Nullable bool
	// Blank accepts an empty body as a result.
	Blank bool
	// Stream leaves the body of a 2xx response open, in Result.Stream.
	Stream bool
	// Replayable says that repeating the request has no further effect.
	Replayable bool
	// Once disables retries.
	Once bool

	// Bearer sends the token as "Authorization: Bearer", whatever Auth does
	// otherwise.
	Bearer bool

	Attempt int    // the running attempt, from 1
	Ticket  Ticket // the pacer's, of this attempt

	// Permitted is the time at which a limiter permitted the running attempt; zero
	// without a limiter.
	Permitted time.Time
	// Waited is the time spent waiting for permission to send attempts.
	Waited time.Duration

	// Secrets returns the texts in Body that errors and logs must not show; nil
	// if there are none.
	Secrets func() []string

	mu     sync.Mutex
	tokens []string  // that were sent
	token  [1]string // where the first is stored

	// KeyText is the result of Key, once it is known.
	KeyText string

	result Result
}

// Key returns what a refusal of the call applies to: its method, and its path
// with the arguments.
func (c *Call) Key() string {
	if c.KeyText == "" {
		host, path := "", c.Route
		if c.URL != nil {
			host, path = c.URL.Host, cmp.Or(c.URL.RawPath, c.URL.Path)
		}
		c.KeyText = c.Method + " " + host + path
	}
	return c.KeyText
}

// Ticket is a call's place in the pacer's queue: how long it can wait, when it
// was sent, and how many others were in flight then.
type Ticket struct {
	ctx            context.Context // the caller's, while it waits
	ready          chan struct{}   // closed when done; nil if the call need not wait
	done           bool
	err            error // why it is not sent
	number, others int
	latest, at     time.Time
}

// release ends the wait.
func (t *Ticket) release(err error) (done bool) {
	if t.done, t.err = true, err; t.ready != nil {
		close(t.ready)
	}
	return true
}

// Decoder decodes a response's body. It is called again after an attempt that
// broke off.
type Decoder interface {
	Decode(body io.Reader) error
}

// Failure is the kind of an attempt's failure.
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

// Result is the result of the last attempt.
type Result struct {
	StatusCode int // 0: no answer
	Header     http.Header
	Limit      RateLimit
	RetryAfter time.Duration // -1: not announced
	Attempts   int           // how many requests were sent
	Held       bool          // this attempt was: it ended in a queue, and sent none
	Edge       bool          // an HTML 403, with which CircleCI's edge refuses; it was not executed

	// Body is the beginning of the response, at most 64 KiB, unless the call
	// succeeded.
	Body   []byte
	Stream io.ReadCloser
	// Length is the length of a stream in bytes; -1 if it is not known.
	Length int64

	Failure Failure
	Err     error // why it failed; nil if Failure is None

	// Gone reports a 404 for a DELETE that an earlier attempt had carried out.
	Gone bool
	// Last is the last response, if the last attempt had none.
	Last *Result
}

// OK reports whether the call succeeded.
func (r *Result) OK() bool {
	return r.Failure == None && (r.StatusCode/100 == 2 || r.Gone)
}

// Limited reports whether the server refused the request because of a rate
// limit, without executing it.
func (r *Result) Limited() bool { return r.StatusCode == http.StatusTooManyRequests || r.Edge }

// Handler returns the result of a call. The result belongs to the call, and the
// next attempt overwrites it.
type Handler func(ctx context.Context, c *Call) *Result

// IsHTML reports whether a response is an HTML page.
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
