package circlecitest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

const webConfig = `
version: 2.1
parameters:
  deploy: {type: boolean, default: false}
  replicas: {type: integer, default: 1}
orbs: {node: circleci/node@5}
jobs:
  build: {docker: [{image: cimg/base}], parallelism: 3, steps: [checkout]}
  test:
    parameters: {go: {type: string}}
    docker: [{image: cimg/base}]
    steps: [checkout]
  report: {docker: [{image: cimg/base}], steps: [checkout]}
  deploy: {docker: [{image: cimg/base}], steps: [checkout]}
workflows:
  ci:
    jobs:
      - build: {context: org-deploy}
      - node/test
      - test: {requires: [build], matrix: {parameters: {go: ["1.25", "1.26"]}}}
      - report: {requires: [test: [failed]]}
      - hold: {type: approval, requires: [test]}
      - deploy: {requires: [hold], filters: {branches: {only: main}}}
  nightly:
    when: << pipeline.parameters.deploy >>
    jobs: [deploy]
`

// jobStatuses are those of all jobs of a pipeline, as "workflow/job": "status".
func jobStatuses(t *testing.T, c *circleci.Client, pipeline uuid.UUID) map[string]string {
	t.Helper()
	all := map[string]string{}
	workflows, err := c.Pipelines.ListWorkflows(pipeline).Collect(t.Context())
	require.NoError(t, err)
	for _, w := range workflows {
		for j, err := range c.Workflows.ListJobs(w.ID).All(t.Context()) {
			require.NoError(t, err)
			all[w.Name+"/"+j.Name] = string(j.Status)
		}
	}
	return all
}

func configured(t *testing.T, yaml string) (*circlecitest.Server, *circleci.Client) {
	t.Helper()
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	require.NoError(t, srv.Configure(webSlug, yaml))
	return srv, srv.Client()
}

func TestAConfigurationSaysWhatRuns(t *testing.T) {
	srv, c := configured(t, webConfig)
	id := srv.StartPipeline(webSlug, "feature")
	srv.Advance(time.Hour)
	assert.Equal(t, map[string]string{
		"ci/build": "success", "ci/node/test": "success", "ci/test-1.25": "success", "ci/test-1.26": "success",
		"ci/report": "not_run", "ci/hold": "on_hold",
	}, jobStatuses(t, c, id))
	build, err := c.Jobs.Get(t.Context(), webSlug, jobsOf(t, c, id)["build"].Number)
	require.NoError(t, err)
	assert.Equal(t, int64(3), build.Parallelism)
	require.Len(t, build.Contexts, 1)
	assert.Equal(t, "org-deploy", build.Contexts[0].Name)

	main, err := c.Pipelines.Trigger(t.Context(), webSlug, circleci.TriggerPipelineRequest{Parameters: map[string]any{"deploy": true}})
	require.NoError(t, err)
	srv.Advance(time.Hour)
	assert.Contains(t, jobStatuses(t, c, main.ID), "ci/deploy", "the default branch is main")
	assert.Equal(t, "success", jobStatuses(t, c, main.ID)["nightly/deploy"])
	got, err := c.Pipelines.GetConfig(t.Context(), main.ID)
	require.NoError(t, err)
	assert.Equal(t, webConfig, got.Source)
	values, err := c.Pipelines.GetValues(t.Context(), main.ID)
	require.NoError(t, err)
	assert.Equal(t, "1", fmt.Sprint(values["pipeline.parameters.replicas"]), "a default")
}

func TestAScriptSaysHowTheJobsOfAConfigurationEnd(t *testing.T) {
	srv, c := configured(t, webConfig)
	srv.Script(webSlug, circlecitest.Pipeline(
		circlecitest.Workflow("ci",
			circlecitest.Job("build").Takes(5*time.Minute).WithTests(circlecitest.PassingTest("TestA", time.Second)),
			circlecitest.Job("test-1.26").FailsOnce(),
			circlecitest.Job("test").WithArtifacts(circlecitest.Artifact{Path: "a"}),
		),
	))
	id := srv.StartPipeline(webSlug, "main")
	srv.Advance(4 * time.Minute)
	assert.Equal(t, "running", jobStatuses(t, c, id)["ci/build"])
	srv.Advance(time.Hour)
	assert.Equal(t, map[string]string{
		"ci/build": "success", "ci/node/test": "success", "ci/test-1.25": "success", "ci/test-1.26": "failed",
		"ci/report": "not_run", "ci/hold": "not_run", "ci/deploy": "not_run",
	}, jobStatuses(t, c, id), "report waits for both to fail")
	jobs := jobsOf(t, c, id)
	tests, err := c.Jobs.ListTests(webSlug, jobs["build"].Number).Collect(t.Context())
	require.NoError(t, err)
	assert.Len(t, tests, 1)
	artifacts, err := c.Jobs.ListArtifacts(webSlug, jobs["test-1.25"].Number).Collect(t.Context())
	require.NoError(t, err)
	assert.Len(t, artifacts, 1, "by the key of its definition")

	srv.Script(webSlug, circlecitest.Pipeline(circlecitest.Workflow("ci", circlecitest.Job("test").Fails(), circlecitest.Approval("hold").ApprovedAfter(time.Minute))))
	id = srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Hour)
	assert.Equal(t, "success", jobStatuses(t, c, id)["ci/report"], "both have failed")
}

func TestAnApprovalOfAConfiguration(t *testing.T) {
	srv, c := configured(t, webConfig)
	srv.Script(webSlug, circlecitest.Pipeline(circlecitest.Workflow("ci", circlecitest.Approval("hold").ApprovedAfter(time.Minute))))
	id := srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Hour)
	assert.Equal(t, "success", jobStatuses(t, c, id)["ci/deploy"])
}

func TestParametersOfAConfiguration(t *testing.T) {
	_, c := configured(t, webConfig)
	for name, value := range map[string]any{"deploy": "yes", "replicas": true, "other": 1} {
		_, err := c.Pipelines.Trigger(t.Context(), webSlug, circleci.TriggerPipelineRequest{Parameters: map[string]any{name: value}})
		if name == "other" {
			require.ErrorIs(t, err, circleci.ErrNotFound)
			assert.ErrorContains(t, err, "Project not found")
			continue
		}
		assert.ErrorContains(t, err, "Type error for argument "+name)
	}
	_, err := c.Pipelines.Trigger(t.Context(), webSlug, circleci.TriggerPipelineRequest{Parameters: map[string]any{"replicas": 3}})
	assert.NoError(t, err)
}

func TestARunThatMatchesNoWorkflow(t *testing.T) {
	srv, c := configured(t, "version: 2.1\njobs: {a: {}}\nworkflows: {w: {jobs: [a: {filters: {branches: {only: main}}}]}}\n")
	in := circleci.RunPipelineRequest{DefinitionID: srv.AddPipelineDefinition(webSlug, "build"), Checkout: circleci.Branch("x")}
	_, err := c.Pipelines.Run(t.Context(), webSlug, in)
	require.ErrorIs(t, err, circleci.ErrNotTriggered)
	in.Checkout = circleci.Branch("main")
	_, err = c.Pipelines.Run(t.Context(), webSlug, in)
	require.NoError(t, err)
}

const setupConfig = `
version: 2.1
setup: true
parameters: {deploy: {type: boolean, default: false}}
jobs: {generate: {}}
workflows: {setup: {jobs: [generate]}}
`

func TestASetupConfigurationIsContinued(t *testing.T) {
	for continuation, want := range map[string]map[string]string{
		webConfig: {
			"setup/generate": "success", "nightly/deploy": "success", "ci/build": "success", "ci/node/test": "success",
			"ci/test-1.25": "success", "ci/test-1.26": "success", "ci/report": "not_run", "ci/hold": "on_hold", "ci/deploy": "blocked",
		},
		"version: 2.1\njobs: {}\nworkflows: {w: {jobs: [x]}}": {"setup/generate": "success", "": "the job x is not defined"},
		setupConfig: {"setup/generate": "success", "": "another setup configuration"},
		strings.ReplaceAll(webConfig, "deploy: {type: boolean, default: false}", ""): {"setup/generate": "success", "": "Unexpected argument(s): deploy"},
	} {
		for _, late := range []bool{false, true} {
			srv, c := configured(t, setupConfig)
			id := srv.StartPipeline(webSlug, "main")
			if late {
				srv.Advance(time.Hour)
				p, err := c.Pipelines.Get(t.Context(), id)
				require.NoError(t, err)
				assert.Equal(t, circleci.PipelineStateSetup, p.State, "nothing continues by itself")
			}
			require.NoError(t, c.Pipelines.Continue(t.Context(), circleci.ContinuePipelineRequest{
				ContinuationKey: srv.ContinuationKey(id), Configuration: continuation, Parameters: map[string]any{"deploy": true},
			}))
			srv.Advance(time.Hour)
			message := want[""]
			got := jobStatuses(t, c, id)
			p, err := c.Pipelines.Get(t.Context(), id)
			require.NoError(t, err)
			if message == "" {
				assert.Equal(t, want, got)
				config, err := c.Pipelines.GetConfig(t.Context(), id)
				require.NoError(t, err)
				assert.Equal(t, continuation, config.Source)
				assert.Equal(t, setupConfig, config.SetupConfig)
				continue
			}
			assert.Len(t, got, 1)
			assert.Equal(t, circleci.PipelineStateErrored, p.State)
			require.NotEmpty(t, p.Errors)
			assert.Contains(t, p.Errors[0].Message, message)
		}
	}
}

func TestAConfigurationThatCannotRun(t *testing.T) {
	srv := circlecitest.New(t)
	for yaml, want := range map[string]string{
		"":     "empty",
		"a: [": "not valid YAML",
		"version: 2.1\njobs: {a: {}}\nworkflows: {w: {jobs: [a: {requires: [b]}, b]}}":                         "job b is not defined",
		"version: 2.1\njobs: {a: {}, b: {}}\nworkflows: {w: {jobs: [a: {requires: [b]}, b: {requires: [a]}]}}": "wait for each other",
		"version: 2.1\njobs: {a: {}}\njob-groups: {}\nworkflows: {w: {jobs: [a]}}":                             "job-groups are not modeled",
		"version: 2.1\njobs: {a: {}}\nworkflows: {w: {when: << pipeline.event.name >>, jobs: [a]}}":            "pipeline.event.name is not modeled",
		"version: 2.1\njobs: {a: {}}\nworkflows: {w: {jobs: [a: {pre-steps: [checkout]}]}}":                    "pre-steps is not modeled",
	} {
		require.ErrorContains(t, srv.Configure(webSlug, yaml), want)
	}
	_, err := srv.Client().Projects.Get(t.Context(), webSlug)
	assert.ErrorIs(t, err, circleci.ErrNotFound, "nothing was added")
	require.Error(t, srv.Load([]byte("projects: {gh/acme/web: {configuration: 'version: 3'}}")))
	require.NoError(t, srv.Load([]byte("projects: {gh/acme/web: {configuration: '"+"{version: 2.1, jobs: {build: {}}}"+"'}}")))
}
