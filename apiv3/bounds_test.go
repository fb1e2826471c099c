package apiv3

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci/internal/wire"
)

// limited is a response with a maximum size.
type limited struct {
	*strings.Reader
	limit int64
}

func (l limited) Limit() int64 { return l.limit }

// The elements of a page are bounded by the memory they take, not by their text.
func TestThePagesOfEnvelopesAreBounded(t *testing.T) {
	const limit = 1 << 20
	many := func(element string) string {
		return strings.Repeat(element+",", limit*3/4/(len(element)+1)) + element
	}
	for name, c := range map[string]struct {
		body string
		out  any
	}{
		"a page of empty resources": {`{"data":[` + many("{}") + `]}`, new(collection[thing])},
		"a list of attributes":      {`{"data":{"attributes":{"parts":[` + many("{}") + `]}}}`, new(entity[thing])},
		"a list of references":      {`{"data":{"references":{"parts":[` + many("{}") + `]}}}`, new(entity[thing])},
		"references":                {`{"data":[{"references":{` + many(`"part":{}`) + `}}]}`, new(collection[thing])},
	} {
		err := wire.Read(limited{strings.NewReader(c.body), limit}, c.out)
		assert.ErrorContains(t, err, "too many elements", name)
	}
	usual := `{"id":"` + text1 + `","attributes":{"name":"a","count":1,"parts":[{"id":"` + text2 + `","name":"p"}]},"references":{"org":{"id":"` + text2 + `"}}}`
	var page collection[thing]
	err := wire.Read(limited{strings.NewReader(`{"data":[` + strings.Repeat(usual+",", 99) + usual + `]}`), 1 << 18}, &page)
	require.NoError(t, err, "usual resources fit")
	assert.Len(t, page.items, 100)
}
