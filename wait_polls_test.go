package circleci_test

import (
	"fmt"
	"math"
	"net/http"
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
		"a setup workflow that continues nothing, of a pipeline that stays as it was before": {
			[]look{{state: "setup-pending", workflows: []string{found("main", "success", setup)}}},
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
