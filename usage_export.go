package circleci

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/transport"
)

// UsageWindow is a period of time from Start to End, both inclusive. Times are
// truncated to microseconds, the precision of usage exports. Because End is
// inclusive, a window must end one microsecond before the next one starts:
// otherwise a row can be in both.
type UsageWindow struct {
	Start, End time.Time
}

// maxExportWindow is the longest window that the API has been seen to accept.
const maxExportWindow = 31 * 24 * time.Hour

// split divides a window into windows that the API accepts, which do not
// overlap.
func (w UsageWindow) split() []UsageWindow {
	var out []UsageWindow
	end := w.End.Truncate(time.Microsecond)
	for start := w.Start.Truncate(time.Microsecond); ; start = start.Add(maxExportWindow) {
		next := start.Add(maxExportWindow)
		if !next.Before(end) {
			return append(out, UsageWindow{start, end})
		}
		out = append(out, UsageWindow{start, next.Add(-time.Microsecond)})
	}
}

// ExportUsageOptions are the options of [UsageService.Export]. Nil and zero
// fields select the defaults.
type ExportUsageOptions struct {
	// SharedOrgIDs are further organizations to export. They must share the
	// plan.
	SharedOrgIDs []uuid.UUID
	// MinInterval is the first pause between two polls; it doubles up to
	// MaxInterval. The defaults are 15 seconds and 5 minutes, because the API
	// allows few polls.
	MinInterval, MaxInterval time.Duration
	// OnProgress is called when an export starts, at each poll, and when the
	// download of a file starts.
	OnProgress func(UsageProgress)
}

// UsageProgress is the progress of an export.
type UsageProgress struct {
	// Window is the part of the requested window that is being exported.
	Window UsageWindow
	// Export is the latest state of the window's export. It is zero while
	// waiting for the rate limit.
	Export UsageExport
	// File is the number of the file being read, from 1. It is 0 before the
	// first file.
	File int
	// Next is the wait until the next request. It is 0 if no request follows.
	Next time.Duration
}

// Export exports the usage of an organization in a window of any length, and
// yields its rows one by one, in constant memory. It yields the rows read
// before an error, and then the error. Breaking out of the loop stops the
// download.
//
// The API accepts windows of at most 31 days, so Export splits longer ones. For
// each part it creates an export, polls until the export has ended, and reads
// its files one after another, without sending the token. The API accepts 10
// new exports per hour for an organization. If it refuses one for this reason,
// Export waits and retries until ctx is done. CircleCI keeps usage data for 13
// months.
//
// [Timeout] limits the whole export. With [NoRetry], each request is sent once,
// and Export neither waits for the rate limit nor resumes a file. [Query]
// applies to API requests, not to file downloads. [CaptureResponse],
// [CaptureBody] and headers such as Range are refused.
func (s *UsageService) Export(ctx context.Context, orgID uuid.UUID, w UsageWindow, o *ExportUsageOptions, opts ...RequestOption) iter.Seq2[UsageRow, error] {
	return func(yield func(UsageRow, error) bool) {
		ctx, cancel, err := limited(ctx, opts)
		if err == nil {
			defer cancel()
		}
		if err == nil && !w.Start.Before(w.End) {
			err = &ArgumentError{Name: "window", Reason: "is empty: End must be after Start"}
		}
		if err != nil {
			yield(UsageRow{}, err)
			return
		}
		e := &usageExporter{service: s, orgID: orgID, opts: opts}
		if o != nil {
			e.options = *o
		}
		e.options.MinInterval = cmp.Or(e.options.MinInterval, 15*time.Second)
		e.options.MaxInterval = cmp.Or(e.options.MaxInterval, 5*time.Minute)
		for _, part := range w.split() {
			e.window = part
			if !e.export(ctx, yield) {
				return
			}
		}
	}
}

type usageExporter struct {
	service *UsageService
	orgID   uuid.UUID
	options ExportUsageOptions
	opts    []RequestOption
	window  UsageWindow
}

// export exports one window. It returns false to stop.
func (e *usageExporter) export(ctx context.Context, yield func(UsageRow, error) bool) bool {
	in := CreateUsageExportRequest{Start: e.window.Start, End: e.window.End, SharedOrgIDs: e.options.SharedOrgIDs}
	x, err := e.patiently(ctx, func() (*UsageExport, error) { return e.service.CreateExport(ctx, e.orgID, in, e.opts...) })
	if err != nil {
		yield(UsageRow{}, e.failed("", err))
		return false
	}
	id := x.ID
	if x, err = e.wait(ctx, x); err != nil {
		yield(UsageRow{}, e.failed(fmt.Sprintf(", export %s", id), err))
		return false
	}
	for i, url := range x.DownloadURLs {
		e.report(UsageProgress{Export: *x, File: i + 1})
		for row, err := range e.rows(ctx, url, id, i) {
			if err != nil {
				yield(row, e.failed(fmt.Sprintf(", export %s, file %d of %d", id, i+1, len(x.DownloadURLs)), err))
				return false
			}
			if !yield(row, nil) {
				return false
			}
		}
	}
	return true
}

// failed adds to an error where it occurred: all earlier windows and files have
// been read, and GetExport can be called with the ID.
func (e *usageExporter) failed(where string, err error) error {
	const layout = "2006-01-02 15:04"
	return fmt.Errorf("circleci: usage from %s to %s%s: %w", e.window.Start.UTC().Format(layout), e.window.End.UTC().Format(layout), where, err)
}

// wait polls until the export has ended.
func (e *usageExporter) wait(ctx context.Context, x *UsageExport) (*UsageExport, error) {
	interval := e.options.MinInterval
	for !x.State.Done() {
		e.report(UsageProgress{Export: *x, Next: interval})
		if err := transport.Sleep(ctx, interval); err != nil {
			return nil, fmt.Errorf("waiting: %w", err)
		}
		interval = min(2*interval, e.options.MaxInterval)
		next, err := e.patiently(ctx, func() (*UsageExport, error) { return e.service.GetExport(ctx, e.orgID, x.ID, e.opts...) })
		if err != nil {
			return nil, err
		}
		x = next
	}
	if x.State.Failed() {
		return nil, fmt.Errorf("the export failed: %s", cmp.Or(oneLine(x.ErrorReason), "no reason given"))
	}
	return x, nil
}

// maxExportPause is the longest wait that is believed: the limits of usage
// exports are hourly.
const maxExportPause = time.Hour

// patiently waits for the rate limit for as long as it takes, because the
// limits of usage exports are so low that reaching them is normal.
func (e *usageExporter) patiently(ctx context.Context, call func() (*UsageExport, error)) (*UsageExport, error) {
	for {
		x, err := call()
		var limited *Error
		if !errors.Is(err, ErrRateLimited) || !errors.As(err, &limited) || noRetry(e.opts) {
			return x, err
		}
		pause := min(max(limited.RetryAfter, time.Minute), maxExportPause)
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < pause {
			return nil, err
		}
		e.report(UsageProgress{Next: pause})
		if sleepErr := transport.Sleep(ctx, pause); sleepErr != nil {
			return nil, fmt.Errorf("waiting for the limit of usage exports: %w: %w", sleepErr, err)
		}
	}
}

func (e *usageExporter) report(p UsageProgress) {
	if e.options.OnProgress != nil {
		p.Window = e.window
		e.options.OnProgress(p)
	}
}

// rows reads one file. If its signed URL has expired, it requests a new one.
func (e *usageExporter) rows(ctx context.Context, url string, exportID uuid.UUID, i int) iter.Seq2[UsageRow, error] {
	return func(yield func(UsageRow, error) bool) {
		file, err := e.open(ctx, url)
		if errors.Is(err, ErrForbidden) && !noRetry(e.opts) {
			x, again := e.patiently(ctx, func() (*UsageExport, error) { return e.service.GetExport(ctx, e.orgID, exportID, e.opts...) })
			if again == nil && i < len(x.DownloadURLs) {
				file, err = e.open(ctx, x.DownloadURLs[i])
			}
		}
		if err != nil {
			yield(UsageRow{}, err)
			return
		}
		defer file.Close()
		usageRows(file)(yield)
	}
}

func (e *usageExporter) open(ctx context.Context, url string) (*remote, error) {
	file, err := e.service.client.newRemote(ctx, url, "usage export file", e.opts)
	if err != nil {
		return nil, err
	}
	return file, file.open()
}

// usageRows reads a gzipped CSV file.
func usageRows(file io.Reader) iter.Seq2[UsageRow, error] {
	return func(yield func(UsageRow, error) bool) {
		unzipped, err := gzip.NewReader(bufio.NewReaderSize(file, 64<<10))
		if err == io.EOF {
			return // an empty file has no rows
		}
		if err != nil {
			yield(UsageRow{}, err)
			return
		}
		records := newCSVReader(unzipped)
		header, err := records.read()
		if err == io.EOF {
			return
		}
		if err != nil {
			yield(UsageRow{}, err)
			return
		}
		columns := usageColumns(header)
		for n := 2; ; n++ {
			record, err := records.read()
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(UsageRow{}, fmt.Errorf("line %d: %w", n, err))
				return
			}
			if !yield(columns.read(record), nil) {
				return
			}
		}
	}
}
