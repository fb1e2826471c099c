package circlecitest_test

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// atOnce is how many requests are under way at one time.
const atOnce = 1000

// loadClient calls a server through its socket, by as many connections as there
// are requests at once.
type loadClient struct {
	http  *http.Client
	url   string
	token string
}

func newLoadClient(srv *circlecitest.Server) *loadClient {
	return &loadClient{&http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnce}}, srv.URL() + "/api/v2", srv.Token()}
}

func (c *loadClient) close() { c.http.CloseIdleConnections() }

// do sends a request and returns the body of its answer; what is no 2xx is an
// error.
func (c *loadClient) do(method, path, body string) (string, error) {
	req, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Circle-Token", c.token)
	resp, err := c.http.Do(req)
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, data)
	}
	_ = resp.Body.Close() // it has been read
	return string(data), err
}

// loadMix is what a client with a number asks in its turn: it reads mostly.
func loadMix(id uuid.UUID, turn int) (method, path, body string) {
	switch turn % 8 {
	case 0:
		return http.MethodPost, "/project/gh/acme/web/pipeline", `{"branch":"main"}`
	case 1:
		return http.MethodPut, fmt.Sprintf("/context/%s/environment-variable/V%d", id, turn%100), `{"value":"x"}`
	case 2:
		return http.MethodGet, "/project/gh/acme/web/pipeline", ""
	case 3:
		return http.MethodGet, "/context/" + id.String() + "/environment-variable", ""
	case 4:
		return http.MethodGet, "/insights/gh/acme/web/workflows", ""
	default:
		return http.MethodGet, "/me", ""
	}
}

// newLoadServer is a server as circleci-fake sets it up.
func newLoadServer() (*circlecitest.Server, uuid.UUID) {
	srv := circlecitest.NewServer(circlecitest.WithPipelinesKept(500), circlecitest.WithRequestsKept(500), circlecitest.WithSpeed(60))
	srv.AddProject(webSlug)
	return srv, srv.AddContext("gh/acme", "deploy", nil)
}

// Whoever points a fleet of programs at one server gets an answer to each
// request, and the state of a server that was asked one after the other.
func TestAThousandRequestsAtOnce(t *testing.T) {
	srv := circlecitest.New(t)
	srv.AddProject(webSlug)
	c := newLoadClient(srv)
	defer c.close()
	var (
		connected, done sync.WaitGroup
		failures        = make([]error, 2*atOnce)
	)
	connected.Add(atOnce)
	for i := range atOnce {
		done.Go(func() {
			resp, err := c.http.Get(srv.URL()) // a connection, held until all have one
			failures[2*i] = err
			connected.Done()
			connected.Wait()
			if err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close() // nothing depends on it
			}
			_, failures[2*i+1] = c.do(http.MethodPost, "/project/gh/acme/web/pipeline", `{"branch":"main"}`)
		})
	}
	done.Wait()
	failures = slices.DeleteFunc(failures, func(err error) bool { return err == nil })
	require.Empty(t, failures)
	assert.Len(t, srv.Requests(), atOnce)
	numbers := map[int64]bool{}
	for p, err := range srv.Client().Pipelines.ListForProject(webSlug, nil).All(t.Context()) {
		require.NoError(t, err)
		numbers[p.Number] = true
	}
	assert.Len(t, numbers, atOnce, "each pipeline has a number of its own")
	assert.True(t, numbers[1] && numbers[atOnce], "and none is left out")
}

// BenchmarkLoad is a thousand clients, each of which sends its next request as
// soon as it has an answer, through sockets.
func BenchmarkLoad(b *testing.B) {
	srv, id := newLoadServer()
	defer srv.Close()
	c := newLoadClient(srv)
	defer c.close()
	var turn, failed atomic.Int64
	b.SetParallelism((atOnce + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.do(loadMix(id, int(turn.Add(1)))); err != nil {
				failed.Add(1)
				b.Log(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
	b.ReportMetric(float64(failed.Load()), "errors")
}

// traffic is what comes in a minute: pipelines, which end and call a webhook,
// and requests. As many pipelines and requests are kept as come in a few
// minutes.
type traffic struct{ pipelines, requests, kept int }

// hour has a server serve an hour of simulated traffic, and calls at with the
// heap at the end of each minute.
func hour(tb testing.TB, x traffic, at func(minute int, heap uint64)) {
	tb.Helper()
	srv := circlecitest.NewServer(circlecitest.WithManualTime(), circlecitest.WithPipelinesKept(x.kept), circlecitest.WithRequestsKept(x.kept),
		circlecitest.WithDeliveryTransport(carrier(func(*http.Request) (*http.Response, error) { return answer(202), nil })))
	defer srv.Close()
	srv.Script(webSlug, circlecitest.Pipeline(
		circlecitest.Workflow("build", circlecitest.Job("test").FailsSometimes(0.3).WithTests(circlecitest.PassingTest("TestCart", time.Second))).RerunsAutomatically(1),
		circlecitest.Workflow("deploy", circlecitest.Approval("hold"))))
	org, web := srv.AddOrg("gh/acme"), srv.AddProject(webSlug)
	id := srv.AddContext("gh/acme", "deploy", nil)
	c, ctx := srv.Client(), tb.Context()
	_, err := c.Webhooks.Create(ctx, circleci.CreateWebhookRequest{
		Name: "chat", URL: "https://hooks.example/", VerifyTLS: true, Scope: circleci.ProjectScope(web),
		Events: []circleci.WebhookEvent{circleci.WebhookEventWorkflowCompleted, circleci.WebhookEventJobCompleted},
	})
	require.NoError(tb, err)
	for minute := range 60 {
		for range x.pipelines {
			srv.StartPipeline(webSlug, "main")
			srv.Advance(time.Minute / time.Duration(x.pipelines))
		}
		for turn := range x.requests {
			method, path, body := loadMix(id, turn)
			req, err := http.NewRequestWithContext(ctx, method, "https://circleci.com/api/v2"+path, strings.NewReader(body))
			require.NoError(tb, err)
			if body == "" {
				req.Body = nil
			}
			req.Header.Set("Circle-Token", srv.Token())
			resp, err := srv.Transport().RoundTrip(req)
			require.NoError(tb, err)
			require.Less(tb, resp.StatusCode, 300, path)
		}
		for range x.kept / 5 { // as many as are kept, within five minutes
			_, err := c.Usage.CreateExport(ctx, org, circleci.CreateUsageExportRequest{Start: srv.Now().Add(-time.Second), End: srv.Now()})
			require.NoError(tb, err)
			_, err = c.Policy.Decide(ctx, org, circleci.DecideRequest{Input: "version: 2.1"})
			require.NoError(tb, err)
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		at(minute+1, m.HeapAlloc)
	}
	assert.GreaterOrEqual(tb, len(srv.Deliveries()), x.kept)
}

// A server that runs in the background of a day's work does not grow.
func TestMemoryIsFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("an hour of traffic takes seconds")
	}
	early, late := peaks(t, traffic{pipelines: 10, requests: 100, kept: 40})
	assert.Less(t, late, 1.1*early+1<<20, "bytes at the end of an hour, and after ten minutes")
}

// peaks are the largest heaps, in bytes, within ten minutes, and within the
// last ten of an hour: what is kept comes and goes by halves.
func peaks(tb testing.TB, x traffic) (early, late float64) {
	tb.Helper()
	hour(tb, x, func(minute int, heap uint64) {
		switch {
		case minute <= 10:
			early = max(early, float64(heap))
		case minute > 50:
			late = max(late, float64(heap))
		}
	})
	return early, late
}

// BenchmarkMemory tells how large the heap gets within ten minutes of traffic,
// and within the last ten of an hour.
func BenchmarkMemory(b *testing.B) {
	var early, late float64
	for b.Loop() {
		early, late = peaks(b, traffic{pipelines: 100, requests: 1000, kept: 500})
	}
	b.ReportMetric(early/(1<<20), "MiB-in-10-min")
	b.ReportMetric(late/(1<<20), "MiB-in-60-min")
}
