package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/circleci-go/circleci"
)

// kind is what rows are summed up by.
type kind struct{ project, class string }

type sum struct {
	runs             int
	minutes, credits float64
}

type sums map[kind]*sum

func (s sums) add(row circleci.UsageRow) {
	k := kind{cmp.Or(row.ProjectName, "-"), cmp.Or(row.ResourceClass, "-")} // a fee belongs to none
	if s[k] == nil {
		s[k] = &sum{}
	}
	if row.JobName != "" {
		s[k].runs++
	}
	s[k].minutes += time.Duration(row.JobRunDuration).Minutes()
	s[k].credits += row.TotalCredits
}

var formats = map[string]func(table.Writer) string{
	"table":    table.Writer.Render,
	"csv":      table.Writer.RenderCSV,
	"markdown": table.Writer.RenderMarkdown,
}

func knownFormat(name string) bool { return formats[name] != nil }

// render writes the sums, the largest first; the total is left to those who
// read: a program has its own.
func (s sums) render(out io.Writer, format string) {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header, t.Style().Format.Footer = text.FormatDefault, text.FormatDefault
	t.AppendHeader(table.Row{"Project", "Resource class", "Runs", "Minutes", "Credits"})
	right := []table.ColumnConfig{}
	for _, name := range []string{"Runs", "Minutes", "Credits"} {
		right = append(right, table.ColumnConfig{Name: name, Align: text.AlignRight, AlignFooter: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(right)

	var total sum
	for _, k := range slices.SortedFunc(maps.Keys(s), func(a, b kind) int {
		return cmp.Or(cmp.Compare(s[b].credits, s[a].credits), cmp.Compare(a.project, b.project), cmp.Compare(a.class, b.class))
	}) {
		t.AppendRow(table.Row{k.project, k.class, s[k].runs, number(s[k].minutes), number(s[k].credits)})
		total.runs, total.minutes, total.credits = total.runs+s[k].runs, total.minutes+s[k].minutes, total.credits+s[k].credits
	}
	if format != "csv" {
		t.AppendFooter(table.Row{"Total", "", total.runs, number(total.minutes), number(total.credits)})
	}
	fmt.Fprintln(out, formats[format](t))
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }
