package transport_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/internal/transport"
)

// pipes is a network in memory with one server, for use within synctest.
type pipes struct {
	dialing time.Duration // what it takes to make a connection
	uneven  time.Duration // and of each four in a row the later ones this much longer each
	serving time.Duration // and to answer a request
	last    bool          // whether the server closes after each answer
	fail    error         // of dials

	mu                     sync.Mutex
	dialed, open, mostOpen int
}

func (n *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	n.mu.Lock()
	takes, fail := n.dialing+time.Duration(n.dialed%4)*n.uneven, n.fail
	n.dialed++
	n.mu.Unlock()
	if err := errors.Join(transport.Sleep(ctx, takes), fail); err != nil {
		return nil, err
	}
	near, far := net.Pipe()
	go n.serve(far)
	n.opened(+1)
	return &closeHook{near, sync.OnceFunc(func() { n.opened(-1) })}, nil
}

func (n *pipes) opened(change int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open += change
	n.mostOpen = max(n.mostOpen, n.open)
}

func (n *pipes) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	for r := bufio.NewReader(conn); ; {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		time.Sleep(n.serving)
		const body = `{"name":"x"}`
		resp := answer(req, 200, body)
		resp.ContentLength, resp.Close = int64(len(body)), n.last
		if resp.Write(conn) != nil || n.last {
			return
		}
	}
}

type closeHook struct {
	net.Conn
	closed func()
}

func (c *closeHook) Close() error {
	c.closed()
	return c.Conn.Close()
}

// get makes a request, and reads its answer.
func get(ctx context.Context, rt http.RoundTripper) error {
	return getFrom(ctx, rt, "http://ci.example.com/x")
}

func getFrom(ctx context.Context, rt http.RoundTripper, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return err
	}
	_, err = io.ReadAll(resp.Body)
	return errors.Join(err, resp.Body.Close())
}

// TestRequestsShareAConnectionOfHTTP2, from the first ones on.
func TestRequestsShareAConnectionOfHTTP2(t *testing.T) {
	var connections atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "{}") // a client that has gone is not this test's matter
	}))
	server.EnableHTTP2, server.Config.ErrorLog = true, quiet
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.StartTLS()
	defer server.Close()
	plain := server.Client().Transport.(*http.Transport).Clone()
	plain.DialContext = (&net.Dialer{}).DialContext
	rt := transport.NewConnections(plain)
	defer rt.CloseIdleConnections()
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() {
			for range 5 {
				assert.NoError(t, getFrom(t.Context(), rt, server.URL))
			}
		})
	}
	callers.Wait()
	assert.LessOrEqual(t, connections.Load(), int64(8), "one, or a few on a machine that takes long for a handshake")
}

// TestConnectionsAreBounded: a server that allows few connections is not
// surprised by more of them than the program has goroutines, and the program
// not by waiting for one.
func TestConnectionsAreBounded(t *testing.T) {
	const dialing, serving = 50 * time.Millisecond, 3 * time.Millisecond
	for name, row := range map[string]struct {
		network       *pipes
		callers, each int
		took          time.Duration // at most
	}{
		"one caller":                        {&pipes{dialing: dialing, serving: serving}, 1, 100, dialing + 100*serving},
		"a crowd":                           {&pipes{dialing: dialing, serving: serving}, 16, 50, dialing + 50*serving},
		"a crowd, uneven dials":             {&pipes{dialing: dialing, uneven: dialing, serving: serving}, 16, 50, 4*dialing + 50*serving},
		"a large crowd, all at once":        {&pipes{dialing: dialing, serving: time.Second}, 200, 1, dialing + time.Second},
		"a server that closes, one caller":  {&pipes{dialing: dialing, serving: serving, last: true}, 1, 20, 20 * (dialing + serving)},
		"a server that closes, and a crowd": {&pipes{dialing: dialing, serving: serving, last: true}, 16, 20, 20 * (dialing + serving)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := row.network
				rt := transport.NewConnections(&http.Transport{DialContext: network.dial, MaxIdleConnsPerHost: 64})
				start := time.Now()
				var group sync.WaitGroup
				for range row.callers {
					group.Go(func() {
						for range row.each {
							assert.NoError(t, get(t.Context(), rt))
						}
					})
				}
				group.Wait()
				assert.LessOrEqual(t, time.Since(start), row.took, "a request waits for a connection that it could have")
				rt.CloseIdleConnections()
				synctest.Wait()
				network.mu.Lock()
				defer network.mu.Unlock()
				assert.LessOrEqual(t, network.mostOpen, row.callers, "connections at once")
				if !network.last {
					assert.LessOrEqual(t, network.dialed, row.callers, "connections in all")
				}
				assert.Zero(t, network.open, "connections left")
			})
		})
	}
}

// TestACrowdOverTLS does not wait for a connection to share, if the server does
// not speak HTTP/2.
func TestACrowdOverTLS(t *testing.T) {
	server := httptest.NewTLSServer(nil) // for its certificate
	defer server.Close()
	trusting := server.Client().Transport.(*http.Transport).TLSClientConfig
	synctest.Test(t, func(t *testing.T) {
		network := &pipes{serving: time.Second}
		rt := transport.NewConnections(&http.Transport{TLSClientConfig: trusting, DialContext: func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go network.serve(tls.Server(far, server.TLS))
			return near, nil
		}})
		start := time.Now()
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				assert.NoError(t, getFrom(t.Context(), rt, "https://example.com/x"))
			})
		}
		group.Wait()
		assert.Equal(t, time.Second, time.Since(start))
		rt.CloseIdleConnections()
	})
}

// TestConnectionsThatAreNotMade leave nothing of their requests behind.
func TestConnectionsThatAreNotMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &pipes{dialing: 50 * time.Millisecond, serving: time.Millisecond, fail: errors.New("refused")}
		rt := transport.NewConnections(&http.Transport{DialContext: network.dial})
		for range 3 {
			require.ErrorIs(t, get(t.Context(), rt), network.fail)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, get(ctx, rt), context.DeadlineExceeded)
		time.Sleep(time.Second) // net/http dials to the end
		network.mu.Lock()
		network.fail = nil
		network.mu.Unlock()
		start := time.Now()
		require.NoError(t, get(t.Context(), rt))
		assert.Equal(t, 51*time.Millisecond, time.Since(start), "a dial that failed still counts")
		rt.CloseIdleConnections()
	})
}

// TestAnUnreadAnswerIsUnderWay: it keeps its connection, and others get theirs.
func TestAnUnreadAnswerIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &pipes{dialing: 50 * time.Millisecond}
		rt := transport.NewConnections(&http.Transport{DialContext: network.dial})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://ci.example.com/x", nil)
		require.NoError(t, err)
		unread, err := rt.RoundTrip(req)
		require.NoError(t, err)
		_, err = unread.Body.Read(make([]byte, 1)) // not to its end
		require.NoError(t, err)
		start := time.Now()
		require.NoError(t, get(t.Context(), rt))
		assert.Equal(t, 50*time.Millisecond, time.Since(start))
		require.NoError(t, unread.Body.Close())
		rt.CloseIdleConnections()
	})
}

// TestADialIsNotHeldForEver: should net/http hold a connection that it does not
// use, a request gets another.
func TestADialIsNotHeldForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			wanted context.Context // of a dial for a request
			dials  []time.Duration // when they began; they never end
			start  = time.Now()
		)
		plain := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			wanted, dials = ctx, append(dials, time.Since(start))
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		rt := transport.NewConnections(plain)
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { assert.ErrorIs(t, get(ctx, rt), context.Canceled) })
		synctest.Wait()

		again, giveUp := context.WithTimeout(wanted, time.Second)
		defer giveUp()
		_, err := plain.DialContext(again, "tcp", "ci.example.com:80")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, []time.Duration{0, 250 * time.Millisecond}, dials)

		cancel()
		group.Wait()
		_, err = plain.DialContext(wanted, "tcp", "ci.example.com:80")
		require.ErrorContains(t, err, "no request waits")
		assert.Len(t, dials, 2, "a connection is made for nobody")
		rt.CloseIdleConnections()
	})
}

// TestConnectionsThroughAProxy are its own, and lead to many servers.
func TestConnectionsThroughAProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &pipes{dialing: 50 * time.Millisecond, serving: time.Millisecond}
		rt := transport.NewConnections(&http.Transport{
			DialContext: network.dial, Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.example.com:3128"}),
		})
		start := time.Now()
		require.NoError(t, get(t.Context(), rt))
		require.NoError(t, get(t.Context(), rt))
		assert.Equal(t, 52*time.Millisecond, time.Since(start))
		rt.CloseIdleConnections()
	})
}
