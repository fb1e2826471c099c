package main

import (
	"maps"
	"slices"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

const (
	demoProject = circleci.ProjectSlug("gh/acme/web")
	// speed is how many times faster than real time the fake server's clock
	// runs.
	speed = 60
)

// scripts are the runs that end in each way.
var scripts = map[string]func() circlecitest.Script{
	"success": func() circlecitest.Script { return buildAndTest(testJob()) },
	"fail": func() circlecitest.Script {
		return buildAndTest(testJob().Fails().WithTests(
			circlecitest.FailingTest("TestPayment", "want 200 OK,\ngot 402 Payment Required"),
		))
	},
	"cancel": func() circlecitest.Script { return buildAndTest(testJob().Ends(circleci.JobStatusCanceled)) },
	"error": func() circlecitest.Script {
		return circlecitest.Script{Errors: []circleci.PipelineError{{
			Type: circleci.PipelineErrorTypeConfig, Message: "the job deploy is not defined",
		}}}
	},
	"none": func() circlecitest.Script { return circlecitest.Script{} },
	"hold": func() circlecitest.Script {
		return buildAndTest(testJob(), circlecitest.Approval("hold").Requires("test"))
	},
}

func outcomes() []string { return slices.Sorted(maps.Keys(scripts)) }

func testJob() *circlecitest.JobScript {
	return circlecitest.Job("test").Requires("build").Takes(90*time.Second).
		WithTests(circlecitest.PassingTest("TestLogin", 400*time.Millisecond), circlecitest.PassingTest("TestLogout", 200*time.Millisecond))
}

func buildAndTest(jobs ...*circlecitest.JobScript) circlecitest.Script {
	jobs = append([]*circlecitest.JobScript{
		circlecitest.Job("build").Takes(time.Minute),
		circlecitest.Job("lint").Takes(40 * time.Second),
	}, jobs...)
	return circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow("build-and-test", jobs...)}}
}

// newDemo returns a fake CircleCI server with a run that ends in the given way.
func newDemo(outcome string) (*circlecitest.Server, error) {
	script, ok := scripts[outcome]
	if !ok {
		return nil, cli.Usage("-demo takes one of %v", outcomes())
	}
	srv := circlecitest.NewServer(circlecitest.WithSpeed(speed))
	srv.Script(demoProject, script())
	return srv, nil
}
