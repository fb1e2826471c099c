package circleci_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

// fileServer answers the requests of a download, the last answer again and again.
type fileServer struct {
	answers []fileAnswer
	seen    []http.Header
}

type fileAnswer struct {
	status int // 0: 200
	header http.Header
	body   string
	length int64 // as announced; 0: the body's, -1: none
	breaks bool  // behind the body
	delay  time.Duration
}

var errBroken = errors.New("the connection broke")

func (s *fileServer) RoundTrip(req *http.Request) (*http.Response, error) {
	answer := s.answers[min(len(s.seen), len(s.answers)-1)]
	s.seen = append(s.seen, req.Header.Clone())
	select {
	case <-time.After(answer.delay):
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	var body io.Reader = strings.NewReader(answer.body)
	length := int64(len(answer.body))
	if answer.breaks {
		body, length = io.MultiReader(body, cutReader{}), -1
	}
	if answer.length != 0 {
		length = answer.length
	}
	header := answer.header
	if header == nil {
		header = http.Header{}
	}
	status := answer.status
	if status == 0 {
		status = 200
	}
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: header, Body: io.NopCloser(body), ContentLength: length,
	}, nil
}

type cutReader struct{}

func (cutReader) Read([]byte) (int, error) { return 0, errBroken }

func (s *fileServer) get(t testing.TB, opts ...circleci.RequestOption) (string, error) {
	t.Helper()
	c, err := circleci.NewClient("CCIPAT_test", circleci.WithHTTPClient(&http.Client{Transport: s}), circleci.WithRetry(circleci.RetryPolicy{MaxAttempts: 1}))
	require.NoError(t, err)
	var out bytes.Buffer
	_, err = c.Jobs.DownloadArtifact(t.Context(), circleci.Artifact{URL: "https://files.example.com/a"}, &out, opts...)
	return out.String(), err
}

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

func TestADownloadIsOfOneVersion(t *testing.T) {
	const (
		text    = "0123456789"
		another = "01234abcde"
		old     = "Mon, 02 Feb 2026 10:00:00 GMT"
		older   = "Mon, 02 Feb 2026 09:00:00 GMT"
		date    = "Mon, 02 Feb 2026 12:00:00 GMT"
	)
	first := func(header ...string) fileAnswer {
		return fileAnswer{header: headers(header...), body: text[:5], length: 10, breaks: true}
	}
	part := func(contentRange, body string, header ...string) fileAnswer {
		return fileAnswer{status: 206, header: headers(append(header, "Content-Range", contentRange)...), body: body}
	}
	rest := func(header ...string) fileAnswer { return part("bytes 5-9/10", text[5:], header...) }
	for name, c := range map[string]struct {
		answers  []fileAnswer
		fails    string
		requests int
		resumes  bool // by a range
	}{
		"a part that was not requested":          {answers: []fileAnswer{part("bytes 0-4/10", "01234", "ETag", `"a"`)}, fails: "whole file was requested", requests: 1},
		"the same ETag":                          {answers: []fileAnswer{first("ETag", `"a"`), rest("ETag", `"a"`)}, requests: 2, resumes: true},
		"another ETag":                           {answers: []fileAnswer{first("ETag", `"a"`), rest("ETag", `"b"`)}, fails: "the file has changed", requests: 2, resumes: true},
		"no ETag any more":                       {answers: []fileAnswer{first("ETag", `"a"`), rest()}, fails: "may have changed", requests: 2, resumes: true},
		"all of it, without an ETag":             {answers: []fileAnswer{first("ETag", `"a"`), {body: another}}, fails: "may have changed", requests: 2, resumes: true},
		"all of it, with the same ETag":          {answers: []fileAnswer{first("ETag", `"a"`), {body: text, header: headers("ETag", `"a"`)}}, requests: 2, resumes: true},
		"the same time":                          {answers: []fileAnswer{first("Last-Modified", old, "Date", date), rest("Last-Modified", old)}, requests: 2, resumes: true},
		"another time":                           {answers: []fileAnswer{first("Last-Modified", old, "Date", date), rest("Last-Modified", older)}, fails: "the file has changed", requests: 2, resumes: true},
		"a time of just now proves nothing":      {answers: []fileAnswer{first("Last-Modified", date, "Date", date), {body: text}}, requests: 2},
		"a weak ETag proves nothing":             {answers: []fileAnswer{first("ETag", `W/"a"`), {body: text, header: headers("ETag", `W/"a"`)}}, requests: 2},
		"nothing to compare but the bytes":       {answers: []fileAnswer{first(), {body: text}}, requests: 2},
		"other bytes":                            {answers: []fileAnswer{first(), {body: "x123456789"}}, fails: "the file has changed", requests: 2},
		"another length":                         {answers: []fileAnswer{first(), {body: text + "0"}}, fails: "the file has changed", requests: 2},
		"a shorter file":                         {answers: []fileAnswer{{body: text[:5], length: -1, breaks: true}, {body: text[:3], length: -1}}, fails: "the file has changed", requests: 2},
		"breaks while it is compared":            {answers: []fileAnswer{first(), {body: text[:3], length: 10, breaks: true}, {body: text[:2], length: 10, breaks: true}, {body: text}}, requests: 4},
		"breaks while it is skipped":             {answers: []fileAnswer{first("ETag", `"a"`), {body: text[:3], length: 10, breaks: true, header: headers("ETag", `"a"`)}, rest("ETag", `"a"`)}, requests: 3, resumes: true},
		"other bytes after another break":        {answers: []fileAnswer{first(), {body: text[:3], length: 10, breaks: true}, {body: "x123456789"}}, fails: "the file has changed", requests: 3},
		"a part that nobody can place":           {answers: []fileAnswer{first("ETag", `"a"`), part("bytes */10", text[5:], "ETag", `"a"`)}, fails: "without a valid Content-Range", requests: 2, resumes: true},
		"a part without a start":                 {answers: []fileAnswer{first("ETag", `"a"`), part("bytes -9/10", text[5:], "ETag", `"a"`)}, fails: "without a valid Content-Range", requests: 2, resumes: true},
		"a part without an end":                  {answers: []fileAnswer{first("ETag", `"a"`), part("bytes 5-/10", text[5:], "ETag", `"a"`)}, fails: "without a valid Content-Range", requests: 2, resumes: true},
		"a part before the file":                 {answers: []fileAnswer{first("ETag", `"a"`), part("bytes --1-9/10", text[5:], "ETag", `"a"`)}, fails: "without a valid Content-Range", requests: 2, resumes: true},
		"a part of no file":                      {answers: []fileAnswer{first("ETag", `"a"`), part("bytes 5-9", text[5:], "ETag", `"a"`)}, fails: "without a valid Content-Range", requests: 2, resumes: true},
		"a part of unknown length":               {answers: []fileAnswer{first("ETag", `"a"`), part("bytes 5-9/*", text[5:], "ETag", `"a"`)}, requests: 2, resumes: true},
		"a short part of unknown length":         {answers: []fileAnswer{first("ETag", `"a"`), part("bytes 5-7/*", text[5:8], "ETag", `"a"`), part("bytes 8-9/10", text[8:], "ETag", `"a"`)}, requests: 3, resumes: true},
		"more than the length":                   {answers: []fileAnswer{first("ETag", `"a"`), {status: 206, header: headers("ETag", `"a"`, "Content-Range", "bytes 5-9/10"), body: text[5:] + "x", length: -1}}, fails: "more than the file's length", requests: 2, resumes: true},
		"an end that the server has to be asked": {answers: []fileAnswer{{header: headers("ETag", `"a"`), body: text[:5], length: -1, breaks: true}, {status: 206, header: headers("ETag", `"a"`, "Content-Range", "bytes 5-9/*"), body: text[5:], length: -1}, {status: 416, header: headers("Content-Range", "bytes */10")}}, requests: 3, resumes: true},
		"more than the part":                     {answers: []fileAnswer{first("ETag", `"a"`), part("bytes 5-7/10", "567xx", "ETag", `"a"`)}, fails: "more than the part", requests: 2, resumes: true},
		"an end before the length":               {answers: []fileAnswer{first("ETag", `"a"`), {status: 416, header: headers("Content-Range", "bytes */5")}}, fails: "the file has changed", requests: 2, resumes: true},
		"the end of another version":             {answers: []fileAnswer{{header: headers("ETag", `"a"`), body: text[:5], length: -1, breaks: true}, {status: 416, header: headers("ETag", `"b"`, "Content-Range", "bytes */5")}}, fails: "the file has changed", requests: 2, resumes: true},
		"a connection that breaks at the end":    {answers: []fileAnswer{{body: text, length: 10, breaks: true}}, requests: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fileServer{answers: c.answers}
				got, err := s.get(t)
				require.Len(t, s.seen, c.requests)
				for i, h := range s.seen {
					assert.Equal(t, "identity", h.Get("Accept-Encoding"), "ranges count the bytes of the file")
					assert.Equal(t, c.resumes && i > 0, h.Get("Range") != "")
					assert.Equal(t, c.resumes && i > 0, h.Get("If-Range") != "")
					assert.NotContains(t, h, "Circle-Token")
				}
				if c.fails != "" {
					require.ErrorContains(t, err, c.fails)
					return
				}
				require.NoError(t, err)
				assert.Equal(t, text, got)
			})
		})
	}
}

func TestADownloadGivesUpAfterFourBreaksWithoutAByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		etag := headers("ETag", `"a"`)
		s := &fileServer{answers: []fileAnswer{
			{header: etag, body: "01234", length: 10, breaks: true},
			{status: 206, header: headers("ETag", `"a"`, "Content-Range", "bytes 5-9/10"), length: 5, breaks: true},
		}}
		got, err := s.get(t)
		require.ErrorIs(t, err, errBroken)
		assert.ErrorContains(t, err, "after 5 bytes of 10")
		assert.Equal(t, "01234", got)
		assert.Len(t, s.seen, 4, "the first break, and three without a byte")
	})
}

// Bytes that were read before are no progress.
func TestADownloadGivesUpAfterFourBreaksWhileItIsCompared(t *testing.T) {
	for name, c := range map[string]struct {
		opts     []circleci.RequestOption
		requests int
		cause    error
	}{
		"four breaks":  {nil, 4, errBroken},
		"a time limit": {[]circleci.RequestOption{circleci.Timeout(time.Second)}, 2, context.DeadlineExceeded},
		"no retries":   {[]circleci.RequestOption{circleci.NoRetry()}, 1, errBroken},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &fileServer{answers: []fileAnswer{
				{body: "01234", length: 10, breaks: true},
				{body: "0123", length: 10, breaks: true},
			}}
			got, err := s.get(t, c.opts...)
			require.ErrorIs(t, err, c.cause, name)
			assert.ErrorContains(t, err, "after 5 bytes of 10", name)
			assert.Equal(t, "01234", got)
			assert.Len(t, s.seen, c.requests, name)
		})
	}
}

// Other statuses do not come with a file, or with one that a proxy has changed.
func TestADownloadNeedsTheStatusOfAFile(t *testing.T) {
	for _, status := range []int{201, 202, 203, 204, 205, 226} {
		var failed *circleci.DecodeError
		s := &fileServer{answers: []fileAnswer{{status: status, body: "text", header: headers("X-Request-Id", "r1")}}}
		got, err := s.get(t)
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, status, failed.StatusCode)
		assert.Equal(t, "r1", failed.RequestID)
		require.ErrorContains(t, err, fmt.Sprintf("after 0 bytes: a file has the status 200, not %d", status))
		assert.Empty(t, got)
		assert.Len(t, s.seen, 1)

		synctest.Test(t, func(t *testing.T) {
			s := &fileServer{answers: []fileAnswer{
				{body: "01234", length: 10, breaks: true, header: headers("ETag", `"a"`)},
				{status: status, body: "0123456789", header: headers("ETag", `"a"`)},
			}}
			got, err := s.get(t)
			require.ErrorContains(t, err, fmt.Sprintf("after 5 bytes of 10: a file has the status 200, not %d", status))
			assert.Equal(t, "01234", got)
		})
	}
}

func TestDownloadsObeyOptions(t *testing.T) {
	broken := fileAnswer{header: headers("ETag", `"a"`), body: "01234", length: 10, breaks: true}
	synctest.Test(t, func(t *testing.T) {
		s := &fileServer{answers: []fileAnswer{broken}}
		_, err := s.get(t, circleci.NoRetry())
		require.ErrorIs(t, err, errBroken)
		assert.Len(t, s.seen, 1, "NoRetry sends one request")
	})
	synctest.Test(t, func(t *testing.T) {
		slow := fileAnswer{status: 206, header: headers("ETag", `"a"`, "Content-Range", "bytes 5-9/10"), breaks: true, length: 5, delay: 40 * time.Second}
		s := &fileServer{answers: []fileAnswer{broken, slow}}
		start := time.Now()
		_, err := s.get(t, circleci.Timeout(50*time.Second))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 50*time.Second, time.Since(start), "Timeout limits a download with its resumes")
	})
	client, err := circleci.NewClient("")
	require.NoError(t, err)
	var none context.Context
	_, err = client.Jobs.DownloadArtifact(none, circleci.Artifact{URL: "https://files.example.com/a"}, io.Discard, circleci.Timeout(time.Second))
	require.ErrorIs(t, err, circleci.ErrInvalidArgument)
	for name, opt := range map[string]circleci.RequestOption{
		"Range": circleci.Header("Range", "bytes=1-"), "If-Range": circleci.Header("If-Range", `"x"`),
		"Accept-Encoding": circleci.Header("accept-encoding", "gzip"), "If-None-Match": circleci.Header("If-None-Match", "*"),
		"Query": circleci.Query("a", "b"), "CaptureBody": circleci.CaptureBody(new([]byte)),
	} {
		s := &fileServer{answers: []fileAnswer{{body: "x"}}}
		_, err := s.get(t, opt)
		assert.ErrorIs(t, err, circleci.ErrInvalidArgument, name)
		assert.Empty(t, s.seen, name)
	}
	s := &fileServer{answers: []fileAnswer{{body: "x"}}}
	_, err = s.get(t, circleci.Header("X-Team", "secret"))
	require.NoError(t, err)
	assert.NotContains(t, s.seen[0], "X-Team", "a caller's header is not for foreign hosts")
}

func TestFilesComeFromPublicHosts(t *testing.T) {
	get := func(base, address string) error {
		s := &fileServer{answers: []fileAnswer{{body: "x"}}}
		c, err := circleci.NewClient("CCIPAT_test", circleci.WithBaseURL(base), circleci.WithHTTPClient(&http.Client{Transport: s}))
		require.NoError(t, err)
		_, err = c.Jobs.DownloadArtifact(t.Context(), circleci.Artifact{URL: address}, io.Discard)
		assert.Equal(t, err == nil, len(s.seen) == 1)
		return err
	}
	const cloud, server = "https://circleci.com", "https://ci.example.com"
	for _, address := range []string{
		"http://127.0.0.1:2375/images", "http://files.example.com/a", "https://127.0.0.1/a", "https://10.0.0.1/a", "https://[::1]/a",
		"https://0x7f.1/a", "https://2130706433/a", "https://localhost/a", "https://db.localhost/a", "https://printer/a",
		"https://metadata.google.internal/a", "https://nas.local/a", "https://127.0.0.１/a", "https://１２７.0.0.１/a", "https://db.ｌｏｃａｌｈｏｓｔ/a", "https://user:pw@files.example.com/a", "ftp://files.example.com/a",
	} {
		assert.ErrorIs(t, get(cloud, address), circleci.ErrInvalidArgument, address)
	}
	assert.NoError(t, get(cloud, "https://files.example.com/a"))
	for base, want := range map[string]bool{cloud: false, server: true} {
		s := &fileServer{answers: []fileAnswer{{status: 302, header: http.Header{"Location": {"https://10.0.0.1/a"}}}, {body: "x"}}}
		c, err := circleci.NewClient("CCIPAT_test", circleci.WithBaseURL(base), circleci.WithHTTPClient(&http.Client{Transport: s}))
		require.NoError(t, err)
		_, err = c.Jobs.DownloadArtifact(t.Context(), circleci.Artifact{URL: "https://files.example.com/a"}, io.Discard)
		assert.Equal(t, want, err == nil, "a redirect of a client of %s: %v", base, err)
		assert.Equal(t, want, len(s.seen) == 2)
	}
	assert.NoError(t, get(server, "https://10.0.0.1/a"), "a server may keep its files in its own network")
	assert.NoError(t, get("http://localhost:9000", "http://localhost:9000/a"))
	assert.NoError(t, get("http://127.0.0.1:9000", "http://127.0.0.1:9001/a"), "the fake has two ports")
	assert.ErrorIs(t, get(server, "http://ci.example.com/a"), circleci.ErrInvalidArgument)
	assert.ErrorIs(t, get(server, "http://127.0.0.1/a"), circleci.ErrInvalidArgument)
}

func TestADownloadDoesNotWriteToAFileThatExists(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	require.NoError(t, err)
	defer func() { _ = root.Close() }()
	require.NoError(t, root.WriteFile("a.partial", []byte("another's"), 0o600))
	_, err = circleci.CreateNew(root, "a.partial")
	require.ErrorIs(t, err, os.ErrExist)
}

// hostileFile answers as the bytes of a script say. It has two versions of a
// file, and is honest in two things: a version has one ETag, and a file is not
// said to be shorter than it is.
type hostileFile struct {
	script []byte
	texts  [2]string
}

func (h *hostileFile) next() int {
	if len(h.script) == 0 {
		return 0
	}
	b := h.script[0]
	h.script = h.script[1:]
	return int(b)
}

func (h *hostileFile) RoundTrip(req *http.Request) (*http.Response, error) {
	version := h.next() % 2
	text, header := h.texts[version], http.Header{}
	switch h.next() % 4 {
	case 0, 1:
		header.Set("ETag", fmt.Sprintf(`"%d"`, version))
	case 2:
		header.Set("Last-Modified", fmt.Sprintf("Mon, 02 Feb 2026 1%d:00:00 GMT", version))
		header.Set("Date", "Mon, 02 Feb 2026 15:00:00 GMT")
	}
	from := 0
	_, _ = fmt.Sscanf(req.Header.Get("Range"), "bytes=%d-", &from)
	status, end := 200, len(text)
	switch h.next() % 6 {
	case 0: // the range, if the version is the one it is for
		if r := req.Header.Get("If-Range"); from > 0 && (r == header.Get("ETag") || r == header.Get("Last-Modified")) {
			status = 206
		}
	case 1: // a range, whatever it is for
		status = 206
	case 2: // another one
		status, from = 206, h.next()%len(text)
	case 3: // a part of it
		status, end = 206, min(len(text), from+1+h.next()%8)
	case 4:
		status = []int{404, 416, 503, 429, 204}[h.next()%5]
	}
	body := text
	if status == 206 && from < end {
		body = text[from:end]
		total := []string{strconv.Itoa(len(text)), "*", strconv.Itoa(len(text) + 1)}[h.next()%3]
		header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%s", from, end-1, total))
	}
	length := int64(len(body))
	if h.next()%3 == 0 {
		length = -1
	}
	var src io.Reader = strings.NewReader(body)
	if cut := h.next() % 3; cut > 0 {
		src = io.MultiReader(strings.NewReader(body[:h.next()%(len(body)+1)]), cutReader{})
	}
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: header, Body: io.NopCloser(src), ContentLength: length,
	}, nil
}

// A file has its final name only if it is whole, and of one version.
func FuzzDownloadFromAHostileServer(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0, 5, 1, 1, 7, 1, 0, 1, 1, 0, 0})
	f.Add([]byte{0, 3, 5, 1, 1, 5, 1, 3, 5, 1, 0})
	f.Add([]byte{0, 2, 5, 1, 1, 9, 1, 2, 1, 0, 1, 0})
	f.Add([]byte{0, 0, 5, 0, 1, 6, 0, 0, 3, 3, 1, 1, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 200 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			h := &hostileFile{script: script, texts: [2]string{"the first version.", "the other, longer version."}}
			list := `{"items":[{"path":"a","node_index":0,"url":"https://files.example.com/a"}]}`
			rt := roundTrip(func(req *http.Request) (*http.Response, error) {
				if req.URL.Host == "files.example.com" {
					return h.RoundTrip(req)
				}
				return &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Request: req, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(list)), ContentLength: -1}, nil
			})
			c, err := circleci.NewClient("CCIPAT_test", circleci.WithHTTPClient(&http.Client{Transport: rt}))
			require.NoError(t, err)
			dir := t.TempDir()
			files, err := c.Jobs.DownloadArtifacts(t.Context(), webSlug, 1, dir, nil, circleci.Timeout(time.Hour))
			there, readErr := os.ReadFile(dir + "/a")
			entries, _ := os.ReadDir(dir)
			if err != nil {
				assert.Empty(t, files)
				assert.Empty(t, entries, "nothing is left of a download that failed")
				return
			}
			require.NoError(t, readErr)
			assert.Contains(t, h.texts, string(there))
			assert.Len(t, entries, 1)
		})
	})
}
