package transport

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/circleci-go/circleci/internal/env"
)

// Auth adds the client's headers to requests, after all middlewares; headers
// that a middleware has set are kept. The token is sent only to the API, which
// has two hosts in CircleCI's cloud, and to CircleCI's artifact hosts. Because
// Auth is a round tripper, it checks each redirect again.
//
// The token is stored only in closures, which fmt does not print.
type Auth struct {
	// InPlace allows Auth to modify requests instead of copying them, because
	// nobody else sees them.
	InPlace bool
	// UserAgent is the header of requests that do not set their own.
	UserAgent []string

	next   http.RoundTripper
	base   *url.URL // of the API
	plain  bool     // whether its host is plain ASCII
	bearer bool
	token  func(context.Context) (string, error) // nil: anonymous
	header func(token string) []string           // the header's value for a token
}

var (
	mediaJSON = []string{"application/json"}
	mediaAny  = []string{"*/*"}
)

// NewAuth returns a round tripper that authenticates with the tokens of a
// source; without a source, it sends none.
func NewAuth(next http.RoundTripper, base *url.URL, source func(context.Context) (string, error), bearer bool) *Auth {
	a := &Auth{next: next, base: base, plain: IsPlainHost(base), bearer: bearer}
	if source == nil {
		return a
	}
	a.token = func(ctx context.Context) (string, error) {
		token, err := source(ctx)
		if err == nil {
			err = CheckToken(token)
		}
		if err != nil {
			return "", &TokenError{err}
		}
		return token, nil
	}
	var value atomic.Pointer[[]string]
	prefix := ""
	if bearer {
		prefix = bearerPrefix
	}
	a.header = func(token string) []string {
		if known := value.Load(); known != nil && (*known)[0][len(prefix):] == token {
			return *known
		}
		made := []string{prefix + token}
		value.Store(&made)
		return made
	}
	return a
}

// Anonymous reports whether no token is ever sent.
func (a *Auth) Anonymous() bool { return a.token == nil }

// TokenError is the error of a token source.
type TokenError struct{ Err error }

func (e *TokenError) Error() string { return "the token source: " + e.Err.Error() }
func (e *TokenError) Unwrap() error { return e.Err }

// artifactDomain is the domain of the hosts that serve CircleCI's artifacts to
// requests with a token.
const artifactDomain = ".circle-artifacts.com"

// CloudAPIHost is the second API host of CircleCI's cloud. It accepts the same
// tokens as the main host.
const CloudAPIHost = "api." + cloudHost

const cloudHost = "circleci.com"

// IsCloud reports whether a URL is on the main host of CircleCI's cloud.
func IsCloud(u *url.URL) bool { return isHTTPS(u) && plainHost(u) == cloudHost }

func isHTTPS(u *url.URL) bool { return u.Scheme == "https" && portOf(u) == "443" }

// RoundTrip sends req at most once, with the headers that its host may receive.
func (a *Auth) RoundTrip(req *http.Request) (*http.Response, error) {
	var token, name string
	trusted := a.trusts(req.URL)
	if trusted && a.token != nil {
		var err error
		if token, err = a.token(req.Context()); err != nil {
			if req.Body != nil {
				_ = req.Body.Close() // a round tripper closes the body, even on errors
			}
			return nil, err
		}
		name = "Circle-Token"
		if a.bearer || wantsBearer(req.Context()) {
			name = "Authorization"
		}
	}
	out := sendOnce(req, name, a.InPlace)
	if !a.InPlace {
		out.Header = maps.Clone(req.Header)
	}
	if !trusted {
		hide(req.Context(), out.Header)
	}
	setDefault(out.Header, "User-Agent", a.UserAgent)
	setDefault(out.Header, "Accept", mediaJSON)
	if c, ok := FromContext(req.Context()); ok && token != "" {
		c.hide(token)
	}
	switch {
	case token == "":
	case name == "Authorization" && !a.bearer: // for this call alone
		out.Header[name] = []string{bearerPrefix + token}
	default:
		out.Header[name] = a.header(token)
	}
	resp, err := a.next.RoundTrip(out)
	if resp != nil {
		resp.Request = req // for those who look at it, such as a middleware: the one without a token
	}
	return resp, err
}

// hide removes what other hosts must not receive: credentials, and the headers
// that the caller has set for the API.
func hide(ctx context.Context, h http.Header) {
	for _, name := range [...]string{"Circle-Token", "Authorization", "Referer"} {
		delete(h, name)
	}
	if c, ok := FromContext(ctx); ok {
		for name := range c.Header {
			switch name {
			case "Accept", "Accept-Encoding", "Range", "If-Range":
			default:
				delete(h, name)
			}
		}
	}
}

const bearerPrefix = "Bearer "

// wantsBearer reports whether the call of a request uses bearer authentication.
func wantsBearer(ctx context.Context) bool {
	call, ok := FromContext(ctx)
	return ok && call.Bearer
}

func setDefault(h http.Header, name string, values []string) {
	if _, ok := h[name]; !ok && values != nil {
		h[name] = values
	}
}

// CloseIdleConnections is called by http.Client's method of the same name.
func (a *Auth) CloseIdleConnections() {
	if c, ok := a.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (a *Auth) trusts(u *url.URL) bool {
	if a.plain && u.Host == a.base.Host && u.Scheme == a.base.Scheme || SameOrigin(u, a.base) {
		return true
	}
	host := plainHost(u)
	return isHTTPS(u) && IsCloud(a.base) && (host == CloudAPIHost || strings.HasSuffix(host, artifactDomain))
}

// SameOrigin reports whether two URLs have the same origin.
func SameOrigin(a, b *url.URL) bool {
	host := plainHost(a)
	return host != "" && host == plainHost(b) && a.Scheme == b.Scheme && portOf(a) == portOf(b)
}

// plainHost returns a URL's host in lower case, or "" if it is not plain ASCII:
// net/http would translate such a host to another name, so it must not equal a
// trusted host. An IPv6 address with a zone is not plain.
func plainHost(u *url.URL) string {
	host := u.Hostname()
	for i := range len(host) {
		switch c := host[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', strings.IndexByte("-._:", c) >= 0:
		default:
			return ""
		}
	}
	return strings.ToLower(host)
}

// IsPlainHost reports whether a URL's host is plain ASCII, without a zone.
func IsPlainHost(u *url.URL) bool { return plainHost(u) != "" }

// IsLoopback reports whether a host name means this machine.
func IsLoopback(host string) bool {
	host = strings.ToLower(host)
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// Refuses says why a client of the API at base must not request a URL that a
// response names. It returns "" if it may. A client of CircleCI's cloud requests
// public hosts only, so that a response cannot direct it to a service in its own
// network. A host that is not plain ASCII can be another spelling of any host.
func Refuses(base, u *url.URL, plainHTTP bool) string {
	switch {
	case u.Host == "" || u.User != nil:
		return "is not a valid URL"
	case SameOrigin(u, base):
		return ""
	case u.Scheme == "http" && (plainHTTP || IsLoopback(base.Hostname()) && IsLoopback(u.Hostname())):
		return ""
	case u.Scheme != "https":
		return "does not start with https"
	case IsCloud(base) && (!IsPlainHost(u) || !isPublicName(u.Hostname())):
		return "does not name a public host"
	}
	return ""
}

// isPublicName reports whether a host looks like a public DNS name.
func isPublicName(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	dot := strings.LastIndexByte(host, '.')
	switch top := host[dot+1:]; top {
	case "localhost", "local", "internal", "localdomain", "":
		return false
	default: // a number at the end means an IPv4 address, in any notation
		return dot > 0 && (top[0] < '0' || top[0] > '9') && !strings.Contains(host, ":")
	}
}

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

// CheckToken refuses a token that would break or forge a header, or that is
// quoted. The error does not show the token.
func CheckToken(token string) error {
	if env.Quoted(token) {
		return errors.New("the token is quoted: remove the quotes")
	}
	for _, c := range []byte(token) {
		if c <= ' ' || c >= 0x7f {
			return errors.New("the token holds a space, a control character or one beyond ASCII: " +
				"was it read from a file with its line break?")
		}
	}
	return nil
}

// RedirectError reports a redirect that was not followed.
type RedirectError struct{ reason string }

func (e *RedirectError) Error() string { return e.reason }

// CheckRedirect returns the policy of http.Client for a client of the API at
// base. In addition to the default policy, a request that changes something is
// neither turned into a GET nor sent to another host, https is not left, and the
// URL is one that a response may name: see Refuses.
func CheckRedirect(base *url.URL, plainHTTP bool) func(req *http.Request, via []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		origin := via[0]
		switch {
		case len(via) >= 10:
			return &RedirectError{"stopped after 10 redirects"}
		case via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https":
			return &RedirectError{"the server redirects from https to " + req.URL.Scheme + " at " + req.URL.Host}
		case origin.Method == http.MethodGet || origin.Method == http.MethodHead:
			if reason := Refuses(base, req.URL, plainHTTP); reason != "" {
				return &RedirectError{fmt.Sprintf("the server redirects to %s://%s, which %s", req.URL.Scheme, req.URL.Host, reason)}
			}
		case req.Method != origin.Method:
			return &RedirectError{fmt.Sprintf("the server redirects to %s, which would turn %s into %s: set the base URL to that host",
				req.URL.Host, origin.Method, req.Method)}
		case !SameOrigin(req.URL, origin.URL):
			return &RedirectError{fmt.Sprintf("the server redirects a %s to another host, %s: set the base URL to that host",
				origin.Method, req.URL.Host)}
		}
		return nil
	}
}
