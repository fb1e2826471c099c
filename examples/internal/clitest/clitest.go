// Package clitest runs the examples in tests.
package clitest

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

// Console is a console without a terminal, whose output is kept.
type Console struct {
	cli.Console
	out, err buffer
}

// New returns a console on which nobody types.
func New() *Console {
	c := &Console{}
	c.Console = cli.Console{In: strings.NewReader(""), Out: &c.out, Err: &c.err}
	return c
}

// Answer lets somebody sit there, who types this.
func (c *Console) Answer(text string) *Console {
	c.In, c.InTerminal = strings.NewReader(text), true
	return c
}

// When has f called once, when the output has come to hold the text.
func (c *Console) When(text string, f func()) *Console {
	c.out.text, c.out.f = text, sync.OnceFunc(f)
	return c
}

// Stdout returns what has been printed.
func (c *Console) Stdout() string { return c.out.String() }

// Stderr returns what has been told beside the output.
func (c *Console) Stderr() string { return c.err.String() }

// All returns both.
func (c *Console) All() string { return c.Stdout() + c.Stderr() }

type buffer struct {
	mu    sync.Mutex
	bytes bytes.Buffer
	text  string
	f     func()
}

var _ io.Writer = (*buffer)(nil)

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	n, err := b.bytes.Write(p)
	reached := b.f != nil && strings.Contains(b.bytes.String(), b.text)
	b.mu.Unlock()
	if reached {
		b.f()
	}
	return n, err
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes.String()
}

// Demo lets the examples find no token.
func Demo(t *testing.T) {
	t.Helper()
	t.Setenv("CIRCLE_TOKEN", "")
}

// Live lets the examples take a server for CircleCI.
func Live(t *testing.T, srv *circlecitest.Server) {
	t.Helper()
	t.Setenv("CIRCLE_TOKEN", srv.Token())
	t.Setenv("CIRCLE_HOST", srv.URL())
}

// Sent returns the operations that a server was asked for, of those that
// change something.
func Sent(srv *circlecitest.Server) []circlecitest.Request {
	var changes []circlecitest.Request
	for _, r := range srv.Requests() {
		if r.Method != http.MethodGet {
			changes = append(changes, r)
		}
	}
	return changes
}
