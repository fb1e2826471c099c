// Package wire encodes and decodes the API's JSON. It is the only user of the
// JSON package, and sets its options once.
package wire

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"reflect"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

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
	b := buffers.Get().(*buffer)
	defer func() {
		if b.Cap() <= mostKept {
			b.Reset()
			b.start.R = nil
			buffers.Put(b)
		}
	}()
	b.start = io.LimitedReader{R: r, N: mostKept}
	if _, err := b.ReadFrom(&b.start); err != nil {
		return err
	}
	text := b.Bytes()
	if b.start.N == 0 { // a buffer that grows would be up to twice as large
		rest, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		text = slices.Concat(text, rest)
		b.Buffer = bytes.Buffer{}
	}
	if l, ok := r.(Limited); ok && int64(len(text)) > l.Limit()/mostGrowth {
		// Room for the text, for a slice that grows, and for the texts in it.
		budget := l.Limit() - int64(len(text))/2 - badSize*invalid(text)
		if budget < 0 {
			return errTooMuch
		}
		dec := jsontext.NewDecoder(bytes.NewBuffer(text), readOptions)
		if err := weigh(dec, reflect.TypeOf(out), &budget); errors.Is(err, errTooMuch) {
			return err
		} // any other error comes again
	}
	return Unmarshal(text, out)
}

// Limited is a reader of a response with a maximum size in bytes. The decoded
// value takes less than four times that in memory, besides the room for mostRoom
// elements.
type Limited interface{ Limit() int64 }

// mostGrowth is how many times larger than its JSON a value can be: "{}," is an
// element of a slice.
const mostGrowth = 512

// badSize is the memory that an invalid byte in a string needs: it becomes
// U+FFFD, three bytes, in a buffer that grows and in copies of it.
const badSize = 8

// invalid returns the number of bytes that are not valid UTF-8.
func invalid(text []byte) (n int64) {
	if utf8.Valid(text) {
		return 0
	}
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			n++
		}
		text = text[size:]
	}
	return n
}

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
	if !i.Found { // a hostile object has many lists
		i.List = make([]T, 0, lengthOf(dec.UnreadBuffer()))
	}
	i.Found = true
	return json.UnmarshalDecode(dec, &i.List)
}

// mostRoom is the maximum number of elements that a list has room for before
// they are read. A longer list grows.
const mostRoom = 250

// lengthOf estimates the length of the list at the start of a text: its elements
// are likely to begin as the first one does, with the same name.
func lengthOf(text []byte) int {
	if begin := bytes.IndexByte(text, '{'); begin >= 0 {
		if end := bytes.IndexByte(text[begin:], ':'); end >= 0 {
			return min(bytes.Count(text, text[begin:begin+end]), mostRoom)
		}
	}
	return 0
}

// buffers are those of Read.
var buffers = sync.Pool{New: func() any { return new(buffer) }}

// buffer holds the start of a response, and the reader of the start.
type buffer struct {
	bytes.Buffer
	start io.LimitedReader
}

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
