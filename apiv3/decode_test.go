package apiv3

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// thing has a field of each kind that the types of this package have.
type thing struct {
	ID        uuid.UUID      `json:"id"`
	OrgID     uuid.UUID      `json:"org_id"`
	Org       NamedRef       `json:"org"`
	Name      string         `json:"name"`
	Count     int64          `json:"count"`
	CreatedAt time.Time      `json:"created_at"`
	Parts     []NamedRef     `json:"parts"`
	Part      *NamedRef      `json:"part"`
	Phase     Phase          `json:"phase"`
	Schedule  *EventSchedule `json:"schedule"`
	URL       Link           `json:"url"`
}

const (
	text1 = "11111111-1111-4111-8111-111111111111"
	text2 = "22222222-2222-4222-8222-222222222222"
)

var (
	id1 = uuid.MustParse(text1)
	id2 = uuid.MustParse(text2)
)

func TestAnEnvelopeIsLaidFlat(t *testing.T) {
	for name, c := range map[string]struct {
		data string
		want thing
	}{
		"an ID and attributes": {`{"id":"` + text1 + `","attributes":{"name":"a","count":3}}`, thing{ID: id1, Name: "a", Count: 3}},
		"a reference with a copy": {
			`{"references":{"org":{"id":"` + text2 + `","attributes":{"name":"b"}}}}`,
			thing{OrgID: id2, Org: NamedRef{id2, "b"}},
		},
		"several references": {
			`{"references":{"parts":[{"id":"` + text1 + `"},{"id":"` + text2 + `","attributes":{"name":"b"}}]}}`,
			thing{Parts: []NamedRef{{ID: id1}, {id2, "b"}}},
		},
		"a reference of a reference is left alone": {
			`{"references":{"org":{"id":"` + text2 + `","references":{"parts":{"id":"` + text1 + `"}}}}}`,
			thing{OrgID: id2, Org: NamedRef{ID: id2}},
		},
		"an attribute beats a reference": {
			`{"attributes":{"part":{"name":"a"}},"references":{"part":{"id":"` + text1 + `"}}}`, thing{Part: &NamedRef{Name: "a"}},
		},
		"the ID is not an attribute":    {`{"id":"` + text1 + `","attributes":{"id":"` + text2 + `"}}`, thing{ID: id1}},
		"no envelope":                   {`{"id":"` + text1 + `","name":"a"}`, thing{ID: id1, Name: "a"}},
		"nulls":                         {`{"id":null,"attributes":null,"references":null}`, thing{}},
		"null references":               {`{"references":{"org":null,"parts":null}}`, thing{}},
		"references of other types":     {`{"references":{"org":3,"parts":"x"}}`, thing{}},
		"unknown values pass":           {`{"attributes":{"phase":"paused","new":[1,{}]}}`, thing{Phase: "paused"}},
		"names in another spelling":     {`{"attributes":{"created-at":"2026-11-01T12:00:00Z"}}`, thing{CreatedAt: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}},
		"an ID and a time of odd forms": {`{"id":"x","attributes":{"name":"a","created_at":"soon"}}`, thing{Name: "a"}},
		"a member of another type costs itself": {
			`{"id":"` + text1 + `","attributes":{"name":["a"],"count":3,"parts":{"id":1}}}`, thing{ID: id1, Count: 3},
		},
		"a schedule that is a list": {`{"attributes":{"schedule":[1,2]}}`, thing{Schedule: &EventSchedule{}}},
		"a schedule that is an object": {
			`{"attributes":{"schedule":{"cron_expression":"* * * * *"}}}`, thing{Schedule: &EventSchedule{CronExpression: "* * * * *"}},
		},
		"a link that is a string":  {`{"attributes":{"url":"https://a.example"}}`, thing{URL: "https://a.example"}},
		"a link that is an object": {`{"attributes":{"url":{"Value":"https://a.example"}}}`, thing{URL: "https://a.example"}},
		"a link that is neither":   {`{"attributes":{"url":[1]}}`, thing{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := resource[thing]([]byte(c.data))
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestWhatIsNotAnEnvelope(t *testing.T) {
	for _, data := range []string{``, `null`, `3`, `[]`, `"x"`, `{"attributes":3}`, `{"references":[]}`, `{"id":`} {
		_, err := resource[thing]([]byte(data))
		assert.Error(t, err, data)
	}
	var e entity[thing]
	for _, data := range []string{`{}`, `{"data":null}`, `{"data":[]}`, `[]`, `{"error":{}}`} {
		assert.Error(t, json.Unmarshal([]byte(data), &e), data)
	}
	var c collection[thing]
	for _, data := range []string{`{}`, `{"data":{}}`, `{"items":[]}`, `{"data":[null]}`, `{"data":[3]}`} {
		assert.Error(t, json.Unmarshal([]byte(data), &c), data)
	}
}

func TestAnEmptyPageIsNotAnError(t *testing.T) {
	for _, data := range []string{
		`{"data":[]}`, `{"data":null}`, `{"data":[],"page":null}`, `{"data":[],"page":{}}`, `{"data":[],"page":{"next":null}}`,
		`{"data":[],"page":{"next":""},"meta":null}`,
	} {
		c := collection[thing]{next: "old", items: make([]thing, 1)}
		require.NoError(t, json.Unmarshal([]byte(data), &c), data)
		assert.Empty(t, c.items, data)
		assert.Empty(t, c.next, data)
	}
	var c collection[thing]
	require.NoError(t, json.Unmarshal([]byte(`{"data":[{"id":"`+text1+`"}],"page":{"next":"n"},"meta":{"total_count":9}}`), &c))
	assert.Equal(t, collection[thing]{items: []thing{{ID: id1}}, next: "n", total: 9}, c)
}

// What is laid flat is what encoding/json writes and reads: users need no
// envelope to store a result.
func TestResultsSurviveEncodingJSON(t *testing.T) {
	want, err := resource[Run]([]byte(`{"id":"` + text1 + `","attributes":{"number":7,"phase":"started","created_at":"2026-11-01T12:00:00Z",` +
		`"warnings":[{"type":"a","url":{"Value":"https://a.example"}}]},"references":{"project":{"id":"` + text2 + `"},` +
		`"event":{"id":"` + text1 + `","attributes":{"type":"push","vcs":{"branch":"main"}}}}}`))
	require.NoError(t, err)
	data, err := json.Marshal(want)
	require.NoError(t, err)
	var got Run
	require.NoError(t, json.Unmarshal(data, &got))
	assert.Equal(t, want, got)
}

// envelopes are seeds of the fuzz targets.
var envelopes = []string{
	`{"data":{"id":"` + text1 + `","attributes":{"name":"a","created_at":"2026-11-01T12:00:00Z"},"references":{"org":{"id":"` + text2 + `"}}}}`,
	`{"data":[{"id":"` + text1 + `","references":{"parts":[{"id":1},{"attributes":{"name":"x"}}]}}],"page":{"next":"n"}}`,
	`{"data":null}`, `{"data":{"attributes":{"schedule":[1],"url":{"Value":"u"},"count":"3"}}}`, `{"data":{"references":{"":[]}}}`,
	"{\"data\":{\"\xff\":{},\"attributes\":{\"name\":\"\xff\"}}}",
}

// An envelope either is an error, or gives a value that can be written and read
// again.
func FuzzEnvelope(f *testing.F) {
	for _, seed := range envelopes {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var (
			e entity[thing]
			c collection[thing]
		)
		_ = c.UnmarshalJSON(data)
		if e.UnmarshalJSON(data) != nil {
			return
		}
		written, err := json.Marshal(e.value)
		require.NoError(t, err)
		again, err := resource[thing](written)
		require.NoError(t, err)
		first, _ := json.Marshal(again)
		assert.JSONEq(t, string(written), string(first))
	})
}

// However a stream of lines is cut into writes, the same tests come out.
func FuzzTestLines(f *testing.F) {
	f.Add([]byte(`{"name":"a","result":"success","run_time":0.5}`+"\n"+`{"name":"b"}`+"\r\n\n{}"), 3)
	f.Add([]byte("\n\n\n"), 1)
	f.Add([]byte(`{"name":1}`+"\nnull\n"), 0)
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		read := func(size int) (tests []Test, bad string) {
			w := lineWriter[Test]{yield: func(test Test, err error) bool {
				assert.NoError(t, err)
				tests = append(tests, test)
				return true
			}}
			for rest := data; len(rest) > 0 && w.bad == nil; {
				n := min(max(size, 1), len(rest))
				_, _ = w.Write(rest[:n])
				rest = rest[n:]
			}
			if w.bad == nil {
				_ = w.end()
			}
			if w.bad != nil {
				bad = w.bad.Error()
			}
			return tests, bad
		}
		whole, bad := read(len(data))
		parts, alsoBad := read(size)
		assert.True(t, reflect.DeepEqual(whole, parts))
		assert.Equal(t, bad, alsoBad)
	})
}
