package circlecitest

import "slices"

// trend is a value divided by the one before: 1 is no change, and -1 stands for
// what was 0 before.
func trend(now, before float64) float64 {
	switch {
	case now == before:
		return 1
	case before == 0:
		return -1
	}
	return now / before
}

// trends compare numbers of two windows, by name. There are none for windows of
// more than 30 days.
func trends(in span, now, before map[string]float64) object {
	view := object{}
	for name := range now {
		view[name] = 0.0
		if in.days() <= 30 {
			view[name] = trend(now[name], before[name])
		}
	}
	return view
}

// summary are the metrics of an organization or a project as a whole.
func summary(runs []*workflow, in span) object {
	now, before := samplesOf(runs, in), samplesOf(runs, in.before())
	numbers := func(x samples) map[string]float64 {
		return map[string]float64{
			"total_runs": float64(len(x)), "total_duration_secs": total(x.durations()), "total_credits_used": float64(x.credits()),
			"success_rate": x.successRate(), "throughput": float64(len(x)) / in.days(),
		}
	}
	return object{
		"metrics": object{
			"total_runs": len(now), "total_duration_secs": int64(total(now.durations())), "total_credits_used": now.credits(),
			"success_rate": now.successRate(), "throughput": float64(len(now)) / in.days(),
		},
		"trends": trends(in, numbers(now), numbers(before)),
	}
}

// workflowData are the metrics of a workflow of a project.
func workflowData(runs []*workflow, in span) object {
	now, before := samplesOf(runs, in), samplesOf(runs, in.before())
	numbers := func(x samples) map[string]float64 {
		return map[string]float64{
			"total_runs": float64(len(x)), "total_credits_used": float64(x.credits()), "success_rate": x.successRate(),
			"p95_duration_secs": percentile(x.durations(), 0.95),
		}
	}
	return object{
		"metrics": object{
			"total_runs": len(now), "total_credits_used": now.credits(), "success_rate": now.successRate(),
			"p95_duration_secs": percentile(now.durations(), 0.95),
		},
		"trends": trends(in, numbers(now), numbers(before)),
	}
}

func projectSummary(s *Server, r *request, p *project) *answer {
	in, a := s.window(r)
	if a != nil {
		return a
	}
	all := s.runsOf(p, func(*workflow) bool { return true })
	chosen := func(name, value string) bool { return len(r.query[name]) == 0 || slices.Contains(r.query[name], value) }
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
				view := workflowData(filter(runs, func(w *workflow) bool { return w.pipeline.branch == branch }), in)
				view["workflow_name"], view["branch"] = name, branch
				branches = append(branches, view)
			}
		}
	}
	return ok(object{
		"org_id": p.org.id, "project_id": p.id, "project_data": summary(all, in), "project_workflow_data": workflows,
		"project_workflow_branch_data": branches, "all_branches": branchesOf(all), "all_workflows": namesOf(all),
	})
}

// orgSummary has the metrics of those projects that the request names.
func orgSummary(s *Server, r *request) *answer {
	o := s.orgBy(r.params["org-slug"])
	if o == nil {
		return notFound("Organization")
	}
	in, a := s.window(r)
	if a != nil {
		return a
	}
	var all []*workflow
	data, names := []any{}, []string{}
	for _, p := range s.world.projects {
		if p.org != o {
			continue
		}
		runs := s.runsOf(p, func(*workflow) bool { return true })
		all, names = append(all, runs...), append(names, p.name)
		if slices.Contains(r.query["project-names"], p.name) {
			view := summary(runs, in)
			view["project_name"] = p.name
			for _, part := range []string{"metrics", "trends"} {
				delete(view[part].(object), "throughput")
			}
			data = append(data, view)
		}
	}
	return ok(object{"org_data": summary(all, in), "org_project_data": data, "all_projects": names})
}

func workflowSummary(s *Server, r *request, p *project) *answer {
	in := s.lastDays(insightsDays)
	on := onBranch(r, p)
	runs := s.runsOf(p, func(w *workflow) bool { return w.name == r.params["workflow-name"] && on(w.pipeline) })
	x := samplesOf(runs, in)
	metrics := x.counts(in)
	metrics["mttr"], metrics["total_credits_used"], metrics["completed_runs"] = x.mttr(), nil, nil
	if n := len(x.durations()); n > 0 {
		metrics["total_credits_used"], metrics["completed_runs"] = x.credits(), n
	}
	metrics["window_start"], metrics["window_end"] = x.window()
	trends := object{}
	for _, name := range []string{
		"total_runs", "failed_runs", "success_rate", "p95_duration_secs", "median_duration_secs", "total_credits_used", "mttr", "throughput",
	} {
		trends[name] = 0.0 // the window is of 90 days: there are none
	}
	return ok(object{
		"metrics": metrics, "trends": trends, "workflow_names": namesOf(s.runsOf(p, func(*workflow) bool { return true })),
	})
}
