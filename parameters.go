package circleci

import (
	"fmt"
	"math"
	"reflect"
	"unicode/utf8"
)

// Parameters are the parameters of a pipeline, a schedule, a trigger or a
// continuation, by name:
//
//	circleci.Parameters{"environment": "staging", "replicas": 3, "dry-run": true}
//
// A value must be a string, a boolean, an integer of any size, a type derived
// from one of these, or a float64 that is a whole number. There can be at most
// 100 parameters, with names of up to 128 characters and string values of up to
// 512 characters. For anything else, the error matches [ErrInvalidArgument]; no
// request is sent.
//
// In responses, whole numbers are int64.
type Parameters map[string]any

// The API's limits on parameters.
const (
	maxParameters     = 100
	maxParameterName  = 128
	maxParameterValue = 512
)

// maxWholeFloat is the largest whole number up to which a float64 is exact.
const maxWholeFloat = 1 << 53

func (p Parameters) check() error {
	if len(p) > maxParameters {
		return &ArgumentError{Name: "parameters", Reason: fmt.Sprintf("are too many: %d, and the API accepts %d", len(p), maxParameters)}
	}
	for name, value := range p {
		switch {
		case name == "":
			return &ArgumentError{Name: "parameters", Reason: "contain an empty name"}
		case utf8.RuneCountInString(name) > maxParameterName:
			return &ArgumentError{Name: "parameters", Reason: fmt.Sprintf("the name %.20q… is longer than %d characters", name, maxParameterName)}
		}
		if reason := unfitParameter(value); reason != "" {
			return &ArgumentError{Name: "parameters", Reason: fmt.Sprintf("the value of %q %s", name, reason)}
		}
	}
	return nil
}

// unfitParameter says why the API does not accept a value. It returns "" if it
// does.
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
			return fmt.Sprintf("is %v: a float64 must be a whole number of at most 2^53", f)
		}
		return ""
	case reflect.Invalid:
		return "is nil: use a string, a boolean or a whole number"
	default:
		return fmt.Sprintf("is of type %.60s: use a string, a boolean or a whole number", v.Type().String())
	}
}
