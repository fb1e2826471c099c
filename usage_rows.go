package circleci

import (
	"bufio"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/wire"
)

// UsageRow is a row of a usage export: a run of a job, or a fee that belongs to
// none. What a row does not have is zero. Times are in UTC. Credits are of
// CircleCI's; utilization is in percent, and nil where it was not measured, as
// for jobs of less than 15 seconds.
type UsageRow struct {
	OrganizationID              uuid.UUID `csv:"ORGANIZATION_ID"`
	OrganizationName            string    `csv:"ORGANIZATION_NAME"`
	OrganizationCreatedDate     time.Time `csv:"ORGANIZATION_CREATED_DATE"`
	ProjectID                   uuid.UUID `csv:"PROJECT_ID"`
	ProjectName                 string    `csv:"PROJECT_NAME"`
	ProjectCreatedDate          time.Time `csv:"PROJECT_CREATED_DATE"`
	LastBuildFinishedAt         time.Time `csv:"LAST_BUILD_FINISHED_AT"`
	VCSName                     string    `csv:"VCS_NAME"`
	VCSURL                      string    `csv:"VCS_URL"`
	VCSBranch                   string    `csv:"VCS_BRANCH"`
	PipelineID                  uuid.UUID `csv:"PIPELINE_ID"`
	PipelineCreatedAt           time.Time `csv:"PIPELINE_CREATED_AT"`
	PipelineNumber              int64     `csv:"PIPELINE_NUMBER"`
	IsUnregisteredUser          bool      `csv:"IS_UNREGISTERED_USER"`
	PipelineTriggerSource       string    `csv:"PIPELINE_TRIGGER_SOURCE"`
	PipelineTriggerUserID       uuid.UUID `csv:"PIPELINE_TRIGGER_USER_ID"`
	WorkflowID                  uuid.UUID `csv:"WORKFLOW_ID"`
	WorkflowName                string    `csv:"WORKFLOW_NAME"`
	WorkflowFirstJobQueuedAt    time.Time `csv:"WORKFLOW_FIRST_JOB_QUEUED_AT"`
	WorkflowFirstJobStartedAt   time.Time `csv:"WORKFLOW_FIRST_JOB_STARTED_AT"`
	WorkflowStoppedAt           time.Time `csv:"WORKFLOW_STOPPED_AT"`
	IsWorkflowSuccessful        bool      `csv:"IS_WORKFLOW_SUCCESSFUL"`
	JobName                     string    `csv:"JOB_NAME"`
	JobRunNumber                int64     `csv:"JOB_RUN_NUMBER"`
	JobID                       uuid.UUID `csv:"JOB_ID"`
	JobRunDate                  time.Time `csv:"JOB_RUN_DATE"`
	JobRunQueuedAt              time.Time `csv:"JOB_RUN_QUEUED_AT"`
	JobRunStartedAt             time.Time `csv:"JOB_RUN_STARTED_AT"`
	JobRunStoppedAt             time.Time `csv:"JOB_RUN_STOPPED_AT"`
	JobStatus                   JobStatus `csv:"JOB_BUILD_STATUS"`
	ResourceClass               string    `csv:"RESOURCE_CLASS"`
	OperatingSystem             string    `csv:"OPERATING_SYSTEM"`
	Executor                    string    `csv:"EXECUTOR"`
	Parallelism                 int64     `csv:"PARALLELISM"`
	JobRunDuration              Seconds   `csv:"JOB_RUN_SECONDS"`
	MedianCPUUtilizationPercent *float64  `csv:"MEDIAN_CPU_UTILIZATION_PCT"`
	MaxCPUUtilizationPercent    *float64  `csv:"MAX_CPU_UTILIZATION_PCT"`
	MedianRAMUtilizationPercent *float64  `csv:"MEDIAN_RAM_UTILIZATION_PCT"`
	MaxRAMUtilizationPercent    *float64  `csv:"MAX_RAM_UTILIZATION_PCT"`
	ComputeCredits              float64   `csv:"COMPUTE_CREDITS"`
	DLCCredits                  float64   `csv:"DLC_CREDITS"`
	UserCredits                 float64   `csv:"USER_CREDITS"`
	StorageCredits              float64   `csv:"STORAGE_CREDITS"`
	NetworkCredits              float64   `csv:"NETWORK_CREDITS"`
	LeaseCredits                float64   `csv:"LEASE_CREDITS"`
	LeaseOverageCredits         float64   `csv:"LEASE_OVERAGE_CREDITS"`
	IPRangesCredits             float64   `csv:"IPRANGES_CREDITS"`
	TotalCredits                float64   `csv:"TOTAL_CREDITS"`

	// Extra holds, by the column's name, what has no field: columns that this
	// package does not know, and cells that are not of their column's form.
	Extra map[string]string
}

// usageColumn reads a cell into its field; false if it is not of its form.
type usageColumn struct {
	name string
	set  func(*UsageRow, []byte) bool // nil: unknown
}

type usageHeader []usageColumn

// usageColumns finds the fields of a file's columns, by their names.
func usageColumns(header []csvCell) usageHeader {
	fields := map[string]int{}
	t := reflect.TypeFor[UsageRow]()
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("csv"); name != "" {
			fields[name] = i
		}
	}
	columns := make(usageHeader, len(header))
	for i, cell := range header {
		columns[i].name = strings.TrimSpace(string(cell.text))
		if field, ok := fields[strings.ToUpper(columns[i].name)]; ok {
			columns[i].set = setterOf(t.Field(field).Type, field)
		}
	}
	return columns
}

// setterOf reads cells of a type into the field of that index. A cell that is
// not of its form leaves the field as it is.
func setterOf(t reflect.Type, field int) func(*UsageRow, []byte) bool {
	switch t {
	case reflect.TypeFor[uuid.UUID]():
		return setter(field, uuid.ParseBytes)
	case reflect.TypeFor[time.Time]():
		return setter(field, parseUsageTime)
	case reflect.TypeFor[Seconds]():
		return setter(field, func(text []byte) (d Seconds, err error) {
			err = parseUnits(text, (*time.Duration)(&d), time.Second)
			return d, err
		})
	case reflect.TypeFor[*float64]():
		return setter(field, func(text []byte) (*float64, error) {
			n, err := parseUsageFloat(text)
			return &n, err
		})
	}
	switch t.Kind() {
	case reflect.Int64:
		return setter(field, func(text []byte) (int64, error) { return strconv.ParseInt(string(text), 10, 64) })
	case reflect.Float64:
		return setter(field, parseUsageFloat)
	case reflect.Bool:
		return setter(field, func(text []byte) (bool, error) {
			is, ok := usageFlags[strings.ToLower(string(text))]
			if !ok {
				return false, strconv.ErrSyntax
			}
			return is, nil
		})
	default:
		return func(r *UsageRow, text []byte) bool {
			reflect.ValueOf(r).Elem().Field(field).SetString(string(text))
			return true
		}
	}
}

func setter[T any](field int, parse func([]byte) (T, error)) func(*UsageRow, []byte) bool {
	return func(r *UsageRow, text []byte) bool {
		v, err := parse(text)
		if err == nil {
			*reflect.ValueOf(r).Elem().Field(field).Addr().Interface().(*T) = v
		}
		return err == nil
	}
}

func parseUsageFloat(text []byte) (float64, error) { return strconv.ParseFloat(string(text), 64) }

// usageFlags are the forms of a boolean: the document has one, files another.
var usageFlags = map[string]bool{"true": true, "false": false, "y": true, "n": false, "1": true, "0": false}

// parseUsageTime reads "2006-01-02 15:04:05.999999", in UTC, or a date alone.
func parseUsageTime(text []byte) (time.Time, error) {
	layout := time.DateTime // takes a fraction as well
	if len(text) == len(time.DateOnly) {
		layout = time.DateOnly
	}
	if t, err := time.Parse(layout, string(text)); err == nil {
		return t, nil
	}
	return wire.ParseTime(text)
}

// row makes a row of a record.
func (h usageHeader) row(record []csvCell) (r UsageRow) {
	for i, cell := range record {
		var column usageColumn
		if i < len(h) {
			column = h[i]
		} else {
			column.name = "column " + strconv.Itoa(i+1)
		}
		if cell.null || column.set != nil && (len(cell.text) == 0 || column.set(&r, cell.text)) {
			continue
		}
		if r.Extra == nil {
			r.Extra = map[string]string{}
		}
		r.Extra[column.name] = string(cell.text)
	}
	return r
}

// csvCell is a cell of a record, until the next one is read.
type csvCell struct {
	text []byte
	null bool
}

// csvReader reads CSV as usage exports have it, which encoding/csv does not:
// a backslash escapes the character behind it, and \N alone is null.
type csvReader struct {
	src   *bufio.Reader
	cells []csvCell
	text  []byte // of all cells of the record
	begin int    // of the cell in it
}

// What is far beyond any cell and any row bounds what a broken file can cost.
const (
	maxCell  = 1 << 20
	maxCells = 1 << 10
)

var (
	errLongCell = errors.New("a cell is longer than a megabyte")
	errLongRow  = errors.New("a row has more than a thousand cells")
)

// read reads a record; the slice is that of the last one.
func (r *csvReader) read() ([]csvCell, error) {
	r.cells, r.text = r.cells[:0], r.text[:0]
	for {
		end, err := r.cell()
		if err == io.EOF && len(r.cells) == 0 {
			return nil, io.EOF
		}
		if err != nil && err != io.EOF {
			return nil, err
		}
		if end || err == io.EOF {
			if len(r.cells) == 1 && len(r.cells[0].text) == 0 && !r.cells[0].null && err == nil {
				r.cells = r.cells[:0] // an empty line
				continue
			}
			return r.cells, nil
		}
	}
}

// cell reads a cell, and reports whether it is the last of its record. At the
// end of the file the error is io.EOF; the cell counts unless there is nothing
// before it.
func (r *csvReader) cell() (last bool, err error) {
	var quoted, inQuotes, escaped bool
	r.begin = len(r.text)
	for {
		c, err := r.src.ReadByte()
		switch {
		case err == io.EOF && (inQuotes || escaped):
			return true, io.ErrUnexpectedEOF
		case err == io.EOF:
			if len(r.text) > r.begin || quoted || len(r.cells) > 0 {
				r.add(quoted)
			}
			return true, io.EOF
		case err != nil:
			return true, err
		case len(r.text)-r.begin >= maxCell:
			return true, errLongCell
		case len(r.cells) >= maxCells:
			return true, errLongRow
		}
		switch {
		case escaped:
			escaped = false
			if c == 'N' && !quoted { // told from an N by the backslash
				r.text = append(r.text, '\\')
			}
			r.text = append(r.text, c)
		case c == '\\':
			escaped = true
		case inQuotes && c == '"':
			if next, err := r.src.Peek(1); err == nil && next[0] == '"' {
				_, _ = r.src.Discard(1) // it has been peeked at
				r.text = append(r.text, '"')
				continue
			}
			inQuotes = false
		case inQuotes:
			r.text = append(r.text, c)
		case c == '"' && len(r.text) == r.begin && !quoted:
			quoted, inQuotes = true, true
		case c == ',':
			r.add(quoted)
			return false, nil
		case c == '\r':
		case c == '\n':
			r.add(quoted)
			return true, nil
		default:
			r.text = append(r.text, c)
		}
	}
}

func (r *csvReader) add(quoted bool) {
	cell := csvCell{text: r.text[r.begin:]}
	if !quoted && string(cell.text) == `\N` {
		cell = csvCell{null: true}
	}
	r.cells = append(r.cells, cell)
}
