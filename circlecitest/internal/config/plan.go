package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Trigger describes what a pipeline runs for.
type Trigger struct {
	Branch, Tag string
	// Parameters are the pipeline parameters that were sent.
	Parameters map[string]any
	// Values are further pipeline values by name, such as pipeline.number.
	Values map[string]any
}

// Workflow is a workflow that runs.
type Workflow struct {
	Name string
	Jobs []Job
}

// Job is a job of a workflow that runs.
type Job struct {
	Name string
	// Definition is the key of the job in the configuration's jobs; for a job
	// of an orb it has the form orb/job.
	Definition  string
	Approval    bool
	Orb         bool
	Parallelism int
	Contexts    []string
	Requires    []Requirement
}

// CheckParameters returns what is wrong with the parameters sent to a pipeline:
// undeclared names, and values of other types. The messages are sorted by name.
func (c *Config) CheckParameters(sent map[string]any) (problems []string) {
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		p, ok := c.Parameters[name]
		if !ok {
			problems = append(problems, "Unexpected argument(s): "+name)
		} else if wrong := p.accepts(sent[name]); wrong != "" {
			problems = append(problems, "Type error for argument "+name+": "+wrong)
		}
	}
	return problems
}

// Values returns the pipeline parameters with their defaults applied.
func (c *Config) Values(sent map[string]any) map[string]any {
	values := map[string]any{}
	for name, p := range c.Parameters {
		if p.hasDefault {
			values[name] = p.Default
		}
	}
	maps.Copy(values, sent)
	return values
}

// Plan returns the workflows that run for a trigger, in the order of the
// configuration. The error is an *Error.
func (c *Config) Plan(t Trigger) ([]Workflow, error) {
	r := &reader{}
	r.problems = c.CheckParameters(t.Parameters)
	if len(r.problems) > 0 {
		return nil, &Error{r.problems}
	}
	s := c.scope(t)
	var plan []Workflow
	for _, w := range c.workflows {
		if runs := r.runs(s, &w); !runs {
			continue
		}
		jobs := r.expand(c, s, &w, func(filters *yaml.Node) (bool, error) { return s.passes(filters, t) })
		if len(jobs) > 0 {
			plan = append(plan, Workflow{w.name, jobs})
		}
	}
	if len(r.problems) > 0 {
		return nil, &Error{r.problems}
	}
	return plan, nil
}

// Check returns what is wrong with any of the workflows, whether or not they run
// for this trigger: jobs that wait for each other or for a missing job, and
// unknown values.
func (c *Config) Check(t Trigger) []string {
	r, s := &reader{problems: c.CheckParameters(t.Parameters)}, c.scope(t)
	for _, w := range c.workflows {
		r.runs(s, &w)
		r.expand(c, s, &w, func(filters *yaml.Node) (bool, error) {
			_, err := s.passes(filters, t)
			return true, err
		})
	}
	return r.problems
}

// scope returns the values that the configuration can refer to.
func (c *Config) scope(t Trigger) scope {
	s := scope{"pipeline.git.branch": t.Branch, "pipeline.git.tag": t.Tag}
	maps.Copy(s, t.Values)
	for name := range c.Parameters {
		s["pipeline.parameters."+name] = ""
	}
	for name, value := range c.Values(t.Parameters) {
		s["pipeline.parameters."+name] = value
	}
	return s
}

func (r *reader) runs(s scope, w *workflowDefinition) bool {
	if w.scheduled {
		return false
	}
	for _, condition := range []struct {
		node *yaml.Node
		want bool
	}{{w.when, true}, {w.unless, false}} {
		if condition.node == nil {
			continue
		}
		ok, err := s.holds(condition.node)
		if err != nil {
			r.refuse("workflow %s: %v", w.name, err)
			return false
		}
		if ok != condition.want {
			return false
		}
	}
	return true
}

// expand returns a workflow's jobs. It multiplies matrices, and leaves out jobs
// that a filter excludes, together with the jobs that require them.
func (r *reader) expand(c *Config, s scope, w *workflowDefinition, passes func(filters *yaml.Node) (bool, error)) (jobs []Job) {
	members := map[string][]string{} // the jobs that a name in requires stands for
	known := map[string]bool{}
	type candidate struct {
		job  Job
		runs bool
	}
	var candidates []candidate
	for i := range w.jobs {
		e := &w.jobs[i]
		combinations := []map[string]any{nil}
		if e.matrix != nil {
			combinations = e.matrix.combinations()
		}
		for _, values := range combinations {
			name, err := s.fill(e.jobName(values))
			if err != nil {
				r.refuse("workflow %s: job %s: %v", w.name, e.job, err)
				continue
			}
			job := Job{
				Name: fmt.Sprint(name), Definition: e.job, Approval: e.approval || c.jobs[e.job].Type == "approval",
				Orb: strings.Contains(e.job, "/"), Contexts: e.contexts, Requires: e.requires,
			}
			if job.Parallelism, err = c.parallelism(e, s, values); err != nil {
				r.refuse("workflow %s: job %s: parallelism: %v", w.name, e.job, err)
			}
			if known[job.Name] {
				r.refuse("workflow %s has two jobs named %s: give one of them another name", w.name, job.Name)
			}
			known[job.Name] = true
			if e.matrix != nil {
				group := e.job
				if e.matrix.alias != "" {
					group = e.matrix.alias
				}
				members[group] = append(members[group], job.Name)
			}
			runs, err := passes(e.filters)
			if err != nil {
				r.refuse("workflow %s: job %s: %v", w.name, job.Name, err)
			}
			candidates = append(candidates, candidate{job, runs})
		}
	}
	running := map[string]bool{}
	for _, c := range candidates {
		running[c.job.Name] = c.runs
	}
	for _, c := range candidates {
		c.job.Requires = r.resolveRequires(w.name, c.job, known, members)
		if c.runs {
			jobs = append(jobs, c.job)
		}
	}
	jobs = withoutOrphans(jobs, running)
	r.refuseCycles(w.name, jobs)
	return jobs
}

// resolveRequires replaces the name of a matrix with its jobs.
func (r *reader) resolveRequires(workflow string, job Job, known map[string]bool, members map[string][]string) (all []Requirement) {
	for _, req := range job.Requires {
		switch {
		case known[req.Job]:
			all = append(all, req)
		case members[req.Job] != nil:
			for _, member := range members[req.Job] {
				all = append(all, Requirement{member, req.Statuses})
			}
		default:
			r.refuse("workflow %s: job %s requires %s, which is not a job of this workflow", workflow, job.Name, req.Job)
		}
	}
	return all
}

// withoutOrphans leaves out the jobs that require one which a filter excludes.
func withoutOrphans(jobs []Job, running map[string]bool) []Job {
	for {
		kept := slices.DeleteFunc(slices.Clone(jobs), func(j Job) bool {
			orphan := slices.ContainsFunc(j.Requires, func(req Requirement) bool { return !running[req.Job] })
			if orphan {
				running[j.Name] = false
			}
			return orphan
		})
		if len(kept) == len(jobs) {
			return kept
		}
		jobs = kept
	}
}

// refuseCycles reports jobs that wait for each other.
func (r *reader) refuseCycles(workflow string, jobs []Job) {
	done := map[string]bool{}
	for range jobs {
		for _, j := range jobs {
			done[j.Name] = done[j.Name] || !slices.ContainsFunc(j.Requires, func(req Requirement) bool { return !done[req.Job] })
		}
	}
	var stuck []string
	for _, j := range jobs {
		if !done[j.Name] {
			stuck = append(stuck, j.Name)
		}
	}
	if len(stuck) > 0 {
		r.refuse("workflow %s has a cycle: %s wait for each other", workflow, strings.Join(stuck, ", "))
	}
}

// parallelism returns a number, which may be a reference to a parameter.
func (c *Config) parallelism(e *jobEntry, s scope, combination map[string]any) (int, error) {
	definition := c.jobs[e.job]
	if definition.Parallelism == nil {
		return 1, nil
	}
	local := maps.Clone(s)
	for name, p := range definition.Parameters {
		var value any
		if err := p.Default.Decode(&value); err != nil {
			return 0, err
		}
		local["parameters."+name] = value
	}
	for _, values := range []map[string]any{e.values, combination} {
		for name, value := range values {
			local["parameters."+name] = value
		}
	}
	filled, err := local.fill(fmt.Sprint(definition.Parallelism))
	if err == nil {
		filled, err = local.fill(fmt.Sprint(filled)) // the value may refer to a pipeline parameter
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(fmt.Sprint(filled))
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%v is not a number from 1", filled)
	}
	return n, nil
}

// passes evaluates a job's filters. A job without filters runs for branches,
// but not for tags.
func (s scope) passes(node *yaml.Node, t Trigger) (bool, error) {
	if node == nil {
		return t.Tag == "", nil
	}
	if node = resolve(node); node.Kind == yaml.ScalarNode {
		return s.scalarHolds(node)
	}
	var f struct{ Branches, Tags *filter }
	if err := node.Decode(&f); err != nil {
		return false, fmt.Errorf("filters: %w", err)
	}
	if t.Tag != "" {
		return f.Tags.matches(t.Tag, false)
	}
	return f.Branches.matches(t.Branch, true)
}

// filter has lists of names and /patterns/.
type filter struct{ Only, Ignore names }

type names []string

// UnmarshalYAML decodes one name or a list of names.
func (n *names) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*n = names{node.Value}
		return nil
	}
	return node.Decode((*[]string)(n))
}

func (f *filter) matches(text string, without bool) (bool, error) {
	if f == nil {
		return without, nil
	}
	ignored, err := f.Ignore.match(text)
	if err != nil || ignored {
		return false, err
	}
	if len(f.Only) == 0 {
		return true, nil
	}
	return f.Only.match(text)
}

func (n names) match(text string) (bool, error) {
	for _, name := range n {
		if len(name) > 1 && name[0] == '/' && name[len(name)-1] == '/' {
			if ok, err := matches(name[1:len(name)-1], text); ok || err != nil {
				return ok, err
			}
		} else if name == text {
			return true, nil
		}
	}
	return false, nil
}
