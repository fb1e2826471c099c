package main

import (
	"regexp"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/circleci-go/circleci/internal/wire"
)

// lost lists the paths of what an answer has and its result, encoded again, has
// not. Names may be spelled otherwise, and times and durations written so.
func lost(path string, answer, result any) (paths []string) {
	switch answer := answer.(type) {
	case map[string]any:
		object, _ := result.(map[string]any)
		spelled := map[string]any{}
		for name, v := range object {
			spelled[folded(name)] = v
		}
		for name, v := range answer {
			paths = append(paths, lost(join(path, name), v, spelled[folded(name)])...)
		}
		return paths
	case []any:
		list, _ := result.([]any)
		for i, v := range answer {
			if i >= len(list) {
				return append(paths, path+"[]")
			}
			paths = append(paths, lost(path+"[]", v, list[i])...)
		}
		return paths
	}
	if !same(answer, result) {
		return []string{path}
	}
	return nil
}

func same(answer, result any) bool {
	if answer == result {
		return true
	}
	text, ok := answer.(string)
	other, otherOK := result.(string)
	if !ok || !otherOK {
		return false
	}
	if a, err := wire.ParseTime([]byte(text)); err == nil {
		b, err := time.Parse(time.RFC3339Nano, other)
		return err == nil && a.Equal(b)
	}
	a, err := time.ParseDuration(text)
	b, otherErr := time.ParseDuration(other)
	return err == nil && otherErr == nil && a == b
}

// lost notes what a method loses of an answer. A method without a result
// promises nothing of a message.
func (c *comparison) lost(op *operation, m *method, answer, result any) {
	object, _ := answer.(map[string]any)
	if m.typ.NumOut() == 1 && !isPager(m.typ) {
		for name := range object {
			if name != "message" {
				c.differ("response-lost", op.key, name)
			}
		}
		return
	}
	if list, ok := answer.([]any); ok && isPager(m.typ) {
		answer = map[string]any{"items": list}
		for _, path := range lost("", answer, result) {
			c.differ("response-lost", op.key, strings.TrimPrefix(path, "items"))
		}
		return
	}
	for _, path := range lost("", answer, result) {
		c.differ("response-lost", op.key, path)
	}
}

// nullLost notes the numbers of which nobody can tell any more whether they
// were 0 or null.
func (c *comparison) nullLost(op *operation, answer response, results map[flavor][]any) {
	at := placeOf(answer.schema)
	collect := func(f flavor) map[string]any {
		values := map[string]any{}
		for _, result := range results[f] {
			at.walk(result, "", folded, func(path string, _ place, v any) { values[path] = v }, func(string) {})
		}
		return values
	}
	null, zero := collect(nulls), collect(zeros)
	at.visit("", func(path string, _, child place, _ string) {
		for _, s := range child {
			isNumber := s.Type.Is(openapi3.TypeInteger) || s.Type.Is(openapi3.TypeNumber)
			if s.Nullable && isNumber && null[path] == zero[path] {
				c.differ("response-null", op.key, path)
			}
		}
	})
}

// schemaErrors takes apart what is wrong with a value. Why each of several
// alternatives does not fit is of no interest.
func schemaErrors(err error) (all []*openapi3.SchemaError) {
	switch e := err.(type) { //nolint:errorlint // a wrapped one belongs to an alternative
	case openapi3.MultiError:
		for _, err := range e {
			all = append(all, schemaErrors(err)...)
		}
	case *openapi3.SchemaError:
		all = append(all, e)
	}
	return all
}

// lineOf tells where a value is wrong, and how.
func lineOf(e *openapi3.SchemaError) string {
	path := indices.ReplaceAllString(strings.Join(e.JSONPointer(), "."), "[]")
	reason, _, _ := strings.Cut(e.Reason, " [") // the values of an enumeration
	return strings.TrimPrefix(path+": "+reason, ": ")
}

var indices = regexp.MustCompile(`\.?\b[0-9]+\b`)
