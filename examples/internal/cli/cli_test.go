package cli_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/examples/internal/cli"
	"github.com/circleci-go/circleci/examples/internal/clitest"
)

func TestExit(t *testing.T) {
	for _, tt := range []struct {
		what   string
		err    error
		status int
		told   string
	}{
		{"all went well", nil, 0, ""},
		{"only the help was wanted", flag.ErrHelp, 0, ""},
		{"any error", errors.New("broken"), 1, "broken\n"},
		{"an error with its status", &cli.StatusError{Status: 6, Err: errors.New("on hold")}, 6, "on hold\n"},
		{"an error that has been told", &cli.StatusError{Status: 2}, 2, ""},
		{"a wrong call", cli.Usage("no %s", "slug"), 2, "no slug\n"},
		{"Ctrl-C within a call", &cli.StatusError{Status: 7, Err: fmt.Errorf("GET: %w", context.Canceled)}, 130, "stopped\n"},
		{"somebody has said no", cli.ErrDeclined, 130, "nothing was changed\n"},
	} {
		con := clitest.New()
		assert.Equal(t, tt.status, con.Exit(tt.err), tt.what)
		assert.Equal(t, tt.told, con.Stderr(), tt.what)
	}
}

func TestConfirm(t *testing.T) {
	ctx := t.Context()
	for _, tt := range []struct {
		what string
		con  *clitest.Console
		yes  bool
		want error
	}{
		{"the flag is there", clitest.New(), true, nil},
		{"somebody says yes", clitest.New().Answer("Y\n"), false, nil},
		{"somebody says no", clitest.New().Answer("n\n"), false, cli.ErrDeclined},
		{"somebody presses return", clitest.New().Answer("\n"), false, cli.ErrDeclined},
		{"somebody closes the input", clitest.New().Answer(""), false, cli.ErrDeclined},
	} {
		assert.Equal(t, tt.want, tt.con.Confirm(ctx, tt.yes, "Delete all?"), tt.what)
	}

	con := clitest.New() // a pipe
	assert.Equal(t, cli.StatusUsage, con.Exit(con.Confirm(ctx, false, "Delete all?")), "a pipe has nobody to ask, and has to be refused")
	assert.Contains(t, con.Stderr(), "-yes")
}

func TestConfirmCanBeInterrupted(t *testing.T) {
	typed, nobody := io.Pipe() // a read of it does not return
	t.Cleanup(func() { assert.NoError(t, nobody.Close()) })
	con := clitest.New()
	con.In, con.InTerminal = typed, true
	ctx, cancel := context.WithCancel(t.Context())
	con.When("[y/N]", cancel)
	require.ErrorIs(t, con.Confirm(ctx, false, "Delete all?"), context.Canceled, "Ctrl-C has to work at the question")
}

func TestParse(t *testing.T) {
	con := clitest.New()
	for _, tt := range []struct {
		args   []string
		status int
		told   string
	}{
		{[]string{"-yes", "gh/acme/web"}, 0, ""},
		{[]string{"-h"}, 0, "usage: deploy [flags] <slug>"},
		{[]string{"-nope"}, 2, "-nope"},
		{[]string{"gh/acme/web", "-yes"}, 2, `"-yes" is too much`}, // it would have had no effect
	} {
		flags := con.Flags("deploy [flags] <slug>")
		flags.Bool("yes", false, "do not ask")
		assert.Equal(t, tt.status, con.Exit(cli.Parse(flags, tt.args, 1)), "%v", tt.args)
		assert.Contains(t, con.Stderr(), tt.told, "%v", tt.args)
	}
}

func TestLine(t *testing.T) {
	show := func(con *clitest.Console) string {
		con.Line(0, "pending", true, false)
		con.Line(5*time.Second, "pending", false, false)
		con.Line(90*time.Second, "done", true, true)
		return con.Stdout()
	}
	assert.Equal(t, "    0s  pending\n 1m30s  done\n", show(clitest.New()), "a log has no use for a line without news")
	terminal := clitest.New()
	terminal.OutTerminal = true
	assert.Equal(t, "\r\x1b[K    0s  pending\r\x1b[K    5s  pending\r\x1b[K 1m30s  done\n", show(terminal), "a terminal has one line, which ends at the end")
	narrow := clitest.New()
	narrow.OutTerminal, narrow.Columns = true, func() int { return 12 }
	assert.Equal(t, "\r\x1b[K    0s  pe…\r\x1b[K    5s  pe…\r\x1b[K 1m30s  done\n", show(narrow), "a line that the terminal breaks in two is not gone over")
}

func TestPlain(t *testing.T) {
	assert.Equal(t, "a[31mb\n\tc", cli.Plain("a\x1b[31mb\r\n\tc"), "what others have written must not steer the terminal")
}
