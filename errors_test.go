package circleci_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

var sentinels = map[string]error{
	"ErrUnauthorized": circleci.ErrUnauthorized, "ErrForbidden": circleci.ErrForbidden, "ErrNotFound": circleci.ErrNotFound,
	"ErrConflict": circleci.ErrConflict, "ErrRateLimited": circleci.ErrRateLimited, "ErrServer": circleci.ErrServer,
	"ErrGone": circleci.ErrGone, "ErrInvalidArgument": circleci.ErrInvalidArgument, "ErrPageLoop": circleci.ErrPageLoop, "ErrNotTriggered": circleci.ErrNotTriggered,
}

// matched are the names of the sentinels that an error matches.
func matched(err error) []string {
	names := []string{}
	for name, sentinel := range sentinels {
		if errors.Is(err, sentinel) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// failing returns the error that an answer comes to.
func failing(t testing.TB, r reply, opts ...circleci.Option) *circleci.Error {
	t.Helper()
	_, err := always(r).client(t, opts...).Contexts.Get(t.Context(), someID)
	assertOneLine(t, err)
	assert.NotContains(t, err.Error(), someID.String(), "an error's text names the template and not the argument")
	assert.NotContains(t, err.Error(), "://circleci.com", "an error's text does not show the URL")
	return requireError[*circleci.Error](t, err)
}

func TestErrorsMatchByStatus(t *testing.T) {
	want := map[int]string{
		401: "ErrUnauthorized", 403: "ErrForbidden", 404: "ErrNotFound", 409: "ErrConflict", 410: "ErrGone", 429: "ErrRateLimited",
	}
	for status := 300; status < 600; status++ {
		failed := failing(t, answers(status, `{"message":"no"}`))
		expected := []string{}
		if name, ok := want[status]; ok {
			expected = []string{name}
		} else if status >= 500 {
			expected = []string{"ErrServer"}
		}
		assert.Equal(t, expected, matched(failed), "status %d", status)
		assert.Equal(t, status, failed.StatusCode)
		assert.Contains(t, failed.Error(), "circleci: GET /context/{context_id}: "+strconv.Itoa(status))
		assert.Contains(t, failed.Error(), ": no")
	}
}

func TestErrorsOfUsersOwnMakingMatch(t *testing.T) {
	// As users' tests make them.
	err := fmt.Errorf("deploy: %w", &circleci.Error{StatusCode: 429, Method: "GET", Route: "/me"})
	assert.Equal(t, []string{"ErrRateLimited"}, matched(err))
	assert.EqualError(t, err, "deploy: circleci: GET /me: 429 Too Many Requests (too many requests: try again later)")
	assert.Equal(t, []string{"ErrForbidden"}, matched(&circleci.Error{StatusCode: 403}))
	assert.Equal(t, []string{"ErrInvalidArgument"}, matched(&circleci.ArgumentError{Name: "a", Reason: "is bad"}))
	assert.Empty(t, matched(&circleci.TransportError{}))
	for _, err := range []error{&circleci.Error{}, &circleci.TransportError{}, &circleci.DecodeError{}} {
		assertOneLine(t, err) // no panic on the zero value
	}
}

func TestErrorBodies(t *testing.T) {
	for _, c := range []struct{ name, body, message, kind, id string }{
		{"v2", `{"message":"Project not found"}`, "Project not found", "", ""},
		{"policy", `{"error":"policy is invalid","context":{"line":3}}`, "policy is invalid", "", ""},
		{"newer services", `{"error":{"type":"invalid_request","id":"e-1","title":"Invalid","detail":"name is taken","source":{"pointer":"/name"}}}`,
			"Invalid: name is taken", "invalid_request", "e-1"},
		{"newer services, bare", `{"type":"t","id":"e-2","title":"Invalid","detail":"name is taken"}`, "Invalid: name is taken", "t", "e-2"},
		{"title alone", `{"error":{"title":"Invalid"}}`, "Invalid", "", ""},
		{"the same twice", `{"title":"Invalid","detail":"Invalid"}`, "Invalid", "", ""},
		{"OAuth", `{"error":"invalid_grant"}`, "invalid_grant", "", ""},
		{"OAuth in full", `{"error":"invalid_grant","error_description":"the code has expired"}`, "invalid_grant: the code has expired", "", ""},
		{"router", "404 page not found\n", "404 page not found", "", ""},
		{"rate limit", "Rate limited.", "Rate limited.", "", ""},
		{"edge", "<html><head><title>ERROR: The request could not be satisfied</title></head>", "an HTML page: ERROR: The request could not be satisfied", "", ""},
		{"edge without a title", "<!DOCTYPE html><p>x", "an HTML page", "", ""},
		{"string", `"no such thing"`, "no such thing", "", ""},
		{"array", `[{"message":"a"},{"error":{"title":"b"}},"c",null,3]`, "a; b; c", "", ""},
		{"errors", `{"errors":[{"message":"a"},{"message":"b"}]}`, "a; b", "", ""},
		{"message of many", `{"message":["a","b"]}`, "a; b", "", ""},
		{"message and reason", `{"message":"a","reason":"b"}`, "a: b", "", ""},
		{"empty object", `{}`, "", "", ""},
		{"empty", ``, "", "", ""},
		{"null", `null`, "", "", ""},
		{"number", `42`, "", "", ""},
		{"cut off", `{"message":"Project not`, `{"message":"Project not`, "", ""},
		{"other types", `{"message":5,"error":{"id":7,"type":[]},"title":true}`, "", "", ""},
		{"twice the same key", `{"message":"a","message":"b"}`, "b", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := answers(400, c.body)
			if strings.HasPrefix(c.body, "<") {
				r.header.Set("Content-Type", "text/html; charset=utf-8")
			}
			failed := failing(t, r)
			assert.Equal(t, c.message, failed.Message)
			assert.Equal(t, c.kind, failed.Type)
			assert.Equal(t, c.id, failed.ID)
			assert.Equal(t, c.body, string(failed.Body), "the body as it came")
		})
	}
}

func TestABodyThatIsTooMuchForALine(t *testing.T) {
	hostile := "first\r\nsecond\t\x00\x1b[31mred\u0085\u2028next\x7f" + strings.Repeat("ü", 400) + "\xff"
	body, err := json.Marshal(map[string]string{"message": hostile})
	require.NoError(t, err)
	failed := failing(t, answers(400, string(body), "X-Request-Id", "a\tb\u0085"))
	assert.Contains(t, failed.Error(), "first second red next ü")
	assert.Contains(t, failed.Error(), "ü…")
	assert.Contains(t, failed.Error(), "request ID a b")

	for shift := range 3 {
		failed = failing(t, answers(400, strings.Repeat("x", shift)+strings.Repeat("€", 200), "Content-Type", "text/plain"))
		assert.True(t, utf8.ValidString(failed.Error()), "a character is cut in two")
	}

	// The start of a very long body is kept, and the answer is still read.
	failed = failing(t, answers(500, strings.Repeat("x", 1<<20), "Content-Type", "text/plain"))
	assert.Len(t, failed.Body, 64<<10)
}

func TestABodyThatBreaksOff(t *testing.T) {
	r := answers(404, `{"message":"Project not found"}`)
	r.tail = failingReader{errNet}
	failed := failing(t, r)
	assert.Equal(t, 404, failed.StatusCode, "the status is known, though the body is not whole")
	assert.Equal(t, "Project not found", failed.Message)
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

func TestTheEdgesBlockIsNoRefusal(t *testing.T) {
	for name, r := range map[string]reply{
		"HTML":             answers(403, "<html><title>Attention Required!</title></html>", "Content-Type", "text/html"),
		"HTML in capitals": answers(403, "x", "Content-Type", "Text/HTML; charset=UTF-8"),
		"without a type":   answers(403, "\n<!doctype HTML><p>", "Content-Type", ""),
	} {
		failed := failing(t, r)
		assert.ElementsMatch(t, []string{"ErrForbidden", "ErrRateLimited"}, matched(failed), name)
		assert.Contains(t, failed.Error(), "too many requests", name)
		assert.NotContains(t, failed.Error(), "rights")
	}
	for name, r := range map[string]reply{
		"JSON":           answers(403, `{"message":"Permission denied."}`),
		"JSON of HTML":   answers(403, `{"message":"<html>"}`),
		"empty":          answers(403, "", "Content-Type", ""),
		"HTML, said no":  answers(403, "<html>", "Content-Type", "application/json"),
		"plain text":     answers(403, "forbidden", "Content-Type", "text/plain"),
		"404 of a proxy": answers(403, "denied", "Content-Type", ""),
	} {
		assert.Equal(t, []string{"ErrForbidden"}, matched(failing(t, r)), name)
	}
	assert.Equal(t, []string{"ErrServer"}, matched(failing(t, answers(502, "<html></html>", "Content-Type", "text/html"))))
}

func TestErrorsTellWhatIsKnown(t *testing.T) {
	failed := failing(t, answers(429, `{"message":"Rate limit exceeded."}`, "X-Request-Id", "r-1", "Retry-After", "90",
		"X-RateLimit-Limit-Minute", "60", "X-RateLimit-Remaining-Minute", "0", "X-RateLimit-Reset-Minute", "90"))
	assert.Equal(t, &circleci.Error{
		StatusCode: 429, Message: "Rate limit exceeded.", RequestID: "r-1", Method: "GET", Route: "/context/{context_id}", Attempts: 1,
		RetryAfter: 90 * time.Second, Body: failed.Body,
		RateLimit: circleci.RateLimit{Known: true, Limit: 60, Remaining: 0, Reset: 90 * time.Second},
	}, &circleci.Error{
		StatusCode: failed.StatusCode, Message: failed.Message, RequestID: failed.RequestID, Method: failed.Method, Route: failed.Route,
		Attempts: failed.Attempts, RetryAfter: failed.RetryAfter, Body: failed.Body, RateLimit: failed.RateLimit,
	})
	assert.EqualError(t, failed, "circleci: GET /context/{context_id}: 429 Too Many Requests: Rate limit exceeded. (request ID r-1; try again in 1m30s)")
	assert.Zero(t, failing(t, answers(500, "")).RetryAfter, "no Retry-After")
	for header, id := range map[string]string{"X-Request-Id": "1", "Request-Id": "2", "Cf-Ray": "3", "X-Amz-Cf-Id": "4"} {
		assert.Equal(t, id, failing(t, answers(500, "", header, id)).RequestID)
	}
}

func TestHints(t *testing.T) {
	for _, c := range []struct {
		reply reply
		hint  string
	}{
		{answers(401, ""), "(check that the token is a personal API token"},
		{answers(403, ""), "(check the permissions of the token's owner"},
		{answers(404, ""), "(it does not exist, or this token may not read it)"},
		{answers(410, ""), "(the API has removed this operation"},
		{answers(429, ""), "(too many requests: try again later)"},
		{answers(429, "", "Retry-After", "60"), "(try again in 1m0s)"},
		{answers(429, "", "Retry-After", "0.2"), "(try again in 1s)"},
		{answers(500, ""), "(see https://status.circleci.com)"},
		{answers(503, "", "X-Request-Id", "r-1"), "(request ID r-1; see https://status.circleci.com)"},
		{answers(304, ""), "(check the base URL)"},
	} {
		assert.Contains(t, failing(t, c.reply).Error(), c.hint)
	}
	for _, status := range []int{400, 405, 409, 413, 501} {
		assert.NotContains(t, failing(t, answers(status, "")).Error(), "(", "nothing to say of a %d", status)
	}
	client, err := circleci.NewClient("", circleci.WithHTTPClient(&http.Client{Transport: replies(answers(401, ""))}))
	require.NoError(t, err)
	_, err = client.Users.Me(t.Context())
	assert.ErrorContains(t, err, "no token was sent: pass one to NewClient, or set CIRCLE_TOKEN")

	synctest.Test(t, func(t *testing.T) {
		assert.Contains(t, failing(t, answers(500, "{}"), retrying()).Error(), "(4 attempts; see https://status.circleci.com)")
	})
}

func TestARefusalNamesThePlaceOfTheToken(t *testing.T) {
	clearEnv(t)
	t.Setenv("CIRCLECI_CLI_TOKEN", canary)
	source := circleci.WithTokenSource(func(context.Context) (string, error) { return canary, nil })
	fromEnv := func(opts ...circleci.Option) (*circleci.Client, error) { return circleci.NewClientFromEnv(opts...) }
	given := func(opts ...circleci.Option) (*circleci.Client, error) { return circleci.NewClient(canary, opts...) }
	anonymous := func(opts ...circleci.Option) (*circleci.Client, error) { return circleci.NewClient("", opts...) }
	html := answers(403, "<html>", "Content-Type", "text/html")
	for _, c := range []struct {
		name      string
		newClient func(opts ...circleci.Option) (*circleci.Client, error)
		opts      []circleci.Option
		reply     reply
		place     string
	}{
		{"environment", fromEnv, nil, answers(401, ""), "CIRCLECI_CLI_TOKEN"},
		{"environment, forbidden", fromEnv, nil, answers(403, ""), "CIRCLECI_CLI_TOKEN"},
		{"environment, not found", fromEnv, nil, answers(404, ""), "CIRCLECI_CLI_TOKEN"},
		{"environment, not about the token", fromEnv, nil, answers(400, ""), ""},
		{"environment, refused by a proxy", fromEnv, nil, html, ""},
		{"environment, named", fromEnv, []circleci.Option{circleci.WithTokenFrom("--token")}, answers(401, ""), "--token"},
		{"environment, replaced by a source", fromEnv, []circleci.Option{source}, answers(401, ""), "WithTokenSource"},
		{"source and name, in any order", given, []circleci.Option{source, circleci.WithTokenFrom("x")}, answers(401, ""), "WithTokenSource"},
		{"argument", given, nil, answers(401, ""), ""},
		{"argument, named", given, []circleci.Option{circleci.WithTokenFrom("a\nb")}, answers(401, ""), "a b"},
		{"none", anonymous, []circleci.Option{circleci.WithTokenFrom("--token")}, answers(401, ""), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			once := circleci.WithRetry(circleci.RetryPolicy{MaxAttempts: 1})
			client, err := c.newClient(append(c.opts, once, circleci.WithHTTPClient(&http.Client{Transport: always(c.reply)}))...)
			require.NoError(t, err)
			_, err = client.Users.Me(t.Context())
			require.Error(t, err)
			if c.place == "" {
				assert.NotContains(t, err.Error(), "the token is from")
			} else {
				assert.ErrorContains(t, err, "; the token is from "+c.place+")")
			}
			assertHidden(t, canary, err)
		})
	}
	_, err := given(circleci.WithTokenFrom(canary))
	require.ErrorIs(t, err, circleci.ErrInvalidArgument)
	assert.NotContains(t, err.Error(), canary)
}

func TestErrorsDoNotShowTheToken(t *testing.T) {
	headers := []string{"X-Request-Id", "r-1", "Retry-After", "900"}
	all := map[string]reply{
		"v2":           answers(401, `{"message":"token CANARY is unknown"}`, headers...),
		"newer":        answers(400, `{"error":{"type":"CANARY","id":"CANARY","title":"CANARY","detail":"xCANARYx"}}`, headers...),
		"text":         answers(500, "Circle-Token: CANARY", headers...),
		"HTML":         answers(403, "<html><title>CANARY</title>", "Content-Type", "text/html"),
		"cut off":      answers(429, `{"message":"CANARY`, headers...),
		"empty answer": answers(200, "", headers...),
		"bad JSON":     answers(200, `CANARY`, headers...),
		"bad types":    answers(200, `{"name":{"CANARY":"CANARY"},"CANARY":{"created_at":"CANARY"},"environment_variables":[{"created_at":"CANARY"}]}`),
		"cut JSON":     answers(200, `{"name":"CANARY`),
		"network":      breaks(fmt.Errorf("GET with %q: %w", "CANARY", &net.OpError{Op: "read", Err: errNet})),
	}
	for name, r := range all {
		t.Run(name, func(t *testing.T) {
			var response circleci.Response
			_, err := always(r).client(t).Contexts.Get(t.Context(), someID, circleci.CaptureResponse(&response))
			require.Error(t, err)
			for _, v := range []any{err, fmt.Errorf("wrapped: %w", err), errors.Join(err, errNet), struct{ Err error }{err}, response} {
				assertHidden(t, canary, v)
				assertUnreachable(t, canary, v)
			}
			if r.err != nil {
				assert.ErrorIs(t, err, errNet, "the cause can still be asked for")
				var cause *net.OpError
				assert.ErrorAs(t, err, &cause)
				assert.ErrorContains(t, err, "REDACTED")
			}
		})
	}
}

func TestTheTokenThatWasSentIsScrubbed(t *testing.T) {
	// Not the one that the client was made with.
	source := circleci.WithTokenSource(func(context.Context) (string, error) { return "fresh-token", nil })
	failed := failing(t, answers(401, `{"message":"fresh-token has expired, and so has it"}`), source)
	assert.Equal(t, "REDACTED has expired, and so has it", failed.Message)

	// A very short token is a word of its own: it would make a body unreadable.
	client, err := circleci.NewClient("not", circleci.WithHTTPClient(&http.Client{Transport: replies(answers(404, `{"message":"Project not found"}`))}))
	require.NoError(t, err)
	_, err = client.Users.Me(t.Context())
	assert.ErrorContains(t, err, "Project not found")
}

func TestTransportErrors(t *testing.T) {
	for name, cause := range map[string]error{
		"reset":  errNet,
		"DNS":    &net.DNSError{Err: "no such host", Name: "circleci.com", IsNotFound: true},
		"dial":   &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")},
		"TLS":    x509.UnknownAuthorityError{},
		"EOF":    io.ErrUnexpectedEOF,
		"a line": errors.New("first\nsecond\x00"),
		"a long": errors.New(strings.Repeat("x ", 5000)),
	} {
		var opts []circleci.Option
		_, err := always(breaks(cause)).client(t, opts...).Contexts.Get(t.Context(), someID)
		failed := requireError[*circleci.TransportError](t, err)
		require.ErrorIs(t, err, cause, name)
		assert.Equal(t, "GET", failed.Method)
		assert.Equal(t, "/context/{context_id}", failed.Route)
		assert.Equal(t, 1, failed.Attempts)
		assert.Nil(t, failed.Last)
		assert.NotContains(t, err.Error(), someID.String(), "%s: the URL shows", name)
		assert.Empty(t, matched(err), name)
		assertOneLine(t, err)
	}
}

func TestAnAnswerThatBreaksOffIsNoBadAnswer(t *testing.T) {
	r := answers(201, `{"id":"`)
	r.tail = failingReader{errNet}
	var response circleci.Response
	_, err := always(r).client(t).Pipelines.Trigger(t.Context(), slug, circleci.TriggerPipelineRequest{}, circleci.CaptureResponse(&response))
	require.ErrorAs(t, err, new(*circleci.TransportError))
	require.ErrorIs(t, err, errNet)
	assert.Equal(t, 201, response.StatusCode, "it can be told that the pipeline runs")
}

func TestTheLastAnswerSurvives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := replies(answers(503, `{"message":"database is down"}`, "X-Request-Id", "r-1"), breaks(errNet), breaks(errNet), breaks(errNet))
		_, err := wire.client(t, retrying()).Users.Me(t.Context())
		err = fmt.Errorf("wrapped: %w", err)
		failed := requireError[*circleci.TransportError](t, err)
		assert.Equal(t, 4, failed.Attempts)
		require.NotNil(t, failed.Last)
		assert.Equal(t, "r-1", failed.Last.RequestID)
		require.ErrorIs(t, err, errNet)
		require.ErrorIs(t, err, circleci.ErrServer, "errors.Is finds the last answer")
		assert.Equal(t, "database is down", requireError[*circleci.Error](t, err).Message)
		assert.EqualError(t, failed, "circleci: GET /me: connection reset by peer (4 attempts); the previous response was 503 database is down")

		// The caller gives up in the wait after a 429.
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err = always(answers(429, `{"message":"Rate limit exceeded."}`, "Retry-After", "60")).client(t, retrying()).Users.Me(ctx)
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, circleci.ErrRateLimited)
		assert.Equal(t, 1, requireError[*circleci.TransportError](t, err).Attempts)
	})
}

func TestDecodeErrors(t *testing.T) {
	for _, c := range []struct{ name, contentType, body, text string }{
		{"HTML", "text/html", "<html><title>Log in</title>", "(Content-Type text/html): <html><title>Log in</title>"},
		{"empty", "application/json", "", "the response is empty, but a result was expected"},
		{"cut off", "application/json", `{"id":"`, "the JSON stops in the middle"},
		{"type", "application/json", `{"name":5}`, `"/name"`},
		{"array", "application/json", `[]`, "array"},
		{"time", "application/json", `{"created_at":7}`, "a time was expected"},
		{"two values", "application/json", `{} {}`, "{} {}"},
		{"lines", "application/json", "{\n\t\"na\\u0000me\": 5,\r\n\x00", "circleci"},
	} {
		wire := replies(answers(200, c.body, "Content-Type", c.contentType, "X-Request-Id", "r-1"))
		out, err := wire.client(t, retrying()).Contexts.Get(t.Context(), someID, circleci.NoRetry())
		assert.Nil(t, out, "on an error there is no result")
		failed := requireError[*circleci.DecodeError](t, fmt.Errorf("wrapped: %w", err))
		assert.Equal(t, 200, failed.StatusCode)
		assert.Equal(t, "r-1", failed.RequestID)
		assert.Equal(t, "GET", failed.Method)
		assert.Equal(t, "/context/{context_id}", failed.Route)
		assert.Equal(t, c.contentType, failed.ContentType)
		assert.Equal(t, c.body, string(failed.Body))
		assert.Equal(t, 1, failed.Attempts)
		assert.Error(t, failed.Err)
		assert.ErrorContains(t, err, c.text, c.name)
		assert.Empty(t, matched(err), "the API has done what was asked: it is no refusal")
		assertOneLine(t, err)
	}
}

func TestABadAnswerIsNotAskedForAgain(t *testing.T) {
	wire := replies(answers(201, `{"id":"x"`+strings.Repeat(" ", 100)+`,}`))
	_, err := wire.client(t, retrying()).Pipelines.Trigger(t.Context(), slug, circleci.TriggerPipelineRequest{})
	require.ErrorAs(t, err, new(*circleci.DecodeError))
	assert.Len(t, wire.requests(), 1, "the pipeline runs twice now")
}

func TestNotTriggered(t *testing.T) {
	wire := replies(answers(200, `{"message":"no workflow\nmatches"}`))
	pipeline, err := wire.client(t).Pipelines.Run(t.Context(), slug, circleci.RunPipelineRequest{DefinitionID: someID})
	assert.Nil(t, pipeline)
	require.ErrorIs(t, err, circleci.ErrNotTriggered)
	assert.EqualError(t, err, "circleci: no pipeline was triggered: no workflow matches")
}

// Bodies that are made to exhaust the stack, the memory or a reader.
func TestErrorBodiesThatAreBombs(t *testing.T) {
	for name, body := range map[string]string{
		"deep array":  strings.Repeat("[", 60_000),
		"deep object": strings.Repeat(`{"error":`, 7000),
		"deep whole":  strings.Repeat(`{"error":`, 5000) + `"x"` + strings.Repeat("}", 5000),
		"wide":        `{"errors":["` + strings.Repeat(`a","`, 15_000) + `"]}`,
		"one word":    strings.Repeat("x", 64<<10),
	} {
		_, err := replies(answers(400, body)).client(t).Contexts.Get(t.Context(), someID)
		assert.Equal(t, 400, requireError[*circleci.Error](t, err).StatusCode, name)
		assertOneLine(t, err)
	}
}

func FuzzErrorBody(f *testing.F) {
	for _, body := range []string{
		``, `{}`, `null`, `{"message":"m"}`, `{"error":"e","context":{}}`, `{"error":{"type":"t","id":"i","title":"t","detail":"d"}}`,
		`[1,[2,{"message":["a"]}]]`, "404 page not found\n", "<html><title>x\ny</title>", `{"message":"CANARY"}`, "\x00\xff", `"\u0000\u2028"`,
		`{"message":1e999}`, "<title></title", `{"errors":[{"message":"a"},{"reason":"b"}]}`,
	} {
		f.Add(400, "application/json", "", []byte(body))
		f.Add(403, "text/html", "60", []byte(body))
		f.Add(429, "", "x", []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, contentType, retryAfter string, body []byte) {
		if status < 300 || status > 999 || status >= 301 && status <= 308 {
			return // no error, or a redirect
		}
		if len(contentType)+len(retryAfter)+len(body) > 500 {
			return // a long one finds nothing more, and takes minutes to minimize
		}
		wire := always(answers(status, string(body), "Content-Type", contentType, "Retry-After", retryAfter, "X-Request-Id", contentType))
		_, err := wire.client(t).Contexts.Get(t.Context(), someID)
		failed := requireError[*circleci.Error](t, err)
		text := err.Error()
		assert.NotContains(t, text, "\n")
		assert.False(t, strings.ContainsFunc(text, unicode.IsControl), "%q", text)
		assert.Less(t, len(text), 1500)
		assert.Equal(t, status, failed.StatusCode)
		assert.LessOrEqual(t, len(failed.Body), 128<<10)
		assert.NotContains(t, failed.Message+failed.Type+failed.ID+string(failed.Body), canary)
		assert.GreaterOrEqual(t, failed.RetryAfter, time.Duration(0))
		if status != http.StatusForbidden { // in HTML it means two things
			assert.LessOrEqual(t, len(matched(err)), 1, "an error has one meaning")
		}
		if status == http.StatusTooManyRequests {
			assert.ErrorIs(t, err, circleci.ErrRateLimited)
		}
	})
}
