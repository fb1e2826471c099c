package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/clitest"
)

func TestDemo(t *testing.T) {
	clitest.Demo(t)
	con := clitest.New()
	require.NoError(t, run(t.Context(), &con.Console, []string{"-most", "1"}))
	assert.Regexp(t, `(?m)^\d+ +\S+ +TestCheckout +suite_test.go +race, test$`, con.Stdout())
	assert.NotContains(t, con.Stdout(), "TestSearch")
	assert.Contains(t, con.Stderr(), "and 1 more")
}

func TestJSON(t *testing.T) {
	srv := circlecitest.New(t)
	clitest.Live(t, srv)
	srv.AddProject("gh/acme/api")
	addFlakyTests(srv, "gh/acme/web")
	con := clitest.New()
	require.NoError(t, run(t.Context(), &con.Console, []string{"-q", "-json", "gh/acme/web"}))
	var tests []flaky
	require.NoError(t, json.Unmarshal([]byte(con.Stdout()), &tests))
	require.Len(t, tests, 2)
	assert.Equal(t, []string{"race", "test"}, tests[0].Jobs)
	assert.Empty(t, con.Stderr())

	con = clitest.New()
	require.NoError(t, run(t.Context(), &con.Console, []string{"gh/acme/api"}))
	assert.Equal(t, "gh/acme/api has no flaky tests\n", con.Stdout())
}

func TestWrongCalls(t *testing.T) {
	clitest.Live(t, circlecitest.New(t))
	for _, args := range [][]string{{}, {"web"}, {"-most", "0", "gh/acme/web"}} {
		con := clitest.New()
		assert.Equal(t, 2, con.Exit(run(t.Context(), &con.Console, args)), "%v", args)
	}
}
