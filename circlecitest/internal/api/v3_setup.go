package api

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// inProject is something that belongs to a project.
type inProject[T any] struct {
	Project *world.Project
	It      *T
}

func definitionV3(s *engine.Engine, id uuid.UUID) *inProject[world.Definition] {
	for _, p := range s.Projects {
		if d := p.DefinitionBy(id); d != nil {
			return &inProject[world.Definition]{p, d}
		}
	}
	return nil
}

// placedTrigger is a trigger with where it belongs.
type placedTrigger struct {
	Project    *world.Project
	Definition *world.Definition
	Trigger    *world.Trigger
}

func triggerV3(s *engine.Engine, id uuid.UUID) *placedTrigger {
	for _, p := range s.Projects {
		for _, d := range p.Definitions {
			for _, t := range d.Triggers {
				if t.ID == id {
					return &placedTrigger{p, d, t}
				}
			}
		}
	}
	return nil
}

// sourceV3 is a source as the API v3 shows it.
func sourceV3(x world.Source, p *world.Project) form.Object {
	out := form.Object{"provider": x.Provider}
	if x.ExternalID != "" {
		out["repo_id"], out["repo_full_name"] = x.ExternalID, p.Org.Name+"/repo-"+x.ExternalID
	}
	return out
}

func (x *inProject[T]) references() form.Object { return form.Object{"project": ref(x.Project.ID)} }

func viewDefinitionV3(x *inProject[world.Definition]) form.Object {
	p, d := x.Project, x.It
	config := form.Object{"type": "vcs", "file_path": d.Config.FilePath, "vcs": sourceV3(d.Config, p)}
	if d.Config.Provider == "circleci" {
		config = form.Object{"type": "hosted", "file_path": d.Config.FilePath, "hosted": form.Object{"provider": "circleci"}}
	}
	attributes := form.Object{"name": d.Name, "config": config, "checkout": form.Object{"vcs": sourceV3(d.Checkout, p)}}
	return resource(d.ID, attributes.Put("description", d.Description).Put("created_at", d.Created), x.references())
}

func (x *placedTrigger) viewV3() form.Object {
	t := x.Trigger
	event := form.Object{"type": "vcs"}
	switch t.Source.Provider {
	case "webhook":
		event = form.Object{"type": "webhook", "webhook": form.Object{"name": t.EventName, "source": t.Sender}}
	case "schedule":
		event = form.Object{"type": "schedule", "schedule": form.Object{"name": t.EventName, "cron_expression": t.Cron}}
	default:
		event["vcs"] = sourceV3(t.Source, x.Project)
	}
	if t.Preset != "" {
		event["filter"] = form.Object{"preset": t.Preset}
	}
	attributes := form.Object{"is_disabled": t.Disabled != nil && *t.Disabled, "event": event}.Put("created_at", t.Created)
	if t.ConfigRef != "" {
		attributes["config"] = form.Object{"ref": t.ConfigRef}
	}
	if t.CheckoutRef != "" {
		attributes["checkout"] = form.Object{"ref": t.CheckoutRef}
	}
	return resource(t.ID, attributes, form.Object{"project": ref(x.Project.ID), "pipeline": ref(x.Definition.ID)})
}

type repositoryIn struct {
	Provider     string `json:"provider"`
	RepoID       string `json:"repo_id"`
	RepoFullName string `json:"repo_full_name"`
}

func (in *repositoryIn) source() world.Source {
	return world.Source{Provider: in.Provider, ExternalID: in.RepoID}
}

type gitRefIn struct {
	Ref string `json:"ref"`
}

func createPipelineV3(s *engine.Engine, r *exchange.Request) *exchange.Answer {
	var in envelopeIn[struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Config      struct {
			Type     string        `json:"type"`
			FilePath string        `json:"file_path"`
			VCS      *repositoryIn `json:"vcs"`
			Hosted   *struct {
				Provider string `json:"provider"`
			} `json:"hosted"`
		} `json:"config"`
		Checkout struct {
			VCS *repositoryIn `json:"vcs"`
		} `json:"checkout"`
	}]
	if a := r.Bind(&in); a != nil {
		return a
	}
	p, x := projectV3(s, in.Data.References["project"].ID), in.Data.Attributes
	switch {
	case p == nil:
		return notFoundV3("Project")
	case x.Name == "" || x.Config.FilePath == "":
		return invalidV3("/data/attributes/name", "and config.file_path are required")
	case (x.Config.Type == "vcs") != (x.Config.VCS != nil) || (x.Config.Type == "hosted") != (x.Config.Hosted != nil):
		return invalidV3("/data/attributes/config", "has to have what goes with its type")
	case x.Config.VCS == nil && x.Config.Hosted == nil, x.Checkout.VCS == nil:
		return invalidV3("/data/attributes/config", "and checkout.vcs are required")
	}
	d := &world.Definition{ID: s.NewID(), Name: x.Name, Description: x.Description, Created: s.Now(), Checkout: x.Checkout.VCS.source()}
	d.Config = world.Source{Provider: "circleci"}
	if x.Config.VCS != nil {
		d.Config = x.Config.VCS.source()
	}
	d.Config.FilePath = x.Config.FilePath
	p.Definitions = append(p.Definitions, d)
	return createdV3(viewDefinitionV3(&inProject[world.Definition]{p, d}))
}

func listTriggersV3(s *engine.Engine, r *exchange.Request) *exchange.Answer {
	project, definition := r.Query.Get("filter[project_id]"), r.Query.Get("filter[pipeline_id]")
	if project == "" && definition == "" {
		return invalidV3("/filter/project_id", "or /filter/pipeline_id is required")
	}
	var all []*placedTrigger
	for _, p := range s.Projects {
		for _, d := range p.Definitions {
			if project != "" && p.ID.String() != project || definition != "" && d.ID.String() != definition {
				continue
			}
			for _, t := range d.Triggers {
				all = append(all, &placedTrigger{p, d, t})
			}
		}
	}
	return allV3(all, (*placedTrigger).viewV3)
}

func createTriggerV3(s *engine.Engine, r *exchange.Request) *exchange.Answer {
	var in envelopeIn[struct {
		IsDisabled bool `json:"is_disabled"`
		Event      struct {
			Type    string        `json:"type"`
			VCS     *repositoryIn `json:"vcs"`
			Webhook *struct {
				Name   string `json:"name"`
				Source string `json:"source"`
			} `json:"webhook"`
			Schedule *struct {
				Name           string `json:"name"`
				CronExpression string `json:"cron_expression"`
			} `json:"schedule"`
			Filter struct {
				Preset string `json:"preset"`
			} `json:"filter"`
		} `json:"event"`
		Config   gitRefIn `json:"config"`
		Checkout gitRefIn `json:"checkout"`
	}]
	if a := r.Bind(&in); a != nil {
		return a
	}
	x := definitionV3(s, in.Data.References["pipeline"].ID)
	if x == nil {
		return notFoundV3("Pipeline")
	}
	a := in.Data.Attributes
	t := &world.Trigger{
		ID: s.NewID(), Disabled: &a.IsDisabled, Preset: a.Event.Filter.Preset, ConfigRef: a.Config.Ref, CheckoutRef: a.Checkout.Ref,
		Created: s.Now(), Source: world.Source{Provider: a.Event.Type},
	}
	switch {
	case a.Event.Type == "vcs" && a.Event.VCS != nil:
		t.Source = a.Event.VCS.source()
	case a.Event.Type == "webhook":
		if a.Event.Webhook != nil {
			t.EventName, t.Sender = a.Event.Webhook.Name, a.Event.Webhook.Source
		}
	case a.Event.Type == "schedule" && a.Event.Schedule != nil:
		t.Cron, t.EventName, t.Actor = a.Event.Schedule.CronExpression, a.Event.Schedule.Name, s.Me
		if _, err := world.ParseCron(t.Cron); err != nil {
			return invalidV3("/data/attributes/event/schedule/cron_expression", err.Error())
		}
	default:
		return invalidV3("/data/attributes/event", "has to have what goes with its type")
	}
	if t.Preset != "" && !slices.Contains(eventPresets, t.Preset) {
		return invalidV3("/data/attributes/event/filter/preset", "is not one of the API's")
	}
	x.It.Triggers = append(x.It.Triggers, t)
	s.WindTrigger(x.Project, x.It, t)
	return createdV3((&placedTrigger{x.Project, x.It, t}).viewV3())
}

func compileConfigV3(_ *engine.Engine, r *exchange.Request) *exchange.Answer {
	var in envelopeIn[struct {
		Config             string         `json:"config"`
		EnableNextPreview  bool           `json:"enable_next_preview"`
		PipelineParameters map[string]any `json:"pipeline_parameters"`
		PipelineValues     map[string]any `json:"pipeline_values"`
	}]
	if a := r.Bind(&in); a != nil {
		return a
	}
	config := in.Data.Attributes.Config
	if config == "" {
		return invalidV3("/data/attributes/config", "is required")
	}
	attributes := form.Object{"phase": "ended", "outcome": "succeeded", "compiled_config": config}
	body := form.Object{"data": form.Object{"attributes": attributes}}
	messages := []any{}
	for _, problem := range configProblems(config, in.Data.Attributes.PipelineParameters, in.Data.Attributes.PipelineValues) {
		messages = append(messages, form.Object{"title": problem})
	}
	if len(messages) > 0 {
		attributes["outcome"], attributes["compiled_config"] = "failed", ""
		body["meta"] = form.Object{"messages": messages}
	}
	return exchange.OK(body)
}

// repositoryViewV3 shows a repository that CircleCI may see.
func repositoryViewV3(x world.Repository) form.Object {
	return form.Object{"attributes": form.Object{
		"provider": "github_app", "repo_id": strconv.FormatInt(x.ID, 10), "owner": x.Project.Org.Name, "repo_name": x.Project.Name,
		"repo_full_name": x.FullName(), "default_branch": x.Project.DefaultBranch, "is_private": true,
	}}
}

func setUpConnectionV3(s *engine.Engine, r *exchange.Request) *exchange.Answer {
	var in struct {
		Type string `json:"type"`
		VCS  struct {
			Provider string `json:"provider"`
		} `json:"vcs"`
		ReturnURL string `json:"return_url"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	id, a := filterID(r, "filter[org_id]")
	switch {
	case a != nil:
		return a
	case orgV3(s, id) == nil:
		return notFoundV3("Organization")
	case in.Type != "vcs" || in.VCS.Provider == "" || in.ReturnURL == "":
		return invalidV3("/type", "is vcs, and vcs.provider and return_url are required")
	}
	return okV3(form.Object{"attributes": form.Object{
		"next_step": "redirect", "url": "https://github.com/apps/circleci-app/installations/new", "state_token": world.HexID(s.NewID()),
	}})
}

var setupHandlersV3 = map[string]exchange.Handler{
	"GET /api/v3/pipelines": withFilter("filter[project_id]", "Project", projectV3, func(_ *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		return pageV3(r, p.Definitions, mostOthers, func(d *world.Definition) form.Object {
			return viewDefinitionV3(&inProject[world.Definition]{p, d})
		})
	}),
	"POST /api/v3/pipelines": createPipelineV3,
	"GET /api/v3/pipelines/{id}": withIDV3("Pipeline", definitionV3, func(_ *engine.Engine, _ *exchange.Request, x *inProject[world.Definition]) *exchange.Answer {
		return okV3(viewDefinitionV3(x))
	}),
	"DELETE /api/v3/pipelines/{id}": withIDV3("Pipeline", definitionV3, func(_ *engine.Engine, _ *exchange.Request, x *inProject[world.Definition]) *exchange.Answer {
		x.Project.Definitions = slices.DeleteFunc(x.Project.Definitions, func(d *world.Definition) bool { return d == x.It })
		return deleted()
	}),
	"GET /api/v3/triggers":  listTriggersV3,
	"POST /api/v3/triggers": createTriggerV3,
	"GET /api/v3/triggers/{id}": withIDV3("Trigger", triggerV3, func(_ *engine.Engine, _ *exchange.Request, x *placedTrigger) *exchange.Answer {
		return okV3(x.viewV3())
	}),
	// What it takes is not known: whatever comes is an event.
	"POST /api/v3/triggers/{trigger_id}/events": withIDV3("Trigger", triggerV3, func(s *engine.Engine, r *exchange.Request, x *placedTrigger) *exchange.Answer {
		r.Notes.Read = true
		return &exchange.Answer{Status: http.StatusAccepted, Body: form.Object{"data": ref(s.Fire(x.Project, x.Trigger))}}
	}),
	"POST /api/v3/configs/compile": compileConfigV3,
	"GET /api/v3/provider/connections": withFilter("filter[org_id]", "Organization", orgV3, func(s *engine.Engine, _ *exchange.Request, o *world.Org) *exchange.Answer {
		if len(s.RepositoriesOf(o)) == 0 {
			return allV3([]*world.Org{}, orgViewV3)
		}
		return allV3([]*world.Org{o}, func(o *world.Org) form.Object {
			return resource(o.ID, form.Object{
				"provider": "github_app", "external_id": strconv.Itoa(installationID), "login": o.Name, "repository_selection": "all",
				"authorized_username": s.Me.Login,
			}, nil)
		})
	}),
	"POST /api/v3/provider/connections/setup": setUpConnectionV3,
	"GET /api/v3/provider/repositories": withFilter("filter[org_id]", "Organization", orgV3, func(s *engine.Engine, r *exchange.Request, o *world.Org) *exchange.Answer {
		switch provider := r.Query.Get("filter[provider]"); {
		case provider == "":
			return invalidV3("/filter/provider", "is required")
		case r.Query.Has("page[cursor]") && r.Query.Has("page[limit]"):
			return invalidV3("/page/limit", "does not go with a cursor")
		case provider != "github_app":
			return pageV3(r, []world.Repository{}, mostRepositories, repositoryViewV3)
		}
		return pageV3(r, s.RepositoriesOf(o), mostRepositories, repositoryViewV3)
	}),
}
