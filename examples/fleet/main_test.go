package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/clitest"
)

// A worker that is started by a test is this program, and not the tests again.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-worker" {
		main()
	}
	os.Exit(m.Run())
}

// bounded ends a test whose workers do not end.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestDemo(t *testing.T) {
	clitest.Demo(t)
	t.Setenv("REDIS_URL", "")
	con := clitest.New()
	require.NoError(t, run(bounded(t), &con.Console, []string{"-processes", "3"}), con.All())
	assert.Contains(t, con.Stdout(), "12 projects read, 12 failed tests\nPROJECT")
	assert.Regexp(t, `(?m)^gh/acme/service-01  3         test  TestPayment$`, con.Stdout())
	assert.Regexp(t, `WORKER +PROJECTS +REQUESTS +ANSWERED 429\n1/3 +4 +\d+ +\d+\n2/3 +4 +\d+ +\d+\n3/3 +4 +`, con.Stdout())
	assert.True(t, strings.HasPrefix(con.Stderr(), "CIRCLE_TOKEN is not set: this is a fake CircleCI.\n"), "then a worker may say that Redis is too slow")
}

func TestProgressInATerminal(t *testing.T) {
	clitest.Demo(t)
	t.Setenv("REDIS_URL", "")
	con := clitest.New()
	con.OutTerminal = true
	require.NoError(t, run(bounded(t), &con.Console, nil), con.All())
	assert.Regexp(t, "\r\x1b\\[K +\\d+s  1 projects read, \\d+ failed tests\r\x1b\\[K", con.Stdout())
	assert.Contains(t, con.Stdout(), "12 projects read, 12 failed tests\nPROJECT", "the tables begin on a line of their own")
}

// Two workers in terminals of their own read each project once between them.
func TestWorkersInTwoTerminals(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	addProjects(srv, 5)
	clitest.Live(t, srv)
	m := miniredis.RunT(t)
	t.Setenv("REDIS_URL", "redis://"+m.Addr())
	read := map[string]int{}
	for _, worker := range []string{"1/2", "2/2"} {
		con := clitest.New()
		require.NoError(t, run(bounded(t), &con.Console, []string{"-worker", worker, "-q", "-json", "-pipelines", "2", "gh/acme"}))
		assert.Empty(t, con.Stderr())
		lines := strings.Split(strings.TrimSpace(con.Stdout()), "\n")
		for i, line := range lines {
			var d document
			require.NoError(t, json.Unmarshal([]byte(line), &d))
			if i == len(lines)-1 {
				assert.Equal(t, worker, d.Worker)
				assert.Equal(t, i, d.Projects)
				assert.Positive(t, d.Requests)
				continue
			}
			read[d.Project]++
			assert.Equal(t, 2, d.Pipelines)
			if d.Project == "gh/acme/service-04" {
				require.Len(t, d.Failed, 2)
				assert.Equal(t, failedTest{3, "test", "TestPayment", "want 200 OK, got 402 Payment Required"}, d.Failed[0])
			}
		}
	}
	assert.Len(t, read, 5)
	for project, times := range read {
		assert.Equal(t, 1, times, project)
	}
	assert.NotEmpty(t, m.Keys(), "the workers share their limit in Redis")
}

func TestAProjectThatCannotBeRead(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	addProjects(srv, 3)
	srv.Fail("GET /pipeline/{pipeline-id}/workflow", circlecitest.Response{Status: 403, Body: `{"message":"no access"}`})
	clitest.Live(t, srv)
	t.Setenv("REDIS_URL", "")
	con := clitest.New()
	assert.Equal(t, 1, con.Exit(run(bounded(t), &con.Console, []string{"-q", "gh/acme"})))
	assert.Regexp(t, `(?m)^gh/acme/service-0\d +- +- +circleci: .*no access`, con.Stdout())
	assert.Contains(t, con.Stderr(), "some projects could not be read")
}

func TestCtrlC(t *testing.T) {
	clitest.Demo(t)
	t.Setenv("REDIS_URL", "")
	ctx, cancel := context.WithCancel(bounded(t))
	con := clitest.New().When("1 projects read", cancel)
	assert.Equal(t, 130, con.Exit(run(ctx, &con.Console, nil)))
}

func TestAWorkerThatFails(t *testing.T) {
	srv := circlecitest.New(t)
	clitest.Live(t, srv)
	t.Setenv("REDIS_URL", "")
	con := clitest.New()
	assert.Equal(t, 1, con.Exit(run(bounded(t), &con.Console, []string{"-processes", "1", "gh/nobody"})))
	assert.Contains(t, con.Stderr(), "404")
	assert.Contains(t, con.Stderr(), "worker 1/1: exit status 1")
}

func TestWrongCalls(t *testing.T) {
	clitest.Live(t, circlecitest.New(t))
	t.Setenv("REDIS_URL", "")
	for _, args := range [][]string{
		{}, {"acme"}, {"-processes", "0", "gh/acme"}, {"-pipelines", "0", "gh/acme"},
		{"-worker", "3/2", "gh/acme"}, {"-worker", "0/2", "gh/acme"}, {"-worker", "1/2x", "gh/acme"}, {"-worker", "1", "gh/acme"},
		{"-worker", "1/2", "gh/acme"}, // there is no REDIS_URL
	} {
		con := clitest.New()
		assert.Equal(t, 2, con.Exit(run(bounded(t), &con.Console, args)), "%v", args)
		assert.NotEmpty(t, con.Stderr(), "%v", args)
	}
	t.Setenv("REDIS_URL", "http://localhost")
	con := clitest.New()
	assert.Equal(t, 2, con.Exit(run(bounded(t), &con.Console, []string{"-worker", "1/2", "gh/acme"})))
}
