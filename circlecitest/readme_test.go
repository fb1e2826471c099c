package circlecitest_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the README shows is a test that runs here.
func TestTheREADMEsTestIsTheOneThatRuns(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(readme), "```go\n")
	require.True(t, ok)
	shown, _, _ := strings.Cut(rest, "```")
	code, err := os.ReadFile("user_test.go")
	require.NoError(t, err)
	assert.Equal(t, "package circlecitest_test\n\n"+shown, string(code))

	_, rest, ok = strings.Cut(rest, "```go\n")
	require.True(t, ok)
	weather, _, _ := strings.Cut(rest, "```")
	examples, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	assert.Contains(t, strings.ReplaceAll(string(examples), "\n\t", "\n"), weather)

	_, rest, ok = strings.Cut(rest, "```go\n")
	require.True(t, ok)
	configure, _, _ := strings.Cut(rest, "```")
	examples, err = os.ReadFile("example_configure_test.go")
	require.NoError(t, err)
	assert.Contains(t, strings.ReplaceAll(string(examples), "\n\t", "\n"), configure)

	_, body, ok := strings.Cut(shown, "func Test")
	require.True(t, ok)
	assert.Less(t, strings.Count(body, "\n"), 25, "lines: a user's first test has to be short")
	assert.NotContains(t, body, "Sleep")
}

// What the README names is there: for a word that is not, a user searches long.
func TestTheREADMENamesWhatThereIs(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var code strings.Builder
	files, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".go") && !strings.HasSuffix(f.Name(), "_test.go") {
			data, err := os.ReadFile(f.Name())
			require.NoError(t, err)
			code.Write(data)
		}
	}
	named := regexp.MustCompile("`(?:srv\\.)?([A-Z][A-Za-z]+)[`({]").FindAllStringSubmatch(string(readme), -1)
	require.Greater(t, len(named), 40)
	for _, name := range named {
		assert.Regexp(t, `(?m)^(func |func \([^)]*\) |type )`+name[1]+`[(\[ ]`, code.String(), name[0])
	}
	flags, err := os.ReadFile("../cmd/circleci-fake/main.go")
	require.NoError(t, err)
	for _, flag := range regexp.MustCompile("(?m)`-([a-z-]+)`").FindAllStringSubmatch(string(readme), -1) {
		assert.Contains(t, string(flags), `"`+flag[1]+`"`)
	}
}
