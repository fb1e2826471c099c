package circleci

import (
	"errors"
	"fmt"

	"github.com/circleci-go/circleci/internal/wire"
)

// Optional is a field of an update in one of three states: unset (the zero
// value; the API leaves the field as it is), a value ([Some]), or null
// ([Null]; the API clears the field).
//
//	circleci.UpdateScheduleRequest{
//		Name:        circleci.Some("nightly"),
//		Description: circleci.Null[string](),
//	}
type Optional[T any] struct {
	value T
	state optionalState
}

type optionalState uint8

const (
	unset optionalState = iota
	null
	some
)

// Some is the value v, which may be the zero value of its type.
func Some[T any](v T) Optional[T] { return Optional[T]{v, some} }

// Null clears a field.
func Null[T any]() Optional[T] { return Optional[T]{state: null} }

// Get returns the value, and whether there is one.
func (o Optional[T]) Get() (T, bool) { return o.value, o.state == some }

// IsNull reports whether the field is to be cleared.
func (o Optional[T]) IsNull() bool { return o.state == null }

// IsZero reports whether the field is unset. The tag omitzero goes by it.
func (o Optional[T]) IsZero() bool { return o.state == unset }

// String prints the value, null or unset.
func (o Optional[T]) String() string {
	switch o.state {
	case some:
		return fmt.Sprint(o.value)
	case null:
		return "null"
	case unset:
	}
	return "unset"
}

// MarshalJSON writes the value or null. An unset field is left out by the tag
// omitzero; alone it has no form in JSON.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	switch o.state {
	case some:
		return wire.Marshal(o.value)
	case null:
		return []byte("null"), nil
	case unset:
	}
	return nil, errors.New("circleci: an unset Optional was to be written: its field lacks the tag omitzero")
}

// UnmarshalJSON reads a value or null.
func (o *Optional[T]) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*o = Null[T]()
		return nil
	}
	var v T
	if err := wire.Unmarshal(data, &v); err != nil {
		return err
	}
	*o = Some(v)
	return nil
}
