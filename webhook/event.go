package webhook

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/internal/wire"
)

// Event is a received event: a [*WorkflowCompleted], a [*JobCompleted], or an
// [*Unknown].
type Event interface {
	// About returns the fields that all events share.
	About() *Common
}

// Common contains the fields that all events share. Any of them can be missing:
// CircleCI's test ping is abbreviated.
type Common struct {
	// ID is the event's ID. Repeated deliveries have the same ID.
	ID string `json:"id"`
	// Type is the event's type, such as workflow-completed.
	Type         string       `json:"type"`
	HappenedAt   time.Time    `json:"happened_at,omitzero"`
	Webhook      Webhook      `json:"webhook,omitzero"`
	Project      Project      `json:"project,omitzero"`
	Organization Organization `json:"organization,omitzero"`
	// Raw is the unmodified body, for anything that this package does not
	// model.
	Raw []byte `json:"-"`
}

// About returns the fields that all events share.
func (c *Common) About() *Common { return c }

// WorkflowCompleted is the event of a workflow that has ended.
type WorkflowCompleted struct {
	Common
	Workflow Workflow `json:"workflow,omitzero"`
	Pipeline Pipeline `json:"pipeline,omitzero"`
}

// JobCompleted is the event of a job that has ended.
type JobCompleted struct {
	Common
	Job      Job      `json:"job,omitzero"`
	Workflow Workflow `json:"workflow,omitzero"` // has no status
	Pipeline Pipeline `json:"pipeline,omitzero"`
}

// Unknown is an event of a type that this package does not know.
type Unknown struct {
	Common
}

// Webhook is the webhook that delivered an event.
type Webhook struct {
	ID   uuid.UUID `json:"id,omitzero"`
	Name string    `json:"name,omitzero"`
}

// Project is the project of an event.
type Project struct {
	ID   uuid.UUID `json:"id,omitzero"`
	Name string    `json:"name,omitzero"`
	// Slug has the form that the API uses, gh/…; the webhook itself has
	// github/….
	Slug circleci.ProjectSlug `json:"slug,omitzero"`
}

// Organization is the organization of an event.
type Organization struct {
	ID   uuid.UUID `json:"id,omitzero"`
	Name string    `json:"name,omitzero"`
}

// Workflow is the workflow of an event.
type Workflow struct {
	ID        uuid.UUID               `json:"id,omitzero"`
	Name      string                  `json:"name,omitzero"`
	Status    circleci.WorkflowStatus `json:"status,omitzero"`
	CreatedAt time.Time               `json:"created_at,omitzero"`
	StoppedAt time.Time               `json:"stopped_at,omitzero"`
	// URL is the address of the workflow in CircleCI's web app.
	URL string `json:"url,omitzero"`
}

// Job is the job of an event.
type Job struct {
	ID        uuid.UUID          `json:"id,omitzero"`
	Number    int64              `json:"number,omitzero"`
	Name      string             `json:"name,omitzero"`
	Status    circleci.JobStatus `json:"status,omitzero"`
	StartedAt time.Time          `json:"started_at,omitzero"`
	StoppedAt time.Time          `json:"stopped_at,omitzero"`
}

// Pipeline is the pipeline of an event.
type Pipeline struct {
	ID        uuid.UUID `json:"id,omitzero"`
	Number    int64     `json:"number,omitzero"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	Trigger   Trigger   `json:"trigger,omitzero"`
	// TriggerParameters describe what started the pipeline, for GitHub App and
	// GitLab projects. Their structure is not specified; whole numbers are
	// int64.
	TriggerParameters map[string]any `json:"trigger_parameters,omitzero"`
	// VCS is nil for GitHub App and GitLab projects.
	VCS *VCS `json:"vcs,omitzero"`
}

// Trigger is what started a pipeline.
type Trigger struct {
	Type circleci.TriggerType `json:"type,omitzero"`
}

// VCS is the revision that a pipeline was started for.
type VCS struct {
	ProviderName        string `json:"provider_name,omitzero"`
	OriginRepositoryURL string `json:"origin_repository_url,omitzero"`
	TargetRepositoryURL string `json:"target_repository_url,omitzero"`
	Revision            string `json:"revision,omitzero"`
	Branch              string `json:"branch,omitzero"`
	Tag                 string `json:"tag,omitzero"`
	Commit              Commit `json:"commit,omitzero"`
}

// Commit is the commit that a pipeline was started for.
type Commit struct {
	Subject     string    `json:"subject,omitzero"`
	Body        string    `json:"body,omitzero"`
	Author      Person    `json:"author,omitzero"`
	AuthoredAt  time.Time `json:"authored_at,omitzero"`
	Committer   Person    `json:"committer,omitzero"`
	CommittedAt time.Time `json:"committed_at,omitzero"`
}

// Person is the author or committer of a commit.
type Person struct {
	Name  string `json:"name,omitzero"`
	Email string `json:"email,omitzero"`
}

// The types of events.
const (
	TypeWorkflowCompleted = "workflow-completed"
	TypeJobCompleted      = "job-completed"
)

// ErrMalformed is the error of a body that is not an event.
var ErrMalformed = errors.New("webhook: the body is not an event")

// Parse parses an event. Fields that the body lacks are zero, and so are times
// and IDs of unknown form; Raw has the body as received. Call [Verify] first.
func Parse(body []byte) (Event, error) { return parse(bytes.Clone(body)) }

// fields are the fields of all event types.
type fields struct {
	Common
	Workflow Workflow `json:"workflow"`
	Job      Job      `json:"job"`
	Pipeline Pipeline `json:"pipeline"`
}

// spare holds fields for parse, which decodes before it knows the type.
var spare = sync.Pool{New: func() any { return new(fields) }}

// parse is like Parse, for a body that is not modified afterwards.
func parse(body []byte) (Event, error) {
	all := spare.Get().(*fields)
	defer func() {
		*all = fields{}
		spare.Put(all)
	}()
	var e Event
	err := wire.UnmarshalForgiving(body, all)
	kind := all.Type
	if err != nil { // an event can have other fields under the names that another type has
		var head struct {
			Type string `json:"type"`
		}
		if err := wire.Unmarshal(body, &head); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		kind = head.Type
	}
	switch kind {
	case TypeWorkflowCompleted:
		e = &WorkflowCompleted{Common: all.Common, Workflow: all.Workflow, Pipeline: all.Pipeline}
	case TypeJobCompleted:
		e = &JobCompleted{Common: all.Common, Job: all.Job, Workflow: all.Workflow, Pipeline: all.Pipeline}
	default:
		e = &Unknown{Common: all.Common}
	}
	if err != nil {
		if err := wire.UnmarshalForgiving(body, e); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
	}
	about := e.About()
	about.Project.Slug = about.Project.Slug.Normalize()
	about.Raw = body
	return e, nil
}
