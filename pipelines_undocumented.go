package circleci

import (
	"context"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/transport"
)

// Cancel asks to cancel a pipeline with all that runs in it.
//
// The operation is not in CircleCI's API specification, and the evidence for it
// is weak: CircleCI's own command line tool does without it. What is sure to
// work is to cancel each workflow: see [PipelinesService.ListWorkflows] and
// [WorkflowsService.Cancel].
//
//circleci:operation POST /pipeline/{pipeline-id}/cancel
func (s *PipelinesService) Cancel(ctx context.Context, id uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, post("/pipeline/{pipeline-id}/cancel", id).with(opts))
}

// CompileConfigRequest is a configuration to compile.
type CompileConfigRequest struct {
	// ConfigYAML is the text of the configuration.
	ConfigYAML string               `json:"config_yaml"`
	Options    CompileConfigOptions `json:"options,omitzero"`
}

func (r CompileConfigRequest) check() error { return required("config_yaml", r.ConfigYAML) }

// CompileConfigOptions is what a configuration is compiled with.
type CompileConfigOptions struct {
	// OwnerID is the organization whose private orbs may be used.
	OwnerID uuid.UUID `json:"owner_id,omitzero"`
	// PipelineValues stand for the pipeline's, as in
	// [PipelinesService.GetValues].
	PipelineValues map[string]any `json:"pipeline_values,omitzero"`
	// PipelineParameters stand for the pipeline's. They are deprecated.
	PipelineParameters Parameters `json:"pipeline_parameters,omitzero"`
	// Next compiles with the next version of the compiler.
	Next bool `json:"next,omitzero"`
}

// CompiledConfig is what became of a configuration.
type CompiledConfig struct {
	// Valid tells whether the configuration could be compiled.
	Valid bool `json:"valid"`
	// SourceYAML is the configuration as it was sent.
	SourceYAML string `json:"source-yaml,omitzero"`
	// OutputYAML is the configuration with orbs and parameters resolved.
	OutputYAML string        `json:"output-yaml,omitzero"`
	Errors     []ConfigError `json:"errors,omitzero"`
}

// ConfigError is a mistake in a configuration.
type ConfigError struct {
	Message string `json:"message"`
}

// CompileConfig checks a configuration and resolves its orbs and parameters.
// An invalid configuration is no error: look at [CompiledConfig.Valid].
//
// The operation is not in CircleCI's API specification; CircleCI's command line
// tool uses it. It is served by api.circleci.com, to which a client of
// circleci.com sends the request, with the token; another server is asked
// itself, and answers 404 if it is too old.
//
//circleci:operation POST /compile-config-with-defaults
func (s *PipelinesService) CompileConfig(ctx context.Context, in CompileConfigRequest, opts ...RequestOption) (*CompiledConfig, error) {
	return do[CompiledConfig](ctx, s.client, post("/compile-config-with-defaults").at(transport.CloudAPIHost).body(in).with(opts))
}

// Search looks for pipelines.
//
// The operation is not in CircleCI's API specification. All that is known of it
// is its route: neither what it takes nor what it answers. Both are open here,
// for those who know more; whole numbers are int64.
//
//circleci:operation POST /pipeline/search
func (s *PipelinesService) Search(ctx context.Context, in map[string]any, opts ...RequestOption) (map[string]any, error) {
	return value(do[map[string]any](ctx, s.client, post("/pipeline/search").body(in).with(opts)))
}
