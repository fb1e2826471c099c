package circlecitest_test

import (
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
		"version: 2.1\njobs:\n  a:\n    docker: []\n":            "",
		"version: 2.1\nworkflows: {}\n":                          "",
		"version: 2.1\nx: &x\n  a: 1\njobs:\n  a:\n    <<: *x\n": "", // good YAML that is not read
		"jobs: {}\n":     "no version",
		"version: 2.1\n": "neither jobs nor workflows",
		"- a\n":          "not a map",
		"# empty\n":      "not a map",
	} {
		got, err := srv.Client().Pipelines.CompileConfig(t.Context(), circleci.CompileConfigRequest{ConfigYAML: config})
		require.NoError(t, err, "an invalid configuration is no error")
		assert.Equal(t, config, got.SourceYAML)
		assert.Equal(t, problem == "", got.Valid, config)
		if problem != "" && assert.Len(t, got.Errors, 1) {
			assert.Contains(t, got.Errors[0].Message, problem)
		}
	}
	status, _ := callRaw(t, srv, "POST", "/compile-config-with-defaults", `{}`)
	assert.Equal(t, 400, status)
}

func TestASearchIsNotModelled(t *testing.T) {
	srv := circlecitest.New(t)
	_, err := srv.Client().Pipelines.Search(t.Context(), map[string]any{})
	refusal(t, err, 501, "POST /pipeline/search")
}
