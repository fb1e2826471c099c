package circlecitest

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/api"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/weather"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// DefaultToken is the token that a server takes, unless [WithToken] says
// otherwise.
const DefaultToken = "CCIPAT_circlecitest_0123456789abcdef0123456789abcdef01234567"

// TB is what a server needs of a test; *testing.T has it.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Cleanup(func())
}

// Server is a CircleCI of its own. It is safe for concurrent use.
type Server struct {
	tb      TB
	engine  *engine.Engine
	api     *api.API
	weather *weather.Weather

	requests []Request
	keep     int  // of requests; 0: all
	strict   bool // refuses what the API would ignore

	allowedHosts []string
	controls     http.Handler
	pageRoutes   http.Handler

	sockets sockets
}

// Option sets up a [Server].
type Option func(*Server)

// New returns a server for a test: it is closed when the test ends, and a
// request that the API would misunderstand fails the test.
func New(tb TB, opts ...Option) *Server {
	tb.Helper()
	s := NewServer(append([]Option{WithStrictness()}, opts...)...)
	s.tb = tb
	tb.Cleanup(s.Close)
	return s
}

// NewServer returns a server for a program, which has to close it. What the API
// would ignore, the server ignores as well, unless [WithStrictness] says
// otherwise; [Server.Requests] has the complaints.
func NewServer(opts ...Option) *Server {
	e := engine.New(world.New(DefaultToken))
	s := &Server{engine: e, api: api.New(e), weather: weather.New(e.World)}
	for _, opt := range opts {
		opt(s)
	}
	e.Populate()
	s.controls, s.pageRoutes = s.control(), s.pages()
	s.sockets.context, s.sockets.cancel = context.WithCancel(context.Background())
	return s
}

// Close ends the server. Connections are closed, calls of webhooks broken off,
// and its time stands still.
func (s *Server) Close() {
	s.engine.Lock()
	s.engine.Close()
	s.engine.Unlock()
	s.sockets.close()
}

// Token returns the token that the server takes.
func (s *Server) Token() string {
	s.engine.Lock()
	defer s.engine.Unlock()
	return s.engine.Token
}

// Client returns a client of this server. It needs no socket, so that it works
// within testing/synctest: requests go to the server from memory, whichever
// host of CircleCI's they name.
func (s *Server) Client(opts ...circleci.Option) *circleci.Client {
	all := append([]circleci.Option{circleci.WithHTTPClient(&http.Client{Transport: s.Transport()})}, opts...)
	client, err := circleci.NewClient(s.Token(), all...)
	if err != nil {
		panic("circlecitest: " + err.Error()) // the options are wrong
	}
	return client
}

// Transport returns a round tripper that carries requests to the server from
// memory.
func (s *Server) Transport() http.RoundTripper { return memory{s} }

// Request is a request that the server has received.
type Request struct {
	// Operation is the method and the route's template, such as
	// "GET /context/{context_id}"; "artifact" or "storage" for the hosts that
	// artifacts come from; empty if there is none.
	Operation string
	Method    string
	// Path is the escaped path that was sent.
	Path string
	// Query and Header are what was sent, except for a token, which reads
	// REDACTED.
	Query  url.Values
	Header http.Header
	Body   []byte
	// Status is the status of the answer; 0 if there was none.
	Status int
	// Refusal is the beginning of the body of an answer of 400 and above.
	Refusal string
	// Faults are those of [Server.Weather] that the request has met.
	Faults []string
	// Complaints say what the API would have accepted and ignored, or
	// misunderstood.
	Complaints []string
	Time       time.Time // by the server's clock
}

// Requests returns the requests so far, the oldest first.
func (s *Server) Requests() []Request {
	s.engine.Lock()
	defer s.engine.Unlock()
	return slices.Clone(s.requests)
}

// What stands for a token, and where the API of old took one.
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

// handle takes a request to its answer.
func (s *Server) handle(hr *http.Request, h exchange.Host) *exchange.Answer {
	r := exchange.NewRequest(hr, h, s.strict, s.hear)
	tooLarge := s.read(r)
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

// mostBody is how large the body of a request may be, in bytes; mostKept is how
// much of it a server remembers that is to run for long.
const (
	mostBody    = 8 << 20
	mostKept    = 64 << 10
	mostRefusal = 300
)

// read reads the body of a request that comes with the token, or with the key of
// a continuation, and reports whether it is too large.
func (s *Server) read(r *exchange.Request) (tooLarge bool) {
	if r.HTTP.Body == nil || r.Token() != s.Token() && !strings.HasSuffix(r.HTTP.URL.Path, "/pipeline/continue") {
		return false
	}
	r.Body, _ = io.ReadAll(io.LimitReader(r.HTTP.Body, mostBody+1)) // what breaks off is a bad body
	return len(r.Body) > mostBody
}

// execute answers as CircleCI would in fair weather.
func (s *Server) execute(r *exchange.Request) *exchange.Answer {
	if r.IsAPI() {
		return s.api.Answer(r)
	}
	if a := s.weather.Stored(r); a != nil {
		return a
	}
	return s.api.AnswerOther(r)
}

// hear fails the test for a complaint. If there is no test, a strict server has
// the request refused: hear reports false.
func (s *Server) hear(complaint string) bool {
	if s.tb != nil && !s.engine.Clock.Closed { // else the test may have ended
		s.tb.Helper()
		s.tb.Errorf("circlecitest: %s", complaint)
	}
	return s.tb != nil || !s.strict
}
