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
	// keptBody is how much of a body an error keeps.
	keptBody = 64 << 10
	// drained is how much is read of a body that nobody wants, so that its
	// connection can serve again; past that a new one is cheaper.
	drained = 256 << 10
)

// watch cancels an attempt that has been silent for too long. It never limits
// the whole of an attempt in which something still arrives.
//
// What is heard is written down, and looked at when the time is over: to set
// the timer anew for each part of an answer would cost more than to read it.
type watch struct {
	limit  time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
	begin  time.Time
	last   atomic.Int64 // when something was heard, in nanoseconds from begin; paused
}

const paused = -1

// silence is the cause of a canceled attempt.
type silence struct{ limit time.Duration }

func (e *silence) Error() string {
	return fmt.Sprintf("nothing arrived for %v", e.limit)
}

// Timeout makes the error one to net.Error's users.
func (e *silence) Timeout() bool   { return true }
func (e *silence) Temporary() bool { return true }

// start begins to listen.
func (w *watch) start(limit time.Duration, cancel context.CancelCauseFunc) {
	w.limit, w.cancel = limit, cancel
	if limit > 0 {
		w.begin = time.Now()
		w.timer = time.AfterFunc(limit, w.look)
	}
}

// look ends the attempt, or looks again when the silence could be too long.
func (w *watch) look() {
	last := w.last.Load()
	if last == paused {
		return
	}
	if left := time.Duration(last) + w.limit - time.Since(w.begin); left > 0 {
		w.timer.Reset(left)
		return
	}
	w.cancel(&silence{w.limit})
}

func (w *watch) heard() {
	if w.timer != nil && w.last.Swap(int64(time.Since(w.begin))) == paused {
		w.timer.Reset(w.limit)
	}
}

// pause stops the watch until something is heard again.
func (w *watch) pause() {
	if w.timer != nil {
		w.last.Store(paused)
		w.timer.Stop()
	}
}

func (w *watch) stop() {
	w.pause()
	w.cancel(nil)
}

// errTooLarge is a body's error once it has passed its limit.
var errTooLarge = errors.New("the answer is larger than the limit")

// body reads an answer: it keeps the start for an error, counts, and tells a
// broken connection from a bad answer.
type body struct {
	src   io.ReadCloser
	watch *watch
	limit int64 // in bytes
	left  int64 // before the limit
	kept  *bytes.Buffer
	err   error // of the connection, other than its end
}

var keptPool = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, 8<<10)) }}

// open begins to read src.
func (b *body) open(src io.ReadCloser, w *watch, limit int64) {
	b.src, b.watch, b.limit, b.left = src, w, limit, limit
	b.kept = keptPool.Get().(*bytes.Buffer)
	b.kept.Reset()
}

// Limit is how long the answer may be, in bytes; see package wire.
func (b *body) Limit() int64 { return b.limit }

func (b *body) Read(p []byte) (int, error) {
	n, err := b.src.Read(p)
	if n > 0 {
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

// start returns a copy of what has been kept, and gives back the rest.
func (b *body) start() []byte {
	defer b.release()
	return bytes.Clone(b.kept.Bytes())
}

func (b *body) release() {
	keptPool.Put(b.kept)
	b.kept = nil
}

// isBlank reports whether no result has been read: nothing but white space, or
// a null that does not count as one.
func (b *body) isBlank(nullable bool) bool {
	text := bytes.TrimSpace(b.kept.Bytes())
	return len(text) == 0 || !nullable && string(text) == "null"
}

// drain reads what is left, within reason and within the watch's limit.
func drain(src io.Reader) {
	_, _ = io.Copy(io.Discard, io.LimitReader(src, drained)) // what cannot be drained is closed
}

// stream is a body in the hands of a caller. The time that the caller takes
// between two reads is not the server's silence.
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
	}
	return n, err
}

func (s *stream) Close() error {
	err := s.src.Close()
	s.attempt.watch.stop()
	return err
}
