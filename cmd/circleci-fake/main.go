// Command circleci-fake is a fake CircleCI server for programs in any language.
// It behaves like CircleCI's API v2, keeps state, and needs no account and no
// network. For tests in Go, use package circlecitest.
//
//	go run github.com/circleci-go/circleci/cmd/circleci-fake@latest -seed demo
//
// It prints its URL, a token, and how to use them. In a browser, the URL shows
// a status page with pipelines and their jobs, requests, and what is wrong with
// them; the page can also trigger, approve and rerun. Like the API, the server
// ignores unknown query parameters and members of request bodies, and shows
// them on that page; with -strict it refuses such requests.
//
// Tests script the server through the routes below /_fake/; GET /_fake/ lists
// them. The flag -script loads a scenario document at the start, and -config a
// .circleci/config.yml.
//
// Artifacts, outputs and exports are served on a second port, as CircleCI
// serves them from another host: a client must not send its token there.
//
// The server accepts requests for this machine only; -allow-host adds host
// names. Memory is bounded: see -keep. An interrupt stops the server.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/circleci-go/circleci/circlecitest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "circleci-fake:", err)
		os.Exit(1)
	}
}

// errUsage is a mistake in the flags that has been reported to the user.
var errUsage = errors.New("usage")

// requestsKept is how many requests are kept for the status page.
const requestsKept = 500

// run serves until the context ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("circleci-fake", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var (
		address = flags.String("addr", "127.0.0.1:8080", "the `address` to listen on; port 0 selects a free port")
		storage = flags.String("storage-addr", "127.0.0.1:0", "the `address` of the storage of artifacts, which is another origin")
		seed    = flags.String("seed", "demo", "the initial state: demo or empty")
		speed   = flags.Float64("speed", 1, "how many times faster than real time the clock runs: with 60, a one-minute job takes a second; 0 stops it until POST /_fake/time moves it")
		token   = flags.String("token", circlecitest.DefaultToken, "the token that the server accepts")
		script  = flags.String("script", "", "a `file` with a scenario document, in YAML or JSON, as for POST /_fake/scenario")
		hosts   = flags.String("allow-host", "", "further `hosts` under which requests are accepted, separated by commas, such as the name of a container; * for any")
		configs configFiles
		limit   rateLimit
		strict  = flags.Bool("strict", false, "refuse what the API would ignore: unknown query parameters and members of bodies")
		random  = flags.Uint64("random-seed", 1, "the seed of everything random: IDs, random outcomes and fractions of faults")
		ends    = flags.Bool("without-repeated-pages", false, "end the list of a context's variables, whose page CircleCI repeats with new page tokens")
		noV3    = flags.Bool("without-v3", false, "answer 404 to the API v3, as CircleCI server does")
		noV11   = flags.Bool("without-v11-triggers", false, "answer 410 to the routes of the API v1.1 that start and rerun builds, as CircleCI will from February 2027")
		keep    = flags.Int("keep", 5000, "how many pipelines are kept; older ones are removed")
	)
	flags.Var(&configs, "config", "the `path` of a .circleci/config.yml that pipelines of gh/acme/web run, or slug=path for another project; can be repeated")
	flags.Var(&limit, "rate-limit", "the most requests for each family of routes, such as `300/m`, 10/s or 1000/h; no limit by default")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage
	}
	usage := ""
	switch {
	case flags.NArg() > 0:
		usage = "unexpected arguments: " + strings.Join(flags.Args(), " ")
	case *seed != "demo" && *seed != "empty":
		usage = "-seed must be demo or empty"
	case !(*speed >= 0 && *speed <= 1e6): // also if it is not a number
		usage = "-speed must be from 0 to 1,000,000"
	case *keep < 1:
		usage = "-keep must be at least 1"
	case *token == "":
		usage = "-token must not be empty"
	}
	if usage != "" {
		fmt.Fprintln(stderr, "circleci-fake:", usage)
		return errUsage
	}

	opts := []circlecitest.Option{
		circlecitest.WithToken(*token), circlecitest.WithSpeed(*speed), circlecitest.WithAllowedHosts(strings.FieldsFunc(*hosts, func(r rune) bool { return r == ',' })...),
		circlecitest.WithRequestsKept(requestsKept), circlecitest.WithPipelinesKept(*keep), circlecitest.WithSeed(*random),
	}
	if *ends {
		opts = append(opts, circlecitest.WithoutRepeatedPages())
	}
	if *noV3 {
		opts = append(opts, circlecitest.WithoutV3())
	}
	if *noV11 {
		opts = append(opts, circlecitest.WithoutV11Triggers())
	}
	if *strict {
		opts = append(opts, circlecitest.WithStrictness())
	}
	srv := circlecitest.NewServer(opts...)
	defer srv.Close() // closes connections and cancels requests
	if *seed == "demo" {
		if err := seedDemo(ctx, srv); err != nil {
			return err
		}
	}
	if *script != "" {
		document, err := os.ReadFile(*script)
		if err != nil {
			return err
		}
		if err := srv.Load(document); err != nil {
			return fmt.Errorf("%s: %w", *script, err)
		}
	}
	if err := configs.configure(srv); err != nil {
		return err
	}
	if limit.n > 0 {
		srv.Weather(circlecitest.RateLimit(limit.n, limit.per))
	}
	if err := srv.Listen(*address, *storage); err != nil {
		return err
	}
	fmt.Fprintf(stdout, `This is a fake CircleCI server on this machine. See what goes on at %[1]s

  export CIRCLE_HOST=%[1]s
  export CIRCLE_TOKEN=%[2]s

  curl -H "Circle-Token: $CIRCLE_TOKEN" $CIRCLE_HOST/api/v2/me
`, srv.URL(), *token)
	if *seed == "demo" {
		fmt.Fprint(stdout, `  curl -H "Circle-Token: $CIRCLE_TOKEN" $CIRCLE_HOST/api/v2/project/gh/acme/web/pipeline
  curl -H "Circle-Token: $CIRCLE_TOKEN" -X POST $CIRCLE_HOST/api/v2/project/gh/acme/web/pipeline
`)
	}
	<-ctx.Done()
	fmt.Fprintln(stdout, "Stopped.")
	return nil
}

// rateLimit is a flag: a number of requests in a period.
type rateLimit struct {
	n   int
	per time.Duration
}

func (l *rateLimit) String() string {
	if l.n == 0 {
		return ""
	}
	return strconv.Itoa(l.n) + "/" + l.per.String()
}

func (l *rateLimit) Set(text string) error {
	count, unit, _ := strings.Cut(text, "/")
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 {
		return errors.New("want a positive number of requests, a slash and a period, such as 300/m")
	}
	per, err := time.ParseDuration(unit)
	if named := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]; named > 0 {
		per, err = named, nil
	}
	if err != nil || per <= 0 {
		return errors.New("the period must be s, m, h or a duration such as 30s")
	}
	l.n, l.per = n, per
	return nil
}
