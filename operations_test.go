package circleci_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/internal/spec"
	"github.com/circleci-go/circleci/internal/wire"
)

// operationTest is what one operation sends, and what it makes of an answer.
type operationTest struct {
	op string // method and route
	// call carries out the operation; a method without a result returns nil.
	call func(ctx context.Context, c *circleci.Client) (any, error)
	// What has to be on the wire: the escaped path, behind /api/v2 if it is not
	// of another version, the query, and the body to the letter.
	path, query, body string
	// status is that of the answer; 200 if it is 0.
	status int
	// fixture is the answer: testdata/<fixture>.json, with all there can be,
	// and testdata/<fixture>.sparse.json, with no more than there has to be.
	fixture string
	// check looks at the result of the full fixture beyond the comparison that
	// all get: encoded again it has lost nothing.
	check func(t *testing.T, got any)
}

// operationTests has a row for each operation.
var operationTests = slices.Concat(
	auditLogTests, contextTests, deployTests, githubAppTests, groupTests, insightsTests, jobTests, oidcTests, organizationTests, otelTests,
	pipelineDefinitionTests, pipelineTests, policyTests, projectTests, scheduleTests, signingTests, stepTests, triggerTests,
	undocumentedPipelineTests, usageTests, userTests, webhookTests, workflowTests,
)

// none is the result of a method that returns an error alone.
func none(err error) (any, error) { return nil, err }

// some is the result of a method that returns a value.
func some[T any](v T, err error) (any, error) { return v, err }

// items is the result of a method that returns a pager.
func items[T any](ctx context.Context, p *circleci.Pager[T]) (any, error) {
	return p.Collect(ctx)
}

// as asserts the type of a result.
func as[T any](t *testing.T, got any) T {
	t.Helper()
	v, ok := got.(T)
	require.True(t, ok, "the result is a %T", got)
	return v
}

func TestOperations(t *testing.T) {
	for _, c := range operationTests {
		t.Run(c.op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				full, got := runOperation(t, c, c.fixture+".json")
				if got != nil {
					assertNothingLost(t, full, got)
				}
				if c.check != nil {
					c.check(t, got)
				}
			})
			synctest.Test(t, func(t *testing.T) { runOperation(t, c, c.fixture+".sparse.json") })
		})
	}
}

// runOperation carries out an operation against an answer of testdata, and
// holds the request against the row.
func runOperation(t *testing.T, c operationTest, fixture string) (answer []byte, got any) {
	t.Helper()
	answer, err := os.ReadFile(filepath.Join("testdata", fixture))
	require.NoError(t, err)
	srv := circlecitest.New(t)
	srv.Fail(c.op, circlecitest.Response{Status: c.status, Body: string(answer)})
	got, err = c.call(t.Context(), srv.Client())
	require.NoError(t, err)
	requests := srv.Requests()
	require.NotEmpty(t, requests)
	first := requests[0]
	assert.Equal(t, c.op, first.Operation)
	path := c.path
	if !strings.HasPrefix(path, "/api/") {
		path = "/api/v2" + path
	}
	assert.Equal(t, path, first.Path)
	assert.Equal(t, c.query, first.Query.Encode())
	assert.Equal(t, c.body, string(first.Body))
	assert.Equal(t, c.body != "", first.Header.Get("Content-Type") == "application/json")
	return answer, got
}

// assertNothingLost compares an answer with the result encoded again: there
// may be another spelling of a name, another form of a time, and null and empty
// values may be left out.
func assertNothingLost(t *testing.T, answer []byte, got any) {
	t.Helper()
	encoded, err := wire.Marshal(got)
	require.NoError(t, err)
	var want, have any
	require.NoError(t, json.Unmarshal(answer, &want))
	require.NoError(t, json.Unmarshal(encoded, &have))
	if page, ok := want.(map[string]any); ok && isList(have) {
		want = page["items"]
	}
	for _, path := range lost("", want, have) {
		t.Errorf("%s is lost in %s", path, encoded)
	}
}

func isList(v any) bool { _, ok := v.([]any); return ok }

// lost lists the paths of what is in want and not in have.
func lost(path string, want, have any) (paths []string) {
	switch want := want.(type) {
	case nil:
		return nil
	case map[string]any:
		object, ok := have.(map[string]any)
		if !ok && len(want) > 0 {
			return []string{path}
		}
		folded := map[string]any{}
		for name, v := range object {
			folded[foldName(name)] = v
		}
		for name, v := range want {
			paths = append(paths, lost(path+"."+name, v, folded[foldName(name)])...)
		}
		return paths
	case []any:
		list, _ := have.([]any)
		if len(list) < len(want) {
			return []string{path}
		}
		for i, v := range want {
			paths = append(paths, lost(path+"[]", v, list[i])...)
		}
		return paths
	}
	if !sameScalar(want, have) {
		return []string{path}
	}
	return nil
}

func foldName(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

func sameScalar(want, have any) bool {
	if want == have || have == nil && (want == "" || want == false || want == 0.0) {
		return true
	}
	text, ok := want.(string)
	if !ok {
		return false
	}
	if n, ok := have.(float64); ok { // a number that came between quotes
		encoded, err := json.Marshal(n)
		return err == nil && string(encoded) == text
	}
	at, err := wire.ParseTime([]byte(text))
	other, isText := have.(string)
	if err != nil || !isText {
		return false
	}
	t, err := time.Parse(time.RFC3339Nano, other)
	return err == nil && t.Equal(at)
}

// Each operation has its row, and its pair of fixtures.
func TestEveryOperationIsTested(t *testing.T) {
	rows := map[string]bool{}
	for _, c := range operationTests {
		rows[c.op] = true
	}
	for _, op := range slices.Concat(spec.Operations, spec.Extras) {
		key := op.Method + " " + op.Path
		if !rows[key] {
			t.Errorf("%s has no row in operationTests", key)
		}
	}
	assertNoOrphans(t)
}

// assertNoOrphans fails for a fixture that no row uses.
func assertNoOrphans(t *testing.T) {
	t.Helper()
	used := map[string]bool{}
	for _, c := range operationTests {
		used[filepath.FromSlash(c.fixture)+".json"], used[filepath.FromSlash(c.fixture)+".sparse.json"] = true, true
	}
	files, err := filepath.Glob(filepath.Join("testdata", "*", "*.json"))
	require.NoError(t, err)
	for _, file := range files {
		name, err := filepath.Rel("testdata", file)
		require.NoError(t, err)
		assert.True(t, used[name], "no row uses %s", file)
	}
}

// IDs that rows and fixtures share.
var (
	id1 = uuid.MustParse("11111111-1111-4111-8111-111111111111")
	id2 = uuid.MustParse("22222222-2222-4222-8222-222222222222")
	id3 = uuid.MustParse("33333333-3333-4333-8333-333333333333")
)

const webSlug = circleci.ProjectSlug("gh/acme/web")
