package circleci_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/circleci-go/circleci"
)

// memory answers with JSON and nothing in the way, so that a benchmark
// measures this package.
func memory(b *testing.B, answer func(req *http.Request) (int, string)) *circleci.Client {
	b.Helper()
	header := http.Header{"Content-Type": {"application/json"}}
	transport := roundTrip(func(req *http.Request) (*http.Response, error) {
		status, body := answer(req)
		return &http.Response{
			StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: req,
		}, nil
	})
	client, err := circleci.NewClient(canary, circleci.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		b.Fatal(err)
	}
	return client
}

// fullPage is a page of 20 pipelines as the API sends them.
func fullPage(page int, token string) string {
	var out bytes.Buffer
	out.WriteString(`{"items":[`)
	for i := range 20 {
		if i > 0 {
			out.WriteByte(',')
		}
		n := page*20 + i
		fmt.Fprintf(&out, `{"id":%q,"number":%d,"project_slug":"gh/acme/web","state":"created","errors":[],`+
			`"created_at":"2026-01-02T03:04:05.678Z","updated_at":"2026-01-02T03:04:06.789Z",`+
			`"trigger":{"type":"webhook","received_at":"2026-01-02T03:04:05.123Z","actor":{"login":"ada","avatar_url":"https://example.com/ada.png"}},`+
			`"vcs":{"provider_name":"GitHub","origin_repository_url":"https://github.com/acme/web","target_repository_url":"https://github.com/acme/web",`+
			`"revision":"d21ba60158eb1b7b1b0ee7d8d8b3d4f4b3d6a1c0","branch":"main","commit":{"subject":"Fix the build","body":""}}}`, idOf(n), n)
	}
	fmt.Fprintf(&out, `],"next_page_token":%q}`, token)
	return out.String()
}

func BenchmarkGet(b *testing.B) {
	client := memory(b, func(*http.Request) (int, string) { return 200, me })
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Users.Get(b.Context(), someID); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPage(b *testing.B) {
	body := fullPage(0, "")
	client := memory(b, func(*http.Request) (int, string) { return 200, body })
	pager := client.Pipelines.ListForProject(slug, nil)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if page, err := pager.Page(b.Context(), ""); err != nil || len(page.Items) != 20 {
			b.Fatal(page, err)
		}
	}
}

func BenchmarkWalk(b *testing.B) {
	const pages = 50
	bodies := map[string]string{}
	for i := range pages {
		token, next := "", strconv.Itoa(i+1)
		if i > 0 {
			token = strconv.Itoa(i)
		}
		if i == pages-1 {
			next = ""
		}
		bodies[token] = fullPage(i, next)
	}
	client := memory(b, func(req *http.Request) (int, string) { return 200, bodies[req.URL.Query().Get("page-token")] })
	pager := client.Pipelines.ListForProject(slug, nil)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, err := range pager.All(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != pages*20 {
			b.Fatal(n, "items")
		}
	}
}

func BenchmarkError(b *testing.B) {
	client := memory(b, func(*http.Request) (int, string) { return 404, `{"message":"Project not found"}` })
	b.ReportAllocs()
	for b.Loop() {
		_, err := client.Projects.Get(b.Context(), slug)
		if !errors.Is(err, circleci.ErrNotFound) || err.Error() == "" {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecode is a call of each operation, with all that its answer can
// hold.
func BenchmarkDecode(b *testing.B) {
	for _, c := range operationTests {
		b.Run(strings.ReplaceAll(c.op, " ", ""), func(b *testing.B) {
			data, err := os.ReadFile(filepath.Join("testdata", c.fixture+".json"))
			if err != nil {
				b.Fatal(err)
			}
			// The first page is the last.
			body := nextToken.ReplaceAllString(string(data), `"next_page_token": null`)
			client := memory(b, func(*http.Request) (int, string) { return cmp.Or(c.status, http.StatusOK), body })
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, err := c.call(b.Context(), client); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

var nextToken = regexp.MustCompile(`"next_page_token":\s*"[^"]*"`)
