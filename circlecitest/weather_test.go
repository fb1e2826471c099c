package circlecitest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// recorder is what a server complains to in place of the test.
type recorder struct{ complaints []string }

func (*recorder) Helper()        {}
func (*recorder) Cleanup(func()) {}
func (r *recorder) Errorf(format string, args ...any) {
	r.complaints = append(r.complaints, fmt.Sprintf(format, args...))
}

// once is a client that does not retry.
func once(srv *circlecitest.Server) *circleci.Client {
	return srv.Client(circleci.WithRetry(circleci.RetryPolicy{MaxAttempts: 1}))
}

// reply is an answer with its body, for what a client of ours would hide.
type reply struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
}

// ask sends a GET with the server's token, and follows no redirect.
func ask(t *testing.T, srv *circlecitest.Server, path string) (reply, error) {
	t.Helper()
	return send(t, srv, http.MethodGet, path, "")
}

// fullPath is a path from the root of the host; the API v2's lack it.
func fullPath(path string) string {
	if strings.HasPrefix(path, "/api/") {
		return path
	}
	return "/api/v2" + path
}

func send(t *testing.T, srv *circlecitest.Server, method, path, body string) (reply, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "https://circleci.com"+fullPath(path), strings.NewReader(body))
	require.NoError(t, err)
	if body == "" {
		req.Body = nil
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Circle-Token", srv.Token())
	resp, err := srv.Transport().RoundTrip(req)
	if err != nil {
		return reply{}, err
	}
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, resp.Body.Close())
	return reply{resp.StatusCode, resp.Header, string(data), err}, nil
}

// statuses are those of n requests, one after the other; 0 is no answer.
func statuses(t *testing.T, srv *circlecitest.Server, path string, n int) (all []int) {
	t.Helper()
	for range n {
		r, err := ask(t, srv, path)
		if err != nil {
			r.status = 0
		}
		all = append(all, r.status)
	}
	return all
}

func TestFaultsMeetTheRequestsTheyAreFor(t *testing.T) {
	down := func() *circlecitest.Fault { return circlecitest.ServerError(503) }
	for name, c := range map[string]struct {
		fault *circlecitest.Fault
		want  []int
	}{
		"for good":                   {down(), []int{503, 503, 503, 503}},
		"a number of times":          {down().Times(2), []int{503, 503, 200, 200}},
		"later":                      {down().Skip(3), []int{200, 200, 200, 503}},
		"some in the middle":         {down().Skip(1).Times(2), []int{200, 503, 503, 200}},
		"for an operation":           {down().For("GET /me"), []int{503, 503, 503, 503}},
		"for all, by name":           {down().For("*"), []int{503, 503, 503, 503}},
		"for one of two operations":  {down().For("GET /user/{id}", "GET /me"), []int{503, 503, 503, 503}},
		"for another operation":      {down().For("GET /me/collaborations"), []int{200, 200, 200, 200}},
		"with another method":        {down().For("POST /context"), []int{200, 200, 200, 200}},
		"none of them":               {down().Share(0), []int{200, 200, 200, 200}},
		"a test's own answer":        {circlecitest.Answer(circlecitest.Response{Status: 418}).Times(1), []int{418, 200, 200, 200}},
		"blocked by the edge":        {circlecitest.EdgeBlock().Times(1), []int{403, 200, 200, 200}},
		"no answer at all":           {circlecitest.BrokenConnection().Skip(2), []int{200, 200, 0, 0}},
		"an answer that begins well": {circlecitest.TruncatedBody(), []int{200, 200, 200, 200}},
		"an answer that takes long":  {circlecitest.Latency(time.Microsecond), []int{200, 200, 200, 200}},
	} {
		t.Run(name, func(t *testing.T) {
			srv := circlecitest.New(t)
			srv.Weather(c.fault)
			assert.Equal(t, c.want, statuses(t, srv, "/me", 4))
		})
	}
}

func TestFaultsComeAndGoByTheServersClock(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	noon := srv.Now().Add(time.Hour)
	srv.Weather(circlecitest.ServerError(500).From(noon).Until(noon.Add(time.Minute)))
	assert.Equal(t, []int{200}, statuses(t, srv, "/me", 1))
	srv.Advance(time.Hour)
	assert.Equal(t, []int{500}, statuses(t, srv, "/me", 1))
	srv.Advance(time.Minute)
	assert.Equal(t, []int{200}, statuses(t, srv, "/me", 1))
}

func TestAShareOfRequestsIsAlwaysTheSame(t *testing.T) {
	run := func(seed uint64, disturb bool) []int {
		srv := circlecitest.New(t, circlecitest.WithSeed(seed))
		srv.Weather(circlecitest.ServerError(500).For("GET /me").Share(0.25))
		if disturb { // what else is random must not change it
			srv.AddProject(webSlug)
		}
		return statuses(t, srv, "/me", 400)
	}
	first := run(7, false)
	assert.Equal(t, first, run(7, true), "a test that fails has to fail again")
	assert.NotEqual(t, first, run(8, false))
	failed := 0
	for _, status := range first {
		if status == 500 {
			failed++
		}
	}
	assert.InDelta(t, 100, failed, 30)
}

func TestFaultsActTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Weather(
			circlecitest.Latency(time.Second),
			circlecitest.Latency(2*time.Second).Times(1),
			circlecitest.ServerError(503).Times(1),
			circlecitest.EdgeBlock().Times(1),
		)
		srv.Fail("GET /me", circlecitest.Response{Status: 418})
		begin := time.Now()
		assert.Equal(t, []int{418, 503, 403, 200}, statuses(t, srv, "/me", 4), "a planned answer comes first, then the faults as given")
		assert.Equal(t, 5*time.Second, time.Since(begin), "all but the planned one are late, one of them doubly")
		requests := srv.Requests()
		assert.Equal(t, []string{"planned"}, requests[0].Faults)
		assert.Equal(t, []string{"status 503", "latency 2s", "latency 1s"}, requests[1].Faults)
		srv.Weather(circlecitest.BrokenConnection())
		assert.Equal(t, []int{0}, statuses(t, srv, "/me", 1))
		assert.Zero(t, srv.Requests()[4].Status, "there was no answer")
		srv.Fail("*", circlecitest.Response{Status: 418})
		srv.ClearWeather()
		begin = time.Now()
		assert.Equal(t, []int{200}, statuses(t, srv, "/me", 1))
		assert.Zero(t, time.Since(begin))
	})
}

func TestAFaultForAnOperationThatThereIsNot(t *testing.T) {
	srv := circlecitest.New(t)
	assert.Panics(t, func() { srv.Weather(circlecitest.EdgeBlock().For("GET /mee")) }, "it would never strike")
	assert.Panics(t, func() { srv.Fail("GET /mee", circlecitest.Response{}) })
	assert.Panics(t, func() { circlecitest.RateLimit(0, time.Minute) }, "nothing would ever be let through")
}

func TestWhatWasDoneThoughTheAnswerWasLost(t *testing.T) {
	for name, fault := range map[string]*circlecitest.Fault{
		"the connection broke": circlecitest.BrokenConnection().Executed(),
		"a bad gateway":        circlecitest.ServerError(502).Executed(),
	} {
		t.Run(name, func(t *testing.T) {
			srv := circlecitest.New(t)
			srv.AddProject(webSlug)
			srv.Weather(fault.For("POST /project/{project-slug}/pipeline").Times(1))
			_, err := once(srv).Pipelines.Trigger(t.Context(), webSlug, circleci.TriggerPipelineRequest{})
			require.Error(t, err)
			all, err := srv.Client().Pipelines.ListForProject(webSlug, nil).Collect(t.Context())
			require.NoError(t, err)
			assert.Len(t, all, 1, "who repeats the call triggers twice")
		})
	}
}

func TestTruncatedBody(t *testing.T) {
	srv := circlecitest.New(t)
	whole, err := ask(t, srv, "/me")
	require.NoError(t, err)
	srv.Weather(circlecitest.TruncatedBody())
	half, err := ask(t, srv, "/me")
	require.NoError(t, err, "it begins well")
	assert.Equal(t, 200, half.status)
	require.ErrorIs(t, half.err, io.ErrUnexpectedEOF)
	assert.Equal(t, whole.body[:len(whole.body)/2], half.body)

	resp, err := http.Get(srv.URL() + "/api/v2/me")
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF, "so it is on a socket")
	assert.NoError(t, resp.Body.Close())
}

func TestEdgeBlockIsAPageOfHTML(t *testing.T) {
	srv := circlecitest.New(t)
	srv.Weather(circlecitest.EdgeBlock())
	r, err := ask(t, srv, "/me")
	require.NoError(t, err)
	assert.Equal(t, 403, r.status)
	assert.Equal(t, "text/html", r.header.Get("Content-Type"))
	assert.Contains(t, r.body, "<html>")
}

func TestRateLimitIsCircleCIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t, circlecitest.WithManualTime())
		srv.AddProject(webSlug)
		srv.Weather(circlecitest.RateLimit(3, 30*time.Second))
		assert.Equal(t, []int{200, 200, 200, 429, 429}, statuses(t, srv, "/me", 5))
		refused, err := ask(t, srv, "/me")
		require.NoError(t, err)
		assert.Equal(t, "Rate limited.", refused.body, "it is no JSON")
		assert.Equal(t, "10", refused.header.Get("Retry-After"))
		for _, family := range []string{"RateLimit-", "X-RateLimit-"} {
			assert.Equal(t, "3", refused.header.Get(family+"Limit"))
			assert.Equal(t, "0", refused.header.Get(family+"Remaining"))
			assert.Equal(t, "30", refused.header.Get(family+"Reset"), "in seconds from now")
		}
		other, err := ask(t, srv, "/project/gh/acme/web")
		require.NoError(t, err)
		assert.Equal(t, 200, other.status, "another family of routes has its own limit")
		assert.Equal(t, "2", other.header.Get("X-RateLimit-Remaining"))
		time.Sleep(10 * time.Second)
		assert.Equal(t, []int{200, 429}, statuses(t, srv, "/me", 2), "one more after the time named, though the server's clock stands still")
	})
}

func TestWithoutWeatherAnAnswerNamesALimitThatNobodyMeets(t *testing.T) {
	r, err := ask(t, circlecitest.New(t), "/me")
	require.NoError(t, err)
	assert.Equal(t, "999999", r.header.Get("RateLimit-Remaining"))
	assert.Equal(t, "999999", r.header.Get("X-RateLimit-Remaining"))
}

func TestPagesThatGoRound(t *testing.T) {
	for name, c := range map[string]struct {
		fault  *circlecitest.Fault
		tokens int // that differ, of four
	}{
		"the token is stuck":  {circlecitest.StuckToken(), 1},
		"the token is moving": {circlecitest.RepeatedPage(), 4},
	} {
		t.Run(name, func(t *testing.T) {
			srv := circlecitest.New(t)
			for range 45 {
				srv.StartPipeline(webSlug, "main")
			}
			srv.Weather(c.fault.For("GET /project/{project-slug}/pipeline"))
			client := srv.Client()
			first, err := client.Pipelines.ListForProject(webSlug, nil).Page(t.Context(), "")
			require.NoError(t, err)
			tokens, token := map[string]bool{}, ""
			for range 4 {
				page, err := client.Pipelines.ListForProject(webSlug, nil).Page(t.Context(), token)
				require.NoError(t, err)
				assert.Equal(t, first.Items, page.Items)
				token = page.NextPageToken
				tokens[token] = true
			}
			assert.Len(t, tokens, c.tokens)
			all, err := client.Pipelines.ListForProject(webSlug, nil).Collect(t.Context())
			require.ErrorIs(t, err, circleci.ErrPageLoop)
			assert.Len(t, all, 20)
			assert.Empty(t, srv.Requests()[0].Complaints)
			srv.ClearWeather()
			_, err = client.Pipelines.ListForProject(webSlug, nil).Page(t.Context(), token)
			assert.NoError(t, err, "a token of bad weather is good later")
		})
	}
}

func TestStorageRedirectLeadsToTheAnswer(t *testing.T) {
	srv := circlecitest.New(t)
	srv.Weather(circlecitest.StorageRedirect().For("GET /me"))
	me, err := srv.Client().Users.Me(t.Context())
	require.NoError(t, err, "a client that keeps its token to itself gets there")
	assert.Equal(t, "ada", me.Login)
	last := srv.Requests()[1]
	assert.Equal(t, "storage", last.Operation)
	assert.Empty(t, last.Header.Get("Circle-Token"))

	posted, err := send(t, srv, http.MethodPost, "/context", `{"name":"deploy","owner":{"slug":"gh/acme"}}`)
	require.NoError(t, err)
	assert.Equal(t, 404, posted.status, "others are not redirected")
	srv.Weather(circlecitest.StorageRedirect().For("POST /context"))
	posted, err = send(t, srv, http.MethodPost, "/context", `{"name":"deploy","owner":{"slug":"gh/acme"}}`)
	require.NoError(t, err)
	assert.Equal(t, 307, posted.status, "the method is kept")
}

func TestATokenAtTheStorageHostFailsTheTest(t *testing.T) {
	tb := &recorder{}
	srv := circlecitest.New(tb)
	defer srv.Close()
	srv.Weather(circlecitest.StorageRedirect())
	r, err := ask(t, srv, "/me")
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.header.Get("Location"), nil)
	require.NoError(t, err)
	req.Header.Set("Circle-Token", srv.Token()) // Go keeps this header across hosts
	resp, err := srv.Transport().RoundTrip(req)
	require.NoError(t, err)
	assert.Equal(t, 400, resp.StatusCode)
	require.Len(t, tb.complaints, 1)
	assert.Contains(t, tb.complaints[0], "the token went to the storage host")
}

func TestExpiredToken(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	job := circlecitest.Job("test").WithArtifacts(circlecitest.Artifact{Path: "a.txt", Content: "a"})
	srv.Script(webSlug, oneJob("build", job))
	srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Minute)
	artifacts, err := srv.Client().Jobs.ListArtifacts(webSlug, 1).Collect(t.Context())
	require.NoError(t, err)
	token := srv.Token()
	client := srv.Client(circleci.WithTokenSource(func(context.Context) (string, error) { return token, nil }))
	download := func() error {
		_, err := client.Jobs.DownloadArtifact(t.Context(), artifacts[0], io.Discard)
		return err
	}

	srv.Weather(circlecitest.ExpiredToken().From(srv.Now().Add(time.Hour)))
	_, err = client.Users.Me(t.Context())
	require.NoError(t, err)
	require.NoError(t, download())
	srv.Advance(time.Hour)
	_, err = client.Users.Me(t.Context())
	require.ErrorIs(t, err, circleci.ErrUnauthorized)
	_, err = client.Projects.Get(t.Context(), webSlug)
	require.ErrorIs(t, err, circleci.ErrUnauthorized, "all operations")
	require.Error(t, download(), "and artifacts")

	token = "CCIPAT_another"
	srv.RotateToken(token)
	_, err = client.Users.Me(t.Context())
	require.NoError(t, err)
	require.NoError(t, download())
	assert.Equal(t, token, srv.Token())
}

func TestRotateTokenRefusesTheOldOne(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithToken("old"))
	client := srv.Client()
	srv.RotateToken("new")
	_, err := client.Users.Me(t.Context())
	require.ErrorIs(t, err, circleci.ErrUnauthorized)
	_, err = srv.Client().Users.Me(t.Context())
	assert.NoError(t, err)
}
