package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/circlecitest/internal/config"
)

const jobs = `
version: 2.1
parameters:
  deploy: {type: boolean, default: false}
  region: {type: string, default: eu}
  replicas: {type: integer, default: 1}
  size: {type: enum, enum: [small, large], default: small}
orbs:
  node: circleci/node@5
jobs:
  build: {docker: [{image: cimg/base}], steps: [checkout]}
  test:
    parameters: {version: {type: string, default: ""}, os: {type: string, default: linux}}
    parallelism: 4
    docker: [{image: cimg/base}]
    steps: [checkout]
  go: {parameters: {version: {type: string}, n: {type: integer, default: 1}}, parallelism: << parameters.n >>, docker: [{image: cimg/base}]}
  deploy: {docker: [{image: cimg/base}], steps: [checkout]}
workflows:
`

// plan describes what runs: "workflow: job, job<required".
func plan(t *testing.T, workflows string, trigger config.Trigger) []string {
	t.Helper()
	c, err := config.Parse([]byte(jobs + workflows))
	require.NoError(t, err)
	planned, err := c.Plan(trigger)
	require.NoError(t, err)
	var out []string
	for _, w := range planned {
		var names []string
		for _, j := range w.Jobs {
			name := j.Name
			if j.Approval {
				name += "?"
			}
			parts := []string{name}
			for _, req := range j.Requires {
				part := req.Job
				if !assert.ObjectsAreEqual(req.Statuses, []string{"success"}) {
					part += "=" + strings.Join(req.Statuses, "|")
				}
				parts = append(parts, part)
			}
			names = append(names, strings.Join(parts, "<"))
		}
		out = append(out, w.Name+": "+strings.Join(names, ", "))
	}
	return out
}

func TestPlan(t *testing.T) {
	main := config.Trigger{Branch: "main"}
	for name, test := range map[string]struct {
		workflows string
		trigger   config.Trigger
		want      []string
	}{
		"order and approval": {
			"  ci: {jobs: [build, test: {requires: [build]}, hold: {type: approval, requires: [test]}, deploy: {requires: [hold]}]}",
			main, []string{"ci: build, test<build, hold?<test, deploy<hold"},
		},
		"an orb's job": {"  ci: {jobs: [node/test, build: {requires: [node/test]}]}", main, []string{"ci: node/test, build<node/test"}},
		"any terminal status": {
			"  ci: {jobs: [build, test: {requires: [build: terminal]}]}", main, []string{"ci: build, test<build=success|failed|canceled|unauthorized|not_run"},
		},
		"arguments by a matrix": {"  ci: {jobs: [go: {matrix: {parameters: {version: ['1']}}}]}", main, []string{"ci: go-1"}},
		"required statuses": {
			"  ci: {jobs: [build, test: {requires: [build: [failed, canceled]]}]}", main, []string{"ci: build, test<build=failed|canceled"},
		},
		"branch filter": {
			"  ci: {jobs: [build, deploy: {requires: [build], filters: {branches: {only: [main, /release-.*/]}}}]}",
			config.Trigger{Branch: "release-1"}, []string{"ci: build, deploy<build"},
		},
		"branch excluded, with what requires it": {
			"  ci: {jobs: [build: {filters: {branches: {ignore: main}}}, test: {requires: [build]}, deploy]}", main, []string{"ci: deploy"},
		},
		"a pattern matches the whole branch": {
			"  ci: {jobs: [build, deploy: {filters: {branches: {only: /main/}}}]}", config.Trigger{Branch: "mainline"}, []string{"ci: build"},
		},
		"a tag runs only jobs that ask for it": {
			"  ci: {jobs: [build, deploy: {filters: {tags: {only: /v.*/}}}]}", config.Trigger{Tag: "v1.2"}, []string{"ci: deploy"},
		},
		"a tag filter alone keeps the branches": {
			"  ci: {jobs: [deploy: {filters: {tags: {only: /v.*/}}}]}", main, []string{"ci: deploy"},
		},
		"no job, no workflow": {"  ci: {jobs: [build]}", config.Trigger{Tag: "v1"}, nil},
		"filter expression": {
			"  ci: {jobs: [build, deploy: {filters: pipeline.git.branch == \"main\" and not pipeline.parameters.deploy}]}", main, []string{"ci: build, deploy"},
		},
		"when and unless": {
			"  a: {when: << pipeline.parameters.deploy >>, jobs: [deploy]}\n  b: {unless: << pipeline.parameters.deploy >>, jobs: [build]}",
			config.Trigger{Branch: "main", Parameters: map[string]any{"deploy": true}}, []string{"a: deploy"},
		},
		"logic": {
			"  a: {when: {and: [{equal: [main, << pipeline.git.branch >>]}, {not: {equal: [us, << pipeline.parameters.region >>]}}]}, jobs: [deploy]}\n" +
				"  b: {when: {or: [<< pipeline.parameters.deploy >>, {matches: {pattern: '^rel.*$', value: << pipeline.git.branch >>}}]}, jobs: [build]}",
			main, []string{"a: deploy"},
		},
		"expressions": {
			"  a: {when: 'pipeline.parameters.replicas >= 3 or (pipeline.git.branch starts-with \"ma\" and pipeline.parameters.region != \"us\")', jobs: [deploy]}\n" +
				"  b: {when: 'pipeline.git.branch =~ \"^rel\"', jobs: [build]}",
			main, []string{"a: deploy"},
		},
		"schedules do not run for a push": {"  nightly: {triggers: [{schedule: {cron: '0 0 * * *'}}], jobs: [build]}\n  ci: {jobs: [build]}", main, []string{"ci: build"}},
		"matrix": {
			"  ci: {jobs: [test: {matrix: {parameters: {version: ['1.26', '1.27'], os: [linux, mac]}, exclude: [{version: '1.26', os: mac}]}}, deploy: {requires: [test]}]}",
			main, []string{"ci: test-linux-1.26, test-linux-1.27, test-mac-1.27, deploy<test-linux-1.26<test-linux-1.27<test-mac-1.27"},
		},
		"named matrix with an alias": {
			"  ci: {jobs: [test: {name: unit << matrix.os >>, matrix: {alias: all, parameters: {os: [linux, mac]}}}, deploy: {requires: [all]}]}",
			main, []string{"ci: unit linux, unit mac, deploy<unit linux<unit mac"},
		},
		"names with pipeline values": {
			"  ci: {jobs: [deploy: {name: deploy << pipeline.parameters.region >> << pipeline.number >>}]}",
			config.Trigger{Branch: "main", Values: map[string]any{"pipeline.number": 7}}, []string{"ci: deploy eu 7"},
		},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, plan(t, test.workflows, test.trigger)) })
	}
}

func TestPlanOfAFileWithoutWorkflows(t *testing.T) {
	c, err := config.Parse([]byte("version: 2.1\njobs: {build: {steps: [checkout]}}"))
	require.NoError(t, err)
	planned, err := c.Plan(config.Trigger{Branch: "main"})
	require.NoError(t, err)
	require.Len(t, planned, 1)
	assert.Equal(t, "workflow", planned[0].Name)
	assert.Equal(t, "build", planned[0].Jobs[0].Name)
}

func TestJobDetails(t *testing.T) {
	c, err := config.Parse([]byte(`
version: 2.1
parameters: {shards: {type: integer, default: 3}}
jobs:
  test:
    parameters: {n: {type: integer, default: 2}}
    parallelism: << parameters.n >>
    steps: [checkout]
workflows:
  version: 2
  ci:
    jobs:
      - test: {name: two, context: org-global}
      - test: {name: three, n: << pipeline.parameters.shards >>, context: [a, b]}
      - test: {matrix: {parameters: {n: [5]}}}
`))
	require.NoError(t, err)
	planned, err := c.Plan(config.Trigger{Branch: "main"})
	require.NoError(t, err)
	got := planned[0].Jobs
	assert.Equal(t, []int{2, 3, 5}, []int{got[0].Parallelism, got[1].Parallelism, got[2].Parallelism})
	assert.Equal(t, []string{"org-global"}, got[0].Contexts)
	assert.Equal(t, []string{"a", "b"}, got[1].Contexts)
}

func TestSetup(t *testing.T) {
	c, err := config.Parse([]byte("version: 2.1\nsetup: true\njobs: {s: {}}\nworkflows: {w: {jobs: [s]}}"))
	require.NoError(t, err)
	assert.True(t, c.Setup)
	_, err = config.Parse([]byte("version: 2.1\nsetup: true\njobs: {s: {}}\nworkflows: {w: {jobs: [s]}, v: {jobs: [s]}}"))
	assert.ErrorContains(t, err, "one workflow only")
}

// Anchors, merge keys and folded texts are YAML that real configurations use.
func TestYAML(t *testing.T) {
	c, err := config.Parse([]byte(`
version: 2.1
defaults: &defaults
  parallelism: 2
jobs:
  build:
    <<: *defaults
    steps: [checkout]
workflows:
  ci:
    when: >-
      pipeline.git.branch
      == "main"
    jobs: &list
      - build
  again:
    jobs: *list
`))
	require.NoError(t, err)
	planned, err := c.Plan(config.Trigger{Branch: "main"})
	require.NoError(t, err)
	require.Len(t, planned, 2)
	assert.Equal(t, 2, planned[0].Jobs[0].Parallelism)
}

func TestParseRefuses(t *testing.T) {
	for name, test := range map[string]struct{ source, want string }{
		"nothing":             {"", "is empty"},
		"no YAML":             {"a: [", "not valid YAML"},
		"no map":              {"- a", "expected a map"},
		"no version":          {"jobs: {build: {}}", "version: expected 2 or 2.1"},
		"no workflow":         {"version: 2.1\njobs: {a: {}}", "no workflows"},
		"undefined job":       {jobs + "  ci: {jobs: [nope]}", "the job nope is not defined"},
		"undeclared orb":      {jobs + "  ci: {jobs: [aws/deploy]}", "the orb aws of job aws/deploy is not declared"},
		"empty workflow":      {jobs + "  ci: {jobs: []}", "has no jobs"},
		"jobs that are a map": {jobs + "  ci: {jobs: {build: {}}}", "expected a list"},
		"parameter's type":    {"version: 2.1\nparameters: {p: {type: map}}\njobs: {build: {}}", `the type "map" is not one of`},
		"parameter's default": {"version: 2.1\nparameters: {p: {type: integer, default: x}}\njobs: {build: {}}", "x is not of type integer"},
		"enum's default":      {"version: 2.1\nparameters: {p: {type: enum, enum: [a], default: x}}\njobs: {build: {}}", "is not one of a"},
		"empty matrix":        {jobs + "  ci: {jobs: [test: {matrix: {parameters: {os: []}}}]}", "has no values"},
		"matrix without any":  {jobs + "  ci: {jobs: [test: {matrix: {alias: x}}]}", "has no parameters"},
		"matrix that is huge": {jobs + "  ci: {jobs: [test: {matrix: {parameters: {a: [1,2,3,4,5,6], b: [1,2,3,4,5,6], c: [1,2,3,4,5,6]}}}]}", "more than 128"},
		"recursive alias":     {"version: 2.1\njobs: &a {build: *a}", "refers to itself"},
		"expanding aliases":   {"a: &a [1,1,1,1,1,1,1,1,1]\n" + bomb(), "too large"},
		"job groups":          {jobs + "  ci: {jobs: [build]}\njob-groups: {}", "job-groups are not modeled"},
		"pre-steps":           {jobs + "  ci: {jobs: [build: {pre-steps: []}]}", "pre-steps is not modeled"},
		"post-steps":          {jobs + "  ci: {jobs: [build: {post-steps: []}]}", "post-steps is not modeled"},
		"override-with":       {jobs + "  ci: {jobs: [build: {override-with: a/b}]}", "override-with is not modeled"},
		"automatic reruns":    {jobs + "  ci: {max_auto_reruns: 3, jobs: [build]}", "max_auto_reruns is not modeled"},
		"a workflow's key":    {jobs + "  ci: {filters: {}, jobs: [build]}", "workflow ci: filters is not modeled"},
		"unknown status":      {jobs + "  ci: {jobs: [build, test: {requires: [build: [fail]]}]}", "requires: fail is not a status"},
		"unknown argument":    {jobs + "  ci: {jobs: [build, test: {require: [build]}]}", "job test: Unexpected argument(s): require"},
		"unknown matrix":      {jobs + "  ci: {jobs: [build: {matrix: {parameters: {os: [a]}}}]}", "job build: Unexpected argument(s): os"},
		"missing argument":    {jobs + "  ci: {jobs: [go]}", "job go: Missing required argument(s): version"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Parse([]byte(test.source))
			var problems *config.Error
			require.ErrorAs(t, err, &problems)
			assert.ErrorContains(t, err, test.want)
		})
	}
}

// bomb nests aliases, so that nine lines stand for 9^8 nodes.
func bomb() string {
	var text strings.Builder
	for c := 'b'; c < 'i'; c++ {
		before := string(c - 1)
		text.WriteString(string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+before+",", 9), ",") + "]\n")
	}
	return text.String()
}

func TestPlanRefuses(t *testing.T) {
	for name, test := range map[string]struct{ workflows, want string }{
		"unknown requirement":   {"  ci: {jobs: [build: {requires: [nope]}]}", "requires nope, which is not a job of this workflow"},
		"a cycle":               {"  ci: {jobs: [build: {requires: [test]}, test: {requires: [build]}]}", "build, test wait for each other"},
		"two jobs of one name":  {"  ci: {jobs: [build, build]}", "two jobs named build"},
		"unknown operator":      {"  ci: {when: {xor: [true]}, jobs: [build]}", "the operator xor is not modeled"},
		"unknown value":         {"  ci: {when: pipeline.event.name == \"push\", jobs: [build]}", "the value pipeline.event.name is not modeled"},
		"undeclared parameter":  {"  ci: {when: << pipeline.parameters.nope >>, jobs: [build]}", "the pipeline parameter nope is not declared"},
		"comparison of words":   {"  ci: {when: pipeline.git.branch < 3, jobs: [build]}", "compares numbers"},
		"open parenthesis":      {"  ci: {when: (true, jobs: [build]}", "parenthesis is not closed"},
		"dangling operator":     {"  ci: {when: true and, jobs: [build]}", "ends too early"},
		"unexpected character":  {"  ci: {when: a $ b, jobs: [build]}", "unexpected"},
		"odd parallelism":       {"  ci: {jobs: [go: {version: '1', n: many}]}", "job go: parallelism: many is not a number"},
		"unknown parallelism":   {"  ci: {jobs: [go: {version: '1', n: << pipeline.parameters.nope >>}]}", "nope is not declared"},
		"a pattern that is bad": {"  ci: {jobs: [build: {filters: {branches: {only: /(/}}}]}", "not a regular expression"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := config.Parse([]byte(jobs + test.workflows))
			require.NoError(t, err)
			_, err = c.Plan(config.Trigger{Branch: "main"})
			assert.ErrorContains(t, err, test.want)
		})
	}
}

func TestCheckParameters(t *testing.T) {
	c, err := config.Parse([]byte(jobs + "  ci: {jobs: [build]}"))
	require.NoError(t, err)
	assert.Empty(t, c.CheckParameters(map[string]any{"deploy": true, "region": "us", "replicas": float64(3), "size": "large"}))
	assert.Equal(t, []string{
		"Type error for argument deploy: yes is not of type boolean",
		"Unexpected argument(s): nope",
		"Type error for argument replicas: 1.5 is not of type integer",
		"Type error for argument size: is not one of small, large",
	}, c.CheckParameters(map[string]any{"deploy": "yes", "nope": 1, "replicas": 1.5, "size": "huge"}))
	_, err = c.Plan(config.Trigger{Branch: "main", Parameters: map[string]any{"nope": 1}})
	assert.ErrorContains(t, err, "Unexpected argument(s): nope")
	assert.Equal(t, map[string]any{"deploy": false, "region": "us", "replicas": 1, "size": "small"}, c.Values(map[string]any{"region": "us"}))
}

func FuzzParse(f *testing.F) {
	f.Add(jobs + "  ci: {when: pipeline.git.branch == \"main\", jobs: [test: {matrix: {parameters: {os: [a, b]}}}]}")
	f.Add("version: 2.1\njobs: &a {build: *a}")
	f.Fuzz(func(_ *testing.T, source string) {
		if c, err := config.Parse([]byte(source)); err == nil {
			_, _ = c.Plan(config.Trigger{Branch: "main"})
		}
	})
}

func TestCheck(t *testing.T) {
	for workflows, want := range map[string]string{
		"  ci: {jobs: [build, test: {requires: [build]}]}":                                                             "",
		"  ci: {when: << pipeline.parameters.deploy >>, jobs: [build: {requires: [test]}, test: {requires: [build]}]}": "wait for each other",
		"  ci: {jobs: [build: {filters: {branches: {ignore: main}}, requires: [test]}]}":                               "requires test, which is not a job",
		"  ci: {when: << pipeline.deploy.x >>, jobs: [build]}":                                                         "pipeline.deploy.x is not modeled",
	} {
		c, err := config.Parse([]byte(jobs + workflows))
		require.NoError(t, err)
		problems := strings.Join(c.Check(config.Trigger{Branch: "main"}), "; ")
		if want == "" {
			assert.Empty(t, problems)
		}
		assert.Contains(t, problems, want)
	}
}
