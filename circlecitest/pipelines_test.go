package circlecitest_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/circlecitest"
)

func TestParametersThatTheAPIRefuses(t *testing.T) {
	srv := circlecitest.New(t)
	srv.AddProject(webSlug)
	many := map[string]any{}
	for i := range 101 {
		many["p"+strconv.Itoa(i)] = i
	}
	long := strings.Repeat("ä", 512)
	for name, c := range map[string]struct {
		parameters map[string]any
		problem    string // empty: none
	}{
		"text, truth and number": {map[string]any{"a": "b", "c": true, "d": -1}, ""},
		"just as long":           {map[string]any{long[:256]: long}, ""},
		"a long value":           {map[string]any{"a": long + "x"}, "512"},
		"a long name":            {map[string]any{long[:256] + "x": 1}, "128"},
		"a fraction":             {map[string]any{"a": 1.5}, "integer"},
		"null":                   {map[string]any{"a": nil}, "is not a string, integer or boolean"},
		"a list":                 {map[string]any{"a": []int{1}}, "is not a string, integer or boolean"},
		"too many":               {many, "100"},
	} {
		body, err := json.Marshal(map[string]any{"parameters": c.parameters})
		require.NoError(t, err)
		r, err := send(t, srv, "POST", "/project/gh/acme/web/pipeline", string(body))
		require.NoError(t, err)
		if c.problem == "" {
			assert.Equal(t, 201, r.status, "%s: %s", name, r.body)
			continue
		}
		assert.Equal(t, 400, r.status, name)
		assert.Contains(t, r.body, c.problem, "%s: who sends it has to learn what is wrong", name)
	}
}
