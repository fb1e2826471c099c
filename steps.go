package circleci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/encode"
	"github.com/circleci-go/circleci/internal/wire"
)

// StepStatus is the status of a step's action.
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
	// Actions has one element for each parallel run.
	Actions []StepAction `json:"actions"`
}

// Failed reports whether the action failed or timed out. A canceled action has
// not failed.
func (s StepStatus) Failed() bool {
	return s == StepStatusFailed || s == StepStatusTimedOut || s == StepStatusInfrastructureFail
}

// StepAction is the execution of a step in one of the job's parallel runs.
type StepAction struct {
	// JobID is the ID of the job.
	JobID uuid.UUID `json:"job_id,omitzero"`
	// Index is the index of the parallel run, from 0.
	Index int64 `json:"index"`
	// Step is the ID of the step within the job. IDs are not consecutive.
	Step   int64      `json:"step"`
	Name   string     `json:"name"`
	Type   string     `json:"type"`
	Status StepStatus `json:"status"`
	// Command is the command that was run.
	Command string `json:"bash_command,omitzero"`
	// ExitCode is nil if there was no command or it has not ended.
	ExitCode   *int64    `json:"exit_code,omitzero"`
	StartedAt  time.Time `json:"start_time,omitzero"`
	EndedAt    time.Time `json:"end_time,omitzero"`
	Background bool      `json:"background,omitzero"`
	Parallel   bool      `json:"parallel,omitzero"`
	// Insignificant reports whether the step is one of CircleCI's own steps,
	// which matter only if they fail.
	Insignificant bool `json:"insignificant,omitzero"`
	// Truncated reports whether CircleCI kept only a part of the output.
	Truncated bool `json:"truncated,omitzero"`
	HasOutput bool `json:"has_output,omitzero"`
	// OutputURL is a signed URL of the output, which is valid for a short time.
	// The token is not sent to it.
	OutputURL Secret `json:"output_url,omitzero"`
	// RunTime is 0 while the step runs.
	RunTime Milliseconds `json:"run_time_millis,omitzero"`
}

// buildDetails is the part of a job in the API v1.1 that contains its steps.
type buildDetails struct {
	Steps     []Step `json:"steps"`
	Workflows struct {
		JobID uuid.UUID `json:"job_id"`
	} `json:"workflows"`
}

// ListSteps returns the steps of a job, in order. If there is no such job, the
// error matches [ErrNotFound].
//
// The API v2 has no steps: this operation belongs to the API v1.1 and is not in
// CircleCI's API specification. Step and StepAction contain the known
// properties.
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

// OpenStepOutput returns the output of a step's action as a stream. The caller
// must close it. The stream is empty if nothing was printed. If the connection
// breaks, the stream reconnects and continues, unless [NoRetry] is given.
// [Timeout] limits the call and all reads together.
//
// On CircleCI's cloud, the output is read from the API v3: standard output
// first, then standard error. If the API v3 has no output, it is read from the
// action's OutputURL, where both are mixed. Neither operation is in CircleCI's
// API specification.
//
//circleci:operation GET /api/v3/jobs/{job-id}/{stream}
func (s *JobsService) OpenStepOutput(ctx context.Context, a StepAction, opts ...RequestOption) (io.ReadCloser, error) {
	return s.client.openOutput(ctx, a, opts, func(stream string, opts []RequestOption) request {
		return get("/api/v3/jobs/{job-id}/{stream}", a.JobID, stream).query(a).with(opts)
	})
}

// openOutput opens an output within the caller's time limit.
func (c *Client) openOutput(ctx context.Context, a StepAction, opts []RequestOption, of func(string, []RequestOption) request) (io.ReadCloser, error) {
	ctx, cancel, opts, err := composite(ctx, opts)
	if err == nil {
		err = checkFileOptions(opts)
	}
	var out io.ReadCloser
	if err == nil {
		out, err = c.stepOutput(ctx, a, opts, of)
	}
	if err != nil {
		cancel()
		return nil, err
	}
	return &limitedOutput{out, cancel}, nil
}

// limitedOutput releases its timeout when it is closed.
type limitedOutput struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (o *limitedOutput) Close() error {
	defer o.cancel()
	return o.ReadCloser.Close()
}

// stepOutput reads the streams of the API v3 if it has them, and otherwise the
// output stored for the API v1.1.
func (c *Client) stepOutput(ctx context.Context, a StepAction, opts []RequestOption, of func(string, []RequestOption) request) (io.ReadCloser, error) {
	stdout := c.outputOf(ctx, of("stdout", opts))
	switch err := stdout.open(); {
	case err == nil && stdout.status == http.StatusOK:
		return &outputs{streams: []*remote{stdout, c.outputOf(ctx, of("stderr", opts))}}, nil
	case a.OutputURL != "" && ctx.Err() == nil:
		return c.storedOutput(ctx, a, opts)
	case err == nil:
		return stdout, nil // 204: it is empty
	case errors.Is(err, ErrNotFound) && !a.HasOutput:
		return io.NopCloser(strings.NewReader("")), nil
	default:
		return nil, err
	}
}

// query adds the parameters that identify the action in the API v3.
func (a StepAction) query(q *encode.Query) {
	if a.Index > 0 {
		q.Int("filter[execution]", int(a.Index))
	}
	q.String("filter[step_num]", strconv.FormatInt(a.Step, 10))
}

// outputOf returns the response to a request as a file. Opening it returns the
// errors of the request.
func (c *Client) outputOf(ctx context.Context, r request) *remote {
	out := &remote{client: c, ctx: ctx, route: r.route, opts: r.opts, total: -1, bad: r.blame(r.err), blank: true}
	if r.err == nil {
		out.url = new(url.URL)
		o := callOptions{query: r.search}
		o.apply(r.opts)
		c.locate(out.url, &r, &o)
	}
	return out
}

// outputs reads streams one after another. A stream after the first one that
// does not exist counts as empty.
type outputs struct {
	streams []*remote
	begun   bool // whether the first has been read to its end
}

func (o *outputs) Read(p []byte) (int, error) {
	for len(o.streams) > 0 {
		s := o.streams[0]
		n, err := s.Read(p)
		if n > 0 || err == nil {
			return n, nil
		}
		empty := o.begun && s.offset == 0 && errors.Is(err, ErrNotFound)
		if err != io.EOF && !empty {
			return 0, err
		}
		_ = s.Close() // it was read to its end
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

// storedOutput reads the output that is stored for the API v1.1.
func (c *Client) storedOutput(ctx context.Context, a StepAction, opts []RequestOption) (io.ReadCloser, error) {
	var o callOptions
	o.apply(opts)
	if o.query.Encode() != "" {
		return nil, &ArgumentError{Method: http.MethodGet, Route: "step output", Name: "Query", Reason: "cannot be added to the URL of a stored output: the URL is signed"}
	}
	file, err := c.newRemote(ctx, a.OutputURL.Reveal(), "step output", opts)
	if err != nil {
		return nil, err
	}
	if err := file.open(); err != nil {
		return nil, err
	}
	out := &storedOutput{file: file, bounded: boundedReader{Reader: file, most: c.maxBody / 4}}
	out.next, out.stop = iter.Pull2(wire.Elements[outputLine](&out.bounded))
	return out, nil
}

// outputLine is a piece of a stored output.
type outputLine struct {
	Message string `json:"message"`
}

// storedOutput reads the text of a stored output, piece by piece.
type storedOutput struct {
	file    *remote
	bounded boundedReader
	next    func() (outputLine, error, bool)
	stop    func()
	text    string
}

// boundedReader limits the bytes read for one piece.
type boundedReader struct {
	io.Reader
	most, read int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.read >= b.most {
		return 0, fmt.Errorf("one message is larger than %d bytes, a quarter of the WithMaxResponseBytes limit", b.most)
	}
	n, err := b.Reader.Read(p[:min(int64(len(p)), b.most)])
	b.read += int64(n)
	return n, err
}

func (o *storedOutput) Read(p []byte) (int, error) {
	for o.text == "" {
		o.bounded.read = 0
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
