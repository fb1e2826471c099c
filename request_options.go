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

// RequestOption changes one call. A method that returns a [Pager] applies it to
// the request for each page. A method that makes several requests applies
// [Timeout] to all of them together and the other options to each, and refuses
// [CaptureResponse] and [CaptureBody] with [ErrInvalidArgument].
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
	err      error // the first mistake
}

func (o *callOptions) refuse(name, reason string) {
	if o.err == nil {
		o.err = &ArgumentError{Name: name, Reason: reason}
	}
}

// Header adds a header to the request. It is sent to the API and to CircleCI's
// artifact hosts, and not to other hosts, such as the storage that a download is
// redirected to. The headers that carry the token and If-Range cannot be set this
// way, and Range only where [Client.Do] writes the body to an [io.Writer].
func Header(name, value string) RequestOption {
	return func(o *callOptions) {
		name := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case !isToken(name):
			o.refuse("header", "has an invalid name")
		case name == "Circle-Token" || name == "Authorization":
			o.refuse("header", name+" is set by the client: see NewClient and WithTokenSource")
		case name == "If-Range":
			o.refuse("header", name+" is set by downloads, which resume with it")
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

// Timeout limits the duration of the call as a whole, including its retries and
// pauses. When it has passed, the error matches [context.DeadlineExceeded]. Zero
// means no limit.
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

// AllowReplay permits retrying a POST or PATCH after a failure that leaves open
// whether the request was carried out, such as a 502 or a broken connection.
// Use it if repeating the request does no harm.
func AllowReplay() RequestOption { return func(o *callOptions) { o.replay = true } }

// BearerAuth sends the token as "Authorization: Bearer" instead of
// "Circle-Token", for this call. See [WithBearerAuth] for all calls of a client.
func BearerAuth() RequestOption { return func(o *callOptions) { o.bearer = true } }

// CaptureResponse stores the status, headers and other metadata of the response
// in r, whether the call succeeds or fails. On a [Pager] it holds those of the
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

// CaptureBody stores the body of the response in raw, unchanged, for properties
// that this package does not model. On a [Pager] it holds the body of the last
// page that was requested. If the response is an error, raw holds its first
// 64 KiB; if there is no response, raw is nil.
//
// It cannot be used where the body is written to an [io.Writer].
func CaptureBody(raw *[]byte) RequestOption {
	return func(o *callOptions) {
		if raw == nil {
			o.refuse("CaptureBody", "is nil")
			return
		}
		o.bodies = append(o.bodies, raw)
	}
}

// Query adds a parameter to the query, for parameters that a method does not
// model. Several values repeat the name; an empty value is left out.
func Query(name string, values ...string) RequestOption {
	return func(o *callOptions) {
		if name == "" {
			o.refuse("query", "has a parameter without a name")
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

// limit gives ctx the time limit of the call, if it has one.
func (o *callOptions) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if o.timeout > 0 {
		return context.WithTimeout(ctx, o.timeout)
	}
	return ctx, func() {}
}

// captured is what [CaptureResponse] and [CaptureBody] hold.
type captured struct {
	response Response
	body     []byte
}

// store gives the captures what they ask for.
func (o *callOptions) store(r *transport.Result, body []byte) {
	if len(o.captures)+len(o.bodies) > 0 {
		o.give(&captured{responseOf(r), body})
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

// redirect has all captures of the caller go to c.
func (o *callOptions) redirect(c *captured) {
	o.captures = append(o.captures[:0], &c.response)
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

// isToken reports whether s can be a header's name.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// bodyKeeper keeps the body of a response for [CaptureBody]. A nil one keeps
// nothing.
type bodyKeeper struct {
	next transport.Decoder // nil: the body is only kept
	kept bytes.Buffer
}

// keepBody has the body of the response kept if the caller asks for it.
func (o *callOptions) keepBody(call *transport.Call) *bodyKeeper {
	if len(o.bodies) == 0 || call.Stream {
		return nil
	}
	k := &bodyKeeper{next: call.Answer}
	call.Blank = call.Answer == nil // what was discarded may be empty
	call.Answer = k
	return k
}

// Decode reads an answer.
func (k *bodyKeeper) Decode(body io.Reader) error {
	k.kept.Reset() // nothing may be left of an attempt that broke off
	body = tee{io.TeeReader(body, &k.kept), body}
	if k.next == nil {
		_, err := io.Copy(io.Discard, body)
		return err
	}
	return k.next.Decode(body)
}

// tee is a body that is kept while it is read.
type tee struct {
	io.Reader
	body io.Reader
}

// Limit is that of the body; see [wire.Limited].
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
