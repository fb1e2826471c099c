package oidctoken_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/oidctoken"
)

// The issuer publishes all these keys, so only the algorithm and the size
// decide.
func TestOnlyRS256WithKeysOf2048BitsIsAccepted(t *testing.T) {
	i := newIssuer(t)
	large, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	i.publish(large.Public(), small.Public(), curve.Public())
	v := i.verifier()
	_, err = v.Verify(t.Context(), i.signWith(large, "0", jose.RS256))
	require.NoError(t, err)
	_, err = v.Verify(t.Context(), i.signWith(large, "", jose.RS256))
	require.NoError(t, err, "without a key ID each key is tried")
	for name, token := range map[string]string{
		"PS256": i.signWith(large, "0", jose.PS256), "RS384": i.signWith(large, "0", jose.RS384),
		"ES256": i.signWith(curve, "2", jose.ES256), "1024 bits": i.signWith(small, "1", jose.RS256),
		"a password": i.signWith([]byte(strings.Repeat("x", 32)), "0", jose.HS256),
	} {
		_, err = v.Verify(t.Context(), token)
		assert.ErrorIs(t, err, oidctoken.ErrInvalid, name)
	}
}

func TestKeysAreRotated(t *testing.T) {
	i := newIssuer(t)
	now := time.Now()
	v := i.verifier(oidctoken.WithClock(func() time.Time { return now }))
	old := i.sign(nil)
	for range 5 {
		_, err := v.Verify(t.Context(), old)
		require.NoError(t, err)
	}
	assert.Equal(t, 1, i.Requests(), "the keys are kept")
	i.Rotate()
	for range 5 {
		_, err := v.Verify(t.Context(), i.sign(nil))
		assert.ErrorIs(t, err, oidctoken.ErrInvalid, "unknown keys fetch them once a minute at most")
	}
	assert.Equal(t, 1, i.Requests())
	now = now.Add(60 * time.Second)
	_, err := v.Verify(t.Context(), i.sign(nil))
	require.NoError(t, err)
	assert.Equal(t, 2, i.Requests())

	current := i.sign(map[string]any{"exp": now.Add(4 * time.Hour).Unix()})
	i.Rotate()
	now = now.Add(59 * time.Minute)
	_, err = v.Verify(t.Context(), current)
	require.NoError(t, err)
	now = now.Add(time.Minute)
	_, err = v.Verify(t.Context(), current)
	require.ErrorIs(t, err, oidctoken.ErrInvalid, "after an hour a withdrawn key is not accepted")
	assert.Equal(t, 3, i.Requests())
}

func TestOldKeysServeWhileTheIssuerIsAway(t *testing.T) {
	i := newIssuer(t)
	now := time.Now()
	v := i.verifier(oidctoken.WithClock(func() time.Time { return now }))
	token := i.sign(map[string]any{"exp": now.Add(4 * time.Hour).Unix()})
	_, err := v.Verify(t.Context(), token)
	require.NoError(t, err)
	i.Respond(http.StatusBadGateway, "")
	now = now.Add(2 * time.Hour)
	_, err = v.Verify(t.Context(), token)
	require.NoError(t, err)
	assert.Equal(t, 2, i.Requests())
}

// An issuer that answers nonsense proves nothing against a token.
func TestATokenThatCannotBeCheckedIsNotInvalid(t *testing.T) {
	for name, body := range map[string]string{
		"a page": "<html>Sign in to the hotel's network</html>", "no keys": `{"keys":[]}`, "another object": `{"message":"ok"}`,
		"keys that cannot be used": `{"keys":[{"kty":"x"},1]}`, "too large": `{"keys":[], "x":"` + strings.Repeat("x", 1<<20) + `"}`, "nothing": "",
	} {
		i := newIssuer(t)
		v := i.verifier()
		i.Respond(http.StatusOK, body)
		_, err := v.Verify(t.Context(), i.sign(nil))
		require.Error(t, err, name)
		assert.NotErrorIs(t, err, oidctoken.ErrInvalid, name)
		i.Respond(0, "")
		_, err = v.Verify(t.Context(), i.sign(nil))
		require.NoError(t, err, "%s is not kept", name)
	}

	i := newIssuer(t)
	i.Respond(http.StatusBadGateway, "")
	v := i.verifier()
	_, err := v.Verify(t.Context(), i.sign(nil))
	require.ErrorContains(t, err, "502")
	assert.NotErrorIs(t, err, oidctoken.ErrInvalid)
	i.Close()
	_, err = v.Verify(t.Context(), i.sign(nil))
	require.Error(t, err)
	assert.NotErrorIs(t, err, oidctoken.ErrInvalid)
}

func TestAnswersOfOneMebibyteAreRead(t *testing.T) {
	i := newIssuer(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	jwk, err := jose.JSONWebKey{Key: key.Public(), KeyID: "0"}.MarshalJSON()
	require.NoError(t, err)
	set := func(size int) string {
		text := `{"keys":[` + string(jwk) + `],"pad":""}`
		return strings.Replace(text, `"pad":"`, `"pad":"`+strings.Repeat("x", size-len(text)), 1)
	}
	i.Respond(http.StatusOK, set(1<<20))
	_, err = i.verifier().Verify(t.Context(), i.signWith(key, "0", jose.RS256))
	require.NoError(t, err)
	i.Respond(http.StatusOK, set(1<<20+1))
	_, err = i.verifier().Verify(t.Context(), i.signWith(key, "0", jose.RS256))
	require.ErrorContains(t, err, "larger than 1048576 bytes")
}

func TestForgedTokensDoNotBecomeRequests(t *testing.T) {
	i, forger := newIssuer(t), newIssuer(t)
	now := time.Now()
	i.Respond(http.StatusServiceUnavailable, "")
	v := i.verifier(oidctoken.WithClock(func() time.Time { return now }))
	forged := forger.sign(map[string]any{"iss": i.URL + "/org/" + org.String()})
	for range 100 {
		_, err := v.Verify(t.Context(), forged)
		require.Error(t, err)
		assert.NotErrorIs(t, err, oidctoken.ErrInvalid)
	}
	assert.Equal(t, 2, i.Requests(), "the second token tries again, then there is a pause")
	for n, pause := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		now = now.Add(pause*time.Second - 1)
		_, _ = v.Verify(t.Context(), forged)
		require.Equal(t, 2+n, i.Requests(), "%d s", pause)
		now = now.Add(1)
		_, _ = v.Verify(t.Context(), forged)
		require.Equal(t, 3+n, i.Requests(), "%d s", pause)
	}

	i.Respond(0, "")
	now = now.Add(time.Minute)
	good := i.sign(map[string]any{"exp": now.Add(time.Hour).Unix()})
	_, err := v.Verify(t.Context(), good)
	require.NoError(t, err)
	before := i.Requests()
	i.Respond(http.StatusServiceUnavailable, "")
	now = now.Add(time.Minute)
	parts := strings.Split(good, ".")
	_, err = v.Verify(t.Context(), parts[0]+"."+parts[1]+"."+base64URL(strings.Repeat("x", 256)))
	require.ErrorIs(t, err, oidctoken.ErrInvalid, "a bad signature under a known key needs no request")
	assert.Equal(t, before, i.Requests())
}

func TestConcurrentTokensShareOneRequest(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier()
	token := i.sign(nil)
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			_, err := v.Verify(t.Context(), token)
			assert.NoError(t, err)
		})
	}
	group.Wait()
	assert.Equal(t, 1, i.Requests())
}

// transport waits for the request's context.
type hangingTransport struct{ started chan struct{} }

func (h hangingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	close(h.started)
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestACallerCanGiveUp(t *testing.T) {
	i := newIssuer(t)
	ctx, cancel := context.WithCancel(t.Context())
	hanging := hangingTransport{make(chan struct{})}
	go func() { <-hanging.started; cancel() }()
	_, err := i.verifier(oidctoken.WithHTTPClient(&http.Client{Transport: hanging})).Verify(ctx, i.sign(nil))
	require.ErrorIs(t, err, context.Canceled)
	assert.NotErrorIs(t, err, oidctoken.ErrInvalid)
}
