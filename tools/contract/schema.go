package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// place is what the document says of one place in a body or a query: a schema,
// or all alternatives that there are.
type place []*openapi3.Schema

// placeOf takes schemas with what they are made of by oneOf, anyOf and allOf.
func placeOf(refs ...*openapi3.SchemaRef) place {
	var p place
	for _, ref := range refs {
		if ref == nil || ref.Value == nil {
			continue
		}
		s := ref.Value
		p = append(p, s)
		p = append(p, placeOf(s.OneOf...)...)
		p = append(p, placeOf(s.AnyOf...)...)
		p = append(p, placeOf(s.AllOf...)...)
	}
	return p
}

// property returns what is declared under a name; spelling says which names
// are the same.
func (p place) property(name string, spelling func(string) string) (declared string, child place) {
	for _, s := range p {
		for other, ref := range s.Properties {
			if spelling(other) == spelling(name) {
				declared, child = other, append(child, placeOf(ref)...)
			}
		}
	}
	return declared, child
}

func (p place) properties() []string {
	names := map[string]bool{}
	for _, s := range p {
		for name := range s.Properties {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func (p place) requires(name string) bool {
	return slices.ContainsFunc(p, func(s *openapi3.Schema) bool { return slices.Contains(s.Required, name) })
}

// values returns what is declared for properties with names of any kind.
func (p place) values() place {
	var child place
	for _, s := range p {
		child = append(child, placeOf(s.AdditionalProperties.Schema)...)
	}
	return child
}

func (p place) items() place {
	var child place
	for _, s := range p {
		child = append(child, placeOf(s.Items)...)
	}
	return child
}

// isOpen reports whether anything may stand here.
func (p place) isOpen() bool {
	for _, s := range p {
		switch {
		case s.AdditionalProperties.Has != nil && *s.AdditionalProperties.Has:
			return true
		case isUnion(s) || len(s.Properties) > 0 || s.Items != nil || s.AdditionalProperties.Schema != nil:
		case s.Type == nil || s.Type.Is(openapi3.TypeObject):
			return true
		}
	}
	return false
}

func isUnion(s *openapi3.Schema) bool { return len(s.OneOf)+len(s.AnyOf)+len(s.AllOf) > 0 }

// enum returns the values that are declared; none if any text goes.
func (p place) enum() []string {
	values := map[string]bool{}
	for _, s := range p {
		for _, v := range s.Enum {
			if text, ok := v.(string); ok {
				values[text] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(values))
}

// visit walks over all properties that are declared below a place.
func (p place) visit(path string, do func(path string, parent, child place, name string)) {
	if strings.Count(path, ".") > 12 {
		return // a schema that holds itself
	}
	for _, name := range p.properties() {
		_, child := p.property(name, exact)
		do(join(path, name), p, child, name)
		child.visit(join(path, name), do)
	}
	if values := p.values(); len(values) > 0 {
		values.visit(join(path, anyName), do)
	}
	if items := p.items(); len(items) > 0 {
		items.visit(path+"[]", do)
	}
}

// anyName stands in paths for names that are not declared one by one.
const anyName = "*"

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// walk holds a JSON value against a place: found is called for each value that
// the document has a place for, undeclared for each that it has none for.
func (p place) walk(v any, path string, spelling func(string) string, found func(path string, at place, v any), undeclared func(path string)) {
	found(path, p, v)
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if items := p.items(); len(items) > 0 {
				items.walk(item, path+"[]", spelling, found, undeclared)
			} else if !p.isOpen() {
				undeclared(path + "[]")
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if declared, child := p.property(name, spelling); declared != "" {
				child.walk(v[name], join(path, declared), spelling, found, undeclared)
			} else if values := p.values(); len(values) > 0 {
				values.walk(v[name], join(path, anyName), spelling, found, undeclared)
			} else if !p.isOpen() {
				undeclared(join(path, name))
			}
		}
	}
}

// exact is the spelling of requests: each letter counts.
func exact(name string) string { return name }

// folded is the spelling of answers: case, dashes and underscores do not count.
func folded(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

// mend brings the document into a form that says what it means: nullable
// values are marked so, where there are alternatives nothing forbids them all,
// and what stands in a path or a query is text if nothing else is said.
func mend(doc *openapi3.T) {
	seen := map[*openapi3.Schema]bool{}
	var visit func(refs ...*openapi3.SchemaRef)
	visit = func(refs ...*openapi3.SchemaRef) {
		for _, ref := range refs {
			if ref == nil || ref.Value == nil || seen[ref.Value] {
				continue
			}
			s := ref.Value
			seen[s] = true
			if null, _ := s.Extensions["x-nullable"].(bool); null {
				s.Nullable = true
				if len(s.Enum) > 0 {
					s.Enum = append(s.Enum, nil)
				}
			}
			if isUnion(s) && len(s.Properties) == 0 {
				s.AdditionalProperties.Has = nil
			}
			for _, refs := range [][]*openapi3.SchemaRef{
				s.OneOf, s.AnyOf, s.AllOf, {s.Items, s.AdditionalProperties.Schema}, slices.Collect(maps.Values(s.Properties)),
			} {
				visit(refs...)
			}
		}
	}
	for _, op := range operationsOf(doc) {
		visit(op.bodies()...)
		for _, p := range op.Parameters {
			if s := p.Value.Schema; s != nil && s.Value.Type == nil && !isUnion(s.Value) {
				s.Value.Type = &openapi3.Types{openapi3.TypeString}
			}
		}
	}
}
