package circlecitest

import (
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

func (w *workflow) view() object {
	view := object{
		"id": w.id, "name": w.name, "status": w.status, "pipeline_id": w.pipeline.id, "pipeline_number": w.pipeline.number,
		"project_slug": w.pipeline.project.slug, "started_by": w.startedBy.id, "created_at": timestamp(w.created),
		"stopped_at": timestamp(w.stopped), "tag": nullable(w.tag),
	}
	if w.canceledBy != nil {
		view["canceled_by"] = w.canceledBy.id
	}
	return view.put("auto_rerun_number", int64(w.autoRerun)).put("max_auto_reruns", int64(w.script.autoReruns))
}

// view is the job as its workflow sees it.
func (j *job) view() object {
	dependencies, requires := []any{}, object{}
	for _, required := range j.requires {
		dependencies = append(dependencies, required.id)
		requires[required.id.String()] = []any{circleci.JobStatusSuccess}
	}
	view := object{
		"id": j.id, "name": j.script.name, "type": j.script.kind, "status": j.status,
		"project_slug": j.workflow.pipeline.project.slug, "dependencies": dependencies, "requires": requires,
		"started_at": timestamp(j.started), "stopped_at": timestamp(j.stopped),
	}
	view.put("job_number", j.number).put("approval_request_id", j.approval)
	if j.approvedBy != nil {
		view["approved_by"] = j.approvedBy.id
	}
	if j.canceledBy != nil {
		view["canceled_by"] = j.canceledBy.id
	}
	return view
}

// withWorkflow is a handler for a route with a workflow's ID.
func withWorkflow(do func(s *Server, r *request, w *workflow) *answer) handler {
	return func(s *Server, r *request) *answer {
		if w := s.world.runs.workflows[r.id("id")]; w != nil {
			return do(s, r, w)
		}
		return notFound("Workflow")
	}
}

var workflowHandlers = map[string]handler{
	"GET /workflow/{id}": withWorkflow(func(_ *Server, _ *request, w *workflow) *answer { return ok(w.view()) }),
	"GET /workflow/{id}/job": withWorkflow(func(_ *Server, r *request, w *workflow) *answer {
		return page(r, w.jobs, defaultPageSize, (*job).view)
	}),
	"POST /workflow/{id}/cancel": withWorkflow(func(s *Server, _ *request, w *workflow) *answer {
		s.cancel(w)
		return message(http.StatusAccepted, "Accepted.")
	}),
	"POST /workflow/{id}/approve/{approval_request_id}": withWorkflow(func(s *Server, r *request, w *workflow) *answer {
		for _, j := range w.jobs {
			if j.approval != r.id("approval_request_id") || j.approval == uuid.Nil {
				continue
			}
			if j.status != circleci.JobStatusOnHold {
				return message(http.StatusBadRequest, "Job already approved.")
			}
			s.approve(j, s.world.me)
			return message(http.StatusAccepted, "Accepted.")
		}
		return notFound("Job")
	}),
	"POST /workflow/{id}/rerun": withWorkflow(rerunWorkflow),
}

func rerunWorkflow(s *Server, r *request, w *workflow) *answer {
	var in struct {
		EnableSSH  bool        `json:"enable_ssh"`
		FromFailed bool        `json:"from_failed"`
		Jobs       []uuid.UUID `json:"jobs"`
		SparseTree bool        `json:"sparse_tree"`
	}
	if len(r.body) > 0 {
		if a := r.bind(&in); a != nil {
			return a
		}
	}
	switch {
	case !w.status.Done():
		return message(http.StatusBadRequest, "Workflow must be in a terminal state to be rerun")
	case in.FromFailed && (len(in.Jobs) > 0 || in.SparseTree || in.EnableSSH):
		return message(http.StatusBadRequest, "from_failed does not go with jobs, enable_ssh or sparse_tree.")
	case (in.EnableSSH || in.SparseTree) && len(in.Jobs) == 0:
		return message(http.StatusBadRequest, "enable_ssh and sparse_tree need jobs.")
	}
	again := func(*job) bool { return true }
	if in.FromFailed {
		again = func(j *job) bool { return j.status != circleci.JobStatusSuccess }
	}
	if len(in.Jobs) > 0 {
		var chosen []*job
		for _, id := range in.Jobs {
			j := s.world.runs.jobs[id]
			if j == nil || !slices.Contains(w.jobs, j) {
				return message(http.StatusBadRequest, "Job "+id.String()+" is not in the workflow.")
			}
			chosen = append(chosen, j)
		}
		again = func(j *job) bool { return slices.Contains(chosen, j) || j.dependsOn(chosen) }
	}
	return &answer{status: http.StatusAccepted, body: object{"workflow_id": s.rerun(w, again, in.SparseTree).id}}
}
