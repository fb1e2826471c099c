package api

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// stateV3 puts a status of the API v2 into the words of the API v3.
func stateV3(status string) (phase, outcome string) {
	switch status {
	case "success":
		return "ended", "succeeded"
	case "error", "errored":
		return "ended", "errored"
	case "failing":
		return "started", "failed"
	case "running", "on_hold":
		return "started", ""
	case "queued", "not_running":
		return "queued", ""
	case "", "blocked", "pending", "setup-pending", "setup", "created":
		return "created", ""
	default: // failed, canceled, not_run, unauthorized, infrastructure_fail, timedout
		return "ended", status
	}
}

// putStateV3 adds the attributes that tell a state: the final outcome only
// where there is one.
func putStateV3(attributes form.Object, status string, hasOutcome bool) form.Object {
	phase, outcome := stateV3(status)
	attributes["phase"] = phase
	attributes.Put("current_outcome", outcome)
	if hasOutcome && phase == "ended" {
		attributes.Put("outcome", outcome)
	}
	return attributes
}

// statusOfRun is the status that CircleCI's pages show for a pipeline: that of
// its newest workflow of each name.
func statusOfRun(p *world.Pipeline) string {
	if p.State == circleci.PipelineStateErrored {
		return "errored"
	}
	newest := map[string]*world.Workflow{}
	for _, w := range p.Workflows {
		newest[w.Name] = w
	}
	worst, rank := "", -1
	order := []string{"success", "not_run", "canceled", "unauthorized", "error", "failed", "on_hold", "running", "failing"}
	for _, w := range newest {
		if n := slices.Index(order, string(w.Status)); n > rank {
			worst, rank = string(w.Status), n
		}
	}
	if worst == "" {
		return "pending"
	}
	return worst
}

func runViewV3(p *world.Pipeline) form.Object {
	attributes := putStateV3(form.Object{"number": p.Number, "created_at": form.Time(p.Created)}, statusOfRun(p), false)
	if len(p.Errors) > 0 {
		var errors []any
		for _, e := range p.Errors {
			errors = append(errors, form.Object{"type": e.Type, "message": e.Message})
		}
		attributes["errors"] = errors
	}
	vcs := form.Object{
		"provider_name": p.Project.Org.VCSType, "origin_repository_url": p.Project.Repository(), "revision": p.Revision,
		"commit": form.Object{"subject": "A change", "author": form.Object{"name": p.Actor.Name, "login": p.Actor.Login}},
	}.Put("branch", p.Branch).Put("tag", p.Tag)
	return resource(p.ID, attributes, form.Object{
		"project": ref(p.Project.ID), "user": form.Object{"id": p.Actor.ID, "attributes": form.Object{"login": p.Actor.Login}},
		"trigger": form.Object{"id": p.Project.ID, "attributes": form.Object{"event_source": form.Object{"type": p.Trigger}}},
		"event":   form.Object{"id": p.ID, "attributes": form.Object{"type": p.Trigger, "vcs": vcs}},
	})
}

func workflowViewV3(w *world.Workflow) form.Object {
	attributes := putStateV3(form.Object{"name": w.Name, "created_at": form.Time(w.Created)}, string(w.Status), true).Put("ended_at", w.Stopped)
	user := w.StartedBy
	if w.CanceledBy != nil {
		user = w.CanceledBy
	}
	return resource(w.ID, attributes, form.Object{
		"run": ref(w.Pipeline.ID), "project": ref(w.Pipeline.Project.ID), "user": ref(user.ID),
	})
}

// timeFilter reads a parameter of the query that is a time.
func timeFilter(r *exchange.Request, name string) (time.Time, *exchange.Answer) {
	text := r.Query.Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse("2006-01-02T15:04:05Z", text)
	if err != nil {
		return t, invalidV3(filterPointer(name), "is not a time in whole seconds")
	}
	return t, nil
}

func listRunsV3(s *engine.Engine, r *exchange.Request) *exchange.Answer {
	user, project := r.Query.Get("filter[user_id]"), r.Query.Get("filter[project_id]")
	if (user == "") == (project == "") {
		return invalidV3("/filter/project_id", "or /filter/user_id is required")
	}
	if user != "" && user != "me" {
		return invalidV3("/filter/user_id", "is me")
	}
	from, a := timeFilter(r, "filter[from]")
	if a != nil {
		return a
	}
	to, a := timeFilter(r, "filter[to]")
	if a != nil {
		return a
	}
	phase, outcome := r.Query.Get("filter[phase]"), r.Query.Get("filter[current_outcome]")
	return pageV3(r, s.NewestFirst(func(p *world.Pipeline) bool {
		itsPhase, itsOutcome := stateV3(statusOfRun(p))
		return (project == "" || p.Project.ID.String() == project) && (user == "" || p.Actor == s.Me) &&
			(phase == "" || phase == itsPhase) && (outcome == "" || outcome == itsOutcome) &&
			!p.Created.Before(from) && (to.IsZero() || !p.Created.After(to))
	}), mostRuns, runViewV3)
}

var comparison = regexp.MustCompile(`^\s*([a-z.]+)\s*==\s*"((?:[^"\\]|\\.)*)"\s*$`)

// filterRuns makes a function of a filter: comparisons, joined by and.
func filterRuns(text string) (func(*world.Pipeline) bool, *exchange.Answer) {
	var all []func(*world.Pipeline) bool
	for part := range strings.SplitSeq(text, " and ") {
		m := comparison.FindStringSubmatch(part)
		if m == nil {
			return nil, invalidV3("/filter", `is not of the form field == "value", joined by and`)
		}
		value := strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(m[2])
		switch m[1] {
		case "pipeline.git.branch":
			all = append(all, func(p *world.Pipeline) bool { return p.Branch == value })
		case "pipeline.status":
			all = append(all, func(p *world.Pipeline) bool {
				return statusOfRun(p) == value || value == "error" && statusOfRun(p) == "errored"
			})
		default:
			return nil, invalidV3("/filter", "has the unknown field "+m[1])
		}
	}
	return func(p *world.Pipeline) bool {
		return !slices.ContainsFunc(all, func(f func(*world.Pipeline) bool) bool { return !f(p) })
	}, nil
}

func searchRunsV3(s *engine.Engine, r *exchange.Request) *exchange.Answer {
	var in struct {
		Scope struct {
			ProjectIDs []uuid.UUID `json:"project_ids"`
			From       time.Time   `json:"from"`
			To         time.Time   `json:"to"`
		} `json:"scope"`
		Filter  string `json:"filter"`
		OrderBy string `json:"order_by"`
		Page    struct {
			Cursor string `json:"cursor"`
			Limit  int    `json:"limit"`
		} `json:"page"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	switch {
	case len(in.Scope.ProjectIDs) == 0 || in.Scope.From.IsZero() || in.Scope.To.IsZero():
		return invalidV3("/scope", "needs project_ids, from and to")
	case in.Page.Limit < 0 || in.Page.Limit > mostRuns:
		return exchange.FailureV3(http.StatusBadRequest, "validation_error", "Invalid page size", "/page/limit")
	case in.Page.Limit == 0:
		in.Page.Limit = mostRuns
	}
	matches := func(*world.Pipeline) bool { return true }
	if in.Filter != "" {
		var a *exchange.Answer
		if matches, a = filterRuns(in.Filter); a != nil {
			return a
		}
	}
	found := s.NewestFirst(func(p *world.Pipeline) bool {
		return slices.Contains(in.Scope.ProjectIDs, p.Project.ID) && !p.Created.Before(in.Scope.From) &&
			!p.Created.After(in.Scope.To) && matches(p)
	})
	if strings.HasSuffix(in.OrderBy, " asc") {
		slices.Reverse(found)
	}
	return pageOfV3(in.Page.Cursor, in.Page.Limit, found, runViewV3)
}

func rerunWorkflowV3(s *engine.Engine, r *exchange.Request, w *world.Workflow) *exchange.Answer {
	var in struct {
		FromFailed bool        `json:"is_from_failed"`
		EnableSSH  bool        `json:"is_ssh_enabled"`
		Jobs       []uuid.UUID `json:"jobs"`
	}
	if len(r.Body) > 0 {
		if a := r.Bind(&in); a != nil {
			return a
		}
	}
	if !w.Status.Done() {
		return exchange.FailureV3(http.StatusBadRequest, "validation_error", "Workflow must be in a terminal state to be rerun", "")
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
				return invalidV3("/jobs", "has a job that is not in the workflow")
			}
			chosen = append(chosen, j)
		}
		again = func(j *world.Job) bool { return slices.Contains(chosen, j) || j.DependsOn(chosen) }
	}
	next := s.Rerun(w, again, false)
	a := createdV3(ref(next.ID))
	a.Header = http.Header{"Location": {"/api/v3/workflows/" + next.ID.String()}}
	return a
}

var runHandlersV3 = map[string]exchange.Handler{
	"GET /api/v3/runs": listRunsV3,
	"GET /api/v3/runs/{id}": withIDV3("Run", runV3, func(_ *engine.Engine, _ *exchange.Request, p *world.Pipeline) *exchange.Answer {
		return okV3(runViewV3(p))
	}),
	"POST /api/v3/runs/search": searchRunsV3,
	"GET /api/v3/workflows": withFilter("filter[run_id]", "Run", runV3, func(_ *engine.Engine, r *exchange.Request, p *world.Pipeline) *exchange.Answer {
		newest := slices.Clone(p.Workflows)
		slices.Reverse(newest)
		return pageV3(r, newest, mostOthers, workflowViewV3)
	}),
	"GET /api/v3/workflows/{id}": withIDV3("Workflow", workflowV3, func(_ *engine.Engine, _ *exchange.Request, w *world.Workflow) *exchange.Answer {
		return okV3(workflowViewV3(w))
	}),
	"POST /api/v3/workflows/{id}/rerun": withIDV3("Workflow", workflowV3, rerunWorkflowV3),
	"POST /api/v3/workflows/{id}/cancel": withIDV3("Workflow", workflowV3, func(s *engine.Engine, _ *exchange.Request, w *world.Workflow) *exchange.Answer {
		s.Cancel(w)
		return okV3(ref(w.ID))
	}),
}
