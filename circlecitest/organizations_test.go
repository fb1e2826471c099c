package circlecitest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// callRaw sends a request that no method of the client would, and returns the
// answer as it comes.
func callRaw(t *testing.T, srv *circlecitest.Server, method, path, body string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "https://circleci.com"+fullPath(path), strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Circle-Token", srv.Token())
	resp, err := srv.Transport().RoundTrip(req)
	require.NoError(t, err)
	defer func() { assert.NoError(t, resp.Body.Close()) }()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(data)
}

// refusal asserts that a call was refused with this status, in these words.
func refusal(t *testing.T, err error, status int, words string) {
	t.Helper()
	var e *circleci.Error
	if assert.ErrorAs(t, err, &e) {
		assert.Equal(t, status, e.StatusCode)
		assert.Contains(t, e.Message, words)
	}
}

func second[T any](_ T, err error) error { return err }

func TestOrganizationsComeAndGo(t *testing.T) {
	srv := circlecitest.New(t)
	c := srv.Client()
	acme, err := c.Organizations.Create(t.Context(), circleci.CreateOrganizationRequest{Name: "acme", VCSType: circleci.VCSTypeCircleCI})
	require.NoError(t, err)
	assert.Regexp(t, "^circleci/[1-9A-HJ-NP-Za-km-z]{21,22}$", acme.Slug)
	for _, ref := range []circleci.OrgRef{circleci.OrgByID(acme.ID), circleci.OrgBySlug(acme.Slug)} {
		got, err := c.Organizations.Get(t.Context(), ref)
		require.NoError(t, err)
		assert.Equal(t, acme, got)
	}
	project, err := c.Projects.Create(t.Context(), circleci.OrgByID(acme.ID), circleci.CreateProjectRequest{Name: "web"})
	require.NoError(t, err)

	require.NoError(t, c.Organizations.Delete(t.Context(), circleci.OrgByID(acme.ID)))
	refusal(t, second(c.Organizations.Get(t.Context(), circleci.OrgByID(acme.ID))), 404, "Org not found.")
	refusal(t, c.Organizations.Delete(t.Context(), circleci.OrgByID(acme.ID)), 404, "Org not found.")
	assert.ErrorIs(t, second(c.Projects.GetByID(t.Context(), project.ID)), circleci.ErrNotFound, "its projects have gone with it")
}

func TestAnOrganizationOfAVCSIsFoundOrMadeKnown(t *testing.T) {
	srv := circlecitest.New(t)
	id := srv.AddOrg("gh/acme")
	s := srv.Client().Organizations
	found, err := s.Create(t.Context(), circleci.CreateOrganizationRequest{Name: "acme", VCSType: circleci.VCSTypeGitHub})
	require.NoError(t, err)
	assert.Equal(t, id, found.ID, "no second one is made")
	known, err := s.Create(t.Context(), circleci.CreateOrganizationRequest{Name: "acme", VCSType: circleci.VCSTypeBitbucket})
	require.NoError(t, err)
	assert.Equal(t, circleci.OrgSlug("bb/acme"), known.Slug)
	refusal(t, second(s.Create(t.Context(), circleci.CreateOrganizationRequest{Name: "acme", VCSType: "gh"})), 400, "Invalid VCS type gh")
}

func TestAPaidOrganizationIsNotDeleted(t *testing.T) {
	srv := circlecitest.New(t)
	srv.SetPaidPlan("gh/acme")
	s := srv.Client().Organizations
	refusal(t, s.Delete(t.Context(), circleci.OrgBySlug("gh/acme")), 403, "Cannot delete a paid organization.")
	assert.NoError(t, second(s.Get(t.Context(), circleci.OrgBySlug("gh/acme"))))
}

func TestTheListOfURLOrbs(t *testing.T) {
	srv := circlecitest.New(t)
	org := circleci.OrgByID(srv.AddOrg("gh/acme"))
	s := srv.Client().Organizations
	create := func(name, prefix string, auth circleci.URLOrbAuth) (*circleci.URLOrbAllowListChange, error) {
		return s.CreateURLOrbAllowListEntry(t.Context(), org, circleci.CreateURLOrbAllowListEntryRequest{Name: name, Prefix: prefix, Auth: auth})
	}
	for what, bad := range map[string][3]string{
		"a blank name":      {" ", "https://orbs.example.com/", "none"},
		"http":              {"a", "http://orbs.example.com/", "none"},
		"no slash":          {"a", "https://orbs.example.com", "none"},
		"no URL":            {"a", "orbs/", "none"},
		"an unknown method": {"a", "https://orbs.example.com/", "guess"},
	} {
		var e *circleci.Error
		if assert.ErrorAs(t, second(create(bad[0], bad[1], circleci.URLOrbAuth(bad[2]))), &e, what) {
			assert.Equal(t, 400, e.StatusCode, what)
		}
	}
	var ids []uuid.UUID
	for range 5 {
		made, err := create("ours", "https://orbs.example.com/", circleci.URLOrbAuthNone)
		require.NoError(t, err, "one prefix may be there several times")
		ids = append(ids, made.ID)
	}
	refusal(t, second(create("sixth", "https://orbs.example.com/", circleci.URLOrbAuthNone)), 400, "at most 5")

	for range 2 {
		gone, err := s.DeleteURLOrbAllowListEntry(t.Context(), org, ids[0])
		require.NoError(t, err, "an entry that is gone is deleted as well")
		assert.Equal(t, ids[0], gone.ID)
	}
	entries, err := s.ListURLOrbAllowList(org).Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, entries, 4)
	assert.Equal(t, circleci.URLOrbAllowListEntry{ID: ids[1], Name: "ours", Prefix: "https://orbs.example.com/", Auth: "none"}, entries[0])

	nobody := circleci.OrgBySlug("gh/nobody")
	refusal(t, second(s.ListURLOrbAllowList(nobody).Collect(t.Context())), 404, "Org not found.")
	refusal(t, second(s.DeleteURLOrbAllowListEntry(t.Context(), nobody, ids[1])), 404, "Org not found.")
}
