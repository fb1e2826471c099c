package transport_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/internal/transport"
)

type cloudWire func(*http.Request) (*http.Response, error)

func (f cloudWire) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// The second host of CircleCI's cloud gets the token of a client of the cloud,
// by https, and that of no other client.
func TestTheCloudHasTwoHosts(t *testing.T) {
	const cloud, server = "https://circleci.com", "https://ci.example.com"
	for _, row := range []struct {
		base, to string
		shown    bool
	}{
		{cloud, "https://api.circleci.com/api/v2/compile-config-with-defaults", true},
		{cloud, "https://API.CircleCI.com:443/x", true},
		{"https://circleci.com:443", "https://api.circleci.com/x", true},
		{"https://CIRCLECI.com", "https://api.circleci.com/x", true},
		{cloud, "http://api.circleci.com/x", false},
		{cloud, "http://api.circleci.com:443/x", false},
		{cloud, "https://api.circleci.com:8443/x", false},
		{cloud, "https://app.circleci.com/x", false},
		{cloud, "https://api.api.circleci.com/x", false},
		{cloud, "https://api.circleci.com.evil.com/x", false},
		{cloud, "https://api.circleci.com@evil.com/x", false},
		{cloud, "https://evil.com/api.circleci.com", false},
		{server, "https://api.circleci.com/x", false},
		{"http://circleci.com", "https://api.circleci.com/x", false},
		{"https://circleci.com:8443", "https://api.circleci.com/x", false},
		{"https://api.circleci.com", "https://circleci.com/x", false}, // a base of its own: other hosts are other hosts
	} {
		t.Run(row.base+" to "+row.to, func(t *testing.T) {
			base, err := url.Parse(row.base)
			require.NoError(t, err)
			to, err := url.Parse(row.to)
			require.NoError(t, err)
			var sent http.Header
			wire := cloudWire(func(req *http.Request) (*http.Response, error) {
				sent = req.Header
				return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
			})
			source := func(context.Context) (string, error) { return "CCIPAT_cloud", nil }
			resp, err := transport.NewAuth(wire, base, source, false).RoundTrip(&http.Request{Method: http.MethodGet, URL: to, Header: http.Header{}})
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, row.shown, sent.Get("Circle-Token") != "", "the token is shown to the wrong host, or not to the right one")
		})
	}
}
