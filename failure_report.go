package circleci

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// FailureReportOptions limits the size of a [FailureReport]. Nil and zero
// fields select the defaults.
type FailureReportOptions struct {
	// MaxJobs is the maximum number of failed jobs in the report. The default
	// is 10.
	MaxJobs int
	// MaxSteps is the maximum number of failed steps per job; each parallel run
	// counts. The default is 5.
	MaxSteps int
	// MaxOutput is the maximum number of bytes kept from the end of each step's
	// output, and of its condensed output. The default is 4096.
	MaxOutput int
	// MaxTests is the maximum number of failed tests per job. The default is
	// 20.
	MaxTests int
}

func (o *FailureReportOptions) withDefaults() FailureReportOptions {
	var out FailureReportOptions
	if o != nil {
		out = *o
	}
	for field, value := range map[*int]int{&out.MaxJobs: 10, &out.MaxSteps: 5, &out.MaxOutput: 4096, &out.MaxTests: 20} {
		if *field <= 0 {
			*field = value
		}
	}
	return out
}

// FailureReport describes why a pipeline failed.
type FailureReport struct {
	// Result is the state of the pipeline.
	Result PipelineResult
	// Jobs are the failed jobs, in the order of their workflows.
	Jobs []FailedJob
	// MoreJobs is the number of failed jobs that were omitted.
	MoreJobs int
	// Missing lists what could not be read. It is empty if the report is
	// complete.
	Missing []MissingDetail
}

// FailedJob describes a failed job.
type FailedJob struct {
	WorkflowJob
	WorkflowName string
	// Steps are the failed steps. MoreSteps is the number of those omitted.
	Steps     []FailedStep
	MoreSteps int
	// Tests are the failed tests. MoreTests is the number of those omitted.
	// Messages are truncated to MaxOutput bytes.
	Tests     []Test
	MoreTests int
}

// FailedStep is a step that failed in one of the job's parallel runs.
type FailedStep struct {
	StepAction
	// Output is the end of the step's output. CircleCI masks secrets in it.
	// Escape sequences and control characters are removed.
	Output string
	// Cut reports whether earlier output was omitted.
	Cut bool
	// Condensed contains the lines of a cut output that explain the failure.
	// CircleCI selects them; it is empty if there are none, and always on
	// CircleCI server.
	Condensed string
}

// MissingDetail is a part of a report that could not be read.
type MissingDetail struct {
	// What names the part.
	What string
	Err  error
}

// GetFailureReport returns why a pipeline failed: its errors, the failed jobs,
// their failed steps with the end of the output, and their failed tests. Its
// String method formats it as text. For an unfinished pipeline, the report
// contains the jobs that have failed so far. For a successful pipeline, it
// contains none.
//
// Steps and outputs come from operations that are not in CircleCI's API
// specification: see [JobsService.ListSteps]. Parts that cannot be read are
// listed in the report's Missing; they are not an error. If the pipeline or its
// workflows cannot be read, an error is returned. If the context is canceled or
// the [Timeout] is exceeded, the report so far is returned with the error.
func (s *PipelinesService) GetFailureReport(ctx context.Context, id uuid.UUID, o *FailureReportOptions, opts ...RequestOption) (*FailureReport, error) {
	ctx, cancel, opts, err := composite(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer cancel()
	p, err := s.Get(ctx, id, opts...)
	if err != nil {
		return nil, err
	}
	result, groups, err := s.check(ctx, p, opts)
	if err != nil {
		return nil, err
	}
	w := &reportWriter{jobs: s.client.Jobs, options: o.withDefaults(), opts: opts}
	w.findJobs(ctx, s.jobLists(opts), result, groups)
	missing := make([][]MissingDetail, len(w.report.Jobs))
	concurrently(ctx, len(missing), listsAtOnce, func(i int) error {
		missing[i] = w.describe(ctx, &w.report.Jobs[i])
		return nil
	})
	w.report.Missing = append(w.report.Missing, slices.Concat(missing...)...)
	if err := ctx.Err(); err != nil {
		return &w.report, fmt.Errorf("circleci: failure report of pipeline %s: %w", id, err)
	}
	return &w.report, nil
}

// reportWriter is a report in progress.
type reportWriter struct {
	report  FailureReport
	jobs    *JobsService
	options FailureReportOptions
	opts    []RequestOption
}

// findJobs finds the jobs that failed.
func (w *reportWriter) findJobs(ctx context.Context, lists *jobLists, r *PipelineResult, groups [][]Workflow) {
	note := func(what string, err error) {
		if err != nil {
			w.report.Missing = append(w.report.Missing, MissingDetail{what, err})
		}
	}
	note("certainty about the outcome", lists.add(ctx, r, groups, false))
	for _, runs := range groups {
		newest := runs[len(runs)-1]
		if newest.Status == WorkflowStatusSuccess && len(runs) == 1 {
			continue
		}
		jobs, err := lists.latest(ctx, runs)
		note("the failed jobs of workflow "+oneLine(newest.Name), err)
		for _, j := range failedJobs(jobs) {
			w.report.Jobs = append(w.report.Jobs, FailedJob{WorkflowJob: j, WorkflowName: newest.Name})
		}
	}
	w.report.Result = *r
	if more := len(w.report.Jobs) - w.options.MaxJobs; more > 0 {
		w.report.Jobs, w.report.MoreJobs = w.report.Jobs[:w.options.MaxJobs], more
	}
}

// describe adds the steps and tests of a failed job.
func (w *reportWriter) describe(ctx context.Context, j *FailedJob) (missing []MissingDetail) {
	job := fmt.Sprintf("job %s, number %d", oneLine(j.Name), j.Number)
	note := func(what string, err error) {
		if err != nil {
			missing = append(missing, MissingDetail{what + " of " + job, err})
		}
	}
	if j.Number == 0 { // it has not run
		return nil
	}
	steps, err := w.jobs.ListSteps(ctx, j.ProjectSlug, j.Number, w.opts...)
	note("the steps", err)
	for _, step := range steps {
		for _, a := range step.Actions {
			switch {
			case !a.Status.Failed():
			case len(j.Steps) == w.options.MaxSteps:
				j.MoreSteps++
			default:
				failed := FailedStep{StepAction: a}
				failed.Output, failed.Cut, err = w.outputEnd(ctx, a)
				note("the output of step "+oneLine(a.Name), err)
				if failed.Cut {
					failed.Condensed = w.condensed(ctx, a)
				}
				j.Steps = append(j.Steps, failed)
			}
		}
	}
	for t, err := range w.jobs.ListTests(j.ProjectSlug, j.Number, w.opts...).All(ctx) {
		note("the tests", err)
		switch {
		case err != nil || !t.Result.Failed():
		case len(j.Tests) == w.options.MaxTests:
			j.MoreTests++
		default:
			t.Message = beginning(t.Message, w.options.MaxOutput)
			j.Tests = append(j.Tests, t)
		}
	}
	return missing
}

// condensed returns the lines of an output that explain the failure, if the API
// v3 has them.
func (w *reportWriter) condensed(ctx context.Context, a StepAction) string {
	r := newRequest(http.MethodGet, "/api/v3/jobs/{id}/stdout/condensed", []any{a.JobID})
	text, _, err := w.endOf(w.jobs.client.outputOf(ctx, r.query(a).with(w.opts)))
	if err != nil {
		return "" // the end of the output is in the report
	}
	return text
}

// outputEnd returns the last lines of an output.
func (w *reportWriter) outputEnd(ctx context.Context, a StepAction) (text string, cut bool, err error) {
	out, err := w.jobs.OpenStepOutput(ctx, a, w.opts...)
	if err != nil {
		return "", false, err
	}
	text, cut, err = w.endOf(out)
	return text, cut || a.Truncated, err
}

// endOf returns the last lines of what is read, and closes it.
func (w *reportWriter) endOf(out io.ReadCloser) (text string, cut bool, err error) {
	end := tail{most: w.options.MaxOutput}
	_, err = io.Copy(&end, out)
	text, cut = end.text()
	return text, cut, errors.Join(err, out.Close())
}

// tail keeps the last bytes written to it.
type tail struct {
	most int
	kept []byte
	cut  bool
}

func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	if len(p) > t.most {
		p, t.kept, t.cut = p[n-t.most:], t.kept[:0], true
	}
	if extra := len(t.kept) + len(p) - t.most; extra > 0 {
		t.kept, t.cut = append(t.kept[:0], t.kept[extra:]...), true
	}
	t.kept = append(t.kept, p...)
	return n, nil
}

// text returns the complete lines, if there are any.
func (t *tail) text() (text string, cut bool) {
	text = string(t.kept)
	if _, rest, ok := strings.Cut(text, "\n"); t.cut && ok && rest != "" {
		text = rest
	}
	return plainText(text), t.cut
}

// String returns the report as a text of several lines, without escape sequences.
func (r *FailureReport) String() string {
	var b strings.Builder
	outcome := cmp.Or(r.Result.Outcome, "not finished")
	fmt.Fprintf(&b, "pipeline %d of %s: %s\n", r.Result.Pipeline.Number, oneLine(string(r.Result.Pipeline.ProjectSlug)), outcome)
	for _, e := range r.Result.Pipeline.Errors {
		fmt.Fprintf(&b, "error: %s\n", indent(plainText(beginning(e.Message, 4096)), "  "))
	}
	for i := range r.Jobs {
		r.Jobs[i].write(&b)
	}
	more(&b, "", r.MoreJobs, "failed jobs")
	for _, m := range r.Missing {
		fmt.Fprintf(&b, "not available: %s: %s\n", m.What, oneLine(fmt.Sprint(m.Err)))
	}
	return b.String()
}

func (j *FailedJob) write(b *strings.Builder) {
	fmt.Fprintf(b, "\njob %s of workflow %s, number %d: %s\n", oneLine(j.Name), oneLine(j.WorkflowName), j.Number, oneLine(string(j.Status)))
	for _, s := range j.Steps {
		fmt.Fprintf(b, "  step %s: %s", oneLine(s.Name), oneLine(string(s.Status)))
		if s.ExitCode != nil {
			fmt.Fprintf(b, ", exit code %d", *s.ExitCode)
		}
		b.WriteString("\n")
		if s.Condensed != "" {
			b.WriteString("    " + indent(s.Condensed, "    ") + "\n")
		}
		if s.Cut {
			b.WriteString("    …\n")
		}
		if s.Output != "" {
			b.WriteString("    " + indent(s.Output, "    ") + "\n")
		}
	}
	more(b, "  ", j.MoreSteps, "failed steps")
	for _, t := range j.Tests {
		fmt.Fprintf(b, "  test %s: %s", oneLine(strings.TrimPrefix(t.Classname+"."+t.Name, ".")), oneLine(string(t.Result)))
		if message := indent(plainText(t.Message), "    "); message != "" {
			b.WriteString("\n    " + message)
		}
		b.WriteString("\n")
	}
	more(b, "  ", j.MoreTests, "failed tests")
}

// beginning returns the first most bytes of a text.
func beginning(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

func more(b *strings.Builder, margin string, n int, what string) {
	if n > 0 {
		fmt.Fprintf(b, "%sand %d more %s\n", margin, n, what)
	}
}

// indent prefixes the lines of a text, except the first, with a margin.
func indent(text, margin string) string {
	return strings.ReplaceAll(strings.Trim(text, "\n"), "\n", "\n"+margin)
}
