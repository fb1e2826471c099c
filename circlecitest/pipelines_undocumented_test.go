package circlecitest_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func TestACanceledPipelineStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Script("gh/acme/web", circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
			circlecitest.Workflow("quick", circlecitest.Job("a").Takes(time.Second)),
			circlecitest.Workflow("slow", circlecitest.Job("a").Takes(time.Hour)),
		}})
		c := srv.Client()
		p, err := c.Pipelines.Trigger(t.Context(), "gh/acme/web", circleci.TriggerPipelineRequest{})
		require.NoError(t, err)
		time.Sleep(time.Minute)
		require.NoError(t, c.Pipelines.Cancel(t.Context(), p.ID))
		statuses := map[string]circleci.WorkflowStatus{}
		for w, err := range c.Pipelines.ListWorkflows(p.ID).All(t.Context()) {
			require.NoError(t, err)
			statuses[w.Name] = w.Status
		}
		assert.Equal(t, map[string]circleci.WorkflowStatus{"quick": "success", "slow": "canceled"}, statuses, "what had ended stays as it was")
		assert.ErrorIs(t, c.Pipelines.Cancel(t.Context(), uuid.New()), circleci.ErrNotFound)
	})
}

func TestWhatIsNoConfigurationIsInvalid(t *testing.T) {
	srv := circlecitest.New(t)
	for config, problem := range map[string]string{
		"version: 2.1\njobs:\n  build:\n    docker: []\n":                  "",
		"version: 2.1\nx: &x\n  docker: []\njobs:\n  build:\n    <<: *x\n": "",
		"jobs: {}\n":           "version",
		"version: 2.1\n":       "no workflows",
		"- a\n":                "expected a map",
		"# empty\n":            "empty",
		"version: [2.1\n":      "not valid YAML",
		"version: 2.1\n\ta: b": "not valid YAML",
		"version: 2.1\njobs: {a: {docker: []}}\nworkflows: {w: {jobs: [a, b]}}\n":                                    "b",
		"version: 2.1\njobs: {a: {}, b: {}}\nworkflows: {w: {jobs: [{a: {requires: [b]}}, {b: {requires: [a]}}]}}\n": "wait for each other",
	} {
		got, err := srv.Client().Pipelines.CompileConfig(t.Context(), circleci.CompileConfigRequest{ConfigYAML: config})
		require.NoError(t, err, "an invalid configuration is no error")
		assert.Equal(t, config, got.SourceYAML)
		assert.Equal(t, problem == "", got.Valid, config)
		var messages []string
		for _, e := range got.Errors {
			messages = append(messages, e.Message)
		}
		assert.Contains(t, strings.Join(messages, "; "), problem, config)
	}
	got, err := srv.Client().Pipelines.CompileConfig(t.Context(), circleci.CompileConfigRequest{
		ConfigYAML: "version: 2.1\njobs: {build: {docker: []}}\n", Options: circleci.CompileConfigOptions{PipelineParameters: circleci.Parameters{"x": "y"}},
	})
	require.NoError(t, err)
	assert.False(t, got.Valid, "the parameter is not declared")
	_, err = srv.Client().Pipelines.CompileConfig(t.Context(), circleci.CompileConfigRequest{ConfigYAML: "version: 2.1\njob-groups: {}\njobs: {build: {docker: []}}\n"})
	refusal(t, err, 501, "job-groups")
	status, _ := callRaw(t, srv, "POST", "/compile-config-with-defaults", `{}`)
	assert.Equal(t, 400, status)
}

func TestASearchIsNotModelled(t *testing.T) {
	srv := circlecitest.New(t)
	_, err := srv.Client().Pipelines.Search(t.Context(), map[string]any{})
	refusal(t, err, 501, "POST /pipeline/search")
}
