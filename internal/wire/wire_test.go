package wire_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/internal/wire"
)

const id = "5034460f-c7c4-4c43-9457-de07e2029e7b"

type object struct {
	CreatedAt time.Time      `json:"created_at,omitzero"`
	ID        uuid.UUID      `json:"id,omitzero"`
	RunTime   float64        `json:"run_time,omitzero"`
	Open      map[string]any `json:"open,omitzero"`
	VerifyTLS bool           `json:"verify-tls,omitzero"`
}

func TestOneTagReadsBothSpellings(t *testing.T) {
	for _, body := range []string{
		`{"created_at":"2026-01-02T03:04:05Z","verify_tls":true}`,
		`{"created-at":"2026-01-02T03:04:05Z","verify-tls":true}`,
		`{"createdAt":"2026-01-02T03:04:05Z","verifyTLS":true}`,
	} {
		var got object
		require.NoError(t, wire.Unmarshal([]byte(body), &got), body)
		assert.True(t, got.VerifyTLS, body)
		assert.Equal(t, 2026, got.CreatedAt.Year(), body)
	}
}

func TestTimes(t *testing.T) {
	want := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, nanos := range map[string]int{
		"2026-01-02T03:04:05Z":           0,
		"2026-01-02T03:04:05.1Z":         1e8,
		"2026-01-02T03:04:05.123456Z":    123456000,
		"2026-01-02T03:04:05.123456789Z": 123456789,
		"2026-01-02T03:04:05+00:00":      0,
		"2026-01-02T05:04:05+0200":       0,
		"2026-01-02T03:04:05.123":        123e6,
		"2026-01-02 03:04:05Z":           0,
		// in the document's example of a project's variable
		"#joda/inst 2026-01-02T03:04:05+0000": 0,
	} {
		var got object
		require.NoError(t, wire.Unmarshal([]byte(`{"created_at":"`+text+`"}`), &got), text)
		assert.WithinDuration(t, want.Add(time.Duration(nanos)), got.CreatedAt, 0, text)
	}
	for _, body := range []string{`{"created_at":""}`, `{"created_at":"yesterday"}`, `{"created_at":null}`, `{}`} {
		got := object{CreatedAt: want}
		require.NoError(t, wire.Unmarshal([]byte(body), &got), body)
		assert.Equal(t, body == `{}`, !got.CreatedAt.IsZero(), body)
	}
	for _, body := range []string{`{"created_at":12}`, `{"created_at":{}}`} {
		assert.Error(t, wire.Unmarshal([]byte(body), new(object)), body)
	}
}

func TestIDs(t *testing.T) {
	var got object
	require.NoError(t, wire.Unmarshal([]byte(`{"id":"`+id+`"}`), &got))
	assert.Equal(t, id, got.ID.String())
	for _, body := range []string{`{"id":""}`, `{"id":"x"}`, `{"id":null}`, `{"id":"` + id[:35] + `x"}`} {
		got := object{ID: uuid.MustParse(id)}
		require.NoError(t, wire.Unmarshal([]byte(body), &got), body)
		assert.Equal(t, uuid.Nil, got.ID, body)
	}
	for _, body := range []string{`{"id":5}`, `{"id":{}}`} {
		assert.Error(t, wire.Unmarshal([]byte(body), new(object)), body)
	}
}

func TestNumbersKeepTheirValue(t *testing.T) {
	var got object
	require.NoError(t, wire.Unmarshal([]byte(`{"run_time":"1.5","open":{"repo":9007199254740993,"share":0.5,"list":[1]}}`), &got))
	assert.InDelta(t, 1.5, got.RunTime, 0)
	assert.Equal(t, map[string]any{"repo": int64(9007199254740993), "share": 0.5, "list": []any{int64(1)}}, got.Open)
	require.NoError(t, wire.Unmarshal([]byte(`{"run_time":2.25}`), &got))
	assert.InDelta(t, 2.25, got.RunTime, 0)
	assert.Error(t, wire.Unmarshal([]byte(`{"run_time":"fast"}`), &got))
}

func TestOddBodiesAreTolerated(t *testing.T) {
	var got object
	require.NoError(t, wire.Unmarshal([]byte("{\"id\":\"\",\"id\":\""+id+"\",\"new\":{\"a\":[1]},\"open\":{\"bad\":\"\xff\"}}"), &got))
	assert.Equal(t, id, got.ID.String(), "of a repeated name the last counts")
	assert.Equal(t, "�", got.Open["bad"])
}

func TestReadTakesOneValueToTheEnd(t *testing.T) {
	var got object
	require.NoError(t, wire.Read(strings.NewReader(` {"run_time":1} `), &got))
	assert.InDelta(t, 1, got.RunTime, 0)
	assert.Error(t, wire.Read(strings.NewReader(`{"run_time":1}{"run_time":2}`), &got))
	assert.Error(t, wire.Read(strings.NewReader(`{"run_time":1`), &got))
}

type secret string

func (secret) Reveal() string               { return "in clear" }
func (secret) MarshalJSON() ([]byte, error) { return []byte(`"REDACTED"`), nil }

func TestMarshal(t *testing.T) {
	got, err := wire.Marshal(map[string]any{"b": 1, "a": secret("x"), "c": struct {
		S secret    `json:"s"`
		T time.Time `json:"t,omitzero"`
		L []string  `json:"l"`
	}{S: "y"}})
	require.NoError(t, err)
	assert.Equal(t, `{"a":"in clear","b":1,"c":{"s":"in clear","l":[]}}`, string(got))
}

func FuzzParseTime(f *testing.F) {
	for _, text := range []string{
		"", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123456789+05:30", "2026-01-02T03:04:05+0200", "2026-01-02 03:04:05", "2026-01-02",
		"0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2026-01-02T03:04:05-2400", "2026-02-30T00:00:00Z", "yesterday", "1772366400",
		"2026-01-02T03:04:05,5Z", "2026-01-02T3:04:05+24:00", "2026-01-02T24:00:00Z", "2026-01-02T03:04:60Z", "2026-01-02T03:04:05+23:59",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 60 {
			return // a long one finds nothing more, and takes minutes to minimize
		}
		at, err := wire.ParseTime([]byte(text))
		if err != nil {
			assert.True(t, at.IsZero())
			return
		}
		written, err := at.MarshalText()
		require.NoError(t, err, "%q can be read, and not be written by a user's own encoder", text)
		back, err := wire.ParseTime(written)
		require.NoError(t, err)
		assert.True(t, at.Equal(back), "%q becomes %v, and that %v", text, at, back)

		var got object
		require.NoError(t, wire.Unmarshal([]byte(`{"created_at":"`+text+`"}`), &got))
		assert.True(t, at.Equal(got.CreatedAt))
		_, err = wire.Marshal(got)
		assert.NoError(t, err)
	})
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{
		`{}`, `null`, `[]`, `{"created_at":"2026-01-02","id":"` + id + `","run_time":"1.5","open":{"a":[1,2.5,null]},"verify_tls":true}`,
		`{"id":"","ID":null,"run-time":1e400}`, `{"run_time":"NaN"}`, `{"open":{"a":{"b":{"c":1e999}}}}`, "{\"open\":{\"\xff\":\"\\ud800\"}}",
		`[{},{"id":5},{}`, `{"id":"urn:uuid:` + id + `"}`, `{"id":"{` + id + `}"}`, ` {} {} `,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 300 {
			return // a long one finds nothing more, and takes minutes to minimize
		}
		var got, streamed object
		err := wire.Unmarshal(data, &got)
		streamErr := wire.Read(iotest.OneByteReader(bytes.NewReader(data)), &streamed)
		assert.Equal(t, err == nil, streamErr == nil, "%v, and read from a stream %v", err, streamErr)
		if err == nil && !math.IsNaN(got.RunTime) {
			assert.Equal(t, got, streamed)
			written, err := wire.Marshal(got)
			require.NoError(t, err, "what can be read can be written")
			var back object
			require.NoError(t, wire.Unmarshal(written, &back))
			assert.True(t, got.CreatedAt.Equal(back.CreatedAt))
			assert.Equal(t, got.ID, back.ID)
		}
		elements := 0
		for _, err := range wire.Elements[object](bytes.NewReader(data)) {
			if elements++; err != nil {
				break
			}
		}
		assert.LessOrEqual(t, elements, 1+len(data), "elements that are not there")
		_ = wire.UnmarshalStrict(data, new(object)) // it must not panic
	})
}

// What a strict reader says is for who has written the JSON.
func TestStrictErrors(t *testing.T) {
	type inner struct {
		Count *int      `json:"count"`
		ID    uuid.UUID `json:"id"`
		OK    bool      `json:"ok"`
	}
	for data, want := range map[string]string{
		`{"foo_bar":1}`:           `there is no key "foo_bar"`,
		`{"Name":"x"}`:            `there is no key "Name"`,
		`{"inner":{"cnt":1}}`:     `there is no key "inner.cnt"`,
		`{"name":7}`:              `"name" is not a string`,
		`{"inner":[]}`:            `"inner" is not an object`,
		`{"list":{}}`:             `"list" is not an array`,
		`{"list":["a",7]}`:        `"list.1" is not a string`,
		`{"inner":{"ok":"yes"}}`:  `"inner.ok" is not true or false`,
		`{"inner":{"count":"1"}}`: `"inner.count" is not a number`,
		`{"inner":{"id":"x"}}`:    `"inner.id": `,
		`[]`:                      `it is not an object`,
		`{"name":"a","name":"b"}`: `duplicate`,
		`{"name":`:                `EOF`,
		``:                        `EOF`,
	} {
		var out struct {
			Name  string   `json:"name"`
			List  []string `json:"list"`
			Inner *inner   `json:"inner"`
		}
		err := wire.UnmarshalStrict([]byte(data), &out)
		require.ErrorContains(t, err, want, data)
		assert.NotContains(t, err.Error(), "Go ", data)
	}
}

// The buffer that an answer is read into is used again for the next one.
func TestWhatWasReadStays(t *testing.T) {
	type answer struct {
		Text string
		List []string
		Open map[string]any
		Any  any
	}
	read := func(letter string) (out answer) {
		body := strings.ReplaceAll(`{"text":"__","list":["__"],"open":{"__":"__"},"any":["__"]}`, "_", letter)
		require.NoError(t, wire.Read(strings.NewReader(body), &out))
		return out
	}
	first := read("a")
	for range 100 {
		read("b")
	}
	assert.Equal(t, answer{"aa", []string{"aa"}, map[string]any{"aa": "aa"}, []any{"aa"}}, first)
}

func TestTheExactSpellingOfANameWins(t *testing.T) {
	type inner struct {
		Number int `json:"number"`
	}
	type outer struct {
		Name  string           `json:"name"`
		Count int              `json:"count_of"`
		List  []inner          `json:"list"`
		Map   map[string]inner `json:"map"`
		Any   map[string]any   `json:"any"`
		Ptr   *inner           `json:"ptr"`
	}
	for _, body := range []string{
		`{"name":"a","count_of":1,"list":[{"number":2}],"map":{"x":{"number":3}},"ptr":{"number":4}}`,
		`{"name":"a","Name":"b","count_of":1,"count-of":"x","list":[{"number":2,"number_":"x"}],"map":{"x":{"Number":"x","number":3}},"ptr":{"number":4,"NUMBER":9}}`,
		`{"Name":"b","name":"a","count-of":"x","count_of":1,"list":[{"number_":"x","number":2}],"map":{"x":{"number":3,"Number":"x"}},"ptr":{"NUMBER":9,"number":4}}`,
		`{"name":"z","name":"a","count-of":1,"list":[{"number":1,"number":2}],"map":{"x":{"number":3}},"PTR":{"number-":4}}`,
	} {
		var got outer
		require.NoError(t, wire.Unmarshal([]byte(body), &got), body)
		assert.Equal(t, outer{
			Name: "a", Count: 1, List: []inner{{2}}, Map: map[string]inner{"x": {3}}, Ptr: &inner{4},
		}, got, body)
	}
	var only outer
	require.NoError(t, wire.Unmarshal([]byte(`{"count-of":"x","count_of":1}`), &only), "whatever is wrong with the other spelling")
	assert.Equal(t, 1, only.Count)
	var got outer
	require.NoError(t, wire.Unmarshal([]byte(`{"name":"a","Name":"b","any":{"id":"x","ID":"y","I_D":"z"}}`), &got))
	assert.Equal(t, map[string]any{"id": "x", "ID": "y", "I_D": "z"}, got.Any, "the keys of a map are not names")
}

// limited is an answer of at most so many bytes.
type limited struct {
	io.Reader
	limit int64
}

func (l limited) Limit() int64 { return l.limit }

func TestSmallElementsCannotFillTheMemory(t *testing.T) {
	const limit = 1 << 20
	wide := struct {
		Items wire.Items[[64]int64] `json:"items"`
	}{}
	type big struct{ Room [64]int64 }
	var names strings.Builder
	for i := range limit / 16 {
		fmt.Fprintf(&names, `"%06x":0,`, i)
	}
	different := names.String()
	for name, c := range map[string]struct {
		body string
		out  any
	}{
		"an array":                     {"[" + strings.Repeat("{},", limit/4) + "{}]", new([]big)},
		"a list":                       {`{"items":[` + strings.Repeat("[],", limit/4) + "[]]}", &wide},
		"a list of pointers":           {"[" + strings.Repeat("{},", limit/4) + "{}]", new([]*big)},
		"a nested array":               {`{"a":{"b":[` + strings.Repeat("{},", limit/4) + "{}]}}", new(map[string]map[string][]big)},
		"anything":                     {"[" + strings.Repeat("[],", limit/4) + "[]]", new(any)},
		"names that no field has":      {"{" + different + `"x":0}`, new(object)},
		"names within an unknown name": {`{"x":{` + different + `"x":0}}`, new(object)},
		"a long name":                  {`{"` + strings.Repeat("x", limit/2) + `":0}`, new(map[string]any)},
		"long names":                   {`{"a":{"` + strings.Repeat("x", limit/4) + `":0,"` + strings.Repeat("y", limit/4) + `":0}}`, new(any)},
		"invalid UTF-8":                {`"` + strings.Repeat("\xff", limit/8) + `"`, new(string)},
		"invalid UTF-8 in a name":      {`{"` + strings.Repeat("\xff", limit/8) + `":0}`, new(object)},
		"names that come again":        {"{" + strings.Repeat(`"x":0,`, limit/7) + `"x":0}`, new(object)},
	} {
		require.Less(t, len(c.body), limit, name)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := wire.Read(limited{strings.NewReader(c.body), limit}, c.out)
		runtime.ReadMemStats(&after)
		require.ErrorContains(t, err, "too many elements", name)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4*limit)*raceFactor, name)
	}
	all := make([]string, 0, 1000)
	for i := range 1000 {
		all = append(all, fmt.Sprintf(`{"id":%q,"name":"a usual item %d"}`, id, i))
	}
	var got []object
	require.NoError(t, wire.Read(limited{strings.NewReader("[" + strings.Join(all, ",") + "]"), 100_000}, &got), "usual items fit")
	assert.Len(t, got, 1000)
	named := `{"` + strings.Repeat("x", 20_000) + `":0},`
	require.NoError(t, wire.Read(limited{strings.NewReader("[" + named + named + named + "{}]"), 100_000}, new([]object)), "names are forgotten with their object")
	var text string
	require.NoError(t, wire.Read(limited{strings.NewReader(`"` + strings.Repeat("x\xff\ufffd", 5_000) + `"`), 100_000}, &text), "a little of it fits")
	assert.Equal(t, strings.Repeat("x\ufffd\ufffd", 5_000), text)
	replaced := strings.Repeat("\ufffd", 20_000)
	require.NoError(t, wire.Read(limited{strings.NewReader(`"` + replaced + "\xff\""), 100_000}, &text), "a valid U+FFFD does not grow")
	assert.Equal(t, replaced+"\ufffd", text)
	require.NoError(t, wire.Read(limited{strings.NewReader(`{"x":[` + strings.Repeat("0,", 40_000) + "0]}"), 100_000}, new(object)), "nothing is kept of it")
}

// Hiding names that another one has precedence over costs less than the text,
// however many objects there are.
func TestHidingNamesIsCheap(t *testing.T) {
	const n = 100_000
	body := []byte("[" + strings.Repeat(`{"id_":1,"\u0069D":"x","id":null},`, n) + `{}]`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var out []struct {
		ID int8 `json:"id"`
	}
	require.NoError(t, wire.Unmarshal(body, &out))
	runtime.ReadMemStats(&after)
	assert.Len(t, out, n+1)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(12*len(body))*raceFactor)
}
