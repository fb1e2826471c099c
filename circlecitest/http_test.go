package circlecitest_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// onSocket is a client like that of any program.
func onSocket(t *testing.T, srv *circlecitest.Server, url string) *circleci.Client {
	t.Helper()
	c, err := circleci.NewClient(srv.Token(), circleci.WithBaseURL(url))
	require.NoError(t, err)
	return c
}

// withArtifact is a server on which a job has stored a file.
func withArtifact(t *testing.T) *circlecitest.Server {
	t.Helper()
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.Script(webSlug, oneJob("build", circlecitest.Job("test").WithArtifacts(circlecitest.Artifact{Path: "a b/ä.txt", Content: "hello"})))
	srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Minute)
	return srv
}

func downloadOf(t *testing.T, c *circleci.Client) string {
	t.Helper()
	all, err := c.Jobs.ListArtifacts(webSlug, 1).Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	var text strings.Builder
	_, err = c.Jobs.DownloadArtifact(t.Context(), all[0], &text)
	require.NoError(t, err)
	return text.String()
}

func TestAServerIsTheSameOnEachWay(t *testing.T) {
	for name, client := range map[string]func(t *testing.T, srv *circlecitest.Server) *circleci.Client{
		"from memory": func(_ *testing.T, srv *circlecitest.Server) *circleci.Client { return srv.Client() },
		"on its socket": func(t *testing.T, srv *circlecitest.Server) *circleci.Client {
			return onSocket(t, srv, srv.URL())
		},
		"on a socket of one's choice": func(t *testing.T, srv *circlecitest.Server) *circleci.Client {
			require.NoError(t, srv.Listen("localhost:0", "localhost:0"))
			require.NoError(t, srv.Listen("example.invalid:1", ""), "they are open")
			return onSocket(t, srv, srv.URL())
		},
		"on all addresses": func(t *testing.T, srv *circlecitest.Server) *circleci.Client {
			require.NoError(t, srv.Listen(":0", ":0"))
			assert.Contains(t, srv.URL(), "http://127.0.0.1:", "where a client finds it")
			return onSocket(t, srv, srv.URL())
		},
		"behind another server": func(t *testing.T, srv *circlecitest.Server) *circleci.Client {
			outer := httptest.NewServer(srv)
			t.Cleanup(outer.Close)
			return onSocket(t, srv, outer.URL)
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := withArtifact(t)
			c := client(t, srv)
			assert.Equal(t, "hello", downloadOf(t, c))
			last := srv.Requests()[len(srv.Requests())-1]
			assert.Equal(t, "storage", last.Operation)
			assert.Empty(t, last.Header.Get("Circle-Token"), "the storage is another origin, also on a socket")
		})
	}
}

// net/http compares the hosts of a redirect without their ports, and keeps
// Authorization from another host.
func TestOtherClientsDoNotSendTheTokenToTheStorage(t *testing.T) {
	srv := withArtifact(t)
	u, err := url.Parse(srv.URL())
	require.NoError(t, err)
	for _, name := range []string{"127.0.0.1", "localhost"} {
		c := onSocket(t, srv, "http://"+net.JoinHostPort(name, u.Port()))
		artifact, err := c.Jobs.ListArtifacts(webSlug, 1).First(t.Context())
		require.NoError(t, err)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, artifact.URL, http.NoBody)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+srv.Token())
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, "hello", string(body), name)
	}
}

func TestTheStorageIsAtTheNameThatTheClientUses(t *testing.T) {
	srv := withArtifact(t)
	u, err := url.Parse(srv.URL())
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(u.Host)
	require.NoError(t, err)
	c := onSocket(t, srv, "http://localhost:"+port)
	all, err := c.Jobs.ListArtifacts(webSlug, 1).Collect(t.Context())
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(all[0].URL, "http://localhost:"+port+"/"), all[0].URL)
	assert.Equal(t, "hello", downloadOf(t, c))
}

func TestAddressesThatCannotBe(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	srv := circlecitest.New(t)
	require.Error(t, srv.Listen(taken.Addr().String(), ""))
	require.Error(t, srv.Listen("", "nonsense"))
	closed := circlecitest.New(t)
	closed.Close()
	require.Error(t, closed.Listen("", ""))
	assert.Panics(t, func() { closed.URL() })
	w := httptest.NewRecorder()
	closed.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v2/me", nil))
	assert.Equal(t, 503, w.Code)
}

func TestCloseWaitsForNoLatency(t *testing.T) {
	srv := circlecitest.NewServer()
	srv.Weather(circlecitest.Latency(time.Hour))
	failed := make(chan error)
	go func() {
		resp, err := http.Get(srv.URL() + "/api/v2/me")
		if err == nil {
			_ = resp.Body.Close()
		}
		failed <- err
	}()
	for len(srv.Requests()) == 0 {
		time.Sleep(time.Millisecond) // on a socket there is no bubble
	}
	srv.Close()
	assert.Error(t, <-failed)
	srv.Close()
}

func TestWhatASocketDoesWithBadWeather(t *testing.T) {
	srv := circlecitest.New(t)
	get := func() (*http.Response, string, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL()+"/api/v2/me", nil)
		require.NoError(t, err)
		req.Header.Set("Circle-Token", srv.Token())
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, "", err
		}
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, resp.Body.Close())
		return resp, string(body), err
	}
	srv.Weather(circlecitest.BrokenConnection().Times(1))
	_, _, err := get()
	require.ErrorIs(t, err, io.EOF, "there is no answer")
	srv.Weather(circlecitest.TruncatedBody().Times(1))
	resp, body, err := get()
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Equal(t, 200, resp.StatusCode)
	assert.NotEmpty(t, body)
	srv.Weather(circlecitest.RateLimit(1, time.Hour))
	_, _, err = get()
	require.NoError(t, err)
	resp, body, err = get()
	require.NoError(t, err)
	assert.Equal(t, 429, resp.StatusCode)
	assert.Equal(t, "Rate limited.", body)
	assert.Equal(t, "3600", resp.Header.Get("Retry-After"))
}

func TestTheStatusPage(t *testing.T) {
	srv := circlecitest.NewServer(circlecitest.WithManualTime(), circlecitest.WithDeliveryTransport(carrier(func(*http.Request) (*http.Response, error) {
		return answer(202), nil
	})))
	defer srv.Close()
	page := func() string {
		resp, err := http.Get(srv.URL() + "/")
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, "text/html; charset=utf-8", resp.Header.Get("Content-Type"))
		assert.Contains(t, resp.Header.Get("Content-Security-Policy"), "default-src 'none'")
		return string(body)
	}
	assert.Contains(t, page(), "none", "nothing has run")

	addHook(t, srv, webSlug, "https://hooks.example/chat")
	srv.Script(webSlug,
		circlecitest.Pipeline(circlecitest.Workflow("build", circlecitest.Job("<script>alert(1)</script>").Takes(time.Minute), circlecitest.Approval("hold"))),
		circlecitest.Script{Errors: []circleci.PipelineError{{Type: circleci.PipelineErrorTypeConfig, Message: "no <b>version</b>"}}},
	)
	srv.StartPipeline(webSlug, "main")
	srv.Advance(2 * time.Minute)
	srv.StartPipeline(webSlug, `feature/x"><script>alert(2)</script>`)
	srv.Advance(5 * time.Second)
	srv.Weather(circlecitest.ServerError(503).For("GET /me").Skip(1).Times(2).Share(0.5), circlecitest.Latency(time.Millisecond).From(srv.Now()).Until(srv.Now().Add(time.Hour)))
	_, err := ask(t, srv, "/me?foo=<b>")
	require.NoError(t, err)
	html := page()
	for _, want := range []string{
		"gh/acme/web", "on_hold", "hold", "1m0s", "&lt;script&gt;alert(1)&lt;/script&gt;", "errored", "no &lt;b&gt;version&lt;/b&gt;", "feature/x&#34;&gt;&lt;script&gt;alert(2)",
		"status 503 for GET /me, but for the first 1, 2 times, 50 % of requests", "latency 1ms, from ",
		"GET /api/v2/me?foo=%3Cb%3E", "has no query parameter &#34;foo&#34;", "https://hooks.example/chat", "job-completed",
	} {
		assert.Contains(t, html, want)
	}
	assert.NotContains(t, html, "<script>")
	assert.NotContains(t, html, srv.Token())
	n := len(srv.Requests())
	page()
	assert.Len(t, srv.Requests(), n, "who looks is not part of the picture")
	srv.ClearWeather()
	assert.NotContains(t, page(), "Weather")
}

func TestRequestsThatAreForgotten(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithRequestsKept(3))
	for range 100 {
		_, err := srv.Client().Users.Me(context.Background())
		require.NoError(t, err)
	}
	n := len(srv.Requests())
	assert.GreaterOrEqual(t, n, 3)
	assert.Less(t, n, 6)
}
