package circleci

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/circleci-go/circleci/internal/transport"
)

// WaitOptions says how to wait for something to end. Nil, and fields that are
// zero, have the defaults.
type WaitOptions struct {
	// MinInterval is the pause between two polls at first, and after a change;
	// it grows up to MaxInterval while nothing changes. Defaults 5 and 30
	// seconds. CircleCI asks not to poll more often.
	MinInterval, MaxInterval time.Duration
	// Grace is how long a pipeline whose configuration has been processed may
	// have no workflow, and a failed workflow no automatic rerun, until there
	// will be none. Default one minute.
	Grace time.Duration
	// StopOnHold ends the wait when nothing goes on without a person's
	// approval; set WithJobs as well to see which job it is that waits.
	// Without StopOnHold the wait goes on until somebody approves.
	StopOnHold bool
	// MaxFailedPolls is how many polls in a row may fail, each with its own
	// retries, until the wait gives up. Default 10. That the token is refused
	// ends it at once.
	MaxFailedPolls int
	// WithJobs lists the jobs of unfinished workflows at each poll, for
	// progress; it costs a request for each.
	WithJobs bool
	// OnProgress is called after each poll.
	OnProgress func(Progress)
}

// Progress is how a wait goes, after a poll.
type Progress struct {
	// Text says in a line where it stands, or that and why the poll failed: a
	// terminal can show it each time, over the last one.
	Text string
	// Changed tells whether there is news: of several polls in a row that fail
	// the first is, and the one that succeeds again. A log can leave out the
	// rest.
	Changed bool
	// Elapsed is the time since the wait began.
	Elapsed time.Duration
	// Next is the pause until the next poll; 0 if there is none.
	Next time.Duration
	// Err is why the poll failed; the wait goes on if Next is not 0.
	Err error
}

func (o *WaitOptions) withDefaults() WaitOptions {
	var out WaitOptions
	if o != nil {
		out = *o
	}
	if out.MinInterval <= 0 {
		out.MinInterval = 5 * time.Second
	}
	if out.MaxInterval <= 0 {
		out.MaxInterval = 30 * time.Second
	}
	out.MaxInterval = max(out.MaxInterval, out.MinInterval)
	if out.Grace <= 0 {
		out.Grace = time.Minute
	}
	if out.MaxFailedPolls <= 0 {
		out.MaxFailedPolls = 10
	}
	return out
}

// Outcome is how something that was waited for has ended.
type Outcome string

// The outcomes.
const (
	// OutcomePending: it has not ended.
	OutcomePending Outcome = ""
	// OutcomeSuccess: all of it succeeded.
	OutcomeSuccess Outcome = "success"
	// OutcomeFailed: a workflow or job failed.
	OutcomeFailed Outcome = "failed"
	// OutcomeCanceled: a workflow or job was canceled, and none failed.
	OutcomeCanceled Outcome = "canceled"
	// OutcomeErrored: the pipeline's configuration, or its continuation, could
	// not be processed; see [Pipeline.Errors].
	OutcomeErrored Outcome = "errored"
	// OutcomeNoWorkflows: the pipeline has no workflow to run: no filter of
	// its configuration matched.
	OutcomeNoWorkflows Outcome = "no workflows"
	// OutcomeOnHold: nothing goes on without an approval, and
	// [WaitOptions.StopOnHold] is set.
	OutcomeOnHold Outcome = "on hold"
	// OutcomeNotRun: it ended without having run.
	OutcomeNotRun Outcome = "not run"
)

// UnsuccessfulError is an outcome other than success, as an error.
type UnsuccessfulError struct {
	Outcome Outcome
	// Detail says what failed, or was canceled, or waits.
	Detail string
}

// Error tells the outcome and what failed.
func (e *UnsuccessfulError) Error() string {
	if e.Detail == "" {
		return "circleci: " + string(e.Outcome)
	}
	return "circleci: " + string(e.Outcome) + ": " + e.Detail
}

func outcomeError(o Outcome, detail []string) error {
	if o == OutcomeSuccess || o == OutcomePending {
		return nil
	}
	return &UnsuccessfulError{Outcome: o, Detail: strings.Join(detail, "; ")}
}

// worst is the outcome of a whole: a failure counts before anything else, and
// what has not run counts only if there is nothing else.
func worst(outcomes []Outcome) Outcome {
	for _, o := range []Outcome{OutcomeFailed, OutcomeCanceled, OutcomeSuccess} {
		if slices.Contains(outcomes, o) {
			return o
		}
	}
	return OutcomeNotRun
}

// lastingError is an error of a poll that no further poll will mend.
type lastingError struct{ error }

func (e *lastingError) Unwrap() error { return e.error }

func lasting(err error, known bool) error {
	if errors.Is(err, ErrUnauthorized) || errors.Is(err, ErrForbidden) || errors.Is(err, ErrInvalidArgument) ||
		errors.Is(err, ErrNotFound) && !known {
		return &lastingError{err}
	}
	return err
}

// waited is what is waited for.
type waited interface {
	comparable
	String() string
	outcome() Outcome
	// state is the same as long as there is no news.
	state() string
}

// watch polls until there is an outcome, and yields what changes.
func watch[T waited](ctx context.Context, o WaitOptions, poll func(context.Context) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var (
			none     T
			shown    T // what was yielded last
			start    = time.Now()
			interval = o.MinInterval
			failures int
		)
		for {
			r, err := poll(ctx)
			progress := Progress{Elapsed: time.Since(start), Err: err}
			news, done := false, false
			if err != nil {
				failures++
				progress.Text, progress.Changed = "a poll failed: "+err.Error(), failures == 1
				if final := o.final(ctx, err, failures); final != nil {
					progress.Err, progress.Changed = final, true
					o.report(progress)
					yield(none, final)
					return
				}
			} else {
				news, done = shown == none || shown.state() != r.state(), r.outcome() != OutcomePending
				progress.Text, progress.Changed = r.String(), news || failures > 0
				failures = 0
			}
			if news {
				interval = o.MinInterval
			}
			if !done {
				progress.Next = interval*4/5 + rand.N(interval*2/5+1)
				interval = min(interval*3/2, o.MaxInterval)
			}
			o.report(progress)
			if news {
				shown = r
				if !yield(r, nil) {
					return
				}
			}
			if done {
				return
			}
			if err := transport.Sleep(ctx, progress.Next); err != nil {
				yield(none, fmt.Errorf("circleci: waiting: %w", err))
				return
			}
		}
	}
}

func (o *WaitOptions) report(p Progress) {
	if o.OnProgress != nil {
		o.OnProgress(p)
	}
}

// final is the error with which a failed poll ends the wait; nil if it goes
// on.
func (o *WaitOptions) final(ctx context.Context, err error, failures int) error {
	var lasting *lastingError
	switch {
	case errors.As(err, &lasting):
		return lasting.error
	case ctx.Err() != nil:
		return err
	case failures >= o.MaxFailedPolls:
		return fmt.Errorf("circleci: waiting: %d polls in a row failed, the last with: %w", failures, err)
	}
	return nil
}

// last takes a watch to its end. On an error it returns the last result before.
func last[T any](seq iter.Seq2[*T, error]) (*T, error) {
	var out *T
	for r, err := range seq {
		if err != nil {
			return out, err
		}
		out = r
	}
	return out, nil
}
