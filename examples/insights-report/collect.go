package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/circleci-go/circleci"
)

// mostTests is how many flaky and slow tests a project's section lists.
const mostTests = 10

// window is the time that a report covers.
type window struct {
	from, to time.Time
	days     int
}

// windowOf returns a window that ends now and that Insights supports.
func windowOf(days int, now time.Time) window {
	to := now.UTC()
	return window{from: to.AddDate(0, 0, -days), to: to, days: days}
}

func (w window) reporting() circleci.ReportingWindow {
	switch {
	case w.days <= 7:
		return circleci.ReportingWindowLast7Days
	case w.days <= 30:
		return circleci.ReportingWindowLast30Days
	case w.days <= 60:
		return circleci.ReportingWindowLast60Days
	}
	return circleci.ReportingWindowLast90Days
}

// collect reads what a project's section shows. It notes what is not available
// and continues.
func collect(ctx context.Context, client *circleci.Client, slug circleci.ProjectSlug, w window) (project, []string, error) {
	p := project{Name: string(slug)}
	metrics, err := client.Insights.ListWorkflowMetrics(slug, &circleci.ListWorkflowMetricsOptions{
		AllBranches: true, ReportingWindow: w.reporting(),
	}).Collect(ctx)
	if err != nil {
		return p, nil, err
	}
	var (
		runs  []circleci.WorkflowRun
		notes []string
		tests []circleci.TestStatistics
	)
	for _, m := range metrics {
		p.Workflows = append(p.Workflows, workflow{
			Name: m.Name, Runs: m.Metrics.TotalRuns, SuccessRate: m.Metrics.SuccessRate,
			P50: seconds(m.Metrics.Durations.Median), P95: seconds(m.Metrics.Durations.P95), Credits: valueOf(m.Metrics.TotalCreditsUsed),
		})
		of, err := client.Insights.ListWorkflowRuns(slug, m.Name, &circleci.ListWorkflowRunsOptions{
			AllBranches: true, StartDate: w.from, EndDate: w.to,
		}).Collect(ctx)
		runs = append(runs, of...)
		if err := noteOf(&notes, m.Name+": the runs are incomplete", err); err != nil {
			return p, nil, err
		}
		found, err := client.Insights.GetTestMetrics(ctx, slug, m.Name, &circleci.GetTestMetricsOptions{AllBranches: true})
		if err := noteOf(&notes, m.Name+": the slowest tests are missing", err); err != nil {
			return p, nil, err
		}
		if found != nil {
			tests = append(tests, found.SlowestTests...)
		}
	}
	flakes, err := client.Insights.GetFlakyTests(ctx, slug)
	if err := noteOf(&notes, string(slug)+": the flaky tests are missing", err); err != nil {
		return p, nil, err
	}
	if flakes != nil {
		p.Flaky = flakyTests(flakes)
	}
	p.Slow = slowTests(tests)
	p.sum(runs, w)
	return p, notes, nil
}

// noteOf notes a failure, unless the program was interrupted.
func noteOf(notes *[]string, text string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	*notes = append(*notes, text+": "+err.Error())
	return nil
}

// sum computes the numbers of the project and of each day.
func (p *project) sum(runs []circleci.WorkflowRun, w window) {
	byDay := map[string][]circleci.WorkflowRun{}
	for _, r := range runs {
		byDay[r.CreatedAt.UTC().Format(time.DateOnly)] = append(byDay[r.CreatedAt.UTC().Format(time.DateOnly)], r)
	}
	for at := w.from; !at.After(w.to); at = at.AddDate(0, 0, 1) {
		date := at.Format(time.DateOnly)
		all := dayOf(byDay[date])
		all.Date = date
		p.Days = append(p.Days, all)
	}
	whole := dayOf(runs)
	p.Runs, p.SuccessRate, p.P50, p.P95, p.Credits = whole.Runs, whole.SuccessRate, whole.P50, whole.P95, whole.Credits
}

func dayOf(runs []circleci.WorkflowRun) (d day) {
	var durations []float64
	ended, succeeded := 0, 0
	for _, r := range runs {
		d.Credits += r.CreditsUsed
		if r.Duration != nil {
			durations = append(durations, seconds(r.Duration))
		}
		switch r.Status {
		case circleci.WorkflowStatusSuccess:
			succeeded++
			ended++
		case circleci.WorkflowStatusFailed, circleci.WorkflowStatusError:
			ended++
		default: // canceled, or not ended
		}
	}
	slices.Sort(durations)
	d.Runs, d.P50, d.P95 = len(runs), percentile(durations, 0.5), percentile(durations, 0.95)
	if ended > 0 {
		d.SuccessRate = float64(succeeded) / float64(ended)
	}
	return d
}

// percentile of sorted values, by the nearest rank.
func percentile(sorted []float64, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

func flakyTests(all *circleci.FlakyTests) (out []flaky) {
	for _, t := range all.ByTest() {
		job := ""
		if len(t.JobNames) > 0 {
			job = t.JobNames[0]
		}
		out = append(out, flaky{t.TestName, job, t.TimesFlaked})
	}
	slices.SortStableFunc(out, func(a, b flaky) int { return cmp.Compare(b.Times, a.Times) })
	return out[:min(len(out), mostTests)]
}

func slowTests(all []circleci.TestStatistics) (out []slow) {
	for _, t := range all {
		if t.P95Duration != nil {
			out = append(out, slow{t.TestName, t.JobName, seconds(t.P95Duration)})
		}
	}
	slices.SortStableFunc(out, func(a, b slow) int { return cmp.Compare(b.P95, a.P95) })
	return out[:min(len(out), mostTests)]
}

// seconds returns 0 for a duration that CircleCI does not have.
func seconds(d *circleci.Seconds) float64 {
	if d == nil {
		return 0
	}
	return time.Duration(*d).Seconds()
}

func valueOf(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}
