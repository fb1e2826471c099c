// Package engine runs pipelines, workflows and jobs on the clock of their
// world.
package engine

import (
	"time"

	"github.com/circleci-go/circleci/circlecitest/internal/deliver"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// Engine runs the pipelines of a world.
type Engine struct {
	*world.World
	Courier *deliver.Courier
}

// New returns an engine for a world.
func New(w *world.World) *Engine { return &Engine{w, deliver.New(w)} }

// Close stops the clock and cancels deliveries.
func (s *Engine) Close() {
	s.Clock.Stop()
	s.Courier.Close()
}

// Reset returns to the initial state, and cancels webhook deliveries.
func (s *Engine) Reset() {
	s.Clock.Stop()
	s.Courier.Reset()
	s.World.Reset()
}

// Advance moves the clock forward, from one event to the next. It waits for
// webhook deliveries before each step.
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
