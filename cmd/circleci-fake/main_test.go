package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

// output is what a program prints, for another goroutine to read.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	news chan struct{} // told of each line
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.text.Write(p)
	select {
	case o.news <- struct{}{}:
	default:
	}
	return n, err
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start runs the program until the test ends, and returns what it has printed
// once it serves.
func start(t *testing.T, args ...string) (url, token string, out *output) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out = &output{news: make(chan struct{}, 1)}
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), out, out) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended, "an interrupt is no failure")
		assert.Contains(t, out.String(), "Stopped.")
	})
	for !strings.Contains(out.String(), "/api/v2/me\n") {
		select {
		case <-out.news:
		case err := <-ended:
			ended <- err
			t.Fatal(out.String(), err)
		}
	}
	find := func(name string) string {
		found := regexp.MustCompile(`(?m)^  export ` + name + `=(\S+)$`).FindStringSubmatch(out.String())
		require.NotNil(t, found, "a user pastes this into a shell")
		return found[1]
	}
	return find("CIRCLE_HOST"), find("CIRCLE_TOKEN"), out
}

func client(t *testing.T, url, token string) *circleci.Client {
	t.Helper()
	t.Setenv("CIRCLE_HOST", url)
	t.Setenv("CIRCLE_TOKEN", token)
	c, err := circleci.NewClientFromEnv()
	require.NoError(t, err)
	return c
}

func TestAProgramRunsAPipeline(t *testing.T) {
	url, token, _ := start(t, "-speed", "100000")
	c := client(t, url, token)
	const web = "gh/acme/web"
	r, err := c.Pipelines.TriggerAndWait(t.Context(), web, circleci.TriggerPipelineRequest{},
		&circleci.WaitOptions{MinInterval: time.Millisecond, MaxInterval: time.Millisecond, WithJobs: true})
	require.NoError(t, err)
	assert.Greater(t, r.Pipeline.Number, int64(720), "after the history, and what the schedule has started")
	require.Len(t, r.Workflows, 2)
	metrics, err := c.Insights.ListWorkflowMetrics(web, nil).Collect(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, metrics)
	jobs, err := c.Workflows.ListJobs(r.Workflows[len(r.Workflows)-1].ID).Collect(t.Context())
	require.NoError(t, err)
	for _, j := range jobs {
		if j.Name != "build" {
			continue
		}
		files, err := c.Jobs.DownloadArtifacts(t.Context(), web, j.Number, t.TempDir(), nil)
		require.NoError(t, err, "through the storage, at another port")
		assert.Len(t, files, 1)
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode, string(body)
}

func TestAPersonSeesWhatGoesOn(t *testing.T) {
	url, token, out := start(t)
	_, err := client(t, url, token).Users.Me(t.Context())
	require.NoError(t, err)
	assert.Contains(t, out.String(), "See what goes on at "+url)
	status, page := get(t, url)
	assert.Equal(t, 200, status)
	for _, want := range []string{"gh/acme/web", "gh/acme/api", "gh/acme/docs", "GET /api/v2/me", "pending"} {
		assert.Contains(t, page, want)
	}
	assert.NotContains(t, page, token)
	status, body := get(t, url+"/api/v2/me")
	assert.Equal(t, 401, status, "who has no token is not let in: %s", body)
}

func TestAnEmptyServerWithATokenAndALimit(t *testing.T) {
	url, token, out := start(t, "-seed", "empty", "-token", "my-token", "-rate-limit", "2/h")
	assert.Equal(t, "my-token", token)
	assert.NotContains(t, out.String(), "gh/acme")
	c := client(t, url, token)
	all, err := c.Users.ListCollaborations().Collect(t.Context())
	require.NoError(t, err)
	assert.Empty(t, all)
	_, err = c.Users.Me(t.Context())
	require.NoError(t, err)
	_, err = c.Users.Me(t.Context())
	assert.ErrorIs(t, err, circleci.ErrRateLimited)
}

func TestStrictness(t *testing.T) {
	for args, want := range map[string]int{"-strict=false": 200, "-strict": 400} {
		url, token, _ := start(t, "-seed", "empty", args)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/v2/me?foo=1", nil)
		require.NoError(t, err)
		req.Header.Set("Circle-Token", token)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, want, resp.StatusCode, args)
		_, page := get(t, url)
		assert.Contains(t, page, "no query parameter", "the page shows it")
	}
}

func TestAConfigurationRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yml")
	require.NoError(t, os.WriteFile(path, []byte("version: 2.1\njobs: {unit: {}}\nworkflows: {checks: {jobs: [unit]}}\n"), 0o600))
	url, token, _ := start(t, "-seed", "empty", "-speed", "100000", "-config", path, "-config", "gh/acme/api="+path)
	c, err := circleci.NewClient(token, circleci.WithBaseURL(url))
	require.NoError(t, err)
	for _, slug := range []circleci.ProjectSlug{"gh/acme/web", "gh/acme/api"} {
		result, err := c.Pipelines.TriggerAndWait(t.Context(), slug, circleci.TriggerPipelineRequest{}, &circleci.WaitOptions{MinInterval: time.Millisecond})
		require.NoError(t, err)
		require.Len(t, result.Workflows, 1)
		assert.Equal(t, "checks", result.Workflows[0].Name)
	}
	require.NoError(t, os.WriteFile(path, []byte("version: 3"), 0o600))
	for args, want := range map[string]string{path: "expected 2 or 2.1", path + ".missing": "no such file", "a/b=" + path: "slug"} {
		var stderr bytes.Buffer
		err := run(t.Context(), []string{"-addr", "127.0.0.1:0", "-config", args}, io.Discard, &stderr)
		require.Error(t, err)
		assert.Contains(t, err.Error()+stderr.String(), want)
	}
}

func TestAScriptIsLoaded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scenario.yaml")
	require.NoError(t, os.WriteFile(path, []byte("users: [{login: grace}]\nprojects: {gh/acme/docs: {}}\n"), 0o600))
	url, token, _ := start(t, "-seed", "empty", "-script", path)
	p, err := client(t, url, token).Projects.Get(t.Context(), "gh/acme/docs")
	require.NoError(t, err)
	assert.Equal(t, "docs", p.Name)
	require.NoError(t, os.WriteFile(path, []byte("projets: {}"), 0o600))
	for path, want := range map[string]string{path: "scenario.yaml: circlecitest: the document", path + ".missing": "no such file"} {
		assert.ErrorContains(t, run(t.Context(), []string{"-addr", "127.0.0.1:0", "-script", path}, io.Discard, io.Discard), want)
	}
}

// Each flag changes how a request is answered.
func TestFlagsChangeAnswers(t *testing.T) {
	for _, test := range []struct {
		flag, method, path, host string
		before, after            int
	}{
		{"-without-v3", "GET", "/api/v3/orgs", "", 200, 404},
		{"-without-v11-triggers", "POST", "/api/v1.1/project/gh/acme/web/build", "", 201, 410},
		{"-allow-host=fake,other", "GET", "/api/v2/me", "fake:8080", 403, 200},
	} {
		for flag, want := range map[string]int{"-seed=demo": test.before, test.flag: test.after} {
			url, token, _ := start(t, flag)
			req, err := http.NewRequestWithContext(t.Context(), test.method, url+test.path, nil)
			require.NoError(t, err)
			req.Header.Set("Circle-Token", token)
			req.Host = test.host
			resp, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, want, resp.StatusCode, "%s with %s", test.path, flag)
		}
	}
	for flag, repeats := range map[string]bool{"-seed=demo": true, "-without-repeated-pages": false} {
		url, token, _ := start(t, flag)
		c := client(t, url, token)
		demo, err := c.Contexts.List(circleci.OwnerBySlug("gh/acme"), nil).First(t.Context())
		require.NoError(t, err)
		page, err := c.Contexts.ListEnvVars(demo.ID).Page(t.Context(), "")
		require.NoError(t, err)
		assert.Equal(t, repeats, page.NextPageToken != "", flag)
	}
}

func TestFlags(t *testing.T) {
	for text, want := range map[string]string{"300/m": "300/1m0s", "10/s": "10/1s", "5/h": "5/1h0m0s", "2/90s": "2/1m30s"} {
		var l rateLimit
		require.NoError(t, l.Set(text), text)
		assert.Equal(t, want, l.String())
	}
	for _, text := range []string{"", "10", "0/s", "-1/s", "x/s", "10/", "10/x", "10/-1s"} {
		require.Error(t, new(rateLimit).Set(text), text)
	}
	assert.Empty(t, new(rateLimit).String())
	for _, args := range [][]string{
		{"-seed", "some"}, {"-speed", "-1"}, {"-speed", "NaN"}, {"-speed", "1e7"}, {"-keep", "0"}, {"-token", ""}, {"-rate-limit", "1"}, {"-nonsense"}, {"argument"},
	} {
		var out strings.Builder
		require.ErrorIs(t, run(t.Context(), args, io.Discard, &out), errUsage, "%v", args)
		assert.NotEmpty(t, out.String(), "%v: a user has to be told", args)
	}
	var out strings.Builder
	require.ErrorIs(t, run(t.Context(), []string{"-h"}, io.Discard, &out), flag.ErrHelp)
	assert.Contains(t, out.String(), "-rate-limit")
}

func TestAnAddressThatIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	var failed *net.OpError
	assert.ErrorAs(t, run(t.Context(), []string{"-addr", taken.Addr().String()}, io.Discard, io.Discard), &failed)
}
