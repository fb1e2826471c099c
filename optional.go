package circleci

import (
	"errors"
	"fmt"
	"io"

	"github.com/circleci-go/circleci/internal/wire"
)

// Optional is a field of an update. It has one of three states: unset, the zero
// value, which leaves the field unchanged; a value, see [Some]; or null, which
// clears the field, see [Null].
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

// Some returns an Optional with the value v, which may be the zero value of its
// type.
func Some[T any](v T) Optional[T] { return Optional[T]{v, some} }

// Null returns an Optional that clears the field.
func Null[T any]() Optional[T] { return Optional[T]{state: null} }

// Get returns the value, and whether there is one.
func (o Optional[T]) Get() (T, bool) { return o.value, o.state == some }

// IsNull reports whether the update clears the field.
func (o Optional[T]) IsNull() bool { return o.state == null }

// IsZero reports whether the field is unset. The struct tag omitzero uses it.
func (o Optional[T]) IsZero() bool { return o.state == unset }

// Any returns the value, or nil if there is none.
func (o Optional[T]) Any() any {
	if o.state != some {
		return nil
	}
	return o.value
}

// String returns the value, null or unset, as text.
func (o Optional[T]) String() string { return fmt.Sprint(o) }

// Format implements [fmt.Formatter]. It prints the value with the verb and its
// flags, or null or unset.
func (o Optional[T]) Format(f fmt.State, verb rune) {
	text := "unset"
	switch o.state {
	case some:
		text = fmt.Sprintf(fmt.FormatString(f, verb), o.value)
	case null:
		text = "null"
	case unset:
	}
	_, _ = io.WriteString(f, text) // Format cannot return an error
}

// MarshalJSON returns the value as JSON, with a [Secret] as REDACTED, or null.
// For an unset Optional it returns an error: the struct tag omitzero must omit
// it.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if o.state == unset {
		return nil, errors.New("circleci: cannot marshal an unset Optional: add omitzero to the json tag of its field")
	}
	return wire.MarshalRedacted(o.Any())
}

// UnmarshalJSON decodes a value or null.
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
