// Package circleci is a client of the CircleCI API v2.
//
//	client, err := circleci.NewClient(os.Getenv("CIRCLE_TOKEN"))
//	if err != nil {
//		return err
//	}
//	for p, err := range client.Pipelines.ListForProject("gh/acme/web", nil).All(ctx) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(p.Number, p.State)
//	}
//
// A [Client] has a service for each type of resource, and each service has a
// method for each operation. Required values are parameters or fields of a
// request struct. Optional values are fields of an options struct, which is
// passed by pointer and may be nil. [RequestOption] values come last. Lists
// return a [Pager], which does no I/O until it is iterated. IDs are UUIDs of
// package github.com/google/uuid. A [ProjectSlug] is a constant or the result of
// [ParseProjectSlug].
//
// # What to call
//
// Each service is a field of Client. Pipelines.Wait is documented at
// [PipelinesService.Wait], and so on.
//
//	I want to …                              call
//
//	start a pipeline and wait for it         Pipelines.RunAndWait, TriggerAndWait, Wait, Watch
//	know how a pipeline ended                Pipelines.Check, GetLatest
//	know why a pipeline failed               Pipelines.GetFailureReport
//	find a pipeline                          Pipelines.ListForProject, GetByNumber, ListWorkflows
//	approve, cancel or rerun a workflow      Workflows.Approve, Cancel, Rerun, RerunAndWait
//	wait for one job or workflow             Workflows.WaitForJob, Pipelines.WaitForWorkflow
//	wait for the other jobs of my workflow   Workflows.WaitForOthers
//	list jobs, read logs of steps            Workflows.ListJobs, Jobs.ListSteps, OpenStepOutput
//	download artifacts                       Pipelines.DownloadArtifacts, Jobs.DownloadArtifact
//	read test results                        Pipelines.GetTestReport, Jobs.ListTests
//	check a configuration                    Pipelines.CompileConfig
//	manage contexts and their variables      Contexts.Create, SetEnvVar, SyncEnvVars, CreateRestriction
//	list and manage projects                 Projects.ListForOrg, Create, UpdateSettings, SetEnvVar
//	set up what starts a pipeline            PipelineDefinitions, Triggers, Schedules
//	receive events                           Webhooks.Create, and package webhook
//	read metrics and flaky tests             Insights.ListWorkflowMetrics, GetFlakyTests
//	export usage and credits                 Usage.Export
//	roll back a deployment                   Deploys.Rollback
//	manage config policies                   Policy.PushDir, Decide, ListDecisions
//	manage an organization                   Organizations, Groups, OIDC, AuditLog, OTel, Signing, GitHubApp
//	know who owns the token                  Users.Me, ListCollaborations
//	call an operation without a method       Client.Do, NewPager
//
// Use package circlecitest to test a program without an account and without a
// network, package webhook to receive webhooks, and package cliconfig to share
// the login of CircleCI's command line tool.
//
// # Errors
//
// A non-2xx response is returned as an [*Error]. Check its meaning with errors.Is:
//
//	if errors.Is(err, circleci.ErrNotFound) { … }
//
// If no complete response arrives, the error is a [*TransportError]. If a 2xx
// response cannot be decoded, it is a [*DecodeError]. If an argument is refused
// before any request is sent, it is an [*ArgumentError]. Errors name the operation
// by its route, and contain neither the token nor a URL. On an error, a result is
// nil unless the method says otherwise. An iterator yields the items read before
// the error.
//
// # Retries
//
// A request is retried only when repeating it cannot duplicate its effect. By
// default, a call makes up to 4 attempts, the last of which starts within 5
// minutes. [WithRetry] changes these limits, [NoRetry] disables retries for a
// call, and [AllowReplay] applies the last column to a call.
//
//	response or failure                      GET HEAD PUT DELETE   POST PATCH   with AllowReplay
//	429                                      retry                 retry        retry
//	403 as an HTML page (CircleCI's edge)    retry                 retry        retry
//	408, 5xx except 501 and 505              retry                 error        retry
//	connection failed                        retry                 retry        retry
//	connection broke, or idle timeout        retry                 error        retry
//	incomplete JSON                          retry                 error        retry
//	404 to a DELETE after a retried failure  success               –            –
//	other statuses: 3xx, 4xx, 501, 505       error                 error        error
//	certificate, unknown host, bad redirect  error                 error        error
//	empty, too large or invalid response     error                 error        error
//
// An attempt sends its request once. What net/http would repeat by itself (a reset
// HTTP/2 stream, a request with an Idempotency-Key) counts as a broken connection.
//
// Before the next attempt, the client waits for the time in Retry-After, which can
// be seconds or a date. Without it, the backoff is up to half a second, doubles
// with each attempt, and has jitter. If the wait would exceed the context's
// deadline or two minutes, the error is returned at once; [Error.RetryAfter] says
// how long to wait. The error of a call that failed after retries contains the
// last response and the number of attempts.
//
// # Rate limits
//
// All calls of a client share a [Pacer]. A 429 response pauses all calls with the
// same method and path, including arguments, for its Retry-After, or for one
// second if it has none. Other calls are not paused. If the wait is longer than
// [RetryPolicy.MaxWait], the calls fail at once, except that one call per MaxWait
// is sent to check whether the pause is over.
//
// If the server reports its limit (in RateLimit-…, X-RateLimit-… or the IETF
// draft's RateLimit headers; the strictest one counts), the calls of a route are
// spread so that they use the limit without exceeding it. Without these headers, a
// route is limited only after its first 429, to the rate that the server accepted
// before. Calls of a route are served first in, first out. [WithLimiter] replaces
// the Pacer or disables it.
//
// # Time limits
//
// A context without a deadline is safe: an attempt fails if connecting takes
// longer than 10 seconds, TLS longer than another 10, or if no data arrives for
// one minute ([WithIdleTimeout]). The total duration of a long download is not
// limited. If the context is canceled, a call returns at once, in every phase.
// Responses are decoded up to 64 MiB ([WithMaxResponseBytes]); an error keeps the
// first 64 KiB of the body.
//
// # The token
//
// The token is sent to the host of the base URL. A client of circleci.com also
// sends it to api.circleci.com and, by https, to CircleCI's artifact hosts
// (*.circle-artifacts.com); a client of another server does not. This is checked
// for each redirect. A redirect is not followed if it would turn a POST into a GET,
// send a change to another host, or leave TLS. A client of circleci.com does not
// follow it into a private network either. A base URL with plain http is refused
// except for localhost.
//
// The token prints as REDACTED, and is removed from responses that echo it.
// Middlewares do not see it. A [Secret] in a request also prints as REDACTED, but
// is sent in clear text.
//
// # Self-hosted servers
//
// [WithBaseURL] sets the host, in any form; [WithRootCAs] and
// [WithClientCertificate] set certificates. CircleCI server responds with 404 to
// the operations that it lacks. The comment of a method says so if it is known.
package circleci
