package circleci_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"os"
	"slices"
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

// A status that nobody knows is waited on, and so is none at all.
func TestAnUnknownStatusIsWaitedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		id := srv.StartPipeline(webSlug, "main")
		list := func(status string) circlecitest.Response {
			return circlecitest.Response{Body: `{"items":[{"id":"` + id1.String() + `","name":"a","status":` + status + `}]}`}
		}
		srv.Fail("GET /pipeline/{pipeline-id}/workflow", list(`"warming-up"`), list("null"), list(`"running"`), list(`"success"`))
		r, err := srv.Client().Pipelines.Wait(t.Context(), id, nil)
		require.NoError(t, err)
		assert.Equal(t, circleci.OutcomeSuccess, r.Outcome)

		workflow := func(status string) circlecitest.Response {
			return circlecitest.Response{Body: `{"id":"` + id1.String() + `","name":"a","status":` + status + `}`}
		}
		srv.Fail("GET /workflow/{id}", workflow(`"warming-up"`), workflow("null"), workflow(`"success"`))
		srv.Fail("GET /workflow/{id}/job", circlecitest.Response{Body: `{"items":[]}`})
		w, err := srv.Client().Workflows.Wait(t.Context(), id1, nil)
		require.NoError(t, err)
		assert.Equal(t, circleci.OutcomeSuccess, w.Outcome)

		job := func(status string) circlecitest.Response {
			return circlecitest.Response{Body: `{"number":1,"name":"x","status":` + status + `}`}
		}
		srv.Fail("GET /project/{project-slug}/job/{job-number}", job(`"warming-up"`), job("null"), job(`"success"`))
		j, err := srv.Client().Jobs.Wait(t.Context(), webSlug, 1, nil)
		require.NoError(t, err)
		assert.Equal(t, circleci.OutcomeSuccess, j.Outcome)
	})
}

// look is what a poll finds: the pipeline's state, its errors, and its
// workflows. It is found so often; 0: once.
type look struct {
	state, errors string
	workflows     []string
	times         int
}

// found is a workflow of a look; the later in its list the newer.
func found(name, status, more string) string {
	return fmt.Sprintf(`{"id":"%s","name":"%s","status":"%s"%s}`, uuid.NewSHA1(uuid.NameSpaceOID, []byte(name+more)), name, status, more)
}

// looks is a network in which each poll finds the next look, and each after the
// last finds that.
func looks(all []look) *fakeWire {
	var queue []look
	for _, l := range all {
		queue = append(queue, slices.Repeat([]look{l}, max(l.times, 1))...)
	}
	return &fakeWire{answer: func(req *http.Request, _ int) reply {
		switch l := queue[0]; {
		case strings.HasSuffix(req.URL.Path, "/job"):
			return answers(http.StatusOK, `{"items":[]}`)
		case strings.HasSuffix(req.URL.Path, "/workflow"):
			if len(queue) > 1 {
				queue = queue[1:]
			}
			return answers(http.StatusOK, `{"items":[`+strings.Join(l.workflows, ",")+`]}`)
		default:
			return answers(http.StatusOK, `{"id":"`+id1.String()+`","number":1,"state":"`+l.state+`","errors":[`+l.errors+`]}`)
		}
	}}
}

// What a wait makes of what it finds, poll by poll, ten seconds apart; a minute
// of them is the grace period.
func TestAWaitPollByPoll(t *testing.T) {
	const rerun = `,"auto_rerun_number":1,"max_auto_reruns":1,"created_at":"2026-03-01T08:01:00Z"`
	const due = `,"auto_rerun_number":0,"max_auto_reruns":1,"created_at":"2026-03-01T08:00:00Z"`
	const setup = `,"tag":"setup"`
	for name, c := range map[string]struct {
		looks    []look
		outcome  circleci.Outcome
		detail   string
		from, to time.Duration // how long it takes
	}{
		"workflows that appear late": {
			[]look{{state: "pending"}, {state: "created", times: 4}, {state: "created", workflows: []string{found("a", "success", "")}}},
			circleci.OutcomeSuccess, "", 40 * time.Second, time.Minute,
		},
		"workflows that never appear": {
			[]look{{state: "created"}}, circleci.OutcomeNoWorkflows, "", time.Minute, 75 * time.Second,
		},
		"a state of the pipeline that nobody knows": {
			[]look{{state: "warming-up", times: 60}, {state: "created", workflows: []string{found("a", "success", "")}}},
			circleci.OutcomeSuccess, "", 9 * time.Minute, 11 * time.Minute,
		},
		"a configuration that takes long": {
			[]look{{state: "setup", workflows: []string{found("main", "success", setup)}},
				{state: "pending", workflows: []string{found("main", "success", setup)}, times: 60},
				{state: "created", workflows: []string{found("main", "success", setup), found("main", "failed", "")}}},
			circleci.OutcomeFailed, "workflow main failed", 9 * time.Minute, 11 * time.Minute,
		},
		"a setup workflow that continues nothing": {
			[]look{{state: "setup", workflows: []string{found("main", "success", setup)}}},
			circleci.OutcomeNotContinued, "", time.Minute, 75 * time.Second,
		},
		"a setup configuration without a matching workflow": {
			[]look{{state: "setup"}}, circleci.OutcomeNoWorkflows, "", time.Minute, 75 * time.Second,
		},
		"a continuation that has run, though the state is as before": {
			[]look{{state: "setup", workflows: []string{found("main", "success", setup), found("build", "failed", "")}}},
			circleci.OutcomeFailed, "workflow build failed", time.Minute, 75 * time.Second,
		},
		"a continuation just before the grace period is over": {
			[]look{{state: "setup", workflows: []string{found("main", "success", setup)}, times: 5},
				{state: "created", workflows: []string{found("main", "success", setup)}, times: 5},
				{state: "created", workflows: []string{found("main", "success", setup), found("build", "success", "")}}},
			circleci.OutcomeSuccess, "", 80 * time.Second, 2 * time.Minute,
		},
		"a continuation that appears late, with the name of the setup": {
			[]look{{state: "created", workflows: []string{found("main", "success", setup)}, times: 4},
				{state: "created", workflows: []string{found("main", "failed", ""), found("main", "success", setup)}}},
			circleci.OutcomeFailed, "workflow main failed", 30 * time.Second, time.Minute,
		},
		"a continuation with errors, though the state is as ever": {
			[]look{{state: "created", errors: `{"type":"config","message":"no jobs"}`, workflows: []string{found("main", "success", setup)}}},
			circleci.OutcomeErrored, "no jobs", 0, 0,
		},
		"a state of error without errors": {
			[]look{{state: "errored", workflows: []string{found("main", "success", setup)}}}, circleci.OutcomeErrored, "", 0, 0,
		},
		"an automatic rerun that comes late": {
			[]look{{state: "created", workflows: []string{found("a", "failed", due)}, times: 4},
				{state: "created", workflows: []string{found("a", "failed", due), found("a", "running", rerun)}, times: 4},
				{state: "created", workflows: []string{found("a", "success", rerun), found("a", "failed", due)}}},
			circleci.OutcomeSuccess, "", time.Minute, 2 * time.Minute,
		},
		"an automatic rerun that never comes": {
			[]look{{state: "created", workflows: []string{found("a", "failed", due)}}},
			circleci.OutcomeFailed, "workflow a failed", time.Minute, 75 * time.Second,
		},
		"an automatic rerun after workflows that appeared late": {
			[]look{{state: "created", times: 4}, {state: "created", workflows: []string{found("a", "running", due)}},
				{state: "created", workflows: []string{found("a", "failed", due)}, times: 4},
				{state: "created", workflows: []string{found("a", "success", rerun), found("a", "failed", due)}}},
			circleci.OutcomeSuccess, "", 70 * time.Second, 2 * time.Minute,
		},
		"a workflow that may not run": {
			[]look{{state: "created", workflows: []string{found("a", "success", ""), found("b", "unauthorized", "")}}},
			circleci.OutcomeFailed, "workflow b unauthorized", 0, 0,
		},
		"a workflow that was not run beside one that was": {
			[]look{{state: "created", workflows: []string{found("a", "success", ""), found("b", "not_run", "")}}},
			circleci.OutcomeSuccess, "", 0, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				every := &circleci.WaitOptions{MinInterval: 10 * time.Second, MaxInterval: 10 * time.Second}
				r, err := looks(c.looks).client(t).Pipelines.Wait(t.Context(), id1, every)
				require.NoError(t, err)
				assert.Equal(t, c.outcome, r.Outcome)
				if c.outcome != circleci.OutcomeSuccess {
					unsuccessful := requireError[*circleci.UnsuccessfulError](t, r.Err())
					assert.Equal(t, c.detail, unsuccessful.Detail)
				}
				assert.GreaterOrEqual(t, time.Since(start), c.from, "it ended too soon")
				assert.LessOrEqual(t, time.Since(start), c.to, "it ended too late")
			})
		})
	}
}

func TestAFailedPollIsSurvived(t *testing.T) {
	once := circleci.WithRetry(circleci.RetryPolicy{MaxAttempts: 1})
	broken := circlecitest.Response{Broken: true}
	down := circlecitest.Response{Status: http.StatusBadGateway}
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Script(webSlug, plain(circlecitest.Workflow("a", circlecitest.Job("x").Takes(time.Hour))))
		id := srv.StartPipeline(webSlug, "main")
		fine := circlecitest.Response{Executed: true}
		srv.Fail("GET /pipeline/{pipeline-id}", broken, down, broken, down, broken, down, broken, down, broken, fine, down, down)
		var failed int
		var log []string
		r, err := srv.Client(once).Pipelines.Wait(t.Context(), id, &circleci.WaitOptions{OnProgress: func(p circleci.Progress) {
			if p.Err != nil {
				failed++
				assert.Positive(t, p.Next, "it goes on")
			}
			if p.Changed {
				log = append(log, p.Text)
			}
		}})
		require.NoError(t, err)
		assert.Equal(t, circleci.OutcomeSuccess, r.Outcome)
		assert.Equal(t, 9+2, failed, "only those in a row count")
		require.NotEmpty(t, log)
		assert.Contains(t, log[0], "a poll failed: circleci: GET /pipeline/{pipeline-id}", "a log tells of the first")
		assert.NotContains(t, log[1], "failed", "and not of the others")
	})
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		id := srv.StartPipeline(webSlug, "main")
		c := srv.Client(once)
		var seen []*circleci.PipelineResult
		var last error
		for r, err := range c.Pipelines.Watch(t.Context(), id, nil) {
			if err != nil {
				last = err
				break
			}
			seen = append(seen, r)
			if len(seen) == 1 {
				for range 10 {
					srv.Fail("GET /pipeline/{pipeline-id}", down)
				}
			}
		}
		assert.Len(t, seen, 1, "what was known before is handed over")
		require.ErrorIs(t, last, circleci.ErrServer)
		assert.ErrorContains(t, last, "10 polls in a row failed")
	})
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

// Five seconds that grow to thirty, with jitter, and five again after news.
func TestThePaceOfPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Script(webSlug, plain(circlecitest.Workflow("a", circlecitest.Job("x").Takes(time.Hour))))
		id := srv.StartPipeline(webSlug, "main")
		var groups [][]time.Duration // of pauses, from one change to the next
		_, err := srv.Client().Pipelines.Wait(t.Context(), id, &circleci.WaitOptions{OnProgress: func(p circleci.Progress) {
			if p.Changed {
				groups = append(groups, nil)
			}
			groups[len(groups)-1] = append(groups[len(groups)-1], p.Next)
		}})
		require.NoError(t, err)
		long := groups[len(groups)-2] // while the job ran
		for i, pause := range long {
			base := min(5*math.Pow(1.5, float64(i)), 30)
			require.InDelta(t, base, pause.Seconds(), 0.21*base, "pause %d", i)
		}
		assert.Greater(t, len(long), 100)
		assert.Less(t, len(long), 140, "an hour is about 120 polls")
		for _, group := range groups[:len(groups)-1] {
			assert.Less(t, group[0], 6500*time.Millisecond, "after news it is quick again")
		}
		assert.Equal(t, []time.Duration{0}, groups[len(groups)-1], "the end has no next")
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

func TestWaitForAWorkflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Script(webSlug, plain(circlecitest.Workflow("a", circlecitest.Job("x").Fails(), circlecitest.Approval("hold"))))
		id := srv.StartPipeline(webSlug, "main")
		c := srv.Client()
		time.Sleep(5 * time.Second)
		all, err := c.Pipelines.ListWorkflows(id).Collect(t.Context())
		require.NoError(t, err)
		r, err := c.Workflows.Wait(t.Context(), all[0].ID, &circleci.WaitOptions{StopOnHold: true})
		require.NoError(t, err)
		assert.Equal(t, circleci.OutcomeOnHold, r.Outcome)
		require.Len(t, r.Jobs, 2)

		require.NoError(t, c.Workflows.Approve(t.Context(), all[0].ID, r.Jobs[1].ApprovalRequestID))
		var lines []string
		for r, err := range c.Workflows.Watch(t.Context(), all[0].ID, &circleci.WaitOptions{WithJobs: true}) {
			require.NoError(t, err)
			lines = append(lines, r.String())
			if r.Outcome != circleci.OutcomePending {
				assert.Equal(t, circleci.OutcomeFailed, r.Outcome)
				assert.Equal(t, "x", r.FailedJobs[0].Name)
				assert.ErrorContains(t, r.Err(), "job x failed")
			}
		}
		assert.Equal(t, []string{"a failed (2 of 2 jobs)"}, lines)
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

// startedWorkflow starts a pipeline and returns the ID of its first workflow.
func startedWorkflow(t *testing.T, srv *circlecitest.Server, script circlecitest.Script) uuid.UUID {
	t.Helper()
	srv.Script(webSlug, script)
	id := srv.StartPipeline(webSlug, "main")
	time.Sleep(5 * time.Second)
	all, err := srv.Client().Pipelines.ListWorkflows(id).Collect(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all[0].ID
}

func TestRerunAndWait(t *testing.T) {
	script := plain(circlecitest.Workflow("a", circlecitest.Job("x").FailsOnce(), circlecitest.Job("y")))
	for name, choose := range map[string]func(jobs []circleci.WorkflowJob) circleci.RerunWorkflowRequest{
		"from failed": func([]circleci.WorkflowJob) circleci.RerunWorkflowRequest {
			return circleci.RerunWorkflowRequest{FromFailed: true}
		},
		"chosen jobs": func(jobs []circleci.WorkflowJob) circleci.RerunWorkflowRequest {
			return circleci.RerunWorkflowRequest{Jobs: []uuid.UUID{jobs[0].ID}}
		},
		"with SSH": func(jobs []circleci.WorkflowJob) circleci.RerunWorkflowRequest {
			return circleci.RerunWorkflowRequest{Jobs: []uuid.UUID{jobs[0].ID}, EnableSSH: true}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := circlecitest.New(t)
				id := startedWorkflow(t, srv, script)
				c := srv.Client()
				_, err := c.Workflows.RerunAndWait(t.Context(), id, circleci.RerunWorkflowRequest{}, nil)
				require.ErrorContains(t, err, "terminal state", "what runs cannot be rerun")
				r, err := c.Workflows.Wait(t.Context(), id, nil)
				require.NoError(t, err)
				require.Equal(t, circleci.OutcomeFailed, r.Outcome)
				srv.Fail("GET /workflow/{id}", circlecitest.Response{Status: http.StatusNotFound}) // it is not everywhere yet
				r, err = c.Workflows.RerunAndWait(t.Context(), id, choose(r.Jobs), nil)
				require.NoError(t, err)
				assert.Equal(t, circleci.OutcomeSuccess, r.Outcome)
				assert.NotEqual(t, id, r.Workflow.ID)
			})
		})
	}
}

func TestApproveAndWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		id := startedWorkflow(t, srv, plain(circlecitest.Workflow("a",
			circlecitest.Approval("first"), circlecitest.Approval("second").Requires("first"))))
		c := srv.Client()
		stop := &circleci.WaitOptions{StopOnHold: true}
		r, err := c.Workflows.Wait(t.Context(), id, stop)
		require.NoError(t, err)
		first := r.Jobs[0].ApprovalRequestID
		// The API has not taken note yet when it is asked for the first time.
		srv.Fail("GET /workflow/{id}/job", circlecitest.Response{Body: `{"items":[{"name":"first","status":"on_hold","approval_request_id":"` +
			first.String() + `"}]}`})
		r, err = c.Workflows.ApproveAndWait(t.Context(), id, first, stop)
		require.NoError(t, err)
		require.Equal(t, circleci.OutcomeOnHold, r.Outcome)
		assert.Equal(t, circleci.JobStatusSuccess, r.Jobs[0].Status)
		assert.Equal(t, circleci.JobStatusOnHold, r.Jobs[1].Status)
		r, err = c.Workflows.ApproveAndWait(t.Context(), id, r.Jobs[1].ApprovalRequestID, stop)
		require.NoError(t, err)
		assert.Equal(t, circleci.OutcomeSuccess, r.Outcome)
		_, err = c.Workflows.ApproveAndWait(t.Context(), id, id1, stop)
		assert.ErrorIs(t, err, circleci.ErrNotFound)
	})
}

func TestWaitForAJob(t *testing.T) {
	for status, want := range map[circleci.JobStatus]circleci.Outcome{
		circleci.JobStatusSuccess: circleci.OutcomeSuccess, circleci.JobStatusFailed: circleci.OutcomeFailed,
		circleci.JobStatusTimedOut: circleci.OutcomeFailed, circleci.JobStatusCanceled: circleci.OutcomeCanceled,
		circleci.JobStatusNotRun: circleci.OutcomeNotRun,
	} {
		synctest.Test(t, func(t *testing.T) {
			srv := circlecitest.New(t)
			startedWorkflow(t, srv, plain(circlecitest.Workflow("a", circlecitest.Job("x").Ends(status))))
			c := srv.Client()
			_, err := c.Jobs.Wait(t.Context(), webSlug, 99, nil)
			require.ErrorIs(t, err, circleci.ErrNotFound)
			var lines []string
			r, err := c.Jobs.Wait(t.Context(), webSlug, 1, &circleci.WaitOptions{OnProgress: func(p circleci.Progress) {
				if p.Changed {
					lines = append(lines, p.Text)
				}
			}})
			require.NoError(t, err)
			assert.Equal(t, want, r.Outcome)
			assert.Equal(t, []string{"x running", "x " + string(status)}, lines)
			assert.Equal(t, want == circleci.OutcomeSuccess, r.Err() == nil)
		})
	}
}
