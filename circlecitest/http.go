package circlecitest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/circleci-go/circleci/internal/wire"
)

// host is the part of CircleCI that a request goes to.
type host struct {
	kind hostKind
	// artifacts and storage are the origins that answers name.
	artifacts, storage string
}

type hostKind int

const (
	apiHost hostKind = iota
	artifactHost
	storageHost
)

// The hosts of requests from memory. Artifacts are served by a host that wants
// the token, and kept by one that must not get it, as in reality.
const (
	memoryArtifacts   = "output.circle-artifacts.com"
	memoryStorage     = "storage.circlecitest.example"
	artifactsPath     = "/_artifacts" // on a socket, where there is one host for both
	storagePathPrefix = "/"
)

type hostKey struct{}

func hostOf(r *http.Request) host {
	if h, ok := r.Context().Value(hostKey{}).(host); ok {
		return h
	}
	h := host{artifacts: "https://" + memoryArtifacts, storage: "https://" + memoryStorage}
	switch r.URL.Host {
	case memoryArtifacts:
		h.kind = artifactHost
	case memoryStorage:
		h.kind = storageHost
	}
	return h
}

// listen opens the sockets: one for the API and the artifacts, and one, of
// another origin, for the storage behind them.
func (s *Server) listen() {
	s.httpOnce.Do(func() {
		serve := func(kind hostKind) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h := host{kind: kind, artifacts: s.http.URL + artifactsPath, storage: s.storage.URL}
				if path, ok := strings.CutPrefix(r.URL.Path, artifactsPath); ok && kind == apiHost {
					h.kind = artifactHost
					r.URL.Path, r.URL.RawPath = path, strings.TrimPrefix(r.URL.RawPath, artifactsPath)
				}
				s.serve(w, r.WithContext(context.WithValue(r.Context(), hostKey{}, h)))
			})
		}
		s.storage = httptest.NewUnstartedServer(serve(storageHost))
		s.http = httptest.NewUnstartedServer(serve(apiHost))
		s.storage.Start()
		s.http.Start()
	})
}

// ServeHTTP serves the API, for a listener of yours. Artifacts are then not to
// be had: see [Server.URL].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.serve(w, r) }

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	a := s.handle(r)
	if a.wait(r.Context()) != nil {
		return // the client has gone
	}
	status, header, body, length := a.render()
	if a.fault.broken {
		hangUp(w)
		return
	}
	for name, values := range header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.FormatInt(length, 10))
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	if _, err := io.Copy(w, body); err != nil {
		hangUp(w) // as was planned, or the client has gone
	}
}

func hangUp(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			_ = conn.Close() // that is the point
			return
		}
	}
	panic(http.ErrAbortHandler)
}

// memory carries requests without a socket.
type memory struct{ server *Server }

func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	a := m.server.handle(r)
	if r.Body != nil {
		_ = r.Body.Close() // it has been read
	}
	if err := a.wait(r.Context()); err != nil {
		return nil, err
	}
	if a.fault.broken {
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	status, header, body, length := a.render()
	header.Set("Content-Length", strconv.FormatInt(length, 10))
	return &http.Response{
		StatusCode: status, Status: strconv.Itoa(status) + " " + http.StatusText(status),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: body, ContentLength: length, Request: r,
	}, nil
}

// wait is the answer's latency.
func (a *answer) wait(ctx context.Context) error {
	if a.fault.latency <= 0 {
		return nil
	}
	timer := time.NewTimer(a.fault.latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// render makes bytes of an answer.
func (a *answer) render() (status int, header http.Header, body io.ReadCloser, length int64) {
	header = http.Header{}
	for name, values := range a.header {
		header[name] = values
	}
	var data []byte
	switch b := a.body.(type) {
	case nil:
	case string:
		data = []byte(b)
	case []byte:
		data = b
	case content:
		body, length = io.NopCloser(b.from(a.fault.from)), b.size-a.fault.from
	default:
		var err error
		if data, err = wire.Marshal(b); err != nil {
			panic("circlecitest: " + err.Error()) // an object of ours
		}
		if header.Get("Content-Type") == "" {
			header.Set("Content-Type", "application/json;charset=utf-8")
		}
	}
	if body == nil {
		body, length = io.NopCloser(bytes.NewReader(data)), int64(len(data))
	}
	cut := a.fault.cut
	if cut == cutHalf {
		cut = length / 2
	}
	if cut > 0 && cut < length {
		body = io.NopCloser(io.MultiReader(io.LimitReader(body, cut), brokenReader{}))
	}
	return a.status, header, body, length
}

// errCut is a connection that breaks in the middle of a body.
var errCut = errors.Join(io.ErrUnexpectedEOF, syscall.ECONNRESET)

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errCut }
