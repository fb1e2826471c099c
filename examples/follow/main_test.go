package main

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/apiv3"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/clitest"
)

func TestDemo(t *testing.T) {
	clitest.Demo(t)
	synctest.Test(t, func(t *testing.T) {
		con := clitest.New()
		require.NoError(t, run(t.Context(), &con.Console, nil))
		assert.Equal(t, 12, strings.Count(con.Stdout(), "of 12\r\n"), "each line once: %q", con.Stdout())
		assert.True(t, strings.HasPrefix(con.Stdout(), "== Spin up environment\n== test\n"), con.Stdout())
		assert.True(t, strings.HasSuffix(con.Stdout(), "package 12 of 12\r\n== test: success\n"), con.Stdout())
	})
}

func TestAFailedJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Script("gh/acme/web", circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
			circlecitest.Workflow("build", circlecitest.Job("test").Fails().WithOutput("FAIL\n")),
		}})
		v3 := apiv3.New(srv.Client())
		jobID, err := firstJob(t.Context(), v3, srv.StartPipeline("gh/acme/web", "main"))
		require.NoError(t, err)
		con := clitest.New()
		assert.Equal(t, 1, con.Exit(follow(t.Context(), &con.Console, v3, jobID, time.Second)))
		assert.True(t, strings.HasSuffix(con.Stdout(), "FAIL\n== test: failed\n"), con.Stdout())
	})
}

func TestInterrupted(t *testing.T) {
	clitest.Demo(t)
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
		ctx, cancel := context.WithCancel(t.Context())
		con := clitest.New().When("package 3 of 12", cancel)
		assert.Equal(t, 130, con.Exit(run(ctx, &con.Console, nil)))
	})
}

func TestUsage(t *testing.T) {
	clitest.Live(t, circlecitest.New(t))
	con := clitest.New()
	assert.Equal(t, 2, con.Exit(run(t.Context(), &con.Console, []string{"123"})))
}
