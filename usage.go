package circleci

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
)

// UsageService exports what an organization has used: a row for each job, with
// its credits. The organization is named by its ID, which
// [UsersService.ListCollaborations] tells.
type UsageService service

// UsageExportState tells how far an export has come. The API has been seen to
// write it in upper and in lower case.
type UsageExportState string

// The states of an export.
const (
	UsageExportStateCreated    UsageExportState = "created"
	UsageExportStatePending    UsageExportState = "pending" // not in CircleCI's API specification
	UsageExportStateProcessing UsageExportState = "processing"
	UsageExportStateCompleted  UsageExportState = "completed"
	UsageExportStateFailed     UsageExportState = "failed"
)

// Done reports whether the export has ended, in whichever case the state is
// written. It is false for a state that this package does not know.
func (s UsageExportState) Done() bool {
	return strings.EqualFold(string(s), string(UsageExportStateCompleted)) || s.Failed()
}

// Failed reports whether the export has failed, in whichever case the state is
// written.
func (s UsageExportState) Failed() bool {
	return strings.EqualFold(string(s), string(UsageExportStateFailed))
}

// UsageExport is an export of usage data.
type UsageExport struct {
	ID    uuid.UUID        `json:"usage_export_job_id"`
	State UsageExportState `json:"state"`
	// Start and End are in the answer to a creation only.
	Start time.Time `json:"start,omitzero"`
	End   time.Time `json:"end,omitzero"`
	// DownloadURLs are where the files of a completed export are: gzip files
	// of CSV, each with its own header. There are none if there is no data.
	// A URL is valid for about 36 hours, and for anybody who has it; the token
	// must not be sent there.
	DownloadURLs []string `json:"download_urls"`
	// ErrorReason is why a failed export has failed.
	ErrorReason string `json:"error_reason,omitzero"`
}

// maxUsageWindow is how long a time the API exports at once. Its description
// says 32 days here and 31 there.
const maxUsageWindow = 32 * 24 * time.Hour

// CreateUsageExportRequest says what to export.
type CreateUsageExportRequest struct {
	// Start is at most a year ago; End is later, by 31 days at most, and not
	// in the future.
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	// SharedOrgIDs are organizations, of those that share the plan, to export
	// as well.
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

// CreateExport begins an export; [UsageService.GetExport] tells how far it has
// come. The API takes 10 requests an hour for an organization.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Usage/operation/createUsageExport
//
//circleci:operation POST /organizations/{org_id}/usage_export_job
func (s *UsageService) CreateExport(ctx context.Context, orgID uuid.UUID, in CreateUsageExportRequest, opts ...RequestOption) (*UsageExport, error) {
	return do[UsageExport](ctx, s.client, post("/organizations/{org_id}/usage_export_job", orgID).body(in).with(opts))
}

// GetExport returns an export of an organization, or an error matching
// [ErrNotFound]. The URLs are signed anew each time. The API limits it to few
// requests: poll slowly.
//
// CircleCI API: https://circleci.com/docs/api/v2/#tag/Usage/operation/getUsageExport
//
//circleci:operation GET /organizations/{org_id}/usage_export_job/{usage_export_job_id}
func (s *UsageService) GetExport(ctx context.Context, orgID, exportID uuid.UUID, opts ...RequestOption) (*UsageExport, error) {
	return do[UsageExport](ctx, s.client, get("/organizations/{org_id}/usage_export_job/{usage_export_job_id}", orgID, exportID).with(opts))
}
