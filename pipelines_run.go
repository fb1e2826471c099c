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

// CreatedPipeline is what is known of a pipeline that has just been started.
type CreatedPipeline struct {
	ID        uuid.UUID     `json:"id"`
	Number    int64         `json:"number"`
	State     PipelineState `json:"state"`
	CreatedAt time.Time     `json:"created_at"`
}

// TriggerPipelineRequest says what to run: of a branch or a tag, the default
// branch if neither is given.
type TriggerPipelineRequest struct {
	Branch     string     `json:"branch,omitzero"`
	Tag        string     `json:"tag,omitzero"`
	Parameters Parameters `json:"parameters,omitzero"`
}

func (r TriggerPipelineRequest) check() error {
	if r.Branch != "" && r.Tag != "" {
		return &ArgumentError{Name: "branch", Reason: "is given beside a tag: the API takes one of them"}
	}
	return r.Parameters.check()
}

// Trigger starts a pipeline of a GitHub (OAuth) or Bitbucket project; for
// others see [PipelinesService.Run]. A parameter that the configuration does
// not declare is refused, with an error that can match [ErrNotFound].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Pipeline/operation/triggerPipeline
//
//circleci:operation POST /project/{project-slug}/pipeline
func (s *PipelinesService) Trigger(ctx context.Context, slug ProjectSlug, in TriggerPipelineRequest, opts ...RequestOption) (*CreatedPipeline, error) {
	out, err := do[CreatedPipeline](ctx, s.client, post("/project/{project-slug}/pipeline", slug).body(in).with(opts))
	return out, hintParameters(err, in.Parameters)
}

// GitRef is a branch or a tag: see [Branch] and [Tag].
type GitRef struct{ sent[gitRefBody] }

type gitRefBody struct {
	Branch string `json:"branch,omitzero"`
	Tag    string `json:"tag,omitzero"`
}

// Branch is the head of a branch. A pull request is "pull/<number>/head" or
// "pull/<number>/merge".
func Branch(branch string) (r GitRef) {
	r.body.Branch = branch
	return r
}

// Tag is the commit of a tag.
func Tag(tag string) (r GitRef) {
	r.body.Tag = tag
	return r
}

// RunConfig says where the configuration of a run comes from: see
// [ConfigFrom] and [InlineConfig].
type RunConfig struct{ sent[runConfigBody] }

type runConfigBody struct {
	Branch  string `json:"branch,omitzero"`
	Tag     string `json:"tag,omitzero"`
	Content string `json:"content,omitzero"`
}

// ConfigFrom takes the configuration from a branch or a tag.
func ConfigFrom(ref GitRef) (c RunConfig) {
	c.body.Branch, c.body.Tag = ref.body.Branch, ref.body.Tag
	return c
}

// InlineConfig is a configuration as YAML, in place of the repository's. It is
// undocumented; the organization and the project have to permit it.
func InlineConfig(content string) (c RunConfig) {
	c.body.Content = content
	return c
}

// RunPipelineRequest says what to run.
type RunPipelineRequest struct {
	// DefinitionID is the pipeline definition's: see PipelineDefinitions.
	DefinitionID uuid.UUID `json:"definition_id"`
	// Config says where the configuration is taken from.
	Config RunConfig `json:"config,omitzero"`
	// Checkout says what a checkout step checks out.
	Checkout   GitRef     `json:"checkout,omitzero"`
	Parameters Parameters `json:"parameters,omitzero"`
}

func (r RunPipelineRequest) check() error {
	if r.DefinitionID == uuid.Nil {
		return &ArgumentError{Name: "definition ID", Reason: "is missing"}
	}
	return r.Parameters.check()
}

// Run starts a pipeline of any project. If the API takes the request and runs
// nothing, because a filter of the configuration leaves nothing to do, the
// error is one that matches [ErrNotTriggered].
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

// runAnswer is either a pipeline, with the status 201, or the reason for which
// there is none, with 200.
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
			ContentType: r.Header.Get("Content-Type"), Err: errors.New("the pipeline has no ID: look for it in the project's list before you run it again"),
		}
	}
	return &a.CreatedPipeline, nil
}

// hintParameters explains a 404 to a call with parameters: the API answers so
// for a parameter that the configuration does not declare.
func hintParameters(err error, p Parameters) error {
	var answer *Error
	if len(p) > 0 && errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound {
		answer.advice = "it does not exist, this token may not see it, or the configuration does not declare one of the parameters: " +
			oneLine(strings.Join(slices.Sorted(maps.Keys(p)), ", "))
	}
	return err
}

// ContinuePipelineRequest is how a setup workflow has its pipeline go on.
type ContinuePipelineRequest struct {
	// ContinuationKey is in the setup job's environment, as
	// CIRCLE_CONTINUATION_KEY. It authorises the call in place of a token.
	ContinuationKey Secret `json:"continuation-key"`
	// Configuration is the YAML to go on with.
	Configuration string     `json:"configuration"`
	Parameters    Parameters `json:"parameters,omitzero"`
}

func (r ContinuePipelineRequest) check() error {
	if r.ContinuationKey == "" || r.Configuration == "" {
		return &ArgumentError{Name: "continuation", Reason: "lacks its key or its configuration"}
	}
	return r.Parameters.check()
}

// Continue goes on with a pipeline from its setup workflow.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Pipeline/operation/continuePipeline
//
//circleci:operation POST /pipeline/continue
func (s *PipelinesService) Continue(ctx context.Context, in ContinuePipelineRequest, opts ...RequestOption) error {
	return exec(ctx, s.client, post("/pipeline/continue").body(in).with(opts))
}
