package exchange

import (
	"net/http"

	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// Operation is an operation of the API with its handler.
type Operation struct {
	Key      string // method and route: "GET /context/{context_id}"
	Method   string
	Segments []string
	Query    []string
	Required []string
	Sunset   bool // starts or reruns builds by the API v1.1, which CircleCI removes in February 2027
	Handle   Handler
}

// Family returns the family of routes that share a rate limit.
func (o *Operation) Family() string { return o.Segments[0] }

// Handler returns the response to a request. The server is locked.
type Handler func(*engine.Engine, *Request) *Answer

// PageToken is the query parameter with the token of a page.
const PageToken = "page-token"

// WithProject returns a handler for a route with a project's slug.
func WithProject(do func(s *engine.Engine, r *Request, p *world.Project) *Answer) Handler {
	return func(s *engine.Engine, r *Request) *Answer {
		if world.HasNames(r.Slug()) {
			return Message(http.StatusBadRequest, "Invalid project slug "+r.Slug())
		}
		p := s.ProjectBy(r.Slug())
		if p == nil {
			return Message(http.StatusNotFound, "Project not found")
		}
		return do(s, r, p)
	}
}
