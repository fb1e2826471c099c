package circleci_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

func TestThingsAreFoundByTheirExactName(t *testing.T) {
	const list = `{"items":[{"id":"11111111-1111-4111-8111-111111111111","name":"deploy"},
		{"id":"22222222-2222-4222-8222-222222222222","name":"Twice"},{"id":"33333333-3333-4333-8333-333333333333","name":"Twice"}],"next_page_token":null}`
	for kind, get := range map[string]func(c *circleci.Client, name string) (string, error){
		"context": func(c *circleci.Client, name string) (string, error) {
			got, err := c.Contexts.GetByName(t.Context(), circleci.OwnerBySlug("gh/acme"), name)
			if err != nil {
				return "", err
			}
			return got.Name, nil
		},
		"group": func(c *circleci.Client, name string) (string, error) {
			got, err := c.Groups.GetByName(t.Context(), id1, name)
			if err != nil {
				return "", err
			}
			return got.Name, nil
		},
		"pipeline definition": func(c *circleci.Client, name string) (string, error) {
			got, err := c.PipelineDefinitions.GetByName(t.Context(), id1, name)
			if err != nil {
				return "", err
			}
			return got.Name, nil
		},
	} {
		client := func() *circleci.Client { return replies(answers(200, list)).client(t) }
		got, err := get(client(), "deploy")
		require.NoError(t, err, kind)
		assert.Equal(t, "deploy", got, kind)

		_, err = get(client(), "Deploy")
		require.ErrorIs(t, err, circleci.ErrNotFound, kind)
		assert.ErrorContains(t, err, `no `+kind+` has the name "Deploy"`)

		_, err = get(client(), "Twice")
		require.ErrorContains(t, err, "more than one "+kind)
		assert.NotErrorIs(t, err, circleci.ErrNotFound, kind)

		_, err = get(client(), "")
		require.ErrorIs(t, err, circleci.ErrInvalidArgument, kind)

		_, err = get(replies(answers(403, `{}`)).client(t), "deploy")
		require.ErrorIs(t, err, circleci.ErrForbidden, kind)
	}
}

func TestASearchByNameIsOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := &fakeWire{answer: func(req *http.Request, n int) reply {
			if strings.HasSuffix(req.URL.Path, "/repositories") {
				return answers(200, fmt.Sprintf(`{"items":[{"id":%d}],"total_count":500}`, n)).later(600 * time.Millisecond)
			}
			token := req.URL.Query().Get("page-token") + "x"
			if len(token) == 5 {
				token = ""
			}
			body := fmt.Sprintf(`{"items":[{"id":"11111111-1111-4111-8111-%012d"}],"next_page_token":%q}`, n, token)
			return answers(200, body).later(600 * time.Millisecond)
		}}
		client := wire.client(t)
		for name, get := range map[string]func(...circleci.RequestOption) error{
			"context": func(opts ...circleci.RequestOption) error {
				return second(client.Contexts.GetByName(t.Context(), circleci.OwnerBySlug("gh/acme"), "x", opts...))
			},
			"group": func(opts ...circleci.RequestOption) error {
				return second(client.Groups.GetByName(t.Context(), id1, "x", opts...))
			},
			"definition": func(opts ...circleci.RequestOption) error {
				return second(client.PipelineDefinitions.GetByName(t.Context(), id1, "x", opts...))
			},
			"repository": func(opts ...circleci.RequestOption) error {
				return second(client.GitHubApp.GetRepositoryByName(t.Context(), id1, "x", opts...))
			},
		} {
			start := time.Now()
			require.ErrorIs(t, get(circleci.Timeout(time.Second)), context.DeadlineExceeded, name)
			assert.Equal(t, time.Second, time.Since(start), "%s: not one second a page", name)
			require.ErrorIs(t, get(circleci.CaptureResponse(new(circleci.Response))), circleci.ErrInvalidArgument, name)
		}
	})
}

func TestAPipelineTellsItsSource(t *testing.T) {
	type source struct {
		branch, tag, revision string
		commit                circleci.PipelineCommit
	}
	for body, want := range map[string]source{
		`{}`: {},
		`{"vcs":{"branch":"main","revision":"abc","commit":{"subject":"s","body":"b"}}}`: {"main", "", "abc", circleci.PipelineCommit{Subject: "s", Body: "b"}},
		`{"vcs":{"tag":"v1","revision":"abc"}}`:                                          {"", "v1", "abc", circleci.PipelineCommit{}},
		`{"trigger_parameters":{"git":{"branch":"main","checkout_sha":"abc"}}}`:          {"main", "", "abc", circleci.PipelineCommit{}},
		`{"trigger_parameters":{"git":{"tag":"v1"},"github_app":{"commit_sha":"abc","commit_title":"s","commit_message":"s\n\nb"}}}`: {
			"", "v1", "abc", circleci.PipelineCommit{Subject: "s", Body: "b"}},
		`{"trigger_parameters":{"gitlab":{"branch":"dev","commit_sha":"abc","commit_message":"one line"}}}`: {
			"dev", "", "abc", circleci.PipelineCommit{Subject: "one line"}},
		`{"trigger_parameters":{"git":7,"gitlab":{"branch":7}}}`: {},
	} {
		var p circleci.Pipeline
		require.NoError(t, json.Unmarshal([]byte(body), &p))
		assert.Equal(t, want, source{p.Branch(), p.Tag(), p.Revision(), p.Commit()}, body)
	}
}

func TestFlakesAreGroupedByTest(t *testing.T) {
	wasted := func(d time.Duration) *circleci.Seconds { return new(circleci.Seconds(d)) }
	f := circleci.FlakyTests{Tests: []circleci.FlakyTest{
		{TestName: "A", Classname: "c", JobName: "unit", TimesFlaked: 1, TimeWasted: wasted(time.Second)},
		{TestName: "B", Classname: "c", JobName: "unit", TimesFlaked: 2},
		{TestName: "A", Classname: "c", JobName: "e2e", TimesFlaked: 3, TimeWasted: wasted(time.Minute)},
		{TestName: "A", Classname: "c", JobName: "unit", TimesFlaked: 1},
		{TestName: "A", Classname: "other", JobName: "unit", TimesFlaked: 2},
	}}
	all := f.ByTest()
	require.Len(t, all, 3)
	assert.Equal(t, circleci.FlakyTestSummary{
		TestName: "A", Classname: "c", TimesFlaked: 5, TimeWasted: circleci.Seconds(61 * time.Second), JobNames: []string{"e2e", "unit"},
		Flakes: []circleci.FlakyTest{f.Tests[0], f.Tests[2], f.Tests[3]},
	}, all[0])
	assert.Equal(t, []string{"B", "A"}, []string{all[1].TestName, all[2].TestName}, "equal ones stay in order")
	assert.Empty(t, (&circleci.FlakyTests{}).ByTest())
}

func TestARunIsJudgedByItsStatus(t *testing.T) {
	run := func(status int, body string) (*circleci.CreatedPipeline, error) {
		return replies(answers(status, body)).client(t).Pipelines.Run(t.Context(), slug, circleci.RunPipelineRequest{DefinitionID: someID})
	}
	p, err := run(201, `{"id":"11111111-1111-4111-8111-111111111111","number":7}`)
	require.NoError(t, err)
	assert.Equal(t, id1, p.ID)

	_, err = run(200, `{"message":"nothing to do"}`)
	require.ErrorIs(t, err, circleci.ErrNotTriggered)

	p, err = run(201, `{"message":"created"}`)
	require.NotErrorIs(t, err, circleci.ErrNotTriggered, "it has been started")
	assert.Nil(t, p)
	bad := requireError[*circleci.DecodeError](t, err)
	assert.Equal(t, 201, bad.StatusCode)
	require.ErrorContains(t, err, "the response has no pipeline ID")
}

func TestA404NamesTheParametersThatWereSent(t *testing.T) {
	for name, call := range map[string]func(c *circleci.Client, p circleci.Parameters) error{
		"Trigger": func(c *circleci.Client, p circleci.Parameters) error {
			return second(c.Pipelines.Trigger(t.Context(), slug, circleci.TriggerPipelineRequest{Parameters: p}))
		},
		"Run": func(c *circleci.Client, p circleci.Parameters) error {
			return second(c.Pipelines.Run(t.Context(), slug, circleci.RunPipelineRequest{DefinitionID: someID, Parameters: p}))
		},
	} {
		client := func() *circleci.Client { return replies(answers(404, `{"message":"Project not found"}`)).client(t) }
		err := call(client(), circleci.Parameters{"env": "x", "a\nb": 1})
		require.ErrorIs(t, err, circleci.ErrNotFound, name)
		assert.ErrorContains(t, err, "does not declare one of the parameters: a b, env", name)
		assertOneLine(t, err)
		err = call(client(), nil)
		require.ErrorIs(t, err, circleci.ErrNotFound, name)
		assert.NotContains(t, err.Error(), "parameter", name)
	}
}
