package transport

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
)

// Auth puts the headers of the client on requests, last of all: those that a
// middleware has set are left alone. The token is for the API, which for
// CircleCI's cloud is on two hosts, and for CircleCI's artifact hosts, and for
// no other. As a round tripper it judges each redirect anew.
//
// The token is in closures alone, where no printer follows it.
type Auth struct {
	// InPlace says that nobody else sees the requests that are sent: the token
	// may be put on them as they are, for want of which each is copied.
	InPlace bool
	// UserAgent is the header of requests that do not bring their own.
	UserAgent []string

	next   http.RoundTripper
	base   *url.URL // of the API
	bearer bool
	token  func(context.Context) (string, error) // nil: anonymous
	header func(token string) []string           // the header's value for a token
}

var (
	mediaJSON = []string{"application/json"}
	mediaAny  = []string{"*/*"}
)

// NewAuth puts the tokens of a source on requests; with none, no header.
func NewAuth(next http.RoundTripper, base *url.URL, source func(context.Context) (string, error), bearer bool) *Auth {
	a := &Auth{next: next, base: base, bearer: bearer}
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

// TokenError is the failure of a token source.
type TokenError struct{ Err error }

func (e *TokenError) Error() string { return "the token source: " + e.Err.Error() }
func (e *TokenError) Unwrap() error { return e.Err }

// artifactDomain is where CircleCI serves artifacts, to those who show a token.
const artifactDomain = ".circle-artifacts.com"

// CloudAPIHost is where CircleCI's cloud serves some routes, to the same token
// as its main host.
const CloudAPIHost = "api." + cloudHost

const cloudHost = "circleci.com"

// IsCloud reports whether a URL leads to the main host of CircleCI's cloud.
func IsCloud(u *url.URL) bool { return isHTTPS(u) && plainHost(u) == cloudHost }

func isHTTPS(u *url.URL) bool { return u.Scheme == "https" && portOf(u) == "443" }

// RoundTrip sends req, at most once, with the headers that its host may see.
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
	out := req.WithContext(sendOnce(req.Context(), name))
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

// hide takes out what is not for a foreign host: credentials, and the headers
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

// wantsBearer reports whether the call that a request belongs to asks for it.
func wantsBearer(ctx context.Context) bool {
	call, ok := FromContext(ctx)
	return ok && call.Bearer
}

func setDefault(h http.Header, name string, values []string) {
	if _, ok := h[name]; !ok && values != nil {
		h[name] = values
	}
}

// CloseIdleConnections is found by http.Client's method of that name.
func (a *Auth) CloseIdleConnections() {
	if c, ok := a.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (a *Auth) trusts(u *url.URL) bool {
	if SameOrigin(u, a.base) {
		return true
	}
	host := plainHost(u)
	return isHTTPS(u) && IsCloud(a.base) && (host == CloudAPIHost || strings.HasSuffix(host, artifactDomain))
}

// SameOrigin reports whether two URLs lead to one server.
func SameOrigin(a, b *url.URL) bool {
	host := plainHost(a)
	return host != "" && host == plainHost(b) && a.Scheme == b.Scheme && portOf(a) == portOf(b)
}

// plainHost is a URL's host in lower case, or "" if it is not plain ASCII:
// what net/http would translate to another name equals no host that is
// trusted. An IPv6 address with a zone is not plain.
func plainHost(u *url.URL) string {
	host := []byte(u.Hostname())
	for i, c := range host {
		switch {
		case 'A' <= c && c <= 'Z':
			host[i] = c + 'a' - 'A'
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', strings.IndexByte("-._:", c) >= 0:
		default:
			return ""
		}
	}
	return string(host)
}

// IsPlainHost reports whether a URL's host is plain ASCII, without a zone.
func IsPlainHost(u *url.URL) bool { return plainHost(u) != "" }

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

// CheckToken refuses a token that would break, or forge, a header. Its error
// does not show the token.
func CheckToken(token string) error {
	for _, c := range []byte(token) {
		if c <= ' ' || c >= 0x7f {
			return errors.New("the token holds a space, a control character or one beyond ASCII: " +
				"was it read from a file with its line break?")
		}
	}
	return nil
}

// RedirectError is a redirect that is not followed.
type RedirectError struct{ reason string }

func (e *RedirectError) Error() string { return e.reason }

// CheckRedirect is http.Client's policy: as its default one, but a request
// that changes something is neither turned into a GET nor carried to another
// host, and TLS is not left.
func CheckRedirect(req *http.Request, via []*http.Request) error {
	origin := via[0]
	switch {
	case len(via) >= 10:
		return &RedirectError{"stopped after 10 redirects"}
	case via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https":
		return &RedirectError{"the server redirects from https to " + req.URL.Scheme + " at " + req.URL.Host}
	case origin.Method == http.MethodGet || origin.Method == http.MethodHead:
		return nil
	case req.Method != origin.Method:
		return &RedirectError{fmt.Sprintf("the server redirects to %s, which would turn %s into %s: set the base URL to that host",
			req.URL.Host, origin.Method, req.Method)}
	case !SameOrigin(req.URL, origin.URL):
		return &RedirectError{fmt.Sprintf("the server redirects a %s to another host, %s: set the base URL to that host",
			origin.Method, req.URL.Host)}
	}
	return nil
}
