package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

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
	assert.Equal(t, "+ orbs\n~ version\n- legacy\n", con.Stdout())
	assert.Contains(t, con.Stderr(), "3 policies changed\n")
}

func TestPush(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "version.rego"), policy("version", "rule").Data, 0o600))
	for _, tt := range []struct {
		what   string
		args   []string
		con    *clitest.Console
		status int
		pushed bool
	}{
		{"a pipe", nil, clitest.New(), 2, false},
		{"a no", nil, clitest.New().Answer("n\n"), 130, false},
		{"-dry-run", []string{"-dry-run", "-yes"}, clitest.New(), 0, false},
		{"-json alone", []string{"-json"}, clitest.New(), 2, false},
		{"a yes", nil, clitest.New().Answer("y\n"), 0, true},
		{"-yes", []string{"-yes", "-q", "-json"}, clitest.New(), 0, true},
	} {
		srv := circlecitest.New(t)
		clitest.Live(t, srv)
		org := srv.AddOrg("gh/acme")
		assert.Equal(t, tt.status, tt.con.Exit(run(t.Context(), &tt.con.Console, append(tt.args, "gh/acme", dir))), tt.what)
		bundle, err := srv.Client().Policy.GetBundle(t.Context(), org)
		require.NoError(t, err)
		assert.Equal(t, tt.pushed, len(bundle) > 0, tt.what)
		if tt.what == "-yes" {
			var diff circleci.PolicyBundleDiff
			require.NoError(t, json.Unmarshal([]byte(tt.con.Stdout()), &diff))
			assert.Equal(t, []string{"version"}, diff.Created)
			assert.Empty(t, tt.con.Stderr())
		}
	}
}

// A wrong path does not delete all policies.
func TestEmptyDirectory(t *testing.T) {
	srv := circlecitest.New(t)
	clitest.Live(t, srv)
	srv.AddOrg("gh/acme")
	con := clitest.New()
	assert.Equal(t, 1, con.Exit(run(t.Context(), &con.Console, []string{"-yes", "gh/acme", t.TempDir()})))
	assert.Empty(t, clitest.Sent(srv))
	for _, args := range [][]string{{}, {"gh/acme"}, {"acme", "."}} {
		assert.Equal(t, 2, con.Exit(run(t.Context(), &con.Console, args)), "%v", args)
	}
}
