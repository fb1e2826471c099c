package circleci

import (
	"context"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/transport"
)

// Cancel requests the cancellation of a pipeline and everything that runs in
// it.
//
// This operation is not in CircleCI's API specification, and the evidence for
// it is weak: CircleCI's own command line tool does not use it. Canceling each
// workflow is certain to work: see [PipelinesService.ListWorkflows] and
// [WorkflowsService.Cancel].
//
//circleci:operation POST /pipeline/{pipeline-id}/cancel
func (s *PipelinesService) Cancel(ctx context.Context, id uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, post("/pipeline/{pipeline-id}/cancel", id).with(opts))
}

// CompileConfigRequest holds a configuration to compile.
type CompileConfigRequest struct {
	// ConfigYAML is the text of the configuration.
	ConfigYAML string               `json:"config_yaml"`
	Options    CompileConfigOptions `json:"options,omitzero"`
}

func (r CompileConfigRequest) check() error { return required("config_yaml", r.ConfigYAML) }

// CompileConfigOptions are the options for compiling a configuration.
type CompileConfigOptions struct {
	// OwnerID is the organization whose private orbs may be used.
	OwnerID uuid.UUID `json:"owner_id,omitzero"`
	// PipelineValues are used as the pipeline values, as in
	// [PipelinesService.GetValues].
	PipelineValues map[string]any `json:"pipeline_values,omitzero"`
	// PipelineParameters are used as the pipeline parameters. CircleCI has
	// deprecated them.
	PipelineParameters Parameters `json:"pipeline_parameters,omitzero"`
	// Next selects the next version of the compiler.
	Next bool `json:"next,omitzero"`
}

// CompiledConfig is the result of compiling a configuration.
type CompiledConfig struct {
	// Valid reports whether the configuration compiled without errors.
	Valid bool `json:"valid"`
	// SourceYAML is the configuration as it was sent.
	SourceYAML string `json:"source-yaml,omitzero"`
	// OutputYAML is the configuration with orbs and parameters resolved.
	OutputYAML string        `json:"output-yaml,omitzero"`
	Errors     []ConfigError `json:"errors,omitzero"`
}

// ConfigError is an error in a configuration.
type ConfigError struct {
	Message string `json:"message"`
}

// CompileConfig checks a configuration and resolves its orbs and parameters. An
// invalid configuration does not return an error: check [CompiledConfig.Valid].
//
// This operation is not in CircleCI's API specification; CircleCI's command
// line tool uses it. A client of circleci.com sends the request, with the
// token, to api.circleci.com. A client of another server sends it to that
// server, which responds with 404 if it is too old.
//
//circleci:operation POST /compile-config-with-defaults
func (s *PipelinesService) CompileConfig(ctx context.Context, in CompileConfigRequest, opts ...RequestOption) (*CompiledConfig, error) {
	return do[CompiledConfig](ctx, s.client, post("/compile-config-with-defaults").at(transport.CloudAPIHost).body(in).with(opts))
}

// Search searches for pipelines.
//
// This operation is not in CircleCI's API specification. Only its route is
// known, so the request and the response may hold any JSON values; whole
// numbers are int64.
//
//circleci:operation POST /pipeline/search
func (s *PipelinesService) Search(ctx context.Context, in map[string]any, opts ...RequestOption) (map[string]any, error) {
	return value(do[map[string]any](ctx, s.client, post("/pipeline/search").body(in).with(opts)))
}
