package exchange

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/circleci-go/circleci/internal/wire"
)

// Announce adds both families of rate limit headers.
func (a *Answer) Announce(limit, remaining int, reset time.Duration) {
	if a.Header == nil {
		a.Header = http.Header{}
	}
	for _, prefix := range []string{"Ratelimit-", "X-Ratelimit-"} {
		a.Header[prefix+"Limit"] = []string{strconv.Itoa(limit)}
		a.Header[prefix+"Remaining"] = []string{strconv.Itoa(remaining)}
		a.Header[prefix+"Reset"] = []string{WholeSeconds(reset)}
	}
}

// Generous is the rate limit that is announced if no fault sets one. It is
// never reached.
const Generous = 1_000_000

// WholeSeconds returns a duration in seconds, rounded up.
func WholeSeconds(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }

// Fault is what goes wrong when a response is sent.
type Fault struct {
	Latency time.Duration
	Cut     int64 // bytes after which the connection breaks; 0: none
	Broken  bool
	from    int64 // the offset of the content, for ranges
}

// CutHalf means half of the body.
const CutHalf = -1

// EdgePage is the response of the edge in front of the API.
const EdgePage = "<!DOCTYPE html>\n<html><head><title>ERROR: The request could not be satisfied</title></head>" +
	"<body><h1>403 ERROR</h1><p>Request blocked.</p></body></html>\n"

// The keys of requests outside the API v2.
const (
	AnyKey      = "*"
	ArtifactKey = "artifact" // the host that redirects to artifacts
	StorageKey  = "storage"  // the host behind it
)

// Host is the part of CircleCI that a request is for.
type Host struct {
	Kind HostKind
	// Artifacts and Storage are the origins that responses refer to.
	Artifacts, Storage string
}

// HostKind is a kind of host.
type HostKind int

// The kinds of hosts.
const (
	APIHost HostKind = iota
	ArtifactHost
	StorageHost
)

// Wait waits for the latency of the response.
func (a *Answer) Wait(ctx context.Context) error {
	if a.Fault.Latency <= 0 {
		return nil
	}
	timer := time.NewTimer(a.Fault.Latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Encode encodes the body while the server is locked, because other requests
// may change the object.
func (a *Answer) Encode() {
	switch a.Body.(type) {
	case nil, string, []byte, Content:
		return
	}
	data, err := wire.Marshal(a.Body)
	if err != nil {
		panic("circlecitest: " + err.Error()) // the object is the server's own
	}
	if a.Header == nil {
		a.Header = http.Header{}
	}
	if a.Header.Get("Content-Type") == "" {
		a.Header.Set("Content-Type", "application/json;charset=utf-8")
	}
	a.Body = data
}

// Beginning returns the first bytes of an encoded body.
func (a *Answer) Beginning(most int) string {
	switch b := a.Body.(type) {
	case string:
		return b[:min(len(b), most)]
	case []byte:
		return string(b[:min(len(b), most)])
	}
	return ""
}

// Render returns what is sent of the response.
func (a *Answer) Render() (status int, header http.Header, body io.ReadCloser, length int64) {
	header = http.Header{}
	for name, values := range a.Header {
		header[name] = values
	}
	var data []byte
	switch b := a.Body.(type) {
	case nil:
	case string:
		data = []byte(b)
	case []byte:
		data = b
	case Content:
		body, length = io.NopCloser(b.From(a.Fault.from)), b.Size-a.Fault.from
	}
	if body == nil {
		body, length = io.NopCloser(bytes.NewReader(data)), int64(len(data))
	}
	cut := a.Fault.Cut
	if cut == CutHalf {
		cut = length / 2
	}
	if cut > 0 && cut < length {
		body = io.NopCloser(io.MultiReader(io.LimitReader(body, cut), brokenReader{}))
	}
	return a.Status, header, body, length
}

// ErrReset is the error of a broken connection. Its text is that of ECONNRESET,
// which not every system has.
var ErrReset = errors.New("connection reset by peer")

// errCut is the error of a connection that breaks in the middle of a body.
var errCut = errors.Join(io.ErrUnexpectedEOF, ErrReset)

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errCut }
