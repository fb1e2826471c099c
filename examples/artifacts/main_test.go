package main

import (
	"context"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/clitest"
)

// filesIn returns the files below a directory, whichever they are.
func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	files := []string{}
	require.NoError(t, fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, name)
		}
		return err
	}))
	return files
}

func TestDemo(t *testing.T) {
	clitest.Demo(t)
	t.Setenv("TMPDIR", t.TempDir())
	con := clitest.New()
	require.NoError(t, run(t.Context(), &con.Console, nil))
	assert.Contains(t, con.Stdout(), "reports/unit.xml  25 B\n")
	assert.Contains(t, con.Stdout(), "web.tar  67.1 MB\n")
	assert.Contains(t, con.Stdout(), "5 files, 83.9 MB, in ")
	assert.Empty(t, filesIn(t, os.Getenv("TMPDIR")), "what is temporary must not stay")
}

func TestSomeFiles(t *testing.T) {
	clitest.Demo(t)
	dir := filepath.Join(t.TempDir(), "new")
	con := clitest.New()
	require.NoError(t, run(t.Context(), &con.Console, []string{"-dir", dir, "-glob", "coverage/*"}))
	assert.Equal(t, []string{"coverage/index.html", "coverage/style.css"}, filesIn(t, dir))
	assert.NotContains(t, con.Stdout(), "temporary")
}

func live(t *testing.T) *circlecitest.Server {
	t.Helper()
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	clitest.Live(t, srv)
	srv.Script("gh/acme/web", circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("build", circlecitest.Job("test").WithArtifacts(
			circlecitest.Artifact{Path: "a.txt", Content: "a"}, circlecitest.Artifact{Path: "b.txt", Content: "bb"},
		)),
	}})
	srv.StartPipeline("gh/acme/web", "main")
	srv.Advance(time.Hour)
	return srv
}

// cutter breaks off what it sends on: the context is canceled when a part of a
// file has come.
type cutter struct {
	next   http.RoundTripper
	cancel context.CancelFunc
}

func (c cutter) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(r)
	if err == nil && r.URL.Query().Has("signature") { // the file itself
		resp.Body = &cutBody{ReadCloser: resp.Body, ctx: r.Context(), cancel: c.cancel}
	}
	return resp, err
}

type cutBody struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelFunc
	begun  bool
}

func (b *cutBody) Read(p []byte) (int, error) {
	if b.begun {
		b.cancel()
		<-b.ctx.Done()
		return 0, b.ctx.Err()
	}
	b.begun = true
	return b.ReadCloser.Read(p[:1])
}

func TestInterrupted(t *testing.T) {
	for _, terminal := range []bool{false, true} {
		srv := live(t)
		ctx, cancel := context.WithCancel(t.Context())
		client := srv.Client(circleci.WithMiddleware(func(next http.RoundTripper) http.RoundTripper { return cutter{next, cancel} }))
		dir := t.TempDir()
		con := clitest.New()
		con.OutTerminal = terminal
		status := con.Exit(download(ctx, &con.Console, client, "gh/acme/web", 1, dir, circleci.DownloadOptions{Glob: "b.txt"}))
		assert.Equal(t, 130, status)
		assert.Empty(t, filesIn(t, dir), "Ctrl-C must not leave a part of a file, under whichever name")
	}
}

func TestLive(t *testing.T) {
	srv := live(t)
	dir := t.TempDir()
	con := clitest.New()
	require.NoError(t, run(t.Context(), &con.Console, []string{"-dir", dir, "gh/acme/web", "1"}))
	assert.Equal(t, []string{"a.txt", "b.txt"}, filesIn(t, dir))
	assert.NotContains(t, con.All(), srv.Token())

	t.Chdir(t.TempDir())
	require.NoError(t, run(t.Context(), &con.Console, []string{"gh/acme/web", "1"}))
	assert.Equal(t, []string{"a.txt", "b.txt"}, filesIn(t, "artifacts-1"), "without -dir the files must not mix with others")
}

func TestOneFileFails(t *testing.T) {
	for _, terminal := range []bool{false, true} {
		srv := live(t)
		srv.Fail("storage", circlecitest.Response{Status: 404})
		dir := t.TempDir()
		con := clitest.New()
		con.OutTerminal = terminal // then it must not wait for a bar that does not fill
		assert.Equal(t, 1, con.Exit(run(t.Context(), &con.Console, []string{"-dir", dir, "-parallel", "1", "gh/acme/web", "1"})))
		assert.Equal(t, []string{"b.txt"}, filesIn(t, dir), "the other file has to be there")
		assert.Contains(t, con.Stdout(), "1 files, 2 B, in "+dir)
		assert.Contains(t, con.Stderr(), "a.txt")
	}
}

func TestNoSuchJob(t *testing.T) {
	live(t)
	con := clitest.New()
	t.Chdir(t.TempDir())
	err := run(t.Context(), &con.Console, []string{"gh/acme/web", "99"})
	require.ErrorIs(t, err, circleci.ErrNotFound)
	assert.Empty(t, filesIn(t, "."))
}

func TestWrongCalls(t *testing.T) {
	srv := live(t)
	asked := len(srv.Requests())
	for _, args := range [][]string{
		{}, {"gh/acme/web"}, {"acme/web", "1"}, {"gh/acme/web", "x"}, {"gh/acme/web", "-1"}, {"gh/acme/web", "1", "2"}, {"-nope"},
	} {
		con := clitest.New()
		assert.Equal(t, 2, con.Exit(run(t.Context(), &con.Console, args)), "%v", args)
		assert.NotEmpty(t, con.Stderr(), "%v", args)
	}
	assert.Len(t, srv.Requests(), asked)
}
