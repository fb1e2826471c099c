package circleci

import (
	"context"
	"fmt"
	"iter"
)

// JobResult is the state of a job, or its result once it has ended.
type JobResult struct {
	Outcome Outcome
	Job     Job
}

// Err returns nil if the outcome is success or pending, and an
// [*UnsuccessfulError] otherwise.
func (r *JobResult) Err() error { return outcomeError(r.Outcome, []string{"job " + r.String()}) }

// String describes the state of the job in one line.
func (r *JobResult) String() string { return oneLine(r.Job.Name) + " " + oneLine(string(r.Job.Status)) }

func (r *JobResult) outcome() Outcome { return r.Outcome }

func (r *JobResult) state() string { return string(r.Job.Status) }

// Watch polls a job until it has ended. It yields the state first seen and each
// change; the last result has its Outcome set. If the wait fails, the error is
// yielded last.
//
// [Timeout] limits the whole wait. With [NoRetry], each poll sends its request
// once.
func (s *JobsService) Watch(ctx context.Context, slug ProjectSlug, number int64, o *WaitOptions, opts ...RequestOption) iter.Seq2[*JobResult, error] {
	return watch(ctx, o, opts, func(WaitOptions) target[*JobResult] {
		return &jobWatch{service: s, slug: slug, number: number}
	})
}

// Wait waits until a job has ended. A failed job is not an error: check the
// result's Outcome or Err. On an error, the result is the last one seen, or
// nil. Other jobs of the workflow can still be running: to get the result of a
// run, wait for its workflow or pipeline.
func (s *JobsService) Wait(ctx context.Context, slug ProjectSlug, number int64, o *WaitOptions, opts ...RequestOption) (*JobResult, error) {
	return last(nil, s.Watch(ctx, slug, number, o, opts...))
}

// jobWatch holds the state between two polls of a job.
type jobWatch struct {
	service *JobsService
	slug    ProjectSlug
	number  int64
	known   bool // the job exists: a 404 is temporary
}

func (w *jobWatch) String() string {
	return fmt.Sprintf("job %d of %s", w.number, oneLine(string(w.slug)))
}

func (w *jobWatch) poll(ctx context.Context, opts []RequestOption) (*JobResult, error) {
	job, err := w.service.Get(ctx, w.slug, w.number, opts...)
	if err != nil {
		return nil, orUnknown(err, w.known)
	}
	w.known = true
	return &JobResult{Outcome: jobOutcome(job.Status), Job: *job}, nil
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
