package api

import (
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

func pipelineView(p *world.Pipeline) form.Object {
	errors := make([]any, 0, len(p.Errors))
	for _, e := range p.Errors {
		errors = append(errors, form.Object{"type": e.Type, "message": e.Message})
	}
	view := form.Object{
		"id": p.ID, "number": p.Number, "project_slug": p.Project.Slug, "state": p.State, "errors": errors, "warnings": []any{},
		"created_at": form.Time(p.Created), "updated_at": form.Time(p.Updated),
		"trigger": form.Object{
			"type": p.Trigger, "received_at": form.Time(p.Created),
			"actor": form.Object{"login": p.Actor.Login, "avatar_url": nil},
		},
	}
	if vcs, parameters := p.Origin(); vcs != nil {
		view["vcs"] = vcs
	} else {
		view["trigger_parameters"] = parameters
	}
	return view
}

// withPipeline returns a handler for a route with a pipeline's ID.
func withPipeline(do func(s *engine.Engine, r *exchange.Request, p *world.Pipeline) *exchange.Answer) exchange.Handler {
	return func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		if p := s.Runs.ByID[r.ID("pipeline-id")]; p != nil {
			return do(s, r, p)
		}
		return exchange.NotFound("Pipeline")
	}
}

var pipelineHandlers = map[string]exchange.Handler{
	"GET /pipeline": func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		var o *world.Org
		if slug := r.Query.Get("org-slug"); slug != "" {
			if o = s.OrgBy(slug); o == nil {
				return exchange.NotFound("Organization")
			}
		}
		return exchange.Page(r, s.NewestFirst(func(p *world.Pipeline) bool { return o == nil || p.Project.Org == o }), exchange.DefaultPageSize, pipelineView)
	},
	"GET /project/{project-slug}/pipeline": exchange.WithProject(func(s *engine.Engine, r *exchange.Request, pr *world.Project) *exchange.Answer {
		branch := r.Query.Get("branch")
		return exchange.Page(r, s.NewestFirst(func(p *world.Pipeline) bool {
			return p.Project == pr && (branch == "" || p.Branch == branch)
		}), exchange.DefaultPageSize, pipelineView)
	}),
	"GET /project/{project-slug}/pipeline/mine": exchange.WithProject(func(s *engine.Engine, r *exchange.Request, pr *world.Project) *exchange.Answer {
		return exchange.Page(r, s.NewestFirst(func(p *world.Pipeline) bool {
			return p.Project == pr && p.Actor == s.Me
		}), exchange.DefaultPageSize, pipelineView)
	}),
	"GET /project/{project-slug}/pipeline/{pipeline-number}": exchange.WithProject(func(s *engine.Engine, r *exchange.Request, pr *world.Project) *exchange.Answer {
		if p := s.Runs.PipelinesByNumber[world.Numbered{Project: pr, Number: r.Number("pipeline-number")}]; p != nil {
			return exchange.OK(pipelineView(p))
		}
		return exchange.NotFound("Pipeline")
	}),
	"GET /pipeline/{pipeline-id}": withPipeline(func(_ *engine.Engine, _ *exchange.Request, p *world.Pipeline) *exchange.Answer {
		return exchange.OK(pipelineView(p))
	}),
	"GET /pipeline/{pipeline-id}/config": withPipeline(func(_ *engine.Engine, _ *exchange.Request, p *world.Pipeline) *exchange.Answer {
		source := p.Script.Config
		if source == "" {
			source = "version: 2.1\n"
		}
		view := form.Object{"source": source, "compiled": source}
		if p.Script.Setup != nil {
			view["setup_config"], view["compiled_setup_config"] = source, source
			view["source"], view["compiled"] = p.Continued, p.Continued
		}
		return exchange.OK(view)
	}),
	"GET /pipeline/{pipeline-id}/values": withPipeline(func(_ *engine.Engine, _ *exchange.Request, p *world.Pipeline) *exchange.Answer {
		values, parameters := form.Object(p.Values()), p.Parameters
		if p.Configuration != nil {
			parameters = p.Configuration.Values(parameters)
		}
		for name, value := range parameters {
			values["pipeline.parameters."+name] = value
		}
		return exchange.OK(values)
	}),
	"GET /pipeline/{pipeline-id}/workflow": withPipeline(func(_ *engine.Engine, r *exchange.Request, p *world.Pipeline) *exchange.Answer {
		newest := slices.Clone(p.Workflows)
		slices.Reverse(newest)
		return exchange.Page(r, newest, exchange.DefaultPageSize, workflowView)
	}),
	"POST /project/{project-slug}/pipeline": exchange.WithProject(func(s *engine.Engine, r *exchange.Request, pr *world.Project) *exchange.Answer {
		if pr.Org.Standalone() {
			return exchange.Message(http.StatusBadRequest, "circlecitest: the API starts pipelines of this project by pipeline/run only")
		}
		var in struct {
			Branch     string         `json:"branch"`
			Tag        string         `json:"tag"`
			Parameters map[string]any `json:"parameters"`
		}
		if len(r.Body) > 0 {
			if a := r.Bind(&in); a != nil {
				return a
			}
		}
		p := &world.Pipeline{Project: pr, Branch: in.Branch, Tag: in.Tag, Trigger: circleci.TriggerTypeAPI, Parameters: in.Parameters}
		if a := checkPipeline(p, pr); a != nil {
			return a
		}
		return exchange.Created(createdPipelineView(s.Start(p)))
	}),
	"POST /project/{provider}/{organization}/{project}/pipeline/run": exchange.WithProject(runPipeline),
	"POST /pipeline/continue": continuePipeline,
}

type refIn struct {
	Branch string `json:"branch"`
	Tag    string `json:"tag"`
}

type runConfigIn struct {
	Branch  string `json:"branch"`
	Tag     string `json:"tag"`
	Content string `json:"content"`
}

func runPipeline(s *engine.Engine, r *exchange.Request, pr *world.Project) *exchange.Answer {
	var in struct {
		DefinitionID uuid.UUID      `json:"definition_id"`
		Config       runConfigIn    `json:"config"`
		Checkout     refIn          `json:"checkout"`
		Parameters   map[string]any `json:"parameters"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	if in.DefinitionID == uuid.Nil {
		return exchange.Missing("definition_id")
	}
	if len(pr.Definitions) > 0 && pr.DefinitionBy(in.DefinitionID) == nil {
		return exchange.Message(http.StatusNotFound, errNoDefinition)
	}
	if in.Config.Branch != "" && in.Config.Tag != "" {
		return exchange.Message(http.StatusBadRequest, "circlecitest: config has a branch and a tag")
	}
	p := &world.Pipeline{Project: pr, Branch: in.Checkout.Branch, Tag: in.Checkout.Tag, Trigger: circleci.TriggerTypeAPI, Parameters: in.Parameters}
	if a := checkPipeline(p, pr); a != nil {
		return a
	}
	if !s.Triggers(p) {
		pr.NextScript()
		return exchange.OK(form.Object{"message": "No workflows matched: nothing was triggered."})
	}
	return exchange.Created(createdPipelineView(s.Start(p)))
}

// checkPipeline refuses a pipeline that the API would refuse.
func checkPipeline(p *world.Pipeline, pr *world.Project) *exchange.Answer {
	if p.Branch != "" && p.Tag != "" {
		return exchange.Message(http.StatusBadRequest, "branch and tag are mutually exclusive.")
	}
	if a := checkParameters(p.Parameters); a != nil {
		return a
	}
	declared := pr.PeekScript().Parameters
	if pr.Configuration != nil {
		declared = slices.AppendSeq([]string{}, maps.Keys(pr.Configuration.Parameters))
	}
	for name := range p.Parameters {
		if declared != nil && !slices.Contains(declared, name) {
			return exchange.Message(http.StatusNotFound, "Project not found") // the API's own text
		}
	}
	if pr.Configuration != nil {
		if problems := pr.Configuration.CheckParameters(p.Parameters); len(problems) > 0 {
			return exchange.Message(http.StatusBadRequest, strings.Join(problems, "; "))
		}
	}
	return nil
}

// The limits of pipeline parameters.
const (
	maxParameters      = 100
	maxParameterName   = 128 // characters
	maxParameterLength = 512
)

func checkParameters(parameters map[string]any) *exchange.Answer {
	if len(parameters) > maxParameters {
		return exchange.Message(http.StatusBadRequest, "circlecitest: the API takes 100 parameters")
	}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		problem := ""
		if utf8.RuneCountInString(name) > maxParameterName {
			problem = "has a name of more than 128 characters"
		}
		switch value := parameters[name].(type) {
		case string:
			if utf8.RuneCountInString(value) > maxParameterLength {
				problem = "has a value of more than 512 characters"
			}
		case bool:
		case float64:
			if value != math.Trunc(value) {
				problem = "is not an integer"
			}
		default:
			problem = "is not a string, integer or boolean"
		}
		if problem != "" {
			return exchange.Message(http.StatusBadRequest, "circlecitest: the parameter "+name+" "+problem)
		}
	}
	return nil
}

func createdPipelineView(p *world.Pipeline) form.Object {
	return form.Object{"id": p.ID, "number": p.Number, "state": p.State, "created_at": form.Time(p.Created)}
}

func continuePipeline(s *engine.Engine, r *exchange.Request) *exchange.Answer {
	var in struct {
		Key           string         `json:"continuation-key"`
		Configuration string         `json:"configuration"`
		Parameters    map[string]any `json:"parameters"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	if a := checkParameters(in.Parameters); a != nil {
		return a
	}
	for _, p := range s.Runs.Pipelines {
		if in.Key == "" || p.Continuation != in.Key {
			continue
		}
		if strings.TrimSpace(in.Configuration) == "" {
			return exchange.Missing("configuration")
		}
		s.Continue(p, in.Configuration, in.Parameters)
		return exchange.Message(http.StatusOK, "Pipeline continued.")
	}
	return exchange.NotFound("Continuation key")
}
