package circlecitest

import (
	"net/http"
	"time"

	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/weather"
)

// Fault is one kind of bad weather, for [Server.Weather]: what goes wrong, for
// which requests, and when. Its methods change it and return it; without them
// it meets every request, from now on, for good.
//
//	srv.Weather(circlecitest.ServerError(503).For("GET /me").Times(3))
//	srv.Weather(circlecitest.BrokenConnection().Share(0.05))
type Fault struct{ fault weather.Fault }

// For limits the fault to operations: each is a method and a route's template,
// such as "GET /context/{context_id}", or "*" for all. "artifact" is the host
// that redirects to artifacts, and "storage" the one behind it.
func (f *Fault) For(ops ...string) *Fault {
	f.fault.Ops = append(f.fault.Ops, ops...)
	return f
}

// Skip lets the first n requests pass.
func (f *Fault) Skip(n int) *Fault {
	f.fault.Skip = n
	return f
}

// Times ends the fault after n requests.
func (f *Fault) Times(n int) *Fault {
	f.fault.Times = n
	return f
}

// Share applies the fault to a fraction of the requests: 0.1 is one in ten, by
// chance. The server's seed decides which, always the same for the same
// requests in the same order.
func (f *Fault) Share(part float64) *Fault {
	f.fault.Share = part
	return f
}

// From has the fault begin at a time of the server's clock, such as
// srv.Now().Add(time.Hour).
func (f *Fault) From(t time.Time) *Fault {
	f.fault.From = t
	return f
}

// Until has the fault end at a time of the server's clock.
func (f *Fault) Until(t time.Time) *Fault {
	f.fault.Until = t
	return f
}

// Executed has the server do what was asked before things go wrong: the client
// cannot know.
func (f *Fault) Executed() *Fault {
	f.fault.Executed = true
	return f
}

// String says what goes wrong, for people.
func (f *Fault) String() string { return f.fault.String() }

// Response is an answer that a test gives in place of the server's own.
type Response struct {
	// Status is the HTTP status; 200 if it is 0.
	Status int
	Header http.Header
	// Body goes as it is. It is taken for JSON unless Header has a
	// Content-Type.
	Body string
	// Latency is how long the answer takes, by our clock.
	Latency time.Duration
	// CutAfter breaks the connection after so many bytes of the body.
	CutAfter int64
	// Broken breaks the connection before any answer.
	Broken bool
	// Executed has the server do what was asked before the trouble. If Status
	// is 0 its own answer goes out, late or cut as the other fields say.
	Executed bool
}

// Answer is a response of the test's own.
func Answer(response Response) *Fault { return &Fault{weather.Answer(weather.Response(response))} }

// ServerError is an answer with this status, of 500 and above.
func ServerError(status int) *Fault { return &Fault{weather.ServerError(status)} }

// EdgeBlock is a 403 with a page of HTML, from the edge before the API.
func EdgeBlock() *Fault { return &Fault{weather.EdgeBlock()} }

// BrokenConnection breaks the connection before the answer.
func BrokenConnection() *Fault { return &Fault{weather.BrokenConnection()} }

// TruncatedBody breaks the connection in the middle of the answer's body. What
// was asked for has been done.
func TruncatedBody() *Fault { return &Fault{weather.TruncatedBody()} }

// Latency holds answers back, by our clock; within testing/synctest by the
// bubble's. Several add up.
func Latency(d time.Duration) *Fault { return &Fault{weather.Latency(d)} }

// RateLimit refuses requests with 429 as CircleCI does: each family of routes,
// by its first segment, has a bucket of n tokens that fills up within per, by
// our clock. All answers tell in both families of headers what is left; the
// refusal is the text "Rate limited." with a Retry-After.
func RateLimit(n int, per time.Duration) *Fault { return &Fault{weather.RateLimit(n, per)} }

// StuckToken has lists go round: each page is the first one, and names the same
// next page.
func StuckToken() *Fault { return &Fault{weather.StuckToken()} }

// RepeatedPage serves the first page forever, with new tokens.
func RepeatedPage() *Fault { return &Fault{weather.RepeatedPage()} }

// StorageRedirect sends API calls on to a storage host of another origin, where
// the answer is. A token that arrives there fails the test.
func StorageRedirect() *Fault { return &Fault{weather.StorageRedirect()} }

// ExpiredToken refuses the token that the server takes now. It goes with
// [Fault.From], and with [Server.RotateToken] for what helps.
func ExpiredToken() *Fault { return &Fault{weather.ExpiredToken()} }

// RotateToken has the server take another token, and refuse the one before.
func (s *Server) RotateToken(token string) {
	s.engine.Lock()
	defer s.engine.Unlock()
	s.engine.Token = token
}

// Weather makes things go wrong, until [Server.ClearWeather]. Faults act
// together: the first given is the outermost, and what it lets pass meets the
// next.
func (s *Server) Weather(faults ...*Fault) {
	s.engine.Lock()
	defer s.engine.Unlock()
	for _, f := range faults {
		for _, op := range f.fault.Ops {
			s.mustHave(op)
		}
		s.weather.Add(f.fault)
	}
}

// ClearWeather ends all that goes wrong.
func (s *Server) ClearWeather() {
	s.engine.Lock()
	defer s.engine.Unlock()
	s.weather.Clear()
}

// Fail answers the next requests of an operation with these responses, one
// each, in place of the server's own: each is an [Answer] of its own. The
// operation is named as in [Fault.For].
func (s *Server) Fail(op string, responses ...Response) {
	s.engine.Lock()
	defer s.engine.Unlock()
	s.mustHave(op)
	for _, response := range responses {
		s.weather.Plan(op, weather.Response(response))
	}
}

// mustHave panics for an operation that does not exist: it would never fail.
func (s *Server) mustHave(op string) {
	if op != exchange.AnyKey && op != exchange.ArtifactKey && op != exchange.StorageKey && !s.api.Has(op) {
		panic("circlecitest: there is no operation " + op)
	}
}
