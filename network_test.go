package circleci_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

// pipeNet is a network in memory with one server, for what goes on below HTTP
// while time is faked.
type pipeNet struct {
	server http.Server
	roots  *x509.CertPool
	conns  chan net.Conn

	mu     sync.Mutex
	dialed []*pipeEnd
}

// newPipeNet serves HTTP/2, for the host example.com.
func newPipeNet(t *testing.T, handler http.HandlerFunc) *pipeNet {
	t.Helper()
	borrowed := httptest.NewUnstartedServer(nil) // its certificate
	borrowed.StartTLS()
	n := &pipeNet{roots: x509.NewCertPool(), conns: make(chan net.Conn)}
	n.roots.AddCert(borrowed.Certificate())
	n.server.Handler = handler
	n.server.ErrorLog = log.New(io.Discard, "", 0)
	n.server.TLSConfig = &tls.Config{Certificates: borrowed.TLS.Certificates, NextProtos: []string{"h2"}}
	borrowed.Close()
	return n
}

// serve runs within a bubble, to the end of its test.
func (n *pipeNet) serve(t *testing.T) {
	done := make(chan struct{})
	n.conns = make(chan net.Conn)
	go func() {
		defer close(done)
		_ = n.server.ServeTLS(n, "", "") // ends with the test
	}()
	t.Cleanup(func() {
		close(n.conns)
		<-done
		_ = n.server.Close() // closes what is left
	})
}

func (n *pipeNet) Accept() (net.Conn, error) {
	if conn, ok := <-n.conns; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (n *pipeNet) Close() error   { return nil }
func (n *pipeNet) Addr() net.Addr { return &net.TCPAddr{} }

// transport is the client's own, on this network.
func (n *pipeNet) transport() *http.Transport {
	rt := circleci.NetTransport()
	rt.TLSClientConfig.RootCAs = n.roots
	rt.DialContext = func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		n.conns <- far
		end := &pipeEnd{Conn: near, closed: make(chan struct{})}
		n.mu.Lock()
		defer n.mu.Unlock()
		n.dialed = append(n.dialed, end)
		return end, nil
	}
	return rt
}

// connections are those that have been made so far.
func (n *pipeNet) connections() []*pipeEnd {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]*pipeEnd(nil), n.dialed...)
}

// pipeEnd is a connection that can die without a word, as when a router on its
// way is switched off.
type pipeEnd struct {
	net.Conn
	once   sync.Once
	closed chan struct{}

	mu   sync.Mutex
	dead bool
}

func (e *pipeEnd) die() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.dead = true
}

func (e *pipeEnd) isDead() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.dead
}

func (e *pipeEnd) Read(p []byte) (int, error) {
	n, err := e.Conn.Read(p)
	if e.isDead() {
		<-e.closed
		return 0, net.ErrClosed
	}
	return n, err
}

func (e *pipeEnd) Write(p []byte) (int, error) {
	if e.isDead() {
		return len(p), nil
	}
	return e.Conn.Write(p)
}

func (e *pipeEnd) Close() error {
	e.once.Do(func() { close(e.closed) })
	return e.Conn.Close()
}

// A laptop that has slept, or a router that has forgotten: the connection is
// dead, and nothing says so. All calls would go there until the system gives
// the connection up, which takes a quarter of an hour.
func TestADeadHTTP2ConnectionIsReplaced(t *testing.T) {
	network := newPipeNet(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "HTTP/2.0", r.Proto)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, me)
	})
	synctest.Test(t, func(t *testing.T) {
		network.serve(t)
		rt := network.transport()
		client, err := circleci.NewClient(canary, circleci.WithBaseURL("https://example.com"), circleci.WithHTTPClient(&http.Client{Transport: rt}))
		require.NoError(t, err)
		_, err = client.Users.Me(t.Context())
		require.NoError(t, err)
		network.connections()[0].die()

		var response circleci.Response
		start := time.Now()
		_, err = client.Users.Me(t.Context(), circleci.CaptureResponse(&response))
		require.NoError(t, err)
		assert.Less(t, time.Since(start), 35*time.Second)
		assert.Equal(t, 2, response.Attempts)
		assert.Len(t, network.connections(), 2)
		require.NoError(t, client.Close())
	})
}

// TestTheCallersTraceSeesEachRequestOnce: the request of a redirect is another
// one.
func TestTheCallersTraceSeesEachRequestOnce(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/moved") {
			http.Redirect(w, r, "/api/v2/moved", http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, me)
	}))
	defer server.Close()
	client, err := circleci.NewClient(canary, circleci.WithBaseURL(server.URL))
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	var (
		mu     sync.Mutex
		events []string
	)
	note := func(event string) { mu.Lock(); defer mu.Unlock(); events = append(events, event) }
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		GetConn: func(string) { note("GetConn") }, GotConn: func(httptrace.GotConnInfo) { note("GotConn") },
		WroteHeaders: func() { note("WroteHeaders") },
		WroteHeaderField: func(_ string, values []string) {
			assert.NotContains(t, values, canary)
		},
	})
	_, err = client.Users.Me(ctx)
	require.NoError(t, err)
	mu.Lock()
	defer mu.Unlock()
	assert.Equal(t, []string{"GetConn", "GotConn", "WroteHeaders", "GetConn", "GotConn", "WroteHeaders"}, events)
}
