package circlecitest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/internal/wire"
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

	ended bool
}

// The receiver has so long, by our clock, and is called again after these
// pauses, by the server's.
const deliveryTimeout = 10 * time.Second

var deliveryPauses = []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute}

// courier is what calls webhooks.
type courier struct {
	transport  http.RoundTripper // nil: a socket, to this machine alone
	deliveries []*Delivery       // in the order in which they began
	context    context.Context   // ends with the server
	cancel     context.CancelFunc
	underWay   int
	idle       *sync.Cond // told when nothing is under way any more
}

// WithDeliveryTransport sets what carries the calls of webhooks, in place of a
// socket: a function of the test, so that no receiver has to listen, and that
// it works within testing/synctest. It gets the calls for any URL. Without it
// the server calls this machine alone, and no host of the outer world.
func WithDeliveryTransport(rt http.RoundTripper) Option {
	return func(s *Server) { s.world.webhooks.transport = rt }
}

// Deliveries returns the attempts to call webhooks that have ended, the oldest
// first. A receiver that does not answer with a 2xx within 10 seconds is called
// again, three times, after pauses that grow.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Delivery
	for _, d := range s.world.webhooks.deliveries {
		if d.ended {
			all = append(all, *d)
		}
	}
	return all
}

func (c *courier) init(mu *sync.Mutex) {
	c.context, c.cancel = context.WithCancel(context.Background())
	c.idle = sync.NewCond(mu)
}

// wait waits, with the server locked, until no call is under way.
func (c *courier) wait() {
	for c.underWay > 0 {
		c.idle.Wait()
	}
}

// deliver signs a payload and begins to call the webhook with it.
func (s *Server) deliver(h *webhook, d Delivery, payload object) {
	body, err := wire.Marshal(payload)
	if err != nil {
		panic("circlecitest: " + err.Error()) // an object of ours
	}
	d.URL, d.Body = h.url, body
	d.Header = http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {"CircleCI-Webhook/1.0"}, "Circleci-Event-Type": {string(d.Event)},
	}
	if h.secret != "" {
		mac := hmac.New(sha256.New, []byte(h.secret))
		mac.Write(body)
		d.Header.Set("Circleci-Signature", "v1="+hex.EncodeToString(mac.Sum(nil)))
	}
	s.attempt(h, d)
}

var errNotLocal = errors.New("circlecitest: webhooks are called on this machine alone, unless WithDeliveryTransport says how")

// attempt calls the webhook, beside all else: the receiver may well ask the
// server something.
func (s *Server) attempt(h *webhook, d Delivery) {
	c := &s.world.webhooks.courier
	if s.clock.closed || !slices.Contains(s.world.webhooks.all, h) {
		return
	}
	d.Attempt++
	d.Time, d.Status, d.Err, d.ended = s.now(), 0, nil, false
	seen := &d
	c.deliveries = append(c.deliveries, seen)
	if s.keep > 0 && len(c.deliveries) >= 2*s.keep {
		c.deliveries = lastOf(c.deliveries, s.keep)
	}
	req, err := http.NewRequest(http.MethodPost, d.URL, bytes.NewReader(d.Body))
	if err == nil && c.transport == nil && !isLocal(req.URL.Hostname()) {
		err = errNotLocal
	}
	if err != nil {
		seen.Err, seen.ended = err, true
		return
	}
	req.Header = d.Header.Clone()
	carrier := c.transport
	if carrier == nil {
		carrier = &http.Transport{
			DisableKeepAlives: true, // nothing may be left of it
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: !h.verifyTLS},
		}
	}
	c.underWay++
	go func() {
		status, err := post(c.context, carrier, req)
		s.mu.Lock()
		defer s.mu.Unlock()
		seen.Status, seen.Err, seen.ended = status, err, true
		if status/100 != 2 && d.Attempt <= len(deliveryPauses) {
			s.at(d.Time.Add(deliveryPauses[d.Attempt-1]), func() { s.attempt(h, d) })
		}
		if c.underWay--; c.underWay == 0 {
			c.idle.Broadcast()
		}
	}()
}

// post sends one call. A redirect is not followed: it is no 2xx.
func post(ctx context.Context, carrier http.RoundTripper, req *http.Request) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	resp, err := carrier.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}

func isLocal(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
