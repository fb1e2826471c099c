package spec

// NotOnServer are the operations that CircleCI server is known to lack, up to
// version 4.10. A comment of each method says so.
var NotOnServer = []string{
	"DELETE /audit-log/configs/{id}",
	"DELETE /organization/{org-slug-or-id}",
	"DELETE /organization/{org-slug-or-id}/url-orb-allow-list/{allow-list-entry-id}",
	"DELETE /otel/exporters/{id}",
	"DELETE /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}",
	"DELETE /projects/{project_id}/triggers/{trigger_id}",
	"GET /api/v3/projects",
	"GET /audit-log/configs/{id}",
	"GET /deploy/components",
	"GET /deploy/components/{component_id}",
	"GET /deploy/components/{component_id}/versions",
	"GET /deploy/environments",
	"GET /deploy/environments/{environment_id}",
	"GET /deploy/projects/{project_id}/settings",
	"GET /github-app/organization/{org_id}/installation",
	"GET /github-app/organization/{org_id}/repositories",
	"GET /jobs/{job-id}",
	"GET /organization/{org-slug-or-id}/url-orb-allow-list",
	"GET /organizations/{org_id}/audit-log/access",
	"GET /organizations/{org_id}/audit-log/configs",
	"GET /organizations/{org_id}/projects/{project_id}/groups",
	"GET /otel/exporters",
	"GET /projects/{project_id}/pipeline-definitions",
	"GET /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}",
	"GET /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}/triggers",
	"GET /projects/{project_id}/triggers/{trigger_id}",
	"PATCH /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}",
	"PATCH /projects/{project_id}/triggers/{trigger_id}",
	"POST /audit-log/configs/connection/check",
	"POST /jobs/{job-id}/cancel",
	"POST /organization",
	"POST /organization/{org-slug-or-id}/url-orb-allow-list",
	"POST /organizations/{org_id}/audit-log/configs",
	"POST /organizations/{org_id}/projects/{project_id}/groups",
	"POST /organizations/{org_id}/projects/{project_id}/groups/{group_id}/update-role",
	"POST /otel/exporters",
	"POST /projects/{project_id}/pipeline-definitions",
	"POST /projects/{project_id}/pipeline-definitions/{pipeline_definition_id}/triggers",
	"POST /projects/{project_id}/rollback",
	"PUT /audit-log/configs",
}

// ServerSince are the operations that CircleCI server has from a version on. A
// comment of each method names it.
var ServerSince = map[string]string{
	"GET /project/{provider}/{organization}/{project}/settings":      "4.8",
	"PATCH /project/{provider}/{organization}/{project}/settings":    "4.8",
	"POST /organization/{org-slug-or-id}/project":                    "4.8",
	"POST /project/{provider}/{organization}/{project}":              "4.8",
	"POST /project/{provider}/{organization}/{project}/pipeline/run": "4.8",
}
