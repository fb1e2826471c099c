package circlecitest_test

import (
	"bufio"
	"compress/gzip"
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

// fetch gets a signed URL, with no token unless one is given.
func fetch(t *testing.T, srv *circlecitest.Server, url, token string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	if token != "" {
		req.Header.Set("Circle-Token", token)
	}
	resp, err := srv.Transport().RoundTrip(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, body
}

// csvOf reads a file of an export, line by line.
func csvOf(t *testing.T, data []byte) []string {
	t.Helper()
	zip, err := gzip.NewReader(strings.NewReader(string(data)))
	require.NoError(t, err)
	var lines []string
	for scan := bufio.NewScanner(zip); scan.Scan(); {
		lines = append(lines, scan.Text())
	}
	return lines
}

func TestAnExportOfUsage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		c := srv.Client()
		org := srv.AddOrg("gh/acme")
		begin := srv.Now()
		jobs := []*circlecitest.JobScript{circlecitest.Job(`a "quoted", \odd name`).Takes(90 * time.Second), circlecitest.Approval("hold")}
		for _, name := range strings.Split("bcdefghijkl", "") {
			jobs = append(jobs, circlecitest.Job(name).Takes(10*time.Second))
		}
		srv.Script(webSlug, circlecitest.Script{Workflows: []*circlecitest.WorkflowScript{circlecitest.Workflow("build", jobs...)}})
		pipeline := srv.StartPipeline(webSlug, "main")
		srv.StartPipeline("gh/other/web", "main")
		time.Sleep(time.Hour)

		export, err := c.Usage.CreateExport(t.Context(), org, circleci.CreateUsageExportRequest{
			Start: begin.In(time.FixedZone("", 7200)), End: srv.Now(),
		})
		require.NoError(t, err)
		assert.Equal(t, circleci.UsageExportStateCreated, export.State)
		assert.Empty(t, export.DownloadURLs)
		assert.True(t, export.Start.Equal(begin))
		var states []circleci.UsageExportState
		for ; !export.State.Done(); time.Sleep(10 * time.Second) {
			export, err = c.Usage.GetExport(t.Context(), org, export.ID)
			require.NoError(t, err)
			states = append(states, export.State)
		}
		assert.Equal(t, []circleci.UsageExportState{"created", "processing", "processing", "completed"}, states)

		require.Len(t, export.DownloadURLs, 2, "an export has several files")
		var rows []string
		for _, url := range export.DownloadURLs {
			status, data := fetch(t, srv, url, "")
			require.Equal(t, http.StatusOK, status)
			lines := csvOf(t, data)
			header := strings.Split(lines[0], ",")
			assert.Len(t, header, 48)
			assert.Equal(t, "ORGANIZATION_ID", header[0])
			assert.Equal(t, "TOTAL_CREDITS", header[47])
			rows = append(rows, lines[1:]...)
		}
		require.Len(t, rows, 12, "a row for each job that has run, of this organization")
		long := rows[0]
		assert.Contains(t, long, pipeline.String())
		assert.Contains(t, long, `"a \"quoted\", \\odd name"`, "the backslash escapes")
		assert.Contains(t, long, `,\N,`, "null")
		assert.Contains(t, long, ",90,42.5,88.25,31,57.75,15.0000,0,")
		assert.Contains(t, rows[1], `,10,\N,\N,\N,\N,1.6667,`, "short jobs are not measured")
		assert.Regexp(t, `,\d{4}-\d\d-\d\d,\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6},`, long, "a date, and a time without a zone")
	})
}

func TestTheURLsOfAnExport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.NewServer() // the token at the storage must not fail this test
		defer srv.Close()
		c := srv.Client()
		org := srv.AddOrg("gh/acme")
		begin := srv.Now()
		srv.StartPipeline(webSlug, "main")
		time.Sleep(time.Hour)
		export, err := c.Usage.CreateExport(t.Context(), org, circleci.CreateUsageExportRequest{Start: begin, End: srv.Now()})
		require.NoError(t, err)
		time.Sleep(time.Minute)
		first, err := c.Usage.GetExport(t.Context(), org, export.ID)
		require.NoError(t, err)
		again, err := c.Usage.GetExport(t.Context(), org, export.ID)
		require.NoError(t, err)
		require.Len(t, first.DownloadURLs, 1)
		assert.NotEqual(t, first.DownloadURLs, again.DownloadURLs, "they are signed anew each time")
		url := first.DownloadURLs[0]
		status, _ := fetch(t, srv, url, "")
		assert.Equal(t, http.StatusOK, status)
		status, _ = fetch(t, srv, again.DownloadURLs[0], "")
		assert.Equal(t, http.StatusOK, status)
		status, _ = fetch(t, srv, url, srv.Token())
		assert.Equal(t, http.StatusBadRequest, status, "with the token")
		status, _ = fetch(t, srv, strings.Replace(url, "part-1", "part-2", 1), "")
		assert.Equal(t, http.StatusForbidden, status, "with another's signature")
		before, _, _ := strings.Cut(url, "?")
		status, _ = fetch(t, srv, before, "")
		assert.Equal(t, http.StatusForbidden, status, "with no signature")
		time.Sleep(37 * time.Hour)
		status, _ = fetch(t, srv, url, "")
		assert.Equal(t, http.StatusForbidden, status, "after its time")
	})
}

func TestAnExportWithoutDataHasNoFiles(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	c := srv.Client()
	org := srv.AddOrg("gh/acme")
	srv.Advance(time.Hour)
	export, err := c.Usage.CreateExport(t.Context(), org, circleci.CreateUsageExportRequest{Start: srv.Now().Add(-time.Hour), End: srv.Now()})
	require.NoError(t, err)
	srv.Advance(time.Hour)
	export, err = c.Usage.GetExport(t.Context(), org, export.ID)
	require.NoError(t, err)
	assert.Equal(t, circleci.UsageExportStateCompleted, export.State)
	assert.Nil(t, export.DownloadURLs)
	_, err = c.Usage.GetExport(t.Context(), srv.AddOrg("gh/other"), export.ID)
	assert.ErrorIs(t, err, circleci.ErrNotFound, "it is another's")
	_, err = c.Usage.GetExport(t.Context(), uuid.New(), export.ID)
	assert.ErrorIs(t, err, circleci.ErrNotFound)
}

func TestAnExportOfOrganizationsThatShareAPlan(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	c := srv.Client()
	begin := srv.Now()
	srv.StartPipeline("gh/acme/web", "main")
	srv.StartPipeline("gh/other/web", "main")
	srv.Advance(time.Hour)
	export, err := c.Usage.CreateExport(t.Context(), srv.AddOrg("gh/acme"), circleci.CreateUsageExportRequest{
		Start: begin, End: srv.Now(), SharedOrgIDs: []uuid.UUID{srv.AddOrg("gh/other")},
	})
	require.NoError(t, err)
	srv.Advance(time.Hour)
	export, err = c.Usage.GetExport(t.Context(), srv.AddOrg("gh/acme"), export.ID)
	require.NoError(t, err)
	require.Len(t, export.DownloadURLs, 1)
	_, data := fetch(t, srv, export.DownloadURLs[0], "")
	assert.Len(t, csvOf(t, data), 1+4, "two jobs of each")
}

func TestAnExportThatTheAPIRefuses(t *testing.T) {
	srv := circlecitest.New(t, circlecitest.WithManualTime())
	usage := srv.Client().Usage
	org, now := srv.AddOrg("gh/acme"), srv.Now()
	create := func(start, end time.Time) error {
		_, err := usage.CreateExport(t.Context(), org, circleci.CreateUsageExportRequest{Start: start, End: end})
		return err
	}
	for what, err := range map[string]error{
		"more than a year ago": create(now.AddDate(0, 0, -367), now.AddDate(0, 0, -366)),
		"the future":           create(now, now.Add(time.Hour)),
		"more than 31 days":    create(now.AddDate(0, 0, -31).Add(-time.Second), now),
		"no time":              srv.Client().Do(t.Context(), circleci.Request{Method: http.MethodPost, Route: "/organizations/{org_id}/usage_export_job", Params: []any{org}, Body: map[string]any{"start": "yesterday", "end": "today"}}, nil),
		"another key":          srv.Client().Do(t.Context(), circleci.Request{Method: http.MethodPost, Route: "/organizations/{org_id}/usage_export_job", Params: []any{org}, Body: map[string]any{"start": now, "end": now, "orgs": []string{}}}, nil),
	} {
		var bad *circleci.Error
		if assert.ErrorAs(t, err, &bad, what) {
			assert.Equal(t, http.StatusBadRequest, bad.StatusCode, what)
		}
	}
	assert.NoError(t, create(now.AddDate(0, 0, -31), now))
}
