package exchange

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// Content is the content of an artifact: a text, repeated up to a size.
type Content struct {
	Text string
	Size int64
}

// ContentOf returns the content of an artifact.
func ContentOf(a world.Artifact) Content {
	return Content{a.Content, max(a.Size, int64(len(a.Content)))}
}

// From returns the content from an offset on.
func (c Content) From(offset int64) io.Reader { return &contentReader{c, offset} }

type contentReader struct {
	Content
	at int64
}

func (r *contentReader) Read(p []byte) (int, error) {
	if r.at >= r.Size {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) && r.at < r.Size {
		if r.Text == "" {
			r.Text = "\x00"
		}
		i := int(r.at % int64(len(r.Text)))
		most := min(int64(len(p)-n), r.Size-r.at)
		k := copy(p[n:n+int(most)], r.Text[i:])
		n, r.at = n+k, r.at+int64(k)
	}
	return n, nil
}

// ServeContent returns a response with a content, or with its rest from an
// offset on.
func ServeContent(r *Request, c Content) *Answer {
	a := &Answer{Status: http.StatusOK, Header: http.Header{
		"Content-Type": {"application/octet-stream"}, "Accept-Ranges": {"bytes"}, "Etag": {fmt.Sprintf(`"%x-%x"`, len(c.Text), c.Size)},
	}, Body: c}
	first, isRange := strings.CutPrefix(r.HTTP.Header.Get("Range"), "bytes=")
	if !isRange {
		return a
	}
	from, err := strconv.ParseInt(strings.TrimSuffix(first, "-"), 10, 64)
	switch {
	case err != nil || from < 0:
		return a // other forms of ranges may be ignored
	case from >= c.Size:
		a.Status, a.Body = http.StatusRequestedRangeNotSatisfiable, nil
		a.Header.Set("Content-Range", fmt.Sprintf("bytes */%d", c.Size))
		return a
	}
	a.Status, a.Fault.from = http.StatusPartialContent, from
	a.Header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, c.Size-1, c.Size))
	return a
}

// RefuseToken reports and refuses a token that reached the storage host.
func RefuseToken(r *Request, path string) *Answer {
	if r.Token() != "" {
		r.Complain("the token went to the storage host, of another origin: %s", path)
		return Text(http.StatusBadRequest, "application/xml",
			"<Error><Code>InvalidArgument</Code><Message>circlecitest: the token went to the storage host, of another origin</Message></Error>")
	}
	return nil
}
