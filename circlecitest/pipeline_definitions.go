package circlecitest

import (
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

type definition struct {
	id                uuid.UUID
	name, description string
	created           time.Time // zero for one that the API has not created
	config, checkout  source
	triggers          []*trigger
}

// source is where a configuration, a checkout or an event comes from.
type source struct {
	provider, externalID, filePath string
}

// AddPipelineDefinition adds a definition to a project, as CircleCI makes one
// by itself for a project of GitHub (OAuth) or Bitbucket, without a time of
// creation, and returns its ID. The project is added if there is none.
//
// A project runs the definitions that it has, and no other. One that has none
// at all runs whatever ID [circleci.PipelinesService.Run] is given.
func (s *Server) AddPipelineDefinition(slug circleci.ProjectSlug, name string) uuid.UUID {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.addProject(string(slug))
	d := &definition{id: s.newID(), name: name, config: source{provider: "circleci", filePath: ".circleci/config.yml"}}
	if p.org.vcsType != "circleci" {
		provider := map[string]string{"github": "github_oauth", "bitbucket": "bitbucket_oauth"}[p.org.vcsType]
		d.config.provider, d.config.externalID = provider, "705400000"
		d.checkout = source{provider: provider, externalID: "705400000"}
	}
	p.definitions = append(p.definitions, d)
	return d.id
}

func (p *project) definitionBy(id uuid.UUID) *definition {
	if i := slices.IndexFunc(p.definitions, func(d *definition) bool { return d.id == id }); i >= 0 {
		return p.definitions[i]
	}
	return nil
}

func (d *definition) view(p *project) object {
	return object{
		"id": d.id, "name": d.name, "description": d.description, "config_source": d.config.view(p), "checkout_source": d.checkout.view(p),
	}.put("created_at", micros(d.created))
}

// view shows the source. The name of a repository is ours: only the provider
// knows what its ID stands for.
func (x source) view(p *project) object {
	view := object{"provider": x.provider}.put("file_path", x.filePath)
	if x.externalID != "" {
		view["repo"] = object{"external_id": x.externalID, "full_name": p.org.name + "/repo-" + x.externalID}
	}
	return view
}

// micros is a time as the service of definitions and triggers writes it; nil
// for the zero time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}

// withDefinitions is a handler for a route with a project's ID; what says that
// there is none depends on the route.
func withDefinitions(errNone string, do func(s *Server, r *request, p *project) *answer) handler {
	return func(s *Server, r *request) *answer {
		id := r.id("project_id")
		if id == uuid.Nil {
			return message(http.StatusBadRequest, "ProjectID required.")
		}
		if p := s.projectBy(id.String()); p != nil {
			return do(s, r, p)
		}
		return message(http.StatusNotFound, errNone)
	}
}

const (
	errNoProject    = "Project not found."
	errNoDefinition = "Pipeline definition not found."
)

// withDefinition is a handler for a route with a definition's ID, too. The API
// answers 400 if there is none.
func withDefinition(errGone string, do func(s *Server, r *request, p *project, d *definition) *answer) handler {
	return withDefinitions(errNoDefinition, func(s *Server, r *request, p *project) *answer {
		id := r.id("pipeline_definition_id")
		if id == uuid.Nil {
			return message(http.StatusBadRequest, "Invalid pipeline definition id.")
		}
		if d := p.definitionBy(id); d != nil {
			return do(s, r, p, d)
		}
		return message(http.StatusBadRequest, errGone)
	})
}

var pipelineDefinitionHandlers = map[string]handler{
	"GET /projects/{project_id}/pipeline-definitions": withDefinitions(errNoProject, func(_ *Server, _ *request, p *project) *answer {
		items := make([]any, 0, len(p.definitions))
		for _, d := range p.definitions {
			items = append(items, d.view(p))
		}
		return ok(object{"items": items})
	}),
	"POST /projects/{project_id}/pipeline-definitions": withDefinitions(errNoProject, createDefinition),
	"GET /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}": withDefinition("Failed to get pipeline definition.",
		func(_ *Server, _ *request, p *project, d *definition) *answer { return ok(d.view(p)) }),
	"PATCH /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}": withDefinition("Failed to update pipeline definition.", patchDefinition),
	"DELETE /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}": withDefinitions(errNoDefinition, func(_ *Server, r *request, p *project) *answer {
		id := r.id("pipeline_definition_id")
		p.definitions = slices.DeleteFunc(p.definitions, func(d *definition) bool { return d.id == id })
		return message(http.StatusOK, "Pipeline definition deleted.") // whether or not it was there
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

// refused is an answer to a body that breaks the schema of the request.
func refused(path, reason string) *answer {
	return message(http.StatusBadRequest, "circlecitest: "+path+": "+reason)
}

func (in checkoutSourceIn) check() *answer {
	if !isGitHubApp(in.Provider) {
		return refused("/checkout_source/provider", "is github_app or github_server")
	}
	if in.Repo.ExternalID == "" {
		return refused("/checkout_source/repo/external_id", "is missing")
	}
	return nil
}

func createDefinition(s *Server, r *request, p *project) *answer {
	var in struct {
		Name           string           `json:"name"`
		Description    string           `json:"description"`
		ConfigSource   configSourceIn   `json:"config_source"`
		CheckoutSource checkoutSourceIn `json:"checkout_source"`
	}
	if a := r.bind(&in); a != nil {
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
	d := &definition{
		id: s.newID(), name: in.Name, description: in.Description, created: s.now(),
		config:   source{in.ConfigSource.Provider, in.ConfigSource.Repo.ExternalID, in.ConfigSource.FilePath},
		checkout: source{provider: in.CheckoutSource.Provider, externalID: in.CheckoutSource.Repo.ExternalID},
	}
	p.definitions = append(p.definitions, d)
	return ok(d.view(p))
}

func patchDefinition(_ *Server, r *request, p *project, d *definition) *answer {
	var in struct {
		Name         *string `json:"name"`
		Description  *string `json:"description"`
		ConfigSource *struct {
			FilePath string `json:"file_path"`
		} `json:"config_source"`
		CheckoutSource *checkoutSourceIn `json:"checkout_source"`
	}
	if a := r.bind(&in); a != nil {
		return a
	}
	if in.ConfigSource != nil && in.ConfigSource.FilePath == "" {
		return refused("/config_source/file_path", "is missing")
	}
	if in.CheckoutSource != nil {
		if a := in.CheckoutSource.check(); a != nil {
			return a
		}
		d.checkout = source{provider: in.CheckoutSource.Provider, externalID: in.CheckoutSource.Repo.ExternalID}
	}
	if in.ConfigSource != nil {
		d.config.filePath = in.ConfigSource.FilePath
	}
	set(&d.name, in.Name)
	set(&d.description, in.Description)
	return ok(d.view(p))
}

// set changes what a request has.
func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}
