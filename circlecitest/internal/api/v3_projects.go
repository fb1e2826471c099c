package api

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

func projectViewV3(p *world.Project) form.Object {
	return resource(p.ID, form.Object{"name": p.Name, "is_followed": true}, form.Object{"org": named(p.Org.ID, p.Org.Name)})
}

// settingsV3 are the names of a project's settings: of those that the API v2
// has too, its own name.
var settingsV3 = map[string]string{
	"enable_auto_cancel_redundant_workflows": "autocancel_builds", "enable_building_fork_prs": "build_fork_prs",
	"is_build_prs_only": "build_prs_only", "can_pass_secrets_to_fork_pr_jobs": "forks_receive_secret_env_vars",
	"can_set_github_status": "set_github_status", "is_ssh_disabled": "disable_ssh", "enable_dynamic_config": "setup_workflows",
	"is_admin_required_for_writing_settings": "write_settings_requires_admin", "is_oss": "oss",
	"pr_only_branch_overrides": "pr_only_branch_overrides", "enable_ai_error_summarization": "", "is_running_disabled": "",
	"enable_unversioned_config": "",
}

// orgSettingsV3 are the names of an organization's settings.
var orgSettingsV3 = []string{
	"is_runner_terms_of_service_accepted", "enable_ai_error_summarization", "enable_ai_agents", "enable_unversioned_config",
	"enable_certified_public_orbs", "enable_chunk_ip_ranges", "enable_minor_ai_features", "enable_private_orbs",
	"enable_uncertified_public_orbs", "is_bitbucket_workspace_member_org_member", "is_user_checkout_keys_disabled",
	"is_running_disabled", "enable_image_brownouts", "is_context_group_restriction_required", "enable_resource_class_brownouts",
}

func projectSettingsViewV3(p *world.Project) form.Object {
	attributes := form.Object{}
	for name, v2 := range settingsV3 {
		switch {
		case v2 != "":
			attributes[name] = p.Settings[v2]
		case p.SettingsV3[name] != nil:
			attributes[name] = p.SettingsV3[name]
		default:
			attributes[name] = false
		}
	}
	return form.Object{"attributes": attributes}
}

func orgSettingsViewV3(o *world.Org) form.Object {
	attributes := form.Object{}
	for _, name := range orgSettingsV3 {
		attributes[name] = o.SettingsV3[name] == true
	}
	return form.Object{"attributes": attributes}
}

// settingsIn reads settings that a request changes.
func settingsIn(r *exchange.Request, known func(name string) bool) (map[string]any, *exchange.Answer) {
	var in map[string]any
	if a := r.Bind(&in); a != nil {
		return nil, a
	}
	for name, value := range in {
		_, isBool := value.(bool)
		_, isList := value.([]any)
		if !known(name) || !isBool && (!isList || name != "pr_only_branch_overrides") {
			return nil, invalidV3("/"+name, "cannot be set so")
		}
	}
	return in, nil
}

func updateProjectSettingsV3(_ *engine.Engine, r *exchange.Request, p *world.Project) *exchange.Answer {
	in, a := settingsIn(r, func(name string) bool { _, known := settingsV3[name]; return known })
	if a != nil {
		return a
	}
	for name, value := range in {
		if v2 := settingsV3[name]; v2 != "" {
			p.Settings[v2] = value
			continue
		}
		if p.SettingsV3 == nil {
			p.SettingsV3 = form.Object{}
		}
		p.SettingsV3[name] = value
	}
	return okV3(projectSettingsViewV3(p))
}

func updateOrgSettingsV3(_ *engine.Engine, r *exchange.Request, o *world.Org) *exchange.Answer {
	in, a := settingsIn(r, func(name string) bool { return slices.Contains(orgSettingsV3, name) })
	if a != nil {
		return a
	}
	for name, value := range in {
		if o.SettingsV3 == nil {
			o.SettingsV3 = form.Object{}
		}
		o.SettingsV3[name] = value
	}
	return okV3(orgSettingsViewV3(o))
}

func listProjectsV3(s *engine.Engine, r *exchange.Request) *exchange.Answer {
	slug, orgID, following := r.Query.Get("filter[slug]"), r.Query.Get("filter[org_id]"), r.Query.Get("filter[following]")
	given := 0
	for _, filter := range []string{slug, orgID, following} {
		if filter != "" {
			given++
		}
	}
	switch {
	case given != 1:
		return invalidV3("/filter/slug", "or /filter/org_id or /filter/following is required")
	case following != "" && following != "true":
		return invalidV3("/filter/following", "is true")
	case orgID != "" && uuid.Validate(orgID) != nil:
		return invalidV3("/filter/org_id", "is not a UUID")
	}
	name := strings.ToLower(r.Query.Get("filter[name]"))
	var all []*world.Project
	for _, p := range s.Projects {
		if (slug == "" || p.Slug == world.ShortSlug(slug)) && (orgID == "" || p.Org.ID.String() == strings.ToLower(orgID)) &&
			strings.Contains(strings.ToLower(p.Name), name) {
			all = append(all, p)
		}
	}
	if r.Query.Get("order_by") == "name" {
		slices.SortStableFunc(all, func(a, b *world.Project) int { return strings.Compare(a.Name, b.Name) })
	}
	return pageV3(r, all, mostProjects, projectViewV3)
}

func orgViewV3(o *world.Org) form.Object { return resource(o.ID, form.Object{"name": o.Name}, nil) }

var projectHandlersV3 = map[string]exchange.Handler{
	"GET /api/v3/projects": listProjectsV3,
	"GET /api/v3/projects/{id}": withIDV3("Project", projectV3, func(_ *engine.Engine, _ *exchange.Request, p *world.Project) *exchange.Answer {
		return okV3(projectViewV3(p))
	}),
	"GET /api/v3/projects/{id}/settings": withIDV3("Project", projectV3, func(_ *engine.Engine, _ *exchange.Request, p *world.Project) *exchange.Answer {
		return okV3(projectSettingsViewV3(p))
	}),
	"POST /api/v3/projects/{id}/update-settings": withIDV3("Project", projectV3, updateProjectSettingsV3),
	"DELETE /api/v3/projects/{id}/dlc":           withIDV3("Project", projectV3, func(*engine.Engine, *exchange.Request, *world.Project) *exchange.Answer { return deleted() }),
	"GET /api/v3/orgs": func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		var all []*world.Org
		for _, o := range s.Orgs {
			if slug := r.Query.Get("filter[slug]"); slug == "" || o.Slug == world.ShortSlug(slug) {
				all = append(all, o)
			}
		}
		return pageV3(r, all, mostOthers, orgViewV3)
	},
	"GET /api/v3/orgs/{id}": withIDV3("Organization", orgV3, func(_ *engine.Engine, _ *exchange.Request, o *world.Org) *exchange.Answer { return okV3(orgViewV3(o)) }),
	"GET /api/v3/orgs/{id}/settings": withIDV3("Organization", orgV3, func(_ *engine.Engine, _ *exchange.Request, o *world.Org) *exchange.Answer {
		return okV3(orgSettingsViewV3(o))
	}),
	"POST /api/v3/orgs/{id}/update-settings": withIDV3("Organization", orgV3, updateOrgSettingsV3),
	"GET /api/v3/users": func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		if r.Query.Get("filter[user_id]") != "me" {
			return invalidV3("/filter/user_id", "is me")
		}
		return allV3([]*world.User{s.Me}, func(u *world.User) form.Object {
			return resource(u.ID, form.Object{"name": u.Name, "login": u.Login, "avatar_url": nil}, nil)
		})
	},
	"GET /api/v3/groups": withFilter("filter[org_id]", "Organization", orgV3, func(_ *engine.Engine, _ *exchange.Request, o *world.Org) *exchange.Answer {
		return allV3(o.Groups, func(g *world.Group) form.Object { return resource(g.ID, form.Object{"name": g.Name}, nil) })
	}),
}
