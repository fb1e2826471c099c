package circleci

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// GetLatestOptions selects the pipeline that [PipelinesService.GetLatest]
// returns. Nil and zero fields match any pipeline.
type GetLatestOptions struct {
	// Branch is the branch of the pipeline.
	Branch string
	// Outcome is how the pipeline ended, such as [OutcomeSuccess]. If it is
	// empty, any outcome matches.
	Outcome Outcome
	// Workflow is the name of a workflow that the pipeline must contain.
	// Outcome then applies to this workflow alone; other workflows are ignored.
	Workflow string
	// MaxPipelines is the maximum number of pipelines to check. The default is
	// 100. Checking costs one request per pipeline, plus one for every 20
	// pipelines.
	MaxPipelines int
}

// GetLatest returns the newest finished pipeline of a project that matches the
// options. It skips unfinished pipelines, and those whose workflows CircleCI no
// longer has. If no pipeline matches, the error matches [ErrNotFound] and says
// how far back the search went.
//
// The outcome is determined as in [PipelinesService.Check]. With
// [GetLatestOptions.Workflow] the result contains this workflow only.
func (s *PipelinesService) GetLatest(ctx context.Context, slug ProjectSlug, o *GetLatestOptions, opts ...RequestOption) (*PipelineResult, error) {
	ctx, cancel, opts, err := composite(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer cancel()
	if o == nil {
		o = &GetLatestOptions{}
	}
	most := o.MaxPipelines
	if most <= 0 {
		most = 100
	}
	looked, skipped, oldest := 0, 0, time.Time{}
	filter := &ListProjectPipelinesOptions{Branch: o.Branch}
	for p, err := range s.ListForProject(slug, filter, opts...).Take(most).All(ctx) {
		if err != nil {
			return nil, err
		}
		r, err := s.matching(ctx, &p, o, opts)
		switch {
		case missing(err):
			skipped++
		case err != nil:
			return nil, fmt.Errorf("circleci: pipeline %d of %s: %w", p.Number, oneLine(string(slug)), err)
		case r != nil:
			return r, nil
		}
		looked, oldest = looked+1, p.CreatedAt
	}
	return nil, o.notFound(slug, looked, skipped, oldest)
}

// matching returns the result of a pipeline, or nil if the options do not match
// it.
func (s *PipelinesService) matching(ctx context.Context, p *Pipeline, o *GetLatestOptions, opts []RequestOption) (*PipelineResult, error) {
	r, groups, err := s.check(ctx, p, opts)
	if err != nil {
		return nil, err
	}
	if o.Workflow != "" {
		groups = slices.DeleteFunc(groups, func(runs []Workflow) bool { return runs[0].Name != o.Workflow })
		if r.Workflows = newest(groups); len(r.Workflows) == 0 {
			return nil, nil
		}
		r.settle(judgeWorkflows(r.Workflows))
	}
	selected := func() bool { return o.Outcome == r.Outcome || o.Outcome == OutcomePending }
	rerun := r.Outcome != OutcomeFailed && slices.ContainsFunc(groups, func(runs []Workflow) bool { return len(runs) > 1 })
	if r.Outcome == OutcomePending || r.Outcome == OutcomeOnHold && o.Outcome != OutcomeOnHold || !selected() && !rerun {
		return nil, nil
	}
	if err := s.jobLists(opts).add(ctx, r, groups, false); err != nil || !selected() {
		return nil, err
	}
	return r, nil
}

func (o *GetLatestOptions) notFound(slug ProjectSlug, looked, skipped int, oldest time.Time) error {
	what, where, how := "pipeline", oneLine(string(slug)), "has ended"
	if o.Workflow != "" {
		what = "workflow " + oneLine(o.Workflow)
	}
	if o.Branch != "" {
		where += " on branch " + oneLine(o.Branch)
	}
	if o.Outcome != OutcomePending {
		how += " with the outcome " + oneLine(string(o.Outcome))
	}
	text := fmt.Sprintf("circleci: no %s of %s %s: looked at the newest %d pipelines", what, where, how, looked)
	if looked > 0 {
		text += ", back to " + oldest.UTC().Format(time.RFC3339)
	}
	if skipped > 0 {
		text += fmt.Sprintf("; %d of them no longer have workflows", skipped)
	}
	return fmt.Errorf("%s: %w", text, ErrNotFound)
}
