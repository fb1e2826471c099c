package main

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/clitest"
)

func TestDemo(t *testing.T) {
	clitest.Demo(t)
	synctest.Test(t, func(t *testing.T) {
		con := clitest.New()
		require.NoError(t, run(t.Context(), &con.Console, nil))
		for _, want := range []string{
			`^read pipelines  internal `,
			`(?m)^  GET /me  internal \S+ attempts=2 waited=1\S*s status=200\n    GET /me  client \S+ status=429 error=429\n    GET /me  client \S+ status=200 resend=1$`,
			`(?m)^  GET /pipeline/\{pipeline-id\}/workflow  internal \S+ attempts=\d waited=\S+ status=200$`,
			`(?m)^    GET /pipeline/\{pipeline-id\}/workflow  client \S+ status=503 error=503$`,
			`(?m)^circleci.client.call.duration +5 values, mean `,
			`(?m)^circleci.client.call.wait +5 values, mean `,
			`(?m)^http.client.request.duration +8 values, mean `,
		} {
			assert.Regexp(t, want, con.Stdout())
		}
	})
}

func TestLive(t *testing.T) {
	srv := circlecitest.New(t)
	srv.AddProject("gh/acme/web")
	clitest.Live(t, srv)
	con := clitest.New()
	require.NoError(t, run(t.Context(), &con.Console, []string{"-q", "gh/acme/web"}))
	assert.Contains(t, con.Stdout(), "\n  GET /project/{project-slug}/pipeline  internal ")
	assert.NotContains(t, con.All(), srv.Token())
	assert.NotContains(t, con.Stdout(), "circleci.client.call.wait")
	assert.Empty(t, con.Stderr())

	srv.Fail("GET /me", circlecitest.Response{Status: 401})
	con = clitest.New()
	assert.Equal(t, 1, con.Exit(run(t.Context(), &con.Console, []string{"gh/acme/web"})))
	assert.Contains(t, con.Stdout(), "error=401", "the spans of a failure are those that one needs")
	for _, args := range [][]string{{}, {"web"}, {"-most", "0", "gh/acme/web"}} {
		assert.Equal(t, 2, con.Exit(run(t.Context(), &con.Console, args)), "%v", args)
	}
}
