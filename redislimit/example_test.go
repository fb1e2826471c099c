package redislimit_test

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/redis/go-redis/v9"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/redislimit"
	"github.com/circleci-go/circleci/webhook"
)

// All processes that use the token share its rate limit.
func ExampleNew() {
	const token = "CCIPAT_secret"
	rdb := redis.NewClient(&redis.Options{Addr: "redis.internal:6379", ContextTimeoutEnabled: true})
	client, err := circleci.NewClient(token, circleci.WithLimiter(redislimit.New(rdb, token)))
	if err != nil {
		log.Fatal(err)
	}
	_ = client
	// Output:
}

// Give the deduplicator to the handlers of all receivers.
func ExampleNewDeduplicator() {
	rdb := redis.NewClient(&redis.Options{Addr: "redis.internal:6379"})

	handler := webhook.Handler([]circleci.Secret{"the signing secret"}, func(_ context.Context, e webhook.Event) error {
		fmt.Println(e.About().ID)
		return nil
	}, webhook.WithDeduplicator(redislimit.NewDeduplicator(rdb, nil)))
	http.Handle("/circleci", handler)
	// Output:
}
