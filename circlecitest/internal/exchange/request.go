// Package exchange has requests and responses, and what handlers share: pages,
// errors, and routes with a project.
package exchange

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/wire"
)

// Request is a request for a handler.
type Request struct {
	HTTP   *http.Request
	Op     *Operation
	Params map[string]string
	Query  url.Values
	Body   []byte
	Host   Host
	// Expired reports that the token has expired.
	Expired bool
	Notes   *notes
	strict  bool                        // refuse unknown members
	hear    func(complaint string) bool // returns false if the request must be refused
}

// NewRequest returns a request for a host. Its complaints are passed to hear.
func NewRequest(r *http.Request, h Host, strict bool, hear func(complaint string) bool) *Request {
	return &Request{HTTP: r, Query: r.URL.Query(), Host: h, Notes: &notes{}, strict: strict, hear: hear}
}

// notes record what happened to a request, in addition to its response.
type notes struct {
	Faults     []string // that applied
	Complaints []string
	Read       bool // whether its body has been read
}

// Meet records a fault.
func (r *Request) Meet(fault string) { r.Notes.Faults = append(r.Notes.Faults, fault) }

// Complain records something that the API would ignore or misunderstand. If
// hear returns false, Complain returns a refusal.
func (r *Request) Complain(format string, args ...any) *Answer {
	complaint := fmt.Sprintf(format, args...)
	r.Notes.Complaints = append(r.Notes.Complaints, complaint)
	if !r.hear(complaint) {
		return r.refuse(http.StatusBadRequest, "circlecitest: "+complaint)
	}
	return nil
}

// Token returns the token of a request, wherever it is sent; empty if there is
// none.
func (r *Request) Token() string {
	if token := r.HTTP.Header.Get("Circle-Token"); token != "" {
		return token
	}
	authorization := r.HTTP.Header.Get("Authorization")
	if token, ok := strings.CutPrefix(authorization, "Bearer "); ok {
		return token
	}
	if user, _, ok := r.HTTP.BasicAuth(); ok {
		return user // basic authentication without a password, as in older versions
	}
	return authorization
}

// IsAPI reports whether the request is for the API, of any version.
func (r *Request) IsAPI() bool {
	return r.Host.Kind == APIHost && strings.HasPrefix(r.HTTP.URL.EscapedPath(), "/api/")
}

// Path returns the escaped path in the form of the routes: relative to the API
// v2, or from the root of the host for other versions.
func (r *Request) Path() string {
	path := r.HTTP.URL.EscapedPath()
	if rest, ok := strings.CutPrefix(path, "/api/v2/"); ok && !strings.HasPrefix(rest, "api/") {
		return "/" + rest
	}
	return path
}

// Key returns the name of the operation.
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

// ID returns a path parameter as a UUID, or the zero UUID if it is invalid.
func (r *Request) ID(name string) uuid.UUID {
	id, _ := uuid.Parse(r.Params[name]) // the zero UUID is nobody's
	return id
}

// Number returns a path parameter as a number, or 0 if it is invalid.
func (r *Request) Number(name string) int64 {
	n, _ := strconv.ParseInt(r.Params[name], 10, 64) // 0 is nobody's
	return n
}

// Slug returns the project slug of the path.
func (r *Request) Slug() string {
	slug, ok := r.Params["project-slug"]
	if !ok {
		slug = r.Params["provider"] + "/" + r.Params["organization"] + "/" + r.Params["project"]
	}
	return slug
}

// Bind decodes the body into in, a pointer. A strict server refuses unknown
// keys; others ignore them.
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

// refuse returns an error response in the form of the service behind the route.
func (r *Request) refuse(status int, text string) *Answer {
	if strings.HasPrefix(r.Path(), "/api/v3/") {
		return FailureV3(status, "validation_error", text, "")
	}
	if r.fails() {
		return Failure(status, text)
	}
	return Message(status, text)
}

// Lacks returns a 400 for a missing query parameter.
func (r *Request) Lacks(name string) *Answer {
	if r.fails() {
		return Failure(http.StatusBadRequest, strings.ToUpper(name[:1])+name[1:]+": cannot be blank.")
	}
	return Message(http.StatusBadRequest, name+" is required in the query")
}

// fails reports whether the route belongs to policies or OIDC claims.
func (r *Request) fails() bool {
	if r.Op == nil {
		return false
	}
	first := r.Op.Segments[0]
	return first == "owner" || first == "org"
}
