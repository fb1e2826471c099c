// Package circlecitest is CircleCI in a box: a server for tests that behaves
// like the real API, keeps state, and needs no account and no network.
//
//	srv := circlecitest.New(t)
//	srv.Script("gh/acme/web", circlecitest.Pipeline(
//		circlecitest.Workflow("build", circlecitest.Job("test").Fails()),
//	))
//	client := srv.Client()
//
// What is created can be listed, fetched and deleted. A pipeline that is
// triggered runs by the server's own clock: real, faster ([WithSpeed]) or
// moved by hand ([WithManualTime]); within testing/synctest it runs by the
// bubble's. Nothing is random but by a seed.
//
// A program that waits for a run is best tested within testing/synctest, where
// the minutes pass at once, and nothing has to be set for it:
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
// Elsewhere use [WithSpeed], and a [circleci.WaitOptions] with a small
// MinInterval.
//
// Schedules start pipelines at their times. Webhooks are called for what ends,
// with signed events: see [WithDeliveryTransport] and [Server.Deliveries]. A
// receiver under test listens by httptest.NewServer, or, within
// testing/synctest, is called by a round tripper of yours. Insights and usage
// exports tell of what has run.
//
// Config policies decide what the test says ([Server.SetPolicyDecisions]), or
// what an engine does ([WithPolicyEngine]); package circlecitest/opa has one
// that uses Open Policy Agent. Triggers of pipeline definitions fire by [Server.FireTrigger], and
// those with a schedule by themselves; nothing listens at the URL of one.
//
// The server is strict where the API is lenient: a key or a query parameter
// that the API would ignore fails the test, because it is a mistake. What it
// does not model it answers with 501, naming it.
package circlecitest
