package circleci_test

import (
	"context"
	"fmt"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// A webhook is told when a workflow of a project ends. An update replaces it:
// the secret has to be sent each time.
func ExampleWebhooksService_Create() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	projectID := srv.AddProject("gh/acme/web")

	client := srv.Client()
	hook, err := client.Webhooks.Create(ctx, circleci.CreateWebhookRequest{
		Name: "chat", URL: "https://hooks.example/circleci", VerifyTLS: true, SigningSecret: "hunter2",
		Events: []circleci.WebhookEvent{circleci.WebhookEventWorkflowCompleted}, Scope: circleci.ProjectScope(projectID),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	hook, err = client.Webhooks.Update(ctx, hook.ID, circleci.UpdateWebhookRequest{
		URL:       circleci.Some("https://hooks.example/v2"),
		VerifyTLS: circleci.Some(true), SigningSecret: circleci.Some[circleci.Secret]("hunter2"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(hook.Name, hook.URL, hook.Events, hook.SigningSecret)
	// Output: chat https://hooks.example/v2 [workflow-completed] ****
}
