package oidctoken

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// algorithm is the only one that CircleCI signs with.
	algorithm = jose.RS256
	// maxKeySet is the maximum size of the response with the keys, in bytes.
	maxKeySet = 1 << 20
	// minKeyBits is the size of the smallest RSA key that is accepted.
	minKeyBits = 2048
	// fetchTimeout is the timeout of one request for the keys.
	fetchTimeout = 10 * time.Second
	// minRefresh is the shortest time between two successful fetches, so that
	// tokens with invented key IDs do not become requests to the issuer.
	minRefresh = time.Minute
	// maxAge is the age at which keys are fetched again, so that a key that the
	// issuer has withdrawn is not accepted forever.
	maxAge = time.Hour
)

// keySet holds the issuer's keys. It fetches them when a token needs a key that
// it does not have, and limits how often, whether fetching works or fails.
type keySet struct {
	url    string
	client *http.Client
	now    func() time.Time

	mu       sync.Mutex
	keys     []jose.JSONWebKey
	fetched  time.Time     // when keys were last read
	next     time.Time     // no request is sent before
	failures int           // in a row
	err      error         // of the last fetch
	flight   chan struct{} // closed at the end of the request under way
}

// signatureCheck is an oidc.KeySet for one token. It records why a check could
// not be made: the OpenID Connect library returns errors as text, and a token
// can contain any text.
type signatureCheck struct {
	keys        *keySet
	unavailable error
}

// VerifySignature returns the payload of a token that is signed with one of the
// issuer's keys.
func (c *signatureCheck) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{algorithm})
	if err != nil {
		return nil, err
	}
	keys, fresh := c.keys.current()
	payload, known := open(jws, keys)
	if fresh && (payload != nil || known) {
		return result(payload)
	}
	if err := c.keys.refresh(ctx); err != nil {
		if payload != nil { // slightly old keys are better than none
			return payload, nil
		}
		c.unavailable = err
		return nil, err
	}
	keys, _ = c.keys.current()
	payload, _ = open(jws, keys)
	return result(payload)
}

func result(payload []byte) ([]byte, error) {
	if payload == nil {
		return nil, errors.New("no key of the issuer matches the signature")
	}
	return payload, nil
}

// open returns the payload if one of the keys verifies it, and whether one of
// them has the ID that the token names.
func open(jws *jose.JSONWebSignature, keys []jose.JSONWebKey) (payload []byte, known bool) {
	id := jws.Signatures[0].Header.KeyID // ParseSigned has refused a token without a signature
	for i := range keys {
		if id != "" && keys[i].KeyID != id {
			continue
		}
		known = known || id != ""
		if payload, err := jws.Verify(&keys[i]); err == nil {
			return payload, true
		}
	}
	return nil, known
}

// current returns the keys, and whether they were fetched recently.
func (s *keySet) current() (keys []jose.JSONWebKey, fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys, s.now().Sub(s.fetched) < maxAge
}

// refresh fetches the keys, unless a fetch has succeeded or failed too
// recently. It returns the error of the last fetch.
func (s *keySet) refresh(ctx context.Context) error {
	s.mu.Lock()
	if s.flight == nil && s.now().Before(s.next) {
		defer s.mu.Unlock()
		return s.err
	}
	if s.flight == nil {
		s.flight = make(chan struct{})
		// It serves all callers, so it does not end with the first one's context.
		go s.fetch(context.WithoutCancel(ctx), s.flight)
	}
	flight := s.flight
	s.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-flight:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// errClientFailed is the error of a fetch whose HTTP client did not return.
var errClientFailed = errors.New("the HTTP client panicked or ended its goroutine")

func (s *keySet) fetch(ctx context.Context, done chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	var keys []jose.JSONWebKey
	err := errClientFailed
	defer func() {
		_ = recover() // callers see errClientFailed
		s.store(keys, err)
		close(done)
	}()
	keys, err = s.request(ctx)
}

// store records the result of a fetch.
func (s *keySet) store(keys []jose.JSONWebKey, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flight, s.err = nil, err
	now := s.now()
	if err != nil {
		s.next = now.Add(backoff(s.failures))
		s.failures++
		return
	}
	s.keys, s.fetched, s.next, s.failures = keys, now, now.Add(minRefresh), 0
}

// backoff is the pause after a failure: none after the first, which may have
// been a broken connection, then a second, doubling up to a minute.
func backoff(failures int) time.Duration {
	if failures == 0 {
		return 0
	}
	return min(time.Second<<min(failures-1, 6), minRefresh)
}

// request reads the keys from the issuer.
func (s *keySet) request(ctx context.Context) (keys []jose.JSONWebKey, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s responded with %s", s.url, resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxKeySet+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", s.url, err)
	case len(body) > maxKeySet:
		return nil, fmt.Errorf("%s: the response is larger than %d bytes", s.url, maxKeySet)
	}
	if keys, err = parseKeys(body); err != nil {
		return nil, fmt.Errorf("%s: the response is not a set of keys: %w", s.url, err)
	}
	return keys, nil
}

// parseKeys reads a JSON Web Key Set. It skips keys that cannot be used, so
// that a key of a new kind does not make the others unusable.
func parseKeys(body []byte) (keys []jose.JSONWebKey, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, err
	}
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(raw) != nil {
			continue
		}
		if rsaKey, ok := key.Key.(*rsa.PublicKey); ok && rsaKey.N.BitLen() < minKeyBits {
			continue
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("it holds no usable key")
	}
	return keys, nil
}
