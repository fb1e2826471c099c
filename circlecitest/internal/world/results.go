package world

import (
	"slices"

	"github.com/circleci-go/circleci"
)

// Ran returns the jobs that ran in this workflow: not approvals, and not jobs
// taken over from the workflow that was rerun.
func (w *Workflow) Ran() []*Job {
	var all []*Job
	for _, j := range w.Jobs {
		if !j.Started.IsZero() && !j.Started.Before(w.Created) {
			all = append(all, j)
		}
	}
	return all
}

// RunsOf returns the workflows of a project that keep selects, oldest first.
func (s *World) RunsOf(p *Project, keep func(*Workflow) bool) (all []*Workflow) {
	for _, run := range s.Runs.Pipelines {
		if run.Project != p {
			continue
		}
		for _, w := range run.Workflows {
			if keep(w) {
				all = append(all, w)
			}
		}
	}
	return all
}

// Credits returns the credits that the run has used.
func (w *Workflow) Credits() (sum float64) {
	for _, j := range w.Ran() {
		if !j.Stopped.IsZero() {
			sum += j.Credits()
		}
	}
	return sum
}

// Results returns the test results of a finished job.
func (j *Job) Results() []circleci.Test {
	if j.Stopped.IsZero() {
		return nil
	}
	all := slices.Clone(j.Script.Tests)
	for i := range all {
		switch {
		case all[i].Result != FlakyResult:
		case j.Status == circleci.JobStatusSuccess:
			all[i].Result, all[i].Message = circleci.TestResultSuccess, ""
		default:
			all[i].Result = circleci.TestResultFailure
		}
	}
	for i, failed := range j.Flakes {
		test := j.Script.Flaky[i].Test
		if failed {
			test.Result = circleci.TestResultFailure
		} else {
			test.Result, test.Message = circleci.TestResultSuccess, ""
		}
		all = append(all, test)
	}
	return all
}

// creditsPerMinute is the price of the server's machines.
const creditsPerMinute = 10

// Credits returns the credits that the run has used.
func (j *Job) Credits() float64 { return j.Stopped.Sub(j.Started).Minutes() * creditsPerMinute }
