// Package insights computes metrics of past runs and handles the operations of
// Insights.
package insights

import (
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

const insightsDays = 90

// windows are the reporting windows, in days.
var windows = map[circleci.ReportingWindow]int{
	"": insightsDays, circleci.ReportingWindowLast24Hours: 1, circleci.ReportingWindowLast7Days: 7,
	circleci.ReportingWindowLast30Days: 30, circleci.ReportingWindowLast60Days: 60, circleci.ReportingWindowLast90Days: insightsDays,
}

// window returns the reporting window of a request, which ends now.
func window(s *engine.Engine, r *exchange.Request) (span, *exchange.Answer) {
	days, known := windows[circleci.ReportingWindow(r.Query.Get("reporting-window"))]
	if !known {
		return span{}, exchange.Message(http.StatusBadRequest, "circlecitest: there is no such reporting-window")
	}
	return lastDays(s, days), nil
}

func lastDays(s *engine.Engine, days int) span {
	now := s.Now().Add(1) // include the present
	return span{now.AddDate(0, 0, -days), now}
}

// dates returns the span between start-date and end-date.
func dates(s *engine.Engine, r *exchange.Request) (span, *exchange.Answer) {
	all := lastDays(s, insightsDays)
	start, a := dateOf(r, "start-date", all.from)
	if a != nil {
		return all, a
	}
	end, a := dateOf(r, "end-date", all.to)
	if a != nil {
		return all, a
	}
	given := r.Query.Get("end-date") != ""
	if given && (r.Query.Get("start-date") == "" || end.Before(start) || end.Sub(start) > insightsDays*24*time.Hour) {
		return all, exchange.Message(http.StatusBadRequest, "circlecitest: end-date is at most 90 days after start-date")
	}
	if start.Before(all.from) {
		start = all.from
	}
	return span{start, end}, nil
}

func dateOf(r *exchange.Request, name string, otherwise time.Time) (time.Time, *exchange.Answer) {
	text := r.Query.Get(name)
	if text == "" {
		return otherwise, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, exchange.Message(http.StatusBadRequest, "circlecitest: "+name+" is not a date and time")
	}
	return t, nil
}

// onBranch returns a function that selects pipelines: those of one branch, all,
// or by default those of the default branch.
func onBranch(r *exchange.Request, p *world.Project) func(*world.Pipeline) bool {
	branch := r.Query.Get("branch")
	switch {
	case r.Query.Get("all-branches") == "true":
		return func(*world.Pipeline) bool { return true }
	case branch == "":
		branch = p.DefaultBranch
	}
	return func(run *world.Pipeline) bool { return run.Branch == branch }
}

// Handlers handle the operations of Insights.
var Handlers = map[string]exchange.Handler{
	"GET /insights/{project-slug}/branches": exchange.WithProject(func(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		name := r.Query.Get("workflow-name")
		runs := s.RunsOf(p, func(w *world.Workflow) bool { return name == "" || w.Name == name })
		return exchange.OK(form.Object{"org_id": p.Org.ID, "project_id": p.ID, "branches": branchesOf(runs)})
	}),
	"GET /insights/{project-slug}/workflows": exchange.WithProject(func(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		in, a := window(s, r)
		if a != nil {
			return a
		}
		on := onBranch(r, p)
		runs := s.RunsOf(p, func(w *world.Workflow) bool { return on(w.Pipeline) && in.has(w.Created) })
		return exchange.Page(r, namesOf(runs), exchange.DefaultPageSize, func(name string) form.Object {
			return workflowMetrics(p, name, samplesOf(named(runs, name), in), in)
		})
	}),
	"GET /insights/{project-slug}/workflows/{workflow-name}": exchange.WithProject(func(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		in, a := dates(s, r)
		if a != nil {
			return a
		}
		on := onBranch(r, p)
		runs := s.RunsOf(p, func(w *world.Workflow) bool {
			return w.Name == r.Params["workflow-name"] && on(w.Pipeline) && in.has(w.Created)
		})
		slices.Reverse(runs)
		return exchange.Page(r, runs, exchange.DefaultPageSize, func(w *world.Workflow) form.Object {
			view := form.Object{
				"id": w.ID, "branch": w.Pipeline.Branch, "duration": nil, "created_at": form.Time(w.Created),
				"stopped_at": form.Time(w.Stopped), "credits_used": int64(math.Round(w.Credits())), "status": w.Status, "is_approval": false,
			}
			if !w.Stopped.IsZero() {
				view["duration"] = int64(w.Stopped.Sub(w.Created).Seconds())
			}
			return view
		})
	}),
	"GET /insights/{project-slug}/workflows/{workflow-name}/jobs":             exchange.WithProject(listJobMetrics),
	"GET /insights/time-series/{project-slug}/workflows/{workflow-name}/jobs": exchange.WithProject(listJobTimeSeries),
	"GET /insights/{project-slug}/workflows/{workflow-name}/summary":          exchange.WithProject(workflowSummary),
	"GET /insights/pages/{project-slug}/summary":                              exchange.WithProject(projectSummary),
	"GET /insights/{org-slug}/summary":                                        orgSummary,
	"GET /insights/{project-slug}/flaky-tests":                                exchange.WithProject(flakyTests),
	"GET /insights/{project-slug}/workflows/{workflow-name}/test-metrics":     exchange.WithProject(testMetrics),
}

func workflowMetrics(p *world.Project, name string, x samples, in span) form.Object {
	metrics := x.counts(in)
	metrics["mttr"], metrics["total_credits_used"], metrics["total_recoveries"] = x.mttr(), nil, nil
	if len(x.durations()) > 0 {
		metrics["total_credits_used"], metrics["total_recoveries"] = x.credits(), len(x.recoveries())
	}
	view := form.Object{"name": name, "metrics": metrics, "project_id": p.ID}
	view["window_start"], view["window_end"] = x.window(in)
	return view
}
