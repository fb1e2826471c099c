package circleci_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

const me = `{"id":"5034460f-c7c4-4c43-9457-de07e2029e7b","login":"ada","name":"Ada"}`

func TestHostsInEveryFormLeadToTheAPI(t *testing.T) {
	for _, c := range []struct{ host, root string }{
		{"circleci.com", "https://circleci.com"},
		{"circleci.com/", "https://circleci.com"},
		{" https://circleci.com\n", "https://circleci.com"},
		{"https://circleci.com", "https://circleci.com"},
		{"https://circleci.com/", "https://circleci.com"},
		{"https://circleci.com//", "https://circleci.com"},
		{"https://circleci.com/api", "https://circleci.com"},
		{"https://circleci.com/api/", "https://circleci.com"},
		{"https://circleci.com/api/v1.1", "https://circleci.com"},
		{"https://circleci.com/api/v2", "https://circleci.com"},
		{"https://circleci.com/api/v2/", "https://circleci.com"},
		{"https://circleci.com/api/v3", "https://circleci.com"},
		{"circleci.com/api/v2", "https://circleci.com"},
		{"HTTPS://CircleCI.com/api/v2", "https://circleci.com"},
		{"https://ci.example.com:8443/api/v2", "https://ci.example.com:8443"},
		{"ci.example.com:8443", "https://ci.example.com:8443"},
		{"ci_server:8443", "https://ci_server:8443"}, // as containers are named
		// A self-hosted server behind a path of its own.
		{"https://example.com/circleci", "https://example.com/circleci"},
		{"https://example.com/circleci/", "https://example.com/circleci"},
		{"https://example.com/circleci/api/v2/", "https://example.com/circleci"},
		{"https://example.com/a/b/api", "https://example.com/a/b"},
		{"https://example.com/my%20ci/api/v2", "https://example.com/my%20ci"},
		{"https://example.com/myapi", "https://example.com/myapi"},
		{"https://example.com/api/vault", "https://example.com/api/vault"},
		{"https://example.com/api/12", "https://example.com/api/12"},
		{"https://[2001:db8::1]/api/v2", "https://[2001:db8::1]"},
		// In clear it goes to this machine alone.
		{"http://localhost", "http://localhost"},
		{"http://localhost:8080/api/v2", "http://localhost:8080"},
		{"http://LOCALHOST:8080", "http://localhost:8080"},
		{"http://ci.localhost", "http://ci.localhost"},
		{"http://127.0.0.1:1234", "http://127.0.0.1:1234"},
		{"http://[::1]:1234", "http://[::1]:1234"},
	} {
		wire := replies(answers(200, me), answers(200, `{}`))
		client := wire.client(t, circleci.WithBaseURL(c.host))
		assert.Equal(t, c.root+"/api/v2", client.BaseURL(), c.host)
		_, err := client.Users.Me(t.Context())
		require.NoError(t, err, c.host)
		require.NoError(t, client.Do(t.Context(), circleci.Request{Route: "/api/v3/x"}, nil), c.host)
		sent := wire.requests()
		assert.Equal(t, c.root+"/api/v2/me", sent[0].URL, c.host)
		assert.Equal(t, c.root+"/api/v3/x", sent[1].URL, c.host)
		assert.Equal(t, []string{canary}, sent[0].Header["Circle-Token"], "%s: a token for one's own server", c.host)
	}
}

func TestArgumentsAreEscapedBehindAPathPrefix(t *testing.T) {
	wire := replies(answers(200, `{}`))
	client := wire.client(t, circleci.WithBaseURL("https://example.com/my%20ci"))
	_, err := client.Projects.GetEnvVar(t.Context(), "gh/acme/web app", "A/B")
	require.NoError(t, err)
	assert.Equal(t, "https://example.com/my%20ci/api/v2/project/gh/acme/web%20app/envvar/A%2FB", wire.only(t).URL)
}

func TestWithoutABaseURLItIsCircleCI(t *testing.T) {
	client, err := circleci.NewClient(canary)
	require.NoError(t, err)
	assert.Equal(t, "https://circleci.com/api/v2", client.BaseURL())
	assert.Equal(t, "circleci.Client(https://circleci.com/api/v2)", client.String())
}

func TestHostsThatAreNoGoodAreRefused(t *testing.T) {
	for host, reason := range map[string]string{
		"":                              "no valid host",
		"   ":                           "no valid host",
		"https://":                      "no valid host",
		"https:///api/v2":               "no valid host",
		"/api/v2":                       "no valid host",
		"https://ci example.com":        "is not a valid URL",
		"https://circleci.com:port":     "is not a valid URL",
		"https://circleci.com/%zz":      "is not a valid URL",
		"https://circle\nci.com":        "is not a valid URL",
		"ftp://circleci.com":            "scheme ftp",
		"://circleci.com":               "is not a valid URL",
		"https://user:CANARY@ci.com":    "user or password",
		"https://CANARY@ci.com":         "user or password",
		"https://circleci.com?a=b":      "query or a fragment",
		"https://circleci.com/api/v2?":  "query or a fragment",
		"https://circleci.com#x":        "query or a fragment",
		"https://circleci.com/a//b":     "has a path with",
		"https://circleci.com/a/../b":   "has a path with",
		"https://circleci.com/%2e%2e/b": "has a path with",
		"http://circleci.com":           "unencrypted",
		"http://10.0.0.1":               "unencrypted",
		"http://localhost.example.com":  "unencrypted",
		"http://127.0.0.1.example.com":  "unencrypted",
		"https://ci.ex\u00e4mple.com":   "punycode",
		"https://circle\u0131.com":      "punycode",
		"https://ci.ex%C3%A4mple.com":   "punycode",
		"https://[fe80::1%25eth0]":      "no valid host",
		// A token where the host is due would show up in the DNS.
		"CCIPAT_abc_0123": "looks like a token",
	} {
		client, err := circleci.NewClient(canary, circleci.WithBaseURL(host))
		require.ErrorIs(t, err, circleci.ErrInvalidArgument, "%q", host)
		assert.Nil(t, client)
		bad := requireError[*circleci.ArgumentError](t, err)
		assert.Equal(t, "base URL", bad.Name)
		assert.Contains(t, bad.Reason, reason, "%q", host)
		assertOneLine(t, err)
		assert.NotContains(t, err.Error(), canary)
	}
}

func TestPlainHTTPIsAChoice(t *testing.T) {
	wire := replies(answers(200, me))
	client := wire.client(t, circleci.WithBaseURL("http://ci.example.com/api/v2"), circleci.WithPlainHTTP())
	_, err := client.Users.Me(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "http://ci.example.com/api/v2/me", wire.only(t).URL)
	assert.Equal(t, canary, wire.only(t).Header.Get("Circle-Token"))
}

func TestTokensThatWouldBreakAHeaderAreRefused(t *testing.T) {
	for _, token := range []string{canary + "\n", " " + canary, canary + "\r\nX: y", canary + "é", canary + "\x7f"} {
		_, err := circleci.NewClient(token)
		require.ErrorIs(t, err, circleci.ErrInvalidArgument, "%q", token)
		assert.NotContains(t, err.Error(), canary)
		assertOneLine(t, err)
	}
}

func TestTheTokenIsSentAsTheServerTakesIt(t *testing.T) {
	for _, c := range []struct {
		name, token string
		opts        []circleci.Option
		want        http.Header
	}{
		{"by default", canary, nil, http.Header{"Circle-Token": {canary}}},
		{"bearer", canary, []circleci.Option{circleci.WithBearerAuth()}, http.Header{"Authorization": {"Bearer " + canary}}},
		{"anonymous", "", nil, http.Header{}},
		{"anonymous bearer", "", []circleci.Option{circleci.WithBearerAuth()}, http.Header{}},
	} {
		wire := replies(answers(200, me))
		client, err := circleci.NewClient(c.token, append(c.opts, circleci.WithHTTPClient(&http.Client{Transport: wire}))...)
		require.NoError(t, err)
		_, err = client.Users.Me(t.Context())
		require.NoError(t, err, c.name)
		got := wire.only(t).Header
		assert.Equal(t, []string{"circleci-go/" + circleci.Version}, got["User-Agent"])
		assert.Equal(t, []string{"application/json"}, got["Accept"])
		delete(got, "User-Agent")
		delete(got, "Accept")
		assert.Equal(t, c.want, got, "%s: the headers that a server sees", c.name)
	}
}

// permutations calls f with each order of n things.
func permutations(n int, f func([]int)) {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	var step func(int)
	step = func(k int) {
		if k == n {
			f(order)
			return
		}
		for i := k; i < n; i++ {
			order[k], order[i] = order[i], order[k]
			step(k + 1)
			order[k], order[i] = order[i], order[k]
		}
	}
	step(0)
}

func TestTheOrderOfOptionsDoesNotMatter(t *testing.T) {
	wire := always(answers(200, me))
	tagged := func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(req *http.Request) (*http.Response, error) {
			req = req.Clone(req.Context())
			req.Header.Set("Tag", "x")
			return next.RoundTrip(req)
		})
	}
	options := []circleci.Option{
		circleci.WithBaseURL("http://ci.example.com"),
		circleci.WithPlainHTTP(),
		circleci.WithHTTPClient(&http.Client{Transport: wire}),
		circleci.WithMiddleware(nil, tagged),
		circleci.WithBearerAuth(),
		circleci.WithTokenSource(func(context.Context) (string, error) { return "other", nil }),
		nil, // an option left out by a condition
	}
	count := 0
	permutations(len(options), func(order []int) {
		opts := make([]circleci.Option, 0, len(order))
		for _, i := range order {
			opts = append(opts, options[i])
		}
		client, err := circleci.NewClient(canary, opts...)
		require.NoError(t, err)
		_, err = client.Users.Me(t.Context())
		require.NoError(t, err)
		count++
	})
	sent := wire.requests()
	require.Len(t, sent, count)
	assert.Equal(t, "http://ci.example.com/api/v2/me", sent[0].URL)
	assert.Equal(t, "Bearer other", sent[0].Header.Get("Authorization"))
	assert.Equal(t, "x", sent[0].Header.Get("Tag"))
	for _, other := range sent {
		require.Equal(t, sent[0], other, "one order of the options makes another client")
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestMiddlewares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := replies(
			answers(502, `{"message":"bad gateway"}`),
			answers(302, "", "Location", "/api/v2/moved"),
			answers(200, me),
		)
		var (
			log []string
			ops []circleci.Operation
		)
		named := func(name string) circleci.Middleware {
			return func(next http.RoundTripper) http.RoundTripper {
				return roundTrip(func(req *http.Request) (*http.Response, error) {
					op, ok := circleci.OperationFromContext(req.Context())
					require.True(t, ok, "a middleware cannot tell the operation")
					ops = append(ops, op)
					log = append(log, name+" "+req.URL.Path)
					assert.Empty(t, tokenIn(req.Header), "a middleware sees the token")
					resp, err := next.RoundTrip(req)
					assert.Empty(t, tokenIn(req.Header), "a middleware sees the token when it has been sent")
					require.NoError(t, err)
					assert.Empty(t, tokenIn(resp.Request.Header), "a middleware sees the token in the answer's request")
					log = append(log, "/"+name)
					return resp, nil
				})
			}
		}
		client := wire.client(t, retrying(), circleci.WithMiddleware(named("a"), named("b")), circleci.WithMiddleware(named("c")))
		_, err := client.Users.Me(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []string{
			"a /api/v2/me", "b /api/v2/me", "c /api/v2/me", "/c", "/b", "/a", // the attempt that fails
			"a /api/v2/me", "b /api/v2/me", "c /api/v2/me", "/c", "/b", "/a", // the redirect
			"a /api/v2/moved", "b /api/v2/moved", "c /api/v2/moved", "/c", "/b", "/a",
		}, log, "the first middleware is the outermost, on each attempt and on each redirect")
		for i, op := range ops {
			want := circleci.Operation{Method: "GET", Route: "/me", Attempt: 1}
			if i >= 3 {
				want.Attempt = 2
			}
			assert.Equal(t, want, op)
		}
		for _, sent := range wire.requests() {
			assert.Equal(t, canary, sent.Header.Get("Circle-Token"), "behind the middlewares the token is there")
		}
	})
}

func tokenIn(h http.Header) string { return h.Get("Circle-Token") + h.Get("Authorization") }

func TestOperationsAreKnownToOnesOwnTransport(t *testing.T) {
	var got circleci.Operation
	wire := &fakeWire{answer: func(req *http.Request, _ int) reply {
		got, _ = circleci.OperationFromContext(req.Context())
		return answers(200, `{}`)
	}}
	require.NoError(t, wire.client(t).Do(t.Context(), circleci.Request{Method: http.MethodPost, Route: "/x/{y}", Params: []any{"z"}}, nil))
	assert.Equal(t, circleci.Operation{Method: "POST", Route: "/x/{y}", Attempt: 1}, got)
	_, ok := circleci.OperationFromContext(t.Context())
	assert.False(t, ok, "a context that belongs to no call")
}

func TestAClientDoesNotShowItsToken(t *testing.T) {
	type holder struct {
		Client *circleci.Client
		client circleci.Client
	}
	for name, opts := range map[string][]circleci.Option{
		"token":  nil,
		"bearer": {circleci.WithBearerAuth()},
		"source": {circleci.WithTokenSource(func(context.Context) (string, error) { return canary, nil })},
		"logger": {circleci.WithLogger(slog.New(slog.DiscardHandler)), circleci.WithMiddleware(func(next http.RoundTripper) http.RoundTripper { return next })},
	} {
		t.Run(name, func(t *testing.T) {
			wire := replies(answers(200, me), answers(404, `{"message":"no"}`))
			base := &http.Client{Transport: &opaqueWire{wire.RoundTrip}}
			opts := append(opts, circleci.WithHTTPClient(base))
			client, err := circleci.NewClient(canary, opts...)
			require.NoError(t, err)
			_, err = client.Users.Me(t.Context()) // what is kept of a call must not show it either
			require.NoError(t, err)
			_, err = client.Users.Me(t.Context())
			require.Error(t, err)
			require.Equal(t, 2, strings.Count(tokenIn(wire.requests()[0].Header)+tokenIn(wire.requests()[1].Header), canary))

			for _, v := range []any{client, *client, holder{client, *client}, &holder{client, *client}, client.Users} {
				assertHidden(t, canary, v)
				assertUnreachable(t, canary, v)
			}
			assert.Contains(t, client.GoString(), "https://circleci.com/api/v2")

			// The dumps of testify, as users see them when a test fails.
			var failure recordedFailure
			assert.Equal(&failure, holder{client: *client}, holder{Client: client})
			assert.Nil(&failure, client)
			assert.ElementsMatch(&failure, []any{*client}, []any{client})
			assert.NotEmpty(t, failure.text)
			assert.NotContains(t, failure.text, canary)
		})
	}
}

// opaqueWire keeps the requests that it remembers out of a dump of its user.
type opaqueWire struct{ roundTrip roundTrip }

func (o *opaqueWire) RoundTrip(req *http.Request) (*http.Response, error) { return o.roundTrip(req) }

type recordedFailure struct{ text string }

func (r *recordedFailure) Errorf(format string, args ...any) {
	for _, arg := range args {
		text, _ := arg.(string)
		r.text += text
	}
	_ = format
}

func TestAMiddlewareCannotKeepConnectionsOpen(t *testing.T) {
	var closed int
	base := &closing{RoundTripper: always(answers(200, me)), close: func() { closed++ }}
	for _, opts := range [][]circleci.Option{
		nil,
		{circleci.WithMiddleware(func(next http.RoundTripper) http.RoundTripper { return roundTrip(next.RoundTrip) })},
	} {
		closed = 0
		client, err := circleci.NewClient(canary, append(opts, circleci.WithHTTPClient(&http.Client{Transport: base}))...)
		require.NoError(t, err)
		require.NoError(t, client.Close())
		assert.Equal(t, 1, closed, "Close leaves idle connections open")
		_, err = client.Users.Me(t.Context())
		assert.NoError(t, err, "a client can be used after Close")
	}
}

type closing struct {
	http.RoundTripper
	close func()
}

func (c *closing) CloseIdleConnections() { c.close() }

func TestNothingIsSentBeforeACall(t *testing.T) {
	wire := replies()
	asked := 0
	client := wire.client(t, circleci.WithTokenSource(func(context.Context) (string, error) { asked++; return canary, nil }))
	_ = client.Pipelines.ListForProject("gh/acme/web", nil)
	assert.Empty(t, wire.requests())
	assert.Zero(t, asked, "the token source is asked before there is a request")
}

func TestTheHTTPClientStaysAsItIs(t *testing.T) {
	wire := replies(answers(200, me))
	given := &http.Client{Transport: wire, Timeout: time.Hour}
	client, err := circleci.NewClient(canary, circleci.WithHTTPClient(given))
	require.NoError(t, err)
	_, err = client.Users.Me(t.Context())
	require.NoError(t, err)
	assert.Same(t, wire, given.Transport, "another user of the HTTP client would send the token now")
	assert.Nil(t, given.CheckRedirect)
	given.Transport = replies() // nor does a later change matter to the client
	wire.answer = always(answers(200, me)).answer
	_, err = client.Users.Me(t.Context())
	assert.NoError(t, err)
}

func TestHTTPClientWithoutATransportGetsOne(t *testing.T) {
	srv := circlecitest.New(t)
	for _, hc := range []*http.Client{nil, {}} {
		client, err := circleci.NewClient(srv.Token(), circleci.WithBaseURL(srv.URL()), circleci.WithHTTPClient(hc))
		require.NoError(t, err)
		user, err := client.Users.Me(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "ada", user.Login)
		require.NoError(t, client.Close())
	}
}

func TestSelfHostedServersWithTheirOwnCertificates(t *testing.T) {
	var shown [][]byte
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		for _, cert := range req.TLS.PeerCertificates {
			shown = append(shown, cert.Raw)
		}
		_, _ = w.Write([]byte(me)) // a recorder's failure is the client's error
	}))
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, ClientAuth: tls.RequestClientCert}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	own := server.TLS.Certificates[0]

	client, err := circleci.NewClient(canary, circleci.WithBaseURL(server.URL), circleci.WithRootCAs(pool), circleci.WithClientCertificate(own))
	require.NoError(t, err)
	_, err = client.Users.Me(t.Context())
	require.NoError(t, err)
	require.NoError(t, client.Close())
	assert.Equal(t, own.Certificate, shown, "the server does not see the client's certificate")

	stranger, err := circleci.NewClient(canary, circleci.WithBaseURL(server.URL))
	require.NoError(t, err)
	_, err = stranger.Users.Me(t.Context())
	failed := requireError[*circleci.TransportError](t, err)
	assert.Equal(t, 1, failed.Attempts, "an unknown authority does not get known by trying again")
	var unknown x509.UnknownAuthorityError
	require.ErrorAs(t, err, &unknown)
	require.NoError(t, stranger.Close())
}

func TestOldVersionsOfTLSAreRefused(t *testing.T) {
	for version, accepted := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(me)) // a recorder's failure is the client's error
		}))
		server.TLS = &tls.Config{MinVersion: version, MaxVersion: version} //nolint:gosec // the client has to refuse it
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		server.StartTLS()
		pool := x509.NewCertPool()
		pool.AddCert(server.Certificate())
		client, err := circleci.NewClient(canary, circleci.WithBaseURL(server.URL), circleci.WithRootCAs(pool))
		require.NoError(t, err)
		_, err = client.Users.Me(t.Context(), circleci.NoRetry())
		assert.Equal(t, accepted, err == nil, "%s: %v", tls.VersionName(version), err)
		require.NoError(t, client.Close())
		server.Close()
	}
}

func TestTLSOptionsDoNotGoWithATransport(t *testing.T) {
	own := circleci.WithHTTPClient(&http.Client{Transport: replies()})
	for _, opt := range []circleci.Option{circleci.WithRootCAs(x509.NewCertPool()), circleci.WithClientCertificate(tls.Certificate{})} {
		_, err := circleci.NewClient(canary, own, opt)
		require.ErrorIs(t, err, circleci.ErrInvalidArgument, "a certificate that is silently not used")
		assert.ErrorContains(t, err, "TLSClientConfig")
	}
}

func FuzzBaseURL(f *testing.F) {
	for _, host := range []string{
		"circleci.com", "https://circleci.com/api/v2/", "http://localhost:80", "https://example.com/p/api/v1.1", "https://[::1%25lo]:1",
		"https://user:pass@h", "h?x", "h#x", "https://h/%2e%2e/a", "https://h/a%2Fb", "https://h/%C3%BC", "https://H:", "http://127.0.0.1.x", "//h",
	} {
		f.Add(host, false)
		f.Add(host, true)
	}
	f.Fuzz(func(t *testing.T, host string, plain bool) {
		if len(host) > 200 {
			return // a long one finds nothing more, and takes minutes to minimize
		}
		wire := always(answers(200, me))
		opts := []circleci.Option{circleci.WithBaseURL(host), circleci.WithHTTPClient(&http.Client{Transport: wire})}
		if plain {
			opts = append(opts, circleci.WithPlainHTTP())
		}
		client, err := circleci.NewClient(canary, opts...)
		if err != nil {
			require.ErrorIs(t, err, circleci.ErrInvalidArgument)
			assertOneLine(t, err)
			return
		}
		base, err := url.Parse(client.BaseURL())
		require.NoError(t, err)
		assert.True(t, strings.HasSuffix(base.Path, "/api/v2"), base.Path)
		assert.Empty(t, base.RawQuery+base.Fragment)
		assert.False(t, base.ForceQuery)
		assert.Nil(t, base.User)
		assert.NotEmpty(t, base.Hostname())
		if base.Scheme != "https" {
			assert.Equal(t, "http", base.Scheme)
			loopback := base.Hostname() == "localhost" || strings.HasSuffix(base.Hostname(), ".localhost") ||
				strings.HasPrefix(base.Hostname(), "127.") || strings.Contains(base.Hostname(), ":")
			assert.True(t, plain || loopback, "the token goes to %s in clear", base.Host)
		}
		again, err := circleci.NewClient(canary, circleci.WithBaseURL(client.BaseURL()), circleci.WithPlainHTTP())
		require.NoError(t, err)
		assert.Equal(t, client.BaseURL(), again.BaseURL(), "a base URL that is given back leads elsewhere")

		_, err = client.Users.Me(t.Context())
		require.NoError(t, err)
		sent := wire.only(t)
		assert.Equal(t, client.BaseURL()+"/me", sent.URL)
		assert.Equal(t, canary, sent.Header.Get("Circle-Token"))
	})
}

func TestAConfigurationCanBeWrittenToALog(t *testing.T) {
	// What users do with their own structs: they log them, with a client inside.
	v := struct {
		Client *circleci.Client
		Token  circleci.Secret
		Err    error
	}{Token: canary, Err: errors.New("x")}
	var err error
	v.Client, err = circleci.NewClient(canary)
	require.NoError(t, err)
	assertHidden(t, canary, v)
	assertHidden(t, canary, &v)
}

func TestAMiddlewareHasToReturnSomething(t *testing.T) {
	_, err := circleci.NewClient(canary, circleci.WithMiddleware(func(http.RoundTripper) http.RoundTripper { return nil }))
	assert.ErrorIs(t, err, circleci.ErrInvalidArgument, "nothing would carry the token, and nobody know why")
}
