package circlecitest_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// A pipeline of twelve minutes fails, and tells why. In a test, use
// [circlecitest.New] within testing/synctest: then no speed has to be chosen,
// and nothing is waited for.
func Example() {
	srv := circlecitest.NewServer(circlecitest.WithSpeed(100_000))
	defer srv.Close()
	srv.Script("gh/acme/web", circlecitest.Pipeline(circlecitest.Workflow("build",
		circlecitest.Job("compile").Takes(2*time.Minute),
		circlecitest.Job("test").Requires("compile").Takes(10*time.Minute).Fails().
			WithTests(circlecitest.PassingTest("TestCart", 1200*time.Millisecond), circlecitest.FailingTest("TestPay", "want 200, got 402")).
			WithArtifacts(circlecitest.Artifact{Path: "logs/pay.txt", Content: "402 Payment Required"}),
	)))
	client, ctx := srv.Client(), context.Background()

	run, err := client.Pipelines.TriggerAndWait(ctx, "gh/acme/web", circleci.TriggerPipelineRequest{Branch: "main"},
		&circleci.WaitOptions{MinInterval: time.Millisecond})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("pipeline", run.Pipeline.Number, run.Outcome)

	report, err := client.Pipelines.GetTestReport(ctx, run.Pipeline.ID)
	if err != nil {
		log.Fatal(err)
	}
	for _, t := range report.Failed() {
		fmt.Println(t.JobName, t.Name, t.Message)
	}

	artifacts, err := client.Jobs.ListArtifacts("gh/acme/web", run.FailedJobs[0].Number).Collect(ctx)
	if err != nil {
		log.Fatal(err)
	}
	var content strings.Builder
	if _, err := client.Jobs.DownloadArtifact(ctx, artifacts[0], &content); err != nil {
		log.Fatal(err)
	}
	fmt.Println(artifacts[0].Path, content.String())
	// Output:
	// pipeline 1 failed
	// test TestPay want 200, got 402
	// logs/pay.txt 402 Payment Required
}

// A month of runs, for a report.
func ExampleServer_History() {
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	defer srv.Close()
	srv.History("gh/acme/web", circlecitest.Past{
		Days: 30, RunsPerDay: 40, FailureRate: 0.1, Spread: 0.3,
		Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow("build", circlecitest.Job("test").Takes(5*time.Minute))},
	})
	metrics, err := srv.Client().Insights.ListWorkflowMetrics("gh/acme/web", nil).Collect(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(metrics[0].Name, metrics[0].Metrics.TotalRuns, "runs,", metrics[0].Metrics.FailedRuns, "failed")
	// Output: build 1200 runs, 120 failed
}

// Bad weather: what was asked for was done, and the answer was lost.
func ExampleServer_Weather() {
	srv := circlecitest.NewServer()
	defer srv.Close()
	srv.AddProject("gh/acme/web")
	srv.Weather(
		circlecitest.RateLimit(1000, time.Minute),
		circlecitest.BrokenConnection().Executed().For("POST /project/{project-slug}/pipeline").Times(1),
	)
	_, err := srv.Client().Pipelines.Trigger(context.Background(), "gh/acme/web", circleci.TriggerPipelineRequest{})
	fmt.Println("failed:", err != nil)
	pipelines, err := srv.Client().Pipelines.ListForProject("gh/acme/web", nil).Collect(context.Background())
	fmt.Println(len(pipelines), "pipeline runs all the same", err)
	for _, r := range srv.Requests() {
		fmt.Println(r.Operation, r.Status, r.Faults)
	}
	// Output:
	// failed: true
	// 1 pipeline runs all the same <nil>
	// POST /project/{project-slug}/pipeline 0 [connection broken]
	// GET /project/{project-slug}/pipeline 200 []
}

// What goes wrong acts together, in this order.
func ExampleFault() {
	srv := circlecitest.NewServer()
	defer srv.Close()
	srv.Weather(
		circlecitest.RateLimit(300, time.Minute),
		circlecitest.ServerError(503).For("GET /me").Times(3),
		circlecitest.BrokenConnection().Executed().Share(0.01),
		circlecitest.ExpiredToken().From(srv.Now().Add(time.Hour)),
	)
	client := srv.Client(circleci.WithRetry(circleci.RetryPolicy{MaxAttempts: 1}))
	for range 4 {
		me, err := client.Users.Me(context.Background())
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(me.Login)
	}
	// Output:
	// circleci: GET /me: 503 Service Unavailable: Service Unavailable (see https://status.circleci.com)
	// circleci: GET /me: 503 Service Unavailable: Service Unavailable (see https://status.circleci.com)
	// circleci: GET /me: 503 Service Unavailable: Service Unavailable (see https://status.circleci.com)
	// ada
}

// The hours of a schedule pass by hand.
func ExampleServer_Advance() {
	srv := circlecitest.NewServer(circlecitest.WithManualTime(), circlecitest.WithTime(time.Date(2026, time.March, 2, 8, 0, 0, 0, time.UTC)))
	defer srv.Close()
	srv.AddProject("gh/acme/web")
	ctx := context.Background()
	_, err := srv.Client().Schedules.Create(ctx, "gh/acme/web", circleci.CreateScheduleRequest{
		Name: "nightly", AttributionActor: circleci.AttributionActorSystem,
		Parameters: circleci.Parameters{"branch": "main"},
		Timetable:  circleci.Weekly(1, []int{3}, circleci.DayOfWeekTuesday, circleci.DayOfWeekWednesday),
	})
	if err != nil {
		log.Fatal(err)
	}
	srv.Advance(48 * time.Hour)
	for p, err := range srv.Client().Pipelines.ListForProject("gh/acme/web", nil).All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(p.Number, p.Trigger.Type, p.CreatedAt.Format(time.DateTime))
	}
	// Output:
	// 2 scheduled_pipeline 2026-03-04 03:00:00
	// 1 scheduled_pipeline 2026-03-03 03:00:00
}

// A program of any kind asks the server at its URL, as it would ask CircleCI.
func ExampleServer_URL() {
	srv := circlecitest.NewServer()
	defer srv.Close()
	req, err := http.NewRequest(http.MethodGet, srv.URL()+"/api/v2/me", nil)
	if err != nil {
		log.Fatal(err)
	}
	req.Header.Set("Circle-Token", srv.Token())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Status, resp.Body.Close())
	// Output: 200 OK <nil>
}
