package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// keptBody is how much of a body an error keeps, in bytes.
	keptBody = 64 << 10
	// drained is how many bytes of an unused body are read, so that its
	// connection can be reused; beyond that a new connection is cheaper.
	drained = 256 << 10
)

// watch cancels an attempt that has been silent for too long. It does not limit
// the total time of an attempt that still receives data.
//
// Activity is recorded, and checked when the alarm rings: resetting a timer for
// each part of a response would cost more than reading it.
type watch struct {
	limit  time.Duration
	alarm  *alarm // nil: no limit
	cancel context.CancelCauseFunc
	begin  time.Time
	last   atomic.Int64 // when something was heard, in nanoseconds from begin; paused
	sent   atomic.Bool  // the whole body: from now on, only what arrives counts
}

const paused = -1

// silence is the cause of an attempt canceled by a watch.
type silence struct{ limit time.Duration }

func (e *silence) Error() string {
	return fmt.Sprintf("nothing arrived for %v", e.limit)
}

// Timeout makes the error a timeout for users of net.Error.
func (e *silence) Timeout() bool   { return true }
func (e *silence) Temporary() bool { return true }

// alarms are the alarms of ended attempts.
type alarms struct{ pool sync.Pool }

// alarm is a timer for one watch after another. It is not stopped between them,
// as setting a timer for each request costs a good part of a small one.
type alarm struct {
	of    *alarms
	mu    sync.Mutex
	timer *time.Timer
	set   bool
	watch *watch // nil: none
}

// start starts the watch. If now is zero, it reads the clock.
func (w *watch) start(limit time.Duration, now time.Time, cancel context.CancelCauseFunc, from *alarms) {
	w.limit, w.cancel, w.begin = limit, cancel, now
	if limit <= 0 {
		return
	}
	if now.IsZero() {
		w.begin = time.Now()
	}
	var ok bool
	if w.alarm, ok = from.pool.Get().(*alarm); !ok {
		w.alarm = &alarm{of: from}
	}
	w.alarm.mu.Lock()
	defer w.alarm.mu.Unlock()
	w.alarm.watch = w
	w.alarm.ring(limit)
}

// ring sets the timer, unless it is set: then it rings earlier, and is set again.
func (a *alarm) ring(after time.Duration) {
	switch {
	case a.set:
	case a.timer == nil:
		a.timer = time.AfterFunc(after, a.look)
	default:
		a.timer.Reset(after)
	}
	a.set = true
}

// look ends the attempt, or sets the timer for the next check.
func (a *alarm) look() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.set = false
	w := a.watch
	if w == nil {
		return
	}
	last := w.last.Load()
	if last == paused {
		return
	}
	if left := time.Duration(last) + w.limit - time.Since(w.begin); left > 0 {
		a.ring(left)
		return
	}
	w.cancel(&silence{w.limit})
}

func (w *watch) heard() {
	if a := w.alarm; a != nil && w.last.Swap(int64(time.Since(w.begin))) == paused {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.watch == w {
			a.ring(w.limit)
		}
	}
}

// pause stops the watch until there is activity again.
func (w *watch) pause() { w.last.Store(paused) }

func (w *watch) stop() {
	w.pause()
	if a := w.alarm; a != nil {
		a.mu.Lock()
		if a.watch == w {
			a.watch = nil
			defer a.of.pool.Put(a)
		}
		a.mu.Unlock()
	}
	w.cancel(nil)
}

// errTooLarge is the error of a body that exceeds its limit.
var errTooLarge = errors.New("the response is larger than the limit")

// body reads a response. It keeps the beginning for an error, counts bytes, and
// distinguishes a broken connection from an invalid response.
type body struct {
	src   io.ReadCloser
	watch *watch
	limit int64 // in bytes
	left  int64 // before the limit
	kept  *bytes.Buffer
	err   error // of the connection, other than its end
}

var keptPool = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, 8<<10)) }}

// open starts to read src.
func (b *body) open(src io.ReadCloser, w *watch, limit int64) {
	b.src, b.watch, b.limit, b.left = src, w, limit, limit
	b.kept = keptPool.Get().(*bytes.Buffer)
	b.kept.Reset()
}

// Limit returns the maximum size of the response in bytes; see package wire.
func (b *body) Limit() int64 { return b.limit }

func (b *body) Read(p []byte) (int, error) {
	n, err := b.src.Read(p)
	if n > 0 && err == nil { // after an error nothing is waited for
		b.watch.heard()
	}
	if room := keptBody - b.kept.Len(); n > 0 && room > 0 {
		b.kept.Write(p[:min(n, room)])
	}
	if b.left -= int64(n); b.left < 0 {
		err = errTooLarge
	}
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}

// start returns a copy of the kept beginning, and releases the buffer.
func (b *body) start() []byte {
	defer b.release()
	return bytes.Clone(b.kept.Bytes())
}

func (b *body) release() {
	keptPool.Put(b.kept)
	b.kept = nil
}

// isBlank reports whether the body has no result: only white space, or a null
// that does not count as a result.
func (b *body) isBlank(nullable bool) bool {
	text := bytes.TrimSpace(b.kept.Bytes())
	return len(text) == 0 || !nullable && string(text) == "null"
}

// drain reads the rest of a body, up to a limit and within the watch's time.
func drain(src io.Reader) {
	_, _ = io.Copy(io.Discard, io.LimitReader(src, drained)) // what cannot be drained is closed
}

// stream is a body that the caller reads. Time between two reads does not count
// as the server's silence.
type stream struct {
	src     io.ReadCloser
	attempt *attempt
}

func (s *stream) Read(p []byte) (int, error) {
	s.attempt.watch.heard()
	n, err := s.src.Read(p)
	s.attempt.watch.pause()
	if err != nil && !errors.Is(err, io.EOF) {
		_, err = s.attempt.because(err)
		err = s.attempt.call.scrubError(err)
	}
	return n, err
}

func (s *stream) Close() error {
	err := s.src.Close()
	s.attempt.watch.stop()
	return err
}
