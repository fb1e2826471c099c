package circlecitest_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/apiv3"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/internal/spec"
)

// cliRequests are the requests that CircleCI's command line tool (version 1)
// sends to the API v3, as far as the server models them, and what it reads in
// the responses. Words in < > are replaced.
var cliRequests = []struct {
	operation, query, body string
	status                 int
	reads                  string
}{
	{"GET /users", "filter[user_id]=me", "", 200, `"login":`},
	{"GET /orgs", "filter[slug]=gh/acme", "", 200, `"id":"<org>"`},
	{"GET /orgs", "filter[slug]=gh/nobody", "", 200, `"data":[]`},
	{"GET /orgs/<org>/settings", "", "", 200, `"enable_private_orbs":false`},
	{"POST /orgs/<org>/update-settings", "", `{"enable_private_orbs":true}`, 200, `"enable_private_orbs":true`},
	{"GET /projects", "filter[slug]=gh/acme/web", "", 200, `"org":{"attributes":{"name":"acme"},"id":"<org>"}`},
	{"GET /projects", "filter[slug]=gh/acme/none", "", 200, `"data":[]`},
	{"GET /projects", "filter[org_id]=<org>&filter[name]=web", "", 200, `"id":"<project>"`},
	{"GET /projects/<project>", "", "", 200, `"name":"web"`},
	{"GET /projects/<project>/settings", "", "", 200, `"enable_dynamic_config":false`},
	{"POST /projects/<project>/update-settings", "", `{"enable_dynamic_config":true,"pr_only_branch_overrides":["main"]}`, 200, `"enable_dynamic_config":true`},
	{"DELETE /projects/<project>/dlc", "", "", 204, ""},
	{"POST /runs/search", "", `{"scope":{"project_ids":["<project>"],"from":"2026-01-01T00:00:00Z","to":"2027-01-01T00:00:00Z"},` +
		`"filter":"pipeline.git.branch == \"main\"","order_by":"created_at desc","page":{"cursor":"","limit":10}}`, 200, `"id":"<run>"`},
	{"POST /runs/search", "", `{"scope":{"project_ids":["<project>"],"from":"2026-01-01T00:00:00Z","to":"2027-01-01T00:00:00Z"},` +
		`"filter":"","order_by":"","page":{"cursor":"","limit":21}}`, 400, `Invalid page size`},
	{"GET /runs", "filter[user_id]=me&filter[phase]=ended&filter[current_outcome]=failed&filter[from]=2026-01-01T00:00:00Z&page[limit]=10", "", 200, `"current_outcome":"failed"`},
	{"GET /runs/<run>", "", "", 200, `"branch":"main"`},
	{"GET /runs/web", "", "", 400, `"type":"invalid_path_param"`},
	{"GET /workflows", "filter[run_id]=<run>", "", 200, `"id":"<workflow>"`},
	{"GET /workflows", "", "", 400, `"pointer":"/filter/run_id"`},
	{"GET /workflows/<workflow>", "", "", 200, `"outcome":"failed"`},
	{"GET /jobs", "filter[workflow_id]=<workflow>", "", 200, `"id":"<job>"`},
	{"GET /jobs/<job>", "", "", 200, `"num":101`},
	{"GET /jobs/<job>/stdout", "filter[execution]=0&filter[step_num]=101", "", 200, "one\ntwo\n"},
	{"GET /jobs/<job>/stderr", "filter[execution]=0&filter[step_num]=101", "", 204, ""},
	{"GET /jobs/<job>/stdout/condensed", "filter[execution]=0&filter[step_num]=101", "", 200, "two\n"},
	{"GET /jobs/<job>/tests", "", "", 200, `"result":"failure"`},
	{"GET /jobs/<job>/artifacts", "", "", 200, `"path":"a.txt"`},
	{"GET /jobs/<job>/resource-usage", "", "", 200, `"resource_class":{`},
	{"POST /workflows/<workflow>/rerun", "", `{"is_from_failed":true}`, 201, `"id":`},
	{"POST /workflows/<running>/cancel", "", "", 200, `"id":"<running>"`},
	{"GET /provider/connections", "filter[org_id]=<org>", "", 200, `"external_id":"48129","login":"acme"`},
	{"POST /provider/connections/setup", "filter[org_id]=<org>", `{"type":"vcs","vcs":{"provider":"github_app"},"return_url":"http://localhost:1"}`, 200, `"next_step":"redirect"`},
	{"GET /provider/repositories", "filter[org_id]=<org>&filter[provider]=github_app&page[limit]=100", "", 200, `"repo_full_name":"acme/web"`},
	{"GET /pipelines", "filter[project_id]=<project>", "", 200, `"id":"<pipeline>"`},
	{"POST /pipelines", "", `{"data":{"attributes":{"name":"nightly","config":{"type":"vcs","file_path":".circleci/nightly.yml","vcs":{"provider":"github_app","repo_id":"1"}},` +
		`"checkout":{"vcs":{"provider":"github_app","repo_id":"1"}}},"references":{"project":{"id":"<project>"}}}}`, 201, `"name":"nightly"`},
	{"POST /triggers", "filter[project_id]=<project>", `{"data":{"attributes":{"event":{"type":"vcs","vcs":{"provider":"github_app","repo_id":"1"},"filter":{"preset":"all-pushes"}},` +
		`"config":{"ref":"main"},"checkout":{"ref":"next"}},"references":{"pipeline":{"id":"<pipeline>"}}}}`, 201, `"config":{"ref":"main"}`},
	{"GET /triggers", "filter[project_id]=<project>&filter[pipeline_id]=<pipeline>", "", 200, `"checkout":{"ref":"next"}`},
	{"POST /contexts", "", `{"data":{"attributes":{"name":"new"},"references":{"org":{"id":"<org>"}}}}`, 201, `"name":"new"`},
	{"GET /contexts", "filter[org_id]=<org>&filter[name]=deploy&page[limit]=100", "", 200, `"id":"<context>"`},
	{"GET /contexts/<context>", "", "", 200, `"name":"deploy"`},
	{"POST /contexts/<context>/env-vars/set", "", `{"name":"A","value":"hunter2"}`, 204, ""},
	{"GET /contexts/<context>/env-vars", "page[limit]=100", "", 200, `"truncated_value":"xxxxter2"`},
	{"DELETE /contexts/<context>/env-vars", "filter[name]=A", "", 204, ""},
	{"POST /context-restrictions", "", `{"data":{"attributes":{"restriction_type":"project","match_pattern":"<project>"},"references":{"context":{"id":"<context>"}}}}`, 201, `"name":"web"`},
	{"GET /context-restrictions", "filter[context_id]=<context>", "", 200, `"match_pattern":"<project>"`},
	{"DELETE /context-restrictions/<restriction>", "filter[context_id]=<context>", "", 204, ""},
	{"DELETE /contexts/<context>", "", "", 204, ""},
	{"POST /configs/compile", "", `{"data":{"attributes":{"config":"version: 2.1\njobs: {build: {docker: [{image: a}], steps: [checkout]}}\n"},"references":{"org":{"id":"<org>"}}}}`, 200, `"outcome":"succeeded"`},
	{"POST /configs/compile", "", `{"data":{"attributes":{"config":"jobs: {}\n"}}}`, 200, `"meta":{"messages":[{"title":`},
	{"GET /deploy/deployments", "filter[org_id]=<org>&filter[project_id]=<project>&page[limit]=20", "", 200, `"target_version":{"name":"v2"}`},
	{"GET /deploy/environments", "filter[org_id]=<org>", "", 200, `"id":"<environment>"`},
	{"GET /deploy/environments/<environment>", "", "", 200, `"name":"prod"`},
	{"GET /deploy/components", "filter[org_id]=<org>&filter[project_id]=<project>", "", 200, `"id":"<component>"`},
	{"GET /deploy/components/<component>", "", "", 200, `"name":"api"`},
	{"GET /deploy/components/<component>/versions", "filter[environment_id]=<environment>", "", 200, `"name":"v1"`},
	{"GET /deploy/settings", "filter[project_id]=<project>", "", 200, `"attributes":`},
	{"POST /projects/<project>/rollback", "", `{"component_id":"<component>","environment_id":"<environment>","current_version":"v2","target_version":"v1"}`, 200, `"rollback_type":"pipeline"`},
}

// Each request is answered as the tool expects, also by a server that refuses
// what the API would ignore.
func TestRequestsOfTheCommandLineTool(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime(), circlecitest.WithStrictness())
	names := cliWorld(t, srv)
	tried := map[string]bool{}
	for _, row := range cliRequests {
		operation := names.Replace(row.operation)
		query, err := url.ParseQuery(names.Replace(row.query))
		require.NoError(t, err)
		method, path, _ := strings.Cut(operation, " ")
		r, err := http.NewRequestWithContext(t.Context(), method, "https://circleci.com/api/v3"+path, http.NoBody)
		require.NoError(t, err)
		r.URL.RawQuery = query.Encode() // with %5B for a bracket, as the tool writes it
		r.Header.Set("Authorization", "Bearer "+srv.Token())
		r.Header.Set("Accept", "application/json")
		if row.body != "" {
			r.Body = io.NopCloser(strings.NewReader(names.Replace(row.body)))
			r.Header.Set("Content-Type", "application/json")
		}
		resp, err := srv.Transport().RoundTrip(r)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		what := row.operation + "?" + row.query
		assert.Equal(t, row.status, resp.StatusCode, "%s: %s", what, body)
		assert.Contains(t, string(body), names.Replace(row.reads), what)
		sent := srv.Requests()
		tried[sent[len(sent)-1].Operation] = true
	}
	for _, op := range spec.V3 {
		key := op.Method + " " + op.Path
		if strings.HasSuffix(key, "/stdout") || strings.HasSuffix(key, "/stderr") {
			key = "GET /api/v3/jobs/{job-id}/{stream}"
		}
		if op.Confidence == spec.High { // the tool calls it
			assert.True(t, tried[key], key)
		}
	}
}

// cliWorld makes what the requests ask for, and returns their words.
func cliWorld(t *testing.T, srv *circlecitest.Server) *strings.Replacer {
	t.Helper()
	ctx, v2 := t.Context(), srv.Client()
	v3 := apiv3.New(v2)
	org, project := srv.AddOrg("gh/acme"), srv.AddProject(webSlug)
	srv.Script(webSlug, circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow("build",
		circlecitest.Job("test").Takes(time.Minute).Fails().WithOutput("one\ntwo\n").
			WithTests(circlecitest.FailingTest("TestA", "no")).
			WithArtifacts(circlecitest.Artifact{Path: "a.txt", Content: "a"}),
	)}})
	run := srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Hour)
	workflow := collected(t, v3.Workflows.ListForRun(run))[0].ID
	environment, component := srv.AddDeployEnvironment("gh/acme", "prod"), srv.AddDeployComponent(webSlug, "api")
	srv.Deploy(component, environment, "v1")
	srv.Advance(time.Minute)
	srv.Deploy(component, environment, "v2")
	contextID := srv.AddContext("gh/acme", "deploy", nil)
	restriction := got(v3.Contexts.CreateRestriction(ctx, apiv3.CreateRestrictionRequest{
		ContextID: contextID, Type: circleci.RestrictionTypeProject, MatchPattern: project.String(),
	}))(t)
	running := srv.StartPipeline(webSlug, "main")
	srv.Advance(30 * time.Second)
	var words []string
	for word, id := range map[string]uuid.UUID{
		"org": org, "project": project, "run": run, "workflow": workflow, "context": contextID, "restriction": restriction.ID,
		"job": collected(t, v3.Jobs.ListForWorkflow(workflow))[0].ID, "pipeline": srv.AddPipelineDefinition(webSlug, "main"),
		"environment": environment, "component": component, "running": collected(t, v3.Workflows.ListForRun(running))[0].ID,
	} {
		words = append(words, "<"+word+">", id.String())
	}
	return strings.NewReplacer(words...)
}
