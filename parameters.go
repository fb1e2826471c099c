package circleci

import (
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/circleci-go/circleci/internal/wire"
)

// Parameters are the parameters of a pipeline, a schedule or a trigger, by
// name.
//
//	circleci.Parameters{
//		"environment": circleci.StringValue("staging"),
//		"replicas":    circleci.IntValue(3),
//		"dry-run":     circleci.BoolValue(true),
//	}
//
// There may be 100 of them, with names of up to 128 and values of up to 512
// characters; more is refused with [ErrInvalidArgument], before any I/O.
type Parameters map[string]Value

// Value is a parameter's value: a string, a whole number, a number or a
// boolean. The zero Value is the empty string.
type Value struct {
	kind valueKind
	text string
	bits uint64
}

type valueKind uint8

const (
	stringKind valueKind = iota
	intKind
	floatKind
	boolKind
)

// StringValue returns a string as a parameter's value.
func StringValue(s string) Value { return Value{text: s} }

// IntValue returns a whole number as a parameter's value.
func IntValue(n int64) Value { return Value{kind: intKind, bits: uint64(n)} }

// FloatValue returns a number as a parameter's value. Pipeline parameters are
// whole numbers; it is for values that the API returns.
func FloatValue(f float64) Value { return Value{kind: floatKind, bits: math.Float64bits(f)} }

// BoolValue returns a boolean as a parameter's value.
func BoolValue(b bool) Value {
	v := Value{kind: boolKind}
	if b {
		v.bits = 1
	}
	return v
}

// Any returns the value as a string, int64, float64 or bool.
func (v Value) Any() any {
	switch v.kind {
	case intKind:
		return int64(v.bits)
	case floatKind:
		return math.Float64frombits(v.bits)
	case boolKind:
		return v.bits == 1
	case stringKind:
	}
	return v.text
}

// String returns the value as text, as a configuration would have it.
func (v Value) String() string {
	switch v.kind {
	case intKind:
		return strconv.FormatInt(int64(v.bits), 10)
	case floatKind:
		return strconv.FormatFloat(math.Float64frombits(v.bits), 'g', -1, 64)
	case boolKind:
		return strconv.FormatBool(v.bits == 1)
	case stringKind:
	}
	return v.text
}

// Int returns the value as a whole number, and whether it is one.
func (v Value) Int() (int64, bool) { return int64(v.bits), v.kind == intKind }

// Bool returns the value as a boolean, and whether it is one.
func (v Value) Bool() (value, ok bool) { return v.bits == 1, v.kind == boolKind }

// MarshalJSON writes the value.
func (v Value) MarshalJSON() ([]byte, error) { return wire.Marshal(v.Any()) }

// UnmarshalJSON reads a string, number or boolean; null is the empty string.
func (v *Value) UnmarshalJSON(data []byte) error {
	var in any
	if err := wire.Unmarshal(data, &in); err != nil {
		return err
	}
	switch in := in.(type) {
	case nil:
		*v = Value{}
	case string:
		*v = StringValue(in)
	case bool:
		*v = BoolValue(in)
	case int64:
		*v = IntValue(in)
	case float64:
		*v = FloatValue(in)
	default:
		return fmt.Errorf("a parameter's value is a string, number or boolean, and not %.40s", data)
	}
	return nil
}

// The limits of the API on parameters.
const (
	maxParameters     = 100
	maxParameterName  = 128
	maxParameterValue = 512
)

func (p Parameters) check() error {
	if len(p) > maxParameters {
		return &ArgumentError{Name: "parameters", Reason: fmt.Sprintf("are %d; the API takes %d", len(p), maxParameters)}
	}
	for name, value := range p {
		switch {
		case name == "":
			return &ArgumentError{Name: "parameters", Reason: "has one without a name"}
		case utf8.RuneCountInString(name) > maxParameterName:
			return &ArgumentError{Name: "parameters", Reason: fmt.Sprintf("the name %.20q… is longer than %d characters", name, maxParameterName)}
		case utf8.RuneCountInString(value.text) > maxParameterValue:
			return &ArgumentError{Name: "parameters", Reason: fmt.Sprintf("the value of %q is longer than %d characters", name, maxParameterValue)}
		}
	}
	return nil
}
