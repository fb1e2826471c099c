package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/internal/transport"
)

// Artifacts have many hosts, so a server is forgotten with its last connection.
func TestServersAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &pipes{dialing: 50 * time.Millisecond, serving: time.Millisecond}
		rt := transport.NewConnections(&http.Transport{DialContext: network.dial})
		for n := range 10 {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://%d.example.com/x", n), nil)
			require.NoError(t, err)
			resp, err := rt.RoundTrip(req)
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
		}
		assert.Equal(t, 10, rt.Servers(), "their connections are idle")
		rt.CloseIdleConnections()
		synctest.Wait()
		assert.Zero(t, rt.Servers())
	})
}

// A dial that waits for its turn ends at once when its request does.
func TestADialEndsWithItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var wanted context.Context
		plain := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			wanted = ctx
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		rt := transport.NewConnections(plain)
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { assert.ErrorIs(t, get(ctx, rt), context.Canceled) })
		synctest.Wait()
		time.AfterFunc(10*time.Millisecond, cancel)
		start := time.Now()
		_, err := plain.DialContext(context.WithoutCancel(wanted), "tcp", "ci.example.com:80")
		require.ErrorContains(t, err, "no request waits")
		assert.Equal(t, 10*time.Millisecond, time.Since(start))
		group.Wait()
		rt.CloseIdleConnections()
	})
}

// A request that does not come through an exchange, such as that of a user's own
// client, is sent once as well.
func TestARequestOfAnotherClientIsSentOnce(t *testing.T) {
	var requests, open atomic.Int64
	both := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
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
	defer server.Close()
	client := &http.Client{Transport: transport.NewAuth(server.Client().Transport, parseURL(t, server.URL), fixed(token), false)}
	send := func() error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.Body.Close()
	}
	first := make(chan error)
	go func() { first <- send() }()
	require.NoError(t, send())
	require.NoError(t, <-first)
	require.Error(t, send())
	assert.Equal(t, int64(3), requests.Load(), "net/http has sent the request again")
}

func TestIsPlainHost(t *testing.T) {
	for text, want := range map[string]bool{
		"https://ci.example.com": true, "https://CI_1.example.com:8443": true, "https://[2001:db8::1]": true, "https://a-z.0-9": true,
		"https://stra\u00dfe.example": false, "https://[fe80::1%25a]": false, "https://": false, "https://a~b": false,
	} {
		assert.Equal(t, want, transport.IsPlainHost(parseURL(t, text)), text)
	}
}

// A client of the cloud requests only what may be a public host.
func TestHostsOfOnesOwnNetworkAreRefused(t *testing.T) {
	for text, refused := range map[string]bool{
		"https://x.com": false, "https://files.example.com.": false, "https://a.zz": false, "https://a.aa": false,
		"https://10.0.0.1": true, "https://10.0.0.0": true, "https://10.0.0.9": true, "https://169.254.169.254": true, "https://0x7f.1": true,
		"https://[::1]": true, "https://[::ffff:10.0.0.1]": true, "https://metadata": true, "https://metadata.google.internal": true,
		"https://.com": true, "https://x.local": true, "https://X.LOCALHOST": true, "https://printer.localdomain": true, "https://x..": true,
	} {
		got := transport.Refuses(cloud, parseURL(t, text), false)
		assert.Equal(t, refused, got == "does not name a public host", "%s: %q", text, got)
		assert.Empty(t, transport.Refuses(parseURL(t, "https://ci.example.com"), parseURL(t, text), false), "a server of one's own may be anywhere")
	}
}

func TestScrubWhereSecretsTouch(t *testing.T) {
	for body, want := range map[string]string{
		"xabcdefx" + "abcdefx":          "REDACTEDabcdefx",
		strings.Repeat("xabcdefx", 3):   strings.Repeat("REDACTED", 3),
		"cut after six xabcde":          "cut after six REDACTED",
		"cut after five xabcd":          "cut after five xabcd",
		"cut after all but one xabcdef": "cut after all but one REDACTED",
		"a short word is shown":         "a short word is shown",
	} {
		c := newCall(t, "POST")
		c.Secrets = func() []string { return []string{"xabcdefx", "short"} }
		w := &recorder{answer: func(req *http.Request) (*http.Response, error) { return answer(req, 400, body), nil }}
		r := exchange(transport.NewAuth(w, cloud, fixed(token), false)).Do(t.Context(), c)
		transport.Scrub(r, c)
		assert.Equal(t, want, string(r.Body))
	}
}

// What is left of a body that cannot be used is read, so that its connection
// serves the next call.
func TestUnusableAnswersLeaveTheirConnectionUsable(t *testing.T) {
	for name, row := range map[string]struct {
		size   int
		decode decodeFunc
		want   transport.Failure
	}{
		"a decoder that stops early": {200 << 10, func(r io.Reader) error {
			_, err := r.Read(make([]byte, 1))
			return errors.Join(err, errors.New("bad"))
		}, transport.BadJSON},
		"a little more than the limit": {1<<20 + 200<<10, func(r io.Reader) error {
			_, err := io.Copy(io.Discard, r)
			return err
		}, transport.TooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			var opened atomic.Int32
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write(make([]byte, row.size)) // a client that has gone is not this test's matter
			}))
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
			for range 20 {
				c := newCall(t, http.MethodGet)
				c.URL, c.Answer = parseURL(t, s.URL), row.decode
				require.Equal(t, row.want, x.Do(t.Context(), c).Failure)
			}
			assert.LessOrEqual(t, opened.Load(), int32(3), "connections for 20 calls")
		})
	}
}

// A dial that waits for its turn ends when its request gets a connection that
// has become idle.
func TestADialEndsWhenItsRequestGetsAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &pipes{serving: 100 * time.Millisecond}
		var wanted context.Context
		plain := &http.Transport{DialContext: func(ctx context.Context, n, address string) (net.Conn, error) {
			if wanted = ctx; network.dialed > 0 {
				return nil, transport.Sleep(ctx, time.Hour)
			}
			return network.dial(ctx, n, address)
		}}
		rt := transport.NewConnections(plain)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://ci.example.com/x", nil)
		require.NoError(t, err)
		first, err := rt.RoundTrip(req)
		require.NoError(t, err)
		var group sync.WaitGroup
		group.Go(func() { assert.NoError(t, get(t.Context(), rt)) })
		synctest.Wait()
		time.AfterFunc(10*time.Millisecond, func() {
			_, err := io.Copy(io.Discard, first.Body)
			assert.NoError(t, err)
			assert.NoError(t, first.Body.Close())
		})
		start := time.Now()
		_, err = plain.DialContext(context.WithoutCancel(wanted), "tcp", "ci.example.com:80")
		require.ErrorContains(t, err, "no request waits")
		assert.Equal(t, 10*time.Millisecond, time.Since(start))
		group.Wait()
		rt.CloseIdleConnections()
		time.Sleep(2 * time.Hour) // net/http dials to the end
	})
}

func TestARetryNeedsTimeAfterItsWait(t *testing.T) {
	for left, attempts := range map[time.Duration]int{time.Minute: 1, time.Minute + time.Second: 2} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), left)
			defer cancel()
			s := &script{results: []transport.Result{limited(time.Minute), status(http.StatusOK)}}
			rt := &transport.Retry{Attempts: 2, MaxWait: time.Hour, MaxElapsed: time.Hour, Next: s.Do}
			rt.Do(ctx, newCall(t, http.MethodGet))
			assert.Len(t, s.at, attempts)
		})
	}
}
