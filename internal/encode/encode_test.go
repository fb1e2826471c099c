package encode_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/internal/encode"
)

func TestPath(t *testing.T) {
	slug := encode.Param{Text: "gh/acme/web app", Slug: true}
	for _, c := range []struct {
		template string
		params   []encode.Param
		want     string
	}{
		{"/me", nil, "/me"},
		{"/context/{context_id}", []encode.Param{{Text: "abc"}}, "/context/abc"},
		{"/project/{project-slug}/pipeline", []encode.Param{slug}, "/project/gh/acme/web%20app/pipeline"},
		{"/project/{provider}/{organization}/{project}/settings", []encode.Param{slug}, "/project/gh/acme/web%20app/settings"},
		{"/project/{project-slug}/{job-number}/tests", []encode.Param{slug, {Text: "7"}}, "/project/gh/acme/web%20app/7/tests"},
		{"/organization/{org-slug-or-id}", []encode.Param{{Text: "gh/acme"}}, "/organization/gh%2Facme"},
		{"/k/{fingerprint}", []encode.Param{{Text: "SHA256:a/b+c//d="}}, "/k/SHA256:a%2Fb+c%2F%2Fd="},
		{"/k/{name}", []encode.Param{{Text: "ünï?#%2e"}}, "/k/%C3%BCn%C3%AF%3F%23%252e"},
		{"/k/{name}", []encode.Param{{Text: "v1.2..3"}}, "/k/v1.2..3"},
	} {
		got, err := encode.Path(c.template, c.params...)
		require.NoError(t, err, c.template)
		assert.Equal(t, c.want, got)
		// What a server decodes is what was meant.
		u, err := url.Parse("https://h" + got)
		require.NoError(t, err)
		assert.Equal(t, got, u.EscapedPath())
	}
}

func TestHostileSegmentsAreRefused(t *testing.T) {
	for _, text := range []string{"", ".", "..", "../x", "x/..", "a/./b", `..\x`, `a\..`} {
		_, err := encode.Path("/k/{name}", encode.Param{Text: text})
		var refused *encode.ParamError
		require.ErrorAs(t, err, &refused, "%q", text)
		assert.Equal(t, "name", refused.Name)
	}
	for _, text := range []string{"", "gh//x", "gh/../x", "gh/a/.", "/gh/a", "gh/a/"} {
		_, err := encode.Path("/project/{project-slug}", encode.Param{Text: text, Slug: true})
		assert.Error(t, err, "%q", text)
	}
	_, err := encode.Path("/k/{name}")
	require.ErrorContains(t, err, "more placeholders")
	_, err = encode.Path("/k", encode.Param{Text: "a"})
	require.ErrorContains(t, err, "fewer placeholders")
	_, err = encode.Path("/k/{name", encode.Param{Text: "a"})
	assert.ErrorContains(t, err, "without an end")
}

func TestQuery(t *testing.T) {
	var q encode.Query
	q.String("none", "")
	q.Bool("off", false)
	q.Int("zero", 0)
	q.UUID("nil", uuid.Nil)
	q.Time("never", time.Time{})
	assert.Empty(t, q.Encode())

	q.String("branch", "feature/a b+c&d")
	q.Strings("branches", []string{"main", "x,y"})
	q.Bool("mine", true)
	q.Int("offset", 20)
	q.UUID("org-id", uuid.MustParse("5034460f-c7c4-4c43-9457-de07e2029e7b"))
	q.Time("start-date", time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600)))
	assert.Equal(t, "branch=feature%2Fa%20b%2Bc%26d&branches=main&branches=x%2Cy&mine=true&offset=20"+
		"&org-id=5034460f-c7c4-4c43-9457-de07e2029e7b&start-date=2026-01-02T02%3A04%3A05Z", q.Encode())
	values, err := url.ParseQuery(q.Encode())
	require.NoError(t, err)
	assert.Equal(t, "feature/a b+c&d", values.Get("branch"))
	assert.Equal(t, []string{"main", "x,y"}, values["branches"])
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"a", "..", "a/b", "%2e%2e", "..%2f", "\x00", "SHA256:a/b"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, text string, slug bool) {
		if len(text) > 100 {
			return // a long one finds nothing more, and takes minutes to minimize
		}
		got, err := encode.Path("/a/{x}/b", encode.Param{Text: text, Slug: slug})
		if err != nil {
			return
		}
		u, err := url.Parse("https://h" + got)
		require.NoError(t, err)
		want := "/a/" + text + "/b"
		assert.Equal(t, want, u.Path)
		if !slug {
			assert.Equal(t, u, u.JoinPath(), "cleaning the path changes nothing")
		}
	})
}

func BenchmarkPath(b *testing.B) {
	slug := encode.Param{Text: "gh/acme/web", Slug: true}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := encode.Path("/project/{project-slug}/{job-number}/tests", slug, encode.Param{Text: "7"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkQuery(b *testing.B) {
	branch, since := "feature/cart", time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		var q encode.Query
		q.String("branch", branch)
		q.Time("start-date", since)
		q.Bool("all-branches", true)
		if q.Encode() == "" {
			b.Fatal("nothing")
		}
	}
}
