package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// tour calls every operation of a fake server, with what CircleCI takes, and in
// an order in which each can succeed.
type tour struct {
	ctx context.Context
	srv *circlecitest.Server
	c   *circleci.Client

	org, web                    uuid.UUID // gh/acme and its project
	standalone, app             uuid.UUID // an organization without a repository, and its project
	standaloneSlug              circleci.OrgSlug
	pipeline, workflow, testJob uuid.UUID
	buildNumber, running        int64 // of jobs
}

const (
	acme    = circleci.OrgSlug("gh/acme")
	acmeWeb = circleci.ProjectSlug("gh/acme/web")
)

// run walks through all of it. A part that fails does not keep the others from
// being walked through.
func (t *tour) run() (errs []error) {
	t.org, t.web = t.srv.AddOrg(acme), t.srv.AddProject(acmeWeb)
	for _, part := range []func(){
		t.users, t.organizations, t.projects, t.contexts, t.pipelines, t.workflows, t.jobs, t.setup, t.insights,
		t.schedules, t.webhooks, t.definitions, t.policies, t.claims, t.groups, t.deploys, t.usage, t.endings,
	} {
		func() {
			defer func() {
				if r := recover(); r != nil {
					err, ok := r.(stopped)
					if !ok {
						panic(r)
					}
					errs = append(errs, err.error)
				}
			}()
			part()
		}()
	}
	return errs
}

// stopped ends a part of the tour.
type stopped struct{ error }

// do stops if a call has failed.
func (t *tour) do(err error) {
	if err != nil {
		panic(stopped{err})
	}
}

func got[T any](v T, err error) T {
	if err != nil {
		panic(stopped{err})
	}
	return v
}

func all[T any](t *tour, list *circleci.Pager[T]) []T {
	return got(list.Collect(t.ctx))
}

// first is the first of a list that has to have one.
func first[T any](t *tour, list *circleci.Pager[T]) T {
	items := all(t, list)
	if len(items) == 0 {
		panic(stopped{fmt.Errorf("a list of %T is empty", items)})
	}
	return items[0]
}

func (t *tour) users() {
	me := got(t.c.Users.Me(t.ctx))
	got(t.c.Users.Get(t.ctx, me.ID))
	first(t, t.c.Users.ListCollaborations())
}

func (t *tour) organizations() {
	o := t.c.Organizations
	org := got(o.Create(t.ctx, circleci.CreateOrganizationRequest{Name: "Beta", VCSType: circleci.VCSTypeCircleCI}))
	t.standalone, t.standaloneSlug = org.ID, org.Slug
	ref := circleci.OrgByID(org.ID)
	got(o.Get(t.ctx, ref))
	got(o.CreateURLOrbAllowListEntry(t.ctx, ref, circleci.CreateURLOrbAllowListEntryRequest{
		Name: "ours", Prefix: "https://orbs.example.com/", Auth: circleci.URLOrbAuthNone,
	}))
	entry := first(t, o.ListURLOrbAllowList(ref))
	got(o.DeleteURLOrbAllowListEntry(t.ctx, ref, entry.ID))
	t.app = got(t.c.Projects.Create(t.ctx, ref, circleci.CreateProjectRequest{Name: "app"})).ID
}

func (t *tour) projects() {
	p := t.c.Projects
	got(p.CreateFromRepo(t.ctx, "gh/acme/api"))
	got(p.Get(t.ctx, acmeWeb))
	got(p.GetByID(t.ctx, t.web))
	got(p.GetSettings(t.ctx, acmeWeb))
	got(p.UpdateSettings(t.ctx, acmeWeb, circleci.UpdateSettingsRequest{Advanced: circleci.UpdateAdvancedSettings{
		AutocancelBuilds: circleci.Some(true), PROnlyBranchOverrides: circleci.Some([]string{"main", "release"}),
	}}))
	got(p.SetEnvVar(t.ctx, acmeWeb, "KEY", circleci.SetEnvVarRequest{Value: "a long value"}))
	first(t, p.ListEnvVars(acmeWeb))
	got(p.GetEnvVar(t.ctx, acmeWeb, "KEY"))
	t.do(p.DeleteEnvVar(t.ctx, acmeWeb, "KEY"))
	key := got(p.CreateCheckoutKey(t.ctx, acmeWeb, circleci.CreateCheckoutKeyRequest{Type: circleci.CheckoutKeyTypeDeployKey}))
	first(t, p.ListCheckoutKeys(acmeWeb, &circleci.ListCheckoutKeysOptions{Digest: circleci.FingerprintDigestSHA256}))
	got(p.GetCheckoutKey(t.ctx, acmeWeb, key.Fingerprint))
	t.do(p.DeleteCheckoutKey(t.ctx, acmeWeb, key.Fingerprint))
}

func (t *tour) contexts() {
	s := t.c.Contexts
	ctx := got(s.Create(t.ctx, circleci.CreateContextRequest{Name: "deploy", Owner: circleci.OwnerByID(t.org)}))
	got(s.Create(t.ctx, circleci.CreateContextRequest{Name: "publish", Owner: circleci.OwnerBySlug(acme)}))
	first(t, s.List(circleci.OwnerByID(t.org), nil))
	first(t, s.List(circleci.OwnerBySlug(acme), nil))
	got(s.SetEnvVar(t.ctx, ctx.ID, "KEY", circleci.SetEnvVarRequest{Value: "a long value"}))
	first(t, s.ListEnvVars(ctx.ID))
	got(s.CreateRestriction(t.ctx, ctx.ID, circleci.ExpressionRestriction(`pipeline.git.branch == "main"`)))
	got(s.CreateRestriction(t.ctx, ctx.ID, circleci.ProjectRestriction(t.web)))
	restriction := first(t, s.ListRestrictions(ctx.ID))
	got(s.Get(t.ctx, ctx.ID))
	t.do(s.DeleteRestriction(t.ctx, ctx.ID, restriction.ID))
	t.do(s.DeleteEnvVar(t.ctx, ctx.ID, "KEY"))
	t.do(s.Delete(t.ctx, ctx.ID))
}

func (t *tour) schedules() {
	s := t.c.Schedules
	weekly := got(s.Create(t.ctx, acmeWeb, circleci.CreateScheduleRequest{
		Name: "nightly", Description: "each night", Timetable: circleci.Weekly(1, []int{2}, circleci.DayOfWeekMonday),
		AttributionActor: circleci.AttributionActorCurrent, Parameters: circleci.Parameters{"branch": "main"},
	}))
	monthly := circleci.Monthly(2, []int{3, 4}, 1, 15)
	monthly.Months = []circleci.Month{circleci.MonthMarch}
	got(s.Create(t.ctx, acmeWeb, circleci.CreateScheduleRequest{
		Name: "monthly", Timetable: monthly, AttributionActor: circleci.AttributionActorSystem,
		Parameters: circleci.Parameters{"tag": "v1", "n": 1},
	}))
	first(t, s.List(acmeWeb))
	got(s.Get(t.ctx, weekly.ID))
	got(s.Update(t.ctx, weekly.ID, circleci.UpdateScheduleRequest{
		Description: circleci.Null[string](), Timetable: circleci.Some(circleci.Timetable{PerHour: 2}),
	}))
	t.do(s.Delete(t.ctx, weekly.ID))
}

func (t *tour) webhooks() {
	w := t.c.Webhooks
	hook := got(w.Create(t.ctx, circleci.CreateWebhookRequest{
		Name: "notify", URL: "https://example.com/hook", Events: []circleci.WebhookEvent{circleci.WebhookEventJobCompleted},
		VerifyTLS: true, SigningSecret: "a long secret", Scope: circleci.ProjectScope(t.web),
	}))
	first(t, w.List(circleci.ProjectScope(t.web)))
	got(w.Get(t.ctx, hook.ID))
	got(w.Update(t.ctx, hook.ID, circleci.UpdateWebhookRequest{VerifyTLS: circleci.Some(false), SigningSecret: circleci.Some(circleci.Secret(""))}))
	t.do(w.Delete(t.ctx, hook.ID))
}

func (t *tour) definitions() {
	d, tr := t.c.PipelineDefinitions, t.c.Triggers
	definition := got(d.Create(t.ctx, t.app, circleci.CreatePipelineDefinitionRequest{
		Name: "build", Description: "builds it", ConfigSource: circleci.GitHubAppConfig("12345", ".circleci/config.yml"),
		CheckoutSource: circleci.GitHubAppCheckout("12345"),
	}))
	first(t, d.List(t.app))
	got(d.Get(t.ctx, t.app, definition.ID))
	got(d.Update(t.ctx, t.app, definition.ID, circleci.UpdatePipelineDefinitionRequest{
		ConfigSource: circleci.Some(circleci.UpdateConfigSource{FilePath: ".circleci/other.yml"}),
	}))
	push := got(tr.Create(t.ctx, t.app, definition.ID, circleci.CreateTriggerRequest{
		EventSource: circleci.GitHubAppEvents("12345"), EventPreset: circleci.TriggerEventPresetAllPushes,
	}))
	got(tr.Create(t.ctx, t.app, definition.ID, circleci.CreateTriggerRequest{
		EventSource: circleci.CustomWebhookEvents("deployer"), EventName: "deployed", CheckoutRef: "main", ConfigRef: "main",
	}))
	first(t, tr.List(t.app, definition.ID))
	got(tr.Get(t.ctx, t.app, push.ID))
	got(tr.Update(t.ctx, t.app, push.ID, circleci.UpdateTriggerRequest{Disabled: circleci.Some(true)}))
	t.do(tr.Delete(t.ctx, t.app, push.ID))
	t.do(d.Delete(t.ctx, t.app, definition.ID))
}

func (t *tour) policies() {
	p := t.c.Policy
	bundle := circleci.CreatePolicyBundleRequest{Policies: map[string]string{"names.rego": regoNames}}
	dry := bundle
	dry.DryRun = true
	got(p.CreateBundle(t.ctx, t.org, dry))
	got(p.CreateBundle(t.ctx, t.org, bundle))
	got(p.GetBundle(t.ctx, t.org))
	got(p.GetPolicy(t.ctx, t.org, "names"))
	got(p.GetSettings(t.ctx, t.org))
	got(p.UpdateSettings(t.ctx, t.org, circleci.UpdatePolicySettingsRequest{Enabled: true}))
	t.srv.SetPolicyDecisions(acme,
		circleci.Decision{
			Status: circleci.DecisionStatusHardFail, EnabledRules: []string{"names"},
			HardFailures: []circleci.Violation{{Rule: "names", Reason: "the version must be 2.1"}},
		},
		circleci.Decision{Status: circleci.DecisionStatusPass, EnabledRules: []string{"names"}},
	)
	for _, version := range []string{"2.0", "2.1"} {
		got(p.Decide(t.ctx, t.org, circleci.DecideRequest{
			Input: "version: " + version, Metadata: map[string]any{"project_id": t.web, "vcs": map[string]any{"branch": "main"}, "build_number": 1},
		}))
	}
	decision := first(t, p.ListDecisions(t.org, &circleci.ListDecisionsOptions{
		Status: circleci.DecisionStatusHardFail, Branch: "main", ProjectID: t.web, BuildNumber: 1,
		After: t.srv.Now().Add(-time.Hour), Before: t.srv.Now().Add(time.Hour),
	}))
	got(p.GetDecision(t.ctx, t.org, decision.ID))
	got(p.GetDecisionBundle(t.ctx, t.org, decision.ID))
}

const regoNames = `package org

policy_name["names"]

enable_hard["version"]

version = "the version is 2.1" {
	input.version != 2.1
}
`

func (t *tour) claims() {
	o := t.c.OIDC
	update := circleci.UpdateOIDCClaimsRequest{
		Audience: circleci.Some([]string{"example.com"}), TTL: circleci.Some(circleci.Duration(90 * time.Minute)),
	}
	names := []circleci.OIDCClaim{circleci.OIDCClaimAudience, circleci.OIDCClaimTTL}
	got(o.UpdateOrgClaims(t.ctx, t.org, update))
	got(o.GetOrgClaims(t.ctx, t.org))
	got(o.DeleteOrgClaims(t.ctx, t.org, names))
	got(o.UpdateProjectClaims(t.ctx, t.org, t.web, update))
	got(o.GetProjectClaims(t.ctx, t.org, t.web))
	got(o.DeleteProjectClaims(t.ctx, t.org, t.web, names))
}

func (t *tour) groups() {
	g := t.c.Groups
	group := got(g.Create(t.ctx, t.standalone, circleci.CreateGroupRequest{Name: "ops", Description: "they operate"}))
	first(t, g.List(t.standalone, &circleci.ListGroupsOptions{Limit: 10}))
	got(g.Get(t.ctx, t.standalone, group.ID))
	t.do(g.Delete(t.ctx, t.standalone, group.ID))
}

func (t *tour) deploys() {
	d := t.c.Deploys
	environment := t.srv.AddDeployEnvironment(acme, "production", circleci.DeployLabel{Key: "team", Value: "web"})
	component := t.srv.AddDeployComponent(acmeWeb, "web", circleci.DeployLabel{Key: "tier", Value: "1"})
	t.srv.Deploy(component, environment, "v1")
	t.srv.Deploy(component, environment, "v2")
	first(t, d.ListEnvironments(t.org, nil))
	got(d.GetEnvironment(t.ctx, environment))
	first(t, d.ListComponents(t.org, &circleci.ListComponentsOptions{ProjectID: t.web}))
	got(d.GetComponent(t.ctx, component))
	first(t, d.ListComponentVersions(component, &circleci.ListComponentVersionsOptions{EnvironmentID: environment}))
	got(d.Rollback(t.ctx, t.web, circleci.RollbackRequest{
		ComponentName: "web", EnvironmentName: "production", CurrentVersion: "v2", TargetVersion: "v1", Namespace: "default",
		Reason: "slow", Parameters: map[string]any{"dry": false},
	}))
}

func (t *tour) usage() {
	now := t.srv.Now()
	export := got(t.c.Usage.CreateExport(t.ctx, t.org, circleci.CreateUsageExportRequest{
		Start: now.AddDate(0, 0, -7), End: now, SharedOrgIDs: []uuid.UUID{t.standalone},
	}))
	got(t.c.Usage.GetExport(t.ctx, t.org, export.ID))
	t.srv.Advance(time.Hour)
	got(t.c.Usage.GetExport(t.ctx, t.org, export.ID))
}

// endings deletes what the other parts have needed.
func (t *tour) endings() {
	t.do(t.c.Projects.Delete(t.ctx, "gh/acme/api"))
	t.do(t.c.Organizations.Delete(t.ctx, circleci.OrgBySlug(t.standaloneSlug)))
}
