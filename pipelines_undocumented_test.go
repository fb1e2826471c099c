package circleci_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

var undocumentedPipelineTests = []operationTest{
	{
		op:   "POST /pipeline/{pipeline-id}/cancel",
		call: func(ctx context.Context, c *circleci.Client) (any, error) { return none(c.Pipelines.Cancel(ctx, id1)) },
		path: "/pipeline/11111111-1111-4111-8111-111111111111/cancel", fixture: "pipelines/cancelPipeline", status: 202,
	},
	{
		op: "POST /compile-config-with-defaults",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Pipelines.CompileConfig(ctx, circleci.CompileConfigRequest{
				ConfigYAML: "version: 2.1\n",
				Options: circleci.CompileConfigOptions{
					OwnerID: id1, PipelineValues: map[string]any{"pipeline.number": 25},
					PipelineParameters: circleci.Parameters{"env": "prod"}, Next: true,
				},
			}))
		},
		path: "/compile-config-with-defaults",
		body: `{"config_yaml":"version: 2.1\n","options":{"owner_id":"11111111-1111-4111-8111-111111111111",` +
			`"pipeline_values":{"pipeline.number":25},"pipeline_parameters":{"env":"prod"},"next":true}}`,
		fixture: "pipelines/compileConfig",
	},
	{
		op: "POST /pipeline/search",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.Pipelines.Search(ctx, map[string]any{"branch": "main", "numbers": []int{1, 2}}))
		},
		path: "/pipeline/search", body: `{"branch":"main","numbers":[1,2]}`, fixture: "pipelines/searchPipelines",
		check: func(t *testing.T, got any) {
			found := as[map[string]any](t, got)["items"].([]any)
			assert.Equal(t, int64(9007199254740993), found[0].(map[string]any)["number"], "a number keeps all its digits")
		},
	},
}

// On circleci.com one host compiles, and another does the rest. Both get the
// token; another server does all by itself.
func TestAConfigIsCompiledByTheHostThatCan(t *testing.T) {
	for base, want := range map[string]string{
		"circleci.com":              "https://api.circleci.com/api/v2/compile-config-with-defaults",
		"https://CircleCI.com:443/": "https://api.circleci.com/api/v2/compile-config-with-defaults",
		"ci.example.com":            "https://ci.example.com/api/v2/compile-config-with-defaults",
		"ci.example.com/circle":     "https://ci.example.com/circle/api/v2/compile-config-with-defaults",
		"https://circleci.com:8443": "https://circleci.com:8443/api/v2/compile-config-with-defaults",
		"http://127.0.0.1:8080":     "http://127.0.0.1:8080/api/v2/compile-config-with-defaults",
	} {
		t.Run(base, func(t *testing.T) {
			srv := circlecitest.New(t)
			var sent []*http.Request
			spy := roundTrip(func(r *http.Request) (*http.Response, error) {
				sent = append(sent, r)
				return srv.Transport().RoundTrip(r)
			})
			c := srv.Client(circleci.WithBaseURL(base), circleci.WithHTTPClient(&http.Client{Transport: spy}))
			srv.Fail("*", circlecitest.Response{Body: `{"valid":true}`}, circlecitest.Response{Body: `{}`})
			_, err := c.Pipelines.CompileConfig(t.Context(), circleci.CompileConfigRequest{ConfigYAML: "version: 2.1\n"})
			require.NoError(t, err)
			_, err = c.Users.Me(t.Context())
			require.NoError(t, err)
			require.Len(t, sent, 2)
			assert.Equal(t, want, sent[0].URL.String())
			assert.NotEqual(t, "api.circleci.com", sent[1].URL.Host, "other routes stay where they are")
			for _, r := range sent {
				assert.Equal(t, circlecitest.DefaultToken, r.Header.Get("Circle-Token"), "%s gets no token", r.URL.Host)
			}
		})
	}
}

func TestAnEmptyConfigIsNotSent(t *testing.T) {
	srv := circlecitest.New(t)
	_, err := srv.Client().Pipelines.CompileConfig(t.Context(), circleci.CompileConfigRequest{})
	assert.ErrorIs(t, err, circleci.ErrInvalidArgument)
	assert.Empty(t, srv.Requests())
}
