package circleci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// DownloadArtifact writes an artifact to w and returns the number of bytes
// written. If the connection breaks, it resumes the download, provided that the
// server can show that the file has not changed; otherwise it returns an error.
// Data written before an error stays written. A 2xx status other than 200, such
// as 202 or 204, does not come with the file: it is a [*DecodeError].
//
// The token is sent to CircleCI's artifact host only, not to the storage host
// that it redirects to. [NoRetry] also disables resuming. [Query],
// [CaptureBody], and headers that the download sets itself, such as Range, are
// refused.
func (s *JobsService) DownloadArtifact(ctx context.Context, a Artifact, w io.Writer, opts ...RequestOption) (int64, error) {
	var o callOptions
	o.apply(opts)
	refuse := func(name, reason string) (int64, error) {
		return 0, &ArgumentError{Method: "GET", Route: "artifact", Name: name, Reason: reason}
	}
	switch {
	case ctx == nil:
		return refuse("ctx", "is nil")
	case o.query.Encode() != "":
		return refuse("query", "cannot be added to the URL of a file")
	case len(o.bodies) > 0:
		return refuse("CaptureBody", "cannot be used with an io.Writer")
	}
	return s.download(ctx, a, w, func(int64, int64) {}, opts)
}

func (s *JobsService) download(ctx context.Context, a Artifact, w io.Writer, progress func(written, total int64), opts []RequestOption) (int64, error) {
	var o callOptions
	o.apply(opts)
	ctx, cancel := o.limit(ctx)
	defer cancel()
	file, err := s.client.newRemote(ctx, a.URL, "artifact", opts)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	out := &progressWriter{dst: w, tell: func(written int64) { progress(written, file.total) }}
	return io.CopyBuffer(out, file, make([]byte, copyBuffer))
}

// JobArtifact is an artifact with its job.
type JobArtifact struct {
	Artifact
	// WorkflowName and JobName are empty if the job was identified by its
	// number.
	WorkflowName, JobName string
	JobNumber             int64
	ProjectSlug           ProjectSlug
}

// DownloadOptions configures downloads of artifacts. Nil and zero fields select
// the defaults.
type DownloadOptions struct {
	// Glob selects artifacts by their path, with the rules of a line in
	// .gitignore. Empty selects all artifacts.
	//
	//   - a pattern without a slash, such as *.tar.gz, matches in every folder;
	//   - a pattern with a slash, such as reports/*.xml or /*.log, matches from
	//     the top;
	//   - * and ? do not match a slash, ** matches any number of folders, as in
	//     **/reports/*.xml or logs/**;
	//   - a pattern that matches a folder selects everything in it, and one that
	//     ends in a slash matches only folders.
	//
	// A pattern that starts with ! is refused.
	Glob string
	// Match selects the artifacts for which it returns true. Nil selects all.
	Match func(JobArtifact) bool
	// Node selects the artifacts of the parallel run with this index. Nil
	// selects those of all runs.
	Node *int64
	// Concurrency is the number of concurrent downloads. The default is 4.
	Concurrency int
	// OnProgress is called as files are written. It is never called
	// concurrently.
	OnProgress func(DownloadProgress)
}

// DownloadProgress is the progress of one file.
type DownloadProgress struct {
	Artifact JobArtifact
	// Path is the path of the file within the directory.
	Path string
	// Written and Total are in bytes. Total is -1 if it is unknown.
	Written, Total int64
	// Done reports whether the file is complete and has its final name.
	Done bool
}

// DownloadedArtifact is an artifact that was written to a file.
type DownloadedArtifact struct {
	Artifact JobArtifact
	// Path is the path of the file, including the directory.
	Path string
	// Size is in bytes.
	Size int64
}

// DownloadArtifacts downloads the artifacts of a job to a directory, which it
// creates if necessary. It returns the complete files. If some files failed, it
// also returns an error, whose text names the first ten of them.
//
// A file has the path of its artifact within the directory. If several parallel
// runs stored artifacts, each run has a subdirectory named by its index. Files
// cannot escape the directory, even through symbolic links. A file is written
// under a temporary name; when it is complete, it is renamed and replaces any
// existing file. Characters that are not valid in file names on all systems are
// replaced by underscores. If two names become equal, the later one gets a
// suffix such as ~2. An artifact whose path is longer than 4096 bytes fails.
//
// [Timeout] limits all downloads together. [NoRetry] also disables resuming.
// [Query] applies to API requests, not to file downloads. [CaptureResponse],
// [CaptureBody] and headers such as Range are refused.
func (s *JobsService) DownloadArtifacts(ctx context.Context, slug ProjectSlug, number int64, dir string, o *DownloadOptions, opts ...RequestOption) ([]DownloadedArtifact, error) {
	return s.downloadAll(ctx, dir, o, opts, func(ctx context.Context) ([]JobArtifact, error) {
		return s.artifactsOf(ctx, WorkflowJob{Number: number, ProjectSlug: slug}, "", opts)
	}, func(JobArtifact) string { return "" })
}

// ListArtifacts returns the artifacts of all jobs of a workflow. A rerun of
// selected jobs (SparseTree) is a workflow of these jobs alone; for the others,
// use [PipelinesService.ListArtifacts]. If the artifacts of a job cannot be
// listed, it returns the artifacts of the other jobs, with an error that names
// the job.
func (s *WorkflowsService) ListArtifacts(ctx context.Context, id uuid.UUID, opts ...RequestOption) ([]JobArtifact, error) {
	ctx, cancel, err := limited(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer cancel()
	return s.artifacts(ctx, id, opts)
}

// DownloadArtifacts downloads the artifacts of all jobs of a workflow, like
// [JobsService.DownloadArtifacts]. Each job has a subdirectory with its name.
func (s *WorkflowsService) DownloadArtifacts(ctx context.Context, id uuid.UUID, dir string, o *DownloadOptions, opts ...RequestOption) ([]DownloadedArtifact, error) {
	return s.client.Jobs.downloadAll(ctx, dir, o, opts, func(ctx context.Context) ([]JobArtifact, error) {
		return s.artifacts(ctx, id, opts)
	}, func(a JobArtifact) string { return localPart(flat(a.JobName)) })
}

// ListArtifacts returns the artifacts of all jobs of a pipeline. If a workflow
// was rerun, the newest run of each job counts. If the artifacts of a job
// cannot be listed, it returns the artifacts of the other jobs, with an error
// that names the job.
func (s *PipelinesService) ListArtifacts(ctx context.Context, id uuid.UUID, opts ...RequestOption) ([]JobArtifact, error) {
	ctx, cancel, err := limited(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer cancel()
	return s.artifacts(ctx, id, opts)
}

// DownloadArtifacts downloads the artifacts of all jobs of a pipeline, like
// [JobsService.DownloadArtifacts]. Each job has a subdirectory named by its
// workflow and its own name, such as build/test. If a workflow was rerun, the
// newest run of each job counts.
func (s *PipelinesService) DownloadArtifacts(ctx context.Context, id uuid.UUID, dir string, o *DownloadOptions, opts ...RequestOption) ([]DownloadedArtifact, error) {
	return s.client.Jobs.downloadAll(ctx, dir, o, opts, func(ctx context.Context) ([]JobArtifact, error) {
		return s.artifacts(ctx, id, opts)
	}, func(a JobArtifact) string {
		return filepath.Join(localPart(flat(a.WorkflowName)), localPart(flat(a.JobName)))
	})
}

// flat replaces the slashes in a name.
func flat(name string) string { return strings.NewReplacer("/", "_", `\`, "_").Replace(name) }

func (s *WorkflowsService) artifacts(ctx context.Context, id uuid.UUID, opts []RequestOption) ([]JobArtifact, error) {
	jobs, err := s.ListJobs(id, opts...).Collect(ctx)
	if err != nil {
		return nil, err
	}
	return s.client.Jobs.artifactsOfJobs(ctx, jobs, func(int) string { return "" }, nil, opts)
}

func (s *PipelinesService) artifacts(ctx context.Context, id uuid.UUID, opts []RequestOption) ([]JobArtifact, error) {
	workflows, err := s.ListWorkflows(id, opts...).Collect(ctx)
	if err != nil {
		return nil, err
	}
	var (
		failures failures
		jobs     []WorkflowJob
		names    []string // of the jobs' workflows
		lists    = s.jobLists(opts)
	)
	for _, runs := range runsByName(workflows) {
		more, err := lists.latest(ctx, runs)
		if err != nil {
			failures = append(failures, err)
		}
		for range more {
			names = append(names, runs[0].Name)
		}
		jobs = append(jobs, more...)
	}
	return s.client.Jobs.artifactsOfJobs(ctx, jobs, func(i int) string { return names[i] }, failures, opts)
}

// listsAtOnce is the number of lists read concurrently.
const listsAtOnce = 4

// artifactsOfJobs lists the artifacts of jobs, as far as possible. Its error
// includes earlier failures.
func (s *JobsService) artifactsOfJobs(ctx context.Context, jobs []WorkflowJob, workflow func(i int) string, failures failures, opts []RequestOption) ([]JobArtifact, error) {
	lists := make([][]JobArtifact, len(jobs))
	errs := concurrently(ctx, len(jobs), listsAtOnce, func(i int) (err error) {
		if jobs[i].Number == 0 || jobs[i].Type == JobTypeApproval {
			return nil // it did not run
		}
		lists[i], err = s.artifactsOf(ctx, jobs[i], workflow(i), opts)
		if jobs[i].Status == JobStatusNotRun && errors.Is(err, ErrNotFound) {
			return nil // only its number is known
		}
		return err
	})
	for i, err := range errs {
		failures.add(fmt.Sprintf("artifacts of job %s, number %d", oneLine(jobs[i].Name), jobs[i].Number), err)
	}
	all := slices.Concat(lists...)
	return all, failures.err()
}

// artifactsOf lists the artifacts of one job.
func (s *JobsService) artifactsOf(ctx context.Context, j WorkflowJob, workflow string, opts []RequestOption) ([]JobArtifact, error) {
	list, err := s.ListArtifacts(j.ProjectSlug, j.Number, opts...).Collect(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]JobArtifact, len(list))
	for i, a := range list {
		out[i] = JobArtifact{Artifact: a, WorkflowName: workflow, JobName: j.Name, JobNumber: j.Number, ProjectSlug: j.ProjectSlug}
	}
	return out, nil
}

// limited prepares a download that makes several requests. It applies the
// caller's [Timeout] to the context, and refuses options that downloads do not
// support.
func limited(ctx context.Context, opts []RequestOption) (context.Context, context.CancelFunc, error) {
	if err := checkFileOptions(opts); err != nil {
		return nil, nil, err
	}
	ctx, cancel, _, err := composite(ctx, opts)
	return ctx, cancel, err
}

// concurrently calls do for the numbers from 0 to n-1, atOnce of them
// concurrently, and returns the errors. It makes no further calls when ctx is
// done.
func concurrently(ctx context.Context, n, atOnce int, do func(i int) error) []error {
	var group sync.WaitGroup
	slots, errs := make(chan struct{}, atOnce), make([]error, n)
	for i := range n {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			if errs[i] = ctx.Err(); errs[i] == nil {
				errs[i] = do(i)
			}
		})
	}
	group.Wait()
	return errs
}

// failures are the errors of concurrent operations.
type failures []error

func (f *failures) add(what string, err error) {
	if err != nil {
		*f = append(*f, fmt.Errorf("%s: %w", what, err))
	}
}

func (f failures) err() error {
	if len(f) == 0 {
		return nil
	}
	return &failuresError{f}
}

// failuresError names the first ten of its errors, in one line.
type failuresError struct{ all []error }

func (e *failuresError) Error() string {
	const most = 10
	var texts []string
	for _, err := range e.all[:min(most, len(e.all))] {
		texts = append(texts, err.Error())
	}
	if more := len(e.all) - most; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more errors", more))
	}
	return strings.Join(texts, "; ")
}

func (e *failuresError) Unwrap() []error { return e.all }
