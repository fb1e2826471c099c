package circleci

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// SummaryMetrics are metrics of an organization or a project as a whole.
type SummaryMetrics struct {
	// TotalRuns counts runs that have not ended too.
	TotalRuns        int64   `json:"total_runs"`
	TotalDuration    Seconds `json:"total_duration_secs"`
	TotalCreditsUsed int64   `json:"total_credits_used"`
	// SuccessRate is a part of 1, of the runs that were not canceled.
	SuccessRate float64 `json:"success_rate"`
	// Throughput is the number of runs a day; nil if the API does not tell, as
	// for the projects of an organization.
	Throughput *float64 `json:"throughput,omitzero"`
}

// SummaryTrends compare [SummaryMetrics] with the window before. A trend is the
// value divided by the one before: 1 is no change. -1 stands for what was 0
// before. The API has trends for windows of up to 30 days.
type SummaryTrends struct {
	TotalRuns        float64 `json:"total_runs"`
	TotalDuration    float64 `json:"total_duration_secs"`
	TotalCreditsUsed float64 `json:"total_credits_used"`
	SuccessRate      float64 `json:"success_rate"`
	// Throughput is nil if the API does not tell.
	Throughput *float64 `json:"throughput,omitzero"`
}

// SummaryData are metrics with their trends.
type SummaryData struct {
	Metrics SummaryMetrics `json:"metrics"`
	Trends  SummaryTrends  `json:"trends"`
}

// ProjectSummary is a project at a glance.
type ProjectSummary struct {
	OrgID     uuid.UUID `json:"org_id"`
	ProjectID uuid.UUID `json:"project_id"`
	// Project covers all workflows and branches.
	Project SummaryData `json:"project_data"`
	// Workflows are by workflow, WorkflowBranches by workflow and branch.
	Workflows        []ProjectWorkflowSummary `json:"project_workflow_data"`
	WorkflowBranches []ProjectWorkflowSummary `json:"project_workflow_branch_data"`
	// AllBranches and AllWorkflows are the names of all there are.
	AllBranches  []string `json:"all_branches"`
	AllWorkflows []string `json:"all_workflows"`
}

// ProjectWorkflowSummary holds the metrics of a workflow, on one branch or on
// all.
type ProjectWorkflowSummary struct {
	WorkflowName string `json:"workflow_name"`
	// Branch is empty for all branches.
	Branch  string                 `json:"branch,omitzero"`
	Metrics ProjectWorkflowNumbers `json:"metrics"`
	Trends  ProjectWorkflowTrends  `json:"trends"`
}

// ProjectWorkflowNumbers are the numbers of a [ProjectWorkflowSummary].
type ProjectWorkflowNumbers struct {
	// TotalRuns counts runs that have not ended too.
	TotalRuns        int64 `json:"total_runs"`
	TotalCreditsUsed int64 `json:"total_credits_used"`
	// SuccessRate is a part of 1, of the runs that were not canceled.
	SuccessRate float64 `json:"success_rate"`
	// P95Duration is the 95th percentile of the durations.
	P95Duration Seconds `json:"p95_duration_secs"`
}

// ProjectWorkflowTrends compare [ProjectWorkflowNumbers] with the window
// before, as [SummaryTrends] do.
type ProjectWorkflowTrends struct {
	TotalRuns        float64 `json:"total_runs"`
	TotalCreditsUsed float64 `json:"total_credits_used"`
	SuccessRate      float64 `json:"success_rate"`
	P95Duration      float64 `json:"p95_duration_secs"`
}

// GetProjectSummaryOptions says what to summarize; by default 90 days.
type GetProjectSummaryOptions struct {
	ReportingWindow ReportingWindow
	// Branches and WorkflowNames are the names of those that the metrics by
	// branch and by workflow are for.
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

// OrgSummary is an organization at a glance.
type OrgSummary struct {
	Org SummaryData `json:"org_data"`
	// Projects are those that the options have named.
	Projects []OrgProjectSummary `json:"org_project_data"`
	// AllProjects are the names of all projects.
	AllProjects []string `json:"all_projects"`
}

// OrgProjectSummary holds the metrics of one project, on all branches.
type OrgProjectSummary struct {
	ProjectName string         `json:"project_name"`
	Metrics     SummaryMetrics `json:"metrics"`
	Trends      SummaryTrends  `json:"trends"`
}

// GetOrgSummaryOptions says what to summarize; by default 90 days.
type GetOrgSummaryOptions struct {
	ReportingWindow ReportingWindow
	// ProjectNames are the names (not the slugs) of the projects to have
	// metrics of; without them there are those of the organization alone.
	ProjectNames []string
}

func (o *GetOrgSummaryOptions) query(q *encode.Query) {
	if o != nil {
		q.String("reporting-window", string(o.ReportingWindow))
		q.Strings("project-names", o.ProjectNames)
	}
}

// GetOrgSummary returns the metrics of an organization, and of the projects that f
// names.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Insights/operation/getOrgSummaryData
//
//circleci:operation GET /insights/{org-slug}/summary
func (s *InsightsService) GetOrgSummary(ctx context.Context, slug OrgSlug, o *GetOrgSummaryOptions, opts ...RequestOption) (*OrgSummary, error) {
	return do[OrgSummary](ctx, s.client, get("/insights/{org-slug}/summary", slug).query(o).with(opts))
}

// WorkflowSummary holds the metrics of a workflow with their trends.
type WorkflowSummary struct {
	Metrics WorkflowSummaryNumbers `json:"metrics"`
	Trends  WorkflowSummaryTrends  `json:"trends"`
	// WorkflowNames are the names of all workflows of the project.
	WorkflowNames []string `json:"workflow_names"`
}

// WorkflowSummaryNumbers are the numbers of a [WorkflowSummary].
type WorkflowSummaryNumbers struct {
	// TotalRuns counts runs that have not ended too.
	TotalRuns      int64 `json:"total_runs"`
	SuccessfulRuns int64 `json:"successful_runs"`
	FailedRuns     int64 `json:"failed_runs"`
	// CompletedRuns is nil if the API does not tell.
	CompletedRuns *int64 `json:"completed_runs"`
	// SuccessRate is a part of 1, of the runs that were not canceled.
	SuccessRate float64 `json:"success_rate"`
	// Throughput is the number of runs a day.
	Throughput float64         `json:"throughput"`
	Durations  DurationMetrics `json:"duration_metrics"`
	// MTTR is the mean time to recovery, from a failure to the next success.
	// It is nil if nothing failed.
	MTTR *Seconds `json:"mttr"`
	// TotalCreditsUsed is nil if the API does not tell.
	TotalCreditsUsed *int64 `json:"total_credits_used"`
	// WindowStart and WindowEnd are the times of the first and the last run
	// that count.
	WindowStart time.Time `json:"window_start"`
	WindowEnd   time.Time `json:"window_end"`
}

// WorkflowSummaryTrends compare [WorkflowSummaryNumbers] with the window
// before, as [SummaryTrends] do.
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

// GetWorkflowSummaryOptions says what to summarize; by default the default branch.
// Branch and AllBranches exclude each other.
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
