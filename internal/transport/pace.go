package transport

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"
)

// Limiter decides when a request may leave. It is what *rate.Limiter of
// golang.org/x/time has.
type Limiter interface {
	Wait(ctx context.Context) error
}

// Limit makes a link of a limiter that the caller has chosen.
func Limit(l Limiter, next Handler) Handler {
	return func(ctx context.Context, c *Call) *Result {
		if err := l.Wait(ctx); err != nil {
			r := c.result.renew()
			r.Held = true
			if ctx.Err() == nil { // the limiter itself says no
				return r.fail(Refused, err)
			}
			return r.fail(Canceled, causeOf(ctx))
		}
		return next(ctx, c)
	}
}

// Pacer shares a client's calls out over time, family by family, so that the
// server's limit is used and not hit.
//
// What it goes by, the best it has:
//   - RateLimit headers: it keeps the server's own account, and learns from
//     one answer to the next how fast it is refilled.
//   - A 429 without such headers: everyone pauses until the time given, and
//     goes on at a rate between what the server surely grants and what it
//     has surely refused, slowly rising from there.
//   - Nothing yet: a caller alone goes as fast as it is answered; a crowd
//     starts slowly and doubles.
//
// Callers leave in the order in which they came. The pacer has no goroutine:
// the first in the queue keeps the time, and hands over to the next.
type Pacer struct {
	Next Handler
	// MaxWait is the longest pause that a caller is held for. Past it, or
	// past the caller's deadline, the caller gets the refusal that began the
	// pause.
	MaxWait time.Duration

	mu       sync.Mutex
	families map[string]*family
}

// Do is the link's handler.
func (p *Pacer) Do(ctx context.Context, c *Call) *Result {
	f := p.family(c.Family())
	t, err := f.wait(ctx, p.MaxWait)
	switch {
	case errors.Is(err, errPaused):
		return f.refusal(&c.result)
	case err != nil:
		r := c.result.renew()
		r.Held = true
		return r.fail(Canceled, err)
	}
	var r *Result
	defer func() { f.answered(t, r) }() // even when a middleware panics
	r = p.Next(ctx, c)
	return r
}

func (p *Pacer) family(name string) *family {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.families[name]
	if f == nil {
		if p.families == nil {
			p.families = map[string]*family{}
		}
		f = &family{rate: startRate, tokens: startBurst, burst: startBurst}
		p.families[name] = f
	}
	return f
}

const (
	startRate   = 200.0                 // of a crowd, in requests a second, while nothing is known
	startBurst  = 20                    // of a crowd, at once
	startDouble = time.Second           // in which a crowd's rate doubles
	startPause  = 10 * time.Millisecond // least pause of a crowd, as one for each request costs more than the request
	endlessRate = 10_000.0              // from which on a crowd is not held back any more

	riseShare    = 0.05                  // of the rate found after a 429, added to it each second
	longestRise  = 20 * time.Second      // that is made up for at once
	memory       = 2 * time.Second       // half-life of what is known of our own rate
	unknown      = time.Second           // pause after a 429 that gives no time
	measureLeast = 50 * time.Millisecond // between two accounts that the refill is learnt from

	// oversleep is how late the timers of a busy machine are: a rate found
	// after a 429 makes up for so much, lest a share of it is lost at each
	// request.
	oversleep = 20 * time.Millisecond

	// Of an account that is refilled all the time a few requests are left to
	// others, and to errors: one for every so many, up to a few.
	reserveEach = 25
	reserveMost = 3
)

// errPaused ends a wait that would be too long.
var errPaused = errors.New("paused by the server")

// basis is what a family's pace is based on.
type basis int

const (
	nothing basis = iota
	headers       // the server's account
	refusal       // a 429 without headers
)

type family struct {
	mu    sync.Mutex
	queue []*waiter

	basis  basis
	until  time.Time // nobody leaves before
	paused Result    // the refusal that says so
	before int       // the newest request that had left at the last refusal
	tokens float64   // how many may leave now
	burst  float64   // the most that tokens add up to
	rate   float64   // tokens a second
	stamp  time.Time // when tokens was right

	departed int // requests so far
	inFlight int

	// Our own rate of late: departures, the time they took, and the pauses
	// between them, all fading.
	recent struct {
		count, seconds, paused float64
		last                   time.Time
	}
	// The account that rate is measured from: the server's, at some answer.
	account  account
	reset    time.Time // when the server's window begins anew, or is worth a look
	measured bool      // whether rate comes from two accounts
}

// account is what the server had left at a request.
type account struct {
	number    int // the request's
	unsure    int // how many others may or may not be part of it
	remaining int
	at        time.Time
}

// ticket says when in the sequence of requests one has left.
type ticket struct {
	number int
	others int // that were in flight
}

// waiter is a caller in the queue.
type waiter struct {
	latest time.Time     // the caller does not wait past it
	again  chan struct{} // has room for one: something has changed, look again
}

func (w *waiter) wake() {
	select {
	case w.again <- struct{}{}:
	default:
	}
}

// never is how long those wait who are not the first: until they are woken.
const never = time.Duration(math.MaxInt64)

// wait returns when the caller may send.
func (f *family) wait(ctx context.Context, most time.Duration) (ticket, error) {
	if ctx.Err() != nil {
		return ticket{}, causeOf(ctx)
	}
	now := time.Now()
	latest := now.Add(most)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(latest) {
		latest = deadline
	}
	f.mu.Lock()
	if len(f.queue) == 0 && f.delay(now) <= 0 {
		defer f.mu.Unlock()
		return f.depart(now), nil
	}
	w := &waiter{latest: latest, again: make(chan struct{}, 1)}
	f.queue = append(f.queue, w)
	f.mu.Unlock()
	for {
		t, d, err := f.look(w)
		if err != nil || d <= 0 {
			return t, err
		}
		timer := time.NewTimer(d)
		select {
		case <-timer.C:
		case <-w.again:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			f.leave(w)
			return ticket{}, causeOf(ctx)
		}
	}
}

// look lets w leave if it is the first in the queue and may, or says how long
// it has to wait.
func (f *family) look(w *waiter) (t ticket, d time.Duration, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	switch {
	case f.until.After(w.latest):
		err = errPaused
	case f.queue[0] != w:
		return t, never, nil
	default:
		d = f.delay(now)
		if d > 0 && !now.Add(d).After(w.latest) {
			return t, d, nil
		}
		t = f.depart(now) // even if it is too early: rather than wait that long, ask the server
	}
	f.remove(w)
	return t, 0, err
}

// refusal gives r the answer that began the pause.
func (f *family) refusal(r *Result) *Result {
	f.mu.Lock()
	defer f.mu.Unlock()
	*r = f.paused
	r.Header, r.Body = r.Header.Clone(), bytes.Clone(r.Body) // each caller has its own
	r.RetryAfter = max(time.Until(f.until), 0)
	r.Held = true
	return r
}

// leave gives up w's place.
func (f *family) leave(w *waiter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.remove(w)
}

// remove takes w out of the queue; whoever is first then keeps the time.
func (f *family) remove(w *waiter) {
	i := slices.Index(f.queue, w)
	f.queue = slices.Delete(f.queue, i, i+1)
	if i == 0 && len(f.queue) > 0 {
		f.queue[0].wake()
	}
}

// delay is how long the first in the queue has to wait; 0 if it may leave.
func (f *family) delay(now time.Time) time.Duration {
	if d := f.until.Sub(now); d > 0 {
		return d
	}
	if f.basis == nothing && (f.rate >= endlessRate || f.inFlight == 0 && len(f.queue) == 0) {
		return 0
	}
	f.refill(now)
	if f.tokens >= 1 {
		return 0
	}
	seconds := (1 - f.tokens) / max(f.rate, 0.001)
	switch f.basis {
	case headers:
		// When the server's window begins anew, one may go and see.
		seconds = min(seconds, f.reset.Sub(now).Seconds())
	case nothing:
		seconds = max(seconds, min(startPause.Seconds(), startBurst/2/f.rate))
	case refusal:
	}
	return max(time.Duration(seconds*float64(time.Second)), time.Microsecond)
}

func (f *family) refill(now time.Time) {
	if passed := now.Sub(f.stamp).Seconds(); passed > 0 {
		f.tokens = min(f.burst, f.tokens+passed*f.rate)
		f.stamp = now
	}
	if f.basis == headers && !now.Before(f.reset) {
		f.tokens = max(f.tokens, 1)
		f.reset = now.Add(time.Second) // if the answer to that says nothing new
	}
}

func (f *family) depart(now time.Time) ticket {
	f.departed++
	t := ticket{f.departed, f.inFlight}
	f.inFlight++
	began := f.recent.last // of the time in which nobody left, though nothing forbade it
	if f.until.After(began) {
		began = f.until
	}
	rise := min(now.Sub(began), longestRise)
	passed := now.Sub(f.recent.last)
	if f.recent.last.IsZero() || passed > time.Second {
		passed = time.Millisecond // a pause is not part of our rate
	}
	f.recent.last = now
	fade := math.Exp2(-passed.Seconds() / memory.Seconds())
	f.recent.count = f.recent.count*fade + 1
	f.recent.seconds = f.recent.seconds*fade + passed.Seconds()
	f.recent.paused *= fade
	if f.basis == nothing && f.inFlight == 1 && len(f.queue) == 0 {
		return t // alone, and free
	}
	f.refill(now)
	f.tokens--
	switch f.basis {
	case nothing:
		f.rate *= math.Exp2(passed.Seconds() / startDouble.Seconds())
	case refusal:
		f.rate += f.rate * riseShare * rise.Seconds()
	case headers:
	}
	return t
}

// answered takes in what an answer says.
func (f *family) answered(t ticket, r *Result) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inFlight--
	now := time.Now()
	switch {
	case r == nil, r.StatusCode == 0:
		return
	case r.Limited():
		f.refused(now, t, r)
	case r.Limit.Known:
		f.accounted(now, t, r.Limit)
	}
	if len(f.queue) > 0 {
		f.queue[0].wake()
	}
}

// refused pauses the family. Of several refusals of one moment the first
// counts; the others can only prolong the pause.
func (f *family) refused(now time.Time, t ticket, r *Result) {
	pause := r.RetryAfter
	if pause <= 0 { // zero is less than a second
		pause = unknown
		if r.Limit.Known && r.Limit.Remaining == 0 {
			pause = max(pause, r.Limit.Reset)
		}
	}
	if until := now.Add(pause); until.After(f.until) {
		f.until, f.paused = until, *r
		f.paused.Failure, f.paused.Err, f.paused.Last = None, nil, nil // that of others, not that its caller has given up
		for _, w := range f.queue {
			if until.After(w.latest) {
				w.wake() // to go with the refusal
			}
		}
	}
	f.tokens, f.stamp = 1, f.until
	if t.number <= f.before {
		return
	}
	f.before = f.departed
	if f.basis == headers {
		f.rate *= 0.8
		f.account = account{} // measure anew
		return
	}
	answered := max(f.recent.count-float64(f.inFlight), 1)
	ours := max(f.recent.seconds, 0.001)
	f.recent.paused += pause.Seconds()
	granted, refused := answered/(ours+f.recent.paused), f.recent.count/ours
	if f.basis == refusal {
		refused = min(refused, f.rate)
		granted = min(granted, refused)
	}
	f.basis = refusal
	f.rate = math.Pow(granted, 0.4) * math.Pow(refused, 0.6)
	f.burst = max(1, f.rate*oversleep.Seconds())
}

// accounted brings our idea of what the server has left in line with the
// server's. How much it is now lies between two bounds: of those requests that
// this account may not count yet either all take one more, or none does.
func (f *family) accounted(now time.Time, t ticket, l RateLimit) {
	seen := account{number: t.number, unsure: f.departed - t.number + t.others, remaining: l.Remaining, at: now}
	if f.basis != headers {
		f.basis = headers
		if !now.Before(f.until) {
			f.tokens, f.stamp = 0, now
		}
	}
	f.burst = float64(max(l.Limit, l.Remaining, 1))
	f.reset = now.Add(max(l.Reset, time.Second))
	f.measure(seen, l)
	if now.Before(f.until) {
		return
	}
	f.refill(now)
	most := float64(l.Remaining)
	if f.measured && f.rate > 1 && l.Limit > 1 {
		most -= float64(min(max(l.Limit/reserveEach, 1), reserveMost))
	}
	f.tokens = min(max(f.tokens, most-float64(seen.unsure)), most)
}

// measure learns from two accounts how fast the server refills.
func (f *family) measure(seen account, l RateLimit) {
	last, passed := f.account, seen.at.Sub(f.account.at)
	sent := seen.number - last.number
	refilled := max(float64(seen.remaining-last.remaining+sent), 0) / passed.Seconds()
	switch full := l.Limit > 0 && seen.remaining >= l.Limit-1; {
	case last.at.IsZero(), seen.unsure < last.unsure/2: // better to begin with
	case full: // what overflows is not seen: it may be more
		surely := refilled - float64(seen.unsure+last.unsure)/passed.Seconds()
		if surely <= f.rate || passed < measureLeast {
			break
		}
		f.rate, f.measured = surely, true
	case passed < measureLeast, sent < max(2*(seen.unsure+last.unsure), 1), sent < 8 && passed < time.Second:
		return
	case f.measured:
		f.rate = 0.7*f.rate + 0.3*refilled
	default:
		f.rate, f.measured = refilled, true
	}
	f.account = seen
	if f.measured {
		return
	}
	f.rate = startRate
	if l.Reset > 0 && l.Limit > 0 {
		f.rate = min(startRate, float64(l.Limit)/l.Reset.Seconds())
	}
}
