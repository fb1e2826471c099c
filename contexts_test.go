package circleci_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/circleci-go/circleci"
)

var contextTests = []operationTest{
	{
		op: "GET /context",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Contexts.List(circleci.OwnerBySlug("gh/acme"), &circleci.ListContextsOptions{IncludeEnvVars: true}))
		},
		path: "/context", query: "include-env-vars=true&owner-slug=gh%2Facme&owner-type=organization", fixture: "contexts/listContexts",
	},
	{
		op: "POST /context",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Contexts.Create(ctx, circleci.CreateContextRequest{Name: "deploy", Owner: circleci.OwnerByID(id1)}))
		},
		path: "/context", body: `{"name":"deploy","owner":{"id":"11111111-1111-4111-8111-111111111111","type":"organization"}}`,
		fixture: "contexts/createContext",
	},
	{
		op: "GET /context/{context_id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Contexts.Get(ctx, id1))
		},
		path: "/context/11111111-1111-4111-8111-111111111111", fixture: "contexts/getContext",
		check: func(t *testing.T, got any) {
			c := as[*circleci.Context](t, got)
			assert.Equal(t, "AWS_REGION", c.EnvVars[0].Variable)
			assert.Equal(t, circleci.RestrictionTypeGroup, c.Restrictions[0].Type)
		},
	},
	{
		op: "DELETE /context/{context_id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return none(c.Contexts.Delete(ctx, id1))
		},
		path: "/context/11111111-1111-4111-8111-111111111111", fixture: "contexts/deleteContext",
	},
	{
		op: "GET /context/{context_id}/environment-variable",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Contexts.ListEnvVars(id1))
		},
		path:    "/context/11111111-1111-4111-8111-111111111111/environment-variable",
		fixture: "contexts/listEnvironmentVariablesFromContext",
	},
	{
		op: "PUT /context/{context_id}/environment-variable/{env_var_name}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Contexts.SetEnvVar(ctx, id1, "A B/C", circleci.SetEnvVarRequest{Value: "hunter2"}))
		},
		path: "/context/11111111-1111-4111-8111-111111111111/environment-variable/A%20B%2FC", body: `{"value":"hunter2"}`,
		fixture: "contexts/addEnvironmentVariableToContext",
	},
	{
		op: "DELETE /context/{context_id}/environment-variable/{env_var_name}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return none(c.Contexts.DeleteEnvVar(ctx, id1, "AWS_REGION"))
		},
		path:    "/context/11111111-1111-4111-8111-111111111111/environment-variable/AWS_REGION",
		fixture: "contexts/deleteEnvironmentVariableFromContext",
	},
	{
		op: "GET /context/{context_id}/restrictions",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.Contexts.ListRestrictions(id1))
		},
		path: "/context/11111111-1111-4111-8111-111111111111/restrictions", fixture: "contexts/getContextRestrictions",
	},
	{
		op: "POST /context/{context_id}/restrictions",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Contexts.CreateRestriction(ctx, id1, circleci.ProjectRestriction(id2)))
		},
		path:    "/context/11111111-1111-4111-8111-111111111111/restrictions",
		body:    `{"restriction_type":"project","restriction_value":"22222222-2222-4222-8222-222222222222"}`,
		fixture: "contexts/createContextRestriction", status: 201,
	},
	{
		op: "DELETE /context/{context_id}/restrictions/{restriction_id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return none(c.Contexts.DeleteRestriction(ctx, id1, id2))
		},
		path:    "/context/11111111-1111-4111-8111-111111111111/restrictions/22222222-2222-4222-8222-222222222222",
		fixture: "contexts/deleteContextRestriction",
	},
}
