package transport_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/internal/transport"
	"github.com/circleci-go/circleci/internal/wire"
)

const kept = 64 << 10 // what is kept of a body

func exchange(rt http.RoundTripper) *transport.Exchange {
	return &transport.Exchange{
		Client:  &http.Client{Transport: rt, CheckRedirect: transport.CheckRedirect(cloud, false)},
		Silence: time.Minute, MaxBody: 1 << 20,
	}
}

// replies is an exchange with a server that always gives this answer.
func replies(status int, body string, header ...string) *transport.Exchange {
	return exchange(roundTrip(func(req *http.Request) (*http.Response, error) {
		return answer(req, status, body, header...), nil
	}))
}

// arriving is a body whose parts come one by one, each after a gap, until end.
type arriving struct {
	ctx    context.Context
	gap    time.Duration
	parts  []string
	end    error // io.EOF if nil
	silent bool  // nothing comes after the parts, not even the end
	read   int
	closed bool
}

func (a *arriving) Read(p []byte) (int, error) {
	if a.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	gap := a.gap
	if len(a.parts) == 0 && a.silent {
		gap = 1000 * time.Hour
	}
	timer := time.NewTimer(gap)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-a.ctx.Done():
		return 0, a.ctx.Err()
	}
	switch {
	case len(a.parts) > 0:
		n := copy(p, a.parts[0])
		if a.parts[0] = a.parts[0][n:]; a.parts[0] == "" {
			a.parts = a.parts[1:]
		}
		a.read += n
		return n, nil
	case a.end != nil:
		return 0, a.end
	}
	return 0, io.EOF
}

func (a *arriving) Close() error { a.closed = true; return nil }

// sends is an exchange with a server whose body arrives as told.
func sends(status int, body *arriving, header ...string) *transport.Exchange {
	return exchange(roundTrip(func(req *http.Request) (*http.Response, error) {
		body.ctx = req.Context()
		return answerFrom(req, status, body, header...), nil
	}))
}

// decode is a Call's Read as the root package makes it.
func decode(out any) transport.Decoder {
	return decodeFunc(func(r io.Reader) error { return wire.Read(r, out) })
}

type project struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

func TestExchangeDecodes(t *testing.T) {
	x := replies(201, `{"name":"app","n":3}`, "X-Request-Id", "42", "RateLimit-Remaining", "7", "Retry-After", "9")
	var out project
	c := newCall(t, "GET")
	c.Answer = decode(&out)
	r := x.Do(t.Context(), c)
	require.True(t, r.OK(), "%+v", r)
	assert.Equal(t, project{"app", 3}, out)
	assert.Equal(t, 201, r.StatusCode)
	assert.Equal(t, "42", r.Header.Get("X-Request-Id"))
	assert.Equal(t, transport.RateLimit{Known: true, Remaining: 7}, r.Limit)
	assert.Equal(t, time.Duration(-1), r.RetryAfter, "a success asks for no pause")
	assert.Nil(t, r.Body, "the body of a success is of no use to anyone")
	assert.NoError(t, r.Err)
}

func TestExchangeSends(t *testing.T) {
	t.Run("a GET", func(t *testing.T) {
		c := newCall(t, "GET")
		c.Attempt = 3
		r := exchange(roundTrip(func(req *http.Request) (*http.Response, error) {
			assert.Equal(t, "GET", req.Method)
			assert.Equal(t, "https://circleci.com/api/v2/context/42", req.URL.String())
			assert.Empty(t, req.Header, "Auth adds the headers that all requests bear")
			assert.Nil(t, req.Body, "the API refuses a GET with a body")
			got, ok := transport.FromContext(req.Context())
			if assert.True(t, ok, "a middleware cannot tell the operation") {
				assert.Equal(t, 3, got.Attempt)
				assert.Equal(t, "/context/{context_id}", got.Route)
			}
			return answer(req, 200, ""), nil
		})).Do(t.Context(), c)
		assert.True(t, r.OK())
	})
	t.Run("a POST with headers of the caller's", func(t *testing.T) {
		c := newCall(t, "POST")
		c.Body, c.Header = []byte(`{"name":"x"}`), http.Header{"X-Mine": {"1", "2"}, "User-Agent": {"mine"}}
		r := exchange(roundTrip(func(req *http.Request) (*http.Response, error) {
			assert.Equal(t, http.Header{
				"User-Agent": {"mine"}, "Content-Type": {"application/json"}, "X-Mine": {"1", "2"},
			}, req.Header)
			assert.Equal(t, int64(12), req.ContentLength, "some proxies refuse a body of unknown length")
			for range 2 { // the second as after a connection that was closed while idle
				body, err := io.ReadAll(req.Body)
				assert.NoError(t, err)
				assert.Equal(t, `{"name":"x"}`, string(body))
				assert.NoError(t, req.Body.Close())
				req.Body, err = req.GetBody()
				assert.NoError(t, err)
			}
			return answer(req, 200, ""), nil
		})).Do(t.Context(), c)
		assert.True(t, r.OK())
		assert.Equal(t, http.Header{"X-Mine": {"1", "2"}, "User-Agent": {"mine"}}, c.Header, "the next attempt would send more")
	})
	t.Run("a download takes any type", func(t *testing.T) {
		c := newCall(t, "GET")
		c.Stream = true
		r := exchange(roundTrip(func(req *http.Request) (*http.Response, error) {
			assert.Equal(t, "*/*", req.Header.Get("Accept"))
			return answer(req, 200, ""), nil
		})).Do(t.Context(), c)
		require.NotNil(t, r.Stream)
		assert.NoError(t, r.Stream.Close())
	})
	_, ok := transport.FromContext(t.Context())
	assert.False(t, ok, "a context that belongs to no call")
}

// TestBadAnswers: a 2xx that cannot be used is an error, and says which.
func TestBadAnswers(t *testing.T) {
	large := `{"name":"` + strings.Repeat("x", 2<<20) + `"}`
	for name, row := range map[string]struct {
		body     string
		end      error
		header   []string
		nullable bool
		want     transport.Failure
		tells    string
		keeps    string // of the body; all of it if empty
	}{
		"nothing":                   {want: transport.Empty, tells: "empty"},
		"white space":               {body: " \r\n", want: transport.Empty, tells: "empty"},
		"much white space":          {body: strings.Repeat(" ", 5000), want: transport.Empty, tells: "empty"},
		"null":                      {body: "null", want: transport.Empty, tells: "empty"},
		"null and a line break":     {body: "null\n", want: transport.Empty, tells: "empty"},
		"null where it is a result": {body: "null", nullable: true, want: transport.None},
		"nothing where null is due": {body: "", nullable: true, want: transport.Empty, tells: "empty"},
		"an object":                 {body: `{"name":"x"}`, want: transport.None},
		"HTML": {
			body: "<!DOCTYPE html><title>Sign in</title>", header: []string{"Content-Type", "text/html"},
			want: transport.BadJSON, tells: "invalid character",
		},
		"other types":           {body: `{"name":7}`, want: transport.BadJSON, tells: "name"},
		"two values":            {body: `{"name":"x"} {}`, want: transport.BadJSON},
		"a number in a string":  {body: `{"n":"many"}`, want: transport.BadJSON},
		"JSON cut in a string":  {body: `{"name":"x`, want: transport.Cut, tells: "stops in the middle"},
		"JSON cut in an object": {body: `{"name":"x",`, want: transport.Cut, tells: "stops in the middle"},
		"a broken connection":   {body: `{"name":"x`, end: io.ErrUnexpectedEOF, want: transport.Broken, tells: "unexpected EOF"},
		"a reset":               {body: `{"na`, end: errReset, want: transport.Broken, tells: "reset"},
		"broken after the JSON": {body: `{"name":"x"}`, end: errReset, want: transport.Broken, tells: "reset"},
		"broken before any of it": {
			end: io.ErrUnexpectedEOF, want: transport.Broken, tells: "unexpected EOF",
		},
		"too large":                 {body: large, want: transport.TooLarge, tells: "limit of 1048576 bytes", keeps: large[:kept]},
		"too large and bad at once": {body: "<" + large, want: transport.TooLarge, tells: "limit of 1048576 bytes", keeps: ("<" + large)[:kept]},
	} {
		t.Run(name, func(t *testing.T) {
			body := &arriving{end: row.end}
			if row.body != "" {
				body.parts = []string{row.body}
			}
			var out *project
			c := newCall(t, "GET")
			c.Answer, c.Nullable = decode(&out), row.nullable
			r := sends(200, body, row.header...).Do(t.Context(), c)
			assert.Equal(t, row.want, r.Failure, "%v", r.Err)
			assert.Equal(t, row.want == transport.None, r.OK())
			assert.Equal(t, 200, r.StatusCode, "the status is known, whatever follows")
			assert.True(t, body.closed, "the connection leaks")
			if row.want == transport.None {
				assert.NoError(t, r.Err)
				return
			}
			require.Error(t, r.Err)
			assert.Contains(t, r.Err.Error(), row.tells)
			if row.keeps == "" {
				row.keeps = row.body
			}
			require.Len(t, r.Body, len(row.keeps))
			assert.Equal(t, row.keeps, string(r.Body), "the body's start shows what came, and it is gone")
		})
	}
}

// The error shows more than what the decoder has read.
func TestTheBodyIsKeptBehindTheError(t *testing.T) {
	text := strings.Repeat("0123456789", 10_000)
	c := newCall(t, "GET")
	c.Answer = decodeFunc(func(r io.Reader) error {
		_, err := io.ReadFull(r, make([]byte, 10))
		return errors.Join(err, errors.New("not JSON"))
	})
	r := replies(200, text).Do(t.Context(), c)
	assert.Equal(t, transport.BadJSON, r.Failure)
	require.Len(t, r.Body, kept)
	assert.Equal(t, text[:kept], string(r.Body))
}

func TestAnAnswerOfExactlyTheLimitIsRead(t *testing.T) {
	text := `{"name":"` + strings.Repeat("x", 100) + `"}`
	x := replies(200, text)
	c := newCall(t, "GET")
	c.Answer = decode(new(project))
	x.MaxBody = int64(len(text))
	assert.True(t, x.Do(t.Context(), c).OK())
	x.MaxBody--
	assert.Equal(t, transport.TooLarge, x.Do(t.Context(), c).Failure)
}

// TestResultsDoNotShareMemory: bodies are read through buffers that are used
// again.
func TestResultsDoNotShareMemory(t *testing.T) {
	c1, c2 := newCall(t, "GET"), newCall(t, "GET")
	c1.Answer, c2.Answer = decode(new(project)), decode(new(project))
	first := replies(200, "<first>").Do(t.Context(), c1)
	replies(200, "<other>").Do(t.Context(), c2)
	assert.Equal(t, "<first>", string(first.Body), "an error shows another call's answer")
}

func TestWhatNobodyReadsIsThrownAway(t *testing.T) {
	for _, body := range []string{"", "OK", "null", `{"message":"Deleted."}`, "<html>"} {
		r := replies(200, body).Do(t.Context(), newCall(t, "DELETE"))
		assert.True(t, r.OK(), "%q", body)
		assert.Nil(t, r.Body, "%q", body)
	}
	body := &arriving{parts: []string{"O"}, end: errReset}
	assert.True(t, sends(200, body).Do(t.Context(), newCall(t, "DELETE")).OK(), "it has been done, whatever the body")
	assert.True(t, body.closed)
}

func TestErrorAnswers(t *testing.T) {
	t.Run("the start of the body is kept", func(t *testing.T) {
		for _, size := range []int{0, 1, kept - 1, kept, kept + 1, 1 << 20} {
			text := strings.Repeat("e", size)
			body := &arriving{parts: []string{text}}
			if size == 0 {
				body.parts = nil
			}
			c := newCall(t, "GET")
			c.Answer = decodeFunc(func(io.Reader) error { t.Error("an error's body is no result"); return nil })
			r := sends(404, body).Do(t.Context(), c)
			assert.Equal(t, transport.None, r.Failure)
			assert.False(t, r.OK())
			assert.Equal(t, 404, r.StatusCode)
			assert.Len(t, r.Body, min(size, kept))
			assert.True(t, body.closed, "the connection leaks")
			if size <= 256<<10 {
				assert.Equal(t, size, body.read, "an answer that is not read to its end costs the connection")
			} else {
				assert.Less(t, body.read, 400<<10, "without end, an error would cost gigabytes")
			}
		}
	})
	t.Run("a broken one is an answer all the same", func(t *testing.T) {
		r := sends(500, &arriving{parts: []string{`{"mess`}, end: io.ErrUnexpectedEOF}).Do(t.Context(), newCall(t, "GET"))
		assert.Equal(t, transport.None, r.Failure)
		assert.Equal(t, 500, r.StatusCode)
		assert.Equal(t, `{"mess`, string(r.Body))
	})
	t.Run("headers", func(t *testing.T) {
		r := replies(429, "", "Retry-After", "9", "RateLimit-Remaining", "0", "RateLimit-Reset", "9").Do(t.Context(), newCall(t, "GET"))
		assert.Equal(t, 9*time.Second, r.RetryAfter)
		assert.Equal(t, transport.RateLimit{Known: true, Reset: 9 * time.Second}, r.Limit)
		r = replies(500, "").Do(t.Context(), newCall(t, "GET"))
		assert.Equal(t, time.Duration(-1), r.RetryAfter)
	})
	t.Run("for a download", func(t *testing.T) {
		c := newCall(t, "GET")
		c.Stream = true
		r := replies(404, "not here").Do(t.Context(), c)
		assert.Nil(t, r.Stream)
		assert.Equal(t, "not here", string(r.Body))
	})
	t.Run("a redirect without a goal", func(t *testing.T) {
		r := replies(304, "").Do(t.Context(), newCall(t, "GET"))
		assert.Equal(t, transport.None, r.Failure)
		assert.False(t, r.OK())
	})
}

func TestLimited(t *testing.T) {
	for name, row := range map[string]struct {
		status int
		kind   string
		body   string
		want   bool
	}{
		"429":                        {429, "", "", true},
		"403 in JSON":                {403, "application/json", `{"message":"Permission denied."}`, false},
		"403 in HTML":                {403, "text/html; charset=utf-8", "blocked", true},
		"403 in HTML, in capitals":   {403, "TEXT/HTML", "", true},
		"403 in XHTML":               {403, "application/xhtml+xml", "", true},
		"403 in HTML without a type": {403, "", " \n<!DOCTYPE HTML><title>403</title>", true},
		"403 that begins with html":  {403, "", "<html>", true},
		"403 in JSON without a type": {403, "", `{"message":"<html>"}`, false},
		"403 without a body":         {403, "", "", false},
		"JSON that looks like HTML":  {403, "application/json", "<html>", false},
		"404 in HTML":                {404, "text/html", "<html>", false},
		"503 in HTML":                {503, "text/html", "<html>", false},
		"200":                        {200, "", "", false},
	} {
		var header []string
		if row.kind != "" {
			header = []string{"Content-Type", row.kind}
		}
		r := replies(row.status, row.body, header...).Do(t.Context(), newCall(t, "GET"))
		assert.Equal(t, row.want, r.Limited(), name)
	}
}

var errReset, errRefused = errors.New("connection reset by peer"), errors.New("connection refused")

// TestNoAnswer: what has failed decides what may be sent again.
func TestNoAnswer(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: errRefused}
	for name, row := range map[string]struct {
		err  error
		want transport.Failure
	}{
		"connection refused":             {refused, transport.NotSent},
		"a dial that takes too long":     {&net.OpError{Op: "dial", Err: context.DeadlineExceeded}, transport.NotSent},
		"a proxy that is down":           {&net.OpError{Op: "proxyconnect", Err: refused}, transport.NotSent},
		"a SOCKS proxy that is down":     {&net.OpError{Op: "socks connect", Err: refused}, transport.NotSent},
		"a name server that is down":     {&net.OpError{Op: "dial", Err: &net.DNSError{Err: "timeout", IsTimeout: true}}, transport.NotSent},
		"no such host":                   {&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}, transport.Refused},
		"a reset while reading":          {&net.OpError{Op: "read", Err: errReset}, transport.Broken},
		"a broken pipe while writing":    {&net.OpError{Op: "write", Err: io.ErrClosedPipe}, transport.Broken},
		"a close without an answer":      {io.EOF, transport.Broken},
		"what nobody has heard of":       {errors.New("oops"), transport.Broken},
		"a certificate":                  {&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{}}}, transport.Refused},
		"an unknown authority":           {x509.UnknownAuthorityError{}, transport.Refused},
		"no TLS":                         {tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, transport.Refused},
		"HTTP for HTTPS":                 {http.ErrSchemeMismatch, transport.Refused},
		"a token source":                 {&transport.TokenError{Err: errors.New("sealed")}, transport.Refused},
		"a token source that dials":      {&transport.TokenError{Err: &url.Error{Op: "Get", URL: "https://vault", Err: refused}}, transport.Refused},
		"a client inside of a transport": {&url.Error{Op: "Get", URL: "https://circleci.com/s3cret", Err: refused}, transport.NotSent},
	} {
		t.Run(name, func(t *testing.T) {
			x := exchange(roundTrip(func(*http.Request) (*http.Response, error) { return nil, row.err }))
			r := x.Do(t.Context(), newCall(t, "GET"))
			assert.Equal(t, row.want, r.Failure, "%v", r.Err)
			assert.Zero(t, r.StatusCode)
			assert.Equal(t, time.Duration(-1), r.RetryAfter)
			require.Error(t, r.Err)
			assert.NotContains(t, r.Err.Error(), "context/42", "errors never show the URL")
			assert.NotContains(t, r.Err.Error(), "s3cret", "errors never show the URL")
			if _, nested := row.err.(*url.Error); !nested {
				assert.ErrorIs(t, r.Err, row.err, "the cause is lost")
			}
		})
	}
}

func TestRealConnectionsThatFail(t *testing.T) {
	do := func(client *http.Client, to string) *transport.Result {
		c := newCall(t, "GET")
		c.URL, c.Answer = parseURL(t, to), decode(new(project))
		client.CheckRedirect = transport.CheckRedirect(cloud, false)
		return (&transport.Exchange{Client: client, Silence: time.Minute, MaxBody: 1 << 20}).Do(t.Context(), c)
	}
	t.Run("nobody listens", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, l.Close())
		r := do(&http.Client{Transport: &http.Transport{}}, "http://"+l.Addr().String())
		assert.Equal(t, transport.NotSent, r.Failure, "%v", r.Err)
		var op *net.OpError
		assert.ErrorAs(t, r.Err, &op)
	})
	t.Run("the certificate is not trusted", func(t *testing.T) {
		s := httptest.NewUnstartedServer(http.NotFoundHandler())
		s.Config.ErrorLog = quiet
		s.StartTLS()
		defer s.Close()
		r := do(&http.Client{Transport: &http.Transport{}}, s.URL)
		assert.Equal(t, transport.Refused, r.Failure, "%v", r.Err)
	})
	t.Run("no TLS", func(t *testing.T) {
		s := httptest.NewServer(http.NotFoundHandler())
		defer s.Close()
		r := do(&http.Client{Transport: &http.Transport{}}, strings.Replace(s.URL, "http:", "https:", 1))
		assert.Equal(t, transport.Refused, r.Failure, "%v", r.Err)
	})
	t.Run("a scheme that nobody speaks", func(t *testing.T) {
		r := do(&http.Client{Transport: &http.Transport{}}, "gopher://circleci.com/")
		assert.Equal(t, transport.Refused, r.Failure, "%v", r.Err)
	})
	t.Run("connections that end early", func(t *testing.T) {
		for name, row := range map[string]struct {
			sent string
			want transport.Failure
		}{
			"without an answer":      {"", transport.Broken},
			"in the header":          {"HTTP/1.1 200 OK\r\nContent-", transport.Broken},
			"before the length":      {"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"name\":", transport.Broken},
			"in the middle of chunk": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{\"name\":", transport.Broken},
			"between two chunks":     {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"name\":\r\n", transport.Broken},
			"as whole, but cut":      {"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{\"name\":", transport.Cut},
			"as empty":               {"HTTP/1.1 204 No Content\r\n\r\n", transport.Empty},
			"as no HTTP":             {"+PONG\r\n", transport.Broken},
		} {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := w.(http.Hijacker).Hijack()
				if err == nil {
					_, _ = io.WriteString(conn, row.sent)
					_ = conn.Close()
				}
			}))
			r := do(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, s.URL)
			assert.Equal(t, row.want, r.Failure, "%s: %v", name, r.Err)
			s.Close()
		}
	})
}

func TestRedirectsThatAreNotFollowed(t *testing.T) {
	for name, row := range map[string]struct{ method, location, tells string }{
		"a POST to another host": {"POST", "https://eu.circleci.com/x?token=s3cret", "another host, eu.circleci.com"},
		"away from TLS":          {"GET", "http://circleci.com/x?token=s3cret", "from https to http"},
		"to an invalid URL":      {"GET", "https://[s3cret", "to an invalid URL"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCall(t, row.method)
			c.Body = []byte("{}")
			r := replies(307, "", "Location", row.location, "X-Request-Id", "42").Do(t.Context(), c)
			assert.Equal(t, transport.Refused, r.Failure, "the server would say the same again: %v", r.Err)
			assert.Contains(t, r.Err.Error(), row.tells)
			assert.NotContains(t, r.Err.Error(), "s3cret")
			if name != "to an invalid URL" {
				assert.Equal(t, 307, r.StatusCode)
				assert.Equal(t, "42", transport.RequestID(r.Header))
			}
		})
	}
}

// waits is a round tripper that answers after a while, if it is let.
func waits(d time.Duration, then func(*http.Request) *http.Response) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		if err := transport.Sleep(req.Context(), d); err != nil {
			return nil, err
		}
		return then(req), nil
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func TestSilence(t *testing.T) {
	const forever = 1000 * time.Hour
	hours := func(gap time.Duration) *arriving {
		parts := []string{`{"name":"`}
		for range 200 {
			parts = append(parts, "x")
		}
		return &arriving{gap: gap, parts: append(parts, `"}`)}
	}
	read := func(c *transport.Call) { c.Answer = decode(new(project)) }
	for name, row := range map[string]struct {
		x      *transport.Exchange
		call   func(*transport.Call)
		want   transport.Failure
		status int
		took   time.Duration
	}{
		"before the header": {
			exchange(waits(forever, nil)), read, transport.Broken, 0, time.Minute,
		},
		"a header that takes its time": {
			exchange(waits(59*time.Second, func(req *http.Request) *http.Response { return answer(req, 200, "{}") })), read,
			transport.None, 200, 59 * time.Second,
		},
		"in the middle of the body": {
			sends(200, &arriving{gap: 30 * time.Second, parts: []string{`{"na`, `me`}, silent: true}), read,
			transport.Broken, 200, 2 * time.Minute,
		},
		"a slow body that keeps moving for hours": {
			sends(200, hours(59*time.Second)), read, transport.None, 200, 203 * 59 * time.Second,
		},
		"a body that moves too slowly": {
			sends(200, hours(61*time.Second)), read, transport.Broken, 200, time.Minute,
		},
		"in an error's body": {
			sends(404, &arriving{parts: []string{"gone"}, silent: true}), read, transport.None, 404, time.Minute,
		},
		"in a body that nobody wants": {
			sends(200, &arriving{parts: []string{"OK"}, silent: true}), nil, transport.None, 200, time.Minute,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, start := newCall(t, "GET"), time.Now()
				if row.call != nil {
					row.call(c)
				}
				r := row.x.Do(t.Context(), c)
				assert.Equal(t, row.want, r.Failure, "%v", r.Err)
				assert.Equal(t, row.status, r.StatusCode)
				assert.Equal(t, row.took, time.Since(start))
				if row.want == transport.Broken {
					assert.Equal(t, "nothing arrived for 1m0s", r.Err.Error())
					assert.True(t, isTimeout(r.Err), "net.Error's users do not see a timeout")
					assert.NotErrorIs(t, r.Err, context.Canceled, "the caller has canceled nothing")
				}
			})
		})
	}
}

// TestSendingAgainIsNoActivity: a transport that sends a request's body again
// and again does not keep the attempt alive.
func TestSendingAgainIsNoActivity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := exchange(transport.NewAuth(roundTrip(func(req *http.Request) (*http.Response, error) {
			for {
				body, err := req.GetBody()
				require.NoError(t, err)
				_, err = io.ReadAll(body)
				require.NoError(t, err)
				if err := transport.Sleep(req.Context(), time.Second); err != nil {
					return nil, err
				}
			}
		}), cloud, fixed(token), false))
		c, start := newCall(t, "PUT"), time.Now()
		c.Body = []byte("{}")
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		r := x.Do(ctx, c)
		assert.Equal(t, "nothing arrived for 1m0s", fmt.Sprint(r.Err))
		assert.Equal(t, time.Minute, time.Since(start))
	})
}

// TestABodyIsSentAgainForARedirect, which is activity.
func TestABodyIsSentAgainForARedirect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hops := 0
		x := exchange(transport.NewAuth(roundTrip(func(req *http.Request) (*http.Response, error) {
			for range 4 { // a slow upload
				if err := transport.Sleep(req.Context(), 40*time.Second); err != nil {
					return nil, err
				}
				if _, err := req.Body.Read(make([]byte, 1)); err != nil {
					return nil, err
				}
			}
			if hops++; hops == 1 {
				return answer(req, 307, "", "Location", "/elsewhere"), nil
			}
			return answer(req, 200, "{}"), nil
		}), cloud, fixed(token), false))
		c := newCall(t, "PUT")
		c.Body = []byte("body")
		r := x.Do(t.Context(), c)
		assert.True(t, r.OK(), "%v", r.Err)
		assert.Equal(t, 2, hops)
	})
}

// TestAStreamsErrorDoesNotShowTheToken: what breaks a stream can be text of the
// server, such as an invalid trailer.
func TestAStreamsErrorDoesNotShowTheToken(t *testing.T) {
	x := exchange(transport.NewAuth(roundTrip(func(req *http.Request) (*http.Response, error) {
		resp := answer(req, 200, "")
		resp.Body = io.NopCloser(iotest.ErrReader(errors.New("malformed MIME header line: " + token)))
		return resp, nil
	}), cloud, fixed(token), false))
	c := newCall(t, "GET")
	c.Stream = true
	r := x.Do(t.Context(), c)
	require.True(t, r.OK())
	_, err := io.ReadAll(r.Stream)
	require.EqualError(t, err, "malformed MIME header line: REDACTED")
	require.NoError(t, r.Stream.Close())
}

// TestEachAttemptHasItsOwnSilence, though one timer serves one after another.
func TestEachAttemptHasItsOwnSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := false
		x := exchange(roundTrip(func(req *http.Request) (*http.Response, error) {
			if silent {
				<-req.Context().Done()
				return nil, req.Context().Err()
			}
			return answer(req, 200, "{}"), nil
		}))
		for range 5 {
			silent = false
			for range 3 {
				require.True(t, x.Do(t.Context(), newCall(t, "GET")).OK())
				time.Sleep(50 * time.Second)
			}
			silent = true
			start := time.Now()
			r := x.Do(t.Context(), newCall(t, "GET"))
			assert.Equal(t, "nothing arrived for 1m0s", fmt.Sprint(r.Err))
			assert.Equal(t, time.Minute, time.Since(start))
			time.Sleep(3 * time.Minute) // no timer is set anymore
		}
	})
}

func TestNoSilenceLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := exchange(waits(100*time.Hour, func(req *http.Request) *http.Response {
			return answerFrom(req, 200, &arriving{ctx: req.Context(), gap: 100 * time.Hour, parts: []string{"{}"}})
		}))
		x.Silence = 0
		c := newCall(t, "GET")
		c.Answer = decode(new(project))
		assert.True(t, x.Do(t.Context(), c).OK())
	})
}

func TestUploads(t *testing.T) {
	upload := func(t *testing.T, gap time.Duration, stops int) (*transport.Result, time.Duration) {
		x := exchange(roundTrip(func(req *http.Request) (*http.Response, error) {
			for n := 0; ; n++ {
				if n == stops {
					gap = 1000 * time.Hour
				}
				if _, err := req.Body.Read(make([]byte, 10)); errors.Is(err, io.EOF) {
					return answer(req, 200, ""), nil
				}
				if err := transport.Sleep(req.Context(), gap); err != nil {
					return nil, err
				}
			}
		}))
		c, start := newCall(t, "POST"), time.Now()
		c.Body = make([]byte, 100)
		return x.Do(t.Context(), c), time.Since(start)
	}
	synctest.Test(t, func(t *testing.T) {
		r, took := upload(t, 59*time.Second, -1)
		assert.True(t, r.OK(), "a slow upload is cut while it moves: %v", r.Err)
		assert.Equal(t, 590*time.Second, took)

		r, took = upload(t, 59*time.Second, 3)
		assert.Equal(t, transport.Broken, r.Failure)
		assert.True(t, isTimeout(r.Err))
		assert.Equal(t, (3*59+60)*time.Second, took)
	})
}

// TestTheCallersContext ends it in each phase of an attempt.
func TestTheCallersContext(t *testing.T) {
	const errorBody = "in the body of an error"
	cause := errors.New("the other download failed")
	phases := map[string]func() (*transport.Exchange, func(*transport.Call)){
		"before the header": func() (*transport.Exchange, func(*transport.Call)) {
			return exchange(waits(time.Hour, nil)), func(*transport.Call) {}
		},
		"in the body": func() (*transport.Exchange, func(*transport.Call)) {
			return sends(200, &arriving{parts: []string{`{"name":"x`}, silent: true}),
				func(c *transport.Call) { c.Answer = decode(new(project)) }
		},
		errorBody: func() (*transport.Exchange, func(*transport.Call)) {
			return sends(502, &arriving{parts: []string{`{"mess`}, silent: true}), func(*transport.Call) {}
		},
	}
	ends := map[string]struct {
		context func(context.Context) (context.Context, context.CancelFunc)
		is      []error
	}{
		"cancel": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(10*time.Second, cancel)
			return ctx, cancel
		}, []error{context.Canceled}},
		"deadline": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 10*time.Second)
		}, []error{context.DeadlineExceeded}},
		"cancel with a cause": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(10*time.Second, func() { cancel(cause) })
			return ctx, func() { cancel(nil) }
		}, []error{context.Canceled, cause}},
		// as a group of goroutines does with the error of the first to fail
		"cancel with another request's error": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(10*time.Second, func() { cancel(&url.Error{Op: "Get", URL: "https://x", Err: cause}) })
			return ctx, func() { cancel(nil) }
		}, []error{context.Canceled, cause}},
		"deadline with a cause": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeoutCause(ctx, 10*time.Second, cause)
		}, []error{context.DeadlineExceeded, cause}},
	}
	for phase, make := range phases {
		for end, row := range ends {
			t.Run(phase+", "+end, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					x, prepare := make()
					ctx, cancel := row.context(t.Context())
					defer cancel()
					c, start := newCall(t, "GET"), time.Now()
					prepare(c)
					r := x.Do(ctx, c)
					assert.Equal(t, 10*time.Second, time.Since(start), "the caller waits for what it has given up")
					assert.Equal(t, transport.Canceled, r.Failure)
					for _, target := range row.is {
						assert.ErrorIs(t, r.Err, target)
					}
					if phase != errorBody {
						assert.Nil(t, r.Last)
						return
					}
					require.NotNil(t, r.Last, "the server has answered")
					assert.Equal(t, transport.None, r.Last.Failure)
					assert.NoError(t, r.Last.Err)
					assert.Equal(t, 502, r.Last.StatusCode)
					assert.Equal(t, `{"mess`, string(r.Last.Body))
				})
			})
		}
	}
}

// TestBothEndsAtOnce: when the caller's context ends together with the limit
// of silence, the caller's counts.
func TestBothEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		x := exchange(roundTrip(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			cancel()
			return nil, req.Context().Err()
		}))
		r := x.Do(ctx, newCall(t, "GET"))
		assert.Equal(t, transport.Canceled, r.Failure)
		assert.ErrorIs(t, r.Err, context.Canceled)
	})
}

func TestStream(t *testing.T) {
	open := func(t *testing.T, ctx context.Context, body *arriving) io.ReadCloser {
		t.Helper()
		c := newCall(t, "GET")
		c.Stream = true
		r := sends(200, body).Do(ctx, c)
		require.True(t, r.OK(), "%v", r.Err)
		require.NotNil(t, r.Stream)
		return r.Stream
	}
	t.Run("is handed over whole, and not limited in size", func(t *testing.T) {
		text := strings.Repeat("artifact ", 1<<18)
		body := &arriving{parts: []string{text}}
		s := open(t, t.Context(), body)
		got, err := io.ReadAll(s)
		require.NoError(t, err)
		assert.Len(t, got, len(text))
		assert.NoError(t, body.ctx.Err(), "the context ends when the stream is closed, not before")
		require.NoError(t, s.Close())
		assert.True(t, body.closed, "the connection leaks")
		assert.Error(t, body.ctx.Err(), "the context of a closed stream leaks")
		_, err = s.Read(make([]byte, 1))
		assert.ErrorIs(t, err, http.ErrBodyReadAfterClose, "the caller's mistake is reported as something else")
	})
	t.Run("tells its length", func(t *testing.T) {
		for _, length := range []int64{-1, 0, 3 << 30} {
			c := newCall(t, "GET")
			c.Stream = true
			r := exchange(roundTrip(func(req *http.Request) (*http.Response, error) {
				resp := answer(req, 200, "")
				resp.ContentLength = length
				return resp, nil
			})).Do(t.Context(), c)
			assert.Equal(t, length, r.Length)
			assert.NoError(t, r.Stream.Close())
		}
	})
	t.Run("keeps moving for hours", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, t.Context(), &arriving{gap: 59 * time.Second, parts: strings.Split(strings.Repeat("x", 200), "")})
			got, err := io.ReadAll(s)
			require.NoError(t, err)
			assert.Len(t, got, 200)
			assert.NoError(t, s.Close())
		})
	})
	t.Run("goes silent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, start := open(t, t.Context(), &arriving{parts: []string{"x"}, silent: true}), time.Now()
			got, err := io.ReadAll(s)
			assert.Equal(t, "x", string(got))
			assert.Equal(t, time.Minute, time.Since(start))
			require.Error(t, err)
			assert.Equal(t, "nothing arrived for 1m0s", err.Error())
			assert.True(t, isTimeout(err))
			assert.NoError(t, s.Close())
		})
	})
	t.Run("goes silent after a pause of its reader", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, t.Context(), &arriving{parts: []string{"x"}, silent: true})
			_, err := s.Read(make([]byte, 1))
			require.NoError(t, err)
			time.Sleep(time.Hour)
			start := time.Now()
			_, err = s.Read(make([]byte, 1))
			require.Error(t, err)
			assert.Equal(t, "nothing arrived for 1m0s", err.Error())
			assert.Equal(t, time.Minute, time.Since(start))
			assert.NoError(t, s.Close())
		})
	})
	t.Run("waits for a caller that takes its time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, t.Context(), &arriving{parts: []string{"x", "y"}})
			for range 2 {
				time.Sleep(time.Hour)
				_, err := s.Read(make([]byte, 1))
				require.NoError(t, err, "a download is cut because its reader is slow")
			}
			time.Sleep(time.Hour)
			_, err := s.Read(make([]byte, 1))
			assert.Equal(t, io.EOF, err)
			assert.NoError(t, s.Close())
		})
	})
	t.Run("breaks", func(t *testing.T) {
		s := open(t, t.Context(), &arriving{parts: []string{"x"}, end: &url.Error{Op: "Get", URL: "https://s3cret", Err: io.ErrUnexpectedEOF}})
		got, err := io.ReadAll(s)
		assert.Equal(t, "x", string(got))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		assert.NotContains(t, err.Error(), "s3cret")
		assert.NoError(t, s.Close())
	})
	t.Run("ends with the caller's context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			cause := errors.New("enough")
			ctx, cancel := context.WithCancelCause(t.Context())
			s := open(t, ctx, &arriving{parts: []string{"x"}, silent: true})
			time.AfterFunc(time.Second, func() { cancel(cause) })
			_, err := io.ReadAll(s)
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, cause)
			assert.NoError(t, s.Close())

			ctx, stop := context.WithTimeout(t.Context(), time.Second)
			defer stop()
			s = open(t, ctx, &arriving{silent: true})
			_, err = io.ReadAll(s)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.NoError(t, s.Close())
		})
	})
}

// TestNothingIsLeftBehind: an attempt leaves no context, and no goroutine, of
// which the bubble would complain.
func TestNothingIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, row := range []struct {
			status int
			body   string
			err    error
		}{{200, "{}", nil}, {200, "<", nil}, {404, "", nil}, {0, "", io.EOF}} {
			var used context.Context
			x := exchange(roundTrip(func(req *http.Request) (*http.Response, error) {
				used = req.Context()
				if row.err != nil {
					return nil, row.err
				}
				return answer(req, row.status, row.body), nil
			}))
			c := newCall(t, "GET")
			c.Answer = decode(new(project))
			x.Do(t.Context(), c)
			require.Error(t, used.Err(), "the attempt's context is still alive")
			assert.Equal(t, context.Canceled, context.Cause(used))
		}
	})
}

// TestConnectionsServeAgain makes a hundred calls in a row of each kind over
// real connections: one has to do.
func TestConnectionsServeAgain(t *testing.T) {
	object := `{"name":"` + strings.Repeat("x", 5000) + `"}`
	chunked := func(w http.ResponseWriter, text string) {
		for len(text) > 0 {
			n := min(len(text), 1000)
			_, _ = io.WriteString(w, text[:n])
			_ = http.NewResponseController(w).Flush()
			text = text[n:]
		}
	}
	plain := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(text)))
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		}
	}
	for name, row := range map[string]struct {
		handler http.HandlerFunc
		blind   bool // nobody wants the body
		want    transport.Failure
	}{
		"plain":           {handler: plain(200, object)},
		"plain and blind": {handler: plain(200, object), blind: true},
		"chunked":         {handler: func(w http.ResponseWriter, _ *http.Request) { chunked(w, object) }},
		"chunked, with a line break": {handler: func(w http.ResponseWriter, _ *http.Request) {
			chunked(w, object+"\n")
		}},
		"gzip": {handler: func(w http.ResponseWriter, req *http.Request) {
			assert.Contains(t, req.Header.Get("Accept-Encoding"), "gzip", "answers come uncompressed")
			w.Header().Set("Content-Encoding", "gzip")
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			_, _ = io.WriteString(z, object)
			_ = z.Close()
			chunked(w, packed.String())
		}},
		"404":                     {handler: plain(404, `{"message":"Not found."}`)},
		"404, chunked":            {handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound); chunked(w, object) }},
		"404 larger than is kept": {handler: plain(404, strings.Repeat("x", 200<<10))},
		"500 without a body":      {handler: plain(500, "")},
		"HTML":                    {handler: plain(200, "<html>"+strings.Repeat("x", 100<<10)), want: transport.BadJSON},
		"cut JSON":                {handler: plain(200, object[:100]), want: transport.Cut},
		"too large":               {handler: plain(200, `{"name":"`+strings.Repeat("x", 1<<20)+`"}`), want: transport.TooLarge},
		"null":                    {handler: plain(200, "null"), want: transport.Empty},
		"204":                     {handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, want: transport.Empty},
	} {
		t.Run(name, func(t *testing.T) {
			var opened atomic.Int32
			s := httptest.NewUnstartedServer(row.handler)
			s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					opened.Add(1)
				}
			}
			s.Start()
			defer s.Close()
			rt := &http.Transport{}
			defer rt.CloseIdleConnections()
			x := exchange(rt)
			for range 100 {
				c := newCall(t, "GET")
				c.URL = parseURL(t, s.URL)
				if !row.blind {
					c.Answer = decode(new(project))
				}
				r := x.Do(t.Context(), c)
				require.Equal(t, row.want, r.Failure, "%v", r.Err)
			}
			// One, but on a machine so busy that net/http gives one up, as its
			// writer has not run for 50 ms.
			assert.LessOrEqual(t, opened.Load(), int32(2), "each new connection costs a TLS handshake")
		})
	}
}

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		require.NoError(t, transport.Sleep(t.Context(), time.Hour))
		assert.Equal(t, time.Hour, time.Since(start))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		assert.Equal(t, context.DeadlineExceeded, transport.Sleep(ctx, time.Hour))
		assert.Equal(t, time.Hour+time.Minute, time.Since(start))
	})
}
