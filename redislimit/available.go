package redislimit

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/circleci-go/circleci"
)

// available reports whether Redis worked last.
func (l *Limiter) available() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.retry.IsZero()
}

// retries reports whether the caller is the one that tries an unavailable Redis
// again.
func (l *Limiter) retries() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.retry.IsZero() || now.Before(l.retry) {
		return false
	}
	l.retry = now.Add(redisTimeout + retryRedis) // the next one, if the caller gives up
	return true
}

// run runs a script, and records whether Redis is available.
func (l *Limiter) run(ctx context.Context, script *redis.Script, keys []string, args ...any) ([]any, error) {
	limited, cancel := briefly(ctx)
	defer cancel()
	result, err := script.Run(limited, l.redis, keys, args...).Result()
	l.note(ctx, err)
	reply, _ := result.([]any) // observe.lua returns a number
	return reply, err
}

func (l *Limiter) note(ctx context.Context, err error) {
	if err != nil && ctx.Err() != nil {
		return // the caller gave up, which says nothing of Redis
	}
	l.mu.Lock()
	was := l.retry.IsZero()
	l.retry = time.Time{}
	if err != nil {
		l.retry = time.Now().Add(retryRedis)
		for _, lane := range l.lanes {
			lane.away = true
		}
	}
	l.mu.Unlock()
	switch {
	case err != nil && was:
		l.log.WarnContext(ctx, "redis cannot be used; this process paces itself until it can", "error", err)
	case err == nil && !was:
		l.log.InfoContext(ctx, "redis can be used again; the processes share one pace")
	}
}

// paused reports whether an operation has been paused meanwhile, if Redis can
// tell.
func (l *Limiter) paused(ctx context.Context, lane *lane, op *circleci.Operation) bool {
	limited, cancel := briefly(ctx)
	defer cancel()
	left, err := l.redis.PTTL(limited, l.keys(lane, op)[1]).Result()
	l.note(ctx, err)
	return err == nil && left > 0
}

// briefly bounds a command. A caller with a deadline keeps half of its time for
// the local pace and the request.
func briefly(ctx context.Context) (context.Context, context.CancelFunc) {
	timeout := redisTimeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(deadline)/2)
	}
	return context.WithTimeout(ctx, timeout)
}

// localSlot returns how long to wait for the next slot while Redis is
// unavailable.
func (l *Limiter) localSlot(lane *lane) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	rate := lane.localRate()
	if rate == 0 {
		return 0
	}
	now := time.Now()
	if lane.next.Before(now) {
		lane.next = now
	}
	wait := lane.next.Sub(now)
	lane.next = lane.next.Add(time.Duration(1.1 / rate * float64(time.Second)))
	return wait
}

// localRate is the process's previous share, or a sixteenth of the common pace
// if that is more; 0 if both are unknown.
func (l *lane) localRate() float64 { return max(l.share, l.rate/16) }
