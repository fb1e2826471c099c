package circleci

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/circleci-go/circleci/internal/transport"
)

// remote reads a file from a server. If the connection breaks, it reconnects
// and resumes, provided that the server can show that the file has not changed.
type remote struct {
	client *Client
	ctx    context.Context
	url    *url.URL
	route  string // its name in errors and logs
	opts   []RequestOption
	bad    error // why no request may be sent, or nil
	blank  bool  // a response with the status 204 is an empty file

	body     io.ReadCloser
	status   int
	offset   int64
	total    int64 // of the file; -1: unknown
	part     bool  // the response is a part of the file, so its end is not proof of the file's end
	partEnd  int64 // the offset at which the part ends; 0: the response is the whole file
	version  version
	sum      uint32 // of the bytes read, if the file has no version
	failures int    // consecutive breaks without a byte in between
}

const (
	// copyBuffer is large enough for all that a connection has available.
	// Larger buffers measured slower, because file systems block large writes.
	copyBuffer = 256 << 10
	// resumeAttempts is the number of consecutive breaks, without a byte in
	// between, that make a download fail.
	resumeAttempts = 4
)

// newRemote validates the URL and the options of a file, before any I/O.
func (c *Client) newRemote(ctx context.Context, address, route string, opts []RequestOption) (*remote, error) {
	u, err := url.Parse(address)
	reason := "is not a valid URL"
	if err == nil {
		reason = transport.Refuses(c.root, u, c.plainHTTP)
	}
	if reason != "" {
		return nil, &ArgumentError{Method: http.MethodGet, Route: route, Name: "URL", Reason: reason}
	}
	if err := checkFileOptions(opts); err != nil {
		return nil, err
	}
	return &remote{client: c, ctx: ctx, url: u, route: route, opts: opts, total: -1}, nil
}

// checkFileOptions refuses the headers that a download sets itself to control
// what it receives.
func checkFileOptions(opts []RequestOption) error {
	var o callOptions
	o.apply(opts)
	if o.err != nil {
		return o.err
	}
	for _, name := range [...]string{
		"Range", "If-Range", "Accept-Encoding", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since",
	} {
		if o.header.Get(name) != "" {
			return &ArgumentError{Name: "header", Reason: name + " cannot be set: downloads use it to resume"}
		}
	}
	return nil
}

// Read reads the next bytes. Its errors are final.
func (r *remote) Read(p []byte) (int, error) {
	for {
		for r.body == nil {
			if err := r.open(); err != nil {
				return 0, err
			}
		}
		n, err := r.body.Read(p)
		r.offset += int64(n)
		if r.version == (version{}) {
			r.sum = crc32.Update(r.sum, castagnoli(), p[:n])
		}
		if n > 0 {
			r.failures = 0
		}
		switch {
		case r.total >= 0 && r.offset > r.total:
			return 0, errors.Join(r.fail(errors.New("the server sent more than the file's length")), r.Close())
		case r.partEnd > 0 && r.offset > r.partEnd:
			return 0, errors.Join(r.fail(errors.New("the server sent more than the part that it announced")), r.Close())
		case err == nil:
			return n, nil
		}
		_ = r.Close() // err is the error to report
		switch {
		case errors.Is(err, io.EOF) && (r.offset == r.total || r.total < 0 && !r.part):
			return n, io.EOF
		case r.ctx.Err() != nil:
			return n, r.fail(err)
		case r.offset == r.total: // the connection broke after the last byte
			return n, io.EOF
		}
		if err := r.pause(err); err != nil || n > 0 {
			return n, err
		}
	}
}

// pause waits before the next attempt after a break. If there is none, it
// returns the error of the download.
func (r *remote) pause(err error) error {
	if r.failures++; r.failures >= resumeAttempts || noRetry(r.opts) {
		return r.fail(err)
	}
	if slept := transport.Sleep(r.ctx, 250*time.Millisecond<<r.failures); slept != nil {
		return r.fail(slept)
	}
	return nil
}

// noRetry reports whether the options contain [NoRetry].
func noRetry(opts []RequestOption) bool {
	var o callOptions
	o.apply(opts)
	return o.once
}

// Close closes the connection. The next Read opens a new one.
func (r *remote) Close() error {
	if r.body == nil {
		return nil
	}
	err := r.body.Close()
	r.body = nil
	return err
}

func (r *remote) fail(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if ended := r.ctx.Err(); ended != nil && !errors.Is(err, ended) {
		err = ended
	}
	return &TransportError{
		Method: http.MethodGet, Route: r.route, Attempts: max(r.failures, 1),
		Err: fmt.Errorf("%s: %w", r.progress(), err),
	}
}

// progress says in an error how far the download came.
func (r *remote) progress() string {
	text := fmt.Sprintf("after %d bytes", r.offset)
	if r.total >= 0 {
		text += fmt.Sprintf(" of %d", r.total)
	}
	return text
}

// open opens a connection for the rest of the file. A file without a version is
// read again from the start, and compared with what was read before. If the
// connection breaks meanwhile, there is none: the file is to be opened again.
func (r *remote) open() error {
	if r.bad != nil {
		return r.bad
	}
	o := &callOptions{}
	o.apply(r.opts)
	if o.err != nil {
		return o.err
	}
	header := http.Header{}
	for name, values := range o.header {
		header[name] = values
	}
	header.Set("Accept-Encoding", "identity") // ranges refer to unencoded bytes
	asked := r.offset > 0 && r.version != (version{})
	if asked {
		header.Set("Range", "bytes="+strconv.FormatInt(r.offset, 10)+"-")
		header.Set("If-Range", r.version.ifRange())
	}
	call := &transport.Call{
		Method: http.MethodGet, Route: r.route, URL: r.url, Header: header, Stream: true, Replayable: true, Once: o.once, Bearer: o.bearer,
	}
	result, err := r.client.carryOut(r.ctx, call, o)
	if asked && result.StatusCode == http.StatusRequestedRangeNotSatisfiable && result.Header.Get("Content-Range") == fmt.Sprintf("bytes */%d", r.offset) {
		return r.end(result)
	}
	if err != nil {
		return err
	}
	r.body, r.status = result.Stream, result.StatusCode
	if r.status != http.StatusOK && r.status != http.StatusPartialContent && (r.status != http.StatusNoContent || !r.blank) {
		_ = r.Close() // nothing is lost by a close that fails
		return &DecodeError{
			Method: http.MethodGet, Route: r.route, StatusCode: r.status, RequestID: transport.RequestID(result.Header), Attempts: max(r.failures, 1),
			Err: fmt.Errorf("%s: a file has the status 200, not %d %s", r.progress(), r.status, http.StatusText(r.status)),
		}
	}
	if err = r.accept(result, asked); err == nil && r.status != http.StatusPartialContent {
		err = r.skip()
		if err != nil && !errors.Is(err, errChanged) { // it broke again
			_ = r.Close() // err is the error to report
			return r.pause(err)
		}
	}
	if err != nil {
		_ = r.Close() // err is the error to report
		return r.fail(err)
	}
	return nil
}

// end accepts a response that says that the file has no more bytes.
func (r *remote) end(result *transport.Result) error {
	err := r.version.check(result.Header)
	if r.total >= 0 && r.total != r.offset || errors.Is(err, errChanged) { // without a version, it is as long as it should be
		return r.fail(errChanged)
	}
	r.body, r.status, r.total = io.NopCloser(strings.NewReader("")), result.StatusCode, r.offset
	return nil
}

// castagnoli returns the table of a checksum that processors support, so that it
// is cheap. It is made at its first use, because it takes time.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

var (
	errChanged     = errors.New("the file has changed since the download started")
	errUnversioned = errors.New("the server no longer sends the file's ETag or Last-Modified: the file may have changed")
)

// accept checks that a response continues what was read before.
func (r *remote) accept(result *transport.Result, asked bool) error {
	if result.StatusCode != http.StatusPartialContent {
		return r.restart(result)
	}
	start, end, total, ok := contentRange(result.Header.Get("Content-Range"))
	switch {
	case !asked:
		return errors.New("the server sent a part of the file, but the whole file was requested")
	case !ok:
		return errors.New("the server sent a part of the file without a valid Content-Range")
	case start != r.offset:
		return fmt.Errorf("the server sent the bytes from %d, but those from %d were requested", start, r.offset)
	case r.total >= 0 && total >= 0 && total != r.total:
		return errChanged
	}
	if total >= 0 {
		r.total = total
	}
	r.part, r.partEnd = total < 0, end
	return r.version.check(result.Header)
}

// restart accepts the header of a response with the whole file.
func (r *remote) restart(result *transport.Result) error {
	if r.offset == 0 {
		r.version, r.total = versionOf(result.Header), -1
	}
	if r.total >= 0 && result.Length >= 0 && result.Length != r.total {
		return errChanged
	}
	if err := r.version.check(result.Header); err != nil {
		return err
	}
	r.part, r.partEnd = false, 0
	if result.Length >= 0 {
		r.total = result.Length
	}
	return nil
}

// skip reads the bytes that were read before, and compares them if the file has
// no version.
func (r *remote) skip() error {
	again := crc32.New(castagnoli())
	_, err := io.CopyN(again, r.body, r.offset)
	switch {
	case errors.Is(err, io.EOF) && r.total < 0: // it is shorter now
		return errChanged
	case err == nil && r.version == (version{}) && again.Sum32() != r.sum:
		return errChanged
	}
	return err
}

// version identifies the content of a file, to detect changes: its ETag, or
// otherwise its Last-Modified time. The zero version proves nothing.
type version struct{ etag, modified string }

// versionOf returns the version in a response. It ignores a weak ETag, which
// does not guarantee equal bytes, and the time of a file that changed just
// before it was sent.
func versionOf(h http.Header) version {
	if etag := h.Get("ETag"); etag != "" {
		if strings.HasPrefix(etag, "W/") {
			return version{}
		}
		return version{etag: etag}
	}
	modified, err := http.ParseTime(h.Get("Last-Modified"))
	sent, sentErr := http.ParseTime(h.Get("Date"))
	if err != nil || sentErr != nil || sent.Sub(modified) < time.Minute {
		return version{}
	}
	return version{modified: h.Get("Last-Modified")}
}

func (v version) ifRange() string {
	if v.etag != "" {
		return v.etag
	}
	return v.modified
}

// check compares a version with that of another response.
func (v version) check(h http.Header) error {
	there := h.Get("Last-Modified")
	if v.etag != "" {
		there = h.Get("ETag")
	}
	switch {
	case v == version{} || there == v.ifRange():
		return nil
	case there == "":
		return errUnversioned
	}
	return errChanged
}

// contentRange returns the offsets of a part's start and end, and the length of
// the file, or -1 if the server does not know it.
func contentRange(header string) (start, end, total int64, ok bool) {
	span, length, found := strings.Cut(strings.TrimPrefix(header, "bytes "), "/")
	first, last, dashed := strings.Cut(span, "-")
	start, err := strconv.ParseInt(first, 10, 64)
	end, endErr := strconv.ParseInt(last, 10, 64)
	if !found || !dashed || err != nil || endErr != nil || end < start || end == math.MaxInt64 {
		return 0, 0, 0, false
	}
	end++
	if length == "*" {
		return start, end, -1, true
	}
	total, err = strconv.ParseInt(length, 10, 64)
	return start, end, total, err == nil && total >= end
}

// progressWriter reports the number of bytes written after each write.
type progressWriter struct {
	dst     io.Writer
	written int64
	tell    func(written int64)
}

func (w *progressWriter) Write(p []byte) (int, error) {
	n, err := w.dst.Write(p)
	w.written += int64(n)
	w.tell(w.written)
	return n, err
}
