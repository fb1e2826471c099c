package cliconfig_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/cliconfig"
)

// atHome gives the test a home of its own, with these files.
func atHome(t testing.TB, files map[string]string) string {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", "")
	for _, name := range []string{
		"CIRCLE_TOKEN", "CIRCLECI_TOKEN", "CIRCLECI_CLI_TOKEN", "CIRCLE_CLI_TOKEN",
		"CIRCLE_HOST", "CIRCLECI_HOST", "CIRCLECI_BASE_URL", "CIRCLECI_CLI_HOST", "CIRCLE_CLI_HOST",
	} {
		t.Setenv(name, "")
	}
	for name, content := range files {
		path := filepath.Join(home, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	return home
}

const (
	v0 = ".circleci/cli.yml"
	v1 = ".config/circleci/config.yml"
)

func TestLoad(t *testing.T) {
	for name, c := range map[string]struct {
		files       map[string]string
		token, host string
	}{
		"no file":                         {nil, "", ""},
		"empty files":                     {map[string]string{v0: "", v1: "{}"}, "", ""},
		"version 0":                       {map[string]string{v0: "host: https://ci.example.com\ntoken: abc\nendpoint: graphql-unstable\n"}, "abc", "https://ci.example.com"},
		"version 0, not logged in":        {map[string]string{v0: "host: https://ci.example.com\ntoken: token\n"}, "", "https://ci.example.com"},
		"version 0, empty token":          {map[string]string{v0: "token: \"\"\n"}, "", ""},
		"version 0, another path":         {map[string]string{v0: "host: https://ci.example.com/\ntoken: abc\nrest_endpoint: /ci/api/v2/\n"}, "abc", "https://ci.example.com/ci/api/v2"},
		"version 1":                       {map[string]string{v1: "token: new\nhost: ci.example.com\ntheme: dark\n"}, "new", "ci.example.com"},
		"version 1, token in the keyring": {map[string]string{v1: "host: https://circleci.com\n"}, "", "https://circleci.com"},
		"both: the newer wins":            {map[string]string{v0: "token: old\nhost: https://old.example.com\n", v1: "token: new\n"}, "new", ""},
		"both: the token keeps its host": {
			map[string]string{v0: "token: old\nhost: https://old.example.com\n", v1: "host: https://new.example.com\n"}, "old", "https://old.example.com",
		},
	} {
		t.Run(name, func(t *testing.T) {
			atHome(t, c.files)
			got, err := cliconfig.Load()
			require.NoError(t, err)
			assert.Equal(t, c.token, got.Token.Reveal())
			assert.Equal(t, c.host, got.Host)
		})
	}
}

func TestXDGConfigHome(t *testing.T) {
	home := atHome(t, map[string]string{"xdg/circleci/config.yml": "token: xdg\n", v1: "token: dot\n"})
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "xdg"))
	got, err := cliconfig.Load()
	require.NoError(t, err)
	assert.Equal(t, "xdg", got.Token.Reveal())
}

func TestUnreadableFilesAreErrors(t *testing.T) {
	for name, content := range map[string]string{
		"no YAML":        "token: [CANARY",
		"wrong type":     "token: {CANARY: CANARY}",
		"no TLS":         "token: CANARY\ntls_insecure: true\n",
		"no certificate": "token: CANARY\ntls_cert: /nowhere/ca.pem\n",
	} {
		t.Run(name, func(t *testing.T) {
			atHome(t, map[string]string{v0: content})
			_, err := cliconfig.NewClient()
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "CANARY", "the token is not shown")
		})
	}
	t.Run("a directory", func(t *testing.T) {
		home := atHome(t, nil)
		require.NoError(t, os.MkdirAll(filepath.Join(home, filepath.FromSlash(v1)), 0o700))
		_, err := cliconfig.Load()
		assert.ErrorContains(t, err, "config.yml")
	})
}

func TestAMissingHomeDirectoryIsNotAnError(t *testing.T) {
	atHome(t, nil)
	t.Setenv("HOME", "")
	c, err := cliconfig.NewClient()
	require.NoError(t, err)
	assert.Equal(t, "https://circleci.com/api/v2", c.BaseURL())
}

func TestNewClient(t *testing.T) {
	srv := circlecitest.New(t)
	atHome(t, map[string]string{v0: "token: " + srv.Token() + "\nhost: " + srv.URL() + "\n"})
	c, err := cliconfig.NewClient()
	require.NoError(t, err)
	me, err := c.Users.Me(t.Context())
	require.NoError(t, err, "the file's token goes to the file's host")
	assert.Equal(t, "ada", me.Login)

	srv.RotateToken("new-token")
	_, err = c.Users.Me(t.Context())
	require.ErrorIs(t, err, circleci.ErrUnauthorized)
	require.ErrorContains(t, err, "the token is from "+cliconfig.Paths()[1])

	t.Setenv("CIRCLE_TOKEN", "wrong")
	t.Setenv("CIRCLE_HOST", srv.URL())
	c, err = cliconfig.NewClient()
	require.NoError(t, err)
	_, err = c.Users.Me(t.Context())
	require.ErrorIs(t, err, circleci.ErrUnauthorized, "the environment takes precedence")
	require.ErrorContains(t, err, "the token is from CIRCLE_TOKEN")
	c, err = cliconfig.NewClient(circleci.WithBaseURL("other.example.com"))
	require.NoError(t, err)
	assert.Equal(t, "https://other.example.com/api/v2", c.BaseURL(), "an option takes precedence over all")
}

// A token goes to the host that belongs to it, or nowhere.
func TestATokenStaysWithItsHost(t *testing.T) {
	const (
		onPrem = "token: file-token\nhost: https://ci.example.com\n"
		cloud  = "token: file-token\nhost: https://circleci.com\n"
	)
	for name, c := range map[string]struct {
		files           map[string]string
		token, host     string // of the environment
		want, wantError string // want is the base URL
	}{
		"both from the environment":               {map[string]string{v0: onPrem}, "env-token", "other.example.com", "https://other.example.com/api/v2", ""},
		"both from the file":                      {map[string]string{v0: onPrem}, "", "", "https://ci.example.com/api/v2", ""},
		"the file's token, the same origin":       {map[string]string{v0: onPrem}, "", "https://CI.example.com:443/api", "https://ci.example.com:443/api/v2", ""},
		"the environment's token, the cloud":      {map[string]string{v0: cloud}, "env-token", "", "https://circleci.com/api/v2", ""},
		"the environment's token, no file":        {nil, "env-token", "", "https://circleci.com/api/v2", ""},
		"the file's token, another host":          {map[string]string{v0: onPrem}, "", "other.example.com", "", "CIRCLE_HOST"},
		"the file's token, the cloud's host":      {map[string]string{v0: onPrem}, "", "circleci.com", "", "CIRCLE_HOST"},
		"a token without host, another host":      {map[string]string{v1: "token: file-token\n"}, "", "ci.example.com", "", "CIRCLE_HOST"},
		"another port":                            {map[string]string{v0: onPrem}, "", "ci.example.com:8443", "", "8443"},
		"the environment's token, a file's host":  {map[string]string{v0: onPrem}, "env-token", "", "", "CIRCLE_TOKEN"},
		"version 0 without token":                 {map[string]string{v0: "host: ci.example.com\n"}, "env-token", "", "", "CIRCLE_TOKEN"},
		"version 1 with a token of its own":       {map[string]string{v1: onPrem}, "env-token", "", "", "CIRCLE_TOKEN"},
		"version 1, its token in the keyring":     {map[string]string{v1: "host: ci.example.com\n"}, "env-token", "", "https://ci.example.com/api/v2", ""},
		"no token":                                {map[string]string{v0: "host: ci.example.com\n"}, "", "", "https://ci.example.com/api/v2", ""},
		"a host that is not valid":                {nil, "env-token", "ftp://x", "", "from CIRCLE_HOST"},
		"a file's host that is not valid":         {map[string]string{v0: "token: a\nhost: ftp://x\n"}, "", "", "", "cli.yml"},
		"a file's host that is not used":          {map[string]string{v0: "host: ftp://x\n"}, "env-token", "ci.example.com", "https://ci.example.com/api/v2", ""},
		"a file's token whose host is not valid":  {map[string]string{v0: "token: a\nhost: ftp://x\n"}, "", "ci.example.com", "", "cli.yml"},
		"a token within quotes":                   {nil, `"env-token"`, "", "", "CIRCLE_TOKEN is quoted"},
		"a token of a file, within single quotes": {map[string]string{v0: `token: "'abc'"`}, "", "", "", "cli.yml is quoted"},
	} {
		t.Run(name, func(t *testing.T) {
			atHome(t, c.files)
			t.Setenv("CIRCLE_TOKEN", c.token)
			t.Setenv("CIRCLE_HOST", c.host)
			client, err := cliconfig.NewClient()
			if c.wantError == "" {
				require.NoError(t, err)
				assert.Equal(t, c.want, client.BaseURL())
				return
			}
			require.ErrorContains(t, err, c.wantError)
			assert.NotContains(t, err.Error(), "-token")
			if !strings.Contains(name, "valid") && !strings.Contains(name, "quotes") {
				assert.Regexp(t, `(cli|config)\.yml`, err.Error(), "both sources are named")
				assert.ErrorContains(t, err, "circleci.WithBaseURL")
				client, err = cliconfig.NewClient(circleci.WithBaseURL("https://ci.example.com"))
				require.NoError(t, err, "the option that the error names permits it")
				assert.Equal(t, "https://ci.example.com/api/v2", client.BaseURL())
			}
		})
	}
}

func TestAFilesAuthorityIsForItsHostAlone(t *testing.T) {
	atHome(t, map[string]string{v1: "host: ci.example.com\ntls_cert: /nowhere/ca.pem\n"})
	t.Setenv("CIRCLE_TOKEN", "env-token")
	_, err := cliconfig.NewClient()
	require.ErrorContains(t, err, "tls_cert")
	t.Setenv("CIRCLE_HOST", "circleci.com")
	_, err = cliconfig.NewClient()
	require.NoError(t, err, "the authority of another host is not read")
}

func TestAnAuthorityOfOnesOwn(t *testing.T) {
	fake := circlecitest.New(t)
	srv := httptest.NewTLSServer(http.HandlerFunc(fake.ServeHTTP))
	t.Cleanup(srv.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	home := atHome(t, map[string]string{"ca.pem": string(ca), "bad.pem": "nothing"})
	write := func(cert string) {
		text := "token: " + fake.Token() + "\nhost: " + srv.URL + "\ntls_cert: " + filepath.Join(home, cert) + "\n"
		require.NoError(t, os.MkdirAll(filepath.Join(home, ".circleci"), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(home, filepath.FromSlash(v0)), []byte(text), 0o600))
	}
	write("ca.pem")
	c, err := cliconfig.NewClient()
	require.NoError(t, err)
	_, err = c.Users.Me(t.Context())
	require.NoError(t, err)

	write("bad.pem")
	_, err = cliconfig.NewClient()
	assert.ErrorContains(t, err, "holds no certificate")
}

func FuzzConfigFile(f *testing.F) {
	const secret = "CCIPAT_s3cret"
	f.Add("token: abc\nhost: https://ci.example.com\n")
	f.Add("token: token\nrest_endpoint: api/v2\ntls_insecure: true\n")
	f.Add("{]")
	f.Add("token: " + secret + "\nhost: [" + secret)
	f.Add("token: *" + secret)
	f.Add("token: &a [*a]")
	f.Add("? " + secret + "\n? " + secret)
	f.Add("token: !!int " + secret)
	f.Add("%" + secret)
	file := filepath.Join(atHome(f, map[string]string{v0: ""}), filepath.FromSlash(v0))
	f.Fuzz(func(t *testing.T, content string) {
		if len(content) > 300 {
			return // a long one finds nothing more, and takes minutes to minimize
		}
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		c, err := cliconfig.Load()
		if err != nil {
			assert.NotContains(t, err.Error(), secret, "an error goes to a log, and the token with it")
			assert.NotContains(t, err.Error(), "\n")
			return
		}
		assert.NotEqual(t, "token", c.Token.Reveal())
		client, err := cliconfig.NewClient()
		if err != nil {
			assert.NotContains(t, err.Error(), secret)
			return
		}
		assert.NotContains(t, client.String(), secret)
	})
}
