package main

import (
	"context"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// seedDemo creates an organization with three projects that have a month of
// past runs. A schedule keeps one of them running.
func seedDemo(ctx context.Context, srv *circlecitest.Server) error {
	const web, api, docs = "gh/acme/web", "gh/acme/api", "gh/acme/docs"
	webBuild := circlecitest.Workflow("build-and-test",
		circlecitest.Job("lint").Takes(25*time.Second),
		circlecitest.Job("build").Takes(50*time.Second).WithArtifacts(circlecitest.Artifact{Path: "dist/app.js", Content: "console.log('hello')\n"}),
		circlecitest.Job("unit").Requires("build").Takes(80*time.Second).WithContexts("test").
			WithTests(circlecitest.PassingTest("TestCart", 310*time.Millisecond), circlecitest.PassingTest("TestPrices", 120*time.Millisecond)).
			WithFlakyTests(0.05, circlecitest.FailingTest("TestSession", "the session was not found after 5 s")).
			WithArtifacts(circlecitest.Artifact{Path: "coverage/index.html", Content: "<h1>87 %</h1>\n"}).
			WithOutput("$ go test ./...\nok  \tacme/cart\t0.31s\nok  \tacme/prices\t0.12s\n"),
		circlecitest.Job("browser").Requires("build").Takes(2*time.Minute).FailsSometimes(0.05).
			WithArtifacts(circlecitest.Artifact{Path: "videos/checkout.webm", Content: "webm", Size: 256 << 10}),
	).RerunsAutomatically(1)
	webDeploy := circlecitest.Workflow("deploy",
		circlecitest.Approval("ask").ApprovedAfter(40*time.Second),
		circlecitest.Job("ship").Requires("ask").Takes(45*time.Second).WithContexts("deploy"),
	)
	apiBuild := circlecitest.Workflow("build-and-test",
		circlecitest.Job("build").Takes(70*time.Second),
		circlecitest.Job("test").Requires("build").Takes(3*time.Minute).
			WithTests(circlecitest.PassingTest("TestLogin", 1400*time.Millisecond), circlecitest.FailingTest("TestPayment", "want 200 OK, got 402 Payment Required")).Fails(),
		circlecitest.Job("deploy").Requires("test"),
	)
	docsBuild := circlecitest.Workflow("publish", circlecitest.Job("render").Takes(20*time.Second), circlecitest.Approval("review").Requires("render"))

	srv.History(web, circlecitest.Past{
		RunsPerDay: 24, Spread: 0.25, FailureRate: 0.06, Branches: []string{"main", "main", "feature/cart"},
		Workflows: []*circlecitest.WorkflowScript{webBuild, webDeploy},
	})
	srv.History(api, circlecitest.Past{
		RunsPerDay: 8, Spread: 0.4, FailureRate: 0.15,
		Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow("build-and-test",
			circlecitest.Job("build").Takes(70*time.Second), circlecitest.Job("test").Requires("build").Takes(3*time.Minute),
			circlecitest.Job("deploy").Requires("test"))},
	})
	srv.History(docs, circlecitest.Past{RunsPerDay: 2})
	srv.Script(web, circlecitest.Pipeline(webBuild, webDeploy))
	srv.Script(api, circlecitest.Pipeline(apiBuild))
	srv.Script(docs, circlecitest.Pipeline(docsBuild))

	srv.AddContext("gh/acme", "test", map[string]string{"DATABASE_URL": "postgres://localhost/test"})
	srv.AddContext("gh/acme", "deploy", map[string]string{"AWS_REGION": "eu-central-1", "AWS_ROLE": "deployer"})
	prod := srv.AddDeployEnvironment("gh/acme", "production")
	shop := srv.AddDeployComponent(web, "shop")
	srv.Deploy(shop, prod, "v41")
	srv.Deploy(shop, prod, "v42")
	srv.AddPipelineDefinition(web, "build")
	srv.AddUser("grace", "Grace Hopper")
	srv.StartPipeline(docs, "main")
	srv.StartPipeline(api, "main")
	srv.StartPipeline(web, "main")

	hours := make([]int, 24)
	for i := range hours {
		hours[i] = i
	}
	_, err := srv.Client().Schedules.Create(ctx, web, circleci.CreateScheduleRequest{
		Name: "every five minutes", AttributionActor: circleci.AttributionActorSystem,
		Parameters: circleci.Parameters{"branch": "main"},
		Timetable: circleci.Weekly(12, hours, circleci.DayOfWeekMonday, circleci.DayOfWeekTuesday, circleci.DayOfWeekWednesday,
			circleci.DayOfWeekThursday, circleci.DayOfWeekFriday, circleci.DayOfWeekSaturday, circleci.DayOfWeekSunday),
	})
	return err
}
