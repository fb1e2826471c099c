package circleci_test

import (
	"context"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func TestWaitForJob(t *testing.T) {
	script := plain(circlecitest.Workflow("deploy", circlecitest.Job("test").Takes(10*time.Minute), circlecitest.Job("bad").Fails(),
		circlecitest.Approval("hold").Requires("test"), circlecitest.Job("never").Requires("bad"),
		circlecitest.Job("ship").Requires("hold").Takes(time.Hour)))
	for name, c := range map[string]struct {
		job    string
		status circleci.JobStatus
		after  time.Duration // about
		cancel bool
	}{
		"an approval is on hold":              {"hold", circleci.JobStatusOnHold, 10 * time.Minute, false},
		"a job succeeds":                      {"test", circleci.JobStatusSuccess, 10 * time.Minute, false},
		"a job fails":                         {"bad", circleci.JobStatusFailed, 30 * time.Second, false},
		"the workflow ends before a job runs": {"ship", circleci.JobStatusCanceled, 20 * time.Minute, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := circlecitest.New(t)
				id := startedWorkflow(t, srv, script)
				client := srv.Client()
				if c.cancel {
					time.AfterFunc(20*time.Minute, func() { assert.NoError(t, client.Workflows.Cancel(context.Background(), id)) })
				}
				start := time.Now()
				j, err := client.Workflows.WaitForJob(t.Context(), id, c.job, nil)
				require.NoError(t, err)
				assert.Equal(t, c.job, j.Name)
				assert.Equal(t, c.status, j.Status)
				assert.InDelta(t, c.after.Minutes(), time.Since(start).Minutes(), 1)
				if c.status == circleci.JobStatusOnHold {
					require.NoError(t, client.Workflows.Approve(t.Context(), id, j.ApprovalRequestID))
				}
			})
		})
	}
}

func TestWaitForAJobThatDoesNotExist(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		id := startedWorkflow(t, srv, plain(circlecitest.Workflow("deploy", circlecitest.Job("test"), circlecitest.Job("ship"))))
		c := srv.Client()
		j, err := c.Workflows.WaitForJob(t.Context(), id, "hold", nil)
		assert.Nil(t, j)
		require.ErrorIs(t, err, circleci.ErrNotFound)
		assert.EqualError(t, err, `circleci: workflow deploy has ended without a job "hold"; its jobs: test; ship: not found`)
		_, err = c.Workflows.WaitForJob(t.Context(), id1, "hold", nil)
		require.ErrorIs(t, err, circleci.ErrNotFound)
		_, err = c.Workflows.WaitForJob(t.Context(), id, "", nil)
		require.ErrorIs(t, err, circleci.ErrInvalidArgument)

		require.NoError(t, os.Setenv("CIRCLE_WORKFLOW_ID", id.String()))
		require.NoError(t, os.Setenv("CIRCLE_JOB", "ship"))
		defer func() { _, _ = os.Unsetenv("CIRCLE_WORKFLOW_ID"), os.Unsetenv("CIRCLE_JOB") }()
		_, err = c.Workflows.WaitForJob(t.Context(), id, "ship", nil)
		require.ErrorIs(t, err, circleci.ErrInvalidArgument)
		_, err = c.Workflows.WaitForJob(t.Context(), id, "test", nil)
		require.NoError(t, err, "another job of the own workflow can be waited for")
	})
}

// A job that is blocked for good when its workflow has ended is returned so.
func TestWaitForAJobThatNeverRan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		id := startedWorkflow(t, srv, plain(circlecitest.Workflow("a", circlecitest.Job("bad").Fails(), circlecitest.Job("never").Requires("bad"))))
		j, err := srv.Client().Workflows.WaitForJob(t.Context(), id, "never", nil)
		require.NoError(t, err)
		assert.False(t, j.Status.Failed())
		assert.Zero(t, j.Number)
	})
}

// While everything is on hold, nothing else appears, except what a setup
// workflow continues with.
func TestWaitForANameThatDoesNotExistWhileOnHold(t *testing.T) {
	release := circlecitest.Workflow("release", circlecitest.Job("test"), circlecitest.Approval("hold").Requires("test"))
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		id := startedWorkflow(t, srv, plain(release))
		_, err := srv.Client().Workflows.WaitForJob(t.Context(), id, "hodl", nil)
		require.ErrorIs(t, err, circleci.ErrNotFound)
		assert.EqualError(t, err, `circleci: workflow release is on hold without a job "hodl"; its jobs: test; hold: not found`)

		pipeline := srv.StartPipeline(webSlug, "main")
		_, err = srv.Client().Pipelines.WaitForWorkflow(t.Context(), pipeline, "relaese", nil)
		require.ErrorIs(t, err, circleci.ErrNotFound)
		assert.EqualError(t, err, `circleci: pipeline 2 is on hold without a workflow "relaese"; its workflows: release: not found`)
	})
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Script(webSlug, circlecitest.Script{
			Setup:     circlecitest.Workflow("setup", circlecitest.Approval("first").ApprovedAfter(time.Hour)),
			Workflows: []*circlecitest.WorkflowScript{release},
		})
		r, err := srv.Client().Pipelines.WaitForWorkflow(t.Context(), srv.StartPipeline(webSlug, "main"), "release", nil)
		require.NoError(t, err)
		assert.Equal(t, circleci.OutcomeOnHold, r.Outcome)
	})
	synctest.Test(t, func(t *testing.T) { // what the API lists late
		held := found("a", "on_hold", "")
		r, err := looks([]look{
			{state: "created", workflows: []string{held}, times: 3},
			{state: "created", workflows: []string{held, found("b", "success", "")}},
		}).client(t).Pipelines.WaitForWorkflow(t.Context(), id1, "b", nil)
		require.NoError(t, err)
		assert.Equal(t, circleci.OutcomeSuccess, r.Outcome)

		start := time.Now()
		j, err := (&fakeWire{answer: func(req *http.Request, _ int) reply {
			switch {
			case req.URL.Path == "/api/v2/workflow/"+id1.String():
				return answers(http.StatusOK, held)
			case time.Since(start) < 30*time.Second:
				return answers(http.StatusOK, `{"items":[]}`)
			}
			return answers(http.StatusOK, `{"items":[{"name":"late","status":"on_hold"}]}`)
		}}).client(t).Workflows.WaitForJob(t.Context(), id1, "late", nil)
		require.NoError(t, err)
		assert.Equal(t, circleci.JobStatusOnHold, j.Status)
	})
}

func TestWaitForWorkflow(t *testing.T) {
	setup := circlecitest.Script{
		Setup: circlecitest.Workflow("setup", circlecitest.Job("generate").Takes(5*time.Minute)),
		Workflows: []*circlecitest.WorkflowScript{
			circlecitest.Workflow("build", circlecitest.Job("x").Takes(5*time.Minute)),
			circlecitest.Workflow("deploy", circlecitest.Approval("hold")),
			circlecitest.Workflow("flaky", circlecitest.Job("f").FailsOnce()).RerunsAutomatically(1),
			circlecitest.Workflow("bad", circlecitest.Job("b").Fails()),
		},
	}
	for name, outcome := range map[string]circleci.Outcome{
		"setup": circleci.OutcomeSuccess, "build": circleci.OutcomeSuccess, "deploy": circleci.OutcomeOnHold,
		"flaky": circleci.OutcomeSuccess, "bad": circleci.OutcomeFailed,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := circlecitest.New(t)
				srv.Script(webSlug, setup)
				id := srv.StartPipeline(webSlug, "main")
				start := time.Now()
				r, err := srv.Client().Pipelines.WaitForWorkflow(t.Context(), id, name, nil)
				require.NoError(t, err)
				assert.Equal(t, name, r.Workflow.Name)
				assert.Equal(t, outcome, r.Outcome)
				assert.Len(t, r.Jobs, 1)
				assert.Less(t, time.Since(start), 12*time.Minute, "other workflows do not matter")
				if outcome == circleci.OutcomeFailed {
					assert.EqualError(t, r.Err(), "circleci: failed: job b failed")
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Script(webSlug, plain(circlecitest.Workflow("build", circlecitest.Job("x"))), circlecitest.Script{Errors: []circleci.PipelineError{{Message: "bad\nconfig"}}})
		c := srv.Client()
		for _, want := range []string{
			`circleci: pipeline 1 has ended (success) without a workflow "deploy"; its workflows: build: not found`,
			`circleci: pipeline 2 has ended (errored) without a workflow "deploy": bad config; its workflows: none: not found`,
		} {
			r, err := c.Pipelines.WaitForWorkflow(t.Context(), srv.StartPipeline(webSlug, "main"), "deploy", nil)
			assert.Nil(t, r)
			require.ErrorIs(t, err, circleci.ErrNotFound)
			assert.EqualError(t, err, want)
		}
		_, err := c.Pipelines.WaitForWorkflow(t.Context(), id1, "", nil)
		require.ErrorIs(t, err, circleci.ErrInvalidArgument)
		start := time.Now()
		_, err = c.Pipelines.WaitForWorkflow(t.Context(), srv.StartPipeline(webSlug, "main"), "deploy", nil, circleci.Timeout(time.Second))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, "waiting for workflow deploy of pipeline ")
		assert.ErrorContains(t, err, "(last seen: deploy has not appeared)")
		assert.Equal(t, time.Second, time.Since(start))
	})
}

// A continuation counts before a setup workflow of the same name, in whatever
// order the API lists them.
func TestWaitForAWorkflowWithTheNameOfTheSetup(t *testing.T) {
	const setup = `,"tag":"setup"`
	for _, workflows := range [][]string{
		{found("main", "failed", ""), found("main", "success", setup)},
		{found("main", "success", setup), found("main", "failed", "")},
	} {
		synctest.Test(t, func(t *testing.T) {
			r, err := looks([]look{{state: "created", workflows: workflows}}).client(t).Pipelines.WaitForWorkflow(t.Context(), id1, "main", nil)
			require.NoError(t, err)
			assert.Equal(t, circleci.OutcomeFailed, r.Outcome)
		})
	}
}

func TestWaitForOthers(t *testing.T) {
	for name, c := range map[string]struct {
		jobs    []*circlecitest.JobScript
		options *circleci.WaitOptions
		outcome circleci.Outcome
		others  int
		after   time.Duration
	}{
		"all succeed": {
			[]*circlecitest.JobScript{circlecitest.Job("x").Takes(10 * time.Minute), circlecitest.Job("y").Requires("x").Takes(10 * time.Minute)},
			nil, circleci.OutcomeSuccess, 2, 20 * time.Minute,
		},
		"one fails, and another never starts": {
			[]*circlecitest.JobScript{
				circlecitest.Job("x").Takes(10 * time.Minute).Fails(), circlecitest.Job("y").Requires("x"), circlecitest.Job("z").Requires("y"),
			},
			nil, circleci.OutcomeFailed, 3, 10 * time.Minute,
		},
		"one that waits for this job is left out": {
			[]*circlecitest.JobScript{circlecitest.Job("x").Requires("notify"), circlecitest.Job("y").Requires("x"), circlecitest.Job("z").Takes(5 * time.Minute)},
			nil, circleci.OutcomeSuccess, 1, 5 * time.Minute,
		},
		"one is on hold": {
			[]*circlecitest.JobScript{
				circlecitest.Approval("hold"), circlecitest.Job("ship").Requires("hold"), circlecitest.Job("x").Takes(5 * time.Minute),
			},
			&circleci.WaitOptions{StopOnHold: true}, circleci.OutcomeOnHold, 3, 5 * time.Minute,
		},
		"an approval comes late": {
			[]*circlecitest.JobScript{circlecitest.Approval("hold").ApprovedAfter(20 * time.Minute), circlecitest.Job("ship").Requires("hold")},
			nil, circleci.OutcomeSuccess, 2, 20*time.Minute + 30*time.Second,
		},
		"there is no other": {nil, nil, circleci.OutcomeSuccess, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := circlecitest.New(t)
				id := startedWorkflow(t, srv, plain(circlecitest.Workflow("a", append(c.jobs, circlecitest.Job("notify").Takes(time.Hour))...)))
				client := srv.Client()
				jobs, err := client.Workflows.ListJobs(id).Collect(t.Context())
				require.NoError(t, err)
				own := jobs[len(jobs)-1]
				require.NotZero(t, own.Number)
				t.Setenv("CIRCLE_WORKFLOW_ID", id.String()) // it is not refused
				start := time.Now()
				r, err := client.Workflows.WaitForOthers(t.Context(), id, own.Number, c.options)
				require.NoError(t, err)
				assert.Equal(t, c.outcome, r.Outcome)
				assert.Len(t, r.Jobs, c.others)
				assert.InDelta(t, c.after.Minutes(), time.Since(start).Minutes(), 1)
				assert.Equal(t, c.outcome == circleci.OutcomeFailed, len(r.FailedJobs) == 1)
			})
		})
	}
}

// What a job requires can be a failure.
func TestOthersThatRequireAFailure(t *testing.T) {
	other := uuid.MustParse("33333333-3333-4333-8333-333333333333")
	for requires, outcome := range map[string]circleci.Outcome{
		`["failed"]`:             circleci.OutcomePending, // it will start
		`["canceled"]`:           circleci.OutcomeFailed,
		`["success","terminal"]`: circleci.OutcomePending,
		`["success"]`:            circleci.OutcomeFailed,
		`[]`:                     circleci.OutcomeFailed,
	} {
		synctest.Test(t, func(t *testing.T) {
			net := &fakeWire{answer: func(req *http.Request, _ int) reply {
				if req.URL.Path == "/api/v2/workflow/"+id1.String() {
					return answers(http.StatusOK, found("a", "running", ""))
				}
				return answers(http.StatusOK, `{"items":[{"id":"`+id1.String()+`","name":"me","job_number":7,"status":"running"},
					{"id":"`+id2.String()+`","name":"x","status":"timedout"},
					{"id":"`+other.String()+`","name":"y","status":"blocked","dependencies":["`+id2.String()+`"],"requires":{"`+id2.String()+`":`+requires+`}}]}`)
			}}
			r, err := net.client(t).Workflows.WaitForOthers(t.Context(), id1, 7, nil, circleci.Timeout(time.Minute))
			assert.Equal(t, outcome == circleci.OutcomePending, err != nil, requires)
			require.NotNil(t, r)
			assert.Equal(t, outcome, r.Outcome, requires)
		})
	}
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		id := startedWorkflow(t, srv, plain(circlecitest.Workflow("a", circlecitest.Job("x"))))
		_, err := srv.Client().Workflows.WaitForOthers(t.Context(), id, 99, nil)
		require.ErrorIs(t, err, circleci.ErrNotFound)
		_, err = srv.Client().Workflows.WaitForOthers(t.Context(), id, 0, nil)
		require.ErrorIs(t, err, circleci.ErrInvalidArgument)
		_, err = srv.Client().Workflows.WaitForOthers(t.Context(), id1, 1, nil)
		require.ErrorIs(t, err, circleci.ErrNotFound)
	})
}
