package circlecitest

import (
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// runs are the pipelines and all that runs in them.
type runs struct {
	pipelines []*pipeline // the oldest first
	byID      map[uuid.UUID]*pipeline
	workflows map[uuid.UUID]*workflow
	jobs      map[uuid.UUID]*job
}

type pipeline struct {
	id               uuid.UUID
	number           int64
	project          *project
	script           Script
	state            circleci.PipelineState
	errors           []circleci.PipelineError
	trigger          circleci.TriggerType
	actor            *user
	branch, tag      string
	revision         string
	parameters       map[string]any
	continuation     string // the key; empty once it has been used
	continued        string // the configuration that came with it
	created, updated time.Time
	workflows        []*workflow
}

type workflow struct {
	id               uuid.UUID
	name             string
	pipeline         *pipeline
	script           *WorkflowScript
	tag              string
	status           circleci.WorkflowStatus
	startedBy        *user
	canceledBy       *user
	autoRerun        int // the number of this automatic rerun; 0: none
	jobs             []*job
	created, stopped time.Time
}

type job struct {
	id         uuid.UUID
	number     int64 // 0: not started
	workflow   *workflow
	script     *JobScript
	status     circleci.JobStatus
	run        int // how often it has run before
	requires   []*job
	approval   uuid.UUID // the ID of the request for it
	approvedBy *user
	canceledBy *user

	queued, started, stopped time.Time
}

// How long CircleCI takes between two states.
const (
	processingTime = time.Second     // of a configuration
	appearingTime  = time.Second     // until workflows are there
	queueingTime   = 2 * time.Second // until a job has a machine
	autoRerunTime  = 5 * time.Second // until a failed workflow is rerun, if that is configured
)

// StartPipeline starts a pipeline as a push to a branch does, and returns its
// ID. The project is added if there is none.
func (s *Server) StartPipeline(slug circleci.ProjectSlug, branch string) uuid.UUID {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.addProject(string(slug))
	return s.start(&pipeline{project: p, branch: branch, trigger: circleci.TriggerTypeWebhook}).id
}

// ContinuationKey returns the key with which a pipeline's setup job can have
// it go on; empty if there is none.
func (s *Server) ContinuationKey(pipelineID uuid.UUID) circleci.Secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.world.runs.byID[pipelineID]; p != nil {
		return circleci.Secret(p.continuation)
	}
	return ""
}

// start gives a pipeline its number and lets it run.
func (s *Server) start(p *pipeline) *pipeline {
	w := &s.world.runs
	if w.byID == nil {
		w.byID, w.workflows, w.jobs = map[uuid.UUID]*pipeline{}, map[uuid.UUID]*workflow{}, map[uuid.UUID]*job{}
	}
	p.project.lastPipeline++
	p.id, p.number = s.newID(), p.project.lastPipeline
	p.script = p.project.nextScript()
	p.state = circleci.PipelineStatePending
	p.actor = s.world.me
	p.created, p.updated = s.now(), s.now()
	p.revision = hexID(s.newID()) + hexID(s.newID())[:8]
	if p.branch == "" && p.tag == "" {
		p.branch = p.project.defaultBranch
	}
	if p.script.Setup != nil {
		p.state = circleci.PipelineStateSetupPending
		p.continuation = hexID(s.newID())
	}
	w.pipelines = append(w.pipelines, p)
	w.byID[p.id] = p
	s.after(processingTime, func() { s.process(p) })
	return p
}

func hexID(id uuid.UUID) string {
	text := id.String()
	return text[:8] + text[9:13] + text[14:18] + text[19:23] + text[24:]
}

func (p *project) nextScript() Script {
	switch len(p.scripts) {
	case 0:
		return defaultScript()
	case 1:
		return p.scripts[0]
	}
	next := p.scripts[0]
	p.scripts = p.scripts[1:]
	return next
}

func (s *Server) process(p *pipeline) {
	if p.script.Setup == nil {
		s.proceed(p)
		return
	}
	p.turn(s, circleci.PipelineStateSetup)
	s.after(appearingTime, func() { s.addWorkflow(p, p.script.Setup, circleci.WorkflowTagSetup) })
}

// proceed goes on with the configuration proper.
func (s *Server) proceed(p *pipeline) {
	p.continuation = ""
	if len(p.script.Errors) > 0 {
		p.errors = p.script.Errors
		p.turn(s, circleci.PipelineStateErrored)
		return
	}
	p.turn(s, circleci.PipelineStateCreated)
	s.after(appearingTime, func() {
		for _, script := range p.script.Workflows {
			s.addWorkflow(p, script, "")
		}
	})
}

func (p *pipeline) turn(s *Server, state circleci.PipelineState) {
	p.state, p.updated = state, s.now()
}

// addWorkflow starts a workflow of a pipeline.
func (s *Server) addWorkflow(p *pipeline, script *WorkflowScript, tag string) {
	w := &workflow{
		id: s.newID(), name: script.name, pipeline: p, script: script, tag: tag, created: s.now(), startedBy: p.actor,
	}
	byName := map[string]*job{}
	for _, js := range script.jobs {
		j := &job{id: s.newID(), workflow: w, script: js, status: circleci.JobStatusBlocked}
		byName[js.name] = j
		w.jobs = append(w.jobs, j)
	}
	for _, j := range w.jobs {
		for _, name := range j.script.requires {
			required := byName[name]
			if required == nil {
				panic("circlecitest: the job " + j.script.name + " requires " + name + ", which is not in its workflow")
			}
			j.requires = append(j.requires, required)
		}
	}
	s.enter(w)
}

// enter lets a workflow begin, or go on if some of its jobs have ended.
func (s *Server) enter(w *workflow) {
	w.pipeline.workflows = append(w.pipeline.workflows, w)
	s.world.runs.workflows[w.id] = w
	for _, j := range w.jobs {
		s.world.runs.jobs[j.id] = j
	}
	s.settle(w)
}

// settle lets those jobs begin whose time has come, and finds the workflow's
// status.
func (s *Server) settle(w *workflow) {
	var open, held, failed, canceled, unauthorized bool
	for _, j := range w.jobs {
		if j.status == circleci.JobStatusBlocked && j.ready() {
			s.begin(j)
		}
		open = open || j.status == circleci.JobStatusQueued || j.status == circleci.JobStatusRunning
		held = held || j.status == circleci.JobStatusOnHold
		failed = failed || j.status.Failed()
		canceled = canceled || j.status == circleci.JobStatusCanceled
		unauthorized = unauthorized || j.status == circleci.JobStatusUnauthorized
	}
	switch {
	case open && failed:
		w.status = circleci.WorkflowStatusFailing
	case open:
		w.status = circleci.WorkflowStatusRunning
	case held && !canceled:
		w.status = circleci.WorkflowStatusOnHold
	case canceled:
		s.end(w, circleci.WorkflowStatusCanceled)
	case unauthorized:
		s.end(w, circleci.WorkflowStatusUnauthorized)
	case failed:
		s.end(w, circleci.WorkflowStatusFailed)
	default:
		s.end(w, circleci.WorkflowStatusSuccess)
	}
}

func (j *job) ready() bool {
	for _, required := range j.requires {
		if required.status != circleci.JobStatusSuccess {
			return false
		}
	}
	return true
}

func (s *Server) begin(j *job) {
	if j.script.kind == circleci.JobTypeApproval {
		j.status, j.approval = circleci.JobStatusOnHold, s.newID()
		return
	}
	j.status, j.queued = circleci.JobStatusQueued, s.now()
	s.after(queueingTime, func() {
		if j.status != circleci.JobStatusQueued {
			return // canceled
		}
		p := j.workflow.pipeline.project
		p.lastJob++
		j.number, j.status, j.started = p.lastJob, circleci.JobStatusRunning, s.now()
		s.settle(j.workflow)
		s.after(j.script.duration, func() {
			if j.status == circleci.JobStatusRunning {
				s.endJob(j, j.outcome())
			}
		})
	})
}

// outcome is how this run of the job ends.
func (j *job) outcome() circleci.JobStatus {
	outcomes := j.script.outcomes
	if len(outcomes) == 0 {
		return circleci.JobStatusSuccess
	}
	return outcomes[min(j.run, len(outcomes)-1)]
}

func (s *Server) endJob(j *job, status circleci.JobStatus) {
	j.status, j.stopped = status, s.now()
	s.announceJob(j)
	s.settle(j.workflow)
}

func (s *Server) end(w *workflow, status circleci.WorkflowStatus) {
	if w.status.Done() {
		return
	}
	w.status, w.stopped = status, s.now()
	s.announceWorkflow(w)
	p := w.pipeline
	if w.tag == circleci.WorkflowTagSetup && status == circleci.WorkflowStatusSuccess && p.state == circleci.PipelineStateSetup {
		s.proceed(p)
	}
	if status == circleci.WorkflowStatusFailed && w.autoRerun < w.script.autoReruns {
		s.after(autoRerunTime, func() {
			next := s.rerun(w, func(j *job) bool { return j.status != circleci.JobStatusSuccess })
			next.autoRerun = w.autoRerun + 1
		})
	}
}

// cancel ends what has not ended.
func (s *Server) cancel(w *workflow) {
	if w.status.Done() {
		return
	}
	w.canceledBy = s.world.me
	for _, j := range w.jobs {
		if !j.status.Done() {
			j.status, j.stopped, j.canceledBy = circleci.JobStatusCanceled, s.now(), s.world.me
			s.announceJob(j)
		}
	}
	s.settle(w)
}

// rerun runs the jobs again that again chooses, in a new workflow; the others
// come over as they are.
func (s *Server) rerun(w *workflow, again func(*job) bool) *workflow {
	next := &workflow{
		id: s.newID(), name: w.name, pipeline: w.pipeline, script: w.script, tag: w.tag, created: s.now(), startedBy: s.world.me,
	}
	copies := map[*job]*job{}
	for _, old := range w.jobs {
		j := *old
		if again(old) {
			j = job{id: s.newID(), script: old.script, status: circleci.JobStatusBlocked, run: old.run}
			if old.status.Done() && !old.started.IsZero() {
				j.run++
			}
		}
		j.workflow = next
		copies[old] = &j
		next.jobs = append(next.jobs, &j)
	}
	for _, old := range w.jobs {
		var requires []*job
		for _, required := range old.requires {
			requires = append(requires, copies[required])
		}
		copies[old].requires = requires
	}
	s.enter(next)
	return next
}

// dependsOn reports whether the job waits for one of these, through others
// too.
func (j *job) dependsOn(chosen []*job) bool {
	return slices.ContainsFunc(j.requires, func(required *job) bool {
		return slices.Contains(chosen, required) || required.dependsOn(chosen)
	})
}

func (j *job) webURL() string {
	p := j.workflow.pipeline
	return "https://app.circleci.com/jobs/" + p.project.slug + "/" + strconv.FormatInt(j.number, 10)
}
