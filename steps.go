package circleci

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
	"github.com/circleci-go/circleci/internal/wire"
)

// StepStatus is how a step's action went.
type StepStatus string

// The statuses of a step's action.
const (
	StepStatusSuccess            StepStatus = "success"
	StepStatusFailed             StepStatus = "failed"
	StepStatusCanceled           StepStatus = "canceled"
	StepStatusTimedOut           StepStatus = "timedout"
	StepStatusInfrastructureFail StepStatus = "infrastructure_fail"
	StepStatusRunning            StepStatus = "running"
)

// Step is a step of a job.
type Step struct {
	Name string `json:"name"`
	// Actions are what the step did, one for each parallel run.
	Actions []StepAction `json:"actions"`
}

// StepAction is what a step did in one of the job's parallel runs.
type StepAction struct {
	// JobID is the job's.
	JobID uuid.UUID `json:"job_id,omitzero"`
	// Index is the parallel run's.
	Index int64 `json:"index"`
	// Step is the step's ID in the job. The IDs have gaps.
	Step   int64      `json:"step"`
	Name   string     `json:"name"`
	Type   string     `json:"type"`
	Status StepStatus `json:"status"`
	// Command is the command that was run.
	Command string `json:"bash_command,omitzero"`
	// ExitCode is nil if there was no command, or it has not ended.
	ExitCode   *int64    `json:"exit_code,omitzero"`
	StartedAt  time.Time `json:"start_time,omitzero"`
	EndedAt    time.Time `json:"end_time,omitzero"`
	Background bool      `json:"background,omitzero"`
	Parallel   bool      `json:"parallel,omitzero"`
	// Insignificant tells that the step is CircleCI's own, and of no interest
	// unless it fails.
	Insignificant bool `json:"insignificant,omitzero"`
	// Truncated tells that the output is longer than what is kept.
	Truncated bool `json:"truncated,omitzero"`
	HasOutput bool `json:"has_output,omitzero"`
	// OutputURL is where the output is to be had for a while; it is signed, and
	// no token is sent there.
	OutputURL Secret `json:"output_url,omitzero"`
	// RunTime is 0 while the step runs.
	RunTime Milliseconds `json:"run_time_millis,omitzero"`
}

// buildDetails is what the API v1.1 tells of a job, as far as it is needed.
type buildDetails struct {
	Steps     []Step `json:"steps"`
	Workflows struct {
		JobID uuid.UUID `json:"job_id"`
	} `json:"workflows"`
}

// ListSteps returns the steps of a job, in their order, or an error matching
// [ErrNotFound].
//
// The API v2 has no steps: this is an operation of the API v1.1, and not in
// CircleCI's document. Of its answer what is certain is modelled.
//
//circleci:operation GET /api/v1.1/project/{project-slug}/{build-number}
func (s *JobsService) ListSteps(ctx context.Context, slug ProjectSlug, number int64, opts ...RequestOption) ([]Step, error) {
	details, err := do[buildDetails](ctx, s.client, get("/api/v1.1/project/{project-slug}/{build-number}", slug, number).with(opts))
	if err != nil {
		return nil, err
	}
	return details.steps(), nil
}

func (d *buildDetails) steps() []Step {
	for _, step := range d.Steps {
		for i := range step.Actions {
			step.Actions[i].JobID = d.Workflows.JobID
		}
	}
	return d.Steps
}

// OpenStepOutput returns what a step's action has printed, as a stream that the
// caller has to close. It is empty if nothing was printed. A connection that
// breaks is made again, and goes on where it was.
//
// CircleCI's cloud serves it by its API v3, first what went to standard output
// and then to standard error; where that has none, it is taken from the action's
// OutputURL, in which both are one. Neither is in CircleCI's document.
//
//circleci:operation GET /api/v3/jobs/{job-id}/{stream}
func (s *JobsService) OpenStepOutput(ctx context.Context, a StepAction, opts ...RequestOption) (io.ReadCloser, error) {
	return s.client.stepOutput(ctx, a, opts, func(stream string) request {
		return get("/api/v3/jobs/{job-id}/{stream}", a.JobID, stream).query(a).with(opts)
	})
}

// stepOutput reads the streams of the API v3 if it has them, and else what is
// kept for the API v1.1.
func (c *Client) stepOutput(ctx context.Context, a StepAction, opts []RequestOption, of func(stream string) request) (io.ReadCloser, error) {
	stdout := c.outputOf(ctx, of("stdout"))
	switch err := stdout.open(); {
	case err == nil && stdout.status == http.StatusOK:
		return &outputs{streams: []*remote{stdout, c.outputOf(ctx, of("stderr"))}}, nil
	case a.OutputURL != "":
		return c.storedOutput(ctx, a, opts)
	case err == nil || !a.HasOutput:
		return stdout, nil // empty
	default:
		return nil, err
	}
}

// query addresses the action at the API v3.
func (a StepAction) query(q *encode.Query) {
	if a.Index > 0 {
		q.Int("filter[execution]", int(a.Index))
	}
	q.String("filter[step_num]", strconv.FormatInt(a.Step, 10))
}

// outputOf is the body of a request as a file, mistakes in the request
// included.
func (c *Client) outputOf(ctx context.Context, r request) *remote {
	out := &remote{client: c, ctx: ctx, route: r.route, opts: r.opts, total: -1, bad: r.blame(r.err)}
	if r.err == nil {
		out.url = new(url.URL)
		c.locate(out.url, &r, &callOptions{query: r.search})
	}
	return out
}

// outputs reads streams one behind the other. Of those behind the first, one
// that is not there is empty.
type outputs struct {
	streams []*remote
	begun   bool // whether the first has been read to its end
}

func (o *outputs) Read(p []byte) (int, error) {
	for len(o.streams) > 0 {
		n, err := o.streams[0].Read(p)
		if n > 0 || err == nil {
			return n, nil
		}
		if err != io.EOF && (!o.begun || !errors.Is(err, ErrNotFound)) {
			return 0, err
		}
		_ = o.streams[0].Close() // it has been read
		o.streams, o.begun = o.streams[1:], true
	}
	return 0, io.EOF
}

func (o *outputs) Close() error {
	var errs []error
	for _, s := range o.streams {
		errs = append(errs, s.Close())
	}
	o.streams = nil
	return errors.Join(errs...)
}

// storedOutput reads the output that is kept for the API v1.1.
func (c *Client) storedOutput(ctx context.Context, a StepAction, opts []RequestOption) (io.ReadCloser, error) {
	file, err := c.newRemote(ctx, a.OutputURL.Reveal(), "step output", opts)
	if err != nil {
		return nil, err
	}
	if err := file.open(); err != nil {
		return nil, err
	}
	out := &storedOutput{file: file}
	out.next, out.stop = iter.Pull2(wire.Elements[outputLine](file))
	return out, nil
}

// outputLine is a piece of a stored output.
type outputLine struct {
	Message string `json:"message"`
}

// storedOutput makes text of a stored output, piece by piece.
type storedOutput struct {
	file *remote
	next func() (outputLine, error, bool)
	stop func()
	text string
}

func (o *storedOutput) Read(p []byte) (int, error) {
	for o.text == "" {
		line, err, ok := o.next()
		switch {
		case !ok:
			return 0, io.EOF
		case err != nil:
			return 0, &DecodeError{Method: http.MethodGet, Route: o.file.route, StatusCode: http.StatusOK, Err: err}
		}
		o.text = line.Message
	}
	n := copy(p, o.text)
	o.text = o.text[n:]
	return n, nil
}

func (o *storedOutput) Close() error {
	o.stop()
	return o.file.Close()
}
