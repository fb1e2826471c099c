package circleci_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

// exporter answers the requests of an export at once, with one file.
type exporter struct {
	file    []byte
	limited int // so many refusals first
	created []circleci.CreateUsageExportRequest
	sent    []time.Time
}

func (e *exporter) client(t testing.TB) *circleci.Client {
	t.Helper()
	c, err := circleci.NewClient("CCIPAT_test", circleci.WithLimiter(nil), circleci.WithRetry(circleci.RetryPolicy{MaxAttempts: 1}),
		circleci.WithHTTPClient(&http.Client{Transport: roundTrip(e.answer)}))
	require.NoError(t, err)
	return c
}

func (e *exporter) answer(req *http.Request) (*http.Response, error) {
	status, body := 201, `{"usage_export_job_id":"`+id1.String()+`","state":"completed","download_urls":["https://files.example.com/1"]}`
	switch {
	case req.URL.Host == "files.example.com":
		status, body = 200, string(e.file)
	case e.limited > 0:
		e.limited--
		e.sent = append(e.sent, time.Now())
		status, body = 429, `{"message":"Too many requests"}`
	default:
		e.sent = append(e.sent, time.Now())
		var in circleci.CreateUsageExportRequest
		if err := json.NewDecoder(req.Body).Decode(&in); err != nil {
			return nil, err
		}
		e.created = append(e.created, in)
	}
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Request: req, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

// Both ends of a window are part of it, at the API as well.
func TestWindowsOfAnExportShareNoInstant(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 123, time.UTC)
	for days, parts := range map[int]int{1: 1, 31: 1, 32: 2, 62: 2, 63: 3, 365: 12} {
		e := &exporter{file: gzipped(t, "JOB_NAME\nx\n").Bytes()}
		end := start.AddDate(0, 0, days)
		rows, err := collect(e.client(t).Usage.Export(t.Context(), id1, circleci.UsageWindow{Start: start, End: end}, nil))
		require.NoError(t, err)
		assert.Len(t, rows, parts)
		require.Len(t, e.created, parts, "%d days", days)
		assert.Equal(t, start.Truncate(time.Microsecond), e.created[0].Start)
		assert.Equal(t, end.Truncate(time.Microsecond), e.created[parts-1].End)
		for i := 1; i < parts; i++ {
			assert.Equal(t, time.Microsecond, e.created[i].Start.Sub(e.created[i-1].End), "no row is between two windows, and none in both")
		}
	}
}

func TestAUsageFileMayBeginWithAByteOrderMark(t *testing.T) {
	for _, header := range []string{"JOB_NAME,PARALLELISM", `"JOB_NAME","PARALLELISM"`} {
		rows, err := collect(circleci.UsageRows(gzipped(t, "\xef\xbb\xbf"+header+"\nx,2\n")))
		require.NoError(t, err)
		assert.Equal(t, []circleci.UsageRow{{JobName: "x", Parallelism: 2}}, rows)
	}
}

// A row is the same whether the fast or the slow way of reading it is taken.
func TestUsageRowsOfEachForm(t *testing.T) {
	long := strings.Repeat("x", 100<<10) // more than a buffer
	for _, line := range []string{"x,2", "\rx,2", "\"x\",2", "x,2\r", "\"x\",\"2\"\r", `\x,2`} {
		for _, before := range []string{"", "y,1\n", long + ",3\n"} {
			for _, end := range []string{"", "\n", "\n\n"} {
				rows, err := collect(circleci.UsageRows(gzipped(t, "JOB_NAME,PARALLELISM\n"+before+line+end)))
				require.NoError(t, err)
				assert.Equal(t, circleci.UsageRow{JobName: "x", Parallelism: 2}, rows[len(rows)-1], "%q", line+end)
				assert.Len(t, rows, 1+strings.Count(before, "\n"))
			}
		}
	}
}

// Each row has its own values, although equal cells are parsed once.
func TestRowsOfAnExportShareNothing(t *testing.T) {
	const header = "PROJECT_ID,JOB_NAME,PARALLELISM,MAX_CPU_UTILIZATION_PCT,JOB_RUN_DATE,JOB_RUN_STARTED_AT\n"
	const full = "11111111-1111-4111-8111-111111111111,x,2,12.5,2026-03-01,2026-03-01 08:30:00\n"
	rows, err := collect(circleci.UsageRows(gzipped(t, header+full+full+`\N,\N,\N,\N,\N,\N`+"\n"+full+"odd,x,odd,odd,odd,2026-03-01T08:30:00Z\n"+full)))
	require.NoError(t, err)
	require.Len(t, rows, 6)
	percent := 12.5
	want := circleci.UsageRow{
		ProjectID: id1, JobName: "x", Parallelism: 2, MaxCPUUtilizationPercent: &percent,
		JobRunDate: march1, JobRunStartedAt: march1.Add(8*time.Hour + 30*time.Minute),
	}
	for _, i := range []int{0, 1, 3, 5} {
		assert.Equal(t, want, rows[i], "row %d", i)
		*rows[i].MaxCPUUtilizationPercent = 0
	}
	assert.Equal(t, circleci.UsageRow{}, rows[2])
	assert.Equal(t, circleci.UsageRow{
		JobName: "x", JobRunStartedAt: want.JobRunStartedAt,
		Extra: map[string]string{"PROJECT_ID": "odd", "PARALLELISM": "odd", "MAX_CPU_UTILIZATION_PCT": "odd", "JOB_RUN_DATE": "odd"},
	}, rows[4])
}

// A broken file does not fill the memory with what its cells were.
func TestLongCellsAreForgotten(t *testing.T) {
	const columns, long = 50, 1 << 20
	header := strings.TrimSuffix(strings.Repeat("PARALLELISM,", columns), ",")
	var file bytes.Buffer
	zip := gzip.NewWriter(&file)
	_, err := io.WriteString(zip, header+"\n")
	require.NoError(t, err)
	for i := range columns {
		_, err := io.WriteString(zip, strings.Repeat(",", i)+strings.Repeat("0", long-columns-1)+"1"+strings.Repeat(",", columns-1-i)+"\n")
		require.NoError(t, err)
	}
	require.NoError(t, zip.Close())
	held := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	rows, before := 0, held()
	for row, err := range circleci.UsageRows(&file) {
		require.NoError(t, err)
		assert.Equal(t, int64(1), row.Parallelism)
		if rows++; rows == columns {
			assert.Less(t, held()-before, int64(columns/2*long))
		}
	}
	assert.Equal(t, columns, rows)
}

// A row can begin with an empty cell, and a header can be broken.
func TestRowsAtTheirEdges(t *testing.T) {
	rows, err := collect(circleci.UsageRows(gzipped(t, "JOB_NAME,PARALLELISM\n,2\n\\N,3\nx,\n")))
	require.NoError(t, err)
	assert.Equal(t, []circleci.UsageRow{{Parallelism: 2}, {Parallelism: 3}, {JobName: "x"}}, rows)
	_, err = collect(circleci.UsageRows(gzipped(t, strings.Repeat("x", 2<<20))))
	require.ErrorContains(t, err, "longer than a megabyte")
}

// Only a line without any text is no row.
func TestRowsOfASingleColumn(t *testing.T) {
	rows, err := collect(circleci.UsageRows(gzipped(t, "JOB_NAME\nx\n\n\\N\n\"\"\n\ny\n")))
	require.NoError(t, err)
	assert.Equal(t, []circleci.UsageRow{{JobName: "x"}, {}, {}, {JobName: "y"}}, rows)
}

func TestUsageExportObeysOptions(t *testing.T) {
	window := circleci.UsageWindow{Start: march1, End: march8}
	run := func(t *testing.T, e *exporter, opts ...circleci.RequestOption) ([]circleci.UsageRow, error) {
		return collect(e.client(t).Usage.Export(t.Context(), id1, window, nil, opts...))
	}
	file := gzipped(t, "JOB_NAME\nx\n").Bytes()
	synctest.Test(t, func(t *testing.T) {
		e := &exporter{file: file, limited: 2}
		_, err := run(t, e)
		require.NoError(t, err)
		require.Len(t, e.sent, 3)
		assert.Equal(t, time.Minute, e.sent[1].Sub(e.sent[0]), "a refusal that names no time is waited out for a minute")
		assert.Equal(t, time.Minute, e.sent[2].Sub(e.sent[1]))
	})
	synctest.Test(t, func(t *testing.T) {
		e := &exporter{file: file, limited: 100}
		start := time.Now()
		_, err := run(t, e, circleci.Timeout(150*time.Second))
		require.ErrorIs(t, err, circleci.ErrRateLimited)
		assert.LessOrEqual(t, time.Since(start), 150*time.Second, "Timeout limits an export as a whole")
		assert.Len(t, e.sent, 3)
	})
	synctest.Test(t, func(t *testing.T) {
		e := &exporter{file: file, limited: 100}
		_, err := run(t, e, circleci.NoRetry())
		require.ErrorIs(t, err, circleci.ErrRateLimited)
		assert.Len(t, e.sent, 1, "NoRetry sends one request")
	})
	var response circleci.Response
	for name, opt := range map[string]circleci.RequestOption{
		"Range": circleci.Header("Range", "bytes=1-"), "CaptureResponse": circleci.CaptureResponse(&response),
	} {
		e := &exporter{file: file}
		_, err := run(t, e, opt)
		require.ErrorIs(t, err, circleci.ErrInvalidArgument, name)
		assert.Empty(t, e.sent, name)
	}
}
