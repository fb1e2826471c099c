package circleci_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func ExampleTriggersService_Create() {
	srv := circlecitest.NewServer()
	defer srv.Close()
	client, ctx := srv.Client(), context.Background()
	slug := srv.AddStandaloneProject(srv.AddStandaloneOrg("acme"), "web")
	project, definition := srv.AddProject(slug), srv.AddPipelineDefinition(slug, "build")

	// A URL that others call to start the pipeline.
	trigger, err := client.Triggers.Create(ctx, project, definition, circleci.CreateTriggerRequest{
		EventSource: circleci.CustomWebhookEvents("datadog"),
		CheckoutRef: "main", ConfigRef: "main",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	url := trigger.EventSource.Webhook.URL
	fmt.Println(url) // it has the webhook's secret, and is told this once
	fmt.Println(strings.Contains(url.Reveal(), "?secret="))
	// Output:
	// REDACTED
	// true
}
