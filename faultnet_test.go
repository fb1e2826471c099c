package circleci_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/internal/transport"
)

// move is what a faultNet does with a connection or a request.
type move struct {
	dial    func(ctx context.Context) error // there is no connection
	connect func(conn net.Conn)             // there is one, and neither TLS nor HTTP on it
	answer  func(w io.Writer) error         // the request is read, and answered
	after   after                           // what becomes of the connection
}

type after int

const (
	stays after = iota
	hangsUp
	isSilent // nothing comes any more, and the connection stays
)

// speaks answers with these bytes.
func speaks(raw string) move {
	return move{answer: func(w io.Writer) error {
		_, err := io.WriteString(w, raw)
		return err
	}}
}

// says answers with a status, a body and its length; headers are pairs of a
// name and a value.
func says(status int, body string, headers ...string) move {
	return speaks(header(status, append([]string{"Content-Length", strconv.Itoa(len(body))}, headers...)...) + body)
}

// header is the start of an answer, of JSON if no other type is given.
func header(status int, headers ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %d Status\r\n", status)
	typed := false
	for i := 0; i+1 < len(headers); i += 2 {
		fmt.Fprintf(&b, "%s: %s\r\n", headers[i], headers[i+1])
		typed = typed || headers[i] == "Content-Type"
	}
	if !typed {
		b.WriteString("Content-Type: application/json\r\n")
	}
	return b.String() + "\r\n"
}

// drips answers with a text in parts, with a pause before each.
func drips(pause time.Duration, start string, parts ...string) move {
	return move{answer: func(w io.Writer) error {
		_, err := io.WriteString(w, start)
		for _, part := range parts {
			if err != nil {
				break
			}
			time.Sleep(pause) // of the bubble's clock
			_, err = io.WriteString(w, part)
		}
		return err
	}}
}

// pours answers with a body of a size, without keeping it.
func pours(start string, size int64) move {
	return move{answer: func(w io.Writer) error {
		if _, err := io.WriteString(w, start); err != nil {
			return err
		}
		_, err := io.CopyN(w, spaces{}, size)
		return err
	}}
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func (m move) thenHangsUp() move {
	m.after = hangsUp
	return m
}

func (m move) thenIsSilent() move {
	m.after = isSilent
	return m
}

// isDown is a server to which no connection can be made.
func isDown(err error) move { return move{dial: func(context.Context) error { return err }} }

// neverConnects is a dial that comes to nothing.
func neverConnects() move {
	return move{dial: func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}}
}

// script is what happens: one move after the other, and then all is well
// again; or the last one for ever.
type script struct {
	moves   []move
	forever bool
	tls     bool
	context func(ctx context.Context) (context.Context, context.CancelFunc)
	options []circleci.Option
}

func once(moves ...move) script    { return script{moves: moves} }
func forever(moves ...move) script { return script{moves: moves, forever: true} }

// overTLS has the client speak TLS, and the server too.
func (s script) overTLS() script {
	s.tls = true
	return s
}

// with adds options of the client.
func (s script) with(opts ...circleci.Option) script {
	s.options = opts
	return s
}

// canceled has the caller give up after a time.
func (s script) canceled(after time.Duration) script {
	s.context = func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		if after == 0 {
			cancel()
		} else {
			time.AfterFunc(after, cancel)
		}
		return ctx, cancel
	}
	return s
}

// deadline gives the call so much time.
func (s script) deadline(d time.Duration) script {
	s.context = func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, d) }
	return s
}

// faultNet is a network in memory with one server on it, of which a script
// says what it does, down to the bytes. Below the client is net/http's own
// transport, so that a fault is met as it is in real life.
type faultNet struct {
	script script
	good   func(req *http.Request, begun bool) move // when the script is not in force

	mu     sync.Mutex
	begun  bool // the script is in force
	moves  int  // taken
	tries  int  // requests, and connections that were not made, since it is
	leaked []string
	open   int // connections
}

// certificate is that of the server, and stranger that of somebody else.
var (
	certificate = sync.OnceValue(newCertificate)
	stranger    = sync.OnceValue(newCertificate)
)

// newCertificate is one for example.com, signed by itself.
func newCertificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"example.com"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Unix(0, 0), NotAfter: time.Now().Add(24 * time.Hour), // a bubble's clock says the year 2000
	}
	var der []byte
	if err == nil {
		der, err = x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	}
	if err == nil {
		template, err = x509.ParseCertificate(der)
	}
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: template}
}

// client is the package's own, but for its dialer.
func (n *faultNet) client(t *testing.T) *circleci.Client {
	t.Helper()
	rt := circleci.NetTransport()
	rt.Proxy = nil
	rt.DialContext = n.dial
	host := "http://localhost"
	if n.script.tls {
		host = "https://example.com"
		rt.TLSClientConfig.RootCAs = x509.NewCertPool()
		rt.TLSClientConfig.RootCAs.AddCert(certificate().Leaf)
	}
	client, err := circleci.NewClient(canary, append([]circleci.Option{
		circleci.WithBaseURL(host), circleci.WithHTTPClient(&http.Client{Transport: transport.NewConnections(rt)}),
	}, n.script.options...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() }) // lets the bubble end where a test has failed
	return client
}

// next takes the script's next move, if it is one that wanted takes.
func (n *faultNet) next(wanted func(move) bool) (move, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.begun {
		return move{}, false
	}
	at := n.moves
	if n.script.forever {
		at = min(at, len(n.script.moves)-1)
	}
	if at >= len(n.script.moves) || !wanted(n.script.moves[at]) {
		return move{}, false
	}
	n.moves++
	if n.script.moves[at].answer == nil {
		n.tries++
	}
	return n.script.moves[at], true
}

func (n *faultNet) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if m, ok := n.next(func(m move) bool { return m.dial != nil }); ok {
		return nil, m.dial(ctx)
	}
	near, far := net.Pipe()
	n.count(1)
	go func() {
		n.serve(far)
		_ = far.Close() // the client may have been faster
		n.count(-1)
	}()
	return near, nil
}

func (n *faultNet) count(d int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open += d
}

// serve answers the requests of a connection, until one side hangs up.
func (n *faultNet) serve(conn net.Conn) {
	if m, ok := n.next(func(m move) bool { return m.connect != nil }); ok {
		m.connect(conn)
		return
	}
	if n.script.tls {
		conn = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate()}})
	}
	requests := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(requests)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, req.Body) // a client that hangs up is found below
		m := n.take(req)
		switch err := m.answer(conn); {
		case err != nil || m.after == hangsUp:
			return
		case m.after == isSilent:
			_, _ = io.Copy(io.Discard, requests) // until the client has enough
			return
		}
	}
}

// take finds the answer to a request.
func (n *faultNet) take(req *http.Request) move {
	n.mu.Lock()
	begun := n.begun
	if begun {
		n.tries++
	}
	if home := req.Host == "localhost" || req.Host == "example.com"; !home && strings.Contains(fmt.Sprint(req.Header), canary) {
		n.leaked = append(n.leaked, req.Host)
	}
	n.mu.Unlock()
	if m, ok := n.next(func(m move) bool { return m.answer != nil }); ok {
		return m
	}
	defer n.begin()
	return n.good(req, begun)
}

func (n *faultNet) begin() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.begun = true
}
