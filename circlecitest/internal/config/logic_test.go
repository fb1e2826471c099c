package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/circlecitest/internal/config"
)

// A condition decides whether its workflow runs.
func TestConditions(t *testing.T) {
	runs(t, "", map[string]bool{
		// YAML's own values.
		"true": true, "false": false, "0": false, "1": true, "0.0": false, "1.5": true, "null": false, `""`: false, `"0"`: true,
		// Texts with references.
		"<< pipeline.parameters.deploy >>": false, "<< pipeline.parameters.region >>": true, "<< pipeline.parameters.replicas >>": true,
		`"<< pipeline.parameters.deploy >> "`: false, `"x << pipeline.parameters.deploy >>"`: true, "<< pipeline.git.tag >>": false,
		`"<< pipeline.git.tag >><< pipeline.git.tag >>"`: false, `"<< pipeline.parameters.deploy >><< pipeline.git.tag >>"`: false,
		// Operators.
		"{not: true}": false, "{not: false}": true, "{not: 0}": true,
		"{and: []}": true, "{or: []}": false, "{and: [true, false]}": false, "{and: [false, true]}": false, "{and: [true, true]}": true,
		"{or: [true, false]}": true, "{or: [false, true]}": true, "{or: [false, false]}": false,
		"{equal: [1]}": true, "{equal: [1, 1]}": true, "{equal: [1, 2]}": false, "{equal: [1, 1, 2]}": false, `{equal: [1, "1"]}`: true,
		"{equal: [&x 1, *x]}": true, `{equal: [main, &y "<< pipeline.git.branch >>", *y]}`: true, "&z {not: false}": true,
		"{equal: [eu, << pipeline.parameters.region >>]}": true, "{equal: [us, << pipeline.parameters.region >>]}": false,
		"{matches: {pattern: ma.n, value: << pipeline.git.branch >>}}": true, "{matches: {pattern: ma, value: << pipeline.git.branch >>}}": false,
		"{matches: {pattern: ain, value: << pipeline.git.branch >>}}": false, "{matches: {pattern: a|main, value: main}}": true,
	})
	runs(t, ">-\n      ", map[string]bool{ // expressions
		"pipeline.parameters.deploy": false, "pipeline.parameters.region": true, "not pipeline.parameters.deploy": true, "not not pipeline.parameters.deploy": false,
		`pipeline.git.branch == "main"`: true, `pipeline.git.branch == 'main'`: true, `pipeline.git.branch == "dev"`: false,
		`pipeline.git.branch != "main"`: false, `pipeline.git.branch != "dev"`: true,
		`pipeline.git.branch =~ "^ma"`: true, `pipeline.git.branch =~ "^in"`: false, `pipeline.git.branch =~ "in$"`: true,
		`pipeline.git.branch starts-with "ma"`: true, `pipeline.git.branch starts-with "in"`: false,
		"pipeline.number < 7": false, "pipeline.number < 8": true, "pipeline.number <= 7": true, "pipeline.number <= 6": false,
		"pipeline.number > 7": false, "pipeline.number > 6": true, "pipeline.number >= 7": true, "pipeline.number >= 8": false, "pipeline.number >= -1": true,
		"true and false": false, "true and true": true, "false and true": false, "true and true and false": false, "true and false and true": false,
		"true or false": true, "false or true": true, "false or false": false, "false or false or true": true,
		"true or true and false": true, "(true or true) and false": false, "false and true or true": true, "false and (true or true)": false,
		"not true or true": true, "not (true or true)": false, "not false and false": false,
		`"a \"b\"" == 'a "b"'`: true, `'' == ""`: true, `'a' == ""`: false, `"it's" == "its"`: false,
		`pipeline.git.branch == "main" and pipeline.number == 7`: true,
	})
}

// runs checks whether a workflow with these conditions runs. Before each of them
// comes what makes it a text in YAML.
func runs(t *testing.T, before string, conditions map[string]bool) {
	t.Helper()
	for condition, want := range conditions {
		c, err := config.Parse([]byte(jobs + "  ci:\n    when: " + before + condition + "\n    jobs: [build]"))
		require.NoError(t, err, condition)
		planned, err := c.Plan(config.Trigger{Branch: "main", Values: map[string]any{"pipeline.number": int64(7)}})
		require.NoError(t, err, condition)
		assert.Equal(t, want, len(planned) == 1, condition)
	}
}

func TestConditionsThatAreWrong(t *testing.T) {
	for condition, want := range map[string]string{
		"[true]": "neither a value nor an operator", "{}": "0 operators instead of one", "{and: [true], or: [true]}": "2 operators instead of one",
		"{and: true}": "and: expected a list", "{or: {a: b}}": "or: expected a list", "{equal: []}": "equal: expected a list", "{equal: 1}": "equal: expected a list",
		"{equal: [<< pipeline.x >>, << pipeline.x >>]}": "pipeline.x is not modeled", "{equal: [1, << pipeline.x >>, 1]}": "pipeline.x is not modeled",
		"{equal: [<< pipeline.x >>, 1]}": "pipeline.x is not modeled", "{not: << pipeline.x >>}": "pipeline.x is not modeled",
		"{matches: 1}": "matches: ", "{matches: {pattern: (, value: a}}": "not a regular expression", "{matches: {pattern: a, value: << pipeline.x >>}}": "pipeline.x is not modeled",
		`"a << pipeline.x >> b"`: "pipeline.x is not modeled", `"<< pipeline.x >> << pipeline.number >>"`: "pipeline.x is not modeled",
		`"true)"`: `unexpected ")"`, `"true true"`: `unexpected "true"`, `"pipeline.git.branch =~ '('"`: "not a regular expression", `"1 < pipeline.git.branch"`: "compares numbers",
		`"pipeline.git.branch == $x"`: `unexpected "$"`, `"not"`: "ends too early", `"(true"`: "not closed", `"pipeline.x == pipeline.y"`: "pipeline.x is not modeled",
		`"true and pipeline.parameters.none"`: "the pipeline parameter none is not declared",
	} {
		c, err := config.Parse([]byte(jobs + "  ci: {when: " + condition + ", jobs: [build]}"))
		require.NoError(t, err, condition)
		_, err = c.Plan(config.Trigger{Branch: "main", Values: map[string]any{"pipeline.number": int64(7)}})
		assert.ErrorContains(t, err, want, condition)
	}
}
