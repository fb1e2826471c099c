package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

// lead starts the workers with the given environment, and prints what they
// find. The end of the context ends them.
func lead(ctx context.Context, con *cli.Console, o options, org circleci.OrgSlug, env []string) error {
	if os.Getenv("REDIS_URL") == "" {
		m := miniredis.NewMiniRedis()
		m.ClockTTL(true) // otherwise keys never expire, and a pause never ends
		if err := m.StartAddr("127.0.0.1:0"); err != nil {
			return err
		}
		defer m.Close()
		env = append(env, "REDIS_URL=redis://"+m.Addr())
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	p := newPrinter(con, o)
	failed := make([]error, o.processes)
	var group sync.WaitGroup
	for i := range failed {
		group.Go(func() {
			name := part{i + 1, o.processes}.String()
			cmd := exec.CommandContext(ctx, self, "-worker", name, "-json", fmt.Sprintf("-q=%t", o.quiet),
				"-pipelines", strconv.Itoa(o.pipelines), string(org))
			cmd.Env, cmd.Stderr, cmd.WaitDelay = env, con.Err, 5*time.Second
			if err := follow(cmd, p); err != nil {
				failed[i] = fmt.Errorf("worker %s: %w", name, err)
			}
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.Join(append(failed, p.finish())...)
}

// follow runs a worker and prints its documents.
func follow(cmd *exec.Cmd, p *printer) error {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	complete := false
	for documents := json.NewDecoder(out); ; {
		var d document
		if err = documents.Decode(&d); err != nil {
			break
		}
		complete = complete || d.Worker != ""
		p.add(d)
	}
	_, _ = io.Copy(io.Discard, out) // what is not JSON
	ended := cmd.Wait()
	switch {
	case !complete && ended != nil:
		return ended
	case !complete:
		return fmt.Errorf("its output is incomplete: %w", err)
	}
	return nil // a project that could not be read is in its document
}
