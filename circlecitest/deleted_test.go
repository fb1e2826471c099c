package circlecitest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/circlecitest"
)

// A program that goes by the status of what is gone finds here what it will
// find at CircleCI.
func TestWhatIsDeletedIsGone(t *testing.T) {
	const definition = "/projects/{project_id}/pipeline-definitions/{pipeline_definition_id}"
	for _, c := range []struct {
		deleted string
		gone    map[string]int    // routes with their statuses
		empty   []string          // lists
		again   int               // the status of a second deletion
		body    map[string]string // of answers, by route
	}{
		{
			deleted: "/context/{context_id}", again: 403,
			gone:  map[string]int{"/context/{context_id}": 403, "/context/{context_id}/environment-variable": 403, "/context/{context_id}/restrictions": 403},
			empty: []string{"/context?owner-slug=gh/acme"},
		},
		{
			deleted: "/context/{context_id}/environment-variable/{env_var_name}", again: 404,
			empty: []string{"/context/{context_id}/environment-variable"},
		},
		{deleted: "/context/{context_id}/restrictions/{restriction_id}", again: 404, empty: []string{"/context/{context_id}/restrictions"}},
		{
			deleted: definition, again: 200, gone: map[string]int{definition: 400, definition + "/triggers": 404},
			empty: []string{"/projects/{project_id}/pipeline-definitions"}, body: map[string]string{definition: "Failed to get pipeline definition."},
		},
		{
			deleted: "/projects/{project_id}/triggers/{trigger_id}", again: 200, gone: map[string]int{"/projects/{project_id}/triggers/{trigger_id}": 404},
			empty: []string{definition + "/triggers"},
		},
		{
			deleted: "/organizations/{org_id}/groups/{group_id}", again: 403, gone: map[string]int{"/organizations/{org_id}/groups/{group_id}": 403},
			empty: []string{"/organizations/{org_id}/groups"}, body: map[string]string{"/organizations/{org_id}/groups/{group_id}": "Permission denied."},
		},
		{
			deleted: "/schedule/{schedule-id}", again: 404, gone: map[string]int{"/schedule/{schedule-id}": 404},
			empty: []string{"/project/{project-slug}/schedule"},
		},
		{
			deleted: "/webhook/{webhook-id}", again: 404, gone: map[string]int{"/webhook/{webhook-id}": 404},
			empty: []string{"/webhook?scope-type=project&scope-id=<web>"},
		},
		{
			deleted: "/project/{project-slug}/checkout-key/{fingerprint}", again: 404, empty: []string{"/project/{project-slug}/checkout-key"},
			gone: map[string]int{"/project/{project-slug}/checkout-key/{fingerprint}": 404},
		},
		{
			deleted: "/project/{project-slug}/envvar/{name}", again: 404, empty: []string{"/project/{project-slug}/envvar"},
			gone: map[string]int{"/project/{project-slug}/envvar/{name}": 404},
		},
		{
			deleted: "/project/{project-slug}", again: 404, body: map[string]string{"/project/{project-slug}": "Project not found"},
			gone: map[string]int{
				"/project/{project-slug}": 404, "/project/{project-slug}/pipeline": 404, "/project/{project-slug}/job/1": 404,
				"/pipeline/{pipeline-id}": 404, "/workflow/<workflow>": 404, "/webhook/{webhook-id}": 404, "/schedule/{schedule-id}": 404,
				"/insights/{project-slug}/workflows": 404, "/deploy/components/{component_id}": 404,
			},
			empty: []string{"/pipeline?org-slug=gh/acme"},
		},
		{
			deleted: "/organization/gh%2Facme", again: 404,
			gone: map[string]int{
				"/organization/gh%2Facme": 404, "/project/{project-slug}": 404, "/pipeline/{pipeline-id}": 404, "/context/{context_id}": 403,
				"/webhook/{webhook-id}": 404, "/deploy/environments/{environment_id}": 404, "/pipeline?org-slug=gh/acme": 404,
			},
		},
	} {
		t.Run(c.deleted, func(t *testing.T) {
			srv, ids := furnished(t, t)
			request := func(method, path string) reply {
				r, err := send(t, srv, method, ids.Replace(path), "")
				require.NoError(t, err)
				return r
			}
			for path := range c.gone {
				require.Equal(t, 200, request(http.MethodGet, path).status, "%s is there before", path)
			}
			for _, path := range c.empty {
				require.NotContains(t, request(http.MethodGet, path).body, `"items":[]`, "%s has something before", path)
			}
			require.Less(t, request(http.MethodDelete, c.deleted).status, 300)
			for path, status := range c.gone {
				r := request(http.MethodGet, path)
				assert.Equal(t, status, r.status, path)
				assert.Contains(t, r.body, c.body[path])
			}
			for _, path := range c.empty {
				assert.Contains(t, request(http.MethodGet, path).body, `"items":[]`, path)
			}
			assert.Equal(t, c.again, request(http.MethodDelete, c.deleted).status)
		})
	}
}

// Nobody is told of what ends in a project that is gone, and one of the same
// name begins anew.
func TestAProjectThatIsDeletedWhileItRuns(t *testing.T) {
	srv, ids := furnished(t, t)
	held := srv.StartPipeline(webSlug, "main")
	r, err := send(t, srv, http.MethodDelete, ids.Replace("/project/{project-slug}"), "")
	require.NoError(t, err)
	require.Equal(t, 200, r.status)
	srv.Advance(10 * 24 * time.Hour) // past the schedule's next time
	assert.Empty(t, srv.Deliveries())
	_, err = srv.Client().Pipelines.Get(t.Context(), held)
	require.Error(t, err)

	srv.Script(webSlug, circlecitest.Pipeline())
	p, err := srv.Client().Pipelines.Get(t.Context(), srv.StartPipeline(webSlug, "main"))
	require.NoError(t, err)
	assert.Equal(t, int64(1), p.Number)
}
