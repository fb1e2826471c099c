package circleci_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

var stepTests = []operationTest{
	{
		op: "GET /api/v1.1/project/{project-slug}/{build-number}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			steps, err := c.Jobs.ListSteps(ctx, webSlug, 101)
			if err != nil {
				return nil, err
			}
			return map[string]any{"steps": steps, "workflows": map[string]any{"job_id": steps[0].Actions[0].JobID}}, nil
		},
		path: "/api/v1.1/project/gh/acme/web/101", fixture: "jobs/getBuild",
		check: func(t *testing.T, got any) {
			a := as[[]circleci.Step](t, as[map[string]any](t, got)["steps"])[0].Actions[0]
			assert.Equal(t, id1, a.JobID, "the job's own ID stands elsewhere in the answer")
			assert.EqualValues(t, 2, *a.ExitCode)
			assert.Equal(t, 1500*time.Millisecond, time.Duration(a.RunTime))
			assert.NotContains(t, fmt.Sprintf("%+v", a), "X-Amz-Signature", "the URL is as good as a password")
		},
	},
	{
		op: "GET /api/v3/jobs/{job-id}/{stream}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			out, err := c.Jobs.OpenStepOutput(ctx, circleci.StepAction{JobID: id1, Step: 101, Index: 2, HasOutput: true})
			if err == nil {
				err = out.Close()
			}
			return nil, err
		},
		path:  "/api/v3/jobs/11111111-1111-4111-8111-111111111111/stdout",
		query: "filter%5Bexecution%5D=2&filter%5Bstep_num%5D=101", fixture: "jobs/getJobOutput",
	},
}

// printed runs a job that prints a text, and returns the action that did.
func printed(t *testing.T, srv *circlecitest.Server, text string) circleci.StepAction {
	t.Helper()
	srv.Script(webSlug, plain(circlecitest.Workflow("a", circlecitest.Job("x").Fails().WithOutput(text))))
	srv.StartPipeline(webSlug, "main")
	time.Sleep(time.Minute)
	steps, err := srv.Client().Jobs.ListSteps(t.Context(), webSlug, 1)
	require.NoError(t, err)
	require.Len(t, steps, 2)
	a := steps[1].Actions[0]
	assert.Equal(t, circleci.StepStatusFailed, a.Status)
	assert.EqualValues(t, 1, *a.ExitCode)
	return a
}

func TestStepOutput(t *testing.T) {
	const v3 = "GET /api/v3/jobs/{job-id}/{stream}"
	text := strings.Repeat("a line of output\n", 5000) + "the end"
	for name, c := range map[string]struct {
		v3, storage []circlecitest.Response
		want        string
	}{
		"from the API v3":          {want: text},
		"with standard error":      {v3: []circlecitest.Response{{Executed: true}, {Body: "oops"}}, want: text + "oops"},
		"without standard error":   {v3: []circlecitest.Response{{Executed: true}, {Status: http.StatusNotFound}}, want: text},
		"a connection that breaks": {v3: []circlecitest.Response{{Executed: true, CutAfter: 12345}}, want: text},
		"no API v3":                {v3: []circlecitest.Response{{Status: http.StatusNotFound}}, want: text},
		"nothing at the API v3":    {v3: []circlecitest.Response{{Status: http.StatusNoContent}}, want: text},
		"the kept one breaks": {
			v3: []circlecitest.Response{{Status: http.StatusNotFound}}, storage: []circlecitest.Response{{Executed: true, CutAfter: 100_000}}, want: text,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := circlecitest.New(t)
				a := printed(t, srv, text)
				srv.Fail(v3, c.v3...)
				srv.Fail("storage", c.storage...)
				out, err := srv.Client().Jobs.OpenStepOutput(t.Context(), a)
				require.NoError(t, err)
				got, err := io.ReadAll(out)
				require.NoError(t, err)
				require.NoError(t, out.Close())
				assert.Equal(t, c.want, string(got))
			})
		})
	}
}

func TestStepOutputThatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		c := srv.Client()
		a := printed(t, srv, "x")
		a.OutputURL = ""
		srv.Fail("GET /api/v3/jobs/{job-id}/{stream}", circlecitest.Response{Status: http.StatusForbidden})
		_, err := c.Jobs.OpenStepOutput(t.Context(), a)
		require.ErrorIs(t, err, circleci.ErrForbidden)

		out, err := c.Jobs.OpenStepOutput(t.Context(), circleci.StepAction{JobID: a.JobID, Step: 0})
		require.NoError(t, err)
		got, err := io.ReadAll(out)
		require.NoError(t, err)
		assert.Empty(t, got, "what has printed nothing is empty")
		srv.Fail("GET /api/v3/jobs/{job-id}/{stream}", circlecitest.Response{Status: http.StatusNotFound})
		out, err = c.Jobs.OpenStepOutput(t.Context(), circleci.StepAction{JobID: a.JobID, Step: 0})
		require.NoError(t, err)
		got, err = io.ReadAll(out)
		require.NoError(t, err)
		assert.Empty(t, got, "also on a server without the API v3")

		_, err = c.Jobs.OpenStepOutput(t.Context(), circleci.StepAction{Step: 101, HasOutput: true})
		assert.ErrorIs(t, err, circleci.ErrInvalidArgument)
		_, err = c.Jobs.ListSteps(t.Context(), webSlug, 99)
		assert.ErrorIs(t, err, circleci.ErrNotFound)
	})
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		a := printed(t, srv, "x")
		srv.Fail("GET /api/v3/jobs/{job-id}/{stream}", circlecitest.Response{Status: http.StatusNotFound})
		srv.Fail("storage", circlecitest.Response{Body: `[{"message":"half of`})
		out, err := srv.Client().Jobs.OpenStepOutput(t.Context(), a)
		require.NoError(t, err)
		_, err = io.ReadAll(out)
		var bad *circleci.DecodeError
		require.ErrorAs(t, err, &bad)
		require.NoError(t, out.Close())
	})
}

// Only a stream that never existed is empty. A 410, and a stream that vanishes
// while it is read, are errors.
func TestStepOutputIsNeverCutShort(t *testing.T) {
	const v3 = "GET /api/v3/jobs/{job-id}/{stream}"
	gone := circlecitest.Response{Status: http.StatusGone}
	half := circlecitest.Response{Executed: true, CutAfter: 10, Header: http.Header{"Etag": {`"1"`}}}
	for name, c := range map[string]struct {
		v3   []circlecitest.Response
		want error
	}{
		"standard error is gone":            {[]circlecitest.Response{{Executed: true}, gone}, circleci.ErrGone},
		"standard error is forbidden":       {[]circlecitest.Response{{Executed: true}, {Status: http.StatusForbidden}}, circleci.ErrForbidden},
		"standard output vanishes":          {[]circlecitest.Response{half, {Status: http.StatusNotFound}}, circleci.ErrNotFound},
		"standard output breaks, then gone": {[]circlecitest.Response{half, gone}, circleci.ErrGone},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := circlecitest.New(t)
				a := printed(t, srv, strings.Repeat("a line\n", 1000))
				srv.Fail(v3, c.v3...)
				out, err := srv.Client().Jobs.OpenStepOutput(t.Context(), a)
				require.NoError(t, err)
				_, err = io.ReadAll(out)
				require.ErrorIs(t, err, c.want)
				require.NoError(t, out.Close())
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // standard error breaks off, and vanishes
		bodies := map[string][]string{"stdout": {"out"}, "stderr": {"half"}}
		net := &fakeWire{answer: func(req *http.Request, _ int) reply {
			stream := req.URL.Path[strings.LastIndex(req.URL.Path, "/")+1:]
			if len(bodies[stream]) == 0 {
				return answers(http.StatusNotFound, `{}`)
			}
			body := bodies[stream][0]
			bodies[stream] = bodies[stream][1:]
			r := answers(http.StatusOK, body, "ETag", `"1"`)
			if stream == "stderr" {
				r.tail = brokenReader(func() error { return io.ErrUnexpectedEOF })
			}
			return r
		}}
		out, err := net.client(t).Jobs.OpenStepOutput(t.Context(), circleci.StepAction{JobID: id1, Step: 1, HasOutput: true})
		require.NoError(t, err)
		got, err := io.ReadAll(out)
		assert.Equal(t, "outhalf", string(got))
		require.ErrorIs(t, err, circleci.ErrNotFound)
	})
	synctest.Test(t, func(t *testing.T) { // standard output breaks off before its first byte, and vanishes
		net := &fakeWire{answer: func(_ *http.Request, n int) reply {
			if n > 1 {
				return answers(http.StatusNotFound, `{}`)
			}
			r := answers(http.StatusOK, "")
			r.tail = brokenReader(func() error { return io.ErrUnexpectedEOF })
			return r
		}}
		out, err := net.client(t).Jobs.OpenStepOutput(t.Context(), circleci.StepAction{JobID: id1, Step: 1, HasOutput: true})
		require.NoError(t, err)
		_, err = io.ReadAll(out)
		require.ErrorIs(t, err, circleci.ErrNotFound, "it has existed, so it is not empty")
	})
	synctest.Test(t, func(t *testing.T) { // the step has output, and nothing serves it
		net := &fakeWire{answer: func(*http.Request, int) reply { return answers(http.StatusNotFound, `{}`) }}
		_, err := net.client(t).Jobs.OpenStepOutput(t.Context(), circleci.StepAction{JobID: id1, Step: 1, HasOutput: true})
		require.ErrorIs(t, err, circleci.ErrNotFound)
	})
}

func TestOptionsOfStepOutput(t *testing.T) {
	const v3 = "GET /api/v3/jobs/{job-id}/{stream}"
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		a := printed(t, srv, strings.Repeat("a line\n", 1000))
		c := srv.Client()
		sent := len(srv.Requests())
		for _, o := range []circleci.RequestOption{
			circleci.CaptureResponse(new(circleci.Response)), circleci.CaptureBody(new([]byte)), circleci.Header("Range", "bytes=1-"),
		} {
			_, err := c.Jobs.OpenStepOutput(t.Context(), a, o)
			require.ErrorIs(t, err, circleci.ErrInvalidArgument)
		}
		assert.Len(t, srv.Requests(), sent)
		srv.Fail(v3, circlecitest.Response{Status: http.StatusNotFound})
		_, err := c.Jobs.OpenStepOutput(t.Context(), a, circleci.Query("a", "b"))
		require.ErrorIs(t, err, circleci.ErrInvalidArgument, "a signed URL takes no parameter")
		assert.Equal(t, "b", srv.Requests()[sent].Query.Get("a"))

		srv.Fail(v3, circlecitest.Response{Executed: true, CutAfter: 10})
		out, err := c.Jobs.OpenStepOutput(t.Context(), a, circleci.NoRetry())
		require.NoError(t, err)
		_, err = io.ReadAll(out)
		require.Error(t, err, "the broken connection is not made again")

		start := time.Now()
		out, err = c.Jobs.OpenStepOutput(t.Context(), a, circleci.Timeout(time.Minute))
		require.NoError(t, err)
		_, err = io.ReadFull(out, make([]byte, 10))
		require.NoError(t, err)
		time.Sleep(2 * time.Minute)
		_, err = io.ReadAll(out)
		require.ErrorIs(t, err, context.DeadlineExceeded, "the timeout limits the reads too")
		require.NoError(t, out.Close())
		assert.Equal(t, 2*time.Minute, time.Since(start))
	})
}

func TestAMessageOfAStepOutputIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		a := printed(t, srv, "x")
		line := `{"message":"` + strings.Repeat("x", 100_000) + `"}`
		for name, c := range map[string]struct {
			body string
			bad  bool
		}{
			"many small messages": {"[" + strings.Repeat(line+",", 50) + line + "]", false},
			"one large message":   {`[{"message":"` + strings.Repeat("x", 2_000_000) + `"}]`, true},
		} {
			srv.Fail("GET /api/v3/jobs/{job-id}/{stream}", circlecitest.Response{Status: http.StatusNotFound})
			srv.Fail("storage", circlecitest.Response{Body: c.body})
			out, err := srv.Client(circleci.WithMaxResponseBytes(1<<20)).Jobs.OpenStepOutput(t.Context(), a)
			require.NoError(t, err)
			n, err := io.Copy(io.Discard, out)
			require.NoError(t, out.Close())
			assert.Equal(t, c.bad, err != nil, name)
			if c.bad {
				assert.ErrorContains(t, requireError[*circleci.DecodeError](t, err), "WithMaxResponseBytes")
				continue
			}
			assert.EqualValues(t, 51*100_000, n)
		}
	})
}
