package circleci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
	"github.com/circleci-go/circleci/internal/transport"
	"github.com/circleci-go/circleci/internal/wire"
)

// RequestOption changes one call. Given to a method that returns a [Pager], it
// applies to the request for each page.
type RequestOption func(*callOptions)

type callOptions struct {
	header   http.Header
	timeout  time.Duration
	once     bool
	replay   bool
	prefetch bool
	capture  []*Response
	query    encode.Query
	params   []any
	err      *ArgumentError
}

// Header adds a header to the request. The token's headers cannot be set so.
func Header(name, value string) RequestOption {
	return func(o *callOptions) {
		name := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case !isToken(name):
			o.err = &ArgumentError{Name: "header", Reason: "has an invalid name"}
		case name == "Circle-Token" || name == "Authorization":
			o.err = &ArgumentError{Name: "header", Reason: name + " is the client's own: see NewClient and WithTokenSource"}
		case hasControl(value):
			o.err = &ArgumentError{Name: "header", Reason: name + " holds a control character"}
		default:
			if o.header == nil {
				o.header = http.Header{}
			}
			o.header.Add(name, value)
		}
	}
}

// Timeout limits the call as a whole, its retries and waits included. Past it
// the error matches [context.DeadlineExceeded].
func Timeout(d time.Duration) RequestOption { return func(o *callOptions) { o.timeout = d } }

// NoRetry sends one request at most.
func NoRetry() RequestOption { return func(o *callOptions) { o.once = true } }

// AllowReplay permits to send a POST or PATCH again after a failure that
// leaves open whether it was carried out, such as a 502 or a broken
// connection. Use it where doing it twice does no harm.
func AllowReplay() RequestOption { return func(o *callOptions) { o.replay = true } }

// CaptureResponse stores what is known of the answer in r, whether the call
// succeeds or fails. After a walk over pages it holds the last one's.
func CaptureResponse(r *Response) RequestOption {
	return func(o *callOptions) { o.capture = append(o.capture, r) }
}

// Query adds a parameter to the query, for what a method does not have yet.
// Several values repeat the name; an empty value is left out.
func Query(name string, values ...string) RequestOption {
	return func(o *callOptions) { o.query.Strings(name, values) }
}

// PathParams fills the placeholders of [Client.Do]'s route, in their order.
// Values are of type string, int, int64, uuid.UUID, [ProjectSlug], [OrgSlug] or
// [OrgRef]. Each is escaped as one segment, but for the slugs.
func PathParams(values ...any) RequestOption {
	return func(o *callOptions) { o.params = append(o.params, values...) }
}

// Response is what is known of an answer beside its content.
type Response struct {
	// StatusCode is the HTTP status; 0 if there was no answer.
	StatusCode int
	// Header holds the answer's headers.
	Header http.Header
	// RequestID finds the request in CircleCI's logs.
	RequestID string
	// RateLimit is the state of the rate limit, where the server announces it.
	RateLimit RateLimit
	// RateLimited reports whether the server refused the request because of a
	// rate limit: 429, or an HTML 403 of CircleCI's edge.
	RateLimited bool
	// RetryAfter is the pause that the server asks for; 0 if it gives none.
	RetryAfter time.Duration
	// Attempts is how many requests were sent.
	Attempts int
}

// request is one call in the making: a route, what fills it, what goes along.
// Mistakes are kept until it is carried out.
type request struct {
	method, route string
	path          string // the route, filled and escaped
	host          string // of CircleCI's cloud, that serves the route in place of its main one
	search        encode.Query
	in            any
	hasBody       bool
	opts          []RequestOption
	nullable      bool      // null is an answer
	response      *Response // takes the place of the caller's CaptureResponse
	err           error
}

func get(route string, args ...any) request    { return newRequest(http.MethodGet, route, args) }
func post(route string, args ...any) request   { return newRequest(http.MethodPost, route, args) }
func put(route string, args ...any) request    { return newRequest(http.MethodPut, route, args) }
func patch(route string, args ...any) request  { return newRequest(http.MethodPatch, route, args) }
func remove(route string, args ...any) request { return newRequest(http.MethodDelete, route, args) }

func newRequest(method, route string, args []any) request {
	r := request{method: method, route: route}
	params := make([]encode.Param, 0, 4)
	for _, arg := range args {
		param, err := pathParam(arg)
		if err != nil {
			r.err = err
			return r
		}
		params = append(params, param)
	}
	path, err := encode.Path(route, params...)
	if err != nil {
		r.err = paramError(err)
	}
	r.path = path
	return r
}

func paramError(err error) error {
	var bad *encode.ParamError
	if errors.As(err, &bad) {
		return &ArgumentError{Name: bad.Name, Reason: bad.Reason}
	}
	return err
}

// pathParam brings an argument into the form that stands in a path.
func pathParam(arg any) (encode.Param, error) {
	switch v := arg.(type) {
	case string:
		return encode.Param{Text: v}, nil
	case uuid.UUID:
		if v == uuid.Nil {
			return encode.Param{Refused: "is the zero UUID"}, nil
		}
		return encode.Param{Text: v.String()}, nil
	case ProjectSlug:
		return encode.Param{Text: string(v), Slug: true}, v.check()
	case OrgSlug:
		return encode.Param{Text: string(v), Slug: true}, v.check()
	case OrgRef:
		if v.slug != "" {
			return encode.Param{Text: string(v.slug)}, v.slug.check()
		}
		return pathParam(v.id)
	case int64:
		if v <= 0 {
			return encode.Param{Refused: "has to be positive"}, nil
		}
		return encode.Param{Text: strconv.FormatInt(v, 10)}, nil
	case int:
		return pathParam(int64(v))
	}
	return encode.Param{}, &ArgumentError{Name: "path parameter", Reason: "cannot be " + typeName(arg)}
}

// typeName is fmt's %T, but for that its argument stays where it is: fmt would
// have each path parameter moved to the heap.
func typeName(v any) string {
	if t := reflect.TypeOf(v); t != nil {
		return "a " + t.String()
	}
	return "nil"
}

// querier is a type of filters.
type querier interface{ query(*encode.Query) }

// query adds filters. A nil pointer adds none.
func (r request) query(f querier) request {
	f.query(&r.search)
	return r.check(f)
}

// body adds what is sent, as JSON.
func (r request) body(in any) request {
	r.in, r.hasBody = in, true
	return r.check(in)
}

// checker is an input that can be wrong in more ways than its type allows.
type checker interface{ check() error }

func (r request) check(in any) request {
	if c, ok := in.(checker); ok && r.err == nil {
		r.err = c.check()
	}
	return r
}

// with adds the caller's options.
func (r request) with(opts []RequestOption) request {
	r.opts = append(r.opts, opts...)
	return r
}

// at has a client of CircleCI's cloud send the request to another host of it.
// Other servers have but one.
func (r request) at(host string) request {
	r.host = host
	return r
}

// answer is an answer that is a T.
type answer[T any] struct{ value T }

func (a *answer[T]) Decode(body io.Reader) error {
	a.value = *new(T) // nothing may be left of an attempt that broke off
	return wire.Read(body, &a.value)
}

// do carries out a call whose answer is a T.
func do[T any](ctx context.Context, c *Client, r request) (*T, error) {
	out := new(answer[T])
	if err := c.run(ctx, &r, out); err != nil {
		return nil, err
	}
	return &out.value, nil
}

// exec carries out a call whose answer says no more than that it went well.
func exec(ctx context.Context, c *Client, r request) error { return c.run(ctx, &r, nil) }

// run carries out a call; answer, if not nil, takes the answer.
func (c *Client) run(ctx context.Context, r *request, answer transport.Decoder) error {
	p, err := c.prepare(r)
	if err != nil {
		return err
	}
	ctx, cancel := p.options.limit(ctx)
	defer cancel()
	p.call.Answer = answer
	result := c.send(ctx, &p.call)
	p.options.store(result)
	return c.errorOf(&p.call, result)
}

// prepared is a request that is ready to be sent, in one allocation.
type prepared struct {
	call    transport.Call
	options callOptions
	url     url.URL
}

// prepare checks a request and makes a call of it, without any I/O.
func (c *Client) prepare(r *request) (*prepared, error) {
	p := new(prepared)
	o, call := &p.options, &p.call
	o.query = r.search
	o.apply(r.opts)
	if r.response != nil {
		o.capture = append(o.capture[:0], r.response)
	}
	call.Method, call.Route, call.Header, call.Once, call.Nullable = r.method, r.route, o.header, o.once, r.nullable
	call.Replayable = o.replay || r.method != http.MethodPost && r.method != http.MethodPatch
	err := r.err
	if err == nil && o.err != nil {
		err = o.err
	}
	if err == nil && r.hasBody {
		if call.Body, err = wire.Marshal(r.in); err != nil {
			err = &ArgumentError{Name: "body", Reason: err.Error()}
		}
	}
	if err != nil {
		return nil, r.blame(err)
	}
	c.locate(&p.url, r, o)
	call.URL = &p.url
	return p, nil
}

// blame names the operation in an argument's error.
func (r *request) blame(err error) error {
	var bad *ArgumentError
	if errors.As(err, &bad) {
		named := *bad
		named.Method, named.Route = r.method, r.route
		return &named
	}
	return err
}

// locate joins the base, the path and the query. The path is escaped already.
func (c *Client) locate(u *url.URL, r *request, o *callOptions) {
	base := c.base
	if isHostRelative(r.route) {
		base = c.root
	}
	*u = *base
	if r.host != "" && transport.IsCloud(base) {
		u.Host = r.host
	}
	escaped := base.EscapedPath() + r.path
	u.Path = escaped
	if strings.IndexByte(escaped, '%') >= 0 {
		u.RawPath = escaped
		u.Path, _ = url.PathUnescape(escaped) // it is well escaped: by us
	}
	u.RawQuery = o.query.Encode()
}

func isHostRelative(route string) bool { return strings.HasPrefix(route, "/api/") }

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

func (o *callOptions) store(r *transport.Result) {
	if len(o.capture) == 0 {
		return
	}
	o.give(responseOf(r))
}

func responseOf(r *transport.Result) Response {
	return Response{
		StatusCode: r.StatusCode, Header: r.Header, RequestID: transport.RequestID(r.Header),
		RateLimit: RateLimit(r.Limit), RateLimited: r.Limited(), RetryAfter: max(r.RetryAfter, 0), Attempts: r.Attempts,
	}
}

// give hands a response to those who have asked for it.
func (o *callOptions) give(r Response) {
	for _, into := range o.capture {
		if into != nil {
			*into = r
		}
	}
}

// Do carries out a call that this package has no method for, with everything
// that its methods have: token, retries, pacing, errors.
//
// The route is relative to the API v2, such as "/context/{context_id}", or to
// the server, if it begins with "/api/". Placeholders are filled by
// [PathParams], a query is added by [Query]; a route with a question mark, and
// a path with "." or ".." or an empty segment, are refused.
//
// What is sent is in, as JSON; nil sends no body, and a GET never has one. Into
// out, a pointer, the answer is decoded; nil throws it away, and an
// [io.Writer] gets it as it comes.
func (c *Client) Do(ctx context.Context, method, route string, in, out any, opts ...RequestOption) error {
	var o callOptions
	o.apply(opts)
	r := newRequest(method, route, o.params).with(opts)
	if in != nil {
		r = r.body(in)
	}
	if err := checkRoute(method, route, in != nil); err != nil {
		return r.blame(err)
	}
	switch out := out.(type) {
	case nil:
		return exec(ctx, c, r)
	case io.Writer:
		return c.copy(ctx, &r, out)
	}
	pointer := reflect.ValueOf(out)
	if pointer.Kind() != reflect.Pointer || pointer.IsNil() {
		return r.blame(&ArgumentError{Name: "out", Reason: fmt.Sprintf("is a %T, and no pointer to decode into", out)})
	}
	before := reflect.New(pointer.Type().Elem()).Elem()
	before.Set(pointer.Elem())
	return c.run(ctx, &r, anyAnswer{pointer, before})
}

// anyAnswer decodes into a caller's value.
type anyAnswer struct{ pointer, before reflect.Value }

func (a anyAnswer) Decode(body io.Reader) error {
	a.pointer.Elem().Set(a.before) // nothing may be left of an attempt that broke off
	return wire.Read(body, a.pointer.Interface())
}

func checkRoute(method, route string, hasBody bool) error {
	switch method {
	case http.MethodGet, http.MethodHead:
		if hasBody {
			return &ArgumentError{Name: "body", Reason: "the API refuses a " + method + " with a body"}
		}
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return &ArgumentError{Name: "method", Reason: fmt.Sprintf("%q is none of the API's", method)}
	}
	if !strings.HasPrefix(route, "/") || strings.ContainsAny(route, "?#\\") || hasControl(route) {
		return &ArgumentError{Name: "route", Reason: "has to begin with a slash, without a query: see Query"}
	}
	unescaped, err := url.PathUnescape(route)
	if err != nil {
		return &ArgumentError{Name: "route", Reason: "is not escaped as a path has to be"}
	}
	for segment := range strings.SplitSeq(unescaped[1:], "/") {
		if segment == "" || segment == "." || segment == ".." {
			return &ArgumentError{Name: "route", Reason: `holds a segment that is empty, "." or ".."`}
		}
	}
	return nil
}

// copy carries out a call whose answer goes to w as it comes.
func (c *Client) copy(ctx context.Context, r *request, w io.Writer) error {
	p, err := c.prepare(r)
	if err != nil {
		return err
	}
	ctx, cancel := p.options.limit(ctx)
	defer cancel()
	p.call.Stream = true
	result := c.send(ctx, &p.call)
	p.options.store(result)
	if err := c.errorOf(&p.call, result); err != nil {
		return err
	}
	_, err = io.Copy(w, result.Stream)
	if err := errors.Join(err, result.Stream.Close()); err != nil {
		return &TransportError{Method: r.method, Route: r.route, Attempts: result.Attempts, Err: err}
	}
	return nil
}

// isToken reports whether s can be a header's name.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// required refuses an empty field.
func required(name, value string) error {
	if value == "" {
		return &ArgumentError{Name: name, Reason: "is missing"}
	}
	return nil
}

// isUnset reports whether a struct of optional fields changes nothing.
func isUnset(v any) bool { return reflect.ValueOf(v).IsZero() }

// value is for answers that are maps, which need no pointer.
func value[T any](out *T, err error) (T, error) {
	if err != nil {
		return *new(T), err
	}
	return *out, nil
}
