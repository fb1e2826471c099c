package otelcircleci_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/otelcircleci"
)

type collector struct {
	spans  *tracetest.InMemoryExporter
	reader *sdkmetric.ManualReader
	client *circleci.Client
}

func instrument(t *testing.T, srv *circlecitest.Server, opts ...circleci.Option) *collector {
	t.Helper()
	c := &collector{spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	c.client = srv.Client(append(otelcircleci.Options(
		otelcircleci.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSyncer(c.spans))),
		otelcircleci.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(c.reader))),
	), opts...)...)
	return c
}

// metrics returns the histograms by name: the count and the sum of each.
func (c *collector) metrics(t *testing.T) map[string]metricdata.HistogramDataPoint[float64] {
	t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(t, c.reader.Collect(context.Background(), &all))
	points := map[string]metricdata.HistogramDataPoint[float64]{}
	for _, s := range all.ScopeMetrics {
		for _, m := range s.Metrics {
			h, ok := m.Data.(metricdata.Histogram[float64])
			require.True(t, ok, m.Name)
			assert.Equal(t, "s", m.Unit, m.Name)
			for _, p := range h.DataPoints {
				sum := points[m.Name]
				sum.Count += p.Count
				sum.Sum += p.Sum
				sum.Attributes = p.Attributes
				points[m.Name] = sum
			}
		}
	}
	return points
}

func value(s tracetest.SpanStub, key string) attribute.Value {
	for _, a := range s.Attributes {
		if string(a.Key) == key {
			return a.Value
		}
	}
	return attribute.Value{}
}

// A call that is retried is one span, with one below it for each attempt, and
// shows how long it waited.
func TestRetriedCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Fail("GET /me", circlecitest.Response{Status: 429, Header: map[string][]string{"Retry-After": {"3"}}})
		c := instrument(t, srv)
		_, err := c.client.Users.Me(t.Context())
		require.NoError(t, err)

		spans := c.spans.GetSpans()
		require.Len(t, spans, 3)
		first, second, call := spans[0], spans[1], spans[2]
		for _, s := range spans {
			assert.Equal(t, "GET /me", s.Name)
			assert.Equal(t, "/me", value(s, "url.template").AsString())
		}
		assert.Equal(t, trace.SpanKindInternal, call.SpanKind)
		assert.Equal(t, int64(2), value(call, "circleci.attempts").AsInt64())
		assert.InDelta(t, 3, value(call, "circleci.wait").AsFloat64(), 0.2)
		assert.Equal(t, int64(200), value(call, "http.response.status_code").AsInt64())
		assert.Equal(t, codes.Unset, call.Status.Code)

		for _, attempt := range []tracetest.SpanStub{first, second} {
			assert.Equal(t, trace.SpanKindClient, attempt.SpanKind)
			assert.Equal(t, call.SpanContext.SpanID(), attempt.Parent.SpanID())
			assert.Equal(t, "circleci.com", value(attempt, "server.address").AsString())
			assert.Equal(t, int64(443), value(attempt, "server.port").AsInt64())
		}
		assert.Equal(t, "429", value(first, "error.type").AsString())
		assert.Equal(t, codes.Error, first.Status.Code)
		assert.Equal(t, int64(1), value(second, "http.request.resend_count").AsInt64())

		m := c.metrics(t)
		assert.Equal(t, uint64(2), m["http.client.request.duration"].Count)
		assert.Equal(t, uint64(1), m["circleci.client.call.duration"].Count)
		assert.InDelta(t, 3, m["circleci.client.call.duration"].Sum, 0.2)
		assert.InDelta(t, 3, m["circleci.client.call.wait"].Sum, 0.2)
	})
}

func TestFailures(t *testing.T) {
	for name, test := range map[string]struct {
		fault *circlecitest.Fault
		want  string
	}{
		"status":     {circlecitest.ServerError(500), "500"},
		"connection": {circlecitest.BrokenConnection(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			srv := circlecitest.New(t)
			srv.Weather(test.fault)
			c := instrument(t, srv, circleci.WithRetry(circleci.RetryPolicy{MaxAttempts: 1}))
			_, err := c.client.Users.Me(t.Context())
			require.Error(t, err)
			spans := c.spans.GetSpans()
			require.Len(t, spans, 2)
			for _, s := range spans {
				assert.Equal(t, codes.Error, s.Status.Code)
				if test.want != "" {
					assert.Equal(t, test.want, value(s, "error.type").AsString())
				}
				assert.NotEmpty(t, value(s, "error.type").AsString())
			}
		})
	}
}

func TestCanceled(t *testing.T) {
	srv := circlecitest.New(t)
	c := instrument(t, srv)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.client.Users.Me(ctx)
	require.Error(t, err)
	spans := c.spans.GetSpans()
	assert.Equal(t, "canceled", value(spans[len(spans)-1], "error.type").AsString())
}

// The span of a download ends when its body has been read; nothing of a signed
// URL, and no token, is recorded.
func TestDownload(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithSpeed(1000))
	srv.Script("gh/acme/web", circlecitest.Pipeline(circlecitest.Workflow("build",
		circlecitest.Job("pack").Takes(time.Second).WithArtifacts(circlecitest.Artifact{Path: "app.txt", Content: "hello"}))))
	c := instrument(t, srv)
	ctx := t.Context()
	result, err := c.client.Pipelines.TriggerAndWait(ctx, "gh/acme/web", circleci.TriggerPipelineRequest{}, &circleci.WaitOptions{MinInterval: time.Millisecond})
	require.NoError(t, err)
	jobs, err := c.client.Workflows.ListJobs(result.Workflows[0].ID).Collect(ctx)
	require.NoError(t, err)
	artifact, err := c.client.Jobs.ListArtifacts("gh/acme/web", jobs[0].Number).First(ctx)
	require.NoError(t, err)
	c.spans.Reset()
	var text strings.Builder
	_, err = c.client.Jobs.DownloadArtifact(ctx, *artifact, &text)
	require.NoError(t, err)
	assert.Equal(t, "hello", text.String())
	hosts := map[string]bool{}
	for _, s := range c.spans.GetSpans() {
		hosts[value(s, "server.address").AsString()] = true
		for _, a := range s.Attributes {
			assert.NotContains(t, a.Value.String(), srv.Token())
			assert.NotContains(t, a.Value.String(), "app.txt", "a URL is recorded in %s", a.Key)
		}
	}
	assert.Greater(t, len(hosts), 1, "the redirect to the storage is a span of its own")
}

func Example() {
	srv := circlecitest.NewServer()
	defer srv.Close()
	exporter := tracetest.NewInMemoryExporter() // yours sends spans to a collector
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	client := srv.Client(otelcircleci.Options(otelcircleci.WithTracerProvider(provider))...)

	if _, err := client.Users.Me(context.Background()); err != nil {
		fmt.Println(err)
	}
	for _, span := range exporter.GetSpans() {
		fmt.Println(span.SpanKind, span.Name)
	}
	// Output:
	// client GET /me
	// internal GET /me
}
