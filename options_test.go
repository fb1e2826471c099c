package circleci_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

func TestUserAgent(t *testing.T) {
	wire := replies(answers(200, me))
	_, err := wire.client(t, circleci.WithUserAgent("deploy-bot/2 (+https://example.com)")).Users.Me(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "deploy-bot/2 (+https://example.com)", wire.only(t).Header.Get("User-Agent"))

	_, err = circleci.NewClient(canary, circleci.WithUserAgent("a\r\nCircle-Token: b"))
	require.ErrorIs(t, err, circleci.ErrInvalidArgument, "a header can be forged")
}

func TestRetryPolicy(t *testing.T) {
	for _, c := range []struct {
		name     string
		policy   circleci.RetryPolicy
		requests int
		atMost   time.Duration
	}{
		{"the default", circleci.RetryPolicy{}, 4, 500*time.Millisecond + time.Second + 2*time.Second},
		{"off", circleci.RetryPolicy{MaxAttempts: 1}, 1, 0},
		{"more", circleci.RetryPolicy{MaxAttempts: 6, MinBackoff: time.Millisecond}, 6, 31 * time.Millisecond},
		{"capped", circleci.RetryPolicy{MaxAttempts: 6, MinBackoff: time.Second, MaxBackoff: 2 * time.Second}, 6, 9 * time.Second},
		{"for a time", circleci.RetryPolicy{MaxAttempts: 100, MinBackoff: time.Second, MaxBackoff: time.Second, MaxElapsed: 0, MaxWait: 0}, 100, 99 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wire := always(answers(503, `{"message":"down"}`))
				start := time.Now()
				_, err := wire.client(t, circleci.WithRetry(c.policy)).Users.Me(t.Context())
				require.ErrorIs(t, err, circleci.ErrServer)
				assert.Len(t, wire.requests(), c.requests)
				assert.Equal(t, c.requests, requireError[*circleci.Error](t, err).Attempts)
				assert.LessOrEqual(t, time.Since(start), c.atMost)
				assert.GreaterOrEqual(t, time.Since(start), c.atMost/2, "clients come back too soon")
			})
		})
	}
	t.Run("until a time has passed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			wire := always(answers(503, `{"message":"down"}`))
			start := time.Now()
			policy := circleci.RetryPolicy{MaxAttempts: 1000, MinBackoff: time.Second, MaxBackoff: time.Second, MaxElapsed: 10 * time.Second}
			_, err := wire.client(t, circleci.WithRetry(policy)).Users.Me(t.Context())
			require.ErrorIs(t, err, circleci.ErrServer)
			assert.LessOrEqual(t, time.Since(start), 10*time.Second)
			assert.Greater(t, time.Since(start), 8*time.Second)
		})
	})
	t.Run("no longer than the caller can wait", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			wire := always(answers(429, `{}`, "Retry-After", "60"))
			policy := circleci.RetryPolicy{MaxWait: 59 * time.Second}
			start := time.Now()
			_, err := wire.client(t, circleci.WithRetry(policy)).Users.Me(t.Context())
			require.ErrorIs(t, err, circleci.ErrRateLimited)
			assert.Len(t, wire.requests(), 1)
			assert.Zero(t, time.Since(start))
		})
	})
}

type limiter func(ctx context.Context) error

func (f limiter) Wait(ctx context.Context) error { return f(ctx) }

func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := replies(answers(502, ""), answers(200, me), answers(200, me))
		asked := 0
		client := wire.client(t, retrying(), circleci.WithLimiter(limiter(func(context.Context) error { asked++; return nil })))
		for range 2 {
			_, err := client.Users.Me(t.Context())
			require.NoError(t, err)
		}
		assert.Equal(t, 3, asked, "each request is to wait for the limiter, retries too")
	})
}

func TestALimiterCanRefuse(t *testing.T) {
	wire := replies()
	full := errors.New("the burst is exceeded")
	_, err := wire.client(t, retrying(), circleci.WithLimiter(limiter(func(context.Context) error { return full }))).Users.Me(t.Context())
	require.ErrorIs(t, err, full)
	assert.Equal(t, "/me", requireError[*circleci.TransportError](t, err).Route)
	assert.Empty(t, wire.requests())
}

func TestALimiterSeesTheEndOfTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := replies()
		waits := limiter(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		_, err := wire.client(t, retrying(), circleci.WithLimiter(waits)).Users.Me(t.Context(), circleci.Timeout(time.Minute))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Empty(t, wire.requests())
	})
}

func TestPacingCanBeTurnedOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := func(opts ...circleci.Option) (elapsed time.Duration) {
			wire := replies(answers(429, `{}`, "Retry-After", "30"), answers(200, me))
			client := wire.client(t, opts...)
			_, err := client.Users.Me(t.Context())
			require.ErrorIs(t, err, circleci.ErrRateLimited)
			start := time.Now()
			_, err = client.Users.Me(t.Context())
			require.NoError(t, err)
			return time.Since(start)
		}
		assert.Equal(t, 30*time.Second, run(), "one caller's 429 is to hold the others")
		assert.Zero(t, run(circleci.WithLimiter(nil)), "pacing was turned off")
	})
}

func TestALongPauseIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := replies(answers(429, `{"message":"Rate limit exceeded."}`, "Retry-After", "600"))
		client := wire.client(t, retrying())
		_, err := client.Users.Me(t.Context())
		require.ErrorIs(t, err, circleci.ErrRateLimited)
		time.Sleep(100 * time.Second)
		_, err = client.Users.Me(t.Context())
		require.ErrorIs(t, err, circleci.ErrRateLimited)
		held := requireError[*circleci.Error](t, err)
		assert.Len(t, wire.requests(), 1)
		assert.Zero(t, held.Attempts, "nothing was sent for the second call")
		assert.Equal(t, 500*time.Second, held.RetryAfter, "what is left of the pause")
		assert.Contains(t, err.Error(), "not sent: the server requested a wait")
		assert.Contains(t, err.Error(), "try again in 8m20s")
	})
}

// No attempt begins later than five minutes after the first one, whatever the
// server asks for.
func TestRetriesEndAfterFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := always(answers(503, `{}`, "Retry-After", "100"))
		client := wire.client(t, circleci.WithRetry(circleci.RetryPolicy{MaxAttempts: 100}))
		_, err := client.Users.Me(t.Context())
		require.ErrorIs(t, err, circleci.ErrServer)
		assert.Len(t, wire.requests(), 3)
	})
}

func TestLogger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := replies(
			answers(502, "", "X-Request-Id", "r1", "Deprecation", "true", "Sunset", "Sat, 31 Dec 2026 23:59:59 GMT"),
			answers(200, me, "Sunset", "Sat, 31 Dec 2026 23:59:59 GMT"),
		)
		var out bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		_, err := wire.client(t, retrying(), circleci.WithLogger(logger)).Users.Me(t.Context())
		require.NoError(t, err)
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		require.Len(t, lines, 4, "two attempts, one wait, and one warning for the route: %s", out.String())
		assert.Contains(t, lines[0], "method=GET route=/me status=502")
		assert.Contains(t, lines[0], "attempt=1 request_id=r1")
		assert.Contains(t, lines[1], "level=WARN")
		assert.Contains(t, lines[1], "Sat, 31 Dec 2026 23:59:59 GMT")
		assert.Contains(t, lines[2], "wait=")
		assert.Contains(t, lines[3], "status=200")
	})
}

func TestALogDoesNotShowTheToken(t *testing.T) {
	// A server, or a transport of one's own, that echoes the token in whatever
	// becomes part of an error.
	for name, r := range map[string]reply{
		"refused":     answers(401, `{"message":"the token CANARY is unknown"}`),
		"wrong type":  answers(200, `{"id":"CANARY","name":{"CANARY":[1]}}`),
		"wrong time":  answers(200, `{"id":"","created_at":["CANARY"]}`),
		"no JSON":     answers(200, `CANARY`),
		"transport":   breaks(errors.New("cannot send Circle-Token: CANARY")),
		"redirect":    answers(302, "", "Location", "http://circleci.com/?circle-token=CANARY"),
		"no redirect": answers(302, "", "Location", "://CANARY"),
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			logger := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
			client := always(r).client(t, circleci.WithLogger(logger))
			var context circleci.Context
			err := client.Do(t.Context(), circleci.Request{Route: "/context/x"}, &context)
			require.Error(t, err)
			logger.Error("call failed", "err", err)
			assert.NotContains(t, out.String(), canary)
			assertHidden(t, canary, err)
			assertUnreachable(t, canary, err)
			assertOneLine(t, err)
		})
	}
}

func TestTokenSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := replies(answers(502, ""), answers(200, me), answers(200, me))
		tokens := []string{"first-token", "second-token", ""}
		client := wire.client(t, retrying(), circleci.WithTokenSource(func(ctx context.Context) (string, error) {
			_, ok := circleci.OperationFromContext(ctx)
			assert.True(t, ok)
			next := tokens[0]
			tokens = tokens[1:]
			return next, nil
		}))
		for range 2 {
			_, err := client.Users.Me(t.Context())
			require.NoError(t, err)
		}
		var got [][]string
		for _, sent := range wire.requests() {
			got = append(got, sent.Header["Circle-Token"])
		}
		assert.Equal(t, [][]string{{"first-token"}, {"second-token"}, nil}, got, "a source is asked for each attempt, and wins over the token")
	})
}

func TestATokenSourceCanFail(t *testing.T) {
	expired := errors.New("the refresh token has expired")
	for name, source := range map[string]circleci.TokenSource{
		"error": func(context.Context) (string, error) { return "", expired },
		"a token with a line break, which would forge a header": func(context.Context) (string, error) { return canary + "\nX: y", nil },
	} {
		wire := replies()
		client := wire.client(t, retrying(), circleci.WithTokenSource(source))
		_, err := client.Pipelines.Trigger(t.Context(), "gh/acme/web", circleci.TriggerPipelineRequest{})
		failed := requireError[*circleci.TransportError](t, err)
		assert.Equal(t, "/project/{project-slug}/pipeline", failed.Route)
		assert.Equal(t, name == "error", errors.Is(err, expired), name)
		assert.NotContains(t, err.Error(), canary)
		assertOneLine(t, err)
		assert.Empty(t, wire.requests(), name)
	}
}

func TestSilenceEndsAnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			opts []circleci.Option
			want time.Duration
		}{
			{nil, time.Minute},
			{[]circleci.Option{circleci.WithIdleTimeout(5 * time.Second)}, 5 * time.Second},
			{[]circleci.Option{circleci.WithIdleTimeout(0)}, time.Hour},  // no limit but the caller's
			{[]circleci.Option{circleci.WithIdleTimeout(-1)}, time.Hour}, // the same
		} {
			start := time.Now()
			client := always(answers(200, me).later(24*time.Hour)).client(t, c.opts...)
			_, err := client.Users.Me(t.Context(), circleci.Timeout(time.Hour))
			failed := requireError[*circleci.TransportError](t, err)
			assert.Equal(t, c.want, time.Since(start))
			var timeout interface{ Timeout() bool }
			require.ErrorAs(t, failed.Err, &timeout)
			assert.True(t, timeout.Timeout(), "a silence is a timeout to those who ask")
		}
	})
}

func TestAnswersAreBounded(t *testing.T) {
	for _, c := range []struct {
		limit int64
		fits  bool
	}{{int64(len(me)), true}, {int64(len(me)) - 1, false}, {0, true}, {-1, true}} {
		client := replies(answers(200, me), answers(200, me)).client(t, circleci.WithMaxResponseBytes(c.limit))
		_, err := client.Users.Me(t.Context())
		if c.fits {
			require.NoError(t, err, "limit %d", c.limit)
			continue
		}
		failed := requireError[*circleci.DecodeError](t, err)
		assert.Contains(t, failed.Error(), "larger than the limit")
		var stream bytes.Buffer
		require.NoError(t, client.Do(t.Context(), circleci.Request{Route: "/me"}, &stream))
		assert.Equal(t, me, stream.String(), "streams are not bounded")
	}
}
