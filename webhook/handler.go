package webhook

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/circleci-go/circleci"
)

// Option changes a [Handler]. Nil options are ignored.
type Option func(*handler)

// WithMaxBody sets the maximum size of a body in bytes. The default, also used
// if n is zero or less, is 1 MiB.
func WithMaxBody(n int64) Option { return func(h *handler) { h.maxBody = n } }

// WithTimeout sets the deadline of the function. The default, also used if d is
// zero or less, is 8 seconds. CircleCI waits for 10 seconds, then delivers the
// event again.
func WithTimeout(d time.Duration) Option { return func(h *handler) { h.timeout = d } }

// WithDeduplicator sets the deduplicator. Use a shared one if several processes
// receive the same webhook. The default, also used if d is nil, is a [Memory]
// of this process.
func WithDeduplicator(d Deduplicator) Option { return func(h *handler) { h.seen = d } }

// WithErrorHandler sets a function that is called for each request that was
// refused or failed. By default errors are reported only to CircleCI, by the
// status.
func WithErrorHandler(f func(r *http.Request, err error)) Option {
	return func(h *handler) { h.onError = f }
}

// AllowUnsigned accepts webhooks without a signature if there is no secret.
// Then anyone who knows the URL can send events.
func AllowUnsigned() Option { return func(h *handler) { h.unsigned = true } }

const (
	defaultMaxBody = 1 << 20
	defaultTimeout = 8 * time.Second
)

// Handler returns a handler for webhooks that are signed with one of the
// secrets. It limits the size of the body, verifies and parses it, and calls f
// once for each event, until f succeeds. Without a secret, or with an empty
// one, it refuses all requests.
//
// CircleCI delivers an event again after any non-2xx response, and if no
// response arrives within 10 seconds. The handler therefore responds with
//
//	200  f has succeeded, now or at an earlier delivery
//	400  the body is not an event
//	401  the signature is missing, or no configured secret matches it
//	405  the method is not POST
//	413  the body is too large
//	500  f returned an error, panicked or called runtime.Goexit; the next
//	     delivery is handled
//	503  f is still busy with this delivery or an earlier one, or the
//	     deduplicator failed
//
// The context of f ends with the deadline, not with the connection. If f
// continues after the deadline and succeeds, the next delivery gets a 200.
func Handler(secrets []circleci.Secret, f func(ctx context.Context, e Event) error, opts ...Option) http.Handler {
	h := &handler{secrets: slices.Clone(secrets), f: f}
	for _, opt := range opts {
		if opt != nil {
			opt(h)
		}
	}
	if h.maxBody <= 0 {
		h.maxBody = defaultMaxBody
	}
	if h.timeout <= 0 {
		h.timeout = defaultTimeout
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
	if status == http.StatusOK {
		return // net/http sends the status; a body has nothing to add
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, http.StatusText(status)+"\n") // the client may have disconnected
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request) (status int, err error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return http.StatusMethodNotAllowed, fmt.Errorf("webhook: the method is %s, not POST", r.Method)
	}
	body, err := h.read(w, r)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, fmt.Errorf("webhook: the body is larger than %d bytes", h.maxBody)
	case err != nil:
		return http.StatusBadRequest, fmt.Errorf("webhook: read the body: %w", err)
	}
	if !h.unsigned || len(h.secrets) > 0 {
		if err := Verify(body, r.Header.Get(SignatureHeader), h.secrets...); err != nil {
			return http.StatusUnauthorized, err
		}
	}
	e, err := parse(body)
	if err != nil {
		return http.StatusBadRequest, err
	}
	return h.handle(r.Context(), e)
}

// read is io.ReadAll with a buffer of the announced size.
func (h *handler) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	bounded := http.MaxBytesReader(w, r.Body, h.maxBody)
	body := make([]byte, 0, 1+min(max(r.ContentLength, bytes.MinRead), maxAnnounced)) // the last byte is for the io.EOF
	for {
		n, err := bounded.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, err
		case len(body) == cap(body):
			body = slices.Grow(body, len(body))
		}
	}
}

// maxAnnounced limits the memory that is allocated before any data has arrived.
const maxAnnounced = 64 << 10

// errExited is the result of a function that ended its own goroutine.
var errExited = errors.New("webhook: the function called runtime.Goexit")

// handle calls the function, unless the event has been handled.
func (h *handler) handle(ctx context.Context, e Event) (status int, err error) {
	ctx = context.WithoutCancel(ctx)
	limited, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel() // then the function has returned, or its deadline has passed
	id := key(e)
	if id != "" {
		state, err := h.begin(limited, id)
		switch {
		case err != nil:
			return http.StatusServiceUnavailable, fmt.Errorf("webhook: look up event %s: %w", id, err)
		case state == Done:
			return http.StatusOK, nil
		case state == Busy:
			return http.StatusServiceUnavailable, fmt.Errorf("webhook: event %s is still being handled", id)
		}
	}
	ended := make(chan error, 1)
	go func() {
		err := errExited
		// Deferred, so that runtime.Goexit in the function does not skip it.
		defer func() {
			if id != "" {
				err = errors.Join(err, h.end(ctx, id, err == nil))
			}
			ended <- err
		}()
		err = protect(func() error { return h.f(limited, e) })
	}()
	select {
	case err := <-ended:
		return result(err)
	case <-limited.Done():
	}
	select {
	case err := <-ended: // just in time, or because of the deadline
		return result(err)
	default:
		return http.StatusServiceUnavailable, fmt.Errorf("webhook: event %s was not handled within %v", id, h.timeout)
	}
}

func result(err error) (int, error) {
	if err != nil {
		return http.StatusInternalServerError, err
	}
	return http.StatusOK, nil
}

// key returns the key of an event in the deduplicator: its ID, or a hash of an
// ID that is longer than any of CircleCI's.
func key(e Event) string {
	id := e.About().ID
	if len(id) <= maxID {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// maxID is the length in bytes of the longest ID that is kept unhashed.
const maxID = 128

func (h *handler) begin(ctx context.Context, id string) (state State, err error) {
	err = protect(func() (err error) {
		state, err = h.seen.Begin(ctx, id)
		return err
	})
	return state, err
}

func (h *handler) end(ctx context.Context, id string, ok bool) error {
	if _, local := h.seen.(*Memory); !local { // another deduplicator may block
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, h.timeout) // the function may have used up its own
		defer cancel()
	}
	return protect(func() error { return h.seen.End(ctx, id, ok) })
}

// protect returns a panic of f as an error. In a goroutine that net/http did
// not start, the panic would end the process.
func protect(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("webhook: panicked: %v", p)
		}
	}()
	return f()
}
