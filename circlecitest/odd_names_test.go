package circlecitest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/internal/spec"
)

// oddNames are names, IDs and numbers that no service should have to expect.
var oddNames = []string{
	"a/b", "../x", "a/b/c/d", "gh/", "circleci/a", ".", " ", "\x00", "<b>", "%2F", "é", "-1", "1e999", "99999999999999999999", strings.Repeat("x", 5000),
}

// Whatever a client sends as a name, in the path, the query or the body, is
// refused or kept.
func TestOddNamesNeverPanic(t *testing.T) {
	param := regexp.MustCompile(`\{[^}]+\}`)
	for _, odd := range oddNames {
		srv, ids := furnished(t, &recorder{})
		call := func(method, path, body string) {
			assert.NotPanics(t, func() { _, _ = callRaw(t, srv, method, ids.Replace(path), ids.Replace(body)) }, "%s %s %s", method, path, body)
		}
		each := func(method, path string, query []string) {
			body := ""
			if method != http.MethodGet {
				body = `{"name":` + quoted(t, odd) + `}`
			}
			for _, at := range param.FindAllStringIndex(path, -1) {
				call(method, path[:at[0]]+url.PathEscape(odd)+path[at[1]:], body)
				call(method, path[:at[0]]+url.PathEscape(odd)+path[at[1]:], "")
			}
			for _, name := range query {
				call(method, path+"?"+url.QueryEscape(name)+"="+url.QueryEscape(odd), body)
			}
		}
		for _, op := range slices.Concat(spec.Operations, spec.Extras) {
			each(op.Method, op.Path, op.Query)
		}
		for _, op := range spec.V3 {
			each(op.Method, op.Path, op.Query)
		}
		for _, slug := range []string{"gh/acme/" + url.PathEscape(odd), "gh/" + url.PathEscape(odd) + "/web", url.PathEscape("gh/acme/" + odd)} {
			for _, path := range []string{"", "/follow", "/build", "/1/artifacts", "/tree/" + url.PathEscape(odd)} {
				call(http.MethodPost, "/api/v1.1/project/"+slug+path, "")
				call(http.MethodGet, "/api/v1.1/project/"+slug+path, "")
			}
		}
		call(http.MethodPost, "/organization", `{"vcs_type":"github","name":`+quoted(t, odd)+`}`)
		for _, c := range bodies {
			method, path, _ := strings.Cut(c.op, " ")
			if c.path != "" {
				path = c.path
			}
			for _, value := range regexp.MustCompile(`:("[^"]*"|\d+)`).FindAllStringSubmatchIndex(c.body, -1) {
				call(method, path, c.body[:value[2]]+quoted(t, odd)+c.body[value[3]:])
				call(method, path, c.body[:value[2]]+"-9223372036854775808"+c.body[value[3]:])
			}
		}
		status, _ := callRaw(t, srv, http.MethodGet, "/me", "")
		assert.Equal(t, 200, status)
	}
}

func TestSlugsThatCannotBeAreRefused(t *testing.T) {
	srv := circlecitest.New(t)
	srv.AddOrg("gh/acme")
	for path, body := range map[string]string{
		"/organization/gh/acme/project": `{"name":"a/b"}`, "/organization/gh%2Facme/project": `{"name":".."}`, "/organization": `{"name":"a/b","vcs_type":"github"}`,
		"/project/gh/acme/a%2Fb": "", "/project/gh/a%2Fb/web": "", "/project/svn/acme/web": "", "/api/v1.1/project/gh/acme/%20/follow": "",
	} {
		status, text := callRaw(t, srv, http.MethodPost, path, body)
		assert.Equal(t, 400, status, path)
		assert.Contains(t, text, "Invalid ", path)
	}
	assert.Empty(t, oldList(t, srv, "/api/v1.1/projects"))
}

func quoted(t *testing.T, text string) string {
	t.Helper()
	data, err := json.Marshal(text)
	require.NoError(t, err)
	return string(data)
}
