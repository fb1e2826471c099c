package transport_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/circleci-go/circleci/internal/transport"
)

type bucket struct {
	mu          sync.Mutex
	rate, burst float64
	window      time.Duration
	tokens      float64
	stamp       time.Time
	headers     string
	latency     time.Duration
	n, limited  int
}

func (b *bucket) Do(ctx context.Context, c *transport.Call) *transport.Result {
	time.Sleep(b.latency / 2)
	b.mu.Lock()
	now := time.Now()
	if b.window > 0 {
		if now.Sub(b.stamp) >= b.window {
			b.stamp = now
			b.tokens = b.burst
		}
	} else {
		b.tokens = min(b.burst, b.tokens+now.Sub(b.stamp).Seconds()*b.rate)
		b.stamp = now
	}
	r := &transport.Result{RetryAfter: -1, StatusCode: 200}
	b.n++
	if b.tokens < 1 {
		b.limited++
		r.StatusCode = 429
		r.RetryAfter = time.Second
		if b.window > 0 {
			r.RetryAfter = b.window - now.Sub(b.stamp)
		}
	} else {
		b.tokens--
	}
	h := http.Header{}
	switch b.headers {
	case "bucket":
		h.Set("RateLimit-Limit", strconv.Itoa(int(b.burst)))
		h.Set("RateLimit-Remaining", strconv.Itoa(int(b.tokens)))
		h.Set("RateLimit-Reset", strconv.Itoa(int(math.Ceil((b.burst-b.tokens)/b.rate))))
	case "rate":
		h.Set("RateLimit-Limit", strconv.Itoa(int(b.rate)))
		h.Set("RateLimit-Remaining", strconv.Itoa(int(b.tokens)))
		h.Set("RateLimit-Reset", "1")
	case "window":
		h.Set("RateLimit-Limit", strconv.Itoa(int(b.burst)))
		h.Set("RateLimit-Remaining", strconv.Itoa(int(b.tokens)))
		h.Set("RateLimit-Reset", strconv.Itoa(int(math.Ceil((b.window - now.Sub(b.stamp)).Seconds()))))
	}
	b.mu.Unlock()
	r.Limit = transport.ParseRateLimit(h)
	time.Sleep(b.latency / 2)
	return r
}

func TestSim(t *testing.T) {
	for _, b := range []*bucket{
		{rate: 200, burst: 50}, {rate: 200, burst: 50, headers: "bucket"}, {rate: 200, burst: 50, headers: "rate"},
		{rate: 50, burst: 10}, {rate: 50, burst: 10, headers: "bucket"}, {rate: 50, burst: 10, headers: "rate"},
		{rate: 1000, burst: 100}, {rate: 1000, burst: 100, headers: "bucket"},
		{rate: 20, burst: 100}, {rate: 20, burst: 100, headers: "bucket"},
		{burst: 300, window: 10 * time.Second}, {burst: 300, window: 10 * time.Second, headers: "window"},
		{burst: 300, window: time.Second, headers: "window"},
		{rate: 1e9, burst: 1e9},
		{rate: 1e9, burst: 1e9, headers: "bucket"},
	} {
		for _, lat := range []time.Duration{200 * time.Microsecond, 5 * time.Millisecond, 60 * time.Millisecond} {
			c := *b
			b := &c
			b.latency = lat
			synctest.Test(t, func(t *testing.T) {
				b.tokens = b.burst
				b.stamp = time.Now()
				p := &transport.Pacer{Next: b.Do, MaxWait: 2 * time.Minute}
				rt := &transport.Retry{Attempts: 4, MinBackoff: time.Second / 2, MaxBackoff: 30 * time.Second, MaxWait: 2 * time.Minute, MaxElapsed: 5 * time.Minute, Next: p.Do}
				start := time.Now()
				var wg sync.WaitGroup
				work := make(chan int)
				failed := 0
				var mu sync.Mutex
				for range 16 {
					wg.Go(func() {
						for range work {
							if r := rt.Do(context.Background(), &transport.Call{Method: "GET", Route: "/a/b", Replayable: true}); !r.OK() {
								mu.Lock()
								failed++
								mu.Unlock()
							}
						}
					})
				}
				for i := range 1000 {
					work <- i
				}
				close(work)
				wg.Wait()
				theory := (1000 - b.burst) / b.rate
				fmt.Printf("rate %v burst %v win %v hdr %q lat %v: %.2fs (theory %.2f) 429: %d failed %d\n", b.rate, b.burst, b.window, b.headers, lat, time.Since(start).Seconds(), theory, b.limited, failed)
			})
		}
	}
}
