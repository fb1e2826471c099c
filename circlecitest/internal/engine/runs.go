package engine

import (
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// How long CircleCI takes between two states.
const (
	processingTime = time.Second     // of a configuration
	appearingTime  = time.Second     // until workflows are there
	queueingTime   = 2 * time.Second // until a job has a machine
	autoRerunTime  = 5 * time.Second // until a failed workflow is rerun, if that is configured
)

// Start numbers a pipeline and runs the script or configuration of its project.
func (s *Engine) Start(p *world.Pipeline) *world.Pipeline {
	s.number(p)
	script := p.Project.NextScript()
	if p.Configuration = p.Project.Configuration; p.Configuration != nil {
		script = plan(p, script)
	}
	return s.run(p, script)
}

// number gives a pipeline its ID and number.
func (s *Engine) number(p *world.Pipeline) {
	p.Project.LastPipeline++
	p.ID, p.Number = s.NewID(), p.Project.LastPipeline
	p.Actor = s.Me
	p.Revision = world.HexID(s.NewID()) + world.HexID(s.NewID())[:8]
	if p.Branch == "" && p.Tag == "" {
		p.Branch = p.Project.DefaultBranch
	}
}

// run runs a numbered pipeline.
func (s *Engine) run(p *world.Pipeline, script world.Script) *world.Pipeline {
	w := &s.Runs
	p.Script, p.State = script, circleci.PipelineStatePending
	p.Created, p.Updated = s.Now(), s.Now()
	if p.Script.Setup != nil {
		p.State = circleci.PipelineStateSetupPending
		p.Continuation = world.HexID(s.NewID())
	}
	w.Pipelines = append(w.Pipelines, p)
	w.ByID[p.ID], w.PipelinesByNumber[world.Numbered{Project: p.Project, Number: p.Number}] = p, p
	w.Trim()
	s.After(processingTime, func() { s.process(p) })
	return p
}

func (s *Engine) process(p *world.Pipeline) {
	if p.Script.Setup == nil {
		s.proceed(p)
		return
	}
	s.turn(p, circleci.PipelineStateSetup)
	s.After(appearingTime, func() { s.addWorkflow(p, p.Script.Setup, circleci.WorkflowTagSetup) })
}

// proceed runs what follows the setup.
func (s *Engine) proceed(p *world.Pipeline) {
	p.Continuation = ""
	if len(p.Script.Errors) > 0 {
		p.Errors = p.Script.Errors
		s.turn(p, circleci.PipelineStateErrored)
		return
	}
	s.turn(p, circleci.PipelineStateCreated)
	s.After(appearingTime, func() {
		for _, script := range p.Script.Workflows {
			s.addWorkflow(p, script, "")
		}
	})
}

func (s *Engine) turn(p *world.Pipeline, state circleci.PipelineState) {
	p.State, p.Updated = state, s.Now()
}

// addWorkflow starts a workflow of a pipeline.
func (s *Engine) addWorkflow(p *world.Pipeline, script *world.WorkflowScript, tag circleci.WorkflowTag) {
	w := &world.Workflow{
		ID: s.NewID(), Name: script.Name, Pipeline: p, Script: script, Tag: tag, Created: s.Now(), StartedBy: p.Actor,
	}
	byName := map[string]*world.Job{}
	for _, js := range script.Jobs {
		j := &world.Job{ID: s.NewID(), Workflow: w, Script: js, Status: circleci.JobStatusBlocked}
		byName[js.Name] = j
		w.Jobs = append(w.Jobs, j)
	}
	for _, j := range w.Jobs {
		for _, name := range j.Script.Requires {
			j.Requires = append(j.Requires, byName[name])
		}
	}
	s.enter(w)
}

// enter starts a workflow, or continues it if some of its jobs have ended.
func (s *Engine) enter(w *world.Workflow) {
	w.Pipeline.Workflows = append(w.Pipeline.Workflows, w)
	if !w.Pipeline.Forgotten {
		s.Runs.Workflows[w.ID] = w
		for _, j := range w.Jobs {
			s.Runs.Jobs[j.ID] = j
			s.Index(j)
		}
	}
	s.settle(w)
}

// settle starts the jobs that are ready, and updates the workflow's status.
func (s *Engine) settle(w *world.Workflow) {
	s.unblock(w)
	var open, held, failed, canceled, unauthorized bool
	for _, j := range w.Jobs {
		open = open || j.Status == circleci.JobStatusQueued || j.Status == circleci.JobStatusRunning
		held = held || j.Status == circleci.JobStatusOnHold
		failed = failed || j.Status.Failed()
		canceled = canceled || j.Status == circleci.JobStatusCanceled
		unauthorized = unauthorized || j.Status == circleci.JobStatusUnauthorized
	}
	switch {
	case open && failed:
		w.Status = circleci.WorkflowStatusFailing
	case open:
		w.Status = circleci.WorkflowStatusRunning
	case held && !canceled:
		w.Status = circleci.WorkflowStatusOnHold
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

// unblock starts ready jobs, and marks those that will never run. Because a job
// can wait for another one not to run, it may take several rounds.
func (s *Engine) unblock(w *world.Workflow) {
	for changed := true; changed; {
		changed = false
		for _, j := range w.Jobs {
			switch {
			case j.Status != circleci.JobStatusBlocked:
			case j.Ready():
				s.begin(j)
			case j.Skipped():
				j.Status, changed = circleci.JobStatusNotRun, true
			}
		}
	}
}

func (s *Engine) begin(j *world.Job) {
	if j.Script.Kind == circleci.JobTypeApproval {
		j.Status, j.Approval = circleci.JobStatusOnHold, s.NewID()
		if j.Script.Approved {
			s.After(j.Script.Duration, func() { s.Approve(j, s.Me) })
		}
		return
	}
	j.Status, j.Queued = circleci.JobStatusQueued, s.Now()
	s.After(queueingTime, func() {
		if j.Status != circleci.JobStatusQueued {
			return // canceled
		}
		p := j.Workflow.Pipeline.Project
		p.LastJob++
		j.Number, j.Status, j.Started = p.LastJob, circleci.JobStatusRunning, s.Now()
		s.Index(j)
		s.settle(j.Workflow)
		s.After(s.duration(j.Script), func() {
			if j.Status == circleci.JobStatusRunning {
				s.EndJob(j, s.outcome(j))
			}
		})
	})
}

// duration returns how long a run of a job takes.
func (s *Engine) duration(script *world.JobScript) time.Duration {
	if script.Varies == 0 {
		return script.Duration
	}
	return time.Duration(float64(script.Duration) * (1 + script.Varies*(2*s.Chance.Float64()-1)))
}

// outcome returns how this run of the job ends.
func (s *Engine) outcome(j *world.Job) circleci.JobStatus {
	status, outcomes := circleci.JobStatusSuccess, j.Script.Outcomes
	if len(outcomes) > 0 {
		status = outcomes[min(j.Run, len(outcomes)-1)]
	}
	failed := j.Script.Fails > 0 && s.Chance.Float64() < j.Script.Fails
	j.Flakes = make([]bool, len(j.Script.Flaky))
	for i, test := range j.Script.Flaky {
		j.Flakes[i] = s.Chance.Float64() < test.Share
		failed = failed || j.Flakes[i]
	}
	if failed && status == circleci.JobStatusSuccess {
		return circleci.JobStatusFailed
	}
	return status
}

// EndJob ends a job and updates its workflow.
func (s *Engine) EndJob(j *world.Job, status circleci.JobStatus) {
	s.stop(j, status)
	s.settle(j.Workflow)
}

// stop ends a job without updating its workflow.
func (s *Engine) stop(j *world.Job, status circleci.JobStatus) {
	j.Status, j.Stopped = status, s.Now()
	if p := j.Workflow.Pipeline.Project; j.Number != 0 {
		p.LastStop = world.Latest(p.LastStop, j.Stopped)
	}
	s.Courier.AnnounceJob(j)
}

// Approve approves a job if it is still on hold.
func (s *Engine) Approve(j *world.Job, by *world.User) {
	if j.Status == circleci.JobStatusOnHold {
		j.ApprovedBy = by
		s.EndJob(j, circleci.JobStatusSuccess)
	}
}

func (s *Engine) end(w *world.Workflow, status circleci.WorkflowStatus) {
	if w.Status.Done() {
		return
	}
	w.Status, w.Stopped = status, s.Now()
	s.Courier.AnnounceWorkflow(w)
	p := w.Pipeline
	if w.Tag == circleci.WorkflowTagSetup && status == circleci.WorkflowStatusSuccess && p.State == circleci.PipelineStateSetup &&
		(p.Continued != "" || !p.Script.NeverContinues) {
		s.proceed(p)
	}
	if status == circleci.WorkflowStatusFailed && w.AutoRerun < w.Script.AutoReruns {
		s.After(autoRerunTime, func() {
			next := s.Rerun(w, func(j *world.Job) bool { return j.Status != circleci.JobStatusSuccess }, false)
			next.AutoRerun = w.AutoRerun + 1
		})
	}
}

// Cancel cancels the unfinished jobs of a workflow.
func (s *Engine) Cancel(w *world.Workflow) {
	if w.Status.Done() {
		return
	}
	w.CanceledBy = s.Me
	for _, j := range w.Jobs {
		if !j.Status.Done() {
			j.CanceledBy = s.Me
			s.stop(j, circleci.JobStatusCanceled)
		}
	}
	s.settle(w)
}

// Rerun runs the jobs that again selects in a new workflow. The other jobs are
// taken over unchanged, or left out if sparse is set.
func (s *Engine) Rerun(w *world.Workflow, again func(*world.Job) bool, sparse bool) *world.Workflow {
	next := &world.Workflow{
		ID: s.NewID(), Name: w.Name, Pipeline: w.Pipeline, Script: w.Script, Tag: w.Tag, Created: s.Now(), StartedBy: s.Me,
	}
	copies := map[*world.Job]*world.Job{}
	for _, old := range w.Jobs {
		if sparse && !again(old) {
			continue
		}
		j := *old
		if again(old) {
			j = world.Job{ID: s.NewID(), Script: old.Script, Status: circleci.JobStatusBlocked, Run: old.Run}
			if old.Status.Done() && !old.Started.IsZero() {
				j.Run++
			}
		}
		j.Workflow = next
		copies[old] = &j
		next.Jobs = append(next.Jobs, &j)
	}
	for old, j := range copies {
		j.Requires = nil
		for _, required := range old.Requires {
			if over := copies[required]; over != nil {
				j.Requires = append(j.Requires, over)
			}
		}
	}
	s.enter(next)
	return next
}
