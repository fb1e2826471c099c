package transport_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/internal/transport"
)

// The links together, in their order, over a server that httpmock plays: what
// each does alone is in its own test.

// chain puts the links together as the client does.
func chain(t *testing.T, mock *httpmock.MockTransport) transport.Handler {
	t.Helper()
	base := parseURL(t, "https://circleci.com")
	auth := transport.NewAuth(mock, base, func(context.Context) (string, error) { return "CANARY", nil }, false)
	client := &http.Client{Transport: auth, CheckRedirect: transport.CheckRedirect(cloud, false)}
	exchange := &transport.Exchange{Client: client, Silence: time.Minute, MaxBody: 1 << 20}
	pacer := pacer(exchange.Do)
	retry := &transport.Retry{
		Attempts: 4, MinBackoff: 500 * time.Millisecond, MaxBackoff: 30 * time.Second, MaxWait: 2 * time.Minute, MaxElapsed: 5 * time.Minute,
		Next: pacer.Do,
	}
	return retry.Do
}

// contextCall is a call whose answer is read into out.
func contextCall(method string, out *string) *transport.Call {
	return &transport.Call{
		Method: method, Route: "/context/{context_id}", Replayable: method != http.MethodPost,
		URL: &url.URL{Scheme: "https", Host: "circleci.com", Path: "/api/v2/context/1"},
		Answer: decodeFunc(func(r io.Reader) error {
			data, err := io.ReadAll(r)
			*out = string(data)
			return err
		}),
	}
}

const contextURL = "https://circleci.com/api/v2/context/1"

func responses(all ...*http.Response) httpmock.Responder {
	i := -1
	return func(*http.Request) (*http.Response, error) {
		i++
		return all[min(i, len(all)-1)], nil
	}
}

func with(r *http.Response, name, value string) *http.Response {
	r.Header.Set(name, value)
	return r
}

func TestTheLinksWaitForALimitAndGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := httpmock.NewMockTransport()
		mock.RegisterResponder(http.MethodPost, contextURL, responses(
			with(httpmock.NewStringResponse(429, "Rate limited."), "Retry-After", "7"),
			with(httpmock.NewStringResponse(403, "<html>"), "Content-Type", "text/html"),
			httpmock.NewStringResponse(200, "done"),
		))
		start := time.Now()
		var out string
		r := chain(t, mock)(t.Context(), contextCall(http.MethodPost, &out))
		require.True(t, r.OK(), "%v %v", r.StatusCode, r.Err)
		assert.Equal(t, "done", out)
		assert.Equal(t, 3, r.Attempts)
		assert.Equal(t, 3, mock.GetTotalCallCount(), "a limit was not executed: a POST goes again")
		assert.GreaterOrEqual(t, time.Since(start), 7*time.Second)
	})
}

func TestTheLinksReplayNoPostThatMayHaveHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := httpmock.NewMockTransport()
		mock.RegisterResponder(http.MethodPost, contextURL, httpmock.NewStringResponder(502, "bad gateway"))
		mock.RegisterResponder(http.MethodGet, contextURL, responses(
			httpmock.NewStringResponse(502, "bad gateway"), httpmock.NewStringResponse(200, "read"),
		))
		send := chain(t, mock)
		var out string
		r := send(t.Context(), contextCall(http.MethodPost, &out))
		assert.Equal(t, 502, r.StatusCode)
		assert.Equal(t, 1, mock.GetCallCountInfo()["POST "+contextURL])
		r = send(t.Context(), contextCall(http.MethodGet, &out))
		require.True(t, r.OK())
		assert.Equal(t, "read", out)
		assert.Equal(t, 2, mock.GetCallCountInfo()["GET "+contextURL])
	})
}

func TestTheLinksShowTheTokenToNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := httpmock.NewMockTransport()
		mock.RegisterResponder(http.MethodGet, contextURL, responses(with(httpmock.NewStringResponse(302, ""), "Location", "https://storage.example/x")))
		seen := map[string]string{}
		note := func(answer string) httpmock.Responder {
			return func(r *http.Request) (*http.Response, error) {
				seen[r.URL.Host] = r.Header.Get("Circle-Token") + r.Header.Get("Authorization") + r.Header.Get("Referer")
				return httpmock.NewStringResponse(200, answer), nil
			}
		}
		mock.RegisterResponder(http.MethodGet, "https://storage.example/x", note("stored"))
		var out string
		r := chain(t, mock)(t.Context(), contextCall(http.MethodGet, &out))
		require.True(t, r.OK())
		assert.Equal(t, "stored", out)
		assert.Equal(t, map[string]string{"storage.example": ""}, seen)
	})
}

// All callers of a family pause for a 429 that one of them has met.
func TestTheLinksPauseTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := httpmock.NewMockTransport()
		var (
			mu    sync.Mutex
			times []time.Duration
		)
		start := time.Now()
		mock.RegisterResponder(http.MethodGet, contextURL, func(*http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			times = append(times, time.Since(start))
			if len(times) == 1 {
				return with(httpmock.NewStringResponse(429, ""), "Retry-After", "30"), nil
			}
			return httpmock.NewStringResponse(200, "x"), nil
		})
		send := chain(t, mock)
		go send(t.Context(), contextCall(http.MethodGet, new(string)))
		time.Sleep(time.Second)
		r := send(t.Context(), contextCall(http.MethodGet, new(string)))
		require.True(t, r.OK())
		synctest.Wait()
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		require.Len(t, times, 3)
		assert.GreaterOrEqual(t, times[1], 30*time.Second, "the second caller has not met the limit, and pauses all the same")
	})
}
