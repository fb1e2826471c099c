package circlecitest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// The slug of a standalone project, with UUIDs and in base58.
const (
	appSlug      = "circleci/5034460f-c7c4-4c43-9457-de07e2029e7b/00000000-0000-4000-8000-000000000001"
	appSlugShort = "circleci/AuRudKRSicbeRiDDD1HTyc/1111114bZ6BZRUqUqZep"
)

// standaloneWeb adds the standalone project web of a new organization acme.
func standaloneWeb(srv *circlecitest.Server) circleci.ProjectSlug {
	return srv.AddStandaloneProject(srv.AddStandaloneOrg("acme"), "web")
}

func TestTheIDsInTheSlugOfAStandaloneProjectAreKept(t *testing.T) {
	srv := circlecitest.New(t)
	id := srv.AddProject(appSlug)
	assert.Equal(t, "00000000-0000-4000-8000-000000000001", id.String())
	assert.Equal(t, "5034460f-c7c4-4c43-9457-de07e2029e7b", srv.AddOrg("circleci/5034460f-c7c4-4c43-9457-de07e2029e7b").String())
	for _, ref := range []string{appSlug, strings.ToUpper(id.String()), appSlugShort} {
		p := decoded(t, srv, http.MethodGet, "/project/"+ref, "")
		assert.Equal(t, id.String(), p["id"], ref)
		assert.Equal(t, appSlugShort, p["slug"], "base58 is the form of answers")
		assert.Equal(t, "//circleci.com/5034460f-c7c4-4c43-9457-de07e2029e7b/00000000-0000-4000-8000-000000000001", p["vcs_info"].(map[string]any)["vcs_url"])
		assert.Equal(t, "project-00000000", p["name"])
		assert.Equal(t, "org-5034460f", p["organization_name"])
	}
}

func TestTheSmallestIDInASlug(t *testing.T) {
	srv := circlecitest.New(t)
	assert.Equal(t, uuid.Nil, srv.AddOrg("circleci/1111111111111111"), "sixteen bytes of zero")
	assert.Equal(t, uuid.Nil, srv.AddOrg(circleci.OrgSlug("circleci/"+uuid.Nil.String())))
	assert.Panics(t, func() { srv.AddOrg("circleci/11111111111111111") }, "seventeen")
}

func TestAStandaloneProjectIsNotFoundByItsNames(t *testing.T) {
	srv := circlecitest.New(t)
	slug := standaloneWeb(srv)
	p, err := srv.Client().Projects.Get(t.Context(), slug)
	require.NoError(t, err)
	assert.Equal(t, "web", p.Name)
	assert.Equal(t, "acme", p.OrganizationName)
	assert.NotContains(t, p.Slug, "web")
	for _, bad := range []string{"circleci/acme/web", string(slug.Org()) + "/web", "circleci/acme/" + uuid.NewString()} {
		status, body := callRaw(t, srv, http.MethodGet, "/project/"+bad, "")
		assert.Equal(t, 400, status)
		assert.Contains(t, body, "Invalid project slug "+bad)
	}
	status, _ := callRaw(t, srv, http.MethodGet, "/project/"+string(slug.Org())+"/"+uuid.NewString(), "")
	assert.Equal(t, 404, status, "of an ID that no project has")
}

func TestAStandaloneProjectIsCreatedByName(t *testing.T) {
	srv := circlecitest.New(t)
	c, org := srv.Client(), srv.AddStandaloneOrg("acme")
	made, err := c.Projects.Create(t.Context(), circleci.OrgBySlug(org), circleci.CreateProjectRequest{Name: "web"})
	require.NoError(t, err)
	assert.Equal(t, org, made.Slug.Org())
	got, err := c.Projects.Get(t.Context(), made.Slug)
	require.NoError(t, err)
	assert.Equal(t, "web", got.Name)
	refusal(t, second(c.Projects.Create(t.Context(), circleci.OrgBySlug(org), circleci.CreateProjectRequest{Name: "web"})), 409, "exists")
	_, err = c.Projects.Create(t.Context(), circleci.OrgBySlug(srv.AddStandaloneOrg("other")), circleci.CreateProjectRequest{Name: "web"})
	require.NoError(t, err, "another organization may have the name as well")
}

func TestSlugsWithNamesCannotBeAdded(t *testing.T) {
	srv := circlecitest.New(t)
	for name, add := range map[string]func(){
		"organization": func() { srv.AddOrg("circleci/acme") },
		"project":      func() { srv.AddProject("circleci/5034460f-c7c4-4c43-9457-de07e2029e7b/web") },
		"both":         func() { srv.AddProject("circleci/acme/00000000-0000-4000-8000-000000000001") },
		"too large":    func() { srv.AddOrg("circleci/zzzzzzzzzzzzzzzzzzzzzz") },
		"not a digit":  func() { srv.AddOrg("circleci/0uRudKRSicbeRiDDD1HTyc") },
		"of GitHub":    func() { srv.AddStandaloneProject("gh/acme", "web") },
	} {
		assert.Panics(t, add, name)
	}
}

func TestAProjectOfGitHubIsFoundByASlugOfIDs(t *testing.T) {
	srv := circlecitest.New(t)
	id, org := srv.AddProject(webSlug), srv.AddOrg(webSlug.Org())
	p, err := srv.Client().Projects.Get(t.Context(), circleci.ProjectSlug("circleci/"+org.String()+"/"+id.String()))
	require.NoError(t, err)
	assert.Equal(t, webSlug, p.Slug)
	_, err = srv.Client().Projects.Get(t.Context(), circleci.ProjectSlug("circleci/"+uuid.NewString()+"/"+id.String()))
	require.ErrorIs(t, err, circleci.ErrNotFound, "of another organization")
}
