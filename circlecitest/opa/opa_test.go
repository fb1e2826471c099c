package opa_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/opa"
)

const project = "6e2b3f0e-6f3c-4f0c-9a3e-0d7d5f8a9b1c"

const configuration = `
version: 2.1
orbs:
  node: circleci/node@5.1.0
  slack: circleci/slack@4.12.5
jobs:
  build: {docker: [{image: cimg/base}], resource_class: large}
workflows:
  version: 2
  ci:
    jobs:
      - build: {context: [deploy, aws], filters: {branches: {only: [main, dev]}}}
      - test
`

func decideOne(t *testing.T, rule string) circleci.Decision {
	t.Helper()
	policy := "package org\n\nimport data.circleci.config\nimport data.circleci.utils\n\npolicy_name[\"p\"]\n\nenable_rule[\"r\"]\n\n" + rule
	d, err := opa.New().Decide(t.Context(), map[string]string{"p": policy}, configuration, map[string]any{"project_id": project})
	require.NoError(t, err)
	return d
}

func TestStatuses(t *testing.T) {
	for name, test := range map[string]struct {
		policy string
		want   circleci.DecisionStatus
	}{
		"nothing enabled":  {`r = "no" { input.version }`, circleci.DecisionStatusPass},
		"enabled, holds":   {"enable_rule[\"r\"]\nr = \"no\" { input.version != 2.1 }", circleci.DecisionStatusPass},
		"enabled, fails":   {"enable_rule[\"r\"]\nr = \"no\" { input.version == 2.1 }", circleci.DecisionStatusSoftFail},
		"hard_fail":        {"enable_rule[\"r\"]\nhard_fail[\"r\"]\nr = \"no\" { true }", circleci.DecisionStatusHardFail},
		"enable_hard":      {"enable_hard[\"r\"]\nr[\"no\"] { true }", circleci.DecisionStatusHardFail},
		"does not compile": {"enable_rule[\"r\"]\nr = nope { true }", circleci.DecisionStatusError},
		"does not parse":   {"r = {{", circleci.DecisionStatusError},
		"network":          {"enable_rule[\"r\"]\nr = \"x\" { http.send({\"method\": \"GET\", \"url\": \"http://127.0.0.1\"}) }", circleci.DecisionStatusError},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := opa.New().Decide(t.Context(), map[string]string{"p": "package org\npolicy_name[\"p\"]\n" + test.policy}, configuration, nil)
			require.NoError(t, err)
			assert.Equal(t, test.want, d.Status, "%+v", d)
			assert.Equal(t, test.want == circleci.DecisionStatusError, d.Reason != "")
		})
	}
}

func TestWithoutPolicies(t *testing.T) {
	d, err := opa.New().Decide(t.Context(), nil, configuration, nil)
	require.NoError(t, err)
	assert.Equal(t, circleci.Decision{Status: circleci.DecisionStatusPass}, d)
}

func TestInputThatCannotBeRead(t *testing.T) {
	for _, input := range []string{"", "a: [", "- a list"} {
		d, err := opa.New().Decide(t.Context(), map[string]string{"p": "package org"}, input, nil)
		require.NoError(t, err)
		assert.Equal(t, circleci.DecisionStatusError, d.Status, input)
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("the test is over")
	cancel(reason)
	_, err := opa.New().Decide(ctx, map[string]string{"p": "package org\nx = 1"}, configuration, nil)
	assert.ErrorIs(t, err, reason)
}

// Several policies make one decision.
func TestSeveralPolicies(t *testing.T) {
	d, err := opa.New().Decide(t.Context(), map[string]string{
		"a": "package org\npolicy_name[\"a\"]\nenable_rule[\"one\"]\none[\"first\"] { true }\none[\"second\"] { true }",
		"b": "package org\npolicy_name[\"b\"]\nenable_hard[\"two\"]\ntwo = {\"k\": \"third\"} { true }",
	}, configuration, nil)
	require.NoError(t, err)
	assert.Equal(t, circleci.Decision{
		Status: circleci.DecisionStatusHardFail, EnabledRules: []string{"one", "two"},
		HardFailures: []circleci.Violation{{Rule: "two", Reason: "third"}},
		SoftFailures: []circleci.Violation{{Rule: "one", Reason: "first"}, {Rule: "one", Reason: "second"}},
	}, d)
}

func TestHelpers(t *testing.T) {
	for name, test := range map[string]struct {
		rule string
		want []string
	}{
		"orbs":                    {`r = sprintf("node %s", [config.orbs["circleci/node"]])`, []string{"node 5.1.0"}},
		"ban_orbs":                {`r = config.ban_orbs(["circleci/node", "evil/orb"])`, []string{"circleci/node orb is not allowed in CircleCI configuration"}},
		"ban_orbs_version":        {`r = config.ban_orbs_version(["circleci/node@5.1.0", "circleci/slack@1.0.0"])`, []string{"circleci/node@5.1.0 orb is not allowed in CircleCI configuration"}},
		"orbs_allowlist":          {`r = config.orbs_allowlist({"circleci/node"})`, []string{"circleci/slack orb is not allowed in CircleCI configuration"}},
		"require_orbs":            {`r = config.require_orbs(["circleci/node", "acme/lint"])`, []string{"acme/lint orb is required in CircleCI configuration"}},
		"require_orbs_version":    {`r = config.require_orbs_version(["circleci/node@6.0.0"])`, []string{"circleci/node@6.0.0 orb is required in CircleCI configuration"}},
		"jobs":                    {`r = concat(" ", config.jobs)`, []string{"build test"}},
		"require_jobs":            {`r = config.require_jobs(["build", "scan"])`, []string{"scan job is required in CircleCI configuration"}},
		"resource class, foreign": {`r = config.resource_class_by_project({"large": {"other"}})`, []string{`project is not allowed to use resource_class "large" declared in job "build"`}},
		"resource class, own":     {`r = config.resource_class_by_project({"large": {data.meta.project_id}})`, nil},
		"contexts blocked":        {`r = config.contexts_blocked_by_project_ids(data.meta.project_id, ["aws"])`, []string{"ci.build: uses context value(s) in blocklist for project: aws"}},
		"contexts allowed":        {`r = config.contexts_allowed_by_project_ids([data.meta.project_id], ["aws"])`, []string{"ci.build: uses context value(s) not in allowlist for project: deploy"}},
		"contexts of others":      {`r = config.contexts_reserved_by_project_ids(["other"], {"aws"})`, []string{"ci.build: uses context value(s) reserved to other projects: aws"}},
		"contexts of its own":     {`r = config.contexts_reserved_by_project_ids([data.meta.project_id], ["aws"])`, nil},
		"contexts by branch":      {`r = config.contexts_reserved_by_branches(["main"], ["aws"])`, []string{"ci.build: uses context value(s): aws - that cannot be used with branches: dev"}},
		"contexts by any branch":  {`r = config.contexts_reserved_by_branches(["main", "dev"], "aws")`, nil},
		"parameterized":           {`r = "yes" { utils.is_parameterized_expression("<< pipeline.parameters.x >>") }`, []string{"yes"}},
		"to_array":                {`r = utils.to_array("one")`, []string{"one"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := decideOne(t, test.rule)
			require.Empty(t, d.Reason)
			var got []string
			for _, v := range d.SoftFailures {
				got = append(got, v.Reason)
			}
			assert.Equal(t, test.want, got)
		})
	}
}

func ExampleEngine_Decide() {
	decision, err := opa.New().Decide(context.Background(), map[string]string{"versions": `
package org

policy_name["versions"]

enable_hard["version_is_2_1"]

version_is_2_1 = "the version must be 2.1" { input.version != 2.1 }
`}, "version: 2.0", nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(decision.Status, decision.HardFailures)
	// Output: HARD_FAIL [{version_is_2_1 the version must be 2.1}]
}
