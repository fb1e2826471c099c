package apiv3

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// PipelinesService manages pipelines. A pipeline says where its configuration
// comes from and what it checks out; the API v2 calls it a pipeline definition.
// To change one, use [circleci.PipelineDefinitionsService.Update].
type PipelinesService service

// Provider is the provider of a configuration or a repository.
type Provider string

// The providers.
const (
	ProviderGitHubApp    Provider = "github_app"
	ProviderGitHubServer Provider = "github_server"
	ProviderGitHubOAuth  Provider = "github_oauth" // of events only
	ProviderOrigin       Provider = "origin"
	ProviderCircleCI     Provider = "circleci" // a configuration that CircleCI hosts
)

// Pipeline is a pipeline of a project. Its ID is the ID of a pipeline
// definition of the API v2.
type Pipeline struct {
	ID          uuid.UUID      `json:"id"`
	ProjectID   uuid.UUID      `json:"project_id,omitzero"`
	Name        string         `json:"name"`
	Description string         `json:"description,omitzero"`
	CreatedAt   time.Time      `json:"created_at,omitzero"`
	Config      PipelineConfig `json:"config"`
	Checkout    Checkout       `json:"checkout"`
}

// PipelineConfig is the source of a pipeline's configuration.
type PipelineConfig struct {
	// Type is "vcs" or "hosted".
	Type     string      `json:"type"`
	FilePath string      `json:"file_path"`
	VCS      *Repository `json:"vcs,omitzero"`
	Hosted   *HostedFile `json:"hosted,omitzero"`
}

// HostedFile is a configuration file that CircleCI stores.
type HostedFile struct {
	Provider Provider `json:"provider"`
}

// Checkout is the repository that a pipeline checks out.
type Checkout struct {
	Type string      `json:"type,omitzero"`
	VCS  *Repository `json:"vcs,omitzero"`
}

// Repository is a repository at a provider.
type Repository struct {
	Provider Provider `json:"provider"`
	// RepoID is the provider's ID of the repository: for GitHub a number.
	RepoID string `json:"repo_id,omitzero"`
	// RepoFullName is the name with its owner. [ProviderOrigin] requires it.
	RepoFullName string `json:"repo_full_name,omitzero"`
}

// ListPipelinesOptions are the options of [PipelinesService.ListForProject].
type ListPipelinesOptions struct {
	// Limit is the number of items on a page. If it is 0, the API chooses.
	Limit int
}

// ListForProject lists the pipelines of a project.
//
//circleci:operation GET /api/v3/pipelines
func (s *PipelinesService) ListForProject(projectID uuid.UUID, o *ListPipelinesOptions, opts ...circleci.RequestOption) *circleci.Pager[Pipeline] {
	r := get("/api/v3/pipelines").require("filter[project_id]", projectID)
	if o != nil {
		r = r.limit(o.Limit)
	}
	return list[Pipeline](s.client, r, opts)
}

// CreatePipelineRequest describes a new pipeline.
type CreatePipelineRequest struct {
	ProjectID   uuid.UUID      `json:"-"`
	Name        string         `json:"name"`
	Description string         `json:"description,omitzero"`
	Config      PipelineConfig `json:"config"`
	// Checkout has a repository and no type.
	Checkout Checkout `json:"checkout"`
}

func (r CreatePipelineRequest) check() (name, reason string) {
	switch {
	case r.Name == "":
		return "name", missing
	case r.Config.Type == "":
		return "config.type", missing
	case r.Config.FilePath == "":
		return "config.file_path", missing
	case r.Checkout.VCS == nil:
		return "checkout.vcs", missing
	}
	return "", ""
}

// Create creates a pipeline in a project.
//
//circleci:operation POST /api/v3/pipelines
func (s *PipelinesService) Create(ctx context.Context, in CreatePipelineRequest, opts ...circleci.RequestOption) (*Pipeline, error) {
	return one[Pipeline](ctx, s.client, post("/api/v3/pipelines").create(in, references{"project": in.ProjectID}), opts)
}

// Get returns the pipeline with the given ID, or an error matching
// [circleci.ErrNotFound].
//
//circleci:operation GET /api/v3/pipelines/{id}
func (s *PipelinesService) Get(ctx context.Context, id uuid.UUID, opts ...circleci.RequestOption) (*Pipeline, error) {
	return one[Pipeline](ctx, s.client, get("/api/v3/pipelines/{id}", id), opts)
}

// Delete deletes a pipeline. Its runs are kept.
//
//circleci:operation DELETE /api/v3/pipelines/{id}
func (s *PipelinesService) Delete(ctx context.Context, id uuid.UUID, opts ...circleci.RequestOption) error {
	return exec(ctx, s.client, remove("/api/v3/pipelines/{id}", id), opts)
}
