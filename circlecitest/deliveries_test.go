package circlecitest_test

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
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

// A receiver may well ask the API about what it has been told.
func TestAReceiverCanAskTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c *circleci.Client
		var asked sync.Map
		srv := circlecitest.New(t, circlecitest.WithManualTime(), circlecitest.WithDeliveryTransport(
			carrier(func(r *http.Request) (*http.Response, error) {
				var body struct {
					Workflow struct{ ID uuid.UUID } `json:"workflow"`
				}
				if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
					return nil, err
				}
				w, err := c.Workflows.Get(r.Context(), body.Workflow.ID)
				if err != nil {
					return nil, err
				}
				asked.Store(w.Name, true)
				return answer(http.StatusOK), nil
			})))
		c = srv.Client()
		addHook(t, srv, webSlug, "https://hooks.example/")
		srv.StartPipeline(webSlug, "main")
		srv.Advance(time.Hour)
		_, ok := asked.Load("build-and-test")
		assert.True(t, ok)
		for _, d := range srv.Deliveries() {
			assert.NoError(t, d.Err)
		}
	})
}

// A webhook that is deleted is not called any more, not even again.
func TestADeletedWebhookIsNotCalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t, circlecitest.WithDeliveryTransport(carrier(func(*http.Request) (*http.Response, error) {
			return answer(http.StatusBadGateway), nil
		})))
		hook := addHook(t, srv, webSlug, "https://hooks.example/")
		srv.Script(webSlug, circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{
			circlecitest.Workflow("build", circlecitest.Job("test")),
		}})
		srv.StartPipeline(webSlug, "main")
		time.Sleep(time.Minute)
		synctest.Wait()
		before := len(srv.Deliveries())
		require.NotZero(t, before)
		require.NoError(t, srv.Client().Webhooks.Delete(t.Context(), hook.ID))
		srv.StartPipeline(webSlug, "main")
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		assert.Len(t, srv.Deliveries(), before)
	})
}

// Without a transport of the test's, a test must not call strangers.
func TestAWebhookOfTheOuterWorldIsNotCalled(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	addHook(t, srv, webSlug, "https://hooks.example/")
	srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Hour)
	sent := srv.Deliveries()
	require.NotEmpty(t, sent)
	for _, d := range sent {
		assert.Zero(t, d.Status)
		assert.ErrorContains(t, d.Err, "WithDeliveryTransport")
		assert.Equal(t, 1, d.Attempt, "there is no use in trying again")
	}
}

func TestAReceiverOnThisMachineIsCalledThroughItsSocket(t *testing.T) {
	got := make(chan string, 10)
	receiver := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if webhook.Verify(body, r.Header.Get("circleci-signature"), "hunter123") != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		got <- r.Header.Get("circleci-event-type")
	}))
	receiver.Config.ErrorLog = log.New(io.Discard, "", 0)
	receiver.StartTLS()
	defer receiver.Close()
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	hook := addHook(t, srv, webSlug, receiver.URL)
	update := func(verify bool) {
		_, err := srv.Client().Webhooks.Update(t.Context(), hook.ID, circleci.UpdateWebhookRequest{
			Events:        circleci.Some([]circleci.WebhookEvent{circleci.WebhookEventWorkflowCompleted}),
			SigningSecret: circleci.Some[circleci.Secret]("hunter123"), VerifyTLS: circleci.Some(verify),
		})
		require.NoError(t, err)
	}
	update(false)
	srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Hour)
	require.Len(t, srv.Deliveries(), 1)
	assert.Equal(t, http.StatusOK, srv.Deliveries()[0].Status)
	assert.Equal(t, "workflow-completed", <-got)
	update(true)
	srv.StartPipeline(webSlug, "main")
	srv.Advance(time.Hour)
	assert.ErrorContains(t, srv.Deliveries()[1].Err, "certificate", "nobody vouches for the receiver")
	assert.Empty(t, got)
}

// Nothing is left of a server that has been closed, not even a call that hangs:
// in a bubble a goroutine that stays fails the test.
func TestCloseBreaksOffCallsOfWebhooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.NewServer(circlecitest.WithDeliveryTransport(carrier(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, context.Cause(r.Context())
		})))
		addHook(t, srv, webSlug, "https://hooks.example/")
		srv.StartPipeline(webSlug, "main")
		time.Sleep(40 * time.Second)
		synctest.Wait()
		srv.Close()
		sent := srv.Deliveries()
		require.NotEmpty(t, sent)
		assert.ErrorIs(t, sent[len(sent)-1].Err, context.Canceled)
		time.Sleep(24 * time.Hour)
		assert.Len(t, srv.Deliveries(), len(sent), "a closed server calls nobody")
	})
}
