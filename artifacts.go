package circleci

import (
	"cmp"
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

// DownloadArtifact writes an artifact to w, and returns how many bytes it wrote.
// If the connection breaks, the download continues where it was, provided that
// the server shows that the file is still the same; otherwise it fails. What was
// written before an error stays written.
//
// The token is sent to CircleCI's artifact host only, and not to the storage to
// which that host redirects. [NoRetry] turns off the resuming as well. Headers
// that the download sets itself, such as Range, [Query] and [CaptureBody] are
// refused.
func (s *JobsService) DownloadArtifact(ctx context.Context, a Artifact, w io.Writer, opts ...RequestOption) (int64, error) {
	var o callOptions
	o.apply(opts)
	if o.query.Encode() != "" {
		return 0, &ArgumentError{Method: "GET", Route: "artifact", Name: "query", Reason: "cannot be added to the URL of a file"}
	}
	if len(o.bodies) > 0 {
		return 0, &ArgumentError{Method: "GET", Route: "artifact", Name: "CaptureBody", Reason: "cannot be used where the body goes to an io.Writer"}
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
	// WorkflowName and JobName are empty if the job was given by its number.
	WorkflowName, JobName string
	JobNumber             int64
	ProjectSlug           ProjectSlug
}

// DownloadOptions selects artifacts and says how to download them. Nil and zero
// fields select the defaults.
type DownloadOptions struct {
	// Glob selects artifacts by their path, with the rules of a line in
	// .gitignore; empty selects all:
	//
	//   - a pattern without a slash, such as *.tar.gz, matches in every folder;
	//   - a pattern with a slash, such as reports/*.xml or /*.log, matches from
	//     the top;
	//   - * and ? do not match a slash, ** matches any number of folders, as in
	//     **/reports/*.xml or logs/**;
	//   - a pattern that matches a folder selects everything in it, and one that
	//     ends in a slash matches only folders.
	//
	// A pattern that begins with ! is refused.
	Glob string
	// Match selects the artifacts for which it returns true; nil selects all.
	Match func(JobArtifact) bool
	// Node selects the artifacts of the parallel run with this index; nil
	// selects those of all runs.
	Node *int64
	// Concurrency is how many files are downloaded at once; the default is 4.
	Concurrency int
	// OnProgress is called as files are written. Calls do not overlap.
	OnProgress func(DownloadProgress)
}

// DownloadProgress is the progress of one file.
type DownloadProgress struct {
	Artifact JobArtifact
	// Path is the path of the file within the directory.
	Path string
	// Written and Total are in bytes; Total is -1 if it is not known.
	Written, Total int64
	// Done reports that the file is complete and has its final name.
	Done bool
}

// DownloadedArtifact is an artifact that was written to a file.
type DownloadedArtifact struct {
	Artifact JobArtifact
	// Path is the path of the file, with the directory.
	Path string
	// Size is in bytes.
	Size int64
}

// DownloadArtifacts downloads the artifacts of a job into a directory, which it
// creates if necessary. It returns the complete files, also when others failed;
// the error then names the others, the first ten of them in its text.
//
// The file of an artifact has the artifact's path in the directory, or, if
// several parallel runs stored artifacts, in a directory named by the index of
// the run. Files cannot escape the directory, even through symbolic links. A file
// is written under a temporary name, and is renamed, in place of an older file,
// when it is complete. Characters that a file name cannot have everywhere become
// an underscore; of names that are then equal, the later ones get a suffix such
// as ~2. A path of more than 4096 bytes is an error of its file.
//
// [Timeout] limits all of it together, and [NoRetry] turns off the resuming of
// downloads as well. [Query] is added to the requests of the API, and not to the
// URLs of files. [CaptureResponse], [CaptureBody] and headers such as Range are
// refused.
func (s *JobsService) DownloadArtifacts(ctx context.Context, slug ProjectSlug, number int64, dir string, o *DownloadOptions, opts ...RequestOption) ([]DownloadedArtifact, error) {
	return s.downloadAll(ctx, dir, o, opts, func(ctx context.Context) ([]JobArtifact, error) {
		return s.artifactsOf(ctx, WorkflowJob{Number: number, ProjectSlug: slug}, "", opts)
	}, func(JobArtifact) string { return "" })
}

// ListArtifacts returns the artifacts of all jobs of a workflow. If those of a
// job cannot be listed, the error names it, and the other jobs' artifacts are
// returned with the error.
func (s *WorkflowsService) ListArtifacts(ctx context.Context, id uuid.UUID, opts ...RequestOption) ([]JobArtifact, error) {
	ctx, cancel, err := limited(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer cancel()
	return s.client.Jobs.artifactsOfWorkflows(ctx, []Workflow{{ID: id}}, opts)
}

// DownloadArtifacts downloads the artifacts of all jobs of a workflow, as
// [JobsService.DownloadArtifacts] does, each job's into a directory with the
// job's name.
func (s *WorkflowsService) DownloadArtifacts(ctx context.Context, id uuid.UUID, dir string, o *DownloadOptions, opts ...RequestOption) ([]DownloadedArtifact, error) {
	return s.client.Jobs.downloadAll(ctx, dir, o, opts, func(ctx context.Context) ([]JobArtifact, error) {
		return s.client.Jobs.artifactsOfWorkflows(ctx, []Workflow{{ID: id}}, opts)
	}, func(a JobArtifact) string { return localPart(flat(a.JobName)) })
}

// ListArtifacts returns the artifacts of all jobs of a pipeline. Of workflows
// with the same name only the newest counts. If the artifacts of a job cannot be
// listed, the error names it, and the other jobs' artifacts are returned with the
// error.
func (s *PipelinesService) ListArtifacts(ctx context.Context, id uuid.UUID, opts ...RequestOption) ([]JobArtifact, error) {
	ctx, cancel, err := limited(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer cancel()
	return s.artifacts(ctx, id, opts)
}

// DownloadArtifacts downloads the artifacts of all jobs of a pipeline, as
// [JobsService.DownloadArtifacts] does, each job's into a directory with the
// workflow's and the job's name, such as build/test. Of workflows with the same
// name only the newest counts.
func (s *PipelinesService) DownloadArtifacts(ctx context.Context, id uuid.UUID, dir string, o *DownloadOptions, opts ...RequestOption) ([]DownloadedArtifact, error) {
	return s.client.Jobs.downloadAll(ctx, dir, o, opts, func(ctx context.Context) ([]JobArtifact, error) {
		return s.artifacts(ctx, id, opts)
	}, func(a JobArtifact) string {
		return filepath.Join(localPart(flat(a.WorkflowName)), localPart(flat(a.JobName)))
	})
}

// flat makes one name of a name with slashes.
func flat(name string) string { return strings.NewReplacer("/", "_", `\`, "_").Replace(name) }

func (s *PipelinesService) artifacts(ctx context.Context, id uuid.UUID, opts []RequestOption) ([]JobArtifact, error) {
	workflows, err := s.ListWorkflows(id, opts...).Collect(ctx)
	if err != nil {
		return nil, err
	}
	return s.client.Jobs.artifactsOfWorkflows(ctx, newest(runsByName(workflows)), opts)
}

// listsAtOnce is how many lists are read at once.
const listsAtOnce = 4

// artifactsOfWorkflows lists the artifacts of all jobs of workflows, as far as
// possible.
func (s *JobsService) artifactsOfWorkflows(ctx context.Context, workflows []Workflow, opts []RequestOption) ([]JobArtifact, error) {
	var (
		failures failures
		jobs     []WorkflowJob
		names    []string // of the jobs' workflows
	)
	for _, w := range workflows {
		more, err := s.client.Workflows.ListJobs(w.ID, opts...).Collect(ctx)
		if err != nil && len(workflows) == 1 {
			return nil, err
		}
		failures.add(fmt.Sprintf("jobs of workflow %s", oneLine(cmp.Or(w.Name, w.ID.String()))), err)
		for _, j := range more {
			if j.Number > 0 && j.Type != JobTypeApproval { // else it did not run
				jobs, names = append(jobs, j), append(names, w.Name)
			}
		}
	}
	lists := make([][]JobArtifact, len(jobs))
	errs := concurrently(ctx, len(jobs), listsAtOnce, func(i int) (err error) {
		lists[i], err = s.artifactsOf(ctx, jobs[i], names[i], opts)
		if jobs[i].Status == JobStatusNotRun && errors.Is(err, ErrNotFound) {
			return nil // it has a number, and nothing else
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

// limited prepares a method that makes several requests for a download: its
// context ends with the caller's [Timeout], and options that it cannot obey are
// refused.
func limited(ctx context.Context, opts []RequestOption) (context.Context, context.CancelFunc, error) {
	if err := checkFileOptions(opts); err != nil {
		return nil, nil, err
	}
	ctx, cancel, _, err := composite(ctx, opts)
	return ctx, cancel, err
}

// concurrently calls do for the numbers below n, some at once, and returns its
// errors. When ctx has ended, it is not called any more.
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

// failures are the errors of things that were done side by side.
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
