package apiv3_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/apiv3"
)

// CircleCI server does not have the API v3: nothing is sent to it, unless the
// caller knows better.
func TestHosts(t *testing.T) {
	for base, allowed := range map[string]bool{
		"circleci.com": true, "https://CircleCI.com:443/api/v2": true, "https://api.circleci.com": true,
		"http://127.0.0.1:8080": true, "http://[::1]:8080": true, "http://localhost:8080": true, "http://ci.localhost": true,
		"ci.example.com": false, "circleci.com.example.com": false, "notcircleci.com": false, "10.0.0.1": false,
		"ci.example.com/circleci.com": false,
	} {
		srv := &server{responses: []response{{body: `{"data":{}}`}}}
		c, err := circleci.NewClient("token", circleci.WithBaseURL(base), circleci.WithHTTPClient(&http.Client{Transport: srv}))
		require.NoError(t, err, base)
		_, err = apiv3.New(c).Runs.Get(t.Context(), id1)
		if allowed {
			require.NoError(t, err, base)
			assert.Len(t, srv.requests, 1, base)
			continue
		}
		require.ErrorIs(t, err, circleci.ErrInvalidArgument, base)
		assert.ErrorContains(t, err, "pass apiv3.WithServer()", base)
		assert.ErrorContains(t, err, "GET /api/v3/runs/{id}", base)
		assert.Empty(t, srv.requests, base)
		_, err = apiv3.New(c, nil, apiv3.WithServer()).Runs.Get(t.Context(), id1)
		require.NoError(t, err, base)
	}
}

// second drops a method's result.
func second[T any](_ T, err error) error { return err }

func all[T any](ctx context.Context, p *circleci.Pager[T]) error { return second(p.Collect(ctx)) }

func TestBadInputIsNotSent(t *testing.T) {
	c, srv := client(t, response{body: `{"data":{}}`})
	ctx := t.Context()
	pipeline := apiv3.CreatePipelineRequest{
		ProjectID: id1, Name: "a", Config: apiv3.PipelineConfig{Type: "vcs", FilePath: "b"},
		Checkout: apiv3.Checkout{VCS: &apiv3.Repository{}},
	}
	search := apiv3.SearchRunsRequest{ProjectIDs: []uuid.UUID{id1}, From: noon, To: noon}
	rollback := apiv3.RollbackRequest{ComponentID: id1, EnvironmentID: id2, CurrentVersion: "2", TargetVersion: "1"}
	errs := map[string]error{
		"a zero ID in a path":   second(c.Runs.Get(ctx, uuid.Nil)),
		"a zero ID in a filter": all(ctx, c.Runs.ListForProject(uuid.Nil, nil)),
		"a negative limit":      all(ctx, c.Runs.ListMine(&apiv3.ListRunsOptions{Limit: -1})),
		"a bad project slug":    second(c.Projects.Resolve(ctx, "gh/acme")),
		"a bad org slug":        second(c.Orgs.Resolve(ctx, "gh")),
		"a context of nobody":   second(c.Contexts.Create(ctx, apiv3.CreateContextRequest{Name: "a"})),
		"a nameless context":    second(c.Contexts.Create(ctx, apiv3.CreateContextRequest{OrgID: id1})),
		"a nameless variable":   c.Contexts.SetEnvVar(ctx, id1, apiv3.SetEnvVarRequest{Value: "v"}),
		"no variable":           c.Contexts.DeleteEnvVar(ctx, id1, ""),
		"a restriction without a type": second(c.Contexts.CreateRestriction(ctx, apiv3.CreateRestrictionRequest{
			ContextID: id1, MatchPattern: text1})),
		"a restriction to nothing": second(c.Contexts.CreateRestriction(ctx, apiv3.CreateRestrictionRequest{
			ContextID: id1, Type: circleci.RestrictionTypeGroup})),
		"a restriction of no context": second(c.Contexts.CreateRestriction(ctx, apiv3.CreateRestrictionRequest{
			Type: circleci.RestrictionTypeGroup, MatchPattern: text1})),
		"a restriction's context":    c.Contexts.DeleteRestriction(ctx, uuid.Nil, id1),
		"triggers of nothing":        all(ctx, c.Triggers.List(apiv3.ListTriggersOptions{})),
		"a trigger without an event": second(c.Triggers.Create(ctx, apiv3.CreateTriggerRequest{PipelineID: id1})),
		"a trigger of no pipeline": second(c.Triggers.Create(ctx, apiv3.CreateTriggerRequest{
			Event: apiv3.TriggerEvent{Type: apiv3.EventTypeWebhook}})),
		"no configuration":    second(c.Configs.Compile(ctx, apiv3.CompileConfigRequest{})),
		"no provider":         all(ctx, c.Providers.ListRepositories(id1, "", nil)),
		"a setup for nothing": second(c.Providers.SetupConnection(ctx, apiv3.SetupConnectionRequest{OrgID: id1, ReturnURL: "u"})),
		"a setup without a return": second(c.Providers.SetupConnection(ctx, apiv3.SetupConnectionRequest{
			OrgID: id1, Provider: apiv3.ProviderGitHubApp})),
		"a negative offset":    second(c.Jobs.ReadStdout(ctx, apiv3.StepRef{JobID: id1}, -1, nil)),
		"a negative step":      second(c.Jobs.ReadStdout(ctx, apiv3.StepRef{JobID: id1, Num: -1}, 0, nil)),
		"a negative execution": second(c.Jobs.ReadStdout(ctx, apiv3.StepRef{JobID: id1, Execution: -1}, 0, nil)),
		"tests of no job":      second(collect(c.Jobs.ReadTests(ctx, uuid.Nil))),
	}
	for what, change := range map[string]func(*apiv3.CreatePipelineRequest){
		"a pipeline of no project":        func(r *apiv3.CreatePipelineRequest) { r.ProjectID = uuid.Nil },
		"a nameless pipeline":             func(r *apiv3.CreatePipelineRequest) { r.Name = "" },
		"a pipeline without a type":       func(r *apiv3.CreatePipelineRequest) { r.Config.Type = "" },
		"a pipeline without a file":       func(r *apiv3.CreatePipelineRequest) { r.Config.FilePath = "" },
		"a pipeline without a repository": func(r *apiv3.CreatePipelineRequest) { r.Checkout.VCS = nil },
	} {
		bad := pipeline
		change(&bad)
		errs[what] = second(c.Pipelines.Create(ctx, bad))
	}
	for what, change := range map[string]func(*apiv3.SearchRunsRequest){
		"a search of nothing":             func(r *apiv3.SearchRunsRequest) { r.ProjectIDs = nil },
		"a search without a start":        func(r *apiv3.SearchRunsRequest) { r.From = time.Time{} },
		"a search without an end":         func(r *apiv3.SearchRunsRequest) { r.To = time.Time{} },
		"a search with a negative number": func(r *apiv3.SearchRunsRequest) { r.Limit = -1 },
	} {
		bad := search
		change(&bad)
		errs[what] = all(ctx, c.Runs.Search(bad))
	}
	for what, change := range map[string]func(*apiv3.RollbackRequest){
		"a rollback of nothing":   func(r *apiv3.RollbackRequest) { r.ComponentID = uuid.Nil },
		"a rollback nowhere":      func(r *apiv3.RollbackRequest) { r.EnvironmentID = uuid.Nil },
		"a rollback from nothing": func(r *apiv3.RollbackRequest) { r.CurrentVersion = "" },
		"a rollback to nothing":   func(r *apiv3.RollbackRequest) { r.TargetVersion = "" },
	} {
		bad := rollback
		change(&bad)
		errs[what] = second(c.Deploys.Rollback(ctx, id1, bad))
	}
	for what, err := range errs {
		require.ErrorIs(t, err, circleci.ErrInvalidArgument, what)
		var bad *circleci.ArgumentError
		require.ErrorAs(t, err, &bad, what)
		assert.Contains(t, bad.Route, "/api/v3/", what)
		assert.NotEmpty(t, bad.Method, what)
	}
	assert.Empty(t, srv.requests)
}

func page(next string, ids ...string) response {
	items := make([]string, len(ids))
	for i, id := range ids {
		items[i] = `{"id":"` + id + `"}`
	}
	return response{body: `{"data":[` + strings.Join(items, ",") + `],"page":{"next":` + next + `}}`}
}

func cursors(srv *server) (all []string) {
	for _, r := range srv.requests {
		all = append(all, r.URL.Query().Get("page[cursor]"))
	}
	return all
}

func TestListsFollowCursors(t *testing.T) {
	c, srv := client(t, page(`"a b"`, text1), page(`"c"`), page(`null`, text2))
	projects, err := c.Projects.ListForOrg(id4, &apiv3.ListProjectsOptions{Limit: 1}).Collect(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []apiv3.Project{{ID: id1}, {ID: id2}}, projects)
	assert.Equal(t, []string{"", "a b", "c"}, cursors(srv))
	for _, r := range srv.requests {
		assert.Equal(t, "1", r.URL.Query().Get("page[limit]"))
		assert.Equal(t, text4, r.URL.Query().Get("filter[org_id]"))
	}
}

// A cursor that comes again ends the iteration, after what was read has been
// yielded.
func TestARepeatedCursorIsALoop(t *testing.T) {
	c, _ := client(t, page(`"a"`, text1), page(`"b"`, text2), page(`"a"`, text3))
	projects, err := c.Projects.ListFollowed(nil).Collect(t.Context())
	require.ErrorIs(t, err, circleci.ErrPageLoop)
	assert.Len(t, projects, 3)
}

func TestAPagerCanBeIteratedAgain(t *testing.T) {
	c, srv := client(t, page(`"a"`, text1), page(`null`, text2), page(`"a"`, text1), page(`null`, text2))
	pager := c.Projects.ListFollowed(nil)
	for range 2 {
		projects, err := pager.Collect(t.Context())
		require.NoError(t, err)
		assert.Len(t, projects, 2)
	}
	assert.Equal(t, []string{"", "a", "", "a"}, cursors(srv))
}

// The API refuses a limit beside a cursor in this one list.
func TestRepositoriesHaveNoLimitBesideACursor(t *testing.T) {
	c, srv := client(t, page(`"a"`), page(`null`))
	require.NoError(t, all(t.Context(), c.Providers.ListRepositories(id1, "github_app", &apiv3.ListRepositoriesOptions{Limit: 9})))
	require.Len(t, srv.requests, 2)
	assert.Equal(t, "9", srv.requests[0].URL.Query().Get("page[limit]"))
	assert.Equal(t, map[string][]string{
		"filter[org_id]": {text1}, "filter[provider]": {"github_app"}, "page[cursor]": {"a"},
	}, map[string][]string(srv.requests[1].URL.Query()))
}

func TestASearchSendsItsCursorInTheBody(t *testing.T) {
	c, srv := client(t, page(`"a"`, text1), page(`null`, text2))
	runs, err := c.Runs.Search(apiv3.SearchRunsRequest{ProjectIDs: []uuid.UUID{id3}, From: noon, To: noon, Limit: 5}).Collect(t.Context())
	require.NoError(t, err)
	assert.Len(t, runs, 2)
	require.Len(t, srv.requests, 2)
	assert.Contains(t, srv.requests[0].body, `"page":{"limit":5}}`)
	assert.Contains(t, srv.requests[1].body, `"page":{"cursor":"a","limit":5}}`)
	assert.Empty(t, srv.requests[1].URL.RawQuery)
}

func TestASlugThatNothingHas(t *testing.T) {
	c, _ := client(t, page(`null`))
	_, err := c.Projects.Resolve(t.Context(), "gh/acme/web")
	require.ErrorIs(t, err, circleci.ErrNotFound)
	assert.ErrorContains(t, err, `GET /api/v3/projects: no resource has the slug "gh/acme/web"`)
	_, err = c.Orgs.Resolve(t.Context(), "gh/acme")
	require.ErrorIs(t, err, circleci.ErrNotFound)
}

// The error object of the API v3 is read by the client's one error type.
func TestErrors(t *testing.T) {
	c, _ := client(t, response{status: 400, body: `{"error":{"type":"validation_error","id":"e-1","title":"Bad request",` +
		`"detail":"filter[workflow_id] is required","source":{"pointer":"/filter/workflow_id"}}}`})
	err := all(t.Context(), c.Jobs.ListForWorkflow(id1))
	var e *circleci.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "validation_error", e.Type)
	assert.Equal(t, "e-1", e.ID)
	assert.Equal(t, "Bad request: filter[workflow_id] is required", e.Message)
	assert.Equal(t, "/api/v3/jobs", e.Route)

	c, _ = client(t, response{status: 200, body: `{"items":[]}`})
	var decode *circleci.DecodeError
	require.ErrorAs(t, all(t.Context(), c.Jobs.ListForWorkflow(id1)), &decode)
	assert.ErrorContains(t, decode, `no "data"`)

	c, _ = client(t, response{status: 404, body: `{"error":{"type":"not_found"}}`})
	err = c.Contexts.Delete(t.Context(), id1)
	require.ErrorIs(t, err, circleci.ErrNotFound)
	assert.ErrorContains(t, err, "read-only token")
}

// A POST that only reads is retried like a GET; one that starts something is
// not.
func TestWhatIsRetried(t *testing.T) {
	broken := response{status: 502}
	retry := circleci.WithRetry(circleci.RetryPolicy{MaxAttempts: 2, MinBackoff: time.Nanosecond, MaxBackoff: time.Nanosecond})
	for what, c := range map[string]struct {
		call func(v3 *apiv3.Client) error
		want int
	}{
		"a search": {func(v3 *apiv3.Client) error {
			return all(t.Context(), v3.Runs.Search(apiv3.SearchRunsRequest{ProjectIDs: []uuid.UUID{id1}, From: noon, To: noon}))
		}, 2},
		"a compilation": {func(v3 *apiv3.Client) error {
			return second(v3.Configs.Compile(t.Context(), apiv3.CompileConfigRequest{Config: "a"}))
		}, 2},
		"a rerun": {func(v3 *apiv3.Client) error {
			return second(v3.Workflows.Rerun(t.Context(), id1, apiv3.RerunWorkflowRequest{}))
		}, 1},
		"a new context": {func(v3 *apiv3.Client) error {
			return second(v3.Contexts.Create(t.Context(), apiv3.CreateContextRequest{OrgID: id1, Name: "a"}))
		}, 1},
	} {
		srv := &server{responses: []response{broken}}
		client, err := circleci.NewClient("token", retry, circleci.WithHTTPClient(&http.Client{Transport: srv}))
		require.NoError(t, err)
		require.ErrorIs(t, c.call(apiv3.New(client)), circleci.ErrServer, what)
		assert.Len(t, srv.requests, c.want, what)
	}
}

func TestIDsOfBothVersions(t *testing.T) {
	run := apiv3.Run{ID: id1}
	assert.Equal(t, id1, run.V2PipelineID())
	assert.Equal(t, id1, apiv3.RunID(&circleci.Pipeline{ID: id1}))
}

func TestOptionsAreObeyed(t *testing.T) {
	c, srv := client(t, response{body: `{"data":{}}`})
	var r circleci.Response
	_, err := c.Runs.Get(t.Context(), id1, circleci.Header("X-Test", "1"), circleci.CaptureResponse(&r))
	require.NoError(t, err)
	assert.Equal(t, "1", srv.requests[0].Header.Get("X-Test"))
	assert.Equal(t, 200, r.StatusCode)
}
