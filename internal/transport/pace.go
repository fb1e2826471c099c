package transport

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"sync"
	"time"
)

// Pacer spreads calls over time, to use a server's rate limit without exceeding
// it. A 429 pauses the calls with its [Call.Key] only. The calls of one method
// and route share a bucket of tokens, and are served first in, first out.
type Pacer struct {
	MaxWait time.Duration // the longest pause that a call is held for

	mu    sync.Mutex
	lanes map[[2]string]*lane // by method and route
}

const (
	firstBurst  = 32                     // calls at once, while nothing is known
	firstRate   = 320                    // tokens a second then, although nothing is answered
	burstTime   = 250 * time.Millisecond // in which a server is assumed to refill the burst that it grants
	startShare  = 0.96                   // of the granted rate, after a refusal
	growTime    = 10 * time.Second       // from the granted rate to twice that; doubles with each refusal, up to four times
	measureTime = time.Second            // between two beginnings of a measurement
	accountTime = 500 * time.Millisecond // at least, between two accounts that are compared
	manyLanes   = 1000                   // so many are forgotten at once, to begin again
)

// lane is the pace of one method and route. At first only its first burst is
// limited: each response returns a token, and enlarges the bucket if it was
// needed. With RateLimit headers the bucket follows the server's numbers. After
// a 429 without them its rate follows CUBIC: it starts just below the granted
// rate, stays near it, and then grows faster and faster.
type lane struct {
	pacer               *Pacer
	queue               []*Call
	timer               *time.Timer
	pauses              map[string]*pause
	tokens, burst, rate float64 // rate is in tokens a second
	stamp               time.Time
	departed, inFlight  int
	granted             float64 // the rate granted before the last refusal; 0: no refusal
	refused             time.Time
	grow                time.Duration
	wave, wasted        int       // the last departure before the last refusal, and how many until then were refused
	marks               [2]Ticket // where measurements of the granted rate begin
	accounts            bool      // the server announces its limit
	seen, reset         time.Time
	total               int // what the server had granted at seen, since any fixed time
}

type pause struct{ began, until, probe time.Time }

// Wait waits until the call may be sent, and returns the time then. The caller
// must call Observe afterwards.
func (p *Pacer) Wait(ctx context.Context, c *Call, now time.Time) (time.Time, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, t := p.lane(c), &c.Ticket
	*t = Ticket{ctx: ctx, latest: now.Add(p.MaxWait)}
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(t.latest) {
		t.latest = deadline
	}
	if l.queue = append(l.queue, c); len(l.queue) == 1 || len(l.pauses) > 0 {
		l.dispatch(now)
	}
	if !t.done {
		t.ready = make(chan struct{})
		p.mu.Unlock()
		select {
		case <-t.ready:
		case <-ctx.Done():
		}
		p.mu.Lock()
		if now = time.Now(); !t.done {
			l.dispatch(now)
		}
	}
	return now, t.err
}

func (p *Pacer) lane(c *Call) *lane {
	key := [2]string{c.Method, c.Route}
	if l := p.lanes[key]; l != nil {
		return l
	}
	if len(p.lanes)%manyLanes == 0 {
		p.lanes = map[[2]string]*lane{}
	}
	l := &lane{pacer: p, pauses: map[string]*pause{}, tokens: firstBurst, burst: firstBurst, rate: firstRate}
	l.timer = time.AfterFunc(math.MaxInt64, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		l.dispatch(time.Now())
	})
	p.lanes[key] = l
	return l
}

// dispatch releases the calls that may be sent, and sets the timer for the next.
func (l *lane) dispatch(now time.Time) {
	next, open := time.Duration(math.MaxInt64), time.Duration(0) // open: the wait of those whose key is not paused
	l.queue = slices.DeleteFunc(l.queue, func(c *Call) bool {
		d, p, t := open, l.pauses[c.Key()], &c.Ticket
		switch held := p != nil && p.until.After(now) && p.probe.After(now); {
		case t.ctx.Err() != nil:
			return t.release(causeOf(t.ctx))
		case held && p.until.After(t.latest):
			return t.release(&PausedError{p.until.Sub(now)})
		case held:
			d = p.until.Sub(now)
		case open == 0:
			open = l.delay(now)
			if d = open; (l.accounts || l.granted > 0) && now.Add(d).After(t.latest) {
				d = 0 // rather than wait that long, ask the server
			}
		}
		if d > 0 {
			next = min(next, d)
			return false
		}
		if p != nil {
			p.probe = now.Add(l.pacer.MaxWait)
		}
		t.number, t.others, t.at = l.departed+1, l.inFlight, now
		l.departed, l.inFlight, l.tokens = t.number, l.inFlight+1, l.tokens-1
		if mark := (Ticket{number: t.number, at: now}); l.departed == l.wave+1 {
			l.marks = [2]Ticket{mark, mark}
		} else if now.Sub(l.marks[1].at) > measureTime {
			l.marks = [2]Ticket{l.marks[1], mark}
		}
		return t.release(nil)
	})
	maps.DeleteFunc(l.pauses, func(_ string, p *pause) bool { return !p.until.After(now) })
	if l.timer.Stop(); next < math.MaxInt64 {
		l.timer.Reset(next)
	}
}

// delay refills the bucket and returns how long the next call must wait.
func (l *lane) delay(now time.Time) time.Duration {
	if l.granted > 0 {
		l.rate = l.granted * (1 + math.Pow(max(now.Sub(l.refused).Seconds(), 0)/l.grow.Seconds(), 3))
	}
	l.tokens, l.stamp = min(l.burst, l.tokens+now.Sub(l.stamp).Seconds()*l.rate), now
	if l.accounts && !now.Before(l.reset) {
		l.tokens, l.reset = max(l.tokens, 1), now.Add(time.Second) // if the answer to that says nothing new
	}
	if l.tokens >= 1 {
		return 0
	}
	wait := (1 - l.tokens) / l.rate
	if l.accounts {
		wait = min(wait, l.reset.Sub(now).Seconds())
	}
	return time.Microsecond + time.Duration(wait*float64(time.Second))
}

// Observe learns from a response.
func (p *Pacer) Observe(_ context.Context, c *Call, r *Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, t, now := p.lane(c), c.Ticket, time.Now()
	if t.number == 0 { // not a call that waited: assume the first in flight
		t = Ticket{number: l.departed - l.inFlight + 1, others: l.inFlight, at: now}
	}
	l.inFlight = max(l.inFlight-1, 0)
	if !l.accounts && l.granted == 0 {
		if l.tokens < l.burst/2 {
			l.burst, l.tokens = l.burst+1, l.tokens+1
		}
		l.tokens = min(l.tokens+1, l.burst)
	}
	if r != nil && r.Limited() {
		l.refuse(now, c.Key(), t, r)
	} else if r != nil && r.StatusCode != 0 {
		if p := l.pauses[c.Key()]; p != nil && t.at.After(p.began) {
			delete(l.pauses, c.Key())
		}
		if r.Limit.Known && now.After(l.refused) { // nothing is saved up in a pause
			l.account(now, t, r.Limit)
		}
	}
	l.dispatch(now)
}

// refuse pauses the calls of the key, and measures the rate granted before.
func (l *lane) refuse(now time.Time, key string, t Ticket, r *Result) {
	wait := cmp.Or(max(r.RetryAfter, 0), max(time.Second, r.Limit.Reset)) // zero is less than a second
	if p := l.pauses[key]; p == nil || p.until.Before(now.Add(wait)) {
		l.pauses[key] = &pause{now, now.Add(wait), now.Add(l.pacer.MaxWait)}
	}
	if t.number > l.wave { // the first of a wave
		l.wave, l.wasted, l.grow = l.departed, 0, min(l.grow*2+growTime, 3*growTime)
	}
	l.wasted++
	rate := 0.
	for _, mark := range l.marks { // the pace may have changed between them
		n := float64(l.wave - mark.number + 1 - l.wasted)
		rate = max(rate, n/(max(t.at.Sub(mark.at), 0)+burstTime).Seconds())
	}
	switch {
	case l.accounts:
		l.burst = 1
	case rate < 1: // not a matter of pace
		return
	default:
		l.granted = startShare * rate
		l.burst = max(min(l.burst, l.granted*burstTime.Seconds()/2), 1)
	}
	l.refused, l.stamp, l.seen = now.Add(min(wait, l.pacer.MaxWait)), now, time.Time{}
}

// account adjusts the bucket to the server's numbers, and measures from two of
// them how fast the server refills. Its content lies between two bounds: the
// requests that may not be counted yet all take one token, or none does.
func (l *lane) account(now time.Time, t Ticket, limit RateLimit) {
	if !l.accounts {
		l.accounts, l.granted, l.tokens, l.seen = true, 0, 0, time.Time{}
	}
	if passed := now.Sub(l.seen); passed >= accountTime {
		total := t.number + limit.Remaining
		rate := float64(total-l.total) / passed.Seconds()
		if l.seen.IsZero() {
			rate = min(l.rate, float64(max(limit.Limit, 1))/limit.Reset.Seconds())
		}
		l.rate, l.seen, l.total = max(rate, 0.001), now, total
	}
	l.burst, l.reset = float64(max(limit.Limit, limit.Remaining, 1)), now.Add(max(limit.Reset, time.Second))
	l.delay(now)                                              // refills
	most := float64(limit.Remaining - min(limit.Limit/10, 3)) // a few are left to others, and to errors
	l.tokens = min(max(l.tokens, most-float64(l.departed-t.number+t.others)), most)
}
