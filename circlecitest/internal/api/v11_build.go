package api

import (
	"strconv"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// v11Build is a job as the API v1.1 shows it. Its number is null until it runs.
func v11Build(j *world.Job) form.Object {
	p := j.Workflow.Pipeline
	lifecycle, outcome, failed := "running", any(nil), any(nil)
	switch {
	case j.Status.Done():
		lifecycle, outcome, failed = "finished", j.Status, j.Status.Failed()
	case j.Started.IsZero():
		lifecycle = "queued"
	}
	view := form.Object{
		"build_num": form.Nullable(j.Number), "build_url": nil, "status": j.Status, "lifecycle": lifecycle, "outcome": outcome, "failed": failed,
		"canceled": j.Status == circleci.JobStatusCanceled, "timedout": j.Status == circleci.JobStatusTimedOut,
		"infrastructure_fail": j.Status == circleci.JobStatusInfrastructureFail,
		"username":            p.Project.Org.Name, "reponame": p.Project.Name, "vcs_type": p.Project.Org.VCSType, "vcs_url": p.Project.Repository(),
		"branch": form.Nullable(p.Branch), "vcs_tag": form.Nullable(p.Tag), "vcs_revision": p.Revision, "subject": "A change", "body": "",
		"why": p.Trigger, "platform": "2.0", "parallel": max(j.Script.Parallelism, 1), "retry_of": nil, "job_name": nil,
		"has_artifacts": len(j.Script.Artifacts) > 0, "pull_requests": []any{},
		"queued_at": form.Time(j.Queued), "start_time": form.Time(j.Started), "stop_time": form.Time(j.Stopped), "build_time_millis": nil,
		"user": form.Object{"login": p.Actor.Login, "name": p.Actor.Name, "id": p.Actor.ID, "is_user": true},
		"workflows": form.Object{
			"job_id": j.ID, "job_name": j.Script.Name, "workflow_id": j.Workflow.ID, "workflow_name": j.Workflow.Name, "upstream_job_ids": upstream(j),
		},
	}
	if j.Number != 0 {
		view["build_url"] = j.WebURL()
	}
	if !j.Stopped.IsZero() && !j.Started.IsZero() {
		view["build_time_millis"] = j.Stopped.Sub(j.Started).Milliseconds()
	}
	return view
}

func upstream(j *world.Job) []any {
	ids := []any{}
	for _, required := range j.Requires {
		ids = append(ids, required.ID)
	}
	return ids
}

// queryNumber is a number of the query; a default if it is none.
func queryNumber(r *exchange.Request, name string, otherwise int) int {
	if n, err := strconv.Atoi(r.Query.Get(name)); err == nil && n >= 0 {
		return n
	}
	return otherwise
}
