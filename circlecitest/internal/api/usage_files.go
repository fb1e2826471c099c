package api

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// usageColumns are the columns, in the order of the files.
var usageColumns = strings.Fields(`
	ORGANIZATION_ID ORGANIZATION_NAME ORGANIZATION_CREATED_DATE PROJECT_ID PROJECT_NAME PROJECT_CREATED_DATE
	LAST_BUILD_FINISHED_AT VCS_NAME VCS_URL VCS_BRANCH PIPELINE_ID PIPELINE_CREATED_AT PIPELINE_NUMBER
	IS_UNREGISTERED_USER PIPELINE_TRIGGER_SOURCE PIPELINE_TRIGGER_USER_ID WORKFLOW_ID WORKFLOW_NAME
	WORKFLOW_FIRST_JOB_QUEUED_AT WORKFLOW_FIRST_JOB_STARTED_AT WORKFLOW_STOPPED_AT IS_WORKFLOW_SUCCESSFUL JOB_NAME
	JOB_RUN_NUMBER JOB_ID JOB_RUN_DATE JOB_RUN_QUEUED_AT JOB_RUN_STARTED_AT JOB_RUN_STOPPED_AT JOB_BUILD_STATUS
	RESOURCE_CLASS OPERATING_SYSTEM EXECUTOR PARALLELISM JOB_RUN_SECONDS MEDIAN_CPU_UTILIZATION_PCT
	MAX_CPU_UTILIZATION_PCT MEDIAN_RAM_UTILIZATION_PCT MAX_RAM_UTILIZATION_PCT COMPUTE_CREDITS DLC_CREDITS
	USER_CREDITS STORAGE_CREDITS NETWORK_CREDITS LEASE_CREDITS LEASE_OVERAGE_CREDITS IPRANGES_CREDITS TOTAL_CREDITS`)

// usageRow returns the row of a job. Missing columns are null.
func usageRow(j *world.Job) map[string]string {
	w, p := j.Workflow, j.Workflow.Pipeline
	queued, started := w.Created, w.Created
	if ran := w.Ran(); len(ran) > 0 {
		queued, started = ran[0].Queued, ran[0].Started
	}
	credits := strconv.FormatFloat(j.Credits(), 'f', 4, 64)
	row := map[string]string{
		"ORGANIZATION_ID": p.Project.Org.ID.String(), "ORGANIZATION_NAME": p.Project.Org.Name,
		"PROJECT_ID": p.Project.ID.String(), "PROJECT_NAME": p.Project.Name,
		"LAST_BUILD_FINISHED_AT": usageTime(p.Project.LastStop),
		"VCS_NAME":               p.Project.Org.VCSType, "VCS_URL": p.Project.Repository(), "VCS_BRANCH": p.Branch,
		"PIPELINE_ID": p.ID.String(), "PIPELINE_CREATED_AT": usageTime(p.Created), "PIPELINE_NUMBER": strconv.FormatInt(p.Number, 10),
		"IS_UNREGISTERED_USER": "false", "PIPELINE_TRIGGER_SOURCE": string(p.Trigger), "PIPELINE_TRIGGER_USER_ID": p.Actor.ID.String(),
		"WORKFLOW_ID": w.ID.String(), "WORKFLOW_NAME": w.Name,
		"WORKFLOW_FIRST_JOB_QUEUED_AT": usageTime(queued), "WORKFLOW_FIRST_JOB_STARTED_AT": usageTime(started),
		"WORKFLOW_STOPPED_AT":    usageTime(w.Stopped),
		"IS_WORKFLOW_SUCCESSFUL": strconv.FormatBool(w.Status == circleci.WorkflowStatusSuccess),
		"JOB_NAME":               j.Script.Name, "JOB_RUN_NUMBER": strconv.FormatInt(j.Number, 10), "JOB_ID": j.ID.String(),
		"JOB_RUN_DATE": j.Started.UTC().Format(time.DateOnly), "JOB_RUN_QUEUED_AT": usageTime(j.Queued),
		"JOB_RUN_STARTED_AT": usageTime(j.Started), "JOB_RUN_STOPPED_AT": usageTime(j.Stopped), "JOB_BUILD_STATUS": string(j.Status),
		"RESOURCE_CLASS": "medium", "OPERATING_SYSTEM": "linux", "EXECUTOR": "docker", "PARALLELISM": "1",
		"JOB_RUN_SECONDS": strconv.FormatFloat(j.Stopped.Sub(j.Started).Seconds(), 'f', -1, 64),
		"COMPUTE_CREDITS": credits, "TOTAL_CREDITS": credits,
	}
	for _, name := range []string{"DLC", "USER", "STORAGE", "NETWORK", "LEASE", "LEASE_OVERAGE", "IPRANGES"} {
		row[name+"_CREDITS"] = "0"
	}
	if j.Stopped.Sub(j.Started) >= 15*time.Second { // shorter ones are not measured
		row["MEDIAN_CPU_UTILIZATION_PCT"], row["MAX_CPU_UTILIZATION_PCT"] = "42.5", "88.25"
		row["MEDIAN_RAM_UTILIZATION_PCT"], row["MAX_RAM_UTILIZATION_PCT"] = "31", "57.75"
	}
	return row
}

// usageTime returns a time in the format of the files; empty for the zero time.
func usageTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05.000000")
}

// usageFile returns a file with a header and these rows.
func usageFile(rows []map[string]string) string {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	_, _ = fmt.Fprintln(zip, strings.Join(usageColumns, ",")) // a buffer takes all
	for _, row := range rows {
		cells := make([]string, len(usageColumns))
		for i, name := range usageColumns {
			cells[i] = usageCell(row[name])
		}
		_, _ = fmt.Fprintln(zip, strings.Join(cells, ","))
	}
	_ = zip.Close()
	return b.String()
}

// usageCell encodes a value as in the files: a backslash escapes, and \N is
// null.
func usageCell(value string) string {
	if value == "" {
		return `\N`
	}
	escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value)
	if escaped != value || strings.ContainsAny(value, ",\r\n") {
		return `"` + escaped + `"`
	}
	return value
}
