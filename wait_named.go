package circleci

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// WaitForJob waits until the job of a workflow with the given name is on hold
// or has ended, and returns it. A failed job is not an error: check its Status.
// If the workflow has no such job when it ends or is on hold, the error matches
// [ErrNotFound] and names the workflow's jobs. If the workflow ends before the
// job runs, WaitForJob returns the job with its status at that time.
//
// To approve a job when it is on hold:
//
//	job, err := client.Workflows.WaitForJob(ctx, id, "hold", nil)
//	if err != nil {
//		return err
//	}
//	return client.Workflows.Approve(ctx, id, job.ApprovalRequestID)
//
// [Timeout] limits the whole wait. [WaitOptions.WithJobs] and StopOnHold have
// no effect here.
func (s *WorkflowsService) WaitForJob(ctx context.Context, id uuid.UUID, name string, o *WaitOptions, opts ...RequestOption) (*WorkflowJob, error) {
	if err := refuseOwnJob(id, name); err != nil {
		return nil, err
	}
	r, err := last(nil, watch(ctx, o, opts, func(o WaitOptions) target[*namedJob] {
		return &jobByName{workflow: workflowWatch{service: s, id: id}, name: name, period: o.Grace}
	}))
	if r == nil || r.job == nil {
		return nil, err
	}
	return r.job, err
}

func refuseOwnJob(workflow uuid.UUID, name string) error {
	own, err := uuid.Parse(os.Getenv("CIRCLE_WORKFLOW_ID"))
	switch {
	case name == "":
		return &ArgumentError{Name: "name", Reason: "is missing"}
	case err == nil && own == workflow && os.Getenv("CIRCLE_JOB") == name:
		return &ArgumentError{Name: "name", Reason: "CIRCLE_JOB says that this program runs in this job, so it would wait for itself"}
	}
	return nil
}

// namedJob is the state of a wait for a job.
type namedJob struct {
	workflow Workflow
	name     string
	job      *WorkflowJob // nil: it has not appeared
}

func (r *namedJob) String() string {
	if r.job == nil {
		return "job " + oneLine(r.name) + " has not appeared"
	}
	return "job " + oneLine(r.job.Name) + " " + oneLine(string(r.job.Status))
}

func (r *namedJob) state() string { return r.String() + string(r.outcome()) }

func (r *namedJob) outcome() Outcome {
	switch {
	case r.job == nil:
		return OutcomePending
	case r.job.Status == JobStatusOnHold:
		return OutcomeOnHold
	case !r.job.Status.Done() && r.workflow.Status.Done():
		return OutcomeNotRun
	}
	return jobOutcome(r.job.Status)
}

type jobByName struct {
	workflow workflowWatch
	name     string
	grace    grace
	period   time.Duration
}

func (w *jobByName) String() string {
	return fmt.Sprintf("job %s of %s", oneLine(w.name), &w.workflow)
}

func (w *jobByName) poll(ctx context.Context, opts []RequestOption) (*namedJob, error) {
	s := w.workflow.service
	wf, err := s.Get(ctx, w.workflow.id, opts...) // before the jobs: if the workflow has ended, they are final
	if err != nil {
		return nil, orUnknown(err, w.workflow.known)
	}
	w.workflow.known = true
	jobs, err := s.ListJobs(w.workflow.id, opts...).Collect(ctx)
	if err != nil {
		return nil, err
	}
	r := &namedJob{workflow: *wf, name: w.name}
	var names []string
	for i, j := range jobs {
		names = append(names, j.Name)
		if r.job == nil && j.Name == w.name {
			r.job = &jobs[i]
		}
	}
	held := wf.Status == WorkflowStatusOnHold
	settled := w.grace.settle(OutcomeOnHold, held, "", w.period) == OutcomeOnHold
	if r.job != nil || !wf.Status.Done() && (!held || !settled) {
		return r, nil
	}
	state := "has ended"
	if held {
		state = "is on hold"
	}
	return nil, notNamed(fmt.Sprintf("workflow %s %s without a job %s; its jobs", oneLine(wf.Name), state, strconv.Quote(oneLine(w.name))), names)
}

// notNamed ends a wait for a name that does not exist.
func notNamed(what string, names []string) error {
	if len(names) == 0 {
		names = []string{"none"}
	}
	for i := range names {
		names[i] = oneLine(names[i])
	}
	return &unknownError{fmt.Errorf("circleci: %s: %s: %w", what, named(names), ErrNotFound)}
}

// WaitForWorkflow waits until the workflow of a pipeline with the given name is
// on hold or has ended, and returns it with its jobs. It follows reruns of the
// workflow. A failed workflow is not an error: check the result's Outcome or
// Err. If the pipeline has no such workflow when it ends or is on hold, the error
// matches [ErrNotFound] and names the pipeline's workflows.
//
// If a setup workflow has the name, WaitForWorkflow waits for it, unless its
// continuation has a workflow with the same name.
//
// [Timeout] limits the whole wait. [WaitOptions.WithJobs] and StopOnHold have
// no effect here.
func (s *PipelinesService) WaitForWorkflow(ctx context.Context, id uuid.UUID, name string, o *WaitOptions, opts ...RequestOption) (*WorkflowResult, error) {
	if err := required("name", name); err != nil {
		return nil, err
	}
	r, err := last(nil, watch(ctx, o, opts, func(o WaitOptions) target[*WorkflowResult] {
		return &workflowByName{pipelineWatch: pipelineWatch{service: s, id: id, options: o}, name: name}
	}))
	if r != nil && r.Workflow.ID == uuid.Nil && err != nil {
		return nil, err // it has not appeared
	}
	return r, err
}

type workflowByName struct {
	pipelineWatch
	name string
}

func (w *workflowByName) String() string {
	return fmt.Sprintf("workflow %s of %s", oneLine(w.name), &w.pipelineWatch)
}

func (w *workflowByName) poll(ctx context.Context, opts []RequestOption) (*WorkflowResult, error) {
	r, groups, err := w.look(ctx, opts)
	if err != nil {
		return nil, err
	}
	runs := w.choose(groups)
	if runs == nil {
		return w.absent(r)
	}
	wf := runs[len(runs)-1]
	if err := refuseOwn(wf.ID); err != nil && !wf.Status.Done() {
		return nil, err
	}
	alone := &PipelineResult{Workflows: []Workflow{wf}}
	outcome, provisional := judgeWorkflows(alone.Workflows)
	alone.Outcome = w.grace.settle(outcome, provisional, alone.state(), w.options.Grace)
	if alone.Outcome != OutcomePending {
		if err := w.service.jobLists(opts).add(ctx, alone, [][]Workflow{runs}, true); err != nil {
			return nil, err
		}
	}
	return &WorkflowResult{
		Outcome: alone.Outcome, Workflow: wf, Jobs: alone.Jobs[wf.ID], FailedJobs: alone.FailedJobs, JobsErr: alone.JobsErr,
	}, nil
}

// choose returns the runs of the workflow; the runs of a setup workflow come
// last.
func (w *workflowByName) choose(groups [][]Workflow) (runs []Workflow) {
	for _, g := range groups {
		if g[0].Name == w.name && (runs == nil || g[0].Tag != WorkflowTagSetup) {
			runs = g
		}
	}
	return runs
}

// absent returns the state while the workflow has not appeared.
func (w *workflowByName) absent(r *PipelineResult) (*WorkflowResult, error) {
	outcome, provisional := r.judge()
	held := outcome == OutcomeOnHold
	continues := held && slices.ContainsFunc(r.Workflows, func(wf Workflow) bool {
		return wf.Tag == WorkflowTagSetup && !wf.Status.Done()
	})
	outcome = w.grace.settle(outcome, provisional || held, r.state(), w.options.Grace)
	if outcome == OutcomePending || continues {
		return &WorkflowResult{Workflow: Workflow{Name: w.name, Status: "has not appeared"}}, nil
	}
	names := make([]string, 0, len(r.Workflows)+1)
	for _, wf := range r.Workflows {
		if !slices.Contains(names, wf.Name) {
			names = append(names, wf.Name)
		}
	}
	r.Outcome = outcome
	state := "has ended (" + string(outcome) + ")"
	if held {
		state = "is on hold"
	}
	what := fmt.Sprintf("pipeline %d %s without a workflow %s", r.Pipeline.Number, state, strconv.Quote(oneLine(w.name)))
	if len(r.Pipeline.Errors) > 0 {
		what += strings.TrimPrefix(r.Err().Error(), "circleci: "+string(outcome))
	}
	return nil, notNamed(what+"; its workflows", names)
}
