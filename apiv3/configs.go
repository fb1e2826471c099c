package apiv3

import (
	"context"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// ConfigsService compiles configurations.
type ConfigsService service

// CompileConfigRequest holds a configuration to compile.
type CompileConfigRequest struct {
	// Config is the text of the configuration.
	Config string `json:"config"`
	// OrgID is the organization whose private orbs can be used. It is optional.
	OrgID uuid.UUID `json:"-"`
	// EnableNextPreview compiles with the next version of the compiler.
	EnableNextPreview bool `json:"enable_next_preview,omitzero"`
	// PipelineParameters and PipelineValues are used as the parameters and
	// values of the run.
	PipelineParameters circleci.Parameters `json:"pipeline_parameters,omitzero"`
	PipelineValues     map[string]any      `json:"pipeline_values,omitzero"`
}

func (r CompileConfigRequest) check() (name, reason string) {
	if r.Config == "" {
		return "config", missing
	}
	return "", ""
}

// CompiledConfig is the result of a compilation.
type CompiledConfig struct {
	Phase   Phase   `json:"phase"`
	Outcome Outcome `json:"outcome"`
	// Config is the configuration with orbs and parameters resolved.
	Config string `json:"compiled_config"`
	// Messages describe the problems of an invalid configuration.
	Messages []string `json:"messages,omitzero"`
}

// Valid reports whether the configuration could be compiled.
func (c *CompiledConfig) Valid() bool { return c.Outcome == OutcomeSucceeded }

// Compile checks a configuration and resolves its orbs and parameters. An
// invalid configuration does not return an error: check [CompiledConfig.Valid].
//
//circleci:operation POST /api/v3/configs/compile
func (s *ConfigsService) Compile(ctx context.Context, in CompileConfigRequest, opts ...circleci.RequestOption) (*CompiledConfig, error) {
	refs := references{}
	if in.OrgID != uuid.Nil {
		refs["org"] = in.OrgID
	}
	var out entity[CompiledConfig]
	if err := s.client.do(ctx, post("/api/v3/configs/compile").create(in, refs).idempotent(), &out, opts); err != nil {
		return nil, err
	}
	out.value.Messages = out.messages
	return &out.value, nil
}
