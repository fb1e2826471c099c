package circleci

import (
	"context"
	"errors"
	"io"
	"net/http"
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
	stream        bool      // the response is written, and not decoded
	captured      *captured // takes the place of the caller's captures
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
		if v.id == uuid.Nil {
			return encode.Param{Refused: "is missing: see OrgBySlug and OrgByID"}, nil
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
	p, err := c.prepare(ctx, r)
	if err != nil {
		return err
	}
	ctx, cancel := p.options.limit(ctx)
	defer cancel()
	p.call.Answer = answer
	result, err := c.carryOut(ctx, &p.call, &p.options)
	if err == nil && result.Gone && answer != nil {
		gone := c.answerError(&p.call, result)
		gone.advice = "an earlier attempt, whose response was lost, may have deleted it"
		return gone
	}
	return err
}

// prepared is a request that is ready to be sent, in one allocation.
type prepared struct {
	call    transport.Call
	options callOptions
	url     url.URL
}

// prepare checks a request and makes a call of it, without any I/O.
func (c *Client) prepare(ctx context.Context, r *request) (*prepared, error) {
	p := new(prepared)
	o, call := &p.options, &p.call
	o.query = r.search
	o.apply(r.opts)
	if r.captured != nil {
		o.redirect(r.captured)
	}
	call.Method, call.Route, call.Header, call.Once, call.Nullable = r.method, r.route, o.header, o.once, r.nullable
	call.Bearer = o.bearer
	call.Replayable = o.replay || r.method != http.MethodPost && r.method != http.MethodPatch
	err := r.err
	if err == nil && o.err != nil {
		err = o.err
	}
	if _, part := o.header["Range"]; err == nil && part && !r.stream {
		err = &ArgumentError{Name: "header", Reason: "Range would cut a response that is to be decoded"}
	}
	if err == nil && ctx == nil {
		err = &ArgumentError{Name: "ctx", Reason: "is nil"}
	}
	if err == nil && r.hasBody {
		if call.Body, err = wire.Marshal(r.in); err != nil {
			err = &ArgumentError{Name: "body", Reason: err.Error()}
		}
		in := r.in
		call.Secrets = func() []string { return secretsIn(reflect.ValueOf(in), nil) }
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

func responseOf(r *transport.Result) Response {
	return Response{
		StatusCode: r.StatusCode, Header: r.Header, RequestID: transport.RequestID(r.Header),
		RateLimit: RateLimit(r.Limit), RateLimited: r.Limited(), RetryAfter: max(r.RetryAfter, 0), Attempts: r.Attempts,
	}
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
