package circlecitest

import (
	"container/heap"
	"time"
)

// clock is the server's time, and what is to happen in it.
type clock struct {
	speed  float64   // of the server's time against ours; 0: it stands still
	origin time.Time // ours, when base was the server's
	base   time.Time
	events events
	seq    int
	timer  *time.Timer
	event  time.Time // of the event that happens; zero: none
	closed bool
}

func newClock() clock {
	now := time.Now()
	return clock{speed: 1, origin: now, base: now}
}

// WithSpeed makes the server's time pass so many times faster than ours: with
// 60, a job of a minute takes a second. Within testing/synctest, ours is the
// bubble's. It does not go with [WithManualTime].
func WithSpeed(factor float64) Option { return func(s *Server) { s.clock.speed = factor } }

// WithManualTime makes the server's time stand still, but for
// [Server.Advance].
func WithManualTime() Option { return func(s *Server) { s.clock.speed = 0 } }

// WithTime sets the time at which the server begins.
func WithTime(t time.Time) Option { return func(s *Server) { s.clock.base = t } }

// Advance moves the server's time forward, from one event to the next. What is
// due by then has happened when it returns, the calls of webhooks included:
// each is over before time goes on, and their receiver must not call it. If the
// server's time passes by itself as well, it has come that much further.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.clock
	for {
		s.catchUp()
		s.world.webhooks.wait() // unlocks the server meanwhile
		if d <= 0 && !c.isDue() {
			return
		}
		step := d
		if len(c.events) > 0 && !c.closed {
			step = min(d, max(c.events[0].at.Sub(c.read()), 0))
		}
		c.base = c.base.Add(step)
		d -= step
	}
}

// now is the server's time: within an event the event's, else the clock's.
func (s *Server) now() time.Time {
	if !s.clock.event.IsZero() {
		return s.clock.event
	}
	return s.clock.read()
}

func (c *clock) read() time.Time {
	if c.speed == 0 {
		return c.base
	}
	return c.base.Add(time.Duration(float64(time.Since(c.origin)) * c.speed))
}

type event struct {
	at  time.Time
	seq int // of two at one time the first made is the first
	do  func()
}

// at has do called when the time has come, with the server locked.
func (s *Server) at(t time.Time, do func()) {
	s.clock.seq++
	heap.Push(&s.clock.events, event{t, s.clock.seq, do})
	s.wind()
}

// after is at, from now.
func (s *Server) after(d time.Duration, do func()) { s.at(s.now().Add(d), do) }

// catchUp has all happen that is due.
func (s *Server) catchUp() {
	c := &s.clock
	for c.isDue() {
		e := heap.Pop(&c.events).(event)
		c.event = e.at
		e.do()
		c.event = time.Time{}
	}
	s.wind()
}

// isDue reports whether something is to happen now.
func (c *clock) isDue() bool {
	return !c.closed && len(c.events) > 0 && !c.events[0].at.After(c.read())
}

// wind sets the timer for the next event, so that what the server does of its
// own, such as calling webhooks, waits for nobody's request.
func (s *Server) wind() {
	c := &s.clock
	if c.closed || c.speed == 0 || len(c.events) == 0 || !c.event.IsZero() {
		return
	}
	// Rounded up: what comes too early has to come again.
	wait := max(time.Duration(float64(c.events[0].at.Sub(c.read()))/c.speed), 0) + 1
	if c.timer == nil {
		c.timer = time.AfterFunc(wait, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.catchUp()
		})
		return
	}
	c.timer.Reset(wait)
}

func (c *clock) stop() {
	c.closed = true
	if c.timer != nil {
		c.timer.Stop()
	}
}

// events is a heap, by time.
type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	if e[i].at.Equal(e[j].at) {
		return e[i].seq < e[j].seq
	}
	return e[i].at.Before(e[j].at)
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	(*e)[len(*e)-1] = event{}
	*e = (*e)[:len(*e)-1]
	return last
}
