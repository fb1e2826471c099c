package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

const (
	demoProject = circleci.ProjectSlug("gh/acme/web")
	demoSecret  = circleci.Secret("only-for-the-demonstration")
	// speed is how many times faster than real time the fake server's clock
	// runs.
	speed = 60
)

// runDemo receives the events of two pipelines of a fake CircleCI server and
// one forged request, and then returns.
func runDemo(ctx context.Context, con *cli.Console, path string) error {
	fmt.Fprintf(con.Out, "No CIRCLE_TOKEN is set: this is a fake CircleCI server on this machine, whose clock runs %d times faster.\n", speed)
	srv := circlecitest.NewServer(circlecitest.WithSpeed(speed))
	defer srv.Close()
	test := circlecitest.Job("test").Requires("build")
	srv.Script(demoProject,
		circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
			circlecitest.Workflow("build-and-test", circlecitest.Job("build"), test),
		}},
		circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
			circlecitest.Workflow("build-and-test", circlecitest.Job("build").Takes(45*time.Second).Fails().
				WithTests(circlecitest.FailingTest("TestPayment", "want 200 OK, got 402 Payment Required"))),
		}},
	)
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return err
	}
	url := "http://" + listener.Addr().String() + path

	ctx, stop := context.WithCancel(ctx)
	played := make(chan error, 1)
	go func() {
		err := play(ctx, srv, url)
		if ctx.Err() != nil {
			err = nil // Ctrl-C is how this ends, too
		}
		stop() // and the server ends
		played <- err
	}()
	r := &receiver{con: con, client: srv.Client(), secrets: []circleci.Secret{demoSecret}, path: path}
	err = r.serve(ctx, listener)
	stop() // which has happened, unless the server could not go on
	return errors.Join(err, <-played)
}

// play runs the pipelines, and returns when all events have been delivered.
func play(ctx context.Context, srv *circlecitest.Server, url string) error {
	client := srv.Client()
	_, err := client.Webhooks.Create(ctx, circleci.CreateWebhookRequest{
		Name: "webhook-server", URL: url, VerifyTLS: true, SigningSecret: demoSecret,
		Events: []circleci.WebhookEvent{circleci.WebhookEventJobCompleted, circleci.WebhookEventWorkflowCompleted},
		Scope:  circleci.ProjectScope(srv.AddProject(demoProject)),
	})
	if err != nil {
		return err
	}
	if err := forge(ctx, url); err != nil {
		return err
	}
	for _, branch := range []string{"main", "feature"} {
		srv.StartPipeline(demoProject, branch)
	}
	const events = 5 // two workflows, and the jobs that run in them
	for told(srv) < events {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// told returns how many events have been accepted by the receiver.
func told(srv *circlecitest.Server) int {
	events := map[uuid.UUID]bool{}
	for _, d := range srv.Deliveries() {
		if d.Status == http.StatusOK {
			events[d.ID] = true
		}
	}
	return len(events)
}

// forge sends a webhook that CircleCI has not signed.
func forge(ctx context.Context, url string) error {
	body := strings.NewReader(`{"id":"1","type":"workflow-completed","workflow":{"name":"deploy","status":"success"}}`)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
