package main

import (
	"encoding/json"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/clitest"
)

func TestDemo(t *testing.T) {
	clitest.Demo(t)
	con := clitest.New()
	require.NoError(t, run(t.Context(), &con.Console, nil))
	for _, want := range []string{"pipeline 1 of gh/acme/web: failed\n", "job test of workflow build-and-test", "payment_test.go:41", "test suite.TestPayment: failure\n"} {
		assert.Contains(t, con.Stdout(), want)
	}
	assert.NotContains(t, con.Stdout(), "TestLogin")
}

func TestJSON(t *testing.T) {
	srv := circlecitest.New(t)
	clitest.Live(t, srv)
	addFailure(srv, "gh/acme/web")
	pipeline, err := srv.Client().Pipelines.ListForProject("gh/acme/web", nil).First(t.Context())
	require.NoError(t, err)
	for _, arg := range []string{pipeline.ID.String(), "gh/acme/web"} {
		con := clitest.New()
		require.NoError(t, run(t.Context(), &con.Console, []string{"-q", "-json", arg}))
		assert.Empty(t, con.Stderr())
		var d document
		require.NoError(t, json.Unmarshal([]byte(con.Stdout()), &d))
		assert.Equal(t, circleci.OutcomeFailed, d.Outcome)
		require.Len(t, d.Jobs, 1)
		require.Len(t, d.Jobs[0].Tests, 1)
		require.NotEmpty(t, d.Jobs[0].Steps)
		assert.Contains(t, d.Jobs[0].Steps[0].Output, "payment_test.go:41")
		assert.Empty(t, d.Missing)
	}
}

func TestErrors(t *testing.T) {
	srv := circlecitest.New(t)
	srv.AddProject("gh/acme/web")
	clitest.Live(t, srv)
	for arg, status := range map[string]int{"": 2, "web": 2, "gh/acme/web": 1, uuid.NewString(): 1} {
		con := clitest.New()
		assert.Equal(t, status, con.Exit(run(t.Context(), &con.Console, []string{arg})), "%q", arg)
	}
}
