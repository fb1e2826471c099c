package circleci

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
)

// UsageService exports the usage of an organization: a row for each job run,
// with its credits. The organization is identified by its ID;
// [UsersService.ListCollaborations] returns it.
type UsageService service

// UsageExportState is the state of an export. The API returns it in upper or
// lower case.
type UsageExportState string

// The states of an export.
const (
	UsageExportStateCreated    UsageExportState = "created"
	UsageExportStatePending    UsageExportState = "pending" // not in CircleCI's API specification
	UsageExportStateProcessing UsageExportState = "processing"
	UsageExportStateCompleted  UsageExportState = "completed"
	UsageExportStateFailed     UsageExportState = "failed"
)

// Done reports whether the export has ended. It ignores case, and returns false
// for a state that this package does not know.
func (s UsageExportState) Done() bool {
	return strings.EqualFold(string(s), string(UsageExportStateCompleted)) || s.Failed()
}

// Failed reports whether the export failed. It ignores case.
func (s UsageExportState) Failed() bool {
	return strings.EqualFold(string(s), string(UsageExportStateFailed))
}

// UsageExport is an export of usage data.
type UsageExport struct {
	ID    uuid.UUID        `json:"usage_export_job_id"`
	State UsageExportState `json:"state"`
	// Start and End are set only in the response to CreateExport.
	Start time.Time `json:"start,omitzero"`
	End   time.Time `json:"end,omitzero"`
	// DownloadURLs are the URLs of the files of a completed export: gzipped CSV
	// files, each with its own header. It is empty if there is no data. A URL
	// is valid for about 36 hours, for anyone who has it. Do not send the token
	// to it.
	DownloadURLs []string `json:"download_urls"`
	// ErrorReason is the reason why the export failed.
	ErrorReason string `json:"error_reason,omitzero"`
}

// maxUsageWindow is the longest window of an export. The API specification says
// 32 days in one place and 31 in another.
const maxUsageWindow = 32 * 24 * time.Hour

// CreateUsageExportRequest describes an export.
type CreateUsageExportRequest struct {
	// Start must be at most a year ago. End must be after Start, by at most 31
	// days, and not in the future.
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	// SharedOrgIDs are further organizations to export. They must share the
	// plan.
	SharedOrgIDs []uuid.UUID `json:"shared_org_ids,omitzero"`
}

func (r CreateUsageExportRequest) check() error {
	switch {
	case r.Start.IsZero():
		return &ArgumentError{Name: "start", Reason: "is missing"}
	case r.End.IsZero():
		return &ArgumentError{Name: "end", Reason: "is missing"}
	case r.End.Before(r.Start):
		return &ArgumentError{Name: "end", Reason: "is before start"}
	case r.End.Sub(r.Start) > maxUsageWindow:
		return &ArgumentError{Name: "end", Reason: "is more than 32 days after start"}
	}
	return nil
}

// CreateExport starts an export. Use [UsageService.GetExport] to poll its
// state. The API accepts 10 new exports per hour for an organization. To
// export, wait and read the rows with one call, use [UsageService.Export].
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Usage/operation/createUsageExport
//
//circleci:operation POST /organizations/{org_id}/usage_export_job
func (s *UsageService) CreateExport(ctx context.Context, orgID uuid.UUID, in CreateUsageExportRequest, opts ...RequestOption) (*UsageExport, error) {
	return create[UsageExport](ctx, s.client, post("/organizations/{org_id}/usage_export_job", orgID).body(in).with(opts))
}

// GetExport returns an export of an organization. If there is none, the error
// matches [ErrNotFound]. Each call returns newly signed URLs. The API allows
// only a few requests: poll slowly.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Usage/operation/getUsageExport
//
//circleci:operation GET /organizations/{org_id}/usage_export_job/{usage_export_job_id}
func (s *UsageService) GetExport(ctx context.Context, orgID, exportID uuid.UUID, opts ...RequestOption) (*UsageExport, error) {
	return do[UsageExport](ctx, s.client, get("/organizations/{org_id}/usage_export_job/{usage_export_job_id}", orgID, exportID).with(opts))
}
