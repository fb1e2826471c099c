package transport

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Log writes a line for each attempt, at debug level, without header values and
// bodies. It warns once for each route that the API will remove.
type Log struct {
	Logger *slog.Logger // nil: none
	Next   Handler

	warned sync.Map // by method and route
}

// Do is the link's handler.
func (l *Log) Do(ctx context.Context, c *Call) *Result {
	if l.Logger == nil {
		return l.Next(ctx, c)
	}
	start := time.Now()
	r := l.Next(ctx, c)
	if l.Logger.Enabled(ctx, slog.LevelDebug) {
		attrs := []slog.Attr{
			slog.String("method", c.Method), slog.String("route", c.Route), slog.Int("status", r.StatusCode),
			slog.Duration("duration", time.Since(start)), slog.Int("attempt", c.Attempt),
		}
		if id := RequestID(r.Header); id != "" {
			attrs = append(attrs, slog.String("request_id", id))
		}
		switch {
		case r.Failure == BadJSON: // its error quotes the body
			attrs = append(attrs, slog.String("error", "the response is not the expected JSON"))
		case r.Err != nil:
			attrs = append(attrs, slog.String("error", r.Err.Error()))
		}
		l.Logger.LogAttrs(ctx, slog.LevelDebug, "circleci request", attrs...)
	}
	l.warn(ctx, c, r)
	return r
}

func (l *Log) warn(ctx context.Context, c *Call, r *Result) {
	deprecation, sunset := first(r.Header, "Deprecation"), first(r.Header, "Sunset")
	if deprecation == "" && sunset == "" {
		return
	}
	if _, again := l.warned.LoadOrStore(c.Method+" "+c.Route, true); again {
		return
	}
	l.Logger.LogAttrs(ctx, slog.LevelWarn, "circleci: the API announces the end of this operation",
		slog.String("method", c.Method), slog.String("route", c.Route),
		slog.String("deprecation", deprecation), slog.String("sunset", sunset), slog.String("link", first(r.Header, "Link")))
}

// Wait logs a wait between two attempts. It is the OnWait of Retry.
func (l *Log) Wait(ctx context.Context, c *Call, r *Result, wait time.Duration) {
	if l.Logger == nil {
		return
	}
	l.Logger.LogAttrs(ctx, slog.LevelDebug, "circleci retry",
		slog.String("method", c.Method), slog.String("route", c.Route), slog.Int("status", r.StatusCode),
		slog.Int("attempt", c.Attempt), slog.Duration("wait", wait))
}
