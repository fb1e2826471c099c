// Command bench compares the SDK with hand-written code: net/http and
// encoding/json, without a client library.
//
//	go run -C bench .            # all rows, some minutes
//	go run -C bench . -quick     # fewer rounds
//	go run -C bench . -rows get,walk
//
// Each row runs both in turns, and prints the median of the rounds as a ratio
// to the hand-written code. Servers are separate processes, so that only the
// client is measured. The exit status is 1 if a goal was missed.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// row is a line of the table.
type row struct {
	name string
	run  func(rounds int) []result
}

// result is a cell of the table, with its goal.
type result struct {
	what   string
	byHand string
	sdk    string
	goal   string
	ok     bool
}

var rows = []row{
	{"get", smallGet},
	{"pages", pages},
	{"walk", walk},
	{"prefetch", prefetch},
	{"loopback", loopback},
	{"tls", tlsFanOut},
	{"http2", http2},
	{"crowd", crowds},
	{"limits", limits},
	{"connections", connections},
	{"artifact", artifact},
	{"usage", usage},
	{"webhook", webhooks},
	{"program", program},
}

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 && children[os.Args[1]] != nil {
		children[os.Args[1]](os.Args[2:])
		return
	}
	quick := flag.Bool("quick", false, "fewer rounds")
	only := flag.String("rows", "", "the rows to measure, with commas between; all if empty")
	flag.Parse()
	rounds := 15
	if *quick {
		rounds = 5
	}
	fmt.Printf("%s, %s, %d CPUs, %s\n\n", time.Now().Format(time.DateOnly), runtime.Version(), runtime.NumCPU(), runtime.GOOS+"/"+runtime.GOARCH)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "WORK\tBY HAND\tSDK\tGOAL\t")
	missed := 0
	for _, r := range rows {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), r.name) {
			continue
		}
		for _, c := range r.run(rounds) {
			mark := ""
			if !c.ok {
				mark = "missed"
				missed++
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", c.what, c.byHand, c.sdk, c.goal, mark)
		}
		if err := table.Flush(); err != nil {
			log.Fatal(err)
		}
	}
	if missed > 0 {
		fmt.Printf("\n%d of the goals were missed.\n", missed)
		os.Exit(1)
	}
}

// inTurns runs functions in turns, and returns the median result of each.
func inTurns(rounds int, functions ...func() float64) []float64 {
	samples := make([][]float64, len(functions))
	for range rounds {
		for i, f := range functions {
			samples[i] = append(samples[i], f())
		}
	}
	medians := make([]float64, len(functions))
	for i, s := range samples {
		medians[i] = median(s)
	}
	return medians
}

func median(samples []float64) float64 {
	return slices.Sorted(slices.Values(samples))[len(samples)/2]
}

// ratio returns a result that is compared as a fraction of the hand-written
// code.
func ratio(what string, byHand, sdk, goal float64) result {
	r := sdk / byHand
	return result{what, "1.00", fmt.Sprintf("%.2f", r), fmt.Sprintf("≤ %.2f", goal), r <= goal}
}

// atMost returns a result that is compared as an absolute value.
func atMost(what, format string, byHand, sdk, goal float64) result {
	return result{what, fmt.Sprintf(format, byHand), fmt.Sprintf(format, sdk), "≤ " + fmt.Sprintf(format, goal), sdk <= goal}
}
