package circlecitest

import (
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

func (p *pipeline) view() object {
	errors := make([]any, 0, len(p.errors))
	for _, e := range p.errors {
		errors = append(errors, object{"type": e.Type, "message": e.Message})
	}
	view := object{
		"id": p.id, "number": p.number, "project_slug": p.project.slug, "state": p.state, "errors": errors, "warnings": []any{},
		"created_at": timestamp(p.created), "updated_at": timestamp(p.updated),
		"trigger": object{
			"type": p.trigger, "received_at": timestamp(p.created),
			"actor": object{"login": p.actor.login, "avatar_url": nil},
		},
	}
	if p.project.org.vcsType == "circleci" {
		git := object{"branch": p.branch, "checkout_sha": p.revision, "repo_id": "705400000"}
		view["trigger_parameters"] = object{"git": git, "circleci": object{"trigger_type": p.trigger, "actor_id": p.actor.id.String()}}
		return view
	}
	provider := map[string]string{"github": "GitHub", "bitbucket": "Bitbucket"}[p.project.org.vcsType]
	view["vcs"] = object{
		"provider_name": provider, "origin_repository_url": p.project.repository(), "target_repository_url": p.project.repository(),
		"revision": p.revision, "commit": object{"subject": "A change", "body": ""},
	}.put("branch", p.branch).put("tag", p.tag)
	return view
}

// newestFirst are the pipelines that keep says, newest first.
func (s *Server) newestFirst(keep func(*pipeline) bool) []*pipeline {
	var all []*pipeline
	for _, p := range slices.Backward(s.world.runs.pipelines) {
		if keep(p) {
			all = append(all, p)
		}
	}
	return all
}

// withPipeline is a handler for a route with a pipeline's ID.
func withPipeline(do func(s *Server, r *request, p *pipeline) *answer) handler {
	return func(s *Server, r *request) *answer {
		if p := s.world.runs.byID[r.id("pipeline-id")]; p != nil {
			return do(s, r, p)
		}
		return notFound("Pipeline")
	}
}

var pipelineHandlers = map[string]handler{
	"GET /pipeline": func(s *Server, r *request) *answer {
		var o *org
		if slug := r.query.Get("org-slug"); slug != "" {
			if o = s.orgBy(slug); o == nil {
				return notFound("Organization")
			}
		}
		return page(r, s.newestFirst(func(p *pipeline) bool { return o == nil || p.project.org == o }), defaultPageSize, (*pipeline).view)
	},
	"GET /project/{project-slug}/pipeline": withProject(func(s *Server, r *request, pr *project) *answer {
		branch := r.query.Get("branch")
		return page(r, s.newestFirst(func(p *pipeline) bool {
			return p.project == pr && (branch == "" || p.branch == branch)
		}), defaultPageSize, (*pipeline).view)
	}),
	"GET /project/{project-slug}/pipeline/mine": withProject(func(s *Server, r *request, pr *project) *answer {
		return page(r, s.newestFirst(func(p *pipeline) bool {
			return p.project == pr && p.actor == s.world.me
		}), defaultPageSize, (*pipeline).view)
	}),
	"GET /project/{project-slug}/pipeline/{pipeline-number}": withProject(func(s *Server, r *request, pr *project) *answer {
		if p := s.world.runs.pipelinesByNumber[numbered{pr, r.number("pipeline-number")}]; p != nil {
			return ok(p.view())
		}
		return notFound("Pipeline")
	}),
	"GET /pipeline/{pipeline-id}": withPipeline(func(_ *Server, _ *request, p *pipeline) *answer { return ok(p.view()) }),
	"GET /pipeline/{pipeline-id}/config": withPipeline(func(_ *Server, _ *request, p *pipeline) *answer {
		source := p.script.Config
		if source == "" {
			source = "version: 2.1\n"
		}
		view := object{"source": source, "compiled": source}
		if p.script.Setup != nil {
			view["setup_config"], view["compiled_setup_config"] = source, source
			view["source"], view["compiled"] = p.continued, p.continued
		}
		return ok(view)
	}),
	"GET /pipeline/{pipeline-id}/values": withPipeline(func(_ *Server, _ *request, p *pipeline) *answer {
		values := object{
			"pipeline.id": p.id.String(), "pipeline.number": p.number, "pipeline.project.slug": p.project.slug,
			"pipeline.git.branch": p.branch, "pipeline.git.tag": p.tag, "pipeline.git.revision": p.revision,
			"pipeline.trigger_source": string(p.trigger),
		}
		for name, value := range p.parameters {
			values["pipeline.parameters."+name] = value
		}
		return ok(values)
	}),
	"GET /pipeline/{pipeline-id}/workflow": withPipeline(func(_ *Server, r *request, p *pipeline) *answer {
		newest := slices.Clone(p.workflows)
		slices.Reverse(newest)
		return page(r, newest, defaultPageSize, (*workflow).view)
	}),
	"POST /project/{project-slug}/pipeline": withProject(func(s *Server, r *request, pr *project) *answer {
		var in struct {
			Branch     string         `json:"branch"`
			Tag        string         `json:"tag"`
			Parameters map[string]any `json:"parameters"`
		}
		if len(r.body) > 0 {
			if a := r.bind(&in); a != nil {
				return a
			}
		}
		p := &pipeline{project: pr, branch: in.Branch, tag: in.Tag, trigger: circleci.TriggerTypeAPI, parameters: in.Parameters}
		if a := p.check(pr); a != nil {
			return a
		}
		return created(s.start(p).createdView())
	}),
	"POST /project/{provider}/{organization}/{project}/pipeline/run": withProject(runPipeline),
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

func runPipeline(s *Server, r *request, pr *project) *answer {
	var in struct {
		DefinitionID uuid.UUID      `json:"definition_id"`
		Config       runConfigIn    `json:"config"`
		Checkout     refIn          `json:"checkout"`
		Parameters   map[string]any `json:"parameters"`
	}
	if a := r.bind(&in); a != nil {
		return a
	}
	if in.DefinitionID == uuid.Nil {
		return missing("definition_id")
	}
	if len(pr.definitions) > 0 && pr.definitionBy(in.DefinitionID) == nil {
		return message(http.StatusNotFound, errNoDefinition)
	}
	if in.Config.Branch != "" && in.Config.Tag != "" {
		return message(http.StatusBadRequest, "circlecitest: config has a branch and a tag")
	}
	p := &pipeline{project: pr, branch: in.Checkout.Branch, tag: in.Checkout.Tag, trigger: circleci.TriggerTypeAPI, parameters: in.Parameters}
	if a := p.check(pr); a != nil {
		return a
	}
	if script := pr.peekScript(); len(script.Workflows) == 0 && script.Setup == nil && len(script.Errors) == 0 {
		pr.nextScript()
		return ok(object{"message": "No workflows matched: nothing was triggered."})
	}
	return created(s.start(p).createdView())
}

func (p *project) peekScript() Script {
	if len(p.scripts) == 0 {
		return defaultScript()
	}
	return p.scripts[0]
}

// check refuses a pipeline that the API would refuse.
func (p *pipeline) check(pr *project) *answer {
	if p.branch != "" && p.tag != "" {
		return message(http.StatusBadRequest, "branch and tag are mutually exclusive.")
	}
	if a := checkParameters(p.parameters); a != nil {
		return a
	}
	if declared := pr.peekScript().Parameters; declared != nil {
		for name := range p.parameters {
			if !slices.Contains(declared, name) {
				return message(http.StatusNotFound, "Project not found") // that is what the API says
			}
		}
	}
	return nil
}

// What parameters of pipelines can be.
const (
	maxParameters      = 100
	maxParameterName   = 128 // characters
	maxParameterLength = 512
)

func checkParameters(parameters map[string]any) *answer {
	if len(parameters) > maxParameters {
		return message(http.StatusBadRequest, "circlecitest: the API takes 100 parameters")
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
				problem = "is no integer"
			}
		default:
			problem = "is no string, integer or boolean"
		}
		if problem != "" {
			return message(http.StatusBadRequest, "circlecitest: the parameter "+name+" "+problem)
		}
	}
	return nil
}

func (p *pipeline) createdView() object {
	return object{"id": p.id, "number": p.number, "state": p.state, "created_at": timestamp(p.created)}
}

func continuePipeline(s *Server, r *request) *answer {
	var in struct {
		Key           string         `json:"continuation-key"`
		Configuration string         `json:"configuration"`
		Parameters    map[string]any `json:"parameters"`
	}
	if a := r.bind(&in); a != nil {
		return a
	}
	if a := checkParameters(in.Parameters); a != nil {
		return a
	}
	for _, p := range s.world.runs.pipelines {
		if in.Key == "" || p.continuation != in.Key {
			continue
		}
		if strings.TrimSpace(in.Configuration) == "" {
			return missing("configuration")
		}
		p.continuation, p.continued = "", in.Configuration
		for name, value := range in.Parameters {
			if p.parameters == nil {
				p.parameters = map[string]any{}
			}
			p.parameters[name] = value
		}
		return message(http.StatusOK, "Pipeline continued.")
	}
	return notFound("Continuation key")
}
