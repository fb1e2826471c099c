// Package circlecitest provides a fake CircleCI server for tests. It behaves
// like the real API, keeps state, and needs no account and no network.
//
//	srv := circlecitest.New(t)
//	srv.Script("gh/acme/web", circlecitest.Pipeline(
//		circlecitest.Workflow("build", circlecitest.Job("test").Fails()),
//	))
//	client := srv.Client()
//
// Whatever is created can be listed, fetched and deleted. A triggered pipeline
// runs on the server's clock, which is real time, faster ([WithSpeed]), or
// moved by the test ([WithManualTime]); within testing/synctest it is the
// bubble's time. Everything random is determined by a seed ([WithSeed]).
//
// To test a program that waits for a run, use testing/synctest. Minutes pass
// instantly there, and no configuration is needed:
//
//	func TestDeploy(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			srv := circlecitest.New(t)
//			srv.AddProject("gh/acme/web")
//			if err := deploy(t.Context(), srv.Client()); err != nil { // calls Pipelines.TriggerAndWait
//				t.Error(err)
//			}
//		})
//	}
//
// Elsewhere use [WithSpeed], and [circleci.WaitOptions] with a small
// MinInterval.
//
// Schedules start pipelines at their times. Workflows and jobs that end deliver
// signed webhook events: see [WithDeliveryTransport] and [Server.Deliveries]. A
// receiver under test listens with httptest.NewServer or, within
// testing/synctest, is called by a round tripper of the test. Insights and
// usage exports report what has run.
//
// [Server.Configure] runs pipelines from a real .circleci/config.yml.
// [Server.Weather] adds faults, such as rate limits and broken connections.
//
// Policy decisions are those that the test sets ([Server.SetPolicyDecisions])
// or those of an engine ([WithPolicyEngine]); package circlecitest/opa has an
// engine that uses Open Policy Agent. Triggers of pipeline definitions fire
// through [Server.FireTrigger], and those with a schedule also by themselves;
// nothing listens at a trigger's URL.
//
// Programs in other languages use the command circleci-fake, and script it over
// HTTP: GET /_fake/ lists the routes, which are also served at [Server.URL].
// [Server.Load] adds the same scenario documents in Go.
//
// The server is strict where the API is lenient: a key or query parameter that
// the API would ignore fails the test, because it is a mistake. An operation
// that the server does not model gets a 501 response that names it.
package circlecitest
