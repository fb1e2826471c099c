package circlecitest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// remote scripts a server as a program in another language does.
type remote struct {
	t   *testing.T
	srv *circlecitest.Server
}

func (r remote) send(method, path, body string, header map[string]string) (int, string) {
	r.t.Helper()
	req := httptest.NewRequestWithContext(r.t.Context(), method, "http://localhost"+path, strings.NewReader(body))
	req.Header.Set("Circle-Token", r.srv.Token())
	for name, value := range header {
		if name == "Host" {
			req.Host = value
		}
		req.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	r.srv.ServeHTTP(w, req)
	return w.Code, w.Body.String()
}

// record sends a request without the token, as a browser does.
func (r remote) record(method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r.srv.ServeHTTP(w, httptest.NewRequestWithContext(r.t.Context(), method, "http://localhost"+path, nil))
	return w
}

func (r remote) call(method, path, body string) map[string]any {
	r.t.Helper()
	status, text := r.send(method, path, body, nil)
	require.Equal(r.t, http.StatusOK, status, text)
	var out map[string]any
	require.NoError(r.t, json.Unmarshal([]byte(text), &out), text)
	return out
}

func newRemote(t *testing.T) remote {
	return remote{t, circlecitest.New(t, circlecitest.WithManualTime(), circlecitest.WithTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)))}
}

const releaseScenario = `
users: [{login: grace, name: Grace Hopper}]
projects:
  gh/acme/web:
    pipeline_definitions: [build]
    scripts:
      - workflows:
          - name: release
            reruns_automatically: 1
            jobs:
              - {name: test, takes: 55m, fails: true, output: "boom\n", contexts: [deploy],
                 tests: [{name: TestCart, takes: 500ms}, {name: TestPay, result: failure, message: "want 200"}],
                 artifacts: [{path: log.txt, content: hello, size: 10}]}
              - {name: ship, requires: [test]}
      - setup: {name: plan, jobs: [{name: generate}]}
        workflows: [{name: release, jobs: [{name: hold, approval: true, approved_after: 40s}]}]
      - errors: [{type: config, message: "no such job"}]
        parameters: [deploy]
        config: "version: 2.1"
contexts:
  - {owner: gh/acme, name: deploy, env_vars: {REGION: eu}}
decisions:
  gh/acme: [{status: HARD_FAIL, enabled_rules: [r], hard_failures: [{rule: r, reason: no}]}]
`

// Everything that a scenario says, happens.
func TestScenario(t *testing.T) {
	r := newRemote(t)
	r.call("POST", "/_fake/scenario", releaseScenario)
	client, ctx := r.srv.Client(), t.Context()

	started := r.call("POST", "/_fake/pipelines", `{"project": "gh/acme/web"}`)
	id := uuid.MustParse(started["id"].(string))
	assert.Equal(t, "2026-03-01T16:00:00Z", r.call("POST", "/_fake/time", `{"advance": "4h"}`)["now"])
	workflows, err := client.Pipelines.ListWorkflows(id).Collect(ctx)
	require.NoError(t, err)
	require.Len(t, workflows, 2, "the workflow is rerun automatically")
	assert.Equal(t, circleci.WorkflowStatusFailed, workflows[0].Status)
	report, err := client.Workflows.GetTestReport(ctx, workflows[0].ID)
	require.NoError(t, err)
	require.Len(t, report.Failed(), 1)
	assert.Equal(t, "want 200", report.Failed()[0].Message)

	second := r.srv.StartPipeline("gh/acme/web", "main")
	r.call("POST", "/_fake/time", `{"set": "2026-03-01T17:00:00Z"}`)
	p, err := client.Pipelines.Get(ctx, second)
	require.NoError(t, err)
	assert.Equal(t, circleci.PipelineStateCreated, p.State)

	third := r.srv.StartPipeline("gh/acme/web", "main")
	r.srv.Advance(time.Minute)
	p, err = client.Pipelines.Get(ctx, third)
	require.NoError(t, err)
	require.Len(t, p.Errors, 1)
	assert.Equal(t, "no such job", p.Errors[0].Message)

	contexts, err := client.Contexts.List(circleci.OwnerBySlug("gh/acme"), nil).Collect(ctx)
	require.NoError(t, err)
	require.Len(t, contexts, 1)
	vars := r.call("GET", "/_fake/contexts/"+contexts[0].ID.String()+"/env-vars", "")
	assert.Equal(t, map[string]any{"REGION": "eu"}, vars)

	decision, err := client.Policy.Decide(ctx, r.srv.AddOrg("gh/acme"), circleci.DecideRequest{Input: "version: 2.1"})
	require.NoError(t, err)
	assert.Equal(t, circleci.DecisionStatusHardFail, decision.Status)
}

func TestScenarioRefuses(t *testing.T) {
	for name, test := range map[string]struct{ document, want string }{
		"an unknown member":       {"projets: {}", "projets"},
		"no YAML":                 {"a: [", "the document"},
		"a slug that is none":     {"projects: {a/b: {}}", "a/b"},
		"a job without a name":    {"projects: {gh/a/b: {scripts: [{workflows: [{name: w, jobs: [{takes: 2m}]}]}]}}", "a job has no name"},
		"a workflow without one":  {"projects: {gh/a/b: {scripts: [{workflows: [{jobs: []}]}]}}", "a workflow has no name"},
		"a requirement of nobody": {"projects: {gh/a/b: {scripts: [{workflows: [{name: w, jobs: [{name: j, requires: [k]}]}]}]}}", "k"},
		"a duration":              {"projects: {gh/a/b: {scripts: [{workflows: [{name: w, jobs: [{name: j, takes: soon}]}]}]}}", "soon"},
		"a failure":               {"projects: {gh/a/b: {scripts: [{workflows: [{name: w, jobs: [{name: j, fails: often}]}]}]}}", "often"},
		"a test result":           {"projects: {gh/a/b: {scripts: [{workflows: [{name: w, jobs: [{name: j, tests: [{name: t, result: odd}]}]}]}]}}", "odd"},
		"a fault":                 {"weather: [{fault: hail}]", "hail"},
		"an operation":            {"weather: [{fault: edge_block, for: [GET /nothing]}]", "GET /nothing"},
		"an owner":                {"contexts: [{owner: acme, name: x}]", "acme"},
		"a user":                  {"users: [{name: x}]", "no login"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRemote(t)
			status, text := r.send("POST", "/_fake/scenario", test.document, nil)
			assert.Equal(t, http.StatusBadRequest, status, text)
			assert.Contains(t, text, test.want)
		})
	}
}

func TestWeatherFromOutside(t *testing.T) {
	for fault, want := range map[string]int{
		`{fault: server_error, status: 503}`:                          503,
		`{fault: edge_block}`:                                         403,
		`{fault: answer, status: 418, header: {A: b}, body: "{}"}`:    418,
		`{fault: expired_token}`:                                      401,
		`[{fault: rate_limit, requests: 1, per: 1h, for: [GET /me]}]`: 200,
		`{fault: server_error, status: 500, from: 2027-01-01T00:00:00Z, until: 2028-01-01T00:00:00Z, share: 0.5, skip: 1, times: 1, executed: true}`: 200,
	} {
		r := newRemote(t)
		status, text := r.send("POST", "/_fake/weather", fault, nil)
		require.Equal(t, http.StatusOK, status, text)
		status, _ = r.send("GET", "/api/v2/me", "", nil)
		assert.Equal(t, want, status, fault)
		_, text = r.send("GET", "/_fake/weather", "", nil)
		assert.NotEqual(t, "[]\n", text)
		r.call("DELETE", "/_fake/weather", "")
		status, _ = r.send("GET", "/api/v2/me", "", nil)
		assert.Equal(t, http.StatusOK, status, "the weather has cleared")
	}
	for _, fault := range []string{"broken_connection", "truncated_body", "latency", "repeated_page", "stuck_token", "storage_redirect"} {
		r := newRemote(t)
		status, text := r.send("POST", "/_fake/weather", `{"fault": "`+fault+`", "delay": "1s"}`, nil)
		assert.Equal(t, http.StatusOK, status, text)
	}
}

func TestTimeFromOutside(t *testing.T) {
	r := newRemote(t)
	assert.Equal(t, map[string]any{"now": "2026-03-01T12:00:00Z", "speed": 0.0}, r.call("GET", "/_fake/time", ""))
	assert.InDelta(t, 60, r.call("POST", "/_fake/time", `{"speed": 60}`)["speed"], 0)
	assert.InDelta(t, 0, r.call("POST", "/_fake/time", `{"speed": 0}`)["speed"], 0)
	for _, bad := range []string{`{"set": "2020-01-01T00:00:00Z"}`, `{"speed": -1}`, `{"speed": .nan}`, `{"speed": .inf}`, `{"speed": 1e7}`, `{"advance": "-1h"}`, `{"rewind": "1h"}`} {
		status, _ := r.send("POST", "/_fake/time", bad, nil)
		assert.Equal(t, http.StatusBadRequest, status, bad)
	}
}

func TestReset(t *testing.T) {
	r := newRemote(t)
	r.call("POST", "/_fake/scenario", releaseScenario)
	first := r.srv.StartPipeline("gh/acme/web", "main")
	r.call("POST", "/_fake/time", `{"advance": "1h"}`)
	r.call("POST", "/_fake/token", `{"rotate": "another"}`)
	_, _ = r.send("POST", "/_fake/weather", `{"fault": "edge_block"}`, nil)
	r.call("POST", "/_fake/reset", "")

	assert.Equal(t, circlecitest.DefaultToken, r.srv.Token())
	assert.Equal(t, "2026-03-01T12:00:00Z", r.call("GET", "/_fake/time", "")["now"])
	assert.Empty(t, r.srv.Requests())
	client, ctx := r.srv.Client(), t.Context()
	_, err := client.Users.Me(ctx)
	require.NoError(t, err)
	_, err = client.Pipelines.Get(ctx, first)
	require.ErrorIs(t, err, circleci.ErrNotFound)
	r.call("POST", "/_fake/scenario", releaseScenario)
	assert.Equal(t, first, r.srv.StartPipeline("gh/acme/web", "main"), "IDs repeat after a reset")
}

func TestWhatHappenedFromOutside(t *testing.T) {
	r := newRemote(t)
	r.call("POST", "/_fake/scenario", releaseScenario)
	_, _ = r.send("GET", "/api/v2/me", "", nil)
	_, text := r.send("GET", "/_fake/requests?operation=GET+/me", "", nil)
	var requests []map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &requests))
	require.Len(t, requests, 1)
	assert.InDelta(t, 200, requests[0]["status"], 0)
	assert.NotContains(t, text, r.srv.Token())
	_, text = r.send("GET", "/_fake/deliveries", "", nil)
	assert.Equal(t, "[]\n", text)

	status, _ := r.send("POST", "/_fake/token", `{"rotate": "another"}`, nil)
	require.Equal(t, http.StatusOK, status)
	status, _ = r.send("GET", "/_fake/time", "", map[string]string{"Circle-Token": circlecitest.DefaultToken})
	assert.Equal(t, http.StatusOK, status, "the first token still scripts")
	status, _ = r.send("GET", "/api/v2/me", "", map[string]string{"Circle-Token": circlecitest.DefaultToken})
	assert.Equal(t, http.StatusUnauthorized, status)
}

// A page of another site, or a name that somebody else's DNS resolves to this
// machine, reaches neither the API nor the scripting routes.
func TestForeignersAreRefused(t *testing.T) {
	r := newRemote(t)
	for _, path := range []string{"/_fake/time", "/api/v2/me", "/"} {
		for _, header := range []map[string]string{
			{"Host": "evil.example"}, {"Host": "evil.example:8080"}, {"Host": "localhost.evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost:1"},
		} {
			status, text := r.send("GET", path, "", header)
			assert.Equal(t, http.StatusForbidden, status, "%s %v", path, header)
			if header["Host"] != "" {
				assert.Contains(t, text, "-allow-host "+strings.TrimSuffix(header["Host"], ":8080"))
			}
		}
		for _, header := range []map[string]string{{"Host": "127.0.0.1:80"}, {"Host": "[::1]:80"}, {"Host": "api.localhost"}, {"Origin": "http://localhost"}} {
			status, text := r.send("GET", path, "", header)
			assert.Equal(t, http.StatusOK, status, "%s %v: %s", path, header, text)
		}
	}
	srv := circlecitest.New(t, circlecitest.WithAllowedHosts("fake"))
	status, _ := remote{t, srv}.send("GET", "/api/v2/me", "", map[string]string{"Host": "fake:8080"})
	assert.Equal(t, http.StatusOK, status)
	status, _ = remote{t, srv}.send("GET", "/api/v2/me", "", map[string]string{"Host": "other:8080"})
	assert.Equal(t, http.StatusForbidden, status)
	srv = circlecitest.New(t, circlecitest.WithAllowedHosts("*"))
	status, _ = remote{t, srv}.send("GET", "/api/v2/me", "", map[string]string{"Host": "any.example"})
	assert.Equal(t, http.StatusOK, status)
}

// endless is a body without end; reading it would never stop.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	if e.read > 100<<20 {
		return 0, io.ErrUnexpectedEOF
	}
	return len(p), nil
}

// Bodies are read only for who may send them, and up to a bound.
func TestBodiesAreBounded(t *testing.T) {
	srv := circlecitest.New(t)
	for _, path := range []string{"/_fake/scenario", "/api/v2/webhook"} {
		for token, most := range map[string]int{"": 0, "wrong": 0, srv.Token(): 16 << 20} {
			body := &endless{}
			req := httptest.NewRequestWithContext(t.Context(), "POST", "http://localhost"+path, body)
			req.Header.Set("Circle-Token", token)
			w := httptest.NewRecorder()
			srv.ServeHTTP(w, req)
			assert.LessOrEqual(t, body.read, most, "%s with the token %q", path, token)
			assert.GreaterOrEqual(t, w.Code, 400)
		}
	}
}

func TestControlRoutesAreListed(t *testing.T) {
	r := newRemote(t)
	_, text := r.send("GET", "/_fake/", "", nil)
	assert.Contains(t, text, "POST /_fake/scenario")
	schema := r.call("GET", "/_fake/schema", "")
	assert.Equal(t, "A scenario for circleci-fake", schema["title"])
	status, text := r.send("GET", "/_fake/nothing", "", nil)
	assert.Equal(t, http.StatusNotFound, status)
	assert.Contains(t, text, "GET /_fake/ lists them")
	for _, path := range []string{"/_fake/pipelines/x/continuation-key", "/_fake/contexts/x/env-vars"} {
		status, _ = r.send("GET", path, "", nil)
		assert.Equal(t, http.StatusBadRequest, status)
	}
	for path, body := range map[string]string{
		"/_fake/triggers/x/fire": "", "/_fake/triggers/" + uuid.NewString() + "/fire": "", "/_fake/token": "{}", "/_fake/pipelines": `{"project": "web"}`,
	} {
		status, text = r.send("POST", path, body, nil)
		assert.Equal(t, http.StatusBadRequest, status, text)
	}
}

// waiting is a large body that does not end until it may.
type waiting struct {
	size    int
	started *atomic.Int32 // bodies of which more than the first part is read
	mayEnd  chan struct{}
}

func (b *waiting) Read(p []byte) (int, error) {
	if b.size >= 1<<20 {
		b.started.Add(1)
		<-b.mayEnd
		return 0, io.EOF
	}
	b.size += len(p)
	return copy(p, bytes.Repeat([]byte{' '}, len(p))), nil
}

// However many clients send large bodies, few are in memory at a time.
func TestFewLargeBodiesAreInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		var started, ended atomic.Int32
		mayEnd := make(chan struct{})
		const clients = 50
		for range clients {
			go func() {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://circleci.com/api/v2/pipeline/continue", &waiting{started: &started, mayEnd: mayEnd})
				assert.NoError(t, err)
				resp, err := srv.Transport().RoundTrip(req)
				assert.NoError(t, err)
				assert.Equal(t, 400, resp.StatusCode)
				ended.Add(1)
			}()
		}
		synctest.Wait()
		assert.Equal(t, int32(8), started.Load())
		close(mayEnd)
		synctest.Wait()
		assert.Equal(t, int32(clients), ended.Load())
	})
}
