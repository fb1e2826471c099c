package circlecitest

import (
	"context"
	"encoding/binary"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
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
	tb   TB
	seed uint64

	mu       sync.Mutex
	token    string
	clock    clock
	past     bool // what happens now has happened long ago: see History
	ids      *rand.Rand
	chance   *rand.Rand // of what jobs do
	ops      []*operation
	requests []Request
	keep     int // of requests; 0: all
	kebab    bool
	weather  weather
	world    world

	sockets sockets
}

// world is all that the server knows.
type world struct {
	me       *user
	users    map[uuid.UUID]*user
	orgs     []*org
	projects []*project
	contexts []*envContext
	runs     runs

	webhooks  webhooks
	schedules schedules
	deploys   deploys
	exporters []*otelExporter
	exports   []*usageExport
}

// Option sets up a [Server].
type Option func(*Server)

// WithToken sets the token that the server takes.
func WithToken(token string) Option { return func(s *Server) { s.token = token } }

// WithDocumentSpelling makes answers spell their keys as CircleCI's OpenAPI
// document does, where the live API spells them otherwise: verify-tls for
// verify_tls.
func WithDocumentSpelling() Option { return func(s *Server) { s.kebab = true } }

// WithSeed changes the seed of all that is random: IDs, what jobs do by chance,
// and shares of faults. Two servers with one seed give the same answers to the
// same requests.
func WithSeed(seed uint64) Option { return func(s *Server) { s.seed = seed } }

// WithRequestsKept bounds the memory of [Server.Requests], and of
// [Server.Deliveries], to the last n or somewhat more; by default all are kept.
func WithRequestsKept(n int) Option { return func(s *Server) { s.keep = n } }

// The streams of random numbers, each of its own: that there are more of one
// kind changes nothing about the others.
const (
	streamIDs uint64 = iota
	streamChance
	streamWeather // and those that follow
)

func newRand(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

// New returns a server for a test: it is closed when the test ends, and a
// request that the API would misunderstand fails the test.
func New(tb TB, opts ...Option) *Server {
	tb.Helper()
	s := NewServer(opts...)
	s.tb = tb
	tb.Cleanup(s.Close)
	return s
}

// NewServer returns a server for a program, which has to close it.
func NewServer(opts ...Option) *Server {
	s := &Server{token: DefaultToken, seed: 1, clock: newClock()}
	for _, opt := range opts {
		opt(s)
	}
	s.ids, s.chance = newRand(s.seed, streamIDs), newRand(s.seed, streamChance)
	s.ops = operations()
	s.sockets.context, s.sockets.cancel = context.WithCancel(context.Background())
	s.world.webhooks.init(&s.mu)
	s.world.runs.init()
	s.world.users = map[uuid.UUID]*user{}
	s.world.me = s.addUser("ada", "Ada Lovelace")
	return s
}

// Close ends the server. Connections are closed, calls of webhooks broken off,
// and its time stands still.
func (s *Server) Close() {
	s.mu.Lock()
	s.clock.stop()
	s.world.webhooks.cancel()
	s.world.webhooks.wait()
	s.mu.Unlock()
	s.sockets.close()
}

// Token returns the token that the server takes.
func (s *Server) Token() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token
}

// Client returns a client of this server. It needs no socket, so that it works
// within testing/synctest: requests go to the server from memory, whichever
// host of CircleCI's they name.
func (s *Server) Client(opts ...circleci.Option) *circleci.Client {
	all := append([]circleci.Option{circleci.WithHTTPClient(&http.Client{Transport: s.Transport()})}, opts...)
	client, err := circleci.NewClient(s.Token(), all...)
	if err != nil {
		panic("circlecitest: " + err.Error()) // the options are no good
	}
	return client
}

// Transport returns a round tripper that carries requests to the server from
// memory.
func (s *Server) Transport() http.RoundTripper { return memory{s} }

// Request is a request that the server has got.
type Request struct {
	// Operation is the method and the route's template, such as
	// "GET /context/{context_id}"; "artifact" or "storage" for the hosts that
	// artifacts come from; empty if there is none.
	Operation string
	Method    string
	// Path is the escaped path as it came.
	Path string
	// Query and Header are as they came, but for a token, which reads REDACTED.
	Query  url.Values
	Header http.Header
	Body   []byte
	// Status is the status of the answer; 0 if there was none.
	Status int
	// Faults are those of [Server.Weather] that the request has met.
	Faults []string
	// Complaints say what the API would have taken without a word, or
	// misunderstood.
	Complaints []string
	Time       time.Time // by the server's clock
}

// Requests returns the requests so far, the oldest first.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Now returns the time by the server's clock.
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// What stands for a token, and where the API of old took one.
const (
	redacted   = "REDACTED"
	queryToken = "circle-token"
)

func (s *Server) record(r *request, a *answer) {
	header := maps.Clone(r.http.Header)
	for _, name := range []string{"Circle-Token", "Authorization"} {
		if header.Get(name) != "" {
			header[name] = []string{redacted}
		}
	}
	query := r.query
	if query.Has(queryToken) {
		query = maps.Clone(query)
		query.Set(queryToken, redacted)
	}
	seen := Request{
		Operation: r.key(), Method: r.http.Method, Path: r.http.URL.EscapedPath(), Query: query, Header: header, Body: r.body,
		Status: a.status, Faults: r.notes.faults, Complaints: r.notes.complaints, Time: s.now(),
	}
	if a.fault.broken {
		seen.Status = 0
	}
	s.requests = append(s.requests, seen)
	if s.keep > 0 && len(s.requests) >= 2*s.keep {
		s.requests = slices.Clone(s.requests[len(s.requests)-s.keep:])
	}
}

// newID returns a random UUID.
func (s *Server) newID() uuid.UUID {
	var id uuid.UUID
	binary.LittleEndian.PutUint64(id[:8], s.ids.Uint64())
	binary.LittleEndian.PutUint64(id[8:], s.ids.Uint64())
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

// handle takes a request to its answer.
func (s *Server) handle(hr *http.Request, h host) *answer {
	r := &request{server: s, http: hr, query: hr.URL.Query(), host: h, notes: &notes{}}
	if hr.Body != nil {
		r.body, _ = io.ReadAll(hr.Body) // what breaks off is a bad body
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp()
	if r.isAPI() {
		s.route(r)
	}
	a := s.weather.answer(s, r)
	a.encode()
	s.record(r, a)
	return a
}

// execute answers as the API would.
func (s *Server) execute(r *request) *answer {
	switch {
	case !r.isAPI():
		return s.answerOther(r)
	case r.op == nil || r.op.handle == nil:
		return message(http.StatusNotImplemented, "circlecitest does not model "+r.http.Method+" "+r.path())
	}
	if a := s.authorize(r); a != nil {
		return a
	}
	if a := s.inspect(r); a != nil {
		return a
	}
	a := r.op.handle(s, r)
	if len(r.body) > 0 && !r.notes.read && a.status < http.StatusBadRequest {
		if a := r.complain("%s takes no body: the API would ignore it", r.op.key); a != nil {
			return a
		}
	}
	if s.kebab {
		a.body = respell(r.op.key, a.body)
	}
	a.announce(generous, generous-1, time.Second)
	return a
}

// authorize checks the token. A continuation brings its key in its body.
func (s *Server) authorize(r *request) *answer {
	switch {
	case s.knows(r) || r.op.key == "POST /pipeline/continue":
		return nil
	case r.token() == "":
		return message(http.StatusUnauthorized, "You must log in first.")
	}
	return message(http.StatusUnauthorized, "Invalid token provided.")
}

// knows reports whether a request bears the server's token.
func (s *Server) knows(r *request) bool { return r.token() == s.token && !r.expired }

// inspect refuses what the API refuses, and complains of what it ignores.
func (s *Server) inspect(r *request) *answer {
	if r.http.Method == http.MethodGet && len(r.body) > 0 {
		r.complain("%s came with a body, which the API's edge refuses", r.op.key)
		return text(http.StatusForbidden, "text/html", edgePage)
	}
	for _, name := range slices.Sorted(maps.Keys(r.query)) {
		if slices.Contains(r.op.query, name) {
			continue
		}
		if a := r.complain("%s has no query parameter %q: the API would ignore it (it has %v)", r.op.key, name, r.op.query); a != nil {
			return a
		}
	}
	for _, name := range r.op.required {
		if r.query.Get(name) == "" {
			return r.lacks(name)
		}
	}
	return nil
}
