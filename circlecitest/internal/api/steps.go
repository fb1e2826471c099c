package api

import (
	"fmt"
	"strings"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// The steps of each job: CircleCI's own, and the one that prints the output.
const (
	spinUpStep = 0
	runStep    = 101
)

var stepHandlers = map[string]exchange.Handler{
	"GET /api/v1.1/project/{project-slug}/{build-number}": withJob(func(_ *engine.Engine, r *exchange.Request, j *world.Job) *exchange.Answer {
		build := v11Build(j)
		build["steps"] = []any{
			form.Object{"name": "Spin up environment", "actions": []any{jobAction(j, r, spinUpStep, "Spin up environment")}},
			form.Object{"name": j.Script.Name, "actions": []any{jobAction(j, r, runStep, j.Script.Name)}},
		}
		return exchange.OK(build)
	}),
	"GET /api/v3/jobs/{job-id}/{stream}": withIDV3("Job", jobV3, func(s *engine.Engine, r *exchange.Request, j *world.Job) *exchange.Answer {
		if r.Params["stream"] == "stderr" {
			return outputV3(r, j, "")
		}
		return outputV3(r, j, jobPrinted(j, s))
	}),
}

// jobAction returns what a step of a job did.
func jobAction(j *world.Job, r *exchange.Request, step int, name string) form.Object {
	status := "success"
	switch {
	case j.Stopped.IsZero():
		status = "running"
	case step == runStep && j.Status.Failed():
		status = "failed"
	case step == runStep && j.Status == circleci.JobStatusCanceled:
		status = "canceled"
	}
	output := step == runStep && j.Script.Output != ""
	a := form.Object{
		"index": 0, "step": step, "name": name, "type": "test", "status": status, "parallel": true, "background": false,
		"insignificant": step == spinUpStep, "truncated": false, "has_output": output, "bash_command": nil, "exit_code": nil,
		"start_time": form.Time(j.Started), "end_time": form.Time(j.Stopped),
	}
	a["failed"], a["canceled"], a["timedout"], a["source"] = nil, nil, nil, "config"
	if step == spinUpStep {
		a["source"] = "inferred"
	}
	switch status {
	case "failed":
		a["failed"] = true
		a["timedout"] = form.Nullable(j.Status == circleci.JobStatusTimedOut)
	case "canceled":
		a["canceled"] = true
	}
	if step == runStep {
		a["bash_command"] = "#!/bin/bash -eo pipefail\nmake " + name
	}
	if !j.Stopped.IsZero() {
		a["run_time_millis"] = j.Stopped.Sub(j.Started).Milliseconds()
		if step == runStep {
			a["exit_code"] = map[bool]int{false: 0, true: 1}[j.Status.Failed()]
		}
	}
	if output {
		a["output_url"] = r.Host.Storage + jobOutputPath(j) + "?signature=0123456789abcdef"
	}
	return a
}

func jobOutputPath(j *world.Job) string { return fmt.Sprintf("/action-output/%s-%d-0", j.ID, runStep) }

func jobOfOutput(s *world.World, path string) *world.Job {
	if j := jobIn(s, path, "/action-output/"); j != nil && jobOutputPath(j) == path {
		return j
	}
	return nil
}

// serveStoredOutput returns an output in pieces, as the API v1.1 stores it.
func serveStoredOutput(j *world.Job) *exchange.Answer {
	var pieces []any
	for line := range strings.SplitAfterSeq(j.Script.Output, "\n") {
		if line != "" {
			pieces = append(pieces, form.Object{"type": "out", "time": form.Time(j.Started), "message": line})
		}
	}
	return exchange.OK(pieces)
}
