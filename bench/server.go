package main

import (
	"bufio"
	"compress/gzip"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"strconv"
	"sync/atomic"
	"time"
)

// children are the modes in which this program runs as a separate process, so
// that their cost is not counted for the clients.
var children = map[string]func(args []string){"serve": serve, "download": download}

// child starts this program as one of its children.
func child(args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Stderr = os.Stderr
	return cmd
}

// server is a process that responds like the API, over plain HTTP, TLS and
// HTTP/2.
type server struct {
	Plain, TLS, HTTP2 string // URLs
	Certificate       []byte // of those that speak TLS

	cmd   *exec.Cmd
	ask   io.WriteCloser
	reply *json.Decoder
}

func startServer() *server {
	s := &server{cmd: child("serve")}
	ask, err := s.cmd.StdinPipe()
	if err != nil {
		log.Fatal(err)
	}
	reply, err := s.cmd.StdoutPipe()
	if err != nil {
		log.Fatal(err)
	}
	s.ask, s.reply = ask, json.NewDecoder(reply)
	if err := s.cmd.Start(); err != nil {
		log.Fatal(err)
	}
	if err := s.reply.Decode(s); err != nil {
		log.Fatal(err)
	}
	return s
}

func (s *server) stop() {
	_ = s.ask.Close() // which ends it
	_ = s.cmd.Wait()
}

// connections returns the number of connections since the last call.
func (s *server) connections() (n int) {
	if _, err := fmt.Fprintln(s.ask, "connections"); err != nil {
		log.Fatal(err)
	}
	if err := s.reply.Decode(&n); err != nil {
		log.Fatal(err)
	}
	return n
}

func (s *server) roots() *x509.CertPool {
	cert, err := x509.ParseCertificate(s.Certificate)
	if err != nil {
		log.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return pool
}

// artifactSize is the size of the server's file.
const artifactSize = 512 << 20

// serve is the child.
func serve([]string) {
	var connections atomic.Int64
	count := func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	start := func(begin func(*httptest.Server)) *httptest.Server {
		s := httptest.NewUnstartedServer(http.HandlerFunc(answer))
		s.Config.ConnState = count
		// Connections that the code by hand dials and then does not need.
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		begin(s)
		return s
	}
	plain, secure := start((*httptest.Server).Start), start((*httptest.Server).StartTLS) // which offers HTTP/1.1 alone
	both := start(func(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() })
	out := json.NewEncoder(os.Stdout)
	_ = out.Encode(server{Plain: plain.URL, TLS: secure.URL, HTTP2: both.URL, Certificate: secure.Certificate().Raw})
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); {
		_ = out.Encode(connections.Swap(0))
	}
}

// answer responds to the last segment of the path.
func answer(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	name := path.Base(r.URL.Path)
	if delay, err := time.ParseDuration(name); err == nil {
		time.Sleep(delay)
	}
	switch name {
	case "chunked":
		half := len(projectBody) / 2
		_, _ = io.WriteString(w, projectBody[:half])
		w.(http.Flusher).Flush()
		time.Sleep(time.Millisecond)
		_, _ = io.WriteString(w, projectBody[half:])
	case "gzip":
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		_, _ = io.WriteString(zip, projectBody)
		_ = zip.Close()
	case "missing":
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"message":"Project not found"}`)
	case "artifact":
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.Itoa(artifactSize))
		w.Header().Set("ETag", `"1"`) // as storages send it
		piece := make([]byte, 1<<20)
		for range artifactSize / len(piece) {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	default:
		_, _ = io.WriteString(w, projectBody)
	}
}
