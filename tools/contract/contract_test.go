package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/internal/spec"
)

const packageDir = "../.."

// A document with one mistake of each kind: each is found, and nothing else.
func TestEachKindOfDifferenceIsFound(t *testing.T) {
	differences, err := differencesTo(filepath.Join("testdata", "document.yaml"), packageDir)
	require.NoError(t, err)
	differences = slices.DeleteFunc(differences, func(d string) bool {
		return strings.HasPrefix(d, "route-undocumented ") // of the methods that the small document has nothing for
	})
	for i, d := range differences {
		differences[i], _, _ = strings.Cut(d, ": circleci: ") // the words of an error are not ours
	}
	want, err := os.ReadFile(filepath.Join("testdata", "differences.txt"))
	require.NoError(t, err)
	assert.Equal(t, string(want), strings.Join(slices.Compact(differences), "\n")+"\n")
}

// A method that is not in the document is one that users call in vain, unless
// it is known to be an extra.
func TestMethodsWithoutAnOperationAreFound(t *testing.T) {
	differences, err := differencesTo(filepath.Join("testdata", "document.yaml"), packageDir)
	require.NoError(t, err)
	assert.Contains(t, differences, "route-undocumented GET /me")
	assert.NotContains(t, differences, "route-undocumented POST /pipeline/search", "an extra")
}

// The fake server answers each operation, so that users can test with each.
func TestTheTourReachesEveryOperation(t *testing.T) {
	seen, errs := exchanges()
	assert.Empty(t, errs)
	answered := map[string]bool{}
	for _, x := range seen {
		answered[x.key] = answered[x.key] || x.status/100 == 2
	}
	for _, op := range spec.Operations {
		assert.True(t, answered[op.Method+" "+op.Path], "%s %s", op.Method, op.Path)
	}
}

func TestAConstructorThatTheTableLacksIsReported(t *testing.T) {
	src, err := readSource(packageDir)
	require.NoError(t, err)
	assert.Empty(t, src.missingConstructors())
	src.constructors["OwnerByName"] = "ContextOwner"
	src.constructors["NoOwner"] = "SomethingElse"
	assert.Equal(t, []string{"OwnerByName"}, src.missingConstructors())
}

func TestArgumentsOfAnUnknownKindAreReported(t *testing.T) {
	src, err := readSource(packageDir)
	require.NoError(t, err)
	d, err := newDriver(src)
	require.NoError(t, err)
	m := *src.methods[0]
	m.typ = reflect.TypeFor[func(chan int, ...string) error]()
	_, _, err = d.variants(&m, 200, nil)
	assert.ErrorContains(t, err, "chan int")
	m.typ = reflect.TypeFor[func(struct{ hidden int }, ...string) error]()
	_, _, err = d.variants(&m, 200, nil)
	assert.ErrorContains(t, err, "constructor")
}

func TestKnownDifferences(t *testing.T) {
	known, err := readKnown("known.txt")
	require.NoError(t, err)
	assert.NotEmpty(t, known)

	read := func(text string) (map[string]string, error) {
		file := filepath.Join(t.TempDir(), "known.txt")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return readKnown(file)
	}
	known, err = read("# Pages.\n\nquery-undeclared GET /a x # it is taken\nenum-missing T v # nobody has seen it\n")
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"query-undeclared GET /a x": "it is taken", "enum-missing T v": "nobody has seen it"}, known)
	assert.Equal(t, []string{"query-undeclared GET /b x", "known-stale enum-missing T v"},
		judge([]string{"query-undeclared GET /a x", "query-undeclared GET /b x"}, known))
	assert.Empty(t, judge([]string{"enum-missing T v", "query-undeclared GET /a x"}, known))

	for text, complaint := range map[string]string{
		"query-undeclared GET /a x\n":     ":1: a reason is missing",
		"\na # b\n a  # c\n":              ":3: this line is a duplicate",
		"query-undeclared GET /a x # \n":  ":1: a reason is missing",
		"query-undeclared GET /a x #no\n": ":1: a reason is missing",
	} {
		_, err := read(text)
		assert.ErrorContains(t, err, complaint)
	}
}

// Slugs have slashes, which the document's templates do not show.
func TestPathParams(t *testing.T) {
	assert.Equal(t, map[string]string{"project-slug": "gh/acme/web", "job-number": "7"},
		pathParams("/project/{project-slug}/{job-number}/tests", "/api/v2/project/gh/acme/web/7/tests"))
	assert.Equal(t, map[string]string{"project-slug": "a/b"}, pathParams("/project/{project-slug}", "/api/v2/project/a%2Fb"))
	assert.Equal(t, map[string]string{"org-slug": "gh/acme"}, pathParams("/insights/{org-slug}/summary", "/api/v2/insights/gh/acme/summary"))
}
