package circlecitest

import (
	"time"
)

// Now returns the time by the server's clock.
func (s *Server) Now() time.Time {
	s.engine.Lock()
	defer s.engine.Unlock()
	return s.engine.Now()
}

// Speed returns how many times faster than ours the server's time passes; 0 if it
// stands still.
func (s *Server) Speed() float64 {
	s.engine.Lock()
	defer s.engine.Unlock()
	return s.engine.Clock.Speed
}

// SetSpeed changes how fast the server's time passes from now on; 0 freezes it,
// except for [Server.Advance].
func (s *Server) SetSpeed(factor float64) {
	s.engine.Lock()
	defer s.engine.Unlock()
	s.engine.SetSpeed(factor)
}

// Reset makes the server forget everything: what was added to it and what has
// run, requests, webhook deliveries and weather. Its token, its time and its
// speed are again what they were at the beginning.
func (s *Server) Reset() {
	s.engine.Lock()
	defer s.engine.Unlock()
	s.engine.Reset()
	s.weather.Reset()
	s.requests = nil
}

// Advance moves the server's time forward, from one event to the next. What is
// due by then has happened when it returns, the calls of webhooks included:
// each is over before time goes on, and a webhook receiver must not call
// Advance. If the server's time passes by itself as well, it has come that much
// further.
func (s *Server) Advance(d time.Duration) {
	s.engine.Lock()
	defer s.engine.Unlock()
	s.engine.Advance(d)
}
