package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// How long an export takes.
const (
	usageQueueTime   = 5 * time.Second
	usageProcessTime = 25 * time.Second
)

// The limits of the API. Its description also says 32 days.
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

func withUsageOrg(do func(s *engine.Engine, r *exchange.Request, o *world.Org) *exchange.Answer) exchange.Handler {
	return func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		if o := s.OrgByID(r.Params["org_id"]); o != nil {
			return do(s, r, o)
		}
		return exchange.Message(http.StatusNotFound, errNoEntity)
	}
}

var usageHandlers = map[string]exchange.Handler{
	"POST /organizations/{org_id}/usage_export_job": withUsageOrg(createUsageExport),
	"GET /organizations/{org_id}/usage_export_job/{usage_export_job_id}": withUsageOrg(func(s *engine.Engine, r *exchange.Request, o *world.Org) *exchange.Answer {
		for _, x := range s.Exports {
			if x.ID == r.ID("usage_export_job_id") && x.Orgs[0] == o {
				return exchange.OK(form.Object{"usage_export_job_id": x.ID, "state": x.State, "download_urls": exportURLs(x, s, r)})
			}
		}
		return exchange.Message(http.StatusNotFound, errNoEntity)
	}),
}

func createUsageExport(s *engine.Engine, r *exchange.Request, o *world.Org) *exchange.Answer {
	var in struct {
		Start        string   `json:"start"`
		End          string   `json:"end"`
		SharedOrgIDs []string `json:"shared_org_ids"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	start, startErr := time.Parse(time.RFC3339, in.Start)
	end, endErr := time.Parse(time.RFC3339, in.End)
	x := &world.UsageExport{ID: s.NewID(), Orgs: []*world.Org{o}, Start: start, End: end, State: circleci.UsageExportStateCreated}
	malformed := startErr != nil || endErr != nil
	for _, ref := range in.SharedOrgIDs {
		malformed = malformed || uuid.Validate(ref) != nil
		if shared := s.OrgByID(ref); shared != nil && !slices.Contains(x.Orgs, shared) {
			x.Orgs = append(x.Orgs, shared)
		}
	}
	problem := ""
	switch {
	case malformed:
		problem = "malformed request body"
	case end.Before(start):
		problem = "circlecitest: end is before start"
	case start.Before(s.Now().Add(-usageAge)):
		problem = "circlecitest: start is more than 366 days ago"
	case start.After(s.Now()) || end.After(s.Now()):
		problem = "circlecitest: start or end is in the future"
	case end.Sub(start) > usageWindow:
		problem = "circlecitest: the API takes a window of 31 days"
	}
	if problem != "" {
		return exchange.Message(http.StatusBadRequest, problem)
	}
	s.Exports = world.LastOf(append(s.Exports, x), s.Runs.Keep)
	s.After(usageQueueTime, func() { x.State = circleci.UsageExportStateProcessing })
	s.After(usageQueueTime+usageProcessTime, func() { completeExport(x, s) })
	return exchange.Created(form.Object{
		"usage_export_job_id": x.ID, "state": x.State, "download_urls": nil,
		"start": start.UTC().Format(time.RFC3339Nano), "end": end.UTC().Format(time.RFC3339Nano),
	})
}

// completeExport writes the files.
func completeExport(x *world.UsageExport, s *engine.Engine) {
	x.State = circleci.UsageExportStateCompleted
	var rows []map[string]string
	for _, p := range s.Runs.Pipelines {
		if !slices.Contains(x.Orgs, p.Project.Org) {
			continue
		}
		for _, w := range p.Workflows {
			for _, j := range w.Ran() {
				if !j.Stopped.IsZero() && !j.Stopped.Before(x.Start) && !j.Stopped.After(x.End) {
					rows = append(rows, usageRow(j))
				}
			}
		}
	}
	for part := range slices.Chunk(rows, max(usagePartRows, (len(rows)+usageParts-1)/usageParts)) {
		x.Parts = append(x.Parts, usageFile(part))
	}
}

// exportURLs returns newly signed URLs of the files; null if there are none.
func exportURLs(x *world.UsageExport, s *engine.Engine, r *exchange.Request) any {
	if len(x.Parts) == 0 {
		return nil
	}
	urls := []string{}
	for i := range x.Parts {
		path := "/usage/" + x.ID.String() + "/part-" + strconv.Itoa(i+1) + ".csv.gz"
		query := url.Values{
			"X-Amz-Date": {s.Now().UTC().Format(amzTime)}, "X-Amz-Expires": {strconv.Itoa(usageURLLife)},
			"X-Amz-Security-Token": {world.HexID(s.NewID())},
		}
		query.Set("X-Amz-Signature", usageSignature(s, path, query))
		urls = append(urls, r.Host.Storage+path+"?"+query.Encode())
	}
	return urls
}

const amzTime = "20060102T150405Z"

func usageSignature(s *engine.Engine, path string, query url.Values) string {
	signed := maps.Clone(query)
	delete(signed, "X-Amz-Signature")
	mac := hmac.New(sha256.New, s.Me.ID[:])
	mac.Write([]byte(path + "?" + signed.Encode()))
	return hex.EncodeToString(mac.Sum(nil))
}

// usageContent returns the file of a signed URL.
func usageContent(s *engine.Engine, path string, query url.Values) (exchange.Content, bool) {
	at, err := time.Parse(amzTime, query.Get("X-Amz-Date"))
	if err != nil || s.Now().After(at.Add(usageURLLife*time.Second)) || query.Get("X-Amz-Signature") != usageSignature(s, path, query) {
		return exchange.Content{}, false
	}
	for _, x := range s.Exports {
		for i, part := range x.Parts {
			if path == "/usage/"+x.ID.String()+"/part-"+strconv.Itoa(i+1)+".csv.gz" {
				return exchange.Content{Text: part, Size: int64(len(part))}, true
			}
		}
	}
	return exchange.Content{}, false
}
