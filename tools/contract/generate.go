package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// flavor is the kind of an answer that is made from a schema.
type flavor string

const (
	full       flavor = "with every property"
	sparse     flavor = "with the required properties alone"
	nulls      flavor = "with null for all that is nullable"
	zeros      flavor = "with 0 for the numbers that are nullable"
	bare       flavor = "with null for every value"
	unexpected flavor = "with unknown properties and unknown values of enumerations"
)

// generator makes JSON values from schemas. No number, text or time comes
// twice, so that nothing can take the place of another.
type generator struct {
	flavor flavor
	count  int
}

func (g *generator) next() int {
	g.count++
	return g.count
}

// values makes the value of a schema, in each of its alternatives.
func (g *generator) values(ref *openapi3.SchemaRef, name string) []any {
	s := ref.Value
	if v, ok := g.special(s, name); ok {
		return []any{v}
	}
	switch {
	case len(s.OneOf)+len(s.AnyOf) > 0:
		var all []any
		for _, alternative := range slices.Concat(s.OneOf, s.AnyOf) {
			all = append(all, g.values(alternative, name)...)
		}
		return all
	case len(s.AllOf) > 0:
		return g.joined(s, name)
	case s.Items != nil:
		return []any{g.values(s.Items, name)} // an element for each alternative
	case s.Type.Is(openapi3.TypeObject) || len(s.Properties) > 0:
		return g.objects(s)
	}
	return []any{g.scalar(s, name)}
}

// special is a value that the flavor puts in place of any.
func (g *generator) special(s *openapi3.Schema, name string) (v any, ok bool) {
	isScalar := !isUnion(s) && s.Items == nil && !s.Type.Is(openapi3.TypeObject)
	isNumber := s.Type.Is(openapi3.TypeInteger) || s.Type.Is(openapi3.TypeNumber)
	switch {
	case g.flavor == nulls && s.Nullable && name != "", g.flavor == bare && isScalar && name != "":
		return nil, true
	case g.flavor == zeros && s.Nullable && isNumber:
		return 0, true
	}
	return nil, false
}

// joined makes the values of allOf: objects with the properties of all, and of
// others the first.
func (g *generator) joined(s *openapi3.Schema, name string) []any {
	all := map[string]any{}
	for _, part := range s.AllOf {
		object, ok := g.values(part, name)[0].(map[string]any)
		if !ok {
			return g.values(s.AllOf[0], name)
		}
		maps.Copy(all, object)
	}
	return []any{all}
}

// objects makes so many objects that each alternative of each property is in
// one.
func (g *generator) objects(s *openapi3.Schema) []any {
	all := []any{map[string]any{}}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if g.flavor == sparse && !slices.Contains(s.Required, name) {
			continue
		}
		values := g.values(s.Properties[name], name)
		for len(all) < len(values) {
			all = append(all, maps.Clone(all[len(all)-1].(map[string]any)))
		}
		for i, object := range all {
			object.(map[string]any)[name] = values[min(i, len(values)-1)]
		}
	}
	for _, object := range all {
		g.extend(s, object.(map[string]any))
	}
	return all
}

// extend adds properties that are not declared by name.
func (g *generator) extend(s *openapi3.Schema, object map[string]any) {
	extra := s.AdditionalProperties
	switch {
	case g.flavor == sparse:
	case extra.Schema != nil:
		for i, v := range g.values(extra.Schema, anyName) {
			object[fmt.Sprint("key", i)] = v
		}
	case len(s.Properties) == 0 && (extra.Has == nil || *extra.Has):
		object["key"] = g.scalar(&openapi3.Schema{}, "key")
	case g.flavor == unexpected:
		object["unknown-property"] = map[string]any{"nested": []any{1, "two"}}
	}
}

func (g *generator) scalar(s *openapi3.Schema, name string) any {
	switch {
	case len(s.Enum) > 0 && g.flavor == unexpected:
		return fmt.Sprint("unknown-value-", g.next())
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Type.Is(openapi3.TypeBoolean):
		return true
	case s.Type.Is(openapi3.TypeInteger):
		return float64(g.next() + 10)
	case s.Type.Is(openapi3.TypeNumber):
		return float64(g.next()) + 0.25
	}
	return g.text(s, name)
}

var idName = regexp.MustCompile(`(?i)(^|[-_])id$`)
var timeName = regexp.MustCompile(`[-_]at$`)

// text makes a text of the schema's format, or else of one that the name
// suggests: the document does not mark each ID and each time.
func (g *generator) text(s *openapi3.Schema, name string) string {
	n := g.next()
	id := fmt.Sprintf("00000000-0000-4000-8000-%012d", n)
	at := time.Date(2026, 3, 1, 10, 0, n, 0, time.UTC).Format(time.RFC3339)
	switch {
	case s.Format == "uuid":
		return id
	case s.Format == "date-time":
		return at
	case s.Pattern != "":
		candidates := []string{fmt.Sprintf("%dm", n), id, at, strings.Repeat(strconv.Itoa(n), 3)}
		pattern := regexp.MustCompile(s.Pattern)
		if i := slices.IndexFunc(candidates, pattern.MatchString); i >= 0 {
			return candidates[i]
		}
	case idName.MatchString(name) && name != "external_id":
		return id
	case timeName.MatchString(name):
		return at
	}
	return fmt.Sprint("text ", n)
}
