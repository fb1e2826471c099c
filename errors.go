package circleci

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/circleci-go/circleci/internal/transport"
	"github.com/circleci-go/circleci/internal/wire"
)

// What an error can be asked for with errors.Is.
var (
	// ErrUnauthorized: 401. The token is missing, wrong, revoked or expired.
	ErrUnauthorized = errors.New("circleci: unauthorized")
	// ErrForbidden: 403. The token may not do this. For contexts and groups
	// it can mean as well that there is no such thing.
	ErrForbidden = errors.New("circleci: forbidden")
	// ErrNotFound: 404. It does not exist, or the token may not see it. It is
	// also the error of a search that finds nothing.
	ErrNotFound = errors.New("not found")
	// ErrGone: 410. The API has removed the operation, or no longer keeps what
	// was asked for.
	ErrGone = errors.New("circleci: gone")
	// ErrConflict: 409. It exists already, or is in another state.
	ErrConflict = errors.New("circleci: conflict")
	// ErrRateLimited: 429, or the block that CircleCI's edge answers as a 403
	// in HTML. Nothing has been done. See [Error.RetryAfter].
	ErrRateLimited = errors.New("circleci: rate limited")
	// ErrServer: any 5xx.
	ErrServer = errors.New("circleci: server error")
	// ErrInvalidArgument: refused before anything was sent, an [ArgumentError].
	ErrInvalidArgument = errors.New("circleci: invalid argument")
	// ErrPageLoop: the pages of a list repeat without end. All items that were
	// read have been yielded; see [Pager].
	ErrPageLoop = errors.New("the list's pages repeat")
	// ErrNotTriggered: the API accepted the request and ran nothing, for
	// instance because the configuration's filters leave nothing to run. The
	// text of the error has the server's message.
	ErrNotTriggered = errors.New("circleci: no pipeline was triggered")
)

// Error is an answer of the API that is not a success. Match it by meaning
// with errors.Is and the Err… values, or take it apart with errors.As.
type Error struct {
	// StatusCode is the HTTP status.
	StatusCode int
	// Message holds the server's words, from whichever form of body it sent.
	Message string
	// Type and ID are the kind of the error and its own ID, where the server
	// gives them.
	Type, ID string
	// RequestID finds the request in CircleCI's logs; support asks for it.
	RequestID string
	// Method and Route name the operation; the route is the template, such as
	// /context/{context_id}, and never holds an argument.
	Method, Route string
	// Attempts is how many requests were sent. It is 0 if the call was held
	// back, because a refusal shortly before asked for a pause that is too
	// long to wait for.
	Attempts int
	// RetryAfter is the pause that the server asks for; 0 if it gives none.
	RetryAfter time.Duration
	// RateLimit is the state of the rate limit, where the server announces it.
	RateLimit RateLimit
	// Body is the start of the body as it came, 64 KiB at most.
	Body []byte

	limited   bool
	anonymous bool
	advice    string // what the method knows of the cause
}

// RateLimit is what the headers of an answer say of the rate limit. Of several
// limits the tightest is given.
type RateLimit struct {
	// Known tells whether the server announces a limit.
	Known bool
	// Limit is the number of requests in a window; 0 if not announced.
	Limit int
	// Remaining is the number of requests that are left in this window.
	Remaining int
	// Reset is the time until the window begins anew.
	Reset time.Duration
}

// Error tells what failed and how, and what to try.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "circleci: %s %s: %d", e.Method, e.Route, e.StatusCode)
	if text := http.StatusText(e.StatusCode); text != "" {
		b.WriteString(" " + text)
	}
	if message := oneLine(e.Message); message != "" {
		b.WriteString(": " + message)
	}
	if notes := e.notes(); len(notes) > 0 {
		b.WriteString(" (" + strings.Join(notes, "; ") + ")")
	}
	return b.String()
}

func (e *Error) notes() (notes []string) {
	if e.RequestID != "" {
		notes = append(notes, "request ID "+oneLine(e.RequestID))
	}
	switch {
	case e.Attempts == 0 && e.limited:
		notes = append(notes, "held back, as the server asked for a pause")
	case e.Attempts > 1:
		notes = append(notes, strconv.Itoa(e.Attempts)+" attempts")
	}
	if hint := e.hint(); hint != "" {
		notes = append(notes, hint)
	}
	return notes
}

// hint is what to try, for the reader at 3 a.m.
func (e *Error) hint() string {
	switch {
	case e.StatusCode == http.StatusForbidden && e.limited:
		return "an HTML page, from a proxy or from CircleCI's edge: a proxy may forbid it, or there were too many requests"
	case e.advice != "":
		return e.advice
	case e.Is(ErrRateLimited) && e.RetryAfter > 0:
		return "try again in " + max(e.RetryAfter.Round(time.Second), time.Second).String()
	case e.Is(ErrRateLimited):
		return "too many requests: try again later"
	case e.StatusCode == http.StatusUnauthorized && e.anonymous:
		return "no token was sent: pass one to NewClient, or set CIRCLE_TOKEN"
	case e.StatusCode == http.StatusUnauthorized:
		return "check that the token is a personal API token of this server and has not expired; project tokens are not accepted"
	case e.StatusCode == http.StatusForbidden:
		return "check the rights of the token's owner, and the ID: the API answers 403 for some things that do not exist"
	case e.StatusCode == http.StatusNotFound:
		return "it does not exist, or this token may not see it"
	case e.StatusCode == http.StatusGone:
		return "the API has removed this operation, or no longer keeps what was asked for"
	case e.StatusCode/100 == 3:
		return "check the base URL"
	case e.StatusCode >= 500 && repeats(e.Method):
		return mayBeDone + "; see https://status.circleci.com"
	case e.StatusCode >= 500 && e.StatusCode != http.StatusNotImplemented:
		return "see https://status.circleci.com"
	}
	return ""
}

// mayBeDone is the hint for a request that is not idempotent and whose outcome
// is unknown.
const mayBeDone = "it may have been carried out: look before you repeat it"

// repeats reports whether sending a request of the method again does a thing
// twice.
func repeats(method string) bool { return method == http.MethodPost || method == http.MethodPatch }

// Is matches the Err… values of this package.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrRateLimited:
		return e.limited || e.StatusCode == http.StatusTooManyRequests
	case ErrForbidden:
		return e.StatusCode == http.StatusForbidden
	case ErrUnauthorized:
		return e.StatusCode == http.StatusUnauthorized
	case ErrNotFound:
		return e.StatusCode == http.StatusNotFound
	case ErrGone:
		return e.StatusCode == http.StatusGone
	case ErrConflict:
		return e.StatusCode == http.StatusConflict
	case ErrServer:
		return e.StatusCode/100 == 5
	}
	return false
}

// ArgumentError is a call that was refused before anything was sent. It
// matches [ErrInvalidArgument].
type ArgumentError struct {
	// Method and Route name the operation; empty if there is none.
	Method, Route string
	// Name is the argument, as the API or this package calls it.
	Name string
	// Reason says what is wrong with it.
	Reason string
}

// Error tells which argument of what is wrong, and why.
func (e *ArgumentError) Error() string {
	if e.Route == "" {
		return oneLine("circleci: " + e.Name + ": " + e.Reason)
	}
	return oneLine("circleci: " + e.Method + " " + e.Route + ": " + e.Name + ": " + e.Reason)
}

// Is matches [ErrInvalidArgument].
func (e *ArgumentError) Is(target error) bool { return target == ErrInvalidArgument }

// TransportError is a call without an answer: the connection could not be made
// or broke, nothing arrived for too long, or the caller's context ended. It
// wraps the cause, so that errors.Is finds [context.Canceled],
// [context.DeadlineExceeded] or a network error, and the last answer, an
// [Error], if there was one. It never shows the URL.
type TransportError struct {
	// Method and Route name the operation.
	Method, Route string
	// Attempts is how many requests were sent.
	Attempts int
	// Err is the cause.
	Err error
	// Last is the last real answer: of an earlier attempt, or one whose body the
	// caller has not waited for; nil if none came.
	Last *Error

	ambiguous bool // it may have been carried out
}

// Error tells what failed and why.
func (e *TransportError) Error() string {
	text := fmt.Sprintf("circleci: %s %s: %s", e.Method, e.Route, oneLine(fmt.Sprint(e.Err)))
	if e.Attempts > 1 {
		text += fmt.Sprintf(" (%d attempts)", e.Attempts)
	}
	if e.ambiguous {
		text += "; " + mayBeDone
	}
	if errors.As(e.Err, new(x509.UnknownAuthorityError)) {
		text += "; if the server has a private certificate authority, trust it with WithRootCAs"
	}
	if e.Last != nil {
		text += fmt.Sprintf("; the answer before was %d %s", e.Last.StatusCode, oneLine(e.Last.Message))
	}
	return text
}

// Unwrap returns the cause and the last answer.
func (e *TransportError) Unwrap() []error {
	if e.Last == nil || e.Last.Is(ErrRateLimited) && errors.Is(e.Err, context.Canceled) {
		return []error{e.Err} // a caller that gives up in a pause is not refused
	}
	return []error{e.Err, e.Last}
}

// DecodeError is a success whose body is not what it has to be: empty, cut
// off, too large, HTML, or JSON of other types. The API has done what was
// asked.
type DecodeError struct {
	// Method and Route name the operation.
	Method, Route string
	// StatusCode is the HTTP status.
	StatusCode int
	// RequestID finds the request in CircleCI's logs.
	RequestID string
	// Attempts is how many requests were sent.
	Attempts int
	// ContentType is what the body claims to be.
	ContentType string
	// Body is the start of the body, 64 KiB at most.
	Body []byte
	// Err says what is wrong.
	Err error
}

// Error tells what was wrong, and shows the start of the body.
func (e *DecodeError) Error() string {
	text := fmt.Sprintf("circleci: %s %s: %d, but the answer cannot be used: %s", e.Method, e.Route, e.StatusCode, oneLine(fmt.Sprint(e.Err)))
	if e.ContentType != "" && !strings.Contains(e.ContentType, "json") {
		text += fmt.Sprintf(" (Content-Type %s)", oneLine(e.ContentType))
	}
	if start := oneLine(string(e.Body)); start != "" {
		text += ": " + start
	}
	return text
}

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error { return e.Err }

// errorOf turns the result of a call into the error for its caller; nil if it
// went well.
func (c *Client) errorOf(call *transport.Call, r *transport.Result) error {
	switch {
	case r.OK():
		return nil
	case r.Failure == transport.None:
		return c.answerError(call, r)
	case r.StatusCode/100 == 2 && r.Failure != transport.Broken && r.Failure != transport.Canceled:
		return &DecodeError{
			Method: call.Method, Route: call.Route, StatusCode: r.StatusCode, RequestID: transport.RequestID(r.Header),
			Attempts: r.Attempts, ContentType: r.Header.Get("Content-Type"), Body: r.Body, Err: r.Err,
		}
	}
	e := &TransportError{Method: call.Method, Route: call.Route, Attempts: r.Attempts, Err: r.Err}
	e.ambiguous = repeats(call.Method) && r.Attempts > 0 && !r.Held && r.Last == nil &&
		(r.Failure == transport.Broken || r.Failure == transport.Cut || r.Failure == transport.Canceled)
	if r.Last != nil {
		e.Last = c.answerError(call, r.Last)
	}
	return e
}

func (c *Client) answerError(call *transport.Call, r *transport.Result) *Error {
	e := &Error{
		StatusCode: r.StatusCode, Method: call.Method, Route: call.Route, RequestID: transport.RequestID(r.Header),
		Attempts: r.Attempts, RetryAfter: max(r.RetryAfter, 0), RateLimit: RateLimit(r.Limit), Body: r.Body,
		limited: r.Limited(), anonymous: c.auth.Anonymous(),
	}
	if transport.IsHTML(r.Header, e.Body) {
		e.Message = htmlTitle(e.Body)
	} else {
		e.readBody()
	}
	return e
}

// readBody finds the server's words in whichever form they came: the services
// behind the API have one each.
func (e *Error) readBody() {
	var body any
	if wire.Unmarshal(e.Body, &body) != nil {
		e.Message = strings.TrimSpace(string(e.Body)) // plain text, or cut off
		return
	}
	if object, ok := body.(map[string]any); ok {
		if inner, ok := object["error"].(map[string]any); ok {
			object = inner
		}
		e.Type, _ = object["type"].(string)
		e.ID, _ = object["id"].(string)
	}
	e.Message = words(body)
}

// words collects what is there to read in an error's body.
func words(body any) string {
	switch body := body.(type) {
	case string:
		return body
	case []any:
		var all []string
		for _, one := range body {
			if text := words(one); text != "" {
				all = append(all, text)
			}
		}
		return strings.Join(all, "; ")
	case map[string]any:
		var all []string
		for _, key := range []string{"message", "error", "title", "detail", "error_description", "errors", "reason"} {
			if text := words(body[key]); text != "" && (len(all) == 0 || all[len(all)-1] != text) {
				all = append(all, text)
			}
		}
		return strings.Join(all, ": ")
	}
	return ""
}

func htmlTitle(body []byte) string {
	_, rest, ok := strings.Cut(string(body), "<title>")
	title, _, closed := strings.Cut(rest, "</title>")
	if !ok || !closed {
		return "an HTML page"
	}
	return "an HTML page: " + strings.TrimSpace(title)
}
