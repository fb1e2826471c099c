package exchange

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/circleci-go/circleci/circlecitest/internal/form"
)

// Answer is a response to a request.
type Answer struct {
	Status int
	Header http.Header
	Body   any // encoded as JSON; strings and bytes are sent unchanged
	Fault  Fault
}

// OK returns a 200 response.
func OK(body any) *Answer { return &Answer{Status: http.StatusOK, Body: body} }

// Created returns a 201 response.
func Created(body any) *Answer { return &Answer{Status: http.StatusCreated, Body: body} }

// Message returns a response whose body is a message, as most of the API uses.
func Message(status int, text string) *Answer {
	return &Answer{Status: status, Body: form.Object{"message": text}}
}

// Failure returns an error response as policies and OIDC claims use.
func Failure(status int, text string) *Answer {
	return &Answer{Status: status, Body: form.Object{"error": text}}
}

// FailureV3 returns an error in the form of the API v3. The pointer leads to the
// part of the request that is wrong; empty if there is none.
func FailureV3(status int, kind, detail, pointer string) *Answer {
	e := form.Object{"type": kind, "id": "00000000-0000-4000-8000-000000000000", "title": http.StatusText(status), "detail": detail}
	if pointer != "" {
		e["source"] = form.Object{"pointer": pointer}
	}
	return &Answer{Status: status, Body: form.Object{"error": e}}
}

// NotFound returns a 404 that names what was not found.
func NotFound(what string) *Answer { return Message(http.StatusNotFound, what+" not found.") }

// Missing returns a 400 that names a missing member.
func Missing(what string) *Answer {
	return Message(http.StatusBadRequest, "circlecitest: "+what+" is missing")
}

// Text returns a text response.
func Text(status int, contentType, body string) *Answer {
	return &Answer{Status: status, Header: http.Header{"Content-Type": {contentType}}, Body: body}
}

// Page returns one page of a list.
func Page[T any](r *Request, all []T, size int, view func(T) form.Object) *Answer {
	offset := 0
	if token := r.Query.Get(PageToken); token != "" {
		text, _ := base64.RawURLEncoding.DecodeString(token) // an invalid token has no offset
		n, found := strings.CutPrefix(string(text), "offset:")
		n, _, _ = strings.Cut(n, ".") // RepeatedPage appends to the offset
		var err error
		if offset, err = strconv.Atoi(n); err != nil || !found || offset < 0 {
			return Message(http.StatusBadRequest, "Invalid page token.")
		}
	}
	offset = min(offset, len(all))
	end := min(offset+size, len(all))
	items := make([]any, 0, end-offset)
	for _, item := range all[offset:end] {
		items = append(items, view(item))
	}
	body := form.Object{"items": items, "next_page_token": nil}
	if end < len(all) {
		body["next_page_token"] = TokenOf(strconv.Itoa(end))
	}
	return OK(body)
}

// The sizes of pages.
const (
	DefaultPageSize = 20
	EnvVarPageSize  = 100
)

// TokenOf returns the token of the page that begins at an offset.
func TokenOf(offset string) string {
	return base64.RawURLEncoding.EncodeToString([]byte("offset:" + offset))
}
