// Package config reads CircleCI configuration files (.circleci/config.yml) as
// far as workflows go: which workflows and jobs run for a given branch or tag
// and given pipeline parameters, in which order, and what waits for approval.
//
// Modeled: version 2 and 2.1; pipeline parameters with types and defaults;
// setup; jobs and their parallelism; workflows with when and unless, as logic
// statements and as expressions; jobs with requires (and the statuses they
// require), approval, name, context, filters of branches and tags and as
// expressions, matrices with exclude and alias. A job of an orb succeeds.
//
// Not modeled, and refused by name: job-groups, pre-steps, post-steps and
// override-with, max_auto_reruns and other keys of workflows, pipeline values
// that the caller does not give, and operators that are not documented. Ignored, as they do not change which jobs run: steps,
// executors, commands, caches, serial-group, and a workflow's schedule triggers
// (such a workflow does not run for a push).
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Config is a parsed configuration.
type Config struct {
	// Setup reports whether this is a setup configuration, which must continue
	// its pipeline.
	Setup bool
	// Parameters are the declared pipeline parameters.
	Parameters map[string]Parameter
	// Source is the text that was read.
	Source string

	jobs      map[string]jobDefinition
	orbs      map[string]bool
	workflows []workflowDefinition
}

// Parameter is a declared pipeline parameter.
type Parameter struct {
	Type    string   `yaml:"type"`
	Enum    []string `yaml:"enum"`
	Default any      `yaml:"default"`

	hasDefault bool
}

// Error lists the problems of a configuration, with one message for each.
type Error struct{ Messages []string }

func (e *Error) Error() string { return strings.Join(e.Messages, "; ") }

type jobDefinition struct {
	Type        string                  `yaml:"type"`
	Parallelism any                     `yaml:"parallelism"`
	Parameters  map[string]jobParameter `yaml:"parameters"`
}

type jobParameter struct {
	Default yaml.Node `yaml:"default"`
}

func (p jobParameter) hasDefault() bool { return p.Default.Kind != 0 }

type workflowDefinition struct {
	name         string
	when, unless *yaml.Node
	scheduled    bool
	jobs         []jobEntry
}

// Parse reads a configuration. The error is an *Error.
func Parse(source []byte) (*Config, error) {
	var root yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	switch err := decoder.Decode(&root); {
	case errors.Is(err, io.EOF):
		return nil, &Error{[]string{"the configuration is empty"}}
	case err != nil:
		return nil, &Error{[]string{"the configuration is not valid YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}}
	}
	if budget := mostNodes; !withinBounds(&root, map[*yaml.Node]bool{}, &budget) {
		return nil, &Error{[]string{"the configuration is too large, or an alias refers to itself"}}
	}
	r := &reader{}
	c := r.config(root.Content[0])
	if len(r.problems) == 0 {
		r.check(c)
	}
	if len(r.problems) > 0 {
		return nil, &Error{r.problems}
	}
	c.Source = string(source)
	return c, nil
}

// mostNodes is the maximum number of nodes of a document, after aliases are
// expanded.
const mostNodes = 200_000

// withinBounds counts the nodes of a document, and refuses aliases within what
// they refer to.
func withinBounds(node *yaml.Node, above map[*yaml.Node]bool, budget *int) bool {
	if *budget--; *budget < 0 || above[node] {
		return false
	}
	above[node] = true
	defer delete(above, node)
	if node.Kind == yaml.AliasNode {
		return withinBounds(node.Alias, above, budget)
	}
	for _, child := range node.Content {
		if !withinBounds(child, above, budget) {
			return false
		}
	}
	return true
}

// reader collects the problems of a document.
type reader struct{ problems []string }

func (r *reader) refuse(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// members calls f for each member of a mapping, and refuses anything else.
func (r *reader) members(node *yaml.Node, what string, f func(name string, value *yaml.Node)) {
	node = resolve(node)
	if node.Kind != yaml.MappingNode {
		r.refuse("%s: expected a map", what)
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if name := node.Content[i].Value; name == "<<" {
			r.members(node.Content[i+1], what, f) // a merge key
		} else {
			f(name, resolve(node.Content[i+1]))
		}
	}
}

func resolve(node *yaml.Node) *yaml.Node {
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	return node
}

func (r *reader) decode(node *yaml.Node, what string, into any) {
	if err := node.Decode(into); err != nil {
		r.refuse("%s: %s", what, strings.TrimPrefix(err.Error(), "yaml: "))
	}
}

func (r *reader) config(root *yaml.Node) *Config {
	c := &Config{Parameters: map[string]Parameter{}, jobs: map[string]jobDefinition{}, orbs: map[string]bool{}}
	version := ""
	r.members(root, "the configuration", func(name string, value *yaml.Node) {
		switch name {
		case "version":
			version = value.Value
		case "setup":
			r.decode(value, "setup", &c.Setup)
		case "parameters":
			r.members(value, "parameters", func(name string, value *yaml.Node) { c.Parameters[name] = r.parameter(name, value) })
		case "jobs":
			r.members(value, "jobs", func(name string, value *yaml.Node) {
				var job jobDefinition
				r.decode(value, "job "+name, &job)
				c.jobs[name] = job
			})
		case "orbs":
			r.members(value, "orbs", func(name string, _ *yaml.Node) { c.orbs[name] = true })
		case "workflows":
			r.members(value, "workflows", func(name string, value *yaml.Node) {
				if name != "version" {
					c.workflows = append(c.workflows, r.workflow(name, value))
				}
			})
		case "job-groups":
			r.refuse("job-groups are not modeled")
		}
	})
	if !slices.Contains([]string{"2", "2.0", "2.1"}, version) {
		r.refuse("version: expected 2 or 2.1, got %q", version)
	}
	if _, ok := c.jobs["build"]; ok && c.workflows == nil {
		c.workflows = []workflowDefinition{{name: "workflow", jobs: []jobEntry{{job: "build", name: "build"}}}}
	}
	if c.workflows == nil {
		r.refuse("the configuration has no workflows, and no job named build")
	}
	if c.Setup && len(c.workflows) > 1 {
		r.refuse("a setup configuration can have one workflow only")
	}
	return c
}

func (r *reader) parameter(name string, node *yaml.Node) (p Parameter) {
	r.members(node, "parameter "+name, func(key string, value *yaml.Node) {
		switch key {
		case "type":
			p.Type = value.Value
		case "enum":
			r.decode(value, "parameter "+name, &p.Enum)
		case "default":
			p.hasDefault = true
			r.decode(value, "parameter "+name, &p.Default)
		}
	})
	if !slices.Contains([]string{"string", "boolean", "integer", "enum"}, p.Type) {
		r.refuse("parameter %s: the type %q is not one of string, boolean, integer and enum", name, p.Type)
	} else if p.hasDefault {
		if err := p.accepts(p.Default); err != "" {
			r.refuse("parameter %s: the default %s", name, err)
		}
	}
	return p
}

// accepts returns what is wrong with a value, or "".
func (p Parameter) accepts(value any) string {
	ok := false
	switch p.Type {
	case "string":
		_, ok = value.(string)
	case "boolean":
		_, ok = value.(bool)
	case "integer":
		switch v := value.(type) {
		case int, int64:
			ok = true
		case float64:
			ok = v == float64(int64(v))
		}
	case "enum":
		text, isText := value.(string)
		if ok = isText && slices.Contains(p.Enum, text); !ok {
			return fmt.Sprintf("is not one of %s", strings.Join(p.Enum, ", "))
		}
	}
	if !ok {
		return fmt.Sprintf("%v is not of type %s", value, p.Type)
	}
	return ""
}

func (r *reader) workflow(name string, node *yaml.Node) workflowDefinition {
	w := workflowDefinition{name: name}
	r.members(node, "workflow "+name, func(key string, value *yaml.Node) {
		switch key {
		case "when":
			w.when = value
		case "unless":
			w.unless = value
		case "triggers":
			w.scheduled = true
		case "jobs":
			if value.Kind != yaml.SequenceNode {
				r.refuse("workflow %s: jobs: expected a list", name)
				return
			}
			for _, entry := range value.Content {
				w.jobs = append(w.jobs, r.entry(name, resolve(entry)))
			}
		default:
			r.refuse("workflow %s: %s is not modeled", name, key)
		}
	})
	if len(w.jobs) == 0 {
		r.refuse("workflow %s has no jobs", name)
	}
	return w
}
