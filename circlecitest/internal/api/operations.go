package api

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/internal/spec"
)

// operations returns the operations of the API. Those without a handler are not
// modeled.
func operations() []*exchange.Operation {
	var all []*exchange.Operation
	for _, listed := range [][]spec.Operation{spec.Operations, spec.Extras} {
		for _, op := range listed {
			key := op.Method + " " + op.Path
			query := slices.Concat(op.Query, spec.ExtraQuery[key], foreignQuery[key])
			if op.Method == http.MethodGet && !slices.Contains(query, exchange.PageToken) {
				// Not always declared, but accepted wherever a response has a token.
				query = append(query, exchange.PageToken)
			}
			all = append(all, &exchange.Operation{
				Key: key, Method: op.Method, Segments: strings.Split(op.Path[1:], "/"), Query: query,
				Required: without(op.Required, lenient[key]), Handle: handlers[key],
			})
		}
	}
	for _, routes := range []map[string]route{v11Routes, privateRoutes} {
		for _, key := range slices.Sorted(maps.Keys(routes)) {
			method, path, _ := strings.Cut(key, " /")
			all = append(all, &exchange.Operation{
				Key: key, Method: method, Segments: strings.Split(path, "/"), Query: routes[key].query, Sunset: routes[key].sunset, Handle: routes[key].handle,
			})
		}
	}
	all = slices.Concat(operationsV3(), all) // of two with one route the first counts
	return append(all, &exchange.Operation{
		Key: openAPIKey, Method: http.MethodGet, Segments: []string{"openapi.json"}, Handle: handlers[openAPIKey],
	})
}

// operationsV3 returns the operations of the API v3. Their handlers check the
// required parameters. The output of steps is among the other operations,
// because package circleci reads it too.
func operationsV3() (all []*exchange.Operation) {
	for _, op := range spec.V3 {
		key := op.Method + " " + op.Path
		if handle := handlers[key]; handle != nil {
			all = append(all, &exchange.Operation{
				Key: key, Method: op.Method, Segments: strings.Split(op.Path[1:], "/"), Query: op.Query, Handle: handle,
			})
		}
	}
	return all
}

// foreignQuery has query parameters that only other clients send.
var foreignQuery = map[string][]string{"GET /context": {"name"}}

// lenient has parameters that the document requires, but the API does not.
var lenient = map[string]string{
	"GET /deploy/environments":                       "page-size",
	"GET /deploy/components":                         "page-size",
	"GET /deploy/components/{component_id}/versions": "page-size",
}

func without(all []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return name == one })
}

// Route finds the operation of a request. If several match, the one with the
// most literal segments wins.
func (s *API) Route(r *exchange.Request) {
	path := r.Path()[1:]
	if strings.HasSuffix(path, "/policy-bundle/") {
		path = strings.TrimSuffix(path, "/") // the API accepts it too
	}
	segments := strings.Split(path, "/")
	best := -1
	for _, op := range s.ops {
		if op.Method != r.HTTP.Method {
			continue
		}
		params := map[string]string{}
		if literal, ok := match(op.Segments, segments, params); ok && literal > best {
			best, r.Op, r.Params = literal, op, params
		}
	}
}

// match compares a template with a path, and counts the literal segments. A
// slug takes several segments, or one if its slashes are escaped.
func match(template, path []string, params map[string]string) (literal int, ok bool) {
	for i, name := range template {
		if len(path) == 0 {
			return 0, false
		}
		if name[0] != '{' {
			if path[0] != name {
				return 0, false
			}
			literal, path = literal+1, path[1:]
			continue
		}
		width := 1
		if want := slugWidth[name]; want > 1 && !isOneSegmentSlug(path[0], want) {
			width = want
		}
		if name == "{org-slug-or-id}" && isProvider(path[0]) {
			width = 2
		}
		if len(path) < width || i < len(template)-1 && len(path) == width {
			return 0, false
		}
		value, err := url.PathUnescape(strings.Join(path[:width], "/"))
		if err != nil || value == "" || !fits(name, value) {
			return 0, false
		}
		params[name[1:len(name)-1]] = value
		path = path[width:]
	}
	return literal, len(path) == 0
}

var slugWidth = map[string]int{"{project-slug}": 3, "{org-slug}": 2}

// isProvider reports whether a segment is the first one of a slug.
func isProvider(segment string) bool {
	return slices.Contains([]string{"gh", "github", "bb", "bitbucket", "circleci"}, segment)
}

// fits reports whether a value is valid for a parameter. Otherwise the path
// belongs to another route, which is not modeled.
func fits(name, value string) bool {
	switch name {
	case "{build-number}":
		_, err := strconv.ParseInt(value, 10, 64)
		return err == nil
	case "{stream}":
		return value == "stdout" || value == "stderr"
	}
	return true
}

func isOneSegmentSlug(segment string, width int) bool {
	if uuid.Validate(segment) == nil {
		return true
	}
	text, err := url.PathUnescape(segment)
	return err == nil && strings.Count(text, "/") == width-1
}
