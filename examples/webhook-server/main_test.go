package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/clitest"
	"github.com/circleci-go/circleci/webhook"
)

func TestDemo(t *testing.T) {
	clitest.Demo(t)
	con := clitest.New()
	require.NoError(t, run(t.Context(), &con.Console, nil))
	for _, line := range []string{
		"REFUSED  webhook: there is no v1 signature",
		"job       success                gh/acme/web, pipeline 1, branch main: build-and-test/build\n",
		"job       success                gh/acme/web, pipeline 1, branch main: build-and-test/test\n",
		"workflow  success                gh/acme/web, pipeline 1, branch main: build-and-test\n",
		"job       failed                 gh/acme/web, pipeline 2, branch feature: build-and-test/build\n",
		"workflow  failed                 gh/acme/web, pipeline 2, branch feature: build-and-test\n" +
			"          build: TestPayment: want 200 OK, got 402 Payment Required\n",
	} {
		assert.Equal(t, 1, strings.Count(con.Stdout(), line), "%s in\n%s", line, con.Stdout())
	}
	assert.True(t, strings.HasSuffix(con.Stdout(), "\nended\n"))
}

func TestDemoInterrupted(t *testing.T) {
	clitest.Demo(t)
	ctx, cancel := context.WithCancel(t.Context())
	con := clitest.New().When("job ", cancel)
	require.NoError(t, run(ctx, &con.Console, nil))
	assert.Contains(t, con.Stdout(), "\nended\n")
}

const secret = "hunter123"

// started is the server as it runs.
type started struct {
	con    *clitest.Console
	url    string
	cancel context.CancelFunc
	ended  chan struct{}
	status int // when it has ended
}

// start runs the server against a CircleCI, until the test cancels it.
func start(t *testing.T, srv *circlecitest.Server) *started {
	t.Helper()
	clitest.Live(t, srv)
	t.Setenv("CIRCLE_WEBHOOK_SECRET", "the-new-one, "+secret)
	ctx, cancel := context.WithCancel(t.Context())
	s := &started{con: clitest.New(), cancel: cancel, ended: make(chan struct{})}
	listening := make(chan struct{})
	s.con.When("/hook", func() { close(listening) })
	go func() {
		defer close(s.ended)
		s.status = s.con.Exit(run(ctx, &s.con.Console, []string{"-addr", "localhost:0", "-path", "/hook"}))
	}()
	<-listening
	s.url = regexp.MustCompile(`http://\S+`).FindString(s.con.Stdout())
	t.Cleanup(func() { s.stop() })
	return s
}

// stop does what Ctrl-C does, and returns the exit status.
func (s *started) stop() int {
	s.cancel()
	<-s.ended
	return s.status
}

func post(t *testing.T, url, body, signature string) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set(webhook.SignatureHeader, signature)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { assert.NoError(t, resp.Body.Close()) }()
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	return resp.StatusCode
}

const ping = `{"id":"1","type":"workflow-completed","workflow":{"name":"build","status":"failed"}}`

func TestLive(t *testing.T) {
	srv := circlecitest.New(t)
	s := start(t, srv)
	assert.Equal(t, http.StatusOK, post(t, s.url, ping, webhook.Sign([]byte(ping), secret)), "the test ping, which lacks most, has to be taken")
	assert.Equal(t, http.StatusUnauthorized, post(t, s.url, ping, webhook.Sign([]byte(ping), "another")))
	unknown := `{"id":"2","type":"deploy-completed\u001b[31m"}`
	assert.Equal(t, http.StatusOK, post(t, s.url, unknown, webhook.Sign([]byte(unknown), "the-new-one")), "while secrets are rotated both are good")
	assert.Zero(t, s.stop(), "Ctrl-C is the usual end of a server")

	out := s.con.Stdout()
	assert.Contains(t, out, "workflow  failed")
	assert.Contains(t, out, "REFUSED")
	assert.Contains(t, out, "unknown   deploy-completed[31m\n")
	for _, hidden := range []string{srv.Token(), secret, "the-new-one", "\x1b"} {
		assert.NotContains(t, s.con.All(), hidden)
	}
	_, err := http.Get(s.url)
	assert.Error(t, err, "nothing may be left that listens")
}

func TestWhatIsHandledEnds(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	srv.Script("gh/acme/web", circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
		circlecitest.Workflow("build", circlecitest.Job("test").Fails().WithTests(circlecitest.FailingTest("TestPayment", "402"))),
	}})
	pipeline := srv.StartPipeline("gh/acme/web", "main")
	srv.Advance(time.Hour)
	workflows, err := srv.Client().Pipelines.ListWorkflows(pipeline).Collect(t.Context())
	require.NoError(t, err)
	body := strings.Replace(ping, `"workflow":{`, `"workflow":{"id":"`+workflows[0].ID.String()+`",`, 1)

	ctx, cancel := context.WithCancel(t.Context())
	interrupting := func(next http.RoundTripper) http.RoundTripper { // while the event is handled
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			cancel()
			return next.RoundTrip(r)
		})
	}
	listener, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	con := clitest.New()
	r := &receiver{con: &con.Console, client: srv.Client(circleci.WithMiddleware(interrupting)), secrets: []circleci.Secret{secret}, path: "/"}
	ended := make(chan error, 1)
	go func() { ended <- r.serve(ctx, listener) }()
	status := post(t, "http://"+listener.Addr().String(), body, webhook.Sign([]byte(body), secret))
	assert.Equal(t, http.StatusOK, status, "Ctrl-C must not break off an event")
	require.NoError(t, <-ended)
	assert.Contains(t, con.Stdout(), "test: TestPayment: 402\nended\n")
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestItIsSentAgain(t *testing.T) {
	srv := circlecitest.New(t)
	s := start(t, srv)
	body := strings.Replace(ping, `"workflow":{`, `"workflow":{"id":"2338d0ae-5541-4bbf-88a2-55e9f7281f80",`, 1)
	assert.Equal(t, http.StatusInternalServerError, post(t, s.url, body, webhook.Sign([]byte(body), secret)),
		"CircleCI has to send it again if the tests cannot be had")
	assert.Contains(t, s.con.Stdout(), "REFUSED")
}

func TestWrongCalls(t *testing.T) {
	clitest.Live(t, circlecitest.New(t))
	t.Setenv("CIRCLE_WEBHOOK_SECRET", " , ")
	for _, args := range [][]string{{}, {"-path", "circleci"}, {"x"}, {"-nope"}} {
		con := clitest.New()
		assert.Equal(t, 2, con.Exit(run(t.Context(), &con.Console, args)), "%v", args)
	}
	t.Setenv("CIRCLE_WEBHOOK_SECRET", secret)
	con := clitest.New()
	assert.Equal(t, 1, con.Exit(run(t.Context(), &con.Console, []string{"-addr", "localhost:nope"})))
}
