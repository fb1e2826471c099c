package circlecitest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// runs has a project's pipeline run n times, an hour each, and returns the jobs
// of their first workflows.
func runs(t *testing.T, srv *circlecitest.Server, n int) (all [][]circleci.WorkflowJob) {
	t.Helper()
	c := srv.Client()
	for range n {
		id := srv.StartPipeline(webSlug, "main")
		srv.Advance(time.Hour)
		workflows, err := c.Pipelines.ListWorkflows(id).Collect(t.Context())
		require.NoError(t, err)
		require.NotEmpty(t, workflows)
		jobs, err := c.Workflows.ListJobs(workflows[0].ID).Collect(t.Context())
		require.NoError(t, err)
		all = append(all, jobs)
	}
	return all
}

func TestAJobThatVaries(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.Script(webSlug, oneJob("build", circlecitest.Job("test").Takes(10*time.Minute).Varies(0.2)))
	shortest, longest := time.Hour, time.Duration(0)
	for _, jobs := range runs(t, srv, 50) {
		took := jobs[0].StoppedAt.Sub(jobs[0].StartedAt)
		shortest, longest = min(shortest, took), max(longest, took)
	}
	assert.GreaterOrEqual(t, shortest, 8*time.Minute)
	assert.Less(t, shortest, 9*time.Minute)
	assert.Greater(t, longest, 11*time.Minute)
	assert.LessOrEqual(t, longest, 12*time.Minute)
}

func TestAJobThatFailsSometimes(t *testing.T) {
	count := func(seed uint64) (failed []int) {
		srv := circlecitest.New(t, circlecitest.WithManualTime(), circlecitest.WithSeed(seed))
		srv.Script(webSlug, oneJob("build", circlecitest.Job("test").FailsSometimes(0.25)))
		for i, jobs := range runs(t, srv, 100) {
			if jobs[0].Status == circleci.JobStatusFailed {
				failed = append(failed, i)
			}
		}
		return failed
	}
	first := count(1)
	assert.InDelta(t, 25, len(first), 12)
	assert.Equal(t, first, count(1), "what failed has to fail again")
	assert.NotEqual(t, first, count(2))
}

func TestAFlakyTestFailsItsJob(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.Script(webSlug, oneJob("build", circlecitest.Job("test").
		WithTests(circlecitest.PassingTest("TestGood", 100*time.Millisecond)).
		WithFlakyTests(0.3, circlecitest.FailingTest("TestFlaky", "timed out"))))
	failed := 0
	for _, jobs := range runs(t, srv, 60) {
		report, err := srv.Client().Jobs.GetTestReport(t.Context(), webSlug, jobs[0].Number)
		require.NoError(t, err)
		require.Len(t, report.Tests, 2)
		flaky := report.Tests[1]
		assert.Equal(t, "TestFlaky", flaky.Name)
		assert.Equal(t, jobs[0].Status == circleci.JobStatusFailed, flaky.Result.Failed(), "the job fails because of it, and of nothing else")
		if flaky.Result.Failed() {
			failed++
			assert.Equal(t, "timed out", flaky.Message)
		} else {
			assert.Empty(t, flaky.Message)
		}
	}
	assert.InDelta(t, 18, failed, 10)
}

func TestAnApprovalThatIsGiven(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.Script(webSlug, circlecitest.Pipeline(circlecitest.Workflow("deploy",
		circlecitest.Approval("hold").ApprovedAfter(5*time.Minute), circlecitest.Job("ship").Requires("hold"))))
	jobs := runs(t, srv, 1)[0]
	assert.Equal(t, circleci.JobStatusSuccess, jobs[0].Status)
	assert.NotEqual(t, uuid.Nil, jobs[0].ApprovedBy)
	assert.Equal(t, 5*time.Minute, jobs[1].StartedAt.Sub(jobs[0].StoppedAt.Add(2*time.Second-5*time.Minute)))
	assert.Equal(t, circleci.JobStatusSuccess, jobs[1].Status)
}

func TestAnApprovalThatIsGivenByHandFirst(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.Script(webSlug, circlecitest.Pipeline(circlecitest.Workflow("deploy", circlecitest.Approval("hold").ApprovedAfter(time.Hour), circlecitest.Job("ship").Requires("hold"))))
	id := srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Minute)
	c := srv.Client()
	workflows, err := c.Pipelines.ListWorkflows(id).Collect(t.Context())
	require.NoError(t, err)
	jobs, err := c.Workflows.ListJobs(workflows[0].ID).Collect(t.Context())
	require.NoError(t, err)
	require.NoError(t, c.Workflows.Approve(t.Context(), workflows[0].ID, jobs[0].ApprovalRequestID))
	srv.Advance(2 * time.Hour)
	w, err := c.Workflows.Get(t.Context(), workflows[0].ID)
	require.NoError(t, err)
	assert.Equal(t, circleci.WorkflowStatusSuccess, w.Status)
	assert.Less(t, w.StoppedAt.Sub(w.CreatedAt), 2*time.Minute, "the second approval is none")
}

func TestAJobCanEndInAllWays(t *testing.T) {
	for name, c := range map[string]struct {
		job  *circlecitest.JobScript
		want []circleci.JobStatus // of the first run, and the rerun
	}{
		"it succeeds":    {circlecitest.Job("x"), []circleci.JobStatus{"success", "success"}},
		"it fails":       {circlecitest.Job("x").Fails(), []circleci.JobStatus{"failed", "failed"}},
		"it fails once":  {circlecitest.Job("x").FailsOnce(), []circleci.JobStatus{"failed", "success"}},
		"it times out":   {circlecitest.Job("x").Ends(circleci.JobStatusTimedOut, circleci.JobStatusCanceled), []circleci.JobStatus{"timedout", "canceled"}},
		"nothing is set": {circlecitest.Job("x").Ends(), []circleci.JobStatus{"success", "success"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := circlecitest.New(t)
				srv.Script(webSlug, oneJob("build", c.job))
				client := srv.Client()
				first, err := client.Pipelines.TriggerAndWait(t.Context(), webSlug, circleci.TriggerPipelineRequest{}, &circleci.WaitOptions{WithJobs: true})
				require.NoError(t, err)
				w := first.Workflows[0].ID
				jobs, err := client.Workflows.ListJobs(w).Collect(t.Context())
				require.NoError(t, err)
				assert.Equal(t, c.want[0], jobs[0].Status)
				second, err := client.Workflows.RerunAndWait(t.Context(), w, circleci.RerunWorkflowRequest{}, nil)
				require.NoError(t, err)
				assert.Equal(t, c.want[1], second.Jobs[0].Status)
			})
		})
	}
}

func TestAWorkflowThatRerunsAutomatically(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.Script(webSlug, circlecitest.Pipeline(
		circlecitest.Workflow("build", circlecitest.Job("good"), circlecitest.Job("bad").Fails()).RerunsAutomatically(2)))
	id := srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Hour)
	workflows, err := srv.Client().Pipelines.ListWorkflows(id).Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, workflows, 3)
	assert.Equal(t, int64(2), workflows[0].AutoRerunNumber)
	assert.Equal(t, int64(2), workflows[0].MaxAutoReruns)
}

// A job that has come over to a rerun has one number: it is found by that, and
// its files too.
func TestAJobIsFoundByItsNumberAfterARerun(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.Script(webSlug, circlecitest.Pipeline(circlecitest.Workflow("build",
		circlecitest.Job("good").WithArtifacts(circlecitest.Artifact{Path: "a", Content: "a"}), circlecitest.Job("bad").FailsOnce())))
	jobs := runs(t, srv, 1)[0]
	c := srv.Client()
	before, err := c.Jobs.Get(t.Context(), webSlug, jobs[0].Number)
	require.NoError(t, err)
	rerun, err := c.Workflows.Rerun(t.Context(), before.LatestWorkflow.ID, circleci.RerunWorkflowRequest{FromFailed: true})
	require.NoError(t, err)
	srv.Advance(time.Hour)
	after, err := c.Jobs.Get(t.Context(), webSlug, jobs[0].Number)
	require.NoError(t, err)
	assert.Equal(t, rerun.ID, after.LatestWorkflow.ID)
	dir := t.TempDir()
	files, err := c.Jobs.DownloadArtifacts(t.Context(), webSlug, jobs[0].Number, dir, nil)
	require.NoError(t, err)
	assert.Len(t, files, 1)
	_, err = c.Jobs.Get(t.Context(), webSlug, 99)
	assert.ErrorIs(t, err, circleci.ErrNotFound)
	srv.AddProject("gh/acme/api")
	_, err = c.Jobs.Get(t.Context(), "gh/acme/api", jobs[0].Number)
	assert.ErrorIs(t, err, circleci.ErrNotFound, "numbers are a project's own")
}

func TestScriptsFollowEachOther(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.Script(webSlug, oneJob("build", circlecitest.Job("first")), oneJob("build", circlecitest.Job("then")))
	var names []string
	for _, jobs := range runs(t, srv, 3) {
		names = append(names, jobs[0].Name)
	}
	assert.Equal(t, []string{"first", "then", "then"}, names)
}

func TestAScriptThatCannotRun(t *testing.T) {
	srv := circlecitest.New(t)
	for name, jobs := range map[string][]*circlecitest.JobScript{
		"a job that there is not": {circlecitest.Job("x").Requires("y")},
		"two of a name":           {circlecitest.Job("x"), circlecitest.Job("x")},
		"itself":                  {circlecitest.Job("x").Requires("x")},
		"each other":              {circlecitest.Job("x").Requires("y"), circlecitest.Job("y").Requires("z"), circlecitest.Job("z").Requires("x")},
	} {
		assert.Panics(t, func() { srv.Script(webSlug, circlecitest.Pipeline(circlecitest.Workflow("w", jobs...))) }, name)
		assert.Panics(t, func() { srv.Script(webSlug, circlecitest.Script{Setup: circlecitest.Workflow("w", jobs...)}) }, name)
	}
	diamond := circlecitest.Workflow("w", circlecitest.Job("d").Requires("b", "c"), circlecitest.Job("b").Requires("a"), circlecitest.Job("c").Requires("a"), circlecitest.Job("a"))
	assert.NotPanics(t, func() { srv.Script(webSlug, circlecitest.Pipeline(diamond)) })
}

func TestAContinuationKey(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.Script(webSlug, circlecitest.Script{
		Setup:     circlecitest.Workflow("setup", circlecitest.Job("generate")),
		Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow("build", circlecitest.Job("x"))},
	})
	id := srv.StartPipeline(webSlug, "main")
	srv.Advance(5 * time.Second)
	key := srv.ContinuationKey(id)
	require.NotEmpty(t, key)
	c := srv.Client()
	in := circleci.ContinuePipelineRequest{ContinuationKey: key, Configuration: "version: 2.1"}
	require.NoError(t, c.Pipelines.Continue(t.Context(), in))
	assert.Empty(t, srv.ContinuationKey(id))
	assert.ErrorIs(t, c.Pipelines.Continue(t.Context(), in), circleci.ErrNotFound, "a key is good once")
	assert.Empty(t, srv.ContinuationKey(uuid.New()))
}

func TestPipelinesThatAreForgotten(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime(), circlecitest.WithPipelinesKept(3))
	srv.Script(webSlug, oneJob("build", circlecitest.Job("test").FailsOnce()))
	c := srv.Client()
	running := srv.StartPipeline(webSlug, "main")
	srv.Advance(10 * time.Second)
	first, err := c.Pipelines.ListWorkflows(running).Collect(t.Context())
	require.NoError(t, err)
	for range 5 {
		srv.StartPipeline(webSlug, "main")
	}
	srv.Advance(time.Hour) // the first ends, unheard of
	all, err := c.Pipelines.ListForProject(webSlug, nil).Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 3)
	assert.Equal(t, int64(6), all[0].Number)
	_, err = c.Pipelines.Get(t.Context(), running)
	require.ErrorIs(t, err, circleci.ErrNotFound)
	_, err = c.Pipelines.GetByNumber(t.Context(), webSlug, 1)
	require.ErrorIs(t, err, circleci.ErrNotFound)
	_, err = c.Workflows.Get(t.Context(), first[0].ID)
	require.ErrorIs(t, err, circleci.ErrNotFound)
	_, err = c.Jobs.Get(t.Context(), webSlug, 1)
	require.ErrorIs(t, err, circleci.ErrNotFound)
	_, err = c.Jobs.Get(t.Context(), webSlug, 6)
	assert.NoError(t, err)
	srv.History("gh/acme/api", circlecitest.Past{Days: 1})
	all, err = c.Pipelines.List(&circleci.ListPipelinesOptions{OrgSlug: "gh/acme"}).Collect(t.Context())
	require.NoError(t, err)
	assert.Len(t, all, 3, "of a history too")
}

// An approval does not keep a workflow open in which a job has been canceled.
func TestAWorkflowOnHoldWithACanceledJob(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.Script(webSlug, circlecitest.Pipeline(circlecitest.Workflow("build",
		circlecitest.Approval("hold"), circlecitest.Job("test").Takes(time.Minute).Ends(circleci.JobStatusCanceled))))
	c, id := srv.Client(), srv.StartPipeline(webSlug, "main")
	status := func() circleci.WorkflowStatus {
		w, err := c.Pipelines.ListWorkflows(id).First(t.Context())
		require.NoError(t, err)
		return w.Status
	}
	srv.Advance(30 * time.Second)
	assert.Equal(t, circleci.WorkflowStatusRunning, status())
	srv.Advance(time.Minute)
	assert.Equal(t, circleci.WorkflowStatusCanceled, status())
	w, err := c.Pipelines.ListWorkflows(id).First(t.Context())
	require.NoError(t, err)
	assert.False(t, w.StoppedAt.IsZero())
}
