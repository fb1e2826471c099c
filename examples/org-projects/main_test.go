package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/clitest"
)

func TestDemo(t *testing.T) {
	clitest.Demo(t)
	con := clitest.New()
	require.NoError(t, run(t.Context(), &con.Console, nil))
	assert.Regexp(t, `PROJECT +RUN +STATE +BRANCH +STARTED
api +1 +failed +topic/limits +\d.*
attic +- +- +- +-
web +1 +success +main +\d.*
`, con.Stdout())
}

func TestLive(t *testing.T) {
	srv := circlecitest.New(t)
	srv.AddProject("gh/acme/web")
	clitest.Live(t, srv)
	con := clitest.New()
	require.NoError(t, run(t.Context(), &con.Console, []string{"gh/acme"}))
	assert.Contains(t, con.Stdout(), "web")

	con = clitest.New()
	assert.Equal(t, 1, con.Exit(run(t.Context(), &con.Console, []string{"gh/nobody"})))
	assert.Contains(t, con.Stderr(), `no resource has the slug "gh/nobody"`)
	assert.Equal(t, 2, con.Exit(run(t.Context(), &con.Console, []string{"acme"})), "the slug is wrong")
}
