package main

import (
	"context"
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
		for _, text := range []string{
			"You are Ada Lovelace (ada).\n", "  3  success  main        ", "  2  failed   topic/cart  ", "\nTriggered pipeline 4.\n", "success (4 of 4 jobs): success\n",
			"build-and-test  deploy  success  30s\n", "\nARTIFACT test coverage/index.html\n",
		} {
			assert.Contains(t, con.Stdout(), text)
		}
	})
}

func TestFailure(t *testing.T) {
	clitest.Demo(t)
	synctest.Test(t, func(t *testing.T) {
		con := clitest.New()
		assert.Equal(t, 1, con.Exit(run(t.Context(), &con.Console, []string{"-fail"})))
		assert.Contains(t, con.Stdout(), "\nFAILED test TestPayment (suite_test.go)\n  want 200 OK, got 402 Payment Required\n")
		assert.Contains(t, con.Stderr(), "job test failed")
	})
}

func TestInterrupted(t *testing.T) {
	clitest.Demo(t)
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
		ctx, cancel := context.WithCancel(t.Context())
		con := clitest.New().When("running test", cancel)
		assert.Equal(t, 130, con.Exit(run(ctx, &con.Console, nil)))
	})
}

func TestNothingRunsUnasked(t *testing.T) {
	srv := circlecitest.New(t)
	srv.AddProject("gh/acme/web")
	clitest.Live(t, srv)
	for what, con := range map[string]*clitest.Console{"a pipe": clitest.New(), "a no": clitest.New().Answer("no\n")} {
		assert.NotZero(t, con.Exit(run(t.Context(), &con.Console, []string{"gh/acme/web"})), what)
		assert.Empty(t, clitest.Sent(srv), "%s must not trigger a pipeline", what)
		assert.NotContains(t, con.All(), srv.Token())
	}
	con := clitest.New()
	assert.Equal(t, 2, con.Exit(run(t.Context(), &con.Console, []string{"acme/web"})), "the slug is wrong")
	con = clitest.New()
	assert.Equal(t, 2, con.Exit(run(t.Context(), &con.Console, nil)), "the slug is missing")
	assert.Contains(t, con.Stderr(), "gh/your-org/your-project")
}
