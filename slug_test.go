package circleci_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

var (
	goodSlugs = []string{
		"gh/acme/web", "github/acme/web", "bb/acme/web", "circleci/8e4z1Akd74woxagxnvLT5q/V29Cenkg8EaiSZARmWm8Lz",
		"circleci/5034460f-c7c4-4c43-9457-de07e2029e7b/5034460f-c7c4-4c43-9457-de07e2029e7b",
		"gh/acme/web.app", "gh/acme/.github", "gh/acme/...", "gh/a b/ü?#%2F&+",
	}
	badSlugs = []string{
		"", "web", "acme/web", "gh/acme", "gh/acme/web/x", "/gh/acme/web", "gh/acme/web/", "gh//web", "gh/acme/", "/acme/web", "//",
		"gh/../web", "gh/acme/..", "./acme/web", "gh/./web", "gh/acme/web\n", "gh/ac\x00me/web", "gh/acme/web\x7f", "https://github.com/acme/web",
		"GH/acme/web", "github.com/acme/web", "gh/acme/web ", " gh/acme/web", "gh/ acme/web",
	}
)

func TestProjectSlugs(t *testing.T) {
	for _, s := range goodSlugs {
		slug, err := circleci.ParseProjectSlug(s)
		require.NoError(t, err, s)
		assert.Equal(t, circleci.ProjectSlug(s), slug)
		wire := replies(answers(200, `{}`))
		_, err = wire.client(t).Projects.Get(t.Context(), slug)
		require.NoError(t, err)
		u, err := url.Parse(wire.only(t).URL)
		require.NoError(t, err)
		assert.Equal(t, "/api/v2/project/"+s, u.Path)
		assert.Equal(t, strings.Count("/api/v2/project/gh/acme/web", "/"), strings.Count(u.EscapedPath(), "/"), "slashes between segments are literal: %s", u)
		assert.NotContains(t, u.EscapedPath(), "%2F/")
	}
	for _, s := range badSlugs {
		_, err := circleci.ParseProjectSlug(s)
		require.ErrorIs(t, err, circleci.ErrInvalidArgument, "%q", s)
		assert.Equal(t, "project slug", requireError[*circleci.ArgumentError](t, err).Name)
		assert.ErrorContains(t, err, "gh/acme/web", "an example of a good one")
		assertOneLine(t, err)

		wire := replies()
		_, err = wire.client(t).Projects.Get(t.Context(), circleci.ProjectSlug(s))
		require.ErrorIs(t, err, circleci.ErrInvalidArgument, "%q", s)
		assert.Empty(t, wire.requests(), "%q leads to another route", s)
	}
}

func TestOrgSlugs(t *testing.T) {
	for _, s := range []string{"gh/acme", "circleci/8e4z1Akd74woxagxnvLT5q", "bb/a b"} {
		slug, err := circleci.ParseOrgSlug(s)
		require.NoError(t, err, s)
		assert.Equal(t, circleci.OrgSlug(s), slug)
	}
	for _, s := range []string{"", "acme", "gh/acme/web", "gh/", "/acme", "gh/..", "gh/a\nb"} {
		_, err := circleci.ParseOrgSlug(s)
		require.ErrorIs(t, err, circleci.ErrInvalidArgument, "%q", s)
		assert.Equal(t, "organization slug", requireError[*circleci.ArgumentError](t, err).Name)
	}
}

func TestSlugsCompareInEitherForm(t *testing.T) {
	for long, short := range map[circleci.ProjectSlug]circleci.ProjectSlug{
		"github/acme/web": "gh/acme/web", "bitbucket/acme/web": "bb/acme/web", "gh/acme/web": "gh/acme/web",
		"GitHub/acme/web": "GitHub/acme/web", "githubber/a/b": "githubber/a/b", "": "", "github": "github",
	} {
		assert.Equal(t, short, long.Normalize())
		assert.True(t, long.Equal(short))
		assert.True(t, short.Equal(long))
		assert.Equal(t, short.Org(), long.Normalize().Org())
		assert.True(t, long.Org().Equal(short.Org()))
	}
	assert.False(t, circleci.ProjectSlug("gh/acme/web").Equal("gh/acme/Web"))
	assert.False(t, circleci.ProjectSlug("gh/acme/web").Equal("bb/acme/web"))
	assert.Equal(t, circleci.OrgSlug("gh/acme"), circleci.OrgSlug("github/acme").Normalize())
	assert.Equal(t, circleci.OrgSlug("circleci/Fxr5ZKJ7TnE3QmPBbeRj2L"), circleci.ProjectSlug("circleci/Fxr5ZKJ7TnE3QmPBbeRj2L/SkbkBnHdgVKqMnXk5tFYyZ").Org())
	assert.Equal(t, circleci.OrgSlug(""), circleci.ProjectSlug("web").Org())
	assert.Equal(t, circleci.OrgSlug(""), circleci.ProjectSlug("/web").Org())
}

func TestOrgRefs(t *testing.T) {
	assert.Equal(t, "gh/acme", circleci.OrgBySlug("gh/acme").String())
	assert.Equal(t, someID.String(), circleci.OrgByID(someID).String())
	for _, ref := range []circleci.OrgRef{{}, circleci.OrgBySlug(""), circleci.OrgBySlug("acme"), circleci.OrgBySlug("gh/acme/web"), circleci.OrgByID([16]byte{})} {
		wire := replies()
		_, err := wire.client(t).Projects.Create(t.Context(), ref, circleci.CreateProjectRequest{Name: "web"})
		require.ErrorIs(t, err, circleci.ErrInvalidArgument, "%v", ref)
		assert.Empty(t, wire.requests())
	}
	created := answers(201, `{"id":"00000001-1111-4111-8111-111111111111"}`)
	wire := replies(created, created)
	for _, ref := range []circleci.OrgRef{circleci.OrgBySlug("gh/acme"), circleci.OrgByID(someID)} {
		_, err := wire.client(t).Projects.Create(t.Context(), ref, circleci.CreateProjectRequest{Name: "web"})
		require.NoError(t, err)
	}
	assert.Equal(t, api+"/organization/gh%2Facme/project", wire.requests()[0].URL, "one segment, as the API wants it here")
	assert.Equal(t, api+"/organization/"+someID.String()+"/project", wire.requests()[1].URL)
}

func FuzzParseProjectSlug(f *testing.F) {
	for _, s := range goodSlugs {
		f.Add(s)
	}
	for _, s := range badSlugs {
		f.Add(s)
	}
	f.Add(`gh/a\..\b/c`)
	f.Add("gh/%2e%2e/c")
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 200 {
			return // a long one finds nothing more, and takes minutes to minimize
		}
		slug, err := circleci.ParseProjectSlug(s)
		wire := replies(answers(200, `{}`))
		_, sendErr := wire.client(t).Projects.Get(t.Context(), circleci.ProjectSlug(s))
		if err != nil {
			require.ErrorIs(t, err, circleci.ErrInvalidArgument)
			require.ErrorIs(t, sendErr, circleci.ErrInvalidArgument)
			assertOneLine(t, err)
			assert.Empty(t, wire.requests())
			return
		}
		require.NoError(t, sendErr, "what parses can be sent")
		u, err := url.Parse(wire.only(t).URL)
		require.NoError(t, err)
		assert.Equal(t, "/api/v2/project/"+s, u.Path)
		assert.Empty(t, u.RawQuery+u.Fragment)
		assert.Equal(t, 6, strings.Count(u.EscapedPath(), "/"), "three segments: %s", u)
		assert.Equal(t, u.String(), u.JoinPath().String(), "cleaning the path changes nothing")
		assert.True(t, slug.Equal(slug.Normalize()))
		assert.Equal(t, slug.Normalize(), slug.Normalize().Normalize())
		_, err = circleci.ParseProjectSlug(string(slug.Normalize()))
		require.NoError(t, err)
		_, err = circleci.ParseOrgSlug(string(slug.Org()))
		assert.NoError(t, err)
	})
}

func TestASlugThatIsAlmostOneIsSuggested(t *testing.T) {
	for in, want := range map[string]string{
		"https://app.circleci.com/pipelines/github/acme/web":                       "github/acme/web",
		"https://app.circleci.com/pipelines/github/acme/web/42/workflows/x?branch": "github/acme/web",
		"https://app.circleci.com/settings/project/gh/acme/web":                    "gh/acme/web",
		"https://app.circleci.com/pipelines/bb/acme/web":                           "bb/acme/web",
		"https://app.circleci.com/pipelines/bitbucket/acme/web":                    "bitbucket/acme/web",
		"https://app.circleci.com/pipelines/circleci/7v2Fd/Xk2Yf":                  "circleci/7v2Fd/Xk2Yf",
		"https://github.com/acme/web":                                              "github/acme/web",
		"github.com/acme/web":                                                      "github/acme/web",
		"git@github.com:acme/web.git":                                              "github/acme/web",
		"bitbucket.org/acme/web":                                                   "bitbucket/acme/web",
		"GH/acme/web":                                                              "gh/acme/web",
		" gh/acme/web ":                                                            "gh/acme/web",
		"gh/acme/web/":                                                             "gh/acme/web",
	} {
		_, err := circleci.ParseProjectSlug(in)
		assert.ErrorContains(t, err, `did you mean "`+want+`"?`, in)
	}
	_, err := circleci.ParseProjectSlug("web")
	assert.NotContains(t, err.Error(), "did you mean")
	_, err = circleci.ParseOrgSlug("https://github.com/acme")
	assert.ErrorContains(t, err, `did you mean "github/acme"?`)
}
