package circleci_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
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
	{
		op: "GET /github-app/organization/{org_id}/repositories",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.GitHubApp.ListRepositories(id2))
		},
		path:    "/github-app/organization/22222222-2222-4222-8222-222222222222/repositories",
		fixture: "githubapp/listGitHubAppRepositories",
	},
}

const repositoriesOp = "GET /github-app/organization/{org_id}/repositories"

// repositories is a page with n repositories, the first of which has the given
// number.
func repositories(first, n, total int) circlecitest.Response {
	var items []string
	for i := range n {
		items = append(items, fmt.Sprintf(`{"id":%d,"repo_full_name":"acme/r%d"}`, first+i, first+i))
	}
	return circlecitest.Response{Body: fmt.Sprintf(`{"items":[%s],"total_count":%d}`, strings.Join(items, ","), total)}
}

func TestRepositoriesArePagedByNumber(t *testing.T) {
	for what, c := range map[string]struct {
		pages []circlecitest.Response
		want  int
	}{
		"with a total":             {[]circlecitest.Response{repositories(0, 100, 201), repositories(100, 100, 201), repositories(200, 1, 201)}, 201},
		"without a total":          {[]circlecitest.Response{repositories(0, 100, 0), repositories(100, 100, 0), repositories(200, 0, 0)}, 200},
		"with a total that is off": {[]circlecitest.Response{repositories(0, 100, 999), repositories(100, 100, 999), repositories(200, 0, 999)}, 200},
	} {
		srv := circlecitest.New(t)
		srv.Fail(repositoriesOp, c.pages...)
		all, err := srv.Client().GitHubApp.ListRepositories(id2).Collect(t.Context())
		require.NoError(t, err, what)
		assert.Len(t, all, c.want, what)
		var pages []string
		for _, r := range srv.Requests() {
			pages = append(pages, r.Query.Get("page"))
		}
		assert.Equal(t, []string{"", "2", "3"}, pages, what)
	}
}

func TestGetRepositoryByName(t *testing.T) {
	srv := circlecitest.New(t)
	srv.Fail(repositoriesOp, repositories(0, 100, 201), repositories(100, 100, 201))
	app := srv.Client().GitHubApp
	found, err := app.GetRepositoryByName(t.Context(), id2, "Acme/R150")
	require.NoError(t, err)
	assert.Equal(t, "150", found.ExternalID())
	assert.Len(t, srv.Requests(), 2, "no page more than needed")

	srv.Fail(repositoriesOp, repositories(0, 1, 1))
	_, err = app.GetRepositoryByName(t.Context(), id2, "acme/none")
	require.ErrorIs(t, err, circleci.ErrNotFound)
	assert.ErrorContains(t, err, `"acme/none"`)

	_, err = app.GetRepositoryByName(t.Context(), uuid.Nil, "acme/none")
	require.ErrorIs(t, err, circleci.ErrInvalidArgument)
}
