package apiv3

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"

	"github.com/circleci-go/circleci/internal/wire"
)

// The API v3 puts a resource into an envelope: its ID, its attributes, and
// references to other resources, each with an ID and at times a copy of some of
// their attributes. Here it is laid flat before it is decoded, so that types
// are plain structs:
//
//	{"id":1,"attributes":{"name":"a"},"references":{"org":{"id":2,"attributes":{"name":"b"}}}}
//	{"id":1,"name":"a","org_id":2,"org":{"id":2,"name":"b"}}
//
// An attribute takes precedence over a reference of the same name.

type object map[string]json.RawMessage

// flatten lays a resource flat.
func flatten(data json.RawMessage) (object, error) {
	var in object
	if err := wire.Unmarshal(data, &in); err != nil {
		return nil, err
	}
	if in == nil {
		return nil, errors.New("the response contains null in place of a resource")
	}
	out := object{}
	if err := out.refer(in["references"]); err != nil {
		return nil, err
	}
	return out, out.merge(in)
}

// merge adds the members of a resource, but for its references.
func (o object) merge(in object) error {
	var attributes object
	if raw, ok := in["attributes"]; ok {
		if err := wire.Unmarshal(raw, &attributes); err != nil {
			return err
		}
	}
	id, hasID := in["id"]
	for name, value := range in {
		if name != "attributes" && name != "references" {
			o[name] = value
		}
	}
	maps.Copy(o, attributes)
	if hasID {
		o["id"] = id
	}
	return nil
}

// refer adds references.
func (o object) refer(data json.RawMessage) error {
	if len(data) == 0 {
		return nil
	}
	var in object
	if err := wire.Unmarshal(data, &in); err != nil {
		return err
	}
	for name, value := range in {
		value = bytes.TrimSpace(value)
		if len(value) == 0 {
			continue
		}
		var err error
		switch value[0] {
		case '{':
			err = o.referOne(name, value)
		case '[':
			err = o.referMany(name, value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (o object) referOne(name string, value json.RawMessage) error {
	flat, err := flattenReference(value)
	if err != nil {
		return err
	}
	if id, ok := flat["id"]; ok {
		o[name+"_id"] = id
	}
	o[name] = flat.encode()
	return nil
}

func (o object) referMany(name string, value json.RawMessage) error {
	var values []json.RawMessage
	if err := wire.Unmarshal(value, &values); err != nil {
		return err
	}
	list := []byte{'['}
	for i, value := range values {
		flat, err := flattenReference(value)
		if err != nil {
			return err
		}
		if i > 0 {
			list = append(list, ',')
		}
		list = append(list, flat.encode()...)
	}
	o[name] = append(list, ']')
	return nil
}

// flattenReference lays a reference flat. Those that it has itself are left as
// they are.
func flattenReference(data json.RawMessage) (object, error) {
	var in object
	if err := wire.Unmarshal(data, &in); err != nil {
		return nil, err
	}
	out := object{}
	return out, out.merge(in)
}

// encode writes the object, its names sorted.
func (o object) encode() []byte {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range slices.Sorted(maps.Keys(o)) {
		if i > 0 {
			b.WriteByte(',')
		}
		key, _ := json.Marshal(name) // a string
		b.Write(key)
		b.WriteByte(':')
		b.Write(o[name])
	}
	b.WriteByte('}')
	return b.Bytes()
}

// decode reads the object into out, a pointer to a zero value. No type of this
// package has been tried against the live API: a member of an unexpected type
// costs itself, and not the response.
func (o object) decode(out any) {
	if wire.UnmarshalForgiving(o.encode(), out) == nil {
		return
	}
	for name, value := range o {
		_ = wire.UnmarshalForgiving(object{name: value}.encode(), out) // what cannot be read stays zero
	}
}

// resource decodes the envelope of one resource.
func resource[T any](data json.RawMessage) (out T, err error) {
	flat, err := flatten(data)
	if err != nil {
		return out, err
	}
	flat.decode(&out)
	return out, nil
}

var errNoData = errors.New(`the response has no "data"`)

// entity is a response that is one resource.
type entity[T any] struct {
	value    T
	messages []string // that stand beside the resource
}

// Shape returns the type of the JSON; see package wire.
func (entity[T]) Shape() reflect.Type {
	return reflect.TypeFor[struct {
		Data shape[T] `json:"data"`
	}]()
}

// shape is the type of the JSON of a resource, for an estimate of the memory
// that decoding it takes.
type shape[T any] struct {
	Attributes T              `json:"attributes"`
	References map[string]any `json:"references"`
}

// UnmarshalJSON reads the response.
func (e *entity[T]) UnmarshalJSON(data []byte) error {
	var body struct {
		Data json.RawMessage `json:"data"`
		Meta struct {
			Messages []struct {
				Title string `json:"title"`
			} `json:"messages"`
		} `json:"meta"`
	}
	if err := wire.Unmarshal(data, &body); err != nil {
		return err
	}
	if isNull(body.Data) {
		return errNoData
	}
	value, err := resource[T](body.Data)
	if err != nil {
		return err
	}
	*e = entity[T]{value: value}
	for _, m := range body.Meta.Messages {
		e.messages = append(e.messages, m.Title)
	}
	return nil
}

// collection is a response that is a page of resources.
type collection[T any] struct {
	items []T
	next  string
	total int
}

// Shape returns the type of the JSON; see package wire.
func (collection[T]) Shape() reflect.Type {
	return reflect.TypeFor[struct {
		Data []shape[T] `json:"data"`
	}]()
}

// UnmarshalJSON reads the response.
func (c *collection[T]) UnmarshalJSON(data []byte) error {
	var body struct {
		Data json.RawMessage `json:"data"`
		Page struct {
			Next string `json:"next"`
		} `json:"page"`
		Meta struct {
			TotalCount int `json:"total_count"`
		} `json:"meta"`
	}
	if err := wire.Unmarshal(data, &body); err != nil {
		return err
	}
	if len(body.Data) == 0 {
		return errNoData
	}
	var items []json.RawMessage
	if err := wire.Unmarshal(body.Data, &items); err != nil {
		return err
	}
	*c = collection[T]{next: body.Page.Next, total: body.Meta.TotalCount}
	for _, item := range items {
		value, err := resource[T](item)
		if err != nil {
			return err
		}
		c.items = append(c.items, value)
	}
	return nil
}

func isNull(data json.RawMessage) bool { return len(data) == 0 || string(data) == "null" }
