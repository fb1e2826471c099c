package insights

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

func listJobMetrics(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
	in, a := window(s, r)
	if a != nil {
		return a
	}
	on := onBranch(r, p)
	jobs := filter(jobRuns(s.RunsOf(p, func(w *world.Workflow) bool {
		return w.Name == r.Params["workflow-name"] && on(w.Pipeline)
	})), func(j *world.Job) bool {
		return in.has(j.Started) && strings.Contains(j.Script.Name, r.Query.Get("job-name"))
	})
	return exchange.Page(r, distinct(jobs, jobName), exchange.DefaultPageSize, func(name string) form.Object {
		x := jobSamples(filter(jobs, func(j *world.Job) bool { return j.Script.Name == name }))
		metrics := x.counts(in)
		metrics["total_credits_used"] = x.credits()
		view := form.Object{"name": name, "metrics": metrics}
		view["window_start"], view["window_end"] = x.window(in)
		return view
	})
}

func listJobTimeSeries(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
	in, a := dates(s, r)
	if a != nil {
		return a
	}
	interval := 24 * time.Hour
	switch circleci.Granularity(r.Query.Get("granularity")) {
	case "", circleci.GranularityDaily:
	case circleci.GranularityHourly: // kept for two days
		interval = time.Hour
		in.from = world.Latest(in.from, lastDays(s, 2).from)
	default:
		return exchange.Message(http.StatusBadRequest, "circlecitest: granularity is daily or hourly")
	}
	on := onBranch(r, p)
	jobs := filter(jobRuns(s.RunsOf(p, func(w *world.Workflow) bool {
		return w.Name == r.Params["workflow-name"] && on(w.Pipeline)
	})), func(j *world.Job) bool { return in.has(j.Started) })
	type slot struct {
		name string
		at   time.Time
	}
	slots := map[slot][]*world.Job{}
	var order []slot
	for _, j := range jobs {
		at := slot{j.Script.Name, j.Started.UTC().Truncate(interval)}
		if slots[at] == nil {
			order = append(order, at)
		}
		slots[at] = append(slots[at], j)
	}
	slices.SortStableFunc(order, func(a, b slot) int { return cmp.Or(a.at.Compare(b.at), strings.Compare(a.name, b.name)) })
	return exchange.Page(r, order, exchange.DefaultPageSize, func(at slot) form.Object {
		view := timeSeriesPoint(slots[at], interval)
		view["name"], view["timestamp"] = at.name, form.Time(at.at)
		return view
	})
}

func timeSeriesPoint(jobs []*world.Job, interval time.Duration) form.Object {
	x := jobSamples(jobs)
	ended := time.Time{}
	var credits []float64
	for _, one := range x {
		ended = world.Latest(ended, one.stopped)
		credits = append(credits, math.Round(one.credits))
	}
	slices.Sort(credits)
	all := x.durations()
	durations := form.Object{"min": nil, "median": nil, "max": nil, "p95": nil, "total": nil}
	if len(all) > 0 {
		durations = durationView(all)
		delete(durations, "mean")
		delete(durations, "standard_deviation")
		durations["total"] = int64(total(all))
	}
	return form.Object{
		"min_started_at": form.Time(x[0].began), "max_ended_at": form.Time(ended),
		"metrics": form.Object{
			"total_runs": len(x), "failed_runs": x.count(outcomeFailed), "successful_runs": x.count(outcomeSucceeded),
			"throughput":          float64(len(x)) / (interval.Hours() / 24),
			"median_credits_used": int64(percentile(credits, 0.5)), "total_credits_used": x.credits(), "duration_metrics": durations,
		},
	}
}
