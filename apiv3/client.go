package apiv3

import (
	"context"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// Client calls the API v3 through a [circleci.Client], with a service for each
// type of resource. It is safe for concurrent use.
type Client struct {
	Configs   *ConfigsService
	Contexts  *ContextsService
	Deploys   *DeploysService
	Groups    *GroupsService
	Jobs      *JobsService
	Orgs      *OrgsService
	Pipelines *PipelinesService
	Projects  *ProjectsService
	Providers *ProvidersService
	Runs      *RunsService
	Triggers  *TriggersService
	Users     *UsersService
	Workflows *WorkflowsService

	client  *circleci.Client
	refused string // why nothing is sent; empty if requests are sent
}

// service is what each service is made of.
type service struct{ client *Client }

// Option configures a [Client].
type Option func(*config)

type config struct{ server bool }

// WithServer permits hosts other than circleci.com. Use it when CircleCI server
// supports the API v3; until then it responds with 404.
func WithServer() Option { return func(c *config) { c.server = true } }

// New returns a client for the API v3 that sends its requests through client,
// with its token, retries, pacing and errors. It does no I/O.
//
// CircleCI server does not have the API v3. If the host of client is neither
// circleci.com nor this machine, each method returns an error that matches
// [circleci.ErrInvalidArgument] and sends no request, unless [WithServer] is
// given.
func New(client *circleci.Client, opts ...Option) *Client {
	var cfg config
	for _, opt := range opts {
		if opt != nil {
			opt(&cfg)
		}
	}
	c := &Client{client: client}
	if host := hostOf(client); !cfg.server && !hasV3(host) {
		c.refused = host + " is not circleci.com, and CircleCI server does not have the API v3; " +
			"if yours does, pass apiv3.WithServer() to apiv3.New"
	}
	s := &service{c}
	c.Configs = (*ConfigsService)(s)
	c.Contexts = (*ContextsService)(s)
	c.Deploys = (*DeploysService)(s)
	c.Groups = (*GroupsService)(s)
	c.Jobs = (*JobsService)(s)
	c.Orgs = (*OrgsService)(s)
	c.Pipelines = (*PipelinesService)(s)
	c.Projects = (*ProjectsService)(s)
	c.Providers = (*ProvidersService)(s)
	c.Runs = (*RunsService)(s)
	c.Triggers = (*TriggersService)(s)
	c.Users = (*UsersService)(s)
	c.Workflows = (*WorkflowsService)(s)
	return c
}

func hostOf(client *circleci.Client) string {
	u, err := url.Parse(client.BaseURL())
	if err != nil {
		return "" // cannot happen: NewClient has parsed it
	}
	return u.Hostname()
}

// hasV3 reports whether a host belongs to CircleCI's cloud or is this machine,
// where a fake server may listen.
func hasV3(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return host == "circleci.com" || strings.HasSuffix(host, ".circleci.com") ||
		host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// request is a call that a method is about to make. A mistake in it is kept
// until it is sent.
type request struct {
	circleci.Request
	replay bool // a POST that can be repeated without effect
	err    *circleci.ArgumentError
}

func get(route string, params ...any) request  { return newRequest(http.MethodGet, route, params) }
func post(route string, params ...any) request { return newRequest(http.MethodPost, route, params) }
func remove(route string, params ...any) request {
	return newRequest(http.MethodDelete, route, params)
}

func newRequest(method, route string, params []any) request {
	return request{Request: circleci.Request{Method: method, Route: route, Params: params, Query: url.Values{}}}
}

// idempotent lets a POST be retried like a GET.
func (r request) idempotent() request {
	r.replay = true
	return r
}

// refuse keeps the first mistake.
func (r request) refuse(name, reason string) request {
	if r.err == nil {
		r.err = &circleci.ArgumentError{Method: r.Method, Route: r.Route, Name: name, Reason: reason}
	}
	return r
}

// require adds a query parameter that the API requires.
func (r request) require(name string, id uuid.UUID) request {
	if id == uuid.Nil {
		return r.refuse(name, "is the zero UUID")
	}
	return r.filterID(name, id)
}

// filter adds a query parameter unless its value is empty.
func (r request) filter(name, value string) request {
	if value != "" {
		r.Query.Set(name, value)
	}
	return r
}

func (r request) filterID(name string, id uuid.UUID) request {
	if id == uuid.Nil {
		return r
	}
	return r.filter(name, id.String())
}

func (r request) filterTime(name string, t time.Time) request {
	return r.filter(name, formatTime(t))
}

// limit adds the size of a page.
func (r request) limit(n int) request {
	switch {
	case n < 0:
		return r.refuse("page[limit]", "is negative")
	case n == 0:
		return r
	}
	return r.filter("page[limit]", strconv.Itoa(n))
}

// body sets the request body.
func (r request) body(in any) request {
	r.Body = in
	if c, ok := in.(checker); ok {
		if name, reason := c.check(); name != "" {
			return r.refuse(name, reason)
		}
	}
	return r
}

// create sets the body for a new resource: its attributes, and the resources
// that it belongs to.
func (r request) create(attributes any, references references) request {
	var out created
	r = r.body(attributes)
	out.Data.Attributes = attributes
	for name, id := range references {
		if id == uuid.Nil {
			return r.refuse(name+".id", "is the zero UUID")
		}
		if out.Data.References == nil {
			out.Data.References = map[string]reference{}
		}
		out.Data.References[name] = reference{id}
	}
	r.Body = out
	return r
}

// checker is an input that can be invalid in ways that its type does not
// prevent. check returns the name of what is wrong, or "".
type checker interface{ check() (name, reason string) }

const missing = "is missing"

// created is the envelope of a request that creates a resource.
type created struct {
	Data struct {
		Attributes any                  `json:"attributes"`
		References map[string]reference `json:"references,omitzero"`
	} `json:"data"`
}

type references map[string]uuid.UUID

type reference struct {
	ID uuid.UUID `json:"id"`
}

// formatTime formats a time for filters, in whole seconds.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// do sends a request, and decodes the response into out.
func (c *Client) do(ctx context.Context, r request, out any, opts []circleci.RequestOption) error {
	if c.refused != "" {
		r = r.refuse("host", c.refused)
	}
	if r.err != nil {
		return r.err
	}
	all := make([]circleci.RequestOption, 0, len(opts)+2)
	all = append(all, circleci.BearerAuth())
	if r.replay {
		all = append(all, circleci.AllowReplay())
	}
	return c.client.Do(ctx, r.Request, out, append(all, opts...)...)
}

// one carries out a call whose response is one resource.
func one[T any](ctx context.Context, c *Client, r request, opts []circleci.RequestOption) (*T, error) {
	var out entity[T]
	if err := c.do(ctx, r, &out, opts); err != nil {
		return nil, err
	}
	return &out.value, nil
}

// idOf carries out a call whose response has an ID and nothing else.
func idOf(ctx context.Context, c *Client, r request, opts []circleci.RequestOption) (uuid.UUID, error) {
	out, err := one[reference](ctx, c, r, opts)
	if err != nil {
		return uuid.Nil, err
	}
	return out.ID, nil
}

// exec carries out a call whose response is not needed: some operations send
// none.
func exec(ctx context.Context, c *Client, r request, opts []circleci.RequestOption) error {
	return c.do(ctx, r, nil, opts)
}

// list returns the pager of a collection.
func list[T any](c *Client, r request, opts []circleci.RequestOption) *circleci.Pager[T] {
	return pages[T](c, r, opts, func(r *request, cursor string) {
		r.Query = maps.Clone(r.Query)
		r.Query.Set("page[cursor]", cursor)
	})
}

// pages is like list, for a collection that sends its cursor differently.
func pages[T any](c *Client, r request, opts []circleci.RequestOption, turn func(r *request, cursor string)) *circleci.Pager[T] {
	return circleci.NewPager(func(ctx context.Context, cursor string) (*circleci.Page[T], error) {
		var (
			out  collection[T]
			page circleci.Page[T]
		)
		r := r
		if cursor != "" {
			turn(&r, cursor)
		}
		err := c.do(ctx, r, &out, append(opts[:len(opts):len(opts)], circleci.CaptureResponse(&page.Response)))
		if err != nil {
			return nil, err
		}
		page.Items, page.NextPageToken, page.TotalCount = out.items, out.next, out.total
		return &page, nil
	})
}
