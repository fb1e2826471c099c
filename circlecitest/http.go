package circlecitest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"

	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
)

// The hosts of requests from memory. Artifacts are served by a host that wants
// the token, and kept by one that must not get it, as in reality.
const (
	memoryArtifacts = "output.circle-artifacts.com"
	memoryStorage   = "storage.circlecitest.example"
	artifactsPath   = "/_artifacts" // on a socket, where there is one host for both
)

// hostOf is the host that a request from memory goes to, by its URL.
func hostOf(r *http.Request) exchange.Host {
	h := exchange.Host{Artifacts: "https://" + memoryArtifacts, Storage: "https://" + memoryStorage}
	switch r.URL.Host {
	case memoryArtifacts:
		h.Kind = exchange.ArtifactHost
	case memoryStorage:
		h.Kind = exchange.StorageHost
	}
	return h
}

// sockets are what the server listens to: one for the API and the artifacts,
// and one, of another origin, for the storage behind them.
type sockets struct {
	mu           sync.Mutex
	api, storage *httptest.Server
	closed       bool
	context      context.Context // of the requests: ends with the server
	cancel       context.CancelFunc
}

// URL returns the URL of the server on this machine, for clients of any kind. A
// browser finds there a page that shows what goes on. The first call opens the
// sockets, unless [Server.Listen] has.
func (s *Server) URL() string {
	if err := s.Listen("", ""); err != nil {
		panic("circlecitest: " + err.Error())
	}
	return s.sockets.api.URL
}

// Listen opens the sockets at addresses of your choice, such as
// "127.0.0.1:8080", unless they are open: one for all that [Server.URL] is for,
// and one for the storage that artifacts are kept in, which is another origin.
// An empty address is a free port of this machine. Clients on other machines
// have to reach both ports at one name.
func (s *Server) Listen(address, storageAddress string) error {
	x := &s.sockets
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.open(&x.api, address, s.handler(exchange.APIHost)); err != nil {
		return err
	}
	err := x.open(&x.storage, storageAddress, s.handler(exchange.StorageHost))
	if err != nil {
		x.api.Close()
		x.api = nil
	}
	return err
}

func (x *sockets) open(socket **httptest.Server, address string, handler http.Handler) error {
	if *socket != nil {
		return nil
	}
	if x.closed {
		return errors.New("the server is closed")
	}
	if address == "" {
		address = "127.0.0.1:0"
	}
	listener, err := new(net.ListenConfig).Listen(x.context, "tcp", address)
	if err != nil {
		return err
	}
	*socket = &httptest.Server{Listener: listener, Config: &http.Server{
		Handler: handler, BaseContext: func(net.Listener) context.Context { return x.context },
	}}
	(*socket).Start()
	if at, ok := listener.Addr().(*net.TCPAddr); ok && at.IP.IsUnspecified() {
		(*socket).URL = "http://127.0.0.1:" + strconv.Itoa(at.Port)
	}
	return nil
}

// close ends what is under way: it waits for no latency.
func (x *sockets) close() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closed = true
	x.cancel()
	for _, socket := range []*httptest.Server{x.api, x.storage} {
		if socket != nil {
			socket.Close()
		}
	}
}

// storagePort is where the storage is; empty if there is none.
func (x *sockets) storagePort() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.storage == nil {
		return ""
	}
	_, port, _ := net.SplitHostPort(x.storage.Listener.Addr().String()) // it is an address
	return port
}

// ServeHTTP serves what [Server.URL] is for, at a listener of yours. The first
// request opens a socket of the server's own, for the storage.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &s.sockets
	x.mu.Lock()
	err := x.open(&x.storage, "", s.handler(exchange.StorageHost))
	x.mu.Unlock()
	if err != nil {
		http.Error(w, "circlecitest: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	s.handler(exchange.APIHost).ServeHTTP(w, r)
}

// handler serves a socket. Answers name the host as the request has named it.
func (s *Server) handler(kind exchange.HostKind) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.refuseForeign(w, r) {
			return
		}
		if kind == exchange.APIHost && strings.HasPrefix(r.URL.Path, controlPath) {
			s.controls.ServeHTTP(w, r)
			return
		}
		if kind == exchange.APIHost && strings.HasPrefix(r.URL.Path, pagePath) {
			s.pageRoutes.ServeHTTP(w, r)
			return
		}
		scheme := "http://"
		if r.TLS != nil {
			scheme = "https://"
		}
		name := r.Host
		if host, _, err := net.SplitHostPort(r.Host); err == nil {
			name = host
		}
		h := exchange.Host{Kind: kind, Artifacts: scheme + r.Host + artifactsPath, Storage: "http://" + net.JoinHostPort(name, s.sockets.storagePort())}
		if path, ok := strings.CutPrefix(r.URL.Path, artifactsPath); ok && kind == exchange.APIHost {
			h.Kind = exchange.ArtifactHost
			r.URL.Path, r.URL.RawPath = path, strings.TrimPrefix(r.URL.RawPath, artifactsPath)
		}
		if h.Kind == exchange.APIHost && r.URL.Path == "/" {
			s.showStatus(w, r)
			return
		}
		s.serve(w, r, h)
	})
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, h exchange.Host) {
	a := s.handle(r, h)
	if a.Wait(r.Context()) != nil {
		hangUp(w) // the client has gone, or the server
		return
	}
	status, header, body, length := a.Render()
	if a.Fault.Broken {
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
	if _, err := io.Copy(w, body); err != nil { // as was planned, or the client has gone
		_ = http.NewResponseController(w).Flush() // what there is arrives
		hangUp(w)
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
	a := m.server.handle(r, hostOf(r))
	if r.Body != nil {
		_ = r.Body.Close() // it has been read
	}
	if err := a.Wait(r.Context()); err != nil {
		return nil, err
	}
	if a.Fault.Broken {
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: exchange.ErrReset}
	}
	status, header, body, length := a.Render()
	header.Set("Content-Length", strconv.FormatInt(length, 10))
	return &http.Response{
		StatusCode: status, Status: strconv.Itoa(status) + " " + http.StatusText(status),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: body, ContentLength: length, Request: r,
	}, nil
}
