// Command otel shows the traces and metrics that a client makes with module
// otelcircleci: a span for each call, named by its method and route, and below
// it one for each attempt. Waits are visible: backoff, Retry-After, and pacing.
//
//	CIRCLE_TOKEN=… go run ./otel gh/your-org/your-project
//
// It reads the newest pipelines of the project, with their workflows. Without a
// token it talks to a fake CircleCI server that sends some errors:
//
//	go run ./otel
//
// Your program exports the spans to a collector instead, with otlptracehttp in
// place of the exporter in memory; all else stays the same.
//
// The flags:
//
//	-most 3   how many pipelines to read
//	-q        print the spans only, not the metrics
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/examples/internal/cli"
	"github.com/circleci-go/circleci/otelcircleci"
)

func main() { cli.Main(run) }

func run(ctx context.Context, con *cli.Console, args []string) error {
	flags := con.Flags("otel [flags] <project slug>")
	most := flags.Int("most", 3, "how many pipelines to read")
	quiet := flags.Bool("q", false, "print the spans only, not the metrics")
	if err := cli.Parse(flags, args, 1); err != nil {
		return err
	}
	if *most < 1 {
		return cli.Usage("-most is a number from 1")
	}
	t := newTelemetry()
	defer t.close(ctx)
	var (
		client *circleci.Client
		slug   circleci.ProjectSlug
		err    error
	)
	if os.Getenv("CIRCLE_TOKEN") == "" {
		srv := newDemo()
		defer srv.Close()
		fmt.Fprintln(con.Progress(*quiet), "No CIRCLE_TOKEN is set: this is a fake CircleCI server on this machine, some of whose responses are errors.")
		client, slug = srv.Client(t.options()...), demoProject
	} else {
		if slug, err = circleci.ParseProjectSlug(flags.Arg(0)); err != nil {
			return cli.Usage("name a project by its slug, such as gh/acme/web: %w", err)
		}
		if client, err = circleci.NewClientFromEnv(t.options()...); err != nil {
			return err
		}
	}
	err = t.read(ctx, client, slug, *most)
	t.showSpans(con)
	if *quiet {
		return err
	}
	return errors.Join(err, t.showMetrics(ctx, con))
}

// telemetry keeps spans and metrics in memory.
type telemetry struct {
	spans   *tracetest.InMemoryExporter
	reader  *sdkmetric.ManualReader
	tracers *sdktrace.TracerProvider
	meters  *sdkmetric.MeterProvider
}

func newTelemetry() *telemetry {
	t := &telemetry{spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	t.tracers = sdktrace.NewTracerProvider(sdktrace.WithSyncer(t.spans))
	t.meters = sdkmetric.NewMeterProvider(sdkmetric.WithReader(t.reader))
	return t
}

func (t *telemetry) close(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)                                 // what was collected is exported even after Ctrl-C
	_ = errors.Join(t.tracers.Shutdown(ctx), t.meters.Shutdown(ctx)) // in memory nothing fails
}

// options instrument a client.
func (t *telemetry) options() []circleci.Option {
	return otelcircleci.Options(otelcircleci.WithTracerProvider(t.tracers), otelcircleci.WithMeterProvider(t.meters))
}

// read is the program's own work, with a span of its own.
func (t *telemetry) read(ctx context.Context, client *circleci.Client, slug circleci.ProjectSlug, most int) error {
	ctx, span := t.tracers.Tracer("example").Start(ctx, "read pipelines")
	defer span.End()
	if _, err := client.Users.Me(ctx); err != nil {
		return err
	}
	for p, err := range client.Pipelines.ListForProject(slug, nil).Take(most).All(ctx) {
		if err != nil {
			return err
		}
		if _, err := client.Pipelines.ListWorkflows(p.ID).Collect(ctx); err != nil {
			return err
		}
	}
	return nil
}
