// Package apiv3 calls CircleCI's API v3, beside the API v2 that package
// circleci is made for:
//
//	client, err := circleci.NewClient(token)
//	v3 := apiv3.New(client)
//	project, err := v3.Projects.Resolve(ctx, "gh/acme/web")
//	for run, err := range v3.Runs.ListForProject(project.ID, nil).All(ctx) { … }
//
// Requests go through the [circleci.Client]: with its token, retries, pacing,
// errors and pagers. The token is sent as a bearer token, as the API v3 wants
// it.
//
// The API v3 lists the projects of an organization, searches runs across
// projects, and returns the output of steps, which the API v2 cannot do. It
// cannot approve jobs, or find anything by its number, and CircleCI Server does
// not have it. README.md in this package's directory has a table of tasks and
// the version to use.
//
// # How much is known
//
// Nothing in this package was tried against the live API. The routes, the
// properties and the values come from public material of 2026: CircleCI's
// documentation and CircleCI's own clients. Therefore decoding is lenient: each
// property is optional, unknown values are returned as they are, and a time, an
// ID or a property of an unexpected form is left zero and does not cost the
// rest of the response. [circleci.CaptureBody] shows what the API has really
// sent. Once you have CircleCI's OpenAPI document of the API v3, check this
// package against it:
//
//	make contract-v3 SPEC=path/to/openapi.json
//
// Methods that CircleCI calls experimental say so.
//
// # Words
//
// A run of the API v3 is a pipeline of the API v2, and has the same ID: see
// [RunID]. A pipeline of the API v3 is a pipeline definition of the API v2. The
// IDs of workflows, jobs, projects, organizations, contexts and triggers are
// the same in both.
//
// [StateOf] puts phases and outcomes into the words of the API v2.
//
// # What has no method
//
// Orbs, namespaces, runners, signing, notifications, metrics, sidecars and POST
// /api/v3/runs have no methods here. Call them with [circleci.Client.Do] and
// [circleci.NewPager]: the package example does.
package apiv3
