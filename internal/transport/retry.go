package transport

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"
)

// Retry is the outermost link: it retries requests that are safe to repeat.
type Retry struct {
	Attempts   int           // at most, the first included
	MinBackoff time.Duration // before the second attempt, without a Retry-After
	MaxBackoff time.Duration
	MaxWait    time.Duration // the longest Retry-After that is waited for
	MaxElapsed time.Duration // no attempt begins after so long
	Next       Handler

	// OnWait, if set, is called before each wait.
	OnWait func(ctx context.Context, c *Call, r *Result, wait time.Duration)
}

// Do is the link's handler.
func (rt *Retry) Do(ctx context.Context, c *Call) *Result {
	var (
		start     = time.Now()
		last      *Result // the last real answer
		ambiguous bool    // the server may have acted on an earlier attempt
		sent      int
	)
	for c.Attempt = 1; ; c.Attempt++ {
		r := rt.Next(ctx, c)
		if !r.Held {
			sent++
		}
		r.Attempts = sent
		switch {
		case r.Last != nil: // this attempt's own, that the caller has not waited for the end of
			r.Last.Attempts = sent
		case r.StatusCode == 0 || r.Failure != None:
			r.Last = last
		}
		if ambiguous && c.Method == http.MethodDelete && r.Failure == None && r.StatusCode == http.StatusNotFound {
			r.Gone = true
		}
		if r.OK() || c.Once || c.Attempt >= rt.Attempts || !again(c, r) {
			return r
		}
		wait := rt.wait(c.Attempt, r)
		if r.RetryAfter > rt.MaxWait || time.Since(start)+wait > rt.MaxElapsed || !inTime(ctx, wait) {
			return r
		}
		if r.StatusCode != 0 && r.Failure == None {
			kept := *r
			last = &kept
		}
		ambiguous = ambiguous || !r.Limited() && r.Failure != NotSent
		if rt.OnWait != nil {
			rt.OnWait(ctx, c, r, wait)
		}
		begin := time.Now()
		err := Sleep(ctx, wait)
		c.Waited += time.Since(begin)
		if err != nil {
			r = c.result.renew().fail(Canceled, err)
			r.Attempts, r.Last = sent, last
			return r
		}
	}
}

func (r *Result) renew() *Result {
	*r = Result{RetryAfter: -1}
	return r
}

// again reports whether an attempt with result r may be retried.
func again(c *Call, r *Result) bool {
	switch r.Failure {
	case None:
		return r.Limited() || c.Replayable && passing(r.StatusCode)
	case NotSent:
		return true
	case Broken, Cut:
		return c.Replayable
	default:
		return false
	}
}

// passing reports whether a status indicates a temporary problem.
func passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout:
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	}
	return status/100 == 5
}

// wait returns the wait before the next attempt: what the server asks for and a
// little more, or else a backoff that grows from attempt to attempt. Jitter
// keeps clients from retrying at the same moment. A requested wait of zero
// counts as none: it is a date seen by a fast clock, or less than a second.
func (rt *Retry) wait(attempt int, r *Result) time.Duration {
	if r.RetryAfter > 0 {
		return r.RetryAfter + rand.N(min(max(r.RetryAfter/20, time.Millisecond), 100*time.Millisecond))
	}
	backoff := rt.MaxBackoff
	if shift := attempt - 1; rt.MinBackoff < backoff>>shift { // shifted down: cannot overflow
		backoff = rt.MinBackoff << shift
	}
	return backoff/2 + rand.N(backoff/2+1)
}

// inTime reports whether there is time left after a wait.
func inTime(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > wait
}

// Sleep waits, or returns the reason why ctx has ended.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return causeOf(ctx)
	}
}
