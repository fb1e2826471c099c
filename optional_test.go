package circleci_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

// update is a request as the API's PATCH calls take them.
type update struct {
	Name   circleci.Optional[string]            `json:"name,omitzero"`
	On     circleci.Optional[bool]              `json:"on,omitzero"`
	List   circleci.Optional[[]string]          `json:"list,omitzero"`
	At     circleci.Optional[time.Time]         `json:"at,omitzero"`
	Secret circleci.Optional[circleci.Secret]   `json:"secret,omitzero"`
	Nested circleci.Optional[map[string]update] `json:"nested,omitzero"`
}

// bodyOf returns what goes over the wire for in.
func bodyOf(t testing.TB, in any) string {
	t.Helper()
	wire := replies(answers(200, `{}`))
	require.NoError(t, wire.client(t).Do(t.Context(), circleci.Request{Method: "PATCH", Route: "/x", Body: in}, nil))
	return wire.only(t).Body
}

func TestAnOptionalHasThreeStates(t *testing.T) {
	for _, c := range []struct {
		in   update
		body string
	}{
		{update{}, `{}`},
		{update{Name: circleci.Some("a")}, `{"name":"a"}`},
		{update{Name: circleci.Some("")}, `{"name":""}`},
		{update{Name: circleci.Null[string]()}, `{"name":null}`},
		{update{On: circleci.Some(false)}, `{"on":false}`},
		{update{List: circleci.Some([]string{})}, `{"list":[]}`},
		{update{List: circleci.Some([]string(nil))}, `{"list":[]}`},
		{update{At: circleci.Some(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))}, `{"at":"2026-01-02T03:04:05Z"}`},
		{update{Secret: circleci.Some(circleci.Secret(canary))}, `{"secret":"CANARY"}`},
		{update{Secret: circleci.Null[circleci.Secret]()}, `{"secret":null}`},
		{update{Nested: circleci.Some(map[string]update{"k": {Secret: circleci.Some(circleci.Secret(canary))}})}, `{"nested":{"k":{"secret":"CANARY"}}}`},
	} {
		assert.Equal(t, c.body, bodyOf(t, c.in))
		assert.Equal(t, c.body, bodyOf(t, &c.in))
		assert.Equal(t, "["+c.body+"]", bodyOf(t, []any{c.in}))
	}
}

func TestWhatAnOptionalTells(t *testing.T) {
	some, none, null := circleci.Some(5), circleci.Optional[int]{}, circleci.Null[int]()
	value, ok := some.Get()
	assert.Equal(t, 5, value)
	assert.True(t, ok)
	for _, o := range []circleci.Optional[int]{none, null} {
		value, ok = o.Get()
		assert.Zero(t, value)
		assert.False(t, ok)
		assert.Nil(t, o.Any())
	}
	assert.Equal(t, 5, some.Any())
	assert.Equal(t, [][2]bool{{false, false}, {true, false}, {false, true}},
		[][2]bool{{some.IsZero(), some.IsNull()}, {none.IsZero(), none.IsNull()}, {null.IsZero(), null.IsNull()}})
	assert.Equal(t, some, circleci.Some(5), "they can be compared")
	assert.NotEqual(t, circleci.Some(0), null)

	assert.Equal(t, "5 unset null", fmt.Sprint(some, none, null))
	assert.Equal(t, `005 "a" [a b] {Name:a On:unset}`, fmt.Sprintf("%03d %q %v %+v", some, circleci.Some("a"), circleci.Some([]string{"a", "b"}),
		struct {
			Name circleci.Optional[string]
			On   circleci.Optional[bool]
		}{Name: circleci.Some("a")}))
	assert.Equal(t, "5", some.String())
}

func TestAnUnsetOptionalIsNotWritten(t *testing.T) {
	_, err := json.Marshal(circleci.Optional[int]{})
	require.ErrorContains(t, err, "omitzero")
	wire := replies()
	err = wire.client(t).Do(t.Context(), circleci.Request{Method: "POST", Route: "/x", Body: struct {
		Name circleci.Optional[string] `json:"name"`
	}{}}, nil)
	require.ErrorIs(t, err, circleci.ErrInvalidArgument, "a field without the tag would clear what it leaves unset")
	assert.ErrorContains(t, err, "omitzero")
	assert.Empty(t, wire.requests())
}

func TestAnOptionalGoesThroughUsersOwnJSON(t *testing.T) {
	for body, want := range map[string]update{
		`{}`:                        {},
		`{"name":"a","on":null}`:    {Name: circleci.Some("a"), On: circleci.Null[bool]()},
		`{"list":["a"],"on":false}`: {List: circleci.Some([]string{"a"}), On: circleci.Some(false)},
	} {
		var got update
		require.NoError(t, json.Unmarshal([]byte(body), &got))
		assert.Equal(t, want, got)
		data, err := json.Marshal(want)
		require.NoError(t, err)
		assert.JSONEq(t, body, string(data))
	}
	var o circleci.Optional[int]
	assert.Error(t, json.Unmarshal([]byte(`"x"`), &o))
	assert.True(t, o.IsZero(), "what cannot be read changes nothing")
}

func TestAnOptionalSecretIsHidden(t *testing.T) {
	secret := circleci.Some(circleci.Secret(canary))
	for _, v := range []any{secret, &secret, update{Secret: secret}, &update{Secret: secret}, circleci.Some([]circleci.Secret{canary})} {
		assertHidden(t, canary, v)
	}
	data, err := json.Marshal(update{Secret: secret})
	require.NoError(t, err)
	assert.Equal(t, `{"secret":"REDACTED"}`, string(data))
}
