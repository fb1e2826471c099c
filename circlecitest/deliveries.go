package circlecitest

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// Delivery is one attempt to call a webhook.
type Delivery struct {
	WebhookID uuid.UUID
	// ID is the event's: it is in the body, and the same in each attempt.
	ID    uuid.UUID
	Event circleci.WebhookEvent
	URL   string
	// Header and Body are what was sent.
	Header http.Header
	Body   []byte
	// Attempt counts from 1.
	Attempt int
	// Status is that of the receiver's answer; 0 if there was none, for the
	// reason in Err.
	Status int
	Err    error
	Time   time.Time // by the server's clock
}

// Deliveries returns the attempts to call webhooks that have ended, the oldest
// first. A receiver that does not answer with a 2xx within 10 seconds is called
// again, three times, after pauses that grow.
func (s *Server) Deliveries() []Delivery {
	s.engine.Lock()
	defer s.engine.Unlock()
	var all []Delivery
	for _, d := range s.engine.Courier.Ended() {
		all = append(all, Delivery(d))
	}
	return all
}

// PingWebhook calls a webhook with an event of the type "ping", as CircleCI does
// to test one. It panics if there is no such webhook.
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
