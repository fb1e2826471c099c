package circleci

import (
	"bytes"
	"context"
	"io"
	"math"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/circleci-go/circleci/internal/encode"
	"github.com/circleci-go/circleci/internal/transport"
	"github.com/circleci-go/circleci/internal/wire"
)

// RequestOption configures one call. A method that returns a [Pager] applies it
// to the request for each page. A method that makes several requests applies
// [Timeout] to all of them together, and the other options to each. It refuses
// [CaptureResponse] and [CaptureBody] with an error that matches
// [ErrInvalidArgument].
type RequestOption func(*callOptions)

type callOptions struct {
	header   http.Header
	timeout  time.Duration
	once     bool
	replay   bool
	bearer   bool
	captures []*Response
	bodies   []*[]byte
	query    encode.Query
	err      error // the first error
}

func (o *callOptions) refuse(name, reason string) {
	if o.err == nil {
		o.err = &ArgumentError{Name: name, Reason: reason}
	}
}

// Header adds a header to the request. It is sent to the API and to CircleCI's
// artifact hosts, but not to other hosts, such as the storage that a download
// is redirected to. The headers Circle-Token, Authorization and If-Range cannot
// be set. Range can be set only if [Client.Do] writes the body to an
// [io.Writer].
func Header(name, value string) RequestOption {
	return func(o *callOptions) {
		name := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case !isToken(name):
			o.refuse("header", "has an invalid name")
		case name == "Circle-Token" || name == "Authorization":
			o.refuse("header", name+" is set by the client: see NewClient and WithTokenSource")
		case name == "If-Range":
			o.refuse("header", name+" cannot be set: downloads use it to resume")
		case hasControl(value):
			o.refuse("header", name+" contains a control character")
		default:
			if o.header == nil {
				o.header = http.Header{}
			}
			o.header.Add(name, value)
		}
	}
}

// Timeout limits the total duration of the call, including retries and backoff.
// If it is exceeded, the error matches [context.DeadlineExceeded]. Zero means
// no limit.
func Timeout(d time.Duration) RequestOption {
	return func(o *callOptions) {
		if d < 0 {
			o.refuse("timeout", "is negative")
		}
		o.timeout = d
	}
}

// NoRetry sends each request at most once.
func NoRetry() RequestOption { return func(o *callOptions) { o.once = true } }

// AllowReplay allows retries of a POST or PATCH after a failure that leaves it
// unknown whether the request took effect, such as a 502 or a broken
// connection. Use it if repeating the request does no harm.
func AllowReplay() RequestOption { return func(o *callOptions) { o.replay = true } }

// BearerAuth sends the token as "Authorization: Bearer" instead of
// "Circle-Token", for this call. See [WithBearerAuth] for all calls of a client.
func BearerAuth() RequestOption { return func(o *callOptions) { o.bearer = true } }

// CaptureResponse stores the status, headers and other metadata of the response
// in r, whether the call succeeds or fails. With a [Pager], r describes the
// last page that was requested.
func CaptureResponse(r *Response) RequestOption {
	return func(o *callOptions) {
		if r == nil {
			o.refuse("CaptureResponse", "is nil")
			return
		}
		o.captures = append(o.captures, r)
	}
}

// CaptureBody stores the unchanged response body in raw. Use it to read
// properties that this package does not model. With a [Pager], raw is the body
// of the last page that was requested. For a non-2xx response, raw is the first
// 64 KiB of the body. If there is no response, raw is nil.
//
// CaptureBody cannot be used with a call that writes the body to an
// [io.Writer].
func CaptureBody(raw *[]byte) RequestOption {
	return func(o *callOptions) {
		if raw == nil {
			o.refuse("CaptureBody", "is nil")
			return
		}
		o.bodies = append(o.bodies, raw)
	}
}

// Query adds a query parameter that a method does not model. Several values
// repeat the name; empty values are omitted.
func Query(name string, values ...string) RequestOption {
	return func(o *callOptions) {
		if name == "" {
			o.refuse("query", "contains an empty name")
		}
		o.query.Strings(name, values)
	}
}

func (o *callOptions) apply(opts []RequestOption) {
	for _, opt := range opts {
		if opt != nil {
			opt(o)
		}
	}
}

// limit applies the timeout of the call, if any, to ctx.
func (o *callOptions) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if o.timeout > 0 {
		return context.WithTimeout(ctx, o.timeout)
	}
	return ctx, func() {}
}

// captured holds the targets of [CaptureResponse] and [CaptureBody].
type captured struct {
	response Response
	body     []byte
	targets  [1]*Response // the response, as a target
}

// store fills the captures.
func (o *callOptions) store(r *transport.Result, body []byte) {
	if len(o.captures)+len(o.bodies) > 0 {
		o.give(&captured{response: responseOf(r), body: body})
	}
}

func (o *callOptions) give(c *captured) {
	if c == nil {
		return
	}
	for _, into := range o.captures {
		*into = c.response
	}
	for _, into := range o.bodies {
		*into = c.body
	}
}

// redirect stores all captures of the caller in c instead.
func (o *callOptions) redirect(c *captured) {
	c.targets[0] = &c.response
	o.captures = c.targets[:]
	if len(o.bodies) > 0 {
		o.bodies = append(o.bodies[:0], &c.body)
	}
}

// composite prepares the options of a method that makes several requests. The
// returned context has the caller's [Timeout], which limits the method as a
// whole; the returned options are for each request of it, and contain the
// remaining ones. [CaptureResponse] and [CaptureBody] are refused, because they
// would hold the response of any of the requests. Call cancel when the method
// returns, and return err before any I/O:
//
//	ctx, cancel, opts, err := composite(ctx, opts)
//	if err != nil {
//		return nil, err
//	}
//	defer cancel()
func composite(ctx context.Context, opts []RequestOption) (context.Context, context.CancelFunc, []RequestOption, error) {
	var o callOptions
	o.apply(opts)
	switch {
	case len(o.captures) > 0:
		o.refuse("CaptureResponse", "cannot be used with a method that makes several requests")
	case len(o.bodies) > 0:
		o.refuse("CaptureBody", "cannot be used with a method that makes several requests")
	case ctx == nil:
		o.refuse("ctx", "is nil")
	}
	if o.err != nil {
		return ctx, func() {}, nil, o.err
	}
	ctx, cancel := o.limit(ctx)
	if o.timeout > 0 {
		opts = append(slices.Clip(opts), Timeout(0))
	}
	return ctx, cancel, opts, nil
}

// isToken reports whether s is a valid header name.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// bodyKeeper keeps the response body for [CaptureBody]. A nil bodyKeeper keeps
// nothing.
type bodyKeeper struct {
	next transport.Decoder // nil: only keep the body
	kept bytes.Buffer
}

// keepBody keeps the response body if the caller requested it.
func (o *callOptions) keepBody(call *transport.Call) *bodyKeeper {
	if len(o.bodies) == 0 || call.Stream {
		return nil
	}
	k := &bodyKeeper{next: call.Answer}
	call.Blank = call.Answer == nil // a discarded body may be empty
	call.Answer = k
	return k
}

// Decode decodes a response.
func (k *bodyKeeper) Decode(body io.Reader) error {
	k.kept.Reset() // nothing may be left of an attempt that broke off
	body = tee{io.TeeReader(body, &k.kept), body}
	if k.next == nil {
		_, err := io.Copy(io.Discard, body)
		return err
	}
	return k.next.Decode(body)
}

// tee is a body that is copied while it is read.
type tee struct {
	io.Reader
	body io.Reader
}

// Limit returns the limit of the body; see [wire.Limited].
func (t tee) Limit() int64 {
	if l, ok := t.body.(wire.Limited); ok {
		return l.Limit()
	}
	return math.MaxInt64
}

// of returns the body of a result.
func (k *bodyKeeper) of(r *transport.Result) []byte {
	switch {
	case k == nil:
		return nil
	case r.Failure == transport.None && r.StatusCode/100 != 2:
		return r.Body
	}
	return k.kept.Bytes()
}
