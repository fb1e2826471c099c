package api

import (
	"net/http"
	"strconv"

	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// privateRoutes are undocumented; CircleCI's MCP server uses them.
var privateRoutes = map[string]route{
	"GET /api/private/me/followed-projects": {query: []string{exchange.PageToken}, handle: func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		var followed []*world.Project
		for _, p := range s.Projects {
			if !p.Unfollowed {
				followed = append(followed, p)
			}
		}
		return exchange.Page(r, followed, exchange.DefaultPageSize, func(p *world.Project) form.Object {
			return form.Object{"name": p.Name, "slug": p.Slug, "vcs_type": p.Org.VCSType}
		})
	}},
	"GET /api/private/output/raw/{project-slug}/{build-number}/output/{task}/{step}": {handle: rawOutput(func(j *world.Job) string { return j.Script.Output })},
	"GET /api/private/output/raw/{project-slug}/{build-number}/error/{task}/{step}":  {handle: rawOutput(func(*world.Job) string { return "" })},
}

// rawOutput answers what a step of a parallel run has printed.
func rawOutput(printed func(*world.Job) string) exchange.Handler {
	return withJob(func(_ *engine.Engine, r *exchange.Request, j *world.Job) *exchange.Answer {
		task, err := strconv.Atoi(r.Params["task"])
		step, noStep := strconv.Atoi(r.Params["step"])
		if err != nil || noStep != nil || task < 0 || task >= max(j.Script.Parallelism, 1) || step != spinUpStep && step != runStep {
			return exchange.NotFound("Step")
		}
		text := ""
		if step == runStep && !j.Stopped.IsZero() {
			text = printed(j)
		}
		return exchange.Text(http.StatusOK, "text/plain; charset=utf-8", text)
	})
}
