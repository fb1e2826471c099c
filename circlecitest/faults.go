package circlecitest

import (
	"net/http"
	"slices"
	"time"
)

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

// fault is what goes wrong with the sending of an answer.
type fault struct {
	latency time.Duration
	cut     int64 // bytes after which the connection breaks; 0: none
	broken  bool
	from    int64 // where a content begins, for ranges
}

// weather is all that goes wrong.
type weather struct {
	planned map[string][]Response // by operation
}

// Fail answers the next requests of an operation with these responses, one
// each, in place of the server's own. The operation is the method and the
// route's template, such as "GET /context/{context_id}", or "*" for any.
//
// "artifact" and "storage" are the hosts that artifacts come from: the first
// redirects to the second.
func (s *Server) Fail(op string, responses ...Response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if op != "*" && op != artifactKey && op != storageKey && !slices.ContainsFunc(s.ops, func(o *operation) bool { return o.key == op }) {
		panic("circlecitest: there is no operation " + op)
	}
	if s.weather.planned == nil {
		s.weather.planned = map[string][]Response{}
	}
	s.weather.planned[op] = append(s.weather.planned[op], responses...)
}

// The operations that are no operations of the API v2: what serves artifacts.
const (
	artifactKey = "artifact" // the host that redirects
	storageKey  = "storage"  // the host behind it
)

// strike returns the answer that is planned for a request; nil if none is.
func (w *weather) strike(s *Server, r *request) *answer {
	for _, key := range []string{r.key(), "*"} {
		if planned := w.planned[key]; len(planned) > 0 {
			w.planned[key] = planned[1:]
			return planned[0].strike(s, r)
		}
	}
	return nil
}

// strike makes the answer of a plan.
func (p Response) strike(s *Server, r *request) *answer {
	if p.Executed {
		own := s.execute(r)
		if p.Status == 0 {
			own.fault.latency, own.fault.cut, own.fault.broken = p.Latency, p.CutAfter, p.Broken
			return own
		}
	}
	a := &answer{status: p.Status, header: p.Header.Clone(), body: p.Body}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	if a.header == nil {
		a.header = http.Header{}
	}
	if a.header.Get("Content-Type") == "" {
		a.header.Set("Content-Type", "application/json;charset=utf-8")
	}
	a.fault = fault{latency: p.Latency, cut: p.CutAfter, broken: p.Broken}
	return a
}

// announce adds the headers of the rate limit: one so generous that nobody
// meets it, and clients know where they stand.
func (w *weather) announce(_ *Server, _ *request, a *answer) {
	if a.header == nil {
		a.header = http.Header{}
	}
	a.header.Set("X-RateLimit-Limit", "1000000")
	a.header.Set("X-RateLimit-Remaining", "999999")
	a.header.Set("X-RateLimit-Reset", "1")
}
