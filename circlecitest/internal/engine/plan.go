package engine

import (
	"errors"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/config"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// plan returns what a pipeline runs according to its configuration. The jobs of
// a script set the behavior of jobs with the same name.
func plan(p *world.Pipeline, behavior world.Script) world.Script {
	p.Behavior = behavior
	source := p.Configuration.Source
	if len(behavior.Errors) > 0 {
		return world.Script{Config: source, Errors: behavior.Errors}
	}
	planned, err := p.Configuration.Plan(trigger(p))
	if err != nil {
		return world.Script{Config: source, Errors: pipelineErrors(err)}
	}
	workflows := workflowScripts(planned, behavior)
	if !p.Configuration.Setup || len(workflows) == 0 {
		return world.Script{Config: source, Workflows: workflows}
	}
	return world.Script{Config: source, Setup: workflows[0], NeverContinues: true}
}

// trigger returns the values of a pipeline that a configuration can use.
func trigger(p *world.Pipeline) config.Trigger {
	return config.Trigger{Branch: p.Branch, Tag: p.Tag, Parameters: p.Parameters, Values: p.Values()}
}

// pipelineErrors returns the problems of a configuration as pipeline errors.
func pipelineErrors(err error) (all []circleci.PipelineError) {
	messages := []string{err.Error()}
	if listed := new(config.Error); errors.As(err, &listed) {
		messages = listed.Messages
	}
	for _, message := range messages {
		all = append(all, circleci.PipelineError{Type: circleci.PipelineErrorTypeConfig, Message: message})
	}
	return all
}

func workflowScripts(planned []config.Workflow, behavior world.Script) (all []*world.WorkflowScript) {
	for _, w := range planned {
		script := &world.WorkflowScript{Name: w.Name, AutoReruns: behavior.AutoReruns(w.Name)}
		for _, j := range w.Jobs {
			script.Jobs = append(script.Jobs, jobScript(j, behavior.Behavior(w.Name, j.Name, j.Definition)))
		}
		all = append(all, script)
	}
	return all
}

// jobScript returns a planned job with the given behavior.
func jobScript(j config.Job, script world.JobScript) *world.JobScript {
	wasApproval := script.Kind == circleci.JobTypeApproval
	script.Name, script.Parallelism, script.Contexts = j.Name, j.Parallelism, j.Contexts
	script.Requires, script.Statuses = nil, map[string][]circleci.JobStatus{}
	for _, req := range j.Requires {
		script.Requires = append(script.Requires, req.Job)
		for _, status := range req.Statuses {
			script.Statuses[req.Job] = append(script.Statuses[req.Job], circleci.JobStatus(status))
		}
	}
	script.Kind = circleci.JobTypeBuild
	if j.Approval {
		script.Kind, script.Approved = circleci.JobTypeApproval, script.Approved && wasApproval
	}
	return &script
}

// Triggers reports whether a pipeline that is about to start runs anything or
// has errors.
func (s *Engine) Triggers(p *world.Pipeline) bool {
	script := p.Project.PeekScript()
	if p.Project.Configuration != nil {
		about := *p
		about.Configuration = p.Project.Configuration
		if about.Branch == "" && about.Tag == "" {
			about.Branch = p.Project.DefaultBranch
		}
		script = plan(&about, script)
	}
	return !script.IsEmpty()
}

// Continue continues a pipeline after its setup, with a configuration and more
// parameters.
func (s *Engine) Continue(p *world.Pipeline, source string, parameters map[string]any) {
	p.Continuation, p.Continued = "", source
	for name, value := range parameters {
		if p.Parameters == nil {
			p.Parameters = map[string]any{}
		}
		p.Parameters[name] = value
	}
	if p.Configuration != nil {
		p.Script.Workflows, p.Script.Errors = s.continued(p)
	}
	for _, w := range p.Workflows {
		if w.Tag == circleci.WorkflowTagSetup && w.Status == circleci.WorkflowStatusSuccess {
			s.proceed(p)
			return
		}
	}
}

// continued returns what a pipeline runs after its setup.
func (s *Engine) continued(p *world.Pipeline) ([]*world.WorkflowScript, []circleci.PipelineError) {
	c, err := config.Parse([]byte(p.Continued))
	if err == nil && c.Setup {
		err = errors.New("a setup configuration cannot be continued by another setup configuration")
	}
	if err != nil {
		return nil, pipelineErrors(err)
	}
	p.Configuration = c
	planned, err := c.Plan(trigger(p))
	if err != nil {
		return nil, pipelineErrors(err)
	}
	return workflowScripts(planned, p.Behavior), nil
}
