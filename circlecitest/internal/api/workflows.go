package api

import (
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

func workflowView(w *world.Workflow) form.Object {
	view := form.Object{
		"id": w.ID, "name": w.Name, "status": w.Status, "pipeline_id": w.Pipeline.ID, "pipeline_number": w.Pipeline.Number,
		"project_slug": w.Pipeline.Project.Slug, "started_by": w.StartedBy.ID, "created_at": form.Time(w.Created),
		"stopped_at": form.Time(w.Stopped), "tag": form.Nullable(w.Tag),
	}
	if w.CanceledBy != nil {
		view["canceled_by"] = w.CanceledBy.ID
	}
	return view.Put("auto_rerun_number", int64(w.AutoRerun)).Put("max_auto_reruns", int64(w.Script.AutoReruns))
}

// jobView returns the job as lists of a workflow's jobs contain it.
func jobView(j *world.Job) form.Object {
	dependencies, requires := []any{}, form.Object{}
	for _, required := range j.Requires {
		dependencies = append(dependencies, required.ID)
		requires[required.ID.String()] = j.Script.Accepts(required.Script.Name)
	}
	view := form.Object{
		"id": j.ID, "name": j.Script.Name, "type": j.Script.Kind, "status": j.Status,
		"project_slug": j.Workflow.Pipeline.Project.Slug, "dependencies": dependencies, "requires": requires,
		"started_at": form.Time(j.Started), "stopped_at": form.Time(j.Stopped),
	}
	view.Put("job_number", j.Number).Put("approval_request_id", j.Approval)
	if j.ApprovedBy != nil {
		view["approved_by"] = j.ApprovedBy.ID
	}
	if j.CanceledBy != nil {
		view["canceled_by"] = j.CanceledBy.ID
	}
	return view
}

// withWorkflow returns a handler for a route with a workflow's ID.
func withWorkflow(do func(s *engine.Engine, r *exchange.Request, w *world.Workflow) *exchange.Answer) exchange.Handler {
	return func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		if w := s.Runs.Workflows[r.ID("id")]; w != nil {
			return do(s, r, w)
		}
		return exchange.NotFound("Workflow")
	}
}

var workflowHandlers = map[string]exchange.Handler{
	"GET /workflow/{id}": withWorkflow(func(_ *engine.Engine, _ *exchange.Request, w *world.Workflow) *exchange.Answer {
		return exchange.OK(workflowView(w))
	}),
	"GET /workflow/{id}/job": withWorkflow(func(_ *engine.Engine, r *exchange.Request, w *world.Workflow) *exchange.Answer {
		return exchange.Page(r, w.Jobs, exchange.DefaultPageSize, jobView)
	}),
	"POST /workflow/{id}/cancel": withWorkflow(func(s *engine.Engine, _ *exchange.Request, w *world.Workflow) *exchange.Answer {
		s.Cancel(w)
		return exchange.Message(http.StatusAccepted, "Accepted.")
	}),
	"POST /workflow/{id}/approve/{approval_request_id}": withWorkflow(func(s *engine.Engine, r *exchange.Request, w *world.Workflow) *exchange.Answer {
		for _, j := range w.Jobs {
			if j.Approval != r.ID("approval_request_id") || j.Approval == uuid.Nil {
				continue
			}
			if j.Status != circleci.JobStatusOnHold {
				return exchange.Message(http.StatusBadRequest, "Job already approved.")
			}
			s.Approve(j, s.Me)
			return exchange.Message(http.StatusAccepted, "Accepted.")
		}
		return exchange.NotFound("Job")
	}),
	"POST /workflow/{id}/rerun": withWorkflow(rerunWorkflow),
}

func rerunWorkflow(s *engine.Engine, r *exchange.Request, w *world.Workflow) *exchange.Answer {
	var in struct {
		EnableSSH  bool        `json:"enable_ssh"`
		FromFailed bool        `json:"from_failed"`
		Jobs       []uuid.UUID `json:"jobs"`
		SparseTree bool        `json:"sparse_tree"`
	}
	if len(r.Body) > 0 {
		if a := r.Bind(&in); a != nil {
			return a
		}
	}
	switch {
	case !w.Status.Done():
		return exchange.Message(http.StatusBadRequest, "Workflow must be in a terminal state to be rerun")
	case in.FromFailed && (len(in.Jobs) > 0 || in.SparseTree || in.EnableSSH):
		return exchange.Message(http.StatusBadRequest, "from_failed does not go with jobs, enable_ssh or sparse_tree.")
	case (in.EnableSSH || in.SparseTree) && len(in.Jobs) == 0:
		return exchange.Message(http.StatusBadRequest, "enable_ssh and sparse_tree need jobs.")
	}
	again := func(*world.Job) bool { return true }
	if in.FromFailed {
		again = func(j *world.Job) bool { return j.Status != circleci.JobStatusSuccess }
	}
	if len(in.Jobs) > 0 {
		var chosen []*world.Job
		for _, id := range in.Jobs {
			j := s.Runs.Jobs[id]
			if j == nil || !slices.Contains(w.Jobs, j) {
				return exchange.Message(http.StatusBadRequest, "Job "+id.String()+" is not in the workflow.")
			}
			chosen = append(chosen, j)
		}
		again = func(j *world.Job) bool { return slices.Contains(chosen, j) || j.DependsOn(chosen) }
	}
	return &exchange.Answer{Status: http.StatusAccepted, Body: form.Object{"workflow_id": s.Rerun(w, again, in.SparseTree).ID}}
}
