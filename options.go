package circleci

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"time"

	"github.com/circleci-go/circleci/internal/transport"
)

// Option sets up a [Client]. Options are collected first and applied then, so
// their order does not matter, but for those of [WithMiddleware].
type Option func(*config)

// config is what the options fill.
type config struct {
	baseURL     string
	baseURLFrom string // the environment variable, if it is from one
	plainHTTP   bool
	httpClient  *http.Client
	middleware  []Middleware
	retry       RetryPolicy
	limiter     Limiter
	limiterSet  bool
	logger      *slog.Logger
	userAgent   string
	tokenSource TokenSource
	bearer      bool
	silence     time.Duration
	maxBody     int64
	rootCAs     *x509.CertPool
	certificate *tls.Certificate
	callHooks   []CallHook
}

const (
	defaultHost    = "https://circleci.com"
	defaultSilence = time.Minute
	defaultMaxWait = 2 * time.Minute
	defaultMaxBody = 64 << 20
)

// WithBaseURL talks to another server than circleci.com. Any form of a host
// will do: ci.example.com, https://ci.example.com,
// https://ci.example.com/api/v2/; the scheme is https if none is given. Plain
// http is refused but for this machine itself, see [WithPlainHTTP].
func WithBaseURL(host string) Option { return func(c *config) { c.baseURL, c.baseURLFrom = host, "" } }

// WithPlainHTTP permits a base URL with http to another machine. The token
// then crosses the network for everyone to read.
func WithPlainHTTP() Option { return func(c *config) { c.plainHTTP = true } }

// WithHTTPClient sends requests with a copy of hc: its Transport, if it has
// one, its Jar and its Timeout, which then limits each attempt as a whole,
// downloads too. Its CheckRedirect is replaced by this package's rules.
func WithHTTPClient(hc *http.Client) Option { return func(c *config) { c.httpClient = hc } }

// Middleware wraps the round tripper that sends requests.
type Middleware func(next http.RoundTripper) http.RoundTripper

// WithMiddleware wraps the sending of each attempt, and of each redirect. The
// first is the outermost. Middlewares see requests before the token is put on
// them, so that they can trace or dump without care; [OperationFromContext]
// tells them the operation.
func WithMiddleware(middleware ...Middleware) Option {
	return func(c *config) { c.middleware = append(c.middleware, middleware...) }
}

// RetryPolicy bounds what the client does about passing trouble. A field that
// is zero has its default. What is replayed after what is in the table in the
// package's documentation.
type RetryPolicy struct {
	// MaxAttempts is how many requests one call sends at most; default 4. 1
	// turns retries off.
	MaxAttempts int
	// MinBackoff is the wait before the second attempt, if the server names
	// none; it doubles from attempt to attempt. Jitter takes up to half of it
	// away. Default 500 ms.
	MinBackoff time.Duration
	// MaxBackoff is the longest wait of that kind; default 30 s.
	MaxBackoff time.Duration
	// MaxWait is the longest Retry-After, and the longest pause of others,
	// that a call waits for. Past it the refusal is returned at once.
	// Default 2 minutes.
	MaxWait time.Duration
	// MaxElapsed is the time after which no further attempt begins; default
	// 5 minutes.
	MaxElapsed time.Duration
}

// check refuses what is negative: zero is the way to ask for the default.
func (p RetryPolicy) check() error {
	for _, field := range []struct {
		name  string
		value int64
	}{
		{"MaxAttempts", int64(p.MaxAttempts)}, {"MinBackoff", int64(p.MinBackoff)}, {"MaxBackoff", int64(p.MaxBackoff)},
		{"MaxWait", int64(p.MaxWait)}, {"MaxElapsed", int64(p.MaxElapsed)},
	} {
		if field.value < 0 {
			return &ArgumentError{Name: "retry policy", Reason: field.name + " is negative; zero selects the default"}
		}
	}
	return nil
}

func (p RetryPolicy) withDefaults() RetryPolicy {
	set := func(d *time.Duration, def time.Duration) {
		if *d <= 0 {
			*d = def
		}
	}
	if p.MaxAttempts <= 0 {
		p.MaxAttempts = 4
	}
	set(&p.MinBackoff, 500*time.Millisecond)
	set(&p.MaxBackoff, 30*time.Second)
	set(&p.MaxWait, defaultMaxWait)
	set(&p.MaxElapsed, 5*time.Minute)
	return p
}

// WithRetry changes how often and how long calls are retried.
func WithRetry(p RetryPolicy) Option { return func(c *config) { c.retry = p } }

// WithLogger logs each attempt at debug level with its method, route, status,
// duration and number, and warns once a route when the API announces the
// route's end. No header and no body is logged.
func WithLogger(l *slog.Logger) Option { return func(c *config) { c.logger = l } }

// WithUserAgent sets the User-Agent header; the default is circleci-go/ and
// the [Version].
func WithUserAgent(ua string) Option { return func(c *config) { c.userAgent = ua } }

// TokenSource gives the token for a request. It is called for each attempt,
// from any goroutine, and should keep the token until it expires. An empty
// token is sent as none.
type TokenSource func(ctx context.Context) (string, error)

// WithTokenSource takes tokens from a source, for tokens that change, and not
// the one given to [NewClient].
func WithTokenSource(source TokenSource) Option { return func(c *config) { c.tokenSource = source } }

// WithBearerAuth sends the token as "Authorization: Bearer", and not as
// "Circle-Token". Older self-hosted servers do not take it.
func WithBearerAuth() Option { return func(c *config) { c.bearer = true } }

// WithIdleTimeout changes for how long nothing may arrive, before the answer
// and between two parts of it, until an attempt is given up; default one
// minute. It is no limit on the whole of a download. Zero or less: no limit.
func WithIdleTimeout(d time.Duration) Option {
	return func(c *config) { c.silence = max(d, 0) }
}

// WithMaxResponseBytes bounds the answers that are decoded into values;
// default 64 MiB, also if n is zero or less. Streams are not bounded.
func WithMaxResponseBytes(n int64) Option {
	return func(c *config) {
		c.maxBody = n
		if n <= 0 {
			c.maxBody = defaultMaxBody
		}
	}
}

// WithRootCAs trusts these certificate authorities in place of the system's,
// for a self-hosted server. It does not go with a Transport of your own.
func WithRootCAs(pool *x509.CertPool) Option { return func(c *config) { c.rootCAs = pool } }

// WithClientCertificate shows this certificate to a server that asks for one.
// It does not go with a Transport of your own.
func WithClientCertificate(cert tls.Certificate) Option {
	return func(c *config) { c.certificate = &cert }
}

// Operation is the operation of the API that a request serves.
type Operation struct {
	Method string
	// Route is the template, such as /context/{context_id}.
	Route string
	// Attempt is the number of the attempt, from 1.
	Attempt int
	// Key identifies what a refusal of this request applies to: its method and
	// its path with the arguments. It is set for limiters only, and does not
	// belong in a log.
	Key string

	call *transport.Call
}

// OperationFromContext returns the operation that a request's context belongs
// to, for middlewares and for the round tripper of [WithHTTPClient].
func OperationFromContext(ctx context.Context) (Operation, bool) {
	call, ok := transport.FromContext(ctx)
	if !ok {
		return Operation{}, false
	}
	return Operation{Method: call.Method, Route: call.Route, Attempt: call.Attempt}, true
}
