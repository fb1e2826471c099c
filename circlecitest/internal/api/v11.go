package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// route is a route outside the API v2 that no method of the SDK calls.
type route struct {
	query  []string
	sunset bool // see exchange.Operation
	handle exchange.Handler
}

// Queries of lists of builds.
var (
	buildsQuery   = []string{"limit", "offset", "filter", "shallow"}
	artifactQuery = []string{"branch", "filter"}
)

// v11Routes are those of the API v1.1, beside a build, of which the SDK reads the
// steps. A build of the API v1.1 is a job of the API v2.
var v11Routes = map[string]route{
	"GET /api/v1.1/me": {handle: func(s *engine.Engine, _ *exchange.Request) *exchange.Answer {
		return exchange.OK(form.Object{
			"id": s.Me.ID, "login": s.Me.Login, "name": s.Me.Name, "avatar_url": nil, "admin": false, "all_emails": []any{}, "selected_email": nil,
			"projects": form.Object{},
		})
	}},
	"GET /api/v1.1/projects": {query: []string{"shallow"}, handle: func(s *engine.Engine, _ *exchange.Request) *exchange.Answer {
		all := []any{}
		for _, p := range s.Projects {
			if !p.Unfollowed {
				all = append(all, v11Project(p))
			}
		}
		return exchange.OK(all)
	}},
	"POST /api/v1.1/project/{project-slug}/follow": {handle: func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		p := s.ProjectBy(r.Slug())
		switch {
		case p == nil && strings.HasPrefix(r.Slug(), "circleci/"):
			return exchange.Message(http.StatusNotFound, "Project not found")
		case p == nil && !isProjectSlug(r.Slug()):
			return invalidSlug(r)
		case p == nil:
			p = s.AddProject(r.Slug()) // following sets a project up
		}
		p.Unfollowed = false
		return exchange.OK(form.Object{"following": true, "workflow": true, "first_build": nil})
	}},
	"POST /api/v1.1/project/{project-slug}/unfollow": {handle: exchange.WithProject(func(_ *engine.Engine, _ *exchange.Request, p *world.Project) *exchange.Answer {
		p.Unfollowed = true
		return exchange.OK(form.Object{"following": false})
	})},

	"GET /api/v1.1/recent-builds": {query: buildsQuery, handle: func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		return v11Builds(s, r, func(*world.Job) bool { return true })
	}},
	"GET /api/v1.1/project/{project-slug}": {query: buildsQuery, handle: exchange.WithProject(func(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		return v11Builds(s, r, func(j *world.Job) bool { return j.Workflow.Pipeline.Project == p })
	})},
	"GET /api/v1.1/project/{project-slug}/tree/{branch}": {query: buildsQuery, handle: exchange.WithProject(func(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		return v11Builds(s, r, func(j *world.Job) bool {
			return j.Workflow.Pipeline.Project == p && j.Workflow.Pipeline.Branch == r.Params["branch"]
		})
	})},
	"GET /api/v1.1/project/{project-slug}/{build-number}/artifacts": {handle: withJob(func(_ *engine.Engine, r *exchange.Request, j *world.Job) *exchange.Answer {
		return v11Artifacts(r, j)
	})},
	"GET /api/v1.1/project/{project-slug}/latest/artifacts": {query: artifactQuery, handle: exchange.WithProject(func(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		branch := r.Query.Get("branch")
		builds := newestJobs(s.World, func(j *world.Job) bool {
			run := j.Workflow.Pipeline
			return run.Project == p && (branch == "" || run.Branch == branch) && !j.Stopped.IsZero() && passesFilter(j, r.Query.Get("filter"))
		})
		if len(builds) == 0 {
			return exchange.Message(http.StatusNotFound, "Build not found")
		}
		return v11Artifacts(r, builds[0])
	})},
	"GET /api/v1.1/project/{project-slug}/{build-number}/tests": {handle: withJob(func(_ *engine.Engine, _ *exchange.Request, j *world.Job) *exchange.Answer {
		tests := []any{}
		for _, t := range j.Results() {
			tests = append(tests, testView(t))
		}
		return exchange.OK(form.Object{"tests": tests})
	})},
	"POST /api/v1.1/project/{project-slug}/{build-number}/cancel": {handle: withJob(func(s *engine.Engine, _ *exchange.Request, j *world.Job) *exchange.Answer {
		cancelJob(s, j)
		return exchange.OK(v11Build(j))
	})},
	"POST /api/v1.1/project/{project-slug}/{build-number}/retry":         {sunset: true, handle: withJob(retryBuild)},
	"POST /api/v1.1/project/{project-slug}/{build-number}/ssh":           {sunset: true, handle: withJob(retryBuild)},
	"POST /api/v1.1/project/{project-slug}/build":                        {sunset: true, handle: exchange.WithProject(v11Trigger)},
	"POST /api/v1.1/project/{project-slug}":                              {sunset: true, handle: exchange.WithProject(v11Trigger)},
	"POST /api/v1.1/project/{project-slug}/tree/{branch}":                {sunset: true, handle: exchange.WithProject(v11Trigger)},
	"GET /api/v1.1/project/{project-slug}/envvar":                        {handle: exchange.WithProject(v11EnvVars)},
	"POST /api/v1.1/project/{project-slug}/envvar":                       {handle: projectHandlers["POST /project/{project-slug}/envvar"]},
	"GET /api/v1.1/project/{project-slug}/envvar/{name}":                 {handle: projectHandlers["GET /project/{project-slug}/envvar/{name}"]},
	"DELETE /api/v1.1/project/{project-slug}/envvar/{name}":              {handle: projectHandlers["DELETE /project/{project-slug}/envvar/{name}"]},
	"GET /api/v1.1/project/{project-slug}/checkout-key":                  {handle: exchange.WithProject(v11Keys)},
	"POST /api/v1.1/project/{project-slug}/checkout-key":                 {handle: projectHandlers["POST /project/{project-slug}/checkout-key"]},
	"GET /api/v1.1/project/{project-slug}/checkout-key/{fingerprint}":    {handle: projectHandlers["GET /project/{project-slug}/checkout-key/{fingerprint}"]},
	"DELETE /api/v1.1/project/{project-slug}/checkout-key/{fingerprint}": {handle: projectHandlers["DELETE /project/{project-slug}/checkout-key/{fingerprint}"]},
}

func v11Project(p *world.Project) form.Object {
	return form.Object{
		"username": p.Org.Name, "reponame": p.Name, "vcs_type": p.Org.VCSType, "vcs_url": p.Repository(), "default_branch": p.DefaultBranch,
		"following": !p.Unfollowed, "followed": !p.Unfollowed, "has_usable_key": true, "oss": false, "branches": form.Object{},
	}
}

func v11EnvVars(_ *engine.Engine, _ *exchange.Request, p *world.Project) *exchange.Answer {
	all := []any{}
	for _, v := range p.EnvVars {
		all = append(all, envVarView(v))
	}
	return exchange.OK(all)
}

func v11Keys(_ *engine.Engine, _ *exchange.Request, p *world.Project) *exchange.Answer {
	all := []any{}
	for _, k := range p.Keys {
		all = append(all, checkoutKeyView(k, ""))
	}
	return exchange.OK(all)
}

// v11Trigger starts a pipeline. Its jobs have no numbers yet, so that the answer
// has no build.
func v11Trigger(s *engine.Engine, r *exchange.Request, pr *world.Project) *exchange.Answer {
	var in struct {
		Branch          string         `json:"branch"`
		Tag             string         `json:"tag"`
		Revision        string         `json:"revision"`
		Parallel        int            `json:"parallel"`
		Parameters      map[string]any `json:"parameters"`
		BuildParameters map[string]any `json:"build_parameters"`
	}
	if len(r.Body) > 0 {
		if a := r.Bind(&in); a != nil {
			return a
		}
	}
	if in.Revision != "" || in.Parallel != 0 || in.BuildParameters != nil {
		return exchange.Message(http.StatusNotImplemented, "circlecitest does not model revision, parallel and build_parameters of "+r.Op.Key)
	}
	if branch := r.Params["branch"]; branch != "" {
		in.Branch = branch
	}
	p := &world.Pipeline{Project: pr, Branch: in.Branch, Tag: in.Tag, Trigger: circleci.TriggerTypeAPI, Parameters: in.Parameters}
	if a := checkPipeline(p, pr); a != nil {
		return a
	}
	s.Start(p)
	return exchange.Created(form.Object{"status": http.StatusCreated, "body": "Build created"})
}

// retryBuild runs the one job again, in a workflow of its own.
func retryBuild(s *engine.Engine, _ *exchange.Request, j *world.Job) *exchange.Answer {
	if !j.Workflow.Status.Done() {
		return exchange.Message(http.StatusBadRequest, "Workflow must be in a terminal state to be rerun")
	}
	w := s.Rerun(j.Workflow, func(other *world.Job) bool { return other == j }, true)
	return exchange.Created(v11Build(w.Jobs[0]))
}

func v11Artifacts(r *exchange.Request, j *world.Job) *exchange.Answer {
	all := []any{}
	if !j.Stopped.IsZero() {
		for _, a := range j.Script.Artifacts {
			all = append(all, form.Object{"path": a.Path, "pretty_path": a.Path, "node_index": a.NodeIndex, "url": r.Host.Artifacts + jobArtifactPath(j, a)})
		}
	}
	return exchange.OK(all)
}

// The sizes of lists of builds.
const (
	buildsListed = 30
	mostBuilds   = 100
)

func v11Builds(s *engine.Engine, r *exchange.Request, keep func(*world.Job) bool) *exchange.Answer {
	filter := r.Query.Get("filter")
	builds := newestJobs(s.World, func(j *world.Job) bool { return keep(j) && passesFilter(j, filter) })
	limit, offset := queryNumber(r, "limit", buildsListed), queryNumber(r, "offset", 0)
	builds = builds[min(offset, len(builds)):]
	all := []any{}
	for _, j := range builds[:min(limit, mostBuilds, len(builds))] {
		all = append(all, v11Build(j))
	}
	return exchange.OK(all)
}

// newestJobs are the jobs that have a number, the newest first.
func newestJobs(s *world.World, keep func(*world.Job) bool) (all []*world.Job) {
	for _, j := range s.Runs.JobsByNumber {
		if keep(j) {
			all = append(all, j)
		}
	}
	slices.SortFunc(all, func(a, b *world.Job) int {
		if c := b.Started.Compare(a.Started); c != 0 {
			return c
		}
		if a.Number != b.Number {
			return int(b.Number - a.Number)
		}
		return strings.Compare(a.ID.String(), b.ID.String())
	})
	return all
}

func passesFilter(j *world.Job, filter string) bool {
	switch filter {
	case "completed":
		return j.Status.Done()
	case "successful":
		return j.Status == circleci.JobStatusSuccess
	case "failed":
		return j.Status.Failed()
	case "running":
		return j.Status == circleci.JobStatusRunning
	}
	return true
}
