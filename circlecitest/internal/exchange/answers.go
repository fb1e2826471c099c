package exchange

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/circleci-go/circleci/circlecitest/internal/form"
)

// Answer is what goes back.
type Answer struct {
	Status int
	Header http.Header
	Body   any // JSON; a string or bytes go as they are
	Fault  Fault
}

// OK answers 200.
func OK(body any) *Answer { return &Answer{Status: http.StatusOK, Body: body} }

// Created answers 201.
func Created(body any) *Answer { return &Answer{Status: http.StatusCreated, Body: body} }

// Message is how the core of the API answers what has no other content.
func Message(status int, text string) *Answer {
	return &Answer{Status: status, Body: form.Object{"message": text}}
}

// Failure is how policies and OIDC claims answer an error.
func Failure(status int, text string) *Answer {
	return &Answer{Status: status, Body: form.Object{"error": text}}
}

// NotFound answers that something was not found.
func NotFound(what string) *Answer { return Message(http.StatusNotFound, what+" not found.") }

// Missing answers that a member is missing.
func Missing(what string) *Answer {
	return Message(http.StatusBadRequest, "circlecitest: "+what+" is missing")
}

// Text answers a text.
func Text(status int, contentType, body string) *Answer {
	return &Answer{Status: status, Header: http.Header{"Content-Type": {contentType}}, Body: body}
}

// Page answers one page of a list.
func Page[T any](r *Request, all []T, size int, view func(T) form.Object) *Answer {
	offset := 0
	if token := r.Query.Get(PageToken); token != "" {
		text, _ := base64.RawURLEncoding.DecodeString(token) // what is none has no offset
		n, found := strings.CutPrefix(string(text), "offset:")
		n, _, _ = strings.Cut(n, ".") // behind which may be anything: see RepeatedPage
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

// TokenOf is the token of the page that begins there.
func TokenOf(offset string) string {
	return base64.RawURLEncoding.EncodeToString([]byte("offset:" + offset))
}
