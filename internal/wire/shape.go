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
var errTooMuch = errors.New("the JSON has too many elements, too long names or too much invalid UTF-8 for the limit on the size of a response")

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
func fold(name string) string { return strings.ToLower(withoutDashes.Replace(name)) }

var withoutDashes = strings.NewReplacer("-", "", "_", "")

// indirect returns the type of the JSON of a t.
func indirect(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Implements(shaped) {
		return reflect.Zero(t).Interface().(shaper).Shape() //nolint:forcetypeassert // it implements it
	}
	return t
}

// shaper is a type that decodes its JSON itself.
type shaper interface{ Shape() reflect.Type }

var shaped = reflect.TypeFor[shaper]()

// prune hides the members of objects whose names match a field only after
// folding, if another member has the exact name: their names are replaced in a
// copy. Maps are not changed. The recursion is as deep as the type.
func prune(raw jsontext.Value, t reflect.Type) (pruned jsontext.Value, changed bool) {
	p := pruner{raw: raw, dec: jsontext.NewDecoder(bytes.NewBuffer(raw), readOptions)}
	if err := p.prune(t); err != nil || p.out == nil {
		return raw, false
	}
	return p.out, true
}

type pruner struct {
	raw, out jsontext.Value // out is nil until a name is replaced
	dec      *jsontext.Decoder
}

func (p *pruner) prune(t reflect.Type) error {
	t = indirect(t)
	kind := p.dec.PeekKind()
	var members *members
	switch k := t.Kind(); {
	case k == reflect.Struct && kind == jsontext.KindBeginObject:
		members = newMembers(t)
	case k == reflect.Map && kind == jsontext.KindBeginObject, (k == reflect.Slice || k == reflect.Array) && kind == jsontext.KindBeginArray:
		if e := indirect(t.Elem()).Kind(); e != reflect.Struct && e != reflect.Map && e != reflect.Slice && e != reflect.Array {
			return p.dec.SkipValue()
		}
	default:
		return p.dec.SkipValue()
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return err
	}
	for next := p.dec.PeekKind(); next != jsontext.KindEndObject && next != jsontext.KindEndArray; next = p.dec.PeekKind() {
		inner := t
		if kind == jsontext.KindBeginObject {
			begin := int(p.dec.InputOffset())
			name, err := p.dec.ReadToken()
			if err != nil {
				return err
			}
			if members != nil {
				inner = members.add(name.String(), begin)
			}
		}
		var err error
		switch {
		case inner == nil:
			err = p.dec.SkipValue()
		case members == nil:
			err = p.prune(t.Elem())
		default:
			err = p.prune(inner)
		}
		if err != nil {
			return err
		}
	}
	if members != nil {
		members.hide(p)
	}
	_, err := p.dec.ReadToken()
	return err
}

// members are those of one object whose names match a field, after folding.
type members struct {
	*fields
	exact  map[string]bool  // whether one has the exact name
	others map[string][]int // the offsets before the names of the others
}

func newMembers(t reflect.Type) *members {
	return &members{fieldsOf(t), map[string]bool{}, map[string][]int{}}
}

// add returns the type of the member's field; nil if it has none.
func (m *members) add(name string, offset int) reflect.Type {
	folded := fold(name)
	t := m.folded[folded]
	switch {
	case m.fields.exact[name] != nil:
		m.exact[folded] = true
	case t != nil:
		m.others[folded] = append(m.others[folded], offset)
	}
	return t
}

// hide replaces the names of the members that another one has precedence over.
func (m *members) hide(p *pruner) {
	for name, offsets := range m.others {
		if !m.exact[name] {
			continue
		}
		if p.out == nil {
			p.out = p.raw.Clone()
		}
		for _, i := range offsets {
			i += bytes.IndexByte(p.out[i:], '"') + 1
			for ; p.out[i] != '"'; i++ {
				if p.out[i] == '\\' {
					p.out[i] = '?'
					i++
				}
				p.out[i] = '?'
			}
		}
	}
}

// Sizes of what has no type of its own, in bytes: an estimate from above.
const (
	anySize   = 64  // a value of an interface
	entrySize = 128 // an entry of a map
	nameSize  = 2   // each byte of a name, while the decoder reads its object
)

// usualNames is the number of names in one object that cost next to nothing.
const usualNames = 64

// skipped stands for a value that no field takes.
var skipped = reflect.TypeFor[struct{}]()

// weigh adds up the memory that the elements of arrays and maps need, and fails
// if it exceeds the budget. The decoder remembers the names of one object while
// it reads it, to find duplicates, unless a field takes the member.
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
	names := int64(0) // of members that no field takes
	text := int64(0)  // of all names
	for dec.PeekKind() != jsontext.KindEndArray && dec.PeekKind() != jsontext.KindEndObject {
		inner, size, name := reflect.Type(nil), int64(anySize), ""
		if kind == jsontext.KindBeginObject {
			token, err := dec.ReadToken()
			if err != nil {
				return err
			}
			name, size = token.String(), entrySize
			text += int64(len(name))
			*budget -= nameSize * int64(len(name))
		}
		switch {
		case kind == jsontext.KindBeginArray && t == skipped:
			inner, size = skipped, 0
		case kind == jsontext.KindBeginArray && t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array):
			inner = t.Elem()
			size = sizeOf(inner) + int64(inner.Size())
		case kind == jsontext.KindBeginObject && t != nil && t.Kind() == reflect.Map:
			inner = t.Elem()
			size += int64(inner.Size())
		case kind == jsontext.KindBeginObject && t != nil && t.Kind() == reflect.Struct:
			if inner = fieldsOf(t).folded[fold(name)]; inner == nil {
				inner = skipped
				names++
				size *= min(max(names-usualNames, 0), 1)
			} else {
				size = sizeOf(inner)
			}
		}
		if *budget -= size; *budget < 0 {
			return errTooMuch
		}
		if err := weigh(dec, inner, budget); err != nil {
			return err
		}
	}
	*budget += nameSize*text + entrySize*max(names-usualNames, 0) // they are forgotten
	_, err := dec.ReadToken()
	return err
}

// sizeOf returns the size of what a pointer points to; 0 for other types.
func sizeOf(t reflect.Type) int64 {
	if t.Kind() != reflect.Pointer {
		return 0
	}
	return int64(indirect(t).Size())
}
