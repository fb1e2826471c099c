package world

import (
	"container/heap"
	"time"
)

// Clock is the server's clock with its scheduled events.
type Clock struct {
	Speed  float64   // relative to real time; 0 means stopped
	origin time.Time // the real time at which the clock showed Base
	Base   time.Time
	Events events
	seq    int
	timer  *time.Timer
	event  time.Time // the time of the current event; zero if none
	Closed bool
}

func newClock() Clock {
	now := time.Now()
	return Clock{Speed: 1, origin: now, Base: now}
}

// Now returns the time of the current event, or else of the clock.
func (s *World) Now() time.Time {
	if !s.Clock.event.IsZero() {
		return s.Clock.event
	}
	return s.Clock.read()
}

func (c *Clock) read() time.Time {
	if c.Speed == 0 {
		return c.Base
	}
	return c.Base.Add(time.Duration(float64(time.Since(c.origin)) * c.Speed))
}

// Event is a scheduled function.
type Event struct {
	At  time.Time
	seq int // orders events of the same time
	Do  func()
}

// At schedules do for a time. It is called with the server locked.
func (s *World) At(t time.Time, do func()) {
	s.Clock.seq++
	heap.Push(&s.Clock.Events, Event{t, s.Clock.seq, do})
	s.wind()
}

// After is like At, relative to now.
func (s *World) After(d time.Duration, do func()) { s.At(s.Now().Add(d), do) }

// CatchUp runs all events whose time has come.
func (s *World) CatchUp() {
	c := &s.Clock
	for c.IsDue() {
		e := heap.Pop(&c.Events).(Event)
		c.event = e.At
		e.Do()
		c.event = time.Time{}
	}
	s.wind()
}

// IsDue reports whether an event's time has come.
func (c *Clock) IsDue() bool {
	return !c.Closed && len(c.Events) > 0 && !c.Events[0].At.After(c.read())
}

// wind sets a timer for the next event, so that the server acts by itself, for
// example to deliver webhooks.
func (s *World) wind() {
	c := &s.Clock
	if c.Closed || c.Speed == 0 || len(c.Events) == 0 || !c.event.IsZero() {
		return
	}
	// Rounded up, because a timer that fires early must be set again.
	wait := max(time.Duration(float64(c.Events[0].At.Sub(c.read()))/c.Speed), 0) + 1
	if c.timer == nil {
		c.timer = time.AfterFunc(wait, func() {
			s.Lock()
			defer s.Unlock()
			s.CatchUp()
		})
		return
	}
	c.timer.Reset(wait)
}

// SetSpeed changes the speed of the clock from now on; 0 stops it.
func (s *World) SetSpeed(factor float64) {
	c := &s.Clock
	c.Base, c.origin, c.Speed = c.read(), time.Now(), factor
	s.wind()
}

// Step moves the clock forward by at most this duration, up to the next event,
// and returns by how much.
func (c *Clock) Step(most time.Duration) time.Duration {
	if len(c.Events) > 0 && !c.Closed {
		most = min(most, max(c.Events[0].At.Sub(c.read()), 0))
	}
	c.Base = c.Base.Add(most)
	return most
}

// Stop stops the clock for good.
func (c *Clock) Stop() {
	c.Closed = true
	if c.timer != nil {
		c.timer.Stop()
	}
}

// events is a heap, by time.
type events []Event

func (e events) Len() int { return len(e) }

func (e events) Less(i, j int) bool {
	if e[i].At.Equal(e[j].At) {
		return e[i].seq < e[j].seq
	}
	return e[i].At.Before(e[j].At)
}

func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

func (e *events) Push(x any) { *e = append(*e, x.(Event)) }

func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	(*e)[len(*e)-1] = Event{}
	*e = (*e)[:len(*e)-1]
	return last
}
