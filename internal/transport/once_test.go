package transport_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/internal/transport"
)

// frames is an HTTP/2 server that knows as much of the protocol as it takes to
// answer each request with the same frame.
type frames struct {
	requests atomic.Int64
	answer   func(stream uint32, write func(kind, flags byte, stream uint32, payload []byte))
}

// The frames' kinds, and flags.
const (
	data, headers, reset, settings, goAway = 0, 1, 3, 4, 7
	endStream, endHeaders, ack             = 1, 4, 1
)

func (f *frames) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	r := bufio.NewReader(conn)
	if _, err := r.Discard(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")); err != nil {
		return
	}
	write := func(kind, flags byte, stream uint32, payload []byte) {
		head := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
		head = binary.BigEndian.AppendUint32(append(head, flags), stream)
		_, _ = conn.Write(append(head, payload...)) // a client that has gone is not this test's matter
	}
	write(settings, 0, 0, nil)
	for {
		var head [9]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return
		}
		size, kind, flags := int(binary.BigEndian.Uint32(head[:])>>8), head[3], head[4]
		if _, err := r.Discard(size); err != nil {
			return
		}
		switch {
		case kind == settings && flags&ack == 0:
			write(settings, ack, 0, nil)
		case (kind == headers || kind == data) && flags&endStream != 0:
			f.requests.Add(1)
			f.answer(binary.BigEndian.Uint32(head[5:]), write)
		}
	}
}

// sender returns an exchange with a server.
type sender func(rt http.RoundTripper, base *url.URL) *transport.Exchange

// eachWay runs a test with requests that are modified in place, as they are
// unless there is a middleware, and with copies of them.
func eachWay(t *testing.T, test func(t *testing.T, to sender)) {
	for name, inPlace := range map[string]bool{"in place": true, "copied": false} {
		t.Run(name, func(t *testing.T) {
			test(t, func(rt http.RoundTripper, base *url.URL) *transport.Exchange {
				a := transport.NewAuth(rt, base, fixed(token), false)
				a.InPlace = inPlace
				return exchange(a)
			})
		})
	}
}

// TestAnAttemptSendsOnce: what net/http would send again by itself is sent once.
func TestAnAttemptSendsOnce(t *testing.T) { eachWay(t, testAnAttemptSendsOnce) }

func testAnAttemptSendsOnce(t *testing.T, to sender) {
	borrowed := httptest.NewTLSServer(nil) // its certificate
	defer borrowed.Close()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: borrowed.TLS.Certificates, NextProtos: []string{"h2"}})
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	var server atomic.Pointer[frames]
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go server.Load().serve(conn)
		}
	}()
	code := func(kind byte, code uint32) func(uint32, func(byte, byte, uint32, []byte)) {
		return func(stream uint32, write func(byte, byte, uint32, []byte)) {
			payload := binary.BigEndian.AppendUint32(nil, code)
			if kind == goAway { // of no stream at all
				stream, payload = 0, append(make([]byte, 4), payload...)
			}
			write(kind, 0, stream, payload)
		}
	}
	for name, answer := range map[string]func(uint32, func(byte, byte, uint32, []byte)){
		"PROTOCOL_ERROR": code(reset, 1), "INTERNAL_ERROR": code(reset, 2), "REFUSED_STREAM": code(reset, 7), "GOAWAY": code(goAway, 0),
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			t.Run(name+" to "+method, func(t *testing.T) {
				f := &frames{answer: answer}
				server.Store(f)
				rt := borrowed.Client().Transport.(*http.Transport).Clone()
				rt.ForceAttemptHTTP2 = true
				defer rt.CloseIdleConnections()
				base := parseURL(t, "https://"+listener.Addr().String())
				x := to(rt, base)
				c := newCall(t, method)
				c.URL = base
				if method == http.MethodPost {
					c.Body, c.Header = []byte("{}"), http.Header{"Idempotency-Key": {"1"}}
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // without the guard it goes on and on
				defer cancel()
				r := x.Do(ctx, c)
				assert.Equal(t, transport.Broken, r.Failure, "%v", r.Err)
				assert.Equal(t, int64(1), f.requests.Load(), "net/http has sent the request again")
			})
		}
	}
	t.Run("an answer is an answer", func(t *testing.T) {
		f := &frames{answer: func(stream uint32, write func(byte, byte, uint32, []byte)) {
			write(headers, endStream|endHeaders, stream, []byte{0x88}) // :status 200
		}}
		server.Store(f)
		rt := borrowed.Client().Transport.(*http.Transport).Clone()
		rt.ForceAttemptHTTP2 = true
		defer rt.CloseIdleConnections()
		base := parseURL(t, "https://"+listener.Addr().String())
		x := to(rt, base)
		for range 3 {
			c := newCall(t, http.MethodDelete)
			c.URL = base
			r := x.Do(t.Context(), c)
			require.True(t, r.OK(), "%v", r.Err)
		}
		assert.Equal(t, int64(3), f.requests.Load())
	})
}

// TestAnAttemptSendsOnceOverHTTP1 on a connection that the server closes after
// it has read the second request, while other connections are idle.
func TestAnAttemptSendsOnceOverHTTP1(t *testing.T) { eachWay(t, testAnAttemptSendsOnceOverHTTP1) }

func testAnAttemptSendsOnceOverHTTP1(t *testing.T, to sender) {
	for _, encrypted := range []bool{false, true} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			var requests, open atomic.Int64
			both := make(chan struct{})
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if requests.Add(1) <= 2 {
					if open.Add(1) == 2 {
						close(both) // two connections, which are idle then
					}
					<-both
					return
				}
				conn, _, err := http.NewResponseController(w).Hijack()
				assert.NoError(t, err)
				assert.NoError(t, conn.Close())
			}))
			if encrypted {
				server.StartTLS()
			} else {
				server.Start()
			}
			base := parseURL(t, server.URL)
			x := to(server.Client().Transport, base)
			send := func() *transport.Result {
				c := newCall(t, method)
				c.URL = base
				if method == http.MethodPost {
					c.Body, c.Header = []byte("{}"), http.Header{"Idempotency-Key": {"1"}}
				}
				return x.Do(t.Context(), c)
			}
			first := make(chan *transport.Result)
			go func() { first <- send() }()
			assert.True(t, send().OK())
			assert.True(t, (<-first).OK())
			r := send()
			assert.Equal(t, transport.Broken, r.Failure, "%v", r.Err)
			assert.Equal(t, int64(3), requests.Load(), "net/http has sent the %s again", method)
			server.Close()
		}
	}
}

// TestNothingIsWrittenToASecondConnection, not even in vain: the request that
// broke may have been executed.
func TestNothingIsWrittenToASecondConnection(t *testing.T) {
	eachWay(t, testNothingIsWrittenToASecondConnection)
}

func testNothingIsWrittenToASecondConnection(t *testing.T, to sender) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		synctest.Test(t, func(t *testing.T) {
			var requests atomic.Int64
			serve := func(conn net.Conn) {
				defer func() { _ = conn.Close() }()
				for r := bufio.NewReader(conn); ; {
					req, err := http.ReadRequest(r)
					if err != nil || requests.Add(1) > 2 {
						return
					}
					if _, err := io.Copy(io.Discard, req.Body); err != nil {
						return
					}
					time.Sleep(time.Second)
					resp := answer(req, 200, "")
					resp.ContentLength = 0
					if resp.Write(conn) != nil {
						return
					}
				}
			}
			plain := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
				near, far := net.Pipe()
				go serve(far)
				return near, nil
			}}
			defer plain.CloseIdleConnections()
			base := parseURL(t, "http://ci.example.com")
			x := to(plain, base)
			send := func() *transport.Result {
				c := newCall(t, method)
				c.URL = base
				if method == http.MethodPost {
					c.Body, c.Header = []byte("{}"), http.Header{"Idempotency-Key": {"1"}}
				}
				return x.Do(t.Context(), c)
			}
			go send()
			assert.True(t, send().OK())
			synctest.Wait() // two connections are idle
			assert.Equal(t, transport.Broken, send().Failure)
			synctest.Wait()
			assert.Equal(t, int64(3), requests.Load(), "net/http has sent the %s again", method)
		})
	}
}

// deaf is a connection that cannot be written to after its first request.
type deaf struct {
	net.Conn
	written bool
}

func (d *deaf) Write(p []byte) (int, error) {
	if d.written {
		return 0, io.ErrClosedPipe
	}
	d.written = true
	return d.Conn.Write(p)
}

// TestWhatWasNotWrittenGoesToAnotherConnection: that an idle connection is dead
// shows when it is used, and is no reason to fail.
func TestWhatWasNotWrittenGoesToAnotherConnection(t *testing.T) {
	eachWay(t, testWhatWasNotWrittenGoesToAnotherConnection)
}

func testWhatWasNotWrittenGoesToAnotherConnection(t *testing.T, to sender) {
	synctest.Test(t, func(t *testing.T) {
		network := &pipes{}
		plain := &http.Transport{DialContext: func(ctx context.Context, proto, address string) (net.Conn, error) {
			conn, err := network.dial(ctx, proto, address)
			return &deaf{Conn: conn}, err
		}}
		defer plain.CloseIdleConnections()
		base := parseURL(t, "http://ci.example.com")
		x := to(transport.NewConnections(plain), base)
		for range 3 {
			c := newCall(t, http.MethodGet)
			c.URL = base
			r := x.Do(t.Context(), c)
			assert.True(t, r.OK(), "%v", r.Err)
			synctest.Wait()
		}
		assert.Equal(t, 3, network.dialed)
	})
}

// TestARedirectIsSentOnceAsWell: it is another request, on the same connection,
// and the caller's trace sees both.
func TestARedirectIsSentOnceAsWell(t *testing.T) { eachWay(t, testARedirectIsSentOnceAsWell) }

func testARedirectIsSentOnceAsWell(t *testing.T, to sender) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
			return
		}
		_, _ = io.WriteString(w, "{}") // a client that has gone is not this test's matter
	}))
	defer server.Close()
	base := parseURL(t, server.URL+"/")
	c := newCall(t, http.MethodGet)
	c.URL = base
	var got atomic.Int64
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { got.Add(1) }})
	x := to(server.Client().Transport, base)
	x.Client.CheckRedirect = transport.CheckRedirect(base, true)
	r := x.Do(ctx, c)
	assert.True(t, r.OK(), "%v", r.Err)
	assert.Equal(t, int64(2), got.Load())
}
