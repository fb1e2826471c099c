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

// WaitOptions configures a wait. Nil and zero fields select the defaults.
type WaitOptions struct {
	// MinInterval is the first interval between two polls, and the interval
	// after a change. While nothing changes, the interval grows up to
	// MaxInterval. The defaults are 5 and 30 seconds. CircleCI asks clients not
	// to poll more often.
	MinInterval, MaxInterval time.Duration
	// Grace is how long the wait continues when something may still follow: the
	// first workflow of a pipeline, the continuation of a successful setup
	// workflow, the automatic rerun of a failed workflow, or a job or workflow
	// that a wait by name has not found. The default is one minute.
	Grace time.Duration
	// StopOnHold ends the wait when nothing can run until a person approves a
	// job. To see which job, also set WithJobs. Without StopOnHold, the wait
	// continues until somebody approves or cancels.
	StopOnHold bool
	// MaxFailedPolls is the number of consecutive polls that may fail before
	// the wait returns the last error. The default is 10. Each request of a
	// poll has its own retries, unless [NoRetry] is given. Some errors end the
	// wait at once: a refused token, an invalid argument, and an ID that does
	// not exist.
	MaxFailedPolls int
	// WithJobs lists the jobs of unfinished workflows in each poll, and the
	// jobs of a finished workflow once. Each list costs one request.
	WithJobs bool
	// OnProgress is called after each poll.
	OnProgress func(Progress)
}

// Progress is the state of a wait after a poll.
type Progress struct {
	// Text is the current state, or why the poll failed, as one line. On a
	// terminal, it can overwrite the previous line.
	Text string
	// Changed reports whether Text differs from the previous state. Of
	// consecutive failed polls, only the first is a change; the next successful
	// poll is a change again. A log can omit polls without a change.
	Changed bool
	// Elapsed is the time since the wait started.
	Elapsed time.Duration
	// Next is the time until the next poll. It is 0 after the last poll.
	Next time.Duration
	// Err is the error of a failed poll. The wait continues unless Next is 0.
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

// Outcome is the result of a pipeline, a workflow or a job.
type Outcome string

// The outcomes.
const (
	// OutcomePending: it has not ended.
	OutcomePending Outcome = ""
	// OutcomeSuccess: everything succeeded.
	OutcomeSuccess Outcome = "success"
	// OutcomeFailed: a workflow or job failed.
	OutcomeFailed Outcome = "failed"
	// OutcomeCanceled: a workflow or job was canceled, and none failed.
	OutcomeCanceled Outcome = "canceled"
	// OutcomeErrored: CircleCI could not process the pipeline's configuration or
	// its continuation. See [Pipeline.Errors].
	OutcomeErrored Outcome = "errored"
	// OutcomeNoWorkflows: the pipeline runs no workflow, because no filter of
	// its configuration matched.
	OutcomeNoWorkflows Outcome = "no workflows"
	// OutcomeNotContinued: the setup workflow succeeded, but did not continue
	// the pipeline within the grace period.
	OutcomeNotContinued Outcome = "not continued"
	// OutcomeOnHold: nothing runs until a person approves a job. Wait and Watch
	// end with it only if [WaitOptions.StopOnHold] is set.
	OutcomeOnHold Outcome = "on hold"
	// OutcomeNotRun: it ended without running.
	OutcomeNotRun Outcome = "not run"
)

// UnsuccessfulError is the error for an outcome other than success.
type UnsuccessfulError struct {
	Outcome Outcome
	// Detail is one line that names what failed, was canceled, or waits.
	Detail string
}

// Error returns the outcome and its detail in one line.
func (e *UnsuccessfulError) Error() string {
	if e.Detail == "" {
		return "circleci: " + string(e.Outcome)
	}
	return "circleci: " + string(e.Outcome) + ": " + e.Detail
}

// mostNamed is the maximum number of names that an error or a line lists.
const mostNamed = 20

func outcomeError(o Outcome, detail []string) error {
	if o == OutcomeSuccess || o == OutcomePending {
		return nil
	}
	return &UnsuccessfulError{Outcome: o, Detail: named(detail)}
}

// named joins the first mostNamed texts.
func named(texts []string) string {
	if extra := len(texts) - mostNamed; extra > 0 {
		texts = append(slices.Clip(texts[:mostNamed]), fmt.Sprintf("and %d more", extra))
	}
	return strings.Join(texts, "; ")
}

// worst returns the overall outcome. A failure takes precedence over everything
// else; "not run" is returned only if there is nothing else.
func worst(outcomes []Outcome) Outcome {
	for _, o := range []Outcome{OutcomeFailed, OutcomeCanceled, OutcomeSuccess} {
		if slices.Contains(outcomes, o) {
			return o
		}
	}
	return OutcomeNotRun
}

// unknownError is a 404 for something that no poll has found.
type unknownError struct{ error }

func (e *unknownError) Unwrap() error { return e.error }

func orUnknown(err error, known bool) error {
	if errors.Is(err, ErrNotFound) && !known {
		return &unknownError{err}
	}
	return err
}

// waited is the state of the target of a wait.
type waited interface {
	comparable
	String() string
	outcome() Outcome
	// state changes whenever there is something new to yield.
	state() string
}

// target is the target of a wait. It holds the state between polls.
type target[T waited] interface {
	// String names the target in errors.
	String() string
	poll(ctx context.Context, opts []RequestOption) (T, error)
}

// watch polls a target until there is an outcome, and yields each change. Each
// iteration has its own target.
func watch[T waited](ctx context.Context, o *WaitOptions, opts []RequestOption, begin func(WaitOptions) target[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		ctx, cancel, opts, err := composite(ctx, opts)
		defer cancel()
		if err != nil {
			yield(none, err)
			return
		}
		options := o.withDefaults()
		w := watcher[T]{options: options, target: begin(options), start: time.Now(), interval: options.MinInterval}
		for {
			r, news, err := w.poll(ctx, opts)
			if news && !yield(r, nil) {
				return
			}
			if err == nil && w.next > 0 {
				err = w.pause(ctx)
			}
			switch {
			case err != nil:
				yield(none, err)
				return
			case w.next == 0:
				return
			}
		}
	}
}

// watcher is the state of one wait.
type watcher[T waited] struct {
	options  WaitOptions
	target   target[T]
	shown    T // the last value yielded
	start    time.Time
	interval time.Duration
	next     time.Duration // until the next poll; 0: no further poll
	failures int           // consecutive failed polls
}

// poll polls once. It returns a changed state, or the error that ends the wait.
func (w *watcher[T]) poll(ctx context.Context, opts []RequestOption) (r T, news bool, final error) {
	var none T
	r, err := w.target.poll(ctx, opts)
	progress := Progress{Elapsed: time.Since(w.start), Err: err}
	done := false
	if err != nil {
		w.failures++
		progress.Text, progress.Changed = "a poll failed: "+err.Error(), w.failures == 1
		if final = w.final(ctx, err); final != nil {
			progress.Err, progress.Changed, done = final, true, true
		}
	} else {
		news, done = w.shown == none || w.shown.state() != r.state(), r.outcome() != OutcomePending
		progress.Text, progress.Changed = r.String(), news || w.failures > 0
		w.failures = 0
	}
	if news {
		w.interval, w.shown = w.options.MinInterval, r
	}
	w.next = 0
	if !done {
		w.next = max(w.interval*4/5+rand.N(w.interval*2/5+1), 1)
		w.interval = min(w.interval*3/2, w.options.MaxInterval)
	}
	progress.Next = w.next
	if w.options.OnProgress != nil {
		w.options.OnProgress(progress)
	}
	return r, news, final
}

// final returns the error with which a failed poll ends the wait. It returns
// nil if the wait continues.
func (w *watcher[T]) final(ctx context.Context, err error) error {
	var unknown *unknownError
	switch {
	case errors.As(err, &unknown):
		return unknown.error
	case errors.Is(err, ErrInvalidArgument), errors.Is(err, ErrUnauthorized), errors.Is(err, ErrGone),
		errors.Is(err, ErrForbidden) && !errors.Is(err, ErrRateLimited): // a block by CircleCI's edge is temporary
		return err
	case ctx.Err() != nil:
		return w.unfinished(err)
	case w.failures >= w.options.MaxFailedPolls:
		return w.unfinished(fmt.Errorf("%d polls in a row failed, the last with: %w", w.failures, err))
	}
	return nil
}

func (w *watcher[T]) pause(ctx context.Context) error {
	if err := transport.Sleep(ctx, w.next); err != nil {
		return w.unfinished(err)
	}
	return nil
}

// unfinished adds to err what the wait was waiting for.
func (w *watcher[T]) unfinished(err error) error {
	var none T
	if w.shown == none {
		return fmt.Errorf("circleci: waiting for %s: %w", w.target, err)
	}
	return fmt.Errorf("circleci: waiting for %s (last seen: %s): %w", w.target, w.shown, err)
}

// last iterates a watch to its end. On an error, it returns the last result
// before the error, or known if there was none.
func last[T any](known *T, seq iter.Seq2[*T, error]) (*T, error) {
	for r, err := range seq {
		if err != nil {
			return known, err
		}
		known = r
	}
	return known, nil
}
