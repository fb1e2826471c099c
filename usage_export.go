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

// UsageWindow is a span of time: from Start up to End.
type UsageWindow struct {
	Start, End time.Time
}

// maxExportWindow is what the API has been seen to take at once.
const maxExportWindow = 31 * 24 * time.Hour

// split cuts a window into those that the API takes.
func (w UsageWindow) split() []UsageWindow {
	var out []UsageWindow
	for start := w.Start; start.Before(w.End); {
		end := start.Add(maxExportWindow)
		if end.After(w.End) {
			end = w.End
		}
		out = append(out, UsageWindow{start, end})
		start = end
	}
	return out
}

// UsageExportOptions says how to export. Nil, and fields that are zero, have the
// defaults.
type UsageExportOptions struct {
	// SharedOrgIDs are organizations, of those that share the plan, to export
	// as well.
	SharedOrgIDs []uuid.UUID
	// MinInterval is the pause between two polls at first; it doubles up to
	// MaxInterval. Defaults 15 seconds and 5 minutes: the API permits few.
	MinInterval, MaxInterval time.Duration
	// OnProgress is told when an export begins, at each poll, and when a file
	// begins.
	OnProgress func(UsageProgress)
}

// UsageProgress is how an export goes.
type UsageProgress struct {
	Window UsageWindow
	// Export is the export of the window as it was seen last; zero while a
	// request waits for the API's limit.
	Export UsageExport
	// File is the number of the file that begins, from 1; 0 before that.
	File int
	// Next is the pause until the next request; 0 if there is none.
	Next time.Duration
}

// Export exports what an organization has used in a window of any length, and
// yields the rows as they come, in constant memory. An error is yielded last,
// behind the rows before it; breaking off the loop ends the downloads.
//
// A window that is longer than the API takes is split. For each part it
// creates an export, polls it until it has ended, and reads its files, without
// the token, one behind the other. The API takes 10 new exports an hour for an
// organization: when it says so, Export waits as long as ctx permits. Usage is
// kept for 13 months.
func (s *UsageService) Export(ctx context.Context, orgID uuid.UUID, w UsageWindow, o *UsageExportOptions, opts ...RequestOption) iter.Seq2[UsageRow, error] {
	e := &usageExporter{service: s, orgID: orgID, opts: opts}
	if o != nil {
		e.options = *o
	}
	e.options.MinInterval = cmp.Or(e.options.MinInterval, 15*time.Second)
	e.options.MaxInterval = cmp.Or(e.options.MaxInterval, 5*time.Minute)
	return func(yield func(UsageRow, error) bool) {
		if !w.Start.Before(w.End) {
			yield(UsageRow{}, &ArgumentError{Name: "window", Reason: "does not begin before it ends"})
			return
		}
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
	options UsageExportOptions
	opts    []RequestOption
	window  UsageWindow
}

// export exports one window; false ends all.
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

// failed says where it has failed: the windows and files before have been read,
// and of an export that was created GetExport can tell more.
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
		return nil, fmt.Errorf("it has failed: %s", cmp.Or(oneLine(x.ErrorReason), "no reason is given"))
	}
	return x, nil
}

// patiently waits where a call does not: for the limits of usage exports are so
// low that to meet them is usual.
func (e *usageExporter) patiently(ctx context.Context, call func() (*UsageExport, error)) (*UsageExport, error) {
	for {
		x, err := call()
		var limited *Error
		if !errors.Is(err, ErrRateLimited) || !errors.As(err, &limited) {
			return x, err
		}
		pause := max(limited.RetryAfter, time.Minute)
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

// rows reads one file. Its URL is signed for a while only: if that is over, it
// asks for another.
func (e *usageExporter) rows(ctx context.Context, url string, exportID uuid.UUID, i int) iter.Seq2[UsageRow, error] {
	return func(yield func(UsageRow, error) bool) {
		file, err := e.open(ctx, url)
		if errors.Is(err, ErrForbidden) {
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

// usageRows reads a gzip file of CSV.
func usageRows(file io.Reader) iter.Seq2[UsageRow, error] {
	return func(yield func(UsageRow, error) bool) {
		unzipped, err := gzip.NewReader(file)
		if err == io.EOF {
			return // an empty file has no rows
		}
		if err != nil {
			yield(UsageRow{}, err)
			return
		}
		records := &csvReader{src: bufio.NewReaderSize(unzipped, 64<<10)}
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
			if !yield(columns.row(record), nil) {
				return
			}
		}
	}
}
