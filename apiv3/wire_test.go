package apiv3_test

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/apiv3"
	"github.com/circleci-go/circleci/internal/spec"
)

// IDs that requests and responses share.
var (
	id1 = uuid.MustParse("11111111-1111-4111-8111-111111111111")
	id2 = uuid.MustParse("22222222-2222-4222-8222-222222222222")
	id3 = uuid.MustParse("33333333-3333-4333-8333-333333333333")
	id4 = uuid.MustParse("44444444-4444-4444-8444-444444444444")
)

const (
	text1 = "11111111-1111-4111-8111-111111111111"
	text2 = "22222222-2222-4222-8222-222222222222"
	text3 = "33333333-3333-4333-8333-333333333333"
	text4 = "44444444-4444-4444-8444-444444444444"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// wireTest is what one operation sends, and what it makes of a response.
type wireTest struct {
	op   string // method and route, without /api/v3
	what string // tells two rows of one operation apart
	call func(ctx context.Context, c *apiv3.Client) (any, error)
	// What is sent: the escaped path and query behind /api/v3, and the body.
	url, body string
	// The response.
	status   int // 200 if 0
	response string
	want     any
}

// sent is a request that was sent.
type sent struct {
	*http.Request
	body string
}

// server answers each request with the next of its responses, and with the last
// one again and again.
type server struct {
	requests  []sent
	responses []response
}

type response struct {
	status int // 200 if 0
	header map[string]string
	body   string
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		_ = r.Body.Close()
	}
	s.requests = append(s.requests, sent{r, string(body)})
	next := s.responses[0]
	if len(s.responses) > 1 {
		s.responses = s.responses[1:]
	}
	header := http.Header{"Content-Type": {"application/json"}}
	for name, value := range next.header {
		header.Set(name, value)
	}
	return &http.Response{
		StatusCode: max(next.status, 200), Header: header, Request: r, ContentLength: int64(len(next.body)),
		Body: io.NopCloser(strings.NewReader(next.body)),
	}, nil
}

// client returns a client of a server with these responses.
func client(t testing.TB, responses ...response) (*apiv3.Client, *server) {
	t.Helper()
	srv := &server{responses: responses}
	c, err := circleci.NewClient("token", circleci.WithHTTPClient(&http.Client{Transport: srv}))
	require.NoError(t, err)
	return apiv3.New(c), srv
}

func none(err error) (any, error) { return nil, err }

func some[T any](v T, err error) (any, error) { return v, err }

func items[T any](ctx context.Context, p *circleci.Pager[T]) (any, error) {
	return some(p.Collect(ctx))
}

func TestWire(t *testing.T) {
	for _, c := range wireTests {
		t.Run(strings.TrimSpace(c.op+" "+c.what), func(t *testing.T) {
			v3, srv := client(t, response{status: c.status, body: c.response})
			got, err := c.call(t.Context(), v3)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
			require.Len(t, srv.requests, 1)
			r := srv.requests[0]
			method, _, _ := strings.Cut(c.op, " ")
			assert.Equal(t, method, r.Method)
			assert.Equal(t, "https://circleci.com/api/v3"+c.url, r.URL.String())
			assert.Equal(t, c.body, r.body)
			assert.Equal(t, "Bearer token", r.Header.Get("Authorization"))
			assert.Empty(t, r.Header.Get("Circle-Token"))
		})
	}
}

func TestEveryOperationIsTested(t *testing.T) {
	rows := map[string]bool{}
	for _, c := range wireTests {
		rows[c.op] = true
	}
	for _, op := range spec.V3 {
		key := op.Method + " " + strings.TrimPrefix(op.Path, "/api/v3")
		assert.True(t, rows[key], "%s has no row in wireTests", key)
		delete(rows, key)
	}
	assert.Empty(t, rows, "rows of operations that are not in internal/spec")
}

// collect takes all there is to iterate over.
func collect[T any](seq iter.Seq2[T, error]) (all []T, err error) {
	for item, err := range seq {
		if err != nil {
			return all, err
		}
		all = append(all, item)
	}
	return all, nil
}

// What the API returned can be stored and read again.
func TestResultsSurviveARoundTrip(t *testing.T) {
	skipped := map[string]string{
		"POST /provider/connections/setup": "encoding/json redacts the secret",
		"GET /deploy/settings":             "encoding/json reads a number of any type as a float64",
	}
	for _, c := range wireTests {
		if _, text := c.want.(output); text || c.want == nil || skipped[c.op] != "" {
			continue
		}
		t.Run(strings.TrimSpace(c.op+" "+c.what), func(t *testing.T) {
			data, err := json.Marshal(c.want)
			require.NoError(t, err)
			out := reflect.New(reflect.TypeOf(c.want))
			require.NoError(t, json.Unmarshal(data, out.Interface()), "%s", data)
			assert.Equal(t, c.want, out.Elem().Interface())
		})
	}
}
