package oidctoken_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/oidctoken"
)

// watching is a transport that changes the bodies of responses, and remembers
// what became of requests.
type watching struct {
	change  func(io.Reader) io.Reader
	request context.Context //nolint:containedctx // it is what is tested
	closed  bool
}

type watchedBody struct {
	io.Reader
	close func() error
}

func (b watchedBody) Close() error { return b.close() }

func (w *watching) RoundTrip(r *http.Request) (*http.Response, error) {
	w.request = r.Context()
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body := resp.Body
	resp.Body = watchedBody{w.change(body), func() error { w.closed = true; return body.Close() }}
	return resp, nil
}

func TestARequestForKeysLeavesNothingOpen(t *testing.T) {
	i := newIssuer(t)
	w := &watching{change: func(r io.Reader) io.Reader { return r }}
	_, err := i.verifier(oidctoken.WithHTTPClient(&http.Client{Transport: w})).Verify(t.Context(), i.sign(nil))
	require.NoError(t, err)
	assert.True(t, w.closed, "the body is closed")
	<-w.request.Done() // or its timer would run on
	assert.ErrorIs(t, w.request.Err(), context.Canceled)
}

// Keys of a response that breaks off say nothing about a token.
func TestAResponseThatBreaksOff(t *testing.T) {
	i := newIssuer(t)
	reset := errors.New("reset")
	w := &watching{change: func(r io.Reader) io.Reader { return io.MultiReader(r, iotest.ErrReader(reset)) }}
	_, err := i.verifier(oidctoken.WithHTTPClient(&http.Client{Transport: w})).Verify(t.Context(), i.sign(nil))
	require.ErrorIs(t, err, reset)
	assert.NotErrorIs(t, err, oidctoken.ErrInvalid)
	assert.True(t, w.closed)
}

func TestTheSizeOfATokenIsBoundedToTheByte(t *testing.T) {
	v := newIssuer(t).verifier()
	_, err := v.Verify(t.Context(), strings.Repeat("x", 16<<10))
	require.ErrorIs(t, err, oidctoken.ErrInvalid)
	assert.NotContains(t, err.Error(), "longer than")
	_, err = v.Verify(t.Context(), strings.Repeat("x", 16<<10+1))
	require.ErrorIs(t, err, oidctoken.ErrInvalid)
	assert.ErrorContains(t, err, "longer than")
}

func TestIssuersThatAreNotPlainURLs(t *testing.T) {
	for _, host := range []string{
		"https://user@ci.example.com", "https://ci.example.com?", "https://ci.example.com/#keys", "https://ci.example.com?x=1", "https://:443", "https://%zz", "https://",
	} {
		_, err := oidctoken.New(org, oidctoken.WithIssuerHost(host))
		assert.ErrorContains(t, err, "is not valid", host)
	}
	_, err := oidctoken.New(org, oidctoken.WithClockSkew(0))
	require.NoError(t, err, "clocks may be exact")
}

type failing func()

func (f failing) RoundTrip(*http.Request) (*http.Response, error) {
	f()
	return nil, errors.New("not reached")
}

// A client that does not return costs only its own request.
func TestAClientThatDoesNotReturn(t *testing.T) {
	for name, fail := range map[string]func(){"panics": func() { panic("of a transport") }, "ends its goroutine": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			v := i.verifier(oidctoken.WithHTTPClient(&http.Client{Transport: failing(fail)}))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for range 2 {
				_, err := v.Verify(ctx, i.sign(nil))
				require.ErrorContains(t, err, "panicked or ended its goroutine")
				assert.NotErrorIs(t, err, oidctoken.ErrInvalid)
			}
		})
	}
}
