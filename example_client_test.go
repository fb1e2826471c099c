package circleci_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// A client needs a personal API token, from a variable or a store of secrets.
func ExampleNewClient() {
	client, err := circleci.NewClient(os.Getenv("MY_CIRCLECI_TOKEN"),
		circleci.WithBaseURL("ci.example.com"), // a self-hosted server; without it circleci.com
		circleci.WithUserAgent("release-bot/1.4"),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(client.BaseURL())
	// Output: https://ci.example.com/api/v2
}

// In a job, or where the command line tool is set up by variables, they are
// what the client takes its token and its host from.
func ExampleNewClientFromEnv() {
	srv := circlecitest.NewServer()
	defer srv.Close()
	for name, value := range map[string]string{"CIRCLE_TOKEN": srv.Token(), "CIRCLE_HOST": srv.URL()} {
		if err := os.Setenv(name, value); err != nil { // in life somebody else has set it
			fmt.Println(err)
			return
		}
		defer func() { _ = os.Unsetenv(name) }()
	}

	client, err := circleci.NewClientFromEnv()
	if err != nil {
		fmt.Println(err)
		return
	}
	me, err := client.Users.Me(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("hello,", me.Name)
	// Output: hello, Ada Lovelace
}

// Do calls an operation that has no method here, or reads fields of an answer
// that are not modelled.
func ExampleClient_Do() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	srv.AddProject("gh/acme/web")

	client := srv.Client()
	var project struct {
		Name    string `json:"name"`
		VCSInfo struct {
			DefaultBranch string `json:"default_branch"`
		} `json:"vcs_info"`
	}
	err := client.Do(ctx, circleci.Request{Route: "/project/{project-slug}", Params: []any{circleci.ProjectSlug("gh/acme/web")}}, &project)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(project.Name, project.VCSInfo.DefaultBranch)
	// Output: web main
}

// Match an error by what it means, or take it apart.
func ExampleError() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()

	client := srv.Client()
	_, err := client.Projects.Get(ctx, "gh/acme/web")
	switch {
	case errors.Is(err, circleci.ErrNotFound):
		fmt.Println("there is no such project, or the token may not see it")
	case errors.Is(err, circleci.ErrUnauthorized):
		fmt.Println("the token is no good")
	}

	var answer *circleci.Error
	if errors.As(err, &answer) {
		fmt.Println(answer.StatusCode, answer.Method, answer.Route)
	}

	_, err = client.Projects.Get(ctx, "acme/web") // no request is sent
	fmt.Println(errors.Is(err, circleci.ErrInvalidArgument))
	// Output:
	// there is no such project, or the token may not see it
	// 404 GET /project/{project-slug}
	// true
}

// The metadata of an answer are there when they are asked for.
func ExampleCaptureResponse() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	srv.Fail("GET /me", circlecitest.Response{Status: http.StatusServiceUnavailable})

	client := srv.Client(circleci.WithRetry(circleci.RetryPolicy{MinBackoff: time.Millisecond}))
	var resp circleci.Response
	if _, err := client.Users.Me(ctx, circleci.CaptureResponse(&resp)); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.StatusCode, "after", resp.Attempts, "attempts")
	fmt.Println("requests left:", resp.RateLimit.Remaining)
	// Output:
	// 200 after 2 attempts
	// requests left: 999999
}

// A field of an update is left as it is, set, or cleared.
func ExampleOptional() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	srv.AddProject("gh/acme/web")

	client := srv.Client()
	settings, err := client.Projects.UpdateSettings(ctx, "gh/acme/web", circleci.UpdateSettingsRequest{
		Advanced: circleci.UpdateAdvancedSettings{
			AutocancelBuilds: circleci.Some(true),
			SetGitHubStatus:  circleci.Some(false), // sent, other than a field that is unset
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(settings.Advanced.AutocancelBuilds, settings.Advanced.SetGitHubStatus)
	for _, r := range srv.Requests() {
		fmt.Println(r.Method, string(r.Body))
	}
	// Output:
	// true false
	// PATCH {"advanced":{"autocancel_builds":true,"set_github_status":false}}
}

// A secret is sent, and does not get into a log.
func ExampleSecret() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	id := srv.AddContext("gh/acme", "production", nil)

	client := srv.Client()
	in := circleci.SetEnvVarRequest{Value: "hunter2"}
	if _, err := client.Contexts.SetEnvVar(ctx, id, "DB_PASSWORD", in); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("logged: %+v\n", in)
	fmt.Println("stored:", srv.ContextEnvVars(id)["DB_PASSWORD"])
	// Output:
	// logged: {Value:REDACTED}
	// stored: hunter2
}

// Each attempt is logged at debug level, without headers, bodies or the token.
func ExampleWithLogger() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()

	handler := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "duration" { // which differ from run to run
				return slog.Attr{}
			}
			return a
		},
	})
	client := srv.Client(circleci.WithLogger(slog.New(handler)))
	if _, err := client.Users.Me(ctx); err != nil {
		fmt.Println(err)
	}
	// Output: level=DEBUG msg="circleci request" method=GET route=/me status=200 attempt=1
}

// Where something else limits requests, a proxy for instance, the client's own
// pacing can be turned off. A 429 is waited for all the same.
func ExampleWithLimiter() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	srv.Fail("GET /me", circlecitest.Response{Status: http.StatusTooManyRequests})

	client := srv.Client(
		circleci.WithLimiter(nil),
		circleci.WithRetry(circleci.RetryPolicy{MinBackoff: time.Millisecond}),
	)
	me, err := client.Users.Me(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(me.Login, "after", len(srv.Requests()), "requests")
	// Output: ada after 2 requests
}

// The token's owner, and the organizations that it can work with.
func ExampleUsersService_Me() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	srv.AddOrg("gh/acme")

	client := srv.Client()
	me, err := client.Users.Me(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(me.Login)
	for org, err := range client.Users.ListCollaborations().All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(org.Slug, org.Name)
	}
	// Output:
	// ada
	// gh/acme acme
}
