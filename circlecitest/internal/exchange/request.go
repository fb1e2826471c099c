// Package exchange has requests and answers, and what handlers have in common: pages,
// errors, routes with a project.
package exchange

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/circlecitest/internal/world"
	"github.com/circleci-go/circleci/internal/wire"
)

// Request is a request on its way to its handler.
type Request struct {
	HTTP   *http.Request
	Op     *Operation
	Params map[string]string
	Query  url.Values
	Body   []byte
	Host   Host
	// expired tells that the token is not good any more.
	Expired bool
	Notes   *notes
	strict  bool                        // unknown members are refused
	hear    func(complaint string) bool // false: nobody does, and the request is refused
}

// NewRequest returns a request for a host, whose complaints hear hears.
func NewRequest(r *http.Request, h Host, strict bool, hear func(complaint string) bool) *Request {
	return &Request{HTTP: r, Query: r.URL.Query(), Host: h, Notes: &notes{}, strict: strict, hear: hear}
}

// notes are what has come of a request, beside its answer.
type notes struct {
	Faults     []string // that it has met
	Complaints []string
	Read       bool // whether its body has been read
}

// Meet notes a fault.
func (r *Request) Meet(fault string) { r.Notes.Faults = append(r.Notes.Faults, fault) }

// Complain notes what a client does that the API would accept and ignore, or
// misunderstand. If nobody hears it, complain returns a refusal.
func (r *Request) Complain(format string, args ...any) *Answer {
	complaint := fmt.Sprintf(format, args...)
	r.Notes.Complaints = append(r.Notes.Complaints, complaint)
	if !r.hear(complaint) {
		return r.refuse(http.StatusBadRequest, "circlecitest: "+complaint)
	}
	return nil
}

// Token is what a request brings to be let in, in whichever form; empty if it
// is nothing.
func (r *Request) Token() string {
	if token := r.HTTP.Header.Get("Circle-Token"); token != "" {
		return token
	}
	authorization := r.HTTP.Header.Get("Authorization")
	if token, ok := strings.CutPrefix(authorization, "Bearer "); ok {
		return token
	}
	if user, _, ok := r.HTTP.BasicAuth(); ok {
		return user // with no password, as of old
	}
	return authorization
}

// IsAPI reports whether the request is for an API, of whichever version.
func (r *Request) IsAPI() bool {
	return r.Host.Kind == APIHost && strings.HasPrefix(r.HTTP.URL.EscapedPath(), "/api/")
}

// Path is the escaped path as routes have it: behind the API v2, or from the
// root of the host for other versions.
func (r *Request) Path() string {
	path := r.HTTP.URL.EscapedPath()
	if rest, ok := strings.CutPrefix(path, "/api/v2/"); ok {
		return "/" + rest
	}
	return path
}

// Key names what the request asks for.
func (r *Request) Key() string {
	switch {
	case r.Op != nil:
		return r.Op.Key
	case r.Host.Kind == ArtifactHost:
		return ArtifactKey
	case r.Host.Kind == StorageHost:
		return StorageKey
	}
	return ""
}

// ID returns a path parameter as a UUID; the zero UUID if it is none.
func (r *Request) ID(name string) uuid.UUID {
	id, _ := uuid.Parse(r.Params[name]) // the zero UUID is nobody's
	return id
}

// Number returns a path parameter as a number; 0 if it is none.
func (r *Request) Number(name string) int64 {
	n, _ := strconv.ParseInt(r.Params[name], 10, 64) // 0 is nobody's
	return n
}

// Slug returns the project slug of the path, in its short form.
func (r *Request) Slug() string {
	slug, ok := r.Params["project-slug"]
	if !ok {
		slug = r.Params["provider"] + "/" + r.Params["organization"] + "/" + r.Params["project"]
	}
	return world.ShortSlug(slug)
}

// Bind reads the body into in, a pointer. A key that the operation does not
// have is refused by a strict server, and ignored by another.
func (r *Request) Bind(in any) *Answer {
	r.Notes.Read = true
	err := wire.UnmarshalStrict(r.Body, in)
	if err != nil && !r.strict && wire.UnmarshalExact(r.Body, in) == nil {
		r.Complain("the body of %s is not what the API takes: %v", r.Op.Key, err)
		return nil
	}
	if err != nil {
		return r.refuse(http.StatusBadRequest, "circlecitest: the body of "+r.Op.Key+" is not what the API takes: "+strings.TrimPrefix(err.Error(), "jsontext: "))
	}
	return nil
}

// refuse answers an error as the service behind the route does.
func (r *Request) refuse(status int, text string) *Answer {
	if r.fails() {
		return Failure(status, text)
	}
	return Message(status, text)
}

// Lacks answers that a parameter of the query is missing.
func (r *Request) Lacks(name string) *Answer {
	if r.fails() {
		return Failure(http.StatusBadRequest, strings.ToUpper(name[:1])+name[1:]+": cannot be blank.")
	}
	return Message(http.StatusBadRequest, name+" is required in the query")
}

// fails reports whether the route is of policies or OIDC claims.
func (r *Request) fails() bool {
	if r.Op == nil {
		return false
	}
	first := r.Op.Segments[0]
	return first == "owner" || first == "org"
}
