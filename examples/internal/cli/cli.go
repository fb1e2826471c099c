// Package cli contains what the examples share as command line programs.
package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	"unicode"

	"golang.org/x/term"
)

// Console is where a program reads and writes.
type Console struct {
	In       io.Reader
	Out, Err io.Writer
	// InTerminal tells that somebody is there to answer, OutTerminal that
	// somebody watches.
	InTerminal, OutTerminal bool
	// Columns returns the terminal's width; nil if it is not known.
	Columns func() int
}

// Main runs a program and ends it with its exit status. The first Ctrl-C
// cancels the context, the second ends the program at once.
func Main(run func(ctx context.Context, con *Console, args []string) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	con := &Console{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTerminal: term.IsTerminal(int(os.Stdin.Fd())), OutTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		Columns: func() int {
			width, _, _ := term.GetSize(int(os.Stdout.Fd())) // 0: it is not known
			return width
		},
	}
	status := con.Exit(run(ctx, con, os.Args[1:]))
	stop()
	os.Exit(status)
}

// StatusError is an error with an exit status.
type StatusError struct {
	Status int
	Err    error // nil: it has been told
}

func (e *StatusError) Error() string { return fmt.Sprintf("exit status %d: %v", e.Status, e.Err) }

// Unwrap returns the cause.
func (e *StatusError) Unwrap() error { return e.Err }

// The exit statuses that all examples have in common.
const (
	StatusUsage       = 2
	StatusInterrupted = 130 // by Ctrl-C, or by a no
)

// Exit prints an error and returns its exit status.
func (c *Console) Exit(err error) int {
	var status *StatusError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(c.Err, "stopped")
		return StatusInterrupted
	case errors.Is(err, ErrDeclined):
		fmt.Fprintln(c.Err, err)
		return StatusInterrupted
	case errors.As(err, &status):
		if status.Err != nil {
			fmt.Fprintln(c.Err, status.Err)
		}
		return status.Status
	}
	fmt.Fprintln(c.Err, err)
	return 1
}

// Flags returns an empty set of flags; usage is the line that shows how the
// program is called.
func (c *Console) Flags(usage string) *flag.FlagSet {
	flags := flag.NewFlagSet(usage, flag.ContinueOnError)
	flags.SetOutput(c.Err)
	flags.Usage = func() {
		fmt.Fprintln(c.Err, "usage:", usage)
		flags.PrintDefaults()
		fmt.Fprintln(c.Err, "Without the environment variable CIRCLE_TOKEN it runs against a fake CircleCI server on this machine.")
	}
	return flags
}

// Parse parses the flags, and the arguments behind them, of which there may be
// so many.
func Parse(flags *flag.FlagSet, args []string, most int) error {
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return err
	case err != nil:
		return &StatusError{Status: StatusUsage} // it has been told
	case flags.NArg() > most:
		return Usage("%q is too much; flags come before the arguments", flags.Arg(most))
	}
	return nil
}

// Usage returns the error of an invalid command line.
func Usage(format string, args ...any) error {
	return &StatusError{Status: StatusUsage, Err: fmt.Errorf(format, args...)}
}

// ErrDeclined is the answer no.
var ErrDeclined = errors.New("nothing was changed")

// Confirm asks before something is changed, unless yes is set. It refuses if
// nobody can answer.
func (c *Console) Confirm(ctx context.Context, yes bool, question string) error {
	if yes {
		return nil
	}
	if !c.InTerminal {
		return Usage("%s Nobody is there to ask: give -yes if that is meant.", question)
	}
	fmt.Fprintf(c.Out, "%s [y/N] ", question)
	answer := make(chan string, 1)
	go func() { // which Ctrl-C does not wake up
		line, _ := bufio.NewReader(c.In).ReadString('\n') // no answer is a no
		answer <- line
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(c.Out)
		return ctx.Err()
	case line := <-answer:
		if !strings.EqualFold(strings.TrimSpace(line), "y") {
			return ErrDeclined
		}
		return nil
	}
}

// Progress is where a program tells what it does: standard error, so that a
// script can read the output, or nowhere.
func (c *Console) Progress(quiet bool) io.Writer {
	if quiet {
		return io.Discard
	}
	return c.Err
}

// JSON prints a value for a script.
func (c *Console) JSON(v any) error {
	enc := json.NewEncoder(c.Out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// Plain removes terminal control sequences from a text from outside.
func Plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
}

// Line shows progress: in a terminal it replaces the previous line, unless that
// was the last; elsewhere, such as in a log, it prints only news.
func (c *Console) Line(elapsed time.Duration, text string, news, last bool) {
	line := fmt.Sprintf("%6s  %s", elapsed.Round(time.Second), text)
	switch {
	case c.OutTerminal && last:
		fmt.Fprintf(c.Out, "\r\x1b[K%s\n", line)
	case c.OutTerminal:
		fmt.Fprintf(c.Out, "\r\x1b[K%s", c.fit(line))
	case news || last:
		fmt.Fprintln(c.Out, line)
	}
}

// fit cuts a line that the terminal would break: the next could not go over all
// of it.
func (c *Console) fit(line string) string {
	if c.Columns == nil {
		return line
	}
	runes, width := []rune(line), c.Columns()
	if width < 2 || len(runes) < width {
		return line
	}
	return string(runes[:width-2]) + "…"
}
