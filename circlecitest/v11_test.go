package circlecitest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// old sends a request outside the API v2, and returns the status, the header and
// the decoded body, or its text if it is not JSON.
func old(t *testing.T, srv *circlecitest.Server, method, path, body string) (int, http.Header, any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "https://circleci.com"+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Circle-Token", srv.Token())
	resp, err := srv.Transport().RoundTrip(req)
	require.NoError(t, err)
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	var value any
	if json.Unmarshal(data, &value) != nil {
		value = string(data)
	}
	return resp.StatusCode, resp.Header, value
}

func oldList(t *testing.T, srv *circlecitest.Server, path string) []any {
	t.Helper()
	status, _, value := old(t, srv, http.MethodGet, path, "")
	require.Equal(t, 200, status, value)
	list, isList := value.([]any)
	require.True(t, isList, "%v", value)
	return list
}

func oldObject(t *testing.T, srv *circlecitest.Server, method, path, body string, want int) map[string]any {
	t.Helper()
	status, _, value := old(t, srv, method, path, body)
	require.Equal(t, want, status, value)
	object, isObject := value.(map[string]any)
	require.True(t, isObject, "%v", value)
	return object
}

// built is a server in which compile has succeeded and test has failed, on main
// and then on a branch.
func built(t *testing.T, opts ...circlecitest.Option) *circlecitest.Server {
	t.Helper()
	srv := circlecitest.New(t, append([]circlecitest.Option{circlecitest.WithManualTime()}, opts...)...)
	srv.Script(webSlug, circlecitest.Pipeline(circlecitest.Workflow("build",
		circlecitest.Job("compile").WithArtifacts(circlecitest.Artifact{Path: "bin/app", Content: "app"}),
		circlecitest.Job("test").Requires("compile").FailsOnce().WithOutput("--- FAIL\n").WithTests(circlecitest.FailingTest("TestPay", "402")),
	)))
	srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Hour)
	srv.StartPipeline(webSlug, "a/b")
	srv.Advance(time.Hour)
	return srv
}

func TestTheOldAPIReadsTheSameWorld(t *testing.T) {
	srv := built(t)
	assert.Equal(t, "ada", oldObject(t, srv, "GET", "/api/v1.1/me", "", 200)["login"])
	projects := oldList(t, srv, "/api/v1.1/projects")
	require.Len(t, projects, 1)
	assert.Equal(t, "web", projects[0].(map[string]any)["reponame"])

	project := "/api/v1.1/project/github/acme/web"
	numbers := func(path string) (all []float64) {
		for _, b := range oldList(t, srv, path) {
			all = append(all, b.(map[string]any)["build_num"].(float64))
		}
		return all
	}
	assert.Equal(t, []float64{4, 3, 2, 1}, numbers(project))
	assert.Equal(t, []float64{4, 3, 2, 1}, numbers("/api/v1.1/recent-builds"))
	assert.Equal(t, []float64{3, 2}, numbers(project+"?limit=2&offset=1"))
	assert.Equal(t, []float64{4, 2}, numbers(project+"?filter=failed"))
	assert.Equal(t, []float64{4, 3}, numbers(project+"/tree/a%2Fb"))
	assert.Equal(t, []float64{1}, numbers(project+"/tree/main?filter=successful"))

	build := oldObject(t, srv, "GET", project+"/2", "", 200)
	assert.Equal(t, "failed", build["status"])
	assert.Equal(t, "finished", build["lifecycle"])
	assert.Equal(t, true, build["failed"])
	assert.Equal(t, "test", build["workflows"].(map[string]any)["job_name"])
	assert.Len(t, build["steps"], 2)
	assert.Len(t, oldList(t, srv, project+"/1/artifacts"), 1)
	assert.Empty(t, oldList(t, srv, project+"/latest/artifacts?branch=main&filter=failed"))
	assert.Len(t, oldList(t, srv, project+"/latest/artifacts?filter=successful"), 1)
	tests := oldObject(t, srv, "GET", project+"/2/tests", "", 200)["tests"].([]any)
	assert.Equal(t, "402", tests[0].(map[string]any)["message"])
	assert.Equal(t, "Job not found.", oldObject(t, srv, "GET", project+"/99", "", 404)["message"])
	oldObject(t, srv, "GET", "/api/v1.1/project/gh/acme/none", "", 404)
	oldObject(t, srv, "GET", "/api/v1.1/project/gh/acme/none/latest/artifacts", "", 404)
}

func TestTheOldAPIKeepsVariablesAndKeys(t *testing.T) {
	srv := built(t)
	project := "/api/v1.1/project/gh/acme/web"
	assert.Empty(t, oldList(t, srv, project+"/envvar"))
	assert.Equal(t, "xxxxcret", oldObject(t, srv, "POST", project+"/envvar", `{"name":"KEY","value":"verysecret"}`, 201)["value"])
	assert.Len(t, oldList(t, srv, project+"/envvar"), 1)
	assert.Equal(t, "KEY", oldObject(t, srv, "GET", project+"/envvar/KEY", "", 200)["name"])
	oldObject(t, srv, "DELETE", project+"/envvar/KEY", "", 200)
	oldObject(t, srv, "GET", project+"/envvar/KEY", "", 404)
	oldObject(t, srv, "POST", project+"/checkout-key", `{"type":"deploy-key"}`, 201)
	keys := oldList(t, srv, project+"/checkout-key")
	require.Len(t, keys, 1)
	key := project + "/checkout-key/" + keys[0].(map[string]any)["fingerprint"].(string)
	assert.Equal(t, "deploy-key", oldObject(t, srv, "GET", key, "", 200)["type"])
	oldObject(t, srv, "DELETE", key, "", 200)
	oldObject(t, srv, "GET", key, "", 404)
}

func TestTheOldAPIFollowsProjects(t *testing.T) {
	srv := built(t)
	assert.Equal(t, true, oldObject(t, srv, "POST", "/api/v1.1/project/gh/acme/api/follow", "", 200)["following"])
	assert.Len(t, oldList(t, srv, "/api/v1.1/projects"), 2, "following sets a project up")
	oldObject(t, srv, "POST", "/api/v1.1/project/gh/acme/web/unfollow", "", 200)
	followed := oldObject(t, srv, "GET", "/api/private/me/followed-projects", "", 200)
	assert.Equal(t, []any{map[string]any{"name": "api", "slug": "gh/acme/api", "vcs_type": "github"}}, followed["items"])
	assert.Nil(t, followed["next_page_token"])
	oldObject(t, srv, "POST", "/api/v1.1/project/"+appSlug+"/follow", "", 404)
}

func TestTheOldAPIAnnouncesTheEndOfItsTriggers(t *testing.T) {
	srv := built(t)
	project := "/api/v1.1/project/gh/acme/web"
	for path, body := range map[string]string{
		"/build": `{"branch":"main"}`, "/tree/main": "", "": "", "/2/retry": "", "/4/ssh": "",
	} {
		status, header, _ := old(t, srv, http.MethodPost, project+path, body)
		assert.Equal(t, 201, status, path)
		assert.Equal(t, "true", header.Get("Deprecation"))
		assert.Equal(t, "Mon, 01 Feb 2027 00:00:00 GMT", header.Get("Sunset"))
	}
	srv.StartPipeline(webSlug, "main")
	_, header, _ := old(t, srv, http.MethodPost, project+"/1/cancel", "")
	assert.Empty(t, header.Get("Sunset"))
	srv.Advance(time.Hour)
	pipelines, err := srv.Client().Pipelines.ListForProject(webSlug, nil).Collect(t.Context())
	require.NoError(t, err)
	assert.Len(t, pipelines, 6)
	assert.Len(t, oldList(t, srv, project+"?filter=successful&limit=100"), 6+2, "compile of each pipeline, and test when it was retried")
	oldObject(t, srv, "POST", project+"/build", `{"revision":"abc"}`, 501)

	gone := built(t, circlecitest.WithoutV11Triggers())
	status, header, _ := old(t, gone, http.MethodPost, project+"/build", `{"branch":"main"}`)
	assert.Equal(t, 410, status)
	assert.NotEmpty(t, header.Get("Sunset"))
	assert.Len(t, oldList(t, gone, project), 4, "reading stays")
}

func TestTheOldAPICancels(t *testing.T) {
	srv := built(t)
	srv.StartPipeline(webSlug, "main")
	srv.Advance(10 * time.Second)
	oldObject(t, srv, "POST", "/api/v1.1/project/gh/acme/web/5/retry", "", 400)
	build := oldObject(t, srv, "POST", "/api/v1.1/project/gh/acme/web/5/cancel", "", 200)
	assert.Equal(t, true, build["canceled"])
	assert.Equal(t, string(circleci.JobStatusCanceled), build["status"])
}

func TestTheRawOutputOfAStep(t *testing.T) {
	srv := built(t)
	for path, want := range map[string]any{
		"/2/output/0/101": "--- FAIL\n", "/2/error/0/101": "", "/2/output/0/0": "", "/1/output/0/101": "",
	} {
		status, header, text := old(t, srv, http.MethodGet, "/api/private/output/raw/gh/acme/web"+path, "")
		assert.Equal(t, 200, status, path)
		assert.Equal(t, want, text, path)
		assert.Contains(t, header.Get("Content-Type"), "text/plain")
	}
	for _, path := range []string{"/2/output/1/101", "/2/output/0/7", "/2/output/x/101", "/9/output/0/101"} {
		oldObject(t, srv, "GET", "/api/private/output/raw/gh/acme/web"+path, "", 404)
	}
}
