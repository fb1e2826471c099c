package apiv3

// Phase is how far a run, workflow, job or step has progressed.
type Phase string

// The phases.
const (
	PhaseCreated Phase = "created"
	PhaseQueued  Phase = "queued"
	PhaseStarted Phase = "started"
	PhaseEnded   Phase = "ended"
	// PhaseOnHold is known from one client only.
	PhaseOnHold Phase = "on_hold"
)

// Ended reports whether the phase is the last one. It is false for unknown
// phases.
func (p Phase) Ended() bool { return p == PhaseEnded }

// Outcome is the result of a run, workflow, job or step. A current outcome is
// the result so far.
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

// State combines a type, a phase and two outcomes of the API v3 into one of the
// API v2's terms.
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
	// StateEnded is the state of something that has ended with an unknown
	// outcome.
	StateEnded State = "ended"
)

// Done reports whether the state is final. It is false for unknown states: to
// wait for an end, use [Phase.Ended].
func (s State) Done() bool {
	switch s {
	case StateSuccess, StateCanceled, StateNotRun, StateEnded:
		return true
	default:
		return s.Failed()
	}
}

// Failed reports whether the state is a failure. A canceled run, workflow or
// job has not failed.
func (s State) Failed() bool {
	switch s {
	case StateFailed, StateError, StateUnauthorized, StateInfrastructureFail, StateTimedOut:
		return true
	default:
		return false
	}
}

// StateOf returns the state for a type, a phase, an outcome and a current
// outcome. Leave those empty that a resource does not have: a run has neither a
// type nor an outcome. Unknown values are returned unchanged.
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
