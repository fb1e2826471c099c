// Package api handles the operations of the API, with one file for each
// resource. A table maps methods and routes to handlers.
package api

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
)

// API responds to requests as CircleCI does.
type API struct {
	engine *engine.Engine
	ops    []*exchange.Operation
	Kebab  bool // responses spell keys as the document does
	// WithoutV11Triggers makes the routes that start builds by the API v1.1 respond with 410.
	WithoutV11Triggers bool
	// WithoutRepeats ends the list of a context's variables, which CircleCI repeats.
	WithoutRepeats bool
	// WithoutV3 leaves out the API v3, as on CircleCI server.
	WithoutV3 bool
}

// New returns the API of an engine.
func New(e *engine.Engine) *API { return &API{engine: e, ops: operations()} }

// Has reports whether an operation exists, given as a method and a route.
func (s *API) Has(key string) bool {
	return slices.ContainsFunc(s.ops, func(o *exchange.Operation) bool { return o.Key == key })
}

// Answer responds to a request for the API.
func (s *API) Answer(r *exchange.Request) *exchange.Answer {
	if s.WithoutV3 && strings.HasPrefix(r.Path(), "/api/v3/") {
		return exchange.Message(http.StatusNotFound, "Not found")
	}
	if r.Op == nil || r.Op.Handle == nil {
		return notModeled(r)
	}
	if a := s.authorize(r); a != nil {
		return a
	}
	if r.Op.Sunset && s.WithoutV11Triggers {
		return announceSunset(exchange.Message(http.StatusGone, "This endpoint has been removed."))
	}
	if a := inspect(r); a != nil {
		return a
	}
	a := r.Op.Handle(s.engine, r)
	if s.WithoutRepeats && r.Op.Key == listContextVars && a.Status == http.StatusOK {
		a.Body.(form.Object)["next_page_token"] = nil // one page has all of them
	}
	if r.Op.Sunset {
		announceSunset(a)
	}
	if len(r.Body) > 0 && !r.Notes.Read && a.Status < http.StatusBadRequest {
		if a := r.Complain("%s takes no body: the API would ignore it", r.Op.Key); a != nil {
			return a
		}
	}
	if s.Kebab {
		a.Body = respell(r.Op.Key, a.Body)
	}
	a.Announce(exchange.Generous, exchange.Generous-1, time.Second)
	return a
}

// notModeled responds to an operation without a handler.
func notModeled(r *exchange.Request) *exchange.Answer {
	return exchange.Message(http.StatusNotImplemented, "circlecitest does not model "+r.HTTP.Method+" "+r.Path())
}

// authorize checks the token. A continuation has a key in its body instead.
func (s *API) authorize(r *exchange.Request) *exchange.Answer {
	switch {
	case s.knows(r) || r.Op.Key == "POST /pipeline/continue" || r.Op.Key == openAPIKey:
		return nil
	case r.Token() == "":
		return exchange.Message(http.StatusUnauthorized, "You must log in first.")
	}
	return exchange.Message(http.StatusUnauthorized, "Invalid token provided.")
}

// knows reports whether a request has the server's token.
func (s *API) knows(r *exchange.Request) bool { return r.Token() == s.engine.Token && !r.Expired }

// inspect refuses what the API refuses, and records complaints about what it
// ignores.
func inspect(r *exchange.Request) *exchange.Answer {
	if r.HTTP.Method == http.MethodGet && len(r.Body) > 0 {
		r.Complain("%s came with a body, which the API's edge refuses", r.Op.Key)
		return exchange.Text(http.StatusForbidden, "text/html", exchange.EdgePage)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Query)) {
		if slices.Contains(r.Op.Query, name) || name == "circle-token" { // the header is used instead
			continue
		}
		if a := r.Complain("%s has no query parameter %q: the API would ignore it (it has %v)", r.Op.Key, name, r.Op.Query); a != nil {
			return a
		}
	}
	for _, name := range r.Op.Required {
		if r.Query.Get(name) == "" {
			return r.Lacks(name)
		}
	}
	return nil
}

// announceSunset adds the headers by which the API announces the end of routes.
func announceSunset(a *exchange.Answer) *exchange.Answer {
	if a.Header == nil {
		a.Header = http.Header{}
	}
	a.Header.Set("Deprecation", "true")
	a.Header.Set("Sunset", "Mon, 01 Feb 2027 00:00:00 GMT")
	return a
}
