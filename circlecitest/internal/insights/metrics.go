package insights

import (
	"math"
	"slices"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// span is the period of metrics.
type span struct{ from, to time.Time }

func (s span) has(t time.Time) bool { return !t.Before(s.from) && t.Before(s.to) }

func (s span) days() float64 { return s.to.Sub(s.from).Hours() / 24 }

// before returns the preceding span of the same length.
func (s span) before() span { return span{s.from.Add(s.from.Sub(s.to)), s.from} }

// sample is a run of a workflow or job, for metrics.
type sample struct {
	created, stopped time.Time // zero: not stopped
	began            time.Time
	outcome          outcome
	credits          float64
}

type outcome int

const (
	outcomeOpen outcome = iota
	outcomeSucceeded
	outcomeFailed
	outcomeCanceled
)

func workflowSample(w *world.Workflow) sample {
	x := sample{created: w.Created, began: w.Created, stopped: w.Stopped, credits: w.Credits()}
	switch {
	case !w.Status.Done():
	case w.Status == circleci.WorkflowStatusSuccess:
		x.outcome = outcomeSucceeded
	case w.Status == circleci.WorkflowStatusCanceled:
		x.outcome = outcomeCanceled
	default:
		x.outcome = outcomeFailed
	}
	return x
}

func jobSample(j *world.Job) sample {
	x := sample{created: j.Queued, began: j.Started, stopped: j.Stopped}
	switch {
	case !j.Status.Done():
		return x
	case j.Status.Failed():
		x.outcome = outcomeFailed
	case j.Status == circleci.JobStatusCanceled:
		x.outcome = outcomeCanceled
	default:
		x.outcome = outcomeSucceeded
	}
	x.credits = j.Credits()
	return x
}

// samples are runs, with methods that compute metrics.
type samples []sample

func samplesOf(runs []*world.Workflow, in span) (all samples) {
	for _, w := range runs {
		if in.has(w.Created) {
			all = append(all, workflowSample(w))
		}
	}
	return all
}

func (x samples) count(o outcome) (n int64) {
	for _, one := range x {
		if one.outcome == o {
			n++
		}
	}
	return n
}

// successRate returns the success rate of the runs that were not canceled.
func (x samples) successRate() float64 {
	return ratio(float64(x.count(outcomeSucceeded)), float64(int64(len(x))-x.count(outcomeCanceled)))
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// durations returns the durations of the finished runs in seconds, sorted.
func (x samples) durations() []float64 {
	var all []float64
	for _, one := range x {
		if one.outcome == outcomeSucceeded || one.outcome == outcomeFailed {
			all = append(all, math.Floor(one.stopped.Sub(one.began).Seconds()))
		}
	}
	slices.Sort(all)
	return all
}

func (x samples) credits() int64 {
	sum := 0.0
	for _, one := range x {
		sum += one.credits
	}
	return int64(math.Round(sum))
}

// recoveries returns the times from a failure to the next success.
func (x samples) recoveries() []float64 {
	var all []float64
	var since time.Time
	for _, one := range x {
		switch {
		case one.outcome == outcomeFailed && since.IsZero():
			since = one.stopped
		case one.outcome == outcomeSucceeded && !since.IsZero():
			all = append(all, one.stopped.Sub(since).Seconds())
			since = time.Time{}
		}
	}
	return all
}

// mttr returns the mean time to recovery; null if there was none.
func (x samples) mttr() any {
	all := x.recoveries()
	if len(all) == 0 {
		return nil
	}
	return int64(mean(all))
}

// window returns the times of the first and the last run, or the bounds of the
// period if there is none: the document declares both as dates.
func (x samples) window(in span) (start, end any) {
	if len(x) == 0 {
		return form.Time(in.from), form.Time(in.to)
	}
	return form.Time(x[0].created), form.Time(x[len(x)-1].created)
}

func total(all []float64) (sum float64) {
	for _, v := range all {
		sum += v
	}
	return sum
}

func mean(all []float64) float64 { return ratio(total(all), float64(len(all))) }

// percentile returns the smallest value that this fraction of the values does
// not exceed. The values are sorted.
func percentile(all []float64, part float64) float64 {
	if len(all) == 0 {
		return 0
	}
	return all[max(int(math.Ceil(part*float64(len(all))))-1, 0)]
}

func deviation(all []float64) float64 {
	m, sum := mean(all), 0.0
	for _, v := range all {
		sum += (v - m) * (v - m)
	}
	return math.Sqrt(ratio(sum, float64(len(all))))
}

// durationView returns the metrics of durations; all are null if there are
// none.
func durationView(all []float64) form.Object {
	if len(all) == 0 {
		return form.Object{"min": nil, "mean": nil, "median": nil, "p95": nil, "max": nil, "standard_deviation": nil}
	}
	return form.Object{
		"min": int64(all[0]), "mean": int64(mean(all)), "median": int64(percentile(all, 0.5)),
		"p95": int64(percentile(all, 0.95)), "max": int64(all[len(all)-1]), "standard_deviation": deviation(all),
	}
}

// counts returns the metrics that workflows and jobs share.
func (x samples) counts(in span) form.Object {
	return form.Object{
		"total_runs": len(x), "successful_runs": x.count(outcomeSucceeded), "failed_runs": x.count(outcomeFailed),
		"success_rate": x.successRate(), "throughput": float64(len(x)) / in.days(), "duration_metrics": durationView(x.durations()),
	}
}

// namesOf returns the names of workflows, in the order of their first runs.
func namesOf(runs []*world.Workflow) []string {
	return distinct(runs, func(w *world.Workflow) string { return w.Name })
}

func branchesOf(runs []*world.Workflow) []string {
	return distinct(runs, func(w *world.Workflow) string { return w.Pipeline.Branch })
}

func distinct[T any](all []T, of func(T) string) []string {
	names := []string{}
	for _, one := range all {
		if name := of(one); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func named(runs []*world.Workflow, name string) []*world.Workflow {
	return filter(runs, func(w *world.Workflow) bool { return w.Name == name })
}

func filter[T any](all []T, keep func(T) bool) (kept []T) {
	for _, one := range all {
		if keep(one) {
			kept = append(kept, one)
		}
	}
	return kept
}

// jobRuns returns the jobs that ran in these workflows.
func jobRuns(runs []*world.Workflow) (all []*world.Job) {
	for _, w := range runs {
		all = append(all, w.Ran()...)
	}
	return all
}

func jobSamples(jobs []*world.Job) (all samples) {
	for _, j := range jobs {
		all = append(all, jobSample(j))
	}
	return all
}

func jobName(j *world.Job) string { return j.Script.Name }
