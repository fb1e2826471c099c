package circleci_test

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// plain is the script of a project whose pipelines have these workflows.
func plain(workflows ...*circlecitest.WorkflowScript) circlecitest.Script {
	return circlecitest.Script{Workflows: workflows}
}

// waitFor runs a script in a bubble of its own, and waits for the pipeline.
// While it waits, meddle goes on beside it.
func waitFor(t *testing.T, script circlecitest.Script, o *circleci.WaitOptions,
	meddle func(t *testing.T, srv *circlecitest.Server, c *circleci.Client, id uuid.UUID),
	check func(t *testing.T, r *circleci.PipelineResult, err error),
) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Script(webSlug, script)
		c := srv.Client()
		id := srv.StartPipeline(webSlug, "main")
		if meddle != nil {
			go meddle(t, srv, c, id)
		}
		r, err := c.Pipelines.Wait(t.Context(), id, o)
		check(t, r, err)
	})
}

func TestWaitForAPipeline(t *testing.T) {
	oneHold := plain(circlecitest.Workflow("deploy",
		circlecitest.Job("test"), circlecitest.Approval("hold").Requires("test"), circlecitest.Job("ship").Requires("hold")))
	for name, c := range map[string]struct {
		script    circlecitest.Script
		options   *circleci.WaitOptions
		meddle    func(*testing.T, *circlecitest.Server, *circleci.Client, uuid.UUID)
		outcome   circleci.Outcome
		workflows []string // name and status
		failed    []string
		detail    string
	}{
		"success": {
			script:  plain(circlecitest.Workflow("a", circlecitest.Job("x")), circlecitest.Workflow("b", circlecitest.Job("y").Takes(5*time.Minute))),
			outcome: circleci.OutcomeSuccess, workflows: []string{"a success", "b success"},
		},
		"a failure counts only when all has ended": {
			script: plain(
				circlecitest.Workflow("a", circlecitest.Job("x").Fails(), circlecitest.Job("z").Ends(circleci.JobStatusTimedOut)),
				circlecitest.Workflow("b", circlecitest.Job("y").Takes(5*time.Minute))),
			outcome: circleci.OutcomeFailed, workflows: []string{"a failed", "b success"}, failed: []string{"x", "z"},
			detail: "job x failed; job z timedout",
		},
		"between two jobs nothing has ended": {
			script: plain(circlecitest.Workflow("a", circlecitest.Job("x").Takes(time.Second),
				circlecitest.Job("y").Requires("x").Takes(time.Second), circlecitest.Job("z").Requires("y").Fails())),
			outcome: circleci.OutcomeFailed, workflows: []string{"a failed"}, failed: []string{"z"}, detail: "job z failed",
		},
		"canceled": {
			script: plain(circlecitest.Workflow("a", circlecitest.Job("x").Takes(time.Hour))),
			meddle: func(t *testing.T, _ *circlecitest.Server, c *circleci.Client, id uuid.UUID) {
				time.Sleep(time.Minute)
				all, err := c.Pipelines.ListWorkflows(id).Collect(t.Context())
				assert.NoError(t, err)
				assert.NoError(t, c.Workflows.Cancel(t.Context(), all[0].ID))
			},
			outcome: circleci.OutcomeCanceled, workflows: []string{"a canceled"}, detail: "workflow a canceled",
		},
		"a bad configuration": {
			script:  circlecitest.Script{Errors: []circleci.PipelineError{{Type: circleci.PipelineErrorTypeConfig, Message: "no version"}}},
			outcome: circleci.OutcomeErrored, detail: "no version",
		},
		"no workflow matches": {
			script: plain(), outcome: circleci.OutcomeNoWorkflows,
		},
		"setup and continuation": {
			script: circlecitest.Script{
				Setup:     circlecitest.Workflow("setup", circlecitest.Job("generate")),
				Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow("build", circlecitest.Job("x"))},
			},
			outcome: circleci.OutcomeSuccess, workflows: []string{"setup success", "build success"},
		},
		"a continuation that fails": {
			script: circlecitest.Script{
				Setup:  circlecitest.Workflow("setup", circlecitest.Job("generate")),
				Errors: []circleci.PipelineError{{Type: circleci.PipelineErrorTypeConfig, Message: "bad continuation"}},
			},
			outcome: circleci.OutcomeErrored, workflows: []string{"setup success"}, detail: "bad continuation",
		},
		"a setup that fails": {
			script: circlecitest.Script{
				Setup:     circlecitest.Workflow("setup", circlecitest.Job("generate").Fails()),
				Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow("build", circlecitest.Job("x"))},
			},
			outcome: circleci.OutcomeFailed, workflows: []string{"setup failed"}, failed: []string{"generate"}, detail: "job generate failed",
		},
		"a setup that is rerun automatically": {
			script: circlecitest.Script{
				Setup:     circlecitest.Workflow("setup", circlecitest.Job("generate").FailsOnce()).RerunsAutomatically(1),
				Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow("build", circlecitest.Job("x"))},
			},
			outcome: circleci.OutcomeSuccess, workflows: []string{"setup success", "build success"},
		},
		"a setup with nothing behind": {
			script:  circlecitest.Script{Setup: circlecitest.Workflow("setup", circlecitest.Job("generate"))},
			outcome: circleci.OutcomeNoWorkflows, workflows: []string{"setup success"},
		},
		"on hold, and told to stop there": {
			script: oneHold, options: &circleci.WaitOptions{StopOnHold: true},
			outcome: circleci.OutcomeOnHold, workflows: []string{"deploy on_hold"}, detail: "workflow deploy on_hold",
		},
		"on hold, while another workflow goes on": {
			script: plain(circlecitest.Workflow("deploy", circlecitest.Approval("hold")),
				circlecitest.Workflow("test", circlecitest.Job("x").Takes(10*time.Minute))),
			options: &circleci.WaitOptions{StopOnHold: true},
			outcome: circleci.OutcomeOnHold, workflows: []string{"deploy on_hold", "test success"}, detail: "workflow deploy on_hold",
		},
		"approved by a person in the middle": {
			script: oneHold,
			meddle: func(t *testing.T, _ *circlecitest.Server, c *circleci.Client, id uuid.UUID) {
				time.Sleep(2 * time.Hour)
				all, err := c.Pipelines.ListWorkflows(id).Collect(t.Context())
				assert.NoError(t, err)
				jobs, err := c.Workflows.ListJobs(all[0].ID).Collect(t.Context())
				assert.NoError(t, err)
				assert.NoError(t, c.Workflows.Approve(t.Context(), all[0].ID, jobs[1].ApprovalRequestID))
			},
			outcome: circleci.OutcomeSuccess, workflows: []string{"deploy success"},
		},
		"somebody reruns what has failed, while the rest goes on": {
			script: plain(circlecitest.Workflow("a", circlecitest.Job("x").FailsOnce()),
				circlecitest.Workflow("b", circlecitest.Job("y").Takes(5*time.Minute))),
			meddle: func(t *testing.T, _ *circlecitest.Server, c *circleci.Client, id uuid.UUID) {
				time.Sleep(time.Minute)
				for w, err := range c.Pipelines.ListWorkflows(id).All(t.Context()) {
					assert.NoError(t, err)
					if w.Name == "a" {
						assert.Equal(t, circleci.WorkflowStatusFailed, w.Status)
						_, err = c.Workflows.Rerun(t.Context(), w.ID, circleci.RerunWorkflowRequest{FromFailed: true})
						assert.NoError(t, err)
					}
				}
			},
			outcome: circleci.OutcomeSuccess, workflows: []string{"a success", "b success"},
		},
		"automatic reruns": {
			script: plain(circlecitest.Workflow("a", circlecitest.Job("x").Ends(
				circleci.JobStatusFailed, circleci.JobStatusFailed, circleci.JobStatusSuccess)).RerunsAutomatically(3)),
			outcome: circleci.OutcomeSuccess, workflows: []string{"a success"},
		},
		"automatic reruns that do not help": {
			script:  plain(circlecitest.Workflow("a", circlecitest.Job("x").Fails()).RerunsAutomatically(2)),
			outcome: circleci.OutcomeFailed, workflows: []string{"a failed"}, failed: []string{"x"}, detail: "job x failed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			waitFor(t, c.script, c.options, c.meddle, func(t *testing.T, r *circleci.PipelineResult, err error) {
				require.NoError(t, err)
				assert.Equal(t, c.outcome, r.Outcome)
				var workflows, failed []string
				for _, w := range r.Workflows {
					workflows = append(workflows, w.Name+" "+string(w.Status))
				}
				for _, j := range r.FailedJobs {
					failed = append(failed, j.Name)
				}
				assert.ElementsMatch(t, c.workflows, workflows)
				assert.Equal(t, c.failed, failed)
				if c.outcome == circleci.OutcomeSuccess {
					assert.NoError(t, r.Err())
					return
				}
				var unsuccessful *circleci.UnsuccessfulError
				require.ErrorAs(t, r.Err(), &unsuccessful)
				assert.Equal(t, c.outcome, unsuccessful.Outcome)
				assert.Equal(t, c.detail, unsuccessful.Detail)
			})
		})
	}
}

func TestWhatEndsAWaitAtOnce(t *testing.T) {
	for status, want := range map[int]error{
		http.StatusUnauthorized: circleci.ErrUnauthorized,
		http.StatusForbidden:    circleci.ErrForbidden,
		http.StatusNotFound:     circleci.ErrNotFound,
	} {
		synctest.Test(t, func(t *testing.T) {
			srv := circlecitest.New(t)
			srv.Fail("*", circlecitest.Response{Status: status, Body: `{"message":"no"}`})
			r, err := srv.Client().Pipelines.Wait(t.Context(), id1, nil)
			assert.Nil(t, r)
			assert.ErrorIs(t, err, want)
			assert.Len(t, srv.Requests(), 1)
		})
	}
	srv := circlecitest.New(t)
	_, err := srv.Client().Pipelines.Wait(t.Context(), uuid.Nil, nil)
	assert.ErrorIs(t, err, circleci.ErrInvalidArgument)
	assert.Empty(t, srv.Requests())
}

// Just after it has been triggered a pipeline may not be found everywhere.
func TestANewPipelineMayNotBeFoundYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.AddProject(webSlug)
		srv.Fail("GET /pipeline/{pipeline-id}", circlecitest.Response{Status: http.StatusNotFound}, circlecitest.Response{Status: http.StatusNotFound})
		r, err := srv.Client().Pipelines.TriggerAndWait(t.Context(), webSlug, circleci.TriggerPipelineRequest{}, nil)
		require.NoError(t, err)
		assert.Equal(t, circleci.OutcomeSuccess, r.Outcome)
	})
}

func TestRunAndWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Script(webSlug, plain(), plain(circlecitest.Workflow("a", circlecitest.Job("x").Fails())))
		c := srv.Client()
		in := circleci.RunPipelineRequest{DefinitionID: id1}
		r, err := c.Pipelines.RunAndWait(t.Context(), webSlug, in, nil)
		assert.Nil(t, r)
		assert.ErrorIs(t, err, circleci.ErrNotTriggered)
		r, err = c.Pipelines.RunAndWait(t.Context(), webSlug, in, nil)
		require.NoError(t, err)
		assert.Equal(t, circleci.OutcomeFailed, r.Outcome)
	})
}

func TestACanceledWaitEndsAtOnceWithWhatItKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Script(webSlug, plain(circlecitest.Workflow("a", circlecitest.Job("x").Takes(time.Hour))))
		id := srv.StartPipeline(webSlug, "main")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		start := time.Now()
		r, err := srv.Client().Pipelines.Wait(ctx, id, nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 10*time.Minute, time.Since(start))
		require.NotNil(t, r)
		assert.Equal(t, circleci.WorkflowStatusRunning, r.Workflows[0].Status)
	})
}

// A caller in a job of the workflow would wait for itself.
func TestWaitingForOneselfIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		id := srv.StartPipeline(webSlug, "main")
		c := srv.Client()
		time.Sleep(10 * time.Second)
		all, err := c.Pipelines.ListWorkflows(id).Collect(t.Context())
		require.NoError(t, err)
		require.NoError(t, os.Setenv("CIRCLE_WORKFLOW_ID", strings.ToUpper(all[0].ID.String())))
		defer func() { _ = os.Unsetenv("CIRCLE_WORKFLOW_ID") }()
		_, err = c.Pipelines.Wait(t.Context(), id, nil)
		require.ErrorIs(t, err, circleci.ErrInvalidArgument)
		assert.ErrorContains(t, err, "CIRCLE_WORKFLOW_ID")
		_, err = c.Workflows.Wait(t.Context(), all[0].ID, nil)
		require.ErrorIs(t, err, circleci.ErrInvalidArgument)
		sent := len(srv.Requests())
		_, err = c.Workflows.ApproveAndWait(t.Context(), all[0].ID, id1, nil)
		require.ErrorIs(t, err, circleci.ErrInvalidArgument)
		assert.Len(t, srv.Requests(), sent, "it is refused before it approves")
		time.Sleep(time.Hour)
		_, err = c.Pipelines.Wait(t.Context(), id, nil)
		assert.NoError(t, err, "what has ended can be looked at")
	})
}

// A loop that is broken off leaves nothing behind, and asks no more.
func TestAWatchThatIsBrokenOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		id := srv.StartPipeline(webSlug, "main")
		for r, err := range srv.Client().Pipelines.Watch(t.Context(), id, nil) {
			require.NoError(t, err)
			assert.Equal(t, circleci.OutcomePending, r.Outcome)
			break
		}
		n := len(srv.Requests())
		time.Sleep(time.Hour)
		assert.Len(t, srv.Requests(), n)
	})
}
