// Package webhook receives CircleCI's outbound webhooks: it verifies their
// signatures, parses them into typed events, and serves them.
//
//	http.Handle("/circleci", webhook.Handler([]circleci.Secret{secret},
//		func(ctx context.Context, e webhook.Event) error {
//			if e, ok := e.(*webhook.WorkflowCompleted); ok && e.Workflow.Status == circleci.WorkflowStatusFailed {
//				return page(ctx, e.Project.Slug, e.Workflow.URL)
//			}
//			return nil
//		}))
//
// Register a webhook, and its signing secret, with
// [circleci.WebhooksService.Create].
package webhook
