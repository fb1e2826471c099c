package circlecitest

import (
	"net/http"

	"github.com/circleci-go/circleci"
)

// details is the job as the API tells it in full.
func (j *job) details() object {
	p := j.workflow.pipeline
	contexts := []any{}
	for _, name := range j.script.contexts {
		contexts = append(contexts, object{"name": name})
	}
	view := object{
		"number": j.number, "name": j.script.name, "status": j.status, "web_url": j.webURL(),
		"project": object{
			"id": p.project.id, "slug": p.project.slug, "name": p.project.name, "external_url": p.project.repository(),
		},
		"organization":    object{"name": p.project.org.name},
		"pipeline":        object{"id": p.id},
		"latest_workflow": object{"id": j.workflow.id, "name": j.workflow.name},
		"executor":        object{"type": "docker", "resource_class": "medium"},
		"parallelism":     1,
		"parallel_runs":   []any{object{"index": 0, "status": j.status}},
		"contexts":        contexts,
		"messages":        []any{},
		"created_at":      timestamp(j.queued),
		"queued_at":       timestamp(j.queued),
		"started_at":      timestamp(j.started),
		"stopped_at":      timestamp(j.stopped),
		"duration":        nil,
	}
	if !j.stopped.IsZero() {
		view["duration"] = j.stopped.Sub(j.started).Milliseconds()
	}
	return view
}

// withJob is a handler for a route with a project's slug and a job's number.
// The newest run counts: a job that came over to a rerun keeps its number.
func withJob(do func(s *Server, r *request, j *job) *answer) handler {
	return withProject(func(s *Server, r *request, p *project) *answer {
		number := r.number("job-number") + r.number("build-number") // as the API v1.1 calls it
		j := s.world.runs.jobsByNumber[numbered{p, number}]
		if j == nil {
			return notFound("Job")
		}
		return do(s, r, j)
	})
}

func (s *Server) cancelJob(j *job) *answer {
	if !j.status.Done() {
		j.canceledBy = s.world.me
		s.endJob(j, circleci.JobStatusCanceled)
	}
	return message(http.StatusOK, "Job successfully canceled.")
}

var jobHandlers = map[string]handler{
	"GET /project/{project-slug}/job/{job-number}":         withJob(func(_ *Server, _ *request, j *job) *answer { return ok(j.details()) }),
	"POST /project/{project-slug}/job/{job-number}/cancel": withJob(func(s *Server, _ *request, j *job) *answer { return s.cancelJob(j) }),
	"POST /jobs/{job-id}/cancel": func(s *Server, r *request) *answer {
		if j := s.world.runs.jobs[r.id("job-id")]; j != nil {
			return s.cancelJob(j)
		}
		return notFound("Job")
	},
	"GET /project/{project-slug}/{job-number}/tests": withJob(func(_ *Server, r *request, j *job) *answer {
		return page(r, j.results(), defaultPageSize, func(t circleci.Test) object {
			return object{
				"name": t.Name, "classname": t.Classname, "file": nullable(t.File), "source": t.Source, "result": t.Result,
				"message": nullable(t.Message), "run_time": t.RunTime,
			}
		})
	}),
	"GET /project/{project-slug}/{job-number}/artifacts": withJob(func(_ *Server, r *request, j *job) *answer {
		var artifacts []Artifact
		if !j.stopped.IsZero() {
			artifacts = j.script.artifacts
		}
		return page(r, artifacts, defaultPageSize, func(a Artifact) object {
			return object{"path": a.Path, "node_index": a.NodeIndex, "url": r.host.artifacts + j.artifactPath(a)}
		})
	}),
}
