package circleci

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// TestReport contains the tests of several jobs.
type TestReport struct {
	// Tests are in the order of their jobs.
	Tests []JobTest
	// Missing lists the tests that could not be read. It is empty if the report
	// is complete.
	Missing []MissingTests
}

// MissingTests are tests that could not be read.
type MissingTests struct {
	// JobNumber is 0 if the jobs of a whole workflow could not be listed.
	JobNumber   int64
	JobName     string
	ProjectSlug ProjectSlug
	// Err says why. It matches [ErrNotFound] if CircleCI does not have the
	// tests of the job, as for old jobs.
	Err error
}

// JobTest is a test with its job.
type JobTest struct {
	Test
	// JobName is empty if the job was requested by its number.
	JobName     string
	JobNumber   int64
	ProjectSlug ProjectSlug
}

// Failed returns the tests that failed.
func (r *TestReport) Failed() []JobTest {
	return slices.DeleteFunc(slices.Clone(r.Tests), func(t JobTest) bool { return !t.Result.Failed() })
}

// Slowest returns the n slowest tests, slowest first.
func (r *TestReport) Slowest(n int) []JobTest {
	sorted := slices.Clone(r.Tests)
	slices.SortStableFunc(sorted, func(a, b JobTest) int { return cmp.Compare(b.RunTime, a.RunTime) })
	return sorted[:min(max(n, 0), len(sorted))]
}

// GetTestReport returns the tests of a job. If there is no such job, the error
// matches [ErrNotFound].
func (s *JobsService) GetTestReport(ctx context.Context, slug ProjectSlug, number int64, opts ...RequestOption) (*TestReport, error) {
	ctx, cancel, opts, err := composite(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer cancel()
	tests, err := s.ListTests(slug, number, opts...).Collect(ctx)
	if err != nil {
		return nil, err
	}
	return &TestReport{Tests: testsOf(WorkflowJob{Number: number, ProjectSlug: slug}, tests)}, nil
}

// GetTestReport returns the tests of all jobs of a workflow that have run. If
// CircleCI does not have the tests of a job (404), the report lists them in
// Missing. On any other error, GetTestReport returns the error with a report
// that contains what could be read, and lists the rest in Missing.
func (s *WorkflowsService) GetTestReport(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*TestReport, error) {
	ctx, cancel, opts, err := composite(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer cancel()
	jobs, err := s.ListJobs(id, opts...).Collect(ctx)
	if err != nil {
		return nil, err
	}
	r := &TestReport{}
	return r, s.client.Jobs.addTests(ctx, r, jobs, opts)
}

// GetTestReport returns the tests of all jobs of a pipeline that have run. If a
// workflow was rerun, the newest run of each job counts. If CircleCI does not
// have the tests or jobs (404), the report lists them in Missing. On any other
// error, GetTestReport returns the error with a report that contains what could
// be read, and lists the rest in Missing.
func (s *PipelinesService) GetTestReport(ctx context.Context, id uuid.UUID, opts ...RequestOption) (*TestReport, error) {
	ctx, cancel, opts, err := composite(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer cancel()
	workflows, err := s.ListWorkflows(id, opts...).Collect(ctx)
	if err != nil {
		return nil, err
	}
	r, jobs, lists := &TestReport{}, []WorkflowJob(nil), s.jobLists(opts)
	for _, runs := range runsByName(workflows) {
		more, err := lists.latest(ctx, runs)
		jobs = append(jobs, more...)
		if err != nil {
			r.Missing = append(r.Missing, MissingTests{ProjectSlug: runs[0].ProjectSlug, Err: err})
		}
	}
	return r, s.client.Jobs.addTests(ctx, r, jobs, opts)
}

// addTests reads the tests of jobs. It returns the first error that is not a
// 404.
func (s *JobsService) addTests(ctx context.Context, r *TestReport, jobs []WorkflowJob, opts []RequestOption) error {
	jobs = slices.DeleteFunc(slices.Clone(jobs), func(j WorkflowJob) bool {
		return j.Type == JobTypeApproval || j.Number == 0 // it has not run
	})
	tests := make([][]JobTest, len(jobs))
	failed := concurrently(ctx, len(jobs), listsAtOnce, func(i int) error {
		all, err := s.ListTests(jobs[i].ProjectSlug, jobs[i].Number, opts...).Collect(ctx)
		tests[i] = testsOf(jobs[i], all)
		return err
	})
	r.Tests = append(r.Tests, slices.Concat(tests...)...)
	for i, err := range failed {
		if err != nil {
			err = fmt.Errorf("circleci: tests of job %d of %s: %w", jobs[i].Number, oneLine(string(jobs[i].ProjectSlug)), err)
			r.Missing = append(r.Missing, MissingTests{JobNumber: jobs[i].Number, JobName: jobs[i].Name, ProjectSlug: jobs[i].ProjectSlug, Err: err})
		}
	}
	return r.failure()
}

// failure returns the first error that is not a 404.
func (r *TestReport) failure() error {
	for _, m := range r.Missing {
		if !errors.Is(m.Err, ErrNotFound) && !errors.Is(m.Err, errNoWorkflowID) {
			return m.Err
		}
	}
	return nil
}

func testsOf(j WorkflowJob, tests []Test) []JobTest {
	out := make([]JobTest, 0, len(tests))
	for _, t := range tests {
		out = append(out, JobTest{Test: t, JobName: j.Name, JobNumber: j.Number, ProjectSlug: j.ProjectSlug})
	}
	return out
}
