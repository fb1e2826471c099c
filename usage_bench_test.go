package circleci_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

// usageFile is a usage export of n rows with every column, each filled.
func usageFile(t testing.TB, n int) []byte {
	t.Helper()
	var header, cells []string
	for field := range reflect.TypeFor[circleci.UsageRow]().Fields() {
		name := field.Tag.Get("csv")
		if name == "" {
			continue
		}
		header = append(header, name)
		switch {
		case strings.HasSuffix(name, "_ID"):
			cells = append(cells, id1.String())
		case strings.HasSuffix(name, "_AT"):
			cells = append(cells, "2026-03-01 08:41:00.123")
		case strings.HasSuffix(name, "_DATE"):
			cells = append(cells, "2026-03-01")
		case strings.HasPrefix(name, "IS_"):
			cells = append(cells, "true")
		case strings.HasSuffix(name, "_CREDITS"), strings.HasSuffix(name, "_PCT"):
			cells = append(cells, "12.5")
		case strings.HasSuffix(name, "_NUMBER"), strings.HasSuffix(name, "_SECONDS"), name == "PARALLELISM":
			cells = append(cells, "42")
		default:
			cells = append(cells, `"some ""text"""`)
		}
	}
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	_, err := fmt.Fprintln(zip, strings.Join(header, ","))
	for range n {
		_, more := fmt.Fprintln(zip, strings.Join(cells, ","))
		err = errors.Join(err, more)
	}
	require.NoError(t, errors.Join(err, zip.Close()))
	return b.Bytes()
}

// What a row of an export costs.
func BenchmarkUsageRow(b *testing.B) {
	const rows = 10_000
	file := usageFile(b, rows)
	b.ReportAllocs()
	for n := 0; n < b.N; {
		for _, err := range circleci.UsageRows(bytes.NewReader(file)) {
			if err != nil {
				b.Fatal(err)
			}
			if n++; n == b.N {
				break
			}
		}
	}
}
