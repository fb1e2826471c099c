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
