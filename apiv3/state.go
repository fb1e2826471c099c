package apiv3

// Phase tells how far something has come.
type Phase string

// The phases.
const (
	PhaseCreated Phase = "created"
	PhaseQueued  Phase = "queued"
	PhaseStarted Phase = "started"
	PhaseEnded   Phase = "ended"
	// PhaseOnHold has been seen in one client only.
	PhaseOnHold Phase = "on_hold"
)

// Ended reports whether it is over. It is false for a phase that this package
// does not know.
func (p Phase) Ended() bool { return p == PhaseEnded }

// Outcome tells how something has ended, or, as a current outcome, how it is
// going.
type Outcome string

// The outcomes.
const (
	OutcomeSucceeded          Outcome = "succeeded"
	OutcomeFailed             Outcome = "failed"
	OutcomeCanceled           Outcome = "canceled"
	OutcomeErrored            Outcome = "errored"
	OutcomeNotRun             Outcome = "not_run"
	OutcomeUnauthorized       Outcome = "unauthorized"
	OutcomeInfrastructureFail Outcome = "infrastructure_fail" // of jobs and steps
	OutcomeTimedOut           Outcome = "timedout"            // of jobs and steps
)

// State is what the API v3 says in a type, a phase and two outcomes, in the
// words of the API v2 and of CircleCI's pages.
type State string

// The states.
const (
	StateQueued             State = "queued"
	StateRunning            State = "running"
	StateFailing            State = "failing"
	StateCanceling          State = "canceling"
	StateOnHold             State = "on_hold"
	StateSuccess            State = "success"
	StateFailed             State = "failed"
	StateError              State = "error"
	StateCanceled           State = "canceled"
	StateNotRun             State = "not_run"
	StateUnauthorized       State = "unauthorized"
	StateInfrastructureFail State = "infrastructure_fail"
	StateTimedOut           State = "timedout"
	// StateEnded is that of something which has ended, and of which the API
	// does not say how.
	StateEnded State = "ended"
)

// Done reports whether the state is final. It is false for a state that this
// package does not know: to wait for an end, look at [Phase.Ended].
func (s State) Done() bool {
	switch s {
	case StateSuccess, StateCanceled, StateNotRun, StateEnded:
		return true
	default:
		return s.Failed()
	}
}

// Failed reports whether the state is final and bad. Something that was
// canceled has not failed.
func (s State) Failed() bool {
	switch s {
	case StateFailed, StateError, StateUnauthorized, StateInfrastructureFail, StateTimedOut:
		return true
	default:
		return false
	}
}

// StateOf returns the state that a type, a phase, an outcome and a current
// outcome add up to. Pass what a resource has: a run has neither a type nor an
// outcome. Values that this package does not know are returned as they are.
func StateOf(kind JobType, phase Phase, outcome, current Outcome) State {
	switch phase {
	case PhaseEnded:
		if outcome == "" {
			outcome = current
		}
		return finalState(outcome)
	case PhaseCreated, PhaseQueued:
		return StateQueued
	case PhaseStarted:
		return startedState(kind, current)
	default:
		return State(phase)
	}
}

func finalState(outcome Outcome) State {
	switch outcome {
	case "":
		return StateEnded
	case OutcomeSucceeded:
		return StateSuccess
	case OutcomeErrored:
		return StateError
	default:
		return State(outcome)
	}
}

func startedState(kind JobType, current Outcome) State {
	switch {
	case kind == JobTypeApproval:
		return StateOnHold
	case current == OutcomeFailed || current == OutcomeErrored:
		return StateFailing
	case current == OutcomeCanceled:
		return StateCanceling
	default:
		return StateRunning
	}
}
