package transport_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/internal/transport"
)

const token = "CCIPAT_abcdef_0123456789"

func fixed(token string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return token, nil }
}

// recorder keeps what would leave the machine, and answers as told.
type recorder struct {
	sent   []*http.Request
	answer func(*http.Request) (*http.Response, error)
}

func (w *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	w.sent = append(w.sent, req)
	if w.answer == nil {
		return answer(req, 200, "{}"), nil
	}
	return w.answer(req)
}

func TestTokenGoesByOrigin(t *testing.T) {
	const cloud, server, local = "https://circleci.com", "https://ci.example.com", "http://127.0.0.1:8080"
	for _, row := range []struct {
		base, to string
		shown    bool
	}{
		{server, "https://ci.example.com/api/v2/me", true},
		{server, "https://ci.example.com:443/api/v2/me", true},
		{server, "https://CI.Example.COM/api/v2/me", true},
		{"https://ci.example.com:443", "https://ci.example.com/api/v2/me", true},
		{"https://ci.example.com:8443", "https://ci.example.com:8443/me", true},
		{"https://ci.example.com:8443", "https://ci.example.com/me", false},
		{server, "https://ci.example.com:8443/me", false},
		{server, "http://ci.example.com/me", false},
		{server, "http://ci.example.com:443/me", false},
		{server, "https://www.ci.example.com/me", false},
		{server, "https://example.com/me", false},
		{server, "https://ci.example.com.evil.com/me", false},
		{server, "https://ci.example.com@evil.com/me", false},
		{server, "https://circleci.com/api/v2/me", false},
		{local, "http://127.0.0.1:8080/me", true},
		{local, "http://127.0.0.1/me", false},
		{local, "https://127.0.0.1:8080/me", false},
		{"http://localhost", "http://localhost:80/me", true},
		{"https://[::1]:8443", "https://[::1]:8443/me", true},

		// The cloud has a second host; a server of one's own does not.
		{"https://circleci.com", "https://api.circleci.com/x", true},
		{"https://circleci.com:443", "https://API.circleci.com:443/x", true},
		{"https://circleci.com", "http://api.circleci.com/x", false},
		{"https://circleci.com", "https://api.circleci.com:8443/x", false},
		{"https://circleci.com", "https://app.circleci.com/x", false},
		{"https://circleci.com", "https://evil.api.circleci.com/x", false},
		{"https://circleci.com", "https://api.circleci.com.evil.com/x", false},
		{"https://circleci.com:8443", "https://api.circleci.com/x", false},
		{"http://circleci.com", "https://api.circleci.com/x", false},
		{server, "https://api.circleci.com/x", false},
		{"https://api.circleci.com", "https://circleci.com/x", false},

		{cloud, "https://42-7-gh.circle-artifacts.com/0/log.txt", true},
		{cloud, "https://OUTPUT.Circle-Artifacts.com/0/log.txt", true},
		{cloud, "https://output.circle-artifacts.com:443/0/log.txt", true},
		{cloud, "https://output.circle-artifacts.com:8443/0/log.txt", false},
		{cloud, "http://output.circle-artifacts.com/0/log.txt", false},
		{cloud, "http://output.circle-artifacts.com:443/0/log.txt", false},
		{cloud, "https://circle-artifacts.com/0/log.txt", false},
		{cloud, "https://evilcircle-artifacts.com/0/log.txt", false},
		{cloud, "https://circle-artifacts.com.evil.com/0/log.txt", false},
		{cloud, "https://output.circle-artifacts.com.evil.com/0/log.txt", false},
		{cloud, "https://output.circle-artifacts.com@evil.com/0/log.txt", false},
		{cloud, "https://evil.com/.circle-artifacts.com", false},

		// An artifact host is the cloud's; another server's token is not for it.
		{server, "https://42-7-gh.circle-artifacts.com/0/log.txt", false},
		{"https://api.circleci.com", "https://x.circle-artifacts.com/0/log.txt", false},

		// What looks like a host, and net/http translates to another one.
		{cloud, "https://c\u0130rcleci.com/me", false}, // its lower case is i
		{cloud, "https://api.c\u0130rcleci.com/me", false},
		{cloud, "https://x.c\u0130rcle-artifacts.com/0/log.txt", false},
		{cloud, "https://\uff43ircleci.com/me", false},            // a wide c
		{cloud, "https://x\u3002circle-artifacts.com/0", false},   // another full stop
		{cloud, "https://[::1%25.circle-artifacts.com]/0", false}, // an IPv6 zone
		{cloud, "https://xn--crcleci-p0e.com/me", false},
		{"https://stra\u00dfe.example", "https://stra\u1e9ee.example/me", false},
		{"https://[fe80::1%25a]", "https://[fe80::1%25A]/me", false},
		{"https://my_host.example", "https://MY_HOST.example/me", true},
		{"https://[2001:DB8::1]", "https://[2001:db8::1]/me", true},
	} {
		for _, bearer := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s to %s, bearer %t", row.base, row.to, bearer), func(t *testing.T) {
				w := &recorder{}
				a := transport.NewAuth(w, parseURL(t, row.base), fixed(token), bearer)
				_, err := a.RoundTrip(&http.Request{Method: http.MethodGet, URL: parseURL(t, row.to), Header: http.Header{}})
				require.NoError(t, err)
				want := http.Header{"Accept": {"application/json"}}
				switch {
				case row.shown && bearer:
					want.Set("Authorization", "Bearer "+token)
				case row.shown:
					want.Set("Circle-Token", token)
				}
				assert.Equal(t, want, w.sent[0].Header, "the token is shown to the wrong host, or not to the right one")
			})
		}
	}
}

// TestEachHopIsJudgedAnew follows redirects with a real client, as an
// artifact's download does.
func TestEachHopIsJudgedAnew(t *testing.T) {
	type hop struct {
		to    string
		shown bool
	}
	for name, hops := range map[string][]hop{
		"on the same server": {{"https://circleci.com/a", true}, {"https://circleci.com:443/b", true}},
		"to the artifacts, then to storage": {
			{"https://circleci.com/a", true}, {"https://x.circle-artifacts.com/b", true}, {"https://storage.example.com/c", false},
		},
		"away and back": {
			{"https://circleci.com/a", true}, {"https://storage.example.com/b", false}, {"https://circleci.com/c", true},
		},
		"to a look-alike": {{"https://circleci.com/a", true}, {"https://evilcircle-artifacts.com/b", false}},
	} {
		t.Run(name, func(t *testing.T) {
			next := 1
			w := &recorder{answer: func(req *http.Request) (*http.Response, error) {
				if next == len(hops) {
					return answer(req, 200, "{}"), nil
				}
				next++
				return answer(req, 302, "", "Location", hops[next-1].to+"?signature=s3cret"), nil
			}}
			client := &http.Client{
				Transport:     transport.NewAuth(w, parseURL(t, "https://circleci.com"), fixed(token), false),
				CheckRedirect: transport.CheckRedirect(cloud, false),
			}
			resp, err := client.Get(hops[0].to)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Len(t, w.sent, len(hops))
			for i, h := range hops {
				shown := w.sent[i].Header.Get("Circle-Token")
				assert.Equal(t, h.shown, shown == token, "at %s the token is %q", h.to, shown)
				assert.Empty(t, w.sent[i].Header.Get("Authorization"), h.to)
				if !h.shown {
					assert.Empty(t, w.sent[i].Header.Get("Referer"), "%s learns where the caller comes from", h.to)
				}
			}
		})
	}
}

func TestForeignHostsSeeNoCredentialsAtAll(t *testing.T) {
	for _, source := range []func(context.Context) (string, error){nil, fixed(token)} {
		w := &recorder{}
		a := transport.NewAuth(w, parseURL(t, "https://circleci.com"), source, false)
		mine := http.Header{
			"Circle-Token": {"put there by a middleware"}, "Authorization": {"Bearer x"}, "Referer": {"https://circleci.com/?x"},
			"X-Mine": {"stays"},
		}
		req := &http.Request{Method: http.MethodGet, URL: parseURL(t, "https://storage.example.com/"), Header: mine.Clone()}
		_, err := a.RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, http.Header{"Accept": {"application/json"}, "X-Mine": {"stays"}}, w.sent[0].Header)
		assert.Equal(t, mine, req.Header, "a round tripper must not change its request")
	}
}

// TestTheCallersHeadersStayWithTheAPI: what a caller sets for a call does not
// travel to a host that the call is redirected to.
func TestTheCallersHeadersStayWithTheAPI(t *testing.T) {
	w := &recorder{answer: func(req *http.Request) (*http.Response, error) {
		if req.URL.Host == "circleci.com" {
			return answer(req, 302, "", "Location", "https://storage.example.com/file"), nil
		}
		return answer(req, 200, "file"), nil
	}}
	for _, inPlace := range []bool{false, true} {
		w.sent = nil
		a := transport.NewAuth(w, parseURL(t, "https://circleci.com"), fixed(token), false)
		a.InPlace = inPlace
		x := exchange(a)
		x.Client.CheckRedirect = transport.CheckRedirect(cloud, false)
		c := newCall(t, "GET")
		c.Header = http.Header{"X-Internal": {"secret"}, "Cookie": {"secret"}, "Range": {"bytes=5-"}}
		require.True(t, x.Do(t.Context(), c).OK())
		require.Len(t, w.sent, 2)
		assert.Equal(t, "secret", w.sent[0].Header.Get("X-Internal"))
		assert.Equal(t, http.Header{"Accept": {"application/json"}, "Range": {"bytes=5-"}}, w.sent[1].Header)
	}
}

// TestTracesDoNotSeeTheToken: a middleware's trace gets every event, and every
// header field but that of the token.
func TestTracesDoNotSeeTheToken(t *testing.T) {
	for _, bearer := range []bool{false, true} {
		for _, h2 := range []bool{false, true} {
			var name string
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				name = r.Header.Get("Circle-Token") + strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			}))
			server.EnableHTTP2 = h2
			server.StartTLS()
			a := transport.NewAuth(server.Client().Transport, parseURL(t, server.URL), fixed(token), bearer)
			var (
				mu     sync.Mutex
				events = map[string]int{}
				fields []string
			)
			note := func(event string) { mu.Lock(); defer mu.Unlock(); events[event]++ }
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
				GetConn: func(string) { note("GetConn") }, GotConn: func(httptrace.GotConnInfo) { note("GotConn") },
				ConnectDone: func(string, string, error) { note("ConnectDone") }, WroteHeaders: func() { note("WroteHeaders") },
				TLSHandshakeStart: func() { note("TLS") }, GotFirstResponseByte: func() { note("FirstByte") },
				WroteRequest: func(httptrace.WroteRequestInfo) { note("WroteRequest") },
				WroteHeaderField: func(name string, values []string) {
					mu.Lock()
					defer mu.Unlock()
					fields = append(fields, strings.ToLower(name)+": "+strings.Join(values, ","))
				},
			})
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
			require.NoError(t, err)
			req.Header.Set("X-Mine", "1")
			resp, err := a.RoundTrip(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			server.Close()
			mu.Lock()
			assert.Equal(t, token, name, "the token was not sent")
			for _, event := range []string{"GetConn", "GotConn", "ConnectDone", "TLS", "WroteHeaders", "FirstByte", "WroteRequest"} {
				assert.Equal(t, 1, events[event], event)
			}
			assert.Contains(t, fields, "x-mine: 1")
			assert.Contains(t, fields, "accept: application/json")
			assert.NotContains(t, strings.Join(fields, "\n"), token)
			mu.Unlock()
		}
	}
}

func TestTheRequestIsNotChanged(t *testing.T) {
	for _, bearer := range []bool{false, true} {
		w := &recorder{}
		a := transport.NewAuth(w, parseURL(t, "https://circleci.com"), fixed(token), bearer)
		req := &http.Request{Method: http.MethodGet, URL: parseURL(t, "https://circleci.com/"), Header: http.Header{"X-Mine": {"1"}}}
		resp, err := a.RoundTrip(req)
		require.NoError(t, err)
		assert.Same(t, req, resp.Request, "the answer names a request with the token on it")
		assert.Equal(t, http.Header{"X-Mine": {"1"}}, req.Header, "a middleware that dumps requests would see the token")
		assert.Len(t, w.sent[0].Header, 3)
	}
}

func TestAnonymous(t *testing.T) {
	w := &recorder{}
	a := transport.NewAuth(w, parseURL(t, "https://circleci.com"), nil, true)
	assert.True(t, a.Anonymous())
	_, err := a.RoundTrip(&http.Request{URL: parseURL(t, "https://circleci.com/"), Header: http.Header{}})
	require.NoError(t, err)
	assert.Equal(t, http.Header{"Accept": {"application/json"}}, w.sent[0].Header)

	w = &recorder{}
	a = transport.NewAuth(w, parseURL(t, "https://circleci.com"), fixed(""), true)
	assert.False(t, a.Anonymous(), "a source may have a token later")
	_, err = a.RoundTrip(&http.Request{URL: parseURL(t, "https://circleci.com/"), Header: http.Header{}})
	require.NoError(t, err)
	assert.Equal(t, http.Header{"Accept": {"application/json"}}, w.sent[0].Header, "the API refuses an empty Bearer")
}

// TestHeadersOfAllRequests: they yield to those that a call, or a middleware,
// has set.
func TestHeadersOfAllRequests(t *testing.T) {
	for _, inPlace := range []bool{false, true} {
		w := &recorder{}
		a := transport.NewAuth(w, parseURL(t, "https://circleci.com"), fixed(token), false)
		a.UserAgent, a.InPlace = []string{"client/1"}, inPlace
		for _, own := range []http.Header{{}, {"User-Agent": {"mine"}, "Accept": {"*/*"}}} {
			_, err := a.RoundTrip(&http.Request{URL: parseURL(t, "https://circleci.com/"), Header: own})
			require.NoError(t, err)
		}
		assert.Equal(t, http.Header{"User-Agent": {"client/1"}, "Accept": {"application/json"}, "Circle-Token": {token}}, w.sent[0].Header)
		assert.Equal(t, http.Header{"User-Agent": {"mine"}, "Accept": {"*/*"}, "Circle-Token": {token}}, w.sent[1].Header)
	}
}

// TestTheTokenStaysWhereItBelongsInPlace follows a redirect with the requests
// that http.Client makes of one that was changed in place.
func TestTheTokenStaysWhereItBelongsInPlace(t *testing.T) {
	w := &recorder{answer: func(req *http.Request) (*http.Response, error) {
		if req.URL.Host == "circleci.com" {
			return answer(req, 302, "", "Location", "https://storage.example.com/file"), nil
		}
		return answer(req, 200, "file"), nil
	}}
	a := transport.NewAuth(w, parseURL(t, "https://circleci.com"), fixed(token), false)
	a.InPlace = true
	resp, err := (&http.Client{Transport: a, CheckRedirect: transport.CheckRedirect(cloud, false)}).Get("https://circleci.com/a")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Len(t, w.sent, 2)
	assert.Equal(t, token, w.sent[0].Header.Get("Circle-Token"))
	assert.Equal(t, http.Header{"Accept": {"application/json"}}, w.sent[1].Header)
}

// closer tells whether a body was closed.
type closer struct {
	io.Reader
	closed bool
}

func (c *closer) Close() error { c.closed = true; return nil }

func TestTokenSource(t *testing.T) {
	base := "https://circleci.com"
	t.Run("an error is the call's, and the body is closed", func(t *testing.T) {
		w, vault, body := &recorder{}, errors.New("vault is sealed"), &closer{Reader: strings.NewReader("{}")}
		a := transport.NewAuth(w, parseURL(t, base), func(context.Context) (string, error) { return token, vault }, false)
		_, err := a.RoundTrip(&http.Request{URL: parseURL(t, base), Header: http.Header{}, Body: body})
		var failed *transport.TokenError
		require.ErrorAs(t, err, &failed)
		require.ErrorIs(t, err, vault)
		assert.Equal(t, "the token source: vault is sealed", err.Error())
		assert.True(t, body.closed, "a body that stays open can hold a file or a pipe")
		assert.Empty(t, w.sent, "a request without its token is a 401 at best")
	})
	t.Run("a token that would break the header is refused and not shown", func(t *testing.T) {
		for _, bad := range []string{"secret\n", "secret\r\nX-Evil: 1", "sec ret", "\tsecret", "secret\x00", "secret\x7f", "sécret"} {
			w := &recorder{}
			a := transport.NewAuth(w, parseURL(t, base), fixed(bad), false)
			_, err := a.RoundTrip(&http.Request{URL: parseURL(t, base), Header: http.Header{}})
			require.Error(t, err, "%q", bad)
			assert.NotContains(t, err.Error(), "cret", "%q", bad)
			assert.Empty(t, w.sent, "%q", bad)
		}
	})
	t.Run("each request asks anew, with its context", func(t *testing.T) {
		type key struct{}
		n, w := 0, &recorder{}
		a := transport.NewAuth(w, parseURL(t, base), func(ctx context.Context) (string, error) {
			n++
			return fmt.Sprintf("%v-%d", ctx.Value(key{}), n), nil
		}, false)
		req := (&http.Request{URL: parseURL(t, base), Header: http.Header{}}).WithContext(context.WithValue(t.Context(), key{}, "token"))
		for range 2 {
			_, err := a.RoundTrip(req)
			require.NoError(t, err)
		}
		assert.Equal(t, "token-1", w.sent[0].Header.Get("Circle-Token"))
		assert.Equal(t, "token-2", w.sent[1].Header.Get("Circle-Token"), "a token that was renewed is not used")
	})
}

// TestScrub: nothing that a server echoes shows the token of the call, or the
// secrets of its body.
func TestScrub(t *testing.T) {
	echo := func(c *transport.Call, status int, body string, header ...string) *transport.Result {
		w := &recorder{answer: func(req *http.Request) (*http.Response, error) { return answer(req, status, body, header...), nil }}
		r := exchange(transport.NewAuth(w, parseURL(t, "https://circleci.com"), fixed(token), false)).Do(t.Context(), c)
		transport.Scrub(r, c)
		return r
	}
	escaped := strings.ReplaceAll(token, "_", `\u005F`)
	for body, want := range map[string]string{
		`{"message":"bad token ` + token + `","again":"` + token + `"}`: `{"message":"bad token REDACTED","again":"REDACTED"}`,
		`{"message":"` + escaped + `"}`:                                 `{"message":"REDACTED"}`,
		`ends with hunter2hunter\u0032`:                                 `ends with REDACTED`,
		"cut after " + token[:15]:                                       "cut after REDACTED",
		"the word " + token[:15] + " alone":                             "the word " + token[:15] + " alone",
		`the value hunter2hunter2 or a\/\"b\u003cc`:                     `the value REDACTED or REDACTED`,
		"": "",
		`{"message":"-----BEGIN-----\nMII\tx\u000d\n-----END-----\n"}`:   `{"message":"REDACTED\n"}`,
		"-----BEGIN-----\nMII\tx\r\n-----END-----":                       "REDACTED",
		`"{\"error\":\"-----BEGIN-----\\nMII\\tx\\r\\n-----END-----\"}"`: `"{\"error\":\"REDACTED\"}"`,
		`{"message":"\uD83D\ude00&<'smile"}`:                             `{"message":"REDACTED"}`,
		"<p>\U0001F600&amp;&lt;&#39;smile":                               "<p>REDACTED",
		"<p>fish&amp;chips &lt;not fish>":                                "<p>REDACTED &lt;not fish>",
	} {
		c := newCall(t, "POST")
		c.Secrets = func() []string {
			return []string{"hunter2hunter2", `a/"b<c`, "short", "-----BEGIN-----\nMII\tx\r\n-----END-----\n", "\U0001F600&<'smile", "fish&amp;chips"}
		}
		r := echo(c, 400, body, "X-Request-Id", "id-"+token, "Content-Type", "text/"+token)
		assert.Equal(t, want, string(r.Body))
		assert.Equal(t, "id-REDACTED", r.Header.Get("X-Request-Id"))
		assert.Equal(t, "text/REDACTED", r.Header.Get("Content-Type"))
	}
	quotes := newCall(t, "GET")
	quotes.Answer = decodeFunc(func(r io.Reader) error {
		_, err := io.ReadAll(r)
		return cmp.Or(err, errors.New("unexpected "+token))
	})
	require.EqualError(t, echo(quotes, 200, "{}").Err, "unexpected REDACTED")
	c := newCall(t, "GET") // whose token is replaced between two attempts
	echo(c, 401, "")
	w := &recorder{answer: func(req *http.Request) (*http.Response, error) {
		return answer(req, 400, token+" and renewed-token"), nil
	}}
	r := exchange(transport.NewAuth(w, parseURL(t, "https://circleci.com"), fixed("renewed-token"), false)).Do(t.Context(), c)
	transport.Scrub(r, c)
	assert.Equal(t, "REDACTED and REDACTED", string(r.Body))
	for _, name := range []string{"Deprecation", "Sunset"} {
		r := echo(newCall(t, "GET"), 200, "{}", name, token, "Link", "<https://x/"+token+">")
		assert.Equal(t, "REDACTED", r.Header.Get(name), "the log shows it")
		assert.Equal(t, "<https://x/REDACTED>", r.Header.Get("Link"))
	}
	r = echo(newCall(t, "GET"), 200, "{}", "X-Request-Id", "id-"+token)
	assert.Equal(t, "id-REDACTED", r.Header.Get("X-Request-Id"), "the log shows it, too")
}

func TestAuthReturnsTheErrorOfTheTransport(t *testing.T) {
	boom := errors.New("no route to host")
	w := &recorder{answer: func(*http.Request) (*http.Response, error) { return nil, boom }}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://circleci.com/x", nil)
	require.NoError(t, err)
	resp, err := transport.NewAuth(w, cloud, fixed(token), false).RoundTrip(req)
	assert.Nil(t, resp)
	assert.ErrorIs(t, err, boom)
}

// FuzzTokenHosts: the token of a client of the cloud goes to its hosts by https,
// and that of another server to its own origin, whatever is written.
func FuzzTokenHosts(f *testing.F) {
	for _, seed := range []string{
		"https://api.circleci.com/x", "https://x.circle-artifacts.com", "https://x.c\u0130rcle-artifacts.com", "https://[::1%25.circle-artifacts.com]",
		"https://ci.example.com:443", "https://CI.EXAMPLE.com", "https://circleci.com@evil.com", "https://c%69rcleci.com", "//circleci.com",
	} {
		f.Add(seed)
	}
	cloud := regexp.MustCompile(`^((?i:api\.)?(?i:circleci\.com)|[-A-Za-z0-9._:]*(?i:\.circle-artifacts\.com))$`)
	f.Fuzz(func(t *testing.T, text string) {
		u, err := url.Parse(text)
		if err != nil {
			return
		}
		for base, allowed := range map[string]bool{
			"https://circleci.com":   u.Scheme == "https" && (u.Port() == "" || u.Port() == "443") && cloud.MatchString(u.Hostname()),
			"https://ci.example.com": u.Scheme == "https" && (u.Port() == "" || u.Port() == "443") && asciiEqual(u.Hostname(), "ci.example.com"),
		} {
			w := &recorder{}
			a := transport.NewAuth(w, parseURL(t, base), fixed(token), false)
			_, err := a.RoundTrip(&http.Request{Method: http.MethodGet, URL: u, Header: http.Header{}})
			require.NoError(t, err)
			assert.Equal(t, allowed, w.sent[0].Header.Get("Circle-Token") != "", "%s to %q", base, text)
		}
	})
}

func asciiEqual(a, lower string) bool {
	return len(a) == len(lower) && strings.EqualFold(a, lower)
}

func TestAuthDoesNotPrintItsToken(t *testing.T) {
	a := transport.NewAuth(&recorder{}, parseURL(t, "https://circleci.com"), fixed(token), false)
	_, err := a.RoundTrip(&http.Request{URL: parseURL(t, "https://circleci.com/"), Header: http.Header{}})
	require.NoError(t, err)
	a2 := *a
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.NotContains(t, fmt.Sprintf(format, &a2), token, format)
		assert.NotContains(t, fmt.Sprintf(format, a2), token, format)
	}
}

// idle counts the calls of CloseIdleConnections.
type idle struct {
	recorder
	closed int
}

func (i *idle) CloseIdleConnections() { i.closed++ }

func TestCloseIdleConnectionsIsPassedOn(t *testing.T) {
	next := &idle{}
	(&http.Client{Transport: transport.NewAuth(next, &url.URL{}, nil, false)}).CloseIdleConnections()
	assert.Equal(t, 1, next.closed, "connections stay open after Close")
	(&http.Client{Transport: transport.NewAuth(&recorder{}, &url.URL{}, nil, false)}).CloseIdleConnections()
}

func TestCheckRedirect(t *testing.T) {
	for _, row := range []struct {
		method, from string // of the first request
		as, to       string // of the redirect
		refused      string // what the error tells; empty if it is followed
	}{
		{"GET", "https://circleci.com/a", "GET", "https://circleci.com/b", ""},
		{"GET", "https://circleci.com/a", "GET", "https://storage.example.com/b", ""},
		{"HEAD", "https://circleci.com/a", "HEAD", "https://storage.example.com/b", ""},
		{"GET", "http://127.0.0.1/a", "GET", "https://circleci.com/b", ""},
		{"GET", "http://127.0.0.1/a", "GET", "http://127.0.0.1:8080/b", ""},
		{"GET", "http://127.0.0.1/a", "GET", "http://ci.example.com/b", "does not start with https"},
		{"GET", "https://ci.example.com/a", "GET", "https://10.0.0.5/b", ""},
		{"GET", "https://ci.example.com/a", "GET", "https://user:pw@files.example.com/b", "not a valid URL"},
		{"GET", "https://circleci.com/a", "GET", "https://10.0.0.5/b", "https://10.0.0.5, which does not name a public host"},
		{"GET", "https://circleci.com/a", "GET", "https://[::1]:2375/b", "[::1]:2375, which does not name a public host"},
		{"GET", "https://circleci.com/a", "GET", "https://metadata.google.internal/b", "does not name a public host"},
		{"GET", "https://circleci.com/a", "GET", "http://circleci.com/b", "from https to http at circleci.com"},
		{"GET", "https://circleci.com/a", "GET", "ftp://circleci.com/b", "from https to ftp"},
		{"POST", "https://circleci.com/a", "POST", "https://circleci.com/b", ""},
		{"POST", "https://circleci.com/a", "POST", "https://CircleCI.com:443/b", ""},
		{"DELETE", "https://circleci.com/a", "DELETE", "https://circleci.com/b", ""},
		{"POST", "https://circleci.com/a", "GET", "https://circleci.com/b", "turn POST into GET"},
		{"DELETE", "https://circleci.com/a", "GET", "https://circleci.com/b", "turn DELETE into GET"},
		{"PATCH", "https://circleci.com/a", "PATCH", "https://eu.circleci.com/b", "a PATCH to another host, eu.circleci.com"},
		{"PUT", "https://circleci.com/a", "PUT", "https://circleci.com:8443/b", "another host"},
		{"POST", "https://circleci.com/a", "POST", "http://circleci.com/b", "from https to http"},
		{"POST", "http://ci.example.com/a", "POST", "https://ci.example.com/b", "another host"},
	} {
		name := fmt.Sprintf("%s %s as %s %s", row.method, row.from, row.as, row.to)
		err := transport.CheckRedirect(parseURL(t, row.from), false)(
			&http.Request{Method: row.as, URL: parseURL(t, row.to)},
			[]*http.Request{{Method: row.method, URL: parseURL(t, row.from)}},
		)
		if row.refused == "" {
			assert.NoError(t, err, name)
			continue
		}
		var hop *transport.RedirectError
		require.ErrorAs(t, err, &hop, name)
		assert.Contains(t, err.Error(), row.refused, name)
	}
}

func TestTLSIsNotLeftAtALaterHop(t *testing.T) {
	via := []*http.Request{
		{Method: "GET", URL: parseURL(t, "http://127.0.0.1/a")}, {Method: "GET", URL: parseURL(t, "https://circleci.com/b")},
	}
	require.Error(t, transport.CheckRedirect(cloud, false)(&http.Request{Method: http.MethodGet, URL: parseURL(t, "http://circleci.com/c")}, via))
}

func TestRedirectsEnd(t *testing.T) {
	w := &recorder{answer: func(req *http.Request) (*http.Response, error) {
		return answer(req, 302, "", "Location", "/again"), nil
	}}
	resp, err := (&http.Client{Transport: w, CheckRedirect: transport.CheckRedirect(cloud, false)}).Get("https://circleci.com/")
	require.Error(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Len(t, w.sent, 10)
}

func TestIsCloud(t *testing.T) {
	for text, want := range map[string]bool{
		"https://circleci.com": true, "https://CircleCI.com:443/api/v2": true, "http://circleci.com": false,
		"https://circleci.com:8443": false, "https://api.circleci.com": false, "https://ci.example.com": false,
	} {
		assert.Equal(t, want, transport.IsCloud(parseURL(t, text)), text)
	}
}

func TestCheckToken(t *testing.T) {
	for _, good := range []string{"", token, "a.b-c_d~e+f/g=", "!~"} {
		assert.NoError(t, transport.CheckToken(good), "%q", good)
	}
	for _, bad := range []string{" ", `"a"`, "'a'", "a b", "a\n", "a\r", "a\t", "\x00", "\x1f", "\x7f", "\x80", "ü"} {
		assert.Error(t, transport.CheckToken(bad), "%q", bad)
	}
}
