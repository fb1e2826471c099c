package circleci_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

// limitedServer is a server on a socket that allows 200 requests a second, with
// bursts of 50, and answers the others with 429 and a Retry-After of a second.
type limitedServer struct {
	*httptest.Server
	refused, opened atomic.Int64

	mu     sync.Mutex
	tokens float64
	stamp  time.Time
}

const (
	allowedRate  = 200.0
	allowedBurst = 50.0
)

func newLimitedServer(tb testing.TB, announces bool) *limitedServer {
	s := &limitedServer{tokens: allowedBurst, stamp: time.Now()}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		left, ok := s.take()
		h := w.Header()
		h.Set("Content-Type", "application/json")
		if announces {
			h.Set("RateLimit-Limit", strconv.Itoa(allowedBurst))
			h.Set("RateLimit-Remaining", strconv.Itoa(int(left)))
			h.Set("RateLimit-Reset", "1")
		}
		if !ok {
			s.refused.Add(1)
			h.Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = w.Write([]byte(me))
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.opened.Add(1)
		}
	}
	s.Start()
	tb.Cleanup(s.Close)
	return s
}

// take takes a token from the bucket, if there is one.
func (s *limitedServer) take() (left float64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.tokens = min(allowedBurst, s.tokens+now.Sub(s.stamp).Seconds()*allowedRate)
	s.stamp = now
	if s.tokens < 1 {
		return s.tokens, false
	}
	s.tokens--
	return s.tokens, true
}

// BenchmarkRateLimited makes 1,000 calls from 16 goroutines, in real time: how
// long that takes, at worst, where the limit allows it in 4.75 s, how often the
// server refuses, and how many connections it sees. A call that is lost fails
// the benchmark.
func BenchmarkRateLimited(b *testing.B) {
	const calls, callers = 1000, 16
	for _, announces := range []bool{true, false} {
		b.Run(fmt.Sprintf("headers=%t", announces), func(b *testing.B) {
			var refused, opened, slowest float64
			for b.Loop() {
				s := newLimitedServer(b, announces)
				client, err := circleci.NewClient(canary, circleci.WithBaseURL(s.URL))
				require.NoError(b, err)
				start := time.Now()
				var (
					group  sync.WaitGroup
					next   atomic.Int64
					failed atomic.Int64
				)
				for range callers {
					group.Go(func() {
						for next.Add(1) <= calls {
							if _, err := client.Users.Me(b.Context()); err != nil {
								failed.Add(1)
							}
						}
					})
				}
				group.Wait()
				took := time.Since(start).Seconds()
				assert.Zero(b, failed.Load(), "calls that failed")
				refused, opened, slowest = max(refused, float64(s.refused.Load())), max(opened, float64(s.opened.Load())), max(slowest, took)
				require.NoError(b, client.Close())
			}
			b.ReportMetric(slowest, "s")
			b.ReportMetric(refused, "429s")
			b.ReportMetric(opened, "conns")
			b.ReportMetric(0, "ns/op") // it is the seconds that count
		})
	}
}
