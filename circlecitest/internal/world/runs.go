package world

import (
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/config"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
)

// Origin returns what the pipeline runs: a revision of a repository, or for a
// standalone project the parameters of its trigger.
func (p *Pipeline) Origin() (vcs, parameters form.Object) {
	if p.Project.Org.Standalone() {
		return nil, form.Object{
			"git":      form.Object{"branch": p.Branch, "checkout_sha": p.Revision, "repo_id": "705400000"},
			"circleci": form.Object{"trigger_type": p.Trigger, "actor_id": p.Actor.ID.String()},
		}
	}
	provider := map[string]string{"github": "GitHub", "bitbucket": "Bitbucket"}[p.Project.Org.VCSType]
	return form.Object{
		"provider_name": provider, "origin_repository_url": p.Project.Repository(), "target_repository_url": p.Project.Repository(),
		"revision": p.Revision, "commit": form.Object{"subject": "A change", "body": ""},
	}.Put("branch", p.Branch).Put("tag", p.Tag), nil
}

// Values returns the modeled pipeline values by name, without the parameters.
func (p *Pipeline) Values() map[string]any {
	values := map[string]any{
		"pipeline.id": p.ID.String(), "pipeline.number": p.Number,
		"pipeline.project.slug": p.Project.Slug, "pipeline.project.git_url": p.Project.Repository(), "pipeline.project.type": p.Project.Org.VCSType,
		"pipeline.git.branch": p.Branch, "pipeline.git.tag": p.Tag, "pipeline.git.revision": p.Revision,
		"pipeline.git.branch.is_default": p.Branch == p.Project.DefaultBranch,
		"pipeline.trigger_source":        string(p.Trigger),
		"pipeline.schedule.name":         "", "pipeline.schedule.id": "",
	}
	if p.Schedule != nil {
		values["pipeline.schedule.name"], values["pipeline.schedule.id"] = p.Schedule.Name, p.Schedule.ID.String()
	}
	return values
}

// Push returns the values of a push to a project's default branch. Nil means a
// project that does not exist yet.
func Push(p *Project) config.Trigger {
	if p == nil {
		p = &Project{Org: &Org{}, DefaultBranch: "main"}
	}
	push := &Pipeline{Project: p, Branch: p.DefaultBranch, Trigger: circleci.TriggerTypeWebhook}
	return config.Trigger{Branch: push.Branch, Values: push.Values()}
}

// NewestFirst returns the pipelines that keep selects, newest first.
func (s *World) NewestFirst(keep func(*Pipeline) bool) []*Pipeline {
	var all []*Pipeline
	for _, p := range slices.Backward(s.Runs.Pipelines) {
		if keep(p) {
			all = append(all, p)
		}
	}
	return all
}

// runs are the pipelines with their workflows and jobs.
type runs struct {
	Keep      int         // the number of pipelines kept; 0 keeps all
	Pipelines []*Pipeline // the oldest first
	ByID      map[uuid.UUID]*Pipeline
	Workflows map[uuid.UUID]*Workflow
	Jobs      map[uuid.UUID]*Job
	// By number, of jobs the newest: one that comes over to a rerun keeps its
	// number and its ID.
	PipelinesByNumber map[Numbered]*Pipeline
	JobsByNumber      map[Numbered]*Job
}

// Numbered identifies something by its number in a project.
type Numbered struct {
	Project *Project
	Number  int64
}

func (r *runs) init() {
	r.ByID, r.PipelinesByNumber = map[uuid.UUID]*Pipeline{}, map[Numbered]*Pipeline{}
	r.Workflows = map[uuid.UUID]*Workflow{}
	r.Jobs, r.JobsByNumber = map[uuid.UUID]*Job{}, map[Numbered]*Job{}
}

// Trim removes the oldest pipelines beyond the number to keep.
func (r *runs) Trim() {
	for r.Keep > 0 && len(r.Pipelines) > r.Keep {
		r.forget(r.Pipelines[0])
		r.Pipelines[0] = nil
		r.Pipelines = r.Pipelines[1:]
	}
}

func (r *runs) forget(p *Pipeline) {
	p.Forgotten = true
	delete(r.ByID, p.ID)
	delete(r.PipelinesByNumber, Numbered{p.Project, p.Number})
	for _, w := range p.Workflows {
		delete(r.Workflows, w.ID)
		for _, j := range w.Jobs {
			delete(r.Jobs, j.ID)
			delete(r.JobsByNumber, Numbered{p.Project, j.Number})
		}
	}
}

// Pipeline is a pipeline that was started.
type Pipeline struct {
	ID               uuid.UUID
	Number           int64
	Project          *Project
	Script           Script
	Configuration    *config.Config // that it runs; nil: what its script says
	Behavior         Script         // of the jobs of the configuration
	Schedule         *Schedule      // that has started it; nil: none
	State            circleci.PipelineState
	Errors           []circleci.PipelineError
	Trigger          circleci.TriggerType
	Actor            *User
	Branch, Tag      string
	Revision         string
	Parameters       map[string]any
	Continuation     string // the key; empty once it has been used
	Continued        string // the configuration that came with it
	Created, Updated time.Time
	Workflows        []*Workflow
	Forgotten        bool // its unfinished runs are not kept
}

// Workflow is a workflow of a pipeline.
type Workflow struct {
	ID               uuid.UUID
	Name             string
	Pipeline         *Pipeline
	Script           *WorkflowScript
	Tag              circleci.WorkflowTag
	Status           circleci.WorkflowStatus
	StartedBy        *User
	CanceledBy       *User
	AutoRerun        int // the number of this automatic rerun; 0: none
	Jobs             []*Job
	Created, Stopped time.Time
}

// Job is a job of a workflow.
type Job struct {
	ID         uuid.UUID
	Number     int64 // 0: not started
	Workflow   *Workflow
	Script     *JobScript
	Status     circleci.JobStatus
	Run        int    // the number of previous runs
	Flakes     []bool // which of the flaky tests fail in this run; nil: not known yet
	Requires   []*Job
	Approval   uuid.UUID // the ID of the request for it
	ApprovedBy *User
	CanceledBy *User

	Queued, Started, Stopped time.Time
}

// Index makes a numbered job available by its number.
func (s *World) Index(j *Job) {
	if p := j.Workflow.Pipeline; j.Number != 0 && !p.Forgotten {
		s.Runs.JobsByNumber[Numbered{p.Project, j.Number}] = j
	}
}

// Ready reports whether all required jobs have ended with an accepted status.
func (j *Job) Ready() bool {
	for _, required := range j.Requires {
		if !slices.Contains(j.Script.Accepts(required.Script.Name), required.Status) {
			return false
		}
	}
	return true
}

// Skipped reports whether a required job has ended with another status, so that
// this job never runs.
func (j *Job) Skipped() bool {
	return slices.ContainsFunc(j.Requires, func(required *Job) bool {
		return required.Status.Done() && !slices.Contains(j.Script.Accepts(required.Script.Name), required.Status)
	})
}

// DependsOn reports whether the job requires one of these, directly or through
// others.
func (j *Job) DependsOn(chosen []*Job) bool {
	return slices.ContainsFunc(j.Requires, func(required *Job) bool {
		return slices.Contains(chosen, required) || required.DependsOn(chosen)
	})
}

// LastJob returns the last job that started in a project, or nil.
func (s *World) LastJob(p *Project) *Job { return s.Runs.JobsByNumber[Numbered{p, p.LastJob}] }

// WebURL returns the URL of the job's page.
func (j *Job) WebURL() string {
	p := j.Workflow.Pipeline
	return "https://app.circleci.com/jobs/" + p.Project.Slug + "/" + strconv.FormatInt(j.Number, 10)
}
