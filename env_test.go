package circleci_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

var (
	tokenNames = []string{"CIRCLE_TOKEN", "CIRCLECI_TOKEN", "CIRCLECI_CLI_TOKEN", "CIRCLE_CLI_TOKEN"}
	hostNames  = []string{"CIRCLE_HOST", "CIRCLECI_HOST", "CIRCLECI_BASE_URL", "CIRCLECI_CLI_HOST", "CIRCLE_CLI_HOST"}
)

func clearEnv(t *testing.T) {
	for _, name := range append(append([]string(nil), tokenNames...), hostNames...) {
		t.Setenv(name, "")
	}
}

// whoAmI returns the request that a client from the environment sends.
func whoAmI(t *testing.T, opts ...circleci.Option) sentRequest {
	t.Helper()
	wire := replies(answers(200, me))
	client, err := circleci.NewClientFromEnv(append(opts, circleci.WithHTTPClient(&http.Client{Transport: wire}))...)
	require.NoError(t, err)
	_, err = client.Users.Me(t.Context())
	require.NoError(t, err)
	return wire.only(t)
}

func TestTheEnvironmentIsReadInOrder(t *testing.T) {
	clearEnv(t)
	sent := whoAmI(t)
	assert.Equal(t, "https://circleci.com/api/v2/me", sent.URL)
	assert.Empty(t, tokenIn(sent.Header), "without a token the client is anonymous")

	for i := len(tokenNames) - 1; i >= 0; i-- { // each one wins over those that follow
		t.Setenv(tokenNames[i], "token-of-"+tokenNames[i])
		assert.Equal(t, "token-of-"+tokenNames[i], whoAmI(t).Header.Get("Circle-Token"))
	}
	for i := len(hostNames) - 1; i >= 0; i-- {
		t.Setenv(hostNames[i], "https://h"+string(rune('0'+i))+".example.com/api/v2")
		assert.Equal(t, "https://h"+string(rune('0'+i))+".example.com/api/v2/me", whoAmI(t).URL)
	}
}

func TestOptionsWinOverTheEnvironment(t *testing.T) {
	clearEnv(t)
	t.Setenv("CIRCLE_HOST", "https://env.example.com")
	t.Setenv("CIRCLE_TOKEN", canary)
	sent := whoAmI(t, circleci.WithBaseURL("https://opt.example.com"), circleci.WithBearerAuth())
	assert.Equal(t, "https://opt.example.com/api/v2/me", sent.URL)
	assert.Equal(t, "Bearer "+canary, sent.Header.Get("Authorization"))
}

func TestAnInvalidEnvironment(t *testing.T) {
	clearEnv(t)
	for _, quote := range []string{`"`, "'"} {
		t.Setenv("CIRCLECI_TOKEN", quote+canary+quote)
		_, err := circleci.NewClientFromEnv()
		require.ErrorIs(t, err, circleci.ErrInvalidArgument)
		require.ErrorContains(t, err, "CIRCLECI_TOKEN: is quoted")
		assert.NotContains(t, err.Error(), canary)
	}
	t.Setenv("CIRCLECI_TOKEN", "")
	t.Setenv("CIRCLECI_HOST", "ftp://x")
	_, err := circleci.NewClientFromEnv()
	require.ErrorContains(t, err, "from CIRCLECI_HOST")
	_, err = circleci.NewClientFromEnv(circleci.WithBaseURL("ftp://x"))
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "CIRCLECI_HOST", "the option replaced it")
	t.Setenv("CIRCLECI_HOST", "")

	t.Setenv("CIRCLE_TOKEN", canary+"\n")
	_, err = circleci.NewClientFromEnv()
	require.ErrorIs(t, err, circleci.ErrInvalidArgument)
	assert.NotContains(t, err.Error(), canary)

	t.Setenv("CIRCLE_TOKEN", canary)
	t.Setenv("CIRCLECI_CLI_HOST", "http://ci.example.com")
	_, err = circleci.NewClientFromEnv()
	require.ErrorIs(t, err, circleci.ErrInvalidArgument)
	_, err = circleci.NewClientFromEnv(circleci.WithPlainHTTP())
	require.NoError(t, err)
}
