package circleci_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

const definitionsPath = "/projects/11111111-1111-4111-8111-111111111111/pipeline-definitions"

var pipelineDefinitionTests = []operationTest{
	{
		op: "GET /projects/{project_id}/pipeline-definitions",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.PipelineDefinitions.List(id1))
		},
		path: definitionsPath, fixture: "pipeline_definitions/listPipelineDefinitions",
	},
	{
		op: "POST /projects/{project_id}/pipeline-definitions",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.PipelineDefinitions.Create(ctx, id1, circleci.CreatePipelineDefinitionRequest{
				Name: "build", Description: "builds all there is",
				ConfigSource:   circleci.GitHubAppConfig("705400001", ".circleci/config.yml"),
				CheckoutSource: circleci.GitHubServerCheckout("705400002"),
			}))
		},
		path: definitionsPath,
		body: `{"name":"build","description":"builds all there is",` +
			`"config_source":{"provider":"github_app","repo":{"external_id":"705400001"},"file_path":".circleci/config.yml"},` +
			`"checkout_source":{"provider":"github_server","repo":{"external_id":"705400002"}}}`,
		fixture: "pipeline_definitions/createPipelineDefinition",
	},
	{
		op: "GET /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.PipelineDefinitions.Get(ctx, id1, id2))
		},
		path: definitionsPath + "/22222222-2222-4222-8222-222222222222", fixture: "pipeline_definitions/getPipelineDefinition",
	},
	{
		op: "PATCH /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.PipelineDefinitions.Update(ctx, id1, id2, circleci.UpdatePipelineDefinitionRequest{
				Name: circleci.Some("build"), Description: circleci.Some(""),
				ConfigSource:   circleci.Some(circleci.UpdateConfigSource{FilePath: "ci.yml"}),
				CheckoutSource: circleci.Some(circleci.GitHubAppCheckout("705400002")),
			}))
		},
		path: definitionsPath + "/22222222-2222-4222-8222-222222222222",
		body: `{"name":"build","description":"","config_source":{"file_path":"ci.yml"},` +
			`"checkout_source":{"provider":"github_app","repo":{"external_id":"705400002"}}}`,
		fixture: "pipeline_definitions/updatePipelineDefinition",
	},
	{
		op: "DELETE /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return none(c.PipelineDefinitions.Delete(ctx, id1, id2))
		},
		path: definitionsPath + "/22222222-2222-4222-8222-222222222222", fixture: "pipeline_definitions/deletePipelineDefinition",
	},
}

func TestTheSourcesOfADefinitionOnTheWire(t *testing.T) {
	srv := circlecitest.New(t)
	const op = "POST /projects/{project_id}/pipeline-definitions"
	for want, config := range map[string]circleci.ConfigSourceRequest{
		`{"provider":"github_app","repo":{"external_id":"1"},"file_path":"a.yml"}`:    circleci.GitHubAppConfig("1", "a.yml"),
		`{"provider":"github_server","repo":{"external_id":"1"},"file_path":"a.yml"}`: circleci.GitHubServerConfig("1", "a.yml"),
		`{"provider":"circleci","file_path":"a.yml"}`:                                 circleci.HostedConfig("a.yml"),
	} {
		n := len(srv.Requests())
		srv.Fail(op, circlecitest.Response{Body: `{"id":"00000001-1111-4111-8111-111111111111"}`})
		_, err := srv.Client().PipelineDefinitions.Create(t.Context(), id1, circleci.CreatePipelineDefinitionRequest{
			Name: "build", ConfigSource: config, CheckoutSource: circleci.GitHubAppCheckout("2"),
		})
		require.NoError(t, err)
		assert.Equal(t, `{"name":"build","config_source":`+want+`,"checkout_source":{"provider":"github_app","repo":{"external_id":"2"}}}`,
			string(srv.Requests()[n].Body))
	}
}

func TestAnUpdateOfADefinitionHasThreeStates(t *testing.T) {
	srv := circlecitest.New(t)
	for want, in := range map[string]circleci.UpdatePipelineDefinitionRequest{
		`{"config_source":{"file_path":"ci.yml"}}`: {ConfigSource: circleci.Some(circleci.UpdateConfigSource{FilePath: "ci.yml"})},
		`{"description":""}`:                       {Description: circleci.Some("")},
		`{"description":null}`:                     {Description: circleci.Null[string]()},
		`{"name":"x"}`:                             {Name: circleci.Some("x")},
	} {
		n := len(srv.Requests())
		srv.Fail("PATCH /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}", circlecitest.Response{Body: `{}`})
		_, err := srv.Client().PipelineDefinitions.Update(t.Context(), id1, id2, in)
		require.NoError(t, err)
		assert.Equal(t, want, string(srv.Requests()[n].Body))
	}
}

func TestABadDefinitionIsNotSent(t *testing.T) {
	srv := circlecitest.New(t)
	s := srv.Client().PipelineDefinitions
	create := func(name string, config circleci.ConfigSourceRequest, checkout circleci.CheckoutSourceRequest) error {
		return second(s.Create(t.Context(), id1, circleci.CreatePipelineDefinitionRequest{Name: name, ConfigSource: config, CheckoutSource: checkout}))
	}
	config, checkout := circleci.GitHubAppConfig("1", "a.yml"), circleci.GitHubAppCheckout("1")
	for what, err := range map[string]error{
		"no name":            create("", config, checkout),
		"no configuration":   create("a", circleci.ConfigSourceRequest{}, checkout),
		"no file":            create("a", circleci.HostedConfig(""), checkout),
		"no repository":      create("a", circleci.GitHubAppConfig("", "a.yml"), checkout),
		"no checkout":        create("a", config, circleci.CheckoutSourceRequest{}),
		"no checkout's repo": create("a", config, circleci.GitHubAppCheckout("")),
		"update to no file": second(s.Update(t.Context(), id1, id2, circleci.UpdatePipelineDefinitionRequest{
			ConfigSource: circleci.Some(circleci.UpdateConfigSource{}),
		})),
		"update to no checkout": second(s.Update(t.Context(), id1, id2, circleci.UpdatePipelineDefinitionRequest{
			CheckoutSource: circleci.Some(circleci.CheckoutSourceRequest{}),
		})),
	} {
		assert.ErrorIs(t, err, circleci.ErrInvalidArgument, what)
	}
	assert.Empty(t, srv.Requests())
}
