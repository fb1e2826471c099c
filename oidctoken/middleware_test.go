package oidctoken_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/oidctoken"
)

func TestMiddleware(t *testing.T) {
	i := newIssuer(t)
	var told []error
	notMain := fmt.Errorf("only main deploys: %w", oidctoken.ErrInvalid) // what it wraps does not change the answer
	handler := i.verifier(oidctoken.WithErrorHandler(func(r *http.Request, err error) {
		assert.Equal(t, "/deploy", r.URL.Path)
		told = append(told, err)
	})).Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, ok := oidctoken.FromContext(r.Context())
		assert.True(t, ok)
		fmt.Fprint(w, c.VCSRef)
	}), func(c *oidctoken.Claims) error {
		if c.VCSRef != "refs/heads/main" {
			return notMain
		}
		return nil
	})
	get := func(h http.Handler, authorization string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/deploy", http.NoBody)
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	w := get(handler, "Bearer "+i.sign(nil))
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "refs/heads/main", w.Body.String())
	assert.Equal(t, http.StatusOK, get(handler, "bearer "+i.sign(nil)).Code)
	assert.Empty(t, told)

	evil := "Bearer " + i.sign(map[string]any{"oidc.circleci.com/vcs-ref": "refs/heads/evil"})
	for _, c := range []struct {
		header string
		status int
		err    error
	}{
		{"", 401, oidctoken.ErrNoToken},
		{"Bearer", 401, oidctoken.ErrNoToken},
		{"Bearer  ", 401, oidctoken.ErrNoToken},
		{"Basic " + i.sign(nil), 401, oidctoken.ErrNoToken},
		{i.sign(nil), 401, oidctoken.ErrNoToken},
		{"Bearer x", 401, oidctoken.ErrInvalid},
		{evil, 403, oidctoken.ErrNotAllowed},
		{evil, 403, notMain},
	} {
		told = nil
		w := get(handler, c.header)
		assert.Equal(t, c.status, w.Code)
		assert.Equal(t, c.status == 401, w.Header().Get("WWW-Authenticate") != "")
		assert.Equal(t, http.StatusText(c.status)+"\n", w.Body.String(), "the caller is not told why")
		require.Len(t, told, 1)
		assert.ErrorIs(t, told[0], c.err)
	}
	_, ok := oidctoken.FromContext(context.Background())
	assert.False(t, ok)
	assert.Equal(t, http.StatusForbidden, get(i.verifier().Middleware(http.NotFoundHandler(), nil), "Bearer "+i.sign(nil)).Code,
		"a function that is nil accepts nothing")

	told = nil
	i.Respond(http.StatusOK, "<html>")
	down := i.verifier(oidctoken.WithErrorHandler(func(_ *http.Request, err error) { told = append(told, err) })).Middleware(http.NotFoundHandler())
	assert.Equal(t, http.StatusServiceUnavailable, get(down, "Bearer "+i.sign(nil)).Code)
	require.Len(t, told, 1)
	assert.NotErrorIs(t, told[0], oidctoken.ErrInvalid)
	assert.False(t, errors.Is(told[0], oidctoken.ErrNoToken) || errors.Is(told[0], oidctoken.ErrNotAllowed))
}
