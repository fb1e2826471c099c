package main

import "github.com/circleci-go/circleci"

// document is the report for a script. It has no URLs of outputs, which are
// signed.
type document struct {
	Pipeline int64                    `json:"pipeline"`
	Project  circleci.ProjectSlug     `json:"project"`
	Outcome  circleci.Outcome         `json:"outcome"` // empty: not finished
	Errors   []circleci.PipelineError `json:"errors"`
	Jobs     []job                    `json:"jobs"`
	MoreJobs int                      `json:"more_jobs"`
	Missing  []string                 `json:"missing"`
}

type job struct {
	Name     string             `json:"name"`
	Workflow string             `json:"workflow"`
	Number   int64              `json:"number"`
	Status   circleci.JobStatus `json:"status"`
	Steps    []step             `json:"steps"`
	Tests    []circleci.Test    `json:"tests"`
}

type step struct {
	Name     string `json:"name"`
	ExitCode *int64 `json:"exit_code"`
	Output   string `json:"output"`
	Cut      bool   `json:"cut"` // earlier output was left out
}

func asJSON(r *circleci.FailureReport) document {
	d := document{
		Pipeline: r.Result.Pipeline.Number, Project: r.Result.Pipeline.ProjectSlug, Outcome: r.Result.Outcome,
		Errors: r.Result.Pipeline.Errors, Jobs: []job{}, MoreJobs: r.MoreJobs, Missing: []string{},
	}
	for _, j := range r.Jobs {
		out := job{Name: j.Name, Workflow: j.WorkflowName, Number: j.Number, Status: j.Status, Steps: []step{}, Tests: j.Tests}
		for _, s := range j.Steps {
			out.Steps = append(out.Steps, step{s.Name, s.ExitCode, s.Output, s.Cut})
		}
		d.Jobs = append(d.Jobs, out)
	}
	for _, m := range r.Missing {
		d.Missing = append(d.Missing, m.What+": "+m.Err.Error())
	}
	return d
}
