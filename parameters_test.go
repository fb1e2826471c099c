package circleci_test

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

type environment string

func TestParametersAreSent(t *testing.T) {
	wire := replies(answers(201, `{"id":"00000001-1111-4111-8111-111111111111"}`))
	_, err := wire.client(t).Pipelines.Trigger(t.Context(), slug, circleci.TriggerPipelineRequest{Parameters: circleci.Parameters{
		"text": `a"b`, "n": int64(math.MinInt64), "big": uint64(math.MaxUint64), "byte": byte(7), "yes": true, "no": false,
		"empty": "", "float": 3.0, "-2^53": -float64(1 << 53), "named": environment("prod"), "month": time.March, "secret": circleci.Secret("s3cret"),
	}})
	require.NoError(t, err)
	assert.Equal(t, `{"parameters":{"-2^53":-9007199254740992,"big":18446744073709551615,"byte":7,"empty":"","float":3,"month":3,`+
		`"n":-9223372036854775808,"named":"prod","no":false,"secret":"s3cret","text":"a\"b","yes":true}}`, wire.only(t).Body)
}

func TestValuesOfAPipeline(t *testing.T) {
	wire := replies(answers(200, `{"pipeline.number":7,"pipeline.schedule.name":null,"pipeline.git.branch":"main","big":18446744073709551616}`))
	values, err := wire.client(t).Pipelines.GetValues(t.Context(), someID)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{
		"pipeline.number": int64(7), "pipeline.schedule.name": nil, "pipeline.git.branch": "main", "big": float64(18446744073709551616),
	}, values)
}

func TestParametersHaveLimits(t *testing.T) {
	many := func(n int) circleci.Parameters {
		p := circleci.Parameters{}
		for i := range n {
			p[strconv.Itoa(i)] = i
		}
		return p
	}
	for name, c := range map[string]struct {
		in     circleci.Parameters
		reason string
	}{
		"none":           {nil, ""},
		"100":            {many(100), ""},
		"101":            {many(101), "are too many: 101, and the API accepts 100"},
		"name of 128":    {circleci.Parameters{strings.Repeat("ü", 128): ""}, ""},
		"name of 129":    {circleci.Parameters{strings.Repeat("ü", 129): ""}, "longer than 128"},
		"no name":        {circleci.Parameters{"": ""}, "an empty name"},
		"value of 512":   {circleci.Parameters{"a": strings.Repeat("ü", 512)}, ""},
		"value of 513":   {circleci.Parameters{"a": strings.Repeat("ü", 513)}, `"a" is longer than 512`},
		"a hostile name": {circleci.Parameters{strings.Repeat("\n", 129): ""}, "longer than 128"},
		"no number":      {circleci.Parameters{"a": math.NaN()}, "NaN"},
		"no end":         {circleci.Parameters{"a": math.Inf(1)}, "+Inf"},
		"a fraction":     {circleci.Parameters{"a": 0.5}, `"a" is 0.5`},
		"a large float":  {circleci.Parameters{"a": 1e300}, `"a" is 1e+300`},
		"nil":            {circleci.Parameters{"a": nil}, `"a" is nil`},
		"a list":         {circleci.Parameters{"a": []string{"x"}}, `"a" is of type []string`},
		"a pointer":      {circleci.Parameters{"a": new("x")}, `"a" is of type *string`},
		"an ID":          {circleci.Parameters{"a": someID}, `"a" is of type uuid.UUID`},
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
