package circlecitest_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/internal/spec"
)

// Programs read while others write: with the race detector this tells whether
// an answer can change while it is sent.
func TestAllOperationsAtOnce(t *testing.T) {
	srv, ids := furnished(t, &recorder{})
	srv.Weather(circlecitest.StorageRedirect().For("GET /me").Share(0.5))
	type call struct{ method, path, body string }
	var reads, writes []call
	for _, op := range slices.Concat(spec.Operations, spec.Extras) {
		if op.Method != http.MethodGet || unmodelled(op) {
			continue
		}
		path := op.Path
		if !strings.HasPrefix(path, "/api/") {
			path = "/api/v2" + path
		}
		query := url.Values{}
		for _, name := range op.Required {
			query.Set(name, "1")
		}
		path = strings.ReplaceAll(path, "/workflow/{id}", "/workflow/<held>")
		reads = append(reads, call{op.Method, ids.Replace(path) + "?" + query.Encode(), ""})
	}
	for _, c := range bodies {
		method, path, _ := strings.Cut(c.op, " ")
		if c.path != "" {
			path = c.path
		}
		writes = append(writes, call{method, "/api/v2" + ids.Replace(path), ids.Replace(c.body)})
	}
	request := func(c call) int {
		req := httptest.NewRequestWithContext(t.Context(), c.method, "https://circleci.com"+c.path, strings.NewReader(c.body))
		if c.body == "" {
			req.Body = nil
		}
		req.Header.Set("Circle-Token", srv.Token())
		resp, err := srv.Transport().RoundTrip(req)
		if !assert.NoError(t, err) {
			return 0
		}
		return resp.StatusCode
	}
	family := func(c call) string { return strings.Split(c.path, "/")[3] } // of /api/v2/…
	for _, write := range writes {
		var related []call
		for _, read := range reads {
			if family(read) == family(write) {
				related = append(related, read)
			}
		}
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				for range 10 {
					assert.Less(t, request(write), 500, write.path)
				}
			})
			group.Go(func() {
				for i := range 2 * len(related) {
					assert.Less(t, request(related[i/2]), 500)
				}
			})
		}
		group.Wait()
		srv.Advance(time.Second)
	}
}
