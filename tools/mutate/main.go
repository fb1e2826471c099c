// Command mutate measures how well the tests notice changes to the code. It
// draws a seeded sample of small changes (mutants), and runs the tests against
// each:
//
//	go run ./mutate [-n 150] [-seed 1] [-C dir] package[,tests...] ...
//
// Each argument names the package to change (a pattern such as ./circlecitest/...
// is one sample) and, after commas, further packages whose tests may notice.
//
// All mutants of a sample are compiled into one test binary, each behind a
// switch that an environment variable turns on, so that a mutant costs a test
// run and no build. Mutants that equivalent.txt lists are not counted.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"time"
)

//go:embed equivalent.txt
var equivalentList string

func main() {
	log.SetFlags(0)
	n := flag.Int("n", 150, "how many mutants to draw")
	seed := flag.Uint64("seed", 1, "seed of the sample")
	dir := flag.String("C", ".", "directory of the module")
	limit := flag.Duration("timeout", 2*time.Minute, "upper bound of the time limit of a test run, which is five times what the unchanged tests take; a mutant that exceeds it is killed")
	parallel := flag.Int("p", 2, "how many mutants to test at a time")
	verbose := flag.Bool("v", false, "print which test has killed each mutant")
	floor := flag.Float64("floor", 90, "least percentage of mutants to kill")
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	known := parseEquivalent(equivalentList)
	below := false
	for _, arg := range flag.Args() {
		names := strings.Split(arg, ",")
		s := &sample{dir: *dir, pattern: names[0], tests: names, limit: *limit, known: known, parallel: *parallel, verbose: *verbose}
		killed, counted, err := s.measure(ctx, *n, *seed)
		if err != nil {
			log.Fatalf("mutate %s: %v", arg, err)
		}
		share := 100 * float64(killed) / float64(max(counted, 1))
		fmt.Printf("%s: %d of %d mutants killed (%.1f %%)\n", names[0], killed, counted, share)
		below = below || share < *floor
	}
	if below {
		os.Exit(1)
	}
}

// parseEquivalent reads lines of the form "file: function: change | reason".
func parseEquivalent(list string) map[string]bool {
	known := map[string]bool{}
	for line := range strings.Lines(list) {
		if name, reason, ok := strings.Cut(line, " | "); ok && strings.TrimSpace(reason) != "" {
			known[name] = true
		}
	}
	return known
}
