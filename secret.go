package circleci

import (
	"fmt"
	"io"
	"log/slog"
	"reflect"
)

// Secret is a text that is sent to the API in clear and shown nowhere else:
// every format verb that go vet accepts, slog, encoding/json and
// encoding.TextMarshaler print REDACTED. A constant converts by itself:
//
//	circleci.SetEnvVarRequest{Value: "hunter2"}
//
// What goes by reflection alone sees the text: fmt in an unexported field of a
// struct of yours, and some dumpers.
type Secret string

const redacted = "REDACTED"

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }

// String returns REDACTED.
func (s Secret) String() string { return redacted }

// Format prints REDACTED, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) } // a print has no error to return

// LogValue makes slog print REDACTED.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText makes encoding/json print REDACTED. Requests to the API are
// written by this package's own encoder, in clear.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalText reads a secret, so that one can come from a file of yours.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(text)
	return nil
}

// secretsIn collects the secrets in a request's body, and adds them to found.
func secretsIn(v reflect.Value, found []string) []string {
	if !v.IsValid() {
		return found
	}
	if s, ok := v.Interface().(Secret); ok {
		return append(found, string(s))
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return secretsIn(v.Elem(), found)
	case reflect.Struct:
		for field, value := range v.Fields() {
			if field.IsExported() {
				found = secretsIn(value, found)
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			found = secretsIn(v.Index(i), found)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			found = secretsIn(v.MapIndex(key), found)
		}
	default: // it holds nothing
	}
	return found
}
