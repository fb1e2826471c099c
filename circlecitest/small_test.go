package circlecitest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// closing is a body that knows whether it was closed.
type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

func TestTheTransportInMemoryIsLikeOneOfHTTP(t *testing.T) {
	srv := circlecitest.New(t)
	srv.AddOrg("gh/acme")
	body := &closing{Reader: strings.NewReader(`{"name":"n","owner":{"slug":"gh/acme"}}`)}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://circleci.com/api/v2/context", body)
	require.NoError(t, err)
	req.Header.Set("Circle-Token", srv.Token())
	resp, err := srv.Transport().RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.True(t, body.closed, "a round tripper closes the request's body")
	assert.Equal(t, "200 OK HTTP/1.1", resp.Status+" "+resp.Proto)
	assert.True(t, resp.ProtoAtLeast(1, 1))
	assert.False(t, resp.ProtoAtLeast(1, 2))
	assert.Same(t, req, resp.Request)
}

func TestRequestsKeptAreFewerThanTwiceAsMany(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithRequestsKept(3))
	var kept []int
	for range 7 {
		require.NoError(t, second(srv.Client().Users.Me(t.Context())))
		kept = append(kept, len(srv.Requests()))
	}
	assert.Equal(t, []int{1, 2, 3, 4, 5, 3, 4}, kept)
}

func TestWhoCanceledAWorkflow(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	id := srv.StartPipelineBy(srv.AddUser("grace", "Grace Hopper"), webSlug, "main")
	srv.Advance(10 * time.Second)
	c := srv.Client()
	w, err := c.Pipelines.ListWorkflows(id).First(t.Context())
	require.NoError(t, err)
	require.NoError(t, c.Workflows.Cancel(t.Context(), w.ID))
	got, err := c.Workflows.Get(t.Context(), w.ID)
	require.NoError(t, err)
	me, err := c.Users.Me(t.Context())
	require.NoError(t, err)
	assert.Equal(t, me.ID, got.CanceledBy)
	assert.NotEqual(t, me.ID, got.StartedBy)
}

func TestAContinuationKeyIsGoodOnce(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.Script(webSlug, circlecitest.Script{
		Setup: circlecitest.Workflow("setup", circlecitest.Job("generate")), Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow("build", circlecitest.Job("test"))},
	})
	id := srv.StartPipeline(webSlug, "main")
	srv.Advance(5 * time.Second)
	key := srv.ContinuationKey(id)
	require.NotEmpty(t, key)
	srv.Advance(time.Hour)
	assert.Empty(t, srv.ContinuationKey(id), "the setup has continued the pipeline")
	refusal(t, srv.Client().Pipelines.Continue(t.Context(), circleci.ContinuePipelineRequest{ContinuationKey: key, Configuration: "version: 2.1"}), 404, "key")
}

func TestAScheduleStartsItsBranchWithItsParameters(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime(), circlecitest.WithTime(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)))
	srv.AddProject(webSlug)
	c := srv.Client()
	_, err := c.Schedules.Create(t.Context(), webSlug, circleci.CreateScheduleRequest{
		Name: "x", Timetable: circleci.Weekly(1, []int{13}, circleci.DayOfWeekMonday), AttributionActor: circleci.AttributionActorCurrent,
		Parameters: circleci.Parameters{"branch": "release", "deploy": true},
	})
	require.NoError(t, err)
	srv.Advance(2 * time.Hour)
	p, err := c.Pipelines.ListForProject(webSlug, nil).First(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "release", p.Branch())
	values, err := c.Pipelines.GetValues(t.Context(), p.ID)
	require.NoError(t, err)
	assert.Equal(t, true, values["pipeline.parameters.deploy"])
	assert.NotContains(t, values, "pipeline.parameters.branch")
}

func TestAResetLeavesNothing(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime(), circlecitest.WithDeliveryTransport(carrier(func(*http.Request) (*http.Response, error) {
		return answer(http.StatusNoContent), nil
	})))
	srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Minute)
	srv.Reset()
	c := srv.Client()
	all, err := c.Pipelines.List(nil).Collect(t.Context())
	require.NoError(t, err)
	assert.Empty(t, all)
	addHook(t, srv, webSlug, "https://hooks.example/")
	srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Hour)
	require.NotEmpty(t, srv.Deliveries(), "webhooks are delivered again")
	assert.NoError(t, srv.Deliveries()[0].Err)
}

func TestAResponseThatATestSets(t *testing.T) {
	srv := circlecitest.New(t)
	srv.Fail("GET /me", circlecitest.Response{Body: `{"login":"grace"}`}, circlecitest.Response{Body: "x", Header: http.Header{"Content-Type": {"text/plain"}}})
	for _, want := range []string{"application/json;charset=utf-8", "text/plain"} {
		r, err := ask(t, srv, "/me")
		require.NoError(t, err)
		assert.Equal(t, 200, r.status)
		assert.Equal(t, want, r.header.Get("Content-Type"))
	}
	srv.AddOrg("gh/acme")
	srv.Fail("POST /context", circlecitest.Response{Executed: true, Broken: true}, circlecitest.Response{Broken: true}, circlecitest.Response{Executed: true, CutAfter: 2})
	for _, name := range []string{"executed", "lost", "cut"} {
		r, err := send(t, srv, http.MethodPost, "/context", `{"name":"`+name+`","owner":{"slug":"gh/acme"}}`)
		assert.True(t, err != nil || r.err != nil, "%s: the connection breaks", name)
	}
	contexts, err := srv.Client().Contexts.List(circleci.OwnerBySlug("gh/acme"), nil).Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, contexts, 2)
	assert.Equal(t, "executed, cut", contexts[0].Name+", "+contexts[1].Name)
}

func TestABodyIsCutOnlyBeforeItsEnd(t *testing.T) {
	srv := circlecitest.New(t)
	srv.Fail("GET /me", circlecitest.Response{Body: "{}", CutAfter: 2}, circlecitest.Response{Body: "{}", CutAfter: 1})
	r, err := ask(t, srv, "/me")
	require.NoError(t, err)
	require.NoError(t, r.err)
	assert.Equal(t, "{}", r.body)
	r, err = ask(t, srv, "/me")
	require.NoError(t, err)
	assert.ErrorIs(t, r.err, io.ErrUnexpectedEOF)
}

func TestAnOrganizationTakesOnlyItsOwnAlong(t *testing.T) {
	srv := circlecitest.New(t)
	c, ctx := srv.Client(), t.Context()
	count := func(slug circleci.OrgSlug) map[string]int {
		org := srv.AddOrg(slug)
		contexts := got(c.Contexts.List(circleci.OwnerByID(org), nil).Collect(ctx))(t)
		environments := got(c.Deploys.ListEnvironments(org, nil).Collect(ctx))(t)
		exporters := got(c.OTel.ListExporters(org).Collect(ctx))(t)
		certificates := got(c.Signing.ListCertificates(org).Collect(ctx))(t)
		configs := got(c.AuditLog.ListConfigs(org).Collect(ctx))(t)
		return map[string]int{
			"contexts": len(contexts), "environments": len(environments), "exporters": len(exporters), "certificates": len(certificates), "audit": len(configs),
		}
	}
	for _, slug := range []circleci.OrgSlug{"gh/acme", "gh/other"} {
		org := srv.AddOrg(slug)
		srv.AddContext(slug, "deploy", nil)
		srv.AddDeployEnvironment(slug, "prod")
		got(c.OTel.CreateExporter(ctx, circleci.CreateExporterRequest{OrgID: org, Endpoint: "otel.example:4317", Protocol: circleci.OTelProtocolGRPC}))(t)
		got(c.Signing.CreateCertificate(ctx, circleci.CreateCertificateRequest{OrgID: org, FileName: "a.p12", Blob: "YQ==", Password: "p"}))(t)
		got(c.AuditLog.CreateConfig(ctx, org, circleci.AuditLogConfigRequest{
			TargetType: circleci.AuditLogTargetS3, Config: circleci.AuditLogBucket{ARN: "arn:a", Region: "us-east-1", BucketName: "logs"},
		}))(t)
	}
	one := map[string]int{"contexts": 1, "environments": 1, "exporters": 1, "certificates": 1, "audit": 1}
	assert.Equal(t, one, count("gh/acme"))
	require.NoError(t, c.Organizations.Delete(ctx, circleci.OrgBySlug("gh/acme")))
	assert.Equal(t, one, count("gh/other"))
	assert.Equal(t, map[string]int{"contexts": 0, "environments": 0, "exporters": 0, "certificates": 0, "audit": 0}, count("gh/acme"), "a new one of the name")
}

func TestAScriptDecidesHowJobsOfAContinuedConfigurationEnd(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	require.NoError(t, srv.Configure(webSlug, "version: 2.1\nsetup: true\njobs: {generate: {}}\nworkflows: {setup: {jobs: [generate]}}"))
	srv.Script(webSlug, circlecitest.Pipeline(circlecitest.Workflow("build", circlecitest.Job("test").Fails())))
	c, id := srv.Client(), srv.StartPipeline(webSlug, "main")
	srv.Advance(5 * time.Second)
	require.NoError(t, c.Pipelines.Continue(t.Context(), circleci.ContinuePipelineRequest{
		ContinuationKey: srv.ContinuationKey(id), Configuration: "version: 2.1\njobs: {test: {}}\nworkflows: {build: {jobs: [test]}}",
	}))
	srv.Advance(time.Hour)
	workflows := got(c.Pipelines.ListWorkflows(id).Collect(t.Context()))(t)
	require.Len(t, workflows, 2)
	assert.Equal(t, circleci.WorkflowStatusFailed, workflows[0].Status)
	assert.Equal(t, "build", workflows[0].Name)
}

func TestRateLimitsTellWhenTheyAreFullAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		srv.Weather(circlecitest.RateLimit(10, time.Minute))
		for i, want := range []string{"6", "12", "18"} {
			r, err := ask(t, srv, "/me")
			require.NoError(t, err)
			assert.Equal(t, want, r.header.Get("RateLimit-Reset"), "after %d requests", i+1)
			assert.Equal(t, []string{"9", "8", "7"}[i], r.header.Get("RateLimit-Remaining"))
		}
		time.Sleep(6 * time.Second)
		r, err := ask(t, srv, "/me")
		require.NoError(t, err)
		assert.Equal(t, "7", r.header.Get("RateLimit-Remaining"), "one token has come back")
	})
}

func TestAHistoryIsLongerThanItsRuns(t *testing.T) {
	workflow := func(d time.Duration) *circlecitest.WorkflowScript {
		return circlecitest.Workflow("w", circlecitest.Job("a").Takes(d/2), circlecitest.Job("b").Requires("a").Takes(d/2))
	}
	for name, past := range map[string]circlecitest.Past{
		"a day":           {Days: 1, Workflows: []*circlecitest.WorkflowScript{workflow(24 * time.Hour)}},
		"with the spread": {Days: 1, Spread: 0.5, Workflows: []*circlecitest.WorkflowScript{workflow(17 * time.Hour)}},
		"with its reruns": {Days: 1, Workflows: []*circlecitest.WorkflowScript{workflow(12 * time.Hour).RerunsAutomatically(1)}},
	} {
		assert.Panics(t, func() { circlecitest.New(t).History(webSlug, past) }, name)
	}
	srv := circlecitest.New(t)
	srv.History(webSlug, circlecitest.Past{Days: 1, RunsPerDay: 2, Workflows: []*circlecitest.WorkflowScript{workflow(23 * time.Hour)}})
	runs, err := srv.Client().Pipelines.ListForProject(webSlug, nil).Collect(t.Context())
	require.NoError(t, err)
	assert.Len(t, runs, 2)
}

func TestPoliciesAreNamedAfterTheirHeader(t *testing.T) {
	for source, want := range map[string]string{
		"package org\n\nimport rego.v1\nimport data.circleci.config\n\npolicy_name[\"a\"]\n": "a",
		"# comment\npackage org; policy_name[`b`]":                                           "b",
		"package org\npolicy_name contains \"c\"":                                            "c",
		"package org\npolicy_name['d']":                                                      "",
		"policy_name[\"e\"]":                                                                 "",
		"package org\npolicy_name[1]":                                                        "",
	} {
		srv := circlecitest.New(t)
		result, err := srv.Client().Policy.CreateBundle(t.Context(), srv.AddOrg("gh/acme"), circleci.CreatePolicyBundleRequest{Policies: map[string]string{"a.rego": source}})
		if want == "" {
			refusal(t, err, 400, "invalid rego content")
			continue
		}
		if assert.NoError(t, err, source) {
			assert.Equal(t, []string{want}, result.Created, source)
		}
	}
}
