package circlecitest

import (
	"io"
	"net/http"

	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
)

// The maximum sizes of request bodies, in bytes.
const (
	mostBody        = 8 << 20
	mostControlBody = 4 << 20  // of the scripting routes
	mostKept        = 64 << 10 // that a server with [WithRequestsKept] keeps
	smallBody       = 64 << 10 // that is read whatever else is in memory
)

// largeBodies is how many bodies larger than smallBody are in memory at a time.
// More requests than that wait, which costs nothing: one is handled at a time.
const largeBodies = 8

// read reads the body of a request that carries the token or a continuation
// key, and reports whether the body is too large. The caller calls done when
// it has handled the request.
func (s *Server) read(r *exchange.Request) (tooLarge bool, done func()) {
	if r.HTTP.Body == nil || r.Token() != s.Token() && r.HTTP.URL.Path != "/api/v2/pipeline/continue" {
		return false, func() {}
	}
	r.Body, done = s.readBody(r.HTTP, mostBody)
	return len(r.Body) > mostBody, done
}

// readBody reads a body up to a size, and one byte more if it is larger. A body
// that breaks off is an invalid one.
func (s *Server) readBody(r *http.Request, most int64) (body []byte, done func()) {
	body, _ = io.ReadAll(io.LimitReader(r.Body, smallBody))
	if len(body) < smallBody {
		return body, func() {}
	}
	select {
	case s.large <- struct{}{}:
	case <-r.Context().Done():
		return body, func() {}
	}
	rest, _ := io.ReadAll(io.LimitReader(r.Body, most+1-smallBody))
	return append(body, rest...), func() { <-s.large }
}
