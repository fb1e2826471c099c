package circleci

import (
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"slices"
)

// Secret is a string that prints as REDACTED: with every format verb that go vet
// accepts, and with slog, encoding/json and encoding.TextMarshaler. Only
// requests to the API contain it in clear text. Untyped string constants convert
// implicitly:
//
//	circleci.SetEnvVarRequest{Value: "hunter2"}
//
// Code that uses only reflection can still read the string: fmt, if the Secret
// is in an unexported field of your struct, and some dump packages.
type Secret string

const redacted = "REDACTED"

// Reveal returns the secret in clear text.
func (s Secret) Reveal() string { return string(s) }

// String returns REDACTED.
func (s Secret) String() string { return redacted }

// Format prints REDACTED for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) } // Format cannot return an error

// LogValue returns REDACTED, for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns REDACTED, also for encoding/json. This package encodes
// requests to the API with an encoder that reveals secrets.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalText sets the secret, so that it can be read from a configuration
// file.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(text)
	return nil
}

// secretsIn collects the secrets in a request's body, in unexported fields too,
// and adds them to found.
func secretsIn(v reflect.Value, found []string) []string {
	if !v.IsValid() || !mayHold(v.Type()) {
		return found
	}
	switch v.Kind() {
	case reflect.String:
		return append(found, v.String())
	case reflect.Pointer, reflect.Interface:
		return secretsIn(v.Elem(), found)
	case reflect.Struct:
		for _, value := range v.Fields() {
			found = secretsIn(value, found)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			found = secretsIn(v.Index(i), found)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			found = secretsIn(v.MapIndex(key), found)
		}
	default: // mayHold is false for it
	}
	return found
}

// mayHold reports whether a value of type t can contain a Secret.
func mayHold(t reflect.Type, outer ...reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.String:
		return t == reflect.TypeFor[Secret]()
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return mayHold(t.Elem(), outer...)
	case reflect.Struct:
		if slices.Contains(outer, t) {
			return false
		}
		for field := range t.Fields() {
			if mayHold(field.Type, append(outer, t)...) {
				return true
			}
		}
	default: // numbers, functions and the like
	}
	return false
}
