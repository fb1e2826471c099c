package circlecitest

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/circleci-go/circleci"
)

// ran are the jobs that have run in the workflow itself: not the approvals, nor
// those that came over to a rerun.
func (w *workflow) ran() []*job {
	var all []*job
	for _, j := range w.jobs {
		if !j.started.IsZero() && !j.started.Before(w.created) {
			all = append(all, j)
		}
	}
	return all
}

// span is the time that metrics are for.
type span struct{ from, to time.Time }

func (s span) has(t time.Time) bool { return !t.Before(s.from) && t.Before(s.to) }
func (s span) days() float64        { return s.to.Sub(s.from).Hours() / 24 }

// before is the span of the same length before.
func (s span) before() span { return span{s.from.Add(s.from.Sub(s.to)), s.from} }

const insightsDays = 90

// windows are the reporting windows, in days.
var windows = map[circleci.ReportingWindow]int{
	"": insightsDays, circleci.ReportingWindowLast24Hours: 1, circleci.ReportingWindowLast7Days: 7,
	circleci.ReportingWindowLast30Days: 30, circleci.ReportingWindowLast60Days: 60, circleci.ReportingWindowLast90Days: insightsDays,
}

// window is the reporting window of a request, up to now.
func (s *Server) window(r *request) (span, *answer) {
	days, known := windows[circleci.ReportingWindow(r.query.Get("reporting-window"))]
	if !known {
		return span{}, message(http.StatusBadRequest, "circlecitest: there is no such reporting-window")
	}
	return s.lastDays(days), nil
}

func (s *Server) lastDays(days int) span {
	now := s.now().Add(1) // what is just now counts
	return span{now.AddDate(0, 0, -days), now}
}

// dates is the span that start-date and end-date give.
func (s *Server) dates(r *request) (span, *answer) {
	all := s.lastDays(insightsDays)
	start, a := dateOf(r, "start-date", all.from)
	if a != nil {
		return all, a
	}
	end, a := dateOf(r, "end-date", all.to)
	if a != nil {
		return all, a
	}
	given := r.query.Get("end-date") != ""
	if given && (r.query.Get("start-date") == "" || end.Before(start) || end.Sub(start) > insightsDays*24*time.Hour) {
		return all, message(http.StatusBadRequest, "circlecitest: end-date is at most 90 days after start-date")
	}
	if start.Before(all.from) {
		start = all.from
	}
	return span{start, end}, nil
}

func dateOf(r *request, name string, otherwise time.Time) (time.Time, *answer) {
	text := r.query.Get(name)
	if text == "" {
		return otherwise, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, message(http.StatusBadRequest, "circlecitest: "+name+" is no date and time")
	}
	return t, nil
}

// onBranch says which pipelines count: those of one branch, all, or by default
// those of the default branch.
func onBranch(r *request, p *project) func(*pipeline) bool {
	branch := r.query.Get("branch")
	switch {
	case r.query.Get("all-branches") == "true":
		return func(*pipeline) bool { return true }
	case branch == "":
		branch = p.defaultBranch
	}
	return func(run *pipeline) bool { return run.branch == branch }
}

// runsOf are the workflows of a project that keep says, the oldest first.
func (s *Server) runsOf(p *project, keep func(*workflow) bool) (all []*workflow) {
	for _, run := range s.world.runs.pipelines {
		if run.project != p {
			continue
		}
		for _, w := range run.workflows {
			if keep(w) {
				all = append(all, w)
			}
		}
	}
	return all
}

// sample is a run of a workflow or a job, as metrics see it.
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

func (w *workflow) sample() sample {
	x := sample{created: w.created, began: w.created, stopped: w.stopped, credits: w.credits()}
	switch {
	case !w.status.Done():
	case w.status == circleci.WorkflowStatusSuccess:
		x.outcome = outcomeSucceeded
	case w.status == circleci.WorkflowStatusCanceled:
		x.outcome = outcomeCanceled
	default:
		x.outcome = outcomeFailed
	}
	return x
}

func (j *job) sample() sample {
	x := sample{created: j.queued, began: j.started, stopped: j.stopped}
	switch {
	case !j.status.Done():
		return x
	case j.status.Failed():
		x.outcome = outcomeFailed
	case j.status == circleci.JobStatusCanceled:
		x.outcome = outcomeCanceled
	default:
		x.outcome = outcomeSucceeded
	}
	x.credits = j.credits()
	return x
}

func (w *workflow) credits() (sum float64) {
	for _, j := range w.ran() {
		if !j.stopped.IsZero() {
			sum += j.credits()
		}
	}
	return sum
}

// samples are runs, with what can be computed of them.
type samples []sample

func samplesOf(runs []*workflow, in span) (all samples) {
	for _, w := range runs {
		if in.has(w.created) {
			all = append(all, w.sample())
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

// successRate is that of the runs that were not canceled.
func (x samples) successRate() float64 {
	return ratio(float64(x.count(outcomeSucceeded)), float64(int64(len(x))-x.count(outcomeCanceled)))
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// durations are those of runs that have come to their end, sorted, in seconds.
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

// recoveries are the times from a failure to the next success.
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

// mttr is the mean time to recovery; null if there was none.
func (x samples) mttr() any {
	all := x.recoveries()
	if len(all) == 0 {
		return nil
	}
	return int64(mean(all))
}

// window is the time of the first run and of the last.
func (x samples) window() (start, end any) {
	if len(x) == 0 {
		return "", ""
	}
	return timestamp(x[0].created), timestamp(x[len(x)-1].created)
}

func total(all []float64) (sum float64) {
	for _, v := range all {
		sum += v
	}
	return sum
}

func mean(all []float64) float64 { return ratio(total(all), float64(len(all))) }

// percentile is the smallest value that so large a part does not exceed; all
// are sorted.
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

// durationView tells the durations; all are null if there are none.
func durationView(all []float64) object {
	if len(all) == 0 {
		return object{"min": nil, "mean": nil, "median": nil, "p95": nil, "max": nil, "standard_deviation": nil}
	}
	return object{
		"min": int64(all[0]), "mean": int64(mean(all)), "median": int64(percentile(all, 0.5)),
		"p95": int64(percentile(all, 0.95)), "max": int64(all[len(all)-1]), "standard_deviation": deviation(all),
	}
}

// counts are the metrics that workflows and jobs share.
func (x samples) counts(in span) object {
	return object{
		"total_runs": len(x), "successful_runs": x.count(outcomeSucceeded), "failed_runs": x.count(outcomeFailed),
		"success_rate": x.successRate(), "throughput": float64(len(x)) / in.days(), "duration_metrics": durationView(x.durations()),
	}
}

var insightsHandlers = map[string]handler{
	"GET /insights/{project-slug}/branches": withProject(func(s *Server, r *request, p *project) *answer {
		name := r.query.Get("workflow-name")
		runs := s.runsOf(p, func(w *workflow) bool { return name == "" || w.name == name })
		return ok(object{"org_id": p.org.id, "project_id": p.id, "branches": branchesOf(runs)})
	}),
	"GET /insights/{project-slug}/workflows": withProject(func(s *Server, r *request, p *project) *answer {
		in, a := s.window(r)
		if a != nil {
			return a
		}
		on := onBranch(r, p)
		runs := s.runsOf(p, func(w *workflow) bool { return on(w.pipeline) && in.has(w.created) })
		return page(r, namesOf(runs), defaultPageSize, func(name string) object {
			return workflowMetrics(p, name, samplesOf(named(runs, name), in), in)
		})
	}),
	"GET /insights/{project-slug}/workflows/{workflow-name}": withProject(func(s *Server, r *request, p *project) *answer {
		in, a := s.dates(r)
		if a != nil {
			return a
		}
		on := onBranch(r, p)
		runs := s.runsOf(p, func(w *workflow) bool {
			return w.name == r.params["workflow-name"] && on(w.pipeline) && in.has(w.created)
		})
		slices.Reverse(runs)
		return page(r, runs, defaultPageSize, func(w *workflow) object {
			view := object{
				"id": w.id, "branch": w.pipeline.branch, "duration": nil, "created_at": timestamp(w.created),
				"stopped_at": timestamp(w.stopped), "credits_used": int64(math.Round(w.credits())), "status": w.status, "is_approval": false,
			}
			if !w.stopped.IsZero() {
				view["duration"] = int64(w.stopped.Sub(w.created).Seconds())
			}
			return view
		})
	}),
	"GET /insights/{project-slug}/workflows/{workflow-name}/jobs":             withProject(listJobMetrics),
	"GET /insights/time-series/{project-slug}/workflows/{workflow-name}/jobs": withProject(listJobTimeSeries),
	"GET /insights/{project-slug}/workflows/{workflow-name}/summary":          withProject(workflowSummary),
	"GET /insights/pages/{project-slug}/summary":                              withProject(projectSummary),
	"GET /insights/{org-slug}/summary":                                        orgSummary,
	"GET /insights/{project-slug}/flaky-tests":                                withProject(flakyTests),
	"GET /insights/{project-slug}/workflows/{workflow-name}/test-metrics":     withProject(testMetrics),
}

// namesOf are the names of workflows, in the order of their first runs.
func namesOf(runs []*workflow) []string {
	return distinct(runs, func(w *workflow) string { return w.name })
}

func branchesOf(runs []*workflow) []string {
	return distinct(runs, func(w *workflow) string { return w.pipeline.branch })
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

func named(runs []*workflow, name string) []*workflow {
	return filter(runs, func(w *workflow) bool { return w.name == name })
}

func filter[T any](all []T, keep func(T) bool) (kept []T) {
	for _, one := range all {
		if keep(one) {
			kept = append(kept, one)
		}
	}
	return kept
}

func workflowMetrics(p *project, name string, x samples, in span) object {
	metrics := x.counts(in)
	metrics["mttr"], metrics["total_credits_used"], metrics["total_recoveries"] = x.mttr(), nil, nil
	if len(x.durations()) > 0 {
		metrics["total_credits_used"], metrics["total_recoveries"] = x.credits(), len(x.recoveries())
	}
	view := object{"name": name, "metrics": metrics, "project_id": p.id}
	view["window_start"], view["window_end"] = x.window()
	return view
}

// jobRuns are the jobs that ran in these workflows.
func jobRuns(runs []*workflow) (all []*job) {
	for _, w := range runs {
		all = append(all, w.ran()...)
	}
	return all
}

func jobSamples(jobs []*job) (all samples) {
	for _, j := range jobs {
		all = append(all, j.sample())
	}
	return all
}

func jobName(j *job) string { return j.script.name }

func listJobMetrics(s *Server, r *request, p *project) *answer {
	in, a := s.window(r)
	if a != nil {
		return a
	}
	on := onBranch(r, p)
	jobs := filter(jobRuns(s.runsOf(p, func(w *workflow) bool {
		return w.name == r.params["workflow-name"] && on(w.pipeline)
	})), func(j *job) bool {
		return in.has(j.started) && strings.Contains(j.script.name, r.query.Get("job-name"))
	})
	return page(r, distinct(jobs, jobName), defaultPageSize, func(name string) object {
		x := jobSamples(filter(jobs, func(j *job) bool { return j.script.name == name }))
		metrics := x.counts(in)
		metrics["total_credits_used"] = x.credits()
		view := object{"name": name, "metrics": metrics}
		view["window_start"], view["window_end"] = x.window()
		return view
	})
}

func listJobTimeSeries(s *Server, r *request, p *project) *answer {
	in, a := s.dates(r)
	if a != nil {
		return a
	}
	interval := 24 * time.Hour
	switch circleci.Granularity(r.query.Get("granularity")) {
	case "", circleci.GranularityDaily:
	case circleci.GranularityHourly: // kept for two days
		interval = time.Hour
		in.from = latest(in.from, s.lastDays(2).from)
	default:
		return message(http.StatusBadRequest, "circlecitest: granularity is daily or hourly")
	}
	on := onBranch(r, p)
	jobs := filter(jobRuns(s.runsOf(p, func(w *workflow) bool {
		return w.name == r.params["workflow-name"] && on(w.pipeline)
	})), func(j *job) bool { return in.has(j.started) })
	type slot struct {
		name string
		at   time.Time
	}
	slots := map[slot][]*job{}
	var order []slot
	for _, j := range jobs {
		at := slot{j.script.name, j.started.UTC().Truncate(interval)}
		if slots[at] == nil {
			order = append(order, at)
		}
		slots[at] = append(slots[at], j)
	}
	slices.SortStableFunc(order, func(a, b slot) int { return cmp.Or(a.at.Compare(b.at), strings.Compare(a.name, b.name)) })
	return page(r, order, defaultPageSize, func(at slot) object {
		view := timeSeriesPoint(slots[at], interval)
		view["name"], view["timestamp"] = at.name, timestamp(at.at)
		return view
	})
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func timeSeriesPoint(jobs []*job, interval time.Duration) object {
	x := jobSamples(jobs)
	ended := time.Time{}
	var credits []float64
	for _, one := range x {
		ended = latest(ended, one.stopped)
		credits = append(credits, math.Round(one.credits))
	}
	slices.Sort(credits)
	all := x.durations()
	durations := object{"min": nil, "median": nil, "max": nil, "p95": nil, "total": nil}
	if len(all) > 0 {
		durations = durationView(all)
		delete(durations, "mean")
		delete(durations, "standard_deviation")
		durations["total"] = int64(total(all))
	}
	return object{
		"min_started_at": timestamp(x[0].began), "max_ended_at": timestamp(ended),
		"metrics": object{
			"total_runs": len(x), "failed_runs": x.count(outcomeFailed), "successful_runs": x.count(outcomeSucceeded),
			"throughput":          float64(len(x)) / (interval.Hours() / 24),
			"median_credits_used": int64(percentile(credits, 0.5)), "total_credits_used": x.credits(), "duration_metrics": durations,
		},
	}
}
