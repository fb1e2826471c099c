package circlecitest_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/apiv3"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/internal/spec"
)

// collected are all items of a list, of which there has to be one at least.
func collected[T any](t *testing.T, p *circleci.Pager[T]) []T {
	t.Helper()
	all, err := p.Collect(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all
}

// got is the result of a call that has to succeed.
func got[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		require.NoError(t, err)
		return v
	}
}

// What was made by the API v2 is found by the API v3, and the other way around.
// Each operation of package apiv3 is called, and succeeds.
func TestBothVersionsTellOfOneWorld(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	v2 := srv.Client()
	v3, ctx := apiv3.New(v2), t.Context()
	orgID, projectID := srv.AddOrg("gh/acme"), srv.AddProject(webSlug)
	srv.Script(webSlug, circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow("build",
		circlecitest.Job("test").Takes(time.Minute).Fails().WithOutput("one\ntwo\n").
			WithTests(circlecitest.FailingTest("TestA", "no")).
			WithArtifacts(circlecitest.Artifact{Path: "a.txt", Content: "a"}),
		circlecitest.Approval("hold"),
	)}})
	pipelineID := srv.StartPipeline(webSlug, "main")
	srv.Advance(30 * time.Second)

	project := got(v3.Projects.Resolve(ctx, webSlug))(t)
	assert.Equal(t, projectID, project.ID)
	assert.Equal(t, project, got(v3.Projects.Get(ctx, projectID))(t))
	org := got(v3.Orgs.Resolve(ctx, "gh/acme"))(t)
	assert.Equal(t, orgID, org.ID)
	assert.Equal(t, org, got(v3.Orgs.Get(ctx, orgID))(t))
	assert.Len(t, collected(t, v3.Projects.ListForOrg(orgID, nil)), 1)
	assert.Len(t, collected(t, v2.Projects.ListForOrg(orgID)), 1)
	assert.Equal(t, got(v2.Users.Me(ctx))(t).ID, got(v3.Users.Me(ctx))(t).ID)

	run := got(v3.Runs.Get(ctx, apiv3.RunID(&circleci.Pipeline{ID: pipelineID})))(t)
	assert.Equal(t, apiv3.StateRunning, run.State())
	assert.Equal(t, int64(1), run.Number)
	assert.Equal(t, "main", run.Event.VCS.Branch)
	workflow := collected(t, v3.Workflows.ListForRun(run.ID))[0]
	jobs := collected(t, v3.Jobs.ListForWorkflow(workflow.ID))
	assert.Equal(t, apiv3.StateRunning, jobs[0].State())
	assert.Equal(t, apiv3.StateOnHold, jobs[1].State())

	step := apiv3.StepRef{JobID: jobs[0].ID, Num: 101}
	var output bytes.Buffer
	at := got(v3.Jobs.ReadStdout(ctx, step, 0, &output))(t)
	assert.Equal(t, "one\n", output.String(), "half of the job's time has passed")
	assert.False(t, at.Final)
	require.NoError(t, v2.Workflows.Cancel(ctx, workflow.ID))
	srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Hour)
	runs := collected(t, v3.Runs.ListForProject(projectID, &apiv3.ListRunsOptions{From: run.CreatedAt.Truncate(time.Second)}))
	require.Len(t, runs, 2)
	workflow = collected(t, v3.Workflows.ListForRun(runs[0].ID))[0]
	require.NoError(t, v3.Workflows.Cancel(ctx, workflow.ID))
	assert.Equal(t, apiv3.StateCanceled, got(v3.Workflows.Get(ctx, workflow.ID))(t).State())

	jobs = collected(t, v3.Jobs.ListForWorkflow(workflow.ID))
	job := got(v3.Jobs.Get(ctx, jobs[0].ID))(t)
	assert.Equal(t, apiv3.StateFailed, job.State())
	assert.Equal(t, apiv3.StateFailed, job.Executions[0].Steps[1].State())
	step.JobID = job.ID
	output.Reset()
	at = got(v3.Jobs.ReadStdout(ctx, step, 4, &output))(t)
	assert.Equal(t, "two\n", output.String())
	assert.Equal(t, apiv3.OutputPosition{Offset: 8, Final: true}, at)
	got(v3.Jobs.ReadStderr(ctx, step, 0, &output))(t)
	output.Reset()
	require.NoError(t, v3.Jobs.ReadCondensedStdout(ctx, step, &output))
	assert.Contains(t, output.String(), "two")
	for test, err := range v3.Jobs.ReadTests(ctx, job.ID) {
		require.NoError(t, err)
		assert.Equal(t, "TestA", test.Name)
	}
	assert.Equal(t, "a.txt", collected(t, v3.Jobs.ListArtifacts(job.ID))[0].Path)
	assert.NotEmpty(t, got(v3.Jobs.GetResourceUsage(ctx, job.ID))(t).Executions[0].CPUCores)
	assert.Equal(t, job.Name, got(v2.Jobs.GetByID(ctx, job.ID))(t).Name)

	again := got(v3.Workflows.Rerun(ctx, workflow.ID, apiv3.RerunWorkflowRequest{FromFailed: true}))(t)
	assert.Equal(t, "build", got(v2.Workflows.Get(ctx, again))(t).Name)
	found := collected(t, v3.Runs.Search(apiv3.SearchRunsRequest{
		ProjectIDs: []uuid.UUID{projectID}, From: run.CreatedAt.Add(-time.Hour), To: srv.Now(), Limit: 1,
		Filter: apiv3.FilterEqual("pipeline.git.branch", "main"),
	}))
	assert.Len(t, found, 2)
	collected(t, v3.Runs.ListMine(nil))

	settingsOfBothVersions(t, v2, v3, projectID, orgID)
	contextsOfBothVersions(t, v2, v3, projectID, orgID)
	setupOfBothVersions(t, srv, v3, projectID, orgID)
	deploysOfBothVersions(t, srv, v3, projectID, orgID)

	asked := map[string]bool{}
	for _, r := range srv.Requests() {
		asked[r.Operation] = asked[r.Operation] || r.Status/100 == 2
	}
	for _, op := range spec.V3 {
		key := op.Method + " " + op.Path
		switch op.Path {
		case "/api/v3/jobs/{id}/stdout", "/api/v3/jobs/{id}/stderr":
			key = "GET /api/v3/jobs/{job-id}/{stream}"
		}
		assert.True(t, asked[key], key)
	}
}

func settingsOfBothVersions(t *testing.T, v2 *circleci.Client, v3 *apiv3.Client, projectID, orgID uuid.UUID) {
	t.Helper()
	ctx := t.Context()
	got(v3.Projects.UpdateSettings(ctx, projectID, apiv3.UpdateProjectSettingsRequest{
		EnableDynamicConfig: circleci.Some(true), IsRunningDisabled: circleci.Some(true),
	}))(t)
	settings := got(v3.Projects.GetSettings(ctx, projectID))(t)
	assert.True(t, settings.EnableDynamicConfig)
	assert.True(t, settings.IsRunningDisabled)
	assert.True(t, got(v2.Projects.GetSettings(ctx, webSlug))(t).Advanced.SetupWorkflows)
	require.NoError(t, v3.Projects.PurgeDockerLayerCache(ctx, projectID))
	assert.True(t, got(v3.Orgs.UpdateSettings(ctx, orgID, apiv3.UpdateOrgSettingsRequest{EnableAIAgents: circleci.Some(true)}))(t).EnableAIAgents)
	assert.True(t, got(v3.Orgs.GetSettings(ctx, orgID))(t).EnableAIAgents)
	got(v3.Groups.ListForOrg(orgID).Collect(ctx))(t)
}

func contextsOfBothVersions(t *testing.T, v2 *circleci.Client, v3 *apiv3.Client, projectID, orgID uuid.UUID) {
	t.Helper()
	ctx := t.Context()
	c := got(v3.Contexts.Create(ctx, apiv3.CreateContextRequest{OrgID: orgID, Name: "deploy"}))(t)
	require.NoError(t, v3.Contexts.SetEnvVar(ctx, c.ID, apiv3.SetEnvVarRequest{Name: "A", Value: "hunter2"}))
	assert.Equal(t, "A", collected(t, v3.Contexts.ListEnvVars(c.ID))[0].Name)
	listed := collected(t, v2.Contexts.List(circleci.OwnerByID(orgID), &circleci.ListContextsOptions{IncludeEnvVars: true}))
	assert.Equal(t, "A", listed[0].EnvVars[0].Variable)
	x := got(v3.Contexts.CreateRestriction(ctx, apiv3.CreateRestrictionRequest{
		ContextID: c.ID, Type: circleci.RestrictionTypeProject, MatchPattern: projectID.String(),
	}))(t)
	assert.Equal(t, "web", collected(t, v3.Contexts.ListRestrictions(c.ID))[0].Name)
	require.NoError(t, v3.Contexts.DeleteRestriction(ctx, c.ID, x.ID))
	require.NoError(t, v3.Contexts.DeleteEnvVar(ctx, c.ID, "A"))
	assert.Equal(t, orgID, got(v3.Contexts.Get(ctx, c.ID))(t).OrgID)
	assert.Len(t, collected(t, v3.Contexts.ListForOrg(orgID, &apiv3.ListContextsOptions{Name: "DEP"})), 1)
	require.NoError(t, v3.Contexts.Delete(ctx, c.ID))
	_, err := v2.Contexts.Get(ctx, c.ID)
	require.ErrorIs(t, err, circleci.ErrForbidden)
}

func setupOfBothVersions(t *testing.T, srv *circlecitest.Server, v3 *apiv3.Client, projectID, orgID uuid.UUID) {
	t.Helper()
	ctx, v2 := t.Context(), srv.Client()
	repository := collected(t, v3.Providers.ListRepositories(orgID, apiv3.ProviderGitHubApp, nil))[0]
	assert.Equal(t, "acme/web", repository.RepoFullName)
	assert.Equal(t, repository.RepoID, got(v2.GitHubApp.GetRepositoryByName(ctx, orgID, "acme/web"))(t).ExternalID())
	connection := collected(t, v3.Providers.ListConnections(orgID))[0]
	assert.Equal(t, got(v2.GitHubApp.GetInstallation(ctx, orgID))(t).Login, connection.Login)
	setup := got(v3.Providers.SetupConnection(ctx, apiv3.SetupConnectionRequest{
		OrgID: orgID, Provider: apiv3.ProviderGitHubApp, ReturnURL: "https://acme.example",
	}))(t)
	assert.NotEmpty(t, setup.StateToken.Reveal())

	at := &apiv3.Repository{Provider: apiv3.ProviderGitHubApp, RepoID: repository.RepoID}
	pipeline := got(v3.Pipelines.Create(ctx, apiv3.CreatePipelineRequest{
		ProjectID: projectID, Name: "nightly", Config: apiv3.PipelineConfig{Type: "vcs", FilePath: ".circleci/nightly.yml", VCS: at},
		Checkout: apiv3.Checkout{VCS: at},
	}))(t)
	assert.Equal(t, "nightly", got(v2.PipelineDefinitions.Get(ctx, projectID, pipeline.ID))(t).Name)
	assert.Equal(t, pipeline, got(v3.Pipelines.Get(ctx, pipeline.ID))(t))
	collected(t, v3.Pipelines.ListForProject(projectID, nil))
	trigger := got(v3.Triggers.Create(ctx, apiv3.CreateTriggerRequest{
		PipelineID: pipeline.ID, Event: apiv3.TriggerEvent{Type: apiv3.EventTypeVCS, VCS: at, Filter: apiv3.EventFilter{Preset: "all-pushes"}},
	}))(t)
	assert.Equal(t, trigger, got(v3.Triggers.Get(ctx, trigger.ID))(t))
	assert.Len(t, collected(t, v3.Triggers.List(apiv3.ListTriggersOptions{PipelineID: pipeline.ID})), 1)
	require.NoError(t, v3.Triggers.Fire(ctx, trigger.ID, map[string]any{"a": 1}))
	require.NoError(t, v3.Pipelines.Delete(ctx, pipeline.ID))
	compiled := got(v3.Configs.Compile(ctx, apiv3.CompileConfigRequest{Config: "version: 2.1\n"}))(t)
	assert.False(t, compiled.Valid())
	assert.NotEmpty(t, compiled.Messages)
}

func deploysOfBothVersions(t *testing.T, srv *circlecitest.Server, v3 *apiv3.Client, projectID, orgID uuid.UUID) {
	t.Helper()
	ctx := t.Context()
	environment, component := srv.AddDeployEnvironment("gh/acme", "prod"), srv.AddDeployComponent(webSlug, "api")
	srv.Deploy(component, environment, "v1")
	srv.Advance(time.Minute)
	srv.Deploy(component, environment, "v2")
	assert.Equal(t, environment, collected(t, v3.Deploys.ListEnvironments(orgID, nil))[0].ID)
	assert.Equal(t, "prod", got(v3.Deploys.GetEnvironment(ctx, environment))(t).Name)
	assert.Equal(t, component, collected(t, v3.Deploys.ListComponents(orgID, &apiv3.ListDeploysOptions{ProjectID: projectID}))[0].ID)
	assert.Equal(t, "api", got(v3.Deploys.GetComponent(ctx, component))(t).Name)
	assert.Equal(t, "v2", collected(t, v3.Deploys.ListDeployments(orgID, nil))[0].TargetVersion.Name)
	got(v3.Deploys.GetSettings(ctx, projectID))(t)
	rollback := apiv3.RollbackRequest{ComponentID: component, EnvironmentID: environment, CurrentVersion: "v2", TargetVersion: "v1"}
	assert.Equal(t, "pipeline", got(v3.Deploys.Rollback(ctx, projectID, rollback))(t).Type)
	_, err := v3.Deploys.Rollback(ctx, projectID, rollback)
	require.ErrorIs(t, err, circleci.ErrConflict, "v2 does not run any more")
	assert.Equal(t, "v1", collected(t, v3.Deploys.ListComponentVersions(component, nil))[0].Name)

	// They have to exist, and to belong to the project and its organization.
	srv.AddProject("gh/other/web")
	for name, change := range map[string]func(*apiv3.RollbackRequest){
		"unknown component":                   func(in *apiv3.RollbackRequest) { in.ComponentID = projectID },
		"component of another project":        func(in *apiv3.RollbackRequest) { in.ComponentID = srv.AddDeployComponent("gh/other/web", "api") },
		"unknown environment":                 func(in *apiv3.RollbackRequest) { in.EnvironmentID = projectID },
		"environment of another organization": func(in *apiv3.RollbackRequest) { in.EnvironmentID = srv.AddDeployEnvironment("gh/other", "prod") },
	} {
		foreign := rollback
		change(&foreign)
		_, err := v3.Deploys.Rollback(ctx, projectID, foreign)
		assert.ErrorIs(t, err, circleci.ErrNotFound, name)
	}
}

func TestListsOfV3HaveCursors(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	for range 45 {
		srv.StartPipeline(webSlug, "main")
	}
	v3 := apiv3.New(srv.Client())
	runs := collected(t, v3.Runs.ListForProject(srv.AddProject(webSlug), &apiv3.ListRunsOptions{Limit: 20}))
	assert.Len(t, runs, 45)
	assert.Equal(t, int64(45), runs[0].Number, "newest first")
	assert.Len(t, srv.Requests(), 3)
}

func TestWhatV3Refuses(t *testing.T) {
	srv := circlecitest.New(t)
	web := srv.AddProject(webSlug)
	client := srv.Client()
	for path, want := range map[string]struct {
		status  int
		kind    string
		pointer string
	}{
		"/jobs":         {400, "validation_error", "/filter/workflow_id"},
		"/workflows":    {400, "validation_error", "/filter/run_id"},
		"/projects":     {400, "validation_error", "/filter/slug"},
		"/runs":         {400, "validation_error", "/filter/project_id"},
		"/contexts":     {400, "validation_error", "/filter/org_id"},
		"/triggers":     {400, "validation_error", "/filter/project_id"},
		"/users":        {400, "validation_error", "/filter/user_id"},
		"/projects/web": {400, "invalid_path_param", ""},
		"/jobs/1":       {400, "invalid_path_param", ""},
		"/runs?filter[project_id]=" + web.String() + "&page[limit]=21":            {400, "validation_error", "/page/limit"},
		"/runs?filter[project_id]=" + web.String() + "&page[limit]=0":             {400, "validation_error", "/page/limit"},
		"/runs?filter[project_id]=" + web.String() + "&page[cursor]=x":            {400, "validation_error", "/page/cursor"},
		"/projects?filter[following]=false":                                       {400, "validation_error", "/filter/following"},
		"/projects?filter[org_id]=acme":                                           {400, "validation_error", "/filter/org_id"},
		"/projects/00000000-0000-4000-8000-000000000001":                          {404, "not_found", ""},
		"/workflows?filter[run_id]=00000000-0000-4000-8000-000000000001":          {404, "not_found", ""},
		"/jobs?filter[workflow_id]=no":                                            {400, "validation_error", "/filter/workflow_id"},
		"/jobs/00000000-0000-4000-8000-000000000001/stdout":                       {404, "not_found", ""},
		"/deploy/settings?filter[project_id]=" + uuid.Nil.String():                {404, "not_found", ""},
		"/runs?filter[user_id]=me&filter[from]=yesterday":                         {400, "validation_error", "/filter/from"},
		"/provider/repositories?filter[org_id]=" + srv.AddOrg("gh/acme").String(): {400, "validation_error", "/filter/provider"},
	} {
		r, err := send(t, srv, http.MethodGet, "/api/v3"+path, "")
		require.NoError(t, err)
		assert.Equal(t, want.status, r.status, path)
		assert.Contains(t, r.body, `"type":"`+want.kind+`"`, path)
		if want.pointer != "" {
			assert.Contains(t, r.body, `"pointer":"`+want.pointer+`"`, path)
		}
	}
	_, err := apiv3.New(client).Projects.Resolve(t.Context(), "gh/acme/none")
	require.ErrorIs(t, err, circleci.ErrNotFound, "an empty list")
}

// A server of one's own has the API v2, and nothing of the API v3.
func TestWithoutV3(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithoutV3())
	client := srv.Client()
	_, err := apiv3.New(client).Projects.Resolve(t.Context(), "gh/acme/web")
	require.ErrorIs(t, err, circleci.ErrNotFound)
	assert.NotContains(t, err.Error(), "slug", "it is the server's answer")
	_, err = client.Users.Me(t.Context())
	require.NoError(t, err)
}
