package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

func jobArtifactPath(j *world.Job, a world.Artifact) string {
	segments := strings.Split(a.Path, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
		if s == "." || s == ".." { // which would be resolved on the way
			segments[i] = strings.ReplaceAll(s, ".", "%2E")
		}
	}
	return fmt.Sprintf("/output/job/%s/artifacts/%d/%s", j.ID, a.NodeIndex, strings.Join(segments, "/"))
}

// findArtifact finds an artifact by its path at the artifact host.
func findArtifact(s *world.World, path string) (world.Artifact, bool) {
	j := jobIn(s, path, "/output/job/")
	if j == nil || j.Stopped.IsZero() {
		return world.Artifact{}, false
	}
	for _, a := range j.Script.Artifacts {
		if jobArtifactPath(j, a) == path {
			return a, true
		}
	}
	return world.Artifact{}, false
}

// jobIn returns the job whose ID follows a prefix in a path, or nil.
func jobIn(s *world.World, path, prefix string) *world.Job {
	rest, ok := strings.CutPrefix(path, prefix)
	const length = len("00000000-0000-0000-0000-000000000000")
	if !ok || len(rest) < length {
		return nil
	}
	id, _ := uuid.Parse(rest[:length]) // the zero UUID is nobody's
	return s.Runs.Jobs[id]
}

// AnswerOther responds to requests outside the API: for artifacts, and for the
// storage of artifacts and usage exports.
func (s *API) AnswerOther(r *exchange.Request) *exchange.Answer {
	path := r.HTTP.URL.EscapedPath()
	switch r.Host.Kind {
	case exchange.ArtifactHost:
		return s.redirectToStorage(r, path)
	case exchange.StorageHost:
		return s.fetchFromStorage(r, path)
	case exchange.APIHost:
		if path == "/graphql-unstable" {
			return notModeled(r)
		}
	}
	return exchange.Text(http.StatusNotFound, "text/plain; charset=utf-8", "404 page not found\n")
}

// redirectToStorage requires the token, and redirects to the storage, which
// must not receive it.
func (s *API) redirectToStorage(r *exchange.Request, path string) *exchange.Answer {
	if !s.knows(r) {
		return exchange.Text(http.StatusNotFound, "text/plain", "Not found")
	}
	if _, found := findArtifact(s.engine.World, path); !found {
		return exchange.Text(http.StatusNotFound, "text/plain", "Not found")
	}
	a := exchange.Text(http.StatusFound, "text/html", "")
	a.Header.Set("Location", r.Host.Storage+path+"?signature=0123456789abcdef")
	return a
}

func (s *API) fetchFromStorage(r *exchange.Request, path string) *exchange.Answer {
	if a := exchange.RefuseToken(r, path); a != nil {
		return a
	}
	if c, known := usageContent(s.engine, path, r.Query); known {
		return exchange.ServeContent(r, c)
	}
	if j := jobOfOutput(s.engine.World, path); j != nil && r.Query.Get("signature") != "" {
		return serveStoredOutput(j)
	}
	found, known := findArtifact(s.engine.World, path)
	if !known || r.Query.Get("signature") == "" {
		return exchange.Text(http.StatusForbidden, "application/xml", "<Error><Code>AccessDenied</Code></Error>")
	}
	return exchange.ServeContent(r, exchange.ContentOf(found))
}
