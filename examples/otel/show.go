package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/circleci-go/circleci/examples/internal/cli"
	"github.com/circleci-go/circleci/otelcircleci"
)

// showSpans prints the spans as a tree.
func (t *telemetry) showSpans(con *cli.Console) {
	below := map[trace.SpanID]tracetest.SpanStubs{}
	for _, s := range t.spans.GetSpans() {
		below[s.Parent.SpanID()] = append(below[s.Parent.SpanID()], s)
	}
	var show func(parent trace.SpanID, margin string)
	show = func(parent trace.SpanID, margin string) {
		spans := below[parent]
		slices.SortStableFunc(spans, func(a, b tracetest.SpanStub) int { return a.StartTime.Compare(b.StartTime) })
		for _, s := range spans {
			fmt.Fprintf(con.Out, "%s%s  %s\n", margin, s.Name, describe(s))
			show(s.SpanContext.SpanID(), margin+"  ")
		}
	}
	show(trace.SpanID{}, "")
}

// shown are the attributes that are printed, with a short name.
var shown = []struct {
	key  attribute.Key
	name string
}{
	{otelcircleci.AttributeAttempts, "attempts"}, {otelcircleci.AttributeWait, "waited"},
	{"http.response.status_code", "status"}, {"http.request.resend_count", "resend"}, {"error.type", "error"},
}

func describe(s tracetest.SpanStub) string {
	parts := []string{s.SpanKind.String(), duration(s.EndTime.Sub(s.StartTime))}
	for _, a := range shown {
		for _, has := range s.Attributes {
			switch {
			case has.Key != a.key:
			case a.key == otelcircleci.AttributeWait:
				parts = append(parts, a.name+"="+duration(time.Duration(has.Value.AsFloat64()*float64(time.Second))))
			default:
				parts = append(parts, a.name+"="+cli.Plain(has.Value.String()))
			}
		}
	}
	return strings.Join(parts, " ")
}

func duration(d time.Duration) string { return d.Round(time.Millisecond).String() }

// showMetrics prints the histograms: how many values, and their mean.
func (t *telemetry) showMetrics(ctx context.Context, con *cli.Console) error {
	var all metricdata.ResourceMetrics
	if err := t.reader.Collect(context.WithoutCancel(ctx), &all); err != nil {
		return err
	}
	fmt.Fprintln(con.Out)
	for _, scope := range all.ScopeMetrics {
		slices.SortFunc(scope.Metrics, func(a, b metricdata.Metrics) int { return cmp.Compare(a.Name, b.Name) })
		for _, m := range scope.Metrics {
			h, ok := m.Data.(metricdata.Histogram[float64])
			if !ok {
				continue
			}
			var count uint64
			sum := 0.0
			for _, p := range h.DataPoints {
				count += p.Count
				sum += p.Sum
			}
			fmt.Fprintf(con.Out, "%-30s %3d values, mean %s\n", m.Name, count, duration(time.Duration(sum/float64(max(count, 1))*float64(time.Second))))
		}
	}
	return nil
}
