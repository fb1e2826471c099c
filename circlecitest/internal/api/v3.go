package api

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// The API v3 tells of the same world as the API v2, in envelopes of its own.

// resource is something in the envelope of the API v3.
func resource(id uuid.UUID, attributes, references form.Object) form.Object {
	out := form.Object{"id": id, "attributes": attributes}
	if len(references) > 0 {
		out["references"] = references
	}
	return out
}

// ref is a reference to something.
func ref(id uuid.UUID) form.Object { return form.Object{"id": id} }

// named is a reference with a copy of a name.
func named(id uuid.UUID, name string) form.Object {
	return form.Object{"id": id, "attributes": form.Object{"name": name}}
}

func okV3(data form.Object) *exchange.Answer      { return exchange.OK(form.Object{"data": data}) }
func createdV3(data form.Object) *exchange.Answer { return exchange.Created(form.Object{"data": data}) }

func notFoundV3(what string) *exchange.Answer {
	return exchange.FailureV3(http.StatusNotFound, "not_found", what+" not found.", "")
}

func invalidV3(pointer, reason string) *exchange.Answer {
	return exchange.FailureV3(http.StatusBadRequest, "validation_error", "circlecitest: "+pointer+" "+reason, pointer)
}

// filterPointer is how an error names a parameter: filter[org_id] is
// /filter/org_id.
func filterPointer(name string) string {
	return "/" + strings.NewReplacer("[", "/", "]", "").Replace(name)
}

// filterID returns a parameter of the query that is a UUID.
func filterID(r *exchange.Request, name string) (uuid.UUID, *exchange.Answer) {
	text := r.Query.Get(name)
	if text == "" {
		return uuid.Nil, invalidV3(filterPointer(name), "is required")
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil, invalidV3(filterPointer(name), "is not a UUID")
	}
	return id, nil
}

// withFilter is a handler for a list that belongs to what a filter names.
func withFilter[T any](name, what string, find func(s *engine.Engine, id uuid.UUID) *T, do func(s *engine.Engine, r *exchange.Request, of *T) *exchange.Answer) exchange.Handler {
	return func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		id, a := filterID(r, name)
		if a != nil {
			return a
		}
		if of := find(s, id); of != nil {
			return do(s, r, of)
		}
		return notFoundV3(what)
	}
}

// withIDV3 is a handler for a route with the ID of something.
func withIDV3[T any](what string, find func(s *engine.Engine, id uuid.UUID) *T, do func(s *engine.Engine, r *exchange.Request, of *T) *exchange.Answer) exchange.Handler {
	return func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		name := "id"
		for _, other := range []string{"trigger_id", "job-id"} {
			if _, ok := r.Params[other]; ok {
				name = other
			}
		}
		id, err := uuid.Parse(r.Params[name])
		if err != nil {
			return exchange.FailureV3(http.StatusBadRequest, "invalid_path_param", "circlecitest: "+name+" is not a UUID", "")
		}
		if of := find(s, id); of != nil {
			return do(s, r, of)
		}
		return notFoundV3(what)
	}
}

// The bounds of pages, where they are known.
const (
	mostRuns         = 20
	mostProjects     = 50
	mostContexts     = 250
	mostRepositories = 100
	mostOthers       = 100
)

// pageV3 answers a page of a collection, as its query asks for.
func pageV3[T any](r *exchange.Request, all []T, most int, view func(T) form.Object) *exchange.Answer {
	limit := min(most, exchange.DefaultPageSize)
	if text := r.Query.Get("page[limit]"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			return invalidV3("/page/limit", fmt.Sprintf("is not a number from 1 to %d", most))
		}
		limit = n
	}
	return pageOfV3(r.Query.Get("page[cursor]"), limit, all, view)
}

// pageOfV3 answers the page that a cursor names.
func pageOfV3[T any](cursor string, limit int, all []T, view func(T) form.Object) *exchange.Answer {
	offset := 0
	if cursor != "" {
		text, _ := base64.RawURLEncoding.DecodeString(cursor) // what is none has no offset
		n, found := strings.CutPrefix(string(text), "offset:")
		var err error
		if offset, err = strconv.Atoi(n); err != nil || !found || offset < 0 {
			return invalidV3("/page/cursor", "is not a cursor of this list")
		}
	}
	offset = min(offset, len(all))
	end := min(offset+limit, len(all))
	items := make([]any, 0, end-offset)
	for _, item := range all[offset:end] {
		items = append(items, view(item))
	}
	page := form.Object{"next": nil, "prev": nil}
	if end < len(all) {
		page["next"] = exchange.TokenOf(strconv.Itoa(end))
	}
	return exchange.OK(form.Object{"data": items, "page": page})
}

// allV3 answers a collection that is not paged.
func allV3[T any](all []T, view func(T) form.Object) *exchange.Answer {
	items := make([]any, 0, len(all))
	for _, item := range all {
		items = append(items, view(item))
	}
	return exchange.OK(form.Object{"data": items})
}

// envelopeIn is the body of a request that creates something.
type envelopeIn[T any] struct {
	Data struct {
		Attributes T                  `json:"attributes"`
		References map[string]referIn `json:"references"`
	} `json:"data"`
}

type referIn struct {
	ID uuid.UUID `json:"id"`
}

// What the API v3 finds by ID; nil if there is none.

func orgV3(s *engine.Engine, id uuid.UUID) *world.Org {
	for _, o := range s.Orgs {
		if o.ID == id {
			return o
		}
	}
	return nil
}

func projectV3(s *engine.Engine, id uuid.UUID) *world.Project {
	for _, p := range s.Projects {
		if p.ID == id {
			return p
		}
	}
	return nil
}

func runV3(s *engine.Engine, id uuid.UUID) *world.Pipeline      { return s.Runs.ByID[id] }
func workflowV3(s *engine.Engine, id uuid.UUID) *world.Workflow { return s.Runs.Workflows[id] }
func jobV3(s *engine.Engine, id uuid.UUID) *world.Job           { return s.Runs.Jobs[id] }

func contextV3(s *engine.Engine, id uuid.UUID) *world.Context {
	for _, c := range s.Contexts {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// deleted answers a deletion.
func deleted() *exchange.Answer { return &exchange.Answer{Status: http.StatusNoContent} }
