package circleci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/circleci-go/circleci/internal/wire"
)

// Request is a request for an operation that this package does not model. See
// [Client.Do].
type Request struct {
	// Method is the HTTP method; empty means GET.
	Method string
	// Route is the path, with placeholders such as {context_id}. It is relative
	// to the API v2, or to the server if it starts with "/api/". Errors, logs
	// and traces show the route, not the path with its parameters.
	Route string
	// Params replace the placeholders, in order. Each must be a string, int,
	// int64, uuid.UUID, [ProjectSlug], [OrgSlug] or [OrgRef]. It is escaped as
	// one path segment; a slug is escaped as its two or three segments.
	Params []any
	// Query is the query; nil means none.
	Query url.Values
	// Body is encoded as JSON. Nil sends no body. It must be nil for GET and
	// HEAD.
	Body any
}

// Do sends a request for an operation that this package does not model, with
// the authentication, retries, rate limiting and errors of its methods. For
// lists, see [NewPager].
//
// Do decodes the response into out, which must be a pointer. If out is nil, the
// response is discarded. If out is an [io.Writer], it receives the unchanged
// body.
func (c *Client) Do(ctx context.Context, r Request, out any, opts ...RequestOption) error {
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	in := newRequest(r.Method, r.Route, r.Params).with(opts)
	for _, name := range slices.Sorted(maps.Keys(r.Query)) {
		in.search.Strings(name, r.Query[name])
	}
	if r.Body != nil {
		in = in.body(r.Body)
	}
	if err := checkRoute(r.Method, r.Route, r.Body != nil); err != nil {
		return in.blame(err)
	}
	switch out := out.(type) {
	case nil:
		return exec(ctx, c, in)
	case io.Writer:
		return c.copy(ctx, &in, out)
	}
	pointer := reflect.ValueOf(out)
	if pointer.Kind() != reflect.Pointer || pointer.IsNil() {
		return in.blame(&ArgumentError{Name: "out", Reason: fmt.Sprintf("is a %T, not a pointer to decode into", out)})
	}
	before := reflect.New(pointer.Type().Elem()).Elem()
	before.Set(pointer.Elem())
	return c.run(ctx, &in, anyAnswer{pointer, before})
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
		return &ArgumentError{Name: "method", Reason: fmt.Sprintf("%q is not one of GET, HEAD, POST, PUT, PATCH and DELETE", method)}
	}
	if !strings.HasPrefix(route, "/") || strings.ContainsAny(route, "?#\\") || hasControl(route) {
		return &ArgumentError{Name: "route", Reason: "must start with a slash and must not contain a query: use Request.Query"}
	}
	unescaped, err := url.PathUnescape(route)
	if err != nil {
		return &ArgumentError{Name: "route", Reason: "is not a valid escaped path"}
	}
	for segment := range strings.SplitSeq(unescaped[1:], "/") {
		if segment == "" || segment == "." || segment == ".." {
			return &ArgumentError{Name: "route", Reason: `has a segment that is empty, "." or ".."`}
		}
	}
	return nil
}

// copy makes a call and writes the response body to w.
func (c *Client) copy(ctx context.Context, r *request, w io.Writer) error {
	r.stream = true
	p, err := c.prepare(ctx, r)
	if err != nil {
		return err
	}
	if len(p.options.bodies) > 0 {
		return r.blame(&ArgumentError{Name: "CaptureBody", Reason: "cannot be used with an io.Writer"})
	}
	ctx, cancel := p.options.limit(ctx)
	defer cancel()
	p.call.Stream = true
	result, err := c.carryOut(ctx, &p.call, &p.options)
	if err == nil {
		err = c.lost(&p.call, result)
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(w, result.Stream)
	if err := errors.Join(err, result.Stream.Close()); err != nil {
		return &TransportError{Method: r.method, Route: r.route, Attempts: result.Attempts, Err: err}
	}
	return nil
}
