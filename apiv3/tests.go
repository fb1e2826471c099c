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
	// RunTime is in seconds.
	RunTime float64 `json:"run_time"`
	Message string  `json:"message,omitzero"`
	File    string  `json:"file,omitzero"`
}

// Tests returns the tests of a job, decoded while the response is read, so that
// a job can have any number of them. An error is yielded as the last element.
// Leaving the loop early ends the request.
//
// The API answers 404 for a job without results, and for a job that does not
// exist: for both there are no tests, and no error.
//
//circleci:operation GET /api/v3/jobs/{id}/tests
func (s *JobsService) Tests(ctx context.Context, id uuid.UUID, opts ...circleci.RequestOption) iter.Seq2[Test, error] {
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

// maxLine bounds a line, which is held in memory.
const maxLine = 16 << 20

// errStop ends the reading of a response: the caller wants no more of it, or
// cannot use it.
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

// end takes the last line, which need not end with a line feed.
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
