package circleci_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func TestGlobsAreAsInGitignore(t *testing.T) {
	for _, c := range []struct {
		pattern  string
		yes, not []string
	}{
		{"*.tar.gz", []string{"a.tar.gz", "dist/a.tar.gz", "a/b/c.tar.gz", "x.tar.gz/in"}, []string{"a.tar", "dist/a.tar.gzip"}},
		{"/*.log", []string{"a.log", "/a.log"}, []string{"logs/a.log"}},
		{"out/*.txt", []string{"out/a.txt"}, []string{"a.txt", "x/out/a.txt", "out/b/a.txt"}},
		{"**/out/*.txt", []string{"out/a.txt", "x/out/a.txt", "x/y/out/a.txt"}, []string{"out/b/a.txt"}},
		{"logs/**", []string{"logs/a", "logs/b/c"}, []string{"logs", "x/logs/a"}},
		{"a/**/b", []string{"a/b", "a/x/b", "a/x/y/b", "a/b/c"}, []string{"b", "x/a/b"}},
		{"coverage", []string{"coverage", "coverage/index.html", "x/coverage/a"}, []string{"coverage2"}},
		{"coverage/", []string{"coverage/index.html", "x/coverage/a"}, []string{"coverage", "x/coverage"}},
		{"**", []string{"a", "a/b"}, nil},
		{`\!a`, []string{"!a"}, []string{"a"}},
		{"", []string{"anything"}, nil},
	} {
		for _, p := range c.yes {
			ok, err := circleci.GlobMatches(c.pattern, p)
			require.NoError(t, err)
			assert.True(t, ok, "%q selects %q", c.pattern, p)
		}
		for _, p := range c.not {
			ok, err := circleci.GlobMatches(c.pattern, p)
			require.NoError(t, err)
			assert.False(t, ok, "%q does not select %q", c.pattern, p)
		}
	}
	for _, pattern := range []string{"[", "a/[", "!a", "a//b", "/", "//"} {
		_, err := circleci.GlobMatches(pattern, "a")
		assert.ErrorIs(t, err, circleci.ErrInvalidArgument, pattern)
	}
}

// storedAs is a client of a job whose artifacts have these paths.
func storedAs(t *testing.T, paths ...string) *circleci.Client {
	t.Helper()
	type item struct {
		Path string `json:"path"`
		Node int    `json:"node_index"`
		URL  string `json:"url"`
	}
	items := make([]item, len(paths))
	for i, p := range paths {
		items[i] = item{p, 0, fmt.Sprintf("https://files.example.com/%d", i)}
	}
	list, err := json.Marshal(map[string]any{"items": items})
	require.NoError(t, err)
	c, err := circleci.NewClient("CCIPAT_test", circleci.WithHTTPClient(&http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
		body := string(list)
		if req.URL.Host == "files.example.com" {
			body = "x"
		}
		return &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Request: req, Header: http.Header{},
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}, nil
	})}))
	require.NoError(t, err)
	return c
}

func TestACanceledDownloadIsToldInOneLine(t *testing.T) {
	paths := make([]string, 5000)
	for i := range paths {
		paths[i] = fmt.Sprintf("a\n\x1b[31m%d", i)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := storedAs(t, paths...).Jobs.DownloadArtifacts(ctx, webSlug, 1, t.TempDir(), &circleci.DownloadOptions{
		OnProgress: func(circleci.DownloadProgress) { cancel() },
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Less(t, len(err.Error()), 3000)
	assert.NotContains(t, err.Error(), "\n")
	assert.NotContains(t, err.Error(), "\x1b")
	assert.Regexp(t, `and \d+ more errors$`, err.Error())
}

func TestAPathThatIsTooLongIsTheErrorOfItsFile(t *testing.T) {
	deep := strings.Repeat("a/", 128<<10) + "b"
	dir := t.TempDir()
	files, err := storedAs(t, deep, "good").Jobs.DownloadArtifacts(t.Context(), webSlug, 1, dir, nil)
	require.ErrorContains(t, err, "its path has 262145 bytes")
	assert.Less(t, len(err.Error()), 1000)
	require.Len(t, files, 1)
	assert.Equal(t, map[string]int64{"good": 1}, sizes(t, dir))
}

func TestArtifactsOfARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		artifact := func(content string) circlecitest.Artifact {
			return circlecitest.Artifact{Path: "out/a.txt", Content: content}
		}
		srv.Script(webSlug, plain(
			circlecitest.Workflow("build", circlecitest.Job("one").WithArtifacts(artifact("1")), circlecitest.Job("two/x").WithArtifacts(artifact("22"))),
			circlecitest.Workflow("deploy", circlecitest.Job("one").WithArtifacts(artifact("333"))),
		))
		c := srv.Client()
		r, err := c.Pipelines.Wait(t.Context(), srv.StartPipeline(webSlug, "main"), nil)
		require.NoError(t, err)
		id := r.Pipeline.ID
		build := r.Workflows[slices.IndexFunc(r.Workflows, func(w circleci.Workflow) bool { return w.Name == "build" })].ID

		list, err := c.Pipelines.ListArtifacts(t.Context(), id)
		require.NoError(t, err)
		require.Len(t, list, 3)
		assert.Contains(t, []string{"build", "deploy"}, list[0].WorkflowName)
		assert.Equal(t, webSlug, list[0].ProjectSlug)
		assert.Positive(t, list[0].JobNumber)
		dir := t.TempDir()
		files, err := c.Pipelines.DownloadArtifacts(t.Context(), id, dir, &circleci.DownloadOptions{Glob: "*.txt"})
		require.NoError(t, err)
		assert.Len(t, files, 3)
		assert.Equal(t, map[string]int64{"build/one/out/a.txt": 1, "build/two_x/out/a.txt": 2, "deploy/one/out/a.txt": 3}, sizes(t, dir))

		list, err = c.Workflows.ListArtifacts(t.Context(), build)
		require.NoError(t, err)
		assert.Len(t, list, 2)
		dir = t.TempDir()
		_, err = c.Workflows.DownloadArtifacts(t.Context(), build, dir, nil)
		require.NoError(t, err)
		assert.Equal(t, map[string]int64{"one/out/a.txt": 1, "two_x/out/a.txt": 2}, sizes(t, dir))

		srv.Fail("GET /project/{project-slug}/{job-number}/artifacts", circlecitest.Response{Status: 404})
		list, err = c.Pipelines.ListArtifacts(t.Context(), id)
		require.ErrorIs(t, err, circleci.ErrNotFound)
		assert.ErrorContains(t, err, "artifacts of job ")
		assert.Len(t, list, 2, "one job does not cost the others' artifacts")

		srv.Fail("GET /workflow/{id}/job", circlecitest.Response{Status: 404})
		list, err = c.Pipelines.ListArtifacts(t.Context(), id)
		require.ErrorIs(t, err, circleci.ErrNotFound)
		assert.ErrorContains(t, err, "jobs of workflow ")
		assert.NotEmpty(t, list, "one workflow does not cost the other's artifacts")
		assert.Less(t, len(list), 3)

		var response circleci.Response
		_, err = c.Pipelines.ListArtifacts(t.Context(), id, circleci.CaptureResponse(&response))
		require.ErrorIs(t, err, circleci.ErrInvalidArgument)
	})
}

// A rerun of chosen jobs does not hide the artifacts of the others.
func TestArtifactsOfASparseRerun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		artifact := circlecitest.Artifact{Path: "a.txt", Content: "1"}
		srv.Script(webSlug, plain(circlecitest.Workflow("build",
			circlecitest.Job("x").FailsOnce().WithArtifacts(artifact), circlecitest.Job("y").WithArtifacts(artifact))))
		c, id := srv.Client(), srv.StartPipeline(webSlug, "main")
		r, err := c.Pipelines.Wait(t.Context(), id, nil)
		require.NoError(t, err)
		again, err := c.Workflows.RerunAndWait(t.Context(), r.Workflows[0].ID, circleci.RerunWorkflowRequest{
			Jobs: []uuid.UUID{r.FailedJobs[0].ID}, SparseTree: true,
		}, nil)
		require.NoError(t, err)

		list, err := c.Pipelines.ListArtifacts(t.Context(), id)
		require.NoError(t, err)
		numbers := map[string]int64{}
		for _, a := range list {
			numbers[a.WorkflowName+"/"+a.JobName] = a.JobNumber
		}
		assert.Len(t, list, 2)
		assert.Greater(t, numbers["build/x"], r.FailedJobs[0].Number, "of the job that was rerun, the newest run counts")
		assert.Positive(t, numbers["build/y"])
		dir := t.TempDir()
		_, err = c.Pipelines.DownloadArtifacts(t.Context(), id, dir, nil)
		require.NoError(t, err)
		assert.Equal(t, map[string]int64{"build/x/a.txt": 1, "build/y/a.txt": 1}, sizes(t, dir))

		list, err = c.Workflows.ListArtifacts(t.Context(), again.Workflow.ID)
		require.NoError(t, err)
		assert.Len(t, list, 1, "the rerun alone has one job")
	})
}
