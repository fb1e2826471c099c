package circlecitest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/webhook"
)

const webSlug = circleci.ProjectSlug("gh/acme/web")

// carrier is a round tripper that is a function.
type carrier func(*http.Request) (*http.Response, error)

func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) { return c(r) }

func answer(status int) *http.Response {
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("fine"))}
}

// addHook registers a webhook of a project for both events.
func addHook(t *testing.T, srv *circlecitest.Server, slug circleci.ProjectSlug, url string) *circleci.Webhook {
	t.Helper()
	hook, err := srv.Client().Webhooks.Create(t.Context(), circleci.CreateWebhookRequest{
		Name: "chat", URL: url, VerifyTLS: true, SigningSecret: "hunter123", Scope: circleci.ProjectScope(srv.AddProject(slug)),
		Events: []circleci.WebhookEvent{circleci.WebhookEventWorkflowCompleted, circleci.WebhookEventJobCompleted},
	})
	require.NoError(t, err)
	return hook
}

func TestAWebhookIsKeptAsItWasCreated(t *testing.T) {
	srv := circlecitest.New(t)
	c := srv.Client()
	made := addHook(t, srv, webSlug, "https://hooks.example/")
	assert.Equal(t, "****", made.SigningSecret, "the secret is never told")
	assert.Equal(t, []circleci.WebhookEvent{"workflow-completed", "job-completed"}, made.Events, "in the order in which they were sent")
	got, err := c.Webhooks.Get(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, made, got)
	all, err := c.Webhooks.List(made.Scope).Collect(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []circleci.Webhook{*made}, all)
	others, err := c.Webhooks.List(circleci.ProjectScope(srv.AddProject("gh/acme/api"))).Collect(t.Context())
	require.NoError(t, err)
	assert.Empty(t, others)
	require.NoError(t, c.Webhooks.Delete(t.Context(), made.ID))
	_, err = c.Webhooks.Get(t.Context(), made.ID)
	assert.ErrorIs(t, err, circleci.ErrNotFound)
}

func TestAWebhookCanBeSpelledAsTheDocumentDoes(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithDocumentSpelling())
	made := addHook(t, srv, webSlug, "https://hooks.example/")
	assert.True(t, made.VerifyTLS)
	assert.Equal(t, "****", made.SigningSecret)
	assert.False(t, made.CreatedAt.IsZero())
	var body json.RawMessage
	require.NoError(t, srv.Client().Do(t.Context(), circleci.Request{Route: "/webhook/{webhook-id}", Params: []any{made.ID}}, &body))
	assert.Contains(t, string(body), `"verify-tls":true`)
	assert.NotContains(t, string(body), "verify_tls")
}

func TestAnUpdateOfAWebhookReplacesIt(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	c := srv.Client()
	made := addHook(t, srv, webSlug, "https://hooks.example/")
	srv.Advance(time.Minute)
	got, err := c.Webhooks.Update(t.Context(), made.ID, circleci.UpdateWebhookRequest{
		Name: circleci.Some("mail"), VerifyTLS: circleci.Some(true), SigningSecret: circleci.Some[circleci.Secret]("other"),
	})
	require.NoError(t, err)
	assert.Equal(t, "mail", got.Name)
	assert.Equal(t, made.URL, got.URL)
	assert.True(t, got.VerifyTLS)
	assert.Equal(t, "****", got.SigningSecret)
	assert.Equal(t, time.Minute, got.UpdatedAt.Sub(got.CreatedAt))
	got, err = c.Webhooks.Update(t.Context(), made.ID, circleci.UpdateWebhookRequest{Name: circleci.Some("chat")})
	require.NoError(t, err)
	assert.False(t, got.VerifyTLS, "it was not sent")
	assert.Empty(t, got.SigningSecret, "a secret that is not sent is deleted")
}

func TestAWebhookThatTheAPIRefuses(t *testing.T) {
	srv := circlecitest.New(t)
	hooks := srv.Client().Webhooks
	project := srv.AddProject(webSlug)
	create := func(change func(*circleci.CreateWebhookRequest)) error {
		in := circleci.CreateWebhookRequest{
			Name: "chat", URL: "https://hooks.example/", Events: []circleci.WebhookEvent{"job-completed"}, Scope: circleci.ProjectScope(project),
		}
		change(&in)
		_, err := hooks.Create(t.Context(), in)
		return err
	}
	_, listErr := hooks.List(circleci.WebhookScope{ID: project, Type: "organization"}).Collect(t.Context())
	for what, err := range map[string]error{
		"an event that there is not":  create(func(in *circleci.CreateWebhookRequest) { in.Events = []circleci.WebhookEvent{"started"} }),
		"plain http to another host":  create(func(in *circleci.CreateWebhookRequest) { in.URL = "http://hooks.example/" }),
		"no URL":                      create(func(in *circleci.CreateWebhookRequest) { in.URL = "chat" }),
		"a project that there is not": create(func(in *circleci.CreateWebhookRequest) { in.Scope.ID = uuid.New() }),
		"another scope":               create(func(in *circleci.CreateWebhookRequest) { in.Scope.Type = "organization" }),
		"a list of another scope":     listErr,
	} {
		var bad *circleci.Error
		if assert.ErrorAs(t, err, &bad, what) {
			assert.Equal(t, http.StatusBadRequest, bad.StatusCode, what)
		}
	}
	for range 5 {
		require.NoError(t, create(func(*circleci.CreateWebhookRequest) {}))
	}
	var full *circleci.Error
	require.ErrorAs(t, create(func(*circleci.CreateWebhookRequest) {}), &full)
	assert.Equal(t, http.StatusBadRequest, full.StatusCode, "a project takes five")
	missing := uuid.New()
	assert.ErrorIs(t, hooks.Delete(t.Context(), missing), circleci.ErrNotFound)
}

// Keys with underscores are ignored by the API, without a word: a webhook that
// is sent so has no secret.
func TestAWebhookWithUnderscoresInItsKeysIsRefused(t *testing.T) {
	srv := circlecitest.New(t)
	err := srv.Client().Do(t.Context(), circleci.Request{Method: http.MethodPost, Route: "/webhook", Body: map[string]any{
		"name": "chat", "url": "https://hooks.example/", "events": []string{"job-completed"}, "verify_tls": true,
		"scope": circleci.ProjectScope(srv.AddProject(webSlug)),
	}}, nil)
	var bad *circleci.Error
	require.ErrorAs(t, err, &bad)
	assert.Contains(t, bad.Message, "verify_tls")
}

func TestWebhooksAreCalledWithSignedEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			mu       sync.Mutex // the calls come at once
			job      *webhook.JobCompleted
			workflow *webhook.WorkflowCompleted
		)
		receiver := webhook.Handler([]circleci.Secret{"hunter123"}, func(_ context.Context, e webhook.Event) error {
			mu.Lock()
			defer mu.Unlock()
			switch e := e.(type) {
			case *webhook.JobCompleted:
				job = e
			case *webhook.WorkflowCompleted:
				workflow = e
			}
			return nil
		})
		srv := circlecitest.New(t, circlecitest.WithDeliveryTransport(carrier(func(r *http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			receiver.ServeHTTP(w, r)
			return w.Result(), nil
		})))
		addHook(t, srv, webSlug, "https://hooks.example/circleci?a=b")
		srv.Script(webSlug, circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
			circlecitest.Workflow("build", circlecitest.Job("test").Fails(), circlecitest.Approval("hold").Requires("test")),
		}})
		id := srv.StartPipeline(webSlug, "main")
		time.Sleep(time.Hour)
		synctest.Wait()

		require.NotNil(t, job)
		assert.Equal(t, "test", job.Job.Name)
		assert.Equal(t, circleci.JobStatusFailed, job.Job.Status)
		assert.Equal(t, int64(1), job.Job.Number)
		require.NotNil(t, workflow)
		assert.Equal(t, circleci.WorkflowStatusFailed, workflow.Workflow.Status)
		assert.Equal(t, "acme", workflow.Organization.Name)

		sent := srv.Deliveries()
		require.Len(t, sent, 2)
		assert.Equal(t, "https://hooks.example/circleci?a=b", sent[0].URL)
		assert.Equal(t, "job-completed", sent[0].Header.Get("Circleci-Event-Type"))
		assert.Equal(t, "CircleCI-Webhook/1.0", sent[0].Header.Get("User-Agent"))
		assert.Equal(t, "application/json", sent[0].Header.Get("Content-Type"))
		assert.NoError(t, webhook.Verify(sent[0].Body, sent[0].Header.Get("Circleci-Signature"), "hunter123"))
		var body struct {
			ID       uuid.UUID `json:"id"`
			Happened string    `json:"happened_at"`
			Project  struct {
				Slug string `json:"slug"`
			} `json:"project"`
			Pipeline struct {
				ID  uuid.UUID `json:"id"`
				VCS struct {
					Provider string         `json:"provider_name"`
					Branch   string         `json:"branch"`
					Commit   map[string]any `json:"commit"`
				} `json:"vcs"`
			} `json:"pipeline"`
			Workflow map[string]any `json:"workflow"`
		}
		require.NoError(t, json.Unmarshal(sent[0].Body, &body))
		assert.Equal(t, sent[0].ID, body.ID)
		assert.Equal(t, uuid.Version(3), body.ID.Version(), "the IDs of events are made of names")
		assert.Equal(t, "github/acme/web", body.Project.Slug, "events have the long form")
		assert.Equal(t, id, body.Pipeline.ID)
		assert.Equal(t, "github", body.Pipeline.VCS.Provider)
		assert.Equal(t, "main", body.Pipeline.VCS.Branch)
		assert.Contains(t, body.Pipeline.VCS.Commit, "authored_at")
		assert.NotContains(t, body.Workflow, "status", "the event of a job does not tell its workflow's status")
		assert.Regexp(t, `\.\d{6}Z$`, body.Happened)
	})
}

func TestAnEventOfAStandaloneProjectHasNoVCS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t, circlecitest.WithDeliveryTransport(carrier(func(*http.Request) (*http.Response, error) {
			return answer(http.StatusNoContent), nil
		})))
		addHook(t, srv, appSlug, "https://hooks.example/")
		srv.StartPipeline(appSlug, "main")
		time.Sleep(time.Hour)
		synctest.Wait()
		require.NotEmpty(t, srv.Deliveries())
		var body struct {
			Pipeline map[string]any `json:"pipeline"`
		}
		require.NoError(t, json.Unmarshal(srv.Deliveries()[0].Body, &body))
		assert.NotContains(t, body.Pipeline, "vcs")
		assert.Contains(t, body.Pipeline, "trigger_parameters")
	})
}

func TestOnlyTheEventsThatAreAskedForAreDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t, circlecitest.WithDeliveryTransport(carrier(func(*http.Request) (*http.Response, error) {
			return answer(http.StatusOK), nil
		})))
		c := srv.Client()
		_, err := c.Webhooks.Create(t.Context(), circleci.CreateWebhookRequest{
			Name: "unsigned", URL: "https://hooks.example/", Scope: circleci.ProjectScope(srv.AddProject(webSlug)),
			Events: []circleci.WebhookEvent{circleci.WebhookEventJobCompleted},
		})
		require.NoError(t, err)
		srv.Script(webSlug, circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
			circlecitest.Workflow("build", circlecitest.Job("quick"), circlecitest.Job("slow").Takes(time.Hour),
				circlecitest.Job("later").Requires("slow")),
		}})
		id := srv.StartPipeline(webSlug, "main")
		srv.StartPipeline("gh/acme/api", "main") // has no webhook
		time.Sleep(5 * time.Minute)
		workflows, err := c.Pipelines.ListWorkflows(id).Collect(t.Context())
		require.NoError(t, err)
		require.NoError(t, c.Workflows.Cancel(t.Context(), workflows[0].ID))
		synctest.Wait()
		var statuses []string
		for _, d := range srv.Deliveries() {
			assert.Equal(t, circleci.WebhookEventJobCompleted, d.Event)
			assert.Empty(t, d.Header.Get("Circleci-Signature"), "there is no secret")
			var body struct {
				Job struct{ Name, Status string } `json:"job"`
			}
			require.NoError(t, json.Unmarshal(d.Body, &body))
			statuses = append(statuses, body.Job.Name+" "+body.Job.Status)
		}
		assert.Equal(t, []string{"quick success", "slow canceled"}, statuses, "what has not run is not announced")
	})
}

func TestACallThatFailsIsRepeatedWithGrowingPauses(t *testing.T) {
	for what, receiver := range map[string]carrier{
		"a 500":       func(*http.Request) (*http.Response, error) { return answer(http.StatusInternalServerError), nil },
		"a redirect":  func(*http.Request) (*http.Response, error) { return answer(http.StatusFound), nil },
		"a breakdown": func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") },
		"no answer in time": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := circlecitest.New(t, circlecitest.WithDeliveryTransport(receiver))
				hook := addHook(t, srv, webSlug, "https://hooks.example/")
				_, err := srv.Client().Webhooks.Update(t.Context(), hook.ID, circleci.UpdateWebhookRequest{
					Events: circleci.Some([]circleci.WebhookEvent{circleci.WebhookEventWorkflowCompleted}),
				})
				require.NoError(t, err)
				srv.StartPipeline(webSlug, "main")
				time.Sleep(24 * time.Hour)
				synctest.Wait()
				sent := srv.Deliveries()
				require.Len(t, sent, 4, "it is given up after four attempts")
				var pause time.Duration
				for i, d := range sent {
					assert.Equal(t, i+1, d.Attempt)
					assert.Equal(t, sent[0].ID, d.ID, "receivers know a repeated event by its ID")
					if i > 0 {
						next := d.Time.Sub(sent[i-1].Time)
						assert.Greater(t, next, pause)
						pause = next
					}
				}
			})
		})
	}
}

func TestACallThatIsRepeatedCanSucceed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tried atomic.Bool
		srv := circlecitest.New(t, circlecitest.WithManualTime(), circlecitest.WithDeliveryTransport(
			carrier(func(r *http.Request) (*http.Response, error) {
				if r.Header.Get("circleci-event-type") == "job-completed" && !tried.Swap(true) {
					return answer(http.StatusServiceUnavailable), nil
				}
				return answer(http.StatusAccepted), nil
			})))
		addHook(t, srv, webSlug, "https://hooks.example/")
		srv.Script(webSlug, circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
			circlecitest.Workflow("build", circlecitest.Job("test")),
		}})
		srv.StartPipeline(webSlug, "main")
		srv.Advance(time.Hour)
		sent := srv.Deliveries()
		require.Len(t, sent, 3, "what is due has happened when Advance returns, repeated calls too")
		assert.Equal(t, http.StatusServiceUnavailable, sent[0].Status)
		assert.Equal(t, 2, sent[2].Attempt)
		assert.Equal(t, sent[0].ID, sent[2].ID)
	})
}
