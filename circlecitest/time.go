package circlecitest

import (
	"time"
)

// Now returns the time on the server's clock.
func (s *Server) Now() time.Time {
	s.engine.Lock()
	defer s.engine.Unlock()
	return s.engine.Now()
}

// Speed returns how many times faster than real time the server's clock runs.
// It is 0 if the clock is stopped.
func (s *Server) Speed() float64 {
	s.engine.Lock()
	defer s.engine.Unlock()
	return s.engine.Clock.Speed
}

// SetSpeed changes the speed of the server's clock from now on. Zero stops it;
// then only [Server.Advance] moves it. SetSpeed panics if the speed is not from
// 0 to 1,000,000.
func (s *Server) SetSpeed(factor float64) {
	if !(factor >= 0 && factor <= 1e6) { // also if it is not a number
		panic("circlecitest: the speed must be from 0 to 1,000,000")
	}
	s.engine.Lock()
	defer s.engine.Unlock()
	s.engine.SetSpeed(factor)
}

// Reset returns the server to its initial state. It removes everything that was
// added or has run, and all requests, deliveries and faults. The token, the
// time and the speed have their initial values again.
func (s *Server) Reset() {
	s.engine.Lock()
	defer s.engine.Unlock()
	s.engine.Reset()
	s.weather.Reset()
	s.requests = nil
}

// Advance moves the server's clock forward, from one event to the next. When it
// returns, everything scheduled until then has happened, including webhook
// deliveries: the clock waits for each of them, so a webhook receiver must not
// call Advance. If the clock also runs by itself, Advance moves it forward in
// addition.
func (s *Server) Advance(d time.Duration) {
	s.engine.Lock()
	defer s.engine.Unlock()
	s.engine.Advance(d)
}
