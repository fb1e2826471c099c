package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/clitest"
)

func TestOutcomes(t *testing.T) {
	clitest.Demo(t)
	for _, tt := range []struct {
		outcome string
		status  int
		told    []string
	}{
		{"success", 0, []string{"build-and-test success (3 of 3 jobs)", "build-and-test  test   success  1m30s"}},
		{"fail", 1, []string{"FAILED test: TestPayment\n  want 200 OK,\n  got 402 Payment Required\n", "job test failed"}},
		{"cancel", 3, []string{"canceled"}},
		{"none", 4, []string{"no workflows"}},
		{"error", 5, []string{"the job deploy is not defined"}},
		{"hold", 6, []string{"on hold", "hold   on_hold  -"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			con := clitest.New()
			status := con.Exit(run(t.Context(), &con.Console, []string{"-demo", tt.outcome, "-stop-on-hold"}))
			assert.Equal(t, tt.status, status, "a script goes by the exit status of a run that ends with %s\n%s", tt.outcome, con.All())
			for _, text := range tt.told {
				assert.Contains(t, con.All(), text, tt.outcome)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	clitest.Demo(t)
	synctest.Test(t, func(t *testing.T) {
		con, start := clitest.New(), time.Now()
		status := con.Exit(run(t.Context(), &con.Console, []string{"-demo", "hold", "-timeout", "1m"}))
		assert.Equal(t, statusUnknown, status, "without -stop-on-hold an approval is waited for, and how the run ends is not known")
		assert.Equal(t, time.Minute, time.Since(start))
		assert.Contains(t, con.Stderr(), "Pipeline 1 goes on.")
	})
}

func TestInterrupted(t *testing.T) {
	clitest.Demo(t)
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
		ctx, cancel := context.WithCancel(t.Context())
		con := clitest.New().When("running test", cancel)
		assert.Equal(t, 130, con.Exit(run(ctx, &con.Console, nil)))
		assert.Contains(t, con.Stderr(), "Pipeline 1 goes on.\nstopped\n", "who stops the wait has to know that the run goes on")
	})
}

func TestProgressInATerminal(t *testing.T) {
	clitest.Demo(t)
	synctest.Test(t, func(t *testing.T) {
		con := clitest.New()
		con.OutTerminal = true
		require.NoError(t, run(t.Context(), &con.Console, nil))
		assert.Contains(t, con.Stdout(), "\r\x1b[K    1s  pipeline 1: build-and-test running")
		assert.Contains(t, con.Stdout(), "success (3 of 3 jobs): success\n  build-and-test  build", "the jobs begin on a line of their own")
	})
}

const project = "gh/acme/web"

// live is a server that the example takes for CircleCI, with a job that takes
// so long by its clock, which is 1000 times faster.
func live(t *testing.T, d time.Duration) *circlecitest.Server {
	t.Helper()
	srv := circlecitest.New(t, circlecitest.WithSpeed(1000))
	clitest.Live(t, srv)
	srv.Script(project, circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("build", circlecitest.Job("test").Takes(d)),
	}})
	return srv
}

func TestNothingRunsUnasked(t *testing.T) {
	srv := live(t, time.Second)
	for what, con := range map[string]*clitest.Console{"a pipe": clitest.New(), "a no": clitest.New().Answer("no\n")} {
		assert.NotZero(t, con.Exit(run(t.Context(), &con.Console, []string{project})), what)
		assert.Empty(t, clitest.Sent(srv), "%s must not run a pipeline", what)
	}
}

func TestWhatIsSent(t *testing.T) {
	const definition = "2338d0ae-5541-4bbf-88a2-55e9f7281f80"
	for _, tt := range []struct {
		args []string
		body string
	}{
		{nil, `{}`},
		{
			[]string{"-branch", "feature/a", "-param", "environment=staging", "-param", "replicas=3", "-param", "dry=true", "-param", `tag="3"`, "-param", "note=a=b"},
			`{"branch":"feature/a","parameters":{"environment":"staging","replicas":3,"dry":true,"tag":"3","note":"a=b"}}`,
		},
		{[]string{"-tag", "v1"}, `{"tag":"v1"}`},
		{[]string{"-definition", definition}, `{"definition_id":"` + definition + `"}`},
		{
			[]string{"-definition", definition, "-branch", "main"},
			`{"definition_id":"` + definition + `","config":{"branch":"main"},"checkout":{"branch":"main"}}`,
		},
	} {
		srv := live(t, time.Second)
		con := clitest.New().Answer("y\n")
		status := con.Exit(run(t.Context(), &con.Console, append(tt.args, "-interval", "1ms", project)))
		assert.Zero(t, status, "%v\n%s", tt.args, con.All())
		assert.NotContains(t, con.All(), srv.Token())
		require.Len(t, clitest.Sent(srv), 1, "%v", tt.args)
		assert.JSONEq(t, tt.body, string(clitest.Sent(srv)[0].Body), "%v", tt.args)
	}
}

func TestCancel(t *testing.T) {
	for _, at := range []string{"has begun", "running test"} { // before there is a workflow, and then
		srv := live(t, 24*time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		con := clitest.New().When(at, cancel)
		status := con.Exit(run(ctx, &con.Console, []string{"-cancel", "-yes", "-interval", "1ms", project}))
		assert.Equal(t, 130, status)
		assert.Contains(t, con.Stderr(), "Pipeline 1 is canceled.")

		pipelines, err := srv.Client().Pipelines.ListForProject(project, nil).Collect(t.Context())
		require.NoError(t, err)
		require.Len(t, pipelines, 1)
		workflows, err := srv.Client().Pipelines.ListWorkflows(pipelines[0].ID).Collect(t.Context())
		require.NoError(t, err)
		require.Len(t, workflows, 1)
		assert.Equal(t, circleci.WorkflowStatusCanceled, workflows[0].Status, "-cancel must leave nothing running; Ctrl-C came at %q", at)
	}
}

func TestNotTriggered(t *testing.T) {
	srv := live(t, time.Second)
	srv.Fail("POST /project/{provider}/{organization}/{project}/pipeline/run", circlecitest.Response{Body: `{"message":"no filter matches"}`})
	con := clitest.New()
	status := con.Exit(run(t.Context(), &con.Console, []string{"-yes", "-definition", "2338d0ae-5541-4bbf-88a2-55e9f7281f80", project}))
	assert.Equal(t, 4, status)
	assert.Contains(t, con.Stderr(), "no filter matches")
}

func TestTokenRefused(t *testing.T) {
	srv := live(t, time.Second)
	const wrong = "CCIPAT_wrong_fedcba9876543210fedcba9876543210fedcba98"
	t.Setenv("CIRCLE_TOKEN", wrong)
	con := clitest.New()
	assert.Equal(t, statusUnknown, con.Exit(run(t.Context(), &con.Console, []string{"-yes", project})))
	assert.Contains(t, con.Stderr(), "401")
	assert.NotContains(t, con.All(), wrong)
	assert.Len(t, srv.Requests(), 1)
}

func TestWrongCalls(t *testing.T) {
	srv := live(t, time.Second)
	for _, args := range [][]string{
		{}, {"-yes"}, {"acme/web"}, {"-param", "x", project}, {"-param", "=1", project}, {"-definition", "x", project}, {project, "-yes"}, {"-nope"},
	} {
		con := clitest.New()
		assert.Equal(t, 2, con.Exit(run(t.Context(), &con.Console, args)), "%v", args)
		assert.NotEmpty(t, con.Stderr(), "%v", args)
	}
	assert.Empty(t, srv.Requests())

	clitest.Demo(t)
	con := clitest.New()
	assert.Equal(t, 2, con.Exit(run(t.Context(), &con.Console, []string{"-demo", "x"})))
}
