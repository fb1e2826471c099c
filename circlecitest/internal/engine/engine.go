// Package engine runs pipelines, workflows and jobs by the clock of their world.
package engine

import (
	"time"

	"github.com/circleci-go/circleci/circlecitest/internal/deliver"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// Engine runs what there is in a world.
type Engine struct {
	*world.World
	Courier *deliver.Courier
}

// New returns an engine for a world.
func New(w *world.World) *Engine { return &Engine{w, deliver.New(w)} }

// Close lets nothing happen any more.
func (s *Engine) Close() {
	s.Clock.Stop()
	s.Courier.Close()
}

// Reset forgets everything, and begins again. Calls of webhooks are broken off.
func (s *Engine) Reset() {
	s.Clock.Stop()
	s.Courier.Reset()
	s.World.Reset()
}

// Advance moves time forward, from one event to the next. Calls of webhooks are
// over before time goes on.
func (s *Engine) Advance(d time.Duration) {
	for {
		s.CatchUp()
		s.Courier.Wait() // unlocks the world meanwhile
		if d <= 0 && !s.Clock.IsDue() {
			return
		}
		d -= s.Clock.Step(d)
	}
}
