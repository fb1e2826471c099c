package main

import (
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// demo is a fake CircleCI server, with something to see in it.
type demo struct {
	client  *circleci.Client
	project circleci.ProjectSlug
	wait    *circleci.WaitOptions
	close   func()
}

func newDemo(fail bool) *demo {
	const speed = 60
	srv := circlecitest.NewServer(circlecitest.WithSpeed(speed))
	test := circlecitest.Job("test").Requires("build").Takes(90*time.Second).
		WithTests(circlecitest.PassingTest("TestLogin", 400*time.Millisecond), circlecitest.PassingTest("TestLogout", 200*time.Millisecond)).
		WithArtifacts(circlecitest.Artifact{Path: "coverage/index.html", Content: "<h1>87 %</h1>"})
	if fail {
		test.Fails().WithTests(circlecitest.FailingTest("TestPayment", "want 200 OK, got 402 Payment Required"))
	}
	project := circleci.ProjectSlug("gh/acme/web")
	build := circlecitest.Workflow("build-and-test", circlecitest.Job("build"))
	srv.Script(project, circlecitest.Pipeline(build), circlecitest.Pipeline(circlecitest.Workflow("build-and-test", circlecitest.Job("build").Fails())),
		circlecitest.Pipeline(build))
	for _, branch := range []string{"main", "topic/cart", "main"} {
		srv.StartPipeline(project, branch)
		srv.Advance(20 * time.Minute)
	}
	srv.Script(project, circlecitest.Script{
		Parameters: []string{"environment", "replicas"},
		Workflows: []*circlecitest.WorkflowScript{
			circlecitest.Workflow("build-and-test",
				circlecitest.Job("build").Takes(time.Minute),
				test,
				circlecitest.Job("lint").Takes(40*time.Second),
				circlecitest.Job("deploy").Requires("test", "lint").Takes(30*time.Second),
			),
		},
	})
	return &demo{
		client:  srv.Client(),
		project: project,
		wait:    &circleci.WaitOptions{MinInterval: 5 * time.Second / speed, MaxInterval: 30 * time.Second / speed, Grace: time.Minute / speed},
		close:   srv.Close,
	}
}
