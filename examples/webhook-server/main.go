// Command webhook-server receives CircleCI's webhooks, verifies them, and
// prints what has ended; for failed workflows also the failed tests.
//
//	CIRCLE_TOKEN=… CIRCLE_WEBHOOK_SECRET=… go run ./webhook-server -addr :8080
//
// CIRCLE_WEBHOOK_SECRET is the webhook's signing secret, or several separated
// by commas while it is rotated. Without CIRCLE_TOKEN the program receives from
// a fake CircleCI server in this process, and then exits:
//
//	go run ./webhook-server
//
// The flags:
//
//	-addr host:port  the address to listen on; default localhost:8080. CircleCI
//	                 must reach it by https, through a proxy
//	-path path       the path of the webhook; default /circleci
//
// After Ctrl-C the server finishes the events in progress and exits.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/examples/internal/cli"
	"github.com/circleci-go/circleci/webhook"
)

func main() { cli.Main(run) }

func run(ctx context.Context, con *cli.Console, args []string) error {
	flags := con.Flags("webhook-server [flags]")
	addr := flags.String("addr", "localhost:8080", "where to listen")
	path := flags.String("path", "/circleci", "the path of the webhook")
	if err := cli.Parse(flags, args, 0); err != nil {
		return err
	}
	if !strings.HasPrefix(*path, "/") {
		return cli.Usage("-path begins with a slash")
	}
	if os.Getenv("CIRCLE_TOKEN") == "" {
		return runDemo(ctx, con, *path)
	}
	secrets := splitSecrets(os.Getenv("CIRCLE_WEBHOOK_SECRET"))
	if len(secrets) == 0 {
		return cli.Usage("set CIRCLE_WEBHOOK_SECRET to the webhook's signing secret")
	}
	client, err := circleci.NewClientFromEnv()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	return (&receiver{con: con, client: client, secrets: secrets, path: *path}).serve(ctx, listener)
}

func splitSecrets(list string) []circleci.Secret {
	var secrets []circleci.Secret
	for secret := range strings.SplitSeq(list, ",") {
		if secret = strings.TrimSpace(secret); secret != "" {
			secrets = append(secrets, circleci.Secret(secret))
		}
	}
	return secrets
}

type receiver struct {
	con     *cli.Console
	client  *circleci.Client
	secrets []circleci.Secret
	path    string
	mu      sync.Mutex // of what is printed: events come at once
}

// serve serves until the context ends, and returns when what was being handled
// has ended.
func (r *receiver) serve(ctx context.Context, listener net.Listener) error {
	mux := http.NewServeMux()
	mux.Handle(r.path, webhook.Handler(r.secrets, r.handle, webhook.WithErrorHandler(func(_ *http.Request, err error) {
		r.print("REFUSED  %v", err)
	})))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second}
	r.print("listening at http://%s%s", listener.Addr(), r.path)

	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended: // it could not go on
		return err
	case <-ctx.Done():
	}
	grace, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second) // more than an event may take
	defer stop()
	err := server.Shutdown(grace)
	if ended := <-ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	r.print("ended")
	return err // Ctrl-C is how a server ends, and no error
}

// handle is called once for each event. If it fails, CircleCI sends it again.
func (r *receiver) handle(ctx context.Context, e webhook.Event) error {
	switch e := e.(type) {
	case *webhook.JobCompleted:
		r.print("job       %-22s %s", e.Job.Status, describe(&e.Common, &e.Pipeline, e.Workflow.Name+"/"+e.Job.Name))
	case *webhook.WorkflowCompleted:
		var failed []circleci.JobTest
		if e.Workflow.Status == circleci.WorkflowStatusFailed && e.Workflow.ID != uuid.Nil { // a ping has none
			report, err := r.client.Workflows.GetTestReport(ctx, e.Workflow.ID)
			if err != nil {
				return err
			}
			failed = report.Failed()
		}
		lines := []string{fmt.Sprintf("workflow  %-22s %s", e.Workflow.Status, describe(&e.Common, &e.Pipeline, e.Workflow.Name))}
		for _, t := range failed {
			lines = append(lines, fmt.Sprintf("          %s: %s: %s", t.JobName, t.Name, oneLine(t.Message)))
		}
		r.print("%s", strings.Join(lines, "\n"))
	default:
		r.print("unknown   %s", oneLine(e.About().Type))
	}
	return nil
}

// describe says what an event is about; parts of it can be missing.
func describe(c *webhook.Common, p *webhook.Pipeline, what string) string {
	branch := ""
	if p.VCS != nil && p.VCS.Branch != "" {
		branch = ", branch " + p.VCS.Branch
	}
	return oneLine(fmt.Sprintf("%s, pipeline %d%s: %s", c.Project.Slug, p.Number, branch, what))
}

// oneLine keeps a text from outside from writing lines of its own.
func oneLine(text string) string { return strings.Join(strings.Fields(cli.Plain(text)), " ") }

func (r *receiver) print(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.con.Out, format+"\n", args...)
}
