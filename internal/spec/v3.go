package spec

// Confidence tells how well an operation of the API v3 is known from public
// material. None has been tried.
type Confidence string

// The degrees of confidence.
const (
	High   Confidence = "high"   // CircleCI's own code calls it
	Medium Confidence = "medium" // named by others alone, or in part
)

// OperationV3 is an operation of the API v3.
type OperationV3 struct {
	Method, Path string
	Query        []string // names of the parameters of the query
	Confidence   Confidence
	// Experimental operations may change without notice.
	Experimental bool
}

// V3 are the operations of the API v3 that package apiv3 has methods for.
var V3 = []OperationV3{
	{Method: "GET", Path: "/api/v3/runs", Query: []string{"filter[user_id]", "filter[project_id]", "filter[phase]", "filter[current_outcome]", "filter[from]", "filter[to]", "page[limit]", "page[cursor]"}, Confidence: High},
	{Method: "GET", Path: "/api/v3/runs/{id}", Confidence: High},
	{Method: "POST", Path: "/api/v3/runs/search", Confidence: High},
	{Method: "GET", Path: "/api/v3/workflows", Query: []string{"filter[run_id]", "page[limit]", "page[cursor]"}, Confidence: High},
	{Method: "GET", Path: "/api/v3/workflows/{id}", Confidence: High},
	{Method: "POST", Path: "/api/v3/workflows/{id}/rerun", Confidence: High},
	{Method: "POST", Path: "/api/v3/workflows/{id}/cancel", Confidence: High},
	{Method: "GET", Path: "/api/v3/jobs", Query: []string{"filter[workflow_id]"}, Confidence: High},
	{Method: "GET", Path: "/api/v3/jobs/{id}", Confidence: High},
	{Method: "GET", Path: "/api/v3/jobs/{id}/stdout", Query: []string{"filter[step_num]", "filter[execution]"}, Confidence: High},
	{Method: "GET", Path: "/api/v3/jobs/{id}/stderr", Query: []string{"filter[step_num]", "filter[execution]"}, Confidence: High},
	{Method: "GET", Path: "/api/v3/jobs/{id}/stdout/condensed", Query: []string{"filter[step_num]", "filter[execution]"}, Confidence: High},
	{Method: "GET", Path: "/api/v3/jobs/{id}/tests", Confidence: High},
	{Method: "GET", Path: "/api/v3/jobs/{id}/artifacts", Query: []string{"page[cursor]"}, Confidence: High},
	{Method: "GET", Path: "/api/v3/jobs/{id}/resource-usage", Confidence: High},
	{Method: "GET", Path: "/api/v3/pipelines", Query: []string{"filter[project_id]", "page[limit]", "page[cursor]"}, Confidence: High},
	{Method: "POST", Path: "/api/v3/pipelines", Confidence: High},
	{Method: "GET", Path: "/api/v3/pipelines/{id}", Confidence: Medium},
	{Method: "DELETE", Path: "/api/v3/pipelines/{id}", Confidence: Medium},
	{Method: "GET", Path: "/api/v3/triggers", Query: []string{"filter[project_id]", "filter[pipeline_id]"}, Confidence: High},
	{Method: "POST", Path: "/api/v3/triggers", Query: []string{"filter[project_id]"}, Confidence: High},
	{Method: "GET", Path: "/api/v3/triggers/{id}", Confidence: Medium},
	{Method: "POST", Path: "/api/v3/triggers/{trigger_id}/events", Confidence: Medium, Experimental: true},
	{Method: "GET", Path: "/api/v3/projects", Query: []string{"filter[slug]", "filter[org_id]", "filter[following]", "filter[name]", "order_by", "page[limit]", "page[cursor]"}, Confidence: High},
	{Method: "GET", Path: "/api/v3/projects/{id}", Confidence: High},
	{Method: "GET", Path: "/api/v3/projects/{id}/settings", Confidence: High},
	{Method: "POST", Path: "/api/v3/projects/{id}/update-settings", Confidence: High},
	{Method: "POST", Path: "/api/v3/projects/{id}/rollback", Confidence: High},
	{Method: "DELETE", Path: "/api/v3/projects/{id}/dlc", Confidence: High},
	{Method: "GET", Path: "/api/v3/orgs", Query: []string{"filter[slug]", "page[limit]", "page[cursor]"}, Confidence: High},
	{Method: "GET", Path: "/api/v3/orgs/{id}", Confidence: Medium},
	{Method: "GET", Path: "/api/v3/orgs/{id}/settings", Confidence: High},
	{Method: "POST", Path: "/api/v3/orgs/{id}/update-settings", Confidence: High},
	{Method: "GET", Path: "/api/v3/users", Query: []string{"filter[user_id]"}, Confidence: High},
	{Method: "GET", Path: "/api/v3/groups", Query: []string{"filter[org_id]"}, Confidence: Medium},
	{Method: "GET", Path: "/api/v3/contexts", Query: []string{"filter[org_id]", "filter[name]", "page[limit]", "page[cursor]"}, Confidence: High},
	{Method: "POST", Path: "/api/v3/contexts", Confidence: High},
	{Method: "GET", Path: "/api/v3/contexts/{id}", Confidence: High},
	{Method: "DELETE", Path: "/api/v3/contexts/{id}", Confidence: High},
	{Method: "GET", Path: "/api/v3/contexts/{id}/env-vars", Query: []string{"page[limit]", "page[cursor]"}, Confidence: High},
	{Method: "POST", Path: "/api/v3/contexts/{id}/env-vars/set", Confidence: High},
	{Method: "DELETE", Path: "/api/v3/contexts/{id}/env-vars", Query: []string{"filter[name]"}, Confidence: High},
	{Method: "GET", Path: "/api/v3/context-restrictions", Query: []string{"filter[context_id]"}, Confidence: High},
	{Method: "POST", Path: "/api/v3/context-restrictions", Confidence: High},
	{Method: "DELETE", Path: "/api/v3/context-restrictions/{id}", Query: []string{"filter[context_id]"}, Confidence: High},
	{Method: "POST", Path: "/api/v3/configs/compile", Confidence: High},
	{Method: "GET", Path: "/api/v3/provider/connections", Query: []string{"filter[org_id]"}, Confidence: High},
	{Method: "POST", Path: "/api/v3/provider/connections/setup", Query: []string{"filter[org_id]"}, Confidence: High},
	{Method: "GET", Path: "/api/v3/provider/repositories", Query: []string{"filter[org_id]", "filter[provider]", "page[limit]", "page[cursor]"}, Confidence: High},
	{Method: "GET", Path: "/api/v3/deploy/deployments", Query: []string{"filter[org_id]", "filter[project_id]", "page[limit]", "page[cursor]"}, Confidence: High},
	{Method: "GET", Path: "/api/v3/deploy/environments", Query: []string{"filter[org_id]", "page[limit]", "page[cursor]"}, Confidence: High, Experimental: true},
	{Method: "GET", Path: "/api/v3/deploy/environments/{id}", Confidence: High},
	{Method: "GET", Path: "/api/v3/deploy/components", Query: []string{"filter[org_id]", "filter[project_id]", "page[limit]", "page[cursor]"}, Confidence: High, Experimental: true},
	{Method: "GET", Path: "/api/v3/deploy/components/{id}", Confidence: High},
	{Method: "GET", Path: "/api/v3/deploy/components/{id}/versions", Query: []string{"filter[environment_id]", "page[limit]", "page[cursor]"}, Confidence: High},
	{Method: "GET", Path: "/api/v3/deploy/settings", Query: []string{"filter[project_id]"}, Confidence: High},
}
