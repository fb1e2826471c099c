package circlecitest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// The IDs of a standalone organization and project, in both forms.
const (
	rocketsID, rockets58 = "5034460f-c7c4-4c43-9457-de07e2029e7b", "AuRudKRSicbeRiDDD1HTyc"
	engineID, engine58   = "0a5c3b1e-c7c4-4c43-9457-de07e2029e7b", "2HCfsEkHJCjiRZWhDd26nn"
	engineSlug           = "circleci/" + rockets58 + "/" + engine58
)

// inhabited is a server on which things have happened, and what <names> in
// requests stand for.
func inhabited(t *testing.T, opts ...circlecitest.Option) (*circlecitest.Server, *strings.Replacer) {
	t.Helper()
	start := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	srv := circlecitest.NewServer(append(opts, circlecitest.WithManualTime(), circlecitest.WithTime(start))...)
	t.Cleanup(srv.Close)
	require.NoError(t, srv.Load([]byte(`
users: [{login: grace}]
organizations: {circleci/`+rocketsID+`: {name: rockets}}
projects:
  circleci/`+rocketsID+`/`+engineID+`: {name: engine}
  gh/acme/configured: {configuration: "version: 2.1\nparameters: {deploy: {type: boolean, default: false}}\njobs: {a: {}}\nworkflows: {w: {jobs: [a]}}"}
  gh/acme/stuck: {scripts: [{setup: {name: setup, jobs: [{name: generate}]}, never_continues: true}]}
contexts: [{owner: gh/acme, name: deploy, env_vars: {A: "1", B: "2"}}]
`)))
	skipped := circlecitest.FailingTest("TestSkipped", "")
	skipped.Result = circleci.TestResultSkipped
	srv.Script(webSlug, circlecitest.Pipeline(circlecitest.Workflow("build",
		circlecitest.Job("passes").WithTests(circlecitest.PassingTest("TestPasses", 0), circlecitest.FailingTest("TestFails", "want 200"), skipped),
		circlecitest.Job("fails").Fails(),
		circlecitest.Job("is late").Ends(circleci.JobStatusTimedOut),
		circlecitest.Job("is canceled").Ends(circleci.JobStatusCanceled),
	)))
	grace := srv.AddUser("grace", "Grace Hopper")
	pipeline, stuck := srv.StartPipelineBy(grace, webSlug, "main"), srv.StartPipeline("gh/acme/stuck", "main")
	srv.Advance(time.Hour)
	component, environment := srv.AddDeployComponent(webSlug, "shop"), srv.AddDeployEnvironment("gh/acme", "prod")
	srv.Deploy(component, environment, "v1")
	contexts, err := srv.Client().Contexts.List(circleci.OwnerBySlug("gh/acme"), nil).First(t.Context())
	require.NoError(t, err)
	vars, err := srv.Client().Contexts.ListEnvVars(contexts.ID).Page(t.Context(), "")
	require.NoError(t, err)
	return srv, strings.NewReplacer("<org>", srv.AddOrg("gh/acme").String(), "<web>", srv.AddProject(webSlug).String(), "<context>", contexts.ID.String(),
		"<token>", vars.NextPageToken, "<component>", component.String(), "<pipeline>", pipeline.String(), "<stuck>", stuck.String(),
		"<definition>", srv.AddPipelineDefinition(engineSlug, "build").String(), "<nobody>", uuid.Nil.String())
}

// absent is what a member that is left out is compared with.
type absent struct{}

// has are the members of an answer, by paths such as items.0.name.
type has map[string]any

const (
	triggersPath = "/projects/" + engineID + "/pipeline-definitions/<definition>/triggers"
	triggerRest  = `"event_source":{"provider":"webhook","webhook":{"sender":"s"}},"event_name":"e","checkout_ref":"main","config_ref":"main"}`
	hookRest     = `"name":"n","url":"https://hooks.example/","verify-tls":true,"signing-secret":"s","scope":{"id":"<web>","type":"project"}}`
	buildPath    = "/api/v1.1/project/gh/acme/web/"
)

// circleciAnswers is how the API answers, beyond its document.
var circleciAnswers = []struct {
	name   string
	strict bool
	method string
	path   string
	body   string
	status int
	want   has
}{
	{"an unknown query parameter is ignored", false, "GET", "/me?foo=1", "", 200, has{"login": "ada"}},
	{"an unknown query parameter and a strict server", true, "GET", "/me?foo=1", "", 400, has{"message": `circlecitest: GET /me has no query parameter "foo": the API would ignore it (it has [page-token])`}},
	{"an unknown member is ignored", false, "POST", "/context", `{"name":"n","x":1,"owner":{"id":"<org>"}}`, 200, has{"name": "n", "x": absent{}}},
	{"an unknown member and a strict server", true, "POST", "/context", `{"name":"n","x":1,"owner":{"id":"<org>"}}`, 400, nil},
	{"name and include-env-vars of contexts are known", true, "GET", "/context?owner-slug=gh/acme&name=deploy&include-env-vars=true", "", 200, has{"items.0.environment_variables.1.variable": "B"}},
	{"a token in the query beside one in the header", true, "GET", "/me?circle-token=other", "", 200, has{"login": "ada"}},

	{"a standalone project by UUIDs", false, "GET", "/project/circleci/" + rocketsID + "/" + engineID, "", 200, has{
		"slug": engineSlug, "id": engineID, "name": "engine", "organization_name": "rockets", "organization_slug": "circleci/" + rockets58,
		"vcs_info.vcs_url": "//circleci.com/" + rocketsID + "/" + engineID, "vcs_info.provider": "CircleCI",
	}},
	{"a standalone project in base58", false, "GET", "/project/" + engineSlug, "", 200, has{"id": engineID, "name": "engine"}},
	{"a standalone project by names", false, "GET", "/project/circleci/rockets/engine", "", 400, has{"message": "Invalid project slug circleci/rockets/engine"}},
	{"pipelines of a standalone project by names", false, "GET", "/project/circleci/rockets/engine/pipeline", "", 400, has{"message": "Invalid project slug circleci/rockets/engine"}},
	{"a standalone organization keeps its ID", false, "GET", "/organization/circleci/" + rocketsID, "", 200, has{"id": rocketsID, "slug": "circleci/" + rockets58, "name": "rockets"}},

	{"disabled false of a trigger is echoed", false, "POST", triggersPath, `{"disabled":false,` + triggerRest, 200, has{"disabled": false}},
	{"disabled that was not sent is not", false, "POST", triggersPath, `{` + triggerRest, 200, has{"disabled": absent{}}},

	{"actions of a build that succeeds", false, "GET", buildPath + "1", "", 200, has{
		"failed": false, "canceled": false, "timedout": false, "steps.0.actions.0.source": "inferred", "steps.1.actions.0.source": "config",
		"steps.1.actions.0.failed": nil, "steps.1.actions.0.canceled": nil, "steps.1.actions.0.timedout": nil, "steps.1.actions.0.exit_code": 0.0,
	}},
	{"actions of a build that fails", false, "GET", buildPath + "2", "", 200, has{
		"failed": true, "steps.0.actions.0.failed": nil, "steps.1.actions.0.failed": true, "steps.1.actions.0.exit_code": 1.0,
	}},
	{"actions of a build that times out", false, "GET", buildPath + "3", "", 200, has{"timedout": true, "steps.1.actions.0.timedout": true, "steps.1.actions.0.failed": true}},
	{"actions of a build that is canceled", false, "GET", buildPath + "4", "", 200, has{"canceled": true, "steps.1.actions.0.canceled": true, "steps.1.actions.0.failed": nil}},

	{"messages of tests", false, "GET", "/project/gh/acme/web/1/tests", "", 200, has{"items.0.message": "", "items.1.message": "want 200", "items.2.message": nil}},

	{"deploy components without page-size", true, "GET", "/deploy/components?org-id=<org>", "", 200, has{"items.0.name": "shop"}},
	{"deploy environments without page-size", true, "GET", "/deploy/environments?org-id=<org>", "", 200, has{"items.0.name": "prod"}},
	{"deploy versions without page-size", true, "GET", "/deploy/components/<component>/versions", "", 200, has{"items.0.name": "v1", "items.0.job_number": 4.0}},

	{"a policy bundle with a trailing slash", true, "GET", "/owner/<org>/context/config/policy-bundle/", "", 200, has{}},
	{"an upload of policies with a trailing slash", true, "POST", "/owner/<org>/context/config/policy-bundle/", `{"policies":{"a.rego":"package org\npolicy_name[\"limits\"]"}}`, 201, has{"created.0": "limits"}},
	{"an organization with a literal slash", true, "GET", "/organization/gh/acme", "", 200, has{"id": "<org>"}},
	{"an organization with an escaped slash", true, "GET", "/organization/gh%2Facme", "", 200, has{"id": "<org>"}},
	{"a resource of an organization with a literal slash", true, "GET", "/organization/gh/acme/url-orb-allow-list", "", 200, has{"items.0": absent{}}},
	{"a project by its UUID", true, "GET", "/project/<web>", "", 200, has{"slug": "gh/acme/web", "id": "<web>"}},
	{"the document", true, "GET", "/openapi.json", "", 200, has{"openapi": "3.0.3", "paths./me.get.operationId": "getCurrentUser"}},

	{"events of a webhook in the order sent", true, "POST", "/webhook", `{"events":["workflow-completed","job-completed"],` + hookRest, 201, has{"events.0": "workflow-completed", "events.1": "job-completed"}},
	{"events of a webhook in the other order", true, "POST", "/webhook", `{"events":["job-completed","workflow-completed"],` + hookRest, 201, has{"events.0": "job-completed", "events.1": "workflow-completed"}},

	{"a route that is not modeled", false, "GET", "/orb/acme", "", 501, has{"message": "circlecitest does not model GET /orb/acme"}},
	{"a method that is not modeled", false, "PUT", "/me", "", 501, has{"message": "circlecitest does not model PUT /me"}},
	{"a route below another one", false, "GET", "/api/v3/jobs/<nobody>/tests/1", "", 501, has{"message": "circlecitest does not model GET /api/v3/jobs/<nobody>/tests/1"}},
	{"a route of the API v1.1 that looks like a build", false, "GET", buildPath + "settings", "", 501, has{"message": "circlecitest does not model GET " + buildPath + "settings"}},
	{"variables of the API v1.1 are those of the project", false, "GET", buildPath + "envvar", "", 200, has{"0": absent{}}},

	{"compile what is not YAML", true, "POST", "/compile-config-with-defaults", `{"config_yaml":"a: ["}`, 200, has{
		"valid": false, "errors.0.message": "the configuration is not valid YAML: line 1: did not find expected node content",
	}},
	{"compile a job that is not defined", true, "POST", "/compile-config-with-defaults", `{"config_yaml":"{version: 2.1, jobs: {a: {}}, workflows: {w: {jobs: [b]}}}"}`, 200, has{
		"valid": false, "errors.0.message": "workflow w: the job b is not defined",
	}},
	{"compile a cycle", true, "POST", "/compile-config-with-defaults", `{"config_yaml":"{version: 2.1, jobs: {a: {}, b: {}}, workflows: {w: {jobs: [a: {requires: [b]}, b: {requires: [a]}]}}}"}`, 200, has{
		"valid": false, "errors.0.message": "workflow w has a cycle: a, b wait for each other",
	}},
	{"compile what is valid", true, "POST", "/compile-config-with-defaults", `{"config_yaml":"{version: 2.1, jobs: {a: {}}, workflows: {w: {jobs: [a]}}}"}`, 200, has{"valid": true, "errors": nil}},

	{"variables of a context have a token though all are listed", true, "GET", "/context/<context>/environment-variable", "", 200, has{"items.1.variable": "B", "items.2": absent{}, "next_page_token": "<token>"}},
	{"the page of the token is the same", true, "GET", "/context/<context>/environment-variable?page-token=<token>", "", 200, has{"items.0.variable": "A", "items.1.variable": "B", "items.2": absent{}}},
	{"the list of contexts ends", true, "GET", "/context?owner-slug=gh/acme", "", 200, has{"items.0.name": "deploy", "next_page_token": nil}},

	{"a setup workflow that continues nothing", true, "GET", "/pipeline/<stuck>", "", 200, has{"state": "setup", "errors.0": absent{}}},

	{"a trigger of a standalone project", true, "POST", "/project/" + engineSlug + "/pipeline", `{"branch":"main"}`, 400, nil},
	{"a run of a standalone project", true, "POST", "/project/" + engineSlug + "/pipeline/run", `{"definition_id":"<definition>","config":{"branch":"main"},"checkout":{"branch":"main"}}`, 201, has{"number": 1.0, "state": "pending"}},
	{"a parameter of another type", true, "POST", "/project/gh/acme/configured/pipeline", `{"parameters":{"deploy":"yes"}}`, 400, has{"message": "Type error for argument deploy: yes is not of type boolean"}},
	{"a parameter that is not declared", true, "POST", "/project/gh/acme/configured/pipeline", `{"parameters":{"other":true}}`, 404, has{"message": "Project not found"}},
	{"a parameter as declared", true, "POST", "/project/gh/acme/configured/pipeline", `{"parameters":{"deploy":true}}`, 201, has{"number": 1.0}},
	{"a pipeline of another user", true, "GET", "/pipeline/<pipeline>", "", 200, has{"trigger.actor.login": "grace"}},
	{"pipelines of mine", true, "GET", "/project/gh/acme/web/pipeline/mine", "", 200, has{"items.0": absent{}}},

	{"metrics of workflows without runs", true, "GET", "/insights/gh/acme/configured/workflows", "", 200, has{"items.0": absent{}, "next_page_token": nil}},
	{"the summary of a workflow without runs", true, "GET", "/insights/gh/acme/configured/workflows/w/summary", "", 200, has{
		"metrics.total_runs": 0.0, "metrics.failed_runs": 0.0, "metrics.success_rate": 0.0, "metrics.throughput": 0.0,
		"metrics.mttr": nil, "metrics.total_credits_used": nil, "metrics.completed_runs": nil, "metrics.duration_metrics.min": nil,
		"metrics.duration_metrics.median": nil, "metrics.duration_metrics.standard_deviation": nil,
		"metrics.window_start": "2025-12-02T13:00:00.000Z", "metrics.window_end": "2026-03-02T13:00:00.000Z", "workflow_names.0": absent{},
	}},
	{"the summary of a project without runs", true, "GET", "/insights/pages/gh/acme/configured/summary", "", 200, has{
		"project_data.metrics.total_runs": 0.0, "project_data.metrics.success_rate": 0.0, "project_data.metrics.total_credits_used": 0.0, "all_branches.0": absent{},
	}},
	{"flaky tests without runs", true, "GET", "/insights/gh/acme/configured/flaky-tests", "", 200, has{"total_flaky_tests": 0.0, "flaky_tests.0": absent{}}},
	{"metrics of tests without runs", true, "GET", "/insights/gh/acme/configured/workflows/w/test-metrics", "", 200, has{"average_test_count": 0.0, "total_test_runs": 0.0}},
}

func TestAnswersAsCircleCIDoes(t *testing.T) {
	for _, c := range circleciAnswers {
		t.Run(c.name, func(t *testing.T) {
			var opts []circlecitest.Option
			if c.strict {
				opts = append(opts, circlecitest.WithStrictness())
			}
			srv, ids := inhabited(t, opts...)
			status, text := callRaw(t, srv, c.method, ids.Replace(c.path), ids.Replace(c.body))
			require.Equal(t, c.status, status, text)
			var answer any
			require.NoError(t, json.Unmarshal([]byte(text), &answer), text)
			for path, want := range c.want {
				if name, isText := want.(string); isText {
					want = ids.Replace(name)
				}
				assert.Equal(t, want, memberAt(answer, path), "%s of %s", path, text)
			}
		})
	}
}

// memberAt returns the member of a JSON value with a path, or absent.
func memberAt(value any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		switch within := value.(type) {
		case map[string]any:
			member, ok := within[key]
			if !ok {
				return absent{}
			}
			value = member
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(within) {
				return absent{}
			}
			value = within[i]
		default:
			return absent{}
		}
	}
	return value
}

// A token in the query is no authentication.
func TestATokenInTheQueryAlone(t *testing.T) {
	srv := circlecitest.New(t)
	resp, err := srv.Transport().RoundTrip(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://circleci.com/api/v2/me?circle-token="+srv.Token(), nil))
	require.NoError(t, err)
	assert.Equal(t, 401, resp.StatusCode)
}
