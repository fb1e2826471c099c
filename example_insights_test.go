package circleci_test

import (
	"context"
	"fmt"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// How long a workflow takes, and how often it succeeds.
func ExampleInsightsService_ListWorkflowMetrics() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	defer srv.Close()
	for _, job := range []*circlecitest.JobScript{circlecitest.Job("test").Fails(), circlecitest.Job("test").Takes(2 * time.Minute)} {
		srv.Script("gh/acme/web", circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow("build", job)}})
		srv.StartPipeline("gh/acme/web", "main")
		srv.Advance(time.Hour)
	}

	client := srv.Client()
	metrics := client.Insights.ListWorkflowMetrics("gh/acme/web", &circleci.ListWorkflowMetricsOptions{
		ReportingWindow: circleci.ReportingWindowLast7Days,
	})
	for w, err := range metrics.All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %.0f %% of %d runs\n", w.Name, 100*w.Metrics.SuccessRate, w.Metrics.TotalRuns)
		if longest := w.Metrics.Durations.Max; longest != nil { // nil: no run has ended
			fmt.Println("at most", *longest)
		}
	}
	// Output:
	// build: 50 % of 2 runs
	// at most 2m2s
}
