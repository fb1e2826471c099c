package circlecitest

import (
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

type usageExport struct {
	id         uuid.UUID
	orgs       []*org // the first is whose it is
	start, end time.Time
	state      circleci.UsageExportState
	parts      []string // gzip
}

// How long an export takes.
const (
	usageQueueTime   = 5 * time.Second
	usageProcessTime = 25 * time.Second
)

// What the API refuses. Its description says 32 days as well.
const (
	usageWindow = 31 * 24 * time.Hour
	usageAge    = 366 * 24 * time.Hour
)

// usagePartRows is how many rows a file has at least: few, so that a test gets
// several files, and no more than usageParts.
const (
	usagePartRows = 10
	usageParts    = 20
)

// usageURLLife is how long a URL is valid, in seconds.
const usageURLLife = 129599

func withUsageOrg(do func(s *Server, r *request, o *org) *answer) handler {
	return func(s *Server, r *request) *answer {
		if o := s.orgByID(r.params["org_id"]); o != nil {
			return do(s, r, o)
		}
		return message(http.StatusNotFound, errNoEntity)
	}
}

var usageHandlers = map[string]handler{
	"POST /organizations/{org_id}/usage_export_job": withUsageOrg(createUsageExport),
	"GET /organizations/{org_id}/usage_export_job/{usage_export_job_id}": withUsageOrg(func(s *Server, r *request, o *org) *answer {
		for _, x := range s.world.exports {
			if x.id == r.id("usage_export_job_id") && x.orgs[0] == o {
				return ok(object{"usage_export_job_id": x.id, "state": x.state, "download_urls": x.urls(s, r)})
			}
		}
		return message(http.StatusNotFound, errNoEntity)
	}),
}

func createUsageExport(s *Server, r *request, o *org) *answer {
	var in struct {
		Start        string   `json:"start"`
		End          string   `json:"end"`
		SharedOrgIDs []string `json:"shared_org_ids"`
	}
	if a := r.bind(&in); a != nil {
		return a
	}
	start, startErr := time.Parse(time.RFC3339, in.Start)
	end, endErr := time.Parse(time.RFC3339, in.End)
	x := &usageExport{id: s.newID(), orgs: []*org{o}, start: start, end: end, state: circleci.UsageExportStateCreated}
	malformed := startErr != nil || endErr != nil
	for _, ref := range in.SharedOrgIDs {
		malformed = malformed || uuid.Validate(ref) != nil
		if shared := s.orgByID(ref); shared != nil && !slices.Contains(x.orgs, shared) {
			x.orgs = append(x.orgs, shared)
		}
	}
	problem := ""
	switch {
	case malformed:
		problem = "malformed request body"
	case end.Before(start):
		problem = "circlecitest: end is before start"
	case start.Before(s.now().Add(-usageAge)):
		problem = "circlecitest: start is more than 366 days ago"
	case start.After(s.now()) || end.After(s.now()):
		problem = "circlecitest: start or end is in the future"
	case end.Sub(start) > usageWindow:
		problem = "circlecitest: the API takes a window of 31 days"
	}
	if problem != "" {
		return message(http.StatusBadRequest, problem)
	}
	s.world.exports = lastOf(append(s.world.exports, x), s.world.runs.keep)
	s.after(usageQueueTime, func() { x.state = circleci.UsageExportStateProcessing })
	s.after(usageQueueTime+usageProcessTime, func() { x.complete(s) })
	return created(object{
		"usage_export_job_id": x.id, "state": x.state, "download_urls": nil,
		"start": start.UTC().Format(time.RFC3339Nano), "end": end.UTC().Format(time.RFC3339Nano),
	})
}

// complete writes the files.
func (x *usageExport) complete(s *Server) {
	x.state = circleci.UsageExportStateCompleted
	var rows []map[string]string
	for _, p := range s.world.runs.pipelines {
		if !slices.Contains(x.orgs, p.project.org) {
			continue
		}
		for _, w := range p.workflows {
			for _, j := range w.ran() {
				if !j.stopped.IsZero() && !j.stopped.Before(x.start) && !j.stopped.After(x.end) {
					rows = append(rows, usageRow(j))
				}
			}
		}
	}
	for part := range slices.Chunk(rows, max(usagePartRows, (len(rows)+usageParts-1)/usageParts)) {
		x.parts = append(x.parts, usageFile(part))
	}
}

// urls signs anew where the files are; null if there are none.
func (x *usageExport) urls(s *Server, r *request) any {
	if len(x.parts) == 0 {
		return nil
	}
	urls := []string{}
	for i := range x.parts {
		path := "/usage/" + x.id.String() + "/part-" + strconv.Itoa(i+1) + ".csv.gz"
		query := url.Values{
			"X-Amz-Date": {s.now().UTC().Format(amzTime)}, "X-Amz-Expires": {strconv.Itoa(usageURLLife)},
			"X-Amz-Security-Token": {hexID(s.newID())},
		}
		query.Set("X-Amz-Signature", s.usageSignature(path, query))
		urls = append(urls, r.host.storage+path+"?"+query.Encode())
	}
	return urls
}

const amzTime = "20060102T150405Z"

func (s *Server) usageSignature(path string, query url.Values) string {
	signed := maps.Clone(query)
	delete(signed, "X-Amz-Signature")
	mac := hmac.New(sha256.New, s.world.me.id[:])
	mac.Write([]byte(path + "?" + signed.Encode()))
	return hex.EncodeToString(mac.Sum(nil))
}

// usageContent is the file that a signed URL is for.
func (s *Server) usageContent(path string, query url.Values) (content, bool) {
	at, err := time.Parse(amzTime, query.Get("X-Amz-Date"))
	if err != nil || s.now().After(at.Add(usageURLLife*time.Second)) || query.Get("X-Amz-Signature") != s.usageSignature(path, query) {
		return content{}, false
	}
	for _, x := range s.world.exports {
		for i, part := range x.parts {
			if path == "/usage/"+x.id.String()+"/part-"+strconv.Itoa(i+1)+".csv.gz" {
				return content{part, int64(len(part))}, true
			}
		}
	}
	return content{}, false
}

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

// creditsPerMinute is what the server's machines cost.
const creditsPerMinute = 10

func (j *job) credits() float64 { return j.stopped.Sub(j.started).Minutes() * creditsPerMinute }

// usageRow is the row of a job. A column that it lacks is null.
func usageRow(j *job) map[string]string {
	w, p := j.workflow, j.workflow.pipeline
	queued, started := w.created, w.created
	if ran := w.ran(); len(ran) > 0 {
		queued, started = ran[0].queued, ran[0].started
	}
	credits := strconv.FormatFloat(j.credits(), 'f', 4, 64)
	row := map[string]string{
		"ORGANIZATION_ID": p.project.org.id.String(), "ORGANIZATION_NAME": p.project.org.name,
		"PROJECT_ID": p.project.id.String(), "PROJECT_NAME": p.project.name,
		"LAST_BUILD_FINISHED_AT": usageTime(p.project.lastStop),
		"VCS_NAME":               p.project.org.vcsType, "VCS_URL": p.project.repository(), "VCS_BRANCH": p.branch,
		"PIPELINE_ID": p.id.String(), "PIPELINE_CREATED_AT": usageTime(p.created), "PIPELINE_NUMBER": strconv.FormatInt(p.number, 10),
		"IS_UNREGISTERED_USER": "false", "PIPELINE_TRIGGER_SOURCE": string(p.trigger), "PIPELINE_TRIGGER_USER_ID": p.actor.id.String(),
		"WORKFLOW_ID": w.id.String(), "WORKFLOW_NAME": w.name,
		"WORKFLOW_FIRST_JOB_QUEUED_AT": usageTime(queued), "WORKFLOW_FIRST_JOB_STARTED_AT": usageTime(started),
		"WORKFLOW_STOPPED_AT":    usageTime(w.stopped),
		"IS_WORKFLOW_SUCCESSFUL": strconv.FormatBool(w.status == circleci.WorkflowStatusSuccess),
		"JOB_NAME":               j.script.name, "JOB_RUN_NUMBER": strconv.FormatInt(j.number, 10), "JOB_ID": j.id.String(),
		"JOB_RUN_DATE": j.started.UTC().Format(time.DateOnly), "JOB_RUN_QUEUED_AT": usageTime(j.queued),
		"JOB_RUN_STARTED_AT": usageTime(j.started), "JOB_RUN_STOPPED_AT": usageTime(j.stopped), "JOB_BUILD_STATUS": string(j.status),
		"RESOURCE_CLASS": "medium", "OPERATING_SYSTEM": "linux", "EXECUTOR": "docker", "PARALLELISM": "1",
		"JOB_RUN_SECONDS": strconv.FormatFloat(j.stopped.Sub(j.started).Seconds(), 'f', -1, 64),
		"COMPUTE_CREDITS": credits, "TOTAL_CREDITS": credits,
	}
	for _, name := range []string{"DLC", "USER", "STORAGE", "NETWORK", "LEASE", "LEASE_OVERAGE", "IPRANGES"} {
		row[name+"_CREDITS"] = "0"
	}
	if j.stopped.Sub(j.started) >= 15*time.Second { // shorter ones are not measured
		row["MEDIAN_CPU_UTILIZATION_PCT"], row["MAX_CPU_UTILIZATION_PCT"] = "42.5", "88.25"
		row["MEDIAN_RAM_UTILIZATION_PCT"], row["MAX_RAM_UTILIZATION_PCT"] = "31", "57.75"
	}
	return row
}

// usageTime is a time as the files have it; empty for none.
func usageTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05.000000")
}

// usageFile is a file of these rows, with its header.
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

// usageCell writes a value as the files have it: the backslash escapes, and \N
// is null.
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
