// Package wire encodes and decodes the API's JSON. It is the only user of the
// JSON package, and sets its options once.
package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"strconv"
	"strings"
	"sync"
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

var (
	// readOptions make one tag serve both spellings of a key: names match
	// without regard to case, dashes and underscores.
	readOptions = json.JoinOptions(
		json.MatchCaseInsensitiveNames(true),
		jsontext.AllowDuplicateNames(true),
		jsontext.AllowInvalidUTF8(true),
		json.WithUnmarshalers(json.JoinUnmarshalers(
			json.UnmarshalFromFunc(readTime),
			json.UnmarshalFromFunc(readUUID),
			json.UnmarshalFromFunc(readFloat),
			json.UnmarshalFromFunc(readAny),
		)),
	)

	// strictNames refuse duplicate names, also in different spellings.
	strictNames = json.JoinOptions(readOptions, jsontext.AllowDuplicateNames(false))

	// forgivingOptions leave invalid times and IDs zero.
	forgivingOptions = json.JoinOptions(readOptions, json.WithUnmarshalers(json.JoinUnmarshalers(
		json.UnmarshalFromFunc(forgive[time.Time]),
		json.UnmarshalFromFunc(forgive[uuid.UUID]),
		json.UnmarshalFromFunc(readFloat),
		json.UnmarshalFromFunc(readAny),
	)))

	// writeOptions sort maps, so that one value always gives the same bytes.
	writeOptions = json.JoinOptions(
		json.Deterministic(true),
		jsontext.AllowInvalidUTF8(true),
		json.WithMarshalers(json.JoinMarshalers(json.MarshalToFunc(writeSecret), json.MarshalToFunc(writeOptional))),
	)

	redactOptions = json.JoinOptions(json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
)

// Marshal encodes v as JSON, including secrets.
func Marshal(v any) ([]byte, error) { return json.Marshal(v, writeOptions) }

// MarshalRedacted encodes v as JSON without secrets.
func MarshalRedacted(v any) ([]byte, error) { return json.Marshal(v, redactOptions) }

// Unmarshal decodes one JSON value into out. Duplicate names are accepted, and
// a name with the exact spelling takes precedence over others.
func Unmarshal(data []byte, out any) error {
	err := json.Unmarshal(data, out, strictNames)
	if err == nil {
		return nil
	}
	pruned, changed := prune(bytes.TrimSpace(data), reflect.TypeOf(out))
	if !changed && !errors.Is(err, jsontext.ErrDuplicateName) {
		return err
	}
	// Whatever the first attempt has set is set again.
	return json.Unmarshal(pruned, out, readOptions)
}

// UnmarshalForgiving is like Unmarshal, for responses that cannot be requested
// again: invalid times and IDs are zero.
func UnmarshalForgiving(data []byte, out any) error {
	return json.Unmarshal(data, out, forgivingOptions)
}

// Read decodes one JSON value from r, up to the end of r, into out. It reads
// all of r first, because an incremental decoder is slower.
func Read(r io.Reader, out any) error {
	b := buffers.Get().(*bytes.Buffer)
	defer func() {
		if b.Cap() <= mostKept {
			b.Reset()
			buffers.Put(b)
		}
	}()
	if _, err := b.ReadFrom(r); err != nil {
		return err
	}
	if l, ok := r.(Limited); ok && int64(b.Len()) > l.Limit()/mostGrowth {
		// Room for the text, for a slice that grows, and for the texts in it.
		budget := l.Limit() - int64(b.Len())/2
		dec := jsontext.NewDecoder(bytes.NewBuffer(b.Bytes()), readOptions)
		if err := weigh(dec, reflect.TypeOf(out), &budget); errors.Is(err, errTooMuch) {
			return err
		} // any other error comes again
	}
	return Unmarshal(b.Bytes(), out)
}

// Limited is a reader of a response with a maximum size in bytes. The decoded
// value takes less than four times that in memory.
type Limited interface{ Limit() int64 }

// mostGrowth is how many times larger than its JSON a value can be: "{}," is an
// element of a slice.
const mostGrowth = 512

// Items is the list of an object with "items". Null is an empty list; a missing
// list can be distinguished.
type Items[T any] struct {
	List  []T
	Found bool
}

// Shape returns the type of the JSON.
func (Items[T]) Shape() reflect.Type { return reflect.TypeFor[[]T]() }

// UnmarshalJSONFrom decodes the list.
func (i *Items[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	i.Found = true
	return json.UnmarshalDecode(dec, &i.List)
}

// buffers are those of Read.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// mostKept is the maximum size of a buffer that is kept for the next response.
const mostKept = 1 << 20

// Elements decodes the elements of a JSON array incrementally. An error is
// yielded last.
func Elements[T any](r io.Reader) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		dec := jsontext.NewDecoder(r, readOptions)
		if dec.PeekKind() == jsontext.KindBeginArray {
			if _, err := dec.ReadToken(); err != nil {
				yield(none, err)
				return
			}
		}
		for dec.PeekKind() != jsontext.KindEndArray {
			var element T
			if err := json.UnmarshalDecode(dec, &element); err != nil {
				if dec.StackDepth() != 0 || !errors.Is(err, io.EOF) {
					yield(none, err)
				}
				return
			}
			if !yield(element, nil) {
				return
			}
		}
	}
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
