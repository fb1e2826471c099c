package circleci_test

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func TestARestrictionNeedsATypeAndAValue(t *testing.T) {
	c := always(answers(http.StatusCreated, `{"id":"`+id1.String()+`"}`)).client(t)
	for _, in := range []circleci.CreateRestrictionRequest{
		{}, {Value: id1.String()}, {Type: circleci.RestrictionTypeProject}, {Type: circleci.RestrictionTypeProject, Value: "00000000-0000-0000-0000-000000000000"},
	} {
		_, err := c.Contexts.CreateRestriction(t.Context(), id1, in)
		require.ErrorIs(t, err, circleci.ErrInvalidArgument, "%+v", in)
	}
	_, err := c.Contexts.CreateRestriction(t.Context(), id1, circleci.ProjectRestriction(id1))
	require.NoError(t, err)
}

// A method that returns a map returns errors like all others.
func TestAMapOrAnError(t *testing.T) {
	values, err := always(answers(http.StatusNotFound, `{"message":"no"}`)).client(t).Pipelines.GetValues(t.Context(), id1)
	require.ErrorIs(t, err, circleci.ErrNotFound)
	assert.Nil(t, values)
}

// A job can wait for another workflow than its own.
func TestAnotherWorkflowIsNoOwnOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		id := startedWorkflow(t, srv, plain(circlecitest.Workflow("a", circlecitest.Job("x"))))
		require.NoError(t, os.Setenv("CIRCLE_WORKFLOW_ID", id1.String()))
		defer func() { _ = os.Unsetenv("CIRCLE_WORKFLOW_ID") }()
		w, err := srv.Client().Workflows.Wait(t.Context(), id, nil)
		require.NoError(t, err)
		assert.Equal(t, circleci.OutcomeSuccess, w.Outcome)
	})
}

// Methods that make several requests refuse what belongs to one, and send none.
func TestWaitingMethodsRefuseOptionsOfOneRequest(t *testing.T) {
	w := replies()
	c, capture := w.client(t), circleci.CaptureResponse(new(circleci.Response))
	for name, err := range map[string]error{
		"RunAndWait":     second(c.Pipelines.RunAndWait(t.Context(), webSlug, circleci.RunPipelineRequest{DefinitionID: id1}, nil, capture)),
		"TriggerAndWait": second(c.Pipelines.TriggerAndWait(t.Context(), webSlug, circleci.TriggerPipelineRequest{}, nil, capture)),
		"Pipelines.Wait": second(c.Pipelines.Wait(t.Context(), id1, nil, capture)),
		"RerunAndWait":   second(c.Workflows.RerunAndWait(t.Context(), id1, circleci.RerunWorkflowRequest{}, nil, capture)),
		"ApproveAndWait": second(c.Workflows.ApproveAndWait(t.Context(), id1, id2, nil, capture)),
		"Workflows.Wait": second(c.Workflows.Wait(t.Context(), id1, nil, capture)),
		"WaitForJob":     second(c.Workflows.WaitForJob(t.Context(), id1, "x", nil, capture)),
		"WaitForOthers":  second(c.Workflows.WaitForOthers(t.Context(), id1, 1, nil, capture)),
		"Jobs.Wait":      second(c.Jobs.Wait(t.Context(), webSlug, 1, nil, capture)),
	} {
		assert.ErrorIs(t, err, circleci.ErrInvalidArgument, name)
	}
	assert.Empty(t, w.requests())
}

func TestAnUnknownAccessIsAnError(t *testing.T) {
	_, err := always(answers(http.StatusForbidden, `{}`)).client(t).AuditLog.HasAccess(t.Context(), id1)
	require.ErrorIs(t, err, circleci.ErrForbidden)
}

// A job that has no number yet has no artifacts.
func TestAJobWithoutANumberHasNoArtifacts(t *testing.T) {
	w := &fakeWire{answer: func(req *http.Request, _ int) reply {
		if strings.HasSuffix(req.URL.Path, "/job") {
			return answers(http.StatusOK, `{"items":[{"id":"`+id1.String()+`","name":"later","type":"build","status":"blocked","project_slug":"gh/acme/web"}]}`)
		}
		return answers(http.StatusOK, found("a", "running", ""))
	}}
	artifacts, err := w.client(t).Workflows.ListArtifacts(t.Context(), id1)
	require.NoError(t, err)
	assert.Empty(t, artifacts)
}

// A 404 for a change says that it may be the token's permissions in the API v3
// alone.
func TestTheHintOfAMissingResource(t *testing.T) {
	const readOnly = "a read-only token"
	c := always(answers(http.StatusNotFound, `{}`)).client(t)
	assert.ErrorContains(t, c.Do(t.Context(), circleci.Request{Method: http.MethodDelete, Route: "/api/v3/x"}, nil), readOnly)
	for _, r := range []circleci.Request{
		{Method: http.MethodDelete, Route: "/x"}, {Method: http.MethodGet, Route: "/api/v3/x"}, {Method: http.MethodGet, Route: "/x"},
	} {
		assert.NotContains(t, c.Do(t.Context(), r, nil).Error(), readOnly, "%s %s", r.Method, r.Route)
	}
	conflict := always(answers(http.StatusConflict, `{}`)).client(t)
	assert.NotContains(t, conflict.Do(t.Context(), circleci.Request{Method: http.MethodDelete, Route: "/api/v3/x"}, nil).Error(), readOnly)
}

// The parallel runs of a step count from 0, which is the API's default.
func TestStepOutputOfEachParallelRun(t *testing.T) {
	for index, want := range map[int64]string{0: "", 1: "1", 2: "2"} {
		var got []string
		w := &fakeWire{answer: func(req *http.Request, _ int) reply {
			got = append(got, req.URL.Query().Get("filter[execution]"))
			return answers(http.StatusOK, "x")
		}}
		out, err := w.client(t).Jobs.OpenStepOutput(t.Context(), circleci.StepAction{JobID: id1, Step: 3, Index: index, HasOutput: true})
		require.NoError(t, err)
		require.NoError(t, out.Close())
		assert.Equal(t, []string{want}, got)
	}
}

// Output that fits is shown from its first line on.
func TestOutputOfExactlyTheMostIsWhole(t *testing.T) {
	const text = "first line\nlast line\n"
	for most, want := range map[int]string{len(text): "first line", len(text) + 1: "first line", len(text) - 1: "last line"} {
		synctest.Test(t, func(t *testing.T) {
			srv := circlecitest.New(t)
			srv.Script(webSlug, plain(circlecitest.Workflow("a", circlecitest.Job("x").Fails().WithOutput(text))))
			id := srv.StartPipeline(webSlug, "main")
			time.Sleep(time.Hour)
			r, err := srv.Client().Pipelines.GetFailureReport(t.Context(), id, &circleci.FailureReportOptions{MaxOutput: most})
			require.NoError(t, err)
			require.Len(t, r.Jobs, 1)
			require.Len(t, r.Jobs[0].Steps, 1)
			assert.True(t, strings.HasPrefix(r.Jobs[0].Steps[0].Output, want), "%q of at most %d bytes", r.Jobs[0].Steps[0].Output, most)
		})
	}
}

// The smallest grace period is a choice, not "not set".
func TestAWaitWithTheSmallestIntervals(t *testing.T) {
	took := func(o *circleci.WaitOptions) (took time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			srv := circlecitest.New(t)
			srv.Script(webSlug, plain())
			id := srv.StartPipeline(webSlug, "main")
			start := time.Now()
			r, err := srv.Client().Pipelines.Wait(t.Context(), id, o)
			require.NoError(t, err)
			assert.Equal(t, circleci.OutcomeNoWorkflows, r.Outcome)
			took = time.Since(start)
		})
		return took
	}
	assert.GreaterOrEqual(t, took(nil), time.Minute)
	assert.Less(t, took(&circleci.WaitOptions{Grace: 1}), time.Minute)
}

// What has just ended may go on, so its outcome is not final yet.
func TestCheckKnowsWhenTheLastWorkflowEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Script(webSlug, circlecitest.Script{Setup: circlecitest.Workflow("setup", circlecitest.Job("generate").Takes(time.Hour))})
		id := srv.StartPipeline(webSlug, "main")
		c := srv.Client()
		var ended time.Time
		for ended.IsZero() {
			time.Sleep(time.Second)
			all, err := c.Pipelines.ListWorkflows(id).Collect(t.Context())
			require.NoError(t, err)
			if len(all) > 0 {
				ended = all[0].StoppedAt
			}
		}
		r, err := c.Pipelines.Check(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, circleci.OutcomePending, r.Outcome)
		time.Sleep(time.Minute)
		r, err = c.Pipelines.Check(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, circleci.OutcomeNoWorkflows, r.Outcome)
	})
}

// A workflow that has just failed may be rerun automatically.
func TestCheckWaitsForAnAutomaticRerun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := func(ago time.Duration) string { return time.Now().Add(-ago).Format(time.RFC3339) }
		for ago, want := range map[time.Duration]circleci.Outcome{30 * time.Second: circleci.OutcomePending, 2 * time.Minute: circleci.OutcomeFailed} {
			w := &fakeWire{answer: func(req *http.Request, _ int) reply {
				switch {
				case strings.HasSuffix(req.URL.Path, "/job"):
					return answers(http.StatusOK, `{"items":[]}`)
				case strings.HasSuffix(req.URL.Path, "/workflow"):
					return answers(http.StatusOK, `{"items":[{"id":"`+id2.String()+`","name":"a","status":"failed","max_auto_reruns":1,
						"created_at":"`+at(time.Hour)+`","stopped_at":"`+at(ago)+`"}]}`)
				}
				return answers(http.StatusOK, `{"id":"`+id1.String()+`","state":"created","created_at":"`+at(time.Hour)+`"}`)
			}}
			r, err := w.client(t).Pipelines.Check(t.Context(), id1)
			require.NoError(t, err)
			assert.Equal(t, want, r.Outcome, "%v after it failed", ago)
		}
	})
}

func TestProgressNamesTheJobThatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		id := startedWorkflow(t, srv, plain(circlecitest.Workflow("a", circlecitest.Job("x"), circlecitest.Job("y").Requires("x").Takes(time.Hour))))
		var texts []string
		_, err := srv.Client().Workflows.Wait(t.Context(), id, &circleci.WaitOptions{
			WithJobs: true, OnProgress: func(p circleci.Progress) { texts = append(texts, p.Text) },
		})
		require.NoError(t, err)
		assert.Contains(t, strings.Join(texts, "\n"), "1 of 2 jobs, running y)")
	})
}

// If the new URL of a usage file is refused, the error is that of the old one.
func TestAUsageFileWhoseNewURLIsRefused(t *testing.T) {
	created := `{"usage_export_job_id":"` + id1.String() + `","state":"completed","download_urls":["https://files.example.com/1"]}`
	window := circleci.UsageWindow{Start: march1, End: march8}
	for again, status := range map[string]int{`{"message":"gone"}`: http.StatusGone, `{"usage_export_job_id":"` + id1.String() + `","state":"completed","download_urls":[]}`: http.StatusOK} {
		w := &fakeWire{answer: func(req *http.Request, _ int) reply {
			switch {
			case req.URL.Host == "files.example.com":
				return answers(http.StatusForbidden, "expired")
			case req.Method == http.MethodPost:
				return answers(http.StatusCreated, created)
			}
			return answers(status, again)
		}}
		_, err := collect(w.client(t).Usage.Export(t.Context(), id1, window, nil))
		require.ErrorIs(t, err, circleci.ErrForbidden)
		assert.NotErrorIs(t, err, circleci.ErrGone)
	}
}

// A wait for the limit of usage exports ends with its context.
func TestAWaitForTheLimitOfUsageExportsCanBeCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &exporter{limited: 100}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(90*time.Second, cancel)
		_, err := collect(e.client(t).Usage.Export(ctx, id1, circleci.UsageWindow{Start: march1, End: march8}, nil))
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, circleci.ErrRateLimited)
	})
}

// What could not be listed and what could not be downloaded are both reported.
func TestDownloadsReportWhatIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		artifact := circlecitest.Artifact{Path: "a.txt", Content: "1"}
		srv.Script(webSlug, plain(circlecitest.Workflow("build",
			circlecitest.Job("x").WithArtifacts(artifact), circlecitest.Job("y").WithArtifacts(artifact))))
		c, id := srv.Client(), srv.StartPipeline(webSlug, "main")
		_, err := c.Pipelines.Wait(t.Context(), id, nil)
		require.NoError(t, err)
		const list = "GET /project/{project-slug}/{job-number}/artifacts"

		srv.Fail(list, circlecitest.Response{Status: http.StatusNotFound})
		files, err := c.Pipelines.DownloadArtifacts(t.Context(), id, t.TempDir(), nil)
		require.ErrorIs(t, err, circleci.ErrNotFound)
		assert.ErrorContains(t, err, "artifacts of job ")
		assert.Len(t, files, 1)

		srv.Fail(list, circlecitest.Response{Status: http.StatusNotFound})
		srv.Fail("storage", circlecitest.Response{Status: http.StatusGone})
		files, err = c.Pipelines.DownloadArtifacts(t.Context(), id, t.TempDir(), nil)
		require.ErrorIs(t, err, circleci.ErrNotFound)
		require.ErrorIs(t, err, circleci.ErrGone)
		assert.Empty(t, files)
	})
}

// A job of another workflow is not this program's, even if it has its name.
func TestAJobOfAnotherWorkflowCanBeWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		id := startedWorkflow(t, srv, plain(circlecitest.Workflow("a", circlecitest.Job("x"))))
		t.Setenv("CIRCLE_WORKFLOW_ID", id1.String())
		t.Setenv("CIRCLE_JOB", "x")
		j, err := srv.Client().Workflows.WaitForJob(t.Context(), id, "x", nil)
		require.NoError(t, err)
		assert.Equal(t, circleci.JobStatusSuccess, j.Status)
	})
}

func TestPagesOfComponentsHaveTheAPIsSize(t *testing.T) {
	w := always(answers(http.StatusOK, `{"items":[]}`))
	_, err := w.client(t).Deploys.ListComponents(id1, nil).Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, w.sent, 1)
	assert.Contains(t, w.sent[0].URL, "page-size=20")
}

// The jobs of a workflow that succeeded at once are not requested.
func TestAFailureReportRequestsOnlyWhatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Script(webSlug, plain(circlecitest.Workflow("a", circlecitest.Job("x")), circlecitest.Workflow("b", circlecitest.Job("y"))))
		id := srv.StartPipeline(webSlug, "main")
		time.Sleep(time.Hour)
		r, err := srv.Client().Pipelines.GetFailureReport(t.Context(), id, nil)
		require.NoError(t, err)
		assert.Empty(t, r.Jobs)
		for _, request := range srv.Requests() {
			assert.NotEqual(t, jobsOp, request.Operation)
		}
	})
}
