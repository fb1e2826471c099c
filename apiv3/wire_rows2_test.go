package apiv3_test

import (
	"context"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/apiv3"
)

const oneProject = `{"id":"` + text1 + `","attributes":{"name":"web","is_followed":true},` +
	`"references":{"org":{"id":"` + text2 + `","attributes":{"name":"Acme"}}}}`

var wantProject = apiv3.Project{
	ID: id1, Name: "web", OrgID: id2, Org: apiv3.NamedRef{ID: id2, Name: "Acme"}, IsFollowed: true,
}

const projectSettings = `{"data":{"attributes":{"enable_ai_error_summarization":true,` +
	`"enable_auto_cancel_redundant_workflows":true,"enable_building_fork_prs":true,"is_build_prs_only":true,` +
	`"can_pass_secrets_to_fork_pr_jobs":true,"can_set_github_status":true,"is_running_disabled":true,"is_ssh_disabled":true,` +
	`"enable_dynamic_config":true,"is_admin_required_for_writing_settings":true,"is_oss":true,"enable_unversioned_config":true,` +
	`"pr_only_branch_overrides":["main"]}}}`

var wantProjectSettings = &apiv3.ProjectSettings{
	EnableAIErrorSummarization: true, EnableAutoCancelRedundantWorkflows: true, EnableBuildingForkPRs: true,
	EnableDynamicConfig: true, EnableUnversionedConfig: true, IsBuildPRsOnly: true, IsRunningDisabled: true,
	IsSSHDisabled: true, IsOSS: true, IsAdminRequiredForWritingSettings: true, CanPassSecretsToForkPRJobs: true,
	CanSetGitHubStatus: true, PROnlyBranchOverrides: []string{"main"},
}

const orgSettings = `{"data":{"attributes":{"is_runner_terms_of_service_accepted":true,"enable_ai_error_summarization":true,` +
	`"enable_ai_agents":true,"enable_unversioned_config":true,"enable_certified_public_orbs":true,"enable_chunk_ip_ranges":true,` +
	`"enable_minor_ai_features":true,"enable_private_orbs":true,"enable_uncertified_public_orbs":true,` +
	`"is_bitbucket_workspace_member_org_member":true,"is_user_checkout_keys_disabled":true,"is_running_disabled":true,` +
	`"enable_image_brownouts":true,"is_context_group_restriction_required":true,"enable_resource_class_brownouts":true}}}`

var wantOrgSettings = &apiv3.OrgSettings{
	EnableAIAgents: true, EnableAIErrorSummarization: true, EnableCertifiedPublicOrbs: true, EnableChunkIPRanges: true,
	EnableImageBrownouts: true, EnableMinorAIFeatures: true, EnablePrivateOrbs: true, EnableResourceClassBrownouts: true,
	EnableUncertifiedPublicOrbs: true, EnableUnversionedConfig: true, IsBitbucketWorkspaceMemberOrgMember: true,
	IsContextGroupRestrictionRequired: true, IsRunnerTermsOfServiceAccepted: true, IsRunningDisabled: true,
	IsUserCheckoutKeysDisabled: true,
}

var projectTests = []wireTest{
	{
		op: "GET /projects", what: "of an organization",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return items(ctx, c.Projects.ListForOrg(id2, &apiv3.ListProjectsOptions{Name: "web", OrderByName: true, Limit: 50}))
		},
		url:      "/projects?filter%5Bname%5D=web&filter%5Borg_id%5D=" + text2 + "&order_by=name&page%5Blimit%5D=50",
		response: `{"data":[` + oneProject + `]}`, want: []apiv3.Project{wantProject},
	},
	{
		op: "GET /projects", what: "that are followed",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return items(ctx, c.Projects.ListFollowed(nil))
		},
		url: "/projects?filter%5Bfollowing%5D=true", response: `{"data":null}`, want: []apiv3.Project(nil),
	},
	{
		op: "GET /projects", what: "with a slug",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return some(c.Projects.Resolve(ctx, "gh/acme/web"))
		},
		url: "/projects?filter%5Bslug%5D=gh%2Facme%2Fweb", response: `{"data":[` + oneProject + `]}`, want: &wantProject,
	},
	{
		op:   "GET /projects/{id}",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) { return some(c.Projects.Get(ctx, id1)) },
		url:  "/projects/" + text1, response: `{"data":` + oneProject + `}`, want: &wantProject,
	},
	{
		op:   "GET /projects/{id}/settings",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) { return some(c.Projects.GetSettings(ctx, id1)) },
		url:  "/projects/" + text1 + "/settings", response: projectSettings, want: wantProjectSettings,
	},
	{
		op: "POST /projects/{id}/update-settings",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return some(c.Projects.UpdateSettings(ctx, id1, apiv3.UpdateProjectSettingsRequest{
				IsOSS: circleci.Some(false), PROnlyBranchOverrides: circleci.Some([]string{}),
			}))
		},
		url: "/projects/" + text1 + "/update-settings", body: `{"is_oss":false,"pr_only_branch_overrides":[]}`,
		response: projectSettings, want: wantProjectSettings,
	},
	{
		op: "DELETE /projects/{id}/dlc",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return none(c.Projects.PurgeDockerLayerCache(ctx, id1))
		},
		url: "/projects/" + text1 + "/dlc", status: 204,
	},
	{
		op: "GET /orgs",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return items(ctx, c.Orgs.List(&apiv3.ListOrgsOptions{Limit: 5}))
		},
		url: "/orgs?page%5Blimit%5D=5", response: `{"data":[{"id":"` + text2 + `","attributes":{"name":"Acme"}}]}`,
		want: []apiv3.Org{{ID: id2, Name: "Acme"}},
	},
	{
		op: "GET /orgs", what: "with a slug",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) { return some(c.Orgs.Resolve(ctx, "gh/acme")) },
		url:  "/orgs?filter%5Bslug%5D=gh%2Facme", response: `{"data":[{"id":"` + text2 + `","attributes":{"name":"Acme"}}]}`,
		want: &apiv3.Org{ID: id2, Name: "Acme"},
	},
	{
		op:   "GET /orgs/{id}",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) { return some(c.Orgs.Get(ctx, id2)) },
		url:  "/orgs/" + text2, response: `{"data":{"id":"` + text2 + `","attributes":{"name":"Acme"}}}`,
		want: &apiv3.Org{ID: id2, Name: "Acme"},
	},
	{
		op:   "GET /orgs/{id}/settings",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) { return some(c.Orgs.GetSettings(ctx, id2)) },
		url:  "/orgs/" + text2 + "/settings", response: orgSettings, want: wantOrgSettings,
	},
	{
		op: "POST /orgs/{id}/update-settings",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return some(c.Orgs.UpdateSettings(ctx, id2, apiv3.UpdateOrgSettingsRequest{EnableAIAgents: circleci.Some(true)}))
		},
		url: "/orgs/" + text2 + "/update-settings", body: `{"enable_ai_agents":true}`, response: orgSettings, want: wantOrgSettings,
	},
	{
		op:       "GET /users",
		call:     func(ctx context.Context, c *apiv3.Client) (any, error) { return some(c.Users.Me(ctx)) },
		url:      "/users?filter%5Buser_id%5D=me",
		response: `{"data":[{"id":"` + text1 + `","attributes":{"name":"Ada","login":"ada","avatar_url":"https://a.example"}}]}`,
		want:     &apiv3.User{ID: id1, Name: "Ada", Login: "ada", AvatarURL: "https://a.example"},
	},
	{
		op:   "GET /groups",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) { return items(ctx, c.Groups.ListForOrg(id2)) },
		url:  "/groups?filter%5Borg_id%5D=" + text2, response: `{"data":[{"id":"` + text1 + `","attributes":{"name":"ops"}}]}`,
		want: []apiv3.Group{{ID: id1, Name: "ops"}},
	},
}

const oneContext = `{"id":"` + text1 + `","attributes":{"name":"deploy","created_at":"2026-11-01T12:00:00Z"},` +
	`"references":{"org":{"id":"` + text2 + `"}}}`

var wantContext = apiv3.Context{ID: id1, Name: "deploy", CreatedAt: noon, OrgID: id2}

const oneRestriction = `{"id":"` + text3 + `","attributes":{"restriction_type":"project","match_pattern":"` + text2 + `",` +
	`"name":"web"},"references":{"context":{"id":"` + text1 + `"}}}`

var wantRestriction = apiv3.Restriction{
	ID: id3, ContextID: id1, Type: circleci.RestrictionTypeProject, MatchPattern: text2, Name: "web",
}

var contextTests = []wireTest{
	{
		op: "GET /contexts",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return items(ctx, c.Contexts.ListForOrg(id2, &apiv3.ListContextsOptions{Name: "dep", Limit: 250}))
		},
		url:      "/contexts?filter%5Bname%5D=dep&filter%5Borg_id%5D=" + text2 + "&page%5Blimit%5D=250",
		response: `{"data":[` + oneContext + `]}`, want: []apiv3.Context{wantContext},
	},
	{
		op: "POST /contexts",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return some(c.Contexts.Create(ctx, apiv3.CreateContextRequest{OrgID: id2, Name: "deploy"}))
		},
		url: "/contexts", body: `{"data":{"attributes":{"name":"deploy"},"references":{"org":{"id":"` + text2 + `"}}}}`,
		status: 201, response: `{"data":` + oneContext + `}`, want: &wantContext,
	},
	{
		op:   "GET /contexts/{id}",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) { return some(c.Contexts.Get(ctx, id1)) },
		url:  "/contexts/" + text1, response: `{"data":` + oneContext + `}`, want: &wantContext,
	},
	{
		op:   "DELETE /contexts/{id}",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) { return none(c.Contexts.Delete(ctx, id1)) },
		url:  "/contexts/" + text1, status: 204,
	},
	{
		op: "GET /contexts/{id}/env-vars",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return items(ctx, c.Contexts.ListEnvVars(id1))
		},
		url: "/contexts/" + text1 + "/env-vars",
		response: `{"data":[{"attributes":{"name":"A","truncated_value":"xxx1","created_at":"2026-11-01T12:00:00Z",` +
			`"updated_at":"2026-11-01T13:00:00Z"},"references":{"context":{"id":"` + text1 + `"}}}]}`,
		want: []apiv3.EnvVar{{
			Name: "A", TruncatedValue: "xxx1", CreatedAt: noon, UpdatedAt: noon.Add(time.Hour), ContextID: id1,
		}},
	},
	{
		op: "POST /contexts/{id}/env-vars/set",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return none(c.Contexts.SetEnvVar(ctx, id1, apiv3.SetEnvVarRequest{Name: "A", Value: "hunter2"}))
		},
		url: "/contexts/" + text1 + "/env-vars/set", body: `{"name":"A","value":"hunter2"}`, status: 204,
	},
	{
		op: "DELETE /contexts/{id}/env-vars",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return none(c.Contexts.DeleteEnvVar(ctx, id1, "A/B"))
		},
		url: "/contexts/" + text1 + "/env-vars?filter%5Bname%5D=A%2FB", status: 204,
	},
	{
		op: "GET /context-restrictions",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return items(ctx, c.Contexts.ListRestrictions(id1))
		},
		url: "/context-restrictions?filter%5Bcontext_id%5D=" + text1, response: `{"data":[` + oneRestriction + `]}`,
		want: []apiv3.Restriction{wantRestriction},
	},
	{
		op: "POST /context-restrictions",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return some(c.Contexts.CreateRestriction(ctx, apiv3.CreateRestrictionRequest{
				ContextID: id1, Type: circleci.RestrictionTypeProject, MatchPattern: text2,
			}))
		},
		url: "/context-restrictions",
		body: `{"data":{"attributes":{"restriction_type":"project","match_pattern":"` + text2 + `"},` +
			`"references":{"context":{"id":"` + text1 + `"}}}}`,
		status: 201, response: `{"data":` + oneRestriction + `}`, want: &wantRestriction,
	},
	{
		op: "DELETE /context-restrictions/{id}",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return none(c.Contexts.DeleteRestriction(ctx, id1, id3))
		},
		url: "/context-restrictions/" + text3 + "?filter%5Bcontext_id%5D=" + text1, status: 204,
	},
}

const onePipeline = `{"id":"` + text1 + `","attributes":{"name":"build","description":"d","created_at":"2026-11-01T12:00:00Z",` +
	`"config":{"type":"vcs","file_path":".circleci/config.yml","vcs":{"provider":"github_app","repo_id":"42"}},` +
	`"checkout":{"type":"vcs","vcs":{"provider":"origin","repo_full_name":"acme/web"}}},` +
	`"references":{"project":{"id":"` + text2 + `"}}}`

var wantPipeline = apiv3.Pipeline{
	ID: id1, ProjectID: id2, Name: "build", Description: "d", CreatedAt: noon,
	Config: apiv3.PipelineConfig{
		Type: "vcs", FilePath: ".circleci/config.yml", VCS: &apiv3.Repository{Provider: apiv3.ProviderGitHubApp, RepoID: "42"},
	},
	Checkout: apiv3.Checkout{Type: "vcs", VCS: &apiv3.Repository{Provider: apiv3.ProviderOrigin, RepoFullName: "acme/web"}},
}

const oneTrigger = `{"id":"` + text3 + `","attributes":{"is_disabled":true,"created_at":"2026-11-01T12:00:00Z",` +
	`"event":{"type":"vcs","vcs":{"provider":"github_app","repo_id":"42"},"filter":{"preset":"all-pushes"}},` +
	`"config":{"ref":"main"},"checkout":{"ref":"v1"}},` +
	`"references":{"project":{"id":"` + text2 + `"},"pipeline":{"id":"` + text1 + `"}}}`

var wantTrigger = apiv3.Trigger{
	ID: id3, ProjectID: id2, PipelineID: id1, IsDisabled: true, CreatedAt: noon,
	Event: apiv3.TriggerEvent{
		Type: apiv3.EventTypeVCS, VCS: &apiv3.Repository{Provider: apiv3.ProviderGitHubApp, RepoID: "42"},
		Filter: apiv3.EventFilter{Preset: "all-pushes"},
	},
	Config: apiv3.TriggerRef{Ref: "main"}, Checkout: apiv3.TriggerRef{Ref: "v1"},
}

var setupTests = []wireTest{
	{
		op: "GET /pipelines",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return items(ctx, c.Pipelines.ListForProject(id2, &apiv3.ListPipelinesOptions{Limit: 5}))
		},
		url: "/pipelines?filter%5Bproject_id%5D=" + text2 + "&page%5Blimit%5D=5", response: `{"data":[` + onePipeline + `]}`,
		want: []apiv3.Pipeline{wantPipeline},
	},
	{
		op: "POST /pipelines",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return some(c.Pipelines.Create(ctx, apiv3.CreatePipelineRequest{
				ProjectID: id2, Name: "build", Description: "d", Config: wantPipeline.Config,
				Checkout: apiv3.Checkout{VCS: wantPipeline.Checkout.VCS},
			}))
		},
		url: "/pipelines",
		body: `{"data":{"attributes":{"name":"build","description":"d","config":{"type":"vcs",` +
			`"file_path":".circleci/config.yml","vcs":{"provider":"github_app","repo_id":"42"}},` +
			`"checkout":{"vcs":{"provider":"origin","repo_full_name":"acme/web"}}},` +
			`"references":{"project":{"id":"` + text2 + `"}}}}`,
		status: 201, response: `{"data":` + onePipeline + `}`, want: &wantPipeline,
	},
	{
		op:   "GET /pipelines/{id}",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) { return some(c.Pipelines.Get(ctx, id1)) },
		url:  "/pipelines/" + text1, response: `{"data":` + onePipeline + `}`, want: &wantPipeline,
	},
	{
		op:   "DELETE /pipelines/{id}",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) { return none(c.Pipelines.Delete(ctx, id1)) },
		url:  "/pipelines/" + text1, status: 204,
	},
	{
		op: "GET /triggers",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return items(ctx, c.Triggers.List(apiv3.ListTriggersOptions{ProjectID: id2, PipelineID: id1}))
		},
		url:      "/triggers?filter%5Bpipeline_id%5D=" + text1 + "&filter%5Bproject_id%5D=" + text2,
		response: `{"data":[` + oneTrigger + `]}`, want: []apiv3.Trigger{wantTrigger},
	},
	{
		op: "POST /triggers",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return some(c.Triggers.Create(ctx, apiv3.CreateTriggerRequest{
				PipelineID: id1, ProjectID: id2, IsDisabled: true, Event: wantTrigger.Event, Config: wantTrigger.Config,
			}))
		},
		url: "/triggers?filter%5Bproject_id%5D=" + text2,
		body: `{"data":{"attributes":{"is_disabled":true,"event":{"type":"vcs",` +
			`"vcs":{"provider":"github_app","repo_id":"42"},"filter":{"preset":"all-pushes"}},"config":{"ref":"main"}},` +
			`"references":{"pipeline":{"id":"` + text1 + `"}}}}`,
		status: 201, response: `{"data":` + oneTrigger + `}`, want: &wantTrigger,
	},
	{
		op:   "GET /triggers/{id}",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) { return some(c.Triggers.Get(ctx, id3)) },
		url:  "/triggers/" + text3, response: `{"data":` + oneTrigger + `}`, want: &wantTrigger,
	},
	{
		op: "POST /triggers/{trigger_id}/events",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return none(c.Triggers.Fire(ctx, id3, map[string]any{"a": 1}))
		},
		url: "/triggers/" + text3 + "/events", body: `{"a":1}`, status: 202, response: `whatever`,
	},
	{
		op: "POST /configs/compile",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return some(c.Configs.Compile(ctx, apiv3.CompileConfigRequest{
				Config: "version: 2.1\n", OrgID: id2, EnableNextPreview: true, PipelineValues: map[string]any{"number": 7},
			}))
		},
		url: "/configs/compile",
		body: `{"data":{"attributes":{"config":"version: 2.1\n","enable_next_preview":true,"pipeline_values":{"number":7}},` +
			`"references":{"org":{"id":"` + text2 + `"}}}}`,
		response: `{"data":{"attributes":{"phase":"ended","outcome":"failed","compiled_config":""}},` +
			`"meta":{"messages":[{"title":"no jobs"},{"title":"no workflows"}]}}`,
		want: &apiv3.CompiledConfig{
			Phase: apiv3.PhaseEnded, Outcome: apiv3.OutcomeFailed, Messages: []string{"no jobs", "no workflows"},
		},
	},
	{
		op: "POST /configs/compile", what: "alone",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return some(c.Configs.Compile(ctx, apiv3.CompileConfigRequest{Config: "a"}))
		},
		url: "/configs/compile", body: `{"data":{"attributes":{"config":"a"}}}`,
		response: `{"data":{"id":"x","attributes":{"phase":"ended","outcome":"succeeded","compiled_config":"b"}}}`,
		want:     &apiv3.CompiledConfig{Phase: apiv3.PhaseEnded, Outcome: apiv3.OutcomeSucceeded, Config: "b"},
	},
	{
		op: "GET /provider/connections",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return items(ctx, c.Providers.ListConnections(id2))
		},
		url: "/provider/connections?filter%5Borg_id%5D=" + text2,
		response: `{"data":[{"id":"` + text1 + `","attributes":{"provider":"github_app","external_id":"42","login":"acme",` +
			`"repository_selection":"all","authorized_username":"ada","connection_error":"revoked"}}]}`,
		want: []apiv3.Connection{{
			ID: id1, Provider: apiv3.ProviderGitHubApp, ExternalID: "42", Login: "acme", RepositorySelection: "all",
			AuthorizedUsername: "ada", Error: "revoked",
		}},
	},
	{
		op: "POST /provider/connections/setup",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return some(c.Providers.SetupConnection(ctx, apiv3.SetupConnectionRequest{
				OrgID: id2, Provider: apiv3.ProviderGitHubApp, ReturnURL: "https://acme.example/done",
			}))
		},
		url:  "/provider/connections/setup?filter%5Borg_id%5D=" + text2,
		body: `{"type":"vcs","vcs":{"provider":"github_app"},"return_url":"https://acme.example/done"}`,
		response: `{"data":{"attributes":{"next_step":"redirect","url":"https://github.com/apps/circleci",` +
			`"state_token":"hunter2"}}}`,
		want: &apiv3.ConnectionSetup{NextStep: "redirect", URL: "https://github.com/apps/circleci", StateToken: "hunter2"},
	},
	{
		op: "GET /provider/repositories",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return items(ctx, c.Providers.ListRepositories(id2, apiv3.ProviderGitHubApp, &apiv3.ListRepositoriesOptions{Limit: 100}))
		},
		url: "/provider/repositories?filter%5Borg_id%5D=" + text2 + "&filter%5Bprovider%5D=github_app&page%5Blimit%5D=100",
		response: `{"data":[{"attributes":{"repo_id":"42","owner":"acme","repo_name":"web","repo_full_name":"acme/web",` +
			`"default_branch":"main","is_private":true,"provider":"github_app"}}]}`,
		want: []apiv3.ProviderRepository{{
			Provider: apiv3.ProviderGitHubApp, RepoID: "42", Owner: "acme", RepoName: "web", RepoFullName: "acme/web",
			DefaultBranch: "main", IsPrivate: true,
		}},
	},
}

const oneComponent = `{"id":"` + text1 + `","attributes":{"name":"web"},"references":{"project":{"id":"` + text3 + `"}}}`

var wantComponent = apiv3.Component{ID: id1, Name: "web", ProjectID: id3}

const oneEnvironment = `{"id":"` + text2 + `","attributes":{"name":"prod"},"references":{"org":{"id":"` + text4 + `"}}}`

var wantEnvironment = apiv3.Environment{ID: id2, Name: "prod", OrgID: id4}

var deployTests = []wireTest{
	{
		op: "GET /deploy/deployments",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return items(ctx, c.Deploys.ListDeployments(id4, &apiv3.ListDeploysOptions{ProjectID: id3, Limit: 5}))
		},
		url: "/deploy/deployments?filter%5Borg_id%5D=" + text4 + "&filter%5Bproject_id%5D=" + text3 + "&page%5Blimit%5D=5",
		response: `{"data":[{"id":"` + text3 + `","attributes":{"type":"plan","status":"failed","target_version":{"name":"v2"},` +
			`"is_rollback":true,"created_at":"2026-11-01T12:00:00Z","ended_at":"2026-11-01T13:00:00Z","failure_reason":"no"},` +
			`"references":{"deploy_component":{"id":"` + text1 + `","attributes":{"name":"web"}},` +
			`"deploy_environment":{"id":"` + text2 + `"},"pipeline":{"id":"` + text3 + `"},"workflow":{"id":"` + text4 + `"}}}]}`,
		want: []apiv3.Deployment{{
			ID: id3, Type: "plan", Status: "failed", TargetVersion: apiv3.TargetVersion{Name: "v2"}, IsRollback: true,
			CreatedAt: noon, EndedAt: noon.Add(time.Hour), FailureReason: "no", Component: apiv3.NamedRef{ID: id1, Name: "web"},
			EnvironmentID: id2, PipelineID: id3, WorkflowID: id4,
		}},
	},
	{
		op: "GET /deploy/environments",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return items(ctx, c.Deploys.ListEnvironments(id4, &apiv3.ListEnvironmentsOptions{Limit: 5}))
		},
		url:      "/deploy/environments?filter%5Borg_id%5D=" + text4 + "&page%5Blimit%5D=5",
		response: `{"data":[` + oneEnvironment + `]}`, want: []apiv3.Environment{wantEnvironment},
	},
	{
		op: "GET /deploy/environments/{id}",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return some(c.Deploys.GetEnvironment(ctx, id2))
		},
		url: "/deploy/environments/" + text2, response: `{"data":` + oneEnvironment + `}`, want: &wantEnvironment,
	},
	{
		op: "GET /deploy/components",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return items(ctx, c.Deploys.ListComponents(id4, nil))
		},
		url: "/deploy/components?filter%5Borg_id%5D=" + text4, response: `{"data":[` + oneComponent + `]}`,
		want: []apiv3.Component{wantComponent},
	},
	{
		op:   "GET /deploy/components/{id}",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) { return some(c.Deploys.GetComponent(ctx, id1)) },
		url:  "/deploy/components/" + text1, response: `{"data":` + oneComponent + `}`, want: &wantComponent,
	},
	{
		op: "GET /deploy/components/{id}/versions",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return items(ctx, c.Deploys.ListComponentVersions(id1, &apiv3.ListComponentVersionsOptions{EnvironmentID: id2, Limit: 5}))
		},
		url: "/deploy/components/" + text1 + "/versions?filter%5Benvironment_id%5D=" + text2 + "&page%5Blimit%5D=5",
		response: `{"data":[{"attributes":{"name":"v1","created_at":"2026-11-01T12:00:00Z"},` +
			`"references":{"component":{"id":"` + text1 + `"}}}]}`,
		want: []apiv3.ComponentVersion{{Name: "v1", CreatedAt: noon, ComponentID: id1}},
	},
	{
		op:       "GET /deploy/settings",
		call:     func(ctx context.Context, c *apiv3.Client) (any, error) { return some(c.Deploys.GetSettings(ctx, id3)) },
		url:      "/deploy/settings?filter%5Bproject_id%5D=" + text3,
		response: `{"data":{"attributes":{"is_enabled":true,"limit":9007199254740993}}}`,
		want:     map[string]any{"is_enabled": true, "limit": int64(9007199254740993)},
	},
	{
		op: "POST /projects/{id}/rollback",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return some(c.Deploys.Rollback(ctx, id3, apiv3.RollbackRequest{
				ComponentID: id1, EnvironmentID: id2, CurrentVersion: "v2", TargetVersion: "v1", Namespace: "n", Reason: "r",
				CheckoutRef: "a", ConfigRef: "b",
			}))
		},
		url: "/projects/" + text3 + "/rollback",
		body: `{"component_id":"` + text1 + `","environment_id":"` + text2 + `","current_version":"v2","target_version":"v1",` +
			`"namespace":"n","reason":"r","checkout_ref":"a","config_ref":"b"}`,
		response: `{"data":{"id":"` + text4 + `","attributes":{"rollback_type":"pipeline"},"references":{` +
			`"project":{"id":"` + text3 + `"},"deploy_component":{"id":"` + text1 + `"},"deploy_environment":{"id":"` + text2 + `"}}}}`,
		want: &apiv3.Rollback{ID: id4, Type: "pipeline", ProjectID: id3, ComponentID: id1, EnvironmentID: id2},
	},
}

// milliseconds writes a duration as the API counts it.
func milliseconds(d time.Duration) circleci.Milliseconds {
	return circleci.Milliseconds(d)
}
