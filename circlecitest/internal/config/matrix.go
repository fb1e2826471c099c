package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// matrix runs a job once for each combination of parameters.
type matrix struct {
	alias      string
	parameters map[string][]any
	exclude    []map[string]any
}

// mostCombinations is the maximum number of jobs of one matrix.
const mostCombinations = 128

func (r *reader) matrix(what string, node *yaml.Node) *matrix {
	m := &matrix{parameters: map[string][]any{}}
	r.members(node, what+": matrix", func(key string, value *yaml.Node) {
		switch key {
		case "alias":
			m.alias = value.Value
		case "exclude":
			r.decode(value, what+": matrix.exclude", &m.exclude)
		case "parameters":
			r.members(value, what+": matrix.parameters", func(name string, value *yaml.Node) {
				var values []any
				r.decode(value, what+": matrix."+name, &values)
				if len(values) == 0 {
					r.refuse("%s: matrix.%s has no values", what, name)
				}
				m.parameters[name] = values
			})
		default:
			r.refuse("%s: matrix.%s is not modeled", what, key)
		}
	})
	if len(m.parameters) == 0 {
		r.refuse("%s: the matrix has no parameters", what)
	}
	size := 1
	for _, values := range m.parameters {
		if size *= max(len(values), 1); size > mostCombinations {
			r.refuse("%s: the matrix has more than %d combinations", what, mostCombinations)
			break
		}
	}
	return m
}

// combinations returns the values of each job, by parameter name.
func (m *matrix) combinations() (all []map[string]any) {
	all = []map[string]any{{}}
	for _, name := range slices.Sorted(maps.Keys(m.parameters)) {
		var longer []map[string]any
		for _, c := range all {
			for _, value := range m.parameters[name] {
				next := maps.Clone(c)
				next[name] = value
				longer = append(longer, next)
			}
		}
		all = longer
	}
	return slices.DeleteFunc(all, func(c map[string]any) bool {
		return slices.ContainsFunc(m.exclude, func(excluded map[string]any) bool {
			for name, value := range excluded {
				if fmt.Sprint(c[name]) != fmt.Sprint(value) {
					return false
				}
			}
			return true
		})
	})
}

// jobName returns the name of one job of a matrix: the given name with the
// values filled in, or else the job's name followed by the values, in the order
// of the parameter names.
func (e *jobEntry) jobName(combination map[string]any) string {
	if strings.Contains(e.name, "<<") {
		return template.ReplaceAllStringFunc(e.name, func(reference string) string {
			name, ok := strings.CutPrefix(template.FindStringSubmatch(reference)[1], "matrix.")
			if value, known := combination[name]; ok && known {
				return fmt.Sprint(value)
			}
			return reference
		})
	}
	parts := []string{e.name}
	for _, name := range slices.Sorted(maps.Keys(combination)) {
		parts = append(parts, fmt.Sprint(combination[name]))
	}
	return strings.Join(parts, "-")
}
