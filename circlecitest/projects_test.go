package circlecitest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// A project of Bitbucket is found by both forms of its slug, and has keys and
// URLs of its own kind.
func TestProjectsOfEachKind(t *testing.T) {
	for slug, c := range map[circleci.ProjectSlug]struct {
		long circleci.ProjectSlug
		url  string
		key  circleci.CheckoutKeyType
	}{
		"gh/acme/web": {"github/acme/web", "https://github.com/acme/web", "github-user-key"},
		"bb/acme/web": {"bitbucket/acme/web", "https://bitbucket.org/acme/web", "bitbucket-user-key"},
		appSlugShort:  {appSlug, "//circleci.com/5034460f-c7c4-4c43-9457-de07e2029e7b/00000000-0000-4000-8000-000000000001", "github-user-key"},
	} {
		srv := circlecitest.New(t)
		id := srv.AddProject(slug)
		assert.Equal(t, id, srv.AddProject(c.long), "one project, however it is called")
		client := srv.Client()
		p, err := client.Projects.Get(t.Context(), c.long)
		require.NoError(t, err)
		assert.Equal(t, slug, p.Slug)
		assert.Equal(t, c.url, p.VCSInfo.VCSURL)
		key, err := client.Projects.CreateCheckoutKey(t.Context(), slug, circleci.CreateCheckoutKeyRequest{Type: circleci.CheckoutKeyTypeUserKey})
		require.NoError(t, err)
		assert.Equal(t, c.key, key.Type, "it is read back under another name")
		keys, err := client.Projects.ListCheckoutKeys(slug, &circleci.ListCheckoutKeysOptions{Digest: circleci.FingerprintDigestSHA256}).Collect(t.Context())
		require.NoError(t, err)
		require.Len(t, keys, 1)
		assert.Regexp(t, "^SHA256:", keys[0].Fingerprint)
		byDigest, err := client.Projects.GetCheckoutKey(t.Context(), slug, keys[0].Fingerprint)
		require.NoError(t, err, "a fingerprint with slashes is one segment of a path")
		assert.Equal(t, key, byDigest)
	}
	assert.Panics(t, func() { circlecitest.New(t).AddProject("acme/web") })
}

func TestSettingsAreChangedOneByOne(t *testing.T) {
	srv := circlecitest.New(t)
	srv.AddProject(webSlug)
	c := srv.Client()
	before, err := c.Projects.GetSettings(t.Context(), webSlug)
	require.NoError(t, err)
	after, err := c.Projects.UpdateSettings(t.Context(), webSlug, circleci.UpdateSettingsRequest{Advanced: circleci.UpdateAdvancedSettings{
		AutocancelBuilds: circleci.Some(true), PROnlyBranchOverrides: circleci.Some([]string{}),
	}})
	require.NoError(t, err)
	want := *before
	want.Advanced.AutocancelBuilds = true
	assert.Equal(t, &want, after, "an empty list is ignored, as the API does")
	kept, err := c.Projects.GetSettings(t.Context(), webSlug)
	require.NoError(t, err)
	assert.Equal(t, after, kept)
}

func TestTheStepsOfAJob(t *testing.T) {
	const output = "$ make\nwant 200, got 402\n"
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.Script(webSlug, circlecitest.Pipeline(circlecitest.Workflow("w",
		circlecitest.Job("test").Takes(time.Minute).Fails().WithOutput(output).WithContexts("deploy"),
		circlecitest.Job("quiet").Takes(time.Hour))))
	c := srv.Client()
	id := srv.StartPipeline(webSlug, "main")
	srv.Advance(30 * time.Second)
	jobs := jobsOf(t, c, id)
	last := func(name string) circleci.StepAction {
		steps, err := c.Jobs.ListSteps(t.Context(), webSlug, jobs[name].Number)
		require.NoError(t, err)
		require.Len(t, steps, 2)
		return steps[1].Actions[0]
	}
	assert.Equal(t, circleci.StepStatus("running"), last("test").Status)
	srv.Advance(time.Minute)
	require.NoError(t, c.Jobs.Cancel(t.Context(), webSlug, jobs["quiet"].Number))

	failed := last("test")
	assert.Equal(t, circleci.StepStatus("failed"), failed.Status)
	assert.Equal(t, int64(1), *failed.ExitCode)
	assert.Equal(t, circleci.StepStatus("canceled"), last("quiet").Status)
	for name, want := range map[string]string{"test": output, "quiet": ""} {
		stream, err := c.Jobs.OpenStepOutput(t.Context(), last(name))
		require.NoError(t, err)
		assert.Equal(t, want, readAll(t, stream), name)
	}
	job, err := c.Jobs.Get(t.Context(), webSlug, jobs["test"].Number)
	require.NoError(t, err)
	require.Len(t, job.Contexts, 1)
	assert.Equal(t, "deploy", job.Contexts[0].Name)
}
