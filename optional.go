package circleci

import (
	"errors"
	"fmt"
	"io"

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

// Any returns the value, or nil if there is none.
func (o Optional[T]) Any() any {
	if o.state != some {
		return nil
	}
	return o.value
}

// String prints the value, null or unset.
func (o Optional[T]) String() string { return fmt.Sprint(o) }

// Format prints the value, with the verb and its flags, or null or unset.
func (o Optional[T]) Format(f fmt.State, verb rune) {
	text := "unset"
	switch o.state {
	case some:
		text = fmt.Sprintf(fmt.FormatString(f, verb), o.value)
	case null:
		text = "null"
	case unset:
	}
	_, _ = io.WriteString(f, text) // a print has no error to return
}

// MarshalJSON writes the value, a [Secret] as REDACTED, or null. An unset field
// is left out by the tag omitzero; alone it has no form in JSON.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if o.state == unset {
		return nil, errors.New("circleci: an unset Optional was to be written: its field lacks the tag omitzero")
	}
	return wire.MarshalRedacted(o.Any())
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
