// Command fleet lists the failed tests of all projects of an organization. It
// reads with several processes, which share one rate limit through Redis.
//
//	CIRCLE_TOKEN=… go run ./fleet -processes 4 gh/your-org
//
// It starts that many workers on this machine. To spread them over several
// machines or terminals, start each with its part of the projects; they share
// the limit through the Redis of REDIS_URL:
//
//	CIRCLE_TOKEN=… REDIS_URL=redis://localhost:6379 go run ./fleet -worker 1/2 gh/your-org
//	CIRCLE_TOKEN=… REDIS_URL=redis://localhost:6379 go run ./fleet -worker 2/2 gh/your-org
//
// Without REDIS_URL, -processes uses a Redis in this process. Without a token
// it uses a fake CircleCI server in this process:
//
//	go run ./fleet
//
// The flags:
//
//	-processes 2   the number of workers to start
//	-worker i/n    be worker i of n, in this process
//	-pipelines 5   how many of the newest pipelines of each project to read
//	-json          print JSON, one document a line: each project with its failed
//	               tests, and at last each worker with its requests
//	-q             print no progress
//
// The exit status is 1 if a project could not be read; the others are printed.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/redis/go-redis/v9"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

func main() { cli.Main(run) }

type options struct {
	processes, pipelines int
	part                 part
	json, quiet          bool
}

// part says which projects a worker reads: those of i, counted from 1, of n.
type part struct{ i, n int }

func (p part) String() string { return fmt.Sprintf("%d/%d", p.i, p.n) }

func (p *part) set(text string) error {
	if _, err := fmt.Sscanf(text, "%d/%d", &p.i, &p.n); err != nil || p.i < 1 || p.i > p.n || p.String() != text {
		return fmt.Errorf("%q is not a part such as 1/2", text)
	}
	return nil
}

func run(ctx context.Context, con *cli.Console, args []string) error {
	o := options{}
	flags := con.Flags("fleet [flags] <organization slug>")
	flags.IntVar(&o.processes, "processes", 2, "the number of workers to start")
	flags.Func("worker", "be a worker, as `i/n`", o.part.set)
	flags.IntVar(&o.pipelines, "pipelines", 5, "how many of the newest pipelines of each project to read")
	flags.BoolVar(&o.json, "json", false, "print JSON, one document a line")
	flags.BoolVar(&o.quiet, "q", false, "print no progress")
	if err := cli.Parse(flags, args, 1); err != nil {
		return err
	}
	if o.processes < 1 || o.pipelines < 1 {
		return cli.Usage("-processes and -pipelines are numbers from 1")
	}
	token, worker := os.Getenv("CIRCLE_TOKEN"), o.part.n > 0
	if token == "" && !worker {
		return runDemo(ctx, con, o)
	}
	org, err := circleci.ParseOrgSlug(flags.Arg(0))
	switch {
	case err != nil:
		return cli.Usage("pass the organization's slug as the argument: %w", err)
	case !worker:
		return lead(ctx, con, o, org, os.Environ())
	case token == "" || os.Getenv("REDIS_URL") == "":
		return cli.Usage("-worker needs CIRCLE_TOKEN, and REDIS_URL with the Redis that the workers share")
	}
	return work(ctx, con, o, org, token)
}

// work is one process of the fleet.
func work(ctx context.Context, con *cli.Console, o options, org circleci.OrgSlug, token string) error {
	opts, err := redis.ParseURL(os.Getenv("REDIS_URL"))
	if err != nil {
		return cli.Usage("REDIS_URL is not the address of a Redis: %w", err)
	}
	opts.ContextTimeoutEnabled = true
	redis.SetLogger(silent{}) // the limiter says once that Redis cannot be used
	rdb := redis.NewClient(opts)
	defer func() { _ = rdb.Close() }()
	w := worker{options: o, printer: newPrinter(con, o)}
	if err := w.connect(rdb, token, con.Progress(o.quiet)); err != nil {
		return err
	}
	if err := w.crawl(ctx, org); err != nil {
		return err
	}
	return w.printer.finish()
}

// silent is a logger for the Redis client.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}
