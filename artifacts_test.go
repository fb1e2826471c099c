package circleci_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// jobWith runs a job that stores artifacts, in a bubble, and returns its
// number.
func jobWith(t *testing.T, srv *circlecitest.Server, artifacts ...circlecitest.Artifact) int64 {
	t.Helper()
	srv.Script(webSlug, plain(circlecitest.Workflow("a", circlecitest.Job("x").WithArtifacts(artifacts...))))
	c := srv.Client()
	r, err := c.Pipelines.Wait(t.Context(), srv.StartPipeline(webSlug, "main"), &circleci.WaitOptions{WithJobs: true})
	require.NoError(t, err)
	for _, jobs := range r.Jobs {
		return jobs[0].Number
	}
	t.Fatal("there is no job")
	return 0
}

const long = 3 << 20 // bytes of an artifact that takes several writes

func longText() string { return strings.Repeat("0123456789abcdef", long/16) }

func TestDownloadArtifact(t *testing.T) {
	own := func(cut int64) circlecitest.Response { return circlecitest.Response{Executed: true, CutAfter: cut} }
	for name, c := range map[string]struct {
		storage, host []circlecitest.Response
		requests      int // of the storage
		fails         error
	}{
		"at once":                      {requests: 1},
		"a connection that breaks":     {storage: []circlecitest.Response{own(1_500_000)}, requests: 2},
		"one that breaks at each step": {storage: []circlecitest.Response{own(1), own(1), own(70_000), {Broken: true}, own(1_000_000)}, requests: 6},
		"a storage that is down":       {storage: []circlecitest.Response{{Status: 503}, {Status: 500}}, requests: 3},
		"a limit of the host":          {host: []circlecitest.Response{{Status: 429, Header: http.Header{"Retry-After": {"7"}}}}, requests: 1},
		"a storage that says no":       {storage: []circlecitest.Response{{Status: 403}}, requests: 1, fails: circleci.ErrForbidden},
		"gone":                         {host: []circlecitest.Response{{Status: 404}}, requests: 0, fails: circleci.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := circlecitest.New(t)
				number := jobWith(t, srv, circlecitest.Artifact{Path: "a b/log.txt", Content: longText()})
				artifacts, err := srv.Client().Jobs.ListArtifacts(webSlug, number).Collect(t.Context())
				require.NoError(t, err)
				srv.Fail("storage", c.storage...)
				srv.Fail("artifact", c.host...)
				var out bytes.Buffer
				n, err := srv.Client().Jobs.DownloadArtifact(t.Context(), artifacts[0], &out)
				requests := 0
				for _, r := range srv.Requests() {
					if r.Operation == "storage" {
						requests++
						assert.NotContains(t, r.Header, "Circle-Token", "the storage must not get the token")
					}
				}
				assert.Equal(t, c.requests, requests)
				if c.fails != nil {
					assert.ErrorIs(t, err, c.fails)
					return
				}
				require.NoError(t, err)
				assert.EqualValues(t, long, n)
				assert.Equal(t, longText(), out.String(), "byte for byte")
			})
		})
	}
}

// What cannot be resumed is an error that says how far it came.
func TestADownloadThatCannotGoOn(t *testing.T) {
	for name, c := range map[string]struct {
		then  []circlecitest.Response
		text  string
		wrote int
	}{
		"breaks for ever": {
			then: []circlecitest.Response{{Broken: true}, {Broken: true}, {Broken: true}, {Broken: true}, {Broken: true}},
			text: "connection reset",
		},
		"another file now": {
			then: []circlecitest.Response{{Body: "another", Header: http.Header{"Etag": {`"other"`}, "Content-Type": {"text/plain"}}}},
			text: "after 1000000 bytes of 3145728: the file has changed",
		},
		"another length now": {
			then: []circlecitest.Response{{Status: 206, Body: "x", Header: http.Header{"Content-Range": {"bytes 1000000-1000000/1000001"}}}},
			text: "the file has changed",
		},
		"a part of which nobody knows": {
			then: []circlecitest.Response{{Status: 206, Body: "x"}},
			text: "without a valid Content-Range",
		},
		"a part from further on": {
			then: []circlecitest.Response{{Status: 206, Body: "x", Header: http.Header{"Content-Range": {fmt.Sprintf("bytes 1000001-1000001/%d", long)}}}},
			text: "the bytes from 1000001, but those from 1000000 were requested",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := circlecitest.New(t)
				number := jobWith(t, srv, circlecitest.Artifact{Path: "log.txt", Content: longText()})
				artifacts, err := srv.Client().Jobs.ListArtifacts(webSlug, number).Collect(t.Context())
				require.NoError(t, err)
				srv.Fail("storage", append([]circlecitest.Response{{Executed: true, CutAfter: 1_000_000}}, c.then...)...)
				var out bytes.Buffer
				n, err := srv.Client().Jobs.DownloadArtifact(t.Context(), artifacts[0], &out)
				require.ErrorContains(t, err, c.text)
				assert.EqualValues(t, 1_000_000, n, "what came before is handed over")
				assert.Equal(t, longText()[:n], out.String())
			})
		})
	}
}

// A server that knows no ranges sends all of it again.
func TestADownloadFromAServerWithoutRanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		number := jobWith(t, srv, circlecitest.Artifact{Path: "log.txt", Content: longText()})
		artifacts, err := srv.Client().Jobs.ListArtifacts(webSlug, number).Collect(t.Context())
		require.NoError(t, err)
		plain := http.Header{"Content-Type": {"text/plain"}}
		srv.Fail("storage", circlecitest.Response{Body: longText(), Header: plain, CutAfter: 1_234_567}, circlecitest.Response{Body: longText(), Header: plain})
		var out bytes.Buffer
		_, err = srv.Client().Jobs.DownloadArtifact(t.Context(), artifacts[0], &out)
		require.NoError(t, err)
		assert.Equal(t, longText(), out.String())
	})
}

func TestArtifactURLsThatAreRefused(t *testing.T) {
	srv := circlecitest.New(t)
	for _, u := range []string{"", "/output/x", "http://output.circle-artifacts.com/x", "ftp://h/x", "https://", "file:///etc/passwd", "https://h/%zz"} {
		_, err := srv.Client().Jobs.DownloadArtifact(t.Context(), circleci.Artifact{URL: u}, &bytes.Buffer{})
		assert.ErrorIs(t, err, circleci.ErrInvalidArgument, u)
	}
	assert.Empty(t, srv.Requests())
}

func TestDownloadArtifacts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		number := jobWith(t, srv,
			circlecitest.Artifact{Path: "coverage/index.html", Content: "<html>"},
			circlecitest.Artifact{Path: "big.bin", Content: "x", Size: long},
			circlecitest.Artifact{Path: "empty"},
			circlecitest.Artifact{Path: "../../outside", Content: "in"},
		)
		srv.Fail("storage", circlecitest.Response{Executed: true, CutAfter: 3})
		dir := filepath.Join(t.TempDir(), "new", "dir")
		progress, underWay := map[string]circleci.DownloadProgress{}, false
		files, err := srv.Client().Jobs.DownloadArtifacts(t.Context(), webSlug, number, dir, &circleci.DownloadOptions{
			OnProgress: func(p circleci.DownloadProgress) {
				progress[p.Path] = p
				underWay = underWay || !p.Done && p.Written > 0
			},
		})
		require.NoError(t, err)
		assert.True(t, underWay, "progress is told before the end, too")
		assert.Equal(t, map[string]int64{"coverage/index.html": 6, "big.bin": long, "empty": 0, "outside": 2}, sizes(t, dir))
		assert.Len(t, files, 4)
		assert.Equal(t, filepath.Join(dir, "coverage", "index.html"), files[0].Path)
		assert.EqualValues(t, long, files[1].Size)
		for _, p := range progress {
			assert.True(t, p.Done, "%+v", p)
			assert.Equal(t, p.Total, p.Written)
		}
	})
}

// sizes lists the files below a directory.
func sizes(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	found := map[string]int64{}
	require.NoError(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, p)
		found[filepath.ToSlash(name)] = info.Size()
		return err
	}))
	return found
}

func TestDownloadArtifactsChooses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		number := jobWith(t, srv,
			circlecitest.Artifact{Path: "out/a.xml", Content: "a0"}, circlecitest.Artifact{Path: "out/a.xml", Content: "a1!", NodeIndex: 1},
			circlecitest.Artifact{Path: "out/b.txt", Content: "b"}, circlecitest.Artifact{Path: "OUT/A.xml", Content: "up"},
		)
		one := int64(1)
		for name, c := range map[string]struct {
			options *circleci.DownloadOptions
			want    map[string]int64
		}{
			"several nodes": {nil, map[string]int64{"0/out/a.xml": 2, "1/out/a.xml": 3, "0/out/b.txt": 1, "0/OUT/A.xml~2": 2}},
			"a node":        {&circleci.DownloadOptions{Node: &one}, map[string]int64{"out/a.xml": 3}},
			"a glob":        {&circleci.DownloadOptions{Glob: "out/*.txt"}, map[string]int64{"out/b.txt": 1}},
			"a function": {&circleci.DownloadOptions{Match: func(a circleci.JobArtifact) bool { return a.Path == "OUT/A.xml" }, Concurrency: 9},
				map[string]int64{"OUT/A.xml": 2}},
			"nothing": {&circleci.DownloadOptions{Glob: "none"}, map[string]int64{}},
		} {
			dir := t.TempDir()
			_, err := srv.Client().Jobs.DownloadArtifacts(t.Context(), webSlug, number, dir, c.options)
			require.NoError(t, err, name)
			assert.Equal(t, c.want, sizes(t, dir), name)
		}
		_, err := srv.Client().Jobs.DownloadArtifacts(t.Context(), webSlug, number, t.TempDir(), &circleci.DownloadOptions{Glob: "["})
		assert.ErrorIs(t, err, circleci.ErrInvalidArgument)
	})
}

// What the storage takes for two names may be a file and its own directory here.
func TestAFileWithTheNameOfADirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		number := jobWith(t, srv, circlecitest.Artifact{Path: "log", Content: "a"}, circlecitest.Artifact{Path: "log/1", Content: "bb"},
			circlecitest.Artifact{Path: "LOG.", Content: "ccc"})
		dir := t.TempDir()
		_, err := srv.Client().Jobs.DownloadArtifacts(t.Context(), webSlug, number, dir, nil)
		require.NoError(t, err)
		assert.Equal(t, map[string]int64{"log~2": 1, "log/1": 2, "LOG~3": 3}, sizes(t, dir))
	})
}

// No partial file bears its final name, and what is whole stays.
func TestDownloadArtifactsThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		number := jobWith(t, srv, circlecitest.Artifact{Path: "good", Content: "g"}, circlecitest.Artifact{Path: "bad", Content: longText()})
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "bad"), []byte("the old one"), 0o600))
		cut := circlecitest.Response{Executed: true, CutAfter: 100_000}
		broken := circlecitest.Response{Broken: true}
		srv.Fail("storage", circlecitest.Response{Executed: true}, cut, broken, broken, broken, broken, broken, broken)
		files, err := srv.Client().Jobs.DownloadArtifacts(t.Context(), webSlug, number, dir, &circleci.DownloadOptions{Concurrency: 1})
		require.ErrorContains(t, err, `artifact "bad" of node 0`)
		require.Len(t, files, 1)
		assert.Equal(t, "good", files[0].Artifact.Path)
		assert.Equal(t, map[string]int64{"good": 1, "bad": int64(len("the old one"))}, sizes(t, dir))
	})
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		number := jobWith(t, srv, circlecitest.Artifact{Path: "a", Content: longText()}, circlecitest.Artifact{Path: "b", Content: longText()})
		srv.Fail("storage", circlecitest.Response{Executed: true, Latency: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		dir := t.TempDir()
		_, err := srv.Client().Jobs.DownloadArtifacts(ctx, webSlug, number, dir, &circleci.DownloadOptions{Concurrency: 1})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Empty(t, sizes(t, dir))
	})
}

// A response without the file leaves nothing under the file's name.
func TestDownloadArtifactsOfAnotherStatus(t *testing.T) {
	for _, status := range []int{202, 204} {
		synctest.Test(t, func(t *testing.T) {
			srv := circlecitest.New(t)
			number := jobWith(t, srv, circlecitest.Artifact{Path: "a", Content: "text"})
			srv.Fail("storage", circlecitest.Response{Status: status})
			dir := t.TempDir()
			files, err := srv.Client().Jobs.DownloadArtifacts(t.Context(), webSlug, number, dir, nil)
			require.ErrorContains(t, err, fmt.Sprintf("not %d %s", status, http.StatusText(status)))
			assert.Empty(t, files)
			assert.Empty(t, sizes(t, dir))
		})
	}
}

// A link within the directory does not lead out of it.
func TestALinkDoesNotLeadOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		number := jobWith(t, srv, circlecitest.Artifact{Path: "link/file", Content: "x"})
		dir, outside := t.TempDir(), t.TempDir()
		require.NoError(t, os.Symlink(outside, filepath.Join(dir, "link")))
		_, err := srv.Client().Jobs.DownloadArtifacts(t.Context(), webSlug, number, dir, nil)
		require.Error(t, err)
		assert.Empty(t, sizes(t, outside))
	})
}

// hostilePaths are the paths of artifacts that nobody means well with.
var hostilePaths = []string{
	"a/b", "../x", "/etc/passwd", `C:\x`, "a\x00b", "..", "", "con", "a/../../b", strings.Repeat("ü", 300), "x. ", "~", "a//b", "./.",
	`..\..\x`, "nul.txt", "a:b", "a\nb", "\xff", strings.Repeat("a/", 50), "COM1", " ", "...", "-rf",
	strings.Repeat("u", 198) + "  x", // a space is last once it is cut
}

func TestHostilePathsAreNamesOnThisSystem(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	require.NoError(t, err)
	defer func() { _ = root.Close() }()
	for i, p := range hostilePaths {
		name := filepath.Join(strconv.Itoa(i), circleci.LocalName(p)) // some come to the same
		require.NoError(t, root.MkdirAll(filepath.Dir(name), 0o700), "%q", p)
		require.NoError(t, root.WriteFile(name, nil, 0o600), "%q", p)
	}
}

func FuzzArtifactPath(f *testing.F) {
	for _, p := range hostilePaths {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		if len(p) > 700 {
			return // a long one finds nothing more, and takes minutes to minimize
		}
		name := circleci.LocalName(p)
		require.True(t, filepath.IsLocal(name), "%q becomes %q", p, name)
		assert.Equal(t, name, filepath.Clean(name))
		assert.Equal(t, name, circleci.LocalName(name), "%q: a name that is one already changes", p)
		for part := range strings.SplitSeq(name, string(filepath.Separator)) {
			assert.NotEmpty(t, part)
			assert.LessOrEqual(t, len(part), 240, "%q: a system's names are shorter, and a suffix may come", p)
			assert.True(t, utf8.ValidString(part), "%q", part)
			assert.False(t, strings.ContainsFunc(part, unicode.IsControl), "%q", part)
			assert.False(t, strings.ContainsAny(part, `<>:"|?*\/`), "%q is no name on Windows", part)
			assert.False(t, strings.HasSuffix(part, ".") || strings.HasSuffix(part, " "), "%q is another name on Windows", part)
		}
	})
}

// A real connection that breaks, with real sizes.
func TestDownloadOverASocket(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.Script(webSlug, plain(circlecitest.Workflow("a", circlecitest.Job("x").WithArtifacts(circlecitest.Artifact{Path: "a", Content: longText()}))))
	srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Hour)
	c, err := circleci.NewClient(srv.Token(), circleci.WithBaseURL(srv.URL()))
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	artifacts, err := c.Jobs.ListArtifacts(webSlug, 1).Collect(t.Context())
	require.NoError(t, err)
	srv.Fail("storage", circlecitest.Response{Executed: true, CutAfter: 2_000_000})
	var out bytes.Buffer
	_, err = c.Jobs.DownloadArtifact(t.Context(), artifacts[0], &out)
	require.NoError(t, err)
	assert.Equal(t, longText(), out.String())
}

var errDisk = errors.New("the disk is full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errDisk }

func TestAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		number := jobWith(t, srv, circlecitest.Artifact{Path: "a", Content: longText()})
		artifacts, err := srv.Client().Jobs.ListArtifacts(webSlug, number).Collect(t.Context())
		require.NoError(t, err)
		_, err = srv.Client().Jobs.DownloadArtifact(t.Context(), artifacts[0], fullDisk{})
		assert.ErrorIs(t, err, errDisk)
	})
}
