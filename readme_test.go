package circleci_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/circlecitest"
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
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "pipeline 1: build failed: failed")
	assert.Contains(t, string(out), "test TestPayment want 200, got 402")
}
