package transport

import (
	"context"
	"maps"
	"math"
	"slices"
	"sync"
	"time"
)

// Pacer spreads calls over time, to use a server's rate limit without exceeding
// it.
//
//   - A 429 with a Retry-After pauses the calls with its [Call.Key] only. The
//     pause is forgotten when it ends.
//   - The pace belongs to a lane: the calls of one method and route. With
//     RateLimit headers it follows the server's numbers. After a 429 without
//     them it follows CUBIC: it starts just below the granted rate, stays near
//     it, and then grows faster and faster.
//   - Before that, only the first burst is limited, by slow start: the number
//     of calls in flight is limited to a small window, which grows with each
//     response.
//
// Calls of a lane are served first in, first out. The pacer starts no
// goroutines.
type Pacer struct {
	MaxWait time.Duration // the longest pause that a call is held for

	mu    sync.Mutex
	lanes map[laneKey]*lane
}

type laneKey struct{ method, route string }

const (
	firstWindow = 32                     // calls in flight to begin with
	windowTime  = 100 * time.Millisecond // after which it doubles although nothing was answered
	burstTime   = 250 * time.Millisecond // in which a server is assumed to refill the burst that it grants
	startShare  = 0.98                   // of the granted rate, after a refusal
	leastCubic  = 5 * time.Second        // from the plateau to twice the granted rate; doubles with each refusal
	mostCubic   = 20 * time.Second
	forgetTime  = time.Minute // after a refusal
	defaultStop = time.Second // pause after a refusal that gives no time
	markTime    = time.Second // between two marks of our own rate
	manyLanes   = 1000        // routes, beyond which idle lanes are dropped
	// Of an account a few requests are left to others, and to errors: one for
	// every so many, up to a few.
	reserveEach, reserveMost = 25, 3
)

type basis int

const (
	nothing basis = iota
	accounts
	refusals
)

// lane is the pace of one route.
type lane struct {
	mu     *sync.Mutex
	most   time.Duration
	queue  []*waiter
	timer  *time.Timer // set while somebody waits, or a key is paused
	pauses map[string]*pause

	departed, inFlight int
	window             int
	doubled            time.Time

	basis               basis
	tokens, burst, rate float64 // rate is in tokens a second
	stamp               time.Time

	room, ceiling  float64
	granted        float64 // rate before the last refusal
	refused        time.Time
	cubic          time.Duration
	newest, wasted int    // the last departure at the last refusal, and how many of its wave were refused
	was            basis  // before it
	marks          []mark // of departures, to measure granted with

	account  account
	reset    time.Time // when the server's window begins again
	measured bool
}

type pause struct{ began, until, probe time.Time }

type mark struct {
	number int
	at     time.Time
}

// Ticket records when a call was sent, and how many others were in flight.
type Ticket struct {
	number, others int
	at             time.Time
}

type waiter struct {
	call   *Call
	latest time.Time // it does not wait longer
	ready  chan error
}

// Wait returns when the call may be sent. The caller must call Observe
// afterwards.
func (p *Pacer) Wait(ctx context.Context, c *Call) error {
	if ctx.Err() != nil {
		return causeOf(ctx)
	}
	now := time.Now()
	w := &waiter{call: c, latest: now.Add(p.MaxWait), ready: make(chan error, 1)}
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(w.latest) {
		w.latest = deadline
	}
	p.mu.Lock()
	l := p.lane(c)
	l.queue = append(l.queue, w)
	if len(l.queue) == 1 || len(l.pauses) > 0 {
		l.dispatch(now)
	}
	p.mu.Unlock()
	select {
	case err := <-w.ready:
		return err
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case err := <-w.ready: // it was let go in this moment
		return err
	default:
		l.queue = slices.DeleteFunc(l.queue, func(other *waiter) bool { return other == w })
		l.dispatch(time.Now())
		return causeOf(ctx)
	}
}

func (p *Pacer) lane(c *Call) *lane {
	key := laneKey{c.Method, c.Route}
	l := p.lanes[key]
	if l == nil {
		if len(p.lanes) >= manyLanes {
			maps.DeleteFunc(p.lanes, func(_ laneKey, l *lane) bool { return l.inFlight+len(l.queue)+len(l.pauses) == 0 })
		}
		if p.lanes == nil {
			p.lanes = map[laneKey]*lane{}
		}
		l = &lane{mu: &p.mu, most: p.MaxWait, window: firstWindow}
		p.lanes[key] = l
	}
	return l
}

// dispatch releases the calls that may be sent, and sets the timer for the
// next.
func (l *lane) dispatch(now time.Time) {
	const never = time.Duration(math.MaxInt64)
	var open time.Duration // what the first has to wait whose key is not paused
	next := never
	l.queue = slices.DeleteFunc(l.queue, func(w *waiter) bool {
		var err error
		p, d := l.pauses[w.call.Key()], time.Duration(0)
		switch {
		case p != nil && p.probe.After(now) && p.until.After(w.latest):
			err = &PausedError{p.until.Sub(now)}
		case p != nil && p.probe.After(now) && p.until.After(now):
			d = p.until.Sub(now)
		case open == 0:
			d = l.delay(now)
			open = d
			if l.basis != nothing && now.Add(d).After(w.latest) {
				d = 0 // rather than wait that long, ask the server
			}
		default:
			d = open
		}
		if d > 0 {
			next = min(next, d)
			return false
		}
		if err == nil {
			l.depart(w.call, now)
			if p != nil {
				p.probe = now.Add(l.most)
			}
		}
		w.ready <- err
		return true
	})
	for key, p := range l.pauses {
		if d := p.until.Sub(now); d > 0 {
			next = min(next, d)
		} else {
			delete(l.pauses, key)
		}
	}
	switch {
	case next == never && l.timer != nil:
		l.timer.Stop()
		l.timer = nil
	case next == never:
	case l.timer == nil:
		l.timer = time.AfterFunc(next, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.dispatch(time.Now())
		})
	default:
		l.timer.Reset(next)
	}
}

// delay returns how long the next call has to wait; 0 if it may be sent.
func (l *lane) delay(now time.Time) time.Duration {
	switch since := now.Sub(l.refused); {
	case l.basis == refusals && since > forgetTime:
		l.basis, l.window, l.cubic = nothing, firstWindow, 0
	case l.basis == refusals:
		plateau := math.Cbrt(1 - startShare)
		l.refill(now)
		l.rate = l.granted * (1 + math.Pow(max(since, 0).Seconds()/l.cubic.Seconds()-plateau, 3))
		l.burst = max(1, l.rate/50, l.room)
	}
	if l.basis == nothing {
		if l.inFlight < l.window {
			l.doubled = now
			return 0
		}
		if wait := l.doubled.Add(windowTime).Sub(now); wait > 0 {
			return wait
		}
		l.window, l.doubled = 2*l.window, now
		return 0
	}
	l.refill(now)
	if l.tokens >= 1 {
		return 0
	}
	wait := time.Duration((1 - l.tokens) / max(l.rate, 0.001) * float64(time.Second))
	if l.basis == accounts {
		wait = min(wait, l.reset.Sub(now))
	}
	return max(wait, time.Microsecond)
}

func (l *lane) refill(now time.Time) {
	if passed := now.Sub(l.stamp).Seconds(); passed > 0 {
		l.tokens, l.stamp = min(l.burst, l.tokens+passed*l.rate), now
	}
	if l.basis == accounts && !now.Before(l.reset) {
		l.tokens = max(l.tokens, 1)
		l.reset = now.Add(time.Second) // if the answer to that says nothing new
	}
}

func (l *lane) depart(c *Call, now time.Time) {
	if l.departed == l.newest {
		l.marks = l.marks[:0]
	}
	switch n := len(l.marks); {
	case n > 0 && now.Sub(l.marks[n-1].at) < markTime:
	case n == 8:
		l.marks = append(l.marks[:0], l.marks[1:]...)
		fallthrough
	default:
		l.marks = append(l.marks, mark{l.departed, now})
	}
	l.departed++
	c.Ticket = Ticket{l.departed, l.inFlight, now}
	l.inFlight++
	if l.basis != nothing {
		l.tokens--
	}
}

// Observe updates the pace from a response.
func (p *Pacer) Observe(_ context.Context, c *Call, r *Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, now := p.lane(c), time.Now()
	t := c.Ticket
	if t.number == 0 { // not the call that has waited: assume the first in flight
		t = Ticket{l.departed - l.inFlight + 1, l.inFlight, now}
	}
	if l.inFlight*2 >= l.window {
		l.window++
	}
	l.inFlight = max(l.inFlight-1, 0)
	switch {
	case r == nil, r.StatusCode == 0:
	case r.Limited():
		l.refuse(now, c.Key(), t, r)
	default:
		if p := l.pauses[c.Key()]; p != nil && t.at.After(p.began) {
			delete(l.pauses, c.Key())
		}
		if r.Limit.Known {
			l.accounted(now, t, r.Limit)
		}
	}
	if len(l.queue)+len(l.pauses) > 0 {
		l.dispatch(now)
	}
}

// refuse pauses the refused key, and learns from the first refusal of a wave.
func (l *lane) refuse(now time.Time, key string, t Ticket, r *Result) {
	wait := r.RetryAfter
	if wait <= 0 { // zero is less than a second
		wait = defaultStop
		if r.Limit.Known && r.Limit.Remaining == 0 {
			wait = max(wait, r.Limit.Reset)
		}
	}
	if p := l.pauses[key]; p == nil || p.until.Before(now.Add(wait)) {
		if l.pauses == nil {
			l.pauses = map[string]*pause{}
		}
		l.pauses[key] = &pause{now, now.Add(wait), now.Add(l.most)}
	}
	wave := t.number > l.newest
	if wave {
		l.newest, l.wasted, l.ceiling = l.departed, 0, l.rate
		l.was = l.basis
		l.cubic = min(max(2*l.cubic, leastCubic), mostCubic)
	}
	l.refused = now.Add(min(wait, l.most))
	switch {
	case l.basis == accounts:
		l.tokens, l.burst, l.account = min(l.tokens, 1), 1, account{} // nothing is saved up in a pause; measure again
		if wave {
			l.rate *= 0.8
		}
	default:
		l.wasted++
		rate := 0.0
		for _, m := range l.marks {
			if n := l.newest - m.number - l.wasted; n > 0 && !t.at.Before(m.at) {
				rate = max(rate, float64(n)/max(t.at.Sub(m.at)+burstTime, burstTime).Seconds())
			}
		}
		if rate < 1 {
			return // not a matter of pace
		}
		if first := l.marks[0]; l.was != refusals || t.at.Sub(first.at) < burstTime {
			l.room = float64(l.newest-first.number-l.wasted) / 2
		}
		if l.was == refusals {
			rate = math.Cbrt(rate * rate * max(l.ceiling, rate))
		}
		l.basis, l.granted, l.rate = refusals, rate, rate
		l.tokens, l.stamp = 1, now
	}
}

// account is what the server had left at a request.
type account struct {
	number    int // the request's
	unsure    int // how many others may or may not be part of it
	remaining int
	at        time.Time
}

// accounted updates our estimate of what the server has left. The estimate lies
// between two bounds: of the requests that the server may not have counted yet,
// either all take one more, or none does.
func (l *lane) accounted(now time.Time, t Ticket, limit RateLimit) {
	if now.Before(l.refused) {
		return // in a pause nothing is saved up
	}
	seen := account{t.number, l.departed - t.number + t.others, limit.Remaining, now}
	if l.basis != accounts {
		l.basis, l.tokens, l.stamp = accounts, 0, now
	}
	l.burst = float64(max(limit.Limit, limit.Remaining, 1))
	l.reset = now.Add(max(limit.Reset, time.Second))
	l.measure(seen, limit)
	l.refill(now)
	most := float64(limit.Remaining)
	if l.measured && l.rate > 1 && limit.Limit > 1 {
		most -= float64(min(max(limit.Limit/reserveEach, 1), reserveMost))
	}
	l.tokens = min(max(l.tokens, most-float64(seen.unsure)), most)
}

// measure learns from two accounts how fast the server refills.
func (l *lane) measure(seen account, limit RateLimit) {
	last, passed := l.account, seen.at.Sub(l.account.at)
	sent, unsure := seen.number-last.number, seen.unsure+last.unsure
	refilled := max(float64(seen.remaining-last.remaining+sent), 0) / passed.Seconds()
	switch full := limit.Limit > 0 && seen.remaining >= limit.Limit-1; {
	case last.at.IsZero(), seen.unsure < last.unsure/2: // better to begin with
		if !l.measured {
			l.rate = 200
			if limit.Reset > 0 && limit.Limit > 0 {
				l.rate = min(l.rate, float64(limit.Limit)/limit.Reset.Seconds())
			}
		}
	case full: // what overflows is not seen: it may be more
		if surely := refilled - float64(unsure)/passed.Seconds(); surely > l.rate && passed >= 50*time.Millisecond {
			l.rate, l.measured = surely, true
		}
	case passed < 50*time.Millisecond, sent < max(2*unsure, 1), sent < 8 && passed < time.Second:
		return
	case l.measured:
		l.rate = 0.7*l.rate + 0.3*refilled
	default:
		l.rate, l.measured = refilled, true
	}
	l.account = seen
}
