package circlecitest_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func TestDeploysAreListedAsTheAPIListsThem(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	c := srv.Client()
	org := srv.AddOrg("gh/acme")
	production := srv.AddDeployEnvironment("gh/acme", "production", circleci.DeployLabel{Key: "tier", Value: "1"})
	staging := srv.AddDeployEnvironment("gh/acme", "staging")
	srv.AddDeployEnvironment("gh/other", "production")
	web := srv.AddDeployComponent(webSlug, "web")
	api := srv.AddDeployComponent("gh/acme/api", "api")
	srv.Deploy(web, staging, "v1")
	srv.Deploy(web, production, "v1")
	srv.Advance(time.Hour)
	srv.Deploy(web, production, "v2")

	environments, err := c.Deploys.ListEnvironments(
		org, &circleci.ListEnvironmentsOptions{PageSize: 1}).Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, environments, 2, "page by page")
	assert.Equal(t, "production", environments[0].Name)
	assert.Equal(t, "tier", environments[0].Labels[0].Key)
	one, err := c.Deploys.GetEnvironment(t.Context(), staging)
	require.NoError(t, err)
	assert.Equal(t, "staging", one.Name)

	components, err := c.Deploys.ListComponents(org, nil).Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, components, 2)
	assert.Zero(t, components[0].ReleaseCount, "lists do not tell")
	got, err := c.Deploys.GetComponent(t.Context(), web)
	require.NoError(t, err)
	assert.Equal(t, int64(3), got.ReleaseCount)
	mine, err := c.Deploys.ListComponents(org, &circleci.ListComponentsOptions{ProjectID: srv.AddProject("gh/acme/api")}).Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, mine, 1)
	assert.Equal(t, api, mine[0].ID)

	versions, err := c.Deploys.ListComponentVersions(web,
		&circleci.ListComponentVersionsOptions{EnvironmentID: production}).Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, versions, 2)
	assert.Equal(t, "v2", versions[0].Name)
	assert.True(t, versions[0].IsLive)
	assert.False(t, versions[1].IsLive)
	assert.Equal(t, uuid.Nil, versions[0].PipelineID)
	everywhere, err := c.Deploys.ListComponentVersions(web, nil).Collect(t.Context())
	require.NoError(t, err)
	assert.Len(t, everywhere, 3)
}

// An organization without deploys answers with an empty token, where others
// have null, and with zero UUIDs.
func TestTheQuirksOfDeploys(t *testing.T) {
	srv := circlecitest.New(t)
	var body json.RawMessage
	require.NoError(t, srv.Client().Do(t.Context(), circleci.Request{Route: "/deploy/environments"}, &body, circleci.Query("org-id", srv.AddOrg("gh/acme").String()), circleci.Query("page-size", "10")))
	assert.JSONEq(t, `{"items":[],"next_page_token":""}`, string(body))
	web := srv.AddDeployComponent(webSlug, "web")
	srv.Deploy(web, srv.AddDeployEnvironment("gh/acme", "production"), "v1")
	require.NoError(t, srv.Client().Do(t.Context(), circleci.Request{Route: "/deploy/components/{component_id}/versions", Params: []any{web}}, &body))
	assert.Contains(t, string(body), `"job_id":"00000000-0000-0000-0000-000000000000"`)
	assert.NotContains(t, string(body), "job_number")
	for _, id := range []string{"", uuid.NewString()} {
		err := srv.Client().Do(t.Context(), circleci.Request{Route: "/deploy/environments"}, nil, circleci.Query("org-id", id), circleci.Query("page-size", "10"))
		assert.Error(t, err)
	}
	for _, route := range []string{"/deploy/environments", "/deploy/components"} {
		err := srv.Client().Do(t.Context(), circleci.Request{Route: route}, nil, circleci.Query("org-id", srv.AddOrg("gh/acme").String()))
		assert.NoError(t, err, "page-size is required by the document, but not by the API")
	}
	require.NoError(t, srv.Client().Do(t.Context(), circleci.Request{Route: "/deploy/components/{component_id}/versions", Params: []any{web}}, nil))
}

func TestARollbackBringsTheOldVersionBack(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	c := srv.Client()
	project := srv.AddProject(webSlug)
	production := srv.AddDeployEnvironment("gh/acme", "production")
	web := srv.AddDeployComponent(webSlug, "web")
	srv.Deploy(web, production, "v1")
	srv.Deploy(web, production, "v2")
	in := circleci.RollbackRequest{
		ComponentName: "web", EnvironmentName: "production", CurrentVersion: "v2", TargetVersion: "v1", Reason: "it is slow",
		Parameters: map[string]any{"fast": true},
	}
	got, err := c.Deploys.Rollback(t.Context(), project, in)
	require.NoError(t, err)
	assert.Equal(t, "pipeline", got.Type)
	assert.Equal(t, 202, srv.Requests()[0].Status)
	values, err := c.Pipelines.GetValues(t.Context(), got.ID)
	require.NoError(t, err, "the ID is that of a pipeline")
	assert.Equal(t, true, values["pipeline.parameters.fast"])
	versions, err := c.Deploys.ListComponentVersions(web, nil).Collect(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "v1", versions[0].Name)
	assert.True(t, versions[0].IsLive)
	assert.Equal(t, got.ID, versions[0].PipelineID)
	assert.False(t, versions[1].IsLive)

	_, err = c.Deploys.Rollback(t.Context(), project, in)
	require.ErrorIs(t, err, circleci.ErrConflict, "v2 is not what runs now")
	assert.ErrorContains(t, err, "Conflict creating entity.")
	in.CurrentVersion = "v1"
	_, err = c.Deploys.Rollback(t.Context(), project, in)
	require.ErrorIs(t, err, circleci.ErrConflict, "there is nothing to do")
	for what, change := range map[string]func(*circleci.RollbackRequest){
		"a component":    func(in *circleci.RollbackRequest) { in.ComponentName = "nothing" },
		"an environment": func(in *circleci.RollbackRequest) { in.EnvironmentName = "nowhere" },
		"a version":      func(in *circleci.RollbackRequest) { in.TargetVersion = "v0" },
		"a namespace":    func(in *circleci.RollbackRequest) { in.Namespace = "other" },
	} {
		wrong := in
		change(&wrong)
		_, err = c.Deploys.Rollback(t.Context(), project, wrong)
		assert.ErrorIs(t, err, circleci.ErrNotFound, what+" that there is not")
	}
	_, err = c.Deploys.Rollback(t.Context(), uuid.New(), in)
	assert.ErrorIs(t, err, circleci.ErrNotFound)
}

func TestDeploySettingsAreEmptyUntilTheyAreSet(t *testing.T) {
	srv := circlecitest.New(t)
	c := srv.Client()
	project := srv.AddProject(webSlug)
	var body json.RawMessage
	require.NoError(t, c.Do(t.Context(), circleci.Request{Route: "/deploy/projects/{project_id}/settings", Params: []any{project}}, &body))
	assert.JSONEq(t, `{}`, string(body))
	want := circleci.DeploySettings{RollbackPipelineDefinitionID: uuid.New(), CreateAutogeneratedReleases: true}
	srv.SetDeploySettings(webSlug, want)
	got, err := c.Deploys.GetSettings(t.Context(), project)
	require.NoError(t, err)
	assert.Equal(t, &want, got)
	_, err = c.Deploys.GetSettings(t.Context(), uuid.New())
	assert.ErrorIs(t, err, circleci.ErrNotFound)
}
