package config

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// jobEntry is a job as a workflow lists it.
type jobEntry struct {
	job      string
	name     string
	approval bool
	requires []Requirement
	contexts []string
	filters  *yaml.Node
	matrix   *matrix
	values   map[string]any // parameters of the job
}

// Requirement is a job that must end before another one starts.
type Requirement struct {
	Job string
	// Statuses are the statuses of that job that satisfy the requirement.
	Statuses []string
}

// entry parses "build" or "build: {requires: [...]}".
func (r *reader) entry(workflow string, node *yaml.Node) jobEntry {
	if node.Kind == yaml.ScalarNode {
		return jobEntry{job: node.Value, name: node.Value}
	}
	e := jobEntry{values: map[string]any{}}
	r.members(node, "a job of workflow "+workflow, func(job string, value *yaml.Node) {
		e.job, e.name = job, job
		if value.Tag == "!!null" {
			return
		}
		what := "job " + job + " of workflow " + workflow
		r.members(value, what, func(key string, value *yaml.Node) {
			switch key {
			case "name":
				e.name = value.Value
			case "type":
				e.approval = value.Value == "approval"
			case "requires":
				e.requires = r.requires(what, value)
			case "context":
				r.list(what, value, &e.contexts)
			case "filters":
				e.filters = value
			case "matrix":
				e.matrix = r.matrix(what, value)
			case "pre-steps", "post-steps", "override-with":
				r.refuse("%s: %s is not modeled", what, key)
			case "serial-group":
			default:
				var v any
				r.decode(value, what, &v)
				e.values[key] = v
			}
		})
	})
	return e
}

// list parses one text or a list of texts.
func (r *reader) list(what string, node *yaml.Node, into *[]string) {
	if node.Kind == yaml.ScalarNode {
		*into = []string{node.Value}
		return
	}
	r.decode(node, what, into)
}

// terminal stands for all statuses with which a job ends.
const terminal = "terminal"

var terminalStatuses = []string{"success", "failed", "canceled", "unauthorized", "not_run"}

func (r *reader) requires(what string, node *yaml.Node) (all []Requirement) {
	if node.Kind != yaml.SequenceNode {
		r.refuse("%s: requires: expected a list", what)
		return nil
	}
	for _, one := range node.Content {
		one = resolve(one)
		if one.Kind == yaml.ScalarNode {
			all = append(all, Requirement{one.Value, []string{"success"}})
			continue
		}
		r.members(one, what, func(job string, value *yaml.Node) {
			req := Requirement{Job: job}
			r.list(what, value, &req.Statuses)
			for _, status := range req.Statuses {
				if status != terminal && !slices.Contains(terminalStatuses, status) {
					r.refuse("%s: requires: %s is not a status", what, status)
				}
			}
			if slices.Contains(req.Statuses, terminal) {
				req.Statuses = terminalStatuses
			}
			all = append(all, req)
		})
	}
	return all
}

// check refuses workflows whose jobs do not exist, or do not take what they are
// given.
func (r *reader) check(c *Config) {
	for _, w := range c.workflows {
		for _, e := range w.jobs {
			orb, _, isOrb := strings.Cut(e.job, "/")
			switch definition, defined := c.jobs[e.job]; {
			case e.approval, isOrb && c.orbs[orb]:
			case defined:
				r.checkArguments(w.name, &e, definition)
			case isOrb:
				r.refuse("workflow %s: the orb %s of job %s is not declared", w.name, orb, e.job)
			default:
				r.refuse("workflow %s: the job %s is not defined", w.name, e.job)
			}
		}
	}
}

// checkArguments refuses values for parameters that a job does not declare, and
// declared ones without a value.
func (r *reader) checkArguments(workflow string, e *jobEntry, definition jobDefinition) {
	given := maps.Clone(e.values)
	if e.matrix != nil {
		for name := range e.matrix.parameters {
			given[name] = nil
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, declared := definition.Parameters[name]; !declared {
			r.refuse("workflow %s: job %s: Unexpected argument(s): %s", workflow, e.name, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(definition.Parameters)) {
		if _, has := given[name]; !has && !definition.Parameters[name].hasDefault() {
			r.refuse("workflow %s: job %s: Missing required argument(s): %s", workflow, e.name, name)
		}
	}
}
