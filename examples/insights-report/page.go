package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"time"
)

// Chart.js is embedded, so that the page loads nothing; assets/ has its license.
//
//go:embed assets/chart.umd.min.js
var chartLibrary string

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"percent":  func(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) },
	"duration": formatSeconds,
}).Parse(pageText))

// formatSeconds is a duration as people write it: 45s, 3m20s, 1h05m.
func formatSeconds(seconds float64) string {
	d := time.Duration(math.Round(seconds)) * time.Second
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
}

// page is what the report shows.
type page struct {
	Title             string
	Days              int
	From, To, Written string
	Notes             []string
	Projects          []project
	Library           template.JS
}

// project is the section of one project. Durations are in seconds, as the
// page's charts count.
type project struct {
	Name        string
	Runs        int
	SuccessRate float64 // a fraction from 0 to 1
	P50, P95    float64
	Credits     int64
	Days        []day
	Workflows   []workflow
	Flaky       []flaky
	Slow        []slow
}

// day is a point of the charts.
type day struct {
	Date        string
	Runs        int
	SuccessRate float64
	P50, P95    float64
	Credits     int64
}

type workflow struct {
	Name        string
	Runs        int64
	SuccessRate float64
	P50, P95    float64
	Credits     int64
}

type flaky struct {
	Name, Job string
	Times     int64
}

type slow struct {
	Name, Job string
	P95       float64
}

// write renders the page as one self-contained file.
func (p *page) write(w io.Writer) error {
	p.Library = template.JS(chartLibrary) //nolint:gosec // it is our own file
	return pageTemplate.Execute(w, p)
}
