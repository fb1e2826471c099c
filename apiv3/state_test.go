package apiv3_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/circleci-go/circleci/apiv3"
)

func TestStateOf(t *testing.T) {
	for _, c := range []struct {
		kind             apiv3.JobType
		phase            apiv3.Phase
		outcome, current apiv3.Outcome
		want             apiv3.State
	}{
		{"", "", "", "", ""},
		{"", "created", "", "", "queued"},
		{"build", "queued", "", "", "queued"},
		{"build", "started", "", "", "running"},
		{"build", "started", "", "succeeded", "running"},
		{"", "started", "", "failed", "failing"},
		{"", "started", "", "errored", "failing"},
		{"", "started", "", "canceled", "canceling"},
		{"", "started", "", "new", "running"},
		{"approval", "started", "", "", "on_hold"},
		{"approval", "ended", "succeeded", "", "success"},
		{"", "on_hold", "", "", "on_hold"},
		{"", "ended", "succeeded", "", "success"},
		{"", "ended", "", "succeeded", "success"},
		{"", "ended", "failed", "succeeded", "failed"},
		{"", "ended", "errored", "", "error"},
		{"", "ended", "", "", "ended"},
		{"", "ended", "canceled", "", "canceled"},
		{"", "ended", "not_run", "", "not_run"},
		{"", "ended", "unauthorized", "", "unauthorized"},
		{"build", "ended", "infrastructure_fail", "", "infrastructure_fail"},
		{"build", "ended", "timedout", "", "timedout"},
		{"", "ended", "new", "", "new"},
		{"", "paused", "succeeded", "", "paused"},
	} {
		assert.Equal(t, c.want, apiv3.StateOf(c.kind, c.phase, c.outcome, c.current), "%+v", c)
	}
}

func TestDoneAndFailed(t *testing.T) {
	for state, want := range map[apiv3.State][2]bool{
		"": {}, "queued": {}, "running": {}, "failing": {}, "canceling": {}, "on_hold": {}, "new": {},
		"success": {true, false}, "canceled": {true, false}, "not_run": {true, false}, "ended": {true, false},
		"failed": {true, true}, "error": {true, true}, "unauthorized": {true, true}, "infrastructure_fail": {true, true},
		"timedout": {true, true},
	} {
		assert.Equal(t, want, [2]bool{state.Done(), state.Failed()}, state)
	}
	assert.True(t, apiv3.PhaseEnded.Ended())
	assert.False(t, apiv3.Phase("new").Ended())
}

// The API lists a job as started when its workflow dispatches it.
func TestAJobWithoutAStartIsQueued(t *testing.T) {
	job := apiv3.Job{Type: apiv3.JobTypeBuild, Phase: apiv3.PhaseStarted}
	assert.Equal(t, apiv3.StateQueued, job.State())
	job.StartedAt = noon
	assert.Equal(t, apiv3.StateRunning, job.State())
	approval := apiv3.Job{Type: apiv3.JobTypeApproval, Phase: apiv3.PhaseStarted}
	assert.Equal(t, apiv3.StateOnHold, approval.State())
	run := apiv3.Run{Phase: apiv3.PhaseEnded, CurrentOutcome: apiv3.OutcomeErrored}
	assert.Equal(t, apiv3.StateError, run.State())
	workflow := apiv3.Workflow{Phase: apiv3.PhaseStarted, CurrentOutcome: apiv3.OutcomeFailed}
	assert.Equal(t, apiv3.StateFailing, workflow.State())
	step := apiv3.Step{Phase: apiv3.PhaseEnded, Outcome: apiv3.OutcomeTimedOut}
	assert.Equal(t, apiv3.StateTimedOut, step.State())
}
