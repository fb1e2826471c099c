package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/internal/wire"
)

type big struct{ Room [64]int64 } // 512 bytes

// Base has a field that outer structs share.
type Base struct {
	Common []big `json:"common"`
}

// holder has fields of all kinds that are decoded, and that are not.
type holder struct {
	Base
	Named  []big
	Tagged []big `json:"tagged_list"`
	Not    []big `json:"-"`
	hidden []big //nolint:unused // a member of this name is not decoded
}

// The memory of a value is estimated from its type: 4,096 elements of 512 bytes
// take twice the limit, whatever holds them.
func TestTheMemoryOfAValueIsEstimatedFromItsType(t *testing.T) {
	const limit, n = 1 << 20, 1 << 12
	list := "[" + strings.Repeat("{},", n-1) + "{}]"
	var object strings.Builder
	for i := range 3 * n {
		fmt.Fprintf(&object, `"%d":{},`, i)
	}
	numbers := "{" + strings.ReplaceAll(object.String(), "{}", "1") + `"x":1}`
	members := "{" + strings.Join(strings.SplitAfter(object.String(), ",")[:n], "") + `"x":{}}`
	for name, c := range map[string]struct {
		body    string
		out     any
		tooMuch bool
	}{
		"a slice":                          {list, new([]big), true},
		"an array":                         {list, new([n]big), true},
		"a slice of pointers":              {list, new([]*big), true},
		"a smaller slice":                  {"[" + strings.Repeat("{},", n/4) + "{}]", new([]big), false},
		"a map":                            {members, new(map[string]big), true},
		"a map of numbers":                 {numbers, new(map[string]int64), true},
		"a field without a tag":            {`{"named":` + list + `}`, new(holder), true},
		"a field with a tag":               {`{"tagged-list":` + list + `}`, new(holder), true},
		"a field of an embedded type":      {`{"common":` + list + `}`, new(holder), true},
		"a field that a tag excludes":      {`{"-":` + list + `}`, new(holder), false},
		"an excluded field by its name":    {`{"not":` + list + `}`, new(holder), false},
		"an unexported field":              {`{"hidden":` + list + `}`, new(holder), false},
		"the name of the embedded type":    {`{"base":{"common":` + list + `}}`, new(holder), false},
		"a member that no field is for":    {`{"other":` + list + `}`, new(holder), false},
		"after one that no field is for":   {`{"other":[1],"named":` + list + `}`, new(holder), true},
		"lists in anything":                {`{"a":[[[1],{"b":[2]}]]}` + strings.Repeat(" ", limit/4), new(any), false},
		"behind pointers to one big value": {"[" + strings.Repeat(`{"p":{}},`, n-1) + "{}]", new([]struct{ P *big }), true},
	} {
		err := wire.Read(limited{strings.NewReader(c.body), limit}, c.out)
		if c.tooMuch {
			require.ErrorContains(t, err, "too many elements", name)
		} else {
			require.NoError(t, err, name)
		}
	}
}

// The text of a response takes memory beside the value.
func TestTheTextOfAResponseCounts(t *testing.T) {
	const limit = 1 << 20
	const n = limit * 6 / 10 / 512
	small := "[" + strings.Repeat("{},", n-1) + "{}]"
	require.NoError(t, wire.Read(limited{strings.NewReader(small), limit}, new([]big)))
	padded := small + strings.Repeat(" ", limit*9/10-len(small))
	require.ErrorContains(t, wire.Read(limited{strings.NewReader(padded), limit}, new([]big)), "too many elements")
}

// An error of the connection is returned even if the JSON is complete.
func TestReadReturnsTheErrorOfTheReader(t *testing.T) {
	broken := errors.New("broken")
	for _, text := range []string{"{}", "{}" + strings.Repeat(" ", 2<<20)} {
		err := wire.Read(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), new(object))
		require.ErrorIs(t, err, broken)
	}
}

// A response whose size is not limited is not measured.
func TestReadWithoutALimit(t *testing.T) {
	var got []big
	require.NoError(t, wire.Read(strings.NewReader("["+strings.Repeat("{},", 1<<12)+"{}]"), &got))
	assert.Len(t, got, 1<<12+1)
}

// The buffer of a large response is released, and does not stay for small ones.
func TestLargeBuffersAreReleased(t *testing.T) {
	var out string
	require.NoError(t, wire.Read(strings.NewReader(`"`+strings.Repeat("x", 64<<20)+`"`), &out))
	out = ""
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		require.NoError(t, wire.Read(strings.NewReader(`"x"`), &out))
	}
	runtime.ReadMemStats(&after)
	assert.Less(t, after.HeapAlloc, uint64(32<<20))
}

// heap measures the memory in use while it is decoded.
type heap uint64

func (h *heap) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*h = heap(inUse())
	return dec.SkipValue()
}

func inUse() uint64 {
	var now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&now)
	return now.HeapAlloc
}

// The text of a large response has no spare room while it is decoded.
func TestALargeTextIsHeldOnce(t *testing.T) {
	body := `"` + strings.Repeat("x", 9<<20) + `"`
	var while heap
	before := inUse()
	require.NoError(t, wire.Read(strings.NewReader(body), &while))
	assert.Less(t, uint64(while)-before, uint64(10<<20))
	runtime.KeepAlive(body)
}

// JSON that breaks off is an error, wherever it does.
func TestJSONThatBreaksOffIsAnError(t *testing.T) {
	const whole = `{"created_at":"2026-01-02T03:04:05Z","id":"` + id + `","run_time":12.5,"open":{"a":[1,2.5,{"b":"c"}],"d":true,"e":null},"verify-tls":true}`
	for i := range len(whole) {
		body := []byte(whole[:i])
		require.Error(t, wire.Unmarshal(body, new(object)), whole[:i])
		require.Error(t, wire.UnmarshalForgiving(body, new(object)), whole[:i])
		require.Error(t, wire.Unmarshal(body, new(any)), whole[:i])
		require.Error(t, wire.Read(limited{bytes.NewReader(body), 1}, new(object)), whole[:i])
		require.Error(t, wire.Unmarshal([]byte(`{"a":1,"A":2,"list":[`+whole[:i]), new(struct {
			A    int      `json:"a"`
			List []object `json:"list"`
		})), whole[:i])
	}
	for _, body := range []string{`{"open":{"a":1e999}}`, `{"open":{"a":{"b":1e999}}}`, `{"open":{"a":[1e999]}}`, `{"open":{"a":01}}`, `{"open":{"a" 1}}`, `{"open":[1 2]}`, `{"open":{"a":[1 2]}}`, `{"open":{"a":x}}`, `{"open":{1:2}}`} {
		require.Error(t, wire.Unmarshal([]byte(body), new(object)), body)
	}
}

// What UnmarshalForgiving cannot read costs only itself.
func TestForgiving(t *testing.T) {
	for body, want := range map[string]object{
		`{"created_at":12,"id":{},"verify_tls":true}`:       {VerifyTLS: true},
		`{"created_at":"x","id":"x","verify_tls":true}`:     {VerifyTLS: true},
		`{"created_at":null,"id":null,"verify_tls":true}`:   {VerifyTLS: true},
		`{"id":"` + id + `","created_at":[1],"run_time":2}`: {ID: uuid.MustParse(id), RunTime: 2},
	} {
		got := object{ID: uuid.New()}
		got.CreatedAt = got.CreatedAt.AddDate(1, 0, 0)
		require.NoError(t, wire.UnmarshalForgiving([]byte(body), &got), body)
		assert.Equal(t, want, got, body)
	}
	var got object
	require.NoError(t, wire.UnmarshalForgiving([]byte(`{"created_at":"2026-01-02T03:04:05Z"}`), &got))
	assert.Equal(t, 2026, got.CreatedAt.Year())
	require.Error(t, wire.UnmarshalForgiving([]byte(`{"verify_tls":"x"}`), &got), "a field of another kind")
}

func TestElements(t *testing.T) {
	collect := func(body string) (list []int, err error) {
		for n, e := range wire.Elements[int](strings.NewReader(body)) {
			if e != nil {
				assert.NoError(t, err, "%q: the error is the last thing yielded", body)
				err = e
				continue
			}
			list = append(list, n)
		}
		return list, err
	}
	for body, want := range map[string][]int{
		"": nil, " ": nil, "[]": nil, "[1]": {1}, "[1, 2,3]": {1, 2, 3}, "1 2": {1, 2},
	} {
		got, err := collect(body)
		require.NoError(t, err, body)
		assert.Equal(t, want, got, body)
	}
	for body, want := range map[string][]int{
		"x": nil, "[": nil, "[1": {1}, "[1,": {1}, "[1 2]": {1}, `[1,"x"]`: {1}, "[1,x": {1}, "1 x": {1}, "1}": {1},
	} {
		got, err := collect(body)
		require.Error(t, err, body)
		assert.Equal(t, want, got, body)
	}
	for n, err := range wire.Elements[int](strings.NewReader("[1,2,3]")) {
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		break // an iterator that yields after this panics
	}
}

// optional is like the root package's Optional.
type optional struct {
	value any
	set   bool
}

func (o optional) IsZero() bool                 { return !o.set }
func (o optional) IsNull() bool                 { return o.set && o.value == nil }
func (o optional) Any() any                     { return o.value }
func (o optional) MarshalJSON() ([]byte, error) { return []byte(`"REDACTED"`), nil }

func TestOptionalValues(t *testing.T) {
	type update struct {
		Name  optional `json:"name,omitzero"`
		Token optional `json:"token"`
	}
	got, err := wire.Marshal(update{Token: optional{secret("x"), true}})
	require.NoError(t, err)
	assert.JSONEq(t, `{"token":"in clear"}`, string(got))
	got, err = wire.Marshal(update{Name: optional{set: true}, Token: optional{[]int{1}, true}})
	require.NoError(t, err)
	assert.JSONEq(t, `{"name":null,"token":[1]}`, string(got))
	_, err = wire.Marshal(update{})
	require.ErrorContains(t, err, "omitzero")
	_, err = wire.Marshal(update{Token: optional{make(chan int), true}})
	require.Error(t, err, "a value that cannot be encoded")
}

func TestNumbersInOtherForms(t *testing.T) {
	for body, want := range map[string]float64{`{"run_time":null}`: 0, `{"run_time":""}`: 0, `{"run_time":"2"}`: 2, `{"run_time":-1e3}`: -1000} {
		got := object{RunTime: 7}
		require.NoError(t, wire.Unmarshal([]byte(body), &got), body)
		assert.InDelta(t, want, got.RunTime, 0, body)
	}
	for _, body := range []string{`{"run_time":{}}`, `{"run_time":[]}`, `{"run_time":true}`} {
		require.Error(t, wire.Unmarshal([]byte(body), new(object)), body)
	}
	var got any
	require.NoError(t, wire.Unmarshal([]byte(`[9223372036854775807, 9223372036854775808, 1e2, "a", true, false, null, {}, []]`), &got))
	assert.Equal(t, []any{int64(9223372036854775807), float64(9223372036854775808), 100.0, "a", true, false, nil, map[string]any{}, []any{}}, got)
	require.NoError(t, wire.Unmarshal([]byte(`{"a":{"b":{"c":1,"d":[{"e":"f"}]}},"g":2}`), &got))
	assert.Equal(t, map[string]any{"a": map[string]any{"b": map[string]any{"c": int64(1), "d": []any{map[string]any{"e": "f"}}}}, "g": int64(2)}, got)
	require.NoError(t, wire.Unmarshal([]byte(`null`), &got))
	assert.Nil(t, got)
}

func TestListsOfAnObject(t *testing.T) {
	type page struct {
		Items wire.Items[int] `json:"items"`
	}
	for body, want := range map[string]wire.Items[int]{
		`{}`: {}, `{"items":null}`: {Found: true}, `{"items":[]}`: {Found: true, List: []int{}}, `{"items":[1]}`: {Found: true, List: []int{1}},
	} {
		var got page
		require.NoError(t, wire.Unmarshal([]byte(body), &got), body)
		assert.Equal(t, want, got.Items, body)
	}
	require.Error(t, wire.Unmarshal([]byte(`{"items":["x"]}`), new(page)))
}

// A list is made with room for its elements, as far as their beginnings tell how
// many there are.
func TestAListHasRoomForItsElements(t *testing.T) {
	type element struct {
		ID    int `json:"id"`
		Other any `json:"other"`
	}
	type page struct {
		Items wire.Items[element] `json:"items"`
	}
	of := func(element string, n int) string {
		return strings.TrimSuffix(strings.Repeat(element+",\n ", n), ",\n ")
	}
	for _, c := range []struct {
		what, list string
		length     int
		atMost     int
	}{
		{"elements that begin alike", of(`{"id": 1, "other": {"x": 2}}`, 100), 100, 100},
		{"one element", `{"id":1}`, 1, 1},
		{"the same name within the elements", of(`{"id":1,"other":{"id":2}}`, 100), 100, 200},
		{"many names within one element", `{"id":1,"other":[` + of(`{"id":1}`, 5000) + `]}`, 1, 250},
		{"elements that begin differently", of(`{"id":1},{"other":2}`, 50), 100, 200},
		{"elements without names", of(`{}`, 100), 100, 200},
	} {
		for _, text := range []string{`{"items":[` + c.list + `],"next_page_token":"x"}`, `[` + c.list + `]`} {
			var got page
			var out any = &got
			if text[0] == '[' {
				out = &got.Items
			}
			require.NoError(t, wire.Unmarshal([]byte(text), out), c.what)
			assert.Len(t, got.Items.List, c.length, c.what)
			assert.LessOrEqual(t, cap(got.Items.List), c.atMost, c.what)
		}
	}
}

// Only the first of many lists of an object is made with room, so that a hostile
// one does not take much time or memory.
func TestManyListsOfAnObjectAreCheap(t *testing.T) {
	type element struct {
		ID   int       `json:"id"`
		Wide [50]int64 `json:"wide"`
	}
	var page struct {
		Items wire.Items[element] `json:"items"`
	}
	text := "{" + strings.TrimSuffix(strings.Repeat(`"items":[{"id":null}],`, 5000), ",") + "}"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	require.NoError(t, wire.Unmarshal([]byte(text), &page))
	runtime.ReadMemStats(&after)
	assert.Len(t, page.Items.List, 1)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8<<20))
}

// The exact spelling of a name takes precedence in all kinds of lists.
func TestTheExactSpellingInLists(t *testing.T) {
	type inner struct {
		N int `json:"n"`
	}
	const one = `{"n":1,"N":2}`
	for body, out := range map[string]any{
		"[" + one + "]": new([]inner), " [" + one + "] ": new([1]inner), "[[" + one + "]]": new([][]inner), "[ [" + one + "]]": new([][1]inner),
		`[{"x":` + one + `}]`: new([]map[string]inner), "[" + one + " ]": new([]*inner), `{"x":[` + one + "]}": new(map[string][]inner),
	} {
		require.NoError(t, wire.Unmarshal([]byte(body), out), body)
		got, err := wire.Marshal(out)
		require.NoError(t, err)
		assert.Contains(t, string(got), `{"n":1}`, body)
	}
	// Names that no field is for do not matter, and neither does one that occurs twice.
	var got struct {
		Named inner
		Other int
	}
	require.NoError(t, wire.Unmarshal([]byte(`{"x":1,"X":2,"Named":`+one+`,"named":{"n":5},"other":3,"OTHER":4}`), &got))
	assert.Equal(t, 1, got.Named.N)
	assert.Equal(t, 4, got.Other, "without the exact spelling the last one counts")
}

func TestParseTimeOfNothing(t *testing.T) {
	at, err := wire.ParseTime(nil)
	require.NoError(t, err)
	assert.True(t, at.IsZero())
	for _, text := range []string{"x", "yesterday", "2026-01-02T03:04:05-2400", "2026-01-02T03:04:05+24:00"} {
		at, err = wire.ParseTime([]byte(text))
		require.Error(t, err, text)
		assert.True(t, at.IsZero(), text)
	}
}

func TestUnmarshalExact(t *testing.T) {
	var got struct {
		Name string `json:"name"`
	}
	require.NoError(t, wire.UnmarshalExact([]byte(`{"name":"a","Name":"b","other":1}`), &got))
	assert.Equal(t, "a", got.Name)
	require.Error(t, wire.UnmarshalExact([]byte(`{"name":1}`), &got))
}
