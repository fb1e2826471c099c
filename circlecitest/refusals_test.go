package circlecitest_test

import (
	"io"
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

// newestWorkflow is the newest workflow of a pipeline.
func newestWorkflow(t *testing.T, c *circleci.Client, pipeline uuid.UUID) circleci.Workflow {
	t.Helper()
	for w, err := range c.Pipelines.ListWorkflows(pipeline).All(t.Context()) {
		require.NoError(t, err)
		return w
	}
	require.Fail(t, "there is no workflow")
	return circleci.Workflow{}
}

// jobsOf are the jobs of the newest workflow of a pipeline, by name.
func jobsOf(t *testing.T, c *circleci.Client, pipeline uuid.UUID) map[string]circleci.WorkflowJob {
	t.Helper()
	byName := map[string]circleci.WorkflowJob{}
	for j, err := range c.Workflows.ListJobs(newestWorkflow(t, c, pipeline).ID).All(t.Context()) {
		require.NoError(t, err)
		byName[j.Name] = j
	}
	return byName
}

func readAll(t *testing.T, body io.ReadCloser) string {
	t.Helper()
	data, err := io.ReadAll(body)
	require.NoError(t, err)
	require.NoError(t, body.Close())
	return string(data)
}

// A request that CircleCI refuses is refused here, and for the same reason.
func TestWhatTheAPIRefuses(t *testing.T) {
	srv, ids := furnished(t, t)
	srv.AddProject("bb/acme/web")
	srv.Script("gh/acme/typed", circlecitest.Script{Parameters: []string{"environment"}, Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow("w")}})
	srv.Script("gh/acme/idle", circlecitest.Pipeline())
	gone := uuid.NewString()
	for _, c := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/context?owner-slug=gh/nobody", "", 404, "Organization not found"},
		{"GET", "/context", "", 400, "owner-id or owner-slug"},
		{"POST", "/context", `{"name":"n","owner":{"slug":"gh/nobody"}}`, 404, "Organization not found"},
		{"POST", "/context", `{"name":"n","owner":{"slug":"gh/acme","type":"account"}}`, 400, "type"},
		{"POST", "/context", `{"name":"deploy","owner":{"slug":"gh/acme"}}`, 409, "exists"},
		{"POST", "/context/{context_id}/restrictions", `{"restriction_type":"project","restriction_value":"` + gone + `"}`, 404, "Project not found"},
		{"POST", "/context/{context_id}/restrictions", `{"restriction_type":"project","restriction_value":"<web>"}`, 409, "exists"},
		{"POST", "/context/{context_id}/restrictions", `{"restriction_type":"moon","restriction_value":"full"}`, 400, "restriction_type"},
		{"POST", "/organization/gh%2Fnobody/project", `{"name":"web"}`, 404, "Organization not found"},
		{"POST", "/organization/gh%2Facme/project", `{"name":"web"}`, 409, "exists"},
		{"POST", "/project/" + appSlug, "", 405, "GitHub OAuth and Bitbucket"},
		{"GET", "/project/gh/acme/web/checkout-key?digest=sha1", "", 400, "md5 or sha256"},
		{"PATCH", "/project/gh/acme/web/settings", `{}`, 400, "nothing"},
		{"PATCH", "/project/gh/acme/web/settings", `{"advanced":{"oss":true}}`, 400, "oss"},
		{"PATCH", "/project/gh/acme/web/settings", `{"advanced":{"autocancel_builds":"yes"}}`, 400, "autocancel_builds"},
		{"PATCH", "/project/gh/acme/web/settings", `{"advanced":{"autocancel":true}}`, 400, "autocancel"},
		{"POST", "/project/gh/acme/web/pipeline", `{"branch":"main","tag":"v1"}`, 400, "mutually exclusive"},
		{"POST", "/project/gh/acme/typed/pipeline", `{"parameters":{"env":"x"}}`, 404, "Project not found"},
		{"POST", "/project/" + appSlug + "/pipeline/run", `{"definition_id":"{pipeline_definition_id}","config":{"branch":"a","tag":"b"}}`, 400, "config"},
		{"POST", "/project/" + appSlug + "/pipeline/run", `{"definition_id":"{pipeline_definition_id}","checkout":{"branch":"a","tag":"b"}}`, 400, "exclusive"},
		{"POST", "/project/" + appSlug + "/pipeline/run", `{"definition_id":"` + gone + `"}`, 404, "definition"},
		{"POST", "/project/gh/acme/idle/pipeline/run", `{"definition_id":"` + gone + `"}`, 200, "nothing was triggered"},
		{"POST", "/pipeline/continue", `{"continuation-key":"<key>","configuration":"version: 2.1","parameters":{"a":null}}`, 400, "parameter a"},
		{"POST", "/pipeline/continue", `{"continuation-key":"<key>","configuration":" "}`, 400, "configuration"},
		{"POST", "/pipeline/continue", `{"continuation-key":"none","configuration":"version: 2.1"}`, 404, "key"},
		{"GET", "/project/gh/acme/web/pipeline?page-token=x", "", 400, "page token"},
		{"GET", "/insights/gh/acme/web/workflows?reporting-window=forever", "", 400, "reporting-window"},
		{"GET", "/insights/time-series/gh/acme/web/workflows/build/jobs?granularity=weekly", "", 400, "granularity"},
		{"POST", "/workflow/<held>/rerun", `{}`, 400, "terminal state"},
		{"POST", "/workflow/<workflow>/rerun", `{"from_failed":true,"enable_ssh":true}`, 400, "from_failed"},
		{"POST", "/workflow/<workflow>/rerun", `{"sparse_tree":true}`, 400, "need jobs"},
		{"POST", "/workflow/<workflow>/rerun", `{"jobs":["` + gone + `"]}`, 400, gone},
		{"POST", "/workflow/<held>/approve/" + gone, "", 404, "Job not found"},
		{"POST", "/jobs/" + gone + "/cancel", "", 404, "Job not found"},
		{"PATCH", "/schedule/{schedule-id}", `{"timetable":{"days-of-month":[32]}}`, 400, "days-of-month"},
		{"PATCH", "/schedule/{schedule-id}", `{"timetable":{"days-of-week":["MONDAY"]}}`, 400, "MONDAY"},
		{"PUT", "/webhook/{webhook-id}", `{"name":""}`, 400, "name"},
		{"PUT", "/webhook/{webhook-id}", `{"events":[]}`, 400, "events"},
		{"PUT", "/webhook/{webhook-id}", `{"events":["moon-rise"]}`, 400, "moon-rise"},
		{"POST", "/organizations/{org_id}/usage_export_job", `{"start":"2026-03-02T00:00:00Z","end":"2026-03-01T00:00:00Z"}`, 400, "end is before start"},
		{"GET", "/deploy/components?org-id={org_id}&project-id=<web>&page-size=none", "", 400, "page-size"},
	} {
		r, err := send(t, srv, c.method, ids.Replace(c.path), ids.Replace(c.body))
		require.NoError(t, err)
		assert.Equal(t, c.status, r.status, "%s %s %s: %s", c.method, c.path, c.body, r.body)
		assert.Contains(t, r.body, c.says, "%s %s %s", c.method, c.path, c.body)
	}
}

func TestAContextTakes100Variables(t *testing.T) {
	srv := circlecitest.New(t)
	c := srv.Client()
	id := srv.AddContext("gh/acme", "deploy", nil)
	for i := range 100 {
		_, err := c.Contexts.SetEnvVar(t.Context(), id, "V"+strconv.Itoa(i), circleci.SetEnvVarRequest{Value: "x"})
		require.NoError(t, err)
	}
	_, err := c.Contexts.SetEnvVar(t.Context(), id, "ONE_MORE", circleci.SetEnvVarRequest{Value: "x"})
	refusal(t, err, 400, "Cannot create more than 100 environment variables per context")
	_, err = c.Contexts.SetEnvVar(t.Context(), id, "V7", circleci.SetEnvVarRequest{Value: "another value"})
	require.NoError(t, err, "one that is there can be changed")
	assert.Equal(t, "another value", srv.ContextEnvVars(id)["V7"])
	require.NoError(t, c.Contexts.DeleteEnvVar(t.Context(), id, "V7"))
	_, err = c.Contexts.SetEnvVar(t.Context(), id, "ONE_MORE", circleci.SetEnvVarRequest{Value: "x"})
	assert.NoError(t, err, "and makes room when it goes")
}

func TestAJobThatIsCanceledEndsItsWorkflow(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.Script(webSlug, circlecitest.Pipeline(circlecitest.Workflow("build",
		circlecitest.Job("queued"), circlecitest.Job("long").Takes(time.Hour), circlecitest.Job("after").Requires("long"))))
	c := srv.Client()
	id := srv.StartPipeline(webSlug, "main")
	srv.Advance(3 * time.Second) // the jobs are queued
	jobs := jobsOf(t, c, id)
	require.NoError(t, c.Jobs.CancelByID(t.Context(), jobs["queued"].ID))
	srv.Advance(10 * time.Second)
	jobs = jobsOf(t, c, id)
	assert.Equal(t, circleci.JobStatusCanceled, jobs["queued"].Status)
	assert.True(t, jobs["queued"].StartedAt.IsZero(), "it does not start any more")
	assert.Equal(t, circleci.JobStatusRunning, jobs["long"].Status)

	require.NoError(t, c.Jobs.Cancel(t.Context(), webSlug, jobs["long"].Number))
	require.NoError(t, c.Jobs.Cancel(t.Context(), webSlug, jobs["long"].Number), "twice is once")
	w := newestWorkflow(t, c, id)
	assert.Equal(t, circleci.WorkflowStatusCanceled, w.Status)
	assert.Equal(t, circleci.JobStatusNotRun, jobsOf(t, c, id)["after"].Status)
	srv.Advance(2 * time.Hour)
	assert.Equal(t, w, newestWorkflow(t, c, id), "it is over")
}

func TestAnUnauthorizedJobEndsItsWorkflow(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.Script(webSlug, circlecitest.Pipeline(circlecitest.Workflow("w", circlecitest.Job("j").Ends(circleci.JobStatusUnauthorized))))
	id := srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Minute)
	assert.Equal(t, circleci.WorkflowStatusUnauthorized, newestWorkflow(t, srv.Client(), id).Status)
}

// Jobs that are chosen run again, with all that waits for them.
func TestARerunOfJobs(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.Script(webSlug, circlecitest.Pipeline(circlecitest.Workflow("w",
		circlecitest.Job("lint"), circlecitest.Job("build"), circlecitest.Job("test").Requires("build"), circlecitest.Job("deploy").Requires("test"))))
	c := srv.Client()
	id := srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Hour)
	before := jobsOf(t, c, id)
	_, err := c.Workflows.Rerun(t.Context(), newestWorkflow(t, c, id).ID, circleci.RerunWorkflowRequest{Jobs: []uuid.UUID{before["build"].ID}})
	require.NoError(t, err)
	srv.Advance(time.Hour)
	after := jobsOf(t, c, id)
	assert.Equal(t, before["lint"], after["lint"], "it comes over as it was")
	for _, name := range []string{"build", "test", "deploy"} {
		assert.NotEqual(t, before[name].Number, after[name].Number, name)
		assert.Equal(t, circleci.JobStatusSuccess, after[name].Status, name)
	}

	_, err = c.Workflows.Rerun(t.Context(), newestWorkflow(t, c, id).ID, circleci.RerunWorkflowRequest{Jobs: []uuid.UUID{after["test"].ID}, SparseTree: true})
	require.NoError(t, err)
	srv.Advance(time.Hour)
	sparse := jobsOf(t, c, id)
	assert.Len(t, sparse, 2, "what does not depend on the test is left out")
	assert.Empty(t, sparse["test"].Dependencies)
	assert.Equal(t, circleci.JobStatusSuccess, sparse["deploy"].Status)
}

// What a client that goes on with a download meets.
func TestRangesOfAnArtifact(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.Script(webSlug, circlecitest.Pipeline(circlecitest.Workflow("w", circlecitest.Job("j").WithArtifacts(
		circlecitest.Artifact{Path: "odd/../a b.txt", Content: "0123456789"}, circlecitest.Artifact{Path: "zeros", Size: 4}))))
	id := srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Hour)
	artifacts, err := srv.Client().Jobs.ListArtifacts(webSlug, jobsOf(t, srv.Client(), id)["j"].Number).Collect(t.Context())
	require.NoError(t, err)
	request := func(url, span, token string) *http.Response {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if span != "" {
			req.Header.Set("Range", span)
		}
		if token != "" {
			req.Header.Set("Circle-Token", token)
		}
		resp, err := srv.Transport().RoundTrip(req)
		require.NoError(t, err)
		return resp
	}
	for _, c := range []struct {
		span, body, answers string
		status              int
	}{
		{"", "0123456789", "", 200},
		{"bytes=4-", "456789", "bytes 4-9/10", 206},
		{"bytes=2-3", "0123456789", "", 200}, // a server may ignore it
		{"bytes=10-", "", "bytes */10", 416},
	} {
		stored := request(artifacts[0].URL, "", srv.Token()).Header.Get("Location")
		require.NotEmpty(t, stored)
		resp := request(stored, c.span, "")
		body := readAll(t, resp.Body)
		assert.Equal(t, c.status, resp.StatusCode, c.span)
		assert.Equal(t, c.body, body, c.span)
		assert.Equal(t, c.answers, resp.Header.Get("Content-Range"), c.span)
		assert.Equal(t, 403, request(strings.Split(stored, "?")[0], "", "").StatusCode, "a URL without its signature")
	}
	assert.Equal(t, "\x00\x00\x00\x00", readAll(t, request(request(artifacts[1].URL, "", srv.Token()).Header.Get("Location"), "", "").Body))
	assert.Equal(t, 404, request(artifacts[0].URL, "", "").StatusCode, "an artifact is nobody's without a token")
	assert.Equal(t, 404, request(artifacts[0].URL+"x", "", srv.Token()).StatusCode)
}
