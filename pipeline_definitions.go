package circleci

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// PipelineDefinitionsService manages pipeline definitions. A definition says
// where a pipeline of a project takes its configuration from, and what it
// checks out. Triggers start it: see [TriggersService]. To start it yourself,
// use [PipelinesService.Run].
type PipelineDefinitionsService service

// SourceProvider is the integration that provides a configuration, a checkout
// or an event.
type SourceProvider string

// The providers. Not every provider works for every purpose: see the functions
// that return a [ConfigSourceRequest], a [CheckoutSourceRequest] and an
// [EventSourceRequest].
const (
	SourceProviderGitHubApp    SourceProvider = "github_app"
	SourceProviderGitHubServer SourceProvider = "github_server" // GitHub Enterprise Server
	SourceProviderGitHubOAuth  SourceProvider = "github_oauth"
	SourceProviderBitbucketDC  SourceProvider = "bitbucket_dc" // Bitbucket Data Center
	SourceProviderCircleCI     SourceProvider = "circleci"     // no repository
	SourceProviderWebhook      SourceProvider = "webhook"      // events of a custom webhook
	SourceProviderSchedule     SourceProvider = "schedule"     // events at set times
)

// SourceRepo is the repository of a source.
type SourceRepo struct {
	FullName string `json:"full_name,omitzero"`
	// ExternalID is the provider's numeric ID of the repository.
	ExternalID string `json:"external_id,omitzero"`
}

// ConfigSource is the source of a configuration.
type ConfigSource struct {
	Provider SourceProvider `json:"provider"`
	// Repo is zero if the provider is circleci.
	Repo     SourceRepo `json:"repo,omitzero"`
	FilePath string     `json:"file_path,omitzero"`
}

// CheckoutSource is the repository that a checkout step checks out.
type CheckoutSource struct {
	Provider SourceProvider `json:"provider"`
	Repo     SourceRepo     `json:"repo,omitzero"`
}

// PipelineDefinition describes a pipeline of a project.
type PipelineDefinition struct {
	ID          uuid.UUID `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description,omitzero"`
	// CreatedAt is zero for a definition that CircleCI created automatically
	// for a GitHub (OAuth) or Bitbucket project.
	CreatedAt      time.Time      `json:"created_at,omitzero"`
	ConfigSource   ConfigSource   `json:"config_source,omitzero"`
	CheckoutSource CheckoutSource `json:"checkout_source,omitzero"`
}

func (d *PipelineDefinition) key() itemKey { return itemKey{id: d.ID} }

// List lists the pipeline definitions of a project, all on one page.
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Pipeline-Definition/operation/listPipelineDefinitions
//
//circleci:operation GET /projects/{project_id}/pipeline-definitions
func (s *PipelineDefinitionsService) List(projectID uuid.UUID, opts ...RequestOption) *Pager[PipelineDefinition] {
	return list[PipelineDefinition](s.client, get("/projects/{project_id}/pipeline-definitions", projectID).with(opts))
}

// Get returns the pipeline definition with the given ID.
//
// If there is none, the live API responds with 400, not 404. It does the same
// for definitions of GitLab projects that do exist. To distinguish the two
// cases, look for the ID in [PipelineDefinitionsService.List].
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Pipeline-Definition/operation/getPipelineDefinition
//
//circleci:operation GET /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}
func (s *PipelineDefinitionsService) Get(ctx context.Context, projectID, id uuid.UUID, opts ...RequestOption) (*PipelineDefinition, error) {
	return do[PipelineDefinition](ctx, s.client, get("/projects/{project_id}/pipeline-definitions/{pipeline_definition_id}", projectID, id).with(opts))
}

// sourceRepoRequest names a repository.
type sourceRepoRequest struct {
	ExternalID string `json:"external_id"`
}

// ConfigSourceRequest is the configuration source of a new definition. Create
// one with [GitHubAppConfig], [GitHubServerConfig] or [HostedConfig].
type ConfigSourceRequest struct{ sent[configSourceRequestBody] }

type configSourceRequestBody struct {
	Provider SourceProvider    `json:"provider"`
	Repo     sourceRepoRequest `json:"repo,omitzero"`
	FilePath string            `json:"file_path"`
}

// GitHubAppConfig returns a source that reads the configuration from a file,
// such as .circleci/config.yml, in a GitHub repository. The external ID is
// GitHub's numeric ID of the repository.
func GitHubAppConfig(externalID, filePath string) (c ConfigSourceRequest) {
	c.body.Provider, c.body.Repo.ExternalID, c.body.FilePath = SourceProviderGitHubApp, externalID, filePath
	return c
}

// GitHubServerConfig returns a source that reads the configuration from a file
// in a repository on a GitHub Enterprise Server. The provider is not in
// CircleCI's API specification.
func GitHubServerConfig(externalID, filePath string) (c ConfigSourceRequest) {
	c = GitHubAppConfig(externalID, filePath)
	c.body.Provider = SourceProviderGitHubServer
	return c
}

// HostedConfig returns a source that reads the configuration from a file stored
// by CircleCI instead of a repository. The live API is known to refuse it.
func HostedConfig(filePath string) (c ConfigSourceRequest) {
	c.body.Provider, c.body.FilePath = SourceProviderCircleCI, filePath
	return c
}

func (c ConfigSourceRequest) check() error {
	if c.body.Provider == "" || c.body.FilePath == "" || c.body.Repo.ExternalID == "" && c.body.Provider != SourceProviderCircleCI {
		return &ArgumentError{Name: "config_source", Reason: "is missing, or has no repository or file: see GitHubAppConfig"}
	}
	return nil
}

// CheckoutSourceRequest is the repository that a definition checks out. Create
// one with [GitHubAppCheckout] or [GitHubServerCheckout].
type CheckoutSourceRequest struct {
	sent[checkoutSourceRequestBody]
}

type checkoutSourceRequestBody struct {
	Provider SourceProvider    `json:"provider"`
	Repo     sourceRepoRequest `json:"repo"`
}

// GitHubAppCheckout returns a checkout of a GitHub repository. The external ID
// is GitHub's numeric ID of the repository.
func GitHubAppCheckout(externalID string) (c CheckoutSourceRequest) {
	c.body.Provider, c.body.Repo.ExternalID = SourceProviderGitHubApp, externalID
	return c
}

// GitHubServerCheckout returns a checkout of a repository on a GitHub
// Enterprise Server. The provider is not in CircleCI's API specification.
func GitHubServerCheckout(externalID string) (c CheckoutSourceRequest) {
	c.body.Provider, c.body.Repo.ExternalID = SourceProviderGitHubServer, externalID
	return c
}

func (c CheckoutSourceRequest) check() error {
	if c.body.Repo.ExternalID == "" {
		return &ArgumentError{Name: "checkout_source", Reason: "is missing, or has no repository: see GitHubAppCheckout"}
	}
	return nil
}

// CreatePipelineDefinitionRequest describes a new pipeline definition.
type CreatePipelineDefinitionRequest struct {
	Name           string                `json:"name"`
	Description    string                `json:"description,omitzero"`
	ConfigSource   ConfigSourceRequest   `json:"config_source"`
	CheckoutSource CheckoutSourceRequest `json:"checkout_source"`
}

func (r CreatePipelineDefinitionRequest) check() error {
	if err := required("name", r.Name); err != nil {
		return err
	}
	if err := r.ConfigSource.check(); err != nil {
		return err
	}
	return r.CheckoutSource.check()
}

// Create creates a pipeline definition. It runs when one of its triggers fires,
// or when [PipelinesService.Run] starts it.
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Pipeline-Definition/operation/createPipelineDefinition
//
//circleci:operation POST /projects/{project_id}/pipeline-definitions
func (s *PipelineDefinitionsService) Create(ctx context.Context, projectID uuid.UUID, in CreatePipelineDefinitionRequest, opts ...RequestOption) (*PipelineDefinition, error) {
	return create[PipelineDefinition](ctx, s.client, post("/projects/{project_id}/pipeline-definitions", projectID).body(in).with(opts))
}

// UpdateConfigSource holds the new configuration file. The provider and the
// repository cannot be changed.
type UpdateConfigSource struct {
	FilePath string `json:"file_path"`
}

// UpdatePipelineDefinitionRequest holds the fields to change. Unset fields stay
// unchanged.
type UpdatePipelineDefinitionRequest struct {
	Name           Optional[string]                `json:"name,omitzero"`
	Description    Optional[string]                `json:"description,omitzero"`
	ConfigSource   Optional[UpdateConfigSource]    `json:"config_source,omitzero"`
	CheckoutSource Optional[CheckoutSourceRequest] `json:"checkout_source,omitzero"`
}

func (r UpdatePipelineDefinitionRequest) check() error {
	if source, ok := r.ConfigSource.Get(); ok && source.FilePath == "" {
		return &ArgumentError{Name: "config_source", Reason: "has no file"}
	}
	if source, ok := r.CheckoutSource.Get(); ok {
		return source.check()
	}
	return nil
}

// Update changes a pipeline definition. If there is none, the live API responds
// with 400.
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Pipeline-Definition/operation/updatePipelineDefinition
//
//circleci:operation PATCH /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}
func (s *PipelineDefinitionsService) Update(ctx context.Context, projectID, id uuid.UUID, in UpdatePipelineDefinitionRequest, opts ...RequestOption) (*PipelineDefinition, error) {
	return do[PipelineDefinition](ctx, s.client, patch("/projects/{project_id}/pipeline-definitions/{pipeline_definition_id}", projectID, id).body(in).with(opts))
}

// Delete deletes a pipeline definition. Deleting one that does not exist
// succeeds.
//
// Not available on CircleCI server.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Pipeline-Definition/operation/deletePipelineDefinition
//
//circleci:operation DELETE /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}
func (s *PipelineDefinitionsService) Delete(ctx context.Context, projectID, id uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/projects/{project_id}/pipeline-definitions/{pipeline_definition_id}", projectID, id).with(opts))
}
