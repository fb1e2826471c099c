package circleci

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// CreatedPipeline identifies a pipeline that was just started.
type CreatedPipeline struct {
	ID        uuid.UUID     `json:"id"`
	Number    int64         `json:"number"`
	State     PipelineState `json:"state"`
	CreatedAt time.Time     `json:"created_at"`
}

// TriggerPipelineRequest describes the pipeline to start, on a branch or a tag.
// The default is the project's default branch.
type TriggerPipelineRequest struct {
	Branch     string     `json:"branch,omitzero"`
	Tag        string     `json:"tag,omitzero"`
	Parameters Parameters `json:"parameters,omitzero"`
}

func (r TriggerPipelineRequest) check() error {
	if r.Branch != "" && r.Tag != "" {
		return &ArgumentError{Name: "branch", Reason: "cannot be combined with tag: set only one of them"}
	}
	return r.Parameters.check()
}

// Trigger starts a pipeline of a GitHub (OAuth) or Bitbucket project. For other
// projects, use [PipelinesService.Run]. The API refuses a parameter that the
// configuration does not declare; the error can match [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Pipeline/operation/triggerPipeline
//
//circleci:operation POST /project/{project-slug}/pipeline
func (s *PipelinesService) Trigger(ctx context.Context, slug ProjectSlug, in TriggerPipelineRequest, opts ...RequestOption) (*CreatedPipeline, error) {
	out, err := create[CreatedPipeline](ctx, s.client, post("/project/{project-slug}/pipeline", slug).body(in).with(opts))
	return out, hintParameters(err, in.Parameters)
}

// GitRef is a branch or a tag. Create one with [Branch] or [Tag].
type GitRef struct{ sent[gitRefBody] }

type gitRefBody struct {
	Branch string `json:"branch,omitzero"`
	Tag    string `json:"tag,omitzero"`
}

// Branch returns a reference to the head of a branch. For a pull request, use
// "pull/<number>/head" or "pull/<number>/merge".
func Branch(branch string) (r GitRef) {
	r.body.Branch = branch
	return r
}

// Tag returns a reference to a tag.
func Tag(tag string) (r GitRef) {
	r.body.Tag = tag
	return r
}

// RunConfig is the source of a run's configuration. Create one with
// [ConfigFrom] or [InlineConfig].
type RunConfig struct{ sent[runConfigBody] }

type runConfigBody struct {
	Branch  string `json:"branch,omitzero"`
	Tag     string `json:"tag,omitzero"`
	Content string `json:"content,omitzero"`
}

// ConfigFrom reads the configuration from a branch or a tag.
func ConfigFrom(ref GitRef) (c RunConfig) {
	c.body.Branch, c.body.Tag = ref.body.Branch, ref.body.Tag
	return c
}

// InlineConfig uses the given YAML as the configuration instead of the
// repository's. It is undocumented. The organization and the project must allow
// it.
func InlineConfig(content string) (c RunConfig) {
	c.body.Content = content
	return c
}

// RunPipelineRequest describes the pipeline to run.
type RunPipelineRequest struct {
	// DefinitionID is the ID of the pipeline definition: see
	// [PipelineDefinitionsService].
	DefinitionID uuid.UUID `json:"definition_id"`
	// Config is the source of the configuration.
	Config RunConfig `json:"config,omitzero"`
	// Checkout is the branch or tag that a checkout step checks out.
	Checkout   GitRef     `json:"checkout,omitzero"`
	Parameters Parameters `json:"parameters,omitzero"`
}

func (r RunPipelineRequest) check() error {
	if r.DefinitionID == uuid.Nil {
		return &ArgumentError{Name: "definition ID", Reason: "is missing"}
	}
	return r.Parameters.check()
}

// Run starts a pipeline of any project. If the API accepts the request but
// starts nothing, because a filter of the configuration leaves nothing to run,
// the error matches [ErrNotTriggered].
//
// CircleCI server has this operation from version 4.8 on.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Pipeline/operation/triggerPipelineRun
//
//circleci:operation POST /project/{provider}/{organization}/{project}/pipeline/run
func (s *PipelinesService) Run(ctx context.Context, slug ProjectSlug, in RunPipelineRequest, opts ...RequestOption) (*CreatedPipeline, error) {
	r := post("/project/{provider}/{organization}/{project}/pipeline/run", slug).body(in).with(opts)
	var about Response
	out, err := do[runAnswer](ctx, s.client, r.with([]RequestOption{CaptureResponse(&about)}))
	return out.pipeline(r.route, about, hintParameters(err, in.Parameters))
}

// runAnswer is either a pipeline (status 201), or the reason why none was
// started (status 200).
type runAnswer struct {
	CreatedPipeline
	Message string `json:"message"`
}

func (a *runAnswer) pipeline(route string, r Response, err error) (*CreatedPipeline, error) {
	switch {
	case err != nil:
		return nil, err
	case r.StatusCode == http.StatusOK:
		return nil, fmt.Errorf("%w: %s", ErrNotTriggered, oneLine(a.Message))
	case a.ID == uuid.Nil:
		return nil, &DecodeError{
			Method: http.MethodPost, Route: route, StatusCode: r.StatusCode, RequestID: r.RequestID, Attempts: r.Attempts,
			ContentType: r.Header.Get("Content-Type"), Err: errors.New("the response has no pipeline ID: look for the pipeline in the project's list before running it again"),
		}
	}
	return &a.CreatedPipeline, nil
}

// hintParameters explains a 404 response to a call with parameters: the API
// sends it for a parameter that the configuration does not declare.
func hintParameters(err error, p Parameters) error {
	var answer *Error
	if len(p) > 0 && errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound {
		answer.advice = "it does not exist, this token may not read it, or the configuration does not declare one of the parameters: " +
			oneLine(strings.Join(slices.Sorted(maps.Keys(p)), ", "))
	}
	return err
}

// ContinuePipelineRequest holds the configuration with which a setup workflow
// continues its pipeline.
type ContinuePipelineRequest struct {
	// ContinuationKey is the value of CIRCLE_CONTINUATION_KEY in the setup
	// job's environment. It authorizes the call instead of a token.
	ContinuationKey Secret `json:"continuation-key"`
	// Configuration is the YAML to continue with.
	Configuration string     `json:"configuration"`
	Parameters    Parameters `json:"parameters,omitzero"`
}

func (r ContinuePipelineRequest) check() error {
	if r.ContinuationKey == "" || r.Configuration == "" {
		return &ArgumentError{Name: "continuation", Reason: "has no continuation key or no configuration"}
	}
	return r.Parameters.check()
}

// Continue continues a pipeline from its setup workflow.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Pipeline/operation/continuePipeline
//
//circleci:operation POST /pipeline/continue
func (s *PipelinesService) Continue(ctx context.Context, in ContinuePipelineRequest, opts ...RequestOption) error {
	return exec(ctx, s.client, post("/pipeline/continue").body(in).with(opts))
}
