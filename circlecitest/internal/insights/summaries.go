package insights

import (
	"slices"

	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// trend returns a value divided by the previous one. 1 means unchanged; -1 means
// that the previous value was 0.
func trend(now, before float64) float64 {
	switch {
	case now == before:
		return 1
	case before == 0:
		return -1
	}
	return now / before
}

// trends compares the numbers of two windows by name. It is empty for windows
// of more than 30 days.
func trends(in span, now, before map[string]float64) form.Object {
	view := form.Object{}
	for name := range now {
		view[name] = 0.0
		if in.days() <= 30 {
			view[name] = trend(now[name], before[name])
		}
	}
	return view
}

// summary returns the metrics of an organization or project as a whole.
func summary(runs []*world.Workflow, in span) form.Object {
	now, before := samplesOf(runs, in), samplesOf(runs, in.before())
	numbers := func(x samples) map[string]float64 {
		return map[string]float64{
			"total_runs": float64(len(x)), "total_duration_secs": total(x.durations()), "total_credits_used": float64(x.credits()),
			"success_rate": x.successRate(), "throughput": float64(len(x)) / in.days(),
		}
	}
	return form.Object{
		"metrics": form.Object{
			"total_runs": len(now), "total_duration_secs": int64(total(now.durations())), "total_credits_used": now.credits(),
			"success_rate": now.successRate(), "throughput": float64(len(now)) / in.days(),
		},
		"trends": trends(in, numbers(now), numbers(before)),
	}
}

// workflowData returns the metrics of a workflow.
func workflowData(runs []*world.Workflow, in span) form.Object {
	now, before := samplesOf(runs, in), samplesOf(runs, in.before())
	numbers := func(x samples) map[string]float64 {
		return map[string]float64{
			"total_runs": float64(len(x)), "total_credits_used": float64(x.credits()), "success_rate": x.successRate(),
			"p95_duration_secs": percentile(x.durations(), 0.95),
		}
	}
	return form.Object{
		"metrics": form.Object{
			"total_runs": len(now), "total_credits_used": now.credits(), "success_rate": now.successRate(),
			"p95_duration_secs": percentile(now.durations(), 0.95),
		},
		"trends": trends(in, numbers(now), numbers(before)),
	}
}

func projectSummary(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
	in, a := window(s, r)
	if a != nil {
		return a
	}
	all := s.RunsOf(p, func(*world.Workflow) bool { return true })
	chosen := func(name, value string) bool { return len(r.Query[name]) == 0 || slices.Contains(r.Query[name], value) }
	workflows, branches := []any{}, []any{}
	for _, name := range namesOf(all) {
		if !chosen("workflow-names", name) {
			continue
		}
		runs := named(all, name)
		view := workflowData(runs, in)
		view["workflow_name"] = name
		workflows = append(workflows, view)
		for _, branch := range branchesOf(runs) {
			if chosen("branches", branch) {
				view := workflowData(filter(runs, func(w *world.Workflow) bool { return w.Pipeline.Branch == branch }), in)
				view["workflow_name"], view["branch"] = name, branch
				branches = append(branches, view)
			}
		}
	}
	return exchange.OK(form.Object{
		"org_id": p.Org.ID, "project_id": p.ID, "project_data": summary(all, in), "project_workflow_data": workflows,
		"project_workflow_branch_data": branches, "all_branches": branchesOf(all), "all_workflows": namesOf(all),
	})
}

// orgSummary returns the metrics of the requested projects.
func orgSummary(s *engine.Engine, r *exchange.Request) *exchange.Answer {
	o := s.OrgBy(r.Params["org-slug"])
	if o == nil {
		return exchange.NotFound("Organization")
	}
	in, a := window(s, r)
	if a != nil {
		return a
	}
	var all []*world.Workflow
	data, names := []any{}, []string{}
	for _, p := range s.Projects {
		if p.Org != o {
			continue
		}
		runs := s.RunsOf(p, func(*world.Workflow) bool { return true })
		all, names = append(all, runs...), append(names, p.Name)
		if slices.Contains(r.Query["project-names"], p.Name) {
			view := summary(runs, in)
			view["project_name"] = p.Name
			for _, part := range []string{"metrics", "trends"} {
				delete(view[part].(form.Object), "throughput")
			}
			data = append(data, view)
		}
	}
	return exchange.OK(form.Object{"org_data": summary(all, in), "org_project_data": data, "all_projects": names})
}

func workflowSummary(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
	in := lastDays(s, insightsDays)
	on := onBranch(r, p)
	runs := s.RunsOf(p, func(w *world.Workflow) bool { return w.Name == r.Params["workflow-name"] && on(w.Pipeline) })
	x := samplesOf(runs, in)
	metrics := x.counts(in)
	metrics["mttr"], metrics["total_credits_used"], metrics["completed_runs"] = x.mttr(), nil, nil
	if n := len(x.durations()); n > 0 {
		metrics["total_credits_used"], metrics["completed_runs"] = x.credits(), n
	}
	metrics["window_start"], metrics["window_end"] = x.window(in)
	trends := form.Object{}
	for _, name := range []string{
		"total_runs", "failed_runs", "success_rate", "p95_duration_secs", "median_duration_secs", "total_credits_used", "mttr", "throughput",
	} {
		trends[name] = 0.0 // the window is of 90 days: there are none
	}
	return exchange.OK(form.Object{
		"metrics": metrics, "trends": trends, "workflow_names": namesOf(s.RunsOf(p, func(*world.Workflow) bool { return true })),
	})
}
