package circlecitest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/circleci-go/circleci"
)

// The steps of each job: CircleCI's own, and the one that prints the output.
const (
	spinUpStep = 0
	runStep    = 101
)

var stepHandlers = map[string]handler{
	"GET /api/v1.1/project/{project-slug}/{build-number}": withJob(func(_ *Server, r *request, j *job) *answer {
		return ok(object{
			"build_num": j.number, "status": j.status, "job_name": nil,
			"workflows": object{"job_id": j.id, "job_name": j.script.name, "workflow_id": j.workflow.id, "workflow_name": j.workflow.name},
			"steps": []any{
				object{"name": "Spin up environment", "actions": []any{j.action(r, spinUpStep, "Spin up environment")}},
				object{"name": j.script.name, "actions": []any{j.action(r, runStep, j.script.name)}},
			},
		})
	}),
	"GET /api/v3/jobs/{job-id}/{stream}": func(s *Server, r *request) *answer {
		j := s.world.runs.jobs[r.id("job-id")]
		if j == nil || r.params["stream"] != "stdout" && r.params["stream"] != "stderr" {
			return &answer{status: http.StatusNotFound, body: object{"error": object{"type": "not-found", "title": "Not Found"}}}
		}
		step, _ := strconv.Atoi(r.query.Get("filter[step_num]")) // 0 prints nothing
		if step != runStep || r.params["stream"] == "stderr" || j.script.output == "" {
			return &answer{status: http.StatusNoContent}
		}
		return serveContent(r, content{j.script.output, int64(len(j.script.output))})
	},
}

// action is what a step of a job did.
func (j *job) action(r *request, step int, name string) object {
	status := "success"
	switch {
	case j.stopped.IsZero():
		status = "running"
	case step == runStep && j.status.Failed():
		status = "failed"
	case step == runStep && j.status == circleci.JobStatusCanceled:
		status = "canceled"
	}
	output := step == runStep && j.script.output != ""
	a := object{
		"index": 0, "step": step, "name": name, "type": "test", "status": status, "parallel": true, "background": false,
		"insignificant": step == spinUpStep, "truncated": false, "has_output": output, "bash_command": nil, "exit_code": nil,
		"start_time": timestamp(j.started), "end_time": timestamp(j.stopped),
	}
	if step == runStep {
		a["bash_command"] = "#!/bin/bash -eo pipefail\nmake " + name
	}
	if !j.stopped.IsZero() {
		a["run_time_millis"] = j.stopped.Sub(j.started).Milliseconds()
		if step == runStep {
			a["exit_code"] = map[bool]int{false: 0, true: 1}[j.status.Failed()]
		}
	}
	if output {
		a["output_url"] = r.host.storage + j.outputPath() + "?signature=0123456789abcdef"
	}
	return a
}

func (j *job) outputPath() string { return fmt.Sprintf("/action-output/%s-%d-0", j.id, runStep) }

func (s *Server) jobOfOutput(path string) *job {
	if j := s.jobIn(path, "/action-output/"); j != nil && j.outputPath() == path {
		return j
	}
	return nil
}

// serveStoredOutput serves an output as the API v1.1 keeps it: in pieces.
func serveStoredOutput(j *job) *answer {
	var pieces []any
	for line := range strings.SplitAfterSeq(j.script.output, "\n") {
		if line != "" {
			pieces = append(pieces, object{"type": "out", "time": timestamp(j.started), "message": line})
		}
	}
	return ok(pieces)
}
