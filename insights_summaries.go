package circleci

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// SummaryMetrics are metrics of an organization or a project as a whole.
type SummaryMetrics struct {
	// TotalRuns includes unfinished runs.
	TotalRuns        int64   `json:"total_runs"`
	TotalDuration    Seconds `json:"total_duration_secs"`
	TotalCreditsUsed int64   `json:"total_credits_used"`
	// SuccessRate is a fraction from 0 to 1 of the runs that were not canceled.
	SuccessRate float64 `json:"success_rate"`
	// Throughput is the number of runs per day. It is nil if the API does not
	// return it, as for the projects of an organization.
	Throughput *float64 `json:"throughput,omitzero"`
}

// SummaryTrends compares [SummaryMetrics] with the previous window. A trend is
// the current value divided by the previous one, so 1 means no change. It is -1
// if the previous value was 0. The API returns trends for windows of up to 30
// days.
type SummaryTrends struct {
	TotalRuns        float64 `json:"total_runs"`
	TotalDuration    float64 `json:"total_duration_secs"`
	TotalCreditsUsed float64 `json:"total_credits_used"`
	SuccessRate      float64 `json:"success_rate"`
	// Throughput is nil if the API does not return it.
	Throughput *float64 `json:"throughput,omitzero"`
}

// SummaryData are metrics with their trends.
type SummaryData struct {
	Metrics SummaryMetrics `json:"metrics"`
	Trends  SummaryTrends  `json:"trends"`
}

// ProjectSummary holds the metrics of a project, with their trends.
type ProjectSummary struct {
	OrgID     uuid.UUID `json:"org_id"`
	ProjectID uuid.UUID `json:"project_id"`
	// Project covers all workflows and branches.
	Project SummaryData `json:"project_data"`
	// Workflows holds one element for each workflow; WorkflowBranches holds one
	// for each workflow and branch.
	Workflows        []ProjectWorkflowSummary `json:"project_workflow_data"`
	WorkflowBranches []ProjectWorkflowSummary `json:"project_workflow_branch_data"`
	// AllBranches and AllWorkflows are the names of all branches and workflows.
	AllBranches  []string `json:"all_branches"`
	AllWorkflows []string `json:"all_workflows"`
}

// ProjectWorkflowSummary holds the metrics of a workflow, on one branch or on
// all branches.
type ProjectWorkflowSummary struct {
	WorkflowName string `json:"workflow_name"`
	// Branch is empty for all branches.
	Branch  string                `json:"branch,omitzero"`
	Metrics ProjectWorkflowValues `json:"metrics"`
	Trends  ProjectWorkflowTrends `json:"trends"`
}

// ProjectWorkflowValues holds the values of a [ProjectWorkflowSummary].
type ProjectWorkflowValues struct {
	// TotalRuns includes unfinished runs.
	TotalRuns        int64 `json:"total_runs"`
	TotalCreditsUsed int64 `json:"total_credits_used"`
	// SuccessRate is a fraction from 0 to 1 of the runs that were not canceled.
	SuccessRate float64 `json:"success_rate"`
	// P95Duration is the 95th percentile of the durations.
	P95Duration Seconds `json:"p95_duration_secs"`
}

// ProjectWorkflowTrends compares [ProjectWorkflowValues] with the previous
// window, as [SummaryTrends] does.
type ProjectWorkflowTrends struct {
	TotalRuns        float64 `json:"total_runs"`
	TotalCreditsUsed float64 `json:"total_credits_used"`
	SuccessRate      float64 `json:"success_rate"`
	P95Duration      float64 `json:"p95_duration_secs"`
}

// GetProjectSummaryOptions are the options of
// [InsightsService.GetProjectSummary]. The default is 90 days.
type GetProjectSummaryOptions struct {
	ReportingWindow ReportingWindow
	// Branches and WorkflowNames select the branches and workflows to return
	// metrics for.
	Branches, WorkflowNames []string
}

func (o *GetProjectSummaryOptions) query(q *encode.Query) {
	if o != nil {
		q.String("reporting-window", string(o.ReportingWindow))
		q.Strings("branches", o.Branches)
		q.Strings("workflow-names", o.WorkflowNames)
	}
}

// GetProjectSummary returns the metrics of a project, as a whole, by workflow and
// by branch.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Insights/operation/getProjectWorkflowsPageData
//
//circleci:operation GET /insights/pages/{project-slug}/summary
func (s *InsightsService) GetProjectSummary(ctx context.Context, slug ProjectSlug, o *GetProjectSummaryOptions, opts ...RequestOption) (*ProjectSummary, error) {
	return do[ProjectSummary](ctx, s.client, get("/insights/pages/{project-slug}/summary", slug).query(o).with(opts))
}

// OrgSummary holds the metrics of an organization, with their trends.
type OrgSummary struct {
	Org SummaryData `json:"org_data"`
	// Projects are the projects that the options named.
	Projects []OrgProjectSummary `json:"org_project_data"`
	// AllProjects are the names of all projects.
	AllProjects []string `json:"all_projects"`
}

// OrgProjectSummary holds the metrics of a project, on all branches.
type OrgProjectSummary struct {
	ProjectName string         `json:"project_name"`
	Metrics     SummaryMetrics `json:"metrics"`
	Trends      SummaryTrends  `json:"trends"`
}

// GetOrgSummaryOptions are the options of [InsightsService.GetOrgSummary]. The
// default is 90 days.
type GetOrgSummaryOptions struct {
	ReportingWindow ReportingWindow
	// ProjectNames are the names (not slugs) of the projects to return metrics
	// for. If it is empty, only the organization's metrics are returned.
	ProjectNames []string
}

func (o *GetOrgSummaryOptions) query(q *encode.Query) {
	if o != nil {
		q.String("reporting-window", string(o.ReportingWindow))
		q.Strings("project-names", o.ProjectNames)
	}
}

// GetOrgSummary returns the metrics of an organization, and of the projects
// that the options name.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Insights/operation/getOrgSummaryData
//
//circleci:operation GET /insights/{org-slug}/summary
func (s *InsightsService) GetOrgSummary(ctx context.Context, slug OrgSlug, o *GetOrgSummaryOptions, opts ...RequestOption) (*OrgSummary, error) {
	return do[OrgSummary](ctx, s.client, get("/insights/{org-slug}/summary", slug).query(o).with(opts))
}

// WorkflowSummary holds the metrics of a workflow with their trends.
type WorkflowSummary struct {
	Metrics WorkflowSummaryValues `json:"metrics"`
	Trends  WorkflowSummaryTrends `json:"trends"`
	// WorkflowNames are the names of all workflows of the project.
	WorkflowNames []string `json:"workflow_names"`
}

// WorkflowSummaryValues holds the values of a [WorkflowSummary].
type WorkflowSummaryValues struct {
	// TotalRuns includes unfinished runs.
	TotalRuns      int64 `json:"total_runs"`
	SuccessfulRuns int64 `json:"successful_runs"`
	FailedRuns     int64 `json:"failed_runs"`
	// CompletedRuns is nil if the API does not return it.
	CompletedRuns *int64 `json:"completed_runs"`
	// SuccessRate is a fraction from 0 to 1 of the runs that were not canceled.
	SuccessRate float64 `json:"success_rate"`
	// Throughput is the number of runs per day.
	Throughput float64         `json:"throughput"`
	Durations  DurationMetrics `json:"duration_metrics"`
	// MTTR is the mean time to recovery, from a failure to the next success. It
	// is nil if no run failed.
	MTTR *Seconds `json:"mttr"`
	// TotalCreditsUsed is nil if the API does not return it.
	TotalCreditsUsed *int64 `json:"total_credits_used"`
	// WindowStart and WindowEnd are the times of the first and last runs
	// included.
	WindowStart time.Time `json:"window_start"`
	WindowEnd   time.Time `json:"window_end"`
}

// WorkflowSummaryTrends compares [WorkflowSummaryValues] with the previous
// window, as [SummaryTrends] does.
type WorkflowSummaryTrends struct {
	TotalRuns        float64 `json:"total_runs"`
	FailedRuns       float64 `json:"failed_runs"`
	SuccessRate      float64 `json:"success_rate"`
	Throughput       float64 `json:"throughput"`
	P95Duration      float64 `json:"p95_duration_secs"`
	MedianDuration   float64 `json:"median_duration_secs"`
	MTTR             float64 `json:"mttr"`
	TotalCreditsUsed float64 `json:"total_credits_used"`
}

// GetWorkflowSummaryOptions are the options of
// [InsightsService.GetWorkflowSummary]. The default is the default branch.
// Branch and AllBranches are mutually exclusive.
type GetWorkflowSummaryOptions struct {
	Branch      string
	AllBranches bool
}

func (o *GetWorkflowSummaryOptions) query(q *encode.Query) {
	if o != nil {
		branchesOf(q, o.Branch, o.AllBranches)
	}
}

func (o *GetWorkflowSummaryOptions) check() error {
	if o == nil {
		return nil
	}
	return checkBranches(o.Branch, o.AllBranches)
}

// GetWorkflowSummary returns the metrics of one workflow with their trends.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Insights/operation/getWorkflowSummary
//
//circleci:operation GET /insights/{project-slug}/workflows/{workflow-name}/summary
func (s *InsightsService) GetWorkflowSummary(ctx context.Context, slug ProjectSlug, workflow string, o *GetWorkflowSummaryOptions, opts ...RequestOption) (*WorkflowSummary, error) {
	return do[WorkflowSummary](ctx, s.client, get("/insights/{project-slug}/workflows/{workflow-name}/summary", slug, workflow).query(o).with(opts))
}
