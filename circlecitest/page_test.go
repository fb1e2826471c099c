package circlecitest_test

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

// From the page one opens a job, approves, reruns and triggers.
func TestThePageActs(t *testing.T) {
	r := newRemote(t)
	r.call("POST", "/_fake/scenario", `
projects: {gh/acme/web: {scripts: [{workflows: [{name: release, jobs: [
  {name: test, output: "<b>ok</b>", tests: [{name: TestCart}], artifacts: [{path: js/app.js, content: "<script>"}]},
  {name: hold, approval: true, requires: [test]}, {name: ship, requires: [hold]}]}]}]}}`)
	page := func() string {
		_, text := r.send("GET", "/", "", nil)
		return text
	}
	link := func(kind string) string {
		t.Helper()
		found := regexp.MustCompile("/_page/" + kind + "/[0-9a-f-]+").FindString(page())
		require.NotEmpty(t, found, kind)
		return found
	}
	press := func(path string) int {
		status, _ := r.send("POST", path, "", map[string]string{"Origin": "http://localhost"})
		return status
	}
	require.Equal(t, http.StatusSeeOther, press(link("trigger")))
	r.srv.Advance(5 * time.Minute)

	opened := link("job")
	_, job := r.send("GET", opened, "", nil)
	for _, want := range []string{"<h1>test ", "success", "&lt;b&gt;ok&lt;/b&gt;", "TestCart", "app.js", "8 bytes"} {
		assert.Contains(t, job, want)
	}
	for name, text := range map[string]string{"a job": job, "the pipelines": page()} {
		assert.Contains(t, text, ".on-hold { color: var(--held); }", "%s: the pages have one style sheet", name)
	}
	w := r.record("GET", opened+"/artifact/0")
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "<script>", w.Body.String())
	assert.Equal(t, `attachment; filename=app.js`, w.Header().Get("Content-Disposition"), "it must not run beside the page")
	for _, index := range []string{"1", "-1", "x"} {
		assert.Equal(t, http.StatusNotFound, r.record("GET", opened+"/artifact/"+index).Code)
	}
	approve := link("approve")
	require.Equal(t, http.StatusSeeOther, press(approve))
	assert.Equal(t, http.StatusConflict, press(approve), "it is approved once")
	r.srv.Advance(5 * time.Minute)
	rerun := link("rerun")
	require.Equal(t, http.StatusSeeOther, press(rerun))
	pipelines, err := r.srv.Client().Pipelines.ListForProject("gh/acme/web", nil).Collect(t.Context())
	require.NoError(t, err)
	workflows, err := r.srv.Client().Pipelines.ListWorkflows(pipelines[0].ID).Collect(t.Context())
	require.NoError(t, err)
	assert.Len(t, workflows, 2)

	for _, path := range []string{approve, rerun, link("trigger")} {
		for _, header := range []map[string]string{nil, {"Origin": "https://evil.example"}} {
			status, _ := r.send("POST", path, "", header)
			assert.Equal(t, http.StatusForbidden, status, "a form of another page")
		}
	}
	for _, kind := range []string{"approve", "rerun", "trigger"} {
		assert.Equal(t, http.StatusConflict, press("/_page/"+kind+"/"+uuid.NewString()))
		assert.Equal(t, http.StatusConflict, press("/_page/"+kind+"/x"))
	}
	status, _ := r.send("GET", "/_page/job/x", "", nil)
	assert.Equal(t, http.StatusNotFound, status)
}

// The page says why a request was refused, and what the server does not model.
func TestThePageSaysWhatWasRefused(t *testing.T) {
	r := newRemote(t)
	_, _ = r.send("POST", "/api/v2/pipeline/search", "{}", nil)
	_, _ = r.send("POST", "/api/v2/webhook", `{"name": "x"}`, nil)
	_, text := r.send("GET", "/", "", nil)
	assert.Contains(t, text, "does not model POST /pipeline/search")
	for _, seen := range r.srv.Requests() {
		assert.GreaterOrEqual(t, seen.Status, 400)
		assert.NotEmpty(t, seen.Refusal)
	}
	_, list := r.send("GET", "/_fake/requests", "", nil)
	assert.Contains(t, list, `"refusal":"{\"message\":\"circlecitest does not model`)
	assert.NotContains(t, list, "null", "a list without elements is one")
	_, err := r.srv.Client().Users.Me(t.Context(), circleci.NoRetry())
	require.NoError(t, err)
	all := r.srv.Requests()
	assert.Empty(t, all[len(all)-1].Refusal)
}
