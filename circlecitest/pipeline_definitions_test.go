package circlecitest_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func newDefinition(t *testing.T, c *circleci.Client, project uuid.UUID) *circleci.PipelineDefinition {
	t.Helper()
	d, err := c.PipelineDefinitions.Create(t.Context(), project, circleci.CreatePipelineDefinitionRequest{
		Name: "build", Description: "builds", ConfigSource: circleci.GitHubAppConfig("7", ".circleci/config.yml"),
		CheckoutSource: circleci.GitHubAppCheckout("8"),
	})
	require.NoError(t, err)
	return d
}

func TestDefinitionsComeAndGo(t *testing.T) {
	srv := circlecitest.New(t)
	project, elsewhere := srv.AddProject(standaloneWeb(srv)), srv.AddProject(standaloneWeb(srv))
	c := srv.Client()
	s := c.PipelineDefinitions
	made := newDefinition(t, c, project)
	assert.False(t, made.CreatedAt.IsZero())
	assert.Equal(t, circleci.ConfigSource{
		Provider: circleci.SourceProviderGitHubApp, Repo: circleci.SourceRepo{FullName: "acme/repo-7", ExternalID: "7"}, FilePath: ".circleci/config.yml",
	}, made.ConfigSource)
	got, err := s.Get(t.Context(), project, made.ID)
	require.NoError(t, err)
	assert.Equal(t, made, got)

	changed, err := s.Update(t.Context(), project, made.ID, circleci.UpdatePipelineDefinitionRequest{
		ConfigSource: circleci.Some(circleci.UpdateConfigSource{FilePath: "ci.yml"}), CheckoutSource: circleci.Some(circleci.GitHubServerCheckout("9")),
	})
	require.NoError(t, err)
	want := *made
	want.ConfigSource.FilePath = "ci.yml"
	want.CheckoutSource = circleci.CheckoutSource{
		Provider: circleci.SourceProviderGitHubServer, Repo: circleci.SourceRepo{FullName: "acme/repo-9", ExternalID: "9"},
	}
	assert.Equal(t, &want, changed, "what is unset stays as it is")

	refusal(t, second(s.Get(t.Context(), elsewhere, made.ID)), 400, "Failed to get pipeline definition.")
	require.NoError(t, s.Delete(t.Context(), project, made.ID))
	require.NoError(t, s.Delete(t.Context(), project, made.ID), "one that is gone is deleted as well")
	refusal(t, second(s.Get(t.Context(), project, made.ID)), 400, "Failed to get pipeline definition.")
	refusal(t, second(s.Update(t.Context(), project, made.ID, circleci.UpdatePipelineDefinitionRequest{Name: circleci.Some("x")})),
		400, "Failed to update pipeline definition.")
	all, err := s.List(project).Collect(t.Context())
	require.NoError(t, err)
	assert.Empty(t, all)
}

func TestDefinitionsOfNothing(t *testing.T) {
	srv := circlecitest.New(t)
	project := srv.AddProject(standaloneWeb(srv)).String()
	nobody, id := uuid.NewString(), uuid.NewString()
	for _, row := range []struct {
		method, path, body string
		status             int
		answer             string
	}{
		{"GET", "/projects/" + nobody + "/pipeline-definitions", "", 404, "Project not found."},
		{"GET", "/projects/web/pipeline-definitions", "", 400, "ProjectID required."},
		{"GET", "/projects/" + nobody + "/pipeline-definitions/" + id, "", 404, "Pipeline definition not found."},
		{"GET", "/projects/" + project + "/pipeline-definitions/main", "", 400, "Invalid pipeline definition id."},
		{
			"POST", "/projects/" + project + "/pipeline-definitions",
			`{"name":"a","config_source":{"provider":"circleci","file_path":"a.yml"},"checkout_source":{"provider":"github_app","repo":{"external_id":"1"}}}`,
			400, "/config_source/provider",
		},
		{
			"POST", "/projects/" + project + "/pipeline-definitions",
			`{"name":"a","config_source":{"provider":"github_app","file_path":"a.yml"},"checkout_source":{"provider":"github_app","repo":{"external_id":"1"}}}`,
			400, "/config_source",
		},
		{
			"POST", "/projects/" + project + "/pipeline-definitions",
			`{"name":"a","config_source":{"provider":"github_app","repo":{"external_id":"1"},"file_path":"a.yml"},"checkout_source":{"provider":"circleci"}}`,
			400, "/checkout_source/provider",
		},
		{
			"POST", "/projects/" + project + "/pipeline-definitions",
			`{"config_source":{"provider":"github_app","repo":{"external_id":"1"},"file_path":"a.yml"},"checkout_source":{"provider":"github_app","repo":{"external_id":"1"}}}`,
			400, "/name",
		},
		{"POST", "/projects/" + project + "/pipeline-definitions", `{"title":"a"}`, 400, "title"},
	} {
		status, answer := callRaw(t, srv, row.method, row.path, row.body)
		assert.Equal(t, row.status, status, "%s %s", row.method, row.path)
		assert.Contains(t, answer, row.answer, "%s %s", row.method, row.path)
	}
}

// An update that is refused changes nothing.
func TestABadUpdateOfADefinition(t *testing.T) {
	srv := circlecitest.New(t)
	project := srv.AddProject(standaloneWeb(srv))
	c := srv.Client()
	made := newDefinition(t, c, project)
	path := "/projects/" + project.String() + "/pipeline-definitions/" + made.ID.String()
	for _, body := range []string{
		`{"name":"x","config_source":{}}`,
		`{"name":"x","config_source":{"provider":"github_app","file_path":"a"}}`,
		`{"name":"x","checkout_source":{"provider":"circleci"}}`,
		`{"name":"x","checkout_source":{"provider":"github_app"}}`,
	} {
		status, _ := callRaw(t, srv, http.MethodPatch, path, body)
		assert.Equal(t, 400, status, body)
	}
	got, err := c.PipelineDefinitions.Get(t.Context(), project, made.ID)
	require.NoError(t, err)
	assert.Equal(t, made, got)
}

func TestAProjectRunsTheDefinitionsThatItHas(t *testing.T) {
	srv := circlecitest.New(t)
	slug := standaloneWeb(srv)
	project := srv.AddProject(slug)
	c := srv.Client()
	run := func(id uuid.UUID) error {
		return second(c.Pipelines.Run(t.Context(), slug, circleci.RunPipelineRequest{DefinitionID: id}))
	}
	require.NoError(t, run(uuid.New()), "a project without any takes what it is given")
	made := newDefinition(t, c, project)
	require.NoError(t, run(made.ID))
	refusal(t, run(uuid.New()), 404, "Pipeline definition not found.")
	seeded := srv.AddPipelineDefinition(slug, "implicit")
	require.NoError(t, run(seeded))
}

func TestADefinitionOfCircleCIsOwnMaking(t *testing.T) {
	srv := circlecitest.New(t)
	s := srv.Client().PipelineDefinitions
	for slug, want := range map[circleci.ProjectSlug]circleci.SourceProvider{
		"gh/acme/web": circleci.SourceProviderGitHubOAuth, "bb/acme/web": "bitbucket_oauth", standaloneWeb(srv): circleci.SourceProviderCircleCI,
	} {
		id := srv.AddPipelineDefinition(slug, "build")
		d, err := s.Get(t.Context(), srv.AddProject(slug), id)
		require.NoError(t, err)
		assert.True(t, d.CreatedAt.IsZero(), "it has no time of creation")
		assert.Equal(t, want, d.ConfigSource.Provider)
		assert.Equal(t, want == circleci.SourceProviderCircleCI, d.ConfigSource.Repo == circleci.SourceRepo{})
	}
}
