package circleci

import (
	"context"
	"fmt"
	"iter"
)

// JobResult is where a job stands, or how it has ended.
type JobResult struct {
	Outcome Outcome
	Job     Job
}

// Err is nil if the outcome is success or pending, and else an
// [UnsuccessfulError].
func (r *JobResult) Err() error {
	return outcomeError(r.Outcome, []string{fmt.Sprintf("job %s %s", r.Job.Name, r.Job.Status)})
}

// String says in a line where the job stands.
func (r *JobResult) String() string { return fmt.Sprintf("%s %s", r.Job.Name, r.Job.Status) }

func (r *JobResult) outcome() Outcome { return r.Outcome }

func (r *JobResult) state() string { return string(r.Job.Status) }

// Watch polls a job until it has ended, and yields where it stands at first and
// after each change; the last result has its Outcome. An error is yielded last.
func (s *JobsService) Watch(ctx context.Context, slug ProjectSlug, number int64, o *WaitOptions, opts ...RequestOption) iter.Seq2[*JobResult, error] {
	known := false
	return watch(ctx, o.withDefaults(), func(ctx context.Context) (*JobResult, error) {
		job, err := s.Get(ctx, slug, number, opts...)
		if err != nil {
			return nil, lasting(err, known)
		}
		known = true
		return &JobResult{Outcome: jobOutcome(job.Status), Job: *job}, nil
	})
}

// Wait waits until a job has ended. That it failed is no error of the wait: see
// the result's Outcome, or its Err. On an error the result is the last one that
// is known, or nil. A workflow can still go on then: to know how a run ends,
// wait for its workflow or pipeline.
func (s *JobsService) Wait(ctx context.Context, slug ProjectSlug, number int64, o *WaitOptions, opts ...RequestOption) (*JobResult, error) {
	return last(s.Watch(ctx, slug, number, o, opts...))
}

func jobOutcome(s JobStatus) Outcome {
	switch {
	case s == JobStatusSuccess:
		return OutcomeSuccess
	case s == JobStatusCanceled:
		return OutcomeCanceled
	case s == JobStatusNotRun, s == JobStatusRetried:
		return OutcomeNotRun
	case s.Failed():
		return OutcomeFailed
	}
	return OutcomePending
}
