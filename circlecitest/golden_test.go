package circlecitest_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
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

var update = flag.Bool("update", false, "write testdata/answers.txt again")

// pastSlug is a project with past runs, and brokenSlug one whose pipelines fail.
const (
	pastSlug   circleci.ProjectSlug = "gh/acme/past"
	brokenSlug circleci.ProjectSlug = "gh/acme/broken"
)

// eventful is a furnished server in which more has happened, always the same.
func eventful(t *testing.T) (*circlecitest.Server, *strings.Replacer) {
	srv, ids := furnished(t, t)
	srv.History(pastSlug, circlecitest.Past{
		Days: 40, RunsPerDay: 1, FailureRate: 0.3, Spread: 0.4, Branches: []string{"main", "main", "dev"},
		Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow("build",
			circlecitest.Job("unit").Takes(2*time.Minute).WithTests(circlecitest.PassingTest("TestSlow", 3*time.Second)).
				WithFlakyTests(0.3, circlecitest.FailingTest("TestFlaky", "timeout")),
			circlecitest.Job("lint").Takes(time.Minute).FailsSometimes(0.2),
		).RerunsAutomatically(1)},
	})
	srv.Script(brokenSlug,
		circlecitest.Pipeline(circlecitest.Workflow("build",
			circlecitest.Job("test").Takes(time.Minute).Fails().WithOutput("one\ntwo\nthree\nfour\n").WithContexts("deploy").
				WithTests(circlecitest.FailingTest("TestPay", "want 200"), circlecitest.PassingTest("TestCart", time.Second)).
				WithArtifacts(circlecitest.Artifact{Path: "a.txt", Content: "a"}, circlecitest.Artifact{Path: "b/c.txt", NodeIndex: 1, Size: 9}),
			circlecitest.Job("ship").Requires("test"),
			circlecitest.Job("lint").Ends(circleci.JobStatusCanceled))),
		circlecitest.Script{Errors: []circleci.PipelineError{{Type: circleci.PipelineErrorTypeConfig, Message: "no such job"}}},
	)
	grace := srv.AddUser("grace", "Grace Hopper")
	srv.StartPipelineBy(grace, brokenSlug, "dev")
	srv.Advance(10 * time.Minute)
	srv.StartPipeline(brokenSlug, "main")
	srv.Advance(10 * time.Second)
	srv.AddPipelineDefinition(pastSlug, "nightly")
	return srv, ids
}

// asked are the requests whose answers are compared, with the IDs of ids.
func asked(t *testing.T, srv *circlecitest.Server) (all []string) {
	for _, op := range slices.Concat(spec.Operations, spec.Extras) {
		if op.Method != http.MethodGet || strings.Contains(op.Path, "certificates") || strings.HasPrefix(op.Path, "/api/") {
			continue
		}
		path := op.Path
		switch {
		case strings.HasPrefix(path, "/workflow/"):
			path = strings.ReplaceAll(path, "{id}", "<held>")
		case strings.HasPrefix(path, "/user/"):
			path = strings.ReplaceAll(path, "{id}", "<user>")
		case strings.HasPrefix(path, "/deploy/"):
			path = strings.ReplaceAll(path, "{project_id}", "<web>")
		case strings.HasPrefix(path, "/insights/"):
			path = strings.ReplaceAll(path, "{project-slug}", string(pastSlug))
		}
		query := url.Values{}
		for _, name := range op.Required {
			query.Set(name, map[string]string{"org-id": "{orgID}", "scope-id": "<web>", "scope-type": "project", "page-size": "20"}[name])
		}
		if len(query) > 0 {
			path += "?" + strings.NewReplacer("%7B", "{", "%7D", "}", "%3C", "<", "%3E", ">").Replace(query.Encode())
		}
		all = append(all, "/api/v2"+path)
	}
	c, ctx := srv.Client(), t.Context()
	for _, slug := range []circleci.ProjectSlug{brokenSlug, pastSlug} {
		project := srv.AddProject(slug).String()
		all = append(all,
			"/api/v2/project/"+string(slug)+"/pipeline", "/api/v3/projects/"+project, "/api/v3/projects?filter[slug]="+string(slug),
			"/api/v3/runs?filter[project_id]="+project, "/api/v3/runs?page[limit]=2&filter[current_outcome]=failed&filter[project_id]="+project,
			"/api/v3/runs?filter[phase]=ended&filter[to]=2026-02-20T00:00:00Z&filter[project_id]="+project,
			"/api/v3/pipelines?filter[project_id]="+project, "/api/v3/projects/"+project+"/settings",
			"/api/v1.1/project/"+string(slug)+"?limit=3", "/api/v1.1/project/"+string(slug)+"?limit=2&offset=1&filter=failed",
			"/api/v1.1/project/"+string(slug)+"/tree/main?limit=1&shallow=true", "/api/v1.1/project/"+string(slug)+"/latest/artifacts",
			"/api/v1.1/project/"+string(slug)+"/1", "/api/v1.1/project/"+string(slug)+"/1/tests", "/api/v1.1/project/"+string(slug)+"/1/artifacts",
			"/api/private/output/raw/"+string(slug)+"/1/output/0/101", "/api/private/output/raw/"+string(slug)+"/1/error/0/101",
			"/api/v2/insights/"+string(slug)+"/workflows?all-branches=true&reporting-window=last-7-days",
			"/api/v2/insights/pages/"+string(slug)+"/summary?reporting-window=last-30-days&branches=main",
			"/api/v2/insights/"+string(slug)+"/workflows/build?all-branches=true&start-date=2026-02-20T00:00:00Z&end-date=2026-02-25T00:00:00Z",
			"/api/v2/insights/"+string(slug)+"/workflows/build/jobs?job-name=li&all-branches=true&reporting-window=last-60-days",
			"/api/v2/insights/gh/acme/summary?project-names=past&project-names=broken&reporting-window=last-24-hours",
		)
		pipelines, err := c.Pipelines.ListForProject(slug, nil).Take(2).Collect(ctx)
		require.NoError(t, err)
		for _, p := range pipelines {
			run := p.ID.String()
			all = append(all, "/api/v3/runs/"+run, "/api/v3/workflows?filter[run_id]="+run, "/api/v2/pipeline/"+run+"/workflow", "/api/v2/pipeline/"+run+"/values")
			workflows, err := c.Pipelines.ListWorkflows(p.ID).Collect(ctx)
			require.NoError(t, err)
			for _, w := range workflows {
				all = append(all, "/api/v3/workflows/"+w.ID.String(), "/api/v3/jobs?filter[workflow_id]="+w.ID.String(), "/api/v2/workflow/"+w.ID.String()+"/job")
				jobs, err := c.Workflows.ListJobs(w.ID).Collect(ctx)
				require.NoError(t, err)
				for _, j := range jobs {
					at := "/api/v3/jobs/" + j.ID.String()
					all = append(all, at, at+"/tests", at+"/artifacts", at+"/resource-usage", at+"/stdout?filter[step_num]=101", at+"/stdout?filter[step_num]=0",
						at+"/stderr?filter[step_num]=101", at+"/stdout/condensed?filter[step_num]=101", "/api/v2/jobs/"+j.ID.String())
				}
			}
		}
	}
	org := srv.AddOrg("gh/acme").String()
	return append(all, "/api/v3/orgs", "/api/v3/orgs/"+org, "/api/v3/orgs/"+org+"/settings", "/api/v3/users?filter[user_id]=me", "/api/v3/groups?filter[org_id]={org_id}",
		"/api/v3/runs?filter[user_id]=me", "/api/v3/projects?order_by=name&filter[org_id]="+org, "/api/v3/contexts?filter[org_id]="+org,
		"/api/v3/contexts/{context_id}", "/api/v3/contexts/{context_id}/env-vars", "/api/v3/context-restrictions?filter[context_id]={context_id}",
		"/api/v3/pipelines/{pipeline_definition_id}", "/api/v3/triggers/{trigger_id}", "/api/v3/triggers?filter[pipeline_id]={pipeline_definition_id}",
		"/api/v3/provider/connections?filter[org_id]="+org, "/api/v3/provider/repositories?filter[provider]=github_app&filter[org_id]="+org,
		"/api/v3/deploy/deployments?filter[org_id]="+org, "/api/v3/deploy/components?filter[org_id]="+org, "/api/v3/deploy/components/{component_id}",
		"/api/v3/deploy/components/{component_id}/versions", "/api/v3/deploy/environments?filter[org_id]="+org, "/api/v3/deploy/environments/{environment_id}",
		"/api/v1.1/me", "/api/v1.1/projects", "/api/v1.1/recent-builds?limit=2", "/api/private/me/followed-projects",
		"/api/v2/pipeline?org-slug=gh/acme", "/api/v2/context?owner-slug=gh/acme&include-env-vars=true",
	)
}

type write struct{ method, path, body string }

// writes are the requests that change something: those with a body, and those of
// the API v3.
func writes() (all []write) {
	for _, c := range bodies {
		method, path, _ := strings.Cut(c.op, " ")
		if c.path != "" {
			path = c.path
		}
		all = append(all, write{method, "/api/v2" + path, c.body})
	}
	search := func(rest string) write {
		return write{"POST", "/api/v3/runs/search", `{"scope":{"project_ids":["<web>"],"from":"2026-03-01T00:00:00Z","to":"2026-03-03T00:00:00Z"}` + rest + `}`}
	}
	return append(all,
		search(""), search(`,"order_by":"created_at asc"`), search(`,"page":{"limit":1}`), search(`,"page":{"limit":21}`), search(`,"page":{"limit":-1}`),
		search(`,"filter":"pipeline.git.branch == \"dev\""`), search(`,"filter":"pipeline.git.branch == \"main\" and pipeline.status == \"on_hold\""`),
		search(`,"filter":"pipeline.status == \"error\""`), search(`,"filter":"pipeline.color == \"red\""`), search(`,"filter":"x"`),
		write{"POST", "/api/v3/runs/search", `{"scope":{"project_ids":[],"from":"2026-03-01T00:00:00Z","to":"2026-03-03T00:00:00Z"}}`},
		write{"POST", "/api/v3/runs/search", `{"scope":{"project_ids":["<web>"],"to":"2026-03-03T00:00:00Z"}}`},
		write{"POST", "/api/v3/runs/search", `{"scope":{"project_ids":["<web>"],"from":"2026-03-02T12:00:10Z","to":"2026-03-03T00:00:00Z"}}`},
		write{"POST", "/api/v3/workflows/<workflow>/rerun", `{"jobs":["` + uuid.Nil.String() + `"]}`},
		write{"POST", "/api/v3/workflows/<workflow>/rerun", `{"jobs":["{job-id}"]}`}, write{"POST", "/api/v3/workflows/<workflow>/rerun", ``},
		write{"POST", "/api/v3/workflows/<held>/rerun", ``}, write{"POST", "/api/v3/workflows/<held>/cancel", ``}, write{"GET", "/api/v3/workflows/<held>", ``},
		write{"GET", "/api/v3/jobs?filter[workflow_id]=<held>", ``},
		write{"POST", "/api/v3/projects/<web>/update-settings", `{"is_oss":true,"is_running_disabled":true}`},
		write{"POST", "/api/v3/projects/<web>/update-settings", `{"is_oss":"yes"}`}, write{"POST", "/api/v3/projects/<web>/update-settings", `{"color":true}`},
		write{"POST", "/api/v3/projects/<web>/update-settings", `{"is_oss":["main"]}`}, write{"POST", "/api/v3/projects/<web>/update-settings", `{"pr_only_branch_overrides":["main"]}`},
		write{"POST", "/api/v3/orgs/{orgID}/update-settings", `{"enable_ai_agents":true}`}, write{"POST", "/api/v3/orgs/{orgID}/update-settings", `{"is_oss":true}`},
		write{"GET", "/api/v3/triggers?filter[project_id]={project_id}", ``}, write{"GET", "/api/v3/triggers?filter[project_id]=<web>", ``},
		write{"GET", "/api/v3/triggers?filter[project_id]={project_id}&filter[pipeline_id]=" + uuid.Nil.String(), ``},
		write{"POST", "/api/v3/contexts", `{"data":{"attributes":{"name":"deploy"},"references":{"org":{"id":"{orgID}"}}}}`},
		write{"POST", "/api/v3/contexts", `{"data":{"attributes":{"name":"v3"},"references":{"org":{"id":"{orgID}"}}}}`},
		write{"POST", "/api/v3/contexts", `{"data":{"attributes":{"name":"v3"},"references":{"org":{"id":"{org_id}"}}}}`},
		write{"POST", "/api/v1.1/project/gh/acme/broken", `{"branch":"dev"}`}, write{"POST", "/api/v1.1/project/gh/acme/broken/tree/release", ``},
		write{"POST", "/api/v1.1/project/gh/acme/broken/build", ``}, write{"POST", "/api/v1.1/project/gh/acme/broken/1/retry", ``},
		write{"GET", "/api/v1.1/project/gh/acme/broken?filter=running", ``}, write{"GET", "/api/v1.1/project/gh/acme/past?filter=successful&limit=2", ``},
		write{"GET", "/api/v1.1/project/gh/acme/past?filter=completed&limit=2&offset=1", ``},
	)
}

// edges are requests at the limits of what the API accepts.
func edges() (all []write) {
	post := func(path string, bodies ...string) {
		for _, body := range bodies {
			all = append(all, write{http.MethodPost, "/api/v2" + path, body})
		}
	}
	for _, endpoint := range []string{"o.example:0", "o.example:1", "o.example:65535", "o.example:65536", "o.example:x", "o.example", ":4317", "http://o.example", "ftp://o.example", "localhost:1"} {
		post("/otel/exporters", `{"org_id":"{org_id}","endpoint":"`+endpoint+`","protocol":"http"}`, `{"org_id":"{orgID}","endpoint":"`+endpoint+`","protocol":"grpc"}`)
	}
	for _, n := range []string{"0", "1", "60", "61"} {
		post("/project/{project-slug}/schedule", `{"name":"n`+n+`","attribution-actor":"current","parameters":{"tag":"v1"},"timetable":{"per-hour":`+n+`,"hours-of-day":[0,23],"days-of-month":[1,31]}}`)
	}
	for _, hours := range []string{"[]", "[24]", "[-1]"} {
		post("/project/{project-slug}/schedule", `{"name":"h","attribution-actor":"current","parameters":{"branch":"main"},"timetable":{"per-hour":1,"hours-of-day":`+hours+`,"days-of-week":["MON"]}}`)
	}
	for _, value := range []string{"", "abcd", "abcde"} {
		post("/project/{project-slug}/envvar", `{"name":"V`+value+`","value":"`+value+`"}`)
	}
	post("/context", `{"name":"a","owner":{"id":"{orgID}","type":"account"}}`, `{"name":"b","owner":{"id":"{orgID}","type":"organization"}}`,
		`{"name":"c","owner":{"slug":"gh/acme","type":"account"}}`, `{"name":"d","owner":{"id":"{orgID}","slug":"gh/acme"}}`, `{"name":"e","owner":{"id":"{orgID}","type":"team"}}`, `{"name":"f","owner":{}}`)
	for _, ids := range []string{`"x"`, `"{org_id}"`, `"x","{org_id}"`, `"{orgID}"`} {
		post("/organizations/{orgID}/usage_export_job", `{"start":"2026-03-01T00:00:00Z","end":"2026-03-02T00:00:00Z","shared_org_ids":[`+ids+`]}`)
	}
	post("/organizations/{orgID}/usage_export_job", `{"start":"x","end":"2026-03-02T00:00:00Z","shared_org_ids":[]}`, `{"start":"2026-03-02T00:00:00Z","end":"x","shared_org_ids":[]}`,
		`{"start":"2026-02-01T00:00:00Z","end":"2026-03-02T12:00:00Z","shared_org_ids":[]}`, `{"start":"2026-03-02T00:00:00Z","end":"2026-03-01T00:00:00Z","shared_org_ids":[]}`)
	post("/webhook", `{"name":"n"}`, `{"url":"https://a.example/"}`, `{"name":"n","url":"https://a.example/"}`, `{"name":"n","events":["job-completed"]}`,
		`{"name":"n","url":"http://a.example/","events":["job-completed"],"verify-tls":true,"signing-secret":"s","scope":{"id":"<web>","type":"project"}}`,
		`{"name":"n","url":"https://a.example/","events":["job-completed"],"verify-tls":true,"signing-secret":"s","scope":{"id":"<web>","type":"org"}}`,
		`{"name":"n","url":"https://a.example/","events":["none"],"verify-tls":true,"signing-secret":"s","scope":{"id":"<web>","type":"project"}}`)
	all = append(all, write{http.MethodPut, "/api/v2/webhook/{webhook-id}", `{"name":"other","url":"https://other.example/","events":["workflow-completed"],"verify-tls":false}`})
	all = append(all, write{http.MethodPost, "/api/v3/workflows/<workflow>/rerun", "x"})
	for _, id := range []string{"1a", "12", ""} {
		post("/projects/{project_id}/pipeline-definitions/{pipeline_definition_id}/triggers", `{"event_source":{"provider":"github_app","repo":{"external_id":"`+id+`"}},"event_preset":"all-pushes"}`)
	}
	post("/workflow/<workflow>/rerun", `{"jobs":["{job-id}"],"sparse_tree":true}`, `{"jobs":["{job-id}"],"enable_ssh":true}`, `{"enable_ssh":true}`)
	post("/project/{project-slug}/pipeline", `{"tag":"v1"}`, `{"parameters":{"a":1.5}}`, `{"parameters":{"a":null}}`, `{"parameters":{"a":"`+strings.Repeat("x", 512)+`"}}`, `{"parameters":{"a":"`+strings.Repeat("x", 513)+`"}}`)
	for _, query := range []string{
		"/deploy/components?org-id={orgID}&page-size=1", "/deploy/components?org-id={orgID}&page-size=0", "/deploy/components?org-id={orgID}&page-size=x",
		"/deploy/environments?org-id={orgID}&page-size=-1",
		"/project/{project-slug}/pipeline?page-token=x", "/project/{project-slug}/checkout-key?digest=sha256", "/project/{project-slug}/checkout-key?digest=x",
		"/insights/gh/acme/past/workflows/build?start-date=2026-01-01T00:00:00Z", "/insights/gh/acme/past/workflows/build?start-date=x", "/insights/gh/acme/past/workflows/build?end-date=2026-03-01T00:00:00Z",
		"/insights/gh/acme/past/workflows/build?all-branches=true&start-date=2025-01-01T00:00:00Z", "/insights/gh/acme/past/workflows?branch=dev&reporting-window=x",
		"/insights/time-series/gh/acme/past/workflows/build/jobs?granularity=hourly", "/insights/time-series/gh/acme/past/workflows/build/jobs?branch=dev",
		"/insights/gh/acme/past/workflows/build/test-metrics?all-branches=true", "/insights/gh/acme/past/flaky-tests",
	} {
		all = append(all, write{http.MethodGet, "/api/v2" + query, ""})
	}
	for _, query := range []string{"page[limit]=1", "page[limit]=20", "page[limit]=x", "page[cursor]=x", "page[cursor]=b2Zmc2V0Ong", "page[cursor]=b2Zmc2V0OjE", "filter[from]=2026-03-02T12:00:30Z"} {
		all = append(all, write{http.MethodGet, "/api/v3/runs?filter[project_id]=<web>&" + query, ""})
	}
	return all
}

// exported adds what usage exports have: the bodies create one.
func exported(t *testing.T, srv *circlecitest.Server, out *strings.Builder, answer func(method, path, body string) []byte) {
	t.Helper()
	var job struct {
		ID   string   `json:"usage_export_job_id"`
		URLs []string `json:"download_urls"`
	}
	made := answer(http.MethodPost, "/api/v2/organizations/{orgID}/usage_export_job", `{"start":"2026-02-28T00:00:00Z","end":"2026-03-02T12:30:00Z","shared_org_ids":[]}`)
	require.NoError(t, json.Unmarshal(made, &job))
	srv.Advance(time.Hour)
	require.NoError(t, json.Unmarshal(answer(http.MethodGet, "/api/v2/organizations/{orgID}/usage_export_job/"+job.ID, ""), &job))
	require.NotEmpty(t, job.URLs)
	for i, address := range job.URLs {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		require.NoError(t, err)
		resp, err := srv.Transport().RoundTrip(req)
		require.NoError(t, err)
		file, err := gzip.NewReader(resp.Body)
		require.NoError(t, err)
		rows, err := io.ReadAll(file)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		fmt.Fprintf(out, "part %d\n%s", i+1, rows)
		forged, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.Replace(address, "part-", "part-1", 1), nil)
		require.NoError(t, err)
		resp, err = srv.Transport().RoundTrip(forged)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, 403, resp.StatusCode, "the signature is of the path")
	}
}

// What the server answers is compared with a file, letter by letter, so that no
// answer changes by accident. After a change on purpose, write the file again:
//
//	go test ./circlecitest -run TestAnswersStayAsTheyAre -update
func TestAnswersStayAsTheyAre(t *testing.T) {
	srv, ids := eventful(t)
	random := regexp.MustCompile(`url-orb-allow-list/[0-9a-f-]+`) // the only IDs that are not those of the seed
	long := regexp.MustCompile(`\b[0-9]+\.[0-9]{7,}\b`)           // the last digits depend on the processor
	var out strings.Builder
	answer := func(method, path, body string) []byte {
		path = random.ReplaceAllString(ids.Replace(path), "url-orb-allow-list/"+uuid.Nil.String())
		body = ids.Replace(body)
		req, err := http.NewRequestWithContext(t.Context(), method, "https://circleci.com"+path, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Circle-Token", srv.Token())
		resp, err := srv.Transport().RoundTrip(req)
		require.NoError(t, err)
		data, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		shown := long.ReplaceAllFunc(data, func(number []byte) []byte { return number[:bytes.IndexByte(number, '.')+7] })
		fmt.Fprintf(&out, "%s %s %s\n%d %s\n", method, path, body, resp.StatusCode, strings.ReplaceAll(strings.TrimSpace(string(shown)), "\n", "\\n"))
		return data
	}
	for _, path := range asked(t, srv) {
		if !strings.HasSuffix(path, "/openapi.json") { // another test compares it with the list of operations
			answer(http.MethodGet, path, "")
		}
	}
	for _, c := range slices.Concat(writes(), edges()) {
		answer(c.method, c.path, c.body)
	}
	srv.Advance(time.Hour)
	answer(http.MethodGet, "/api/v2/pipeline?org-slug=gh/acme", "")
	exported(t, srv, &out, answer)
	for _, d := range srv.Deliveries() {
		fmt.Fprintf(&out, "%s to %s, attempt %d\n%d %s\n", d.Event, d.URL, d.Attempt, d.Status, d.Body)
	}
	file := filepath.Join("testdata", "answers.txt")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(out.String()), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	wanted, gotten := strings.Split(string(want), "\n"), strings.Split(out.String(), "\n")
	for i := range min(len(wanted), len(gotten)) {
		if !assert.Equal(t, wanted[i], gotten[i], "line %d of %s, after %s", i+1, file, wanted[max(i-1, 0)]) {
			return
		}
	}
	assert.Len(t, gotten, len(wanted))
}
