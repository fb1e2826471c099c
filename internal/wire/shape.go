package wire

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// errTooMuch is the error of JSON whose values would take more memory than the
// limit of its answer allows.
var errTooMuch = errors.New("the JSON has too many elements for the limit on the size of a response")

// fields are the members that a struct type has fields for.
type fields struct {
	exact  map[string]reflect.Type
	folded map[string]reflect.Type
}

var fieldCache sync.Map // of reflect.Type

func fieldsOf(t reflect.Type) *fields {
	if known, ok := fieldCache.Load(t); ok {
		return known.(*fields)
	}
	f := &fields{map[string]reflect.Type{}, map[string]reflect.Type{}}
	for _, field := range reflect.VisibleFields(t) {
		tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case !field.IsExported() || tag == "-" || field.Anonymous && tag == "":
			continue
		case tag == "":
			tag = field.Name
		}
		f.exact[tag], f.folded[fold(tag)] = field.Type, field.Type
	}
	fieldCache.Store(t, f)
	return f
}

// fold returns the form in which MatchCaseInsensitiveNames compares names.
func fold(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
}

// indirect returns the type of the JSON of a t.
func indirect(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if s, ok := reflect.Zero(t).Interface().(interface{ shape() reflect.Type }); ok {
		return s.shape()
	}
	return t
}

// prune removes the members of objects whose names match a field only after
// folding, if another member has the exact name. Maps are not changed. The
// recursion is as deep as the type.
func prune(raw jsontext.Value, t reflect.Type) (pruned jsontext.Value, changed bool) {
	t = indirect(t)
	object := raw.Kind() == jsontext.KindBeginObject
	switch k := t.Kind(); {
	case k == reflect.Struct && object:
	case k == reflect.Map && object, (k == reflect.Slice || k == reflect.Array) && raw.Kind() == jsontext.KindBeginArray:
		if e := indirect(t.Elem()).Kind(); e != reflect.Struct && e != reflect.Map && e != reflect.Slice && e != reflect.Array {
			return raw, false
		}
	default:
		return raw, false
	}
	var names []jsontext.Value
	var values []jsontext.Value
	dec := jsontext.NewDecoder(bytes.NewReader(raw), readOptions)
	if _, err := dec.ReadToken(); err != nil {
		return raw, false
	}
	for kind := dec.PeekKind(); kind != jsontext.KindEndObject && kind != jsontext.KindEndArray; kind = dec.PeekKind() {
		if object {
			name, err := dec.ReadValue()
			if err != nil {
				return raw, false
			}
			names = append(names, name.Clone())
		}
		value, err := dec.ReadValue()
		if err != nil {
			return raw, false
		}
		values = append(values, value.Clone())
	}
	types := func(int) reflect.Type { return t.Elem() }
	keep := func(int) bool { return true }
	if t.Kind() == reflect.Struct {
		f := fieldsOf(t)
		exact := map[string]bool{}
		plain := make([]string, len(names))
		for i, name := range names {
			text, _ := jsontext.AppendUnquote(nil, name) // a name that was read
			plain[i] = string(text)
			if f.exact[plain[i]] != nil {
				exact[fold(plain[i])] = true
			}
		}
		types = func(i int) reflect.Type { return f.folded[fold(plain[i])] }
		keep = func(i int) bool { return f.exact[plain[i]] != nil || !exact[fold(plain[i])] }
	}
	out := append([]byte(nil), raw[0])
	for i, value := range values {
		if !keep(i) {
			changed = true
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		if object {
			out = append(append(out, names[i]...), ':')
		}
		if t := types(i); t != nil {
			inner, also := prune(value, t)
			value, changed = inner, changed || also
		}
		out = append(out, value...)
	}
	return append(out, raw[len(raw)-1]), changed
}

// Sizes of what has no type of its own, in bytes: an estimate from above.
const (
	anySize   = 64  // a value of an interface
	entrySize = 128 // an entry of a map
)

// weigh adds up the memory that the elements of arrays and maps need, and fails
// if it exceeds the budget.
func weigh(dec *jsontext.Decoder, t reflect.Type, budget *int64) error {
	if t != nil {
		t = indirect(t)
	}
	kind := dec.PeekKind()
	if kind != jsontext.KindBeginArray && kind != jsontext.KindBeginObject {
		return dec.SkipValue()
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != jsontext.KindEndArray && dec.PeekKind() != jsontext.KindEndObject {
		inner, size := reflect.Type(nil), int64(anySize)
		switch {
		case kind == jsontext.KindBeginArray && t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array):
			inner = t.Elem()
			size = int64(inner.Size())
			if inner.Kind() == reflect.Pointer {
				size += int64(indirect(inner).Size())
			}
		case kind == jsontext.KindBeginObject:
			name, err := dec.ReadToken()
			if err != nil {
				return err
			}
			size = entrySize
			if t != nil && t.Kind() == reflect.Map {
				inner = t.Elem()
				size += int64(inner.Size())
			} else if t != nil && t.Kind() == reflect.Struct {
				if inner = fieldsOf(t).folded[fold(name.String())]; inner == nil {
					if err := dec.SkipValue(); err != nil {
						return err
					}
					continue
				}
				size = 0
				if inner.Kind() == reflect.Pointer {
					size = int64(indirect(inner).Size())
				}
			}
		}
		if *budget -= size; *budget < 0 {
			return errTooMuch
		}
		if err := weigh(dec, inner, budget); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}
