package circlecitest_test

import (
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
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

func TestSimplePoliciesDecide(t *testing.T) {
	violation := func(rule, reason string) []circleci.Violation {
		return []circleci.Violation{{Rule: rule, Reason: reason}}
	}
	const check = `check = "no setup" { input.setup == true }`
	for name, row := range map[string]struct {
		policies []string
		want     circleci.Decision
	}{
		"no policies": {nil, circleci.Decision{Status: circleci.DecisionStatusPass}},
		"a rule that is not enabled": {
			[]string{check}, circleci.Decision{Status: circleci.DecisionStatusPass},
		},
		"a rule that is kept": {
			[]string{`enable_hard["check"]`, `check = "x" { input.version == 1 }`},
			circleci.Decision{Status: circleci.DecisionStatusPass, EnabledRules: []string{"check"}},
		},
		"a soft rule": {
			[]string{`enable_rule["check"]` + "\n" + check},
			circleci.Decision{
				Status: circleci.DecisionStatusSoftFail, EnabledRules: []string{"check"}, SoftFailures: violation("check", "no setup"),
			},
		},
		"a hard rule, over two documents": {
			[]string{`enable_rule["check"]`, `hard_fail["check"]` + "\n" + check},
			circleci.Decision{
				Status: circleci.DecisionStatusHardFail, EnabledRules: []string{"check"}, HardFailures: violation("check", "no setup"),
			},
		},
		"a hard rule in one line, beside a soft one": {
			[]string{`enable_hard["always"]` + "\nalways = \"never\"", `enable_rule["check"]` + "\n" + check},
			circleci.Decision{
				Status: circleci.DecisionStatusHardFail, EnabledRules: []string{"always", "check"},
				HardFailures: violation("always", "never"), SoftFailures: violation("check", "no setup"),
			},
		},
		"hard only if the metadata say so": {
			[]string{`enable_rule["check"]`, `hard_fail["check"] { data.meta.hard }` + "\n" + check},
			circleci.Decision{
				Status: circleci.DecisionStatusHardFail, EnabledRules: []string{"check"}, HardFailures: violation("check", "no setup"),
			},
		},
		"several reasons": {
			[]string{`enable_rule["check"]`, `check["two"] { input.setup }` + "\n" + `check["one"]` + "\n" + `check["three"] { not input.setup }`},
			circleci.Decision{
				Status: circleci.DecisionStatusSoftFail, EnabledRules: []string{"check"},
				SoftFailures: []circleci.Violation{{Rule: "check", Reason: "one"}, {Rule: "check", Reason: "two"}},
			},
		},
		"a reason that the body sets": {
			[]string{`enable_hard["check"]`, "check = reason {\n\tnot input.version # no version\n\treason := \"no version\"\n} {\n\tinput.setup\n\treason := \"no setup\"\n}"},
			circleci.Decision{
				Status: circleci.DecisionStatusHardFail, EnabledRules: []string{"check"}, HardFailures: violation("check", "no setup"),
			},
		},
		"the newer Rego": {
			[]string{"enable_rule contains \"check\"", "check contains reason if {\n\tinput.setup\n\treason := \"no setup\"\n}"},
			circleci.Decision{
				Status: circleci.DecisionStatusSoftFail, EnabledRules: []string{"check"}, SoftFailures: violation("check", "no setup"),
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newPolicyBench(t)
			documents := map[string]string{}
			for i, rules := range row.policies {
				documents[strconv.Itoa(i)] = fmt.Sprintf("# a policy\npackage org\nimport future.keywords\n\npolicy_name[\"p%d\"]\n%s\n", i, rules)
			}
			_, err := b.upload(t, documents)
			require.NoError(t, err)
			assert.Equal(t, &row.want, b.decide(t, "version: 2.1\nsetup: true\n", map[string]any{"hard": true}))
		})
	}
}

// conditions are what bodies can ask of inputs.
func TestConditionsOfPolicies(t *testing.T) {
	const input = `# a configuration
---
version: 2.1
setup: false
"quoted key": "a \"text\""   # with a comment
'single': 'it''s'
hash: a#b
url: https://example.com/#part
empty:
nothing: ~
minus: -3
big: 9007199254740993
exp: 1e3
date: 2026-03-01
jobs:
  build:
    docker:
      - image: cimg/go:1.26
        auth: {"user": "ada"}
    steps:
    - checkout
    - run: |
        echo one # no comment
          echo two

        echo three
    - run:
        command: >-
          one
          two
    branches: [main, "it", 7]
  empty: {}
script: |
  one # two

    three

folded: >
  one
  two
list:
  -
  - - nested
    - 2
last: end
`
	for condition, want := range map[string]bool{
		`input.version == 2.1`:                      true,
		`input.version != 2.1`:                      false,
		`input.version >= 2`:                        true,
		`input.version > 2.1`:                       false,
		`input.version < 3`:                         true,
		`input.version <= 2.1`:                      true,
		`input.version == "2.1"`:                    false,
		`not input.version`:                         false,
		`not input.absent`:                          true,
		`input.absent`:                              false,
		`input.absent != 1`:                         false, // what is not there is not unequal
		`not input.absent == 1`:                     true,
		`input.setup`:                               false,
		`not input.setup`:                           true,
		`input.setup == false`:                      true,
		`input.setup == true`:                       false,
		`input["quoted key"] == "a \"text\""`:       true,
		"input[\"quoted key\"] == `a \"text\"`":     true,
		`input.single == "it's"`:                    true,
		`input.hash == "a#b"`:                       true,
		`input.url == "https://example.com/#part"`:  true,
		`input.empty == null`:                       true,
		`input.nothing == null`:                     true,
		`input.nothing`:                             true, // null is not false
		`input.minus == -3`:                         true,
		`input.minus < 0`:                           true,
		`input.exp == 1000`:                         true,
		`input.date == "2026-03-01"`:                true,
		`input.date > "2026"`:                       true,
		`input.version < "a"`:                       true, // numbers come before texts
		`input.jobs != null`:                        true,
		`input.jobs.build.docker`:                   true,
		`input.jobs.build.docker.image`:             false, // no list has keys
		`input.jobs.build.steps == "checkout"`:      false,
		`input.script == "one # two\n\n  three\n"`:  true,
		`input.folded == "one two\n"`:               true,
		`input.jobs.empty`:                          true,
		`input.last == "end"`:                       true,
		`data.meta.vcs.branch == "main"`:            true,
		`data.meta.build_number == 7`:               true,
		`not data.meta.ssh_rerun`:                   true,
		`input.version == 2.1; input.last == "end"`: true,
		`input.version == 2.1; input.last == "x"`:   false,
	} {
		t.Run(condition, func(t *testing.T) {
			b := newPolicyBench(t)
			_, err := b.upload(t, map[string]string{"a": named("a", `enable_rule["r"]`+"\nr = \"holds\" { "+condition+" }")})
			require.NoError(t, err)
			d := b.decide(t, input, map[string]any{"build_number": 7, "vcs": map[string]any{"branch": "main"}})
			assert.Empty(t, d.Reason)
			assert.Equal(t, want, d.Status == circleci.DecisionStatusSoftFail)
		})
	}
}

func TestInputAsJSON(t *testing.T) {
	b := newPolicyBench(t)
	_, err := b.upload(t, map[string]string{"a": named("a", `enable_rule["r"]`+"\nr = \"holds\" { input.a.b == 1 }")})
	require.NoError(t, err)
	assert.Equal(t, circleci.DecisionStatusSoftFail, b.decide(t, ` {"a":{"b":1}}`, nil).Status)
	assert.Equal(t, circleci.DecisionStatusPass, b.decide(t, "text", nil).Status)
	assert.Equal(t, circleci.DecisionStatusPass, b.decide(t, "# no more than this", nil).Status)
	assert.Equal(t, circleci.DecisionStatusError, b.decide(t, `{"a":`, nil).Status)
}

// What is not modelled is said, and never guessed.
func TestWhatIsBeyondTheModelIsNamed(t *testing.T) {
	for rules, words := range map[string]string{
		"default allow = false":                    "allow",
		"r = 7":                                    "line 5: 7",
		"r = x":                                    "the end of the line",
		"r { input.a }":                            "{",
		"f(x) = \"a\" { input.a }":                 "(",
		"r = \"a\" { input.a == input.b }":         "input",
		"r = \"a\" { input.a == -x }":              "x",
		"r = \"a\" { some i; input.a }":            "some",
		"r = \"a\" { is_number(input.a) }":         "is_number",
		"r = \"a\" { input.jobs[_].docker }":       "_",
		"r = \"a\" { input.a.[0] }":                "[",
		"r = \"a\" { data.circleci.config.x }":     "circleci",
		"r = \"a\" { x := 7 }":                     "7",
		"r = \"a\" { not x := \"b\" }":             "b",
		"r = \"a\" { input.a } else = \"b\"":       "else",
		"r = \"a\" { input.a":                      "the end",
		"r = \"a\" { input.a input.b }":            "input",
		"r = reason { input.a }":                   "reason",
		"r[\"a\" { input.a }":                      "{",
		"r = config.ban_orbs([\"evilcorp/evil\"])": ".",
		"7 = \"a\"":                                "7",
		"r = \"a\" { input.a[\"b\" }":              "}",
	} {
		b := newPolicyBench(t)
		_, err := b.upload(t, map[string]string{"a": named("mine", rules)})
		require.NoError(t, err, "it may well be good Rego")
		d := b.decide(t, "a: 1", nil)
		assert.Equal(t, circleci.DecisionStatusError, d.Status, rules)
		assert.Contains(t, d.Reason, `policy "mine": `, rules)
		assert.Contains(t, d.Reason, words, rules)
		assert.Contains(t, d.Reason, "modelled", rules)
	}
	for input, line := range map[string]string{
		"a: &x 1":                "line 1",
		"a: *x":                  "line 1",
		"a: !!str 1":             "line 1",
		"a: 1\nb:\n  - x: |9\n":  "line",
		"a: 1\n  b: 2":           "line 2",
		"a: one\n  two":          "line 2",
		"a: [x, [y]]":            "line 1",
		"a: \"open":              "line 1",
		"a: >\n  one\n\n  two\n": "line 1",
		"a: 'open":               "line 1",
		"a:\n\tb: 1":             "line 2",
		"- a\nb: 1":              "line 2",
		"a: 1\n- b":              "line 2",
	} {
		b := newPolicyBench(t)
		_, err := b.upload(t, map[string]string{"a": named("a", "")})
		require.NoError(t, err)
		d := b.decide(t, input, nil)
		assert.Equal(t, circleci.DecisionStatusError, d.Status, input)
		assert.Contains(t, d.Reason, line, input)
	}
}

func TestDecisionsAreLogged(t *testing.T) {
	begin := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	b := newPolicyBench(t, circlecitest.WithManualTime(), circlecitest.WithTime(begin))
	project := uuid.New()
	document := named("a", `enable_hard["r"]`+"\nr = \"v\" { input.v != 2 }")
	_, err := b.upload(t, map[string]string{"a": document})
	require.NoError(t, err)
	for i := range 45 {
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
