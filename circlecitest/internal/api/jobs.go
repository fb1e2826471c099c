package api

import (
	"net/http"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// jobDetails returns the job with all details.
func jobDetails(j *world.Job) form.Object {
	p := j.Workflow.Pipeline
	contexts := []any{}
	for _, name := range j.Script.Contexts {
		contexts = append(contexts, form.Object{"name": name})
	}
	parallel := []any{}
	for i := range max(j.Script.Parallelism, 1) {
		parallel = append(parallel, form.Object{"index": i, "status": j.Status})
	}
	view := form.Object{
		"number": j.Number, "name": j.Script.Name, "status": j.Status, "web_url": j.WebURL(),
		"project": form.Object{
			"id": p.Project.ID, "slug": p.Project.Slug, "name": p.Project.Name, "external_url": p.Project.Repository(),
		},
		"organization":    form.Object{"name": p.Project.Org.Name},
		"pipeline":        form.Object{"id": p.ID},
		"latest_workflow": form.Object{"id": j.Workflow.ID, "name": j.Workflow.Name},
		"executor":        form.Object{"type": "docker", "resource_class": "medium"},
		"parallelism":     len(parallel),
		"parallel_runs":   parallel,
		"contexts":        contexts,
		"messages":        []any{},
		"created_at":      form.Time(j.Queued),
		"queued_at":       form.Time(j.Queued),
		"started_at":      form.Time(j.Started),
		"stopped_at":      form.Time(j.Stopped),
		"duration":        nil,
	}
	if !j.Stopped.IsZero() {
		view["duration"] = j.Stopped.Sub(j.Started).Milliseconds()
	}
	return view
}

// withJob returns a handler for a route with a project's slug and a job's
// number. It uses the newest run: a job that is taken over by a rerun keeps its
// number.
func withJob(do func(s *engine.Engine, r *exchange.Request, j *world.Job) *exchange.Answer) exchange.Handler {
	return exchange.WithProject(func(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		number := r.Number("job-number") + r.Number("build-number") // as the API v1.1 calls it
		j := s.Runs.JobsByNumber[world.Numbered{Project: p, Number: number}]
		if j == nil {
			return exchange.NotFound("Job")
		}
		return do(s, r, j)
	})
}

func cancelJob(s *engine.Engine, j *world.Job) *exchange.Answer {
	if !j.Status.Done() {
		j.CanceledBy = s.Me
		s.EndJob(j, circleci.JobStatusCanceled)
	}
	return exchange.Message(http.StatusOK, "Job successfully canceled.")
}

func testView(t circleci.Test) form.Object {
	var message any = t.Message // "" if there is none
	if t.Result == circleci.TestResultSkipped {
		message = form.Nullable(t.Message)
	}
	return form.Object{
		"name": t.Name, "classname": t.Classname, "file": form.Nullable(t.File), "source": t.Source, "result": t.Result,
		"message": message, "run_time": t.RunTime,
	}
}

var jobHandlers = map[string]exchange.Handler{
	"GET /project/{project-slug}/job/{job-number}": withJob(func(_ *engine.Engine, _ *exchange.Request, j *world.Job) *exchange.Answer {
		return exchange.OK(jobDetails(j))
	}),
	"POST /project/{project-slug}/job/{job-number}/cancel": withJob(func(s *engine.Engine, _ *exchange.Request, j *world.Job) *exchange.Answer { return cancelJob(s, j) }),
	"GET /jobs/{job-id}": func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		if j := s.Runs.Jobs[r.ID("job-id")]; j != nil {
			return exchange.OK(jobDetails(j))
		}
		return exchange.NotFound("Job")
	},
	"POST /jobs/{job-id}/cancel": func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		if j := s.Runs.Jobs[r.ID("job-id")]; j != nil {
			return cancelJob(s, j)
		}
		return exchange.NotFound("Job")
	},
	"GET /project/{project-slug}/{job-number}/tests": withJob(func(_ *engine.Engine, r *exchange.Request, j *world.Job) *exchange.Answer {
		return exchange.Page(r, j.Results(), exchange.DefaultPageSize, testView)
	}),
	"GET /project/{project-slug}/{job-number}/artifacts": withJob(func(_ *engine.Engine, r *exchange.Request, j *world.Job) *exchange.Answer {
		var artifacts []world.Artifact
		if !j.Stopped.IsZero() {
			artifacts = j.Script.Artifacts
		}
		return exchange.Page(r, artifacts, exchange.DefaultPageSize, func(a world.Artifact) form.Object {
			return form.Object{"path": a.Path, "node_index": a.NodeIndex, "url": r.Host.Artifacts + jobArtifactPath(j, a)}
		})
	}),
}
