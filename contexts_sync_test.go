package circleci_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func TestSyncEnvVars(t *testing.T) {
	was := map[string]string{"A": "1", "B": "2", "OLD": "3"}
	vars := map[string]circleci.Secret{"A": "new-a", "C": "new-c", "B": "2"}
	for name, c := range map[string]struct {
		options *circleci.SyncEnvVarsOptions
		diff    circleci.EnvVarsDiff
		then    map[string]string
	}{
		"a dry run": {
			&circleci.SyncEnvVarsOptions{Delete: true},
			circleci.EnvVarsDiff{Created: []string{"C"}, Updated: []string{"A", "B"}, Deleted: []string{"OLD"}}, was,
		},
		"applied": {
			&circleci.SyncEnvVarsOptions{Apply: true},
			circleci.EnvVarsDiff{Created: []string{"C"}, Updated: []string{"A", "B"}, Kept: []string{"OLD"}},
			map[string]string{"A": "new-a", "B": "2", "C": "new-c", "OLD": "3"},
		},
		"applied, with deletion": {
			&circleci.SyncEnvVarsOptions{Apply: true, Delete: true},
			circleci.EnvVarsDiff{Created: []string{"C"}, Updated: []string{"A", "B"}, Deleted: []string{"OLD"}},
			map[string]string{"A": "new-a", "B": "2", "C": "new-c"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := circlecitest.New(t)
			id := srv.AddContext("gh/acme", "deploy", was)
			diff, err := srv.Client().Contexts.SyncEnvVars(t.Context(), id, vars, c.options)
			require.NoError(t, err)
			assert.Equal(t, &c.diff, diff)
			assert.Equal(t, c.then, srv.ContextEnvVars(id))
			assert.NotContains(t, fmt.Sprintf("%v %+v %s", diff, *diff, diff), "new-")
		})
	}
}

func TestTheDiffReadsLikeOne(t *testing.T) {
	d := circleci.EnvVarsDiff{Created: []string{"C"}, Updated: []string{"A", "B"}, Deleted: []string{"D"}, Kept: []string{"K"}}
	assert.Equal(t, "+ C\n~ A\n~ B\n- D\n  K\n", d.String())
}

// A failure in the middle says what was done and what was not.
func TestASyncThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		id := srv.AddContext("gh/acme", "deploy", map[string]string{"A": "1", "OLD": "3"})
		srv.Fail("DELETE /context/{context_id}/environment-variable/{env_var_name}", circlecitest.Response{Status: http.StatusForbidden})
		diff, err := srv.Client().Contexts.SyncEnvVars(t.Context(), id, map[string]circleci.Secret{"A": "CANARY", "NEW": "CANARY"},
			&circleci.SyncEnvVarsOptions{Apply: true, Delete: true})
		require.ErrorIs(t, err, circleci.ErrForbidden)
		assert.ErrorContains(t, err, "variable OLD")
		assert.NotContains(t, err.Error(), "CANARY")
		assert.Equal(t, &circleci.EnvVarsDiff{Updated: []string{"A"}}, diff)
		assert.Equal(t, map[string]string{"A": "CANARY", "OLD": "3"}, srv.ContextEnvVars(id))
	})
}

// A full context is not made to overflow on the way.
func TestASyncOfAFullContext(t *testing.T) {
	was, vars := map[string]string{}, map[string]circleci.Secret{}
	for i := range 100 {
		was[fmt.Sprintf("OLD_%02d", i)] = "x"
		vars[fmt.Sprintf("NEW_%02d", i)] = "y"
	}
	srv := circlecitest.New(t)
	id := srv.AddContext("gh/acme", "deploy", was)
	c := srv.Client()
	_, err := c.Contexts.SyncEnvVars(t.Context(), id, vars, &circleci.SyncEnvVarsOptions{Apply: true})
	require.ErrorIs(t, err, circleci.ErrInvalidArgument, "200 do not go in")
	assert.Len(t, srv.ContextEnvVars(id), 100, "nothing was changed")
	for _, r := range srv.Requests() {
		assert.Equal(t, "GET", r.Method, "nothing was changed")
	}
	_, err = c.Contexts.SyncEnvVars(t.Context(), id, vars, &circleci.SyncEnvVarsOptions{Apply: true, Delete: true})
	require.NoError(t, err)
	assert.Len(t, srv.ContextEnvVars(id), 100)
	before := len(srv.Requests())
	_, err = c.Contexts.SyncEnvVars(t.Context(), id, map[string]circleci.Secret{"": "x"}, &circleci.SyncEnvVarsOptions{Delete: true})
	assert.ErrorIs(t, err, circleci.ErrInvalidArgument)
	assert.Len(t, srv.Requests(), before, "nothing was asked for")
}

// The API's list of variables never ends; it is complete all the same.
func TestASyncOfAListThatRepeats(t *testing.T) {
	srv := circlecitest.New(t)
	id := srv.AddContext("gh/acme", "deploy", map[string]string{"A": "1"})
	page := circlecitest.Response{Body: `{"items":[{"variable":"A"}],"next_page_token":"A"}`}
	srv.Fail("GET /context/{context_id}/environment-variable", page, page)
	diff, err := srv.Client().Contexts.SyncEnvVars(t.Context(), id, map[string]circleci.Secret{"A": "x"}, nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"A"}, diff.Updated)
}

func TestOptionsOfASync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		id := srv.AddContext("gh/acme", "deploy", map[string]string{"A": "1"})
		c := srv.Client()
		vars := map[string]circleci.Secret{"A": "2", "B": "3"}
		_, err := c.Contexts.SyncEnvVars(t.Context(), id, vars, nil, circleci.CaptureResponse(new(circleci.Response)))
		require.ErrorIs(t, err, circleci.ErrInvalidArgument)
		assert.Empty(t, srv.Requests())

		slow := circlecitest.Response{Executed: true, Latency: 40 * time.Second}
		srv.Fail("*", slow, slow, slow)
		start := time.Now()
		_, err = c.Contexts.SyncEnvVars(t.Context(), id, vars, &circleci.SyncEnvVarsOptions{Apply: true}, circleci.Timeout(time.Minute))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Minute, time.Since(start), "the timeout limits the sync as a whole")
	})
}

func TestADiffOfForeignNamesKeepsItsLines(t *testing.T) {
	d := circleci.EnvVarsDiff{Kept: []string{"A\n- B\x1b[31m"}}
	assert.Equal(t, "  A - B\n", d.String())
}
