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

// Errors that errors.Is matches. Each comment gives the HTTP status and the
// meaning.
var (
	// ErrUnauthorized: 401. The token is missing, invalid, revoked or expired.
	ErrUnauthorized = errors.New("circleci: unauthorized")
	// ErrForbidden: 403. The token may not do this. For contexts and groups it
	// can also mean that they do not exist.
	ErrForbidden = errors.New("circleci: forbidden")
	// ErrNotFound: 404. The resource does not exist, or the token may not read
	// it. It is also the error of a search that finds nothing.
	ErrNotFound = errors.New("not found")
	// ErrGone: 410. The API has removed the operation, or no longer has the
	// data.
	ErrGone = errors.New("circleci: gone")
	// ErrConflict: 409. The resource already exists, or is in the wrong state.
	ErrConflict = errors.New("circleci: conflict")
	// ErrRateLimited: 429, or an HTML 403 from CircleCI's edge. The request had
	// no effect. See [Error.RetryAfter].
	ErrRateLimited = errors.New("circleci: rate limited")
	// ErrServer: any 5xx.
	ErrServer = errors.New("circleci: server error")
	// ErrInvalidArgument: an argument was refused before any request was sent.
	// The error is an [*ArgumentError].
	ErrInvalidArgument = errors.New("circleci: invalid argument")
	// ErrPageLoop: the pages of a list repeat endlessly. All items read before
	// were yielded; see [Pager].
	ErrPageLoop = errors.New("the list's pages repeat")
	// ErrNotTriggered: the API accepted the request but started no pipeline,
	// for example because the configuration's filters leave nothing to run. The
	// error text contains the server's message.
	ErrNotTriggered = errors.New("circleci: no pipeline was triggered")
)

// Error is a non-2xx response of the API. To check its meaning, use errors.Is
// with the Err… values; to read its fields, use errors.As.
type Error struct {
	// StatusCode is the HTTP status.
	StatusCode int
	// Message is the server's error message. It is read from any of the API's
	// error formats.
	Message string
	// Type and ID are the type and the ID of the error, if the server sent
	// them.
	Type, ID string
	// RequestID identifies the request in CircleCI's logs. Include it in
	// support requests.
	RequestID string
	// Method and Route identify the operation. Route is the path template, such
	// as /context/{context_id}, and never contains arguments.
	Method, Route string
	// Attempts is the number of requests that were sent. It is 0 if the call
	// failed without a request, because a rate limit response to an earlier
	// call requested a wait that is too long.
	Attempts int
	// RetryAfter is the wait that the server requested, or 0 if none.
	RetryAfter time.Duration
	// RateLimit is the state of the rate limit, if the server reports it.
	RateLimit RateLimit
	// Body is the unchanged start of the body, at most 64 KiB.
	Body []byte

	limited   bool
	anonymous bool
	tokenFrom string // where the token comes from, if known
	advice    string // what the method knows about the cause
}

// RateLimit is the state of the rate limit, from the response headers. If the
// server reports several limits, it is the strictest one.
type RateLimit struct {
	// Known reports whether the server reported a limit.
	Known bool
	// Limit is the number of requests per window, or 0 if not reported.
	Limit int
	// Remaining is the number of requests left in the current window.
	Remaining int
	// Reset is the time until the next window starts.
	Reset time.Duration
}

// Error returns a line that says what failed, how, and what to try.
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
		notes = append(notes, "not sent: the server requested a wait")
	case e.Attempts > 1:
		notes = append(notes, strconv.Itoa(e.Attempts)+" attempts")
	}
	if hint := e.hint(); hint != "" {
		notes = append(notes, hint)
	}
	if e.tokenFrom != "" && !e.anonymous && !e.limited && e.dependsOnToken() {
		notes = append(notes, "the token is from "+oneLine(e.tokenFrom))
	}
	return notes
}

// dependsOnToken reports whether another token may be what is needed. The API
// responds with 404 to a token that may not read a resource.
func (e *Error) dependsOnToken() bool {
	return e.Is(ErrUnauthorized) || e.Is(ErrForbidden) || e.Is(ErrNotFound)
}

// hint says what to try.
func (e *Error) hint() string {
	switch {
	case e.StatusCode == http.StatusForbidden && e.limited:
		return "an HTML page from a proxy or from CircleCI's edge: a proxy may block the request, or there were too many requests"
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
		return "check the permissions of the token's owner, and the ID: the API responds with 403 for some resources that do not exist"
	case e.StatusCode == http.StatusNotFound && e.Method != http.MethodGet && strings.HasPrefix(e.Route, "/api/v3/"):
		return "it does not exist, or this token may not change it: the API v3 also responds with 404 to a read-only token"
	case e.StatusCode == http.StatusNotFound:
		return "it does not exist, or this token may not read it"
	case e.StatusCode == http.StatusGone:
		return "the API has removed this operation, or no longer has the data"
	case e.StatusCode/100 == 3:
		return "check the base URL"
	case e.StatusCode >= 500 && repeats(e.Method):
		return mayBeDone + "; see https://status.circleci.com"
	case e.StatusCode >= 500 && e.StatusCode != http.StatusNotImplemented:
		return "see https://status.circleci.com"
	}
	return ""
}

// mayBeDone is the hint for a non-idempotent request with an unknown outcome.
const mayBeDone = "it may have taken effect: check before you repeat it"

// repeats reports whether repeating a request with this method duplicates its
// effect.
func repeats(method string) bool { return method == http.MethodPost || method == http.MethodPatch }

// Is reports whether target is the Err… value for the status.
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

// ArgumentError is an argument that was refused before any request was sent. It
// matches [ErrInvalidArgument].
type ArgumentError struct {
	// Method and Route identify the operation. They are empty if there is none.
	Method, Route string
	// Name is the name of the argument in the API or in this package.
	Name string
	// Reason says what is wrong with the argument.
	Reason string
}

// Error returns a line that names the operation and the argument, and says what
// is wrong.
func (e *ArgumentError) Error() string {
	if e.Route == "" {
		return oneLine("circleci: " + e.Name + ": " + e.Reason)
	}
	return oneLine("circleci: " + e.Method + " " + e.Route + ": " + e.Name + ": " + e.Reason)
}

// Is reports whether target is [ErrInvalidArgument].
func (e *ArgumentError) Is(target error) bool { return target == ErrInvalidArgument }

// TransportError is the error of a call that received no complete response: the
// connection failed or broke, the idle timeout passed, or the context was
// canceled. It wraps the cause, so that errors.Is matches [context.Canceled],
// [context.DeadlineExceeded] or a network error. If an earlier attempt received
// a response, it also wraps that [*Error]. It never contains the URL.
type TransportError struct {
	// Method and Route identify the operation.
	Method, Route string
	// Attempts is the number of requests that were sent.
	Attempts int
	// Err is the cause.
	Err error
	// Last is the last response received: that of an earlier attempt, or one
	// whose body was not read to its end. It is nil if there was none.
	Last *Error

	ambiguous bool // the request may have taken effect
}

// Error returns a line that says what failed and why.
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
		text += fmt.Sprintf("; the previous response was %d %s", e.Last.StatusCode, oneLine(e.Last.Message))
	}
	return text
}

// Unwrap returns the cause and the last response.
func (e *TransportError) Unwrap() []error {
	if e.Last == nil || e.Last.Is(ErrRateLimited) && errors.Is(e.Err, context.Canceled) {
		return []error{e.Err} // a caller that gives up during a backoff was not refused by the server
	}
	return []error{e.Err, e.Last}
}

// DecodeError is a 2xx response whose body is not valid: empty, incomplete, too
// large, HTML, or JSON of the wrong types. The request itself has taken effect.
type DecodeError struct {
	// Method and Route identify the operation.
	Method, Route string
	// StatusCode is the HTTP status.
	StatusCode int
	// RequestID identifies the request in CircleCI's logs.
	RequestID string
	// Attempts is the number of requests that were sent.
	Attempts int
	// ContentType is the Content-Type header of the response.
	ContentType string
	// Body is the start of the body, at most 64 KiB.
	Body []byte
	// Err says what is wrong.
	Err error
}

// Error returns a line that says what is wrong with the body, with its start.
func (e *DecodeError) Error() string {
	text := fmt.Sprintf("circleci: %s %s: %d, but the response cannot be used: %s", e.Method, e.Route, e.StatusCode, oneLine(fmt.Sprint(e.Err)))
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

// errorOf converts the result of a call to an error. It returns nil if the call
// succeeded.
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
		limited: r.Limited(), anonymous: c.auth.Anonymous(), tokenFrom: c.tokenFrom,
	}
	if transport.IsHTML(r.Header, e.Body) {
		e.Message = htmlTitle(e.Body)
	} else {
		e.readBody()
	}
	return e
}

// readBody reads the server's message from the body. Each service behind the
// API has its own format.
func (e *Error) readBody() {
	var body any
	if wire.Unmarshal(e.Body, &body) != nil {
		e.Message = strings.TrimSpace(string(e.Body)) // plain text, or incomplete
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

// words collects the messages in the body of an error.
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
