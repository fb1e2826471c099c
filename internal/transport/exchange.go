package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Exchange is the last link: it sends one request and reads its response.
type Exchange struct {
	Client *http.Client
	// Silence is the longest time without data, before the header and between
	// two parts of the body. Zero means no limit.
	Silence time.Duration
	// MaxBody is the maximum size of a decoded response in bytes.
	MaxBody int64

	alarms alarms
}

// attempt is one request in progress: its context, which the watch cancels, and
// all that belongs to it, in one allocation.
type attempt struct {
	context.Context
	parent context.Context // the caller's
	call   *Call
	watch  watch
	body   body
	once   once
	sends  bool // whether once is in use
}

// Value returns the call to whatever handles the request.
func (a *attempt) Value(key any) any {
	switch {
	case key == callKey{}:
		return a.call
	case key == attemptKey{}:
		return a
	case a.sends && key == onceKey{}:
		return &a.once
	case a.sends && key == traceKey:
		return &a.once.trace
	}
	return a.Context.Value(key)
}

// Do sends the request of a call.
func (x *Exchange) Do(parent context.Context, c *Call) *Result {
	r := c.result.renew()
	a := &attempt{parent: parent, call: c}
	ctx, cancel := context.WithCancelCause(parent)
	a.Context = ctx
	w := &a.watch
	w.start(x.Silence, c.Permitted, cancel, &x.alarms)
	resp, err := x.Client.Do(newRequest(a))
	if err != nil {
		if resp != nil { // a redirect that was not followed; the body is closed
			r.StatusCode, r.Header = resp.StatusCode, resp.Header
		}
		r.fail(a.because(err))
		w.stop()
		return r
	}
	w.heard()
	r.StatusCode, r.Header = resp.StatusCode, resp.Header
	r.Limit = ParseRateLimit(resp.Header)
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols:
		// nobody has asked for it: what follows is of no time limit, and of no context
	case resp.StatusCode/100 != 2:
		r.RetryAfter = ParseRetryAfter(resp.Header, time.Now())
		r.Body, err = io.ReadAll(io.LimitReader(resp.Body, keptBody))
		if err != nil && parent.Err() != nil {
			kept := *r
			r.fail(Canceled, causeOf(parent)).Last = &kept
		} // else the answer counts, though its body is broken
		r.Edge = r.StatusCode == http.StatusForbidden && IsHTML(r.Header, r.Body)
		drain(resp.Body)
	case c.Stream:
		w.pause()
		r.Length = resp.ContentLength
		r.Stream = &stream{resp.Body, a}
		return r
	case c.Answer == nil:
		drain(resp.Body)
	default:
		x.read(a, resp)
	}
	_ = resp.Body.Close() // nothing is lost by a close that fails
	w.stop()
	return r
}

// blank is what all requests have in common.
var blank = http.Request{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}

func newRequest(a *attempt) *http.Request {
	c := a.call
	header := make(http.Header, len(c.Header))
	if c.Stream {
		header["Accept"] = mediaAny
	}
	for name, values := range c.Header {
		header[name] = values
	}
	req := blank.WithContext(a)
	req.Method, req.URL, req.Host, req.Header = c.Method, c.URL, c.URL.Host, header
	if c.Body != nil {
		header["Content-Type"] = mediaJSON
		req.ContentLength = int64(len(c.Body))
		req.GetBody = func() (io.ReadCloser, error) {
			return &upload{bytes.NewReader(c.Body), &a.watch}, nil
		}
		req.Body, _ = req.GetBody() // never fails
	}
	return req
}

// upload is a request's body. Sending it counts as activity, but not sending it
// again.
type upload struct {
	src   *bytes.Reader
	watch *watch
}

func (u *upload) Read(p []byte) (int, error) {
	n, err := u.src.Read(p)
	if !u.watch.sent.Load() {
		u.watch.heard()
		u.watch.sent.Store(u.src.Len() == 0)
	}
	return n, err
}

func (u *upload) Close() error { return nil }

// read decodes a 2xx response.
func (x *Exchange) read(a *attempt, resp *http.Response) {
	c, r, b := a.call, &a.call.result, &a.body
	b.open(resp.Body, &a.watch, x.MaxBody)
	err := c.Answer.Decode(b)
	switch blank := !c.Blank && b.isBlank(c.Nullable); {
	case b.err == nil && err == nil && !blank:
		b.release()
		return
	case errors.Is(b.err, errTooLarge):
		r.fail(TooLarge, fmt.Errorf("%w of %d bytes", errTooLarge, x.MaxBody))
	case b.err != nil:
		r.fail(a.because(b.err))
	case blank:
		r.fail(Empty, errors.New("the response is empty, but a result was expected"))
	case errors.Is(err, io.ErrUnexpectedEOF):
		r.fail(Cut, errors.New("the JSON stops in the middle"))
	default:
		r.fail(BadJSON, err)
		_, _ = io.CopyN(b.kept, b.src, int64(max(0, keptBody-b.kept.Len()))) // shows more of what came
	}
	r.Body = b.start()
	drain(resp.Body)
}

func (r *Result) fail(f Failure, err error) *Result {
	r.Failure, r.Err = f, err
	return r
}

// because returns the reason why the attempt failed with err.
func (a *attempt) because(err error) (Failure, error) {
	cause := context.Cause(a.Context) // looked at before parent, which is the first of the two to end
	var silent *silence
	switch {
	case a.parent.Err() != nil:
		return Canceled, causeOf(a.parent)
	case errors.As(cause, &silent):
		return Broken, silent
	case errors.Is(cause, errSent):
		return Broken, errSent
	}
	err = plain(err)
	return failureOf(err), err
}

// causeOf returns the error of a context that has ended, with its cause.
func causeOf(ctx context.Context) error {
	ended, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, ended) {
		return cause
	}
	return fmt.Errorf("%w: %w", ended, cause)
}

// plain removes the URL from err. It may contain a signature or a name that
// does not belong in a log.
func plain(err error) error {
	var (
		token *TokenError
		in    *url.Error
	)
	if errors.As(err, &token) {
		return token
	}
	for errors.As(err, &in) && in.Err != nil {
		err = in.Err
	}
	if strings.HasPrefix(err.Error(), "failed to parse Location header") {
		return &RedirectError{"the server redirects to an invalid URL"}
	}
	return err
}

// failureOf classifies the errors of http.Client.Do and of reading a body.
func failureOf(err error) Failure {
	var (
		dns    *net.DNSError
		op     *net.OpError
		cert   *tls.CertificateVerificationError
		ca     x509.UnknownAuthorityError
		record tls.RecordHeaderError
		token  *TokenError
		hop    *RedirectError
	)
	switch {
	case errors.As(err, &token), errors.As(err, &hop), errors.As(err, &cert), errors.As(err, &ca),
		errors.As(err, &record), errors.As(err, &dns) && dns.IsNotFound,
		errors.Is(err, http.ErrSchemeMismatch),
		strings.Contains(err.Error(), "unsupported protocol scheme"):
		return Refused
	case errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect" || op.Op == "socks connect"),
		err.Error() == "net/http: TLS handshake timeout": // of no type that is exported
		return NotSent
	}
	return Broken
}
