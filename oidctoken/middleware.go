package oidctoken

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

type claimsKey struct{}

// FromContext returns the claims of the job that sent a request. It works in
// handlers behind [Verifier.Middleware].
func FromContext(ctx context.Context) (*Claims, bool) {
	c, ok := ctx.Value(claimsKey{}).(*Claims)
	return c, ok
}

// ErrNoToken means that a request has no "Authorization: Bearer" header.
var ErrNoToken = errors.New("oidctoken: the request has no bearer token")

// ErrNotAllowed means that a token is valid, but a function given to
// [Verifier.Middleware] returned an error for its claims. It wraps that error.
var ErrNotAllowed = errors.New("oidctoken: the job is not allowed to do this")

// Middleware calls next for requests with a valid token, as "Authorization:
// Bearer", whose claims each allow function accepts by returning nil. In next,
// [FromContext] returns the claims. All other requests are refused:
//
//	401  the token is missing or invalid
//	403  an allow function returned an error, or is nil
//	503  the issuer's keys cannot be fetched, so the token cannot be checked now
//
// The response does not say why. [WithErrorHandler] sets a function that receives
// the error.
//
// A valid token proves only that the job belongs to the organization. Decide in
// an allow function which projects, contexts or branches may call you.
func (v *Verifier) Middleware(next http.Handler, allow ...func(*Claims) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, err := v.authenticate(r, allow)
		if err == nil {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), claimsKey{}, claims)))
			return
		}
		status := http.StatusServiceUnavailable
		switch {
		case errors.Is(err, ErrNotAllowed):
			status = http.StatusForbidden
		case errors.Is(err, ErrNoToken):
			status = http.StatusUnauthorized
			w.Header().Set("WWW-Authenticate", "Bearer")
		case errors.Is(err, ErrInvalid):
			status = http.StatusUnauthorized
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		}
		if v.onError != nil {
			v.onError(r, err)
		}
		http.Error(w, http.StatusText(status), status)
	})
}

func (v *Verifier) authenticate(r *http.Request, allow []func(*Claims) error) (*Claims, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, ErrNoToken
	}
	claims, err := v.Verify(r.Context(), token)
	if err != nil {
		return nil, err
	}
	for _, allowed := range allow {
		if allowed == nil {
			return nil, fmt.Errorf("%w: an allow function is nil", ErrNotAllowed)
		}
		if err := allowed(claims); err != nil {
			return nil, notAllowedError{err}
		}
	}
	return claims, nil
}

// notAllowedError matches ErrNotAllowed and nothing else of this package,
// whatever the function's own error wraps.
type notAllowedError struct{ err error }

func (e notAllowedError) Error() string        { return ErrNotAllowed.Error() + ": " + e.err.Error() }
func (e notAllowedError) Unwrap() error        { return e.err }
func (e notAllowedError) Is(target error) bool { return target == ErrNotAllowed }
