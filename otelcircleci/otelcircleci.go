// Package otelcircleci instruments clients of package circleci with
// OpenTelemetry traces and metrics, following the semantic conventions for HTTP
// clients.
//
//	client, err := circleci.NewClient(token, otelcircleci.Options()...)
//
// An API call is a span of kind internal. Its name is the method and route
// template, such as "GET /context/{context_id}". It includes retries, backoff
// and the time spent waiting for the client's pacing. Each attempt and each
// redirect is a child span of kind client.
//
// The metrics are:
//
//	http.client.request.duration     seconds; one attempt
//	circleci.client.call.duration    seconds; a whole call
//	circleci.client.call.wait        seconds; the part of the call spent waiting
//
// URLs are not recorded, because URLs of artifacts are signed. Bodies and
// headers are not recorded either, and requests are not modified.
package otelcircleci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/circleci-go/circleci"
)

const scope = "github.com/circleci-go/circleci/otelcircleci"

// Attributes that the semantic conventions lack.
const (
	// AttributeRequestID is the request ID, with which CircleCI's support finds
	// a request.
	AttributeRequestID = attribute.Key("circleci.request_id")
	// AttributeAttempts is the number of requests that a call sent.
	AttributeAttempts = attribute.Key("circleci.attempts")
	// AttributeWait is the time that a call waited before its attempts, in
	// seconds.
	AttributeWait = attribute.Key("circleci.wait")
	// AttributeRateLimitRemaining is the number of requests left in the window,
	// if the server reports it.
	AttributeRateLimitRemaining = attribute.Key("circleci.rate_limit.remaining")
)

// Option configures the instrumentation.
type Option func(*config)

type config struct {
	tracers trace.TracerProvider
	meters  metric.MeterProvider
}

// WithTracerProvider sets the provider of tracers. The default is the global
// provider.
func WithTracerProvider(p trace.TracerProvider) Option { return func(c *config) { c.tracers = p } }

// WithMeterProvider sets the provider of meters. The default is the global
// provider.
func WithMeterProvider(p metric.MeterProvider) Option { return func(c *config) { c.meters = p } }

// Options returns the options that instrument a client:
//
//	client, err := circleci.NewClientFromEnv(append(otelcircleci.Options(), circleci.WithLogger(logger))...)
func Options(opts ...Option) []circleci.Option {
	cfg := config{tracers: otel.GetTracerProvider(), meters: otel.GetMeterProvider()}
	for _, opt := range opts {
		if opt != nil {
			opt(&cfg)
		}
	}
	i := &instrumentation{tracer: cfg.tracers.Tracer(scope)}
	meter := cfg.meters.Meter(scope)
	i.attempts = histogram(meter, "http.client.request.duration", "Duration of HTTP client requests.")
	i.calls = histogram(meter, "circleci.client.call.duration", "Duration of a call of the CircleCI API, its retries and waits included.")
	i.waits = histogram(meter, "circleci.client.call.wait", "Time that a call of the CircleCI API waited before its attempts.")
	return []circleci.Option{circleci.WithCallHook(i.call), circleci.WithMiddleware(i.attempt)}
}

// histogram returns a histogram of seconds, with the boundaries that the
// semantic conventions advise for durations.
func histogram(meter metric.Meter, name, description string) metric.Float64Histogram {
	h, err := meter.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description),
		metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10))
	if err != nil {
		otel.Handle(err) // the histogram that comes with the error records nothing
	}
	return h
}

type instrumentation struct {
	tracer                 trace.Tracer
	attempts, calls, waits metric.Float64Histogram
}

// call is the circleci.CallHook: a span for the call as a whole.
func (i *instrumentation) call(ctx context.Context, op circleci.Operation) (context.Context, func(circleci.CallInfo)) {
	common := []attribute.KeyValue{semconv.HTTPRequestMethodKey.String(op.Method), semconv.URLTemplate(op.Route)}
	ctx, span := i.tracer.Start(ctx, op.Method+" "+op.Route, trace.WithSpanKind(trace.SpanKindInternal), trace.WithAttributes(common...))
	return ctx, func(info circleci.CallInfo) {
		r := info.Response
		span.SetAttributes(AttributeAttempts.Int(r.Attempts), AttributeWait.Float64(info.Waited.Seconds()))
		if r.RequestID != "" {
			span.SetAttributes(AttributeRequestID.String(r.RequestID))
		}
		if r.RateLimit.Known {
			span.SetAttributes(AttributeRateLimitRemaining.Int(r.RateLimit.Remaining))
		}
		common = append(common, result(span, r.StatusCode, info.Err)...)
		span.End()
		set := metric.WithAttributes(common...)
		i.calls.Record(ctx, info.Duration.Seconds(), set)
		i.waits.Record(ctx, info.Waited.Seconds(), set)
	}
}

// result describes how a call or an attempt ended, on its span, and returns the
// attributes for its metrics.
func result(span trace.Span, status int, err error) (attributes []attribute.KeyValue) {
	if status != 0 {
		attributes = append(attributes, semconv.HTTPResponseStatusCode(status))
	}
	switch {
	case status >= http.StatusBadRequest:
		attributes = append(attributes, semconv.ErrorTypeKey.String(strconv.Itoa(status)))
		span.SetStatus(codes.Error, http.StatusText(status))
	case err != nil:
		attributes = append(attributes, semconv.ErrorTypeKey.String(errorType(err)))
		span.SetStatus(codes.Error, errorType(err))
	}
	span.SetAttributes(attributes...)
	return attributes
}

// errorType returns the type of an error, with low cardinality.
func errorType(err error) string {
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "timeout"
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return fmt.Sprintf("%T", err)
		}
		err = inner
	}
}

// attempt is the circleci.Middleware: a span for each request that is sent.
func (i *instrumentation) attempt(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		attributes := []attribute.KeyValue{semconv.HTTPRequestMethodKey.String(req.Method), semconv.ServerAddress(req.URL.Hostname()), serverPort(req.URL)}
		name := req.Method
		var resend []attribute.KeyValue
		if op, ok := circleci.OperationFromContext(req.Context()); ok {
			name += " " + op.Route
			attributes = append(attributes, semconv.URLTemplate(op.Route))
			if op.Attempt > 1 {
				resend = []attribute.KeyValue{semconv.HTTPRequestResendCount(op.Attempt - 1)}
			}
		}
		start := time.Now()
		ctx, span := i.tracer.Start(req.Context(), name, trace.WithSpanKind(trace.SpanKindClient),
			trace.WithAttributes(append(resend, attributes...)...))
		end := sync.OnceFunc(func() { span.End() })
		resp, err := next.RoundTrip(req.WithContext(ctx))
		status := 0
		if resp != nil {
			status = resp.StatusCode
		}
		attributes = append(attributes, result(span, status, err)...)
		i.attempts.Record(ctx, time.Since(start).Seconds(), metric.WithAttributes(attributes...))
		if err != nil || resp.Body == nil || resp.Body == http.NoBody {
			end()
			return resp, err
		}
		resp.Body = &body{resp.Body, end}
		return resp, nil
	})
}

func serverPort(u *url.URL) attribute.KeyValue {
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		port = 443
		if u.Scheme == "http" {
			port = 80
		}
	}
	return semconv.ServerPort(port)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// body ends the span of an attempt when the response has been read.
type body struct {
	io.ReadCloser
	end func()
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.end()
	}
	return n, err
}

func (b *body) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}
