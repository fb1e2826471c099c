package circlecitest

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/wire"
)

// request is a request on its way to its handler.
type request struct {
	server *Server
	http   *http.Request
	op     *operation
	params map[string]string
	query  url.Values
	body   []byte
	host   host
	// expired tells that the token is not good any more.
	expired bool
	notes   *notes
}

// notes are what has come of a request, beside its answer.
type notes struct {
	faults     []string // that it has met
	complaints []string
	read       bool // whether its body has been read
}

// meet notes a fault.
func (r *request) meet(fault string) { r.notes.faults = append(r.notes.faults, fault) }

// complain fails the test for what a client does that the API would take
// without a word, or misunderstand. Where there is no test it returns a refusal
// in its place.
func (r *request) complain(format string, args ...any) *answer {
	complaint := fmt.Sprintf(format, args...)
	r.notes.complaints = append(r.notes.complaints, complaint)
	switch tb := r.server.tb; {
	case tb == nil:
		return r.refuse(http.StatusBadRequest, "circlecitest: "+complaint)
	case !r.server.clock.closed: // else the test may have ended
		tb.Helper()
		tb.Errorf("circlecitest: %s", complaint)
	}
	return nil
}

// token is what a request brings to be let in, in whichever form; empty if it
// is nothing.
func (r *request) token() string {
	if token := r.http.Header.Get("Circle-Token"); token != "" {
		return token
	}
	authorization := r.http.Header.Get("Authorization")
	if token, ok := strings.CutPrefix(authorization, "Bearer "); ok {
		return token
	}
	if user, _, ok := r.http.BasicAuth(); ok {
		return user // with no password, as of old
	}
	return authorization
}

// isAPI reports whether the request is for an API, of whichever version.
func (r *request) isAPI() bool {
	return r.host.kind == apiHost && strings.HasPrefix(r.http.URL.EscapedPath(), "/api/")
}

// path is the escaped path as routes have it: behind the API v2, or from the
// root of the host for other versions.
func (r *request) path() string {
	path := r.http.URL.EscapedPath()
	if rest, ok := strings.CutPrefix(path, "/api/v2/"); ok {
		return "/" + rest
	}
	return path
}

// key names what the request asks for.
func (r *request) key() string {
	switch {
	case r.op != nil:
		return r.op.key
	case r.host.kind == artifactHost:
		return artifactKey
	case r.host.kind == storageHost:
		return storageKey
	}
	return ""
}

// id returns a path parameter as a UUID; the zero UUID if it is none.
func (r *request) id(name string) uuid.UUID {
	id, _ := uuid.Parse(r.params[name]) // the zero UUID is nobody's
	return id
}

// number returns a path parameter as a number; 0 if it is none.
func (r *request) number(name string) int64 {
	n, _ := strconv.ParseInt(r.params[name], 10, 64) // 0 is nobody's
	return n
}

// slug returns the project slug of the path, in its short form.
func (r *request) slug() string {
	slug, ok := r.params["project-slug"]
	if !ok {
		slug = r.params["provider"] + "/" + r.params["organization"] + "/" + r.params["project"]
	}
	return shortSlug(slug)
}

func shortSlug(slug string) string {
	provider, rest, _ := strings.Cut(slug, "/")
	switch provider {
	case "github":
		return "gh/" + rest
	case "bitbucket":
		return "bb/" + rest
	}
	return slug
}

// bind reads the body into in, a pointer. A key that the operation does not
// have is refused: the API would ignore some, and misunderstand others.
func (r *request) bind(in any) *answer {
	r.notes.read = true
	if err := wire.UnmarshalStrict(r.body, in); err != nil {
		return r.refuse(http.StatusBadRequest, "circlecitest: the body of "+r.op.key+" is not what the API takes: "+strings.TrimPrefix(err.Error(), "jsontext: "))
	}
	return nil
}

// answer is what goes back.
type answer struct {
	status int
	header http.Header
	body   any // JSON; a string or bytes go as they are
	fault  fault
}

// object is a JSON object.
type object map[string]any

func ok(body any) *answer      { return &answer{status: http.StatusOK, body: body} }
func created(body any) *answer { return &answer{status: http.StatusCreated, body: body} }

// message is how the core of the API answers what has no other content.
func message(status int, text string) *answer {
	return &answer{status: status, body: object{"message": text}}
}

// failure is how policies and OIDC claims answer an error.
func failure(status int, text string) *answer {
	return &answer{status: status, body: object{"error": text}}
}

// refuse answers an error as the service behind the route does.
func (r *request) refuse(status int, text string) *answer {
	if r.fails() {
		return failure(status, text)
	}
	return message(status, text)
}

// lacks answers that a parameter of the query is missing.
func (r *request) lacks(name string) *answer {
	if r.fails() {
		return failure(http.StatusBadRequest, strings.ToUpper(name[:1])+name[1:]+": cannot be blank.")
	}
	return message(http.StatusBadRequest, name+" is required in the query")
}

// fails reports whether the route is of policies or OIDC claims.
func (r *request) fails() bool {
	if r.op == nil {
		return false
	}
	first := r.op.segments[0]
	return first == "owner" || first == "org"
}

func notFound(what string) *answer { return message(http.StatusNotFound, what+" not found.") }

func missing(what string) *answer {
	return message(http.StatusBadRequest, "circlecitest: "+what+" is missing")
}

func text(status int, contentType, body string) *answer {
	return &answer{status: status, header: http.Header{"Content-Type": {contentType}}, body: body}
}

// page answers one page of a list.
func page[T any](r *request, all []T, size int, view func(T) object) *answer {
	offset := 0
	if token := r.query.Get(pageToken); token != "" {
		text, _ := base64.RawURLEncoding.DecodeString(token) // what is none has no offset
		n, found := strings.CutPrefix(string(text), "offset:")
		n, _, _ = strings.Cut(n, ".") // behind which may be anything: see RepeatedPage
		var err error
		if offset, err = strconv.Atoi(n); err != nil || !found || offset < 0 {
			return message(http.StatusBadRequest, "Invalid page token.")
		}
	}
	offset = min(offset, len(all))
	end := min(offset+size, len(all))
	items := make([]any, 0, end-offset)
	for _, item := range all[offset:end] {
		items = append(items, view(item))
	}
	body := object{"items": items, "next_page_token": nil}
	if end < len(all) {
		body["next_page_token"] = tokenOf(strconv.Itoa(end))
	}
	return ok(body)
}

// The sizes of pages.
const (
	defaultPageSize = 20
	envVarPageSize  = 100
)

// timestamp is a time as the API writes it; null for the zero time.
func timestamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// nullable is null for a zero value.
func nullable[T comparable](v T) any {
	if v == *new(T) {
		return nil
	}
	return v
}

// tokenOf is the token of the page that begins there.
func tokenOf(offset string) string {
	return base64.RawURLEncoding.EncodeToString([]byte("offset:" + offset))
}

// put sets a key unless its value is zero: the API leaves it out then.
func (o object) put(key string, value any) object {
	switch v := value.(type) {
	case string:
		if v == "" {
			return o
		}
	case uuid.UUID:
		if v == uuid.Nil {
			return o
		}
	case int64:
		if v == 0 {
			return o
		}
	case time.Time:
		if v.IsZero() {
			return o
		}
		value = timestamp(v)
	case nil:
		return o
	}
	o[key] = value
	return o
}
