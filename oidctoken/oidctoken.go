// Package oidctoken verifies the identity tokens of CircleCI jobs, so that a
// service knows which organization, project and job calls it.
//
//	verifier, err := oidctoken.New(orgID)
//	…
//	http.Handle("/deploy", verifier.Middleware(deploy))
//
// A job finds its token in the variable CIRCLE_OIDC_TOKEN_V2, and sends it as
// "Authorization: Bearer". To test code that uses a verifier, see package
// oidctokentest. The package is a separate module because it depends on an
// OpenID Connect library.
package oidctoken

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/uuid"
)

const (
	defaultIssuer = "https://oidc.circleci.com"
	// keysPath is the path of the keys below the issuer. It is not the one that
	// OpenID Connect defines.
	keysPath = "/.well-known/jwks-pub.json"
	// maxToken is the size of the longest token that is read, in bytes. It is
	// far beyond what CircleCI issues.
	maxToken = 16 << 10
)

// Option changes a [Verifier]. Nil options are ignored.
type Option func(*config)

type config struct {
	issuer         string
	root           bool
	audiences      []string
	otherAudiences bool
	skew           time.Duration
	client         *http.Client
	now            func() time.Time
	onError        func(*http.Request, error)
}

// WithAudience accepts tokens for these audiences instead of CircleCI's
// default, the ID of the organization. Let the job request a separate token for
// your service: a token with the default audience is accepted by every service
// that accepts the organization's jobs, so each of them can use it to call the
// others.
func WithAudience(audiences ...string) Option {
	return func(c *config) { c.audiences = append([]string{}, audiences...) }
}

// AllowOtherAudiences accepts tokens that also name audiences that you did not
// list. By default they are refused: another service that receives such a token
// could use it to call yours.
func AllowOtherAudiences() Option { return func(c *config) { c.otherAudiences = true } }

// WithRootIssuer accepts tokens of the root issuer, which a job has to request
// and which is the same for all organizations, instead of those of the
// organization's own issuer. The organization is checked in both cases.
func WithRootIssuer() Option { return func(c *config) { c.root = true } }

// WithIssuerHost accepts tokens of an issuer other than CircleCI's cloud, such
// as a self-hosted server. The URL is the part of the issuer before /org/…;
// without a scheme it is https. [New] refuses plain http except for localhost,
// because whoever can change the keys in transit can sign tokens.
func WithIssuerHost(url string) Option { return func(c *config) { c.issuer = url } }

// WithClockSkew sets by how much this machine's clock and CircleCI's may
// differ; the default is one minute.
func WithClockSkew(d time.Duration) Option { return func(c *config) { c.skew = d } }

// WithHTTPClient sets the client that fetches the issuer's keys. Each request
// has a timeout of 10 seconds. Nil selects the default client.
func WithHTTPClient(client *http.Client) Option { return func(c *config) { c.client = client } }

// WithClock replaces the clock, for tests. Nil selects the real one.
func WithClock(now func() time.Time) Option { return func(c *config) { c.now = now } }

// WithErrorHandler sets a function that [Verifier.Middleware] calls for each
// request that it refuses, before it responds. The error matches [ErrNoToken],
// [ErrInvalid] or [ErrNotAllowed]; if it matches none of them, the token could
// not be checked. Log the error, and do not send its text to the caller.
func WithErrorHandler(f func(r *http.Request, err error)) Option {
	return func(c *config) { c.onError = f }
}

// Verifier verifies tokens. It is safe for concurrent use.
//
// It fetches the issuer's keys when the first token arrives, then once an hour,
// and when a token is signed with an unknown key. It does so at most once a
// minute, so tokens with invented keys do not cause requests to the issuer.
// After a failed fetch it retries with the next token, then waits for a second,
// and doubles that up to a minute.
type Verifier struct {
	orgID          uuid.UUID
	issuer         string
	audiences      []string
	otherAudiences bool
	skew           time.Duration
	now            func() time.Time
	onError        func(*http.Request, error)
	keys           *keySet
}

// New returns a verifier for tokens of the organization's jobs. It does no I/O.
// It returns an error if orgID is zero, if the list of audiences or one of them
// is empty, if the issuer's URL is not valid, or if the clock skew is negative.
func New(orgID uuid.UUID, opts ...Option) (*Verifier, error) {
	c := config{issuer: defaultIssuer, skew: time.Minute}
	for _, opt := range opts {
		if opt != nil {
			opt(&c)
		}
	}
	if c.client == nil {
		c.client = &http.Client{}
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.audiences == nil {
		c.audiences = []string{orgID.String()}
	}
	issuer, err := parseIssuer(c.issuer)
	switch {
	case orgID == uuid.Nil:
		return nil, errors.New("oidctoken: the organization's ID is missing")
	case len(c.audiences) == 0:
		return nil, errors.New("oidctoken: WithAudience needs at least one audience; leave it out to accept the organization's default")
	case slices.Contains(c.audiences, ""):
		return nil, errors.New("oidctoken: WithAudience was given an empty audience")
	case c.skew < 0:
		return nil, fmt.Errorf("oidctoken: the clock skew %v is negative", c.skew)
	case err != nil:
		return nil, err
	}
	if !c.root {
		issuer += "/org/" + orgID.String()
	}
	return &Verifier{
		orgID: orgID, issuer: issuer, audiences: c.audiences, otherAudiences: c.otherAudiences, skew: c.skew, now: c.now, onError: c.onError,
		keys: &keySet{url: issuer + keysPath, client: c.client, now: c.now},
	}, nil
}

// parseIssuer returns the URL of an issuer without a trailing slash.
func parseIssuer(text string) (string, error) {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	text = strings.TrimRight(text, "/")
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", fmt.Errorf("oidctoken: the issuer %q is not valid: give its host, or its URL without user, query and fragment", redact(text))
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return text, nil
	default:
		return "", fmt.Errorf("oidctoken: the issuer %q does not use https", text)
	}
}

// redact hides what may be a password in a URL.
func redact(text string) string {
	scheme, rest, _ := strings.Cut(text, "://")
	if i := strings.LastIndex(rest, "@"); i >= 0 {
		rest = "REDACTED" + rest[i:]
	}
	return scheme + "://" + rest
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// ErrInvalid means that a token is not accepted. The error's text says why, for
// a log; do not send it to the caller.
var ErrInvalid = errors.New("oidctoken: the token is not accepted")

// Verify checks a token's signature, issuer, organization, audience and
// lifetime, and returns its claims. An error that does not match [ErrInvalid]
// means that the token could not be checked because the issuer's keys cannot be
// fetched: respond with 503.
func (v *Verifier) Verify(ctx context.Context, token string) (*Claims, error) {
	if len(token) > maxToken {
		return nil, fmt.Errorf("%w: it is longer than %d bytes", ErrInvalid, maxToken)
	}
	check := &signatureCheck{keys: v.keys}
	verified, err := oidc.NewVerifier(v.issuer, check, &oidc.Config{
		SkipClientIDCheck:    true, // there can be several audiences: see accept
		SkipExpiryCheck:      true, // the library has no clock skew of our choice: see accept
		SupportedSigningAlgs: []string{string(algorithm)},
	}).Verify(ctx, token)
	if check.unavailable != nil {
		return nil, fmt.Errorf("oidctoken: the token cannot be checked now: fetch the issuer's keys: %w", check.unavailable)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	claims, err := claimsOf(verified)
	if err == nil {
		err = v.accept(claims)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return claims, nil
}

// accept checks the claims of a token.
func (v *Verifier) accept(c *Claims) error {
	trusted := func(audience string) bool { return slices.Contains(v.audiences, audience) }
	now := v.now()
	switch {
	case !slices.ContainsFunc(c.Audience, trusted):
		return fmt.Errorf("its audience is %q", c.Audience)
	case !v.otherAudiences && slices.ContainsFunc(c.Audience, func(a string) bool { return !trusted(a) }):
		return fmt.Errorf("its audiences are %q, and not all of them are trusted; AllowOtherAudiences permits that", c.Audience)
	case c.OrgID != v.orgID:
		return fmt.Errorf("it belongs to the organization %s", c.OrgID)
	case now.After(c.ExpiresAt.Add(v.skew)):
		return fmt.Errorf("it expired at %s", c.ExpiresAt.UTC().Format(time.RFC3339))
	case now.Before(c.notBefore.Add(-v.skew)):
		return fmt.Errorf("it is not valid before %s", c.notBefore.UTC().Format(time.RFC3339))
	}
	return nil
}
