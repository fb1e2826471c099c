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
	// MinInterval is the first pause between two polls, and the pause after a
	// change. While nothing changes, pauses grow up to MaxInterval. The defaults
	// are 5 and 30 seconds. CircleCI asks clients not to poll more often.
	MinInterval, MaxInterval time.Duration
	// Grace is how long the wait allows for something that may still follow:
	// the first workflow of a pipeline, the continuation of a setup workflow
	// that succeeded, or the automatic rerun of a failed workflow. The default
	// is one minute.
	Grace time.Duration
	// StopOnHold ends the wait when nothing runs until a person approves a job.
	// Set WithJobs as well to see which job it is. Without StopOnHold the wait
	// continues until somebody approves or cancels.
	StopOnHold bool
	// MaxFailedPolls is how many polls in a row may fail before the wait returns
	// the last error. Each request of a poll has its own retries, unless NoRetry
	// is given. The default is 10. Some errors end the wait at once: a refused
	// token, an invalid argument, and an ID that does not exist.
	MaxFailedPolls int
	// WithJobs lists the jobs of unfinished workflows in each poll, and those of
	// a finished workflow once. It costs one request per list.
	WithJobs bool
	// OnProgress is called after each poll.
	OnProgress func(Progress)
}

// Progress is the state of a wait after a poll.
type Progress struct {
	// Text is one line: the current state, or why the poll failed. A terminal
	// can overwrite the previous line with it.
	Text string
	// Changed reports whether Text differs from the state before. Of several
	// failed polls in a row only the first is a change, and so is the next
	// successful one. A log can leave out the rest.
	Changed bool
	// Elapsed is the time since the wait began.
	Elapsed time.Duration
	// Next is the pause until the next poll. It is 0 after the last poll.
	Next time.Duration
	// Err is why the poll failed. The wait continues if Next is not 0.
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
	// OutcomeOnHold: nothing runs until a person approves a job. A wait ends
	// with it only if [WaitOptions.StopOnHold] is set.
	OutcomeOnHold Outcome = "on hold"
	// OutcomeNotRun: it ended without running.
	OutcomeNotRun Outcome = "not run"
)

// UnsuccessfulError is an outcome other than success, as an error.
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

// mostNamed is how many names an error or a line lists.
const mostNamed = 20

func outcomeError(o Outcome, detail []string) error {
	if o == OutcomeSuccess || o == OutcomePending {
		return nil
	}
	return &UnsuccessfulError{Outcome: o, Detail: named(detail)}
}

// named joins texts, the first mostNamed of them.
func named(texts []string) string {
	if extra := len(texts) - mostNamed; extra > 0 {
		texts = append(slices.Clip(texts[:mostNamed]), fmt.Sprintf("and %d more", extra))
	}
	return strings.Join(texts, "; ")
}

// worst is the outcome of a whole: a failure counts before anything else, and
// "not run" only if there is nothing else.
func worst(outcomes []Outcome) Outcome {
	for _, o := range []Outcome{OutcomeFailed, OutcomeCanceled, OutcomeSuccess} {
		if slices.Contains(outcomes, o) {
			return o
		}
	}
	return OutcomeNotRun
}

// unknownError is a 404 for something that was never seen to exist.
type unknownError struct{ error }

func (e *unknownError) Unwrap() error { return e.error }

func orUnknown(err error, known bool) error {
	if errors.Is(err, ErrNotFound) && !known {
		return &unknownError{err}
	}
	return err
}

// waited is the state of what is waited for.
type waited interface {
	comparable
	String() string
	outcome() Outcome
	// state is the same as long as there is no news.
	state() string
}

// target is what is waited for. It keeps what one wait has to remember.
type target[T waited] interface {
	// String names it in errors.
	String() string
	poll(ctx context.Context, opts []RequestOption) (T, error)
}

// watch polls a target until there is an outcome, and yields what changes. Each
// iteration has a target of its own.
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
	shown    T // what was yielded last
	start    time.Time
	interval time.Duration
	next     time.Duration // until the next poll; 0: there is none
	failures int           // of polls in a row
}

// poll polls once. It returns news, or the error that ends the wait.
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

// final returns the error with which a failed poll ends the wait. It is nil if
// the wait goes on.
func (w *watcher[T]) final(ctx context.Context, err error) error {
	var unknown *unknownError
	switch {
	case errors.As(err, &unknown):
		return unknown.error
	case errors.Is(err, ErrInvalidArgument), errors.Is(err, ErrUnauthorized), errors.Is(err, ErrGone),
		errors.Is(err, ErrForbidden) && !errors.Is(err, ErrRateLimited): // a block by the edge passes
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

// unfinished says what a wait that ends with err was waiting for.
func (w *watcher[T]) unfinished(err error) error {
	var none T
	if w.shown == none {
		return fmt.Errorf("circleci: waiting for %s: %w", w.target, err)
	}
	return fmt.Errorf("circleci: waiting for %s (last seen: %s): %w", w.target, w.shown, err)
}

// last iterates a watch to its end. On an error it returns the last result
// before, or known if there was none.
func last[T any](known *T, seq iter.Seq2[*T, error]) (*T, error) {
	for r, err := range seq {
		if err != nil {
			return known, err
		}
		known = r
	}
	return known, nil
}
