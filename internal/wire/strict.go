package wire

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
)

// UnmarshalExact decodes one JSON value into out. Names must match exactly;
// unknown names are ignored.
func UnmarshalExact(data []byte, out any) error { return json.Unmarshal(data, out) }

// UnmarshalStrict decodes one JSON value into out. It refuses unknown names,
// names of another spelling or case, and duplicate names.
//
// The error describes the problem in terms of JSON, and names no Go type.
func UnmarshalStrict(data []byte, out any) error {
	err := json.Unmarshal(data, out, json.RejectUnknownMembers(true))
	var misfit *json.SemanticError
	if !errors.As(err, &misfit) {
		return err
	}
	at := strings.ReplaceAll(strings.TrimPrefix(string(misfit.JSONPointer), "/"), "/", ".")
	switch {
	case errors.Is(misfit, json.ErrUnknownName):
		return fmt.Errorf("there is no key %q", at)
	case misfit.Err != nil:
		return fmt.Errorf("%q: %w", at, misfit.Err)
	case at == "":
		return errorString("it is not " + jsonTypeOf(misfit.GoType))
	}
	return fmt.Errorf("%q is not %s", at, jsonTypeOf(misfit.GoType))
}

// jsonTypeOf returns the name of a type in JSON.
func jsonTypeOf(t reflect.Type) string {
	if t == nil {
		return "what it has to be"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return jsonTypeOf(t.Elem())
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	default:
		return "a number"
	}
}
