package circlecitest_test

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// policyBench is an organization with a client of its policies.
type policyBench struct {
	srv    *circlecitest.Server
	policy *circleci.PolicyService
	owner  uuid.UUID
}

func newPolicyBench(t *testing.T, opts ...circlecitest.Option) *policyBench {
	srv := circlecitest.New(t, opts...)
	return &policyBench{srv, srv.Client().Policy, srv.AddOrg("gh/acme")}
}

func (b *policyBench) upload(t *testing.T, policies map[string]string) (*circleci.PolicyBundleDiff, error) {
	return b.policy.CreateBundle(t.Context(), b.owner, circleci.CreatePolicyBundleRequest{Policies: policies})
}

func (b *policyBench) decide(t *testing.T, input string, metadata map[string]any) *circleci.Decision {
	t.Helper()
	d, err := b.policy.Decide(t.Context(), b.owner, circleci.DecideRequest{Input: input, Metadata: metadata})
	require.NoError(t, err)
	return d
}

func named(name, rules string) string {
	return "package org\n\npolicy_name[\"" + name + "\"]\n\n" + rules + "\n"
}

func TestABundleIsReplacedAsAWhole(t *testing.T) {
	b := newPolicyBench(t)
	empty, err := b.policy.GetBundle(t.Context(), b.owner)
	require.NoError(t, err)
	assert.Equal(t, map[string][]circleci.Policy{}, empty)

	diff, err := b.upload(t, map[string]string{"a.rego": named("alpha", ""), "b.rego": named("beta", "")})
	require.NoError(t, err)
	assert.Equal(t, &circleci.PolicyBundleDiff{Created: []string{"alpha", "beta"}}, diff, "the names are those that the documents declare")
	bundle, err := b.policy.GetBundle(t.Context(), b.owner)
	require.NoError(t, err)
	require.Contains(t, bundle, "alpha")
	one, err := b.policy.GetPolicy(t.Context(), b.owner, "alpha")
	require.NoError(t, err)
	assert.Equal(t, []circleci.Policy{*one}, bundle["alpha"])
	assert.Equal(t, named("alpha", ""), one.Content)
	assert.ErrorIs(t, second(b.policy.GetPolicy(t.Context(), b.owner, "a.rego")), circleci.ErrNotFound, "the name of the file is not kept")

	next := map[string]string{"a.rego": named("alpha", ""), "b.rego": named("beta", "# new"), "c.rego": named("gamma", "")}
	want := &circleci.PolicyBundleDiff{Created: []string{"gamma"}, Modified: []string{"beta"}}
	dry, err := b.policy.CreateBundle(t.Context(), b.owner, circleci.CreatePolicyBundleRequest{Policies: next, DryRun: true})
	require.NoError(t, err)
	assert.Equal(t, want, dry)
	after, err := b.policy.GetBundle(t.Context(), b.owner)
	require.NoError(t, err)
	assert.Equal(t, bundle, after, "a dry run changes nothing")
	diff, err = b.upload(t, next)
	require.NoError(t, err)
	assert.Equal(t, want, diff)
	diff, err = b.upload(t, next)
	require.NoError(t, err)
	assert.Equal(t, &circleci.PolicyBundleDiff{}, diff)
	diff, err = b.upload(t, map[string]string{})
	require.NoError(t, err)
	assert.Equal(t, &circleci.PolicyBundleDiff{Deleted: []string{"alpha", "beta", "gamma"}}, diff)
}

func TestWhatAnUploadAnswers(t *testing.T) {
	b := newPolicyBench(t)
	path := "/owner/" + b.owner.String() + "/context/config/policy-bundle"
	for _, row := range []struct {
		query, body string
		status      int
		answer      string
	}{
		{"?dry=true", `{"policies":{}}`, 200, `{}`},
		{"", `{"policies":{}}`, 201, `{}`},
		{"", `{"policies":{"a":"package org\npolicy_name[\"x\"]"}}`, 201, `{"created":["x"]}`},
		{"", `{}`, 400, `{"error":"policies: is required."}`},
		{
			"", `{"policies":{"a.rego":"package org\n# nothing\n"}}`, 400,
			`{"error":"invalid rego content: failed to parse policy file(s): failed to parse file: \"a.rego\": ` +
				`must declare rule \"policy_name\" but module contains no rules"}`,
		},
		{
			"", `{"policies":{"a.rego":"package org\nallow = true\n"}}`, 400,
			`{"error":"invalid rego content: failed to parse policy file(s): failed to parse file: \"a.rego\": ` +
				`first rule declaration must be \"policy_name\" but found \"allow\""}`,
		},
		{
			"", `{"policies":{"a.rego":"package org\npolicy_name = \"x\"\n"}}`, 400,
			`{"error":"invalid rego content: failed to parse policy file(s): failed to parse file: \"a.rego\": ` +
				`invalid policy_name declaration: must declare as key"}`,
		},
		{
			"", `{"policies":{"a":"package org\nx = 1","b":"package org"}}`, 400,
			`{"error":"invalid rego content: failed to parse policy file(s): 2 error(s) occurred: failed to parse file: \"a\": ` +
				`first rule declaration must be \"policy_name\" but found \"x\"; failed to parse file: \"b\": ` +
				`must declare rule \"policy_name\" but module contains no rules"}`,
		},
		{
			"", `{"policies":{"a":"package org\npolicy_name[\"x\"]","b":"package org\npolicy_name[\"x\"]"}}`, 400,
			`{"error":"invalid rego content: failed to parse bundle: policy \"x\" declared 2 times"}`,
		},
		{
			"", `{"policies":{"a":"package foo\npolicy_name[\"x\"]"}}`, 400,
			`{"error":"invalid rego content: failed policy linting: \"x\": invalid package name: expected one of packages [org] but got \"package foo\""}`,
		},
	} {
		status, answer := callRaw(t, b.srv, http.MethodPost, path+row.query, row.body)
		assert.Equal(t, row.status, status, row.body)
		assert.JSONEq(t, row.answer, answer, row.body)
	}
	for name, problem := range map[string]string{
		`[""]`: "policy_name must not be empty", `[3.14]`: "invalid policy_name", `["a b"]`: "alphanumeric",
		`["` + strings.Repeat("x", 81) + `"]`: "maximum 80 characters but got 81", " contains \"ok\"": "",
	} {
		_, err := b.upload(t, map[string]string{"a": "package org\npolicy_name" + name})
		if problem == "" {
			assert.NoError(t, err, "the newer Rego says it so")
			continue
		}
		refusal(t, err, 400, problem)
	}
	refusal(t, second(b.upload(t, map[string]string{"a": strings.Repeat("#", 5<<19)})), 413, "maximum size")
}

func TestPoliciesOfNobody(t *testing.T) {
	b := newPolicyBench(t)
	refusal(t, second(b.policy.GetBundle(t.Context(), uuid.New())), 403, "Forbidden")
	refusal(t, second(b.policy.GetDecision(t.Context(), b.owner, uuid.New())), 404, "not found")
	refusal(t, second(b.policy.GetDecisionBundle(t.Context(), b.owner, uuid.New())), 404, "not found")
	for path, words := range map[string]string{
		"/owner/acme/context/config/policy-bundle":                       "OwnerID: must be a valid UUID.",
		"/owner/" + b.owner.String() + "/context/custom/policy-bundle":   "Context: must be a valid value.",
		"/owner/" + b.owner.String() + "/context/config/decision/latest": "DecisionID: must be a valid UUID.",
	} {
		status, answer := callRaw(t, b.srv, http.MethodGet, path, "")
		assert.Equal(t, 400, status)
		assert.JSONEq(t, `{"error":"`+words+`"}`, answer)
	}
}

func TestTheSettingsOfPolicies(t *testing.T) {
	b := newPolicyBench(t)
	for _, on := range []bool{true, false} {
		set, err := b.policy.UpdateSettings(t.Context(), b.owner, circleci.UpdatePolicySettingsRequest{Enabled: on})
		require.NoError(t, err)
		got, err := b.policy.GetSettings(t.Context(), b.owner)
		require.NoError(t, err)
		assert.Equal(t, set, got)
		assert.Equal(t, on, got.Enabled)
	}
	status, answer := callRaw(t, b.srv, http.MethodPatch, "/owner/"+b.owner.String()+"/context/config/decision/settings", `{}`)
	assert.Equal(t, 400, status)
	assert.JSONEq(t, `{"error":"enabled: is required."}`, answer)
}

func TestDecisionsAreWhatTheTestSays(t *testing.T) {
	b := newPolicyBench(t)
	assert.Equal(t, &circleci.Decision{Status: circleci.DecisionStatusPass}, b.decide(t, "version: 2.1", nil), "there are no policies")
	_, err := b.upload(t, map[string]string{"a": named("a", "")})
	require.NoError(t, err)
	undecided := b.decide(t, "version: 2.1", nil)
	assert.Equal(t, circleci.DecisionStatusError, undecided.Status)
	assert.Contains(t, undecided.Reason, "WithPolicyEngine")
	first := circleci.Decision{
		Status: circleci.DecisionStatusHardFail, EnabledRules: []string{"r", "s"},
		HardFailures: []circleci.Violation{{Rule: "r", Reason: "no"}}, SoftFailures: []circleci.Violation{{Rule: "s", Reason: "maybe"}},
	}
	last := circleci.Decision{Status: circleci.DecisionStatusError, Reason: "no package org"}
	b.srv.SetPolicyDecisions("gh/acme", first, last)
	for _, want := range []circleci.Decision{first, last, last} {
		assert.Equal(t, &want, b.decide(t, "version: 2.1", nil))
	}
	b.srv.SetPolicyDecisions("gh/acme")
	assert.Contains(t, b.decide(t, "version: 2.1", nil).Reason, "WithPolicyEngine")
}

// engineFunc is an engine of a test.
type engineFunc func(policies map[string]string, input string, metadata map[string]any) (circleci.Decision, error)

func (f engineFunc) Decide(_ context.Context, policies map[string]string, input string, metadata map[string]any) (circleci.Decision, error) {
	return f(policies, input, metadata)
}

func TestAPolicyEngineDecides(t *testing.T) {
	soft := circleci.Decision{Status: circleci.DecisionStatusSoftFail, SoftFailures: []circleci.Violation{{Rule: "r", Reason: "no"}}}
	b := newPolicyBench(t, circlecitest.WithPolicyEngine(engineFunc(func(policies map[string]string, input string, metadata map[string]any) (circleci.Decision, error) {
		if input == "broken" {
			return circleci.Decision{}, errors.New("out of order")
		}
		assert.Equal(t, map[string]string{"a": named("a", "")}, policies, "by the names that they declare")
		assert.Equal(t, "version: 2.1", input)
		assert.Equal(t, map[string]any{"branch": "main"}, metadata)
		return soft, nil
	})))
	_, err := b.upload(t, map[string]string{"file.rego": named("a", "")})
	require.NoError(t, err)
	assert.Equal(t, &soft, b.decide(t, "version: 2.1", map[string]any{"branch": "main"}))
	b.srv.SetPolicyDecisions("gh/acme", circleci.Decision{Status: circleci.DecisionStatusPass})
	assert.Equal(t, circleci.DecisionStatusPass, b.decide(t, "version: 2.1", nil).Status, "what the test says comes first")
	b.srv.SetPolicyDecisions("gh/acme")
	status, answer := callRaw(t, b.srv, http.MethodPost, "/owner/"+b.owner.String()+"/context/config/decision", `{"input":"broken"}`)
	assert.Equal(t, 500, status)
	assert.Contains(t, answer, "out of order")
}

func TestDecisionsAreLogged(t *testing.T) {
	begin := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	b := newPolicyBench(t, circlecitest.WithManualTime(), circlecitest.WithTime(begin))
	project := uuid.New()
	document := named("a", `enable_hard["r"]`+"\nr = \"v\" { input.v != 2 }")
	_, err := b.upload(t, map[string]string{"a": document})
	require.NoError(t, err)
	for i := range 45 {
		decision := circleci.Decision{Status: circleci.DecisionStatusHardFail, HardFailures: []circleci.Violation{{Rule: "r", Reason: "v"}}}
		if i%3 == 2 {
			decision = circleci.Decision{Status: circleci.DecisionStatusPass}
		}
		b.srv.SetPolicyDecisions("gh/acme", decision)
		metadata := map[string]any{"build_number": 1234567 + i, "vcs": map[string]any{"branch": "main"}}
		if i%2 == 1 {
			metadata = map[string]any{"build_number": 1234567 + i, "project_id": project}
		}
		b.decide(t, fmt.Sprintf("v: %d", i%3), metadata)
		b.srv.Advance(time.Minute)
	}
	count := func(f *circleci.ListDecisionsOptions) int {
		logs, err := b.policy.ListDecisions(b.owner, f).Collect(t.Context())
		require.NoError(t, err)
		return len(logs)
	}
	assert.Equal(t, 45, count(nil))
	assert.Equal(t, 30, count(&circleci.ListDecisionsOptions{Status: circleci.DecisionStatusHardFail}))
	assert.Equal(t, 23, count(&circleci.ListDecisionsOptions{Branch: "main"}))
	assert.Equal(t, 22, count(&circleci.ListDecisionsOptions{ProjectID: project}))
	assert.Equal(t, 1, count(&circleci.ListDecisionsOptions{BuildNumber: 1234570}))
	assert.Equal(t, 4, count(&circleci.ListDecisionsOptions{After: begin.Add(40 * time.Minute)}))
	assert.Equal(t, 3, count(&circleci.ListDecisionsOptions{Before: begin.Add(3 * time.Minute)}))

	page, err := b.policy.ListDecisions(b.owner, nil).Page(t.Context(), "")
	require.NoError(t, err)
	newest := page.Items[0]
	assert.Equal(t, int64(1234611), newest.Metadata.BuildNumber, "the newest come first")
	assert.Equal(t, begin.Add(44*time.Minute), newest.CreatedAt)
	sum := sha512.Sum512([]byte(document))
	assert.Equal(t, map[string]string{"a": hex.EncodeToString(sum[:])}, newest.Policies)

	_, err = b.upload(t, map[string]string{})
	require.NoError(t, err)
	got, err := b.policy.GetDecision(t.Context(), b.owner, newest.ID)
	require.NoError(t, err)
	assert.Equal(t, &newest, got)
	bundle, err := b.policy.GetDecisionBundle(t.Context(), b.owner, newest.ID)
	require.NoError(t, err)
	assert.Equal(t, document, bundle["a"][0].Content, "it was made by the policies of its time")

	path := "/owner/" + b.owner.String() + "/context/config/decision"
	for query, want := range map[string]int{"?after=yesterday": 400, "?offset=x": 400, "?offset=-1": 400, "?offset=1000": 200} {
		status, answer := callRaw(t, b.srv, http.MethodGet, path+query, "")
		assert.Equal(t, want, status, query)
		assert.Equal(t, want == 200, answer == "[]", "%s: %s", query, answer)
	}
	status, _ := callRaw(t, b.srv, http.MethodPost, path, `{"metadata":{}}`)
	assert.Equal(t, 400, status, "a decision needs an input")
}
