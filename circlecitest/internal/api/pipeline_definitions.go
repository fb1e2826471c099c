package api

import (
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

func definitionView(d *world.Definition, p *world.Project) form.Object {
	return form.Object{
		"id": d.ID, "name": d.Name, "description": d.Description, "config_source": sourceView(d.Config, p), "checkout_source": sourceView(d.Checkout, p),
	}.Put("created_at", form.Micros(d.Created))
}

// sourceView returns the source. The repository name is made up, because only
// the provider knows the repository of an ID.
func sourceView(x world.Source, p *world.Project) form.Object {
	view := form.Object{"provider": x.Provider}.Put("file_path", x.FilePath)
	if x.ExternalID != "" {
		view["repo"] = form.Object{"external_id": x.ExternalID, "full_name": p.Org.Name + "/repo-" + x.ExternalID}
	}
	return view
}

// withDefinitions returns a handler for a route with a project's ID. The
// message for a missing project depends on the route.
func withDefinitions(errNone string, do func(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer) exchange.Handler {
	return func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		id := r.ID("project_id")
		if id == uuid.Nil {
			return exchange.Message(http.StatusBadRequest, "ProjectID required.")
		}
		if p := s.ProjectBy(id.String()); p != nil {
			return do(s, r, p)
		}
		return exchange.Message(http.StatusNotFound, errNone)
	}
}

const (
	errNoProject    = "Project not found."
	errNoDefinition = "Pipeline definition not found."
)

// withDefinition returns a handler for a route that also has a definition's ID.
// The API returns 400 if the definition does not exist.
func withDefinition(errGone string, do func(s *engine.Engine, r *exchange.Request, p *world.Project, d *world.Definition) *exchange.Answer) exchange.Handler {
	return withDefinitions(errNoDefinition, func(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		id := r.ID("pipeline_definition_id")
		if id == uuid.Nil {
			return exchange.Message(http.StatusBadRequest, "Invalid pipeline definition id.")
		}
		if d := p.DefinitionBy(id); d != nil {
			return do(s, r, p, d)
		}
		return exchange.Message(http.StatusBadRequest, errGone)
	})
}

var pipelineDefinitionHandlers = map[string]exchange.Handler{
	"GET /projects/{project_id}/pipeline-definitions": withDefinitions(errNoProject, func(_ *engine.Engine, _ *exchange.Request, p *world.Project) *exchange.Answer {
		items := make([]any, 0, len(p.Definitions))
		for _, d := range p.Definitions {
			items = append(items, definitionView(d, p))
		}
		return exchange.OK(form.Object{"items": items})
	}),
	"POST /projects/{project_id}/pipeline-definitions": withDefinitions(errNoProject, createDefinition),
	"GET /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}": withDefinition("Failed to get pipeline definition.",
		func(_ *engine.Engine, _ *exchange.Request, p *world.Project, d *world.Definition) *exchange.Answer {
			return exchange.OK(definitionView(d, p))
		}),
	"PATCH /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}": withDefinition("Failed to update pipeline definition.", patchDefinition),
	"DELETE /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}": withDefinitions(errNoDefinition, func(_ *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
		id := r.ID("pipeline_definition_id")
		p.Definitions = slices.DeleteFunc(p.Definitions, func(d *world.Definition) bool { return d.ID == id })
		return exchange.Message(http.StatusOK, "Pipeline definition deleted.") // whether or not it existed
	}),
}

// repoIn names a repository.
type repoIn struct {
	ExternalID string `json:"external_id"`
}

type configSourceIn struct {
	Provider string `json:"provider"`
	Repo     repoIn `json:"repo"`
	FilePath string `json:"file_path"`
}

type checkoutSourceIn struct {
	Provider string `json:"provider"`
	Repo     repoIn `json:"repo"`
}

func isGitHubApp(provider string) bool {
	return provider == "github_app" || provider == "github_server"
}

// refused returns the response to a body that violates the request's schema.
func refused(path, reason string) *exchange.Answer {
	return exchange.Message(http.StatusBadRequest, "circlecitest: "+path+": "+reason)
}

func (in checkoutSourceIn) check() *exchange.Answer {
	if !isGitHubApp(in.Provider) {
		return refused("/checkout_source/provider", "is github_app or github_server")
	}
	if in.Repo.ExternalID == "" {
		return refused("/checkout_source/repo/external_id", "is missing")
	}
	return nil
}

func createDefinition(s *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
	var in struct {
		Name           string           `json:"name"`
		Description    string           `json:"description"`
		ConfigSource   configSourceIn   `json:"config_source"`
		CheckoutSource checkoutSourceIn `json:"checkout_source"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	if a := in.CheckoutSource.check(); a != nil {
		return a
	}
	switch {
	case in.Name == "":
		return refused("/name", "is missing")
	case !isGitHubApp(in.ConfigSource.Provider):
		return refused("/config_source/provider", "is github_app or github_server; the API refuses circleci, though it is documented")
	case in.ConfigSource.Repo.ExternalID == "" || in.ConfigSource.FilePath == "":
		return refused("/config_source", "lacks its repository or its file")
	}
	d := &world.Definition{
		ID: s.NewID(), Name: in.Name, Description: in.Description, Created: s.Now(),
		Config:   world.Source{Provider: in.ConfigSource.Provider, ExternalID: in.ConfigSource.Repo.ExternalID, FilePath: in.ConfigSource.FilePath},
		Checkout: world.Source{Provider: in.CheckoutSource.Provider, ExternalID: in.CheckoutSource.Repo.ExternalID},
	}
	p.Definitions = append(p.Definitions, d)
	return exchange.OK(definitionView(d, p))
}

func patchDefinition(_ *engine.Engine, r *exchange.Request, p *world.Project, d *world.Definition) *exchange.Answer {
	var in struct {
		Name         *string `json:"name"`
		Description  *string `json:"description"`
		ConfigSource *struct {
			FilePath string `json:"file_path"`
		} `json:"config_source"`
		CheckoutSource *checkoutSourceIn `json:"checkout_source"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	if in.ConfigSource != nil && in.ConfigSource.FilePath == "" {
		return refused("/config_source/file_path", "is missing")
	}
	if in.CheckoutSource != nil {
		if a := in.CheckoutSource.check(); a != nil {
			return a
		}
		d.Checkout = world.Source{Provider: in.CheckoutSource.Provider, ExternalID: in.CheckoutSource.Repo.ExternalID}
	}
	if in.ConfigSource != nil {
		d.Config.FilePath = in.ConfigSource.FilePath
	}
	set(&d.Name, in.Name)
	set(&d.Description, in.Description)
	return exchange.OK(definitionView(d, p))
}

// set changes a field that the request contains.
func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}
