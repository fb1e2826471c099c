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
	keep      int         // of pipelines; 0: all
	pipelines []*pipeline // the oldest first
	byID      map[uuid.UUID]*pipeline
	workflows map[uuid.UUID]*workflow
	jobs      map[uuid.UUID]*job
	// By number, of jobs the newest: one that comes over to a rerun keeps its
	// number and its ID.
	pipelinesByNumber map[numbered]*pipeline
	jobsByNumber      map[numbered]*job
}

// numbered is what has a number in its project.
type numbered struct {
	project *project
	number  int64
}

func (r *runs) init() {
	r.byID, r.pipelinesByNumber = map[uuid.UUID]*pipeline{}, map[numbered]*pipeline{}
	r.workflows = map[uuid.UUID]*workflow{}
	r.jobs, r.jobsByNumber = map[uuid.UUID]*job{}, map[numbered]*job{}
}

// WithPipelinesKept bounds the memory of a server that runs for long: of
// pipelines, with all that ran in them, the last n are kept, also if older ones
// still run, and as many policy decisions and usage exports. By default all
// are.
func WithPipelinesKept(n int) Option { return func(s *Server) { s.world.runs.keep = n } }

// trim forgets the oldest pipelines beyond those that are kept.
func (r *runs) trim() {
	for r.keep > 0 && len(r.pipelines) > r.keep {
		r.forget(r.pipelines[0])
		r.pipelines[0] = nil
		r.pipelines = r.pipelines[1:]
	}
}

func (r *runs) forget(p *pipeline) {
	p.forgotten = true
	delete(r.byID, p.id)
	delete(r.pipelinesByNumber, numbered{p.project, p.number})
	for _, w := range p.workflows {
		delete(r.workflows, w.id)
		for _, j := range w.jobs {
			delete(r.jobs, j.id)
			delete(r.jobsByNumber, numbered{p.project, j.number})
		}
	}
}

// lastOf are the last n of all; 0: all.
func lastOf[T any](all []T, n int) []T {
	if n > 0 && len(all) > n {
		return slices.Delete(all, 0, len(all)-n)
	}
	return all
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
	forgotten        bool // what still runs in it is not kept
}

type workflow struct {
	id               uuid.UUID
	name             string
	pipeline         *pipeline
	script           *WorkflowScript
	tag              circleci.WorkflowTag
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
	run        int    // how often it has run before
	flakes     []bool // which of the flaky tests fail in this run; nil: not known yet
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
func (s *Server) start(p *pipeline) *pipeline { return s.startScript(p, p.project.nextScript()) }

func (s *Server) startScript(p *pipeline, script Script) *pipeline {
	w := &s.world.runs
	p.project.lastPipeline++
	p.id, p.number, p.script = s.newID(), p.project.lastPipeline, script
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
	w.byID[p.id], w.pipelinesByNumber[numbered{p.project, p.number}] = p, p
	w.trim()
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
func (s *Server) addWorkflow(p *pipeline, script *WorkflowScript, tag circleci.WorkflowTag) {
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
			j.requires = append(j.requires, byName[name])
		}
	}
	s.enter(w)
}

// enter lets a workflow begin, or go on if some of its jobs have ended.
func (s *Server) enter(w *workflow) {
	w.pipeline.workflows = append(w.pipeline.workflows, w)
	if !w.pipeline.forgotten {
		s.world.runs.workflows[w.id] = w
		for _, j := range w.jobs {
			s.world.runs.jobs[j.id] = j
			s.index(j)
		}
	}
	s.settle(w)
}

// index has a job with a number found by it.
func (s *Server) index(j *job) {
	if p := j.workflow.pipeline; j.number != 0 && !p.forgotten {
		s.world.runs.jobsByNumber[numbered{p.project, j.number}] = j
	}
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
		if j.script.approved {
			s.after(j.script.duration, func() { s.approve(j, s.world.me) })
		}
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
		s.index(j)
		s.settle(j.workflow)
		s.after(s.duration(j.script), func() {
			if j.status == circleci.JobStatusRunning {
				s.endJob(j, s.outcome(j))
			}
		})
	})
}

// duration is how long a run of a job takes.
func (s *Server) duration(script *JobScript) time.Duration {
	if script.varies == 0 {
		return script.duration
	}
	return time.Duration(float64(script.duration) * (1 + script.varies*(2*s.chance.Float64()-1)))
}

// outcome is how this run of the job ends.
func (s *Server) outcome(j *job) circleci.JobStatus {
	status, outcomes := circleci.JobStatusSuccess, j.script.outcomes
	if len(outcomes) > 0 {
		status = outcomes[min(j.run, len(outcomes)-1)]
	}
	failed := j.script.fails > 0 && s.chance.Float64() < j.script.fails
	j.flakes = make([]bool, len(j.script.flaky))
	for i, test := range j.script.flaky {
		j.flakes[i] = s.chance.Float64() < test.share
		failed = failed || j.flakes[i]
	}
	if failed && status == circleci.JobStatusSuccess {
		return circleci.JobStatusFailed
	}
	return status
}

func (s *Server) endJob(j *job, status circleci.JobStatus) {
	s.stop(j, status)
	s.settle(j.workflow)
}

// stop ends a job. What that means for its workflow is another matter.
func (s *Server) stop(j *job, status circleci.JobStatus) {
	j.status, j.stopped = status, s.now()
	if p := j.workflow.pipeline.project; j.number != 0 {
		p.lastStop = latest(p.lastStop, j.stopped)
	}
	s.announceJob(j)
}

// approve lets a workflow go on, if it still waits for that.
func (s *Server) approve(j *job, by *user) {
	if j.status == circleci.JobStatusOnHold {
		j.approvedBy = by
		s.endJob(j, circleci.JobStatusSuccess)
	}
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
			next := s.rerun(w, func(j *job) bool { return j.status != circleci.JobStatusSuccess }, false)
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
			j.canceledBy = s.world.me
			s.stop(j, circleci.JobStatusCanceled)
		}
	}
	s.settle(w)
}

// rerun runs the jobs again that again chooses, in a new workflow; the others
// come over as they are, or stay behind if it is sparse.
func (s *Server) rerun(w *workflow, again func(*job) bool, sparse bool) *workflow {
	next := &workflow{
		id: s.newID(), name: w.name, pipeline: w.pipeline, script: w.script, tag: w.tag, created: s.now(), startedBy: s.world.me,
	}
	copies := map[*job]*job{}
	for _, old := range w.jobs {
		if sparse && !again(old) {
			continue
		}
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
	for old, j := range copies {
		j.requires = nil
		for _, required := range old.requires {
			if over := copies[required]; over != nil {
				j.requires = append(j.requires, over)
			}
		}
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
