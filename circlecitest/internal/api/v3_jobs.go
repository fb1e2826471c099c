package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
	"github.com/circleci-go/circleci/internal/wire"
)

// jobViewV3 is the job as lists have it. They say that a job has started when its
// workflow dispatches it.
func jobViewV3(j *world.Job) form.Object {
	attributes := putStateV3(form.Object{"name": j.Script.Name, "type": j.Script.Kind}, string(j.Status), true).
		Put("number", j.Number).Put("started_at", j.Started).Put("ended_at", j.Stopped)
	if j.Status == circleci.JobStatusQueued {
		attributes["phase"] = "started"
	}
	return resource(j.ID, attributes, jobReferencesV3(j))
}

func jobReferencesV3(j *world.Job) form.Object {
	return form.Object{"workflow": ref(j.Workflow.ID), "project": ref(j.Workflow.Pipeline.Project.ID)}
}

// jobDetailsV3 is the job in full, with its steps.
func jobDetailsV3(j *world.Job, s *engine.Engine) form.Object {
	attributes := putStateV3(form.Object{"name": j.Script.Name, "type": j.Script.Kind}, string(j.Status), true).
		Put("started_at", j.Started).Put("ended_at", j.Stopped)
	delete(attributes, "current_outcome")
	if !j.Started.IsZero() {
		attributes["parallel_executions"] = []any{form.Object{"steps": []any{
			jobStepV3(j, s, spinUpStep, "Spin up environment", "builtin"), jobStepV3(j, s, runStep, j.Script.Name, "run"),
		}}}
	}
	references := jobReferencesV3(j)
	if by := j.CanceledBy; by != nil {
		references["user"] = ref(by.ID)
	} else if by := j.ApprovedBy; by != nil {
		references["user"] = ref(by.ID)
	}
	return resource(j.ID, attributes, references)
}

func jobStepV3(j *world.Job, s *engine.Engine, num int, name, kind string) form.Object {
	status := circleci.JobStatusSuccess
	if num == runStep {
		status = j.Status
	}
	step := putStateV3(form.Object{"num": num, "name": name, "type": kind}, string(status), true).Put("started_at", j.Started)
	delete(step, "current_outcome")
	if num == spinUpStep {
		return step.Put("ended_at", j.Started)
	}
	step["command"], step["stdout_bytes"], step["stderr_bytes"] = "#!/bin/bash -eo pipefail\nmake "+name, len(jobPrinted(j, s)), 0
	if !j.Stopped.IsZero() {
		step["exit_code"] = map[bool]int{false: 0, true: 1}[j.Status.Failed()]
	}
	return step.Put("ended_at", j.Stopped)
}

// jobPrinted is what the job has printed by now: while it runs, a line after the
// other.
func jobPrinted(j *world.Job, s *engine.Engine) string {
	switch {
	case j.Started.IsZero():
		return ""
	case !j.Stopped.IsZero() || j.Script.Duration <= 0:
		return j.Script.Output
	}
	lines := strings.SplitAfter(j.Script.Output, "\n")
	n := int(float64(len(lines)) * float64(s.Now().Sub(j.Started)) / float64(j.Script.Duration))
	return strings.Join(lines[:min(max(n, 0), len(lines))], "")
}

// outputV3 serves an output of a step.
func outputV3(r *exchange.Request, j *world.Job, text string) *exchange.Answer {
	if step, err := strconv.Atoi(r.Query.Get("filter[step_num]")); err != nil {
		return invalidV3("/filter/step_num", "is required")
	} else if step != runStep {
		text = ""
	}
	if text == "" {
		return &exchange.Answer{Status: http.StatusNoContent}
	}
	a := exchange.ServeContent(r, exchange.Content{Text: text, Size: int64(len(text))})
	if !j.Stopped.IsZero() {
		a.Header.Set("X-Terminal", "true")
	}
	return a
}

// jobCondensed is what of an output explains a failure.
func jobCondensed(j *world.Job) string {
	if !j.Status.Failed() {
		return ""
	}
	lines := strings.SplitAfter(j.Script.Output, "\n")
	return strings.Join(lines[max(0, len(lines)-3):], "")
}

func testsV3(_ *engine.Engine, _ *exchange.Request, j *world.Job) *exchange.Answer {
	results := j.Results()
	if len(results) == 0 {
		return notFoundV3("Tests")
	}
	var lines []byte
	for _, t := range results {
		line, err := wire.Marshal(form.Object{
			"classname": t.Classname, "name": t.Name, "result": t.Result, "run_time": t.RunTime,
			"message": form.Nullable(t.Message), "file": form.Nullable(t.File),
		})
		if err != nil {
			panic("circlecitest: " + err.Error()) // an object of ours
		}
		lines = append(append(lines, line...), '\n')
	}
	return exchange.Text(http.StatusOK, "application/x-ndjson", string(lines))
}

// usageOfJob is what a job has used of its machine.
func usageOfJob(s *engine.Engine, _ *exchange.Request, j *world.Job) *exchange.Answer {
	if j.Started.IsZero() {
		return notFoundV3("Resource usage")
	}
	const interval = 15
	end := j.Stopped
	if end.IsZero() {
		end = s.Now()
	}
	cores, memory := []any{}, []any{}
	for i := range int(end.Sub(j.Started).Seconds()) / interval {
		cores = append(cores, 0.5+float64(i%4)/4)
		memory = append(memory, (256+64*(i%8))<<20)
	}
	return okV3(form.Object{"id": j.ID, "attributes": form.Object{
		"resource_class": form.Object{"name": "medium", "cpu_count": 2, "memory_limit_bytes": int64(4 << 30)},
		"parallel_executions": []any{form.Object{
			"execution": 0, "interval_ms": interval * 1000, "cpu_cores": cores, "memory_bytes": memory,
			"network_rx_bytes": 1 << 20, "network_tx_bytes": 1 << 16,
		}},
	}})
}

var jobHandlersV3 = map[string]exchange.Handler{
	"GET /api/v3/jobs": withFilter("filter[workflow_id]", "Workflow", workflowV3, func(_ *engine.Engine, _ *exchange.Request, w *world.Workflow) *exchange.Answer {
		return allV3(w.Jobs, jobViewV3)
	}),
	"GET /api/v3/jobs/{id}": withIDV3("Job", jobV3, func(s *engine.Engine, _ *exchange.Request, j *world.Job) *exchange.Answer {
		return okV3(jobDetailsV3(j, s))
	}),
	"GET /api/v3/jobs/{id}/stdout/condensed": withIDV3("Job", jobV3, func(_ *engine.Engine, r *exchange.Request, j *world.Job) *exchange.Answer {
		return outputV3(r, j, jobCondensed(j))
	}),
	"GET /api/v3/jobs/{id}/tests": withIDV3("Job", jobV3, testsV3),
	"GET /api/v3/jobs/{id}/artifacts": withIDV3("Job", jobV3, func(_ *engine.Engine, r *exchange.Request, j *world.Job) *exchange.Answer {
		var artifacts []world.Artifact
		if !j.Stopped.IsZero() {
			artifacts = j.Script.Artifacts
		}
		return pageV3(r, artifacts, mostOthers, func(a world.Artifact) form.Object {
			return form.Object{"attributes": form.Object{"path": a.Path, "url": r.Host.Artifacts + jobArtifactPath(j, a), "execution": a.NodeIndex}}
		})
	}),
	"GET /api/v3/jobs/{id}/resource-usage": withIDV3("Job", jobV3, usageOfJob),
}
