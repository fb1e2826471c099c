package circleci_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

var pipelineTests = []operationTest{
	{
		op: "GET /pipeline",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Pipelines.List(&circleci.ListPipelinesOptions{OrgSlug: "gh/acme", Mine: true}))
		},
		path: "/pipeline", query: "mine=true&org-slug=gh%2Facme", fixture: "pipelines/listPipelines",
	},
	{
		op: "GET /project/{project-slug}/pipeline",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Pipelines.ListForProject(webSlug, &circleci.ListProjectPipelinesOptions{Branch: "fix/a b"}))
		},
		path: "/project/gh/acme/web/pipeline", query: "branch=fix%2Fa+b", fixture: "pipelines/listPipelinesForProject",
	},
	{
		op: "GET /project/{project-slug}/pipeline/mine",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Pipelines.ListMine(webSlug))
		},
		path: "/project/gh/acme/web/pipeline/mine", fixture: "pipelines/listMyPipelines",
	},
	{
		op:   "GET /pipeline/{pipeline-id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) { return some(c.Pipelines.Get(ctx, id1)) },
		path: "/pipeline/11111111-1111-4111-8111-111111111111", fixture: "pipelines/getPipelineById",
		check: func(t *testing.T, got any) {
			p := as[*circleci.Pipeline](t, got)
			app, ok := p.TriggerParameters["github_app"].(map[string]any)
			require.True(t, ok)
			assert.Equal(t, int64(9007199254740993), app["repo_id"], "an ID keeps all its digits")
			assert.Equal(t, circleci.PipelineErrorTypeConfig, p.Errors[0].Type)
		},
	},
	{
		op: "GET /project/{project-slug}/pipeline/{pipeline-number}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Pipelines.GetByNumber(ctx, webSlug, 25))
		},
		path: "/project/gh/acme/web/pipeline/25", fixture: "pipelines/getPipelineByNumber",
	},
	{
		op: "GET /pipeline/{pipeline-id}/config",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Pipelines.GetConfig(ctx, id1))
		},
		path: "/pipeline/11111111-1111-4111-8111-111111111111/config", fixture: "pipelines/getPipelineConfigById",
	},
	{
		op: "GET /pipeline/{pipeline-id}/values",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Pipelines.GetValues(ctx, id1))
		},
		path: "/pipeline/11111111-1111-4111-8111-111111111111/values", fixture: "pipelines/getPipelineValuesById",
		check: func(t *testing.T, got any) {
			values := as[map[string]any](t, got)
			assert.Equal(t, int64(25), values["pipeline.number"])
			assert.Equal(t, true, values["pipeline.parameters.deploy"])
		},
	},
	{
		op: "GET /pipeline/{pipeline-id}/workflow",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Pipelines.ListWorkflows(id1))
		},
		path: "/pipeline/11111111-1111-4111-8111-111111111111/workflow", fixture: "pipelines/listWorkflowsByPipelineId",
	},
	{
		op: "POST /project/{project-slug}/pipeline",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Pipelines.Trigger(ctx, webSlug, circleci.TriggerPipelineRequest{Branch: "main", Parameters: circleci.Parameters{
				"env": "prod", "count": 3, "dry": false,
			}}))
		},
		path: "/project/gh/acme/web/pipeline", body: `{"branch":"main","parameters":{"count":3,"dry":false,"env":"prod"}}`,
		fixture: "pipelines/triggerPipeline", status: 201,
	},
	{
		op: "POST /project/{provider}/{organization}/{project}/pipeline/run",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Pipelines.Run(ctx, "circleci/Fxr5ZKJ7TnE3QmPBbeRj2L/SkbkBnHdgVKqMnXk5tFYyZ", circleci.RunPipelineRequest{
				DefinitionID: id1, Config: circleci.ConfigFrom(circleci.Branch("main")), Checkout: circleci.Tag("v1"),
				Parameters: circleci.Parameters{"dry": true},
			}))
		},
		path: "/project/circleci/Fxr5ZKJ7TnE3QmPBbeRj2L/SkbkBnHdgVKqMnXk5tFYyZ/pipeline/run",
		body: `{"definition_id":"11111111-1111-4111-8111-111111111111","config":{"branch":"main"},"checkout":{"tag":"v1"},` +
			`"parameters":{"dry":true}}`,
		fixture: "pipelines/triggerPipelineRun", status: 201,
	},
	{
		op: "POST /pipeline/continue",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return none(c.Pipelines.Continue(ctx, circleci.ContinuePipelineRequest{
				ContinuationKey: "the-key", Configuration: "version: 2.1", Parameters: circleci.Parameters{"n": 1},
			}))
		},
		path: "/pipeline/continue", body: `{"continuation-key":"the-key","configuration":"version: 2.1","parameters":{"n":1}}`,
		fixture: "pipelines/continuePipeline",
	},
}

func TestARunThatStartsNothingIsNoRun(t *testing.T) {
	srv := circlecitest.New(t)
	srv.Script(webSlug, circlecitest.Script{}) // no workflow matches
	p, err := srv.Client().Pipelines.Run(t.Context(), webSlug, circleci.RunPipelineRequest{DefinitionID: id1})
	assert.Nil(t, p)
	require.ErrorIs(t, err, circleci.ErrNotTriggered)
	assert.ErrorContains(t, err, "No workflows")
}

func TestAnInlineConfigIsSentAsContent(t *testing.T) {
	srv := circlecitest.New(t)
	srv.AddProject(webSlug)
	_, err := srv.Client().Pipelines.Run(t.Context(), webSlug, circleci.RunPipelineRequest{
		DefinitionID: id1, Config: circleci.InlineConfig("version: 2.1\n"),
	})
	require.NoError(t, err)
	assert.JSONEq(t, `{"definition_id":"`+id1.String()+`","config":{"content":"version: 2.1\n"}}`, string(srv.Requests()[0].Body))
}

func TestBadPipelineInputIsNotSent(t *testing.T) {
	srv := circlecitest.New(t)
	c := srv.Client()
	many := circleci.Parameters{}
	for i := range 101 {
		many[strings.Repeat("x", i+1)] = 1
	}
	long := circleci.Parameters{"a": strings.Repeat("ü", 513)}
	name := circleci.Parameters{strings.Repeat("ü", 129): 1}
	for what, err := range map[string]error{
		"branch and tag":  second(c.Pipelines.Trigger(t.Context(), webSlug, circleci.TriggerPipelineRequest{Branch: "a", Tag: "b"})),
		"101 parameters":  second(c.Pipelines.Trigger(t.Context(), webSlug, circleci.TriggerPipelineRequest{Parameters: many})),
		"a long value":    second(c.Pipelines.Trigger(t.Context(), webSlug, circleci.TriggerPipelineRequest{Parameters: long})),
		"a long name":     second(c.Pipelines.Run(t.Context(), webSlug, circleci.RunPipelineRequest{DefinitionID: id1, Parameters: name})),
		"no definition":   second(c.Pipelines.Run(t.Context(), webSlug, circleci.RunPipelineRequest{})),
		"a slug of two":   second(c.Pipelines.Trigger(t.Context(), "gh/acme", circleci.TriggerPipelineRequest{})),
		"number 0":        second(c.Pipelines.GetByNumber(t.Context(), webSlug, 0)),
		"no continuation": c.Pipelines.Continue(t.Context(), circleci.ContinuePipelineRequest{Configuration: "x"}),
		"continued with 101 parameters": c.Pipelines.Continue(t.Context(), circleci.ContinuePipelineRequest{
			ContinuationKey: "key", Configuration: "x", Parameters: many}),
		"an org slug of 3": second(c.Pipelines.List(
			&circleci.ListPipelinesOptions{OrgSlug: "gh/acme/web"}).Collect(t.Context())),
	} {
		assert.ErrorIs(t, err, circleci.ErrInvalidArgument, what)
		var bad *circleci.ArgumentError
		if assert.ErrorAs(t, err, &bad, what) {
			assert.NotEmpty(t, bad.Route, what)
		}
	}
	assert.Empty(t, srv.Requests())
}

func second[T any](_ T, err error) error { return err }

func TestAPipelineRunsOnlyWithParametersItDeclares(t *testing.T) {
	srv := circlecitest.New(t)
	srv.Script(webSlug, circlecitest.Script{Parameters: []string{"env"}})
	c := srv.Client()
	_, err := c.Pipelines.Trigger(t.Context(), webSlug, circleci.TriggerPipelineRequest{Parameters: circleci.Parameters{"envy": 1}})
	require.ErrorIs(t, err, circleci.ErrNotFound, "the API says so")
	_, err = c.Pipelines.Trigger(t.Context(), webSlug, circleci.TriggerPipelineRequest{Parameters: circleci.Parameters{"env": "x"}})
	assert.NoError(t, err)
}
