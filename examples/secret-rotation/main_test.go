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
	require.NoError(t, run(t.Context(), &con.Console, []string{"-apply"}))
	assert.Regexp(t, `production +\S+ +changed\n`, con.Stdout())
	assert.Regexp(t, `staging +\S+ +changed\n`, con.Stdout())
	assert.NotContains(t, con.Stdout(), "docs")
	assert.NotContains(t, con.All(), "new-value")
}

func TestNothingChangesWithoutApply(t *testing.T) {
	srv := circlecitest.New(t)
	clitest.Live(t, srv)
	id := srv.AddContext("gh/acme", "production", map[string]string{"API_KEY": "old"})
	t.Setenv("API_KEY", "hunter2")
	con := clitest.New()
	require.NoError(t, run(t.Context(), &con.Console, []string{"gh/acme", "API_KEY"}))
	assert.Empty(t, clitest.Sent(srv))
	assert.Contains(t, con.Stdout(), "would be changed")

	require.NoError(t, run(t.Context(), &con.Console, []string{"-apply", "gh/acme", "API_KEY"}))
	assert.Equal(t, map[string]string{"API_KEY": "hunter2"}, srv.ContextEnvVars(id))
	assert.NotContains(t, con.All(), "hunter2")
	assert.NotContains(t, con.All(), srv.Token())
}

// One context that cannot be changed does not keep the others from it.
func TestOneFails(t *testing.T) {
	srv := circlecitest.New(t)
	clitest.Live(t, srv)
	srv.AddContext("gh/acme", "a", map[string]string{"KEY": "old"})
	srv.AddContext("gh/acme", "b", map[string]string{"KEY": "old"})
	srv.Fail("PUT /context/{context_id}/environment-variable/{env_var_name}", circlecitest.Response{Status: 403})
	t.Setenv("NEW", "hunter2")
	con := clitest.New()
	assert.Equal(t, 1, con.Exit(run(t.Context(), &con.Console, []string{"-q", "-json", "-apply", "-from", "NEW", "gh/acme", "KEY"})))
	var holders []holder
	require.NoError(t, json.Unmarshal([]byte(con.Stdout()), &holders))
	require.Len(t, holders, 2)
	assert.NotEmpty(t, holders[0].Error)
	assert.True(t, holders[1].Changed)
	assert.Equal(t, "1 of 2 contexts could not be changed\n", con.Stderr(), "-q prints no progress")
	assert.NotContains(t, con.All(), "hunter2")
}

func TestWrongCalls(t *testing.T) {
	srv := circlecitest.New(t)
	clitest.Live(t, srv)
	t.Setenv("EMPTY", "")
	for _, args := range [][]string{{}, {"gh/acme"}, {"acme", "KEY"}, {"-apply", "gh/acme", "EMPTY"}} {
		con := clitest.New()
		assert.Equal(t, 2, con.Exit(run(t.Context(), &con.Console, args)), "%v", args)
	}
	assert.Empty(t, srv.Requests())
	srv.AddContext("gh/acme", "a", nil)
	con := clitest.New()
	assert.Equal(t, 1, con.Exit(run(t.Context(), &con.Console, []string{"gh/acme", "KEY"})), "no context has it")
}
