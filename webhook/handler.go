package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/circleci-go/circleci"
)

// Option changes a [Handler].
type Option func(*handler)

// WithMaxBody bounds the bodies that are read; default 1 MiB.
func WithMaxBody(bytes int64) Option { return func(h *handler) { h.maxBody = bytes } }

// WithTimeout sets the deadline of the function; default 8 seconds. CircleCI
// waits for 10, and then delivers again.
func WithTimeout(d time.Duration) Option { return func(h *handler) { h.timeout = d } }

// WithDeduplicator replaces the memory of what has been handled, which is in
// this process alone, by one that several share.
func WithDeduplicator(d Deduplicator) Option { return func(h *handler) { h.seen = d } }

// WithErrorHandler is told of each request that was refused or failed. By
// default nobody is told but CircleCI, by the status.
func WithErrorHandler(f func(r *http.Request, err error)) Option {
	return func(h *handler) { h.onError = f }
}

// AllowUnsigned takes webhooks without a signature, if no secret is given.
// Anybody who knows the URL can then send some.
func AllowUnsigned() Option { return func(h *handler) { h.unsigned = true } }

// Handler serves webhooks that are signed with one of the secrets: it bounds
// and verifies the body, parses it, and calls f, once for each event that
// succeeds. With no secret, or an empty one, it refuses all.
//
// CircleCI delivers again after any status but 2xx, and after 10 seconds, so:
//
//	200  f has succeeded, now or at an earlier delivery
//	400  the body is no event
//	401  the signature is missing, or not by one of the secrets
//	405  it is no POST
//	413  the body is too large
//	500  f has failed, or has panicked; the event will be handled again
//	503  f is still busy, with this delivery or an earlier one, or the memory of
//	     what has been handled has failed
//
// The context of f ends with the deadline, and not with the connection. If f
// goes on after it, and succeeds, the next delivery is answered with 200.
func Handler(secrets []circleci.Secret, f func(ctx context.Context, e Event) error, opts ...Option) http.Handler {
	h := &handler{secrets: slices.Clone(secrets), f: f, maxBody: 1 << 20, timeout: 8 * time.Second}
	for _, opt := range opts {
		opt(h)
	}
	if h.seen == nil {
		h.seen = NewMemory(0)
	}
	return h
}

type handler struct {
	secrets  []circleci.Secret
	f        func(context.Context, Event) error
	maxBody  int64
	timeout  time.Duration
	seen     Deduplicator
	onError  func(*http.Request, error)
	unsigned bool
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, err := h.serve(w, r)
	if err != nil && h.onError != nil {
		h.onError(r, err)
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "10")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, http.StatusText(status)) // who does not read it does not miss it
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request) (status int, err error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return http.StatusMethodNotAllowed, fmt.Errorf("webhook: a %s came in", r.Method)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, fmt.Errorf("webhook: the body is larger than %d bytes", h.maxBody)
	case err != nil:
		return http.StatusBadRequest, fmt.Errorf("webhook: the body broke off: %w", err)
	}
	if !h.unsigned || len(h.secrets) > 0 {
		if err := Verify(body, r.Header.Get(SignatureHeader), h.secrets...); err != nil {
			return http.StatusUnauthorized, err
		}
	}
	e, err := Parse(body)
	if err != nil {
		return http.StatusBadRequest, err
	}
	return h.handle(context.WithoutCancel(r.Context()), e)
}

// handle calls the function, unless that has been done.
func (h *handler) handle(ctx context.Context, e Event) (status int, err error) {
	id := e.About().ID
	if id != "" {
		state, err := h.seen.Begin(ctx, id)
		switch {
		case err != nil:
			return http.StatusServiceUnavailable, fmt.Errorf("webhook: the memory of what has been handled: %w", err)
		case state == Done:
			return http.StatusOK, nil
		case state == Busy:
			return http.StatusServiceUnavailable, fmt.Errorf("webhook: event %s is still being handled", id)
		}
	}
	ended := make(chan error, 1)
	limited, cancel := context.WithTimeout(ctx, h.timeout)
	go func() {
		defer cancel()
		err := h.call(limited, e)
		if id != "" {
			err = errors.Join(err, h.seen.End(ctx, id, err == nil))
		}
		ended <- err
	}()
	select {
	case err := <-ended:
		if err != nil {
			return http.StatusInternalServerError, err
		}
		return http.StatusOK, nil
	case <-limited.Done():
	}
	select {
	case err := <-ended: // just in time, or because of the deadline
		if err == nil {
			return http.StatusOK, nil
		}
		return http.StatusInternalServerError, err
	default:
		return http.StatusServiceUnavailable, fmt.Errorf("webhook: event %s has not been handled within %v", id, h.timeout)
	}
}

// call makes an error of a panic: in a goroutine of our own nobody else would
// catch it.
func (h *handler) call(ctx context.Context, e Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("webhook: the function panicked: %v", p)
		}
	}()
	return h.f(ctx, e)
}
