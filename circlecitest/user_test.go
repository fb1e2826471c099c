package circlecitest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func TestAPipelineThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // inside, minutes pass instantly
		srv := circlecitest.New(t)
		srv.Script("gh/acme/web", circlecitest.Pipeline(circlecitest.Workflow("build",
			circlecitest.Job("compile").Takes(2*time.Minute),
			circlecitest.Job("test").Requires("compile").Takes(10*time.Minute).Fails().
				WithTests(circlecitest.PassingTest("TestCart", 1200*time.Millisecond), circlecitest.FailingTest("TestPay", "want 200, got 402")).
				WithArtifacts(circlecitest.Artifact{Path: "logs/pay.txt", Content: "402 Payment Required"}),
		)))
		client, ctx := srv.Client(), t.Context()

		run, err := client.Pipelines.TriggerAndWait(ctx, "gh/acme/web", circleci.TriggerPipelineRequest{Branch: "main"}, nil)
		require.NoError(t, err)
		assert.Equal(t, circleci.OutcomeFailed, run.Outcome)

		report, err := client.Pipelines.GetTestReport(ctx, run.Pipeline.ID)
		require.NoError(t, err)
		assert.Equal(t, "want 200, got 402", report.Failed()[0].Message)

		files, err := client.Jobs.DownloadArtifacts(ctx, "gh/acme/web", run.FailedJobs[0].Number, t.TempDir(), nil)
		require.NoError(t, err)
		assert.FileExists(t, files[0].Path)
	})
}
