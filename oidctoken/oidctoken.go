// Package oidctoken verifies the identity tokens of CircleCI jobs, so that a
// service knows which organization, project and job calls it.
//
//	verifier, err := oidctoken.New(orgID)
//	…
//	http.Handle("/deploy", verifier.Middleware(deploy))
//
// A job has its token in the variable CIRCLE_OIDC_TOKEN_V2, and sends it as
// "Authorization: Bearer". The package is a module of its own, as it stands on
// an OpenID Connect library.
package oidctoken

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/uuid"
)

const (
	defaultIssuer = "https://oidc.circleci.com"
	// keysPath is where an issuer of CircleCI's keeps its keys. It is not the
	// usual one.
	keysPath = "/.well-known/jwks-pub.json"
	// maxToken is far beyond what CircleCI issues.
	maxToken = 16 << 10
)

// Option changes a [Verifier].
type Option func(*config)

type config struct {
	issuer    string
	root      bool
	audiences []string
	skew      time.Duration
	client    *http.Client
	now       func() time.Time
	refresh   time.Duration
}

// WithAudience accepts tokens for these audiences, in place of CircleCI's
// default, the ID of the organization. Have the job ask for a token of its own
// for your service: with the default one, whoever gets it can use it anywhere.
func WithAudience(audiences ...string) Option {
	return func(c *config) { c.audiences = audiences }
}

// WithRootIssuer accepts tokens that a job has asked for with the root issuer,
// which is the same for all organizations. The organization is checked all the
// same.
func WithRootIssuer() Option { return func(c *config) { c.root = true } }

// WithIssuerHost accepts tokens of another issuer than CircleCI's cloud, such
// as a self-hosted server's: the part of the issuer before /org/….
func WithIssuerHost(url string) Option {
	return func(c *config) { c.issuer = strings.TrimRight(url, "/") }
}

// WithClockSkew sets by how much the clocks may differ; default one minute.
func WithClockSkew(d time.Duration) Option { return func(c *config) { c.skew = d } }

// WithHTTPClient fetches the issuer's keys with this client. The default one
// gives up after 10 seconds.
func WithHTTPClient(client *http.Client) Option { return func(c *config) { c.client = client } }

// WithClock replaces the clock, for tests.
func WithClock(now func() time.Time) Option { return func(c *config) { c.now = now } }

// Verifier verifies tokens. It is safe for concurrent use. It fetches the
// issuer's keys when it needs them, and again when a token is signed with
// another, but not more often than once a minute.
type Verifier struct {
	orgID     uuid.UUID
	audiences []string
	verifier  *oidc.IDTokenVerifier
}

// New returns a verifier for the tokens of an organization's jobs. It does no
// I/O.
func New(orgID uuid.UUID, opts ...Option) (*Verifier, error) {
	c := config{issuer: defaultIssuer, skew: time.Minute, now: time.Now, refresh: time.Minute, client: &http.Client{Timeout: 10 * time.Second}}
	for _, opt := range opts {
		opt(&c)
	}
	if orgID == uuid.Nil {
		return nil, errors.New("oidctoken: the organization's ID is missing")
	}
	if c.audiences == nil {
		c.audiences = []string{orgID.String()}
	}
	if len(c.audiences) == 0 || slices.Contains(c.audiences, "") {
		return nil, errors.New("oidctoken: no audience is given, or an empty one")
	}
	issuer := c.issuer
	if !c.root {
		issuer += "/org/" + orgID.String()
	}
	client := *c.client
	client.Transport = &keyCache{next: client.Transport, least: c.refresh, now: c.now}
	keys := oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), &client), issuer+keysPath)
	return &Verifier{
		orgID: orgID, audiences: c.audiences,
		verifier: oidc.NewVerifier(issuer, keys, &oidc.Config{
			SkipClientIDCheck:    true, // several audiences can be accepted: we check them
			SupportedSigningAlgs: []string{oidc.RS256},
			Now:                  func() time.Time { return c.now().Add(-c.skew) },
		}),
	}, nil
}

// ErrInvalid is the error of a token that is not accepted. What is wrong with it
// is in the error's text, for a log; tell the caller nothing.
var ErrInvalid = errors.New("oidctoken: the token is not accepted")

// Verify checks a token's signature, issuer, organization, audience and
// lifetime, and returns what it claims. An error that does not match
// [ErrInvalid] says that the check could not be made, because the issuer's keys
// cannot be had.
func (v *Verifier) Verify(ctx context.Context, token string) (*Claims, error) {
	if len(token) > maxToken {
		return nil, fmt.Errorf("%w: it is too long", ErrInvalid)
	}
	verified, err := v.verifier.Verify(ctx, token)
	if err != nil {
		var unavailable *unavailableError
		if errors.As(err, &unavailable) || strings.Contains(err.Error(), unavailablePrefix) || ctx.Err() != nil {
			return nil, fmt.Errorf("oidctoken: %w", err)
		}
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	claims, err := claimsOf(verified)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	case !slices.ContainsFunc(verified.Audience, func(a string) bool { return slices.Contains(v.audiences, a) }):
		return nil, fmt.Errorf("%w: it is for the audience %q", ErrInvalid, verified.Audience)
	case claims.OrgID != v.orgID:
		return nil, fmt.Errorf("%w: it is of the organization %s", ErrInvalid, claims.OrgID)
	}
	return claims, nil
}
