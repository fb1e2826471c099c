package circleci

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/circleci-go/circleci/internal/transport"
)

// Option configures a [Client]. The order of options does not matter, except
// for [WithMiddleware].
type Option func(*config)

// config collects the options.
type config struct {
	baseURL     string
	baseURLFrom string // the environment variable that it comes from, if any
	plainHTTP   bool
	httpClient  *http.Client
	middleware  []Middleware
	retry       RetryPolicy
	limiter     Limiter
	limiterSet  bool
	logger      *slog.Logger
	userAgent   string
	tokenSource TokenSource
	tokenFrom   string // where the token passed to NewClient comes from, if known
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

// WithBaseURL sets the server; the default is https://circleci.com. It accepts
// a host in any form: ci.example.com, https://ci.example.com, or
// https://ci.example.com/api/v2/. The default scheme is https. Plain http is
// refused except for localhost; see [WithPlainHTTP].
func WithBaseURL(host string) Option { return func(c *config) { c.baseURL, c.baseURLFrom = host, "" } }

// WithPlainHTTP allows a base URL with plain http to a host other than
// localhost. The token is then sent over the network unencrypted.
func WithPlainHTTP() Option { return func(c *config) { c.plainHTTP = true } }

// WithHTTPClient sends requests with a copy of hc. It uses hc's Transport, if
// set, its Jar and its Timeout, which limits each attempt, including downloads.
// Its CheckRedirect is replaced by this package's redirect rules.
func WithHTTPClient(hc *http.Client) Option { return func(c *config) { c.httpClient = hc } }

// Middleware wraps the round tripper that sends requests.
type Middleware func(next http.RoundTripper) http.RoundTripper

// WithMiddleware wraps the round tripper that sends each attempt and each
// redirect. The first middleware is the outermost. Middlewares see requests
// before the token is added, so that logging requests does not reveal it.
// [OperationFromContext] returns the operation of a request.
func WithMiddleware(middleware ...Middleware) Option {
	return func(c *config) { c.middleware = append(c.middleware, middleware...) }
}

// RetryPolicy limits the retries of a call. Zero fields select the defaults.
// For which failures are retried, see the table in the package documentation.
type RetryPolicy struct {
	// MaxAttempts is the maximum number of attempts of a call. The default is
	// 4; 1 disables retries.
	MaxAttempts int
	// MinBackoff is the backoff before the second attempt, if the server sends
	// no Retry-After. It doubles with each attempt. Jitter reduces it by up to
	// half. The default is 500 ms.
	MinBackoff time.Duration
	// MaxBackoff is the maximum backoff. The default is 30 seconds.
	MaxBackoff time.Duration
	// MaxWait is the longest Retry-After that a call waits for, whether the
	// server sent it to this call or to another one. If the wait would be
	// longer, the call fails at once. The default is 2 minutes.
	MaxWait time.Duration
	// MaxElapsed is the time since the start of the call after which no further
	// attempt starts. The default is 5 minutes.
	MaxElapsed time.Duration
}

// check refuses negative values: zero selects the default.
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

// WithRetry sets the retry policy.
func WithRetry(p RetryPolicy) Option { return func(c *config) { c.retry = p } }

// WithLogger logs each attempt at debug level, with its method, route, status,
// duration and number. It also logs one warning per route that the API
// announces as deprecated. Headers and bodies are never logged.
func WithLogger(l *slog.Logger) Option { return func(c *config) { c.logger = l } }

// WithUserAgent sets the User-Agent header. The default is circleci-go/
// followed by the [Version].
func WithUserAgent(ua string) Option { return func(c *config) { c.userAgent = ua } }

// TokenSource returns the token for a request. It is called for each attempt,
// from any goroutine, so it should cache the token until it expires. If the
// token is empty, none is sent.
type TokenSource func(ctx context.Context) (string, error)

// WithTokenSource uses the tokens that source returns instead of the one passed
// to [NewClient]. Use it for tokens that change.
func WithTokenSource(source TokenSource) Option { return func(c *config) { c.tokenSource = source } }

// WithTokenFrom says where the token passed to [NewClient] comes from, such as
// "--token" or "/run/secrets/circleci". If the API refuses a request, the error
// names this place, so that users know which token to check. [NewClientFromEnv]
// and package cliconfig set it. With [WithTokenSource], it has no effect.
func WithTokenFrom(place string) Option { return func(c *config) { c.tokenFrom = place } }

// WithBearerAuth sends the token as "Authorization: Bearer" instead of
// "Circle-Token". Older self-hosted servers do not support it.
func WithBearerAuth() Option { return func(c *config) { c.bearer = true } }

// WithIdleTimeout sets how long an attempt waits for more data, before and
// during the response. The default is one minute. It does not limit the total
// duration of a download. Zero or less means no limit.
func WithIdleTimeout(d time.Duration) Option {
	return func(c *config) { c.silence = max(d, 0) }
}

// WithMaxResponseBytes limits the size of responses that are decoded into
// values. The default, also if n is zero or less, is 64 MiB. A smaller response
// is refused, too, if decoding it would take about four times n in memory.
// Streams are not limited.
func WithMaxResponseBytes(n int64) Option {
	return func(c *config) {
		c.maxBody = n
		if n <= 0 {
			c.maxBody = defaultMaxBody
		}
	}
}

// WithRootCAs trusts the certificate authorities in pool instead of the
// system's, for a self-hosted server. It cannot be combined with a custom
// Transport.
func WithRootCAs(pool *x509.CertPool) Option { return func(c *config) { c.rootCAs = pool } }

// WithClientCertificate presents the certificate to a server that requests one.
// It cannot be combined with a custom Transport.
func WithClientCertificate(cert tls.Certificate) Option {
	return func(c *config) { c.certificate = &cert }
}

// Operation is the API operation that a request belongs to.
type Operation struct {
	Method string
	// Route is the path template, such as /context/{context_id}.
	Route string
	// Attempt is the number of the attempt, from 1.
	Attempt int
	// Key identifies what a rate limit of this request applies to: its method
	// and its path with the arguments. It is set for limiters only. Do not log
	// it.
	Key string

	call *transport.Call
}

// OperationFromContext returns the operation of a request from the request's
// context. Use it in middlewares and in the round tripper of [WithHTTPClient].
func OperationFromContext(ctx context.Context) (Operation, bool) {
	call, ok := transport.FromContext(ctx)
	if !ok {
		return Operation{}, false
	}
	return Operation{Method: call.Method, Route: call.Route, Attempt: call.Attempt}, true
}

// links chains the handlers of the transport in order.
func (cfg *config) links(hc *http.Client) transport.Handler {
	exchange := &transport.Exchange{Client: hc, Silence: cfg.silence, MaxBody: cfg.maxBody}
	log := &transport.Log{Logger: cfg.logger, Next: func(ctx context.Context, c *transport.Call) *transport.Result {
		r := exchange.Do(ctx, c)
		transport.Scrub(r, c)
		return r
	}}
	policy := cfg.retry.withDefaults()
	retry := &transport.Retry{
		Attempts: policy.MaxAttempts, MinBackoff: policy.MinBackoff, MaxBackoff: policy.MaxBackoff,
		MaxWait: policy.MaxWait, MaxElapsed: policy.MaxElapsed, OnWait: log.Wait, Next: log.Do,
	}
	limiter := cfg.limiter
	if !cfg.limiterSet {
		limiter = NewPacer(policy.MaxWait)
	}
	if limiter != nil {
		retry.Next = limitLink(limiter, log.Do)
	}
	return retry.Do
}

// source returns the source of tokens; nil if there is none.
func (cfg *config) source(token string) (TokenSource, error) {
	switch {
	case cfg.tokenSource != nil:
		cfg.tokenFrom = "WithTokenSource"
		return cfg.tokenSource, nil
	case token == "":
		return nil, nil
	case cfg.tokenFrom == token:
		return nil, &ArgumentError{Name: "WithTokenFrom", Reason: "is the token itself; name the place that it comes from"}
	}
	if err := transport.CheckToken(token); err != nil {
		return nil, &ArgumentError{Name: "token", Reason: err.Error()}
	}
	return func(context.Context) (string, error) { return token, nil }, nil
}

// client returns the HTTP client that sends requests. Its Transport is never
// nil.
func (cfg *config) client(base *url.URL) (*http.Client, error) {
	hc := &http.Client{}
	if cfg.httpClient != nil {
		copied := *cfg.httpClient
		hc = &copied
	}
	hc.CheckRedirect = transport.CheckRedirect(base, cfg.plainHTTP)
	if hc.Transport == nil {
		hc.Transport = transport.NewConnections(cfg.transport())
	} else if cfg.rootCAs != nil || cfg.certificate != nil {
		return nil, &ArgumentError{Name: "TLS options", Reason: "have no effect on a custom Transport: set its TLSClientConfig instead"}
	}
	return hc, nil
}

// transport returns a transport for many calls to one host. The standard
// library's default keeps only two idle connections, and dials again for other
// calls. It also does not detect a dead HTTP/2 connection, and would send each
// retry on it.
func (cfg *config) transport() *http.Transport {
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.rootCAs}
	if cfg.certificate != nil {
		config.Certificates = []tls.Certificate{*cfg.certificate}
	}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       config,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          1024, // a crowd keeps its connections
		MaxIdleConnsPerHost:   1024,
		IdleConnTimeout:       90 * time.Second,
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: 20 * time.Second, PingTimeout: 10 * time.Second},
	}
}
