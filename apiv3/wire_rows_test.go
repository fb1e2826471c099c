package apiv3_test

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/apiv3"
)

var wireTests = slices.Concat(runTests, jobTests, projectTests, contextTests, setupTests, deployTests)

const oneRun = `{"id":"` + text1 + `","attributes":{"number":7,"phase":"ended","current_outcome":"failed",` +
	`"created_at":"2026-11-01T12:00:00Z","errors":[{"type":"config","message":"bad"}],` +
	`"warnings":[{"type":"deprecated","message":"old","description":"d","url":{"Value":"https://a.example"}},` +
	`{"type":"deprecated","message":"older","url":"https://b.example"}]},` +
	`"references":{"project":{"id":"` + text2 + `"},"user":{"id":"` + text3 + `","attributes":{"login":"ada"}},` +
	`"trigger":{"id":"` + text4 + `","attributes":{"event_source":{"type":"github_app"}}},` +
	`"event":{"id":"` + text3 + `","attributes":{"type":"push","action":"created","vcs":{"provider_name":"github",` +
	`"origin_repository_url":"https://github.com/acme/web","branch":"main","tag":"v1","revision":"abc",` +
	`"commit":{"subject":"Fix","url":"https://c.example","author":{"name":"Ada","login":"ada"}}}}}}}`

var wantRun = func() apiv3.Run {
	r := apiv3.Run{
		ID: id1, ProjectID: id2, Number: 7, Phase: apiv3.PhaseEnded, CurrentOutcome: apiv3.OutcomeFailed, CreatedAt: noon,
		Errors: []apiv3.RunError{{Type: "config", Message: "bad"}},
		Warnings: []apiv3.RunWarning{
			{Type: "deprecated", Message: "old", Description: "d", URL: "https://a.example"},
			{Type: "deprecated", Message: "older", URL: "https://b.example"},
		},
		User:    apiv3.UserRef{ID: id3, Login: "ada"},
		Trigger: apiv3.RunTrigger{ID: id4},
		Event: apiv3.RunEvent{ID: id3, Type: "push", Action: "created", VCS: apiv3.EventVCS{
			ProviderName: "github", OriginRepositoryURL: "https://github.com/acme/web", Branch: "main", Tag: "v1", Revision: "abc",
		}},
	}
	r.Trigger.EventSource.Type = "github_app"
	r.Event.VCS.Commit = apiv3.Commit{Subject: "Fix", URL: "https://c.example"}
	r.Event.VCS.Commit.Author.Name, r.Event.VCS.Commit.Author.Login = "Ada", "ada"
	return r
}()

const oneWorkflow = `{"id":"` + text1 + `","attributes":{"name":"build","phase":"started","current_outcome":"failed",` +
	`"created_at":"2026-11-01T12:00:00Z","ended_at":null},"references":{"run":{"id":"` + text2 + `"},"project":{"id":"` + text3 + `"},` +
	`"user":{"id":"` + text4 + `"}}}`

var wantWorkflow = apiv3.Workflow{
	ID: id1, RunID: id2, ProjectID: id3, Name: "build", Phase: apiv3.PhaseStarted, CurrentOutcome: apiv3.OutcomeFailed,
	CreatedAt: noon, User: apiv3.UserRef{ID: id4},
}

var runTests = []wireTest{
	{
		op: "GET /runs", what: "of a project",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return items(ctx, c.Runs.ListForProject(id2, &apiv3.ListRunsOptions{
				Phase: apiv3.PhaseEnded, CurrentOutcome: apiv3.OutcomeFailed,
				From: noon.Add(time.Nanosecond), To: noon.Add(time.Hour), Limit: 20,
			}))
		},
		url: "/runs?filter%5Bcurrent_outcome%5D=failed&filter%5Bfrom%5D=2026-11-01T12%3A00%3A00Z&filter%5Bphase%5D=ended" +
			"&filter%5Bproject_id%5D=" + text2 + "&filter%5Bto%5D=2026-11-01T13%3A00%3A00Z&page%5Blimit%5D=20",
		response: `{"data":[` + oneRun + `],"page":{"next":null,"prev":null}}`, want: []apiv3.Run{wantRun},
	},
	{
		op: "GET /runs", what: "of mine",
		call:     func(ctx context.Context, c *apiv3.Client) (any, error) { return items(ctx, c.Runs.ListMine(nil)) },
		url:      "/runs?filter%5Buser_id%5D=me",
		response: `{"data":[]}`, want: []apiv3.Run(nil),
	},
	{
		op:   "GET /runs/{id}",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) { return some(c.Runs.Get(ctx, id1)) },
		url:  "/runs/" + text1, response: `{"data":` + oneRun + `}`, want: &wantRun,
	},
	{
		op: "POST /runs/search",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return items(ctx, c.Runs.Search(apiv3.SearchRunsRequest{
				ProjectIDs: []uuid.UUID{id2}, From: noon, To: noon.Add(time.Hour),
				Filter: apiv3.FilterEqual("pipeline.git.branch", `a"b\c`), OrderBy: "created_at desc", Limit: 20,
			}))
		},
		url: "/runs/search",
		body: `{"scope":{"project_ids":["` + text2 + `"],"from":"2026-11-01T12:00:00Z","to":"2026-11-01T13:00:00Z"},` +
			`"filter":"pipeline.git.branch == \"a\\\"b\\\\c\"","order_by":"created_at desc","page":{"limit":20}}`,
		response: `{"data":[` + oneRun + `]}`, want: []apiv3.Run{wantRun},
	},
	{
		op: "GET /workflows",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return items(ctx, c.Workflows.ListForRun(id2))
		},
		url: "/workflows?filter%5Brun_id%5D=" + text2, response: `{"data":[` + oneWorkflow + `]}`,
		want: []apiv3.Workflow{wantWorkflow},
	},
	{
		op:   "GET /workflows/{id}",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) { return some(c.Workflows.Get(ctx, id1)) },
		url:  "/workflows/" + text1, response: `{"data":` + oneWorkflow + `}`, want: &wantWorkflow,
	},
	{
		op: "POST /workflows/{id}/rerun",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return some(c.Workflows.Rerun(ctx, id1, apiv3.RerunWorkflowRequest{
				FromFailed: true, EnableSSH: true, JobIDs: []uuid.UUID{id3},
			}))
		},
		url: "/workflows/" + text1 + "/rerun", body: `{"is_from_failed":true,"is_ssh_enabled":true,"jobs":["` + text3 + `"]}`,
		status: 201, response: `{"data":{"id":"` + text2 + `"}}`, want: id2,
	},
	{
		op: "POST /workflows/{id}/rerun", what: "all",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return some(c.Workflows.Rerun(ctx, id1, apiv3.RerunWorkflowRequest{}))
		},
		url: "/workflows/" + text1 + "/rerun", body: `{}`, status: 201, response: `{"data":{"id":"` + text2 + `"}}`, want: id2,
	},
	{
		op:   "POST /workflows/{id}/cancel",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) { return none(c.Workflows.Cancel(ctx, id1)) },
		url:  "/workflows/" + text1 + "/cancel", response: `{"data":{"id":"` + text1 + `"}}`,
	},
}

const oneJob = `{"id":"` + text1 + `","attributes":{"number":101,"name":"test","type":"build","phase":"started",` +
	`"current_outcome":"succeeded","started_at":"2026-11-01T12:00:00Z"},` +
	`"references":{"workflow":{"id":"` + text2 + `"},"project":{"id":"` + text3 + `"}}}`

var wantJob = apiv3.Job{
	ID: id1, WorkflowID: id2, ProjectID: id3, Number: 101, Name: "test", Type: apiv3.JobTypeBuild, Phase: apiv3.PhaseStarted,
	CurrentOutcome: apiv3.OutcomeSucceeded, StartedAt: noon,
}

// output is what a method has written and returned.
type output struct {
	text string
	at   apiv3.OutputPosition
}

func read(f func(w *bytes.Buffer) (apiv3.OutputPosition, error)) (any, error) {
	var w bytes.Buffer
	at, err := f(&w)
	return output{w.String(), at}, err
}

var jobTests = []wireTest{
	{
		op: "GET /jobs",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return items(ctx, c.Jobs.ListForWorkflow(id2))
		},
		url: "/jobs?filter%5Bworkflow_id%5D=" + text2, response: `{"data":[` + oneJob + `]}`, want: []apiv3.Job{wantJob},
	},
	{
		op:   "GET /jobs/{id}",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) { return some(c.Jobs.Get(ctx, id1)) },
		url:  "/jobs/" + text1,
		response: `{"data":{"id":"` + text1 + `","attributes":{"name":"test","type":"build","phase":"ended","outcome":"failed",` +
			`"started_at":"2026-11-01T12:00:00Z","ended_at":"2026-11-01T13:00:00Z","parallel_executions":[{"steps":[{"num":99,` +
			`"name":"go test","type":"run","phase":"ended","outcome":"failed","exit_code":1,"command":"go test ./...",` +
			`"started_at":"2026-11-01T12:00:00Z","ended_at":"2026-11-01T13:00:00Z","stdout_bytes":10,"stderr_bytes":0}]}]},` +
			`"references":{"workflow":{"id":"` + text2 + `"},"project":{"id":"` + text3 + `"},"pipeline":{"id":"` + text4 + `"},` +
			`"user":{"id":"` + text4 + `"}}}}`,
		want: &apiv3.Job{
			ID: id1, WorkflowID: id2, ProjectID: id3, PipelineID: id4, Name: "test", Type: apiv3.JobTypeBuild,
			Phase: apiv3.PhaseEnded, Outcome: apiv3.OutcomeFailed, StartedAt: noon, EndedAt: noon.Add(time.Hour),
			User: apiv3.UserRef{ID: id4},
			Executions: []apiv3.Execution{{Steps: []apiv3.Step{{
				Num: 99, Name: "go test", Type: "run", Phase: apiv3.PhaseEnded, Outcome: apiv3.OutcomeFailed, ExitCode: new(1),
				Command: "go test ./...", StartedAt: noon, EndedAt: noon.Add(time.Hour), StdoutBytes: 10,
			}}}},
		},
	},
	{
		op: "GET /jobs/{id}/stdout",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return read(func(w *bytes.Buffer) (apiv3.OutputPosition, error) {
				return c.Jobs.ReadStdout(ctx, apiv3.StepRef{JobID: id1, Execution: 2, Num: 99}, 0, w)
			})
		},
		url: "/jobs/" + text1 + "/stdout?filter%5Bexecution%5D=2&filter%5Bstep_num%5D=99", response: "\x1b[1mok\r\n",
		want: output{"\x1b[1mok\r\n", apiv3.OutputPosition{Offset: 8}},
	},
	{
		op: "GET /jobs/{id}/stderr",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return read(func(w *bytes.Buffer) (apiv3.OutputPosition, error) {
				return c.Jobs.ReadStderr(ctx, apiv3.StepRef{JobID: id1}, 0, w)
			})
		},
		url: "/jobs/" + text1 + "/stderr?filter%5Bstep_num%5D=0", status: 204, want: output{},
	},
	{
		op: "GET /jobs/{id}/stdout/condensed",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return read(func(w *bytes.Buffer) (apiv3.OutputPosition, error) {
				return apiv3.OutputPosition{}, c.Jobs.ReadCondensedStdout(ctx, apiv3.StepRef{JobID: id1, Num: 99}, w)
			})
		},
		url: "/jobs/" + text1 + "/stdout/condensed?filter%5Bstep_num%5D=99", response: "FAIL", want: output{text: "FAIL"},
	},
	{
		op: "GET /jobs/{id}/tests",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return some(collect(c.Jobs.ReadTests(ctx, id1)))
		},
		url: "/jobs/" + text1 + "/tests",
		response: `{"classname":"a","name":"b","result":"failure","run_time":1.5,"message":"no","file":"a_test.go"}` + "\r\n\n" +
			`{"name":"c","result":"success","message":null}`,
		want: []apiv3.Test{
			{Classname: "a", Name: "b", Result: circleci.TestResultFailure, RunTime: circleci.Seconds(1500 * time.Millisecond), Message: "no", File: "a_test.go"},
			{Name: "c", Result: circleci.TestResultSuccess},
		},
	},
	{
		op:   "GET /jobs/{id}/artifacts",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) { return items(ctx, c.Jobs.ListArtifacts(id1)) },
		url:  "/jobs/" + text1 + "/artifacts",
		response: `{"data":[{"id":"` + text2 + `","attributes":{"path":"a.txt","url":"https://output.circle-artifacts.com/a.txt",` +
			`"execution":1}}]}`,
		want: []apiv3.Artifact{{ID: id2, Path: "a.txt", URL: "https://output.circle-artifacts.com/a.txt", Execution: 1}},
	},
	{
		op: "GET /jobs/{id}/resource-usage",
		call: func(ctx context.Context, c *apiv3.Client) (any, error) {
			return some(c.Jobs.GetResourceUsage(ctx, id1))
		},
		url: "/jobs/" + text1 + "/resource-usage",
		response: `{"data":{"attributes":{"resource_class":{"name":"large","cpu_count":4,"memory_limit_bytes":8589934592},` +
			`"parallel_executions":[{"execution":0,"interval_ms":15000,"cpu_cores":[0.5,1],"memory_bytes":[1024],` +
			`"network_rx_bytes":10,"network_tx_bytes":20}]}}}`,
		want: func() *apiv3.ResourceUsage {
			u := &apiv3.ResourceUsage{Executions: []apiv3.ExecutionUsage{{
				Interval: milliseconds(15 * time.Second), CPUCores: []float64{0.5, 1}, MemoryBytes: []float64{1024},
				NetworkRxBytes: 10, NetworkTxBytes: 20,
			}}}
			u.ResourceClass.Name, u.ResourceClass.CPUCount, u.ResourceClass.MemoryLimitBytes = "large", 4, 8<<30
			return u
		}(),
	},
}
