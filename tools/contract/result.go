package main

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
)

// resultOf returns the type of a method's result, and the place of the answer
// that it is read from, with its path; nil if the method has none.
func resultOf(m *method, answer place) (t reflect.Type, at place, path string) {
	t = m.typ.Out(0)
	if !isPager(m.typ) {
		if m.typ.NumOut() == 1 {
			return nil, nil, ""
		}
		return t, answer, ""
	}
	pages, _ := t.MethodByName("Page")
	items, _ := pages.Type.Out(0).Elem().FieldByName("Items")
	if name, child := answer.property("items", exact); name != "" {
		return items.Type, child, name
	}
	return items.Type, answer, ""
}

func isPager(method reflect.Type) bool {
	_, ok := method.Out(0).MethodByName("Page")
	return ok
}

// result holds the type of a result against the place that it is read from.
func (c *comparison) result(t reflect.Type, at place, key, path string) {
	switch {
	case t.Kind() == reflect.Pointer:
		c.result(t.Elem(), at, key, path)
	case writesItself(t):
	case t.Kind() == reflect.Slice:
		c.result(t.Elem(), at.items(), key, path+"[]")
	case t.Kind() == reflect.Map:
		c.result(t.Elem(), at.values(), key, join(path, anyName))
	case t.Kind() == reflect.Struct:
		for field := range t.Fields() {
			c.resultField(t, field, at, key, path)
		}
	case c.src.isEnum(t):
		c.meet(at, key+" "+path, marker(t.Name()))
	case t.Kind() == reflect.String:
		c.meet(at, key+" "+path, plainText)
	}
}

func (c *comparison) resultField(t reflect.Type, field reflect.StructField, at place, key, path string) {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	switch {
	case field.Anonymous:
		c.result(field.Type, at, key, path)
		return
	case !field.IsExported() || name == "-":
		return
	}
	id := t.Name() + "." + name
	declared, child := at.property(name, folded)
	c.fields[id] = c.fields[id] || declared != "" || at.isOpen()
	if declared == "" && !at.isOpen() {
		c.absent[key+" "+join(path, name)] = id
	}
	if declared != "" {
		c.result(field.Type, child, key, join(path, declared))
	}
}

// writesItself reports whether a type has a form in JSON of its own.
func writesItself(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[json.Marshaler]()) || t.Implements(reflect.TypeFor[encoding.TextMarshaler]())
}
