package circleci_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// usedOrg is an organization with n jobs, each of which ran within a minute
// from the start of a day.
func usedOrg(t *testing.T, srv *circlecitest.Server, days int) uuid.UUID {
	t.Helper()
	srv.Script(webSlug, plain(circlecitest.Workflow("a", circlecitest.Job("x"), circlecitest.Job("short").Takes(5*time.Second).Fails())))
	for range days {
		srv.StartPipeline(webSlug, "main")
		time.Sleep(24 * time.Hour)
	}
	return srv.AddOrg("gh/acme")
}

func TestUsageExport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		srv := circlecitest.New(t)
		org := usedOrg(t, srv, 70)
		var progress []circleci.UsageProgress
		var rows []circleci.UsageRow
		window := circleci.UsageWindow{Start: start, End: start.AddDate(0, 0, 70)}
		for row, err := range srv.Client().Usage.Export(t.Context(), org, window, &circleci.ExportUsageOptions{
			OnProgress: func(p circleci.UsageProgress) { progress = append(progress, p) },
		}) {
			require.NoError(t, err)
			rows = append(rows, row)
		}
		require.Len(t, rows, 140, "all rows of all files of all windows")
		jobs := map[uuid.UUID]bool{}
		for _, r := range rows {
			jobs[r.JobID] = true
			assert.Empty(t, r.Extra)
		}
		assert.Len(t, jobs, 140, "and none twice")
		r := rows[0]
		if r.JobName != "x" {
			r = rows[1]
		}
		assert.Equal(t, org, r.OrganizationID)
		assert.Equal(t, circleci.JobStatusSuccess, r.JobStatus)
		assert.Equal(t, circleci.Seconds(30*time.Second), r.JobRunDuration)
		assert.InDelta(t, 42.5, *r.MedianCPUUtilizationPercent, 0)
		assert.InDelta(t, 5, r.TotalCredits, 0)
		assert.Equal(t, start.UTC().Truncate(24*time.Hour), r.JobRunDate)
		assert.Equal(t, 30*time.Second, r.JobRunStoppedAt.Sub(r.JobRunStartedAt))

		windows := map[circleci.UsageWindow]bool{}
		files := 0
		for _, p := range progress {
			windows[p.Window] = true
			if p.File > 0 {
				files++
			}
		}
		assert.Len(t, windows, 3, "31, 31 and 8 days")
		assert.Equal(t, 7+7+2, files)
		for _, r := range srv.Requests() {
			if r.Operation == "storage" {
				assert.NotContains(t, r.Header, "Circle-Token")
			}
		}
	})
}

// The API takes ten exports an hour, and says so.
func TestUsageExportWaitsForTheLimit(t *testing.T) {
	limit := circlecitest.Response{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"3000"}}}
	const create = "POST /organizations/{org_id}/usage_export_job"
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		srv := circlecitest.New(t)
		org := usedOrg(t, srv, 1)
		window := circleci.UsageWindow{Start: start, End: start.Add(23 * time.Hour)}
		srv.Fail(create, limit)
		srv.Fail("GET /organizations/{org_id}/usage_export_job/{usage_export_job_id}", limit)
		began := time.Now()
		rows, err := collect(srv.Client().Usage.Export(t.Context(), org, window, nil))
		require.NoError(t, err)
		assert.Len(t, rows, 2)
		assert.Greater(t, time.Since(began), 6000*time.Second)
		assert.Less(t, len(srv.Requests()), 12, "politely")

		srv.Fail(create, circlecitest.Response{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"1764115200"}}})
		began = time.Now()
		_, err = collect(srv.Client().Usage.Export(t.Context(), org, window, nil))
		require.NoError(t, err)
		assert.Less(t, time.Since(began), 2*time.Hour, "a point in time is not a wait")

		srv.Fail(create, limit)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		began = time.Now()
		_, err = collect(srv.Client().Usage.Export(ctx, org, window, nil))
		require.ErrorIs(t, err, circleci.ErrRateLimited)
		assert.Less(t, time.Since(began), time.Second, "a wait that cannot end in time is not begun")
	})
}

func TestUsageExportThatFails(t *testing.T) {
	const poll = "GET /organizations/{org_id}/usage_export_job/{usage_export_job_id}"
	body := func(state, urls string) circlecitest.Response {
		return circlecitest.Response{Body: `{"usage_export_job_id":"` + id1.String() + `","state":"` + state + `","download_urls":` + urls + `,"error_reason":"too\nmuch"}`}
	}
	for name, c := range map[string]struct {
		poll    []circlecitest.Response
		storage []circlecitest.Response
		rows    int
		text    string // of the error; empty: none
	}{
		"failed":                   {poll: []circlecitest.Response{body("FAILED", "[]")}, text: ": the export failed: too much"},
		"a state in capitals":      {poll: []circlecitest.Response{body("PENDING", "null"), body("COMPLETED", "null")}},
		"no data":                  {poll: []circlecitest.Response{body("completed", "null")}},
		"a URL that is none":       {poll: []circlecitest.Response{body("completed", `["nowhere"]`)}, text: "is not a valid URL"},
		"a broken connection":      {storage: []circlecitest.Response{{Executed: true, CutAfter: 100}}, rows: 12},
		"a storage that is down":   {storage: []circlecitest.Response{{Status: 503}}, rows: 12},
		"a signature that is over": {storage: []circlecitest.Response{{Status: 403}}, rows: 12},
		"no rights":                {storage: []circlecitest.Response{{Status: 403}, {Status: 403}}, text: "403"},
		"no gzip":                  {storage: []circlecitest.Response{{Body: "ORGANIZATION_ID\n"}}, text: ", file 1 of 2: gzip: invalid header"},
		"gzip that is cut":         {storage: []circlecitest.Response{{Body: string(cutGzip(t))}}, rows: 1, text: "unexpected EOF"},
		"an empty file":            {storage: []circlecitest.Response{{Body: ""}}, rows: 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				srv := circlecitest.New(t)
				org := usedOrg(t, srv, 6)
				srv.Fail(poll, c.poll...)
				srv.Fail("storage", c.storage...)
				rows, err := collect(srv.Client().Usage.Export(t.Context(), org, circleci.UsageWindow{Start: start, End: time.Now()}, nil))
				if c.text == "" {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, c.text)
				}
				assert.Len(t, rows, c.rows, "what came before is handed over")
			})
		})
	}
	_, err := collect(circlecitest.New(t).Client().Usage.Export(t.Context(), id1, circleci.UsageWindow{Start: time.Unix(1, 0), End: time.Unix(1, 0)}, nil))
	assert.ErrorIs(t, err, circleci.ErrInvalidArgument)
}

// cutGzip is a file of two rows, cut within the second.
func cutGzip(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	_, err := zip.Write([]byte("JOB_NAME\nfirst\n"))
	require.NoError(t, err)
	require.NoError(t, zip.Flush())
	return b.Bytes()
}

func TestUsageExportThatIsBrokenOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		srv := circlecitest.New(t)
		org := usedOrg(t, srv, 20)
		window := circleci.UsageWindow{Start: start, End: time.Now()}
		count := &oneTrouble{}
		c := srv.Client(circleci.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			count.next = next
			return count
		}))
		for _, err := range c.Usage.Export(t.Context(), org, window, nil) {
			require.NoError(t, err)
			break
		}
		assert.Zero(t, count.open.Load(), "the connection of the file is left open")
		storage := 0
		for _, r := range srv.Requests() {
			if r.Operation == "storage" {
				storage++
			}
		}
		assert.Equal(t, 1, storage)

		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Second, cancel)
		_, err := collect(srv.Client().Usage.Export(ctx, org, window, nil))
		assert.ErrorIs(t, err, context.Canceled)
	})
}

func TestUsageRows(t *testing.T) {
	text := strings.Join([]string{
		`job_name,Parallelism,"VCS_BRANCH",IS_UNREGISTERED_USER,IS_WORKFLOW_SUCCESSFUL,MAX_CPU_UTILIZATION_PCT,JOB_RUN_DATE,WORKFLOW_STOPPED_AT,PROJECT_ID,BRAND_NEW`,
		`build,4,"a ""quoted"", \"escaped\" \\ one` + "\n" + `of two lines",Y,FALSE,12.5,2026-03-01,2026-03-01 08:30:00.25,11111111-1111-4111-8111-111111111111,new`,
		`\N,\N,"\N",n,true,\N,\N,\N,\N,\N`,
		``,
		`odd,many,C:\\x,maybe,1,high,yesterday,,no-id,,beyond`,
		`short`,
	}, "\r\n")
	rows, err := collect(circleci.UsageRows(gzipped(t, text)))
	require.NoError(t, err)
	require.Len(t, rows, 4)

	r := rows[0]
	assert.Equal(t, "build", r.JobName, "names of columns match in any case")
	assert.EqualValues(t, 4, r.Parallelism)
	assert.Equal(t, "a \"quoted\", \"escaped\" \\ one\nof two lines", r.VCSBranch)
	assert.True(t, r.IsUnregisteredUser)
	assert.False(t, r.IsWorkflowSuccessful)
	assert.InDelta(t, 12.5, *r.MaxCPUUtilizationPercent, 0)
	assert.Equal(t, time.Date(2026, 3, 1, 8, 30, 0, 25e7, time.UTC), r.WorkflowStoppedAt)
	assert.Equal(t, id1, r.ProjectID)
	assert.Equal(t, map[string]string{"BRAND_NEW": "new"}, r.Extra)

	assert.Equal(t, circleci.UsageRow{VCSBranch: "N", IsWorkflowSuccessful: true}, rows[1], "null is zero, and a quoted \\N is an N")
	r = rows[2]
	assert.Equal(t, `C:\x`, r.VCSBranch)
	assert.Equal(t, map[string]string{
		"Parallelism": "many", "IS_UNREGISTERED_USER": "maybe", "MAX_CPU_UTILIZATION_PCT": "high", "JOB_RUN_DATE": "yesterday",
		"PROJECT_ID": "no-id", "BRAND_NEW": "", "column 11": "beyond",
	}, r.Extra, "what is not of its column's form is kept as it came")
	assert.Equal(t, circleci.UsageRow{JobName: "short"}, rows[3])

	for name, text := range map[string]string{
		"an open quote": "A\n\"x", "an open escape": "A\nx\\", "an endless cell": "A\n" + strings.Repeat("x", 2<<20), "a cell of a megabyte": "A\n" + strings.Repeat("x", 1<<20) + "\n", "a row of many long cells": "A\n" + strings.Repeat(strings.Repeat("x", 600<<10)+",", 2) + "\n", "an endless row": "A\n" + strings.Repeat(",", 2<<20),
	} {
		_, err := collect(circleci.UsageRows(gzipped(t, text)))
		assert.Error(t, err, name)
	}
	rows, err = collect(circleci.UsageRows(gzipped(t, "PROJECT_ID,PARALLELISM\n11111111-2222,99999999999999999999\n")))
	require.NoError(t, err)
	assert.Equal(t, circleci.UsageRow{Extra: rows[0].Extra}, rows[0], "a cell that cannot be read is taken for its first part")
	for _, text := range []string{"", "A,B\n", "A"} {
		rows, err := collect(circleci.UsageRows(gzipped(t, text)))
		assert.NoError(t, err)
		assert.Empty(t, rows)
	}
}

func gzipped(t testing.TB, text string) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	_, err := zip.Write([]byte(text))
	require.NoError(t, errors.Join(err, zip.Close()))
	return &b
}

func FuzzUsageRows(f *testing.F) {
	f.Add("JOB_NAME,PARALLELISM\nx,1\n")
	f.Add("\"a\\\"\",\\N\n\"x\ny\",\\\\\n")
	f.Add("JOB_RUN_SECONDS,IS_WORKFLOW_SUCCESSFUL,PIPELINE_ID,JOB_RUN_DATE\n1.5,true," + someID.String() + ",2026-01-02\nx,maybe,y,z\n")
	f.Add("A,A,\n1,2,3\n\n1\n1,2,3,4\n")
	zip := gzip.NewWriter(io.Discard) // a new one each time takes most of the time
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 400 {
			return // a long one finds nothing more, and takes minutes to minimize
		}
		var file bytes.Buffer
		zip.Reset(&file)
		_, err := io.WriteString(zip, text)
		require.NoError(t, errors.Join(err, zip.Close()))
		rows, err := collect(circleci.UsageRows(&file))
		assert.LessOrEqual(t, len(rows), 1+strings.Count(text, "\n")+strings.Count(text, "\r"), "rows that are not in the file")
		if err != nil {
			assert.LessOrEqual(t, len(err.Error()), 1500)
		}
		for cut := range min(file.Len(), 3) { // a file that is none, or ends too soon
			_, err := collect(circleci.UsageRows(bytes.NewReader(file.Bytes()[:cut])))
			assert.True(t, err != nil || cut == 0, "a file that is cut passes for a whole one")
		}
		_, _ = collect(circleci.UsageRows(strings.NewReader(text))) // it must not panic
	})
}
