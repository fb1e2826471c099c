package circlecitest

import (
	"bytes"
	_ "embed"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// The maximum number of rows on the page.
const (
	statusPipelines  = 20
	statusRequests   = 40
	statusComplaints = 10
	statusDeliveries = 10
)

//go:embed status.html
var statusPage string

var statusTemplate = pageTemplate(statusPage)

// status is the data of the status page.
type status struct {
	Host       string
	Now        time.Time
	Speed      float64
	Projects   []statusProject
	Pipelines  []statusPipeline
	Count      int // the number of pipelines
	Weather    []string
	Requests   []Request
	Complaints []Request // the requests with complaints
	Deliveries []Delivery
}

type statusProject struct {
	ID   uuid.UUID
	Slug string
	Runs int64
}

type statusPipeline struct {
	Number    int64
	Slug, Ref string
	State     circleci.PipelineState
	Trigger   circleci.TriggerType
	Age       time.Duration
	Errors    []circleci.PipelineError
	Workflows []statusWorkflow
}

type statusWorkflow struct {
	ID     uuid.UUID
	Name   string
	Status circleci.WorkflowStatus
	Took   time.Duration
	Jobs   []statusJob
}

type statusJob struct {
	ID     uuid.UUID
	Name   string
	Status circleci.JobStatus
	Took   time.Duration
}

// showStatus serves the status page. Requests for it are not part of the API
// and are not kept.
func (s *Server) showStatus(w http.ResponseWriter, r *http.Request) {
	var page bytes.Buffer
	if err := statusTemplate.Execute(&page, s.status(r.Host)); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writePage(w, &page)
}

func (s *Server) status(host string) status {
	s.engine.Lock()
	defer s.engine.Unlock()
	s.engine.CatchUp()
	x := status{Host: host, Now: s.engine.Now(), Speed: s.engine.Clock.Speed, Count: len(s.engine.Runs.Pipelines)}
	for _, p := range s.engine.Projects {
		x.Projects = append(x.Projects, statusProject{ID: p.ID, Slug: p.Slug, Runs: p.LastPipeline})
	}
	for _, p := range slices.Backward(s.engine.Runs.Pipelines) {
		if len(x.Pipelines) == statusPipelines {
			break
		}
		x.Pipelines = append(x.Pipelines, showPipeline(p, x.Now))
	}
	x.Weather = s.weather.Texts()
	for _, seen := range slices.Backward(s.requests) {
		if len(x.Requests) < statusRequests {
			x.Requests = append(x.Requests, seen)
		}
		if len(seen.Complaints) > 0 && len(x.Complaints) < statusComplaints {
			x.Complaints = append(x.Complaints, seen)
		}
	}
	for _, d := range slices.Backward(s.engine.Courier.Ended()) {
		if len(x.Deliveries) < statusDeliveries {
			x.Deliveries = append(x.Deliveries, Delivery(d))
		}
	}
	return x
}

func showPipeline(p *world.Pipeline, now time.Time) statusPipeline {
	x := statusPipeline{
		Number: p.Number, Slug: p.Project.Slug, Ref: p.Branch + p.Tag, State: p.State, Trigger: p.Trigger, Age: now.Sub(p.Created), Errors: p.Errors,
	}
	for _, w := range p.Workflows {
		view := statusWorkflow{ID: w.ID, Name: w.Name, Status: w.Status, Took: took(w.Created, w.Stopped, now)}
		for _, j := range w.Jobs {
			view.Jobs = append(view.Jobs, statusJob{ID: j.ID, Name: j.Script.Name, Status: j.Status, Took: took(j.Started, j.Stopped, now)})
		}
		x.Workflows = append(x.Workflows, view)
	}
	return x
}

// took returns how long something has run so far, or ran in total.
func took(began, ended, now time.Time) time.Duration {
	switch {
	case began.IsZero():
		return 0
	case ended.IsZero():
		return now.Sub(began)
	}
	return ended.Sub(began)
}
