package circlecitest_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// decoded is the JSON object of an answer.
func decoded(t *testing.T, srv *circlecitest.Server, method, path, body string) map[string]any {
	t.Helper()
	status, answer := callRaw(t, srv, method, path, body)
	require.Less(t, status, 300, answer)
	var all map[string]any
	require.NoError(t, json.Unmarshal([]byte(answer), &all))
	return all
}

func TestAProgramIsServedAsTheAPIDoes(t *testing.T) {
	srv := circlecitest.NewServer()
	defer srv.Close()
	org := srv.AddOrg("gh/acme")
	status, _ := callRaw(t, srv, http.MethodGet, "/me?foo=1&circle-token="+srv.Token(), "")
	assert.Equal(t, 200, status)
	made := decoded(t, srv, http.MethodPost, "/context", `{"name":"n","Name":"other","x":1,"owner":{"id":"`+org.String()+`"}}`)
	assert.Equal(t, "n", made["name"], "names count as they are spelled")
	seen := srv.Requests()
	require.Len(t, seen[0].Complaints, 1, "the token in the query is none")
	assert.Contains(t, seen[0].Complaints[0], "foo")
	require.Len(t, seen[1].Complaints, 1)
	assert.Contains(t, seen[1].Complaints[0], "there is no key")
	status, _ = callRaw(t, srv, http.MethodPost, "/context", `{"name":`)
	assert.Equal(t, 400, status, "what is not JSON is refused all the same")
}

func TestWhatOtherClientsSendIsKnown(t *testing.T) {
	srv := circlecitest.New(t)
	org := srv.AddOrg("gh/acme").String()
	project := srv.AddProject(webSlug)
	for _, path := range []string{
		"/context?owner-id=" + org + "&name=x&include-env-vars=true",
		"/owner/" + org + "/context/config/policy-bundle/",
		"/organization/gh/acme",
		"/organization/gh%2Facme/url-orb-allow-list",
		"/organization/github/acme/url-orb-allow-list",
		"/project/" + project.String(),
	} {
		status, body := callRaw(t, srv, http.MethodGet, path, "")
		assert.Equal(t, 200, status, "%s: %s", path, body)
	}
	status, _ := callRaw(t, srv, http.MethodPost, "/organization/gh/acme/project", `{"name":"docs"}`)
	assert.Equal(t, 200, status)
	document := decoded(t, srv, http.MethodGet, "/openapi.json", "")
	assert.Contains(t, document["paths"], "/context/{context_id}")
	assert.NotEmpty(t, document["openapi"])
}

// What is not modelled is never answered by another route.
func TestRoutesOfOthersAreNamed(t *testing.T) {
	srv := circlecitest.New(t)
	srv.AddProject(webSlug)
	for _, path := range []string{
		"/api/v3/orb/packages", "/api/v1.1/project/gh/acme/web/settings", "/api/v1.1/user/heroku-key",
		"/api/v1.1/project/gh/acme/web/1/usage", "/api/private/orgs", "/graphql-unstable",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			answer := oldObject(t, srv, method, path, "", 501)
			assert.Equal(t, "circlecitest does not model "+method+" "+path, answer["message"])
		}
	}
}

func TestVariablesOfAContextRepeatTheirPage(t *testing.T) {
	srv := circlecitest.New(t)
	id := srv.AddContext("gh/acme", "deploy", map[string]string{"A": "1", "B": "2"})
	path := "/context/" + id.String() + "/environment-variable"
	first := decoded(t, srv, http.MethodGet, path, "")
	require.Len(t, first["items"], 2)
	token, isText := first["next_page_token"].(string)
	require.True(t, isText, "there is a token, though all has been told")
	assert.Equal(t, first, decoded(t, srv, http.MethodGet, path+"?page-token="+token, ""))
	vars, err := srv.Client().Contexts.ListEnvVars(id).Collect(t.Context())
	require.NoError(t, err)
	assert.Len(t, vars, 2)
}

func TestTheVariablesOfAContextCanEnd(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithoutRepeatedPages())
	id := srv.AddContext("gh/acme", "deploy", map[string]string{"A": "1", "B": "2"})
	list := decoded(t, srv, http.MethodGet, "/context/"+id.String()+"/environment-variable", "")
	assert.Len(t, list["items"], 2)
	assert.Nil(t, list["next_page_token"])
	assert.Equal(t, 403, first(callRaw(t, srv, http.MethodGet, "/context/"+uuid.NewString()+"/environment-variable", "")))
}

func first[A, B any](a A, _ B) A { return a }

func TestATriggerTellsThatItIsNotDisabled(t *testing.T) {
	srv := circlecitest.New(t)
	slug := standaloneWeb(srv)
	triggers := "/projects/" + srv.AddProject(slug).String() + "/pipeline-definitions/" + srv.AddPipelineDefinition(slug, "build").String() + "/triggers"
	const rest = `"event_source":{"provider":"webhook","webhook":{"sender":"s"}},"event_name":"e","checkout_ref":"main","config_ref":"main"}`
	assert.Equal(t, false, decoded(t, srv, http.MethodPost, triggers, `{"disabled":false,`+rest)["disabled"])
	assert.NotContains(t, decoded(t, srv, http.MethodPost, triggers, `{`+rest), "disabled")
}

func TestActionsAndTestsAsTheAPIWritesThem(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	skipped := circlecitest.FailingTest("s", "")
	skipped.Result = circleci.TestResultSkipped
	srv.Script(webSlug, circlecitest.Pipeline(circlecitest.Workflow("w", circlecitest.Job("j").Fails().
		WithTests(circlecitest.FailingTest("f", "no"), circlecitest.FailingTest("empty", ""), skipped))))
	srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Hour)
	tests := decoded(t, srv, http.MethodGet, "/project/gh/acme/web/1/tests", "")["items"].([]any)
	for i, want := range []any{"no", "", nil} {
		assert.Equal(t, want, tests[i].(map[string]any)["message"])
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://circleci.com/api/v1.1/project/gh/acme/web/1", nil)
	require.NoError(t, err)
	req.Header.Set("Circle-Token", srv.Token())
	resp, err := srv.Transport().RoundTrip(req)
	require.NoError(t, err)
	var build struct {
		Steps []struct{ Actions []map[string]any }
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&build))
	first, last := build.Steps[0].Actions[0], build.Steps[1].Actions[0]
	assert.Nil(t, first["failed"])
	assert.Equal(t, true, last["failed"])
	assert.Equal(t, "config", last["source"])
	for _, name := range []string{"failed", "canceled", "timedout", "source"} {
		assert.Contains(t, first, name)
	}
}

func TestAVersionKnowsTheJobThatDeployedIt(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Hour)
	component := srv.AddDeployComponent(webSlug, "shop")
	srv.Deploy(component, srv.AddDeployEnvironment("gh/acme", "prod"), "v1")
	items := decoded(t, srv, http.MethodGet, "/deploy/components/"+component.String()+"/versions", "")["items"].([]any)
	assert.InDelta(t, 2, items[0].(map[string]any)["job_number"], 0)
}

func TestAWebhookIsPinged(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	hook := addHook(t, srv, webSlug, "https://hooks.example/")
	srv.PingWebhook(hook.ID)
	srv.Advance(0)
	all := srv.Deliveries()
	require.Len(t, all, 1)
	assert.Equal(t, circleci.WebhookEvent("ping"), all[0].Event)
	assert.Contains(t, string(all[0].Body), `"type":"ping"`)
	assert.NotContains(t, string(all[0].Body), "pipeline")
	assert.Panics(t, func() { srv.PingWebhook(uuid.New()) })
}

func TestASetupThatContinuesNothing(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	script := circlecitest.Pipeline(circlecitest.Workflow("build", circlecitest.Job("test")))
	script.Setup, script.NeverContinues = circlecitest.Workflow("setup", circlecitest.Job("generate")), true
	srv.Script(webSlug, script)
	stuck := srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Hour)
	p, err := srv.Client().Pipelines.Get(t.Context(), stuck)
	require.NoError(t, err)
	assert.Equal(t, circleci.PipelineStateSetup, p.State)
	continued := srv.StartPipeline(webSlug, "main")
	srv.Advance(4 * time.Second)
	key := srv.ContinuationKey(continued)
	require.NoError(t, srv.Client().Pipelines.Continue(t.Context(), circleci.ContinuePipelineRequest{ContinuationKey: key, Configuration: "version: 2.1"}))
	srv.Advance(time.Hour)
	p, err = srv.Client().Pipelines.Get(t.Context(), continued)
	require.NoError(t, err)
	assert.Equal(t, circleci.PipelineStateCreated, p.State)
}

func TestStandaloneProjectsAreTriggeredByPipelineRun(t *testing.T) {
	srv := circlecitest.New(t)
	_, err := srv.Client().Pipelines.Trigger(t.Context(), standaloneWeb(srv), circleci.TriggerPipelineRequest{})
	refusal(t, err, 400, "pipeline/run")
}

func TestAPipelineOfAnotherUser(t *testing.T) {
	srv := circlecitest.New(t)
	grace := srv.AddUser("grace", "Grace Hopper")
	id := srv.StartPipelineBy(grace, webSlug, "main")
	p, err := srv.Client().Pipelines.Get(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, "grace", p.Trigger.Actor.Login)
	mine, err := srv.Client().Pipelines.ListMine(webSlug).Collect(t.Context())
	require.NoError(t, err)
	assert.Empty(t, mine)
	assert.Panics(t, func() { srv.StartPipelineBy(uuid.New(), webSlug, "main") })
}
