package apiv3

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// RunsService reads runs. A run is one execution of a pipeline; the API v2
// calls it a pipeline.
//
// To start a run, use [circleci.PipelinesService.Run], or POST /api/v3/runs
// with [circleci.Client.Do]: too little is known about its body for a method.
type RunsService service

// Run is one execution of a pipeline. Its ID is the ID of a pipeline of the API
// v2: see [RunID].
type Run struct {
	ID        uuid.UUID `json:"id"`
	ProjectID uuid.UUID `json:"project_id,omitzero"`
	// Number is the run's number in its project; 0 if the API does not send it.
	Number int64 `json:"number,omitzero"`
	Phase  Phase `json:"phase"`
	// CurrentOutcome is the outcome so far. A rerun can change it.
	CurrentOutcome Outcome      `json:"current_outcome,omitzero"`
	CreatedAt      time.Time    `json:"created_at"`
	Errors         []RunError   `json:"errors,omitzero"`
	Warnings       []RunWarning `json:"warnings,omitzero"`
	// User is the user who started the run, if any.
	User    UserRef    `json:"user,omitzero"`
	Trigger RunTrigger `json:"trigger,omitzero"`
	// Event is the event that started the run, with the commit.
	Event RunEvent `json:"event,omitzero"`
}

// State returns the state of the run.
func (r *Run) State() State { return StateOf("", r.Phase, "", r.CurrentOutcome) }

// V2PipelineID returns the ID of the run in the API v2.
func (r *Run) V2PipelineID() uuid.UUID { return r.ID }

// RunID returns the ID that a pipeline of the API v2 has in the API v3, as a
// run.
func RunID(p *circleci.Pipeline) uuid.UUID { return p.ID }

// RunError says why a run could not be started.
type RunError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// RunWarning is a warning about the configuration of a run.
type RunWarning struct {
	Type        string `json:"type"`
	Message     string `json:"message"`
	Description string `json:"description,omitzero"`
	URL         Link   `json:"url,omitzero"`
}

// Link is a URL. The API has sent it both as a string and as an object.
type Link string

// UnmarshalJSON decodes both forms.
func (l *Link) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*l = Link(text)
		return nil
	}
	var object struct{ Value string }
	*l = ""
	if json.Unmarshal(data, &object) == nil {
		*l = Link(object.Value)
	}
	return nil
}

// UserRef identifies a user.
type UserRef struct {
	ID    uuid.UUID `json:"id"`
	Login string    `json:"login,omitzero"`
}

// NamedRef identifies something by its ID, and contains its name.
type NamedRef struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name,omitzero"`
}

// RunTrigger is the trigger of a run.
type RunTrigger struct {
	ID          uuid.UUID `json:"id"`
	EventSource struct {
		Type string `json:"type"`
	} `json:"event_source,omitzero"`
}

// RunEvent is the event that started a run.
type RunEvent struct {
	ID     uuid.UUID `json:"id"`
	Type   string    `json:"type,omitzero"`
	Action string    `json:"action,omitzero"`
	VCS    EventVCS  `json:"vcs,omitzero"`
}

// EventVCS is the repository state that an event refers to.
type EventVCS struct {
	ProviderName        string `json:"provider_name,omitzero"`
	OriginRepositoryURL string `json:"origin_repository_url,omitzero"`
	Branch              string `json:"branch,omitzero"`
	Tag                 string `json:"tag,omitzero"`
	Revision            string `json:"revision,omitzero"`
	Commit              Commit `json:"commit,omitzero"`
}

// Commit is a commit.
type Commit struct {
	Subject string `json:"subject,omitzero"`
	URL     string `json:"url,omitzero"`
	Author  struct {
		Name  string `json:"name,omitzero"`
		Login string `json:"login,omitzero"`
	} `json:"author,omitzero"`
}

// ListRunsOptions are the options of [RunsService.ListForProject] and
// [RunsService.ListMine].
type ListRunsOptions struct {
	Phase          Phase
	CurrentOutcome Outcome
	// From and To limit the list to runs created between these times, in whole
	// seconds.
	From, To time.Time
	// Limit is the number of items on a page, at most 20. If it is 0, the API
	// chooses.
	Limit int
}

func (o *ListRunsOptions) add(r request) request {
	if o == nil {
		return r
	}
	return r.filter("filter[phase]", string(o.Phase)).filter("filter[current_outcome]", string(o.CurrentOutcome)).
		filterTime("filter[from]", o.From).filterTime("filter[to]", o.To).limit(o.Limit)
}

// ListForProject lists the runs of a project, newest first.
//
//circleci:operation GET /api/v3/runs
func (s *RunsService) ListForProject(projectID uuid.UUID, o *ListRunsOptions, opts ...circleci.RequestOption) *circleci.Pager[Run] {
	return list[Run](s.client, o.add(get("/api/v3/runs").require("filter[project_id]", projectID)), opts)
}

// ListMine lists the runs that the token's owner started, newest first.
//
//circleci:operation GET /api/v3/runs
func (s *RunsService) ListMine(o *ListRunsOptions, opts ...circleci.RequestOption) *circleci.Pager[Run] {
	return list[Run](s.client, o.add(get("/api/v3/runs").filter("filter[user_id]", "me")), opts)
}

// Get returns the run with the given ID, or an error matching
// [circleci.ErrNotFound].
//
//circleci:operation GET /api/v3/runs/{id}
func (s *RunsService) Get(ctx context.Context, id uuid.UUID, opts ...circleci.RequestOption) (*Run, error) {
	return one[Run](ctx, s.client, get("/api/v3/runs/{id}", id), opts)
}

// SearchRunsRequest selects the runs to find.
type SearchRunsRequest struct {
	// ProjectIDs are the projects to search, at least one.
	ProjectIDs []uuid.UUID
	// From and To limit the result to runs created between these times, in
	// whole seconds. The API requires both. CircleCI's own clients go back at
	// most 90 days.
	From, To time.Time
	// Filter is an expression in CircleCI's filter language: see [FilterEqual].
	Filter string
	// OrderBy is a field followed by "asc" or "desc".
	OrderBy string
	// Limit is the number of items on a page, at most 20. If it is 0, the API
	// chooses.
	Limit int
}

// FilterEqual returns a filter for runs whose field has a value. The known
// fields are pipeline.git.branch and pipeline.status. Join several filters with
// " and ".
func FilterEqual(field, value string) string {
	return field + ` == "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// searchBody is a search as it is sent.
type searchBody struct {
	Scope struct {
		ProjectIDs []uuid.UUID `json:"project_ids"`
		From       string      `json:"from"`
		To         string      `json:"to"`
	} `json:"scope"`
	Filter  string `json:"filter,omitzero"`
	OrderBy string `json:"order_by,omitzero"`
	Page    struct {
		Cursor string `json:"cursor,omitzero"`
		Limit  int    `json:"limit,omitzero"`
	} `json:"page,omitzero"`
}

func (b searchBody) check() (name, reason string) {
	switch {
	case len(b.Scope.ProjectIDs) == 0:
		return "scope.project_ids", missing
	case b.Scope.From == "":
		return "scope.from", missing
	case b.Scope.To == "":
		return "scope.to", missing
	case b.Page.Limit < 0:
		return "page.limit", "is negative"
	}
	return "", ""
}

func (r SearchRunsRequest) body() (b searchBody) {
	b.Scope.ProjectIDs, b.Scope.From, b.Scope.To = r.ProjectIDs, formatTime(r.From), formatTime(r.To)
	b.Filter, b.OrderBy, b.Page.Limit = r.Filter, r.OrderBy, r.Limit
	return b
}

// Search finds runs in several projects.
//
//circleci:operation POST /api/v3/runs/search
func (s *RunsService) Search(in SearchRunsRequest, opts ...circleci.RequestOption) *circleci.Pager[Run] {
	body := in.body()
	return pages[Run](s.client, post("/api/v3/runs/search").body(body).idempotent(), opts, func(r *request, cursor string) {
		next := body
		next.Page.Cursor = cursor
		r.Body = next
	})
}
