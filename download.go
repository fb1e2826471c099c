package circleci

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/circleci-go/circleci/internal/transport"
)

// remote reads a file that is kept elsewhere, from its beginning to its end. A
// connection that breaks is made again, and goes on where the last one ended.
type remote struct {
	client *Client
	ctx    context.Context
	url    *url.URL
	route  string // what errors and logs call it
	opts   []RequestOption
	bad    error // why nothing is to be sent; nil if all is well

	body     io.ReadCloser
	status   int
	offset   int64
	total    int64 // -1: not known
	etag     string
	failures int // in a row, without a byte between
}

const (
	// copyBuffer takes all that a connection has at once. It is written as it
	// comes: file systems hold up who fills a large one first.
	copyBuffer = 256 << 10
	// resumeAttempts is how often in a row a connection may break without a
	// byte, until a download is given up.
	resumeAttempts = 4
)

// newRemote checks where a file is said to be, before any I/O.
func (c *Client) newRemote(ctx context.Context, address, route string, opts []RequestOption) (*remote, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, &ArgumentError{Method: http.MethodGet, Route: route, Name: "URL", Reason: "is none"}
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !c.plainHTTP && !isLoopback(u.Hostname()) && !transport.SameOrigin(u, c.root)) {
		return nil, &ArgumentError{Method: http.MethodGet, Route: route, Name: "URL", Reason: "is not of the scheme https"}
	}
	return &remote{client: c, ctx: ctx, url: u, route: route, opts: opts, total: -1}, nil
}

// Read reads on. It fails only for good.
func (r *remote) Read(p []byte) (int, error) {
	for {
		if r.body == nil {
			if err := r.open(); err != nil {
				return 0, err
			}
		}
		n, err := r.body.Read(p)
		r.offset += int64(n)
		if n > 0 {
			r.failures = 0
		}
		if err == nil {
			return n, nil
		}
		_ = r.Close() // the error that counts is err
		switch {
		case errors.Is(err, io.EOF) && (r.total < 0 || r.offset == r.total):
			return n, io.EOF
		case r.ctx.Err() != nil:
			return n, r.fail(err)
		case n > 0:
			return n, nil // what has come is handed over first
		}
		if r.failures++; r.failures >= resumeAttempts {
			return 0, r.fail(err)
		}
		if err := transport.Sleep(r.ctx, 250*time.Millisecond<<r.failures); err != nil {
			return 0, r.fail(err)
		}
	}
}

// Close closes the connection. The next Read makes one again.
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
	return &TransportError{
		Method: http.MethodGet, Route: r.route, Attempts: r.failures,
		Err: fmt.Errorf("after %d bytes%s: %w", r.offset, r.ofTotal(), err),
	}
}

func (r *remote) ofTotal() string {
	if r.total < 0 {
		return ""
	}
	return " of " + strconv.FormatInt(r.total, 10)
}

// open makes a connection, for the rest of the file.
func (r *remote) open() error {
	o := &callOptions{}
	o.apply(r.opts)
	if r.bad != nil || o.err != nil {
		return cmp.Or[error](r.bad, o.err)
	}
	header := http.Header{"Accept-Encoding": {"identity"}} // a range is one of the file's own bytes
	for name, values := range o.header {
		header[name] = values
	}
	if r.offset > 0 {
		header.Set("Range", "bytes="+strconv.FormatInt(r.offset, 10)+"-")
		if r.etag != "" && !strings.HasPrefix(r.etag, "W/") {
			header.Set("If-Range", r.etag)
		}
	}
	call := &transport.Call{
		Method: http.MethodGet, Route: r.route, URL: r.url, Header: header, Stream: true, Replayable: true, Once: o.once,
	}
	result := r.client.send(r.ctx, call)
	o.store(result)
	if result.StatusCode == http.StatusRequestedRangeNotSatisfiable && r.offset == r.total {
		r.body = io.NopCloser(strings.NewReader(""))
		return nil
	}
	if err := r.client.errorOf(call, result); err != nil {
		return err
	}
	r.body, r.status = result.Stream, result.StatusCode
	if err := r.accept(result); err != nil {
		_ = r.Close() // the error that counts is err
		return err
	}
	return nil
}

// accept holds an answer against what has been read so far.
func (r *remote) accept(result *transport.Result) error {
	etag := result.Header.Get("ETag")
	start, total := contentRange(result)
	if start < 0 {
		return r.fail(errors.New("the server sends a part, and does not say which"))
	}
	if r.offset > 0 && (r.etag != "" && etag != "" && etag != r.etag || r.total >= 0 && total >= 0 && total != r.total || start > r.offset) {
		return &TransportError{
			Method: http.MethodGet, Route: r.route, Attempts: result.Attempts,
			Err: fmt.Errorf("the file has changed after %d bytes of it were read", r.offset),
		}
	}
	r.etag = etag
	if total >= 0 {
		r.total = total
	}
	// A server that knows no ranges begins anew.
	_, err := io.CopyN(io.Discard, r.body, r.offset-start)
	if err != nil {
		return r.fail(err)
	}
	return nil
}

// contentRange tells where in the file an answer begins, and how long the file
// is; -1 for what is not known.
func contentRange(result *transport.Result) (start, total int64) {
	if result.StatusCode != http.StatusPartialContent {
		return 0, result.Length
	}
	var end int64
	if n, err := fmt.Sscanf(result.Header.Get("Content-Range"), "bytes %d-%d/%d", &start, &end, &total); err != nil || n != 3 {
		return -1, -1
	}
	return start, total
}

// progressWriter tells after each write how much has been written.
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
