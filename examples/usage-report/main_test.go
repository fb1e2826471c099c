package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/clitest"
)

func TestDemo(t *testing.T) {
	clitest.Demo(t)
	for format, want := range map[string]string{
		"table": `┌─────────┬────────────────┬──────┬─────────┬─────────┐
│ Project │ Resource class │ Runs │ Minutes │ Credits │
├─────────┼────────────────┼──────┼─────────┼─────────┤
│ api     │ medium         │   28 │   196.0 │  1960.0 │
│ web     │ medium         │   28 │   112.0 │  1120.0 │
│ docs    │ medium         │    4 │     4.0 │    40.0 │
├─────────┼────────────────┼──────┼─────────┼─────────┤
│ Total   │                │   60 │   312.0 │  3120.0 │
└─────────┴────────────────┴──────┴─────────┴─────────┘
`,
		"csv": `Project,Resource class,Runs,Minutes,Credits
api,medium,28,196.0,1960.0
web,medium,28,112.0,1120.0
docs,medium,4,4.0,40.0
`,
		"markdown": `| Project | Resource class | Runs | Minutes | Credits |
| --- | --- | ---:| ---:| ---:|
| api | medium | 28 | 196.0 | 1960.0 |
| web | medium | 28 | 112.0 | 1120.0 |
| docs | medium | 4 | 4.0 | 40.0 |
| Total |  | 60 | 312.0 | 3120.0 |
`,
	} {
		synctest.Test(t, func(t *testing.T) {
			con := clitest.New()
			require.NoError(t, run(t.Context(), &con.Console, []string{"-format", format}))
			assert.Equal(t, want, con.Stdout(), "standard output is for the report alone, as %s", format)
			assert.Contains(t, con.Stderr(), "the export is processing\n")
			assert.Contains(t, con.Stderr(), "from 2026-02-01 to 2026-02-28, UTC\n")
		})
	}
}

func TestInterrupted(t *testing.T) {
	clitest.Demo(t)
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(200*time.Millisecond, cancel) // while the export is made
		con := clitest.New()
		assert.Equal(t, 130, con.Exit(run(ctx, &con.Console, nil)))
		assert.Empty(t, con.Stdout(), "half a report must not look like a whole one")
	})
}

func TestTooManyExports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		org := srv.AddOrg("gh/acme")
		srv.Fail("POST /organizations/{org_id}/usage_export_job",
			circlecitest.Response{Status: 429, Header: map[string][]string{"Retry-After": {"3600"}}})
		con := clitest.New()
		window := circleci.UsageWindow{Start: time.Now().Add(-time.Hour), End: time.Now()}
		require.NoError(t, report(t.Context(), &con.Console, srv.Client(), org, window, nil, "csv"))
		assert.Contains(t, con.Stderr(), "CircleCI permits no more exports for now; trying again in 1h0m0s\n")
	})
}

func TestExportFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := circlecitest.New(t)
		org := srv.AddOrg("gh/acme")
		srv.Fail("GET /organizations/{org_id}/usage_export_job/{usage_export_job_id}",
			circlecitest.Response{Body: `{"usage_export_job_id":"2338d0ae-5541-4bbf-88a2-55e9f7281f80","state":"failed","error_reason":"no data"}`})
		con := clitest.New()
		window := circleci.UsageWindow{Start: time.Now().Add(-time.Hour), End: time.Now()}
		assert.Equal(t, 1, con.Exit(report(t.Context(), &con.Console, srv.Client(), org, window, nil, "csv")))
		assert.Contains(t, con.Stderr(), "no data")
		assert.Empty(t, con.Stdout())
	})
}

func TestMonth(t *testing.T) {
	now := time.Date(2026, 1, 15, 12, 0, 0, 0, time.FixedZone("", 3600))
	for _, tt := range []struct{ name, start, end string }{
		{"", "2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z"},
		{"2025-02", "2025-02-01T00:00:00Z", "2025-03-01T00:00:00Z"},
		{"2026-01", "2026-01-01T00:00:00Z", "2026-01-15T11:00:00Z"}, // the API refuses the future
		{"2026-02", "", ""},
		{"2026", "", ""},
		{"May", "", ""},
	} {
		w, err := month(tt.name, now)
		if tt.start == "" {
			assert.Error(t, err, tt.name)
			continue
		}
		require.NoError(t, err, tt.name)
		assert.Equal(t, tt.start, w.Start.Format(time.RFC3339), tt.name)
		assert.Equal(t, tt.end, w.End.Format(time.RFC3339), tt.name)
	}
}

func TestFindOrg(t *testing.T) {
	srv := circlecitest.New(t)
	want := srv.AddOrg("gh/acme")
	for _, ref := range []string{"gh/acme", "github/acme", want.String()} {
		id, err := findOrg(t.Context(), srv.Client(), ref)
		require.NoError(t, err, ref)
		assert.Equal(t, want, id, ref)
	}
	_, err := findOrg(t.Context(), srv.Client(), "gh/umbrella")
	assert.ErrorContains(t, err, "there are: gh/acme", "who has mistyped wants to see what there is")
}

func TestFeesWithoutAJob(t *testing.T) {
	s := sums{}
	s.add(circleci.UsageRow{ProjectName: "web", ResourceClass: "large", JobName: "test", JobRunDuration: circleci.Seconds(90 * time.Second), TotalCredits: 30})
	s.add(circleci.UsageRow{OrganizationID: uuid.New(), TotalCredits: 12.5}) // a user's fee
	con := clitest.New()
	s.render(con.Out, "csv")
	assert.Equal(t, "Project,Resource class,Runs,Minutes,Credits\nweb,large,1,1.5,30.0\n-,-,0,0.0,12.5\n", con.Stdout())
}

func TestWrongCalls(t *testing.T) {
	srv := circlecitest.New(t)
	clitest.Live(t, srv)
	for _, args := range [][]string{
		{}, {"acme"}, {"-month", "x", "gh/acme"}, {"-format", "x", "gh/acme"}, {"gh/acme", "-month", "2026-02"}, {"-nope"},
	} {
		con := clitest.New()
		assert.Equal(t, 2, con.Exit(run(t.Context(), &con.Console, args)), "%v", args)
		assert.NotEmpty(t, con.Stderr(), "%v", args)
	}
	assert.Empty(t, srv.Requests())
}
