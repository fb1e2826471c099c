package circleci_test

import (
	"context"

	"github.com/circleci-go/circleci"
)

var githubAppTests = []operationTest{
	{
		op: "GET /github-app/organization/{org_id}/installation",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.GitHubApp.GetInstallation(ctx, id2))
		},
		path:    "/github-app/organization/22222222-2222-4222-8222-222222222222/installation",
		fixture: "githubapp/getGitHubAppInstallation",
	},
}
