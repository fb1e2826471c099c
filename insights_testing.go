package circleci

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
)

// FlakyTests are the flaky tests of a project: tests that both passed and
// failed on the same commit.
type FlakyTests struct {
	// Tests has an element for each flake, so a test can appear several times.
	Tests []FlakyTest `json:"flaky_tests"`
	// Total is the number of distinct tests. It is always a whole number,
	// although the API declares a float.
	Total float64 `json:"total_flaky_tests"`
}

// FlakyTest is a flake of a test, with the run in which it occurred.
type FlakyTest struct {
	TestName  string `json:"test_name"`
	Classname string `json:"classname,omitzero"`
	File      string `json:"file,omitzero"`
	Source    string `json:"source,omitzero"`
	// TimesFlaked is the number of times the test flaked.
	TimesFlaked int64 `json:"times_flaked"`
	// TimeWasted is nil if the API does not return it.
	TimeWasted        *Seconds  `json:"time_wasted,omitzero"`
	JobName           string    `json:"job_name"`
	JobNumber         int64     `json:"job_number"`
	PipelineNumber    int64     `json:"pipeline_number"`
	WorkflowID        uuid.UUID `json:"workflow_id"`
	WorkflowName      string    `json:"workflow_name"`
	WorkflowCreatedAt time.Time `json:"workflow_created_at"`
}

// GetFlakyTests returns the flaky tests of a project, on all branches. Tests
// that have not flaked for two weeks are not included.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Insights/operation/getFlakyTests
//
//circleci:operation GET /insights/{project-slug}/flaky-tests
func (s *InsightsService) GetFlakyTests(ctx context.Context, slug ProjectSlug, opts ...RequestOption) (*FlakyTests, error) {
	return do[FlakyTests](ctx, s.client, get("/insights/{project-slug}/flaky-tests", slug).with(opts))
}

// TestMetrics are the metrics of a workflow's tests, from its last 10 runs.
type TestMetrics struct {
	// AverageTestCount is the average number of tests in a run.
	AverageTestCount int64 `json:"average_test_count"`
	TotalTestRuns    int64 `json:"total_test_runs"`
	// MostFailedTests and SlowestTests are the tests at the top of each list.
	// MostFailedTestsExtra and SlowestTestsExtra are the numbers of further
	// tests that tie with the last one.
	MostFailedTests      []TestStatistics `json:"most_failed_tests"`
	MostFailedTestsExtra int64            `json:"most_failed_tests_extra"`
	SlowestTests         []TestStatistics `json:"slowest_tests"`
	SlowestTestsExtra    int64            `json:"slowest_tests_extra"`
	// Runs are the runs included in the metrics.
	Runs []TestRun `json:"test_runs"`
}

// TestStatistics are the metrics of one test.
type TestStatistics struct {
	TestName  string `json:"test_name"`
	Classname string `json:"classname,omitzero"`
	File      string `json:"file,omitzero"`
	Source    string `json:"source,omitzero"`
	JobName   string `json:"job_name"`
	// P95Duration is the 95th percentile of the durations; nil if the API does
	// not return it.
	P95Duration *Seconds `json:"p95_duration"`
	TotalRuns   int64    `json:"total_runs"`
	FailedRuns  int64    `json:"failed_runs"`
	Flaky       bool     `json:"flaky"`
}

// TestRun counts the tests of one run of a workflow.
type TestRun struct {
	PipelineNumber int64     `json:"pipeline_number"`
	WorkflowID     uuid.UUID `json:"workflow_id"`
	// SuccessRate is a fraction from 0 to 1.
	SuccessRate float64    `json:"success_rate"`
	Counts      TestCounts `json:"test_counts"`
}

// TestCounts counts tests by their results.
type TestCounts struct {
	Success int64 `json:"success"`
	Failure int64 `json:"failure"`
	Error   int64 `json:"error"`
	Skipped int64 `json:"skipped"`
	Total   int64 `json:"total"`
}

// GetTestMetricsOptions are the options of [InsightsService.GetTestMetrics].
// The default is the default branch. Branch and AllBranches are mutually
// exclusive.
type GetTestMetricsOptions struct {
	Branch      string
	AllBranches bool
}

func (o *GetTestMetricsOptions) query(q *encode.Query) {
	if o != nil {
		branchesOf(q, o.Branch, o.AllBranches)
	}
}

func (o *GetTestMetricsOptions) check() error {
	if o == nil {
		return nil
	}
	return checkBranches(o.Branch, o.AllBranches)
}

// GetTestMetrics returns the metrics of a workflow's tests.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Insights/operation/getProjectWorkflowTestMetrics
//
//circleci:operation GET /insights/{project-slug}/workflows/{workflow-name}/test-metrics
func (s *InsightsService) GetTestMetrics(ctx context.Context, slug ProjectSlug, workflow string, o *GetTestMetricsOptions, opts ...RequestOption) (*TestMetrics, error) {
	return do[TestMetrics](ctx, s.client, get("/insights/{project-slug}/workflows/{workflow-name}/test-metrics", slug, workflow).query(o).with(opts))
}
