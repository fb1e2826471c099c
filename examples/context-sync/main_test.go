package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/clitest"
)

const env = `API_KEY='hunter$2' # a remark
export API_URL=https://api.example.com
`

var before = map[string]string{"API_KEY": "old-key", "LEGACY": "old-legacy"}

// live is a server with a context, and a file with variables for it.
func live(t *testing.T) (srv *circlecitest.Server, id uuid.UUID, file string) {
	t.Helper()
	srv = circlecitest.New(t)
	clitest.Live(t, srv)
	id = srv.AddContext("gh/acme", "production", before)
	file = filepath.Join(t.TempDir(), "prod.env")
	require.NoError(t, os.WriteFile(file, []byte(env), 0o600))
	return srv, id, file
}

// assertNoSecrets checks that nothing was shown that must not be.
func assertNoSecrets(t *testing.T, srv *circlecitest.Server, con *clitest.Console) {
	t.Helper()
	for _, secret := range []string{srv.Token(), "hunter", "api.example.com", "old-key", "old-legacy"} {
		assert.NotContains(t, con.All(), secret, "values and tokens must not be shown")
	}
}

func TestDemo(t *testing.T) {
	clitest.Demo(t)
	con := clitest.New()
	require.NoError(t, run(t.Context(), &con.Console, nil))
	assert.Contains(t, con.Stdout(), "+ API_URL\n+ DB_PASSWORD\n~ API_KEY\n  LEGACY_KEY\n")
	assert.Contains(t, con.Stdout(), "3 variables written, 0 deleted\n")
	for _, secret := range []string{"w0rd", "horse", "api.example.com"} {
		assert.NotContains(t, con.All(), secret)
	}
}

func TestDemoTakesAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "my.env")
	require.NoError(t, os.WriteFile(file, []byte("MINE=1\n"), 0o600))
	clitest.Demo(t)
	con := clitest.New()
	require.NoError(t, run(t.Context(), &con.Console, []string{"-file", file}))
	assert.Contains(t, con.Stdout(), "+ MINE\n")
}

func TestApply(t *testing.T) {
	for _, tt := range []struct {
		args []string
		con  *clitest.Console
		want map[string]string
	}{
		{nil, clitest.New().Answer("y\n"), map[string]string{"API_KEY": "hunter$2", "API_URL": "https://api.example.com", "LEGACY": "old-legacy"}},
		{[]string{"-yes"}, clitest.New(), map[string]string{"API_KEY": "hunter$2", "API_URL": "https://api.example.com", "LEGACY": "old-legacy"}},
		{[]string{"-yes", "-delete"}, clitest.New(), map[string]string{"API_KEY": "hunter$2", "API_URL": "https://api.example.com"}},
	} {
		srv, id, file := live(t)
		require.NoError(t, run(t.Context(), &tt.con.Console, append(tt.args, "-file", file, "gh/acme", "production")), "%v", tt.args)
		assert.Equal(t, tt.want, srv.ContextEnvVars(id), "%v", tt.args)
		assertNoSecrets(t, srv, tt.con)
	}
}

func TestNothingChangesUnasked(t *testing.T) {
	for _, tt := range []struct {
		what   string
		args   []string
		con    *clitest.Console
		status int
	}{
		{"a pipe", nil, clitest.New(), 2},
		{"a no", nil, clitest.New().Answer("n\n"), 130},
		{"-dry-run", []string{"-dry-run", "-yes"}, clitest.New(), 0},
	} {
		srv, id, file := live(t)
		status := tt.con.Exit(run(t.Context(), &tt.con.Console, append(tt.args, "-delete", "-file", file, "gh/acme", "production")))
		assert.Equal(t, tt.status, status, tt.what)
		assert.Equal(t, before, srv.ContextEnvVars(id), "%s must not change anything", tt.what)
		assert.Empty(t, clitest.Sent(srv), tt.what)
		assert.Contains(t, tt.con.Stdout(), "+ API_URL\n~ API_KEY\n- LEGACY\n1 new, 1 written again, 1 deleted, 0 kept\n", tt.what)
		assertNoSecrets(t, srv, tt.con)
	}
}

func TestItBreaksHalfway(t *testing.T) {
	srv, id, file := live(t)
	srv.Fail("DELETE /context/{context_id}/environment-variable/{env_var_name}", circlecitest.Response{Status: 400, Body: `{"message":"no"}`})
	con := clitest.New()
	assert.Equal(t, 1, con.Exit(run(t.Context(), &con.Console, []string{"-yes", "-delete", "-file", file, "gh/acme", "production"})))
	assert.Contains(t, con.Stdout(), "1 variables written, 0 deleted\n", "who has changed half has to know what")
	assert.Contains(t, con.Stderr(), "LEGACY")
	assert.Equal(t, map[string]string{"API_KEY": "hunter$2", "LEGACY": "old-legacy"}, srv.ContextEnvVars(id))
	assertNoSecrets(t, srv, con)
}

func TestFilesThatCannotBeRead(t *testing.T) {
	srv, _, file := live(t)
	for content, told := range map[string]string{
		"hunter2 is my password\n": "it is not a .env file",
		"A='hunter2\n":             "it is not a .env file",
		"# nothing\n":              "it has no variables",
		"":                         "it has no variables",
	} {
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		con := clitest.New()
		assert.Equal(t, 1, con.Exit(run(t.Context(), &con.Console, []string{"-yes", "-delete", "-file", file, "gh/acme", "production"})), "%q", content)
		assert.Contains(t, con.Stderr(), told, "%q", content)
		assertNoSecrets(t, srv, con)
	}
	con := clitest.New()
	assert.Equal(t, 1, con.Exit(run(t.Context(), &con.Console, []string{"-file", file + ".not", "gh/acme", "production"})))
	assert.Empty(t, srv.Requests())
}

func TestNoSuchContext(t *testing.T) {
	_, _, file := live(t)
	con := clitest.New()
	assert.Equal(t, 1, con.Exit(run(t.Context(), &con.Console, []string{"-yes", "-file", file, "gh/acme", "Production"})))
	assert.Contains(t, con.Stderr(), `gh/acme has no context "Production"`)
}

func TestWrongCalls(t *testing.T) {
	srv, _, _ := live(t)
	for _, args := range [][]string{{}, {"gh/acme"}, {"acme", "production"}, {"gh/acme", "production", "-yes"}, {"-nope"}} {
		con := clitest.New()
		assert.Equal(t, 2, con.Exit(run(t.Context(), &con.Console, args)), "%v", args)
		assert.NotEmpty(t, con.Stderr(), "%v", args)
	}
	assert.Empty(t, srv.Requests())
}
