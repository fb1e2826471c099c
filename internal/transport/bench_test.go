package transport_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/circleci-go/circleci/internal/transport"
)

// BenchmarkRetry is what the retry costs a call that needs none.
func BenchmarkRetry(b *testing.B) {
	ok := status(200)
	rt := retry(func(_ context.Context, _ *transport.Call) *transport.Result { return &ok })
	c, ctx := newCall(b, "GET"), b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if !rt.Do(ctx, c).OK() {
			b.Fatal("failed")
		}
	}
}

// BenchmarkPacer is what the pacer costs a call that has not to wait.
func BenchmarkPacer(b *testing.B) {
	for name, limit := range map[string]transport.RateLimit{
		"silent": {}, "headers": {Known: true, Limit: 1 << 30, Remaining: 1 << 30, Reset: 1},
	} {
		b.Run(name, func(b *testing.B) {
			ok := status(200)
			ok.Limit = limit
			p := pacer(func(_ context.Context, _ *transport.Call) *transport.Result { return &ok })
			c, ctx := newCall(b, "GET"), b.Context()
			b.ReportAllocs()
			for b.Loop() {
				if !p.Do(ctx, c).OK() {
					b.Fatal("failed")
				}
			}
		})
	}
}

// BenchmarkExchange is a whole call of all links, without a network.
func BenchmarkExchange(b *testing.B) {
	header := headerOf("Content-Type", "application/json", "X-Request-Id", "42")
	x := exchange(transport.NewAuth(roundTrip(func(req *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Header: header, Request: req,
			Body: io.NopCloser(strings.NewReader(`{"name":"app","n":3}`)),
		}, nil
	}), parseURL(b, "https://circleci.com"), fixed(token), false))
	log := &transport.Log{Next: x.Do}
	rt := retry(pacer(log.Do).Do)
	ctx := b.Context()
	var out project
	c := newCall(b, "GET")
	c.Answer = decode(&out)
	b.ReportAllocs()
	for b.Loop() {
		if !rt.Do(ctx, c).OK() || out.N != 3 {
			b.Fatal("failed")
		}
	}
}
