package circleci_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

func TestDurationsAreWrittenInTheirOwnUnit(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                        `[0,0]`,
		90 * time.Second:         `[90,90000]`,
		1500 * time.Millisecond:  `[1.5,1500]`,
		1234567:                  `[0.001234567,1.234567]`,
		-1:                       `[-0.000000001,-0.000001]`,
		-1500 * time.Microsecond: `[-0.0015,-1.5]`,
		math.MaxInt64:            `[9223372036.854775807,9223372036854.775807]`,
		math.MinInt64:            `[-9223372036.854775808,-9223372036854.775808]`,
	} {
		data, err := json.Marshal([]any{circleci.Seconds(d), circleci.Milliseconds(d)})
		require.NoError(t, err)
		assert.Equal(t, want, string(data), d)
		assert.Equal(t, d.String(), fmt.Sprint(circleci.Seconds(d)))
		assert.Equal(t, d.String(), fmt.Sprint(circleci.Milliseconds(d)))

		if d.Abs() < 1<<53 { // beyond it a number may be rounded
			var back [2]json.RawMessage
			require.NoError(t, json.Unmarshal(data, &back))
			var s circleci.Seconds
			var m circleci.Milliseconds
			require.NoError(t, json.Unmarshal(back[0], &s))
			require.NoError(t, json.Unmarshal(back[1], &m))
			assert.Equal(t, d, time.Duration(s))
			assert.Equal(t, d, time.Duration(m))
		}
	}
}

func TestDurationsAreReadFromNumbers(t *testing.T) {
	for text, want := range map[string]time.Duration{
		`0`: 0, `null`: 0, `""`: 0, `7`: 7 * time.Second, `-7`: -7 * time.Second, `"7"`: 7 * time.Second,
		`0.25`: 250 * time.Millisecond, `"0.25"`: 250 * time.Millisecond, `1e3`: 1000 * time.Second, `0.000000001`: 1,
		`9223372036`: 9223372036 * time.Second, `9223372037`: math.MaxInt64, `-1e300`: math.MinInt64,
		`9223372036.854775808`: math.MaxInt64, `-9223372036.854775808`: math.MinInt64,
	} {
		got := circleci.Seconds(1)
		require.NoError(t, json.Unmarshal([]byte(text), &got), text)
		assert.Equal(t, circleci.Seconds(want), got, text)
	}
	var m circleci.Milliseconds
	require.NoError(t, json.Unmarshal([]byte(`1.5`), &m))
	assert.Equal(t, circleci.Milliseconds(1500*time.Microsecond), m)
	for _, text := range []string{`"1m"`, `true`, `{}`, `[1]`, `"NaN"`, `"Inf"`} {
		require.ErrorContains(t, json.Unmarshal([]byte(text), &m), "a duration must be a number", text)
	}
}
