package redislimit_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/redislimit"
	"github.com/circleci-go/circleci/webhook"
)

// Two clients, as in two processes, share the pause after a 429 response.
func ExampleNew() {
	server := miniredis.NewMiniRedis() // your Redis
	if err := server.Start(); err != nil {
		panic(err)
	}
	defer server.Close()
	srv := circlecitest.NewServer() // CircleCI
	defer srv.Close()

	newClient := func() *circleci.Client {
		rdb := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true})
		return srv.Client(circleci.WithLimiter(redislimit.New(rdb, srv.Token())))
	}
	ctx := context.Background()
	srv.Fail("GET /me", circlecitest.Response{Status: 429, Header: http.Header{"Retry-After": {"60"}}})
	_, err := newClient().Users.Me(ctx, circleci.NoRetry())
	fmt.Println(errors.Is(err, circleci.ErrRateLimited))

	_, err = newClient().Users.Me(ctx, circleci.Timeout(time.Second))
	var refused *circleci.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.StatusCode, "after", refused.Attempts, "attempts")
	}
	// Output:
	// true
	// 429 after 0 attempts
}

// Give the deduplicator to the handlers of all receivers.
func ExampleNewDeduplicator() {
	server := miniredis.NewMiniRedis() // your Redis
	if err := server.Start(); err != nil {
		panic(err)
	}
	defer server.Close()
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})

	handler := webhook.Handler([]circleci.Secret{"the signing secret"}, func(_ context.Context, e webhook.Event) error {
		fmt.Println(e.About().ID)
		return nil
	}, webhook.WithDeduplicator(redislimit.NewDeduplicator(rdb, nil)))
	http.Handle("/circleci", handler)
	// Output:
}
