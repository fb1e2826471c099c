package main

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/clitest"
)

func TestDemo(t *testing.T) {
	clitest.Demo(t)
	synctest.Test(t, func(t *testing.T) {
		con := clitest.New()
		require.NoError(t, run(t.Context(), &con.Console, nil))
		assert.Contains(t, con.Stdout(), "job hold on_hold\n")
		assert.Contains(t, con.Stdout(), "approved\n")
		assert.Contains(t, con.Stdout(), "\ndeploy: success\n")
	})
	synctest.Test(t, func(t *testing.T) {
		con := clitest.New()
		assert.Equal(t, 1, con.Exit(run(t.Context(), &con.Console, []string{"-q", "-demo", "fail"})))
		assert.Empty(t, con.Stdout())
		assert.Equal(t, "the check failed, and the job was not approved: 7.3 % of the requests to staging fail\n", con.Stderr())
	})
}

// held is a server with a workflow that waits for an approval.
func held(t *testing.T) (*circlecitest.Server, *circleci.Client, uuid.UUID) {
	t.Helper()
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	clitest.Live(t, srv)
	srv.Script("gh/acme/web", circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("release", circlecitest.Job("build"), circlecitest.Approval("hold").Requires("build")),
	}})
	pipeline := srv.StartPipeline("gh/acme/web", "main")
	srv.Advance(time.Hour)
	client := srv.Client()
	workflow, err := client.Pipelines.ListWorkflows(pipeline).First(t.Context())
	require.NoError(t, err)
	return srv, client, workflow.ID
}

// The check is a command of the caller: this test, which passes or does not.
func TestCommand(t *testing.T) {
	for _, tt := range []struct {
		args   []string
		check  string
		status int
		want   circleci.WorkflowStatus
	}{
		{nil, "-test.run=^$", 0, circleci.WorkflowStatusSuccess},
		{nil, "-no-such-flag", 1, circleci.WorkflowStatusOnHold},
		{[]string{"-cancel"}, "-no-such-flag", 1, circleci.WorkflowStatusCanceled},
	} {
		srv, client, id := held(t)
		con := clitest.New()
		assert.Equal(t, tt.status, con.Exit(run(t.Context(), &con.Console, append(tt.args, id.String(), "hold", os.Args[0], tt.check))), con.All())
		srv.Advance(time.Minute)
		workflow, err := client.Workflows.Get(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, tt.want, workflow.Status)
	}
}

func TestNothingToApprove(t *testing.T) {
	srv, client, id := held(t)
	con := clitest.New()
	assert.Equal(t, 4, con.Exit(run(t.Context(), &con.Console, []string{id.String(), "build", "true"})))
	jobs, err := client.Workflows.ListJobs(id).Collect(t.Context())
	require.NoError(t, err)
	for _, j := range jobs {
		if j.Name == "hold" {
			require.NoError(t, client.Workflows.Approve(t.Context(), id, j.ApprovalRequestID))
		}
	}
	srv.Advance(time.Minute)
	con = clitest.New()
	require.NoError(t, run(t.Context(), &con.Console, []string{id.String(), "hold", "no-such-command"}), "it was approved before")
}

func TestWrongCalls(t *testing.T) {
	clitest.Live(t, circlecitest.New(t))
	for _, args := range [][]string{{}, {"release", "hold", "true"}, {uuid.NewString(), "hold"}} {
		con := clitest.New()
		assert.Equal(t, 2, con.Exit(run(t.Context(), &con.Console, args)), "%v", args)
	}
}
