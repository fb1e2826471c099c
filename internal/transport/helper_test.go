package transport_test

import (
	"bytes"
	"context"
	"io"
	"log"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/internal/transport"
)

// decodeFunc makes a decoder of a function.
type decodeFunc func(io.Reader) error

func (f decodeFunc) Decode(body io.Reader) error { return f(body) }

// roundTrip makes a round tripper of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// quiet is where servers put what a test provokes.
var quiet = log.New(io.Discard, "", 0)

// answer is a response as a connection would bring it.
func answer(req *http.Request, status int, body string, header ...string) *http.Response {
	return answerFrom(req, status, io.NopCloser(strings.NewReader(body)), header...)
}

func answerFrom(req *http.Request, status int, body io.ReadCloser, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Add(header[i], header[i+1])
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: body, ContentLength: -1, Request: req,
	}
}

// cloud is the API's base URL.
var cloud = &url.URL{Scheme: "https", Host: "circleci.com"}

func parseURL(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	require.NoError(t, err)
	return u
}

// newCall is a call of one route, as the root package makes them.
func newCall(t testing.TB, method string) *transport.Call {
	t.Helper()
	return &transport.Call{
		Method: method, Route: "/context/{context_id}", URL: parseURL(t, "https://circleci.com/api/v2/context/42"),
		Replayable: method != http.MethodPost && method != http.MethodPatch,
	}
}

// script is a handler that comes to one result after the other, and to the
// last one again and again.
type script struct {
	results []transport.Result
	at      []time.Time // when each attempt was made
}

func (s *script) Do(context.Context, *transport.Call) *transport.Result {
	r := s.results[min(len(s.at), len(s.results)-1)]
	s.at = append(s.at, time.Now())
	r.Header, r.Body = r.Header.Clone(), bytes.Clone(r.Body)
	return &r
}

// gaps are the waits between the attempts.
func (s *script) gaps() []time.Duration {
	var all []time.Duration
	for i := 1; i < len(s.at); i++ {
		all = append(all, s.at[i].Sub(s.at[i-1]))
	}
	return all
}

// status is the result of an answer without Retry-After.
func status(code int) transport.Result {
	return transport.Result{StatusCode: code, RetryAfter: -1, Header: http.Header{}}
}

// limited is a 429 with a Retry-After.
func limited(after time.Duration) transport.Result {
	r := status(http.StatusTooManyRequests)
	r.RetryAfter = after
	return r
}

// failed is the result of an attempt without an answer.
func failed(f transport.Failure, err error) transport.Result {
	return transport.Result{Failure: f, Err: err, RetryAfter: -1}
}
