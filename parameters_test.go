package circleci_test

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

func TestParametersAreSent(t *testing.T) {
	wire := replies(answers(201, `{}`))
	_, err := wire.client(t).Pipelines.Trigger(t.Context(), slug, circleci.TriggerPipelineRequest{Parameters: circleci.Parameters{
		"text": circleci.StringValue(`a"b`), "n": circleci.IntValue(math.MinInt64), "yes": circleci.BoolValue(true), "no": circleci.BoolValue(false),
		"zero": {}, "share": circleci.FloatValue(0.5),
	}})
	require.NoError(t, err)
	assert.Equal(t, `{"parameters":{"n":-9223372036854775808,"no":false,"share":0.5,"text":"a\"b","yes":true,"zero":""}}`, wire.only(t).Body)
}

func TestValues(t *testing.T) {
	for _, c := range []struct {
		json  string
		value circleci.Value
		any   any
		text  string
	}{
		{`"a"`, circleci.StringValue("a"), "a", "a"},
		{`""`, circleci.Value{}, "", ""},
		{`7`, circleci.IntValue(7), int64(7), "7"},
		{`-9223372036854775808`, circleci.IntValue(math.MinInt64), int64(math.MinInt64), "-9223372036854775808"},
		{`0.25`, circleci.FloatValue(0.25), 0.25, "0.25"},
		{`true`, circleci.BoolValue(true), true, "true"},
		{`false`, circleci.BoolValue(false), false, "false"},
	} {
		var got circleci.Value
		require.NoError(t, json.Unmarshal([]byte(c.json), &got))
		assert.Equal(t, c.value, got)
		assert.Equal(t, c.any, got.Any())
		assert.Equal(t, c.text, got.String())
		data, err := json.Marshal(got)
		require.NoError(t, err)
		assert.Equal(t, c.json, string(data))
		n, ok := got.Int()
		want, isInt := c.any.(int64)
		assert.Equal(t, isInt, ok)
		if ok {
			assert.Equal(t, want, n)
		}
		yes, ok := got.Bool()
		wantBool, isBool := c.any.(bool)
		assert.Equal(t, isBool, ok)
		if ok {
			assert.Equal(t, wantBool, yes)
		}
	}
}

func TestValuesOfAPipeline(t *testing.T) {
	wire := replies(answers(200, `{"pipeline.number":7,"pipeline.schedule.name":null,"pipeline.git.branch":"main","big":18446744073709551616}`))
	values, err := wire.client(t).Pipelines.GetValues(t.Context(), someID)
	require.NoError(t, err)
	assert.Equal(t, map[string]circleci.Value{
		"pipeline.number": circleci.IntValue(7), "pipeline.schedule.name": {}, "pipeline.git.branch": circleci.StringValue("main"),
		"big": circleci.FloatValue(18446744073709551616),
	}, values)

	for _, body := range []string{`{"a":[1]}`, `{"a":{"b":` + strings.Repeat(`"x",`, 10) + `}}`, `{"a":["` + strings.Repeat("x", 5000) + `"]}`} {
		_, err = replies(answers(200, body)).client(t).Pipelines.GetValues(t.Context(), someID)
		require.ErrorAs(t, err, new(*circleci.DecodeError))
		assertOneLine(t, err)
	}
}

func TestParametersHaveLimits(t *testing.T) {
	many := func(n int) circleci.Parameters {
		p := circleci.Parameters{}
		for i := range n {
			p[strconv.Itoa(i)] = circleci.IntValue(int64(i))
		}
		return p
	}
	for name, c := range map[string]struct {
		in     circleci.Parameters
		reason string
	}{
		"none":           {nil, ""},
		"100":            {many(100), ""},
		"101":            {many(101), "are 101; the API takes 100"},
		"name of 128":    {circleci.Parameters{strings.Repeat("ü", 128): circleci.StringValue("")}, ""},
		"name of 129":    {circleci.Parameters{strings.Repeat("ü", 129): circleci.StringValue("")}, "longer than 128"},
		"no name":        {circleci.Parameters{"": circleci.StringValue("")}, "without a name"},
		"value of 512":   {circleci.Parameters{"a": circleci.StringValue(strings.Repeat("ü", 512))}, ""},
		"value of 513":   {circleci.Parameters{"a": circleci.StringValue(strings.Repeat("ü", 513))}, `"a" is longer than 512`},
		"a hostile name": {circleci.Parameters{strings.Repeat("\n", 129): circleci.StringValue("")}, "longer than 128"},
		"no number":      {circleci.Parameters{"a": circleci.FloatValue(math.NaN())}, "NaN"},
	} {
		wire := replies(answers(201, `{}`))
		_, err := wire.client(t).Pipelines.Run(t.Context(), slug, circleci.RunPipelineRequest{DefinitionID: someID, Parameters: c.in})
		if c.reason == "" {
			assert.Len(t, wire.requests(), 1, name)
			continue
		}
		require.ErrorIs(t, err, circleci.ErrInvalidArgument, name)
		assert.ErrorContains(t, err, c.reason, name)
		assert.ErrorContains(t, err, "/pipeline/run", name)
		assertOneLine(t, err)
		assert.Empty(t, wire.requests(), name)
	}
}
