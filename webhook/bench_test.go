package webhook_test

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
	"sync/atomic"
	"testing"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/webhook"
)

// byHand is what one writes without this package: it checks the signature and
// decodes, and neither bounds, nor deduplicates, nor limits the time.
func byHand(f func(context.Context, *handEvent) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		mac := hmac.New(sha256.New, []byte(secret))
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

// BenchmarkHandler measures a handler beside code by hand, without a network.
func BenchmarkHandler(b *testing.B) {
	for name, h := range map[string]http.Handler{
		"package": webhook.Handler([]circleci.Secret{secret}, func(context.Context, webhook.Event) error { return nil }),
		"by-hand": byHand(func(context.Context, *handEvent) error { return nil }),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n++
				body := strings.Replace(workflowBody, "111111111111", fmt.Sprintf("%012d", n), 1)
				r := httptest.NewRequest(http.MethodPost, "/circleci", strings.NewReader(body))
				r.Header.Set(webhook.SignatureHeader, webhook.Sign([]byte(body), secret))
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
		})
	}
}

// BenchmarkHandlerServed measures the same over loopback, with 16 callers.
func BenchmarkHandlerServed(b *testing.B) {
	var n atomic.Int64
	for _, c := range []struct {
		name    string
		handler http.Handler
	}{
		{"package", webhook.Handler([]circleci.Secret{secret}, func(context.Context, webhook.Event) error { return nil })},
		{"by-hand", byHand(func(context.Context, *handEvent) error { return nil })},
	} {
		b.Run(c.name, func(b *testing.B) {
			srv := httptest.NewServer(c.handler)
			defer srv.Close()
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
			defer client.CloseIdleConnections()
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					body := strings.Replace(workflowBody, "111111111111", fmt.Sprintf("%012d", n.Add(1)), 1)
					r, err := http.NewRequest(http.MethodPost, srv.URL, strings.NewReader(body))
					if err != nil {
						b.Error(err)
						return
					}
					r.Header.Set(webhook.SignatureHeader, webhook.Sign([]byte(body), secret))
					resp, err := client.Do(r)
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
					if resp.StatusCode != http.StatusOK {
						b.Error(resp.StatusCode)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
		})
	}
}
