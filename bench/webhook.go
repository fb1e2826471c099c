package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/webhook"
)

const webhookSecret = "a secret of the webhook"

// webhookBody is an event, but for its ID.
const webhookBody = `{
	"id": "ID", "type": "workflow-completed", "happened_at": "2026-03-01T08:41:00.123456Z",
	"webhook": {"id": "11111111-1111-4111-8111-111111111111", "name": "pager"},
	"project": {"id": "22222222-2222-4222-8222-222222222222", "name": "web", "slug": "github/acme/web"},
	"organization": {"id": "33333333-3333-4333-8333-333333333333", "name": "acme"},
	"workflow": {"id": "44444444-4444-4444-8444-444444444444", "name": "build", "created_at": "2026-03-01T08:31:00.001Z",
		"stopped_at": "2026-03-01T08:41:00Z", "url": "https://app.circleci.com/x", "status": "failed"},
	"pipeline": {"id": "55555555-5555-4555-8555-555555555555", "number": 25, "created_at": "2026-03-01T08:30:00Z",
		"trigger": {"type": "webhook"},
		"vcs": {"provider_name": "github", "origin_repository_url": "o", "target_repository_url": "t", "revision": "f00d", "branch": "main",
			"commit": {"subject": "S", "body": "B", "author": {"name": "Ada", "email": "ada@example.com"},
				"authored_at": "2026-03-01T08:29:00Z", "committer": {"name": "Bob"}, "committed_at": "2026-03-01T08:29:01+00:00"}}},
	"new_key": {"x": 1}
}`

// receiveByHand is what one writes without this package: it checks the signature and
// decodes, and neither bounds, nor deduplicates, nor limits the time.
func receiveByHand(f func(context.Context, *handEvent) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		mac := hmac.New(sha256.New, []byte(webhookSecret))
		mac.Write(body)
		given, err := hex.DecodeString(strings.TrimPrefix(r.Header.Get("Circleci-Signature"), "v1="))
		if err != nil || !hmac.Equal(given, mac.Sum(nil)) {
			http.Error(w, "signature", http.StatusUnauthorized)
			return
		}
		var e handEvent
		if err := json.Unmarshal(body, &e); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := f(r.Context(), &e); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusOK)
	})
}

type handEvent struct {
	ID         string    `json:"id"`
	Type       string    `json:"type"`
	HappenedAt time.Time `json:"happened_at"`
	Project    struct{ ID, Name, Slug string }
	Webhook    struct{ ID, Name string }
	Workflow   struct {
		ID, Name, Status, URL string
		CreatedAt             time.Time `json:"created_at"`
		StoppedAt             time.Time `json:"stopped_at"`
	}
	Pipeline struct {
		ID        string
		Number    int
		CreatedAt time.Time `json:"created_at"`
		Trigger   struct{ Type string }
		VCS       struct {
			ProviderName        string `json:"provider_name"`
			OriginRepositoryURL string `json:"origin_repository_url"`
			TargetRepositoryURL string `json:"target_repository_url"`
			Revision, Branch    string
			Commit              struct {
				Subject, Body     string
				Author, Committer struct{ Name, Email string }
				AuthoredAt        time.Time `json:"authored_at"`
				CommittedAt       time.Time `json:"committed_at"`
			}
		}
	}
}

// webhooks measures handlers that are served over loopback, to 16 callers.
func webhooks(rounds int) []result {
	serve := func(h http.Handler) contender {
		srv := httptest.NewServer(h)
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
		return contender{func(ctx context.Context, id string) error {
			body := strings.Replace(webhookBody, "ID", id, 1)
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, srv.URL, strings.NewReader(body))
			if err != nil {
				return err
			}
			r.Header.Set(webhook.SignatureHeader, webhook.Sign([]byte(body), webhookSecret))
			resp, err := client.Do(r)
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if err == nil && resp.StatusCode != http.StatusOK {
				err = fmt.Errorf("status %d", resp.StatusCode)
			}
			return err
		}, func() { client.CloseIdleConnections(); srv.Close() }}
	}
	hand := serve(receiveByHand(func(context.Context, *handEvent) error { return nil }))
	defer hand.finish()
	ours := serve(webhook.Handler([]circleci.Secret{webhookSecret}, func(context.Context, webhook.Event) error { return nil }))
	defer ours.finish()
	deliver := func(c contender) func() float64 {
		return func() float64 { return c.fanOut(4000, 16, uuid.NewString) }
	}
	medians := inTurns(rounds, deliver(hand), deliver(ours))
	r := medians[0] / medians[1]
	return []result{{"webhooks to 16 callers over loopback: throughput", "1.00", fmt.Sprintf("%.2f", r), "≥ 0.95", r >= 0.95}}
}
