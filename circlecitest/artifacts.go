package circlecitest

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// content is what an artifact holds: a text, repeated up to a size.
type content struct {
	text string
	size int64
}

func (a Artifact) content() content {
	return content{a.Content, max(a.Size, int64(len(a.Content)))}
}

// from reads the content from an offset on.
func (c content) from(offset int64) io.Reader { return &contentReader{c, offset} }

type contentReader struct {
	content
	at int64
}

func (r *contentReader) Read(p []byte) (int, error) {
	if r.at >= r.size {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) && r.at < r.size {
		if r.text == "" {
			r.text = "\x00"
		}
		i := int(r.at % int64(len(r.text)))
		most := min(int64(len(p)-n), r.size-r.at)
		k := copy(p[n:n+int(most)], r.text[i:])
		n, r.at = n+k, r.at+int64(k)
	}
	return n, nil
}

func (j *job) artifactPath(a Artifact) string {
	segments := strings.Split(a.Path, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
		if s == "." || s == ".." { // which would be resolved on the way
			segments[i] = strings.ReplaceAll(s, ".", "%2E")
		}
	}
	return fmt.Sprintf("/output/job/%s/artifacts/%d/%s", j.id, a.NodeIndex, strings.Join(segments, "/"))
}

// findArtifact finds an artifact by its path at the artifact host.
func (s *Server) findArtifact(path string) (Artifact, bool) {
	j := s.jobIn(path, "/output/job/")
	if j == nil || j.stopped.IsZero() {
		return Artifact{}, false
	}
	for _, a := range j.script.artifacts {
		if j.artifactPath(a) == path {
			return a, true
		}
	}
	return Artifact{}, false
}

// jobIn finds the job whose ID stands in a path behind a prefix; nil if there
// is none.
func (s *Server) jobIn(path, prefix string) *job {
	rest, ok := strings.CutPrefix(path, prefix)
	const length = len("00000000-0000-0000-0000-000000000000")
	if !ok || len(rest) < length {
		return nil
	}
	id, _ := uuid.Parse(rest[:length]) // the zero UUID is nobody's
	return s.world.runs.jobs[id]
}

// answerOther serves what is not the API v2: artifacts, and the storage that
// they, and usage exports, are kept in.
func (s *Server) answerOther(r *request) *answer {
	path := r.http.URL.EscapedPath()
	switch r.host.kind {
	case artifactHost:
		return s.redirectToStorage(r, path)
	case storageHost:
		return s.fetchFromStorage(r, path)
	case apiHost:
	}
	return text(http.StatusNotFound, "text/plain; charset=utf-8", "404 page not found\n")
}

// redirectToStorage wants the token, and sends on to where it must not go.
func (s *Server) redirectToStorage(r *request, path string) *answer {
	if !s.knows(r) {
		return text(http.StatusNotFound, "text/plain", "Not found")
	}
	if _, found := s.findArtifact(path); !found {
		return text(http.StatusNotFound, "text/plain", "Not found")
	}
	a := text(http.StatusFound, "text/html", "")
	a.header.Set("Location", r.host.storage+path+"?signature=0123456789abcdef")
	return a
}

func (s *Server) fetchFromStorage(r *request, path string) *answer {
	if r.token() != "" {
		r.complain("the token went to the storage host, of another origin: %s", path)
		return text(http.StatusBadRequest, "application/xml",
			"<Error><Code>InvalidArgument</Code><Message>circlecitest: the token went to the storage host, of another origin</Message></Error>")
	}
	if a := s.weather.redirectedTo(path); a != nil {
		return a
	}
	if c, known := s.usageContent(path, r.query); known {
		return serveContent(r, c)
	}
	if j := s.jobOfOutput(path); j != nil && r.query.Get("signature") != "" {
		return serveStoredOutput(j)
	}
	found, known := s.findArtifact(path)
	if !known || r.query.Get("signature") == "" {
		return text(http.StatusForbidden, "application/xml", "<Error><Code>AccessDenied</Code></Error>")
	}
	return serveContent(r, found.content())
}

// serveContent serves a content, or the rest of one from an offset on.
func serveContent(r *request, c content) *answer {
	a := &answer{status: http.StatusOK, header: http.Header{
		"Content-Type": {"application/octet-stream"}, "Accept-Ranges": {"bytes"}, "Etag": {fmt.Sprintf(`"%x-%x"`, len(c.text), c.size)},
	}, body: c}
	first, isRange := strings.CutPrefix(r.http.Header.Get("Range"), "bytes=")
	if !isRange {
		return a
	}
	from, err := strconv.ParseInt(strings.TrimSuffix(first, "-"), 10, 64)
	switch {
	case err != nil || from < 0:
		return a // a range of another form can be ignored
	case from >= c.size:
		a.status, a.body = http.StatusRequestedRangeNotSatisfiable, nil
		a.header.Set("Content-Range", fmt.Sprintf("bytes */%d", c.size))
		return a
	}
	a.status, a.fault.from = http.StatusPartialContent, from
	a.header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, c.size-1, c.size))
	return a
}
