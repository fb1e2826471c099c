package circleci_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/internal/spec"
)

// What the README shows works as pasted, in a module of its own.
func TestTheREADMEsCodeWorksAsPasted(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program, and waits for two polls")
	}
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(readme), "```go\n")
	require.True(t, ok)
	code, _, _ := strings.Cut(rest, "```")

	here, err := filepath.Abs(".")
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(name, content string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	write("main.go", code)
	write("go.mod", "module example.com/pasted\n\ngo 1.26\n\nrequire github.com/circleci-go/circleci v0.0.0\n\nreplace github.com/circleci-go/circleci => "+here+"\n")
	sum, err := os.ReadFile("go.sum")
	require.NoError(t, err)
	write("go.sum", string(sum))

	srv := circlecitest.New(t, circlecitest.WithSpeed(1000))
	srv.Script(webSlug, plain(circlecitest.Workflow("build", circlecitest.Job("test").Fails().
		WithTests(circlecitest.FailingTest("TestPayment", "want 200, got 402")))))
	cmd := exec.CommandContext(t.Context(), "go", "run", "-mod=mod", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CIRCLE_TOKEN="+srv.Token(), "CIRCLE_HOST="+srv.URL(), "CIRCLE_WORKFLOW_ID=", "GOFLAGS=")
	out, err := cmd.CombinedOutput()
	require.Error(t, err, "the exit status tells the outcome: %s", out)
	assert.Contains(t, string(out), "pipeline 1: build failed: failed")
	assert.Contains(t, string(out), "TestPayment")
	assert.Contains(t, string(out), "want 200, got 402")
}

// What the documents name as calls exists, and the numbers in them are right.
func TestTheDocumentsNameWhatThereIs(t *testing.T) {
	all := map[string]bool{}
	for name, service := range services() {
		for method := range service.Methods() {
			all[strings.TrimSuffix(name, "Service")+"."+method.Name] = true
		}
	}
	call := regexp.MustCompile("`(" + strings.Join(slices.Sorted(maps.Keys(fieldsOfClient())), "|") + `)\.([A-Z]\w+)`)
	for _, document := range []string{"README.md", "MIGRATING.md"} {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			if document == "MIGRATING.md" { // the calls of others are in the first column
				_, line, _ = strings.Cut(strings.TrimPrefix(line, "| "), " | ")
			}
			for _, m := range call.FindAllStringSubmatch(line, -1) {
				assert.True(t, all[m[1]+"."+m[2]], "%s: there is no method %s.%s", document, m[1], m[2])
			}
		}
	}
	for _, document := range []string{"README.md", "CHANGELOG.md"} {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		words := strings.Join(strings.Fields(strings.ReplaceAll(string(text), "\n  ", " ")), " ")
		count := fmt.Sprintf(`\b%d operations .{0,60}\b%d that it(s document)? lacks`, len(spec.Operations), len(spec.Extras))
		assert.True(t, regexp.MustCompile(count).MatchString(words),
			"%s has to say that there are %d operations in CircleCI's document and %d that it lacks", document, len(spec.Operations), len(spec.Extras))
	}
}

// fieldsOfClient are the names of the services' fields.
func fieldsOfClient() map[string]bool {
	fields := map[string]bool{}
	for field := range reflect.TypeFor[circleci.Client]().Fields() {
		if field.IsExported() {
			fields[field.Name] = true
		}
	}
	return fields
}

// The README links to each example, and to no other.
func TestTheREADMELinksToTheExamples(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var linked []string
	for _, m := range regexp.MustCompile(`\]\(examples/([\w-]+)\)`).FindAllStringSubmatch(string(readme), -1) {
		linked = append(linked, m[1])
	}
	programs, err := filepath.Glob("examples/*/main.go")
	require.NoError(t, err)
	var there []string
	for _, program := range programs {
		there = append(there, filepath.Base(filepath.Dir(program)))
	}
	assert.ElementsMatch(t, there, linked)
}
