package wire

import (
	"errors"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// revealer is a value that prints redacted and is revealed only to the API: the
// root package's Secret.
type revealer interface{ Reveal() string }

// optional is a value whose own MarshalJSON redacts, because it is not used for
// the API: the root package's Optional.
type optional interface {
	IsZero() bool
	IsNull() bool
	Any() any
}

func writeSecret(enc *jsontext.Encoder, s revealer) error {
	return enc.WriteToken(jsontext.String(s.Reveal()))
}

func writeOptional(enc *jsontext.Encoder, o optional) error {
	if o.IsZero() {
		return errors.New("cannot encode an unset Optional: add omitzero to the json tag of its field")
	}
	return json.MarshalEncode(enc, o.Any())
}

// quoted reads a value and returns the text between its quotes. It returns
// false for null and for anything but a plain string; then raw is the value.
func quoted(dec *jsontext.Decoder) (text []byte, raw jsontext.Value, ok bool, err error) {
	raw, err = dec.ReadValue()
	if err != nil {
		return nil, nil, false, err
	}
	if raw.Kind() == jsontext.KindString {
		return raw[1 : len(raw)-1], raw, true, nil
	}
	return nil, raw, false, nil
}

// timeLayouts are the known formats besides RFC 3339.
var timeLayouts = []string{
	"2006-01-02T15:04:05.999999999Z0700",
	"2006-01-02T15:04:05.999999999",
	"#joda/inst 2006-01-02T15:04:05.999999999Z0700", // in CircleCI's own example
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02 15:04:05.999999999 -0700 MST",
	time.DateOnly,
}

// ParseTime parses a time in any format that the API is known to send. An empty
// text is the zero time.
func ParseTime(text []byte) (t time.Time, err error) {
	if len(text) == 0 {
		return t, nil
	}
	if err = t.UnmarshalText(text); err == nil && canBeWritten(t) {
		return t, nil
	}
	for _, layout := range timeLayouts {
		if t, e := time.Parse(layout, string(text)); e == nil && canBeWritten(t) {
			return t, nil
		}
	}
	if err == nil {
		err = errors.New("the zone of a time is out of range")
	}
	return time.Time{}, err
}

// canBeWritten is false for a zone of a day or more, which package time parses
// but no encoder can write as JSON.
func canBeWritten(t time.Time) bool {
	const day = 24 * 60 * 60
	_, offset := t.Zone()
	return -day < offset && offset < day
}

func readTime(dec *jsontext.Decoder, out *time.Time) error {
	text, raw, ok, err := quoted(dec)
	switch {
	case err != nil:
		return err
	case ok:
		*out, _ = ParseTime(text) // one of unknown form is zero: it costs only itself
		return nil
	case raw.Kind() == jsontext.KindNull:
		*out = time.Time{}
		return nil
	}
	return typeError(raw, "time")
}

func forgive[T any](dec *jsontext.Decoder, out *T) error {
	raw, err := dec.ReadValue()
	if err != nil {
		return err
	}
	var v T
	_ = json.Unmarshal(raw, &v, readOptions) // a value that cannot be read stays zero
	*out = v
	return nil
}

func readUUID(dec *jsontext.Decoder, out *uuid.UUID) error {
	text, raw, ok, err := quoted(dec)
	switch {
	case err != nil:
		return err
	case ok:
		if *out, err = uuid.ParseBytes(text); err != nil {
			*out = uuid.Nil // it costs only itself
		}
		return nil
	case raw.Kind() == jsontext.KindNull:
		*out = uuid.Nil
		return nil
	}
	return typeError(raw, "UUID")
}

// readFloat decodes a number that the API may also send within quotes.
func readFloat(dec *jsontext.Decoder, out *float64) error {
	text, raw, ok, err := quoted(dec)
	switch {
	case err != nil:
		return err
	case !ok && raw.Kind() == jsontext.KindNumber:
		text = raw
	case !ok && raw.Kind() != jsontext.KindNull:
		return typeError(raw, "number")
	}
	if len(text) == 0 {
		*out = 0
		return nil
	}
	*out, err = strconv.ParseFloat(string(text), 64)
	return err
}

// readAny keeps whole numbers as integers where the type is open, because a
// repository's ID does not fit a float64. It decodes all kinds of values
// itself, because releases of the JSON package differ in how one function
// leaves a value to the next.
func readAny(dec *jsontext.Decoder, out *any) error {
	switch dec.PeekKind() { //nolint:exhaustive // the others are tokens
	case jsontext.KindNumber:
		raw, err := dec.ReadValue()
		if err != nil {
			return err
		}
		if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
			*out = n
			return nil
		}
		*out, err = strconv.ParseFloat(string(raw), 64)
		return err
	case jsontext.KindBeginObject:
		object := map[string]any{}
		*out = object
		return readMembers(dec, func(name string) error {
			var v any
			err := readAny(dec, &v)
			object[name] = v
			return err
		})
	case jsontext.KindBeginArray:
		array := []any{}
		if _, err := dec.ReadToken(); err != nil {
			return err
		}
		for dec.PeekKind() != jsontext.KindEndArray {
			var v any
			if err := readAny(dec, &v); err != nil {
				return err
			}
			array = append(array, v)
		}
		*out = array
		_, err := dec.ReadToken()
		return err
	}
	token, err := dec.ReadToken()
	if err != nil {
		return err
	}
	switch token.Kind() {
	case jsontext.KindString:
		*out = token.String()
	case jsontext.KindTrue, jsontext.KindFalse:
		*out = token.Bool()
	default:
		*out = nil
	}
	return nil
}

// readMembers decodes an object, and calls read for the value of each member.
func readMembers(dec *jsontext.Decoder, read func(name string) error) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != jsontext.KindEndObject {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		if err := read(name.String()); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

func typeError(raw jsontext.Value, want string) error {
	return &json.SemanticError{JSONKind: raw.Kind(), Err: errorString("a " + want + " was expected")}
}

type errorString string

func (e errorString) Error() string { return string(e) }
