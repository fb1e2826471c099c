package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Connections sends requests with a transport of net/http, and limits its
// connections to a server to the number of requests in progress, or to few if
// the server speaks HTTP/2, where requests share a connection.
//
// By itself, net/http dials for each request that finds no idle connection, and
// completes the dial even if a connection becomes idle in the meantime. When
// many callers start at once, a server would get several connections for each
// caller.
type Connections struct {
	transport *http.Transport
	dial      func(ctx context.Context, network, address string) (net.Conn, error)

	mu      sync.Mutex
	servers map[[2]string]*server // by scheme and host
}

// server counts the requests and connections to one server.
type server struct {
	key      [2]string
	requests int           // under way, until their answers have been read
	open     int           // connections, those being made included
	share    bool          // requests may share a connection; assumed of TLS, until one is made
	changed  chan struct{} // closed at the next change; nil: nobody waits
}

// streams is the least number of requests at a time that servers take on a
// connection of HTTP/2.
const streams = 100

// most returns how many connections the server needs.
func (s *server) most() int {
	if s.share {
		return 1 + s.requests/streams
	}
	return s.requests
}

// demand is a request's demand for a connection.
type demand struct {
	of     *Connections // nil: connections are not counted
	server *server
	met    bool
	ended  bool
}

// patience is the longest time that a dial waits for its turn. It bounds the
// delay of a request, whatever net/http does with its connections.
const patience = 250 * time.Millisecond

// errNotNeeded cancels a dial that no request waits for anymore.
var errNotNeeded = errors.New("no request waits for this connection")

// NewConnections returns a round tripper that uses t, which must have a
// DialContext.
func NewConnections(t *http.Transport) *Connections {
	c := &Connections{transport: t, dial: t.DialContext, servers: map[[2]string]*server{}}
	t.DialContext = c.dialContext
	return c
}

// RoundTrip sends a request.
func (c *Connections) RoundTrip(req *http.Request) (*http.Response, error) {
	o, ok := req.Context().Value(onceKey{}).(*once)
	if !ok {
		req = sendOnce(req, "", false)
		o = req.Context().(*once)
	}
	d := &o.demand
	c.begin(d, req.URL.Scheme, req.URL.Host)
	getConn := o.trace.GetConn
	o.trace.GetConn = func(address string) {
		d.renew() // again, if an idle connection turns out to be dead
		if getConn != nil {
			getConn(address)
		}
	}
	unread := false
	defer func() {
		if !unread {
			d.end()
		}
	}()
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.Body != http.NoBody && resp.StatusCode != http.StatusSwitchingProtocols {
		unread = true
		resp.Body = &countedBody{resp.Body, d}
	}
	return resp, nil
}

// CloseIdleConnections closes unused connections.
func (c *Connections) CloseIdleConnections() { c.transport.CloseIdleConnections() }

func (c *Connections) begin(d *demand, scheme, host string) {
	key := [2]string{scheme, host}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.servers[key]
	if s == nil {
		s = &server{key: key, share: scheme == "https"}
		c.servers[key] = s
	}
	s.requests++
	c.tell(s)
	*d = demand{of: c, server: s}
}

// renew says that the request waits for a connection.
func (d *demand) renew() {
	d.of.mu.Lock()
	defer d.of.mu.Unlock()
	d.met = false
}

// meet says that the request has a connection, which others may share.
func (d *demand) meet(share bool) {
	if c := d.of; c != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		d.met, d.server.share = true, share
		c.tell(d.server)
	}
}

// end says that the request needs no connection anymore.
func (d *demand) end() {
	d.of.mu.Lock()
	defer d.of.mu.Unlock()
	if d.ended {
		return
	}
	d.met, d.ended = true, true
	d.server.requests--
	d.of.tell(d.server)
}

func (c *Connections) closed(s *server) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.open--
	c.tell(s)
}

// tell wakes the dials that wait for a change. A server without requests and
// connections is removed, because artifacts have many hosts.
func (c *Connections) tell(s *server) {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
	if s.requests == 0 && s.open == 0 {
		delete(c.servers, s.key)
	}
}

// admit waits until there are fewer connections than needed, and then counts one
// more.
func (c *Connections) admit(ctx context.Context, d *demand) error {
	var timer <-chan time.Time
	for impatient := false; ; {
		c.mu.Lock()
		s := d.server
		switch {
		case d.met:
			c.mu.Unlock()
			return errNotNeeded
		case s.open < s.most() || impatient:
			s.open++
			c.mu.Unlock()
			return nil
		}
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		c.mu.Unlock()
		if timer == nil {
			timer = time.After(patience)
		}
		select {
		case <-changed:
		case <-timer:
			impatient = true
		case <-ctx.Done():
			return causeOf(ctx)
		}
	}
}

func (c *Connections) dialContext(ctx context.Context, network, address string) (net.Conn, error) {
	o, ok := ctx.Value(onceKey{}).(*once)
	if !ok {
		return c.dial(ctx, network, address)
	}
	d := &o.demand
	if err := c.admit(ctx, d); err != nil {
		return nil, err
	}
	conn, err := c.dial(ctx, network, address)
	if err != nil {
		c.closed(d.server)
		return nil, err
	}
	return &countedConn{Conn: conn, closed: sync.OnceFunc(func() { c.closed(d.server) })}, nil
}

// countedBody ends its request when it has been read or closed.
type countedBody struct {
	io.ReadCloser
	demand *demand
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.demand.end()
	}
	return n, err
}

func (b *countedBody) Close() error {
	defer b.demand.end()
	return b.ReadCloser.Close()
}

type countedConn struct {
	net.Conn
	closed  func()
	written atomic.Int64
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n))
	return n, err
}

func (c *countedConn) Close() error {
	defer c.closed()
	return c.Conn.Close()
}
