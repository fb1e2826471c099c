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

// Response is the metadata of a response.
type Response struct {
	// StatusCode is the HTTP status, or 0 if there was no response.
	StatusCode int
	// Header holds the response headers.
	Header http.Header
	// RequestID identifies the request in CircleCI's logs.
	RequestID string
	// RateLimit is the state of the rate limit, if the server reports it.
	RateLimit RateLimit
	// RateLimited reports whether the server refused the request because of a
	// rate limit: with 429, or with an HTML 403 from CircleCI's edge.
	RateLimited bool
	// RetryAfter is the wait that the server requested, or 0 if none.
	RetryAfter time.Duration
	// Attempts is the number of requests that were sent.
	Attempts int
}

// request builds one call: the route, its parameters, query, body and options.
// Errors are kept until the call is made.
type request struct {
	method, route string
	path          string // the route, with escaped parameters
	host          string // the host of CircleCI's cloud that serves the route, if not the main one
	search        encode.Query
	in            any
	hasBody       bool
	opts          []RequestOption
	nullable      bool      // null is a valid response
	stream        bool      // the response is written, and not decoded
	captured      *captured // replaces the caller's captures
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

// pathParam converts an argument to a path parameter.
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
			return encode.Param{Refused: "must be positive"}, nil
		}
		return encode.Param{Text: strconv.FormatInt(v, 10)}, nil
	case int:
		return pathParam(int64(v))
	}
	return encode.Param{}, &ArgumentError{Name: "path parameter", Reason: "cannot be " + typeName(arg)}
}

// typeName formats like fmt's %T, but does not let its argument escape: fmt
// would move each path parameter to the heap.
func typeName(v any) string {
	if t := reflect.TypeOf(v); t != nil {
		return "a " + t.String()
	}
	return "nil"
}

// querier is an options struct that adds query parameters.
type querier interface{ query(*encode.Query) }

// query adds query parameters. A nil pointer adds none.
func (r request) query(f querier) request {
	f.query(&r.search)
	return r.check(f)
}

// body sets the JSON request body.
func (r request) body(in any) request {
	r.in, r.hasBody = in, true
	return r.check(in)
}

// checker is an input that can be invalid despite its type.
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

// at sends the request to another host of CircleCI's cloud. It has no effect
// for other servers, which have only one host.
func (r request) at(host string) request {
	r.host = host
	return r
}

// answer is a response that decodes into a T.
type answer[T any] struct{ value T }

func (a *answer[T]) Decode(body io.Reader) error {
	a.value = *new(T) // discard what an incomplete attempt decoded
	err := wire.Read(body, &a.value)
	if whole, ok := any(&a.value).(interface{ complete() error }); ok && err == nil {
		err = whole.complete()
	}
	return err
}

// do makes a call and decodes the response into a T.
func do[T any](ctx context.Context, c *Client, r request) (*T, error) {
	out := new(answer[T])
	if err := c.run(ctx, &r, out); err != nil {
		return nil, err
	}
	return &out.value, nil
}

// creation is the response of a call that creates something. Its ID is what the
// call was made for, so that an invalid one is an error.
type creation[T any] struct{ answer[T] }

func (a *creation[T]) Decode(body io.Reader) error {
	err := a.answer.Decode(body)
	if err == nil && firstID(reflect.ValueOf(a.value)) == uuid.Nil {
		err = errors.New("the response has no valid ID: what the call creates may exist, so look for it before you repeat the call")
	}
	return err
}

// firstID returns the first field of a struct that is an ID.
func firstID(v reflect.Value) uuid.UUID {
	for _, field := range v.Fields() {
		if id, ok := field.Interface().(uuid.UUID); ok {
			return id
		}
	}
	return uuid.Nil
}

// create makes a call that creates something with an ID.
func create[T any](ctx context.Context, c *Client, r request) (*T, error) {
	out := new(creation[T])
	if err := c.run(ctx, &r, out); err != nil {
		return nil, err
	}
	return &out.value, nil
}

// exec makes a call and discards the response.
func exec(ctx context.Context, c *Client, r request) error { return c.run(ctx, &r, nil) }

// run makes a call; answer, if not nil, decodes the response.
func (c *Client) run(ctx context.Context, r *request, answer transport.Decoder) error {
	p, err := c.prepare(ctx, r)
	if err != nil {
		return err
	}
	ctx, cancel := p.options.limit(ctx)
	defer cancel()
	p.call.Answer = answer
	result, err := c.carryOut(ctx, &p.call, &p.options)
	if err == nil && answer != nil {
		err = c.lost(&p.call, result)
	}
	return err
}

// lost returns the error of a deletion whose result is lost: an earlier attempt
// may have received it. It returns nil for all other calls.
func (c *Client) lost(call *transport.Call, r *transport.Result) error {
	if !r.Gone {
		return nil
	}
	gone := c.answerError(call, r)
	gone.advice = "an earlier attempt, whose response was lost, may have deleted it"
	return gone
}

// prepared is a request that is ready to send, in one allocation.
type prepared struct {
	call    transport.Call
	options callOptions
	url     url.URL
}

// prepare validates a request and converts it to a call, without any I/O.
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
		err = &ArgumentError{Name: "header", Reason: "Range cannot be set: a partial response cannot be decoded"}
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
	call.KeyText = c.locate(&p.url, r, o)
	call.URL = &p.url
	return p, nil
}

// blame adds the operation to an ArgumentError.
func (r *request) blame(err error) error {
	var bad *ArgumentError
	if errors.As(err, &bad) {
		named := *bad
		named.Method, named.Route = r.method, r.route
		return &named
	}
	return err
}

// locate joins the base URL, the path and the query. The path is already
// escaped. It returns the key of the call, which contains the path.
func (c *Client) locate(u *url.URL, r *request, o *callOptions) (key string) {
	base := c.base
	if isHostRelative(r.route) {
		base = c.root
	}
	*u = *base
	if r.host != "" && transport.IsCloud(base) {
		u.Host = r.host
	}
	prefix := base.EscapedPath()
	key = r.method + " " + u.Host + prefix + r.path
	u.Path = key[len(key)-len(prefix)-len(r.path):]
	if strings.IndexByte(u.Path, '%') >= 0 {
		u.RawPath = u.Path
		u.Path, _ = url.PathUnescape(u.RawPath) // cannot fail: we escaped it
	}
	u.RawQuery = o.query.Encode()
	return key
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

// isUnset reports whether all fields of a struct of optional fields are unset.
func isUnset(v any) bool { return reflect.ValueOf(v).IsZero() }

// value dereferences responses that are maps, which need no pointer.
func value[T any](out *T, err error) (T, error) {
	if err != nil {
		return *new(T), err
	}
	return *out, nil
}
