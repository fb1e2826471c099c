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

// The hosts of requests in memory. As with CircleCI, one host serves artifacts and
// requires the token, and another one stores them and must not receive it.
const (
	memoryArtifacts = "output.circle-artifacts.com"
	memoryStorage   = "storage.circlecitest.example"
	artifactsPath   = "/_artifacts" // on a socket, which serves the API and artifacts
)

// hostOf returns the host of a request in memory, by its URL.
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

// sockets are the listeners of a server: one for the API and the artifacts, and
// one of another origin for the storage behind them.
type sockets struct {
	mu           sync.Mutex
	api, storage *httptest.Server
	closed       bool
	context      context.Context // the base context of requests; Close cancels it
	cancel       context.CancelFunc
}

// URL returns the URL at which the server listens on this machine. In a browser
// it shows the status page. The first call opens the sockets, unless
// [Server.Listen] has opened them. URL panics if that fails.
func (s *Server) URL() string {
	if err := s.Listen("", ""); err != nil {
		panic("circlecitest: " + err.Error())
	}
	return s.sockets.api.URL
}

// Listen opens the server's sockets at the given addresses, such as
// "127.0.0.1:8080", unless they are open: one for [Server.URL], and one for the
// storage of artifacts, which is another origin. An empty address selects a
// free port on this machine. Clients on other machines must reach both ports
// under the same host name.
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

// close closes the sockets and cancels requests in progress, including those
// delayed by latency.
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

// storagePort returns the port of the storage; empty if there is none.
func (x *sockets) storagePort() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.storage == nil {
		return ""
	}
	_, port, _ := net.SplitHostPort(x.storage.Listener.Addr().String()) // a listener's address is valid
	return port
}

// ServeHTTP serves the API and the status page on a listener of your own, in
// place of [Server.URL]. The first request opens a socket for the storage.
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

// handler returns the handler of a socket. Responses use the host name of the
// request.
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
		h := exchange.Host{Kind: kind, Artifacts: scheme + r.Host + artifactsPath, Storage: "http://" + net.JoinHostPort(storageName(r.Host), s.sockets.storagePort())}
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

// storageName returns the name of the storage's host for a client that knows the
// API as host. This machine gets its other name: clients that compare hosts
// without their ports, as net/http does, then keep their Authorization from the
// storage, as they do with CircleCI.
func storageName(host string) string {
	switch name := hostname(host); name {
	case "127.0.0.1":
		return "localhost"
	case "localhost":
		return "127.0.0.1"
	default:
		return name
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, h exchange.Host) {
	a := s.handle(r, h)
	if a.Wait(r.Context()) != nil {
		hangUp(w) // the client has disconnected, or the server is closed
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
	if _, err := io.Copy(w, body); err != nil { // a fault, or the client has disconnected
		_ = http.NewResponseController(w).Flush() // send what has been written
		hangUp(w)
	}
}

func hangUp(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			_ = conn.Close() // the client sees the close
			return
		}
	}
	panic(http.ErrAbortHandler)
}

// memory sends requests to a server without a socket.
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
