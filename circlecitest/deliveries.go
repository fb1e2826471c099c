package circlecitest

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// Delivery is one attempt to deliver a webhook.
type Delivery struct {
	WebhookID uuid.UUID
	// ID is the event's ID. It is part of the body and the same in each
	// attempt.
	ID    uuid.UUID
	Event circleci.WebhookEvent
	URL   string
	// Header and Body are what was sent.
	Header http.Header
	Body   []byte
	// Attempt counts from 1.
	Attempt int
	// Status is the status of the receiver's response. It is 0 if there was
	// none; Err has the reason.
	Status int
	Err    error
	Time   time.Time // on the server's clock
}

// Deliveries returns the finished attempts to deliver webhooks, oldest first.
// If a receiver does not respond with a 2xx within 10 seconds, the server
// retries three times, with growing pauses.
func (s *Server) Deliveries() []Delivery {
	s.engine.Lock()
	defer s.engine.Unlock()
	var all []Delivery
	for _, d := range s.engine.Courier.Ended() {
		all = append(all, Delivery(d))
	}
	return all
}

// PingWebhook delivers an event of type "ping" to a webhook, as CircleCI does
// to test one. It panics if the webhook does not exist.
func (s *Server) PingWebhook(id uuid.UUID) {
	s.engine.Lock()
	defer s.engine.Unlock()
	for _, h := range s.engine.Webhooks {
		if h.ID == id {
			s.engine.Courier.Ping(h)
			return
		}
	}
	panic("circlecitest: there is no webhook " + id.String())
}
