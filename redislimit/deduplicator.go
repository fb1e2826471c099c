package redislimit

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/circleci-go/circleci/webhook"
)

// DeduplicatorOptions configures a [Deduplicator]. Nil and zero fields select
// the defaults.
type DeduplicatorOptions struct {
	// Prefix is the prefix of the keys in Redis. The default is
	// circleci:webhook.
	Prefix string
	// Busy is the longest time that an event stays busy, so that a killed
	// process does not block it forever. The default is 10 minutes. It must be
	// longer than the handler's function takes.
	Busy time.Duration
	// Keep is how long a handled event is remembered. The default is 24 hours.
	Keep time.Duration
}

// Deduplicator is a [webhook.Deduplicator] for several receivers of one webhook:
// one of them handles each event.
type Deduplicator struct {
	redis redis.UniversalClient
	opts  DeduplicatorOptions
}

var _ webhook.Deduplicator = (*Deduplicator)(nil)

// NewDeduplicator returns a deduplicator. It does no I/O.
func NewDeduplicator(rdb redis.UniversalClient, opts *DeduplicatorOptions) *Deduplicator {
	d := &Deduplicator{redis: rdb}
	if opts != nil {
		d.opts = *opts
	}
	d.opts.Prefix = cmp.Or(d.opts.Prefix, "circleci:webhook")
	d.opts.Busy = cmp.Or(max(d.opts.Busy, 0), 10*time.Minute)
	d.opts.Keep = cmp.Or(max(d.opts.Keep, 0), 24*time.Hour)
	return d
}

const (
	busy = "busy"
	done = "done"
)

// Begin returns the state of an event, and marks a new one as busy.
func (d *Deduplicator) Begin(ctx context.Context, id string) (webhook.State, error) {
	for {
		isNew, err := d.redis.SetNX(ctx, d.key(id), busy, d.opts.Busy).Result()
		if isNew || err != nil {
			return webhook.New, err
		}
		state, err := d.redis.Get(ctx, d.key(id)).Result()
		switch {
		case errors.Is(err, redis.Nil): // it has expired in between
			continue
		case err != nil:
			return webhook.New, err
		case state == done:
			return webhook.Done, nil
		default:
			return webhook.Busy, nil
		}
	}
}

// End marks a busy event as done, or as new again if it failed.
func (d *Deduplicator) End(ctx context.Context, id string, ok bool) error {
	if !ok {
		return d.redis.Del(ctx, d.key(id)).Err()
	}
	return d.redis.Set(ctx, d.key(id), done, d.opts.Keep).Err()
}

func (d *Deduplicator) key(id string) string { return d.opts.Prefix + ":" + id }
