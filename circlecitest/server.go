package circlecitest

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/api"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/weather"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// DefaultToken is the token that a server accepts, unless [WithToken] sets
// another one.
const DefaultToken = "CCIPAT_circlecitest_0123456789abcdef0123456789abcdef01234567"

// TB is the part of [testing.TB] that a server uses.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Cleanup(func())
}

// Server is a fake CircleCI server. It is safe for concurrent use.
type Server struct {
	tb      TB
	engine  *engine.Engine
	api     *api.API
	weather *weather.Weather

	requests []Request
	keep     int  // the number of requests kept; 0 keeps all
	strict   bool // refuse what the API would ignore

	allowedHosts []string
	controls     http.Handler
	pageRoutes   http.Handler

	sockets sockets
	large   chan struct{} // has one element for each large body in memory
}

// Option configures a [Server].
type Option func(*Server)

// New returns a server for a test. It is closed when the test ends, and a
// request that the API would ignore in part or misunderstand fails the test.
func New(tb TB, opts ...Option) *Server {
	tb.Helper()
	s := NewServer(append([]Option{WithStrictness()}, opts...)...)
	s.tb = tb
	tb.Cleanup(s.Close)
	return s
}

// NewServer returns a server for a program, which must call [Server.Close].
// Like the API, it ignores unknown query parameters and members of request
// bodies, unless [WithStrictness] is given; [Server.Requests] reports them as
// complaints.
func NewServer(opts ...Option) *Server {
	e := engine.New(world.New(DefaultToken))
	s := &Server{engine: e, api: api.New(e), weather: weather.New(e.World), large: make(chan struct{}, largeBodies)}
	for _, opt := range opts {
		opt(s)
	}
	e.Populate()
	s.controls, s.pageRoutes = s.control(), s.pages()
	s.sockets.context, s.sockets.cancel = context.WithCancel(context.Background())
	return s
}

// Close stops the server. It closes all connections, cancels webhook deliveries
// in progress, and stops the server's clock.
func (s *Server) Close() {
	s.engine.Lock()
	s.engine.Close()
	s.engine.Unlock()
	s.sockets.close()
}

// Token returns the token that the server accepts.
func (s *Server) Token() string {
	s.engine.Lock()
	defer s.engine.Unlock()
	return s.engine.Token
}

// Client returns a client for this server. It sends all requests to the server
// in memory, whichever CircleCI host they name, so it needs no socket and works
// within testing/synctest. Client panics if the options are invalid.
func (s *Server) Client(opts ...circleci.Option) *circleci.Client {
	all := append([]circleci.Option{circleci.WithHTTPClient(&http.Client{Transport: s.Transport()})}, opts...)
	client, err := circleci.NewClient(s.Token(), all...)
	if err != nil {
		panic("circlecitest: " + err.Error()) // an option is invalid
	}
	return client
}

// Transport returns a round tripper that sends requests to the server in
// memory.
func (s *Server) Transport() http.RoundTripper { return memory{s} }

// Request is a request that the server has received.
type Request struct {
	// Operation is the method and the route's template, such as
	// "GET /context/{context_id}". It is "artifact" or "storage" for requests
	// to the hosts that serve artifacts, and empty if no route matches.
	Operation string
	Method    string
	// Path is the escaped path, as sent.
	Path string
	// Query and Header are as sent, except that tokens are replaced with
	// REDACTED.
	Query  url.Values
	Header http.Header
	Body   []byte
	// Status is the response status; 0 if there was no response.
	Status int
	// Refusal is the beginning of the response body if the status is 400 or
	// above.
	Refusal string
	// Faults describe the faults of [Server.Weather] that applied to the
	// request.
	Faults []string
	// Complaints describe what the API would have ignored or misunderstood.
	Complaints []string
	Time       time.Time // on the server's clock
}

// Requests returns the requests received so far, oldest first.
func (s *Server) Requests() []Request {
	s.engine.Lock()
	defer s.engine.Unlock()
	return slices.Clone(s.requests)
}

// redacted replaces tokens; queryToken is where older versions of the API took one.
const (
	redacted   = "REDACTED"
	queryToken = "circle-token"
)

func (s *Server) record(r *exchange.Request, a *exchange.Answer) {
	header := maps.Clone(r.HTTP.Header)
	for _, name := range []string{"Circle-Token", "Authorization"} {
		if header.Get(name) != "" {
			header[name] = []string{redacted}
		}
	}
	query := r.Query
	if query.Has(queryToken) {
		query = maps.Clone(query)
		query.Set(queryToken, redacted)
	}
	seen := Request{
		Operation: r.Key(), Method: r.HTTP.Method, Path: r.HTTP.URL.EscapedPath(), Query: query, Header: header, Body: r.Body,
		Status: a.Status, Faults: r.Notes.Faults, Complaints: r.Notes.Complaints, Time: s.engine.Now(),
	}
	if a.Fault.Broken {
		seen.Status = 0
	}
	if seen.Status >= http.StatusBadRequest {
		seen.Refusal = a.Beginning(mostRefusal)
	}
	if s.keep > 0 && len(seen.Body) > mostKept {
		seen.Body = slices.Clone(seen.Body[:mostKept])
	}
	s.requests = append(s.requests, seen)
	if s.keep > 0 && len(s.requests) >= 2*s.keep {
		s.requests = slices.Clone(s.requests[len(s.requests)-s.keep:])
	}
}

// handle returns the response to a request.
func (s *Server) handle(hr *http.Request, h exchange.Host) *exchange.Answer {
	r := exchange.NewRequest(hr, h, s.strict, s.hear)
	tooLarge, done := s.read(r)
	defer done()
	s.engine.Lock()
	defer s.engine.Unlock()
	s.engine.CatchUp()
	if r.IsAPI() {
		s.api.Route(r)
	}
	a := s.weather.Answer(r, s.execute)
	if tooLarge {
		a = exchange.Message(http.StatusRequestEntityTooLarge, "The request body is too large.")
	}
	a.Encode()
	s.record(r, a)
	return a
}

// mostRefusal is how much of a refusal is kept, in bytes.
const mostRefusal = 300

// execute answers as CircleCI would without faults.
func (s *Server) execute(r *exchange.Request) *exchange.Answer {
	if r.IsAPI() {
		return s.api.Answer(r)
	}
	if a := s.weather.Stored(r); a != nil {
		return a
	}
	return s.api.AnswerOther(r)
}

// hear fails the test with a complaint. Without a test, it returns false if the
// server is strict, so that the request is refused.
func (s *Server) hear(complaint string) bool {
	if s.tb != nil && !s.engine.Clock.Closed { // the test may have ended once the server is closed
		s.tb.Helper()
		s.tb.Errorf("circlecitest: %s", complaint)
	}
	return s.tb != nil || !s.strict
}
