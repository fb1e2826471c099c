package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
)

// errSent ends an attempt that net/http is about to send a second time.
//
// By itself net/http repeats a request whose HTTP/2 stream was reset, and one
// that it takes for idempotent when a connection breaks. Neither tells whether
// the server has acted, nor does it count as an attempt.
var errSent = errors.New("the connection broke after the request had been sent")

// once watches one request through the hooks of net/http. A connection that is
// chosen after the header has been written is for a repetition.
//
// It is the context of the request, too, unless it is part of an attempt, which
// is the context then.
type once struct {
	context.Context
	trace   httptrace.ClientTrace
	written atomic.Bool // the header at least, if only to a buffer
	cancel  context.CancelCauseFunc
	conn    *countedConn // the one that was chosen, if it is ours
	before  int64        // how much had been written to it then
	demand  demand
}

type onceKey struct{}

// traceKey is the key with which net/http looks for a trace.
var traceKey = func() any {
	var asked recorder
	httptrace.ContextClientTrace(&asked)
	return asked.key
}()

// recorder is a context that records the key it was asked for.
type recorder struct {
	context.Context
	key any
}

func (r *recorder) Value(key any) any {
	r.key = key
	return nil
}

// Value returns the once and its trace to what is below.
func (o *once) Value(key any) any {
	switch key {
	case onceKey{}:
		return o
	case traceKey:
		return &o.trace
	}
	return o.Context.Value(key)
}

// sendOnce returns a request that net/http sends at most once: its context is
// canceled when net/http starts to repeat it. The trace hooks of req's context
// still work, but do not see the header field with the token. If nobody else
// uses req, it can be returned itself.
func sendOnce(req *http.Request, hidden string, own bool) *http.Request {
	ctx := req.Context()
	old := httptrace.ContextClientTrace(ctx)
	a, ok := ctx.Value(attemptKey{}).(*attempt)
	if !ok {
		a = &attempt{}
		ctx, a.watch.cancel = context.WithCancelCause(ctx)
	}
	o := &a.once
	if old == &o.trace { // a redirect: that is the trace of the previous request
		old = httptrace.ContextClientTrace(a.Context)
	}
	if own && ok && !a.sends {
		a.sends = true
	} else {
		o = &once{Context: ctx}
		req = req.WithContext(o)
	}
	o.cancel = a.watch.cancel
	a.watch.sent.Store(false) // a redirect
	if old != nil {
		o.trace = *old
		if show := old.WroteHeaderField; show != nil {
			o.trace.WroteHeaderField = func(name string, values []string) {
				if !strings.EqualFold(name, hidden) {
					show(name, values)
				}
			}
		}
	}
	gotConn, wroteHeaders := o.trace.GotConn, o.trace.WroteHeaders
	o.trace.GotConn = func(info httptrace.GotConnInfo) {
		o.gotConn(info)
		o.demand.meet(isHTTP2(info.Conn))
		if gotConn != nil {
			gotConn(info)
		}
	}
	o.trace.WroteHeaders = func() {
		o.written.Store(true)
		if wroteHeaders != nil {
			wroteHeaders()
		}
	}
	return req
}

// gotConn accepts the first connection, and another one if nothing was written
// to the previous one. Otherwise it cancels the attempt before anything is
// written to a second connection. HTTP/2 checks the context before it writes.
// HTTP/1 does not, so its connection, which has no other user, is closed.
func (o *once) gotConn(info httptrace.GotConnInfo) {
	if !o.written.Load() || o.conn != nil && o.conn.written.Load() == o.before {
		if o.conn = counted(info.Conn); o.conn != nil {
			o.before = o.conn.written.Load()
		}
		return
	}
	o.cancel(errSent)
	if !isHTTP2(info.Conn) {
		_ = info.Conn.Close() // the request fails in any case
	}
}

func isHTTP2(conn net.Conn) bool {
	c, ok := conn.(interface{ ConnectionState() tls.ConnectionState })
	return ok && c.ConnectionState().NegotiatedProtocol == "h2"
}

// counted returns our own connection below others, such as TLS.
func counted(conn net.Conn) *countedConn {
	for {
		switch c := conn.(type) {
		case *countedConn:
			return c
		case interface{ NetConn() net.Conn }:
			conn = c.NetConn()
		default:
			return nil
		}
	}
}
