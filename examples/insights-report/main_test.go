package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/clitest"
)

func TestDemo(t *testing.T) {
	clitest.Demo(t)
	con := clitest.New()
	require.NoError(t, run(t.Context(), &con.Console, []string{"-o", "-", "-days", "10"}))
	text := con.Stdout()
	for _, want := range []string{
		"<h2>gh/acme/web</h2>", "<h2>gh/acme/api</h2>", `"Date":"2026-02-20"`, "TestCheckout", "TestRefund", "Chart.js v4",
		`<td class="name">deploy</td>`, "<h3>Flaky tests</h3>", "<h3>Slowest tests</h3>",
	} {
		assert.Contains(t, text, want)
	}
	for _, loaded := range []string{`src="`, `href="`, "@import", "fetch("} {
		page, _, _ := strings.Cut(text, "Chart.js v4") // the page without the library
		assert.NotContains(t, page, loaded, "the page must load nothing")
	}
	assert.Contains(t, con.Stderr(), "reading gh/acme/web\n")
}

func TestFile(t *testing.T) {
	clitest.Demo(t)
	con := clitest.New()
	name := filepath.Join(t.TempDir(), "report.html")
	require.NoError(t, run(t.Context(), &con.Console, []string{"-q", "-days", "7", "-o", name}))
	assert.Empty(t, con.All(), "-q prints nothing")
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(string(text), "</html>\n"))
}

// A name from CircleCI cannot become part of the page's code.
func TestHostileNames(t *testing.T) {
	var text strings.Builder
	p := &page{Title: "x", Projects: []project{{
		Name: "</script><script>alert(1)</script>", Workflows: []workflow{{Name: "<img src=x onerror=alert(2)>"}}, Days: []day{{Date: "</script>"}},
	}}}
	require.NoError(t, p.write(&text))
	assert.NotContains(t, text.String(), "<script>alert")
	assert.NotContains(t, text.String(), "<img")
}

// What cannot be read is noted, and the rest is reported.
func TestMissingParts(t *testing.T) {
	srv := circlecitest.New(t)
	srv.History("gh/acme/web", circlecitest.Past{Days: 5, Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("build", circlecitest.Job("test").Takes(time.Minute)),
	}})
	srv.Fail("GET /insights/{project-slug}/flaky-tests", circlecitest.Response{Status: 404})
	clitest.Live(t, srv)
	con := clitest.New()
	require.NoError(t, run(t.Context(), &con.Console, []string{"-o", "-", "-days", "5", "gh/acme/web"}))
	assert.Contains(t, con.Stdout(), "the flaky tests are missing")
	assert.Contains(t, con.Stdout(), `<td class="name">build</td>`)
}

func TestArguments(t *testing.T) {
	t.Setenv("CIRCLE_TOKEN", "token-of-a-test")
	for _, args := range [][]string{{}, {"-days", "91", "gh/acme/web"}, {"web"}} {
		con := clitest.New()
		assert.Equal(t, 2, con.Exit(run(context.Background(), &con.Console, args)), "%v", args)
	}
}

func TestPercentile(t *testing.T) {
	assert.Zero(t, percentile(nil, 0.5))
	assert.InDelta(t, 3, percentile([]float64{1, 2, 3, 4}, 0.5), 0)
	assert.InDelta(t, 4, percentile([]float64{1, 2, 3, 4}, 0.95), 0)
	for seconds, want := range map[float64]string{45: "45s", 200: "3m20s", 3900: "1h05m"} {
		assert.Equal(t, want, formatSeconds(seconds))
	}
}
