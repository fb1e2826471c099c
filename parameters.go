package circleci

import (
	"fmt"
	"math"
	"reflect"
	"unicode/utf8"
)

// Parameters are the parameters of a pipeline, a schedule, a trigger or a
// continuation, by name.
//
//	circleci.Parameters{"environment": "staging", "replicas": 3, "dry-run": true}
//
// A value is a string, a boolean, an integer of any size, a type made of one of
// these, or a float64 that is a whole number. There may be 100 parameters, with
// names of up to 128 and string values of up to 512 characters. Anything else
// is refused with [ErrInvalidArgument], before any I/O.
//
// In answers, whole numbers are int64.
type Parameters map[string]any

// The limits of the API on parameters.
const (
	maxParameters     = 100
	maxParameterName  = 128
	maxParameterValue = 512
)

// maxWholeFloat bounds the whole numbers that a float64 holds exactly.
const maxWholeFloat = 1 << 53

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
		}
		if reason := unfitParameter(value); reason != "" {
			return &ArgumentError{Name: "parameters", Reason: fmt.Sprintf("the value of %q %s", name, reason)}
		}
	}
	return nil
}

// unfitParameter says why the API does not take a value; nothing if it does.
func unfitParameter(value any) string {
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return ""
	case reflect.String:
		if utf8.RuneCountInString(v.String()) > maxParameterValue {
			return fmt.Sprintf("is longer than %d characters", maxParameterValue)
		}
		return ""
	case reflect.Float64:
		if f := v.Float(); f != math.Trunc(f) || math.Abs(f) > maxWholeFloat {
			return fmt.Sprintf("is %v; a number has to be whole, and at most 2^53 as a float64", f)
		}
		return ""
	case reflect.Invalid:
		return "is nil; give a string, a boolean or a whole number"
	default:
		return fmt.Sprintf("is of type %.60s; give a string, a boolean or a whole number", v.Type().String())
	}
}
