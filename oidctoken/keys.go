package oidctoken

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// keyCache keeps the issuer's keys for a while, so that tokens with invented
// key IDs, which have the library fetch the keys again, do not become requests
// to the issuer.
type keyCache struct {
	next  http.RoundTripper
	least time.Duration
	now   func() time.Time

	mu      sync.Mutex
	body    []byte
	fetched time.Time
}

const (
	maxKeys           = 1 << 20
	unavailablePrefix = "the issuer's keys cannot be had"
)

// unavailableError says that keys could not be fetched, which is nothing
// against a token.
type unavailableError struct{ err error }

func (e *unavailableError) Error() string { return unavailablePrefix + ": " + e.err.Error() }
func (e *unavailableError) Unwrap() error { return e.err }

func (c *keyCache) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.body == nil || c.now().Sub(c.fetched) >= c.least {
		body, err := c.fetch(r)
		if err != nil {
			return nil, &unavailableError{err}
		}
		c.body, c.fetched = body, c.now()
	}
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: int64(len(c.body)),
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(c.body)),
	}, nil
}

func (c *keyCache) fetch(r *http.Request) ([]byte, error) {
	next := c.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err := next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the issuer answers %s", resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxKeys+1))
	if err == nil && len(body) > maxKeys {
		err = fmt.Errorf("the keys are larger than %d bytes", maxKeys)
	}
	return body, err
}
