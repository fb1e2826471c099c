package circleci

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// PipelinesService starts, reads and searches pipelines, and compiles
// configurations.
type PipelinesService service

// PipelineState is the state of processing a pipeline's configuration. It says
// nothing about the outcome of its workflows: for that, see
// [PipelinesService.Wait].
type PipelineState string

// The states of a pipeline.
const (
	PipelineStateCreated      PipelineState = "created"
	PipelineStateErrored      PipelineState = "errored"
	PipelineStateSetupPending PipelineState = "setup-pending"
	PipelineStateSetup        PipelineState = "setup"
	PipelineStatePending      PipelineState = "pending"
)

// Done reports whether the state is final. It returns false for a state that
// this package does not know.
func (s PipelineState) Done() bool {
	return s == PipelineStateCreated || s == PipelineStateErrored
}

// Pipeline is one run of a project's configuration.
type Pipeline struct {
	ID          uuid.UUID       `json:"id"`
	Number      int64           `json:"number"`
	ProjectSlug ProjectSlug     `json:"project_slug"`
	State       PipelineState   `json:"state"`
	Errors      []PipelineError `json:"errors"`
	Warnings    []any           `json:"warnings,omitzero"` // undocumented; any JSON values
	CreatedAt   time.Time       `json:"created_at"`
	UpdatedAt   time.Time       `json:"updated_at,omitzero"`
	Trigger     PipelineTrigger `json:"trigger"`
	// TriggerParameters describe the triggering event, for pipelines of GitHub
	// App and GitLab projects. They may hold any JSON values; whole numbers are
	// int64.
	TriggerParameters map[string]any `json:"trigger_parameters,omitzero"`
	// VCS is set only for pipelines of GitHub (OAuth) and Bitbucket projects.
	VCS *PipelineVCS `json:"vcs,omitzero"`
}

func (p *Pipeline) key() itemKey { return itemKey{id: p.ID} }

// PipelineErrorType is the type of a pipeline error.
type PipelineErrorType string

// The types of pipeline errors.
const (
	PipelineErrorTypeConfig              PipelineErrorType = "config"
	PipelineErrorTypeConfigFetch         PipelineErrorType = "config-fetch"
	PipelineErrorTypeInvalidTriggerSetup PipelineErrorType = "invalid-trigger-setup"
	PipelineErrorTypeOther               PipelineErrorType = "other"
	PipelineErrorTypePermission          PipelineErrorType = "permission"
	PipelineErrorTypePlan                PipelineErrorType = "plan"
	PipelineErrorTypeTimeout             PipelineErrorType = "timeout"
	PipelineErrorTypeTriggerRule         PipelineErrorType = "trigger-rule"
)

// PipelineError describes why a pipeline's configuration could not be
// processed.
type PipelineError struct {
	Type    PipelineErrorType `json:"type"`
	Message string            `json:"message"`
}

// TriggerType is the type of event that started a pipeline.
type TriggerType string

// The trigger types.
const (
	TriggerTypeAPI               TriggerType = "api"
	TriggerTypeExplicit          TriggerType = "explicit"
	TriggerTypeScheduledPipeline TriggerType = "scheduled_pipeline"
	TriggerTypeWebhook           TriggerType = "webhook"
)

// PipelineTrigger describes the event that started a pipeline.
type PipelineTrigger struct {
	Type       TriggerType   `json:"type"`
	ReceivedAt time.Time     `json:"received_at"`
	Actor      PipelineActor `json:"actor"`
}

// PipelineActor is the user who started a pipeline. Both fields can be empty.
type PipelineActor struct {
	Login     string `json:"login"`
	AvatarURL string `json:"avatar_url,omitzero"`
}

// PipelineVCS is the branch or tag and the revision that a pipeline was started
// for.
type PipelineVCS struct {
	ProviderName        string `json:"provider_name"`
	OriginRepositoryURL string `json:"origin_repository_url"`
	TargetRepositoryURL string `json:"target_repository_url"`
	Revision            string `json:"revision,omitzero"`
	Branch              string `json:"branch,omitzero"`
	Tag                 string `json:"tag,omitzero"`
	ReviewID            string `json:"review_id,omitzero"`
	ReviewURL           string `json:"review_url,omitzero"`
	// Commit is nil if the API does not return it.
	Commit *PipelineCommit `json:"commit,omitzero"`
}

// PipelineCommit is the message of the commit that a pipeline was started for.
type PipelineCommit struct {
	Subject string `json:"subject,omitzero"`
	Body    string `json:"body,omitzero"`
}

// ListPipelinesOptions are the options of [PipelinesService.List].
type ListPipelinesOptions struct {
	OrgSlug OrgSlug
	// Mine limits the list to pipelines that the token's owner started.
	Mine bool
}

func (o *ListPipelinesOptions) query(q *encode.Query) {
	if o != nil {
		q.String("org-slug", string(o.OrgSlug))
		q.Bool("mine", o.Mine)
	}
}

func (o *ListPipelinesOptions) check() error {
	if o == nil || o.OrgSlug == "" {
		return nil
	}
	return o.OrgSlug.check()
}

// List lists the pipelines of the most recently built projects that the token's
// owner follows, newest first. The options can limit it to one organization.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Pipeline/operation/listPipelines
//
//circleci:operation GET /pipeline
func (s *PipelinesService) List(o *ListPipelinesOptions, opts ...RequestOption) *Pager[Pipeline] {
	return list[Pipeline](s.client, get("/pipeline").query(o).with(opts))
}

// ListProjectPipelinesOptions are the options of
// [PipelinesService.ListForProject].
type ListProjectPipelinesOptions struct {
	Branch string
}

func (o *ListProjectPipelinesOptions) query(q *encode.Query) {
	if o != nil {
		q.String("branch", o.Branch)
	}
}

// ListForProject lists the pipelines of a project, newest first.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Pipeline/operation/listPipelinesForProject
//
//circleci:operation GET /project/{project-slug}/pipeline
func (s *PipelinesService) ListForProject(slug ProjectSlug, o *ListProjectPipelinesOptions, opts ...RequestOption) *Pager[Pipeline] {
	return list[Pipeline](s.client, get("/project/{project-slug}/pipeline", slug).query(o).with(opts))
}

// ListMine lists the pipelines of a project that the token's owner started,
// newest first.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Pipeline/operation/listMyPipelines
//
//circleci:operation GET /project/{project-slug}/pipeline/mine
func (s *PipelinesService) ListMine(slug ProjectSlug, opts ...RequestOption) *Pager[Pipeline] {
	return list[Pipeline](s.client, get("/project/{project-slug}/pipeline/mine", slug).with(opts))
}

// Get returns the pipeline with the given ID. If there is none, the error
// matches [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Pipeline/operation/getPipelineById
//
//circleci:operation GET /pipeline/{pipeline-id}
func (s *PipelinesService) Get(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*Pipeline, error) {
	return do[Pipeline](ctx, s.client, get("/pipeline/{pipeline-id}", id).with(opts))
}

// GetByNumber returns the pipeline of a project with the given number. If there
// is none, the error matches [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Pipeline/operation/getPipelineByNumber
//
//circleci:operation GET /project/{project-slug}/pipeline/{pipeline-number}
func (s *PipelinesService) GetByNumber(ctx context.Context, slug ProjectSlug, number int64, opts ...RequestOption) (*Pipeline, error) {
	return do[Pipeline](ctx, s.client, get("/project/{project-slug}/pipeline/{pipeline-number}", slug, number).with(opts))
}

// PipelineConfig is the configuration of a pipeline.
type PipelineConfig struct {
	// Source is the text of the configuration file in the repository.
	Source string `json:"source"`
	// Compiled is the compiled configuration, with orbs and parameters
	// resolved.
	Compiled string `json:"compiled"`
	// SetupConfig and CompiledSetupConfig are the same for the setup workflow,
	// if the pipeline has one.
	SetupConfig         string `json:"setup_config,omitzero"`
	CompiledSetupConfig string `json:"compiled_setup_config,omitzero"`
}

// GetConfig returns the configuration of a pipeline. If there is none, the
// error matches [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Pipeline/operation/getPipelineConfigById
//
//circleci:operation GET /pipeline/{pipeline-id}/config
func (s *PipelinesService) GetConfig(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*PipelineConfig, error) {
	return do[PipelineConfig](ctx, s.client, get("/pipeline/{pipeline-id}/config", id).with(opts))
}

// GetValues returns the pipeline values that a pipeline's configuration can use,
// such as pipeline.number, by name.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Pipeline/operation/getPipelineValuesById
//
//circleci:operation GET /pipeline/{pipeline-id}/values
func (s *PipelinesService) GetValues(ctx context.Context, id uuid.UUID, opts ...RequestOption) (map[string]any, error) {
	return value(do[map[string]any](ctx, s.client, get("/pipeline/{pipeline-id}/values", id).with(opts)))
}

// ListWorkflows lists the workflows of a pipeline. The list includes reruns,
// which have the name of the original workflow.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Pipeline/operation/listWorkflowsByPipelineId
//
//circleci:operation GET /pipeline/{pipeline-id}/workflow
func (s *PipelinesService) ListWorkflows(id uuid.UUID, opts ...RequestOption) *Pager[Workflow] {
	return list[Workflow](s.client, get("/pipeline/{pipeline-id}/workflow", id).with(opts))
}
