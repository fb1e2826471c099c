package circlecitest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/internal/spec"
)

// furnished is a server with one of everything, and the IDs of it by their
// place in routes and bodies.
func furnished(t *testing.T, tb circlecitest.TB) (*circlecitest.Server, *strings.Replacer) {
	t.Helper()
	srv := circlecitest.New(tb, circlecitest.WithManualTime(), circlecitest.WithTime(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)))
	t.Cleanup(srv.Close)
	c, ctx := srv.Client(), t.Context()
	web, app := srv.AddProject(webSlug), srv.AddProject(appSlug)
	org, appOrg := srv.AddOrg("gh/acme"), srv.AddOrg(circleci.ProjectSlug(appSlug).Org())
	srv.Script(webSlug, circlecitest.Script{
		Setup:     circlecitest.Workflow("setup", circlecitest.Job("generate").WithOutput("x")),
		Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow("build", circlecitest.Approval("hold"))},
	})
	held := srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Minute)
	workflows, err := c.Pipelines.ListWorkflows(held).Collect(ctx)
	require.NoError(t, err)
	require.Len(t, workflows, 2)
	jobs, err := c.Workflows.ListJobs(workflows[0].ID).Collect(ctx)
	require.NoError(t, err)
	ran, err := c.Workflows.ListJobs(workflows[1].ID).Collect(ctx)
	require.NoError(t, err)
	setup := srv.StartPipeline(webSlug, "main")
	environment, component := srv.AddDeployEnvironment("gh/acme", "prod"), srv.AddDeployComponent(webSlug, "api")
	srv.Deploy(component, environment, "v1")
	srv.Deploy(component, environment, "v2")
	group, err := c.Groups.Create(ctx, appOrg, circleci.CreateGroupRequest{Name: "devs"})
	require.NoError(t, err)
	definition := srv.AddPipelineDefinition(appSlug, "build")
	trigger, err := c.Triggers.Create(ctx, app, definition, circleci.CreateTriggerRequest{
		EventSource: circleci.CustomWebhookEvents("deploys"), CheckoutRef: "main", ConfigRef: "main",
	})
	require.NoError(t, err)
	schedule, err := c.Schedules.Create(ctx, webSlug, circleci.CreateScheduleRequest{
		Name: "x", Timetable: circleci.Weekly(1, []int{1}, circleci.DayOfWeekMonday), AttributionActor: circleci.AttributionActorCurrent, Parameters: onMain,
	})
	require.NoError(t, err)
	envContext := srv.AddContext("gh/acme", "deploy", map[string]string{"TOKEN": "secret"})
	restriction, err := c.Contexts.CreateRestriction(ctx, envContext, circleci.ProjectRestriction(web))
	require.NoError(t, err)
	key, err := c.Projects.CreateCheckoutKey(ctx, webSlug, circleci.CreateCheckoutKeyRequest{Type: circleci.CheckoutKeyTypeDeployKey})
	require.NoError(t, err)
	_, err = c.Projects.SetEnvVar(ctx, webSlug, "NAME", circleci.SetEnvVarRequest{Value: "value"})
	require.NoError(t, err)
	return srv, strings.NewReplacer(
		"{project-slug}", string(webSlug), "{provider}/{organization}/{project}", string(webSlug), "{org-slug}", "gh/acme",
		"{org-slug-or-id}", org.String(), "{org_id}", appOrg.String(), "{orgID}", org.String(), "{projectID}", web.String(),
		"{ownerID}", org.String(), "{context}", "config", "{context_id}", envContext.String(), "{env_var_name}", "TOKEN",
		"{restriction_id}", restriction.ID.String(), "{component_id}", component.String(), "{environment_id}", environment.String(),
		"{workflow-name}", "build", "{job-id}", ran[0].ID.String(), "{allow-list-entry-id}", uuid.NewString(), "{group_id}", group.ID.String(),
		"{pipeline-id}", held.String(), "{pipeline-number}", "1", "{job-number}", "1", "{build-number}", "1", "{stream}", "stdout",
		"{fingerprint}", key.Fingerprint, "{name}", "NAME", "{project_id}", app.String(), "{pipeline_definition_id}", definition.String(),
		"{trigger_id}", trigger.ID.String(), "{schedule-id}", schedule.ID.String(), "{webhook-id}", addHook(t, srv, webSlug, "https://hooks.example/").ID.String(),
		"{approval_request_id}", jobs[0].ApprovalRequestID.String(),
		"<workflow>", workflows[1].ID.String(), "<held>", workflows[0].ID.String(), "<key>", srv.ContinuationKey(setup).Reveal(), "<web>", web.String(),
		"<definition>", definition.String(), "<user>", func() string {
			me, err := c.Users.Me(ctx)
			require.NoError(t, err)
			return me.ID.String()
		}(),
	)
}

// bodies have all that an operation takes, of which some is required.
var bodies = []struct {
	op, body string
	required []string // paths of keys
	path     string   // where it is not op's with one of everything
}{
	{op: "POST /organization", body: `{"name":"new","vcs_type":"circleci"}`, required: []string{"name", "vcs_type"}},
	{op: "POST /organization/{org-slug-or-id}/project", body: `{"name":"new"}`, required: []string{"name"}},
	{
		op:       "POST /organization/{org-slug-or-id}/url-orb-allow-list",
		body:     `{"name":"mine","prefix":"https://orbs.example/","auth":"none"}`,
		required: []string{"name", "prefix", "auth"},
	},
	{
		op: "POST /pipeline/continue", body: `{"continuation-key":"<key>","configuration":"version: 2.1","parameters":{"a":1}}`,
		required: []string{"continuation-key", "configuration"},
	},
	{op: "POST /project/{project-slug}/checkout-key", body: `{"type":"deploy-key"}`, required: []string{"type"}},
	{op: "POST /project/{project-slug}/envvar", body: `{"name":"N","value":"v"}`, required: []string{"name", "value"}},
	{op: "POST /project/{project-slug}/pipeline", body: `{"branch":"main","parameters":{"a":true}}`},
	{
		op: "POST /project/{project-slug}/schedule",
		body: `{"name":"n","description":"d","attribution-actor":"system","parameters":{"branch":"main"},` +
			`"timetable":{"per-hour":1,"hours-of-day":[1],"days-of-week":["MON"],"months":["MAR"]}}`,
		required: []string{
			"name", "attribution-actor", "parameters", "parameters.branch", "timetable", "timetable.per-hour", "timetable.hours-of-day",
			"timetable.days-of-week",
		},
	},
	{
		op: "PATCH /schedule/{schedule-id}",
		body: `{"name":"n","description":"d","attribution-actor":"system","parameters":{"branch":"main"},` +
			`"timetable":{"per-hour":2,"hours-of-day":[1],"days-of-month":[1],"months":["MAR"]}}`,
		required: []string{"parameters.branch"},
	},
	{
		op: "POST /webhook",
		body: `{"name":"n","url":"https://hooks.example/","events":["job-completed"],"verify-tls":true,"signing-secret":"s",` +
			`"scope":{"id":"<web>","type":"project"}}`,
		required: []string{"name", "url", "events", "scope", "scope.id", "scope.type"},
	},
	{op: "PUT /webhook/{webhook-id}", body: `{"name":"n","url":"https://hooks.example/","events":["job-completed"],"verify-tls":true,"signing-secret":"s"}`},
	{
		op: "POST /workflow/{id}/rerun", body: `{"from_failed":true,"enable_ssh":false,"sparse_tree":false}`, path: "/workflow/<workflow>/rerun",
	},
	{op: "PATCH /org/{orgID}/oidc-custom-claims", body: `{"audience":["a"],"ttl":"1h"}`},
	{op: "PATCH /org/{orgID}/project/{projectID}/oidc-custom-claims", body: `{"audience":["a"],"ttl":"1h"}`},
	{op: "POST /owner/{ownerID}/context/{context}/decision", body: `{"input":"a: 1","metadata":{"branch":"main"}}`, required: []string{"input"}},
	{op: "PATCH /owner/{ownerID}/context/{context}/decision/settings", body: `{"enabled":true}`, required: []string{"enabled"}},
	{op: "POST /owner/{ownerID}/context/{context}/policy-bundle", body: `{"policies":{}}`, required: []string{"policies"}},
	{op: "POST /context", body: `{"name":"n","owner":{"slug":"gh/acme","type":"organization"}}`, required: []string{"name", "owner", "owner.slug"}},
	{op: "PUT /context/{context_id}/environment-variable/{env_var_name}", body: `{"value":"v"}`, required: []string{"value"}},
	{
		op: "POST /context/{context_id}/restrictions", body: `{"restriction_type":"expression","restriction_value":"a == b"}`,
		required: []string{"restriction_type", "restriction_value"},
	},
	{
		op:       "PATCH /project/{provider}/{organization}/{project}/settings",
		body:     `{"advanced":{"autocancel_builds":true,"pr_only_branch_overrides":["main"]}}`,
		required: []string{"advanced"},
	},
	{op: "POST /organizations/{org_id}/groups", body: `{"name":"n","description":"d"}`, required: []string{"name"}},
	{
		op: "POST /organizations/{org_id}/usage_export_job", body: `{"start":"2026-03-01T00:00:00Z","end":"2026-03-02T00:00:00Z","shared_org_ids":[]}`,
		required: []string{"start", "end"},
	},
	{
		op:   "POST /project/{provider}/{organization}/{project}/pipeline/run",
		body: `{"definition_id":"<definition>","config":{"branch":"main"},"checkout":{"branch":"main"},"parameters":{"a":"b"}}`, required: []string{"definition_id"},
	},
	{
		op: "POST /projects/{project_id}/pipeline-definitions",
		body: `{"name":"n","description":"d","config_source":{"provider":"github_app","repo":{"external_id":"1"},"file_path":"f"},` +
			`"checkout_source":{"provider":"github_app","repo":{"external_id":"1"}}}`,
		required: []string{
			"name", "config_source", "config_source.provider", "config_source.repo", "config_source.repo.external_id", "config_source.file_path",
			"checkout_source", "checkout_source.provider", "checkout_source.repo", "checkout_source.repo.external_id",
		},
	},
	{
		op: "PATCH /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}",
		body: `{"name":"n","description":"d","config_source":{"file_path":"f"},` +
			`"checkout_source":{"provider":"github_app","repo":{"external_id":"1"}}}`,
		required: []string{"config_source.file_path", "checkout_source.provider", "checkout_source.repo", "checkout_source.repo.external_id"},
	},
	{
		op: "POST /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}/triggers",
		body: `{"event_source":{"provider":"webhook","webhook":{"sender":"s"}},"event_name":"e","checkout_ref":"main","config_ref":"main",` +
			`"disabled":false}`,
		required: []string{"event_source", "event_source.provider", "event_source.webhook", "checkout_ref", "config_ref"},
	},
	{
		op:   "PATCH /projects/{project_id}/triggers/{trigger_id}",
		body: `{"event_source":{"webhook":{"sender":"s"}},"event_name":"e","checkout_ref":"main","config_ref":"main","disabled":true}`,
	},
	{
		op: "POST /projects/{project_id}/rollback", path: "/projects/<web>/rollback",
		body: `{"component_name":"api","environment_name":"prod","current_version":"v2","target_version":"v1","namespace":"default",` +
			`"reason":"r","parameters":{"a":1}}`,
		required: []string{"component_name", "environment_name", "current_version", "target_version"},
	},

	// Beyond the document.
	{op: "POST /otel/exporters", body: `{"org_id":"{org_id}","endpoint":"otel.example:4317","protocol":"grpc","insecure":true,"headers":{"a":"b"}}`, required: []string{"org_id", "endpoint", "protocol"}},
	{op: "POST /organizations/{org_id}/projects/{project_id}/groups", body: `{"role":"project-admin","group_ids":["{group_id}"]}`, required: []string{"role", "group_ids"}},
	{op: "POST /compile-config-with-defaults", body: `{"config_yaml":"version: 2.1","options":{"owner_id":"{org_id}"}}`, required: []string{"config_yaml"}},
}

// without is a JSON object without a key, which may be one of an object within.
func without(t *testing.T, body, path string) string {
	t.Helper()
	var all map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &all))
	within, keys := all, strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		within = within[key].(map[string]any)
	}
	last := keys[len(keys)-1]
	require.Contains(t, within, last)
	delete(within, last)
	data, err := json.Marshal(all)
	require.NoError(t, err)
	return string(data)
}

func TestBodiesThatTheAPIWouldNotTake(t *testing.T) {
	for _, c := range bodies {
		t.Run(c.op, func(t *testing.T) {
			post := func(body string) (reply, *recorder) {
				tb := &recorder{}
				srv, ids := furnished(t, tb)
				method, path, _ := strings.Cut(c.op, " ")
				if c.path != "" {
					path = c.path
				}
				r, err := send(t, srv, method, ids.Replace(path), ids.Replace(body))
				require.NoError(t, err)
				return r, tb
			}
			good, tb := post(c.body)
			require.Less(t, good.status, 300, good.body)
			assert.Empty(t, tb.complaints)
			for _, key := range c.required {
				r, _ := post(without(t, c.body, key))
				assert.GreaterOrEqual(t, r.status, 400, "without %s: %s", key, r.body)
				assert.Less(t, r.status, 500, "without %s: %s", key, r.body)
			}
			r, _ := post(strings.Replace(c.body, "{", `{"foo_bar":1,`, 1))
			assert.Equal(t, 400, r.status, "a key that the API does not know: %s", r.body)
			assert.Contains(t, r.body, "foo_bar", "the key has to be named")
			r, _ = post(`["no", "object"]`)
			assert.Equal(t, 400, r.status)
		})
	}
}

// What the API would ignore is a mistake of who sends it.
func TestWhatTheAPIWouldIgnoreFailsTheTest(t *testing.T) {
	takesBody := map[string]bool{
		"POST /organizations/{org_id}/projects/{project_id}/groups/{group_id}/update-role": true,
	}
	for _, c := range bodies {
		takesBody[c.op] = true
	}
	for _, op := range slices.Concat(spec.Operations, spec.Extras) {
		key := op.Method + " " + op.Path
		if unmodelled(op) {
			continue
		}
		t.Run(key, func(t *testing.T) {
			tb := &recorder{}
			srv, ids := furnished(t, tb)
			path := op.Path
			switch {
			case strings.HasPrefix(path, "/workflow/"):
				path = strings.ReplaceAll(path, "{id}", "<held>")
			case strings.HasPrefix(path, "/user/"):
				path = strings.ReplaceAll(path, "{id}", "<user>")
			case strings.HasPrefix(path, "/projects/{project_id}/rollback"), strings.HasPrefix(path, "/deploy/"):
				path = strings.ReplaceAll(path, "{project_id}", "<web>")
			}
			query := url.Values{"foo-bar": {"1"}}
			for _, name := range op.Required {
				query.Set(name, map[string]string{"claims": "ttl"}[name])
			}
			if !strings.HasPrefix(path, "/api/") {
				path = "/api/v2" + path
			}
			request := func(body string) *http.Response {
				req := httptest.NewRequestWithContext(t.Context(), op.Method, "https://circleci.com"+ids.Replace(path)+"?"+query.Encode(), strings.NewReader(body))
				req.Header.Set("Circle-Token", srv.Token())
				resp, err := srv.Transport().RoundTrip(req)
				require.NoError(t, err)
				return resp
			}
			request("")
			require.NotEmpty(t, tb.complaints, "a query parameter that it does not have (or there is no handler in circlecitest/internal/api)")
			assert.Contains(t, tb.complaints[0], `no query parameter "foo-bar"`)
			assert.Contains(t, tb.complaints[0], key)
			if takesBody[key] {
				return
			}
			tb.complaints = nil
			query.Del("foo-bar")
			resp := request(`{"foo":1}`)
			if resp.StatusCode < 300 || op.Method == http.MethodGet {
				require.Len(t, tb.complaints, 1, "a body that it does not take")
				assert.Contains(t, tb.complaints[0], "body")
			}
		})
	}
}

// A program has no test that could fail: a strict server tells it by the answer.
func TestAProgramIsToldWhatTheAPIWouldIgnore(t *testing.T) {
	srv := circlecitest.NewServer(circlecitest.WithStrictness())
	defer srv.Close()
	for _, path := range []string{"/me?foo=1", "/me/collaborations?page_token=x"} {
		r, err := ask(t, srv, path)
		require.NoError(t, err)
		assert.Equal(t, 400, r.status)
		assert.Contains(t, r.body, "the API would ignore it")
	}
	r, err := send(t, srv, http.MethodPost, "/workflow/"+uuid.NewString()+"/cancel", `{"a":1}`)
	require.NoError(t, err)
	assert.Equal(t, 404, r.status, "what fails anyway does so as the API does")
	assert.Len(t, srv.Requests()[0].Complaints, 1)
}

func TestWhatIsNotModelledIsNamed(t *testing.T) {
	srv := circlecitest.New(t)
	for path, status := range map[string]int{
		"/pipeline/search": 501, "/nonsense": 501, "/context/x/y/z/a": 501, "/api/v2/api/v3/runs/search": 501, "/api/v3/nonsense": 501,
	} {
		r, err := send(t, srv, http.MethodPost, path, "{}")
		require.NoError(t, err)
		assert.Equal(t, status, r.status, path)
		assert.Contains(t, r.body, "POST "+path)
	}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://circleci.com/nothing/of/the/api", nil)
	resp, err := srv.Transport().RoundTrip(req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "404 page not found\n", string(body))
	for _, op := range slices.Concat(spec.Operations, spec.Extras) {
		if unmodelled(op) {
			continue
		}
		path := strings.NewReplacer("{project-slug}", "gh/a/b", "{provider}", "gh", "{org-slug}", "gh/a").Replace(op.Path)
		path = strings.NewReplacer("{build-number}", "1", "{stream}", "stdout").Replace(path)
		r, err := send(t, srv, op.Method, path, "")
		require.NoError(t, err)
		assert.NotEqual(t, 501, r.status, "%s %s has no handler in circlecitest/internal/api", op.Method, op.Path)
	}
}

// unmodelled reports whether the server answers an operation with 501.
func unmodelled(op spec.Operation) bool { return op.Path == "/pipeline/search" }
