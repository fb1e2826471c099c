package webhook_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/webhook"
)

// BenchmarkHandler measures a handler without a network.
func BenchmarkHandler(b *testing.B) {
	h := webhook.Handler([]circleci.Secret{secret}, func(context.Context, webhook.Event) error { return nil })
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
}
