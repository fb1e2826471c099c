package circleci

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/google/uuid"
)

// TestReport holds the tests of several jobs.
type TestReport struct {
	// Tests are in the order of their jobs.
	Tests []JobTest
}

// JobTest is a test, with its job.
type JobTest struct {
	Test
	// JobName is empty if the job was asked for by its number.
	JobName     string
	JobNumber   int64
	ProjectSlug ProjectSlug
}

// Failed returns the tests that failed.
func (r *TestReport) Failed() []JobTest {
	return slices.DeleteFunc(slices.Clone(r.Tests), func(t JobTest) bool { return !t.Result.Failed() })
}

// Slowest returns the n tests that took longest, the slowest first.
func (r *TestReport) Slowest(n int) []JobTest {
	sorted := slices.Clone(r.Tests)
	slices.SortStableFunc(sorted, func(a, b JobTest) int { return cmp.Compare(b.RunTime, a.RunTime) })
	return sorted[:min(max(n, 0), len(sorted))]
}

// GetTestReport reads the tests of a job.
func (s *JobsService) GetTestReport(ctx context.Context, slug ProjectSlug, number int64, opts ...RequestOption) (*TestReport, error) {
	return s.testReport(ctx, []WorkflowJob{{Number: number, ProjectSlug: slug}}, opts)
}

// GetTestReport reads the tests of all jobs of a workflow that have run. If those
// of one cannot be read, the error names it, and the report holds what was read
// before.
func (s *WorkflowsService) GetTestReport(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*TestReport, error) {
	jobs, err := s.ListJobs(id, opts...).Collect(ctx)
	if err != nil {
		return nil, err
	}
	return s.client.Jobs.testReport(ctx, jobs, opts)
}

// GetTestReport reads the tests of all jobs of a pipeline that have run. Of
// workflows with one name the newest counts. If those of a job cannot be read,
// the error names it, and the report holds what was read before.
func (s *PipelinesService) GetTestReport(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*TestReport, error) {
	workflows, err := s.ListWorkflows(id, opts...).Collect(ctx)
	if err != nil {
		return nil, err
	}
	var jobs []WorkflowJob
	for _, w := range newest(workflows) {
		more, err := s.client.Workflows.ListJobs(w.ID, opts...).Collect(ctx)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, more...)
	}
	return s.client.Jobs.testReport(ctx, jobs, opts)
}

// testsAtOnce is of how many jobs the tests are read at once.
const testsAtOnce = 4

// testReport reads the tests of jobs, several at once.
func (s *JobsService) testReport(ctx context.Context, jobs []WorkflowJob, opts []RequestOption) (*TestReport, error) {
	jobs = slices.DeleteFunc(slices.Clone(jobs), func(j WorkflowJob) bool {
		return j.Type == JobTypeApproval || j.Number == 0 && j.ID != uuid.Nil // it has not run
	})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		tests  = make([][]JobTest, len(jobs))
		slots  = make(chan struct{}, testsAtOnce)
		group  sync.WaitGroup
		once   sync.Once
		failed error // the first, and not that others were given up for it
	)
	for i, j := range jobs {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			all, err := s.ListTests(j.ProjectSlug, j.Number, append(slices.Clip(opts), alone)...).Collect(ctx)
			if err != nil {
				once.Do(func() { failed = fmt.Errorf("circleci: tests of job %d of %s: %w", j.Number, j.ProjectSlug, err) })
				cancel()
			}
			for _, t := range all {
				tests[i] = append(tests[i], JobTest{Test: t, JobName: j.Name, JobNumber: j.Number, ProjectSlug: j.ProjectSlug})
			}
		})
	}
	group.Wait()
	return &TestReport{Tests: slices.Concat(tests...)}, failed
}

// alone keeps what happens at once from being captured in one place.
func alone(o *callOptions) { o.captures, o.bodies = nil, nil }
