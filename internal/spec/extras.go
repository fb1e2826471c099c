package spec

// Extras are operations in use that the document lacks. A path that begins with
// /api/ belongs to another version of the API.
var Extras = []Operation{
	{ID: "getDeploySettings", Method: "GET", Path: "/deploy/projects/{project_id}/settings"},
	{ID: "listOtelExporters", Method: "GET", Path: "/otel/exporters", Query: []string{"org-id"}, Required: []string{"org-id"}},
	{ID: "createOtelExporter", Method: "POST", Path: "/otel/exporters"},
	{ID: "deleteOtelExporter", Method: "DELETE", Path: "/otel/exporters/{id}"},
	{ID: "getOrganization", Method: "GET", Path: "/organization/{org-slug-or-id}"},
	{ID: "listProjectGroups", Method: "GET", Path: "/organizations/{org_id}/projects/{project_id}/groups"},
	{ID: "addProjectGroups", Method: "POST", Path: "/organizations/{org_id}/projects/{project_id}/groups"},
	{ID: "updateProjectGroupRole", Method: "POST", Path: "/organizations/{org_id}/projects/{project_id}/groups/{group_id}/update-role"},
	{ID: "cancelPipeline", Method: "POST", Path: "/pipeline/{pipeline-id}/cancel"},
	{ID: "searchPipelines", Method: "POST", Path: "/pipeline/search"},
	{ID: "compileConfig", Method: "POST", Path: "/compile-config-with-defaults"},
	{ID: "listCertificates", Method: "GET", Path: "/certificates", Query: []string{"org-id"}, Required: []string{"org-id"}},
	{ID: "createCertificate", Method: "POST", Path: "/certificates"},
	{ID: "deleteCertificate", Method: "DELETE", Path: "/certificates/{id}"},
	{ID: "listSigningConfigs", Method: "GET", Path: "/signing-configs", Query: []string{"org-id"}, Required: []string{"org-id"}},
	{ID: "createSigningConfig", Method: "POST", Path: "/signing-configs"},
	{ID: "deleteSigningConfig", Method: "DELETE", Path: "/signing-configs/{id}"},
	{ID: "listAuditLogConfigs", Method: "GET", Path: "/organizations/{org_id}/audit-log/configs"},
	{ID: "createAuditLogConfig", Method: "POST", Path: "/organizations/{org_id}/audit-log/configs"},
	{ID: "updateAuditLogConfig", Method: "PUT", Path: "/audit-log/configs"},
	{ID: "getAuditLogConfig", Method: "GET", Path: "/audit-log/configs/{id}"},
	{ID: "deleteAuditLogConfig", Method: "DELETE", Path: "/audit-log/configs/{id}"},
	{ID: "checkAuditLogConnection", Method: "POST", Path: "/audit-log/configs/connection/check"},
	{ID: "getAuditLogAccess", Method: "GET", Path: "/organizations/{org_id}/audit-log/access"},
	{ID: "getGitHubAppInstallation", Method: "GET", Path: "/github-app/organization/{org_id}/installation"},
	{ID: "listGitHubAppRepositories", Method: "GET", Path: "/github-app/organization/{org_id}/repositories", Query: []string{"limit", "page"}},
	{ID: "getJobByID", Method: "GET", Path: "/jobs/{job-id}"},
	{ID: "getBuild", Method: "GET", Path: "/api/v1.1/project/{project-slug}/{build-number}"},
	{ID: "listOrgProjects", Method: "GET", Path: "/api/v3/projects", Query: []string{"filter[org_id]", "page[cursor]"}, Required: []string{"filter[org_id]"}},
	{ID: "getJobOutput", Method: "GET", Path: "/api/v3/jobs/{job-id}/{stream}", Query: []string{"filter[execution]", "filter[step_num]"}},
}

// ExtraQuery has query parameters that the document lacks, for operations that
// it has.
var ExtraQuery = map[string][]string{"GET /context": {"include-env-vars"}}
