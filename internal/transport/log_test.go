package transport_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/internal/transport"
)

// logTo is a logger of one JSON object a line, and the lines so far.
func logTo(level slog.Level) (*slog.Logger, func() []string) {
	var (
		mu  sync.Mutex
		buf bytes.Buffer
	)
	logger := slog.New(slog.NewJSONHandler(writer(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return buf.Write(p)
	}), &slog.HandlerOptions{Level: level}))
	return logger, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return strings.Split(strings.TrimSuffix(buf.String(), "\n"), "\n")
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func fields(t *testing.T, line string) map[string]any {
	t.Helper()
	var all map[string]any
	require.NoError(t, json.Unmarshal([]byte(line), &all), line)
	delete(all, "time")
	return all
}

func TestLogLines(t *testing.T) {
	answered := status(200)
	answered.Header.Set("X-Request-Id", "42-7")
	for name, row := range map[string]struct {
		result transport.Result
		want   map[string]any // beside what all lines have
	}{
		"an answer":          {answered, map[string]any{"status": 200., "request_id": "42-7"}},
		"an error's answer":  {status(404), map[string]any{"status": 404.}},
		"no answer":          {failed(transport.Broken, io.ErrUnexpectedEOF), map[string]any{"status": 0., "error": "unexpected EOF"}},
		"an unusable answer": {spoiled(transport.Cut), map[string]any{"status": 200., "error": "unexpected EOF"}},
		"the caller's end":   {failed(transport.Canceled, context.Canceled), map[string]any{"status": 0., "error": "context canceled"}},
		"no header whatever": {transport.Result{StatusCode: 200}, map[string]any{"status": 200.}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				logger, lines := logTo(slog.LevelDebug)
				l := &transport.Log{Logger: logger, Next: func(context.Context, *transport.Call) *transport.Result {
					time.Sleep(1500 * time.Millisecond)
					return &row.result
				}}
				c := newCall(t, "GET")
				c.Attempt = 2
				assert.Same(t, &row.result, l.Do(t.Context(), c))
				require.Len(t, lines(), 1)
				want := map[string]any{
					"level": "DEBUG", "msg": "circleci request", "method": "GET", "route": "/context/{context_id}",
					"attempt": 2., "duration": 1.5e9,
				}
				for name, value := range row.want {
					want[name] = value
				}
				assert.Equal(t, want, fields(t, lines()[0]))
			})
		})
	}
}

func TestLogWait(t *testing.T) {
	logger, lines := logTo(slog.LevelDebug)
	l := &transport.Log{Logger: logger}
	c, r := newCall(t, "DELETE"), limited(time.Second)
	c.Attempt = 3
	l.Wait(t.Context(), c, &r, 2*time.Second)
	require.Len(t, lines(), 1)
	assert.Equal(t, map[string]any{
		"level": "DEBUG", "msg": "circleci retry", "method": "DELETE", "route": "/context/{context_id}",
		"attempt": 3., "status": 429., "wait": 2e9,
	}, fields(t, lines()[0]))
}

// TestNothingSecretIsLogged sends secrets through every door that there is.
func TestNothingSecretIsLogged(t *testing.T) {
	logger, lines := logTo(slog.LevelDebug - 10)
	log := &transport.Log{Logger: logger}
	var out struct {
		Value int       `json:"value"`
		At    time.Time `json:"at"`
	}
	for _, body := range []string{
		`{"value":"s3cret"}`, `{"value":s3cret}`, `{"at":"s3cret"}`, `s3cret`, `<s3cret>`, `{"value":"s3cret`, `{"s3cret":{"value":[]}}`, `{"value":5.3e7}`, "",
	} {
		for _, code := range []int{200, 404, 429, 500} {
			log.Next = replies(code, body, "Set-Cookie", "s3cret", "Location", "s3cret", "Content-Type", "s3cret").Do
			c := newCall(t, "POST")
			c.URL = parseURL(t, "https://circleci.com/api/v2/context/s3cret?s3cret=s3cret")
			c.Header, c.Body, c.Answer = headerOf("X-Mine", "s3cret"), []byte(`{"value":"s3cret"}`), decode(&out)
			log.Wait(t.Context(), c, log.Do(t.Context(), c), time.Second)
		}
	}
	for _, err := range []error{io.EOF, errors.New("failed to parse Location header \"s3cret\"")} {
		log.Next = exchange(roundTrip(func(*http.Request) (*http.Response, error) { return nil, err })).Do
		c := newCall(t, "GET")
		c.URL = parseURL(t, "https://circleci.com/s3cret?s3cret")
		log.Do(t.Context(), c)
	}
	assert.Len(t, lines(), 9*4*2+2)
	for _, line := range lines() {
		assert.NotContains(t, line, "s3cret", "logs are read by many")
	}
}

func TestLogLevels(t *testing.T) {
	old := status(200)
	old.Header = headerOf("Deprecation", "true")
	send := func(l *transport.Log) {
		l.Next = func(context.Context, *transport.Call) *transport.Result { return &old }
		c := newCall(t, "GET")
		l.Wait(t.Context(), c, l.Do(t.Context(), c), 0)
	}
	logger, lines := logTo(slog.LevelInfo)
	send(&transport.Log{Logger: logger})
	require.Len(t, lines(), 1, "above debug nothing but the warning")
	assert.Contains(t, lines()[0], `"WARN"`)

	logger, lines = logTo(slog.LevelError)
	send(&transport.Log{Logger: logger})
	assert.Equal(t, []string{""}, lines())

	send(&transport.Log{}) // without a logger there is nothing to do, and nothing to fail
}

func TestLogWarnsOnceARoute(t *testing.T) {
	logger, lines := logTo(slog.LevelWarn)
	header := headerOf()
	l := &transport.Log{Logger: logger, Next: func(context.Context, *transport.Call) *transport.Result {
		r := status(200)
		r.Header = header
		return &r
	}}
	send := func(method, route string) {
		c := newCall(t, method)
		c.Route = route
		l.Do(t.Context(), c)
	}
	send("GET", "/a")
	assert.Equal(t, []string{""}, lines())

	header = headerOf("Deprecation", "@1767225600", "Sunset", "Thu, 31 Dec 2026 23:59:59 GMT",
		"Link", `<https://circleci.com/docs>; rel="sunset"`, "X-Other", "s3cret")
	send("GET", "/a")
	send("GET", "/a")
	require.Len(t, lines(), 1, "a warning a call is noise")
	assert.Equal(t, map[string]any{
		"level": "WARN", "msg": "circleci: the API announces the end of this operation", "method": "GET", "route": "/a",
		"deprecation": "@1767225600", "sunset": "Thu, 31 Dec 2026 23:59:59 GMT", "link": `<https://circleci.com/docs>; rel="sunset"`,
	}, fields(t, lines()[0]))

	send("POST", "/a")
	header = headerOf("Sunset", "Thu, 31 Dec 2026 23:59:59 GMT")
	send("GET", "/b")
	send("GET", "/b")
	assert.Len(t, lines(), 3, "another operation of the same route, and another route, are warned of too")
}

func TestLogIsSafeForConcurrentUse(t *testing.T) {
	logger, lines := logTo(slog.LevelDebug)
	l := &transport.Log{Logger: logger, Next: func(context.Context, *transport.Call) *transport.Result {
		r := status(200)
		r.Header = headerOf("Deprecation", "true")
		return &r
	}}
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			c := newCall(t, "GET")
			c.Route = fmt.Sprintf("/%d", i%10)
			l.Do(t.Context(), c)
		})
	}
	wg.Wait()
	warnings := 0
	for _, line := range lines() {
		if fields(t, line)["level"] == "WARN" {
			warnings++
		}
	}
	assert.Equal(t, 10, warnings)
	assert.Len(t, lines(), 110)
}
