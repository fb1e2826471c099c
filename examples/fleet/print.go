package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/circleci-go/circleci/examples/internal/cli"
)

// document is a line of the output with -json: what a worker found in a
// project, or, with Worker, what it did.
type document struct {
	Project   string       `json:"project,omitempty"`
	Pipelines int          `json:"pipelines,omitempty"`
	Failed    []failedTest `json:"failed_tests,omitempty"`
	Error     string       `json:"error,omitempty"`

	Worker      string `json:"worker,omitempty"`
	Projects    int    `json:"projects,omitempty"`
	Requests    int64  `json:"requests,omitempty"`
	RateLimited int64  `json:"rate_limited,omitempty"`
}

type failedTest struct {
	Pipeline int64  `json:"pipeline"`
	Job      string `json:"job"`
	Name     string `json:"name"`
	Message  string `json:"message"`
}

// printer prints documents: at once with -json, in a table at the end without.
type printer struct {
	con     *cli.Console
	options options
	start   time.Time

	mu                sync.Mutex
	projects, workers []document
	failed, errors    int
	failure           error
}

func newPrinter(con *cli.Console, o options) *printer {
	return &printer{con: con, options: o, start: time.Now()}
}

func (p *printer) add(d document) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.Worker != "" {
		p.workers = append(p.workers, d)
	} else {
		p.projects = append(p.projects, d)
		p.failed += len(d.Failed)
	}
	if d.Error != "" {
		p.errors++
	}
	switch {
	case p.options.json:
		p.failure = cmp.Or(p.failure, json.NewEncoder(p.con.Out).Encode(d))
	case !p.options.quiet && d.Worker == "":
		p.progress(true, false)
	}
}

// progress shows the state in one line.
func (p *printer) progress(news, last bool) {
	p.con.Line(time.Since(p.start), fmt.Sprintf("%d projects read, %d failed tests", len(p.projects), p.failed), news, last)
}

// finish prints the tables.
func (p *printer) finish() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.options.json {
		if !p.options.quiet && p.con.OutTerminal {
			p.progress(false, true)
		}
		p.failure = cmp.Or(p.failure, p.tables())
	}
	if p.failure == nil && p.errors > 0 {
		p.failure = errors.New("some projects could not be read")
	}
	return p.failure
}

func (p *printer) tables() error {
	slices.SortFunc(p.projects, func(a, b document) int { return cmp.Compare(a.Project, b.Project) })
	slices.SortFunc(p.workers, func(a, b document) int { return cmp.Compare(a.Worker, b.Worker) })
	table := func(title string, rows func(w io.Writer)) error {
		w := tabwriter.NewWriter(p.con.Out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, title)
		rows(w)
		return w.Flush()
	}
	err := table("PROJECT\tPIPELINE\tJOB\tFAILED TEST", func(w io.Writer) {
		for _, d := range p.projects {
			for _, t := range d.Failed {
				fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", plain(d.Project), t.Pipeline, plain(t.Job), plain(t.Name))
			}
			if d.Error != "" {
				fmt.Fprintf(w, "%s\t-\t-\t%s\n", plain(d.Project), plain(d.Error))
			}
		}
	})
	return cmp.Or(err, table("WORKER\tPROJECTS\tREQUESTS\tANSWERED 429", func(w io.Writer) {
		for _, d := range p.workers {
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\n", d.Worker, d.Projects, d.Requests, d.RateLimited)
		}
	}))
}

// plain makes a text from outside fit for a cell.
func plain(text string) string { return strings.Join(strings.Fields(cli.Plain(text)), " ") }
