package circleci

import (
	"bytes"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/wire"
)

// UsageRow is a row of a usage export: a run of a job, or a fee that does not
// belong to a job. Fields that the row does not have are zero. Times are in
// UTC. Credits are CircleCI credits. Utilization is in percent, and nil if it
// was not measured, as for jobs shorter than 15 seconds.
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

	// Extra holds, by column name, the cells that have no field: columns that
	// this package does not know, and cells whose value does not parse.
	Extra map[string]string
}

// usageColumn parses a cell into its field; set returns false if it does not
// parse.
type usageColumn struct {
	name string
	set  func([]byte) bool // nil: unknown
}

// usageHeader parses the records of a file. It reuses one row for all of them.
type usageHeader struct {
	columns []usageColumn
	row     *UsageRow
}

// usageColumns maps the columns of a file to fields, by name.
func usageColumns(header []csvCell) usageHeader {
	h := usageHeader{make([]usageColumn, len(header)), new(UsageRow)}
	row := reflect.ValueOf(h.row).Elem()
	fields := map[string]any{} // pointers
	for i := range row.NumField() {
		if name := row.Type().Field(i).Tag.Get("csv"); name != "" {
			fields[name] = row.Field(i).Addr().Interface()
		}
	}
	for i, cell := range header {
		h.columns[i].name = strings.TrimSpace(string(cell.text))
		h.columns[i].set = setterOf(fields[strings.ToUpper(h.columns[i].name)])
	}
	return h
}

// setterOf returns a function that parses a cell into a field. A cell that does
// not parse leaves the field unchanged.
func setterOf(field any) func([]byte) bool {
	switch p := field.(type) {
	case *uuid.UUID:
		return setter(p, uuid.ParseBytes)
	case *time.Time:
		return setter(p, parseUsageTime)
	case *Seconds:
		return setter(p, func(text []byte) (d Seconds, err error) {
			err = parseUnits(text, (*time.Duration)(&d), time.Second)
			return d, err
		})
	case **float64:
		var n float64
		set := setter(&n, parseUsageFloat)
		return func(text []byte) bool {
			ok := set(text)
			if ok {
				own := n // rows share no pointer
				*p = &own
			}
			return ok
		}
	case *int64:
		return setter(p, func(text []byte) (int64, error) { return strconv.ParseInt(string(text), 10, 64) })
	case *float64:
		return setter(p, parseUsageFloat)
	case *bool:
		return setter(p, func(text []byte) (bool, error) {
			is, ok := usageFlags[strings.ToLower(string(text))]
			if !ok {
				return false, strconv.ErrSyntax
			}
			return is, nil
		})
	case *string:
		return setter(p, func(text []byte) (string, error) { return string(text), nil })
	case *JobStatus:
		return setterOf((*string)(p))
	}
	return nil
}

// longCell is the length of a cell from which it is not remembered, because a
// broken file can have many long ones.
const longCell = 256

// setter parses a cell only if it differs from the one of the previous row:
// those of an organization, a pipeline or a workflow are the same in many. It is
// not called with an empty cell.
func setter[T any](p *T, parse func([]byte) (T, error)) func([]byte) bool {
	var (
		last  []byte
		value T
	)
	return func(text []byte) bool {
		if bytes.Equal(text, last) {
			*p = value
			return true
		}
		v, err := parse(text)
		if err != nil {
			return false
		}
		if *p = v; len(text) < longCell {
			value, last = v, append(last[:0], text...)
		}
		return true
	}
}

func parseUsageFloat(text []byte) (float64, error) { return strconv.ParseFloat(string(text), 64) }

// usageFlags are the spellings of a boolean: the specification and real files
// differ.
var usageFlags = map[string]bool{"true": true, "false": false, "y": true, "n": false, "1": true, "0": false}

// parseUsageTime parses "2006-01-02 15:04:05.999999", in UTC, or a date alone.
func parseUsageTime(text []byte) (t time.Time, err error) {
	if date := len(time.DateOnly); len(text) >= date && len(text) < 32 { // parsing RFC 3339 is far faster than parsing these layouts
		var buffer [40]byte
		b := append(buffer[:0], text...)
		switch {
		case len(text) == date:
			b = append(b, "T00:00:00"...)
		case text[date] == ' ':
			b[date] = 'T'
		}
		if err := t.UnmarshalText(append(b, 'Z')); err == nil {
			return t, nil
		}
	}
	if t, err := time.Parse(time.DateTime, string(text)); err == nil { // also accepts a fraction
		return t, nil
	}
	return wire.ParseTime(text)
}

// read converts a record to a row.
func (h *usageHeader) read(record []csvCell) UsageRow {
	*h.row = UsageRow{}
	for i, cell := range record {
		var column usageColumn
		if i < len(h.columns) {
			column = h.columns[i]
		} else {
			column.name = "column " + strconv.Itoa(i+1)
		}
		if cell.null || column.set != nil && (len(cell.text) == 0 || column.set(cell.text)) {
			continue
		}
		if h.row.Extra == nil {
			h.row.Extra = map[string]string{}
		}
		h.row.Extra[column.name] = string(cell.text)
	}
	return *h.row
}
