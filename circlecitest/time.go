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
