// Package cliconfig creates a client from the configuration of CircleCI's
// command line tool, so that users who have set up the tool need not configure
// a token again. It is a separate package because it links a YAML library.
package cliconfig

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/internal/env"
)

// Config is the tool's configuration.
type Config struct {
	// Path is the file that the other fields come from. It is empty if no file
	// has a token or a host.
	Path string
	// Token is empty if none is set. Version 1 of the tool keeps it in the
	// system's keyring, which this package does not read.
	Token circleci.Secret
	// Host is the host of the API. It is empty for circleci.com.
	Host string
	// CertificateFile is a PEM file with the certificate authorities of a
	// self-hosted server.
	CertificateFile string
}

// file is one of the tool's files. The two versions use different keys.
type file struct {
	Token        string `yaml:"token"`
	Host         string `yaml:"host"`
	RESTEndpoint string `yaml:"rest_endpoint"`
	TLSCert      string `yaml:"tls_cert"`
	TLSInsecure  bool   `yaml:"tls_insecure"`
}

// Paths returns the files that are read, in order of precedence:
// $XDG_CONFIG_HOME/circleci/config.yml, or ~/.config/circleci/config.yml, of
// version 1 of the tool, and ~/.circleci/cli.yml of version 0.
func Paths() []string {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil // without a home directory there are no files
	}
	config := os.Getenv("XDG_CONFIG_HOME")
	if config == "" {
		config = filepath.Join(home, ".config")
	}
	return []string{filepath.Join(config, "circleci", "config.yml"), filepath.Join(home, ".circleci", "cli.yml")}
}

// Load reads the files. It uses the first file with a token, together with that
// file's host, so that no token is sent to the host of another file. If no file
// has a token, it uses the first file with a host. A missing file or key is not
// an error, but an unreadable file is.
func Load() (Config, error) {
	var out Config
	for _, path := range Paths() {
		f, err := read(path)
		if err != nil {
			return Config{}, err
		}
		c := Config{Path: path, Token: circleci.Secret(f.token()), Host: f.host(), CertificateFile: f.TLSCert}
		if c.Token != "" {
			return c, nil
		}
		if out.Host == "" && c.Host != "" {
			out = c
		}
	}
	return out, nil
}

// NewClient returns a client that uses the token and the host from the
// environment, as [circleci.NewClientFromEnv] does, and takes what the
// environment lacks from the tool's files. Options take precedence over both.
//
// A token is sent only to the host that belongs to it. NewClient returns an
// error if the token is from the environment and the host from a file, or the
// other way round, unless
//
//   - both sources name the same origin; a source without a host names
//     circleci.com
//   - the file has no token and is of version 1 of the tool, which keeps its
//     token in the system's keyring: then the environment's token is used with
//     the file's host
//   - the host is given with [circleci.WithBaseURL]
//
// The certificate authorities of a file are used only with that file's host.
func NewClient(opts ...circleci.Option) (*circleci.Client, error) {
	file, err := Load()
	if err != nil {
		return nil, err
	}
	tokenText, tokenName := env.Token()
	hostText, hostName := env.Host()
	token, host := source{tokenText, tokenName}, source{hostText, hostName}
	if token.value == "" {
		token = source{file.Token.Reveal(), file.Path}
	}
	if host.value == "" && file.Host != "" {
		host = source{file.Host, file.Path}
	}
	if env.Quoted(token.value) {
		return nil, fmt.Errorf("circleci: the token in %s is quoted: remove the quotes", token.from)
	}
	own, err := resolve(token, host, &file, opts)
	if err != nil {
		return nil, err
	}
	own = append(own, circleci.WithTokenFrom(token.from))
	return circleci.NewClient(token.value, append(own, opts...)...)
}

// source is a value and the file or variable that it comes from.
type source struct{ value, from string }

// resolve returns the options for the host if the token may be sent to it.
func resolve(token, host source, file *Config, opts []circleci.Option) ([]circleci.Option, error) {
	to, err := origin(host)
	if err != nil {
		return nil, err
	}
	fileOrigin, fileErr := origin(source{file.Host, file.Path})
	belongs := to // the origin that the token belongs to
	switch {
	case token.value == "" || token.from == host.from:
	case token.from == file.Path:
		if fileErr != nil {
			return nil, fileErr
		}
		belongs = fileOrigin
	case host.from == file.Path && file.Token == "" && file.Path == Paths()[0]: // the keyring has the token
	default: // the environment names a token and no host
		if _, name := env.Host(); name == "" {
			belongs, _ = origin(source{}) // circleci.com
		}
	}
	if belongs != to {
		if explicit, err := hostIsGiven(opts); err != nil || explicit {
			return nil, err
		}
		from := host.from
		if from == "" {
			from = "the default"
		}
		return nil, fmt.Errorf("circleci: the token is from %s and the host %s from %s: to send the token there, "+
			"give the host with circleci.WithBaseURL, or set both in one place", token.from, to, from)
	}
	var own []circleci.Option
	if host.value != "" {
		own = append(own, circleci.WithBaseURL(host.value))
	}
	if file.CertificateFile != "" && to == fileOrigin {
		pool, err := authorities(file.CertificateFile)
		if err != nil {
			return nil, err
		}
		own = append(own, circleci.WithRootCAs(pool))
	}
	return own, nil
}

// origin returns the scheme and the host of a base URL in any form. An empty
// host is circleci.com.
func origin(host source) (string, error) {
	var opts []circleci.Option
	if host.value != "" {
		opts = append(opts, circleci.WithBaseURL(host.value), circleci.WithPlainHTTP())
	}
	c, err := circleci.NewClient("", opts...)
	if err != nil {
		return "", fmt.Errorf("%w (from %s)", err, host.from)
	}
	u, err := url.Parse(c.BaseURL())
	if err != nil {
		return "", fmt.Errorf("circleci: the host (from %s): %w", host.from, err)
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(u.Hostname(), port), nil
}

// hostIsGiven reports whether the options set a host.
func hostIsGiven(opts []circleci.Option) (bool, error) {
	const unset = "https://unset.invalid"
	c, err := circleci.NewClient("", append([]circleci.Option{circleci.WithBaseURL(unset)}, opts...)...)
	if err != nil {
		return false, err
	}
	return !strings.HasPrefix(c.BaseURL(), unset), nil
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
			"but this package always verifies certificates: name the server's certificate authority with tls_cert", path)
	}
	return f, nil
}

// withoutContent returns an error that does not quote the file, which may
// contain a token.
func withoutContent(err error) error {
	var (
		wrongType *yaml.TypeError
		line      int
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrongType):
		return errors.New("a key has a value of the wrong type")
	}
	if n, _ := fmt.Sscanf(err.Error(), "yaml: line %d:", &line); n == 1 {
		return fmt.Errorf("line %d is not valid YAML", line)
	}
	return errors.New("not valid YAML")
}

// token returns the token, or an empty one for the placeholder.
func (f *file) token() string {
	if f.Token == "token" { // version 0 writes this before a token is set
		return ""
	}
	return f.Token
}

// host returns the host, with the path of the API if it is not the default one.
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
