package circleci_test

import (
	"context"
	"fmt"
	"net/http"
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

const (
	jobsOp     = "GET /workflow/{id}/job"
	workflowOp = "GET /pipeline/{pipeline-id}/workflow"
)

// times repeats a response.
func times(n int, r circlecitest.Response) []circlecitest.Response {
	out := make([]circlecitest.Response, n)
	for i := range out {
		out[i] = r
	}
	return out
}

// The jobs are detail: a wait returns the outcome without them.
func TestAKnownOutcomeIsNotLostForItsJobs(t *testing.T) {
	for name, status := range map[string]int{"gone": http.StatusNotFound, "broken": http.StatusBadGateway, "removed": http.StatusGone} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := circlecitest.New(t)
				srv.Script(webSlug, plain(circlecitest.Workflow("a", circlecitest.Job("x").Fails())))
				id := srv.StartPipeline(webSlug, "main")
				srv.Fail(jobsOp, times(1000, circlecitest.Response{Status: status})...)
				c := srv.Client(circleci.WithRetry(circleci.RetryPolicy{MaxAttempts: 1}))
				r, err := c.Pipelines.Wait(t.Context(), id, nil)
				require.NoError(t, err)
				assert.Equal(t, circleci.OutcomeFailed, r.Outcome)
				assert.EqualError(t, r.Err(), "circleci: failed: workflow a failed")
				assert.ErrorContains(t, r.JobsErr, "jobs of workflow a")
				w, err := c.Workflows.Wait(t.Context(), r.Workflows[0].ID, nil)
				require.NoError(t, err)
				assert.Equal(t, circleci.OutcomeFailed, w.Outcome)
				assert.Error(t, w.JobsErr)
			})
		})
	}
}

func TestAWorkflowWithoutAnIDCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for status, want := range map[string]circleci.Outcome{"failed": circleci.OutcomeFailed, "success": circleci.OutcomeSuccess} {
			net := looks([]look{{state: "created", workflows: []string{`{"id":null,"name":"old","status":"` + status + `"}`, found("a", "success", "")}}})
			r, err := net.client(t).Pipelines.Wait(t.Context(), id1, &circleci.WaitOptions{WithJobs: true})
			require.NoError(t, err)
			assert.Equal(t, want, r.Outcome)
			assert.ErrorContains(t, r.JobsErr, "without an ID")
			assert.Len(t, r.Jobs, 1)
		}
	})
}

// A rerun of chosen jobs says nothing about the job that was not chosen.
func TestASparseRerunForgetsNoFailedJob(t *testing.T) {
	two := plain(circlecitest.Workflow("a", circlecitest.Job("x").FailsOnce(), circlecitest.Job("y").FailsOnce(), circlecitest.Job("z")))
	for name, c := range map[string]struct {
		rerun   [][]string // the jobs that are chosen, one rerun after the other
		outcome circleci.Outcome
		failed  []string
	}{
		"one of two":          {[][]string{{"x"}}, circleci.OutcomeFailed, []string{"y"}},
		"both":                {[][]string{{"x", "y"}}, circleci.OutcomeSuccess, nil},
		"one after the other": {[][]string{{"x"}, {"y"}}, circleci.OutcomeSuccess, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := circlecitest.New(t)
				srv.Script(webSlug, two)
				id := srv.StartPipeline(webSlug, "main")
				client := srv.Client()
				r, err := client.Pipelines.Wait(t.Context(), id, nil)
				require.NoError(t, err)
				first := r.Workflows[0].ID
				jobs, err := client.Workflows.ListJobs(first).Collect(t.Context())
				require.NoError(t, err)
				for _, names := range c.rerun {
					time.Sleep(time.Minute)
					var chosen []uuid.UUID
					for _, j := range jobs {
						if strings.Contains(strings.Join(names, " "), j.Name) {
							chosen = append(chosen, j.ID)
						}
					}
					in := circleci.RerunWorkflowRequest{Jobs: chosen, SparseTree: true}
					w, err := client.Workflows.RerunAndWait(t.Context(), first, in, nil)
					require.NoError(t, err)
					assert.Equal(t, circleci.OutcomeSuccess, w.Outcome, "of the new workflow alone")
				}
				r, err = client.Pipelines.Wait(t.Context(), id, nil)
				require.NoError(t, err)
				assert.Equal(t, c.outcome, r.Outcome)
				var failed []string
				for _, j := range r.FailedJobs {
					failed = append(failed, j.Name)
				}
				assert.Equal(t, c.failed, failed)
				checked, err := client.Pipelines.Check(t.Context(), id)
				require.NoError(t, err)
				assert.Equal(t, r, checked)

				srv.Fail(jobsOp, times(10, circlecitest.Response{Status: http.StatusNotFound})...)
				r, err = client.Pipelines.Wait(t.Context(), id, nil)
				require.NoError(t, err)
				assert.Equal(t, circleci.OutcomeSuccess, r.Outcome, "without the jobs the newest run decides")
				assert.Error(t, r.JobsErr, "and the result says so")

				srv.ClearWeather()
				srv.Fail(jobsOp, times(1000, circlecitest.Response{Status: http.StatusBadGateway})...)
				_, err = client.Pipelines.Wait(t.Context(), id, nil, circleci.NoRetry(), circleci.Timeout(time.Minute))
				assert.Error(t, err, "whether a job failed is not known")
			})
		})
	}
}

// A failed job that a rerun left out counts even if the rerun was canceled.
func TestACanceledRerunForgetsNoFailedJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Script(webSlug, plain(circlecitest.Workflow("a", circlecitest.Job("x").Fails().Takes(time.Minute), circlecitest.Job("y").Fails())))
		client, id := srv.Client(), srv.StartPipeline(webSlug, "main")
		r, err := client.Pipelines.Wait(t.Context(), id, nil)
		require.NoError(t, err)
		var x uuid.UUID
		for _, j := range r.FailedJobs {
			if j.Name == "x" {
				x = j.ID
			}
		}
		rerun, err := client.Workflows.Rerun(t.Context(), r.Workflows[0].ID, circleci.RerunWorkflowRequest{Jobs: []uuid.UUID{x}, SparseTree: true})
		require.NoError(t, err)
		require.NoError(t, client.Workflows.Cancel(t.Context(), rerun.ID))
		r, err = client.Pipelines.Wait(t.Context(), id, nil)
		require.NoError(t, err)
		assert.Equal(t, circleci.OutcomeFailed, r.Outcome)
		require.Len(t, r.FailedJobs, 1)
		assert.Equal(t, "y", r.FailedJobs[0].Name)
	})
}

func TestOptionsOfAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Script(webSlug, plain(circlecitest.Workflow("a", circlecitest.Job("x").Takes(time.Hour))))
		c := srv.Client()
		in := circleci.TriggerPipelineRequest{}
		start := time.Now()
		r, err := c.Pipelines.TriggerAndWait(t.Context(), webSlug, in, nil, circleci.Timeout(time.Minute))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Minute, time.Since(start), "the timeout limits the wait as a whole")
		require.NotNil(t, r)
		assert.Equal(t, "circleci: waiting for pipeline "+r.Pipeline.ID.String()+" (last seen: pipeline 1: a running): context deadline exceeded", err.Error())
		id := r.Workflows[0].ID
		for name, wait := range map[string]func(o circleci.RequestOption) error{
			"workflow " + id.String(): func(o circleci.RequestOption) error {
				_, err := c.Workflows.Wait(t.Context(), id, nil, o)
				return err
			},
			"job 1 of gh/acme/web": func(o circleci.RequestOption) error {
				_, err := c.Jobs.Wait(t.Context(), webSlug, 1, nil, o)
				return err
			},
		} {
			start := time.Now()
			err := wait(circleci.Timeout(time.Minute))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, time.Minute, time.Since(start))
			assert.ErrorContains(t, err, "waiting for "+name+" (last seen: ")
			sent := len(srv.Requests())
			require.ErrorIs(t, wait(circleci.CaptureResponse(new(circleci.Response))), circleci.ErrInvalidArgument)
			assert.Len(t, srv.Requests(), sent, "what cannot be obeyed is refused")
		}

		srv.Fail("GET /workflow/{id}", times(100, circlecitest.Response{Status: http.StatusBadGateway})...)
		sent := len(srv.Requests())
		_, err = c.Workflows.Wait(t.Context(), id, nil, circleci.NoRetry())
		require.ErrorIs(t, err, circleci.ErrServer)
		assert.Len(t, srv.Requests(), sent+10, "each poll sends its request once")
	})
}

// What was created is not lost when the wait for it fails.
func TestAFailedWaitReturnsWhatWasCreated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.AddProject(webSlug)
		srv.Fail("GET /pipeline/{pipeline-id}", circlecitest.Response{Status: http.StatusForbidden, Body: `{"message":"no"}`})
		r, err := srv.Client().Pipelines.TriggerAndWait(t.Context(), webSlug, circleci.TriggerPipelineRequest{}, nil)
		require.ErrorIs(t, err, circleci.ErrForbidden)
		require.NotNil(t, r)
		assert.NotEqual(t, uuid.Nil, r.Pipeline.ID)

		wf := startedWorkflow(t, srv, plain(circlecitest.Workflow("a", circlecitest.Job("x").FailsOnce())))
		time.Sleep(time.Hour)
		srv.Fail("GET /workflow/{id}", circlecitest.Response{Status: http.StatusUnauthorized})
		w, err := srv.Client().Workflows.RerunAndWait(t.Context(), wf, circleci.RerunWorkflowRequest{}, nil)
		require.ErrorIs(t, err, circleci.ErrUnauthorized)
		require.NotNil(t, w)
		assert.NotEqual(t, uuid.Nil, w.Workflow.ID)
	})
}

// The jobs of a finished workflow are listed once, those of others in each poll.
func TestJobsOfFinishedWorkflowsAreListedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workflows, polls = 200, 70
		lists, poll := 0, 0
		net := &fakeWire{answer: func(req *http.Request, _ int) reply {
			switch {
			case strings.HasSuffix(req.URL.Path, "/job"):
				lists++
				return answers(http.StatusOK, `{"items":[]}`)
			case !strings.HasSuffix(req.URL.Path, "/workflow"):
				return answers(http.StatusOK, `{"id":"`+id1.String()+`","number":1,"state":"created"}`)
			}
			poll++
			items := make([]string, workflows)
			for i := range items {
				status := "success"
				if i < 7 && poll < polls { // seven run to the end
					status = "running"
				}
				items[i] = found(fmt.Sprintf("w%d", i), status, "")
			}
			return answers(http.StatusOK, `{"items":[`+strings.Join(items, ",")+`]}`)
		}}
		r, err := net.client(t).Pipelines.Wait(t.Context(), id1, &circleci.WaitOptions{WithJobs: true})
		require.NoError(t, err)
		assert.Len(t, r.Jobs, workflows)
		assert.Equal(t, polls, poll)
		assert.Equal(t, workflows-7+7*polls, lists)
	})
}

func TestEachIterationHasItsGracePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		watch := looks([]look{{state: "created"}}).client(t).Pipelines.Watch(t.Context(), id1, nil)
		for range 2 {
			start := time.Now()
			var last *circleci.PipelineResult
			for r, err := range watch {
				require.NoError(t, err)
				last = r
			}
			assert.Equal(t, circleci.OutcomeNoWorkflows, last.Outcome)
			assert.GreaterOrEqual(t, time.Since(start), time.Minute)
		}
	})
}

// A second automatic rerun has a grace period of its own, also when no poll has
// seen the first one run.
func TestEachAutomaticRerunHasItsGracePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := func(n int, status string) string {
			return found("a", status, fmt.Sprintf(`,"auto_rerun_number":%d,"max_auto_reruns":2,"created_at":"2026-03-01T08:0%d:00Z"`, n, n))
		}
		every := &circleci.WaitOptions{MinInterval: 10 * time.Second, MaxInterval: 10 * time.Second}
		r, err := looks([]look{
			{state: "created", workflows: []string{run(0, "failed")}, times: 5},
			{state: "created", workflows: []string{run(0, "failed"), run(1, "failed")}, times: 5},
			{state: "created", workflows: []string{run(0, "failed"), run(1, "failed"), run(2, "success")}},
		}).client(t).Pipelines.Wait(t.Context(), id1, every)
		require.NoError(t, err)
		assert.Equal(t, circleci.OutcomeSuccess, r.Outcome)
	})
}

func TestAnInvalidArgumentEndsAWaitAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		net := &fakeWire{answer: func(*http.Request, int) reply { return answers(http.StatusOK, `{}`) }}
		c := net.client(t)
		for name, wait := range map[string]func(id uuid.UUID, o ...circleci.RequestOption) error{
			"pipeline": func(id uuid.UUID, o ...circleci.RequestOption) error {
				_, err := c.Pipelines.Wait(t.Context(), id, nil, o...)
				return err
			},
			"workflow": func(id uuid.UUID, o ...circleci.RequestOption) error {
				_, err := c.Workflows.Wait(t.Context(), id, nil, o...)
				return err
			},
			"job": func(id uuid.UUID, o ...circleci.RequestOption) error {
				_, err := c.Jobs.Wait(t.Context(), circleci.ProjectSlug(id.String()), 1, nil, o...)
				return err
			},
		} {
			require.ErrorIs(t, wait(uuid.Nil), circleci.ErrInvalidArgument, name)
			require.ErrorIs(t, wait(id1, circleci.Header("a b", "x")), circleci.ErrInvalidArgument, name)
		}
		assert.Zero(t, time.Since(start))
		// In a later request of a poll, too: the workflow that is waited for is the caller's own.
		t.Setenv("CIRCLE_WORKFLOW_ID", id1.String())
		_, err := looks([]look{{state: "created", workflows: []string{`{"id":"` + id1.String() + `","name":"a","status":"running"}`}}}).
			client(t).Pipelines.Wait(t.Context(), id2, nil)
		require.ErrorIs(t, err, circleci.ErrInvalidArgument)
		assert.ErrorContains(t, err, "WaitForOthers")
		assert.Zero(t, time.Since(start))
	})
}

// A block by CircleCI's edge passes, and matches ErrForbidden too.
func TestABlockByTheEdgeDoesNotEndAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		id := srv.StartPipeline(webSlug, "main")
		block := circlecitest.Response{Status: http.StatusForbidden, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<html><title>Blocked</title></html>"}
		srv.Fail("GET /pipeline/{pipeline-id}", block, block, block)
		r, err := srv.Client(circleci.WithRetry(circleci.RetryPolicy{MaxAttempts: 1})).Pipelines.Wait(t.Context(), id, nil)
		require.NoError(t, err)
		assert.Equal(t, circleci.OutcomeSuccess, r.Outcome)
	})
}

// Names and messages come from outside: each text is one line, without control
// characters.
func TestTextsOfAWaitAreOneLine(t *testing.T) {
	const evil = `\u001b[31mred\u001b[0m\n\u202ename`
	synctest.Test(t, func(t *testing.T) {
		var texts []string
		note := &circleci.WaitOptions{WithJobs: true, OnProgress: func(p circleci.Progress) { texts = append(texts, p.Text) }}
		errored := looks([]look{{state: "errored", errors: `{"type":"config","message":"` + strings.Repeat(evil, 500) + `"}`}})
		r, err := errored.client(t).Pipelines.Wait(t.Context(), id1, note)
		require.NoError(t, err)
		texts = append(texts, r.Err().Error(), r.String())

		net := &fakeWire{answer: func(req *http.Request, _ int) reply {
			switch {
			case strings.HasSuffix(req.URL.Path, "/job"):
				return answers(http.StatusOK, `{"items":[{"id":"`+id2.String()+`","name":"`+evil+`","status":"failed"}]}`)
			case strings.HasSuffix(req.URL.Path, "/workflow"):
				return answers(http.StatusOK, `{"items":[`+strings.ReplaceAll(found("NAME", "failed", ""), "NAME", evil)+`]}`)
			case strings.Contains(req.URL.Path, "/workflow/"):
				return answers(http.StatusOK, strings.ReplaceAll(found("NAME", "failed", ""), "NAME", evil))
			case strings.Contains(req.URL.Path, "/job/"):
				return answers(http.StatusOK, `{"number":1,"name":"`+evil+`","status":"failed"}`)
			}
			return answers(http.StatusOK, `{"id":"`+id1.String()+`","number":1,"state":"created"}`)
		}}
		c := net.client(t)
		r, err = c.Pipelines.Wait(t.Context(), id1, note)
		require.NoError(t, err)
		w, err := c.Workflows.Wait(t.Context(), id1, note)
		require.NoError(t, err)
		j, err := c.Jobs.Wait(t.Context(), webSlug, 1, note)
		require.NoError(t, err)
		texts = append(texts, r.Err().Error(), r.String(), w.Err().Error(), w.String(), j.Err().Error(), j.String())
		require.Greater(t, len(texts), 10)
		for _, text := range texts {
			assert.NotContains(t, text, "\x1b")
			assert.NotContains(t, text, "\n")
			assert.NotContains(t, text, "\u202e", "an override of the direction")
			assert.NotContains(t, text, "[31m", "what is left of a colour")
			assert.Less(t, len(text), 1000)
		}
	})
}

func TestALongListOfFailedJobsIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		var jobs []*circlecitest.JobScript
		for i := range 50 {
			jobs = append(jobs, circlecitest.Job(fmt.Sprintf("job-%02d", i)).Fails())
		}
		srv.Script(webSlug, plain(circlecitest.Workflow("a", jobs...)))
		r, err := srv.Client().Pipelines.Wait(t.Context(), srv.StartPipeline(webSlug, "main"), nil)
		require.NoError(t, err)
		assert.Len(t, r.FailedJobs, 50)
		assert.Regexp(t, `^circleci: failed: job job-\d\d failed; .*; and 30 more$`, r.Err().Error())
	})
}

// An operation that was removed does not come back.
func TestARemovedOperationEndsAWaitAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		id := srv.StartPipeline(webSlug, "main")
		srv.Fail(workflowOp, times(10, circlecitest.Response{Status: http.StatusGone})...)
		_, err := srv.Client().Pipelines.Wait(t.Context(), id, nil)
		require.ErrorIs(t, err, circleci.ErrGone)
		assert.Len(t, srv.Requests(), 2)
	})
}

// The job that was just approved can still look as if it were on hold: only the
// jobs tell. An outcome needs no jobs.
func TestAnApprovalWithoutTheJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		id := startedWorkflow(t, srv, plain(circlecitest.Workflow("a", circlecitest.Approval("hold"), circlecitest.Job("ship").Requires("hold"))))
		c := srv.Client(circleci.WithRetry(circleci.RetryPolicy{MaxAttempts: 1}))
		stop := &circleci.WaitOptions{StopOnHold: true}
		r, err := c.Workflows.Wait(t.Context(), id, stop)
		require.NoError(t, err)
		stale := circlecitest.Response{Body: found("a", "on_hold", "")}
		srv.Fail("GET /workflow/{id}", stale, stale)
		srv.Fail(jobsOp, times(100, circlecitest.Response{Status: http.StatusBadGateway})...)
		r, err = c.Workflows.ApproveAndWait(t.Context(), id, r.Jobs[0].ApprovalRequestID, stop)
		require.NoError(t, err)
		assert.Equal(t, circleci.OutcomeSuccess, r.Outcome)
		require.ErrorIs(t, r.JobsErr, circleci.ErrServer)
	})
}
