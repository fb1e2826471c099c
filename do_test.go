package circleci_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

var someID = uuid.MustParse("5034460f-c7c4-4c43-9457-de07e2029e7b")

const api = "https://circleci.com/api/v2"

func TestDoFillsRoutes(t *testing.T) {
	for _, c := range []struct {
		route  string
		params []any
		want   string
	}{
		{"/me", nil, api + "/me"},
		{"/context/{context_id}", []any{someID}, api + "/context/" + someID.String()},
		{"/job/{job-number}", []any{7}, api + "/job/7"},
		{"/job/{job-number}", []any{int64(1) << 40}, api + "/job/1099511627776"},
		{"/x/{name}", []any{"plain-name_1.2~3"}, api + "/x/plain-name_1.2~3"},
		{"/x/{name}", []any{"a b/c?d#e%2F+é&="}, api + "/x/a%20b%2Fc%3Fd%23e%252F+%C3%A9&="},
		{"/project/{project-slug}/envvar", []any{circleci.ProjectSlug("gh/acme/web app")}, api + "/project/gh/acme/web%20app/envvar"},
		{"/project/{provider}/{organization}/{project}/settings", []any{circleci.ProjectSlug("gh/acme/web")}, api + "/project/gh/acme/web/settings"},
		{"/owner/{org-slug}", []any{circleci.OrgSlug("gh/acme")}, api + "/owner/gh/acme"},
		{"/organization/{org-slug-or-id}", []any{circleci.OrgBySlug("gh/acme")}, api + "/organization/gh%2Facme"},
		{"/organization/{org-slug-or-id}", []any{circleci.OrgByID(someID)}, api + "/organization/" + someID.String()},
		{"/a/{x}/b/{y}", []any{"1", 2}, api + "/a/1/b/2"},
		{"/a%20b/c", nil, api + "/a%20b/c"},
		{"/a b/ü", nil, api + "/a%20b/%C3%BC"},
		{"/api/v3/jobs/{job-id}/stdout", []any{someID}, "https://circleci.com/api/v3/jobs/" + someID.String() + "/stdout"},
		{"/api/v1.1/project/{slug}", []any{circleci.ProjectSlug("gh/a b/c")}, "https://circleci.com/api/v1.1/project/gh/a%20b/c"},
	} {
		wire := replies(answers(200, `{}`))
		err := wire.client(t).Do(t.Context(), circleci.Request{Route: c.route, Params: c.params}, nil)
		require.NoError(t, err, c.route)
		assert.Equal(t, c.want, wire.only(t).URL, c.route)
	}
}

func TestDoRefusesWhatWouldGoAstray(t *testing.T) {
	type call struct {
		method, route string
		in, out       any
		opts          []circleci.RequestOption
		params        []any
	}
	params := func(values ...any) []any { return values }
	for name, c := range map[string]struct {
		call
		argument string
	}{
		"empty route":             {call{route: ""}, "route"},
		"relative route":          {call{route: "me"}, "route"},
		"no segment":              {call{route: "/"}, "route"},
		"empty segment":           {call{route: "/a//b"}, "route"},
		"trailing slash":          {call{route: "/a/"}, "route"},
		"dot":                     {call{route: "/a/./b"}, "route"},
		"dots":                    {call{route: "/a/../b"}, "route"},
		"escaped dots":            {call{route: "/a/%2e%2E/b"}, "route"},
		"escaped dots and slash":  {call{route: "/a%2f..%2fb"}, "route"},
		"backslash":               {call{route: `/a\..\b`}, "route"},
		"query":                   {call{route: "/a?b=c"}, "route"},
		"fragment":                {call{route: "/a#b"}, "route"},
		"line break":              {call{route: "/a\r\nb"}, "route"},
		"bad escape":              {call{route: "/a%zz"}, "route"},
		"host":                    {call{route: "https://evil.example.com/a"}, "route"},
		"host by slashes":         {call{route: "//evil.example.com/a"}, "route"},
		"empty value":             {call{route: "/x/{name}", params: params("")}, "name"},
		"dots for a value":        {call{route: "/x/{name}", params: params("..")}, "name"},
		"dots within a value":     {call{route: "/x/{name}", params: params("a/../b")}, "name"},
		"backslashes in a value":  {call{route: "/x/{name}", params: params(`..\b`)}, "name"},
		"zero UUID":               {call{route: "/x/{context_id}", params: params(uuid.Nil)}, "context_id"},
		"second UUID is zero":     {call{route: "/x/{a}/{b}", params: params(someID, uuid.Nil)}, "b"},
		"zero number":             {call{route: "/x/{job-number}", params: params(0)}, "job-number"},
		"negative number":         {call{route: "/x/{job-number}", params: params(int64(-1))}, "job-number"},
		"short project slug":      {call{route: "/x/{project-slug}", params: params(circleci.ProjectSlug("acme/web"))}, "project slug"},
		"long org slug":           {call{route: "/x/{org-slug}", params: params(circleci.OrgSlug("gh/acme/web"))}, "organization slug"},
		"no organization":         {call{route: "/x/{org}", params: params(circleci.OrgRef{})}, "org"},
		"dots in a slug":          {call{route: "/x/{project-slug}", params: params(circleci.ProjectSlug("gh/../web"))}, "project slug"},
		"type":                    {call{route: "/x/{name}", params: params(1.5)}, "path parameter"},
		"nil":                     {call{route: "/x/{name}", params: params(nil)}, "path parameter"},
		"value missing":           {call{route: "/x/{name}/{other}", params: params("a")}, "/x/{name}/{other}"},
		"value too many":          {call{route: "/x/{name}", params: params("a", "b")}, "/x/{name}"},
		"placeholder never ends":  {call{route: "/x/{name", params: params("a")}, "/x/{name"},
		"method":                  {call{method: "get", route: "/x"}, "method"},
		"method with a line":      {call{method: "GET /\r\n", route: "/x"}, "method"},
		"no method":               {call{method: " ", route: "/x"}, "method"},
		"GET with a body":         {call{method: http.MethodGet, route: "/x", in: struct{}{}}, "body"},
		"HEAD with a body":        {call{method: http.MethodHead, route: "/x", in: "x"}, "body"},
		"body without a form":     {call{method: http.MethodPost, route: "/x", in: make(chan int)}, "body"},
		"out is no pointer":       {call{method: http.MethodPost, route: "/x", out: struct{}{}}, "out"},
		"out is a nil pointer":    {call{method: http.MethodPost, route: "/x", out: (*circleci.User)(nil)}, "out"},
		"header without a name":   {call{route: "/x", opts: []circleci.RequestOption{circleci.Header("", "v")}}, "header"},
		"header with a bad name":  {call{route: "/x", opts: []circleci.RequestOption{circleci.Header("a b", "v")}}, "header"},
		"header with two lines":   {call{route: "/x", opts: []circleci.RequestOption{circleci.Header("a", "v\r\nx: y")}}, "header"},
		"the token's header":      {call{route: "/x", opts: []circleci.RequestOption{circleci.Header("circle-token", "v")}}, "header"},
		"the other token header":  {call{route: "/x", opts: []circleci.RequestOption{circleci.Header("AUTHORIZATION", "v")}}, "header"},
		"bad header, then a good": {call{route: "/x", opts: []circleci.RequestOption{circleci.Header("Circle-Token", "v"), circleci.Header("A", "v")}}, "header"},
	} {
		t.Run(name, func(t *testing.T) {
			wire := replies(answers(200, `{}`))
			method := c.method
			if method == "" {
				method = http.MethodDelete
			}
			err := wire.client(t).Do(t.Context(), circleci.Request{Method: method, Route: c.route, Params: c.params, Body: c.in}, c.out, c.opts...)
			require.ErrorIs(t, err, circleci.ErrInvalidArgument)
			bad := requireError[*circleci.ArgumentError](t, err)
			assert.Equal(t, c.argument, bad.Name, "the argument to look at")
			assert.Equal(t, method, bad.Method)
			assert.Equal(t, c.route, bad.Route)
			assert.NotEmpty(t, bad.Reason)
			assertOneLine(t, err)
			assert.Empty(t, wire.requests(), "what is refused is not sent")
		})
	}
}

func TestMethodsNameTheirBadArgument(t *testing.T) {
	wire := replies()
	client := wire.client(t)
	err := client.Workflows.Approve(t.Context(), someID, uuid.Nil)
	assert.EqualError(t, err, "circleci: POST /workflow/{id}/approve/{approval_request_id}: approval_request_id: is the zero UUID")
	_, err = client.Jobs.Get(t.Context(), "gh/acme", 1)
	assert.EqualError(t, err, `circleci: GET /project/{project-slug}/job/{job-number}: project slug: "gh/acme" is not of the form gh/acme/web or circleci/<org id>/<project id>`)
	_, err = client.Pipelines.ListForProject("gh//web", nil).Collect(t.Context())
	assert.Equal(t, "/project/{project-slug}/pipeline", requireError[*circleci.ArgumentError](t, err).Route)
	_, err = client.Pipelines.ListForProject("gh//web", nil).Page(t.Context(), "")
	require.ErrorIs(t, err, circleci.ErrInvalidArgument)
	assert.Empty(t, wire.requests())
}

func TestDoSendsABody(t *testing.T) {
	for _, c := range []struct {
		name, method string
		in           any
		body         string
		hasBody      bool
	}{
		{"struct", http.MethodPost, struct {
			Name  string          `json:"name"`
			Value circleci.Secret `json:"value"`
			None  string          `json:"none,omitzero"`
		}{"A", "hunter2", ""}, `{"name":"A","value":"hunter2"}`, true},
		{"map, in order", http.MethodPut, map[string]any{"b": []int(nil), "a": circleci.Secret("s")}, `{"a":"s","b":[]}`, true},
		{"DELETE may have one", http.MethodDelete, map[string]int{"a": 1}, `{"a":1}`, true},
		{"empty object", http.MethodPatch, struct{}{}, `{}`, true},
		{"null", http.MethodPost, (*struct{})(nil), `null`, true},
		{"none", http.MethodPost, nil, "", false},
		{"GET never", http.MethodGet, nil, "", false},
	} {
		wire := replies(answers(200, `{}`))
		require.NoError(t, wire.client(t).Do(t.Context(), circleci.Request{Method: c.method, Route: "/x", Body: c.in}, nil), c.name)
		sent := wire.only(t)
		assert.Equal(t, c.method, sent.Method, c.name)
		assert.Equal(t, c.body, sent.Body, c.name)
		assert.Equal(t, c.hasBody, sent.HasBody, c.name)
		assert.Equal(t, c.hasBody, sent.Header.Get("Content-Type") == "application/json", c.name)
	}
}

func TestNoGETHasABody(t *testing.T) {
	for name, call := range map[string]func(ctx context.Context, c *circleci.Client) error{
		"value": func(ctx context.Context, c *circleci.Client) error {
			_, err := c.Users.Me(ctx)
			return err
		},
		"list": func(ctx context.Context, c *circleci.Client) error {
			_, err := c.Pipelines.List(nil).Collect(ctx)
			return err
		},
		"Do": func(ctx context.Context, c *circleci.Client) error {
			return c.Do(ctx, circleci.Request{Route: "/x"}, nil)
		},
		"HEAD": func(ctx context.Context, c *circleci.Client) error {
			return c.Do(ctx, circleci.Request{Method: http.MethodHead, Route: "/x"}, nil)
		},
	} {
		wire := replies(answers(200, `{"items":[]}`))
		require.NoError(t, call(t.Context(), wire.client(t)), name)
		assert.False(t, wire.only(t).HasBody, "%s: the API answers 403 to a GET with a body", name)
		assert.Empty(t, wire.only(t).Header["Content-Type"], name)
	}
}

func TestDoTakesTheAnswer(t *testing.T) {
	body := `{"login":"ada","id":"` + someID.String() + `"}`
	t.Run("struct", func(t *testing.T) {
		var user circleci.User
		require.NoError(t, replies(answers(200, body)).client(t).Do(t.Context(), circleci.Request{Route: "/me"}, &user))
		assert.Equal(t, circleci.User{ID: someID, Login: "ada"}, user)
	})
	t.Run("map", func(t *testing.T) {
		var object map[string]any
		require.NoError(t, replies(answers(200, `{"n":9007199254740993}`)).client(t).Do(t.Context(), circleci.Request{Route: "/me"}, &object))
		assert.Equal(t, map[string]any{"n": int64(9007199254740993)}, object)
	})
	t.Run("any", func(t *testing.T) {
		var v any
		require.NoError(t, replies(answers(200, `[1,"a"]`)).client(t).Do(t.Context(), circleci.Request{Route: "/me"}, &v))
		assert.Equal(t, []any{int64(1), "a"}, v)
	})
	t.Run("writer", func(t *testing.T) {
		var text bytes.Buffer
		wire := replies(answers(200, "no JSON at all", "Content-Type", "text/plain"))
		require.NoError(t, wire.client(t).Do(t.Context(), circleci.Request{Route: "/api/v3/x"}, &text))
		assert.Equal(t, "no JSON at all", text.String())
		assert.Equal(t, "*/*", wire.only(t).Header.Get("Accept"))
	})
	t.Run("nothing to a writer", func(t *testing.T) {
		var text bytes.Buffer
		require.NoError(t, replies(answers(204, "")).client(t).Do(t.Context(), circleci.Request{Route: "/api/v3/x"}, &text))
		assert.Empty(t, text.String())
	})
	t.Run("nil", func(t *testing.T) {
		for _, r := range []reply{answers(200, "no JSON at all"), answers(204, ""), answers(202, `null`), answers(201, `"a string"`)} {
			assert.NoError(t, replies(r).client(t).Do(t.Context(), circleci.Request{Method: http.MethodPost, Route: "/x"}, nil), "%d %s", r.status, r.body)
		}
	})
	t.Run("an empty answer where one is due", func(t *testing.T) {
		for _, r := range []reply{answers(200, ""), answers(204, ""), answers(200, " \n"), answers(200, "null")} {
			var user circleci.User
			err := replies(r).client(t).Do(t.Context(), circleci.Request{Route: "/me"}, &user)
			failed := requireError[*circleci.DecodeError](t, err)
			assert.Equal(t, r.status, failed.StatusCode)
			assert.ErrorContains(t, err, "the response is empty")
		}
	})
}

func TestDoStreamsCanBreak(t *testing.T) {
	t.Run("in the reading", func(t *testing.T) {
		r := answers(200, "first part")
		r.tail = iotest.ErrReader(errNet)
		wire := replies(r, answers(200, "first part"))
		var text bytes.Buffer
		err := wire.client(t, retrying()).Do(t.Context(), circleci.Request{Route: "/api/v3/x"}, &text)
		require.ErrorIs(t, err, errNet)
		assert.Equal(t, "/api/v3/x", requireError[*circleci.TransportError](t, err).Route)
		assert.Equal(t, "first part", text.String(), "what has been written cannot be taken back, and is not written twice")
		assert.Len(t, wire.requests(), 1)
		assertOneLine(t, err)
	})
	t.Run("in the writing", func(t *testing.T) {
		full := errors.New("no space left\non device")
		err := replies(answers(200, "x")).client(t).Do(t.Context(), circleci.Request{Route: "/api/v3/x"}, brokenWriter{full})
		require.ErrorIs(t, err, full)
		assertOneLine(t, err)
	})
	t.Run("by a time limit", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := answers(200, "first part")
			reader, writer := io.Pipe()
			r.tail = reader
			wire := &fakeWire{answer: func(req *http.Request, _ int) reply {
				context.AfterFunc(req.Context(), func() { _ = writer.CloseWithError(req.Context().Err()) }) // never fails
				return r
			}}
			start := time.Now()
			err := wire.client(t, circleci.WithIdleTimeout(0)).Do(t.Context(), circleci.Request{Route: "/api/v3/x"}, io.Discard, circleci.Timeout(time.Hour))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, time.Hour, time.Since(start))
		})
	})
	t.Run("refused", func(t *testing.T) {
		var text bytes.Buffer
		err := replies(answers(404, `{"message":"Job not found"}`)).client(t).Do(t.Context(), circleci.Request{Route: "/api/v3/x"}, &text)
		require.ErrorIs(t, err, circleci.ErrNotFound)
		assert.ErrorContains(t, err, "Job not found")
		assert.Empty(t, text.String(), "an error's body is no content")
	})
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestNothingIsLeftOfAnAttemptThatBrokeOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := answers(200, `{"id":"`+someID.String()+`","login":"from the first attempt","name":"x`)
		broken.tail = iotest.ErrReader(errNet)
		client := replies(broken, answers(200, `{"name":"Ada"}`), broken, answers(200, `{"name":"Ada"}`)).client(t, retrying())

		given := circleci.User{AvatarURL: "as it was"}
		require.NoError(t, client.Do(t.Context(), circleci.Request{Route: "/me"}, &given))
		assert.Equal(t, circleci.User{Name: "Ada", AvatarURL: "as it was"}, given)

		user, err := client.Users.Me(t.Context())
		require.NoError(t, err)
		assert.Equal(t, &circleci.User{Name: "Ada"}, user)
	})
}

func TestQuery(t *testing.T) {
	wire := replies(answers(200, `{"items":[]}`), answers(200, `{}`))
	client := wire.client(t)
	_, err := client.Pipelines.ListForProject("gh/a/b", &circleci.ListProjectPipelinesOptions{Branch: "feat/ü x+y&z"},
		circleci.Query("new", "1"), circleci.Query("filter[a b]", "p q", "r", "")).Collect(t.Context())
	require.NoError(t, err)
	require.NoError(t, client.Do(t.Context(), circleci.Request{Route: "/x"}, nil, circleci.Query("a+b", "c d"), circleci.Query("a+b", "e"), nil))
	sent := wire.requests()
	assert.Equal(t, api+"/project/gh/a/b/pipeline?branch=feat%2F%C3%BC%20x%2By%26z&new=1&filter%5Ba%20b%5D=p%20q&filter%5Ba%20b%5D=r", sent[0].URL)
	assert.Equal(t, api+"/x?a%2Bb=c%20d&a%2Bb=e", sent[1].URL, "a name is escaped once, whatever its value")
}

func TestHeader(t *testing.T) {
	wire := replies(answers(200, me))
	_, err := wire.client(t).Users.Me(t.Context(), circleci.Header("x-trace", "1"), circleci.Header("X-Trace", "2"),
		circleci.Header("Accept", "application/vnd.api+json"), circleci.Header("User-Agent", "mine"))
	require.NoError(t, err)
	got := wire.only(t).Header
	assert.Equal(t, []string{"1", "2"}, got["X-Trace"])
	assert.Equal(t, []string{"application/vnd.api+json"}, got["Accept"])
	assert.Equal(t, []string{"mine"}, got["User-Agent"])
	assert.Equal(t, []string{canary}, got["Circle-Token"])
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		t.Log("one attempt hangs")
		start := time.Now()
		_, err := always(answers(200, me).later(time.Hour)).client(t, retrying(), circleci.WithIdleTimeout(0)).Users.Me(t.Context(), circleci.Timeout(5*time.Second))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 5*time.Second, time.Since(start))
		assert.Equal(t, 1, requireError[*circleci.TransportError](t, err).Attempts)
		assertOneLine(t, err)

		t.Log("retries and waits are part of the call")
		start = time.Now()
		wire := always(answers(503, `{"message":"down"}`).later(time.Second))
		_, err = wire.client(t, retrying()).Users.Me(t.Context(), circleci.Timeout(3*time.Second))
		require.ErrorIs(t, err, circleci.ErrServer, "the last answer tells more than a deadline")
		assert.LessOrEqual(t, time.Since(start), 3*time.Second)

		t.Log("a wait that would pass the limit does not begin")
		start = time.Now()
		wire = always(answers(429, `{}`, "Retry-After", "10"))
		_, err = wire.client(t, retrying()).Users.Me(t.Context(), circleci.Timeout(3*time.Second))
		require.ErrorIs(t, err, circleci.ErrRateLimited)
		assert.Zero(t, time.Since(start))

		t.Log("none or less is no limit")
		_, err = always(answers(200, me).later(30*time.Second)).client(t).Users.Me(t.Context(), circleci.Timeout(0))
		require.NoError(t, err)
	})
}

func TestACanceledContextEndsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shutdown := errors.New("the program is about to end")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(shutdown) })
		_, err := always(answers(200, me).later(time.Hour)).client(t, retrying(), circleci.WithIdleTimeout(0)).Users.Me(ctx)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, shutdown, "the cause is what a reader wants to know")
		assertOneLine(t, err)
	})
}

func TestWhatIsReplayed(t *testing.T) {
	for _, c := range []struct {
		name, method string
		first        reply
		opts         []circleci.RequestOption
		again        bool
	}{
		{"GET after 502", http.MethodGet, answers(502, ""), nil, true},
		{"PUT after 502", http.MethodPut, answers(502, ""), nil, true},
		{"DELETE after a broken connection", http.MethodDelete, breaks(errNet), nil, true},
		{"POST after 502", http.MethodPost, answers(502, ""), nil, false},
		{"PATCH after 502", http.MethodPatch, answers(502, ""), nil, false},
		{"POST after a broken connection", http.MethodPost, breaks(errNet), nil, false},
		{"POST after 429", http.MethodPost, answers(429, "", "Retry-After", "1"), nil, true},
		{"POST after the edge's 403", http.MethodPost, answers(403, "<html></html>", "Content-Type", "text/html"), nil, true},
		{"POST after a real 403", http.MethodPost, answers(403, `{"message":"no"}`), nil, false},
		{"POST that may be replayed, after 502", http.MethodPost, answers(502, ""), []circleci.RequestOption{circleci.AllowReplay()}, true},
		{"PATCH that may be replayed, after a broken connection", http.MethodPatch, breaks(errNet), []circleci.RequestOption{circleci.AllowReplay()}, true},
		{"POST that may be replayed, after 400", http.MethodPost, answers(400, ""), []circleci.RequestOption{circleci.AllowReplay()}, false},
		{"GET, once", http.MethodGet, answers(502, ""), []circleci.RequestOption{circleci.NoRetry()}, false},
		{"GET, once, after 429", http.MethodGet, answers(429, "", "Retry-After", "1"), []circleci.RequestOption{circleci.NoRetry()}, false},
		{"POST, once, that may be replayed", http.MethodPost, answers(502, ""), []circleci.RequestOption{circleci.NoRetry(), circleci.AllowReplay()}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wire := replies(c.first, answers(200, `{}`))
				var in any
				if c.method == http.MethodPost {
					in = map[string]int{"a": 1}
				}
				err := wire.client(t, retrying()).Do(t.Context(), circleci.Request{Method: c.method, Route: "/x", Body: in}, nil, c.opts...)
				if !c.again {
					require.Error(t, err)
					assert.Len(t, wire.requests(), 1, "this could be done twice now")
					return
				}
				require.NoError(t, err)
				sent := wire.requests()
				require.Len(t, sent, 2)
				assert.Equal(t, sent[0], sent[1], "the replay is another request")
			})
		})
	}
}

func TestCaptureResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limited := []string{"X-Request-Id", "r-1", "RateLimit-Limit", "100", "RateLimit-Remaining", "7", "RateLimit-Reset", "30"}
		wire := replies(
			answers(502, ""), answers(200, me, limited...), // Me
			answers(404, `{"message":"no"}`, limited...), // Contexts.Get
			answers(200, "{", limited...),                // cut off
			breaks(errNet),
			answers(201, "content", limited...),
		)
		client := wire.client(t, retrying())
		var got, too circleci.Response
		_, err := client.Users.Me(t.Context(), circleci.CaptureResponse(&got), circleci.CaptureResponse(&too))
		require.NoError(t, err)
		want := circleci.Response{
			StatusCode: 200, RequestID: "r-1", Attempts: 2, Header: got.Header,
			RateLimit: circleci.RateLimit{Known: true, Limit: 100, Remaining: 7, Reset: 30 * time.Second},
		}
		assert.Equal(t, want, got)
		assert.Equal(t, got, too, "whoever asks gets it")
		assert.Equal(t, "r-1", got.Header.Get("X-Request-Id"))

		_, err = client.Contexts.Get(t.Context(), someID, circleci.CaptureResponse(&got))
		require.ErrorIs(t, err, circleci.ErrNotFound)
		want.StatusCode, want.Attempts, want.Header = 404, 1, got.Header
		assert.Equal(t, want, got, "on failure too")

		_, err = client.Users.Me(t.Context(), circleci.CaptureResponse(&got), circleci.NoRetry())
		require.ErrorAs(t, err, new(*circleci.DecodeError))
		assert.Equal(t, 200, got.StatusCode)

		_, err = client.Users.Me(t.Context(), circleci.CaptureResponse(&got), circleci.NoRetry())
		require.ErrorIs(t, err, errNet)
		assert.Equal(t, circleci.Response{Attempts: 1}, got, "what was known of an earlier call is gone")

		var text strings.Builder
		require.NoError(t, client.Do(t.Context(), circleci.Request{Route: "/api/v3/x"}, &text, circleci.CaptureResponse(&got)))
		assert.Equal(t, 201, got.StatusCode)
	})
}

// A range cuts what is to be decoded, and is what a writer may want.
func TestARangeIsForWriters(t *testing.T) {
	srv := circlecitest.New(t)
	srv.Fail("GET /me", circlecitest.Response{Status: 206, Body: "tail"})
	var w bytes.Buffer
	part := circleci.Header("Range", "bytes=3-")
	require.NoError(t, srv.Client().Do(t.Context(), circleci.Request{Route: "/me"}, &w, part))
	assert.Equal(t, "tail", w.String())
	assert.Equal(t, "bytes=3-", srv.Requests()[0].Header.Get("Range"))
	assert.ErrorIs(t, second(srv.Client().Users.Me(t.Context(), part)), circleci.ErrInvalidArgument)
	assert.Len(t, srv.Requests(), 1)
}
