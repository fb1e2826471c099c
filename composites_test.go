package circleci_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// trouble is what befalls one request.
type trouble struct {
	name string
	meet func(req *http.Request, next http.RoundTripper, cancel func()) (*http.Response, error)
	// writes tells that a request that creates something cannot be sent again
	// after it: whether it was executed is not known.
	writes bool
	ends   error // what a call that meets it ends with, whatever it reads
}

var errReset = errors.New("connection reset by peer")

var troubles = []trouble{
	{name: "429", meet: refusal(http.StatusTooManyRequests, "Retry-After", "3")},
	{name: "503", meet: refusal(http.StatusServiceUnavailable), writes: true},
	{name: "a connection that breaks before the request has come", writes: true,
		meet: func(*http.Request, http.RoundTripper, func()) (*http.Response, error) { return nil, errReset }},
	{name: "a connection that breaks after the request has come", writes: true,
		meet: func(req *http.Request, next http.RoundTripper, _ func()) (*http.Response, error) {
			resp, err := next.RoundTrip(req)
			if err != nil {
				return nil, err
			}
			return nil, errors.Join(errReset, resp.Body.Close())
		}},
	{name: "a connection that breaks in the middle of the answer", writes: true,
		meet: func(req *http.Request, next http.RoundTripper, _ func()) (*http.Response, error) {
			return halfOf(req, next, func() error { return io.ErrUnexpectedEOF })
		}},
	{name: "a caller that gives up before the answer", ends: context.Canceled,
		meet: func(req *http.Request, next http.RoundTripper, cancel func()) (*http.Response, error) {
			cancel()
			return next.RoundTrip(req)
		}},
	{name: "a caller that gives up in the middle of the answer", ends: context.Canceled,
		meet: func(req *http.Request, next http.RoundTripper, cancel func()) (*http.Response, error) {
			return halfOf(req, next, func() error { cancel(); return context.Canceled })
		}},
}

func refusal(status int, header ...string) func(*http.Request, http.RoundTripper, func()) (*http.Response, error) {
	return func(req *http.Request, _ http.RoundTripper, _ func()) (*http.Response, error) {
		w := &fakeWire{answer: func(*http.Request, int) reply { return answers(status, `{"message":"no"}`, header...) }}
		return w.RoundTrip(req)
	}
}

// halfOf has the answer break off in the middle of its body.
func halfOf(req *http.Request, next http.RoundTripper, off func() error) (*http.Response, error) {
	resp, err := next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:len(body)/2]), brokenReader(off)))
	return resp, nil
}

type brokenReader func() error

func (b brokenReader) Read([]byte) (int, error) { return 0, b() }

// oneTrouble has the nth request meet a trouble, and counts the requests and
// the answers that nobody has closed.
type oneTrouble struct {
	next    http.RoundTripper
	trouble trouble
	nth     int64
	cancel  func()
	count   atomic.Int64
	open    atomic.Int64
	created bool // the request was one that creates
}

func (o *oneTrouble) RoundTrip(req *http.Request) (*http.Response, error) {
	var resp *http.Response
	var err error
	if o.count.Add(1) == o.nth {
		o.created = req.Method == http.MethodPost
		resp, err = o.trouble.meet(req, o.next, o.cancel)
	} else {
		resp, err = o.next.RoundTrip(req)
	}
	if err == nil {
		o.open.Add(1)
		resp.Body = &closeCounter{ReadCloser: resp.Body, open: &o.open}
	}
	return resp, err
}

type closeCounter struct {
	io.ReadCloser
	open   *atomic.Int64
	closed atomic.Bool
}

func (c *closeCounter) Close() error {
	if !c.closed.Swap(true) {
		c.open.Add(-1)
	}
	return c.ReadCloser.Close()
}

// composite is a call that is made of several requests. What it returns checks
// what has come of it: all, if err is nil, and else what may be there.
type composite func(t *testing.T, srv *circlecitest.Server) (run func(ctx context.Context, c *circleci.Client) error, check func(t *testing.T, err error))

var composites = map[string]composite{
	"Pipelines.Wait": waitTroubled, "Pipelines.TriggerAndWait": triggerTroubled,
	"Workflows.RerunAndWait": rerunTroubled, "Workflows.ApproveAndWait": approveTroubled,
	"Jobs.DownloadArtifacts": downloadTroubled, "Jobs.OpenStepOutput": outputTroubled, "Pipelines.GetTestReport": reportTroubled,
	"Usage.Export": exportTroubled, "Contexts.SyncEnvVars": syncTroubled, "Policy.PushDir": pushTroubled,
}

// Each composite meets each trouble at each of its requests. A read overcomes
// it, and the outcome is right. Otherwise there is an error, and what has been
// done is what the call says. No goroutine stays, or the bubble fails, and no
// answer is left open.
func TestCompositesMeetTroubleAtEachStep(t *testing.T) {
	for name, c := range composites {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requests := runTroubled(t, c, trouble{}, 0)
			require.Positive(t, requests)
			for _, trouble := range troubles {
				for n := range requests {
					t.Run(fmt.Sprintf("%s at request %d", trouble.name, n+1), func(t *testing.T) { runTroubled(t, c, trouble, n+1) })
				}
			}
		})
	}
}

// runTroubled returns how many requests there were.
func runTroubled(t *testing.T, c composite, trouble trouble, nth int64) (requests int64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		run, check := c(t, srv)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		o := &oneTrouble{trouble: trouble, nth: nth, cancel: cancel}
		client := srv.Client(circleci.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			o.next = next
			return o
		}))
		err := run(ctx, client)
		requests = o.count.Load()
		switch {
		case nth == 0, requests < nth: // as jitter has it
			require.NoError(t, err)
		case trouble.ends != nil:
			require.ErrorIs(t, err, trouble.ends)
		case trouble.writes && o.created: // it cannot be sent again
		default:
			require.NoError(t, err, "it can be overcome")
		}
		check(t, err)
		assert.Zero(t, o.open.Load(), "answers that nobody has closed: their connections are lost")
	})
	return requests
}

// A list whose last page leads to itself ends with an error, and no composite
// hides it: what it has read may be incomplete.
func TestCompositesReportAListThatRepeats(t *testing.T) {
	for name, c := range composites {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := circlecitest.New(t)
				run, check := c(t, srv)
				err := run(t.Context(), srv.Client(circleci.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
					return neverLast{next}
				})))
				if err != nil {
					require.ErrorIs(t, err, circleci.ErrPageLoop)
					return
				}
				check(t, nil) // it reads no list, or one that is known to repeat
			})
		})
	}
}

type neverLast struct{ next http.RoundTripper }

func (n neverLast) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Query().Get("page-token") == "again" {
		req = req.Clone(req.Context())
		req.URL.RawQuery = ""
	}
	resp, err := n.next.RoundTrip(req)
	if err != nil || !strings.Contains(resp.Header.Get("Content-Type"), "json") {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	body = bytes.Replace(body, []byte(`"next_page_token":null`), []byte(`"next_page_token":"again"`), 1)
	err = errors.Join(err, resp.Body.Close())
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Del("Content-Length")
	return resp, err
}

// setupThenFails is a project with a setup workflow, whose continuation has a job that
// fails and one that waits for it.
var setupThenFails = circlecitest.Script{
	Setup: circlecitest.Workflow("setup", circlecitest.Job("generate").Takes(time.Second)),
	Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("build", circlecitest.Job("x").Takes(time.Second).Fails(), circlecitest.Job("y").Requires("x")),
	},
}

// withJobsErr returns what went wrong in a wait: an outcome that is known is
// not lost for its jobs.
func withJobsErr(result any, err error) error {
	switch r := result.(type) {
	case *circleci.PipelineResult:
		if r != nil {
			return errors.Join(err, r.JobsErr)
		}
	case *circleci.WorkflowResult:
		if r != nil {
			return errors.Join(err, r.JobsErr)
		}
	}
	return err
}

func waitTroubled(_ *testing.T, srv *circlecitest.Server) (func(context.Context, *circleci.Client) error, func(*testing.T, error)) {
	srv.Script(webSlug, setupThenFails)
	id := srv.StartPipeline(webSlug, "main")
	var r *circleci.PipelineResult
	return func(ctx context.Context, c *circleci.Client) (err error) {
			r, err = c.Pipelines.Wait(ctx, id, &circleci.WaitOptions{WithJobs: true})
			return withJobsErr(r, err)
		}, func(t *testing.T, err error) {
			if err == nil {
				assert.Equal(t, circleci.OutcomeFailed, r.Outcome)
				require.ErrorContains(t, r.Err(), "job x failed")
			}
		}
}

func triggerTroubled(_ *testing.T, srv *circlecitest.Server) (func(context.Context, *circleci.Client) error, func(*testing.T, error)) {
	srv.Script(webSlug, plain(circlecitest.Workflow("a", circlecitest.Job("x").Takes(time.Second))))
	var r *circleci.PipelineResult
	return func(ctx context.Context, c *circleci.Client) (err error) {
			r, err = c.Pipelines.TriggerAndWait(ctx, webSlug, circleci.TriggerPipelineRequest{}, nil)
			return err
		}, func(t *testing.T, err error) {
			all, listErr := srv.Client().Pipelines.ListForProject(webSlug, nil).Collect(t.Context())
			require.NoError(t, listErr)
			assert.LessOrEqual(t, len(all), 1, "it is never triggered twice")
			if err == nil {
				assert.Equal(t, circleci.OutcomeSuccess, r.Outcome)
			}
		}
}

func rerunTroubled(t *testing.T, srv *circlecitest.Server) (func(context.Context, *circleci.Client) error, func(*testing.T, error)) {
	id := startedWorkflow(t, srv, plain(circlecitest.Workflow("a", circlecitest.Job("x").Takes(time.Second).FailsOnce())))
	time.Sleep(time.Minute)
	var r *circleci.WorkflowResult
	return func(ctx context.Context, c *circleci.Client) (err error) {
			r, err = c.Workflows.RerunAndWait(ctx, id, circleci.RerunWorkflowRequest{FromFailed: true}, nil)
			return withJobsErr(r, err)
		}, func(t *testing.T, err error) {
			if err == nil {
				assert.Equal(t, circleci.OutcomeSuccess, r.Outcome)
			}
		}
}

func approveTroubled(t *testing.T, srv *circlecitest.Server) (func(context.Context, *circleci.Client) error, func(*testing.T, error)) {
	id := startedWorkflow(t, srv, plain(circlecitest.Workflow("a", circlecitest.Approval("hold"), circlecitest.Job("x").Requires("hold"))))
	jobs, err := srv.Client().Workflows.ListJobs(id).Collect(t.Context())
	require.NoError(t, err)
	var r *circleci.WorkflowResult
	return func(ctx context.Context, c *circleci.Client) (err error) {
			r, err = c.Workflows.ApproveAndWait(ctx, id, jobs[0].ApprovalRequestID, nil)
			return withJobsErr(r, err)
		}, func(t *testing.T, err error) {
			if err == nil {
				assert.Equal(t, circleci.OutcomeSuccess, r.Outcome)
			}
		}
}

func downloadTroubled(t *testing.T, srv *circlecitest.Server) (func(context.Context, *circleci.Client) error, func(*testing.T, error)) {
	number := jobWith(t, srv, circlecitest.Artifact{Path: "small", Content: "small"},
		circlecitest.Artifact{Path: "dir/large", Content: "x", Size: 400_000}, circlecitest.Artifact{Path: "empty"})
	whole := map[string]int64{"small": 5, "dir/large": 400_000, "empty": 0}
	dir := t.TempDir()
	var files []circleci.DownloadedArtifact
	return func(ctx context.Context, c *circleci.Client) (err error) {
			files, err = c.Jobs.DownloadArtifacts(ctx, webSlug, number, dir, &circleci.DownloadOptions{Concurrency: 2})
			return err
		}, func(t *testing.T, err error) {
			there := sizes(t, dir)
			assert.Len(t, there, len(files), "what is there is what the call says")
			for name, size := range there {
				assert.Equal(t, whole[name], size, "%s is not whole, and bears its name", name)
			}
			for name := range whole {
				if _, ok := there[name]; !ok && len(files) > 0 {
					assert.ErrorContains(t, err, fmt.Sprintf("artifact %q", name), "the error names what is missing")
				}
			}
			if err == nil {
				assert.Len(t, files, len(whole))
			}
		}
}

func reportTroubled(t *testing.T, srv *circlecitest.Server) (func(context.Context, *circleci.Client) error, func(*testing.T, error)) {
	id := startedWorkflow(t, srv, plain(
		circlecitest.Workflow("a", circlecitest.Job("x").Fails().WithTests(circlecitest.FailingTest("TestX", "no"))),
		circlecitest.Workflow("b", circlecitest.Job("y").WithTests(circlecitest.PassingTest("TestY", time.Second)))))
	time.Sleep(time.Minute)
	w, err := srv.Client().Workflows.Get(t.Context(), id)
	require.NoError(t, err)
	var r *circleci.TestReport
	return func(ctx context.Context, c *circleci.Client) (err error) {
			r, err = c.Pipelines.GetTestReport(ctx, w.PipelineID)
			return err
		}, func(t *testing.T, err error) {
			if err == nil {
				require.Len(t, r.Tests, 2)
				assert.Len(t, r.Failed(), 1)
			}
		}
}

func outputTroubled(t *testing.T, srv *circlecitest.Server) (func(context.Context, *circleci.Client) error, func(*testing.T, error)) {
	text := strings.Repeat("a line of output\n", 5000)
	a := printed(t, srv, text)
	var got []byte
	return func(ctx context.Context, c *circleci.Client) error {
			out, err := c.Jobs.OpenStepOutput(ctx, a)
			if err != nil {
				return err
			}
			got, err = io.ReadAll(out)
			return errors.Join(err, out.Close())
		}, func(t *testing.T, err error) {
			if err == nil {
				assert.Equal(t, text, string(got))
			}
		}
}

func exportTroubled(t *testing.T, srv *circlecitest.Server) (func(context.Context, *circleci.Client) error, func(*testing.T, error)) {
	start := time.Now()
	org := usedOrg(t, srv, 35) // two windows, of several files
	window := circleci.UsageWindow{Start: start, End: time.Now()}
	var rows []circleci.UsageRow
	return func(ctx context.Context, c *circleci.Client) (err error) {
			rows, err = collect(c.Usage.Export(ctx, org, window, nil))
			return err
		}, func(t *testing.T, err error) {
			jobs := map[uuid.UUID]bool{}
			for _, r := range rows {
				jobs[r.JobID] = true
			}
			assert.Len(t, jobs, len(rows), "no row comes twice")
			if err == nil {
				assert.Len(t, rows, 2*35)
			} else {
				assert.ErrorContains(t, err, "usage from "+start.UTC().Format(time.DateOnly)[:4], "the error says of which window")
			}
		}
}

func syncTroubled(_ *testing.T, srv *circlecitest.Server) (func(context.Context, *circleci.Client) error, func(*testing.T, error)) {
	was := map[string]string{"A": "1", "B": "2", "OLD": "3"}
	vars := map[string]circleci.Secret{"A": canary, "NEW": canary}
	id := srv.AddContext("gh/acme", "deploy", was)
	var diff *circleci.EnvVarsDiff
	return func(ctx context.Context, c *circleci.Client) (err error) {
			diff, err = c.Contexts.SyncEnvVars(ctx, id, vars, &circleci.SyncEnvVarsOptions{Apply: true, Delete: true})
			return err
		}, func(t *testing.T, err error) {
			then := srv.ContextEnvVars(id)
			if err == nil {
				assert.Equal(t, map[string]string{"A": canary, "NEW": canary}, then)
				return
			}
			assertHidden(t, canary, err)
			assertHidden(t, canary, diff)
			if diff == nil {
				assert.Equal(t, was, then, "nothing was done")
				return
			}
			// One variable, which the error names, may have been changed without
			// an answer.
			said := slices.Concat(diff.Created, diff.Updated, diff.Deleted)
			for _, name := range []string{"A", "B", "OLD", "NEW"} {
				now, ok := then[name]
				before, had := was[name]
				switch changed := now != before || ok != had; {
				case slices.Contains(said, name):
					assert.True(t, changed, "%s is said to be done", name)
				case changed:
					assert.ErrorContains(t, err, "variable "+name+":")
				}
			}
		}
}

func pushTroubled(t *testing.T, srv *circlecitest.Server) (func(context.Context, *circleci.Client) error, func(*testing.T, error)) {
	org := srv.AddOrg("gh/acme")
	_, err := srv.Client().Policy.PushDir(t.Context(), org, fstest.MapFS{"old.rego": rego("old")}, &circleci.PushDirOptions{Apply: true})
	require.NoError(t, err)
	var diff *circleci.PolicyBundleDiff
	return func(ctx context.Context, c *circleci.Client) (err error) {
			diff, err = c.Policy.PushDir(ctx, org, fstest.MapFS{"a.rego": rego("one"), "b.rego": rego("two")}, &circleci.PushDirOptions{Apply: true})
			return err
		}, func(t *testing.T, err error) {
			bundle, getErr := srv.Client().Policy.GetBundle(t.Context(), org)
			require.NoError(t, getErr)
			names := slices.Sorted(maps.Keys(bundle))
			if err == nil {
				assert.Equal(t, []string{"old"}, diff.Deleted)
				assert.Equal(t, []string{"one", "two"}, names)
				return
			}
			assert.True(t, slices.Equal(names, []string{"old"}) || slices.Equal(names, []string{"one", "two"}), "half a bundle: %v", names)
		}
}
