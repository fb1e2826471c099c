package apiv3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// Test is one test of a job, with its result.
type Test struct {
	Classname string              `json:"classname"`
	Name      string              `json:"name"`
	Result    circleci.TestResult `json:"result"`
	RunTime   circleci.Seconds    `json:"run_time"`
	Message   string              `json:"message,omitzero"`
	File      string              `json:"file,omitzero"`
}

// ReadTests returns an iterator over the tests of a job. It decodes them while it
// reads the response, so a job can have any number of tests. An error is
// yielded last. Breaking out of the loop ends the request.
//
// The API returns 404 for a job without results, and also for a job that does
// not exist. In both cases the iterator yields nothing, and no error.
//
//circleci:operation GET /api/v3/jobs/{id}/tests
func (s *JobsService) ReadTests(ctx context.Context, id uuid.UUID, opts ...circleci.RequestOption) iter.Seq2[Test, error] {
	return func(yield func(Test, error) bool) {
		lines := &lineWriter[Test]{yield: yield}
		err := s.client.do(ctx, get("/api/v3/jobs/{id}/tests", id), lines, opts)
		if err == nil {
			err = lines.end()
		}
		switch {
		case lines.stopped, err == nil, errors.Is(err, circleci.ErrNotFound):
		case lines.bad != nil:
			yield(Test{}, &circleci.DecodeError{
				Method: http.MethodGet, Route: "/api/v3/jobs/{id}/tests", StatusCode: http.StatusOK, Err: lines.bad,
			})
		default:
			yield(Test{}, err)
		}
	}
}

// maxLine is the maximum length of a line in bytes. A line is held in memory.
const maxLine = 16 << 20

// errStop ends the reading of a response whose rest is not needed.
var errStop = errors.New("apiv3: the rest of the response is not needed")

// lineWriter decodes JSON Lines that are written to it, and yields them.
type lineWriter[T any] struct {
	yield   func(T, error) bool
	rest    []byte // the start of a line whose end is yet to come
	line    int
	stopped bool  // yield has returned false
	bad     error // what is wrong with a line
}

// Write takes the next part of the response.
func (w *lineWriter[T]) Write(p []byte) (int, error) {
	n := len(p)
	for {
		line, rest, ok := bytes.Cut(p, []byte{'\n'})
		if len(w.rest)+len(line) > maxLine {
			w.bad = fmt.Errorf("line %d is longer than %d bytes", w.line+1, maxLine)
			return 0, errStop
		}
		if !ok {
			w.rest = append(w.rest, line...)
			return n, nil
		}
		if len(w.rest) > 0 {
			line = append(w.rest, line...)
			w.rest = w.rest[:0]
		}
		if err := w.take(line); err != nil {
			return 0, err
		}
		p = rest
	}
}

// end decodes the last line, which may lack a line feed.
func (w *lineWriter[T]) end() error { return w.take(w.rest) }

func (w *lineWriter[T]) take(line []byte) error {
	w.line++
	if line = bytes.TrimSpace(line); len(line) == 0 {
		return nil
	}
	value, err := resource[T](line)
	if err != nil {
		w.bad = fmt.Errorf("line %d: %w", w.line, err)
		return errStop
	}
	if !w.yield(value, nil) {
		w.stopped = true
		return errStop
	}
	return nil
}
