// Package deliver delivers webhooks for workflows and jobs that have ended.
package deliver

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
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
	"github.com/circleci-go/circleci/internal/wire"
)

// Delivery is one attempt to deliver a webhook: see circlecitest.Delivery.
type Delivery struct {
	WebhookID uuid.UUID
	ID        uuid.UUID
	Event     circleci.WebhookEvent
	URL       string
	Header    http.Header
	Body      []byte
	Attempt   int
	Status    int
	Err       error
	Time      time.Time
}

// deliveryTimeout is in real time; the pauses between attempts are on the server's
// clock.
const deliveryTimeout = 10 * time.Second

var deliveryPauses = []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute}

// Courier delivers webhooks.
type Courier struct {
	*world.World
	Transport  http.RoundTripper // nil: network connections to this machine only
	Keep       int               // the number of deliveries kept; 0 keeps all
	deliveries []*attempted      // in the order in which they began
	context    context.Context   // ends with the server
	cancel     context.CancelFunc
	underWay   int
	idle       *sync.Cond // signaled when no delivery is in progress
}

// attempted is an attempt that may be in progress.
type attempted struct {
	Delivery
	ended bool
}

// New returns a courier for the webhooks of a world.
func New(w *world.World) *Courier {
	c := &Courier{World: w, idle: sync.NewCond(w)}
	c.context, c.cancel = context.WithCancel(context.Background())
	return c
}

// Close cancels deliveries in progress.
func (c *Courier) Close() {
	c.cancel()
	c.Wait()
}

// Reset cancels deliveries in progress and forgets the finished ones.
func (c *Courier) Reset() {
	c.Close()
	c.deliveries = nil
	c.context, c.cancel = context.WithCancel(context.Background())
}

// Ended returns the finished attempts, oldest first.
func (c *Courier) Ended() (all []Delivery) {
	for _, d := range c.deliveries {
		if d.ended {
			all = append(all, d.Delivery)
		}
	}
	return all
}

// Wait waits until no delivery is in progress. The server is locked.
func (c *Courier) Wait() {
	for c.underWay > 0 {
		c.idle.Wait()
	}
}

// deliver signs a payload and starts to deliver it to the webhook.
func (c *Courier) deliver(h *world.Webhook, d Delivery, payload form.Object) {
	body, err := wire.Marshal(payload)
	if err != nil {
		panic("circlecitest: " + err.Error()) // the object is the server's own
	}
	d.URL, d.Body = h.URL, body
	d.Header = http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {"CircleCI-Webhook/1.0"}, "Circleci-Event-Type": {string(d.Event)},
	}
	if h.Secret != "" {
		mac := hmac.New(sha256.New, []byte(h.Secret))
		mac.Write(body)
		d.Header.Set("Circleci-Signature", "v1="+hex.EncodeToString(mac.Sum(nil)))
	}
	c.attempt(h, d)
}

var errNotLocal = errors.New("circlecitest: webhooks are delivered to this machine only; use WithDeliveryTransport for other hosts")

// attempt delivers to the webhook concurrently, because the receiver may send
// requests to the server.
func (c *Courier) attempt(h *world.Webhook, d Delivery) {
	if c.Clock.Closed || !slices.Contains(c.Webhooks, h) {
		return
	}
	d.Attempt++
	d.Time, d.Status, d.Err = c.Now(), 0, nil
	seen := &attempted{Delivery: d}
	c.deliveries = append(c.deliveries, seen)
	if c.Keep > 0 && len(c.deliveries) >= 2*c.Keep {
		c.deliveries = world.LastOf(c.deliveries, c.Keep)
	}
	req, err := http.NewRequest(http.MethodPost, d.URL, bytes.NewReader(d.Body))
	if err == nil && c.Transport == nil && !IsLocal(req.URL.Hostname()) {
		err = errNotLocal
	}
	if err != nil {
		seen.Err, seen.ended = err, true
		return
	}
	req.Header = d.Header.Clone()
	carrier := c.Transport
	if carrier == nil {
		carrier = &http.Transport{
			DisableKeepAlives: true, // the connection must not outlive the delivery
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: !h.VerifyTLS},
		}
	}
	c.underWay++
	go func() {
		status, err := post(c.context, carrier, req)
		c.Lock()
		defer c.Unlock()
		seen.Status, seen.Err, seen.ended = status, err, true
		if status/100 != 2 && d.Attempt <= len(deliveryPauses) {
			c.At(d.Time.Add(deliveryPauses[d.Attempt-1]), func() { c.attempt(h, d) })
		}
		if c.underWay--; c.underWay == 0 {
			c.idle.Broadcast()
		}
	}()
}

// post sends one delivery. A redirect is not followed, and counts as a failure.
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

// IsLocal reports whether a host is this machine.
func IsLocal(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
