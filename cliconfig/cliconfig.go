// Package cliconfig makes a client from the configuration of CircleCI's
// command line tool, so that who is logged in there need not set a token
// again. It is a package of its own because it links a YAML library.
package cliconfig

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/internal/env"
)

// Config is what the tool's configuration says.
type Config struct {
	// Token is empty if none is set; the newer tool keeps it in the system's
	// keyring, which is not read here.
	Token circleci.Secret
	// Host is empty for circleci.com.
	Host string
	// CertificateFile holds, in PEM, the authorities of a self-hosted server.
	CertificateFile string
}

// file is one of the tool's files. The keys of both generations are apart.
type file struct {
	Token        string `yaml:"token"`
	Host         string `yaml:"host"`
	RESTEndpoint string `yaml:"rest_endpoint"`
	TLSCert      string `yaml:"tls_cert"`
	TLSInsecure  bool   `yaml:"tls_insecure"`
}

// Paths are the files that are read, the one that wins first:
// $XDG_CONFIG_HOME/circleci/config.yml, or ~/.config/circleci/config.yml, of
// version 1 of the tool, and ~/.circleci/cli.yml of version 0.
func Paths() []string {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil // nobody's home: there are no files
	}
	config := os.Getenv("XDG_CONFIG_HOME")
	if config == "" {
		config = filepath.Join(home, ".config")
	}
	return []string{filepath.Join(config, "circleci", "config.yml"), filepath.Join(home, ".circleci", "cli.yml")}
}

// Load reads the files. The first with a token counts, with its host, so that
// no token goes to the host of another file; without a token anywhere, the
// first with a host. That a file or a key is missing is no error; that a file
// cannot be read is.
func Load() (Config, error) {
	var out Config
	for _, path := range Paths() {
		f, err := read(path)
		if err != nil {
			return Config{}, err
		}
		c := Config{Token: circleci.Secret(f.token()), Host: f.host(), CertificateFile: f.TLSCert}
		if c.Token != "" {
			return c, nil
		}
		if out.Host == "" {
			out = c
		}
	}
	return out, nil
}

// NewClient returns a client with the token and the host of the environment,
// as [circleci.NewClientFromEnv] does, and where it has none, of the tool's
// files. Options given here win over both.
func NewClient(opts ...circleci.Option) (*circleci.Client, error) {
	c, err := Load()
	if err != nil {
		return nil, err
	}
	var own []circleci.Option
	if host := cmp.Or(env.Host(), c.Host); host != "" {
		own = append(own, circleci.WithBaseURL(host))
	}
	if c.CertificateFile != "" {
		pool, err := authorities(c.CertificateFile)
		if err != nil {
			return nil, err
		}
		own = append(own, circleci.WithRootCAs(pool))
	}
	return circleci.NewClient(cmp.Or(env.Token(), c.Token.Reveal()), append(own, opts...)...)
}

func read(path string) (f file, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return file{}, nil
	}
	if err == nil {
		err = withoutContent(yaml.Unmarshal(data, &f))
	}
	if err != nil {
		return file{}, fmt.Errorf("circleci: the command line tool's configuration: %s: %w", path, err)
	}
	if f.TLSInsecure {
		return file{}, fmt.Errorf("circleci: the command line tool's configuration: %s: tls_insecure is set, "+
			"and this package does not go without verification: name the server's authority with tls_cert", path)
	}
	return f, nil
}

// withoutContent keeps a YAML error from quoting the file, and a token in it.
func withoutContent(err error) error {
	var (
		wrongType *yaml.TypeError
		line      int
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrongType):
		return errors.New("a key does not hold what it should")
	}
	if n, _ := fmt.Sscanf(err.Error(), "yaml: line %d:", &line); n == 1 {
		return fmt.Errorf("is no YAML in line %d", line)
	}
	return errors.New("is no YAML")
}

// token is empty for what stands for none.
func (f *file) token() string {
	if f.Token == "token" { // what version 0 writes before a login
		return ""
	}
	return f.Token
}

// host joins the host with what stands before the API's usual path, if the
// server has been moved there.
func (f *file) host() string {
	if f.Host == "" || f.RESTEndpoint == "" {
		return f.Host
	}
	return strings.TrimRight(f.Host, "/") + "/" + strings.Trim(f.RESTEndpoint, "/")
}

func authorities(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("circleci: tls_cert of the command line tool's configuration: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("circleci: tls_cert of the command line tool's configuration: %s holds no certificate", path)
	}
	return pool, nil
}
