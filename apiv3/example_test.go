package apiv3_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/apiv3"
)

// canned answers each request with the response that is stored for it.
type canned map[string]string

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	body, ok := c[r.Method+" "+strings.TrimPrefix(r.URL.Path, "/api/v3")]
	status := http.StatusOK
	if !ok {
		status, body = http.StatusNotFound, `{"error":{"type":"not_found","title":"Not found"}}`
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

// demo is a client of a CircleCI that answers from memory.
func demo() *circleci.Client {
	client, err := circleci.NewClient("token", circleci.WithHTTPClient(&http.Client{Transport: canned{
		"GET /projects":                       `{"data":[` + oneProject + `]}`,
		"GET /orgs":                           `{"data":[{"id":"` + text2 + `","attributes":{"name":"Acme"}}]}`,
		"GET /users":                          `{"data":[{"id":"` + text3 + `","attributes":{"name":"Ada Lovelace","login":"ada"}}]}`,
		"GET /groups":                         `{"data":[{"id":"` + text3 + `","attributes":{"name":"Release managers"}}]}`,
		"GET /runs":                           `{"data":[` + oneRun + `]}`,
		"GET /workflows":                      `{"data":[` + oneWorkflow + `]}`,
		"POST /workflows/" + text1 + "/rerun": `{"data":{"id":"` + text4 + `"}}`,
		"GET /jobs/" + text1 + "/tests":       `{"name":"TestA","result":"success"}` + "\n" + `{"name":"TestB","result":"failure","message":"want 1, got 2"}`,
		"POST /contexts":                      `{"data":` + oneContext + `}`,
		"POST /contexts/" + text1 + "/env-vars/set": `{}`,
		"GET /contexts/" + text1 + "/env-vars":      `{"data":[{"attributes":{"name":"AWS_REGION","truncated_value":"xxxxst-1"}}]}`,
		"POST /configs/compile":                     `{"data":{"attributes":{"phase":"ended","outcome":"failed"}},"meta":{"messages":[{"title":"no jobs"}]}}`,
		"GET /pipelines":                            `{"data":[` + onePipeline + `]}`,
		"GET /triggers":                             `{"data":[` + oneTrigger + `]}`,
		"GET /provider/repositories":                `{"data":[{"attributes":{"repo_id":"42","repo_full_name":"acme/web"}}]}`,
		"GET /deploy/deployments":                   `{"data":[{"attributes":{"status":"SUCCESS","target_version":{"name":"v2"}},"references":{"deploy_component":{"attributes":{"name":"web"}}}}]}`,
		"GET /orb/packages":                         `{"data":[{"id":"` + text1 + `","attributes":{"name":"acme/deploy"}}],"page":{"next":null}}`,
	}}))
	if err != nil {
		panic(err)
	}
	return client
}

// Print the runs of a project, with the state that CircleCI's pages show.
func Example() {
	ctx := context.Background()
	client := demo() // circleci.NewClient(token)

	v3 := apiv3.New(client)
	project, err := v3.Projects.Resolve(ctx, "gh/acme/web")
	if err != nil {
		fmt.Println(err)
		return
	}
	for run, err := range v3.Runs.ListForProject(project.ID, nil).All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(run.Number, run.State(), run.Event.VCS.Branch)
	}
	// Output: 7 failed main
}

// List orbs, which have no method: a resource of your own, a request and a
// pager are all it takes.
func Example_withoutAMethod() {
	ctx := context.Background()
	client := demo() // circleci.NewClient(token)

	type orb struct {
		ID         uuid.UUID `json:"id"`
		Attributes struct {
			Name string `json:"name"`
		} `json:"attributes"`
	}
	orbs := circleci.NewPager(func(ctx context.Context, cursor string) (*circleci.Page[orb], error) {
		query := url.Values{"filter[namespace_id]": {"11111111-1111-4111-8111-111111111111"}}
		if cursor != "" {
			query.Set("page[cursor]", cursor)
		}
		var out struct {
			Data []orb `json:"data"`
			Page struct {
				Next string `json:"next"`
			} `json:"page"`
		}
		err := client.Do(ctx, circleci.Request{Method: http.MethodGet, Route: "/api/v3/orb/packages", Query: query}, &out, circleci.BearerAuth())
		if err != nil {
			return nil, err
		}
		return &circleci.Page[orb]{Items: out.Data, NextPageToken: out.Page.Next}, nil
	})
	for o, err := range orbs.All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(o.Attributes.Name)
	}
	// Output: acme/deploy
}

func ExampleRunsService_ListMine() {
	v3 := apiv3.New(demo())
	for run, err := range v3.Runs.ListMine(&apiv3.ListRunsOptions{Phase: apiv3.PhaseEnded}).All(context.Background()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(run.Number, run.Event.VCS.Commit.Subject, run.State())
	}
	// Output: 7 Fix failed
}

// Run the failed jobs of a workflow again.
func ExampleWorkflowsService_Rerun() {
	ctx := context.Background()
	v3 := apiv3.New(demo())
	runID := uuid.MustParse("22222222-2222-4222-8222-222222222222")
	for workflow, err := range v3.Workflows.ListForRun(runID).All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(workflow.Name, workflow.State())
		id, err := v3.Workflows.Rerun(ctx, workflow.ID, apiv3.RerunWorkflowRequest{FromFailed: true})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("runs again as", id)
	}
	// Output:
	// build failing
	// runs again as 44444444-4444-4444-8444-444444444444
}

// Print the tests of a job that failed.
func ExampleJobsService_ReadTests() {
	v3 := apiv3.New(demo())
	jobID := uuid.MustParse("11111111-1111-4111-8111-111111111111")
	for test, err := range v3.Jobs.ReadTests(context.Background(), jobID) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if test.Result.Failed() {
			fmt.Println(test.Name, test.Message)
		}
	}
	// Output: TestB want 1, got 2
}

// Show the output of a step while it runs.
func ExampleJobsService_FollowOutput() {
	v3 := apiv3.New(demo())
	step := apiv3.StepRef{JobID: uuid.MustParse("11111111-1111-4111-8111-111111111111"), Num: 99}
	if err := v3.Jobs.FollowOutput(context.Background(), step, os.Stdout, nil); err != nil {
		fmt.Println(err)
	}
}

// List the projects of an organization.
func ExampleProjectsService_ListForOrg() {
	ctx := context.Background()
	v3 := apiv3.New(demo())
	org, err := v3.Orgs.Resolve(ctx, "gh/acme")
	if err != nil {
		fmt.Println(err)
		return
	}
	for project, err := range v3.Projects.ListForOrg(org.ID, nil).All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(project.Name)
	}
	// Output: web
}

func ExampleOrgsService_List() {
	v3 := apiv3.New(demo())
	for org, err := range v3.Orgs.List(nil).All(context.Background()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(org.Name)
	}
	// Output: Acme
}

func ExampleUsersService_Me() {
	me, err := apiv3.New(demo()).Users.Me(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(me.Name)
	// Output: Ada Lovelace
}

func ExampleGroupsService_ListForOrg() {
	orgID := uuid.MustParse("22222222-2222-4222-8222-222222222222")
	for group, err := range apiv3.New(demo()).Groups.ListForOrg(orgID).All(context.Background()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(group.Name)
	}
	// Output: Release managers
}

// Create a context with a variable.
func ExampleContextsService_Create() {
	ctx := context.Background()
	v3 := apiv3.New(demo())
	orgID := uuid.MustParse("22222222-2222-4222-8222-222222222222")
	deploy, err := v3.Contexts.Create(ctx, apiv3.CreateContextRequest{OrgID: orgID, Name: "deploy"})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = v3.Contexts.SetEnvVar(ctx, deploy.ID, apiv3.SetEnvVarRequest{Name: "AWS_REGION", Value: "us-east-1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	variables, err := v3.Contexts.ListEnvVars(deploy.ID).Collect(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(deploy.Name, variables[0].Name, variables[0].TruncatedValue)
	// Output: deploy AWS_REGION xxxxst-1
}

func ExampleConfigsService_Compile() {
	compiled, err := apiv3.New(demo()).Configs.Compile(context.Background(), apiv3.CompileConfigRequest{Config: "version: 2.1\n"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(compiled.Valid(), compiled.Messages)
	// Output: false [no jobs]
}

func ExamplePipelinesService_ListForProject() {
	projectID := uuid.MustParse("22222222-2222-4222-8222-222222222222")
	for pipeline, err := range apiv3.New(demo()).Pipelines.ListForProject(projectID, nil).All(context.Background()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(pipeline.Name, pipeline.Config.FilePath)
	}
	// Output: build .circleci/config.yml
}

func ExampleTriggersService_List() {
	f := apiv3.ListTriggersOptions{PipelineID: uuid.MustParse("11111111-1111-4111-8111-111111111111")}
	for trigger, err := range apiv3.New(demo()).Triggers.List(f).All(context.Background()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(trigger.Event.Type, trigger.Event.Filter.Preset)
	}
	// Output: vcs all-pushes
}

// Find the ID of a repository, which pipelines and triggers need.
func ExampleProvidersService_ListRepositories() {
	orgID := uuid.MustParse("22222222-2222-4222-8222-222222222222")
	v3 := apiv3.New(demo())
	for repository, err := range v3.Providers.ListRepositories(orgID, apiv3.ProviderGitHubApp, nil).All(context.Background()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(repository.RepoFullName, repository.RepoID)
	}
	// Output: acme/web 42
}

func ExampleDeploysService_ListDeployments() {
	orgID := uuid.MustParse("22222222-2222-4222-8222-222222222222")
	for deployment, err := range apiv3.New(demo()).Deploys.ListDeployments(orgID, nil).All(context.Background()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(deployment.Component.Name, deployment.TargetVersion.Name, deployment.Status)
	}
	// Output: web v2 SUCCESS
}
