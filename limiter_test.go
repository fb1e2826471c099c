package circleci_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

// watcher is a limiter with both optional methods.
type watcher struct {
	mu       sync.Mutex
	waited   []circleci.Operation
	observed []circleci.Response
	refuse   error
}

func (w *watcher) Wait(context.Context) error { panic("WaitFor takes its place") }

func (w *watcher) WaitFor(_ context.Context, op circleci.Operation) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waited = append(w.waited, op)
	return w.refuse
}

func (w *watcher) Observe(_ context.Context, _ circleci.Operation, r circleci.Response) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.observed = append(w.observed, r)
}

func TestALimiterKnowsOperationsAndResponses(t *testing.T) {
	contextID := uuid.New()
	synctest.Test(t, func(t *testing.T) {
		wire := replies(
			answers(429, "{}", "Retry-After", "7"), answers(403, "<html>", "Content-Type", "text/html"), breaks(errDial),
			answers(200, `{"id":"`+contextID.String()+`"}`, "RateLimit-Limit", "10", "RateLimit-Remaining", "9"),
		)
		l := &watcher{}
		_, err := wire.client(t, retrying(), circleci.WithLimiter(l)).Contexts.Get(t.Context(), contextID)
		require.NoError(t, err)
		require.Len(t, l.waited, 4)
		for i, op := range l.waited {
			assert.Equal(t, "GET", op.Method)
			assert.Equal(t, "/context/{context_id}", op.Route)
			assert.Equal(t, i+1, op.Attempt)
			assert.Equal(t, "GET circleci.com/api/v2/context/"+contextID.String(), op.Key)
		}
		require.Len(t, l.observed, 4)
		assert.True(t, l.observed[0].RateLimited)
		assert.Equal(t, 7*time.Second, l.observed[0].RetryAfter)
		assert.True(t, l.observed[1].RateLimited, "an HTML 403 is a refusal of the edge")
		assert.Zero(t, l.observed[2].StatusCode)
		assert.False(t, l.observed[3].RateLimited)
		assert.Equal(t, circleci.RateLimit{Known: true, Limit: 10, Remaining: 9}, l.observed[3].RateLimit)
	})
}

func TestALimiterCanTellThatThereIsAPause(t *testing.T) {
	wire := replies()
	l := &watcher{refuse: &circleci.PausedError{RetryAfter: time.Hour}}
	_, err := wire.client(t, circleci.WithLimiter(l)).Users.Me(t.Context())
	require.ErrorIs(t, err, circleci.ErrRateLimited)
	held := requireError[*circleci.Error](t, err)
	assert.Equal(t, time.Hour, held.RetryAfter)
	assert.Zero(t, held.Attempts)
	assert.Empty(t, wire.requests())
	assert.Empty(t, l.observed, "nothing was sent")
}

// TestAPacerAlone is used by a limiter that falls back to it: with operations
// of its own, and with none.
func TestAPacerAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := circleci.NewPacer(0)
		one, other := circleci.Operation{Method: "GET", Route: "/x/{id}", Key: "one"}, circleci.Operation{Method: "GET", Route: "/x/{id}", Key: "other"}
		require.NoError(t, p.WaitFor(t.Context(), one))
		p.Observe(t.Context(), one, circleci.Response{StatusCode: 429, RateLimited: true, RetryAfter: time.Minute})
		start := time.Now()
		require.NoError(t, p.WaitFor(t.Context(), other))
		require.NoError(t, p.Wait(t.Context()))
		assert.Zero(t, time.Since(start))
		require.NoError(t, p.WaitFor(t.Context(), one))
		assert.Equal(t, time.Minute, time.Since(start))
		p.Observe(t.Context(), one, circleci.Response{StatusCode: 429, RateLimited: true, RetryAfter: time.Hour})
		err := p.WaitFor(t.Context(), one)
		require.ErrorIs(t, err, circleci.ErrRateLimited)
		assert.Equal(t, time.Hour, requireError[*circleci.PausedError](t, err).RetryAfter)
	})
}

// TestGivingUpInAPauseIsNotARefusal, although the last response was one.
func TestGivingUpInAPauseIsNotARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := replies(answers(429, "{}", "Retry-After", "60"))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := wire.client(t, retrying()).Users.Me(ctx)
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, circleci.ErrRateLimited)
		assert.Equal(t, 429, requireError[*circleci.TransportError](t, err).Last.StatusCode)
	})
}

func TestRetryPoliciesAreChecked(t *testing.T) {
	for _, p := range []circleci.RetryPolicy{
		{MaxAttempts: -1}, {MinBackoff: -1}, {MaxBackoff: -1}, {MaxWait: -1}, {MaxElapsed: -1},
	} {
		_, err := circleci.NewClient(canary, circleci.WithRetry(p))
		require.ErrorIs(t, err, circleci.ErrInvalidArgument, "%+v", p)
	}
}

func TestABadHostNamesItsSource(t *testing.T) {
	t.Setenv("CIRCLE_HOST", "ftp://x")
	_, err := circleci.NewClientFromEnv()
	require.ErrorIs(t, err, circleci.ErrInvalidArgument)
	assert.Contains(t, err.Error(), "CIRCLE_HOST")
	_, err = circleci.NewClientFromEnv(circleci.WithBaseURL("ftp://y"))
	require.ErrorIs(t, err, circleci.ErrInvalidArgument)
	assert.NotContains(t, err.Error(), "CIRCLE_HOST", "it is the option that is wrong")
}

// TestAPanicOfAMiddlewareIsItsOwn: the limiter is told, and the panic goes on.
func TestAPanicOfAMiddlewareIsItsOwn(t *testing.T) {
	l := &watcher{}
	client, err := circleci.NewClient(canary, circleci.WithLimiter(l), circleci.WithMiddleware(func(http.RoundTripper) http.RoundTripper {
		return panics{}
	}))
	require.NoError(t, err)
	assert.PanicsWithValue(t, "of a middleware", func() { _, _ = client.Users.Me(t.Context()) })
	assert.Equal(t, []circleci.Response{{}}, l.observed)
}

type panics struct{}

func (panics) RoundTrip(*http.Request) (*http.Response, error) { panic("of a middleware") }

// wrapped passes on what a wrapper of one's own knows: the operations, but not
// the calls that they belong to.
type wrapped struct{ pacer *circleci.Pacer }

func (w wrapped) Wait(ctx context.Context) error { return w.pacer.Wait(ctx) }

func (w wrapped) WaitFor(ctx context.Context, op circleci.Operation) error {
	return w.pacer.WaitFor(ctx, circleci.Operation{Method: op.Method, Route: op.Route, Key: op.Key})
}

func (w wrapped) Observe(_ context.Context, op circleci.Operation, r circleci.Response) {
	w.pacer.Observe(context.Background(), circleci.Operation{Method: op.Method, Route: op.Route, Key: op.Key}, r)
}

func TestAPacerCanBeWrapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			mu     sync.Mutex
			tokens = 20.
			stamp  = time.Now()
			sent   int
		)
		server := roundTrip(func(req *http.Request) (*http.Response, error) { // 20 requests a second
			mu.Lock()
			defer mu.Unlock()
			sent++
			tokens, stamp = min(20, tokens+20*time.Since(stamp).Seconds()), time.Now()
			status := http.StatusOK
			if tokens--; tokens < 0 {
				tokens++
				status = http.StatusTooManyRequests
			}
			return &http.Response{
				StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Request: req, Header: http.Header{},
				Body: io.NopCloser(strings.NewReader(me)), ContentLength: -1,
			}, nil
		})
		client, err := circleci.NewClient(canary, circleci.WithHTTPClient(&http.Client{Transport: server}),
			circleci.WithLimiter(wrapped{circleci.NewPacer(0)}), circleci.WithRetry(circleci.RetryPolicy{MaxAttempts: 10}))
		require.NoError(t, err)
		start := time.Now()
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() {
				for range 20 {
					_, err := client.Users.Me(t.Context())
					assert.NoError(t, err)
				}
			})
		}
		group.Wait()
		assert.Less(t, time.Since(start), 22*time.Second, "15 s are the limit")
		assert.Less(t, sent, 320+40, "what is above 320 was refused")
	})
}
