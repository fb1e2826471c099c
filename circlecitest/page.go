package circlecitest

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// pagePath is the prefix of the paths that the status page links to.
const pagePath = "/_page/"

//go:embed job.html
var jobPage string

var jobTemplate = pageTemplate(jobPage)

//go:embed page.css
var pageStyle string

// pageTemplate parses a page. All pages have the same style sheet and functions.
func pageTemplate(text string) *template.Template {
	page := template.Must(template.New("page").Funcs(template.FuncMap{
		"class": func(status string) string { return strings.ReplaceAll(status, "_", "-") },
		"clock": func(t time.Time) string { return t.UTC().Format(time.TimeOnly) },
		"short": func(d time.Duration) string { return d.Truncate(time.Second).String() },
	}).Parse(text))
	return template.Must(page.New("css").Parse(pageStyle)).Lookup("page")
}

// jobStatus is the data of a job's page.
type jobStatus struct {
	ID                   uuid.UUID
	Name, Slug, Workflow string
	Pipeline, Number     int64
	Status               circleci.JobStatus
	Took                 time.Duration
	Output               string
	Tests                []circleci.Test
	Artifacts            []Artifact
}

// pages returns the handler of the routes below [pagePath]. The forms of the
// page change state, so only the page itself may send them: a browser sends the
// origin with each form.
func (s *Server) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_page/job/{id}", s.showJob)
	mux.HandleFunc("GET /_page/job/{id}/artifact/{index}", s.saveArtifact)
	act := func(pattern string, do func(r *http.Request) bool) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Origin") == "" { // refuseForeign has checked any other value
				http.Error(w, "only the status page itself may send this form", http.StatusForbidden)
				return
			}
			s.engine.Lock()
			done := do(r)
			s.engine.Unlock()
			if !done {
				http.Error(w, "this is not possible any more; reload the page", http.StatusConflict)
				return
			}
			http.Redirect(w, r, "/", http.StatusSeeOther)
		})
	}
	act("POST /_page/approve/{id}", func(r *http.Request) bool {
		j := s.engine.Runs.Jobs[idOf(r)]
		if j == nil || j.Status != circleci.JobStatusOnHold {
			return false
		}
		s.engine.Approve(j, s.engine.Me)
		return true
	})
	act("POST /_page/rerun/{id}", func(r *http.Request) bool {
		w := s.engine.Runs.Workflows[idOf(r)]
		if w == nil || !w.Status.Done() {
			return false
		}
		s.engine.Rerun(w, func(*world.Job) bool { return true }, false)
		return true
	})
	act("POST /_page/trigger/{id}", func(r *http.Request) bool {
		for _, p := range s.engine.Projects {
			if p.ID == idOf(r) {
				s.engine.Start(&world.Pipeline{Project: p, Branch: "main", Trigger: circleci.TriggerTypeAPI, Actor: s.engine.Me})
				return true
			}
		}
		return false
	})
	return mux
}

// idOf returns the ID in a request's path, or the zero UUID if it is invalid.
func idOf(r *http.Request) uuid.UUID {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return uuid.Nil
	}
	return id
}

func (s *Server) showJob(w http.ResponseWriter, r *http.Request) {
	view, ok := s.jobStatus(idOf(r))
	if !ok {
		http.NotFound(w, r)
		return
	}
	var page bytes.Buffer
	if err := jobTemplate.Execute(&page, view); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writePage(w, &page)
}

// saveArtifact serves an artifact as a file to save: one with scripts must not
// run beside the page, whose forms it could send.
func (s *Server) saveArtifact(w http.ResponseWriter, r *http.Request) {
	view, ok := s.jobStatus(idOf(r))
	i, err := strconv.Atoi(r.PathValue("index"))
	if !ok || err != nil || i < 0 || i >= len(view.Artifacts) {
		http.NotFound(w, r)
		return
	}
	a := view.Artifacts[i]
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": path.Base(a.Path)}))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.FormatInt(a.Size, 10))
	_, _ = io.Copy(w, exchange.ContentOf(world.Artifact(a)).From(0)) // the client may have disconnected
}

func (s *Server) jobStatus(id uuid.UUID) (view jobStatus, ok bool) {
	s.engine.Lock()
	defer s.engine.Unlock()
	s.engine.CatchUp()
	j := s.engine.Runs.Jobs[id]
	if j == nil {
		return view, false
	}
	p := j.Workflow.Pipeline
	view = jobStatus{
		ID: j.ID, Name: j.Script.Name, Slug: p.Project.Slug, Workflow: j.Workflow.Name, Pipeline: p.Number, Number: j.Number,
		Status: j.Status, Took: took(j.Started, j.Stopped, s.engine.Now()).Truncate(time.Second),
	}
	if !j.Started.IsZero() {
		view.Output = j.Script.Output
	}
	if j.Status.Done() {
		view.Tests = j.Results()
		for _, a := range j.Script.Artifacts {
			a.Size = exchange.ContentOf(a).Size
			view.Artifacts = append(view.Artifacts, Artifact(a))
		}
	}
	return view, true
}

// writePage writes an HTML page that may not run scripts or load resources.
func writePage(w http.ResponseWriter, page *bytes.Buffer) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = page.WriteTo(w) // the client may have disconnected
}
