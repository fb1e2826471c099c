package apiv3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// StepRef identifies the output of a step.
type StepRef struct {
	JobID uuid.UUID
	// Execution is the index of the parallel execution in [Job.Executions].
	Execution int
	// Num is [Step.Num].
	Num int
}

// request is a call for the output of the step.
func (s StepRef) request(route string) request {
	r := get(route, s.JobID).filter("filter[step_num]", strconv.Itoa(s.Num))
	switch {
	case s.Execution < 0:
		return r.refuse("filter[execution]", "is negative")
	case s.Num < 0:
		return r.refuse("filter[step_num]", "is negative")
	case s.Execution > 0:
		return r.filter("filter[execution]", strconv.Itoa(s.Execution))
	}
	return r
}

// OutputPosition is a position in the output of a step.
type OutputPosition struct {
	// Offset is the number of bytes that have been read from the start of the
	// output. Pass it to continue.
	Offset int64
	// Final reports whether the output is complete.
	Final bool
}

// ReadStdout writes to w what a step has printed to standard output, from the
// given offset in bytes, and returns the position after it. If there is no
// output yet, it writes nothing; the same is true for a step without output and
// a job that does not exist.
//
// The text is unmodified: it contains ANSI escape sequences, and CR LF at the
// end of lines. It can end in the middle of a character.
//
//circleci:operation GET /api/v3/jobs/{id}/stdout
func (s *JobsService) ReadStdout(ctx context.Context, step StepRef, offset int64, w io.Writer, opts ...circleci.RequestOption) (OutputPosition, error) {
	return s.client.output(ctx, step.request("/api/v3/jobs/{id}/stdout"), offset, w, opts)
}

// ReadStderr is like [JobsService.ReadStdout], for standard error. The API does
// not report whether the output is complete.
//
//circleci:operation GET /api/v3/jobs/{id}/stderr
func (s *JobsService) ReadStderr(ctx context.Context, step StepRef, offset int64, w io.Writer, opts ...circleci.RequestOption) (OutputPosition, error) {
	return s.client.output(ctx, step.request("/api/v3/jobs/{id}/stderr"), offset, w, opts)
}

// ReadCondensedStdout writes to w the lines of a step's standard output that
// explain its failure. CircleCI selects them. If there are none, it writes
// nothing.
//
//circleci:operation GET /api/v3/jobs/{id}/stdout/condensed
func (s *JobsService) ReadCondensedStdout(ctx context.Context, step StepRef, w io.Writer, opts ...circleci.RequestOption) error {
	_, err := s.client.output(ctx, step.request("/api/v3/jobs/{id}/stdout/condensed"), 0, w, opts)
	return err
}

// output reads an output from an offset.
func (c *Client) output(ctx context.Context, r request, offset int64, w io.Writer, opts []circleci.RequestOption) (OutputPosition, error) {
	if offset < 0 {
		r = r.refuse("offset", "is negative")
	}
	var response circleci.Response
	out := &offsetWriter{w: w, response: &response, offset: offset}
	all := append(opts[:len(opts):len(opts)], circleci.CaptureResponse(&response))
	if offset > 0 {
		all = append(all, circleci.Header("Range", "bytes="+strconv.FormatInt(offset, 10)+"-"))
	}
	err := c.do(ctx, r, out, all)
	switch {
	case errors.Is(err, circleci.ErrNotFound), isBeyondEnd(err):
		err = nil // there is nothing, or nothing new
	}
	final := response.Header.Get("X-Terminal") == "true"
	return OutputPosition{Offset: out.offset, Final: final && err == nil}, err
}

// isBeyondEnd reports whether the API has answered that a range begins where
// the output ends.
func isBeyondEnd(err error) bool {
	var e *circleci.Error
	return errors.As(err, &e) && e.StatusCode == http.StatusRequestedRangeNotSatisfiable
}

// offsetWriter passes on what follows an offset. A server that ignores the
// range sends the output from its start.
type offsetWriter struct {
	w        io.Writer
	response *circleci.Response
	offset   int64 // of what comes next for w
	skip     int64 // what is yet to be skipped
	begun    bool
}

// Write takes the next part of the response.
func (o *offsetWriter) Write(p []byte) (int, error) {
	if !o.begun {
		o.begun = true
		if o.response.StatusCode != http.StatusPartialContent {
			o.skip = o.offset
		}
	}
	skipped := int(min(o.skip, int64(len(p))))
	o.skip -= int64(skipped)
	if skipped == len(p) {
		return skipped, nil
	}
	n, err := o.w.Write(p[skipped:])
	o.offset += int64(n)
	return skipped + n, err
}

// FollowOptions are the options of [JobsService.FollowOutput].
type FollowOptions struct {
	// Interval is the pause after a read that returned nothing. The default is
	// 2 seconds.
	Interval time.Duration
}

// FollowOutput writes to w what a step prints while it runs, and returns when
// the step has ended and all of its output has been written: first standard
// output, then standard error, which the API keeps separate. A failed step is
// not an error: see [Step.State].
//
// The options apply to each request: [circleci.Timeout] limits one request, and
// the context limits the whole.
func (s *JobsService) FollowOutput(ctx context.Context, step StepRef, w io.Writer, o *FollowOptions, opts ...circleci.RequestOption) error {
	interval := 2 * time.Second
	if o != nil && o.Interval > 0 {
		interval = o.Interval
	}
	var at OutputPosition
	ended := false
	for {
		next, err := s.ReadStdout(ctx, step, at.Offset, w, opts...)
		if err != nil {
			return err
		}
		news := next.Offset > at.Offset
		at = next
		switch {
		case at.Final, ended && !news:
			_, err := s.ReadStderr(ctx, step, 0, w, opts...)
			return err
		case news, ended:
			continue
		}
		// Output may have come between the read and the end of the step: what
		// counts is a read that begins after the end.
		if ended, err = s.stepEnded(ctx, step, opts); err != nil {
			return err
		}
		if !ended {
			if err := pause(ctx, interval); err != nil {
				return err
			}
		}
	}
}

// stepEnded reports whether a step has ended. A step that an ended job does not
// have counts as ended.
func (s *JobsService) stepEnded(ctx context.Context, ref StepRef, opts []circleci.RequestOption) (bool, error) {
	job, err := s.Get(ctx, ref.JobID, opts...)
	if err != nil {
		return false, err
	}
	if ref.Execution < len(job.Executions) {
		for _, step := range job.Executions[ref.Execution].Steps {
			if step.Num == ref.Num {
				return step.Phase.Ended() || job.Phase.Ended(), nil
			}
		}
	}
	return job.Phase.Ended(), nil
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
