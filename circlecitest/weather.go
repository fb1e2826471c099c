package circlecitest

import (
	"net/http"
	"time"

	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/weather"
)

// Fault is a fault for [Server.Weather]: what goes wrong, for which requests,
// and when. Its methods modify it and return it. By default a fault applies to
// every request, from now on and without end.
//
//	srv.Weather(circlecitest.ServerError(503).For("GET /me").Times(3))
//	srv.Weather(circlecitest.BrokenConnection().Share(0.05))
type Fault struct{ fault weather.Fault }

// For limits the fault to the given operations. Each is a method and a route's
// template, such as "GET /context/{context_id}", or "*" for all. "artifact" is
// the host that redirects to artifacts, and "storage" is the host that stores
// them.
func (f *Fault) For(ops ...string) *Fault {
	f.fault.Ops = append(f.fault.Ops, ops...)
	return f
}

// Skip exempts the first n requests.
func (f *Fault) Skip(n int) *Fault {
	f.fault.Skip = n
	return f
}

// Times ends the fault after n requests.
func (f *Fault) Times(n int) *Fault {
	f.fault.Times = n
	return f
}

// Share applies the fault to a fraction of the requests, at random: 0.1 is one
// in ten. The server's seed decides which; the same requests in the same order
// always meet the same faults.
func (f *Fault) Share(part float64) *Fault {
	f.fault.Share = part
	return f
}

// From starts the fault at a time on the server's clock, such as
// srv.Now().Add(time.Hour).
func (f *Fault) From(t time.Time) *Fault {
	f.fault.From = t
	return f
}

// Until ends the fault at a time on the server's clock.
func (f *Fault) Until(t time.Time) *Fault {
	f.fault.Until = t
	return f
}

// Executed makes the request take effect before the fault, which the client
// cannot know.
func (f *Fault) Executed() *Fault {
	f.fault.Executed = true
	return f
}

// String describes the fault for people.
func (f *Fault) String() string { return f.fault.String() }

// Response is a response that a test sets in place of the server's own.
type Response struct {
	// Status is the HTTP status. Zero means 200.
	Status int
	Header http.Header
	// Body is sent as is. Its Content-Type is application/json unless Header
	// has another.
	Body string
	// Latency delays the response, in real time.
	Latency time.Duration
	// CutAfter breaks the connection after that many bytes of the body. Zero
	// sends all of it.
	CutAfter int64
	// Broken breaks the connection before any response.
	Broken bool
	// Executed makes the request take effect first. If Status is 0, the server
	// sends its own response, delayed or cut as the other fields say.
	Executed bool
}

// Answer returns a fault that replaces the server's response.
func Answer(response Response) *Fault { return &Fault{weather.Answer(weather.Response(response))} }

// ServerError returns a fault that responds with this status of 500 or above.
func ServerError(status int) *Fault { return &Fault{weather.ServerError(status)} }

// EdgeBlock returns a fault that responds with a 403 and an HTML page, as the
// edge in front of the API does.
func EdgeBlock() *Fault { return &Fault{weather.EdgeBlock()} }

// BrokenConnection returns a fault that breaks the connection before the
// response.
func BrokenConnection() *Fault { return &Fault{weather.BrokenConnection()} }

// TruncatedBody returns a fault that breaks the connection in the middle of the
// response body, after the request has taken effect.
func TruncatedBody() *Fault { return &Fault{weather.TruncatedBody()} }

// Latency returns a fault that delays responses, in real time or, within
// testing/synctest, in the bubble's time. Several latencies add up.
func Latency(d time.Duration) *Fault { return &Fault{weather.Latency(d)} }

// RateLimit returns a fault that limits the rate as CircleCI does. Each family
// of routes, given by the first path segment, has a token bucket of n tokens
// that refills within per, in real time. A request beyond that gets a 429 with
// a Retry-After header and the text "Rate limited.". All responses report the
// remaining requests, in both families of headers.
func RateLimit(n int, per time.Duration) *Fault { return &Fault{weather.RateLimit(n, per)} }

// StuckToken returns a fault that serves the first page of a list forever,
// always with the same next page token.
func StuckToken() *Fault { return &Fault{weather.StuckToken()} }

// RepeatedPage returns a fault that serves the first page of a list forever,
// with new page tokens.
func RepeatedPage() *Fault { return &Fault{weather.RepeatedPage()} }

// StorageRedirect returns a fault that redirects API calls to the storage host,
// which has another origin and returns the response. A token that is sent there
// fails the test.
func StorageRedirect() *Fault { return &Fault{weather.StorageRedirect()} }

// ExpiredToken returns a fault that refuses the token which the server accepts
// when [Server.Weather] adds the fault. Use it with [Fault.From];
// [Server.RotateToken] sets a token that works again.
func ExpiredToken() *Fault { return &Fault{weather.ExpiredToken()} }

// RotateToken replaces the token that the server accepts. The old one is
// refused.
func (s *Server) RotateToken(token string) {
	s.engine.Lock()
	defer s.engine.Unlock()
	s.engine.Token = token
}

// Weather adds faults, which act until [Server.ClearWeather]. They act
// together: the first one given is the outermost, and requests that it lets
// pass reach the next. Weather panics if a fault is limited to an operation
// that does not exist.
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

// ClearWeather removes all faults.
func (s *Server) ClearWeather() {
	s.engine.Lock()
	defer s.engine.Unlock()
	s.weather.Clear()
}

// Fail gives these responses to the next requests of an operation, one each, in
// place of the server's own. The operation is named as in [Fault.For]. It
// panics if the operation does not exist.
func (s *Server) Fail(op string, responses ...Response) {
	s.engine.Lock()
	defer s.engine.Unlock()
	s.mustHave(op)
	for _, response := range responses {
		s.weather.Plan(op, weather.Response(response))
	}
}

// mustHave panics if an operation does not exist, because its fault would never
// apply.
func (s *Server) mustHave(op string) {
	if op != exchange.AnyKey && op != exchange.ArtifactKey && op != exchange.StorageKey && !s.api.Has(op) {
		panic("circlecitest: there is no operation " + op)
	}
}
