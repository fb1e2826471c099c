package circleci

type webhookRequest struct {
	Sender string `json:"sender"`
}

type scheduleRequest struct {
	CronExpression   string           `json:"cron_expression"`
	AttributionActor AttributionActor `json:"attribution_actor"`
}

// EventSourceRequest is the event source of a new trigger. Create one with
// [GitHubAppEvents], [GitHubServerEvents], [GitHubOAuthEvents],
// [CustomWebhookEvents] or [ScheduledEvents].
type EventSourceRequest struct{ sent[eventSourceRequestBody] }

type eventSourceRequestBody struct {
	Provider SourceProvider    `json:"provider"`
	Repo     sourceRepoRequest `json:"repo,omitzero"`
	Webhook  webhookRequest    `json:"webhook,omitzero"`
	Schedule scheduleRequest   `json:"schedule,omitzero"`
}

// GitHubAppEvents returns a source for the events of a GitHub repository. The
// external ID is GitHub's numeric ID of the repository; for anything else the
// API responds with 400 and no reason.
func GitHubAppEvents(externalID string) EventSourceRequest {
	return repoEvents(SourceProviderGitHubApp, externalID)
}

// GitHubServerEvents returns a source for the events of a repository on a
// GitHub Enterprise Server. The provider is not in CircleCI's API
// specification.
func GitHubServerEvents(externalID string) EventSourceRequest {
	return repoEvents(SourceProviderGitHubServer, externalID)
}

// GitHubOAuthEvents returns a source for the events of a GitHub repository,
// through CircleCI's OAuth app. The trigger must have the preset all-pushes or
// only-build-prs, and cannot be disabled.
func GitHubOAuthEvents(externalID string) EventSourceRequest {
	return repoEvents(SourceProviderGitHubOAuth, externalID)
}

func repoEvents(provider SourceProvider, externalID string) (e EventSourceRequest) {
	e.body.Provider, e.body.Repo.ExternalID = provider, externalID
	return e
}

// CustomWebhookEvents returns a source that starts a pipeline when a URL is
// called. [TriggersService.Create] returns the URL in [TriggerWebhook]. The
// sender is a name for the caller. The trigger must have a CheckoutRef and a
// ConfigRef.
func CustomWebhookEvents(sender string) (e EventSourceRequest) {
	e.body.Provider, e.body.Webhook.Sender = SourceProviderWebhook, sender
	return e
}

// ScheduledEvents returns a source that starts pipelines at set times. The cron
// expression, such as "0 3 * * *", is in UTC. The trigger must have a
// CheckoutRef and a ConfigRef. The provider is not in CircleCI's API
// specification.
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
		return &ArgumentError{Name: "event_source", Reason: "is missing or incomplete: see GitHubAppEvents"}
	}
	return nil
}

// needsRefs reports whether events of this source have no branch or tag.
func (e EventSourceRequest) needsRefs() bool {
	return e.body.Provider == SourceProviderWebhook || e.body.Provider == SourceProviderSchedule
}

// UpdateEventSourceRequest changes the event source of a trigger. Create one
// with [CustomWebhookEventsUpdate] or [ScheduledEventsUpdate]. A repository
// cannot be changed.
type UpdateEventSourceRequest struct {
	sent[updateEventSourceRequestBody]
}

type updateEventSourceRequestBody struct {
	Provider SourceProvider  `json:"provider,omitzero"`
	Webhook  webhookRequest  `json:"webhook,omitzero"`
	Schedule scheduleRequest `json:"schedule,omitzero"`
}

// CustomWebhookEventsUpdate returns an update that replaces the sender name of a
// custom webhook.
func CustomWebhookEventsUpdate(sender string) (e UpdateEventSourceRequest) {
	e.body.Webhook.Sender = sender
	return e
}

// ScheduledEventsUpdate returns an update that replaces the schedule's cron
// expression and attribution actor; see [ScheduledEvents].
func ScheduledEventsUpdate(cronExpression string, attributionActor AttributionActor) (e UpdateEventSourceRequest) {
	e.body.Provider, e.body.Schedule = SourceProviderSchedule, scheduleRequest{cronExpression, attributionActor}
	return e
}
