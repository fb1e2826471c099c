package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

// usageRowsOfAFile is the number of rows in the file, of 600 bytes each.
const usageRowsOfAFile = 20_000

// usageFile returns an export with every column, as gzipped CSV.
func usageFile() []byte {
	random := rand.New(rand.NewChaCha8([32]byte{}))
	id := func() string {
		var b [16]byte
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return uuid.UUID(b).String()
	}
	fixed := []string{id(), id(), id()}
	var pipeline, workflow string // several rows have the same
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	for n := range usageRowsOfAFile + 1 {
		at := time.Date(2026, 3, 1, 8, 0, 0, 123456000, time.UTC).Add(time.Duration(n) * 7 * time.Second)
		if n%20 == 0 {
			pipeline = id()
		}
		if n%10 == 0 {
			workflow = id()
		}
		var cells []string
		for field := range reflect.TypeFor[circleci.UsageRow]().Fields() {
			name := field.Tag.Get("csv")
			cell := name
			switch {
			case name == "":
				continue
			case n == 0: // the header
			case name == "ORGANIZATION_ID", name == "PROJECT_ID":
				cell = fixed[len(name)%3]
			case name == "PIPELINE_TRIGGER_USER_ID":
				cell = fixed[n/20%3]
			case name == "PIPELINE_ID":
				cell = pipeline
			case name == "WORKFLOW_ID":
				cell = workflow
			case strings.HasSuffix(name, "_ID"):
				cell = id()
			case strings.HasSuffix(name, "_AT"):
				cell = at.Format("2006-01-02 15:04:05.000000")
			case strings.HasSuffix(name, "_DATE"):
				cell = at.Format(time.DateOnly)
			case strings.HasPrefix(name, "IS_"):
				cell = "true"
			case strings.HasSuffix(name, "_PCT") && n%3 == 0:
				cell = `\N`
			case strings.HasSuffix(name, "_CREDITS") && name != "COMPUTE_CREDITS" && name != "TOTAL_CREDITS":
				cell = "0"
			case strings.HasSuffix(name, "_CREDITS"), strings.HasSuffix(name, "_PCT"):
				cell = strconv.FormatFloat(float64(random.IntN(10_000))/100, 'f', 2, 64)
			case strings.HasSuffix(name, "_NUMBER"), strings.HasSuffix(name, "_SECONDS"), name == "PARALLELISM":
				cell = strconv.Itoa(random.IntN(100_000))
			default:
				cell = "the name of something " + strconv.Itoa((n/20+len(name))%20)
			}
			cells = append(cells, cell)
		}
		if _, err := io.WriteString(zip, strings.Join(cells, ",")+"\n"); err != nil {
			log.Fatal(err)
		}
	}
	if err := zip.Close(); err != nil {
		log.Fatal(err)
	}
	return b.Bytes()
}

// usageByHand reads typed rows with encoding/csv, as hand-written code does.
func usageByHand(file []byte) (rows int, err error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		return 0, err
	}
	reader := csv.NewReader(unzipped)
	reader.ReuseRecord = true
	header, err := reader.Read()
	if err != nil {
		return 0, err
	}
	names := make([]string, len(header))
	copy(names, header)
	for ; ; rows++ {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		var r circleci.UsageRow
		var bad error
		i := -1
		keep := func(err error) {
			if err != nil && bad == nil {
				bad = fmt.Errorf("%s: %w", names[i], err)
			}
		}
		next := func() string {
			if i++; record[i] == `\N` {
				return ""
			}
			return record[i]
		}
		id := func(p *uuid.UUID) { v, err := uuid.Parse(next()); *p = v; keep(err) }
		text := func(p *string) { *p = next() }
		at := func(p *time.Time) { v, err := time.Parse("2006-01-02 15:04:05.999999", next()); *p = v; keep(err) }
		day := func(p *time.Time) { v, err := time.Parse(time.DateOnly, next()); *p = v; keep(err) }
		number := func(p *int64) { v, err := strconv.ParseInt(next(), 10, 64); *p = v; keep(err) }
		flag := func(p *bool) { v, err := strconv.ParseBool(next()); *p = v; keep(err) }
		float := func(p *float64) { v, err := strconv.ParseFloat(next(), 64); *p = v; keep(err) }
		percent := func(p **float64) {
			if cell := next(); cell != "" {
				v, err := strconv.ParseFloat(cell, 64)
				*p = &v
				keep(err)
			}
		}
		id(&r.OrganizationID)
		text(&r.OrganizationName)
		day(&r.OrganizationCreatedDate)
		id(&r.ProjectID)
		text(&r.ProjectName)
		day(&r.ProjectCreatedDate)
		at(&r.LastBuildFinishedAt)
		text(&r.VCSName)
		text(&r.VCSURL)
		text(&r.VCSBranch)
		id(&r.PipelineID)
		at(&r.PipelineCreatedAt)
		number(&r.PipelineNumber)
		flag(&r.IsUnregisteredUser)
		text(&r.PipelineTriggerSource)
		id(&r.PipelineTriggerUserID)
		id(&r.WorkflowID)
		text(&r.WorkflowName)
		at(&r.WorkflowFirstJobQueuedAt)
		at(&r.WorkflowFirstJobStartedAt)
		at(&r.WorkflowStoppedAt)
		flag(&r.IsWorkflowSuccessful)
		text(&r.JobName)
		number(&r.JobRunNumber)
		id(&r.JobID)
		day(&r.JobRunDate)
		at(&r.JobRunQueuedAt)
		at(&r.JobRunStartedAt)
		at(&r.JobRunStoppedAt)
		text((*string)(&r.JobStatus))
		text(&r.ResourceClass)
		text(&r.OperatingSystem)
		text(&r.Executor)
		number(&r.Parallelism)
		var seconds float64
		float(&seconds)
		r.JobRunDuration = circleci.Seconds(seconds * float64(time.Second))
		for _, p := range []**float64{
			&r.MedianCPUUtilizationPercent, &r.MaxCPUUtilizationPercent, &r.MedianRAMUtilizationPercent, &r.MaxRAMUtilizationPercent,
		} {
			percent(p)
		}
		for _, p := range []*float64{
			&r.ComputeCredits, &r.DLCCredits, &r.UserCredits, &r.StorageCredits, &r.NetworkCredits, &r.LeaseCredits,
			&r.LeaseOverageCredits, &r.IPRangesCredits, &r.TotalCredits,
		} {
			float(p)
		}
		if bad != nil {
			return rows, bad
		}
	}
}

// usage compares the CPU time of reading a usage export, gunzip included.
func usage(rounds int) []result {
	file, ctx := usageFile(), context.Background()
	text := string(file)
	id := uuid.New()
	client := sdk(memory(func(r *http.Request) string {
		if r.Method == http.MethodPost {
			return fmt.Sprintf(`{"usage_export_job_id":%q,"state":"completed","download_urls":["https://files.example.com/1"]}`, id)
		}
		return text
	}))
	window := circleci.UsageWindow{Start: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}
	medians := inTurns(rounds, cpuOf(func() (int, error) { return usageByHand(file) }), cpuOf(func() (rows int, err error) {
		for _, err := range client.Usage.Export(ctx, id, window, nil) {
			if err != nil {
				return rows, err
			}
			rows++
		}
		return rows, nil
	}))
	return []result{ratio("rows of a usage export: CPU", medians[0], medians[1], 0.8)}
}

// cpuOf measures the CPU seconds that reading all rows takes, several times, so
// that each function pays for its own garbage.
func cpuOf(read func() (int, error)) func() float64 {
	return func() float64 {
		runtime.GC()
		before := cpu()
		for range 5 {
			if rows, err := read(); err != nil || rows != usageRowsOfAFile {
				log.Fatal(rows, " rows, ", err)
			}
		}
		return cpu() - before
	}
}
