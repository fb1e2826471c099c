package circleci

type webhookRequest struct {
	Sender string `json:"sender"`
}

type scheduleRequest struct {
	CronExpression   string           `json:"cron_expression"`
	AttributionActor AttributionActor `json:"attribution_actor"`
}

// EventSourceRequest is where the events of a new trigger come from: see
// [GitHubAppEvents], [GitHubServerEvents], [GitHubOAuthEvents],
// [CustomWebhookEvents] and [ScheduledEvents].
type EventSourceRequest struct{ sent[eventSourceRequestBody] }

type eventSourceRequestBody struct {
	Provider SourceProvider    `json:"provider"`
	Repo     sourceRepoRequest `json:"repo,omitzero"`
	Webhook  webhookRequest    `json:"webhook,omitzero"`
	Schedule scheduleRequest   `json:"schedule,omitzero"`
}

// GitHubAppEvents are the events of a repository of GitHub's. The external ID
// is GitHub's own, a number; for another text the API answers a 400 without a
// reason.
func GitHubAppEvents(externalID string) EventSourceRequest {
	return repoEvents(SourceProviderGitHubApp, externalID)
}

// GitHubServerEvents are the events of a repository of a GitHub Enterprise
// Server. The provider is not in CircleCI's API specification.
func GitHubServerEvents(externalID string) EventSourceRequest {
	return repoEvents(SourceProviderGitHubServer, externalID)
}

// GitHubOAuthEvents are the events of a repository of GitHub's, through
// CircleCI's OAuth app. The trigger needs the preset all-pushes or
// only-build-prs, and cannot be disabled.
func GitHubOAuthEvents(externalID string) EventSourceRequest {
	return repoEvents(SourceProviderGitHubOAuth, externalID)
}

func repoEvents(provider SourceProvider, externalID string) (e EventSourceRequest) {
	e.body.Provider, e.body.Repo.ExternalID = provider, externalID
	return e
}

// CustomWebhookEvents are calls of a URL that comes with the answer, in
// [TriggerWebhook]. The sender is a name for who calls it. The trigger needs a
// CheckoutRef and a ConfigRef.
func CustomWebhookEvents(sender string) (e EventSourceRequest) {
	e.body.Provider, e.body.Webhook.Sender = SourceProviderWebhook, sender
	return e
}

// ScheduledEvents come at set times, by a cron expression in UTC, such as "0 3
// * * *". The trigger needs a CheckoutRef and a ConfigRef. The provider is not
// in CircleCI's API specification.
func ScheduledEvents(cronExpression string, attributionActor AttributionActor) (e EventSourceRequest) {
	e.body.Provider, e.body.Schedule = SourceProviderSchedule, scheduleRequest{cronExpression, attributionActor}
	return e
}

func (e EventSourceRequest) check() error {
	var missing bool
	switch e.body.Provider {
	case SourceProviderWebhook:
		missing = e.body.Webhook.Sender == ""
	case SourceProviderSchedule:
		missing = e.body.Schedule.CronExpression == "" || e.body.Schedule.AttributionActor == ""
	default:
		missing = e.body.Repo.ExternalID == ""
	}
	if missing {
		return &ArgumentError{Name: "event_source", Reason: "is missing or not complete: see GitHubAppEvents"}
	}
	return nil
}

// needsRefs reports whether events of this source bring no branch or tag of
// their own.
func (e EventSourceRequest) needsRefs() bool {
	return e.body.Provider == SourceProviderWebhook || e.body.Provider == SourceProviderSchedule
}

// UpdateEventSourceRequest changes where a trigger's events come from: see
// [UpdateCustomWebhookEvents] and [UpdateScheduledEvents]. A repository cannot be changed.
type UpdateEventSourceRequest struct {
	sent[updateEventSourceRequestBody]
}

type updateEventSourceRequestBody struct {
	Provider SourceProvider  `json:"provider,omitzero"`
	Webhook  webhookRequest  `json:"webhook,omitzero"`
	Schedule scheduleRequest `json:"schedule,omitzero"`
}

// UpdateCustomWebhookEvents gives the sender of a custom webhook another name.
func UpdateCustomWebhookEvents(sender string) (e UpdateEventSourceRequest) {
	e.body.Webhook.Sender = sender
	return e
}

// UpdateScheduledEvents gives a schedule other times, see [ScheduledEvents].
func UpdateScheduledEvents(cronExpression string, attributionActor AttributionActor) (e UpdateEventSourceRequest) {
	e.body.Provider, e.body.Schedule = SourceProviderSchedule, scheduleRequest{cronExpression, attributionActor}
	return e
}
