package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// module writes a module with one package and its test, and returns its directory.
func module(t *testing.T, code, test string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":    "module example.com/m\n\ngo 1.25\n",
		"m.go":      "package m\n\n" + code,
		"m_test.go": "package m\n\nimport \"testing\"\n\n" + test,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

func TestMutantsThatTheTestsNotice(t *testing.T) {
	for name, c := range map[string]struct {
		code, test      string
		killed, counted int
	}{
		"two changes of one operator": {
			"func Less(a, b int) bool { return a < b }",
			"func TestLess(t *testing.T) { if !Less(1, 2) || Less(2, 2) { t.Fail() } }", 2, 2,
		},
		"nothing noticed": {
			"func Less(a, b int) bool { return a < b }",
			"func TestLess(t *testing.T) { Less(1, 2) }", 0, 2,
		},
		"a change inside another": {
			"func Both(a, b, c int) bool { return a == b && b == c }",
			"func TestBoth(t *testing.T) { if !Both(1, 1, 1) || Both(1, 1, 2) || Both(1, 2, 2) { t.Fail() } }", 3, 3,
		},
		"an endless loop, and the statement left out": {
			"func Count(n int) (k int) {\n\tfor k < n {\n\t\tk++\n\t}\n\treturn k\n}",
			"func TestCount(t *testing.T) { if Count(3) != 3 || Count(0) != 0 { t.Fail() } }", 4, 4,
		},
		// Without its last statement the function does not compile.
		"a function that ends in a panic": {
			"func Must(ok bool) int {\n\tif ok {\n\t\treturn 2\n\t}\n\tpanic(\"no\")\n}",
			"func TestMust(t *testing.T) { if Must(true) != 2 { t.Fail() } }", 2, 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &sample{dir: module(t, c.code, c.test), pattern: ".", tests: []string{"."}, limit: time.Minute, parallel: 2}
			killed, counted, err := s.measure(t.Context(), 150, 1)
			require.NoError(t, err)
			assert.Equal(t, c.counted, counted, "valid mutants")
			assert.Equal(t, c.killed, killed)
		})
	}
}

func TestKnownSurvivorsAreNotCounted(t *testing.T) {
	dir := module(t, "func Less(a, b int) bool { return a < b }", "func TestLess(t *testing.T) { if !Less(1, 2) { t.Fail() } }")
	known := parseEquivalent("# a comment\nm.go: Less: a < b -> <= | a reason\nm.go: Less: a < b -> >= |\n")
	s := &sample{dir: dir, pattern: ".", tests: []string{"."}, limit: time.Minute, known: known, parallel: 2}
	killed, counted, err := s.measure(t.Context(), 150, 1)
	require.NoError(t, err)
	assert.Equal(t, 1, counted)
	assert.Equal(t, 1, killed)
}

func TestTestsThatFailWithoutAChangeAreAnError(t *testing.T) {
	dir := module(t, "func Less(a, b int) bool { return a < b }", "func TestLess(t *testing.T) { t.Fail() }")
	s := &sample{dir: dir, pattern: ".", tests: []string{"."}, limit: time.Minute, parallel: 2}
	_, _, err := s.measure(t.Context(), 150, 1)
	require.ErrorContains(t, err, "fail without any change")
}
