// Package apiv3 is a client for CircleCI's API v3. Package circleci is for the
// API v2.
//
//	client, err := circleci.NewClient(token)
//	v3 := apiv3.New(client)
//	project, err := v3.Projects.Resolve(ctx, "gh/acme/web")
//	for run, err := range v3.Runs.ListForProject(project.ID, nil).All(ctx) { … }
//
// Requests are sent through the [circleci.Client], with its token, retries,
// pacing, errors and pagers. The token is sent as a bearer token, as the API v3
// requires.
//
// Unlike the API v2, the API v3 lists the projects of an organization, searches
// runs across projects, and returns the output of steps. It cannot approve jobs
// or find anything by its number, and CircleCI server does not have it.
// README.md in this package's directory lists which version to use for each
// task.
//
// # How much is known
//
// Nothing in this package has been tested against the live API. The routes,
// properties and values come from public material of 2026: CircleCI's
// documentation and CircleCI's own clients. Decoding is therefore lenient: each
// property is optional, unknown values are kept, and a time, an ID or a
// property of an unexpected form is zero and does not affect the rest of the
// response. [circleci.CaptureBody] shows what the API has sent. If you have
// CircleCI's OpenAPI document of the API v3, check this package against it:
//
//	make contract-v3 SPEC=path/to/openapi.json
//
// The documentation of methods that CircleCI calls experimental says so.
//
// # Terms
//
// A run of the API v3 is a pipeline of the API v2, and has the same ID: see
// [RunID]. A pipeline of the API v3 is a pipeline definition of the API v2. The
// IDs of workflows, jobs, projects, organizations, contexts and triggers are
// the same in both.
//
// [StateOf] translates phases and outcomes to the API v2's terms.
//
// # Operations without a method
//
// Orbs, namespaces, runners, signing, notifications, metrics, sidecars and POST
// /api/v3/runs have no methods here. Call them with [circleci.Client.Do] and
// [circleci.NewPager], as the package example does.
package apiv3
